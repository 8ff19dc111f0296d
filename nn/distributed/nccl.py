"""NCCL between the devices of the ranks (``pip install 'nccl4py[cu12]'`` or ``[cu13]``)."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.devices import backend
from nn.distributed.world import Group


def connected(group: Group, device: str) -> Any:
    """A communicator of NCCL over the devices of all ranks of a group, each of which gives its own
    device; None if a rank has no nccl4py, or if two ranks have the same device, which NCCL refuses.
    All ranks of the group must call it."""
    try:
        import nccl.core as nccl
    except ImportError:
        nccl = None
    homes = group.objects((nccl is not None, _identity(device)))
    if not all(found for found, _ in homes) or len({home for _, home in homes}) < group.size:
        return None
    identity = group.same(nccl.get_unique_id() if group.rank == 0 else None)
    with backend.device(device):
        comm = nccl.Communicator.init(group.size, group.rank, identity)
    return NCCL(nccl, comm, group)


def _identity(device: str) -> str:
    """What tells a device from all others, on every machine. CuPy ends the uuid at its first zero
    byte, which is why the place on the bus is part of it."""
    module = backend.device_module()
    properties = module.cuda.runtime.getDeviceProperties(backend.index_of(device))
    return str([properties[key] for key in ("uuid", "pciDomainID", "pciBusID", "pciDeviceID")])


class NCCL:
    """The same methods as `channels.Host`, for arrays on devices. They run in the current stream of
    CuPy, as its functions do, and the host does not wait for them."""

    def __init__(self, nccl: Any, comm: Any, group: Group) -> None:
        self.nccl, self.comm, self.group = nccl, comm, group
        self.kinds = {"sum": nccl.SUM, "mean": nccl.AVG, "max": nccl.MAX, "min": nccl.MIN}

    def all_reduce(self, x: Any, kind: str) -> Any:
        """The sum, mean, max or min over the ranks."""
        if kind == "mean" and x.dtype.kind != "f":  # NCCL's mean of integers is an integer
            total = self.all_reduce(x.astype(np.float64), "sum")
            total /= self.group.size
            return total
        total = self._filled(x, _empty(x, x.shape), self.comm.allreduce, self.kinds[kind])
        if kind in ("sum", "mean") or x.dtype.kind != "f":
            return total
        # NCCL does not say what its maximum of NaN is
        module = backend.module_of(x)
        nans = self.all_reduce(module.isnan(x).astype(np.uint8), "max")
        return module.where(nans > 0, x.dtype.type(np.nan), total)

    def add(self, x: Any) -> Any:
        """The sum over the ranks."""
        return self.all_reduce(x, "sum")

    def reduce(self, x: Any, root: int) -> Any:
        """The sum over the ranks, on `root`; zeros elsewhere."""
        total = backend.zeros(x, x.shape)  # NCCL writes to that of root only
        return self._filled(x, total, self.comm.reduce, self.kinds["sum"], root)

    def reduce_scatter(self, x: Any) -> Any:
        """Row i of the sum over the ranks, on rank i."""
        own = _empty(x, x.shape[1:])
        return self._filled(x, own, self.comm.reduce_scatter, self.kinds["sum"])

    def broadcast(self, x: Any, root: int) -> Any:
        """The array of `root`."""
        return self._filled(x, _empty(x, x.shape), self.comm.broadcast, root)

    def gather(self, x: Any, root: int) -> Any:
        """The arrays of all ranks, on `root`; no rows elsewhere."""
        count = self.group.size if self.group.rank == root else 0
        return self._filled(x, _empty(x, (count, *x.shape)), self.comm.gather, root)

    def all_gather(self, x: Any, counts: list[int] | None = None) -> Any:
        """The arrays of all ranks. With `counts`, the rows that each rank has, one below the
        other."""
        if counts is None:
            return self._filled(x, _empty(x, (self.group.size, *x.shape)), self.comm.allgather)
        rows, start = _empty(x, (sum(counts), *x.shape[1:])), 0
        if len(set(counts)) == 1:
            return self._filled(x, rows, self.comm.allgather)
        x = _contiguous(x)  # until the end of the group, when it is sent
        with self.nccl.group():  # NCCL gathers parts of one length only
            for rank, count in enumerate(counts):
                part, start = rows[start : start + count], start + count
                self._filled(
                    x if rank == self.group.rank else part, part, self.comm.broadcast, rank
                )
        return rows

    def scatter(self, x: Any, root: int) -> Any:
        """Row i of the array of `root`, on rank i. The others give an array with no rows."""
        return self._filled(x, _empty(x, x.shape[1:]), self.comm.scatter, root)

    def all_to_all(self, x: Any) -> Any:
        """Row i of each rank's array, on rank i."""
        return self._filled(x, _empty(x, x.shape), self.comm.alltoall)

    def _filled(self, x: Any, out: Any, function: Any, *settings: Any) -> Any:
        """`out`, filled by ``function(x, out, *settings)``; NCCL refuses arrays without
        elements."""
        if x.size or out.size:  # on all ranks or on none
            stream = backend.module_of(x).cuda.get_current_stream().ptr
            function(_contiguous(x), out, *settings, stream=stream)
        return out


def _empty(like: Any, shape: tuple[int, ...]) -> Any:
    return backend.module_of(like).empty(shape, like.dtype)


def _contiguous(x: Any) -> Any:
    return backend.module_of(x).ascontiguousarray(x)
