"""Layers that give their input mean 0 and variance 1, over the batch or within an example.

All compute (x - mean) / √(var + eps) · weight + bias, and differ in the axes of the mean and of the
variance, which is that of the population (divided by n). Inputs have the shape (n, channels, …).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd_core as ac
from autograd_core import Tensor, no_grad
from autograd_core.errors import ArgumentError, DTypeError, ShapeError
from autograd_core.errors.tracebacks import public
from nn.describing import like
from nn.module import Buffer, Module, Parameter, misfit

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "GroupNorm",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LayerNorm",
    "RMSNorm",
]


class Normalization(Module):
    """Computes in float32 if x is float16, whose squares overflow at 256."""

    weight: Parameter | None
    bias: Parameter | None

    def forward(self, x: Any) -> Any:
        """x, normalised. In training, a running mean and variance follow those of x."""
        if x.dtype.char == "e":
            return self.normalized(x.astype(np.float32)).astype(np.float16)
        return self.normalized(x)

    def normalized(self, x: Any) -> Any:
        """The result for x in float32 or more."""
        raise NotImplementedError

    def scaled(self, out: Any) -> Any:
        """The result times the weights of the channels, plus their biases, if there are any."""
        out = out if self.weight is None else out * _of_channels(self.weight, out)
        return out if self.bias is None else out + _of_channels(self.bias, out)


def _moments(x: Any, axes: tuple[int, ...]) -> tuple[Any, Any, Any]:
    """The mean of x over `axes`, x without it, and the variance."""
    mean = ac.mean(x, axis=axes, keepdims=True)
    centered = x - mean
    return mean, centered, ac.mean(ac.square(centered), axis=axes, keepdims=True)


def _normalized(x: Any, axes: tuple[int, ...], eps: float) -> Any:
    """x with mean 0 and variance 1 over `axes`."""
    _, centered, variance = _moments(x, axes)
    return centered * (1 / ac.sqrt(variance + eps))


def _of_channels(vector: Any, x: Any) -> Any:
    """A vector of the channels in a shape that broadcasts with x: channels are axis 1."""
    return vector.reshape((1, vector.size) + (1,) * (x.ndim - 2))


def _array(x: Any) -> Any:
    return x.data if isinstance(x, Tensor) else x


class _WithStatistics(Normalization):
    """BatchNorm and InstanceNorm: `ndims` are the numbers of axes that the input may have."""

    ndims: tuple[int, ...] = ()
    of_batch = True

    @public
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
        dtype: Any = np.float64,
    ) -> None:
        if num_features < 1:
            raise ShapeError(f"{type(self).__name__} needs at least 1 channel, not {num_features}")
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self.weight = Parameter(np.ones(num_features), dtype=dtype) if affine else None
        self.bias = Parameter(np.zeros(num_features), dtype=dtype) if affine and bias else None
        if track_running_stats:
            self.running_mean = Buffer(np.zeros(num_features), dtype=dtype)
            self.running_var = Buffer(np.ones(num_features), dtype=dtype)
            self.num_batches_tracked = Buffer(np.zeros((), np.int64))

    def normalized(self, x: Any) -> Any:
        """The normalised x."""
        if not self.of_batch and x.ndim == min(self.ndims) - 1:  # one example
            return self.normalized(x[None])[0]
        self._check(x)
        axes = (0, *range(2, x.ndim)) if self.of_batch else tuple(range(2, x.ndim))
        if self.training or not self.track_running_stats:
            mean, centered, variance, count = self.moments(x, axes)
            if self.track_running_stats:
                self._track(_array(mean), _array(variance) * (count / (count - 1)))
            out = centered * (1 / ac.sqrt(variance + self.eps))
        else:
            mean, variance = self.running_mean.data, self.running_var.data
            out = (x - _of_channels(mean, x)) / np.sqrt(_of_channels(variance, x) + self.eps)
        return self.scaled(out)

    def moments(self, x: Any, axes: tuple[int, ...]) -> tuple[Any, Any, Any, Any]:
        """The mean of x over `axes`, x without it, the variance, and the number of values of a
        channel."""
        count = self._count(x, axes)
        return *_moments(x, axes), count

    def _check(self, x: Any) -> None:
        if x.ndim not in self.ndims or x.shape[1] != self.num_features:
            axes = " or ".join(map(str, self.ndims))
            message = (
                f"expects {axes} axes with {self.num_features} channels on axis 1, x has shape "
                f"{x.shape}"
            )
            raise misfit(self, ShapeError(message))

    def _count(self, x: Any, axes: tuple[int, ...]) -> int:
        """The number of values of a channel."""
        count: int = math.prod(x.shape[axis] for axis in axes)
        if count < 2:
            message = (
                f"x of shape {x.shape} has {('no', 'one')[count]} value for each channel, and no "
                "variance: use a larger batch, or eval()"
            )
            raise misfit(self, ShapeError(message))
        return count

    def _track(self, mean: Any, variance: Any) -> None:
        """Move the running mean and variance towards these; of several examples, their means."""
        kept = (0, *range(2, mean.ndim))
        mean, variance = np.mean(mean, axis=kept), np.mean(variance, axis=kept)
        batches, share = self.num_batches_tracked, self.momentum or 0.0
        with no_grad():
            if self.of_batch:  # as in PyTorch
                batches.copy_(batches.data + 1)
                share = 1 / batches.data if self.momentum is None else self.momentum
            for running, now in ((self.running_mean, mean), (self.running_var, variance)):
                moved = running.data + (now - running.data) * share
                running.copy_(moved.astype(running.dtype, copy=False))

    def describe(self) -> str:
        """The number of channels."""
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"


class BatchNorm1d(_WithStatistics):
    """Normalises each channel over the batch, (x - mean) / √(var + eps) · weight + bias.

    Shapes: x (n, c) or (n, c, length) → like x; weight and bias (c,).

    Parameters
    ----------
    num_features : int
        The number of channels c.
    eps : float, default 1e-05
        Added to the variance.
    momentum : float or None, default 0.1
        The share by which the running mean and variance move towards those of x. With None they are
        the means over all batches.
    affine : bool, default True
        If false, there are neither weight nor bias.
    track_running_stats : bool, default True
        If false, there are no running statistics, and those of x are used in evaluation, too.
    bias : bool, default True
        If false, there is no bias.
    dtype : dtype, default float64
        The dtype of weight, bias and running statistics.

    Raises
    ------
    ShapeError
        If `num_features` is less than 1. In a call, if x has other axes or another number of
        channels, or where the statistics of x are used, if there are less than two values for each
        channel.
    DTypeError
        If `dtype` is not floating or complex, unless `affine` is false.

    Notes
    -----
    In training, mean and variance are those of x, and the buffers `running_mean` and `running_var`
    move towards them. In evaluation, these are used. The variance by which x is divided is that of
    the population, the running one that of the sample, as in PyTorch. x of float16 is computed in
    float32. See Ioffe and Szegedy (2015).

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.BatchNorm1d(2)
    >>> layer(np.array([[0.0, 5.0], [2.0, 7.0]])).round(3)
    Tensor([[-1., -1.],
            [ 1.,  1.]])
    >>> layer.running_mean
    Tensor([0.1, 0.6])
    """

    ndims: tuple[int, ...] = (2, 3)


@like(BatchNorm1d)
class BatchNorm2d(_WithStatistics):
    """Normalises each channel of images over the batch.

    Shapes: x (n, c, h, w) → like x; weight and bias (c,).

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.BatchNorm2d(3)
    >>> layer(np.random.default_rng(0).normal(size=(4, 3, 8, 8))).shape
    (4, 3, 8, 8)
    """

    ndims = (4,)


@like(BatchNorm1d)
class BatchNorm3d(_WithStatistics):
    """Normalises each channel of volumes over the batch.

    Shapes: x (n, c, d, h, w) → like x; weight and bias (c,).

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.BatchNorm3d(3)
    >>> layer(np.random.default_rng(0).normal(size=(4, 3, 2, 8, 8))).shape
    (4, 3, 2, 8, 8)
    """

    ndims = (5,)


class _InstanceNorm(_WithStatistics):
    of_batch = False

    @public
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        bias: bool = True,
        dtype: Any = np.float64,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, bias=bias, dtype=dtype
        )


@like(BatchNorm1d)
class InstanceNorm1d(_InstanceNorm):
    """Normalises each channel of each example, (x - mean) / √(var + eps) · weight + bias.

    Shapes: x (n, c, length) or (c, length) → like x; weight and bias (c,).

    Parameters
    ----------
    momentum : float or None, default 0.1
        The share by which the running mean and variance move towards those of x. With None they do
        not move.
    affine : bool, default False
        If true, there are a weight and a bias.
    track_running_stats : bool, default False
        If true, running statistics are kept in training and used in evaluation.

    Notes
    -----
    By default without weights and running statistics. The variance is that of the population. x of
    float16 is computed in float32. See Ulyanov et al. (2017).

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.InstanceNorm1d(2)
    >>> layer(np.array([[[0.0, 2.0], [5.0, 7.0]]])).round(3)
    array([[[-1.,  1.],
            [-1.,  1.]]])
    """

    ndims = (3,)


@like(InstanceNorm1d)
class InstanceNorm2d(_InstanceNorm):
    """Normalises each channel of each image.

    Shapes: x (n, c, h, w) or (c, h, w) → like x; weight and bias (c,).

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.InstanceNorm2d(3)
    >>> layer(np.random.default_rng(0).normal(size=(4, 3, 8, 8))).shape
    (4, 3, 8, 8)
    """

    ndims = (4,)


@like(InstanceNorm1d)
class InstanceNorm3d(_InstanceNorm):
    """Normalises each channel of each volume.

    Shapes: x (n, c, d, h, w) or (c, d, h, w) → like x; weight and bias (c,).

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.InstanceNorm3d(3)
    >>> layer(np.random.default_rng(0).normal(size=(4, 3, 2, 8, 8))).shape
    (4, 3, 2, 8, 8)
    """

    ndims = (5,)


class _OfLastAxes(Normalization):
    """LayerNorm and RMSNorm: over the last axes, of the shape `normalized_shape`."""

    def __init__(
        self, normalized_shape: Any, eps: float | None, elementwise_affine: bool, dtype: Any
    ) -> None:
        whole = isinstance(normalized_shape, int | np.integer)
        shape = (int(normalized_shape),) if whole else normalized_shape
        self.normalized_shape, self.eps = tuple(shape), eps
        self.weight = Parameter(np.ones(self.normalized_shape), dtype=dtype) if (
            elementwise_affine) else None  # fmt: skip

    def axes_of(self, x: Any) -> tuple[int, ...]:
        """The last axes, whose shape is checked."""
        shape = self.normalized_shape
        if x.shape[x.ndim - len(shape) :] != shape:
            message = f"expects the last axes to have the shape {shape}, x has shape {x.shape}"
            raise misfit(self, ShapeError(message))
        return tuple(range(-len(shape), 0))

    def describe(self) -> str:
        """The shape."""
        return f"{self.normalized_shape}, eps={self.eps}"


class LayerNorm(_OfLastAxes):
    """Normalises over the last axes, (x - mean) / √(var + eps) · weight + bias.

    Shapes: x (…, *normalized_shape) → like x; weight and bias `normalized_shape`.

    Parameters
    ----------
    normalized_shape : int or tuple of int
        The shape of the last axes, or the length of the last one.
    eps : float, default 1e-05
        Added to the variance, which is that of the population.
    elementwise_affine : bool, default True
        If false, there are neither weight nor bias.
    bias : bool, default True
        If false, there is no bias.
    dtype : dtype, default float64
        The dtype of weight and bias.

    Raises
    ------
    ShapeError
        In a call, if the last axes of x have another shape.
    DTypeError
        If `dtype` is not floating or complex, unless `elementwise_affine` is false.

    See Also
    --------
    RMSNorm : Without the mean.

    Notes
    -----
    See Ba et al. (2016). x of float16 is computed in float32.

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.LayerNorm(2, elementwise_affine=False)
    >>> layer(np.array([[0.0, 2.0], [5.0, 9.0]])).round(3)
    array([[-1.,  1.],
           [-1.,  1.]])
    """

    @public
    def __init__(
        self,
        normalized_shape: Any,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: Any = np.float64,
    ) -> None:
        super().__init__(normalized_shape, eps, elementwise_affine, dtype)
        with_bias = elementwise_affine and bias
        self.bias = Parameter(np.zeros(self.normalized_shape), dtype=dtype) if with_bias else None

    def normalized(self, x: Any) -> Any:
        """The normalised x."""
        assert self.eps is not None
        out = _normalized(x, self.axes_of(x), self.eps)
        out = out if self.weight is None else out * self.weight
        return out if self.bias is None else out + self.bias


class RMSNorm(_OfLastAxes):
    """Divides by the root mean square of the last axes, x / √(mean(x²) + eps) · weight.

    Shapes: x (…, *normalized_shape) → like x; weight `normalized_shape`.

    Parameters
    ----------
    normalized_shape : int or tuple of int
        The shape of the last axes, or the length of the last one.
    eps : float, optional
        Added to the mean of the squares. By default the eps of x's dtype.
    elementwise_affine : bool, default True
        If false, there is no weight.
    dtype : dtype, default float64
        The dtype of the weight.

    Raises
    ------
    ShapeError
        In a call, if the last axes of x have another shape.
    DTypeError
        If `dtype` is not floating or complex, unless `elementwise_affine` is false, and in a call
        if x is not of floating-point or complex numbers and `eps` is not given.

    See Also
    --------
    LayerNorm : With the mean.

    Notes
    -----
    See Zhang and Sennrich (2019). x of float16 is computed in float32.

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.RMSNorm(2, elementwise_affine=False)
    >>> layer(np.array([[3.0, 4.0]])).round(3)
    array([[0.849, 1.131]])
    """

    @public
    def __init__(
        self,
        normalized_shape: Any,
        eps: float | None = None,
        elementwise_affine: bool = True,
        *,
        dtype: Any = np.float64,
    ) -> None:
        super().__init__(normalized_shape, eps, elementwise_affine, dtype)

    def normalized(self, x: Any) -> Any:
        """x, divided by its root mean square."""
        if self.eps is None and x.dtype.kind not in "fc":
            raise misfit(self, DTypeError(f"expects floating-point numbers, x has {x.dtype}"))
        eps = float(np.finfo(x.dtype).eps) if self.eps is None else self.eps
        out = x / ac.sqrt(ac.mean(x * x, axis=self.axes_of(x), keepdims=True) + eps)
        return out if self.weight is None else out * self.weight


class GroupNorm(Normalization):
    """Normalises over groups of channels of each example.

    The result is (x - mean) / √(var + eps) · weight + bias.

    Shapes: x (n, c, …) → like x; weight and bias (c,).

    Parameters
    ----------
    num_groups : int
        The number of groups. It divides the number of channels.
    num_channels : int
        The number of channels c.
    eps : float, default 1e-05
        Added to the variance, which is that of the population.
    affine : bool, default True
        If false, there are neither weight nor bias.
    bias : bool, default True
        If false, there is no bias.
    dtype : dtype, default float64
        The dtype of weight and bias.

    Raises
    ------
    ArgumentError
        If `num_groups` does not divide the channels.
    ShapeError
        In a call, if x has another number of channels.
    DTypeError
        If `dtype` is not floating or complex, unless `affine` is false.

    Notes
    -----
    See Wu and He (2018). x of float16 is computed in float32.

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.GroupNorm(2, 4)
    >>> layer(np.random.default_rng(0).normal(size=(3, 4, 8, 8))).shape
    (3, 4, 8, 8)
    """

    @public
    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        bias: bool = True,
        dtype: Any = np.float64,
    ) -> None:
        if num_groups < 1 or num_channels % num_groups:
            raise ArgumentError(
                f"GroupNorm: {num_channels} channels cannot be divided into {num_groups} groups"
            )
        self.num_groups, self.num_channels, self.eps = num_groups, num_channels, eps
        self.weight = Parameter(np.ones(num_channels), dtype=dtype) if affine else None
        self.bias = Parameter(np.zeros(num_channels), dtype=dtype) if affine and bias else None

    def normalized(self, x: Any) -> Any:
        """The normalised x."""
        if x.ndim < 2 or x.shape[1] != self.num_channels:
            message = f"expects {self.num_channels} channels on axis 1, x has shape {x.shape}"
            raise misfit(self, ShapeError(message))
        size = self.num_channels // self.num_groups * math.prod(x.shape[2:])
        groups = x.reshape((x.shape[0], self.num_groups, size))
        out = _normalized(groups, (2,), self.eps).reshape(x.shape)
        return self.scaled(out)

    def describe(self) -> str:
        """The groups and channels."""
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}"
