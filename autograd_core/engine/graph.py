"""The computation graph and the backward pass. Read this file first.

A `Node` is one recorded operation, or a leaf. Edges lead to its operands. An edge is an explicit
chain-rule closure: a rule, and exactly the values that the rule names as parameters. Creation order
is a topological order, so the backward pass uses a heap of sequence numbers: no recursion, no
visited set.

This module depends on no operation and no NumPy function. A gradient is any object that has ``+``,
``shape``, ``dtype``, ``sum``, ``reshape`` and ``astype``: an array, or a Tensor if the backward
pass is itself recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from heapq import heappop, heappush
from types import MappingProxyType
from typing import Any

from autograd_core.engine.hooks import Watch
from autograd_core.engine.scope import Scope
from autograd_core.engine.stamps import refuse_stale, sequence_numbers, stamps
from autograd_core.engine.state import STATE
from autograd_core.engine.types import Gradient, Shape
from autograd_core.errors import FreedGraphError, ShapeError


class Rule:
    """The derivative of an operation with respect to one operand: ``function(g, *saved)`` returns
    the gradient of the operand.

    `names` are the parameters after ``g``; they decide what an edge saves. `sources` tells where
    the value of each parameter comes from: the name of an operand, ``"out"``, the position of one
    of several results, or None if the value has no gradient.
    """

    __slots__ = (
        "function",
        "into",
        "names",
        "on_device",
        "operand",
        "sources",
        "stacked",
        "trusted",
    )

    def __init__(
        self,
        function: Callable[..., Any],
        operand: str,
        names: tuple[str, ...],
        sources: tuple[str | int | None, ...],
    ) -> None:
        self.function = function
        self.on_device = function  # equivalent, if possible with fewer kernel launches
        self.stacked = function  # equivalent, for a stack of gradients
        # into(g, total, *saved) adds the result to `total` in place, if it can; else None
        self.into: Callable[..., Any] | None = getattr(function, "into", None)
        self.operand = operand
        self.names = names
        self.sources = sources
        # rules of this package never return the same buffer twice; a user's may return a constant
        self.trusted = str(getattr(function, "__module__", "")).startswith("autograd_core.")


class Parts(tuple[Any, ...]):
    """The gradient of an operation with several results: a tuple of the gradients of the results,
    with None for an unused result. It is the only gradient that is not an array, and it supports
    only ``+``."""

    def __add__(self, other: Any) -> Parts:
        pairs = zip(self, other, strict=True)
        return Parts(b if a is None else a if b is None else a + b for a, b in pairs)


class Operation:
    """What created a node: an `Op`, one result of an `Op` with several results, or a function whose
    operands share one rule. `key` is the name in the table `operations`, or empty."""

    key = ""
    joint = False  # all operands share one rule
    operands: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    defaults: tuple[Any, ...] = ()
    variadic: Set[str] = frozenset()  # operands that are lists
    nested: Set[str] = frozenset()  # operands that contain Tensors, to which no gradient flows
    rules: Mapping[str, Rule] = MappingProxyType({})
    results: tuple[Any, ...] = ()  # one Operation for each of several results
    kernel: Any = None
    pointwise = False
    view: Any = None

    def __init__(self, name: str) -> None:
        self.name = name


FREED = Rule(lambda g: g, "", (), ())


class Node:
    """One recorded operation, or a leaf (`op` is None).

    The first edge is stored in five slots of the node; each further edge is a tuple of the same
    five entries, of which the last is the next edge. The garbage collector therefore visits only
    one or two objects per node.
    """

    __slots__ = (
        "dtype",
        "fits",  # True: the rule's result has the parent's shape and dtype by construction
        "more",  # the next edge as (parent, rule, saved, fits, more), or None
        "op",
        "parent",
        "rule",
        "saved",
        "scope",
        "seq",
        "shape",
        "watch",
    )
    seq: int
    op: Any  # an Operation, or None for a leaf
    shape: Shape
    dtype: Any
    scope: Scope | None
    watch: Watch | None
    parent: Node | None
    rule: Any
    saved: Any
    fits: bool
    more: Any

    @classmethod
    def leaf(cls, tensor: Any, shape: Shape, dtype: Any) -> Node:
        """The node of a Tensor with ``requires_grad=True``."""
        node = cls()
        node.seq = next(sequence_numbers)
        node.shape = shape
        node.dtype = dtype
        node.watch = Watch(tensor, keeps_grad=True)
        node.op = node.scope = node.parent = node.rule = node.more = None
        node.saved = ()
        node.fits = True
        return node

    def result(self, position: int, shape: Shape, dtype: Any) -> Node:
        """The node of result number `position` of an operation with several results. In the
        backward pass, the node of the result passes its gradient to `self`."""
        node = Node()
        node.seq = next(sequence_numbers)
        node.op = self.op.results[position]
        node.shape, node.dtype, node.scope = shape, dtype, self.scope
        node.parent, node.rule, node.saved, node.fits = self, node.op.rule, (), True
        node.watch = node.more = None
        return node

    def edges(self) -> Iterator[tuple[Node, Rule, tuple[Any, ...]]]:
        """Each edge as (parent, rule, saved), in the order of the operands."""
        parent, rule, saved, more = self.parent, self.rule, self.saved, self.more
        while parent is not None:
            yield parent, rule, saved
            if more is None:
                return
            parent, rule, saved, _, more = more

    @property
    def released(self) -> bool:
        """True if a backward pass has used this node and dropped its edges."""
        return self.rule is FREED

    @property
    def name(self) -> str:
        """The operation's name, or ``"leaf"``."""
        return "leaf" if self.op is None else str(self.op.name)

    @property
    def key(self) -> str:
        """The operation's name in the table `operations`, or an empty string."""
        return "" if self.op is None else str(self.op.key)

    def __repr__(self) -> str:
        return f"<{self.name} {self.dtype}{list(self.shape)}>"


def run(
    seeds: list[tuple[Node, Gradient]],
    *,
    retain: bool,
    wrap: Callable[[Any, Node], Any] | None = None,
    lead: int = 0,
    apply: Callable[[Node, Node, Any, Gradient, tuple[Any, ...]], Gradient] | None = None,
    paths: Any = None,
    unfinished: list[Node],
) -> list[tuple[Any, Gradient, bool]]:
    """Propagate gradients from the seeds to the leaves. Return the gradient of each watched node.

    Each result is a tuple (watch, gradient, owned); if `owned` is true, nothing else references the
    buffer of the gradient. With `paths` (see paths.py), only the nodes in `paths` are visited, and
    the result for a target contains the name of the target in place of the watch.
    If `retain` is false, a node drops its edges as soon as it has been used, so that memory use
    falls during the pass. With `wrap`, rules are called with Tensors, each ``wrap(array, node)``,
    and are recorded. `lead` is the number of leading batch axes of every gradient. ``apply(node,
    parent, rule, g, saved)`` calls a rule of `node` where that needs more than a call, as on a
    device; the rules then run in their `on_device` form.
    If memory runs out, the nodes not yet visited are added to `unfinished`.

    No Tensor is written to here, so an error during the pass leaves every ``.grad`` unchanged.
    This is one long function on purpose: each function call in the loop would run for every edge.
    """
    heap: list[int] = []
    # keys are negated sequence numbers, so that the min-heap returns the newest node first
    nodes: dict[int, Node] = {}
    gradients: dict[int, Gradient] = {}
    owned: set[int] = set()  # keys with a buffer that this pass created and may add to in place
    arrived: list[tuple[Any, Gradient, bool]] = []
    wanted, oldest = (None, 0) if paths is None else (paths.wanted, paths.oldest)
    _, _, observer = STATE.get()
    for seeded, g in seeds:
        key = -seeded.seq
        if key in gradients:
            gradients[key] = gradients[key] + g
        else:
            nodes[key], gradients[key] = seeded, g
            heappush(heap, key)
    node: Node | None = None
    try:
        while heap or node is not None:
            if node is None:
                key = heappop(heap)
                node, g = nodes.pop(key), gradients.pop(key)
            if wanted is not None and node.seq < oldest:
                arrived.append((wanted[node.seq], g, False))
                node = None
                continue
            watch = node.watch
            if watch is not None:
                mine = key in owned
                if watch.hooks:
                    g, mine = watch.hooked(g, lead), False
                if watch.keeps_grad:
                    arrived.append((watch, g, mine))
            if wanted is not None and wanted[node.seq] is not None:
                arrived.append((wanted[node.seq], g, key in owned and not (watch and watch.hooks)))
            if observer is not None:
                observer.arrive(node, g)
            parent, rule, saved, fits, more = (
                node.parent,
                node.rule,
                node.saved,
                node.fits,
                node.more,
            )
            if parent is None:
                if rule is FREED:
                    raise freed(node)
                node = None
                continue
            if stamps.newest > node.seq:
                refuse_stale(node)
            following = gx = None
            while True:
                key = -parent.seq
                added = False
                if rule.into is not None and key in owned and not lead and wrap is None:
                    given = (gradients[key], *saved)
                    added = observer is None and _added(apply, node, parent, rule.into, g, given)
                if not added and (wanted is None or parent.seq in wanted):
                    if wrap is not None:
                        kept = _wrapped(node, rule, saved, wrap)
                        gx = (rule.stacked if lead else rule.function)(g, *kept)
                    elif apply is not None:
                        gx = apply(node, parent, rule.stacked if lead else rule.on_device, g, saved)
                    elif lead:
                        gx = rule.stacked(g, *saved)
                    else:
                        gx = rule.function(g, *saved)
                    if not fits:
                        try:
                            gx = fit(gx, parent.shape, parent.dtype, lead)
                        except (AttributeError, TypeError, ValueError) as error:
                            raise _misfit(node, rule, gx, parent) from error
                    if observer is not None:
                        observer.backward(node, rule, g, gx)
                    if key in gradients:
                        if key in owned and wrap is None:
                            gradients[key] += gx
                        else:
                            gradients[key] = gradients[key] + gx
                            owned.add(key)
                    else:
                        mine = parent.op is None or rule.into is not None
                        if mine and rule.trusted and gx is not g and _is_fresh(gx, saved):
                            owned.add(key)
                        if more is None and (not heap or key < heap[0]):
                            following = parent  # newer than all in the heap: no need to push it
                        else:
                            nodes[key], gradients[key] = parent, gx
                            heappush(heap, key)
                if more is None:
                    break
                parent, rule, saved, fits, more = more
            if not retain:
                node.parent = node.more = node.saved = None
                node.rule = FREED
            node, g = following, gx
    except MemoryError:
        unfinished.extend(n for n in (node, *nodes.values()) if n is not None)
        raise
    return arrived


def release(nodes: list[Node]) -> None:
    """Drop every edge reachable from `nodes`, together with the values that the edge saved."""
    while nodes:
        node = nodes.pop()
        nodes += [parent for parent, _, _ in node.edges()]
        if node.op is not None:
            node.parent = node.more = node.saved = None
            node.rule = FREED


def fit(g: Gradient, shape: Shape, dtype: Any, lead: int = 0) -> Gradient:
    """Reduce the gradient of a broadcast (or promoted) operand to the operand's shape and dtype.

    The gradient is summed over the axes that broadcasting added or stretched. For a real operand of
    a complex result, only the real part of the gradient is used.
    """
    if g.shape[lead:] != shape:
        added = g.ndim - lead - len(shape)
        if added:
            g = g.sum(lead if added == 1 else tuple(range(lead, lead + added)))
        if g.shape[lead:] != shape:
            lengths = zip(shape, g.shape[lead:], strict=True)
            stretched = [lead + axis for axis, (n, m) in enumerate(lengths) if n != m]
            g = g.sum(tuple(stretched)).reshape(g.shape[:lead] + shape)
    if g.dtype != dtype:
        g = (g.real if g.dtype.kind == "c" and dtype.kind != "c" else g).astype(dtype)
    return g


def _added(
    apply: Any, node: Node, parent: Node, into: Any, g: Gradient, given: tuple[Any, ...]
) -> bool:
    """Add the result of a rule to the first of `given` in place, if the rule can."""
    found = into(g, *given) if apply is None else apply(node, parent, into, g, given)
    return found is not None


def _is_fresh(gx: Gradient, saved: tuple[Any, ...]) -> bool:
    """True if a rule's result is a new buffer, not a view or one of its arguments."""
    if getattr(gx, "base", gx) is not None:
        return False
    for value in saved:  # noqa: SIM110 - a generator expression costs more than the rest
        if value is gx:
            return False
    return True


def _wrapped(
    node: Node, rule: Rule, saved: tuple[Any, ...], wrap: Callable[[Any, Node], Any]
) -> list[Any]:
    """The saved values as Tensors, each with the node of the operand or result that it is."""
    origins: dict[Any, Node] = {"out": node}
    origins |= {edge.operand: parent for parent, edge, _ in node.edges()}
    for source, value in zip(rule.sources, saved, strict=True):
        if isinstance(source, int):
            origins[source] = node.result(source, value.shape, value.dtype)
    return [
        wrap(value, origins[source]) if source in origins else value
        for source, value in zip(rule.sources, saved, strict=True)
    ]


def _misfit(node: Node, rule: Rule, gx: Gradient, parent: Node) -> Exception:
    shape = getattr(gx, "shape", None)
    if shape is None:
        return TypeError(
            f"{node.name}: the rule for {rule.operand!r} must return an array; it returned a "
            f"{type(gx).__name__}"
        )
    return ShapeError(
        f"{node.name}: the rule for {rule.operand!r} returned a gradient of shape {shape}, which "
        f"cannot be reduced to the operand's shape {parent.shape} by undoing broadcasting"
    )


def freed(node: Node) -> FreedGraphError:
    return FreedGraphError(
        f"a backward pass has already used {node.name!r} and released its saved values; "
        "pass retain_graph=True to the first backward() if the graph is needed again"
    )
