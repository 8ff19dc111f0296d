"""A strict stand-in for nccl4py's `nccl.core`: its calls, on arrays of the stand-in for CuPy, over
MPI.

Every call on a communicator is noted in `calls`. It raises where NCCL would read or write other
memory than meant, and on all ranks if they are not in the same call, in which NCCL would hang. The
maximum of NaN is a number here: NCCL does not say what it is.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from types import ModuleType
from typing import NamedTuple

import numpy as np
from mpi4py import MPI

from tests.fake_cupy import cuda
from tests.fake_cupy.arrays import host_of, ndarray

SUM, PROD, MAX, MIN, AVG = range(5)
NAMES = {SUM: "sum", MAX: "max", MIN: "min", AVG: "avg"}
DTYPES = ("int8", "uint8", "int32", "uint32", "int64", "uint64", "float16", "float32", "float64")


class Call(NamedTuple):
    """A call: the buffers that this rank reads and writes, None for those that NCCL ignores."""

    name: str
    operation: str | None
    root: int | None
    dtype: str
    sent: tuple[int, ...] | None
    received: tuple[int, ...] | None
    stream: int


calls: list[Call] = []
grouped: list[list] = []  # in a group: the calls that its end runs


class NcclInvalid(Exception):
    """nccl4py's."""


class UniqueId:
    """nccl4py's can be pickled too."""

    def __init__(self, text):
        self.text = text

    def __getstate__(self):
        return self.text

    def __setstate__(self, state):
        self.text = state


def get_unique_id(empty=False):
    return UniqueId(np.random.default_rng().bytes(128))


@contextmanager
def group():
    """What is called inside runs at the end."""
    grouped.append([])
    try:
        yield
    finally:
        for run in grouped.pop():
            run()


def checked(buffer, device):
    """The memory of a buffer, flat."""
    if not isinstance(buffer, ndarray):
        raise NcclInvalid(f"a buffer is an array on a device, not a {type(buffer).__name__}")
    if buffer.device.id != device:
        raise NcclInvalid(f"a buffer on device {buffer.device.id}, a communicator on {device}")
    if buffer.dtype.name not in DTYPES:
        raise NcclInvalid(f"no such dtype: {buffer.dtype}")
    if not buffer.flags.c_contiguous:
        raise NcclInvalid("NCCL takes the elements as they lie in memory: this buffer has gaps")
    return host_of(buffer).reshape(-1)


def reduced(rows, operation):
    """The rows of all ranks as one, in their dtype."""
    if operation == AVG and rows.dtype.kind == "f":  # multiplied first, then added
        return (rows * rows.dtype.type(1 / len(rows))).sum(0, dtype=rows.dtype)
    if operation in (SUM, AVG):
        total = rows.sum(0, dtype=rows.dtype)
        return total // len(rows) if operation == AVG else total
    return {MAX: np.fmax, MIN: np.fmin}[operation].reduce(rows)


class Communicator:
    """The ranks of MPI's COMM_WORLD."""

    def __init__(self, comm, device):
        self.comm, self.device, self.rank, self.nranks = comm, device, comm.rank, comm.size

    @classmethod
    def init(cls, nranks, rank, unique_id, config=None):
        comm = MPI.COMM_WORLD.Dup()
        if len(set(comm.allgather(unique_id.text))) > 1 or (nranks, rank) != (comm.size, comm.rank):
            raise NcclInvalid("all ranks give one id and their own number")
        return cls(comm, cuda.get_device_id())

    def allreduce(self, sendbuf, recvbuf, op, *, stream=None):
        self._call("allreduce", sendbuf, recvbuf, (1, 1), stream, op=op)

    def reduce(self, sendbuf, recvbuf, op, root=None, *, stream=None):
        self._call("reduce", sendbuf, recvbuf, (1, 1), stream, op, root, receives=self.rank == root)

    def broadcast(self, sendbuf, recvbuf, root, *, stream=None):
        self._call(
            "broadcast", sendbuf, recvbuf, (1, 1), stream, root=root, sends=self.rank == root
        )

    def allgather(self, sendbuf, recvbuf, *, stream=None):
        self._call("allgather", sendbuf, recvbuf, (1, self.nranks), stream)

    def gather(self, sendbuf, recvbuf, root=None, *, stream=None):
        sizes, mine = (1, self.nranks), self.rank == root
        self._call("gather", sendbuf, recvbuf, sizes, stream, root=root, receives=mine)

    def scatter(self, sendbuf, recvbuf, root, *, stream=None):
        sizes, mine = (self.nranks, 1), self.rank == root
        self._call("scatter", sendbuf, recvbuf, sizes, stream, root=root, sends=mine)

    def reduce_scatter(self, sendbuf, recvbuf, op, *, stream=None):
        self._call("reduce_scatter", sendbuf, recvbuf, (self.nranks, 1), stream, op=op)

    def alltoall(self, sendbuf, recvbuf, *, stream=None):
        self._call("alltoall", sendbuf, recvbuf, (self.nranks, self.nranks), stream)

    def _call(self, name, sendbuf, recvbuf, sizes, stream, op=None, root=None, sends=True,
              receives=True):  # fmt: skip
        """Check the buffers, of so many parts, and note and run the call."""
        sent = checked(sendbuf, self.device) if sends else None
        received = checked(recvbuf, self.device) if receives else None
        counts = {len(b) / n for b, n in zip((sent, received), sizes, strict=True) if b is not None}
        dtypes = {b.dtype.name for b in (sent, received) if b is not None}
        if len(counts) > 1 or len(dtypes) > 1 or not min(counts):
            raise NcclInvalid(f"{name}: buffers of {counts} elements for a rank, dtypes {dtypes}")
        if type(stream) is not int:
            raise TypeError("an integer names the stream")
        shapes = (sendbuf.shape if sends else None), (recvbuf.shape if receives else None)
        call = Call(name, NAMES.get(op), root, *dtypes, *shapes, stream)
        calls.append(call)
        arguments = call, counts.pop(), op, sent, received
        if grouped:
            grouped[-1].append(lambda: self._run(*arguments))
        else:
            self._run(*arguments)

    def _run(self, call, count, op, sent, received):
        """Move the elements."""
        told = self.comm.allgather((call[:4], count, sent))
        if len({(same, n) for same, n, _ in told}) > 1:
            raise NcclInvalid(f"the ranks are in different calls: {[t[:2] for t in told]}")
        every = [array for _, _, array in told]
        if received is not None:
            received[...] = self._result(call.name, every, op, call.root)

    def _result(self, name, every, op, root):
        """What this rank receives, from what all ranks send."""
        mine, size = self.rank, self.nranks
        if name in ("allreduce", "reduce"):
            return reduced(np.stack(every), op)
        if name in ("allgather", "gather"):
            return np.concatenate(every)
        if name == "broadcast":
            return every[root]
        if name == "scatter":
            return np.split(every[root], size)[mine]
        if name == "reduce_scatter":
            return np.split(reduced(np.stack(every), op), size)[mine]
        return np.concatenate([np.split(each, size)[mine] for each in every])


def install(present=True):
    """Put this module in the place of nccl4py, or have it missing."""
    package = ModuleType("nccl") if present else None
    if present:
        package.core = sys.modules[__name__]
    sys.modules["nccl"], sys.modules["nccl.core"] = package, package and package.core
    calls.clear()
