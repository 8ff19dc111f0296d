"""How the ranks exchange arrays: after an agreement, and recorded if the operand of any rank is
tracked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_core as ac
from autograd_core import Tensor
from autograd_core.devices import backend
from autograd_core.engine.external import external
from autograd_core.engine.op import op
from autograd_core.engine.state import STATE
from autograd_core.engine.tensor import make
from autograd_core.errors import ArgumentError, ShapeError
from nn.distributed.channels import channel
from nn.distributed.world import Group, world


def exchanged(
    what: str, x: Any, move: Callable[[Any, Any], Any], group: Group, root: int | None = None
) -> tuple[Any, Any, bool]:
    """``move(channel, array)`` after all ranks agree on `what`, the number of the call, and whether
    x, which can be a list of arrays, is tracked on any rank. With `root`, the array of another rank
    than that is one like the array of `root`."""
    array = x._array if isinstance(x, Tensor) else x
    recording = bool(STATE.get()[0])
    tracked = recording and isinstance(x, Tensor) and x.requires_grad

    def exchange(array: Any, tracked: bool, of: Any) -> Any:
        anywhere = group.agree(what, tracked, recording, int(of))
        number = np.array(group.calls)
        with group.waiting(what):
            if root is not None:
                array = _like_root(name, array, root, group)
            like = array[0] if isinstance(array, list) else array
            # the channel allocates on the current device, and runs in its current stream
            arrived = backend.run_there(like, move, channel(group, like), array)
        return arrived, number, anywhere

    name = what.partition("(")[0].partition(" ")[0]
    exchange.__name__ = exchange.__qualname__ = name
    found = external(exchange)(array, tracked, group.answers[-1])
    return found  # type: ignore[no-any-return]


def answer(number: Any, group: Group, function: Callable[..., Any], *operands: Any) -> Any:
    """The result of a function that exchanges the gradient of the call with a number."""
    group.answers.append(number)
    try:
        return function(*operands, group)
    finally:
        group.answers.pop()


def recorded(
    found: tuple[Any, Any, bool], x: Any, like: Any, record: Callable[..., Any], *settings: Any
) -> Any:
    """What has arrived, as the result of the operation `record` if x is tracked on any rank. If it
    is not tracked here, a leaf like the array `like` stands for it, so that this rank takes part in
    the backward pass."""
    arrived, number, anywhere = found
    if not anywhere:
        return make(arrived, None) if isinstance(x, Tensor) else arrived
    if not (isinstance(x, Tensor) and x.requires_grad):
        x = stand_in(like)
    return record(x, arrived, number, *settings)


def stand_in(array: Any) -> Tensor:
    """A leaf like an array that stands for the operands of other ranks: every backward pass that
    comes by visits it."""
    leaf = Tensor(array, requires_grad=True)
    leaf.node.watch.always = True  # type: ignore[union-attr]
    return leaf


def simple(name: str, x: Any, move: Any, record: Any, *settings: Any, group: Group) -> Any:
    """The result of an operation for which x has the same shape on all ranks."""
    found = exchanged(f"{name} of {described(x)}", x, move, group)
    return recorded(found, x, x, record, *settings, group)


def described(x: Any, rows: bool = False) -> str:
    """The dtype and the shape of an operand, or of its rows, and whether it is on a device."""
    array = x._array if isinstance(x, Tensor) else x
    shape = f"rows {array.shape[1:]}" if rows else str(array.shape)
    return f"{array.dtype} {shape}{' on a device' * backend.on_device(array)}"


def given(name: str, x: Any) -> Any:
    """The operand as a Tensor or an array."""
    if x is None:
        raise ArgumentError(f"{name}: expected an array on each rank, not None")
    return x if isinstance(x, Tensor) else backend.asarray(x)


def group_of(name: str, group: Group | None, root: int = 0) -> Group:
    """The group, by default all ranks."""
    if group is not None and not isinstance(group, Group):
        raise ArgumentError(f"{name}: group is a Group, such as world(), not {group!r:.60}")
    group = group or world()
    if not 0 <= root < group.size:
        raise ArgumentError(f"{name}: root is a rank below {group.size}, not {root!r}")
    return group


def check_rows(name: str, x: Any, group: Group) -> None:
    if not x.ndim or len(x) != group.size:
        raise ShapeError(
            f"{name}: x has a row for each rank, shape ({group.size}, …); it has shape {x.shape}"
        )


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


_tied = op(x=lambda g: g, y=lambda g, y_shape: ac.zeros(y_shape, dtype=g.dtype), name="tied")(
    lambda x, y: x
)


def tied(g: Any, out: Any) -> Any:
    """g, connected with the result of an operation. A pass over the gradient then visits the
    operation on all ranks, whether the gradient depends on its result there or not."""
    return _tied(g, out) if isinstance(g, Tensor) else g
