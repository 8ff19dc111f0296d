"""`checkpoint` saves memory by running a function again in the backward pass."""

from __future__ import annotations

from functools import partial, wraps
from typing import TYPE_CHECKING, Any

from autograd_core.engine.backward import pull, zero_gradient
from autograd_core.engine.graph import Node, Parts, Rule
from autograd_core.engine.paths import Paths
from autograd_core.engine.stamps import sequence_numbers, stamps
from autograd_core.engine.state import enable_grad, is_recording
from autograd_core.engine.tensor import Tensor, make
from autograd_core.engine.views import VALUE, Base
from autograd_core.errors import GraphError
from autograd_core.errors.tracebacks import public
from autograd_core.transforms.calls import Function, called, is_tracked
from autograd_core.transforms.joint import is_floating, recorded_as
from autograd_core.transforms.tree import leaves, mapped

if TYPE_CHECKING:
    from autograd_core.transforms.fingerprints import Fingerprint
    from autograd_core.transforms.generators import States


def checkpoint(f: Function) -> Function:
    """A function that computes f but saves only the arguments, not the intermediate results. The
    backward pass runs f again.

    This saves memory at the cost of one more forward pass. The second run draws the same random
    numbers: `random`, ``np.random`` and every generator that f can reach (through arguments,
    closures, globals and attributes of objects, at any depth) are reset for the second run and
    restored afterwards. Tensors that f uses without taking them as arguments get gradients, too.

    Parameters
    ----------
    f : callable
        The function to run again. It must compute the same result in every run.

    Returns
    -------
    callable
        A function with f's arguments and results.

    Raises
    ------
    GraphError
        In the backward pass, if the two runs give different results, or if the second run uses
        Tensors that the first did not use. On the host, results are compared bit for bit. On a
        device, where the order of summation may vary, they may differ by sqrt(eps) times the
        largest element. In a call, if f writes into the memory of an argument.

    Examples
    --------
    >>> import autograd_core as ac, numpy as np
    >>> x = ac.Tensor([0.0, 1.0], requires_grad=True)
    >>> layers = ac.checkpoint(lambda x: np.tanh(np.exp(x)) * 2)
    >>> layers(x).sum().backward()
    >>> x.grad.round(4)
    Tensor([0.8399, 0.0939])
    """

    @public
    @wraps(f)
    def function(*args: Any, **settings: Any) -> Any:
        if not is_recording():
            return f(*args, **settings)
        # imported here because few programs need them; this saves 0.4 ms of import time
        from autograd_core.transforms.fingerprints import Fingerprint
        from autograd_core.transforms.generators import States

        states = States(f, args, settings)
        kept = mapped(_copy, (args, settings))
        oldest = next(sequence_numbers)
        result = f(*args, **settings)
        arrays = tuple(t._array for _, t in leaves(kept) if isinstance(t, Tensor))
        _check_unwritten(f, kept, oldest)
        ends = [t.node for _, t in leaves(result) if is_tracked(t)]
        parents = Paths([node for node in ends if node is not None], {}, oldest).outside
        if not parents:
            return result
        again = partial(_again, f, states, Fingerprint(result), parents)
        rule = Rule(again, "", ("arguments", "leaves"), (None, None))
        watched = [p.watch.tensor() for p in parents if p.op is None and p.watch is not None]
        saved = (kept, arrays + tuple(t._array for t in watched if t is not None))
        return recorded_as(called(f), parents, result, rule, saved)

    return function


def _copy(leaf: Any) -> Any:
    """A Tensor with the array and node of `leaf`. A later change of `leaf` does not affect it."""
    if not isinstance(leaf, Tensor):
        return leaf
    same = make(leaf._array, leaf.node)
    if getattr(leaf, "_memory", None) is VALUE:
        same._memory = VALUE
        return same
    return Base.lent(same)


def _check_unwritten(f: Function, kept: Any, since: int) -> None:
    """Raise GraphError if f has overwritten the memory of an argument, since the second run of f
    would then read other values."""
    for path, leaf in leaves(kept):
        if isinstance(leaf, Tensor) and stamps.find(leaf._array)[0] > since:
            raise GraphError(
                f"checkpoint: {called(f)} wrote into the memory of its argument{path}, so it "
                "cannot be run again with the same values. Let it write to a copy"
            )


def _again(
    f: Function,
    states: States,
    before: Fingerprint,
    parents: list[Node],
    g: Parts,
    kept: Any,
    _: Any,
) -> Parts:
    """Run f again; return the gradient of each Tensor that it computes from."""
    recorded = any(isinstance(part, Tensor) for part in g)
    args, settings = mapped(_copy, kept)
    oldest = next(sequence_numbers)
    with states.again(), enable_grad():
        result = f(*args, **settings)
    difference = before.difference(result)
    if difference is not None:
        raise GraphError(
            f"checkpoint: {called(f)} is not deterministic: when it was run again for its "
            f"gradient, {difference}. It must compute the same result in every run. Random numbers "
            "must come from generators among its arguments, attributes, variables or globals; the "
            "result must not depend on the number of calls; and nothing that the function reads "
            "may change before backward()"
        )
    outs = [leaf for _, leaf in leaves(result) if is_floating(leaf)]
    seeds = [
        (out.node, part)
        for out, part in zip(outs, g, strict=True)
        if part is not None and out.node is not None
    ]
    paths = Paths([node for node, _ in seeds], {p: i for i, p in enumerate(parents)}, oldest)
    lead = next((len(part.shape) - len(node.shape) for node, part in seeds), 0)
    found = pull(seeds, paths, retain=recorded, create_graph=recorded, lead=lead)
    if paths.outside:
        raise GraphError(
            f"checkpoint: {called(f)} used other Tensors when it was run again, such as "
            f"{paths.outside[0]!r}; it must use the same Tensors in every run"
        )
    counts = next((tuple(part.shape[:lead]) for _, part in seeds), ())
    return Parts(
        found[i] if i in found else zero_gradient(outs[0]._array, counts + p.shape, p.dtype)
        for i, p in enumerate(parents)
    )
