"""Activation functions as modules, so that they appear in a model's repr and drawings.

Names, parameters and subgradients are PyTorch's. Each is applied to the elements of x, of any
shape, unless it has a `dim`, and the result has x's shape, but for `GLU`.
"""

from __future__ import annotations

import math
from typing import Any

import autograd_core as ac
from autograd_core import Tensor
from autograd_core.errors import ArgumentError, ShapeError
from autograd_core.errors.tracebacks import public
from nn.describing import like
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
    """The identity: returns x itself.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.Identity()(np.array([-2.0, 0.0, 3.0]))
    array([-2.,  0.,  3.])
    """

    def forward(self, x: Any) -> Any:
        """x."""
        return x


class Sigmoid(Module):
    """The logistic function, 1 / (1 + exp(-x)).

    See Also
    --------
    LogSigmoid : The logarithm of the result, without overflow.
    Hardsigmoid : An approximation in three straight pieces.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.Sigmoid()(np.array([-2.0, 0.0, 3.0]))
    array([0.11920292, 0.5       , 0.95257413])
    """

    def forward(self, x: Any) -> Tensor:
        """Values in (0, 1)."""
        return ac.sigmoid(x)


class ReLU(Module):
    """The rectified linear unit, max(x, 0).

    Notes
    -----
    The gradient at 0 is 0.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.ReLU()(np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 3.])
    """

    def forward(self, x: Any) -> Tensor:
        """Values in [0, ∞)."""
        return ac.relu(x)


class Tanh(Module):
    """The hyperbolic tangent.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.Tanh()(np.array([-2.0, 0.0, 3.0]))
    array([-0.96402758,  0.        ,  0.99505475])
    """

    def forward(self, x: Any) -> Tensor:
        """Values in (-1, 1)."""
        return ac.tanh(x)


class Softplus(Module):
    """A smooth approximation of ReLU, log(1 + exp(beta x)) / beta.

    Parameters
    ----------
    beta : float, default 1.0
        The larger it is, the closer the result is to ReLU.
    threshold : float, default 20.0
        No effect. PyTorch returns x for a larger beta x; here the formula is exact for every x.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.Softplus()(np.array([-2.0, 0.0, 3.0]))
    array([0.12692801, 0.69314718, 3.04858735])
    """

    @public
    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        self.beta, self.threshold = beta, threshold

    def forward(self, x: Any) -> Tensor:
        """Values in (0, ∞)."""
        return ac.softplus(x) if self.beta == 1 else ac.softplus(x * self.beta) * (1 / self.beta)


class Softmax(Module):
    """Probabilities from logits, exp(x) / sum(exp(x)) over an axis.

    Parameters
    ----------
    dim : int, default -1
        The axis over which the result sums to 1.

    Raises
    ------
    IndexingError
        In a call, if x has no axis `dim`.

    See Also
    --------
    LogSoftmax : The logarithms of the probabilities.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.Softmax()(np.array([-2.0, 0.0, 3.0]))
    array([0.00637746, 0.04712342, 0.94649912])
    """

    @public
    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, x: Any) -> Tensor:
        """Probabilities: they sum to 1 over `dim`."""
        return ac.softmax(x, axis=self.dim)


class LogSoftmax(Module):
    """Logarithms of probabilities, log(softmax(x)) over an axis.

    Parameters
    ----------
    dim : int, default -1
        The axis over which the probabilities sum to 1.

    Raises
    ------
    IndexingError
        In a call, if x has no axis `dim`.

    See Also
    --------
    NLLLoss : The loss of these logarithms.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.LogSoftmax()(np.array([-2.0, 0.0, 3.0]))
    array([-5.05498524, -3.05498524, -0.05498524])
    """

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
    """ReLU with a slope below 0: x for x > 0, else negative_slope x.

    Parameters
    ----------
    negative_slope : float, default 0.01
        The factor of x where x is not positive.

    See Also
    --------
    PReLU : The slope is learned.

    Notes
    -----
    The source is Maas et al., 2013.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.LeakyReLU()(np.array([-2.0, 0.0, 3.0]))
    array([-0.02,  0.  ,  3.  ])
    """

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
    """`LeakyReLU` whose slope below 0 is learned, as the parameter `weight`.

    Shapes: x (…) → (…), or x (n, num_parameters, …) with a slope for each channel.

    Parameters
    ----------
    num_parameters : int, default 1
        The number of slopes: 1, or that of the channels, which are on axis 1.
    init : float, default 0.25
        The slope at the beginning.
    dtype : dtype, optional
        That of `weight`, float64 by default.

    Raises
    ------
    DTypeError
        If `dtype` is neither floating nor complex.
    ShapeError
        In a call, if there are several slopes and x has another number of channels.

    Notes
    -----
    The source is He et al., 2015.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> layer = nn.PReLU()
    >>> layer(np.array([-2.0, 0.0, 3.0]))
    Tensor([-0.5,  0. ,  3. ], op=where)
    >>> layer.weight
    Tensor([0.25], requires_grad=True)
    """

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
    """The exponential linear unit: x for x > 0, else alpha (exp(x) - 1).

    Parameters
    ----------
    alpha : float, default 1.0
        The limit of the result for x → -∞ is -alpha.

    Notes
    -----
    The source is Clevert et al., 2016.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.ELU()(np.array([-2.0, 0.0, 3.0]))
    array([-0.86466472,  0.        ,  3.        ])
    """

    @public
    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def forward(self, x: Any) -> Any:
        """Values in (-alpha, ∞)."""
        return ac.where(x > 0, x, self.alpha * ac.expm1(_below(x)))

    def describe(self) -> str:
        """alpha."""
        return f"alpha={self.alpha}"


@like(ELU)
class CELU(ELU):
    """The continuously differentiable `ELU`: x for x > 0, else alpha (exp(x / alpha) - 1).

    Notes
    -----
    The derivative is continuous for every alpha (Barron, 2017).

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.CELU(alpha=0.5)(np.array([-2.0, 0.0, 3.0]))
    array([-0.49084218,  0.        ,  3.        ])
    """

    def forward(self, x: Any) -> Any:
        """Values in (-alpha, ∞)."""
        return ac.where(x > 0, x, self.alpha * ac.expm1(_below(x) / self.alpha))


class SELU(Module):
    """The scaled `ELU`: 1.0507 x for x > 0, else 1.7581 (exp(x) - 1).

    Notes
    -----
    Mean 0 and variance 1 are a fixed point (Klambauer et al., 2017, equation 2).

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.SELU()(np.array([-2.0, 0.0, 3.0]))
    array([-1.52016647,  0.        ,  3.15210296])
    """

    SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772

    def forward(self, x: Any) -> Any:
        """Values in (-1.7581, ∞)."""
        return ac.where(x > 0, self.SCALE * x, self.SCALE * self.ALPHA * ac.expm1(_below(x)))


# ---- gates of x ----------------------------------------------------------------------------------


class GELU(Module):
    """The Gaussian error linear unit x Φ(x), with the normal distribution function Φ.

    Parameters
    ----------
    approximate : str, default 'none'
        ``"tanh"`` takes (1 + tanh(√(2 / π) (x + 0.044715 x³))) / 2 for Φ(x), and needs no SciPy.
        ``"none"`` is exact.

    Raises
    ------
    ArgumentError
        If `approximate` is another string.

    Notes
    -----
    The source is Hendrycks and Gimpel, 2016.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.GELU("tanh")(np.array([-2.0, 0.0, 3.0]))
    array([-0.04540231,  0.        ,  2.99636261])
    """

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
    """The sigmoid linear unit x sigmoid(x), also called swish.

    Notes
    -----
    The source is Elfwing et al., 2018.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.SiLU()(np.array([-2.0, 0.0, 3.0]))
    array([-0.23840584,  0.        ,  2.85772238])
    """

    def forward(self, x: Any) -> Any:
        """Values in (-0.28, ∞)."""
        return x * ac.sigmoid(x)


class Mish(Module):
    """The function x tanh(softplus(x)).

    Notes
    -----
    The source is Misra, 2020.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.Mish()(np.array([-2.0, 0.0, 3.0]))
    array([-0.25250148,  0.        ,  2.986535  ])
    """

    def forward(self, x: Any) -> Any:
        """Values in (-0.31, ∞)."""
        return x * ac.tanh(ac.softplus(x))


class GLU(Module):
    """The gated linear unit a sigmoid(b), where a and b are the two halves of x along an axis.

    Shapes: x (…, 2 n, …) → (…, n, …).

    Parameters
    ----------
    dim : int, default -1
        The axis that is halved.

    Raises
    ------
    ShapeError
        In a call, if x has no axis `dim`, or if its size is odd.

    Notes
    -----
    The source is Dauphin et al., 2017.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.GLU()(np.array([1.0, 2.0, 0.0, 3.0]))
    array([0.5       , 1.90514825])
    """

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
    """An approximation of tanh in straight pieces: x, limited to [min_val, max_val].

    Parameters
    ----------
    min_val : float, default -1.0
        The lower limit.
    max_val : float, default 1.0
        The upper limit.

    Raises
    ------
    ArgumentError
        If `min_val` is not less than `max_val`.

    Notes
    -----
    The gradient at the limits is 0.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.Hardtanh()(np.array([-2.0, 0.5, 3.0]))
    array([-1. ,  0.5,  1. ])
    """

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
    """ReLU with an upper limit, min(max(x, 0), 6).

    Notes
    -----
    The gradient at 0 and at 6 is 0. The source is Howard et al., 2017.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.ReLU6()(np.array([-2.0, 3.0, 8.0]))
    array([0., 3., 6.])
    """

    @public
    def __init__(self) -> None:
        super().__init__(0.0, 6.0)

    def describe(self) -> str:
        """Nothing."""
        return ""


class Hardsigmoid(Module):
    """An approximation of the sigmoid in straight pieces: x / 6 + 1 / 2, limited to [0, 1].

    Notes
    -----
    The source is Howard et al., 2019.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.Hardsigmoid()(np.array([-4.0, 0.0, 1.5]))
    array([0.  , 0.5 , 0.75])
    """

    def forward(self, x: Any) -> Any:
        """Values in [0, 1]."""
        return ac.where(x <= -3, 0, ac.where(x >= 3, 1, x / 6 + 0.5))


class Hardswish(Module):
    """An approximation of swish, x `Hardsigmoid`(x).

    Notes
    -----
    The source is Howard et al., 2019.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.Hardswish()(np.array([-4.0, 0.0, 1.5]))
    array([0.   , 0.   , 1.125])
    """

    def forward(self, x: Any) -> Any:
        """Values in [-0.375, ∞)."""
        return ac.where(x <= -3, 0, ac.where(x >= 3, x, x * (x + 3) / 6))


class LogSigmoid(Module):
    """The logarithm of the sigmoid, log(1 / (1 + exp(-x))), without overflow.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.LogSigmoid()(np.array([-1000.0, -800.0]))
    array([-1000.,  -800.])
    """

    def forward(self, x: Any) -> Any:
        """Values in (-∞, 0)."""
        return -ac.softplus(-x)


class Softsign(Module):
    """The function x / (1 + |x|).

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.Softsign()(np.array([-2.0, 0.0, 3.0]))
    array([-0.66666667,  0.        ,  0.75      ])
    """

    def forward(self, x: Any) -> Any:
        """Values in (-1, 1)."""
        return x / (1 + ac.absolute(x))


class Tanhshrink(Module):
    """The function x - tanh(x).

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.Tanhshrink()(np.array([-2.0, 0.0, 3.0]))
    array([-1.03597242,  0.        ,  2.00494525])
    """

    def forward(self, x: Any) -> Any:
        """Values of x's shape."""
        return x - ac.tanh(x)
