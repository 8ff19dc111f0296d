"""Messages from one rank to another, as operations with derivatives.

The gradient of a message goes back the other way: the rule of `send` receives it, that of `recv`
sends it. Each message has a number, and says which message it is the gradient of, so that a
gradient for which no rank waits raises an error in place of being taken for another one. Two ranks
must go back in the same order: one ``backward()`` of a sum visits the last message first.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import Tensor
from autograd_core.devices import backend
from autograd_core.engine.external import external
from autograd_core.engine.op import op
from autograd_core.engine.state import STATE
from autograd_core.engine.tensor import make
from autograd_core.errors import ArgumentError
from autograd_core.errors.tracebacks import public
from nn.distributed.channels import buffer, host
from nn.distributed.exchanges import given, group_of, stand_in, tied
from nn.distributed.world import Group, RankError

__all__ = ["recv", "send", "sendrecv"]

HEAD, BODY = 11, 12  # tags
OF = "the gradient of "


# ---- the recorded operations ---------------------------------------------------------------------

_sent = op(
    x=lambda g, out, number, dest, order, group: _receive(
        dest, tied(g, out), number, order + 1, group
    ),
    name="send",
)(lambda x, token, number, dest, order, group: token)
_received = op(
    token=lambda g, out, number, source, order, group: _send(
        tied(g, out), source, number, order + 1, group
    ),
    name="recv",
)(lambda token, arrived, number, source, order, group: arrived)
_shifted = op(
    x=lambda g, out, x_shape, numbers, dest, source, order, group: _shift(
        tied(g, out), source, dest, numbers[::-1], order + 1, x_shape, group
    ),
    name="sendrecv",
)(lambda x, arrived, numbers, dest, source, order, group: arrived)


# ---- the messages --------------------------------------------------------------------------------


def _post(
    x: Any, dest: int, number: Any, order: int, flags: tuple[bool, bool], group: Group
) -> Any:
    """Send an array without waiting. Returns the number of the message, an array of one integer:
    a new one, or that of the message of which this is the gradient."""
    if not order:
        group.sent[dest] = group.sent.get(dest, 0) + 1
        number = np.array(group.sent[dest])
    body = host(x).copy()
    head = (order, int(number), body.shape, body.dtype.str, backend.on_device(x), flags)
    requests = [group.comm.isend(head, dest, HEAD), group.comm.Isend(buffer(body), dest, BODY)]
    group.pending[:] = [p for p in group.pending if not all(r.Test() for r in p[0])]
    group.pending.append((requests, body))
    return number


def _take(source: int, number: Any, order: int, group: Group) -> tuple[Any, Any, bool, bool]:
    """Wait for an array. Returns it, the number of the message, whether its sender tracks it, and
    whether it is a Tensor there."""
    wanted = _title(order, None if number is None else int(number), group.rank, source)
    with group.waiting(f"recv of {wanted}", source):
        head = group.comm.recv(source=source, tag=HEAD)
        there, counted, shape, dtype, on_device, flags = head
        if there != order or (order and counted != int(number)):
            raise RankError(
                f"rank {group.rank} waits for {wanted}, and rank {source} sent "
                f"{_title(there, counted, group.rank, source)}: the results of send, recv and "
                "sendrecv must be part of what backward() is called on, on each rank"
            )
        body = np.empty(shape, dtype)
        group.comm.Recv(buffer(body), source=source, tag=BODY)
    array = backend.to_device(body, "cuda") if on_device else body
    return array, np.array(counted), *flags


def _title(order: int, number: int | None, receiver: int, sender: int) -> str:
    """The words for a message."""
    ends = (sender, receiver) if order % 2 == 0 else (receiver, sender)
    which = "a message" if number is None else f"message {number}"
    return f"{OF * order}{which} from rank {ends[0]} to rank {ends[1]}"


def _is_tracked(x: Any) -> bool:
    return bool(STATE.get()[0]) and isinstance(x, Tensor) and x.requires_grad


def _send(x: Any, dest: int, number: Any, order: int, group: Group) -> Any:
    """Send x, and return a 0-d zero that stands for it, on its device, as the loss is."""
    flags = _is_tracked(x), isinstance(x, Tensor)

    def send(array: Any, number: Any) -> Any:
        real = array.dtype if array.dtype.kind in "fc" else np.float64
        token = backend.run_there(array, backend.module_of(array).zeros, (), real)
        return token, _post(array, dest, number, order, flags, group)

    token, number = external(send)(x._array if isinstance(x, Tensor) else x, number)
    if _is_tracked(x):
        return _sent(x, token, number, dest, order, group)
    return make(token, None) if isinstance(x, Tensor) else token


def _receive(source: int, token: Any, number: Any, order: int, group: Group) -> Any:
    """Receive an array, the gradient of which is sent back if its sender tracks it. One on a device
    arrives on that of the token, by default the current one."""

    def recv(number: Any, token: Any) -> Any:
        return backend.run_there(token, _take, source, number, order, group)

    arrived, number, tracked, is_tensor = external(recv)(
        number, token._array if isinstance(token, Tensor) else token
    )
    if tracked and not STATE.get()[0]:
        raise RankError(
            f"rank {source} records what it sends, and rank {group.rank} is inside no_grad(): no "
            "gradient would come back"
        )
    if tracked or _is_tracked(token):
        if not _is_tracked(token):
            token = stand_in(backend.run_there(arrived, backend.zeros, arrived, ()))
        return _received(token, arrived, number, source, order, group)
    return make(arrived, None) if is_tensor or isinstance(token, Tensor) else arrived


def _shift(
    x: Any,
    dest: int | None,
    source: int | None,
    numbers: Any,
    order: int,
    shape: tuple[int, ...],
    group: Group,
) -> Any:
    """Send x to `dest` and receive from `source`, zeros of `shape` from None."""
    mine = _is_tracked(x)
    flags = mine, isinstance(x, Tensor)

    def sendrecv(x: Any, numbers: Any) -> Any:
        sent, got = numbers
        if dest is not None:
            sent = _post(x, dest, sent, order, flags, group)
        if source is None:
            return backend.zeros(x, shape), np.stack([sent, got]), False, False
        arrived, got, tracked, is_tensor = _take(source, got if order else None, order, group)
        return arrived, np.stack([sent, got]), tracked, is_tensor

    def there(x: Any, numbers: Any) -> Any:
        return backend.run_there(x, sendrecv, x, numbers)  # what arrives is on the device of x

    there.__name__ = "sendrecv"
    array = x._array if isinstance(x, Tensor) else x
    arrived, numbers, tracked, is_tensor = external(there)(array, numbers)
    if not (mine or tracked):
        return make(arrived, None) if is_tensor or isinstance(x, Tensor) else arrived
    if not mine:
        x = stand_in(array)
    # the gradient goes back to a rank that tracks what it sent, and comes from one that receives
    # what is tracked here
    back, forth = source if tracked else None, dest if mine else None
    return _shifted(x, arrived, numbers, forth, back, order, group)


def _peer(name: str, rank: int, group: Group) -> int:
    if not isinstance(rank, int | np.integer) or not 0 <= rank < group.size:
        raise ArgumentError(f"{name} is a rank below {group.size}, not {rank!r}")
    if group.size == 1:
        raise ArgumentError(f"{name}: there is one rank, and nobody to send to")
    return int(rank)


# ---- the public functions ------------------------------------------------------------------------


@public
def send(x: Any, dest: int, group: Group | None = None) -> Any:
    """Send an array to a rank, which calls `recv`. It need not wait.

    Parameters
    ----------
    x : array_like or Tensor
        What is sent.
    dest : int
        The rank that receives x.
    group : Group, optional
        The ranks, by default all.

    Returns
    -------
    array or Tensor
        A 0-d zero that stands for x in the backward pass: add it to the loss of this rank, or call
        ``backward()`` on it, and the gradient that comes back from `dest` is that of x.

    Raises
    ------
    ArgumentError
        If x is None, there is no rank `dest`, the group has one rank, or `group` is no Group.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.distributed import recv, send, world
    >>> x = np.ones(2)
    >>> if world().rank == 0 and world().size > 1:
    ...     sent = send(x, dest=1)
    ... elif world().rank == 1:
    ...     x = recv(source=0)
    >>> x
    array([1., 1.])
    """
    x, group = given("send", x), group_of("send", group)
    return _send(x, _peer("send: dest", dest, group), None, 0, group)


@public
def recv(source: int, token: Any = None, group: Group | None = None) -> Any:
    """Wait for an array that a rank sends with `send`, and return it.

    In the backward pass, its gradient is sent back.

    Parameters
    ----------
    source : int
        The rank that sends the array.
    token : Tensor, optional
        A Tensor of shape () that requires a gradient, for derivatives of higher order. Its gradient
        is the zero that stands for what was sent back.
    group : Group, optional
        The ranks, by default all.

    Returns
    -------
    array or Tensor
        What was sent: a Tensor if it is one at the sender. What was sent from a device arrives on
        the current device, or on that of `token`.

    Raises
    ------
    ArgumentError
        If there is no rank `source`, the group has one rank, or `group` is no Group.
    RankError
        If the sender records what it sends, and this rank does not; in a backward pass, if the
        gradient of another message arrives.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.distributed import recv, send, world
    >>> x = np.ones(2)
    >>> if world().rank == 0 and world().size > 1:
    ...     sent = send(x, dest=1)
    ... elif world().rank == 1:
    ...     x = recv(source=0)
    >>> x
    array([1., 1.])
    """
    group = group_of("recv", group)
    return _receive(_peer("recv: source", source, group), token, None, 0, group)


@public
def sendrecv(x: Any, dest: int | None, source: int | None, group: Group | None = None) -> Any:
    """Send an array to one rank, and receive one from another.

    It is a step of a ring, or the exchange of the borders of two domains.

    In the backward pass the gradient of the result is sent to `source`, and that of x comes from
    `dest`: the result must be used in the loss, also where it is zeros.

    Parameters
    ----------
    x : array_like or Tensor
        What is sent.
    dest : int or None
        The rank that receives x. None stands for no rank.
    source : int or None
        The rank that sends the result. None stands for no rank, of which zeros like x are received.
    group : Group, optional
        The ranks, by default all.

    Returns
    -------
    array or Tensor
        What `source` has sent.

    Raises
    ------
    ArgumentError
        If x is None, there is no rank `dest` or `source`, or `group` is no Group.
    RankError
        In a backward pass, if the gradient of another message arrives.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.distributed import sendrecv, world
    >>> left = world().rank - 1 if world().rank > 0 else None
    >>> right = world().rank + 1 if world().rank + 1 < world().size else None
    >>> sendrecv(np.ones(2), dest=right, source=left)  # from the left
    array([0., 0.])
    """
    x, group = given("sendrecv", x), group_of("sendrecv", group)
    dest = None if dest is None else _peer("sendrecv: dest", dest, group)
    source = None if source is None else _peer("sendrecv: source", source, group)
    return _shift(x, dest, source, np.zeros(2, np.int64), 0, x.shape, group)
