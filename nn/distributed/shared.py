"""Sums over ranks on one machine, in memory that they share: twice as fast as MPI's messages."""

from __future__ import annotations

from typing import Any

import numpy as np

SLOT = 1 << 20  # bytes of a rank in the shared memory, few enough to stay in the caches
MOST = 1 << 25  # bytes of all slots; containers often have 64 MiB of shared memory
LEAST = 1 << 15  # bytes of an array for which it is faster than messages


class Shared:
    """Memory that all ranks of a communicator share: a slot for each, and one for the result."""

    def __init__(self, mpi: Any, comm: Any) -> None:
        self.comm, self.rank, self.size = comm, comm.Get_rank(), comm.Get_size()
        self.slot = min(SLOT, MOST // (self.size + 1)) // 64 * 64
        mine = self.slot * (self.size + 1) if self.rank == 0 else 0
        self.window = mpi.Win.Allocate_shared(mine, 1, comm=comm)
        memory, _ = self.window.Shared_query(0)
        self.bytes = np.frombuffer(memory, np.uint8).reshape(self.size + 1, self.slot)
        self.window.Lock_all()

    def reduce(self, ufunc: Any, x: Any, out: Any) -> None:
        """Write ``ufunc(…, ufunc(x of rank 0, x of rank 1), …)`` to `out`, on all ranks. Both are
        arrays in C order, and may be the same."""
        x, out, step = x.reshape(-1), out.reshape(-1), self.slot // x.dtype.itemsize
        for start in range(0, x.size, step):
            piece = slice(start, min(start + step, x.size))
            count = piece.stop - start
            slots = self.bytes[:, : count * x.dtype.itemsize].view(x.dtype)
            slots[self.rank] = x[piece]
            self._meet()
            part = slice(self.rank * count // self.size, (self.rank + 1) * count // self.size)
            total = slots[-1, part]
            ufunc(slots[0, part], slots[1, part], out=total)
            for other in slots[2:-1, part]:
                ufunc(total, other, out=total)
            self._meet()
            out[piece] = slots[-1]

    def _meet(self) -> None:
        """Wait until all ranks are here, and see what they have written."""
        self.window.Sync()
        self.comm.Barrier()
        self.window.Sync()

    def free(self) -> None:
        """Give the memory back. All ranks must call it."""
        del self.bytes
        self.window.Unlock_all()
        self.window.Free()


def shared(group: Any, mpi: Any) -> Shared | None:
    """The shared memory of a group, made when it is first needed; None if its ranks are on several
    machines, or if there is no such memory. All ranks must call it."""
    if not group.near:
        return None
    if group.memory is None:
        try:
            found: Shared | None = Shared(mpi, group.comm)
        except mpi.Exception:  # such as a container without it
            found = None
        everywhere = np.array(found is not None)
        group.comm.Allreduce(mpi.IN_PLACE, everywhere, mpi.LAND)
        group.memory, group.near = found if everywhere else None, bool(everywhere)
    return group.memory  # type: ignore[no-any-return]
