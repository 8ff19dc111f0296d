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
    """x @ weight.T + bias (Goodfellow et al., 2016, algorithm 6.3: a = b + W h).

    Shapes: x (..., in_features), weight (out_features, in_features), bias (out_features,); result
    (..., out_features).

    The initial weights and biases are uniform in ±1 / √in_features, as in PyTorch. With an
    `initializer`, a function of `nn.init`, it fills the weights, and the biases are zero. Both are
    drawn from `generator`: a ``numpy.random`` generator, an int (a seed), or None for a new
    generator.

    Raises ShapeError, with the name of the layer, if x does not have `in_features` features.
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
    """x1ᵀ weight[k] x2 + bias[k] for each k, linear in each of two inputs (Tenenbaum and Freeman,
    2000).

    Shapes: x1 (..., in1_features), x2 (..., in2_features), weight (out_features, in1_features,
    in2_features), bias (out_features,); result (..., out_features). The initial values are uniform
    in ±1 / √in1_features. Raises ShapeError for other shapes.
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
