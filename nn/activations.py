"""Activation functions as modules, so that they appear in a model's repr and drawings.

Names, parameters and subgradients are PyTorch's. Each is applied to the elements of x, of any
shape, unless it has a `dim`.
"""

from __future__ import annotations

import math
from typing import Any

import autograd_core as ac
from autograd_core import Tensor
from autograd_core.errors import ArgumentError, ShapeError
from autograd_core.errors.tracebacks import public
from nn.module import Module, Parameter, misfit

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "Identity",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Softsign",
    "Tanh",
    "Tanhshrink",
]


class Identity(Module):
    """x itself."""

    def forward(self, x: Any) -> Any:
        """x."""
        return x


class Sigmoid(Module):
    """1 / (1 + exp(-x))."""

    def forward(self, x: Any) -> Tensor:
        """Values in (0, 1)."""
        return ac.sigmoid(x)


class ReLU(Module):
    """max(x, 0); the gradient at 0 is 0."""

    def forward(self, x: Any) -> Tensor:
        """Values in [0, ∞)."""
        return ac.relu(x)


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, x: Any) -> Tensor:
        """Values in (-1, 1)."""
        return ac.tanh(x)


class Softplus(Module):
    """log(1 + exp(beta x)) / beta. `threshold` is PyTorch's, which returns x for a larger beta x;
    here the formula is exact for every x, and `threshold` has no effect."""

    @public
    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        self.beta, self.threshold = beta, threshold

    def forward(self, x: Any) -> Tensor:
        """Values in (0, ∞)."""
        return ac.softplus(x) if self.beta == 1 else ac.softplus(x * self.beta) * (1 / self.beta)


class Softmax(Module):
    """exp(x) / sum(exp(x)) over the axis `dim`."""

    @public
    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, x: Any) -> Tensor:
        """Probabilities: they sum to 1 over `dim`."""
        return ac.softmax(x, axis=self.dim)


class LogSoftmax(Module):
    """log(softmax(x)) over the axis `dim`."""

    @public
    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, x: Any) -> Tensor:
        """Logarithms of probabilities."""
        return ac.log_softmax(x, axis=self.dim)


# ---- with a slope or a curve below zero ----------------------------------------------------------


def _below(x: Any) -> Any:
    """x where it is not positive, else 0: an exponential of it does not overflow."""
    return ac.where(x > 0, 0, x)


class LeakyReLU(Module):
    """x for x > 0, else `negative_slope` x (Maas et al., 2013)."""

    @public
    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = negative_slope

    def forward(self, x: Any) -> Any:
        """Values of x's shape."""
        return ac.where(x > 0, x, self.negative_slope * x)

    def describe(self) -> str:
        """The slope."""
        return f"negative_slope={self.negative_slope}"


class PReLU(Module):
    """`LeakyReLU` whose slope is learned (He et al., 2015): one `weight`, or one for each channel,
    which is axis 1. It begins with `init`."""

    @public
    def __init__(self, num_parameters: int = 1, init: float = 0.25, *, dtype: Any = None) -> None:
        self.weight = Parameter([init] * num_parameters, dtype=dtype)

    def forward(self, x: Any) -> Any:
        """Values of x's shape."""
        weight: Any = self.weight
        channels = weight.size
        if channels > 1:
            if x.ndim < 2 or x.shape[1] != channels:
                message = f"expects {channels} channels on axis 1, x has shape {x.shape}"
                raise misfit(self, ShapeError(message))
            weight = weight.reshape((channels,) + (1,) * (x.ndim - 2))
        return ac.where(x > 0, x, weight * x)

    def describe(self) -> str:
        """The number of slopes."""
        return f"num_parameters={self.weight.size}"


class ELU(Module):
    """x for x > 0, else alpha (exp(x) - 1) (Clevert et al., 2016)."""

    @public
    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def forward(self, x: Any) -> Any:
        """Values in (-alpha, ∞)."""
        return ac.where(x > 0, x, self.alpha * ac.expm1(_below(x)))

    def describe(self) -> str:
        """alpha."""
        return f"alpha={self.alpha}"


class CELU(ELU):
    """x for x > 0, else alpha (exp(x / alpha) - 1), whose derivative is continuous for every alpha
    (Barron, 2017)."""

    def forward(self, x: Any) -> Any:
        """Values in (-alpha, ∞)."""
        return ac.where(x > 0, x, self.alpha * ac.expm1(_below(x) / self.alpha))


class SELU(Module):
    """1.0507 x for x > 0, else 1.7581 (exp(x) - 1): mean 0 and variance 1 are a fixed point
    (Klambauer et al., 2017, equation 2)."""

    SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772

    def forward(self, x: Any) -> Any:
        """Values in (-1.7581, ∞)."""
        return ac.where(x > 0, self.SCALE * x, self.SCALE * self.ALPHA * ac.expm1(_below(x)))


# ---- gates of x ----------------------------------------------------------------------------------


class GELU(Module):
    """x Φ(x), with the distribution function Φ of the normal distribution (Hendrycks and Gimpel,
    2016). ``approximate="tanh"`` takes (1 + tanh(√(2 / π) (x + 0.044715 x³))) / 2 for Φ(x), and
    needs no SciPy."""

    @public
    def __init__(self, approximate: str = "none") -> None:
        if approximate not in ("none", "tanh"):
            raise ArgumentError(f'GELU: approximate is "none" or "tanh", not {approximate!r}')
        self.approximate = approximate

    def forward(self, x: Any) -> Any:
        """Values in (-0.17, ∞)."""
        if self.approximate == "none":
            from autograd_core.scipy.special import ndtr

            return x * ndtr(x)
        inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
        return 0.5 * x * (1 + ac.tanh(inner))

    def describe(self) -> str:
        """The formula."""
        return f"approximate={self.approximate!r}"


class SiLU(Module):
    """x sigmoid(x), also called swish (Elfwing et al., 2018)."""

    def forward(self, x: Any) -> Any:
        """Values in (-0.28, ∞)."""
        return x * ac.sigmoid(x)


class Mish(Module):
    """x tanh(softplus(x)) (Misra, 2020)."""

    def forward(self, x: Any) -> Any:
        """Values in (-0.31, ∞)."""
        return x * ac.tanh(ac.softplus(x))


class GLU(Module):
    """a sigmoid(b) for the two halves a, b of x along the axis `dim` (Dauphin et al., 2017)."""

    @public
    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, x: Any) -> Any:
        """Half as many values along `dim`."""
        if not -x.ndim <= self.dim < x.ndim or x.shape[self.dim] % 2:
            raise misfit(self, ShapeError(f"needs an even axis {self.dim}, x has shape {x.shape}"))
        a, b = ac.split(x, 2, axis=self.dim)
        return a * ac.sigmoid(b)

    def describe(self) -> str:
        """The axis."""
        return f"dim={self.dim}"


# ---- in pieces -----------------------------------------------------------------------------------


class Hardtanh(Module):
    """x, limited to [min_val, max_val]. The gradient at the limits is 0."""

    @public
    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        if not min_val < max_val:
            raise ArgumentError(
                f"{type(self).__name__}: min_val must be less than max_val, not {min_val} and "
                f"{max_val}"
            )
        self.min_val, self.max_val = min_val, max_val

    def forward(self, x: Any) -> Any:
        """Values in [min_val, max_val]."""
        limited = ac.where(x >= self.max_val, self.max_val, x)
        return ac.where(x <= self.min_val, self.min_val, limited)

    def describe(self) -> str:
        """The limits."""
        return f"min_val={self.min_val}, max_val={self.max_val}"


class ReLU6(Hardtanh):
    """min(max(x, 0), 6) (Howard et al., 2017)."""

    @public
    def __init__(self) -> None:
        super().__init__(0.0, 6.0)

    def describe(self) -> str:
        """Nothing."""
        return ""


class Hardsigmoid(Module):
    """x / 6 + 1 / 2, limited to [0, 1] (Howard et al., 2019)."""

    def forward(self, x: Any) -> Any:
        """Values in [0, 1]."""
        return ac.where(x <= -3, 0, ac.where(x >= 3, 1, x / 6 + 0.5))


class Hardswish(Module):
    """x `Hardsigmoid`(x) (Howard et al., 2019)."""

    def forward(self, x: Any) -> Any:
        """Values in [-0.375, ∞)."""
        return ac.where(x <= -3, 0, ac.where(x >= 3, x, x * (x + 3) / 6))


class LogSigmoid(Module):
    """log(sigmoid(x)), without overflow."""

    def forward(self, x: Any) -> Any:
        """Values in (-∞, 0)."""
        return -ac.softplus(-x)


class Softsign(Module):
    """x / (1 + |x|)."""

    def forward(self, x: Any) -> Any:
        """Values in (-1, 1)."""
        return x / (1 + ac.absolute(x))


class Tanhshrink(Module):
    """x - tanh(x)."""

    def forward(self, x: Any) -> Any:
        """Values of x's shape."""
        return x - ac.tanh(x)
