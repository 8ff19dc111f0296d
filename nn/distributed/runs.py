"""What the ranks of a run of `nn.fit` do together: decide, add up, save."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd_core import no_grad
from autograd_core.devices import backend
from autograd_core.errors import ArgumentError
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

    def check(self, model: Any, loader: Any, loss: Any, valid: Any) -> None:
        """Raise ArgumentError for what would be trained by each rank for itself. The validation on
        the ranks counts no sample twice."""
        part = getattr(loader, "ranks", None)
        inner = self.parallel is None and any(
            isinstance(module, DistributedDataParallel) and module.group.size > 1
            for module in model.modules()
        )
        if inner or (part is not None and part.size > 1 and not self.several):
            raise ArgumentError(
                "fit: on several ranks the model is a DistributedDataParallel: write "
                "nn.fit(DistributedDataParallel(model), …)"
            )
        if self.several and getattr(loss, "parameters", list)():
            raise ArgumentError(
                "fit: on several ranks, parameters belong to the model; those of the loss would be "
                "trained by each rank for itself"
            )
        if getattr(valid, "ranks", None) is not None:
            valid.even = False

    def ending(self, stop: str, interrupted: bool) -> tuple[str, bool]:
        """The reason to end and whether the run was interrupted, on any rank."""
        if not self.several or not self.group.agree("the end of a step", bool(stop) or interrupted):
            return stop, interrupted
        found = self.group.objects((stop, interrupted))
        return next((s for s, _ in found if s), ""), any(i for _, i in found)

    def own_buffers(self) -> dict[str, Any] | None:
        """The buffers of this rank, if each has its own."""
        if not self.several or self.parallel is None or self.parallel.broadcast_buffers:
            return None
        named = self.parallel.module.named_buffers()
        return {name: backend.asnumpy(buffer.data).copy() for name, buffer in named}

    def restore_buffers(self, own: dict[str, Any] | None) -> None:
        """Set the buffers of this rank."""
        if own and self.parallel is not None:
            with no_grad():
                for name, buffer in self.parallel.module.named_buffers():
                    buffer.copy_(backend.to_device(own[name], buffer.device))

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
