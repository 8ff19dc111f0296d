"""Batch normalisation over the batches of all ranks."""

from __future__ import annotations

import math
from typing import Any

import autograd_core as ac
from autograd_core.errors import ShapeError
from autograd_core.errors.tracebacks import public
from nn.distributed.collectives import all_reduce
from nn.distributed.world import Group, world
from nn.module import Module, misfit
from nn.normalization import BatchNorm1d, BatchNorm2d, BatchNorm3d

__all__ = ["SyncBatchNorm"]


class SyncBatchNorm(BatchNorm1d):
    """Batch normalisation whose mean and variance in training are those of the batches of all
    ranks together, which may differ in size. x has the shape (n, c) or (n, c, …).

    `group` are the ranks, by default all; another attribute than that of `BatchNorm1d` it has not.
    ``SyncBatchNorm.convert_sync_batchnorm(model)`` replaces every BatchNorm in a model.
    """

    ndims = (2, 3, 4, 5)
    group: Group | None = None

    def moments(self, x: Any, axes: tuple[int, ...]) -> tuple[Any, Any, Any, Any]:
        """The mean over all ranks, x without it, the variance, and the number of values."""
        group = self.group or world()
        if group.size == 1:
            return super().moments(x, axes)
        own = math.prod(x.shape[axis] for axis in axes)
        if not own:
            raise misfit(self, ShapeError(f"x of shape {x.shape} has no value for a channel"))
        total = ac.sum(x, axis=axes, keepdims=True)
        flat = total.reshape(-1)
        reduced = all_reduce(ac.concatenate([flat, ac.full_like(flat[:1], own)]), group=group)
        count = reduced.data[-1] if isinstance(reduced, ac.Tensor) else reduced[-1]
        mean = (reduced[:-1] / count).reshape(total.shape)
        centered = x - mean
        squares = ac.sum(ac.square(centered), axis=axes, keepdims=True)
        return mean, centered, all_reduce(squares, group=group) / count, count

    @classmethod
    @public
    def convert_sync_batchnorm(cls, module: Module, group: Group | None = None) -> Module:
        """The model with a SyncBatchNorm, which has the same parameters and buffers, in place of
        each BatchNorm1d, 2d and 3d. The layers are replaced in the model itself."""
        for layer in module.modules():
            if type(layer) in (BatchNorm1d, BatchNorm2d, BatchNorm3d):
                layer.__class__ = cls
                layer.group = group
        return module
