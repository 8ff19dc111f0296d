"""What the ranks of a run of `nn.fit` do together: decide, add up, save."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd_core.devices import backend
from nn.distributed.parallel import DistributedDataParallel
from nn.distributed.world import Group

__all__ = ["Ranks", "summed"]


class Ranks:
    """The ranks on which a model is trained: one, if it is not a DistributedDataParallel."""

    traced_attributes = ()

    def __init__(self, model: Any) -> None:
        self.parallel = model if isinstance(model, DistributedDataParallel) else None
        self.group = Group() if self.parallel is None else self.parallel.group
        self.several = self.group.size > 1

    @property
    def writes(self) -> bool:
        """True on the rank that writes files and shows the progress."""
        return self.group.rank == 0

    def ending(self, stop: str, interrupted: bool) -> tuple[str, bool]:
        """The reason to end and whether the run was interrupted, on any rank."""
        if not self.several or not self.group.agree("the end of a step", bool(stop) or interrupted):
            return stop, interrupted
        found = self.group.objects((stop, interrupted))
        return next((s for s, _ in found if s), ""), any(i for _, i in found)

    def gathered(self, own: Any) -> list[Any]:
        """What each rank gives."""
        return self.group.objects(own)

    def synchronize_buffers(self) -> None:
        """Give all ranks the buffers of rank 0, if the model does so in training."""
        if self.parallel is not None and self.parallel.broadcast_buffers:
            self.parallel.synchronize_buffers()


def summed(group: Group, numbers: Sequence[float], metrics: Sequence[Any]) -> list[float]:
    """The sums of numbers over the ranks, in the order of the ranks. The counts of the metrics are
    added up too, so that each rank has the metrics of all."""
    if group.size == 1:
        return list(numbers)
    own = [None if m.total is None else backend.asnumpy(m.total) for m in metrics]
    every = group.objects((list(numbers), own))
    for i, metric in enumerate(metrics):
        totals = [totals[i] for _, totals in every if totals[i] is not None]
        metric.total = sum(totals[1:], totals[0]) if totals else None
    return [sum(column) for column in zip(*(found for found, _ in every), strict=True)]
