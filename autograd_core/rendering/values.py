"""Values, gradients and local derivatives as the player and `explain` show them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.graph import Node, Rule
from autograd_core.engine.stamps import stamps
from autograd_core.engine.tensor import Tensor
from autograd_core.engine.types import Array, Gradient
from autograd_core.rendering.nodes import saved_results

KEPT_COMPLETELY = 64  # arrays of up to this many elements are kept completely
IMAGES, LEAST_SIDE = 12, 8  # images that are shown of an array, and their least side
BARS = 20  # columns of an array whose first row is shown as bars
PICTURE_SIDE = 28  # rows and columns of the picture of a larger array


class Picture(NamedTuple):
    """An array as rows of numbers. The rows contain all elements if `whole`, otherwise means of
    blocks. `least` and `greatest` are the extreme finite elements of the array."""

    shape: tuple[int, ...]
    dtype: str
    whole: bool
    rows: list[list[Any]]
    least: float
    greatest: float
    images: list[Any] | None = None  # of a larger array: the first of its rows that are images
    first: list[Any] | None = None  # of a larger array with few columns: its first row

    def array(self) -> Any:
        """The array in its original shape and dtype; only if `whole`."""
        return np.array(self.rows, dtype=self.dtype).reshape(self.shape)


class Crossing(NamedTuple):
    """The backward step of one edge: the incoming gradient, the local derivative if it can be
    shown, and the gradient of the operand. `kind` describes `local`. It is ``"elementwise"``,
    ``"jacobian"`` (with the shape of the result followed by the shape of the operand), or empty if
    there is no local derivative."""

    node: int
    parent: int
    operand: str
    kind: str
    local: Picture | None
    product: Picture


class Values:
    """The values of forward and backward passes, by node number."""

    def __init__(self) -> None:
        self.results: dict[int, Picture] = {}
        self.arrived: dict[int, Picture] = {}
        self.crossings: dict[tuple[int, int], Crossing] = {}
        self.arrays: dict[int, Any] = {}  # results and leaves that are available until `complete`
        self.calls: dict[int, tuple[Node, dict[str, Any]]] = {}  # see `complete`
        self.replaced: dict[int, int] = {}  # when the arrays of leaves were last replaced
        self.root = 0  # the first node of the pass under way

    def result(self, node: Node, out: Array) -> None:
        """Keep the result of an operation."""
        self.results[node.seq] = picture(out)

    def input(self, number: int, array: Array) -> None:
        """Keep an input that needs no gradient, by the number of its box."""
        self.results[number] = picture(array)

    def arrival(self, node: Node, g: Gradient, tensor: Tensor | None) -> None:
        """Keep the gradient of a node, and its value if it is available."""
        self.arrived[node.seq] = picture(g)
        known = {}
        if tensor is not None and replaced(tensor) < self.root:
            self.results.pop(node.seq, None)  # of a pass before
            known, self.replaced[node.seq] = {node.seq: tensor.data}, replaced(tensor)
        for seq, value in (known | dict(saved_results(node))).items():
            self.arrays[seq] = value
            if seq not in self.results:
                self.results[seq] = picture(value)
        if node.op is not None and node.op.kernel is not None and not node.op.variadic:
            self.calls[node.seq] = node, operands_of(node)

    def complete(self) -> None:
        """Recompute results that no edge saved."""
        for seq in recomputed(self.calls, self.arrays, self.replaced):
            self.results.setdefault(seq, picture(self.arrays[seq]))
        self.calls.clear()
        self.arrays.clear()

    def crossing(
        self,
        key: tuple[int, int],
        node: Node,
        parent: Node,
        rule: Rule,
        saved: tuple[Any, ...],
        g: Gradient,
        gx: Gradient,
    ) -> None:
        """Keep the gradient that a rule computed, and its local derivative."""
        kind, local = "", None
        if not hasattr(g, "shape") or g.shape != node.shape:  # several results, or a stack
            pass
        elif node.op.pointwise and parent.shape == node.shape and g.dtype.kind == "f":
            kind, local = "elementwise", _tried(rule.function, np.ones_like(g), saved)
        elif (
            0 < g.size <= KEPT_COMPLETELY // 4
            and 0 < math.prod(parent.shape) <= KEPT_COMPLETELY // 4
        ):
            kind, local = "jacobian", _jacobian(rule, g, saved, parent)
        if local is None or (kind == "elementwise" and local.shape != g.shape):
            kind, local = "", None
        self.crossings[key] = Crossing(
            node.seq,
            parent.seq,
            rule.operand,
            kind,
            None if local is None else picture(local),
            picture(gx),
        )


UNKNOWN = object()  # an operand that no edge has


class _Result(NamedTuple):
    number: int


def small_results(nodes: Iterable[Node], tensors: Mapping[int, Tensor]) -> dict[int, Any]:
    """The results of nodes and the values of leaves that are small, by the number of the node, as
    far as they can be told from the Tensors and from what edges saved. Of the operations only
    those of this package are called."""
    nodes = list(nodes)
    last = max((node.seq for node in nodes), default=0)
    arrays: dict[int, Any] = {
        seq: tensor.data for seq, tensor in tensors.items() if replaced(tensor) < last
    }
    calls = {}
    for node in nodes:
        arrays.update(saved_results(node))
        if node.key and node.op.kernel is not None and not (node.op.variadic or node.op.results):
            calls[node.seq] = node, operands_of(node)
    small = {seq: array for seq, array in arrays.items() if array.size <= KEPT_COMPLETELY}
    for _ in recomputed(calls, small, {seq: replaced(t) for seq, t in tensors.items()}):
        pass
    return small


def replaced(tensor: Tensor) -> int:
    """The sequence number at which the array of a leaf was last replaced."""
    watch = tensor.node.watch if tensor.node is not None else None
    return watch.rebound if watch is not None else 0


def recomputed(
    calls: Mapping[int, tuple[Node, dict[str, Any]]],
    arrays: dict[int, Any],
    replaced: Mapping[int, int],
) -> Iterator[int]:
    """Add to `arrays` the results of calls whose operands are known, by running their kernels, and
    yield the numbers of their nodes. An operand that was overwritten or replaced after the call is
    unknown."""
    for seq, (node, operands) in sorted(calls.items()):
        if seq in arrays:
            continue
        values = []
        for name in node.op.parameters:
            value = operands.get(name, UNKNOWN)
            if isinstance(value, _Result):
                known = replaced.get(value.number, 0) < seq
                value = arrays.get(value.number, UNKNOWN) if known else UNKNOWN
            written = backend.is_array(value) and stamps.find(value)[0] > seq
            values.append(UNKNOWN if written else value)
        if any(value is UNKNOWN for value in values):
            continue
        with np.errstate(all="ignore"):
            result = backend.as_array(node.op.kernel(*values))
        if result.shape == node.shape and result.dtype == node.dtype:
            arrays[seq] = result
            yield seq


def operands_of(node: Node) -> dict[str, Any]:
    """The operands of a node, by name. Operands that its edges do not contain are left out."""
    known: dict[str, Any] = {}
    for parent, rule, saved in node.edges():
        known[rule.operand] = _Result(parent.seq)
        for name, source, value in zip(rule.names, rule.sources, saved, strict=True):
            if source is None or source == name:
                known.setdefault(name, value)
    return known


def _tried(function: Any, g: Gradient, saved: tuple[Any, ...]) -> Any:
    """The result of a rule for another gradient, without floating-point warnings."""
    with np.errstate(all="ignore"):
        return backend.as_array(backend.run_there(g, function, g, *saved))


def _jacobian(rule: Rule, g: Gradient, saved: tuple[Any, ...], parent: Node) -> Any:
    """The Jacobian ∂result/∂operand with the shape of the result followed by the shape of the
    operand, from one call of the rule for each unit gradient. None if it cannot be computed."""
    units = backend.run_there(g, np.eye, g.size) if isinstance(g, np.ndarray) else None
    if units is None:
        return None
    rows = [_tried(rule.function, u.reshape(g.shape).astype(g.dtype), saved) for u in units]
    if any(row.shape != parent.shape for row in rows):
        return None
    return np.stack(rows).reshape(g.shape + parent.shape)


def picture(array: Array) -> Picture:
    """The Picture of an array: a small array completely, a large array as means of blocks."""
    values = backend.asnumpy(backend.as_array(array))
    if not values.size:
        return Picture(values.shape, str(values.dtype), True, [], 0.0, 0.0)
    matrix = values.reshape(-1, values.shape[-1]) if values.ndim > 1 else values.reshape(1, -1)
    images = None if values.size <= KEPT_COMPLETELY else _images(values)
    shown = np.abs(matrix) if matrix.dtype.kind == "c" and values.size > KEPT_COMPLETELY else matrix
    finite = shown[np.isfinite(shown)] if shown.dtype.kind in "fc" else shown
    ends = (0.0, 0.0)
    if finite.size and finite.dtype.kind != "c":
        ends = float(finite.min()), float(finite.max())
    whole = values.size <= KEPT_COMPLETELY
    first = None
    if not whole and values.ndim == 2 and shown.dtype.kind != "c" and 1 < values.shape[1] <= BARS:
        first = shown[0].tolist()
    if not whole:
        shown = _coarse(_coarse(shown.astype(np.float64), 0), 1)
    return Picture(values.shape, str(values.dtype), whole, shown.tolist(), *ends, images, first)


def _images(values: Any) -> list[Any] | None:
    """The first few images of an array (…, height, width), or of an array (n, side²), such as the
    digits of MNIST and the weights of their first layer; None if it has none."""
    if values.dtype.kind != "f":
        return None
    if values.ndim >= 3 and min(values.shape[-2:]) >= LEAST_SIDE:
        images = values.reshape(-1, *values.shape[-2:])
    else:
        side = math.isqrt(values.shape[-1])
        if values.ndim > 2 or side * side != values.shape[-1] or side < LEAST_SIDE:
            return None
        images = values.reshape(-1, side, side)
    if max(images.shape[1:]) > 2 * PICTURE_SIDE:
        return None
    first = images[:IMAGES].tolist()
    return [[[float(f"{x:.3g}") for x in row] for row in image] for image in first]


def _coarse(matrix: Any, axis: int) -> Any:
    """Reduce a matrix to at most PICTURE_SIDE rows (axis 0) or columns (axis 1), by taking means of
    adjacent rows or columns."""
    length = matrix.shape[axis]
    if length <= PICTURE_SIDE:
        return matrix
    starts = np.linspace(0, length, PICTURE_SIDE, endpoint=False).astype(int)
    counts = np.diff(np.append(starts, length))
    with np.errstate(all="ignore"):
        sums = np.add.reduceat(matrix, starts, axis=axis)
    return sums / (counts[:, None] if axis == 0 else counts)
