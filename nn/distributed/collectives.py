"""Operations between ranks: each is called by all ranks of a group, and has a derivative.

`backward()` differentiates the sum of what it is called on over the ranks: if y is the sum of the x
of all ranks, and rank r calls ``backward()`` on its loss L_r(y), then the gradient of x on each
rank is Σ_r ∂L_r/∂y, which `all_reduce` of the gradients computes. The adjoint of each operation is
one of these operations again, so that derivatives of any order are correct.

All ranks must call the same operations in the same order, in the backward pass too: the result of
an operation must be used on all ranks, or on none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd_core as ac
from autograd_core import Tensor
from autograd_core.devices import backend
from autograd_core.engine.external import external
from autograd_core.engine.op import op
from autograd_core.engine.state import STATE
from autograd_core.engine.tensor import make
from autograd_core.errors import ArgumentError, DTypeError, ShapeError
from autograd_core.errors.tracebacks import public
from nn.distributed.channels import channel
from nn.distributed.world import Group, world

__all__ = ["all_gather", "all_reduce", "all_to_all", "broadcast", "gather", "reduce",
           "reduce_scatter", "scatter"]  # fmt: skip

KINDS = ("sum", "mean", "max", "min")


# ---- exchanges -----------------------------------------------------------------------------------


def _exchanged(
    what: str, x: Any, move: Callable[[Any, Any], Any], group: Group, root: int | None = None
) -> tuple[Any, bool]:
    """``move(channel, array)`` after all ranks agree on `what`, and whether x, which can be a list
    of arrays, is tracked on any rank. With `root`, the array of another rank than that is one like
    the array of `root`."""
    array = x._array if isinstance(x, Tensor) else x
    recording = STATE.get()[0]
    tracked = recording and isinstance(x, Tensor) and x.requires_grad
    if isinstance(x, Tensor) and not recording:
        what += ", without recording"

    def exchange(array: Any, tracked: bool) -> Any:
        anywhere = group.agree(what, tracked)
        with group.waiting(what):
            if root is not None:
                array = _like_root(name, array, root, group)
            like = array[0] if isinstance(array, list) else array
            # the channel allocates on the current device, and runs in its current stream
            return backend.run_there(like, move, channel(group, like), array), anywhere

    name = what.partition("(")[0].partition(" ")[0]
    exchange.__name__ = exchange.__qualname__ = name
    arrived, anywhere = external(exchange)(array, tracked)
    return arrived, anywhere


def _result(
    exchanged: tuple[Any, bool], x: Any, like: Any, record: Callable[..., Any], *settings: Any
) -> Any:
    """What has arrived, as the result of the operation `record` if x is tracked on any rank. If it
    is not tracked here, a leaf like the array `like` stands for it, so that this rank takes part in
    the backward pass."""
    arrived, anywhere = exchanged
    if not anywhere:
        return make(arrived, None) if isinstance(x, Tensor) else arrived
    if not (isinstance(x, Tensor) and x.requires_grad):
        x = stand_in(like)
    return record(x, arrived, *settings)


def stand_in(array: Any) -> Tensor:
    """A leaf like an array that stands for the operands of other ranks: every backward pass that
    comes by visits it."""
    leaf = Tensor(array, requires_grad=True)
    leaf.node.watch.always = True  # type: ignore[union-attr]
    return leaf


def _simple(name: str, x: Any, move: Any, record: Any, *settings: Any, group: Group) -> Any:
    """The result of an operation for which x has the same shape on all ranks."""
    exchanged = _exchanged(f"{name} of {_described(x)}", x, move, group)
    return _result(exchanged, x, x, record, *settings, group)


def _described(x: Any, rows: bool = False) -> str:
    """The dtype and the shape of an operand, or of its rows, and whether it is on a device."""
    array = x._array if isinstance(x, Tensor) else x
    shape = f"rows {array.shape[1:]}" if rows else str(array.shape)
    return f"{array.dtype} {shape}{' on a device' * backend.on_device(array)}"


def _given(name: str, x: Any) -> Any:
    """The operand as a Tensor or an array."""
    if x is None:
        raise ArgumentError(f"{name}: expected an array on each rank, not None")
    return x if isinstance(x, Tensor) else backend.asarray(x)


def _group(name: str, group: Group | None, root: int = 0) -> Group:
    """The group, by default all ranks."""
    if group is not None and not isinstance(group, Group):
        raise ArgumentError(f"{name}: group is a Group, such as world(), not {group!r:.60}")
    group = group or world()
    if not 0 <= root < group.size:
        raise ArgumentError(f"{name}: root is a rank below {group.size}, not {root!r}")
    return group


def _check_rows(name: str, x: Any, group: Group) -> None:
    if not x.ndim or len(x) != group.size:
        raise ShapeError(
            f"{name}: x has a row for each rank, shape ({group.size}, …); it has shape {x.shape}"
        )


# ---- the public functions ------------------------------------------------------------------------


@public
def all_reduce(x: Any, op: str = "sum", group: Group | None = None) -> Any:
    """The sum of the x of all ranks, on all ranks; or the "mean", "max" or "min", by `op`.

    x has the same shape and dtype on all ranks. Sums of float16 are computed in float32 (by NCCL in
    float16), sums of bool in int64, means of integers in float64. All ranks get the same bits, in
    every run with this number of ranks; another number of ranks adds in another order. The gradient
    is the sum (mean) of those of all ranks; that of a maximum goes in equal parts to all elements
    that are equal to it. A NaN on any rank gives NaN. Raises RankError on all ranks if shapes,
    dtypes or operations differ.

    >>> from nn.distributed import all_reduce
    >>> all_reduce(np.array([1.0, 2.0]))  # of one rank
    array([1., 2.])
    """
    return reduced(x, op, group)


def reduced(x: Any, op: str, group: Group | None, note: str = "") -> Any:
    """`all_reduce`, with a `note` on what is reduced, which has to be the same on all ranks."""
    x, group = _given("all_reduce", x), _group("all_reduce", group)
    if op not in KINDS:
        raise ArgumentError(f"all_reduce: op is one of {', '.join(KINDS)}, not {op!r}")
    extreme = op in ("max", "min")
    if extreme and x.dtype.kind == "c":
        raise DTypeError("all_reduce: complex numbers have no order")
    return _simple(
        f"all_reduce({op}){note}", x, lambda channel, array: channel.all_reduce(array, op),
        _extreme if extreme else _all_reduce, op, group=group,
    )  # fmt: skip


def mean_of(tensors: list[Any], group: Group, note: str) -> Any:
    """The means over the ranks of Tensors of one dtype: their elements, one behind the other. They
    are divided while they are copied there, and then summed in place, which takes less time than
    `all_reduce` of their concatenation. A tracked mean and float16 need that."""
    if any(t.requires_grad for t in tensors) or tensors[0].dtype.itemsize < 4:
        return reduced(ac.concatenate([t.reshape(-1) for t in tensors]), "mean", group, note)
    arrays, size = [t._array for t in tensors], sum(t.size for t in tensors)
    on_device = " on a device" * backend.on_device(arrays[0])
    exchanged = _exchanged(
        f"all_reduce(mean){note} of {arrays[0].dtype} ({size},){on_device}", arrays,
        lambda channel, arrays: channel.add(_divided(arrays, group.size)), group,
    )  # fmt: skip
    arrived = make(exchanged[0], None)
    return _result(exchanged, arrived, exchanged[0], _all_reduce, "mean", group)


def _divided(arrays: list[Any], count: int) -> Any:
    """All elements, divided by the number of ranks."""
    module = backend.module_of(arrays[0])
    flat, start = module.empty(sum(array.size for array in arrays), arrays[0].dtype), 0
    for array in arrays:
        part = flat[start : start + array.size].reshape(array.shape)
        module.divide(array, count, out=part)
        start += array.size
    return flat


@public
def reduce(x: Any, op: str = "sum", root: int = 0, group: Group | None = None) -> Any:
    """The sum ("mean", "max" or "min") of the x of all ranks, on rank `root`; zeros on the others,
    whose gradients are not used. See `all_reduce`."""
    x, group = _given("reduce", x), _group("reduce", group, root)
    if op != "sum":
        total = all_reduce(x, op, group)
        return ac.where(group.rank == root, total, 0)
    return _simple(
        f"reduce(root={root})", x, lambda channel, array: channel.reduce(array, root),
        _reduce, root, group=group,
    )  # fmt: skip


@public
def broadcast(x: Any, root: int = 0, group: Group | None = None) -> Any:
    """The x of rank `root`, on all ranks. The others give an array of this shape, or None. The
    gradient of x on `root` is the sum of those of all ranks."""
    group = _group("broadcast", group, root)
    if x is not None or group.rank == root:
        x = _given("broadcast", x)
    exchanged = _exchanged(
        f"broadcast(root={root})", x, lambda channel, array: channel.broadcast(array, root),
        group, root,
    )  # fmt: skip
    return _result(exchanged, x, exchanged[0], _broadcast, root, group)


@public
def scatter(x: Any, root: int = 0, group: Group | None = None) -> Any:
    """``x[i]`` of rank `root`, on rank i: x has as many rows there as the group has ranks. The
    others give None, or any array, which is not read; a Tensor there, whose gradient is zero, is
    needed for derivatives of higher order. Its adjoint is `gather`."""
    group = _group("scatter", group, root)
    if group.rank == root:
        x = _given("scatter", x)
        _check_rows("scatter", x, group)
    elif not isinstance(x, Tensor):
        x = None
    exchanged = _exchanged(
        f"scatter(root={root})", x, lambda channel, array: channel.scatter(array, root),
        group, root,
    )  # fmt: skip
    like = x if group.rank == root else exchanged[0]
    return _result(exchanged, x, like, _scatter, root, group)


@public
def gather(x: Any, root: int = 0, group: Group | None = None) -> Any:
    """The x of all ranks in the order of their ranks, on rank `root`, shape (size, …); an array
    with no rows, (0, …), on the others. Its adjoint is `scatter`."""
    x, group = _given("gather", x), _group("gather", group, root)
    return _simple(
        f"gather(root={root})", x, lambda channel, array: channel.gather(array, root),
        _gather, root, group=group,
    )  # fmt: skip


@public
def all_gather(x: Any, axis: int | None = None, group: Group | None = None) -> Any:
    """The x of all ranks in the order of their ranks, on all ranks: on a new first axis, shape
    (size, …), or joined along `axis`, where they may have different lengths. Its adjoint is
    `reduce_scatter`."""
    x, group = _given("all_gather", x), _group("all_gather", group)
    if axis is None:
        return _simple(
            "all_gather", x, lambda channel, array: channel.all_gather(array),
            _all_gather, group=group,
        )  # fmt: skip
    x = ac.moveaxis(x, axis, 0)
    lengths: list[int] = []

    def move(channel: Any, array: Any) -> Any:
        lengths[:] = group.objects(len(array))
        return channel.all_gather(array, lengths)

    exchanged = _exchanged(f"all_gather(axis={axis}) of {_described(x, True)}", x, move, group)
    start = sum(lengths[: group.rank])
    return ac.moveaxis(_result(exchanged, x, x, _rows, start, group), 0, axis)


@public
def reduce_scatter(x: Any, group: Group | None = None) -> Any:
    """Row i of the sum of the x of all ranks, on rank i: x has as many rows as the group has ranks.
    Its adjoint is `all_gather`."""
    x, group = _given("reduce_scatter", x), _group("reduce_scatter", group)
    _check_rows("reduce_scatter", x, group)
    return _simple(
        "reduce_scatter", x, lambda channel, array: channel.reduce_scatter(array),
        _reduce_scatter, group=group,
    )  # fmt: skip


@public
def all_to_all(x: Any, group: Group | None = None) -> Any:
    """Row i of the x of each rank, on rank i, in the order of the ranks: x has as many rows as the
    group has ranks. It is its own adjoint."""
    x, group = _given("all_to_all", x), _group("all_to_all", group)
    _check_rows("all_to_all", x, group)
    return _simple(
        "all_to_all", x, lambda channel, array: channel.all_to_all(array), _all_to_all, group=group
    )  # fmt: skip


def _like_root(name: str, array: Any, root: int, group: Group) -> Any:
    """The array of this rank, or an array like that of `root` where it is None. For `scatter`, one
    with no rows on all ranks but `root`."""
    if group.size == 1:
        return array
    if name == "scatter" and group.rank != root:
        array = None
    mine = None if array is None else (array.shape, array.dtype.str, backend.on_device(array))
    there = group.same(mine, root)
    if array is None:
        shape, dtype, on_device = there
        if name == "scatter":
            shape = (0, *shape[1:])
        return backend.created("zeros", "cuda" if on_device else "cpu", shape, dtype)
    if mine != there:
        raise ShapeError(
            f"{name}: the array of rank {root} has shape {there[0]} and dtype {there[1]}; this one "
            f"has {mine[0]} and {mine[1]}"  # type: ignore[index]
        )
    return array


# ---- the recorded operations ---------------------------------------------------------------------

_tied = op(x=lambda g: g, y=lambda g, y_shape: ac.zeros(y_shape, dtype=g.dtype), name="tied")(
    lambda x, y: x
)


def tied(g: Any, out: Any) -> Any:
    """g, connected with the result of an operation. A pass over the gradient then visits the
    operation on all ranks, whether the gradient depends on its result there or not."""
    return _tied(g, out) if isinstance(g, Tensor) else g


def _extremal(g: Any, x: Any, out: Any, kind: str, group: Group) -> Any:
    """The gradient of a maximum, in equal parts to the elements that are equal to it."""
    x = x.detach() if isinstance(x, Tensor) else x
    hit = ac.equal(x, all_reduce(x, kind, group)).astype(g.dtype)
    return all_reduce(tied(g, out), group=group) * hit / all_reduce(hit, group=group)


def _scattered_x(g: Any, x_shape: tuple[int, ...], out: Any, root: int, group: Group) -> Any:
    """The gradients of all rows on `root`. Elsewhere it is zero, and connected with g."""
    rows = gather(tied(g, out), root, group)
    return rows if group.rank == root else ac.broadcast_to(rows.sum(), x_shape)


def _rows_x(g: Any, out: Any, start: int, x_shape: tuple[int, ...], group: Group) -> Any:
    """The rows of this rank of the sum of the gradients."""
    return all_reduce(tied(g, out), group=group)[start : start + x_shape[0]]


def _of_root(x: Any, arrived: Any, root: int, group: Group) -> Any:
    """The kernel of operations with a root."""
    return arrived


def _of_kind(x: Any, arrived: Any, kind: str, group: Group) -> Any:
    """The kernel of reductions."""
    return arrived


def _of_all(x: Any, arrived: Any, group: Group) -> Any:
    """The kernel of other operations."""
    return arrived


_all_reduce = op(
    x=lambda g, out, kind, group: all_reduce(tied(g, out), kind, group), name="all_reduce"
)(_of_kind)
_extreme = op(x=_extremal, name="all_reduce")(_of_kind)
_reduce = op(x=lambda g, out, root, group: broadcast(tied(g, out), root, group), name="reduce")(
    _of_root
)
_broadcast = op(
    x=lambda g, out, root, group: reduce(tied(g, out), "sum", root, group), name="broadcast"
)(_of_root)
_gather = op(x=lambda g, out, root, group: scatter(tied(g, out), root, group), name="gather")(
    _of_root
)
_scatter = op(x=_scattered_x, name="scatter")(_of_root)
_all_gather = op(x=lambda g, out, group: reduce_scatter(tied(g, out), group), name="all_gather")(
    _of_all
)
_rows = op(x=_rows_x, name="all_gather")(lambda x, arrived, start, group: arrived)
_reduce_scatter = op(
    x=lambda g, out, group: all_gather(tied(g, out), None, group), name="reduce_scatter"
)(_of_all)
_all_to_all = op(x=lambda g, out, group: all_to_all(tied(g, out), group), name="all_to_all")(
    _of_all
)
