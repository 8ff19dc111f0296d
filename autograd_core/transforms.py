"""Functions into their derivatives: `grad`, `jacobian`, `hessian`, `jvp`, `vjp`, `hvp` …

    value, slope = value_and_grad(loss)(weights, images)

A function is given Tensors where it is differentiated, and everything else as it came. Arguments
and results may be trees: arrays in lists, tuples, dicts and dataclasses. Arrays in, arrays out;
Tensors in, Tensors out. What still depends on something that is tracked outside comes back as a
tracked Tensor: transforms nest freely, and nothing leaves the graph silently.

`argnum` says in what to differentiate: an argument's position, its name, or a tuple of these, which
gives a tuple of results.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import wraps
from inspect import signature
from typing import Any

import numpy as np

from autograd_core import backend
from autograd_core.errors import DTypeError, GraphError, IndexingError, ShapeError
from autograd_core.graph import Node
from autograd_core.op import op
from autograd_core.passes import private, propagate, seed
from autograd_core.paths import Paths
from autograd_core.recording import enable_grad, is_recording
from autograd_core.tensor import Tensor, make
from autograd_core.tree import filled, leaves, mapped

__all__ = [
    "elementwise_grad",
    "grad",
    "gradients",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "linearize",
    "stop_gradient",
    "value_and_grad",
    "vhp",
    "vjp",
]

Argnum = int | str | tuple[int | str, ...]
Function = Callable[..., Any]

STACKED = 2**23  # elements of the largest gradient while a Jacobian is computed, 64 MB of float64


@op(x=lambda g: g)
def argument(x: Any) -> Any:
    """x, as something to differentiate in that itself depends on something."""
    return x[...]


class Call:
    """A call of a function on arguments, in some of which it is differentiated."""

    def __init__(
        self, name: str, function: Function, argnum: Argnum, args: Any, settings: dict[str, Any]
    ) -> None:
        self.name = name
        self.recording = is_recording()
        self.plain = not any(isinstance(v, Tensor) for _, v in leaves((args, settings)))
        self.paths: list[str] = []
        self.given: list[Any] = []  # the leaves in which to differentiate, as they came
        self.arrays: list[Any] = []
        self.nodes: list[Node] = []
        self._between: dict[tuple[int, ...], Paths] = {}
        places = argnum if isinstance(argnum, tuple) else (argnum,)
        where = [_place(name, function, place, args, settings) for place in places]
        entered = {**dict(enumerate(args)), **settings}
        self.chosen: Any = tuple(entered[key] for key in where)
        for key in dict.fromkeys(where):
            what = f"argument {key!r}"
            tensors = [self._enter(what + path, leaf) for path, leaf in leaves(entered[key])]
            entered[key] = filled(entered[key], iter(tensors))
        if len(set(where)) < len(where):
            raise ShapeError(f"{name}: argnum={argnum!r} names an argument twice")
        if not isinstance(argnum, tuple):
            (self.chosen,) = self.chosen
        positional = [entered[i] for i in range(len(args))]
        try:
            with enable_grad():
                self.out = function(*positional, **{key: entered[key] for key in settings})
        except ValueError as error:
            if "read-only" not in str(error):
                raise
            raise GraphError(
                f"{name}: {_called(function)} writes into the memory of an argument, which belongs "
                "to the caller. Work on a copy, as in x = x.copy()"
            ) from error

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
            tensor: Any = argument(leaf)
        else:
            array = array.view()
            if isinstance(array, np.ndarray):
                array.flags.writeable = False  # what f writes there it would write to the caller's
            tensor = make(array, None)
            tensor.node = Node.leaf(tensor, array.shape, array.dtype)
        self.paths.append(path)
        self.given.append(leaf)
        self.arrays.append(tensor._array)
        self.nodes.append(tensor.node)
        return tensor

    # what comes back

    def shown(self, value: Any) -> Any:
        """A result for the caller: an array where all that went in were arrays."""
        if not isinstance(value, Tensor) or not self.plain or value.node is not None:
            return value
        return value._array[()] if value._array.flags.writeable else value._array.copy()[()]

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
        reached = [(node, g) for node, g in tracked if -node.seq in paths.wanted]
        if record is None:
            depends = bool(paths.outside) or any(_is_tracked(g) for _, g in seeds)
            record = self.recording and depends
        arrived = propagate(
            reached, retain=retain or record, create_graph=record, lead=lead, paths=paths, wrap=wrap
        )
        found = {i: (g, owned) for i, g, owned in arrived if isinstance(i, int)}
        counts = seeds[0][1].shape[:lead] if lead else ()
        return [self._arrived(i, found.get(i), counts, strict) for i in range(len(self.nodes))]

    def _arrived(self, i: int, found: Any, counts: tuple[int, ...], strict: bool) -> Any:
        array = self.arrays[i]
        if found is None:
            if strict:
                raise GraphError(
                    f"{self.name}: the result does not depend on {self.paths[i]}; strict=False "
                    "gives zeros"
                )
            return backend.run_there(
                array, lambda: np.zeros_like(array, shape=counts + array.shape)
            )
        g, owned = found
        return g if isinstance(g, Tensor) else backend.run_there(g, private, g, owned)


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
            f"{name}: {_called(function)} was called without an argument {place!r}; it has {given}"
        )
    if not -len(args) <= place < len(args):
        raise IndexingError(
            f"{name}: argnum={place}, but {_called(function)} was called with {len(args)} "
            "positional arguments"
        )
    return place % len(args)


def _called(function: Function) -> str:
    return str(getattr(function, "__name__", repr(function)))


def _is_tracked(g: Any) -> bool:
    return isinstance(g, Tensor) and g.node is not None


def _described(value: Any) -> str:
    if isinstance(value, Tensor) or backend.is_array(value):
        return f"shape {value.shape} and dtype {value.dtype}"
    return f"a {type(value).__name__}"


def _as_tensor(name: str, value: Any) -> Tensor:
    """A result of the function: one that it computed without its argument is a plain value."""
    if isinstance(value, Tensor):
        return value
    if isinstance(value, int | float | complex | np.generic) or backend.is_array(value):
        return make(backend.asarray(value), None)
    raise ShapeError(
        f"{name}: the function must return arrays, or containers of them; it returned a "
        f"{type(value).__name__}"
    )


def _one_number(name: str, value: Any, holomorphic: bool = False) -> Tensor:
    """The result of a function that has a gradient."""
    if isinstance(value, tuple | list | dict | str) or value is None:
        raise ShapeError(
            f"{name}: the function must return one number; it returned {_described(value)}"
            + (". For (value, more) pass has_aux=True" if isinstance(value, tuple) else "")
        )
    out = _as_tensor(name, value)
    if out.size != 1:
        raise ShapeError(
            f"{name}: the function must return one number; it returned {_described(out)}. Use "
            "jacobian for all derivatives, elementwise_grad where it works element by element, or "
            "sum the result"
        )
    _check_real(name, out, holomorphic)
    return out


def _check_real(name: str, out: Tensor, holomorphic: bool = False) -> None:
    if out.dtype.kind == "c" and not holomorphic:
        raise DTypeError(
            f"{name}: the function returned complex numbers. Differentiate its real or imaginary "
            "part, or pass holomorphic=True where it is holomorphic in complex arguments"
        )


def _cotangent(out: Tensor, g: Any = None) -> Any:
    """What is sent into a result, checked; 1 by default."""
    if g is None:
        return backend.run_there(out._array, np.ones_like, out._array)
    return seed(out, g)


# ---- gradients ----------------------------------------------------------------------------------


def value_and_grad(
    f: Function,
    argnum: Argnum = 0,
    *,
    has_aux: bool = False,
    holomorphic: bool = False,
    strict: bool = False,
) -> Function:
    """A function that returns (f(…), its gradient), for an f that returns one real number.

    The gradient has the structure, shapes and dtypes of the argument. With `has_aux` f returns
    (value, more), and the result is ((value, more), gradient). A complex f is differentiated with
    `holomorphic`, whose gradient is the complex derivative. Arguments on which the result does not
    depend have zeros; with `strict` they raise GraphError.
    Raises ShapeError for another result, DTypeError for an integer argument.

    >>> import autograd_core as ac
    >>> ac.value_and_grad(lambda x: x**3)(2.0)
    (np.float64(8.0), np.float64(12.0))
    """
    return _graded("value_and_grad", f, argnum, has_aux, holomorphic, strict)


def grad(
    f: Function,
    argnum: Argnum = 0,
    *,
    has_aux: bool = False,
    holomorphic: bool = False,
    strict: bool = False,
) -> Function:
    """A function that returns the gradient of f, which returns one real number. With `has_aux` it
    returns (gradient, more). See `value_and_grad`.

    >>> import autograd_core as ac
    >>> ac.grad(ac.grad(lambda x: x**3))(2.0)
    np.float64(12.0)
    """
    both = _graded("grad", f, argnum, has_aux, holomorphic, strict)

    @wraps(f)
    def gradient(*args: Any, **settings: Any) -> Any:
        value, found = both(*args, **settings)
        return (found, value[1]) if has_aux else found

    return gradient


def _graded(
    name: str, f: Function, argnum: Argnum, has_aux: bool, holomorphic: bool, strict: bool
) -> Function:
    @wraps(f)
    def graded(*args: Any, **settings: Any) -> Any:
        call = Call(name, f, argnum, args, settings)
        value, aux = call.out if has_aux else (call.out, None)
        out = _one_number(name, value, holomorphic)
        shown = call.value(out)
        if has_aux:
            shown = shown, call.value(aux)
        found = call.pull([(out, _cotangent(out))], strict=strict)
        return shown, call.trees(found)

    return graded


def elementwise_grad(f: Function, argnum: Argnum = 0) -> Function:
    """A function that returns the derivative of f, element by element, for an f that works so. Of
    another f it is the gradient of the sum of the result.

    >>> import autograd_core as ac, numpy as np
    >>> ac.elementwise_grad(np.sin)(np.array([0.0, np.pi]))
    array([ 1., -1.])
    """

    @wraps(f)
    def slopes(*args: Any, **settings: Any) -> Any:
        call = Call("elementwise_grad", f, argnum, args, settings)
        out = _as_tensor(call.name, call.out)
        _check_real(call.name, out)
        return call.trees(call.pull([(out, _cotangent(out))]))

    return slopes


def gradients(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    *,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> Any:
    """The gradient of recorded Tensors in others that they were computed from, leaves or not.

    `outputs` and `inputs` are Tensors or trees of them; the result has the structure of `inputs`.
    `grad_outputs` is what arrives at the outputs, by default 1 for outputs of one element. Only
    what lies between is walked, and no ``.grad`` is touched. The other settings are those of
    ``backward``; with `strict` an input that no output depends on raises GraphError.

    >>> import autograd_core as ac
    >>> x = ac.Tensor([1.0, 2.0], requires_grad=True)
    >>> h = x * x
    >>> ac.gradients(h.sum(), [x, h])
    [Tensor([2., 4.]), Tensor([1., 1.])]
    """
    wanted = list(leaves(inputs))
    ends = [out for _, out in leaves(outputs)]
    given = [g for _, g in leaves(grad_outputs)] if grad_outputs is not None else [None] * len(ends)
    for path, tensor in [*wanted, *(("", out) for out in ends)]:
        if not _is_tracked(tensor):
            raise GraphError(
                f"gradients: inputs and outputs are tracked Tensors; {path or 'one'} is "
                f"{_described(tensor)}, of type {type(tensor).__name__} and not tracked"
            )
    if len(given) != len(ends):
        raise ShapeError(
            f"gradients: {len(ends)} outputs need as many grad_outputs, not {len(given)}"
        )
    targets = {tensor.node: i for i, (_, tensor) in enumerate(wanted)}
    paths = Paths([out.node for out in ends], targets)
    seeds = [
        (out.node, seed(out, g))
        for out, g in zip(ends, given, strict=True)
        if -out.node.seq in paths.wanted
    ]
    retain = create_graph if retain_graph is None else retain_graph
    arrived = propagate(seeds, retain=retain, create_graph=create_graph, paths=paths)
    found = {i: (g, owned) for i, g, owned in arrived if isinstance(i, int)}

    def results() -> Iterator[Tensor]:
        for path, tensor in wanted:
            g, owned = found.get(targets[tensor.node], (None, False))
            if g is None and strict:
                raise GraphError(f"gradients: no output depends on the input{path}")
            if g is None:
                g, owned = backend.run_there(tensor._array, np.zeros_like, tensor._array), True
            yield g if isinstance(g, Tensor) else make(private(g, owned), None)

    return filled(inputs, results())


def stop_gradient(tree: Any) -> Any:
    """The same values, with every Tensor detached: no gradient flows through them."""
    return mapped(lambda leaf: leaf.detach() if isinstance(leaf, Tensor) else leaf, tree)


# ---- products with Jacobians ---------------------------------------------------------------------


def vjp(f: Function, *args: Any, has_aux: bool = False) -> Any:
    """f(*args), and a function that takes a cotangent of the result's structure and shapes to its
    product with the Jacobian: a tuple with a gradient for each argument.

    It may be called again and again. With `has_aux` f returns (result, more), and the whole is
    (result, function, more).

    >>> import autograd_core as ac, numpy as np
    >>> value, pullback = ac.vjp(np.exp, np.zeros(2))
    >>> pullback(np.array([1.0, 3.0]))
    (array([1., 3.]),)
    """
    call = Call("vjp", f, tuple(range(len(args))), args, {})
    result, aux = call.out if has_aux else (call.out, None)
    outs = [_as_tensor("vjp", leaf) for _, leaf in leaves(result)]

    def pullback(cotangent: Any) -> Any:
        given = _matching("vjp: the cotangent", result, cotangent)
        pairs = [(out, _cotangent(out, g)) for out, g in zip(outs, given, strict=True)]
        return call.trees(call.pull(pairs, retain=True))

    value = call.value(result)
    return (value, pullback, call.value(aux)) if has_aux else (value, pullback)


def _matching(what: str, tree: Any, given: Any) -> list[Any]:
    """The leaves of `given`, which has the structure of `tree`."""
    expected, found = [p for p, _ in leaves(tree)], dict(leaves(given))
    if expected != list(found):
        raise ShapeError(
            f"{what} must have the structure of what it belongs to, with leaves at "
            f"{expected}; it has them at {list(found)}"
        )
    return list(found.values())


class _Linear:
    """The derivative of a call, as a function of the arguments' tangents.

    The backward pass is linear in what arrives. It is recorded once, and transposed: what a backward
    pass through *it* gives is the forward derivative, so that no operation needs a second rule.
    """

    def __init__(self, call: Call, result: Any) -> None:
        self.call = call
        self.result = result
        self.outs = [_as_tensor(call.name, leaf) for _, leaf in leaves(result)]
        tracked = [out.node for out in self.outs if out.node is not None]
        outside = bool(call.between(tracked).outside)
        self.depends = call.recording and outside
        self.duals = [_dual(out) for out in self.outs]
        pairs = list(zip(self.outs, self.duals, strict=True))
        wrap = make if self.depends else _plain
        self.pulled = call.pull(pairs, record=True, wrap=wrap)

    def __call__(self, tangents: Any, retain: bool = False) -> Any:
        call = self.call
        given = _matching(f"{call.name}: the tangents", call.chosen, tangents)
        pairs = [
            (g, seed(g, _of_kind(v, g)))
            for g, v in zip(self.pulled, given, strict=True)
            if _is_tracked(g)
        ]
        targets = {dual.node: i for i, dual in enumerate(self.duals)}
        paths = Paths([g.node for g, _ in pairs], targets)
        reached = [(g.node, v) for g, v in pairs if -g.node.seq in paths.wanted]
        record = self.depends or (call.recording and any(_is_tracked(v) for v in given))
        arrived = propagate(reached, retain=retain or record, create_graph=record, paths=paths)
        found = {i: (g, owned) for i, g, owned in arrived if isinstance(i, int)}
        plain = call.plain and not any(isinstance(v, Tensor) for v in given)
        results = (self._tangent(i, found.get(i), plain) for i in range(len(self.outs)))
        return filled(self.result, results)

    def _tangent(self, i: int, found: Any, plain: bool) -> Any:
        array = self.outs[i]._array
        if found is None:
            g: Any = make(backend.run_there(array, np.zeros_like, array), None)
        else:
            g = found[0] if isinstance(found[0], Tensor) else make(private(*found), None)
        return g._array[()] if plain and g.node is None else g


def _dual(out: Tensor) -> Any:
    """Zeros that stand for what arrives at a result, tracked."""
    zeros = make(backend.run_there(out._array, np.zeros_like, out._array), None)
    if out.dtype.kind in "fc":
        zeros.node = Node.leaf(zeros, out.shape, out.dtype)
    return zeros


def _plain(array: Any, _: Node) -> Tensor:
    return make(array, None)


def _of_kind(v: Any, like: Tensor) -> Any:
    """A tangent that may be a number."""
    if isinstance(v, Tensor) or backend.is_array(v):
        return v
    return backend.run_there(like._array, lambda: np.full_like(like._array, v))


def jvp(f: Function, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
    """f(*primals), and the derivative of the result along `tangents`, which have the structure and
    shapes of `primals`.

    >>> import autograd_core as ac, numpy as np
    >>> ac.jvp(np.sin, (np.zeros(2),), (np.array([1.0, 3.0]),))
    (array([0., 0.]), array([1., 3.]))
    """
    primals, tangents = tuple(primals), tuple(tangents)
    call = Call("jvp", f, tuple(range(len(primals))), primals, {})
    value = call.value(call.out)
    return value, _Linear(call, call.out)(tangents)


def linearize(f: Function, *primals: Any) -> tuple[Any, Function]:
    """f(*primals), and the function of tangents that `jvp` evaluates, to be called again and again:
    f itself runs once."""
    call = Call("linearize", f, tuple(range(len(primals))), primals, {})
    value = call.value(call.out)
    linear = _Linear(call, call.out)
    return value, lambda *tangents: linear(tangents, retain=True)


def hvp(f: Function, argnum: Argnum = 0) -> Function:
    """A function of f's arguments and, behind them, a vector v of the structure of the argument:
    the product of the Hessian of f, which returns one real number, with v. The Hessian is never
    made; it costs about two gradients.

    >>> import autograd_core as ac, numpy as np
    >>> ac.hvp(lambda x: np.sum(x**3))(np.array([1.0, 2.0]), np.array([1.0, 0.5]))
    array([6., 6.])
    """

    @wraps(f)
    def product(*args: Any, **settings: Any) -> Any:
        if len(args) < 1:
            raise ShapeError("hvp: the vector is the last positional argument")
        *rest, vector = args
        call = Call("hvp", f, argnum, tuple(rest), settings)
        out = _one_number("hvp", call.out)
        firsts = call.pull([(out, _cotangent(out))], record=True)
        given = _matching("hvp: the vector", call.chosen, vector)
        pairs = [
            (g, seed(g, _of_kind(v, g)))
            for g, v in zip(firsts, given, strict=True)
            if _is_tracked(g)
        ]
        return call.trees(call.pull(pairs))

    return product


def vhp(f: Function, argnum: Argnum = 0) -> Function:
    """A vector's product with the Hessian. Hessians are symmetric: it is `hvp`."""
    return hvp(f, argnum)


# ---- Jacobians -----------------------------------------------------------------------------------


def jacobian(f: Function, argnum: Argnum = 0, *, holomorphic: bool = False) -> Function:
    """A function that returns all derivatives of f's result: for a result of shape (m, …) and an
    argument of shape (n, …) an array (m, …, n, …). For trees, the result's structure with the
    argument's in place of each leaf.

    One backward pass takes all rows of it as a stack; rows beyond 64 MB wait for the next pass.
    Rules of your own are run row by row unless they are pointwise.

    >>> import autograd_core as ac, numpy as np
    >>> ac.jacobian(lambda x: x[:2] * x[2])(np.array([1.0, 2.0, 3.0]))
    array([[3., 0., 1.],
           [0., 3., 2.]])
    """

    @wraps(f)
    def derivatives(*args: Any, **settings: Any) -> Any:
        call = Call("jacobian", f, argnum, args, settings)
        return mapped(lambda leaf: call.trees(_rows(call, leaf, holomorphic)), call.out)

    return derivatives


def hessian(f: Function, argnum: Argnum = 0) -> Function:
    """A function that returns all second derivatives of f: for a number and an argument (n, …), an
    array (n, …, n, …).

    >>> import autograd_core as ac, numpy as np
    >>> ac.hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 3.0]))
    array([[6., 2.],
           [2., 0.]])
    """
    return jacobian(jacobian(f, argnum), argnum)


def _rows(call: Call, leaf: Any, holomorphic: bool) -> list[Any]:
    """The derivatives of one result, for each leaf of the arguments."""
    out = _as_tensor("jacobian", leaf)
    _check_real("jacobian", out, holomorphic)
    shapes = [out.shape + array.shape for array in call.arrays]
    if out.size == 1:
        found = call.pull([(out, _cotangent(out))], retain=True)
    elif out.size == 0 or out.node is None:
        return [
            backend.run_there(a, lambda a=a, s=s: np.zeros_like(a, shape=s))
            for a, s in zip(call.arrays, shapes, strict=True)
        ]
    else:
        nodes = call.between([out.node]).nodes.values()
        step = max(1, STACKED // max(math.prod(node.shape) for node in nodes))
        passes = [call.pull([(out, basis)], lead=1, retain=True) for basis in _bases(out, step)]
        found = [
            np.concatenate(rows) if len(rows) > 1 else rows[0] for rows in zip(*passes, strict=True)
        ]
    return [np.reshape(g, shape) for g, shape in zip(found, shapes, strict=True)]


def _bases(out: Tensor, step: int) -> Iterator[Any]:
    """Every unit vector of the shape of `out`, in stacks of up to `step`."""
    n = out.size
    for start in range(0, n, step):
        count = min(step, n - start)
        yield backend.run_there(out._array, _basis, out._array, start, count)


def _basis(like: Any, start: int, count: int) -> Any:
    flat = np.zeros_like(like, shape=(count * like.size,), order="C")
    flat[start :: like.size + 1] = 1
    return flat.reshape((count, *like.shape))
