"""A call of a function that is to be differentiated: what goes in, what comes back."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from inspect import signature
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.backward import pull, seed, zero_gradient
from autograd_core.engine.exits import exits, warn_user
from autograd_core.engine.graph import Node
from autograd_core.engine.op import op
from autograd_core.engine.paths import Paths
from autograd_core.engine.stamps import sequence_numbers
from autograd_core.engine.state import enable_grad, is_recording
from autograd_core.engine.tensor import Tensor, make
from autograd_core.engine.views import VALUE, Base
from autograd_core.errors import DTypeError, GraphError, IndexingError, ShapeError
from autograd_core.transforms.tree import filled, leaves, mapped

__all__ = [
    "Argnum",
    "Call",
    "Function",
    "as_tensor",
    "called",
    "check_real",
    "cotangent",
    "described",
    "is_tracked",
    "matching",
    "one_number",
    "zeros",
]

Argnum = int | str | tuple[int | str, ...] | list[int | str]
Function = Callable[..., Any]


@op(x=lambda g: g)
def _argument(x: Any) -> Any:
    """x, as something to differentiate in that itself depends on something."""
    return x[...]


_running: ContextVar[Call | None] = ContextVar("autograd_core transform", default=None)


class Call:
    """A call of a function on arguments, in some of which it is differentiated."""

    def __init__(
        self, name: str, function: Function, argnum: Argnum, args: Any, settings: dict[str, Any]
    ) -> None:
        self.name = name
        self.function = function
        self.recording = is_recording()
        self.plain = not any(isinstance(v, Tensor) for _, v in leaves((args, settings)))
        self.paths: list[str] = []
        self.given: list[Any] = []  # the leaves in which to differentiate, as they came
        self.arrays: list[Any] = []
        self.nodes: list[Node] = []
        self.began = next(sequence_numbers)
        self.nested = False  # whether f differentiates something itself
        self._between: dict[tuple[int, ...], Paths] = {}
        places = argnum if isinstance(argnum, tuple | list) else (argnum,)
        where = [_place(name, function, place, args, settings) for place in places]
        entered: dict[Any, Any] = {**dict(enumerate(args)), **settings}
        self.chosen: Any = tuple(entered[key] for key in where)
        for key in dict.fromkeys(where):
            what = f"argument {key!r}"
            tensors = [self._enter(what + path, leaf) for path, leaf in leaves(entered[key])]
            entered[key] = filled(entered[key], iter(tensors))
        if len(set(where)) < len(where):
            raise ShapeError(f"{name}: argnum={argnum!r} names an argument twice")
        if not isinstance(argnum, tuple | list):
            (self.chosen,) = self.chosen
        positional = [entered[i] for i in range(len(args))]
        outer = _running.get()
        if outer is not None:
            outer.nested = True
        token = _running.set(self)
        try:
            with enable_grad():
                self.out = function(*positional, **{key: entered[key] for key in settings})
        except ValueError as error:
            if "read-only" not in str(error):
                raise
            raise GraphError(
                f"{name}: {called(function)} writes into the memory of an argument, which belongs "
                "to the caller. Work on a copy, as in x = x.copy()"
            ) from error
        finally:
            _running.reset(token)

    def _enter(self, path: str, leaf: Any) -> Tensor:
        """A Tensor of this leaf, to differentiate in."""
        if not isinstance(leaf, Tensor | float | complex | np.generic) and not backend.is_array(
            leaf
        ):
            hint = f". Write {float(leaf)}" if isinstance(leaf, int) else ""
            raise DTypeError(
                f"{self.name}: {path} is of type {type(leaf).__name__}, {leaf!r}; only floating "
                f"and complex numbers and arrays can be differentiated in{hint}"
            )
        array = leaf._array if isinstance(leaf, Tensor) else backend.asarray(leaf)
        if array.dtype.kind not in "fc":
            raise DTypeError(
                f"{self.name}: {path} has dtype {array.dtype}; only floating and complex arrays "
                "can be differentiated in. Use x.astype(float)"
            )
        if isinstance(leaf, Tensor) and leaf.node is not None and self.recording:
            tensor: Any = _argument(leaf)
        else:
            array = array.view()
            if isinstance(array, np.ndarray):
                array.flags.writeable = False  # what f writes there it would write to the caller's
            tensor = make(array, None)
            tensor.node = Node.leaf(tensor, array.shape, array.dtype)
        if getattr(leaf, "_memory", None) is VALUE or not hasattr(leaf, "__setitem__"):
            tensor._memory = VALUE  # a number, which nobody can write to
        else:
            Base.lent(tensor)
        self.paths.append(path)
        self.given.append(leaf)
        self.arrays.append(tensor._array)
        self.nodes.append(tensor.node)
        return tensor  # type: ignore[no-any-return]

    # what comes back

    def shown(self, value: Any) -> Any:
        """A result for the caller: an array where all that went in were arrays."""
        if not isinstance(value, Tensor) or not self.plain or value.node is not None:
            return value
        array = value._array
        locked = isinstance(array, np.ndarray) and not array.flags.writeable
        return (array.copy() if locked else array)[()]

    def value(self, tree: Any) -> Any:
        """The function's result for the caller, without what led to it."""
        return mapped(self._value, tree)

    def _value(self, leaf: Any) -> Any:
        if not isinstance(leaf, Tensor):
            return leaf
        outside = leaf.node is not None and bool(self.between([leaf.node]).outside)
        return self.shown(leaf if outside and self.recording else leaf.detach())

    def trees(self, found: list[Any]) -> Any:
        """What was found for each leaf, in the structure of the arguments."""
        return filled(self.chosen, map(self._like, found, self.given))

    def _like(self, g: Any, leaf: Any) -> Any:
        if isinstance(leaf, Tensor) or (isinstance(g, Tensor) and g.node is not None):
            return g if isinstance(g, Tensor) else make(g, None)
        return (g._array if isinstance(g, Tensor) else g)[()]

    # passes

    def warn_unreached(self) -> None:
        """Warn where the result depends on no argument at all: that is seldom meant. A function
        that differentiates something may well be constant: the derivative of a linear one is."""
        nodes = [leaf.node for _, leaf in leaves(self.out) if is_tracked(leaf)]
        if self.nested or any(map(self.between(nodes).lead_from, nodes)):
            return
        left = [exit for exit in exits if exit.number > self.began]
        how = f". A value left the graph by {left[-1].reason} at {left[-1].line}" if left else ""
        warn_user(
            f"{self.name}: what {called(self.function)} returns does not depend on "
            f"{' or '.join(self.paths)}, so the derivative is 0{how}"
        )

    def between(self, nodes: list[Node]) -> Paths:
        """The paths from these nodes to the arguments."""
        key = tuple(node.seq for node in nodes)
        if key not in self._between:
            targets = {node: i for i, node in enumerate(self.nodes)}
            self._between[key] = Paths(nodes, targets)
        return self._between[key]

    def pull(
        self,
        seeds: list[tuple[Tensor, Any]],
        *,
        lead: int = 0,
        retain: bool = False,
        record: bool | None = None,
        wrap: Any = None,
        strict: bool = False,
    ) -> list[Any]:
        """What arrives at each leaf, an array or, where it is recorded, a Tensor.

        It is recorded where it depends on something outside. With `strict` a leaf on which nothing
        depends is an error, and has zeros otherwise.
        """
        tracked = [(out.node, g) for out, g in seeds if out.node is not None]
        paths = self.between([node for node, _ in tracked])
        if record is None:
            depends = bool(paths.outside) or any(is_tracked(g) for _, g in seeds)
            record = self.recording and depends
        found = pull(
            tracked, paths, retain=retain or record, create_graph=record, lead=lead, wrap=wrap
        )
        missing = [path for i, path in enumerate(self.paths) if i not in found]
        if strict and missing:
            raise GraphError(
                f"{self.name}: the result does not depend on {missing[0]}; strict=False gives zeros"
            )
        counts = seeds[0][1].shape[:lead] if lead else ()
        return [
            found[i] if i in found else zero_gradient(array, counts + array.shape)
            for i, array in enumerate(self.arrays)
        ]


def _place(
    name: str, function: Function, place: int | str, args: Any, settings: dict[str, Any]
) -> int | str:
    """Where an argument is: its position among `args`, or its name in `settings`."""
    if place in settings:
        return place
    if isinstance(place, str):
        names = list(signature(function).parameters)
        if place in names and names.index(place) < len(args):
            return names.index(place)
        given = ", ".join([*names[: len(args)], *settings])
        raise IndexingError(
            f"{name}: {called(function)} was called without an argument {place!r}; it has {given}"
        )
    if not -len(args) <= place < len(args):
        raise IndexingError(
            f"{name}: argnum={place}, but {called(function)} was called with {len(args)} "
            "positional arguments"
        )
    return place % len(args)


def called(function: Function) -> str:
    """What messages and drawings call a function."""
    return str(getattr(function, "__name__", type(function).__name__))


def is_tracked(g: Any) -> bool:
    return isinstance(g, Tensor) and g.node is not None


def described(value: Any) -> str:
    if isinstance(value, Tensor) or backend.is_array(value):
        return f"shape {value.shape} and dtype {value.dtype}"
    return f"a {type(value).__name__}"


def as_tensor(name: str, value: Any) -> Tensor:
    """A result of the function: one that it computed without its argument is a plain value.

    Raises DTypeError for booleans and integers, whose derivative of zero would be no answer.
    """
    if isinstance(value, Tensor):
        out = value
    elif isinstance(value, int | float | complex | np.generic) or backend.is_array(value):
        out = make(backend.asarray(value), None)
    else:
        raise ShapeError(
            f"{name}: the function must return arrays, or containers of them; it returned a "
            f"{type(value).__name__}"
        )
    if out.dtype.kind not in "fc":
        raise _without_derivative(name, value, out)
    return out


def _without_derivative(name: str, value: Any, out: Tensor) -> DTypeError:
    if type(value) is int:
        instead = f"Write {float(value)} for a constant"
    elif out.dtype.kind == "b":
        instead = "Return the numbers of the comparison, such as x - y for x > y"
    else:
        instead = "Return the floating numbers that they were made of"
    return DTypeError(
        f"{name}: the function returned {described(value)}; booleans and integers have no "
        f"derivative. {instead}, and what only goes along with a result beside it: as (result, "
        "more) with has_aux=True, or not at all"
    )


def one_number(name: str, value: Any, holomorphic: bool = False) -> Tensor:
    """The result of a function that has a gradient."""
    if isinstance(value, tuple | list | dict | str) or value is None:
        raise ShapeError(
            f"{name}: the function must return one number; it returned {described(value)}"
            + (". For (value, more) pass has_aux=True" if isinstance(value, tuple) else "")
        )
    out = as_tensor(name, value)
    if out.size != 1:
        raise ShapeError(
            f"{name}: the function must return one number; it returned {described(out)}. Use "
            "jacobian for all derivatives, elementwise_grad where it works element by element, or "
            "sum the result"
        )
    check_real(name, out, holomorphic)
    return out


def check_real(name: str, out: Tensor, holomorphic: bool = False) -> None:
    if out.dtype.kind == "c" and not holomorphic:
        raise DTypeError(
            f"{name}: the function returned complex numbers. Differentiate its real or imaginary "
            "part, or pass holomorphic=True where it is holomorphic in complex arguments"
        )


def cotangent(out: Tensor, g: Any = None) -> Any:
    """What is sent into a result, checked; 1 by default."""
    if g is None:
        return backend.run_there(out._array, np.ones_like, out._array)
    return seed(out, g)


def zeros(like: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of the dtype and on the device of an array."""
    return backend.run_there(like, lambda: np.zeros_like(like, shape=shape))


def matching(what: str, tree: Any, given: Any) -> list[Any]:
    """The leaves of `given`, which has the structure of `tree`, and its shapes or plain numbers."""
    expected, found = dict(leaves(tree)), dict(leaves(given))
    if expected.keys() != found.keys():
        raise ShapeError(
            f"{what} must have the structure of what it belongs to, with leaves at "
            f"{list(expected)}; it has them at {list(found)}"
        )
    for path, leaf in expected.items():
        shape = np.shape(found[path])
        if shape not in (np.shape(leaf), ()):
            raise ShapeError(
                f"{what}{path} has shape {shape}; what it belongs to has shape {np.shape(leaf)}"
            )
    return [found[path] for path in expected]
