"""The ranks of a program on MPI: who is there, and what all of them do when one fails."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from hashlib import blake2b
from types import TracebackType
from typing import Any

import numpy as np

from autograd_core.engine.external import refuse_tracing
from autograd_core.errors import ArgumentError, AutogradError
from autograd_core.errors.tracebacks import public
from nn.distributed.waiting import END, Wait, Waiting, here

__all__ = ["Group", "RankError", "world"]

# Variables that the launchers of MPICH, Open MPI, Intel MPI and Slurm (PMI, PMIx) set
LAUNCHED = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "MPI_LOCALRANKID")
RANGE, CALLS, GRADIENTS = (1 << 55) - 55, 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9  # of codes
TIMEOUT = 600.0  # seconds that a rank waits for the others


class RankError(AutogradError, RuntimeError):
    """Ranks that are not in the same operation, or not with the same shape and dtype.

    It is raised on all ranks, and says in which operation and line each of them is.

    Examples
    --------
    >>> from nn.distributed import RankError
    >>> issubclass(RankError, RuntimeError)
    True
    """


class Group:
    """Ranks that compute together.

    `world()` is the group of all ranks, and ``world().split(color)`` a part of it. `rank` is the
    number of this rank, from 0 to `size` - 1. `local_rank` numbers the ranks on one machine, to
    choose a device: ``f"cuda:{world().local_rank}"``.

    Parameters
    ----------
    comm : mpi4py communicator, optional
        The ranks, as in ``Group(comm.Dup())``. By default, a group of one rank, which needs no MPI.

    Examples
    --------
    >>> from nn.distributed import Group
    >>> group = Group()
    >>> group
    <rank 0 of 1>
    >>> group.objects("a text")
    ['a text']
    """

    traced_attributes = ()  # a compiled function depends on none

    @public
    def __init__(self, comm: Any = None) -> None:
        self.comm = comm
        self.rank: int = 0 if comm is None else comm.Get_rank()
        self.size: int = 1 if comm is None else comm.Get_size()
        self.local_rank = 0
        if comm is not None:
            machine = comm.Split_type(mpi().COMM_TYPE_SHARED)
            self.local_rank = machine.Get_rank()
            machine.Free()
        self._codes = np.empty(4, np.int64)
        self.calls = 0  # of operations, the same number on all ranks
        self.answers: list[Any] = [0]  # the call whose gradient is exchanged, 0 for a call forward
        self.pending: list[tuple[Any, Any]] = []  # requests of messages, and what they hold
        self.sent: dict[int, int] = {}  # messages to each rank
        self.nccl: dict[str, Any] = {}  # communicators of devices, by name
        if self.size > 1:
            _groups.append(self)

    @public
    def split(self, color: int, key: int | None = None) -> Group:
        """A part of the group: the ranks that give the same `color`. All ranks must call it.

        Parameters
        ----------
        color : int
            The number of the part.
        key : int, optional
            The order of the ranks in the part, by default that of their ranks.

        Returns
        -------
        Group
            The part of this rank.
        """
        if self.size == 1:
            return Group()
        refuse_tracing("it splits a group of ranks")
        self.agree("split")
        return Group(self.comm.Split(color, self.rank if key is None else key))

    @public
    def barrier(self) -> None:
        """Wait until all ranks are here."""
        refuse_tracing("it waits for other ranks")
        self.agree("barrier")

    @public
    def objects(self, value: Any) -> list[Any]:
        """The values of all ranks. All ranks must call it.

        Parameters
        ----------
        value : object
            Anything that can be pickled.

        Returns
        -------
        list
            The values, in the order of the ranks.
        """
        if self.size == 1:
            return [value]
        refuse_tracing("it exchanges objects with other ranks")
        self.agree("objects")
        with self.waiting("objects"):
            return list(self.comm.allgather(value))

    @public
    def same(self, value: Any, root: int = 0) -> Any:
        """The value of one rank, on all ranks. All ranks must call it.

        Parameters
        ----------
        value : object
            Anything that can be pickled. Only that of `root` counts.
        root : int, default 0
            The rank that gives the value.

        Returns
        -------
        object
            The value of `root`.
        """
        if self.size == 1:
            return value
        refuse_tracing("it exchanges objects with other ranks")
        self.agree(f"same(root={root})")
        with self.waiting(f"same(root={root})"):
            return self.comm.bcast(value, root)

    def agree(self, what: str, tracked: bool = False, recording: bool = True, of: int = 0) -> bool:
        """Return whether `tracked` is true on any rank. Raises RankError on all ranks if one of
        them is in another operation, as described by `what`, in another call, or exchanges the
        gradient of another call (`of`); or if one records and another one does not."""
        if self.size == 1:
            return tracked
        self.calls += 1
        code = (_code(what) + self.calls * CALLS + of * GRADIENTS) % RANGE
        codes = self._codes
        codes[:] = code, -code, tracked, not recording
        with self.waiting(what):
            self.comm.Allreduce(mpi().IN_PLACE, codes, mpi().MAX)
        if codes[0] != code or codes[1] != -code or (codes[2] and codes[3]):
            what += f", call {self.calls}{f', the gradient of call {of}' * bool(of)}"
            raise RankError(self._disagreement(what + ", inside no_grad()" * (not recording)))
        return bool(codes[2])

    def _disagreement(self, what: str) -> str:
        found: dict[str, list[int]] = {}
        for rank, text in enumerate(self.comm.allgather(f"{what}, at {here()}")):
            found.setdefault(text, []).append(rank)
        lines = [f"  {ranks_of(ranks)}: {text}" for text, ranks in found.items()]
        return "\n".join(["the ranks are not in the same operation:", *lines])

    @contextmanager
    def waiting(self, what: str, source: int | None = None) -> Iterator[None]:
        """A context manager in which this rank waits for others, or for the rank `source`."""
        if self.size == 1 or not _watches:
            yield
            return
        waits, thread = _watches[0].waits, threading.get_ident()
        before = waits.get(thread)
        whole = source is not None and self is _worlds[0]
        waits[thread] = Wait(time.monotonic(), what, source if whole else None)
        try:
            yield
        finally:
            if before is None:
                del waits[thread]
            else:
                waits[thread] = before

    def __reduce__(self) -> Any:
        raise TypeError("a Group belongs to a running program: it cannot be copied or pickled")

    def __deepcopy__(self, memo: Any) -> Group:
        return self

    def __repr__(self) -> str:
        return f"<rank {self.rank} of {self.size}>"


def ranks_of(ranks: list[int]) -> str:
    """The words for some ranks."""
    return f"rank{'s' * (len(ranks) > 1)} {', '.join(map(str, ranks))}"


@lru_cache(1000)
def _code(what: str) -> int:
    return int.from_bytes(blake2b(what.encode(), digest_size=7).digest(), "big")


@cache
def mpi() -> Any:
    """The module of MPI, which starts it when it is imported."""
    from mpi4py import MPI

    return MPI


_worlds: list[Group] = []
_groups: list[Group] = []
_watches: list[Waiting] = []


@public
def world(timeout: float | None = None) -> Group:
    """The group of all ranks of the program.

    Started as ``mpiexec -n 4 python -m mpi4py program.py``, a program has 4 ranks; without
    `mpiexec` it is one rank, and no MPI is needed. All ranks must call `world`; the first call
    takes part in the start of MPI.

    Parameters
    ----------
    timeout : float, optional
        The seconds for which a rank waits for another one. By default 600, or the environment
        variable NN_TIMEOUT. Then all ranks end, with a message that says where each of them is.

    Returns
    -------
    Group
        The group, the same in each call.

    Raises
    ------
    ArgumentError
        If `timeout` is not positive.
    ModuleNotFoundError
        On several ranks, without mpi4py: ``pip install 'autograd-core[mpi]'``.

    Notes
    -----
    An error that a rank does not catch is printed with the number of the rank, and ends all ranks.

    Examples
    --------
    >>> from nn.distributed import world
    >>> world()
    <rank 0 of 1>
    >>> world().rank, world().size
    (0, 1)
    """
    if not _worlds:
        _worlds.append(_started())
    if timeout is not None:
        if not timeout > 0:
            raise ArgumentError(f"world: timeout is a positive number of seconds, not {timeout!r}")
        for waiting in _watches:
            waiting.timeout = timeout
    return _worlds[0]


def _started() -> Group:
    if "mpi4py.MPI" not in sys.modules and not any(name in os.environ for name in LAUNCHED):
        return Group()
    try:
        comm = mpi().COMM_WORLD.Dup()
    except ImportError as error:
        raise ModuleNotFoundError(
            f"several ranks need mpi4py and an MPI library ({error}): "
            "pip install 'autograd-core[mpi]'",
            name="mpi4py",
        ) from error
    group = Group(comm)
    if group.size > 1:
        _guard(group)
    return group


def _guard(group: Group) -> None:
    """End all ranks if one of them fails, and let none leave while others wait."""
    timeout = float(os.environ.get("NN_TIMEOUT", TIMEOUT))
    many = mpi().Query_thread() == mpi().THREAD_MULTIPLE
    waiting = Waiting(mpi(), group.comm.Dup(), timeout, asks=many)
    _watches.append(waiting)
    waiting.start()
    usual, process = sys.excepthook, os.getpid()

    def failed(kind: type[BaseException], error: BaseException, at: TracebackType | None) -> None:
        if issubclass(kind, RankError) and group.rank:
            time.sleep(1)  # the same on all ranks: the first one says it
        text = f"rank {group.rank} of {group.size} raised:\n"
        error.__traceback__ = at = _of_program(at)
        if usual is sys.__excepthook__:
            text += "".join(traceback.format_exception(kind, error, at))
        sys.stdout.flush()
        sys.stderr.write(text)  # at once, not mixed with that of another rank
        if usual is not sys.__excepthook__:
            usual(kind, error, at)
        sys.stderr.flush()
        group.comm.Abort(1)

    def end() -> None:
        if os.getpid() != process:
            return  # a copy of the process, made by os.fork
        try:
            group.agree(END)
            _check_messages()
        except RankError as error:
            failed(RankError, error, None)
        waiting.stop()

    sys.excepthook = failed
    atexit.register(end)


def _check_messages() -> None:
    """Raise RankError for messages that no rank has received."""
    for group in _groups:
        status = mpi().Status()
        if group.comm.Iprobe(status=status):
            raise RankError(
                f"rank {group.rank} has not received a message of rank {status.source}: each send "
                "needs a recv, and their results must be part of what backward() is called on, on "
                "both ranks"
            )
        for requests, _ in group.pending:
            mpi().Request.Waitall(requests)


def _of_program(at: TracebackType | None) -> TracebackType | None:
    """A traceback without the frames of ``python -m mpi4py`` before those of the program."""
    first = at
    while first is not None:
        name = first.tb_frame.f_globals.get("__name__", "")
        inside = first.tb_frame.f_globals.get("__package__") == "mpi4py" or name == "runpy"
        if not inside:
            return first
        first = first.tb_next
    return at
