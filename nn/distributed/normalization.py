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
    """Batch normalisation over the batches of all ranks.

    The mean and the variance in training are those of all batches together, which may differ in
    size. ``SyncBatchNorm.convert_sync_batchnorm(model)`` replaces every BatchNorm in a model. The
    attribute `group` is the group of the ranks, None for all; other attributes are those of
    `BatchNorm1d`.

    Shapes: x (n, c) or (n, c, …) → the same.

    Parameters
    ----------
    num_features : int
        The number c of channels.
    eps : float, default 1e-05
        A number added to the variance, so that the divisor is not 0.
    momentum : float or None, default 0.1
        The weight of a batch in the running mean and variance; None for the mean over all batches.
    affine : bool, default True
        If true, the result is multiplied by a weight for each channel, and a bias is added.
    track_running_stats : bool, default True
        If false, there is no running mean and variance, and evaluation uses those of the batch.
    bias : bool, default True
        If false, no bias is added.
    dtype : dtype, default float64
        The dtype of the parameters and buffers.

    Raises
    ------
    ShapeError
        In a call, for another number of channels or axes, or in training for one value in each
        channel.

    Examples
    --------
    >>> import numpy as np, nn
    >>> from nn.distributed import SyncBatchNorm
    >>> SyncBatchNorm(2)(np.array([[1.0, 10.0], [3.0, 30.0]])).data.round(3)
    array([[-1., -1.],
           [ 1.,  1.]])
    >>> SyncBatchNorm.convert_sync_batchnorm(nn.Sequential(nn.BatchNorm1d(2), nn.ReLU()))
    Sequential(
      0: SyncBatchNorm(2, eps=1e-05, momentum=0.1)
      1: ReLU()
    )
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
        """A model with a SyncBatchNorm in place of each BatchNorm1d, 2d and 3d.

        The layers are replaced in the model itself, and keep their parameters and buffers.

        Parameters
        ----------
        module : Module
            The model.
        group : Group, optional
            The ranks, by default all.

        Returns
        -------
        Module
            The same model.
        """
        for layer in module.modules():
            if type(layer) in (BatchNorm1d, BatchNorm2d, BatchNorm3d):
                layer.__class__ = cls
                layer.group = group
        return module
