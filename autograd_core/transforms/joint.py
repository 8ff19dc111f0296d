"""Functions whose gradient, or whose memory, is not that of their operations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from inspect import getclosurevars
from typing import Any

import numpy as np

from autograd_core import backend
from autograd_core.errors import GraphError, ShapeError
from autograd_core.graph import Node, Parts, Rule, fit
from autograd_core.op import Result, row_by_row
from autograd_core.passes import propagate
from autograd_core.paths import Paths
from autograd_core.random import Generator
from autograd_core.recording import STATE, enable_grad, is_recording, no_grad
from autograd_core.stamps import sequence_numbers, stamps
from autograd_core.tensor import Tensor, make
from autograd_core.tracebacks import public
from autograd_core.transforms.calls import Function, called, is_tracked
from autograd_core.transforms.gradients import stop_gradient
from autograd_core.tree import leaves, mapped
from autograd_core.views import VALUE, Base

__all__ = ["checkpoint", "custom_gradient"]


class Joint:
    """What a node knows in place of an operation where all operands share one rule."""

    joint = True

    def __init__(self, name: str, results: int = 0) -> None:
        self.name = name
        self.parameters = self.defaults = self.operands = ()
        self.variadic: set[str] = set()
        self.results = tuple(
            Result(f"result {i} of {name}" if results > 1 else f"result of {name}", i, results)
            for i in range(results)
        )


class Gathered(Joint):
    """Of the node that hands its operands on to a joint one: no step of its own."""

    joint = False

    def __init__(self) -> None:
        super().__init__("operands")


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


def _handed_on(i: int) -> Rule:
    rule = Rule(lambda g: g[i], str(i), (), ())
    rule.trusted = False  # it may be a constant of a user's
    return rule


def _recorded(
    name: str, parents: list[Node], results: Any, rule: Rule, saved: tuple[Any, ...]
) -> Any:
    """The tree `results` with nodes of its own: `rule` takes what arrives at its floating leaves to
    a gradient for each of `parents`."""
    arrays = [leaf._array for _, leaf in leaves(results) if _is_floating(leaf)]
    operands = _node(Gathered(), [(p, _handed_on(i), ()) for i, p in enumerate(parents)])
    node = _node(Joint(name, len(arrays)), [(operands, rule, saved)])
    nodes = (node.result(i, array.shape, array.dtype) for i, array in enumerate(arrays))

    def placed(leaf: Any) -> Any:
        if not isinstance(leaf, Tensor):
            return leaf
        return make(leaf._array, next(nodes) if _is_floating(leaf) else None)

    return mapped(placed, results)


def _is_floating(leaf: Any) -> bool:
    return isinstance(leaf, Tensor) and leaf.dtype.kind in "fc"


# ---- another gradient ----------------------------------------------------------------------------


def custom_gradient(f: Function) -> Function:
    """A function with a gradient that you write: f returns (result, pull), and ``pull(g)`` takes
    what arrives at the result, as Tensors in its structure, to a gradient for each positional
    argument (None for one without).

    What `pull` computes from f's arguments and from what f made of them is differentiable in turn,
    so higher orders are those of the gradient as it is written. No gradient flows to Tensors that f
    reads from elsewhere.
    Raises ShapeError where `pull` returns something else than a gradient for each argument.

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
        return _recorded(called(f), parents, stop_gradient(result), rule, ())

    return function


def _pulled(name: str, pull: Callable[[Any], Any], result: Any, args: Any, g: Parts) -> Parts:
    """A gradient for each tracked Tensor in `args`, by a user's `pull`."""
    recorded = any(isinstance(part, Tensor) for part in g)
    parts = iter(g)

    def arriving(leaf: Any) -> Any:
        if not _is_floating(leaf):
            return leaf
        part = next(parts)
        if part is None:
            part = backend.run_there(leaf._array, np.zeros_like, leaf._array)
        return part if isinstance(part, Tensor) else make(backend.as_array(part), None)

    with enable_grad() if recorded else no_grad():
        found = pull(mapped(arriving, result))
        if len(args) == 1 and not (isinstance(found, tuple) and len(found) == 1):
            found = (found,)
        if not isinstance(found, tuple) or len(found) != len(args):
            raise ShapeError(
                f"{name}: its gradient must return a tuple with one for each of {len(args)} "
                f"arguments, not {found!r}"
            )
        pairs = zip(args, found, strict=True)
        fitted = [g for arg, one in pairs for g in _fitted(name, arg, one)]
    return Parts(fitted if recorded else [g._array for g in fitted])


def _fitted(name: str, arg: Any, found: Any) -> Iterator[Tensor]:
    """The gradients for the tracked Tensors in one argument, in their shapes and dtypes."""
    given, expected = dict(leaves(found)), dict(leaves(arg))
    if given.keys() - expected.keys():
        raise ShapeError(
            f"{name}: the gradient for an argument has its structure, with leaves at "
            f"{list(expected)}; this one has them at {list(given)}"
        )
    for path, tensor in expected.items():
        if not is_tracked(tensor):
            continue
        g = given.get(path)
        if g is None:
            g = backend.run_there(tensor._array, np.zeros_like, tensor._array)
        g = g if isinstance(g, Tensor) else make(backend.asarray(g), None)
        try:
            yield fit(g, tensor.shape, tensor.dtype)
        except ValueError as error:
            raise ShapeError(
                f"{name}: an argument has shape {tensor.shape}, and the gradient for it {g.shape}"
            ) from error


# ---- less memory -----------------------------------------------------------------------------


def checkpoint(f: Function) -> Function:
    """f, remembering its arguments and nothing in between: the backward pass runs f again.

    Saves memory for the time of one more forward pass. The second run draws the same random
    numbers: NumPy's global generator and those among f's arguments, variables and globals are set
    back for it. Tensors that f reads from elsewhere have their gradients, too.
    Raises GraphError where the second run computes from other Tensors than the first.
    """

    @public
    @wraps(f)
    def function(*args: Any, **settings: Any) -> Any:
        if not is_recording():
            return f(*args, **settings)
        draws = list(_generators(f, args, settings))
        states = _states(draws)
        kept = mapped(_copy, (args, settings))
        oldest = next(sequence_numbers)
        result = f(*args, **settings)
        arrays = tuple(t._array for _, t in leaves(kept) if isinstance(t, Tensor))
        _check_unwritten(f, kept, oldest)
        ends = [t.node for _, t in leaves(result) if is_tracked(t)]
        parents = Paths([node for node in ends if node is not None], {}, oldest).outside
        if not parents:
            return result
        again = partial(_again, f, draws, states, parents)
        rule = Rule(again, "", ("arguments", "leaves"), (None, None))
        watched = [p.watch.tensor() for p in parents if p.op is None and p.watch is not None]
        saved = (kept, arrays + tuple(t._array for t in watched if t is not None))
        return _recorded(called(f), parents, result, rule, saved)

    return function


def _copy(leaf: Any) -> Any:
    """The same array and history in a Tensor that nobody else can give another, or write to."""
    if not isinstance(leaf, Tensor):
        return leaf
    same = make(leaf._array, leaf.node)
    if getattr(leaf, "_memory", None) is VALUE:
        same._memory = VALUE
        return same
    return Base.lent(same)


def _check_unwritten(f: Function, kept: Any, since: int) -> None:
    """Raise where f has overwritten the memory of an argument: a second run would see others."""
    for path, leaf in leaves(kept):
        if isinstance(leaf, Tensor) and stamps.find(leaf._array)[0] > since:
            raise GraphError(
                f"checkpoint: {called(f)} wrote into the memory of its argument{path}, so it "
                "cannot be run again with the same. Let it write to a copy"
            )


def _again(
    f: Function,
    draws: list[Any],
    states: list[Any],
    parents: list[Node],
    g: Parts,
    kept: Any,
    _: Any,
) -> Parts:
    """Run f again, and what arrives at each of the Tensors that it computes from."""
    recorded = any(isinstance(part, Tensor) for part in g)
    args, settings = mapped(_copy, kept)
    oldest = next(sequence_numbers)
    with _set_back(draws, states), enable_grad():
        result = f(*args, **settings)
    outs = [leaf for _, leaf in leaves(result) if _is_floating(leaf)]
    seeds = [
        (out.node, part)
        for out, part in zip(outs, g, strict=True)
        if part is not None and out.node is not None
    ]
    paths = Paths([node for node, _ in seeds], {p: i for i, p in enumerate(parents)}, oldest)
    lead = next((len(part.shape) - len(node.shape) for node, part in seeds), 0)
    arrived = propagate(
        [(node, part) for node, part in seeds if -node.seq in paths.wanted],
        retain=recorded, create_graph=recorded, lead=lead, paths=paths,
    )  # fmt: skip
    found = {i: g for i, g, _ in arrived if isinstance(i, int)}
    if paths.outside:
        raise GraphError(
            f"checkpoint: {called(f)} computed from other Tensors when it was run again, such as "
            f"{paths.outside[0]!r}; it must do the same in every run"
        )
    counts = next((tuple(part.shape[:lead]) for _, part in seeds), ())
    return Parts(
        found[i] if i in found else _zeros(outs[0]._array, counts + p.shape, p.dtype)
        for i, p in enumerate(parents)
    )


def _zeros(like: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    return backend.run_there(like, partial(np.zeros_like, like, shape=shape, dtype=dtype))


# ---- random numbers ------------------------------------------------------------------------------


def _generators(f: Any, args: Any, settings: Any) -> Iterator[Any]:
    """The random generators that f can reach by name."""
    while isinstance(f, partial):
        args, f = (args, f.args, f.keywords), f.func
    held = [value for _, value in leaves((args, settings))]
    held += getattr(getattr(f, "__self__", f), "__dict__", {}).values()
    code = getattr(f, "__code__", None)
    if code is not None:
        held += [f.__globals__.get(name) for name in code.co_names]
        held += getclosurevars(f).nonlocals.values()
    for value in held:
        value = value.numpy if isinstance(value, Generator) else value
        if isinstance(value, np.random.Generator):
            yield value.bit_generator


def _states(draws: list[Any]) -> list[Any]:
    return [np.random.get_state(), *(generator.state for generator in draws)]


def _set(draws: list[Any], states: list[Any]) -> None:
    np.random.set_state(states[0])
    for generator, state in zip(draws, states[1:], strict=True):
        generator.state = state


@contextmanager
def _set_back(draws: list[Any], states: list[Any]) -> Iterator[None]:
    """Random numbers as they were drawn before, and afterwards those that come next."""
    present = _states(draws)
    _set(draws, states)
    try:
        yield
    finally:
        _set(draws, present)
