"""Operations between ranks: each is called by all ranks of a group, and has a derivative.

`backward()` differentiates the sum of what it is called on over the ranks: if y is the sum of the x
of all ranks, and rank r calls ``backward()`` on its loss L_r(y), then the gradient of x on each
rank is Σ_r ∂L_r/∂y, which `all_reduce` of the gradients computes. The adjoint of each operation is
one of these operations again, so that derivatives of any order are correct.

All ranks must call the same operations in the same order, in the backward pass too: the result of
an operation must be used on all ranks, or on none.
"""

from __future__ import annotations

from typing import Any

import autograd_core as ac
from autograd_core import Tensor
from autograd_core.engine.op import op
from autograd_core.errors import ArgumentError, DTypeError
from autograd_core.errors.tracebacks import public
from nn.distributed.exchanges import (
    answer,
    check_rows,
    described,
    exchanged,
    given,
    group_of,
    recorded,
    simple,
    tied,
)
from nn.distributed.world import Group

__all__ = ["all_gather", "all_reduce", "all_to_all", "broadcast", "gather", "reduce",
           "reduce_scatter", "scatter"]  # fmt: skip

KINDS = ("sum", "mean", "max", "min")


# ---- the public functions ------------------------------------------------------------------------


@public
def all_reduce(x: Any, op: str = "sum", group: Group | None = None) -> Any:
    """The sum of the x of all ranks, or their mean, maximum or minimum, on all ranks.

    The gradient is the sum (mean) of those of all ranks; that of a maximum goes in equal parts to
    all elements that are equal to it. A NaN on any rank gives NaN.

    Parameters
    ----------
    x : array_like or Tensor
        The operand, of the same shape and dtype on all ranks.
    op : str, default 'sum'
        "sum", "mean", "max" or "min".
    group : Group, optional
        The ranks, by default all.

    Returns
    -------
    array or Tensor
        The result, of the shape and dtype of x; a mean of integers is float64.

    Raises
    ------
    RankError
        On all ranks, if shapes, dtypes or operations differ.
    ArgumentError
        If x is None, or `op` or `group` is anything else.
    DTypeError
        For the maximum or minimum of complex numbers.

    Notes
    -----
    Sums of float16 are computed in float32 (by NCCL in float16), sums of bool in int64, means of
    integers in float64. All ranks get the same bits, in every run with this number of ranks;
    another number of ranks adds in another order.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.distributed import all_reduce
    >>> all_reduce(np.array([1.0, 2.0]))  # of one rank
    array([1., 2.])
    """
    return reduced(x, op, group)


def reduced(x: Any, op: str, group: Group | None, note: str = "") -> Any:
    """`all_reduce`, with a `note` on what is reduced, which has to be the same on all ranks."""
    x, group = given("all_reduce", x), group_of("all_reduce", group)
    if op not in KINDS:
        raise ArgumentError(f"all_reduce: op is one of {', '.join(KINDS)}, not {op!r}")
    extreme = op in ("max", "min")
    if extreme and x.dtype.kind == "c":
        raise DTypeError("all_reduce: complex numbers have no order")
    return simple(
        f"all_reduce({op}){note}", x, lambda channel, array: channel.all_reduce(array, op),
        _extreme if extreme else _all_reduce, op, group=group,
    )  # fmt: skip


@public
def reduce(x: Any, op: str = "sum", root: int = 0, group: Group | None = None) -> Any:
    """The sum of the x of all ranks, or their mean, maximum or minimum, on one rank.

    Parameters
    ----------
    x : array_like or Tensor
        The operand, of the same shape and dtype on all ranks.
    op : str, default 'sum'
        "sum", "mean", "max" or "min".
    root : int, default 0
        The rank that gets the result.
    group : Group, optional
        The ranks, by default all.

    Returns
    -------
    array or Tensor
        The result on rank `root`; zeros on the others, whose gradients are not used.

    Raises
    ------
    RankError
        On all ranks, if shapes, dtypes or operations differ.
    ArgumentError
        If x is None, there is no rank `root`, or `op` or `group` is anything else.
    DTypeError
        For the maximum or minimum of complex numbers.

    See Also
    --------
    all_reduce : The result on all ranks.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.distributed import reduce
    >>> reduce(np.array([1.0, 2.0]))  # of one rank
    array([1., 2.])
    """
    x, group = given("reduce", x), group_of("reduce", group, root)
    if op != "sum":
        total = all_reduce(x, op, group)
        return ac.where(group.rank == root, total, 0)
    return simple(
        f"reduce(root={root})", x, lambda channel, array: channel.reduce(array, root),
        _reduce, root, group=group,
    )  # fmt: skip


@public
def broadcast(x: Any, root: int = 0, group: Group | None = None) -> Any:
    """The x of one rank, on all ranks.

    The gradient of x on `root` is the sum of those of all ranks.

    Parameters
    ----------
    x : array_like, Tensor or None
        The array on `root`. The others give an array of this shape and dtype, or None.
    root : int, default 0
        The rank that gives x.
    group : Group, optional
        The ranks, by default all.

    Returns
    -------
    array or Tensor
        The x of `root`.

    Raises
    ------
    ArgumentError
        If x is None on `root`, there is no rank `root`, or `group` is no Group.
    RankError
        On all ranks, if the operations differ.
    ShapeError
        If the array of another rank has another shape or dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.distributed import broadcast, world
    >>> broadcast(np.arange(3.0) if world().rank == 0 else None)
    array([0., 1., 2.])
    """
    group = group_of("broadcast", group, root)
    if x is not None or group.rank == root:
        x = given("broadcast", x)
    found = exchanged(
        f"broadcast(root={root})", x, lambda channel, array: channel.broadcast(array, root),
        group, root,
    )  # fmt: skip
    return recorded(found, x, found[0], _broadcast, root, group)


@public
def scatter(x: Any, root: int = 0, group: Group | None = None) -> Any:
    """Row i of the x of one rank, on rank i. Its adjoint is `gather`.

    Parameters
    ----------
    x : array_like, Tensor or None
        The array on `root`, with as many rows as the group has ranks. The others give None, or any
        array, which is not read; a Tensor there, whose gradient is zero, is needed for derivatives
        of higher order.
    root : int, default 0
        The rank that gives x.
    group : Group, optional
        The ranks, by default all.

    Returns
    -------
    array or Tensor
        ``x[i]`` on rank i.

    Raises
    ------
    ArgumentError
        If x is None on `root`, there is no rank `root`, or `group` is no Group.
    ShapeError
        If x has another number of rows.
    RankError
        On all ranks, if the operations differ.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.distributed import scatter
    >>> scatter(np.array([[1.0, 2.0]]))  # to one rank
    array([1., 2.])
    """
    group = group_of("scatter", group, root)
    if group.rank == root:
        x = given("scatter", x)
        check_rows("scatter", x, group)
    elif not isinstance(x, Tensor):
        x = None
    found = exchanged(
        f"scatter(root={root})", x, lambda channel, array: channel.scatter(array, root),
        group, root,
    )  # fmt: skip
    like = x if group.rank == root else found[0]
    return recorded(found, x, like, _scatter, root, group)


@public
def gather(x: Any, root: int = 0, group: Group | None = None) -> Any:
    """The x of all ranks in the order of their ranks, on one rank. Its adjoint is `scatter`.

    Parameters
    ----------
    x : array_like or Tensor
        The operand, of the same shape and dtype on all ranks.
    root : int, default 0
        The rank that gets the result.
    group : Group, optional
        The ranks, by default all.

    Returns
    -------
    array or Tensor
        Shape (size, …) on rank `root`; an array with no rows, (0, …), on the others.

    Raises
    ------
    RankError
        On all ranks, if shapes, dtypes or operations differ.
    ArgumentError
        If x is None, there is no rank `root`, or `group` is no Group.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.distributed import gather
    >>> gather(np.array([1.0, 2.0]))  # of one rank
    array([[1., 2.]])
    """
    x, group = given("gather", x), group_of("gather", group, root)
    return simple(
        f"gather(root={root})", x, lambda channel, array: channel.gather(array, root),
        _gather, root, group=group,
    )  # fmt: skip


@public
def all_gather(x: Any, axis: int | None = None, group: Group | None = None) -> Any:
    """The x of all ranks in the order of their ranks, on all ranks.

    Its adjoint is `reduce_scatter`.

    Parameters
    ----------
    x : array_like or Tensor
        The operand, of the same shape and dtype on all ranks; along `axis` the lengths may differ.
    axis : int, optional
        The axis along which the arrays are joined. By default, they are stacked on a new first
        axis.
    group : Group, optional
        The ranks, by default all.

    Returns
    -------
    array or Tensor
        Shape (size, …), or with `axis` that of x with a larger length on this axis.

    Raises
    ------
    RankError
        On all ranks, if shapes, dtypes or operations differ.
    ArgumentError
        If x is None, or `group` is no Group.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.distributed import all_gather
    >>> all_gather(np.array([1.0, 2.0]))  # of one rank
    array([[1., 2.]])
    >>> all_gather(np.array([1.0, 2.0]), axis=0)
    array([1., 2.])
    """
    x, group = given("all_gather", x), group_of("all_gather", group)
    if axis is None:
        return simple(
            "all_gather", x, lambda channel, array: channel.all_gather(array),
            _all_gather, group=group,
        )  # fmt: skip
    x = ac.moveaxis(x, axis, 0)

    def move(channel: Any, array: Any) -> Any:
        lengths = group.objects(len(array))
        return channel.all_gather(array, lengths), sum(lengths[: group.rank])

    what = f"all_gather(axis={axis}) of {described(x, True)}"
    (arrived, start), number, anywhere = exchanged(what, x, move, group)
    found = recorded((arrived, number, anywhere), x, x, _rows, start, group)
    return ac.moveaxis(found, 0, axis)


@public
def reduce_scatter(x: Any, group: Group | None = None) -> Any:
    """Row i of the sum of the x of all ranks, on rank i. Its adjoint is `all_gather`.

    Parameters
    ----------
    x : array_like or Tensor
        The operand, of the same shape and dtype on all ranks, with as many rows as the group has
        ranks.
    group : Group, optional
        The ranks, by default all.

    Returns
    -------
    array or Tensor
        Row i of the sum.

    Raises
    ------
    ShapeError
        If x has another number of rows.
    RankError
        On all ranks, if shapes, dtypes or operations differ.
    ArgumentError
        If x is None, or `group` is no Group.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.distributed import reduce_scatter
    >>> reduce_scatter(np.array([[1.0, 2.0]]))  # of one rank
    array([1., 2.])
    """
    x, group = given("reduce_scatter", x), group_of("reduce_scatter", group)
    check_rows("reduce_scatter", x, group)
    return simple(
        "reduce_scatter", x, lambda channel, array: channel.reduce_scatter(array),
        _reduce_scatter, group=group,
    )  # fmt: skip


@public
def all_to_all(x: Any, group: Group | None = None) -> Any:
    """Row i of the x of each rank, on rank i, in the order of the ranks. It is its own adjoint.

    Parameters
    ----------
    x : array_like or Tensor
        The operand, of the same shape and dtype on all ranks, with as many rows as the group has
        ranks.
    group : Group, optional
        The ranks, by default all.

    Returns
    -------
    array or Tensor
        The rows, in an array of the shape of x.

    Raises
    ------
    ShapeError
        If x has another number of rows.
    RankError
        On all ranks, if shapes, dtypes or operations differ.
    ArgumentError
        If x is None, or `group` is no Group.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.distributed import all_to_all
    >>> all_to_all(np.array([[1.0, 2.0]]))  # of one rank
    array([[1., 2.]])
    """
    x, group = given("all_to_all", x), group_of("all_to_all", group)
    check_rows("all_to_all", x, group)
    return simple(
        "all_to_all", x, lambda channel, array: channel.all_to_all(array), _all_to_all, group=group
    )  # fmt: skip


# ---- the recorded operations ---------------------------------------------------------------------


def _extremal(g: Any, x: Any, out: Any, number: Any, kind: str, group: Group) -> Any:
    """The gradient of a maximum, in equal parts to the elements that are equal to it."""
    x = x.detach() if isinstance(x, Tensor) else x
    hit = ac.equal(x, all_reduce(x, kind, group)).astype(g.dtype)
    total = answer(number, group, all_reduce, tied(g, out), "sum")
    return total * hit / all_reduce(hit, group=group)


def _scattered_x(
    g: Any, x_shape: tuple[int, ...], out: Any, number: Any, root: int, group: Group
) -> Any:
    """The gradients of all rows on `root`. Elsewhere it is zero, and connected with g."""
    rows = answer(number, group, gather, tied(g, out), root)
    return rows if group.rank == root else ac.broadcast_to(rows.sum(), x_shape)


def _rows_x(
    g: Any, out: Any, number: Any, start: int, x_shape: tuple[int, ...], group: Group
) -> Any:
    """The rows of this rank of the sum of the gradients."""
    total = answer(number, group, all_reduce, tied(g, out), "sum")
    return total[start : start + x_shape[0]]


def _of_root(x: Any, arrived: Any, number: Any, root: int, group: Group) -> Any:
    """The kernel of operations with a root."""
    return arrived


def _of_kind(x: Any, arrived: Any, number: Any, kind: str, group: Group) -> Any:
    """The kernel of reductions."""
    return arrived


def _of_all(x: Any, arrived: Any, number: Any, group: Group) -> Any:
    """The kernel of other operations."""
    return arrived


_all_reduce = op(
    x=lambda g, out, number, kind, group: answer(number, group, all_reduce, tied(g, out), kind),
    name="all_reduce",
)(_of_kind)
_extreme = op(x=_extremal, name="all_reduce")(_of_kind)
_reduce = op(
    x=lambda g, out, number, root, group: answer(number, group, broadcast, tied(g, out), root),
    name="reduce",
)(_of_root)
_broadcast = op(
    x=lambda g, out, number, root, group: answer(number, group, reduce, tied(g, out), "sum", root),
    name="broadcast",
)(_of_root)
_gather = op(
    x=lambda g, out, number, root, group: answer(number, group, scatter, tied(g, out), root),
    name="gather",
)(_of_root)
_scatter = op(x=_scattered_x, name="scatter")(_of_root)
_all_gather = op(
    x=lambda g, out, number, group: answer(number, group, reduce_scatter, tied(g, out)),
    name="all_gather",
)(_of_all)
_rows = op(x=_rows_x, name="all_gather")(lambda x, arrived, number, start, group: arrived)
_reduce_scatter = op(
    x=lambda g, out, number, group: answer(number, group, all_gather, tied(g, out), None),
    name="reduce_scatter",
)(_of_all)
_all_to_all = op(
    x=lambda g, out, number, group: answer(number, group, all_to_all, tied(g, out)),
    name="all_to_all",
)(_of_all)
