"""Functions with a custom gradient, which is computed by one rule for all operands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, lru_cache, partial, wraps
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.graph import Node, Operation, Parts, Rule, fit
from autograd_core.engine.op import Result, row_by_row
from autograd_core.engine.stamps import sequence_numbers
from autograd_core.engine.state import STATE, enable_grad, is_recording, no_grad
from autograd_core.engine.tensor import Tensor, make
from autograd_core.errors import ShapeError
from autograd_core.errors.tracebacks import public
from autograd_core.transforms.boxes import Box, Vector
from autograd_core.transforms.calls import Function, called, is_tracked
from autograd_core.transforms.gradients import stop_gradient
from autograd_core.transforms.tree import LEAVES, leaves, mapped


class Joint(Operation):
    """A function whose operands share one rule."""

    joint = True

    def __init__(self, name: str, results: int = 0) -> None:
        super().__init__(name)
        self.results = tuple(
            Result(f"result {i} of {name}" if results > 1 else f"result of {name}", i, results)
            for i in range(results)
        )


class Gathered(Joint):
    """The parent of a joint operation. Its node passes the gradients on to the operands' nodes."""

    joint = False

    def __init__(self) -> None:
        super().__init__("operands")


_GATHERED = Gathered()
_named = lru_cache(maxsize=256)(Joint)  # one object for the calls of one function


def _node(op: Joint, parents: list[tuple[Node, Rule, Any]]) -> Node:
    node = Node()
    node.seq = next(sequence_numbers)
    node.op = op
    node.shape, node.dtype, node.watch = (), np.dtype(float), None
    node.scope = STATE.get()[1]
    edge: Any = None
    for parent, rule, saved in reversed(parents):
        edge = (parent, rule, saved, True, edge)
    node.parent, node.rule, node.saved, node.fits, node.more = edge
    return node


@cache
def _handed_on(i: int) -> Rule:
    rule = Rule(lambda g: g[i], str(i), (), ())
    rule.trusted = False  # the user's function may return the same array in each call
    return rule


def recorded_as(
    name: str, parents: list[Node], results: Any, rule: Rule, saved: tuple[Any, ...]
) -> Any:
    """The tree `results`, in which the floating Tensors and the Boxes get new nodes. `rule` maps
    their gradients to a gradient for each of `parents`."""
    ends = [leaf for _, leaf in leaves(results) if isinstance(leaf, Box) or is_floating(leaf)]
    operands = _node(_GATHERED, [(p, _handed_on(i), ()) for i, p in enumerate(parents)])
    node = _node(_named(name, len(ends)), [(operands, rule, saved)])
    nodes = (node.result(i, *_shape_and_dtype(end)) for i, end in enumerate(ends))

    def placed(leaf: Any) -> Any:
        if isinstance(leaf, Box):
            return Box.of(leaf._value, leaf._space, next(nodes))
        if not isinstance(leaf, Tensor):
            return leaf
        return make(leaf._array, next(nodes) if is_floating(leaf) else None)

    return mapped(placed, results)


def _shape_and_dtype(leaf: Any) -> tuple[Any, Any]:
    return ((), np.dtype(object)) if isinstance(leaf, Box) else (leaf.shape, leaf.dtype)


def is_floating(leaf: Any) -> bool:
    return isinstance(leaf, Tensor) and leaf.dtype.kind in "fc"


# ---- custom gradients ----------------------------------------------------------------------------


def custom_gradient(f: Function) -> Function:
    """A function with a user-defined gradient.

    Higher derivatives are the derivatives of `pull`: what it computes from the arguments and the
    intermediate results of f is differentiable. No gradient flows to Tensors that f uses without
    taking them as arguments.

    Parameters
    ----------
    f : callable
        A function that returns ``(result, pull)``. ``pull(g)`` returns a gradient for each
        positional argument (None for an argument without gradient). g is the gradient of the
        result: a tree of Tensors with the structure of the result.

    Returns
    -------
    callable
        A function of f's arguments that returns the result.

    Raises
    ------
    ShapeError
        In a backward pass, if `pull` does not return a gradient for each argument, or one of
        another structure or another shape than its argument.

    Examples
    --------
    >>> import autograd_core as ac
    >>> @ac.custom_gradient
    ... def log1pexp(x):
    ...     e = ac.exp(x)
    ...     return ac.log(1 + e), lambda g: g * (1 - 1 / (1 + e))
    >>> ac.grad(log1pexp)(100.0)
    np.float64(1.0)
    """

    @public
    @wraps(f)
    def function(*args: Any, **settings: Any) -> Any:
        parents = [t.node for _, t in leaves(args) if isinstance(t, Tensor) and t.node is not None]
        result, pull = f(*args, **settings)
        if not parents or not is_recording():
            return stop_gradient(result)
        rule = Rule(partial(_pulled, called(f), pull, stop_gradient(result), args), "", (), ())
        rule.stacked = row_by_row(rule.function)
        return recorded_as(called(f), parents, stop_gradient(result), rule, ())

    return function


def kept(tree: Any) -> Any:
    """`tree` with copies of its arrays, which later writes by the caller do not change. Gradients
    flow through the copies of Tensors."""

    def copied(leaf: Any) -> Any:
        return leaf.copy() if isinstance(leaf, Tensor) or backend.is_array(leaf) else leaf

    return mapped(copied, tree)


def cotangents(results: Any, g: Parts, of: Callable[[Any], Any]) -> Any:
    """The gradients of the differentiable leaves of the tree `results`, as a tree: ``of(gradient)``
    for a Tensor, of zeros if none arrived, and an element of its space for a Box."""
    parts = iter(g)

    def arriving(leaf: Any) -> Any:
        if isinstance(leaf, Box):
            return (next(parts) or leaf._zeros())[0]
        if not is_floating(leaf):
            return leaf
        part = next(parts)
        zeros = backend.run_there(leaf._array, np.zeros_like, leaf._array) if part is None else None
        return of(zeros if part is None else part)

    return mapped(arriving, results)


def _pulled(name: str, pull: Callable[[Any], Any], result: Any, args: Any, g: Parts) -> Parts:
    """A gradient for each tracked Tensor in `args`, computed by the user's `pull`."""
    recorded = any(isinstance(part, Tensor) for part in g)

    def as_tensor(part: Any) -> Any:
        return part if isinstance(part, Tensor) else make(backend.as_array(part), None)

    with enable_grad() if recorded else no_grad():
        found = pull(cotangents(result, g, as_tensor))
        if len(args) == 1 and not (isinstance(found, tuple) and len(found) == 1):
            found = (found,)
        if not isinstance(found, tuple) or len(found) != len(args):
            raise ShapeError(
                f"{name}: its gradient function must return a tuple with one gradient for each of "
                f"{len(args)} arguments, not {found!r}"
            )
        pairs = zip(args, found, strict=True)
        fits = [g for arg, one in pairs for g in fitted(name, arg, one)]
    return Parts(fits if recorded else [g._array for g in fits])


def fitted(name: str, arg: Any, found: Any) -> Iterator[Any]:
    """Yield the gradient of each tracked Tensor or Box in one argument, in its shape and dtype."""
    if type(arg) is Tensor and type(found) in LEAVES:  # the usual case, without the dicts below
        if arg.node is not None:
            yield _fitted(name, arg, found)
        return
    given, expected = dict(leaves(found)), dict(leaves(arg))
    if given.keys() - expected.keys():
        raise ShapeError(
            f"{name}: the gradient for an argument must have the structure of the argument, with "
            f"leaves at {list(expected)}; it has leaves at {list(given)}"
        )
    for path, tensor in expected.items():
        if not is_tracked(tensor):
            continue
        g = given.get(path)
        if isinstance(tensor, Box):
            yield tensor._zeros() if g is None else Vector.of(tensor._space, g)
            continue
        if g is None:
            g = backend.run_there(tensor._array, np.zeros_like, tensor._array)
        yield _fitted(name, tensor, g)


def _fitted(name: str, tensor: Tensor, g: Any) -> Any:
    array = tensor._array
    usual = type(array) is np.ndarray and (type(g) is np.ndarray or type(g) is np.float64)
    if usual and g.shape == array.shape and g.dtype == array.dtype:
        return make(np.asarray(g), None)
    g = g if isinstance(g, Tensor) else make(backend.asarray(g), None)
    try:
        return fit(g, tensor.shape, tensor.dtype)
    except ValueError as error:
        raise ShapeError(
            f"{name}: an argument has shape {tensor.shape}, its gradient has shape {g.shape}"
        ) from error
