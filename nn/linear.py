"""Layers that are linear in their inputs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd_core as ac
from autograd_core import Tensor, linear
from autograd_core.errors import ShapeError
from autograd_core.errors.tracebacks import public
from nn.init import Initializer, generator_of, uniform_
from nn.module import Module, Parameter, misfit

__all__ = ["Bilinear", "Linear"]


class Linear(Module):
    """An affine function of the last axis, x @ weight.T + bias.

    Shapes: x (..., in_features) → (..., out_features); weight (out_features, in_features), bias
    (out_features,).

    Parameters
    ----------
    in_features : int
        The length of the last axis of x.
    out_features : int
        The length of the last axis of the result.
    bias : bool, default True
        If false, there is no bias: the attribute is None.
    initializer : callable, optional
        A function of `nn.init` that fills the weight. The bias is then zero.
    generator : int or numpy.random.Generator, optional
        The source of the initial values: a seed, or a generator, which several layers may share. By
        default a new generator.
    dtype : dtype, default float64
        The dtype of weight and bias.

    Raises
    ------
    ShapeError
        If a number of features is less than 1, and in a call if x does not have `in_features`
        features; the error names the layer.
    DTypeError
        If `generator` is of another type, or `dtype` is not floating or complex.

    Notes
    -----
    See Goodfellow et al. (2016), algorithm 6.3: a = b + W h. The initial weights and biases are
    uniform in ±1 / √in_features, as in PyTorch.

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.Linear(3, 2, generator=0)
    >>> layer(np.ones((4, 3))).shape
    (4, 2)
    """

    @public
    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        initializer: Initializer | None = None,
        generator: Any = None,
        dtype: Any = np.float64,
    ) -> None:
        if in_features < 1 or out_features < 1:
            raise ShapeError(f"Linear needs at least 1 feature, not {in_features}, {out_features}")
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(np.zeros((out_features, in_features), dtype))
        self.bias = Parameter(np.zeros(out_features, dtype)) if bias else None
        generator = generator_of(generator)
        if initializer is None:
            uniform_by_fan(in_features, [self.weight, self.bias], generator)
        else:
            initializer(self.weight, generator=generator)

    def forward(self, x: Any) -> Tensor:
        """x @ weight.T + bias, of shape (..., out_features)."""
        try:
            return linear(x, self.weight, self.bias)
        except (ShapeError, AttributeError) as error:  # a number has no axes
            features, shape = self.weight.shape[1], np.shape(x)
            if x is None or shape[-1:] == (features,):
                raise
            explained = error if isinstance(error, ShapeError) else ShapeError()
            explained.args = (f"expects {features} features, x has shape {shape}",)
            raise misfit(self, explained) from None

    def multiply_adds(self, output: Any, *inputs: Any) -> int:
        """One for each weight and row."""
        return int(output.size) * self.in_features

    def describe(self) -> str:
        """The numbers of input and output features."""
        out_features, in_features = self.weight.shape
        return f"{in_features} → {out_features}{'' if self.bias is not None else ', no bias'}"


class Bilinear(Module):
    """A function that is linear in each of two inputs, x1ᵀ weight[k] x2 + bias[k] for each k.

    Shapes: x1 (..., in1_features), x2 (..., in2_features) → (..., out_features); weight
    (out_features, in1_features, in2_features), bias (out_features,).

    Parameters
    ----------
    in1_features : int
        The length of the last axis of x1.
    in2_features : int
        The length of the last axis of x2.
    out_features : int
        The length of the last axis of the result.
    bias : bool, default True
        If false, there is no bias: the attribute is None.
    generator : int or numpy.random.Generator, optional
        The source of the initial values, see `Linear`.
    dtype : dtype, default float64
        The dtype of weight and bias.

    Raises
    ------
    ShapeError
        If a number of features is less than 1, and in a call if x1 and x2 have other numbers of
        features or differ in the other axes.
    DTypeError
        If `generator` is of another type, or `dtype` is not floating or complex.

    Notes
    -----
    See Tenenbaum and Freeman (2000). The initial values are uniform in ±1 / √in1_features.

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.Bilinear(3, 4, 2, generator=0)
    >>> layer(np.ones((5, 3)), np.ones((5, 4))).shape
    (5, 2)
    """

    @public
    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        *,
        generator: Any = None,
        dtype: Any = np.float64,
    ) -> None:
        shape = out_features, in1_features, in2_features
        if min(shape) < 1:
            raise ShapeError(f"Bilinear needs at least 1 feature, not {shape[1:]} and {shape[0]}")
        self.in1_features, self.in2_features = in1_features, in2_features
        self.out_features = out_features
        self.weight = Parameter(np.zeros(shape, dtype))
        self.bias = Parameter(np.zeros(out_features, dtype)) if bias else None
        uniform_by_fan(in1_features, [self.weight, self.bias], generator_of(generator))

    def forward(self, x1: Any, x2: Any) -> Tensor:
        """The products and the bias, of shape (..., out_features)."""
        expected = (*x1.shape[:-1], self.in1_features), (*x1.shape[:-1], self.in2_features)
        if (x1.shape, x2.shape) != expected:
            message = (
                f"expects {self.in1_features} and {self.in2_features} features and otherwise equal "
                f"shapes, x1 has shape {x1.shape}, x2 {x2.shape}"
            )
            raise misfit(self, ShapeError(message))
        rows = ac.matmul(self.weight, x2[..., None, :, None])[..., 0]  # (..., out, in1)
        out = ac.matmul(rows, x1[..., None])[..., 0]
        return out if self.bias is None else out + self.bias

    def multiply_adds(self, output: Any, *inputs: Any) -> int:
        """A matrix and a vector times each of the two inputs."""
        return int(output.size) * (self.in2_features + 1) * self.in1_features

    def describe(self) -> str:
        """The numbers of features."""
        return f"{self.in1_features} by {self.in2_features} → {self.out_features}"


def uniform_by_fan(inputs: int, parameters: list[Parameter | None], generator: Any) -> None:
    """Fill parameters uniformly in ±1 / √inputs, PyTorch's default of layers."""
    bound = 1 / math.sqrt(inputs)
    for parameter in parameters:
        if parameter is not None:
            uniform_(parameter, -bound, bound, generator)
