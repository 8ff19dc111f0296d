"""A call of a function to differentiate: its arguments and its results."""

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
from autograd_core.engine.types import Array, Gradient, Operand
from autograd_core.engine.views import VALUE, Base
from autograd_core.errors import DTypeError, GraphError, IndexingError, ShapeError
from autograd_core.errors.alternatives import MIXED, is_hips
from autograd_core.transforms.boxes import Box, Vector
from autograd_core.transforms.tree import filled, leaves, mapped

Argnum = int | str | tuple[int | str, ...] | list[int | str]
Function = Callable[..., Any]


@op(x=lambda g: g)
def _argument(x: Operand) -> Any:
    """The identity. For an argument x that already depends on other Tensors, the result has a new
    node, with respect to which the function is differentiated."""
    return x[...]


_running: ContextVar[Call | None] = ContextVar("autograd_core transform", default=None)


class Call:
    """A call of a function that is differentiated with respect to some of its arguments."""

    def __init__(
        self, name: str, function: Function, argnum: Argnum, args: Any, settings: dict[str, Any]
    ) -> None:
        self.name = name
        self.function = function
        self.recording = is_recording()
        self.plain = not any(isinstance(v, Tensor) for _, v in leaves((args, settings)))
        self.paths: list[str] = []
        self.given: list[Any] = []  # the leaves to differentiate with respect to
        self.arrays: list[Any] = []
        self.nodes: list[Node] = []
        self.began = next(sequence_numbers)
        self.nested = False  # True if f itself calls a transform
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
            raise ShapeError(f"{name}: argnum={argnum!r} selects an argument twice")
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
                "to the caller. Use a copy, as in x = x.copy()"
            ) from error
        finally:
            _running.reset(token)

    def _enter(self, path: str, leaf: Any) -> Any:
        """A tracked Tensor (or Box) for an argument's leaf, with respect to which the function is
        differentiated."""
        entered: Any = Box.entered(leaf) if type(leaf) in Box.types else self._tensor(path, leaf)
        self.paths.append(path)
        self.given.append(leaf)
        self.arrays.append(entered if isinstance(entered, Box) else entered._array)
        self.nodes.append(entered.node)
        return entered

    def _tensor(self, path: str, leaf: Any) -> Tensor:
        if not isinstance(leaf, Tensor | float | complex | np.generic) and not backend.is_array(
            leaf
        ):
            hint = f". Write {float(leaf)}" if isinstance(leaf, int) else ""
            hint = f". It is {MIXED}" if is_hips(leaf) else hint
            raise DTypeError(
                f"{self.name}: {path} is of type {type(leaf).__name__}, {leaf!r}; the "
                "function can be differentiated only with respect to floating and complex numbers "
                f"and arrays{hint}"
            )
        array = leaf._array if isinstance(leaf, Tensor) else backend.asarray(leaf)
        if array.dtype.kind not in "fc":
            raise DTypeError(
                f"{self.name}: {path} has dtype {array.dtype}; the function can be differentiated "
                "only with respect to floating and complex arrays. Use x.astype(float)"
            )
        if isinstance(leaf, Tensor) and leaf.node is not None:
            # also where nothing is recorded: a pullback may be used where it is
            tensor: Any = _argument(leaf) if self.recording else enable_grad()(_argument)(leaf)
        else:
            array = array.view()
            if isinstance(array, np.ndarray):
                array.flags.writeable = False  # a write by f would change the caller's array
            tensor = make(array, None)
            tensor.node = Node.leaf(tensor, array.shape, array.dtype)
            tensor.node.watch.argument = True
        if getattr(leaf, "_memory", None) is VALUE or not hasattr(leaf, "__setitem__"):
            tensor._memory = VALUE  # a number, which cannot be written to
        else:
            Base.lent(tensor)
        return tensor  # type: ignore[no-any-return]

    # results

    def shown(self, value: Any) -> Any:
        """`value` as it is returned to the caller: an untracked Tensor is converted to an array if
        no argument was a Tensor."""
        if not isinstance(value, Tensor) or not self.plain or value.node is not None:
            return value
        array = value._array
        locked = isinstance(array, np.ndarray) and not array.flags.writeable
        return (array.copy() if locked else array)[()]

    def value(self, tree: Any) -> Any:
        """The tree of the function's results as it is returned to the caller. Tensors are detached
        unless they depend on Tensors outside the call."""
        return mapped(self._value, tree)

    def _value(self, leaf: Any) -> Any:
        if not isinstance(leaf, Tensor | Box):
            return leaf
        outside = leaf.node is not None and bool(self.between([leaf.node]).outside)
        if outside and self.recording:
            return self.shown(leaf)
        return leaf._value if isinstance(leaf, Box) else self.shown(make(leaf._array, None))

    def trees(self, found: list[Any]) -> Any:
        """The list `found`, with one entry for each leaf, as trees with the structure of the chosen
        arguments."""
        return filled(self.chosen, map(self._like, found, self.given))

    def _like(self, g: Gradient, leaf: Any) -> Any:
        if isinstance(g, Vector):
            return g[0]
        if isinstance(leaf, Tensor) or (isinstance(g, Tensor) and g.node is not None):
            return g if isinstance(g, Tensor) else make(g, None)
        return (g._array if isinstance(g, Tensor) else g)[()]

    # passes

    def warn_unreached(self) -> None:
        """Warn if the result depends on no argument, which is usually a mistake. There is no
        warning for a function that itself calls a transform, because an inner derivative may
        legitimately be constant: that of a linear function is."""
        nodes = [leaf.node for _, leaf in leaves(self.out) if is_tracked(leaf)]
        if self.nested or any(map(self.between(nodes).lead_from, nodes)):
            return
        left = [exit for exit in exits if exit.number > self.began]
        how = f". A value left the graph by {left[-1].reason} at {left[-1].line}" if left else ""
        warn_user(  # programs written for HIPS autograd filter on the first sentence
            f"Output seems independent of input. {self.name}: what {called(self.function)} returns "
            f"does not depend on {' or '.join(self.paths)}, so the derivative is 0{how}"
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
        """The gradient of each leaf: a Tensor if the backward pass is recorded, otherwise an array.

        By default the pass is recorded if the result depends on Tensors outside the call. A leaf on
        which no result depends has a gradient of zeros; with `strict` it raises GraphError.
        """
        tracked = [(out.node, g) for out, g in seeds if out.node is not None]
        paths = self.between([node for node, _ in tracked])
        if record is None:
            depends = bool(paths.outside) or any(is_tracked(g) for _, g in seeds)
            record = depends and is_recording()  # as it is now, not as it was for the call
            wrap = make if paths.outside else plain
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
            found[i] if i in found else _zeros(array, counts) for i, array in enumerate(self.arrays)
        ]


def _zeros(array: Any, counts: tuple[int, ...]) -> Any:
    return array._zeros() if isinstance(array, Box) else zero_gradient(array, counts + array.shape)


def _place(
    name: str, function: Function, place: int | str, args: Any, settings: dict[str, Any]
) -> int | str:
    """The position in `args`, or the name in `settings`, of the argument that `place` selects."""
    if place in settings:
        return place
    if isinstance(place, str):
        names = list(signature(function).parameters)
        if place in names and names.index(place) < len(args):
            return names.index(place)
        given = ", ".join([*names[: len(args)], *settings])
        raise IndexingError(
            f"{name}: {called(function)} was called without an argument {place!r}; it was called "
            f"with: {given}"
        )
    if not -len(args) <= place < len(args):
        raise IndexingError(
            f"{name}: argnum={place}, but {called(function)} was called with {len(args)} "
            "positional arguments"
        )
    return place % len(args)


def plain(array: Array, _: Node) -> Tensor:
    """Wrap a saved array in an untracked Tensor, for rules that run on Tensors. Used if the call
    depends on no Tensor outside it, so that its arguments are constants."""
    return make(array, None)


def called(function: Function) -> str:
    """The name of a function in messages and drawings."""
    return str(getattr(function, "__name__", type(function).__name__))


def is_tracked(g: Gradient) -> bool:
    return isinstance(g, (Tensor, Box)) and g.node is not None


def description(value: Any) -> str:
    if isinstance(value, Tensor) or backend.is_array(value):
        return f"shape {value.shape} and dtype {value.dtype}"
    return f"a {type(value).__name__}"


def as_tensor(name: str, value: Any) -> Any:
    """A result of the function as a Tensor. The result may also be an array or a number.

    Raises DTypeError for booleans and integers, which have no derivative.
    """
    if isinstance(value, Box):
        return value
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
        instead = "Return the difference instead of the comparison, such as x - y for x > y"
    else:
        instead = "Return the floating values from which they were computed"
    return DTypeError(
        f"{name}: the function returned {description(value)}; booleans and integers have no "
        f"derivative. {instead}. Return auxiliary values as (result, more) with "
        "has_aux=True"
    )


def one_number(name: str, value: Any, holomorphic: bool = False) -> Any:
    """The result of a function that must return one real number, as a Tensor."""
    if isinstance(value, tuple | list | dict | str) or value is None:
        raise ShapeError(
            f"{name}: the function must return one number; it returned {description(value)}"
            + (". For (value, more) pass has_aux=True" if isinstance(value, tuple) else "")
        )
    out = as_tensor(name, value)
    if out.size != 1:
        raise ShapeError(
            f"{name}: the function must return one number; it returned {description(out)}. Use "
            "jacobian for all derivatives, elementwise_grad if it works element by element, or "
            "sum the result"
        )
    check_real(name, out, holomorphic)
    return out


def check_real(name: str, out: Tensor, holomorphic: bool = False) -> None:
    if out.dtype.kind == "c" and not holomorphic:
        raise DTypeError(
            f"{name}: the function returned complex numbers. Differentiate its real or imaginary "
            "part, or pass holomorphic=True if it is a holomorphic function of complex arguments"
        )


def cotangent(out: Any, g: Gradient = None) -> Any:
    """The cotangent `g` of the result `out`, after checks; ones if `g` is None."""
    if isinstance(out, Box):
        return Vector.of(out._space, out._space.ones() if g is None else g)
    if g is None:
        return backend.run_there(out._array, np.ones_like, out._array)
    return seed(out, g)


def zeros_of_shape(like: Any, shape: tuple[int, ...]) -> Any:
    """Zeros with the given shape and the dtype of `like`, on the device of `like`."""
    return backend.run_there(like, lambda: np.zeros_like(like, shape=shape))


def matching(what: str, tree: Any, given: Any) -> list[Any]:
    """The leaves of `given`. Raises ShapeError if `given` does not have the structure of `tree`, or
    if a leaf is neither a number nor of the shape of its counterpart in `tree`."""
    expected, found = dict(leaves(tree)), dict(leaves(given))
    if expected.keys() != found.keys():
        raise ShapeError(
            f"{what} must have the structure of its value, with leaves at {list(expected)}; it has "
            f"leaves at {list(found)}"
        )
    for path, leaf in expected.items():
        shape = np.shape(found[path])
        if shape not in (np.shape(leaf), ()):
            raise ShapeError(
                f"{what}{path} has shape {shape}, but its value has shape {np.shape(leaf)}"
            )
    return [found[path] for path in expected]
