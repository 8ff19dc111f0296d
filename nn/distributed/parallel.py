"""Data-parallel training: the same model on each rank, with a part of each batch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

import autograd_core as ac
from autograd_core import no_grad
from autograd_core.engine.state import STATE
from autograd_core.errors import ArgumentError, AutogradError
from autograd_core.errors.tracebacks import public
from nn.distributed.collectives import all_reduce, broadcast, mean_of
from nn.distributed.world import Group, world
from nn.module import Module

__all__ = ["DistributedDataParallel"]


class DistributedDataParallel(Module):
    """A model that is trained on all ranks of a group, each with its own part of the data.

    At first all ranks get the parameters and buffers of rank 0. After each ``backward()``, the
    gradients are replaced by their mean over the ranks, in one message for each dtype: with a loss
    that is a mean over the batch, and batches of equal size, a step on n ranks is one with a batch
    n times as large. All ranks end with the same bits.

    Inside `no_sync()` gradients stay those of the rank, to accumulate them over several batches.
    Parameters without a gradient must be the same ones on all ranks, or RankError is raised;
    with `find_unused_parameters`, a gradient that is missing on some ranks counts as zero there.
    With `broadcast_buffers`, each forward pass in training begins with the buffers of rank 0, such
    as running means. The names of the parameters are those of the model, which is `module`.

        model = DistributedDataParallel(nn.Linear(784, 10))
        loader = nn.DataLoader(data, 100, shuffle=True, generator=0, shard=world())
        nn.fit(model, loader, loss, nn.SGD(model.parameters(), lr=0.1))

    The gradient of a `retain_graph` or `create_graph` pass is replaced too. With
    ``ac.grad(loss)``, which leaves no gradients in the parameters, call `all_reduce` yourself.
    """

    _unnamed = "module"

    @public
    def __init__(
        self,
        module: Module,
        group: Group | None = None,
        *,
        find_unused_parameters: bool = False,
        broadcast_buffers: bool = True,
    ) -> None:
        if not isinstance(module, Module):
            raise ArgumentError(
                f"DistributedDataParallel takes a Module, not a {type(module).__name__}"
            )
        self.module, self.group = module, group or world()
        self.find_unused_parameters = find_unused_parameters
        self.broadcast_buffers = broadcast_buffers
        self.synchronizes = True
        self._check_alike()
        tensors = [*module.parameters(), *module.buffers()]
        self._broadcast(tensors)
        if self.group.size > 1:
            self._watch()

    def forward(self, *inputs: Any, **settings: Any) -> Any:
        """The output of the model."""
        if self.training and self.broadcast_buffers and self.synchronizes and STATE.get()[0]:
            self.synchronize_buffers()
        return self.module(*inputs, **settings)

    @public
    def synchronize_buffers(self) -> None:
        """Give all ranks the buffers of rank 0. `nn.fit` does it before it evaluates or saves."""
        self._broadcast(self.module.buffers())

    @contextmanager
    def no_sync(self) -> Iterator[None]:
        """A context manager in which gradients are not exchanged: the next ``backward()`` outside
        of it exchanges their sum."""
        before, self.synchronizes = self.synchronizes, False
        try:
            yield
        finally:
            self.synchronizes = before

    # how it works

    def _watch(self) -> None:
        """Have `_synchronize` called after each backward pass."""
        for parameter in self.module.parameters():
            watch = None if parameter.node is None else parameter.node.watch
            if watch is not None:
                watch.after = self._synchronize

    def _check_alike(self) -> None:
        """Raise RankError if the ranks have different models."""
        if self.group.size == 1:
            return
        shapes = [(name, p.shape, p.dtype.str) for name, p in self.module.named_parameters()]
        shapes += [(name, b.shape, b.dtype.str) for name, b in self.module.named_buffers()]
        self.group.agree(f"DistributedDataParallel of {shapes}")

    def _broadcast(self, tensors: list[Any]) -> None:
        if self.group.size == 1:
            return
        with no_grad():
            for some in _by_dtype(tensors):
                flat = broadcast(_flat([t.data for t in some]), group=self.group)
                for tensor, part in zip(some, _parts(flat, some), strict=True):
                    tensor.copy_(part)

    def _synchronize(self) -> None:
        """Replace the gradients by their means over the ranks."""
        if not self.synchronizes:
            return
        named = [(n, p) for n, p in self.module.named_parameters() if p.requires_grad]
        having = [parameter for _, parameter in named if parameter.grad is not None]
        missing = [name for name, parameter in named if parameter.grad is None]
        what = f", without those of {', '.join(missing)}" if missing else ""
        if self.find_unused_parameters:
            having, what = self._used(named), ""
        for some in _by_dtype(having):
            grads = [parameter.grad for parameter in some]
            mean = mean_of(grads, self.group, f" of gradients{what}")
            for parameter, part in zip(some, _parts(mean, some), strict=True):
                parameter.grad = part

    def _used(self, named: list[Any]) -> list[Any]:
        """The parameters with a gradient on any rank; it is zero on the others."""
        here = np.array([parameter.grad is not None for _, parameter in named])
        used = all_reduce(here, "max", self.group)
        for (_, parameter), there, mine in zip(named, used, here, strict=True):
            if there and not mine:
                parameter.grad = ac.zeros_like(parameter.data)
        return [parameter for (_, parameter), there in zip(named, used, strict=True) if there]

    def __deepcopy__(self, memo: Any) -> Any:
        raise AutogradError(
            "a DistributedDataParallel cannot be copied: copy its module, as in "
            "copy.deepcopy(model.module)"
        )


def _by_dtype(tensors: list[Any]) -> list[list[Any]]:
    """The Tensors in their order, in a list for each dtype and device."""
    kinds: dict[Any, list[Any]] = {}
    for tensor in tensors:
        kinds.setdefault((tensor.dtype, tensor.device), []).append(tensor)
    return list(kinds.values())


def _flat(arrays: list[Any]) -> Any:
    """All elements, one behind the other."""
    return ac.concatenate([array.reshape(-1) for array in arrays])


def _parts(flat: Any, tensors: list[Any]) -> Iterator[Any]:
    """The parts of `flat` that belong to each Tensor, in its shape."""
    start = 0
    for tensor in tensors:
        yield flat[start : start + tensor.size].reshape(tensor.shape)
        start += tensor.size
