"""How arrays are moved between ranks: by MPI from the memory of the host, or by NCCL between
devices.

All functions take and return arrays in C order. float16, which MPI does not know, is summed in
float32; NCCL adds it as it is.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from autograd_core.devices import backend
from nn.distributed.world import Group, mpi

OF_NCCL = frozenset({"f2", "f4", "f8", "i1", "i4", "i8", "u1", "u4", "u8"})  # dtypes


def channel(group: Group, array: Any) -> Any:
    """What moves arrays like `array` between the ranks of a group: NCCL if it is installed and each
    rank of a machine has a device of its own, else MPI."""
    if group.size == 1:
        return Alone()
    if not backend.on_device(array) or array.dtype.str[1:] not in OF_NCCL:
        return Host(group)
    home = backend.device_of(array)
    if home not in group.nccl:
        from nn.distributed.nccl import connected

        group.nccl[home] = connected(group, home)
    return group.nccl[home] or Host(group)


class Alone:
    """One rank: every result is a copy of its operand."""

    def all_reduce(self, x: Any, kind: str = "sum") -> Any:
        """x, in the dtype of a sum or mean."""
        return x.astype(_dtype(x, kind), order="C")

    def add(self, x: Any) -> Any:
        """x."""
        return x

    def reduce(self, x: Any, root: int) -> Any:
        """x."""
        return self.all_reduce(x)

    def broadcast(self, x: Any, root: int) -> Any:
        """x."""
        return x.copy()

    def gather(self, x: Any, root: int) -> Any:
        """x on a new first axis."""
        return x[None].copy()

    def all_gather(self, x: Any, counts: list[int] | None = None) -> Any:
        """x, without `counts` on a new first axis."""
        return x[None].copy() if counts is None else x.copy()

    def scatter(self, x: Any, root: int) -> Any:
        """The only row of x."""
        return x.copy().reshape(x.shape[1:])

    def reduce_scatter(self, x: Any) -> Any:
        """The only row of x."""
        return self.scatter(self.all_reduce(x), 0)

    def all_to_all(self, x: Any) -> Any:
        """x."""
        return x.copy()


class Host:
    """MPI. Arrays on a device are copied to the host and back."""

    def __init__(self, group: Group) -> None:
        self.group, self.comm = group, group.comm

    def all_reduce(self, x: Any, kind: str) -> Any:
        """The sum, mean, max or min over the ranks."""
        sent = _wide(x, kind)
        total = np.empty_like(sent)
        self.comm.Allreduce(sent, total, _operation(kind))
        if kind == "mean":
            total /= self.group.size
        return _back(total, x)

    def add(self, x: Any) -> Any:
        """The sum over the ranks, in place of x if x is on the host. MPI adds the dtype of x."""
        if backend.on_device(x):
            return self.all_reduce(x, "sum")
        self.comm.Allreduce(mpi().IN_PLACE, x, mpi().SUM)
        return x

    def reduce(self, x: Any, root: int) -> Any:
        """The sum over the ranks, on `root`; zeros elsewhere."""
        sent, mine = _wide(x), self.group.rank == root
        total = np.empty_like(sent) if mine else None
        self.comm.Reduce(sent, total, mpi().SUM, root)
        if mine:
            return _back(total, x)
        return backend.module_of(x).zeros(x.shape, _dtype(x, "sum"))

    def reduce_scatter(self, x: Any) -> Any:
        """Row i of the sum over the ranks, on rank i."""
        sent = _wide(x)
        own = np.empty_like(sent[0])
        self.comm.Reduce_scatter_block(sent, own, mpi().SUM)
        return _back(own, x)

    def broadcast(self, x: Any, root: int) -> Any:
        """The array of `root`; those of the other ranks have its shape and dtype."""
        if self.group.rank == root:
            self.comm.Bcast(buffer(host(x)), root)
            return x.copy()
        arrived = np.empty(x.shape, x.dtype)
        self.comm.Bcast(buffer(arrived), root)
        return _back(arrived, x)

    def gather(self, x: Any, root: int) -> Any:
        """The arrays of all ranks, on `root`; no rows elsewhere."""
        sent = host(x)
        if self.group.rank != root:
            self.comm.Gather(buffer(sent), None, root)
            return backend.module_of(x).empty((0, *x.shape), x.dtype)
        rows = np.empty((self.group.size, *sent.shape), sent.dtype)
        self.comm.Gather(buffer(sent), buffer(rows), root)
        return _back(rows, x)

    def all_gather(self, x: Any, counts: list[int] | None = None) -> Any:
        """The arrays of all ranks. With `counts`, the rows that each rank has, one below the
        other."""
        sent = host(x)
        if counts is None:
            rows = np.empty((self.group.size, *sent.shape), sent.dtype)
            self.comm.Allgather(buffer(sent), buffer(rows))
            return _back(rows, x)
        rows = np.empty((sum(counts), *sent.shape[1:]), sent.dtype)
        row = rows[:1].nbytes if len(rows) else 0
        sizes = [count * row for count in counts]
        self.comm.Allgatherv(buffer(sent), [rows, sizes, mpi().BYTE])
        return _back(rows, x)

    def scatter(self, x: Any, root: int) -> Any:
        """Row i of the array of `root`, on rank i. The others give an array with no rows."""
        sent = buffer(host(x)) if self.group.rank == root else None
        own = np.empty(x.shape[1:], x.dtype)
        self.comm.Scatter(sent, buffer(own), root)
        return _back(own, x)

    def all_to_all(self, x: Any) -> Any:
        """Row i of each rank's array, on rank i."""
        sent = host(x)
        rows = np.empty_like(sent)
        self.comm.Alltoall(buffer(sent), buffer(rows))
        return _back(rows, x)


def host(x: Any) -> Any:
    """An array as one on the host in C order."""
    return np.asarray(backend.asnumpy(x), order="C")


def _dtype(x: Any, kind: str) -> Any:
    """The dtype of a reduction, as NumPy has it: bool is added as integers, and the mean of
    integers is a float64."""
    if kind == "mean" and x.dtype.kind in "biu":
        return np.dtype(np.float64)
    return np.dtype(np.int64) if kind == "sum" and x.dtype == bool else x.dtype


def _wide(x: Any, kind: str = "sum") -> Any:
    """An array on the host in a dtype that MPI knows, and adds, with at least as many digits."""
    dtype = _dtype(x, kind)
    return host(x).astype(np.float32 if dtype.char == "e" else dtype, copy=False)


def _back(found: Any, like: Any) -> Any:
    """A result on the device of the operand, and in float16 if that is."""
    if like.dtype.char == "e" and found.dtype.char != "e":
        with np.errstate(over="ignore"):  # inf, as a sum in float16 gives
            found = found.astype(np.float16)
    home = backend.device_of(like)
    return found if home == "cpu" else backend.to_device(found, home)


def buffer(array: Any) -> Any:
    """A buffer of any dtype."""
    return [array, mpi().BYTE]


@cache
def _operation(kind: str) -> Any:
    """MPI's operation. Its own maximum loses NaN."""
    if kind in ("sum", "mean"):
        return mpi().SUM
    ufunc = np.maximum if kind == "max" else np.minimum

    def combine(read: Any, written: Any, datatype: Any) -> None:
        dtype = np.dtype(datatype.typestr)
        x, y = np.frombuffer(read, dtype), np.frombuffer(written, dtype)
        ufunc(x, y, out=y)

    return mpi().Op.Create(combine, commute=True)
