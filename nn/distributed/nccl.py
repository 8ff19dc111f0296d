"""NCCL between the devices of the ranks (``pip install 'nccl4py[cu12]'`` or ``[cu13]``)."""

from __future__ import annotations

from typing import Any

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
    """What tells a device from all others, on every machine."""
    module = backend.device_module()
    properties = module.cuda.runtime.getDeviceProperties(backend.index_of(device))
    return str(properties["uuid"])


class NCCL:
    """The same methods as `channels.Host`, for arrays on devices. They run in the current stream of
    CuPy, as its functions do."""

    def __init__(self, nccl: Any, comm: Any, group: Group) -> None:
        self.nccl, self.comm, self.group = nccl, comm, group
        self.kinds = {"sum": nccl.SUM, "mean": nccl.AVG, "max": nccl.MAX, "min": nccl.MIN}

    def all_reduce(self, x: Any, kind: str) -> Any:
        """The sum, mean, max or min over the ranks."""
        return self._filled(x, x.shape, self.comm.allreduce, self.kinds[kind])

    def add(self, x: Any) -> Any:
        """The sum over the ranks."""
        return self.all_reduce(x, "sum")

    def reduce(self, x: Any, root: int) -> Any:
        """The sum over the ranks, on `root`; zeros elsewhere."""
        total = self.all_reduce(x, "sum")
        return total if self.group.rank == root else backend.zeros(x, x.shape)

    def reduce_scatter(self, x: Any) -> Any:
        """Row i of the sum over the ranks, on rank i."""
        return self._filled(x, x.shape[1:], self.comm.reduce_scatter, self.kinds["sum"])

    def broadcast(self, x: Any, root: int) -> Any:
        """The array of `root`."""
        return self._filled(x, x.shape, self.comm.broadcast, root)

    def all_gather(self, x: Any, counts: list[int] | None = None) -> Any:
        """The arrays of all ranks. With `counts`, the rows that each rank has, one below the
        other."""
        if counts is None:
            return self._filled(x, (self.group.size, *x.shape), self.comm.allgather)
        module, most = backend.module_of(x), max(counts)
        padded = backend.zeros(x, (most, *x.shape[1:]))
        padded[: len(x)] = x
        rows = self.all_gather(padded)
        return module.concatenate([rows[i, :n] for i, n in enumerate(counts)])

    def gather(self, x: Any, root: int) -> Any:
        """The arrays of all ranks, on `root`; no rows elsewhere."""
        rows = self.all_gather(x)
        return rows if self.group.rank == root else rows[:0].copy()

    def scatter(self, x: Any, root: int) -> Any:
        """Row i of the array of `root`, on rank i."""
        rows = x if self.group.rank == root else backend.zeros(x, (self.group.size, *x.shape[1:]))
        return self.broadcast(rows, root)[self.group.rank].copy()

    def all_to_all(self, x: Any) -> Any:
        """Row i of each rank's array, on rank i."""
        return self._filled(x, x.shape, self.comm.alltoall)

    def _filled(self, x: Any, shape: tuple[int, ...], function: Any, *settings: Any) -> Any:
        """A new array of a shape, filled by ``function(x, array, *settings)``."""
        module = backend.module_of(x)
        sent, out = module.ascontiguousarray(x).reshape(x.shape), module.empty(shape, x.dtype)
        stream = module.cuda.get_current_stream().ptr
        if out.size:
            function(sent, out, *settings, stream=stream)
        return out
