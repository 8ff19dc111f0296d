"""The fully connected layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core import Tensor, linear
from autograd_core.errors import ShapeError
from nn.initializers import Initializer, glorot_uniform, zeros
from nn.module import Module, Parameter

__all__ = ["Linear"]


class Linear(Module):
    """x @ weight.T + bias (Goodfellow et al., 2016, algorithm 6.3: a = b + W h).

    Shapes: x (..., in_features), weight (out_features, in_features), bias (out_features,); result
    (..., out_features). `generator` draws the weights (a fresh one by default), `initializer` says
    how; biases start at zero.
    """

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
        generator = np.random.default_rng() if generator is None else generator
        weight = initializer((out_features, in_features), generator)
        self.weight = Parameter(weight, dtype=dtype)
        self.bias = Parameter(zeros((out_features,)), dtype=dtype) if bias else None

    def forward(self, x: Any) -> Tensor:
        """The layer's net input, shape (..., out_features)."""
        return linear(x, self.weight, self.bias)

    def describe(self) -> str:
        """Its features, in and out."""
        out_features, in_features = self.weight.shape
        return f"{in_features} → {out_features}{'' if self.bias is not None else ', no bias'}"
