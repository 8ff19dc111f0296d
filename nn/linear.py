"""The fully connected layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import Tensor, linear
from autograd_core.errors import ShapeError
from autograd_core.errors.tracebacks import public
from nn.initializers import Initializer, generator_of, glorot_uniform, zeros
from nn.module import Module, Parameter, misfit

__all__ = ["Linear"]


class Linear(Module):
    """x @ weight.T + bias (Goodfellow et al., 2016, algorithm 6.3: a = b + W h).

    Shapes: x (..., in_features), weight (out_features, in_features), bias (out_features,); result
    (..., out_features). `initializer` is the distribution of the weights, which are drawn from
    `generator`: a ``numpy.random`` generator, an int (a seed), or None for a new generator. The
    initial biases are zero.

    Raises ShapeError, with the name of the layer, if x does not have `in_features` features.
    """

    @public
    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        initializer: Initializer = glorot_uniform,
        generator: Any = None,
        dtype: Any = np.float64,
    ) -> None:
        if in_features < 1 or out_features < 1:
            raise ShapeError(f"Linear needs at least 1 feature, not {in_features}, {out_features}")
        self.in_features, self.out_features = in_features, out_features
        weight = initializer((out_features, in_features), generator_of(generator))
        self.weight = Parameter(weight, dtype=dtype)
        self.bias = Parameter(zeros((out_features,)), dtype=dtype) if bias else None

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

    def describe(self) -> str:
        """The numbers of input and output features."""
        out_features, in_features = self.weight.shape
        return f"{in_features} → {out_features}{'' if self.bias is not None else ', no bias'}"
