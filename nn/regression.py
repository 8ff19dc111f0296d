"""Losses of predicted numbers and of the parameters of distributions."""

from __future__ import annotations

import math
from typing import Any

import autograd_core as ac
from autograd_core.errors import ArgumentError, ShapeError
from autograd_core.errors.tracebacks import public
from nn.data.labels import readable
from nn.describing import like
from nn.losses import Loss, check_shapes, kind_of, real_operands

__all__ = [
    "GaussianNLLLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "PoissonNLLLoss",
    "SmoothL1Loss",
]


class _Elementwise(Loss):
    """Losses of the elements of an input and a target of the same shape, which are real."""

    def of(self, input: Any, target: Any) -> Any:
        """The losses of the elements."""
        raise NotImplementedError

    def forward(self, input: Any, target: Any) -> Any:
        """The loss: shape (), or the operands' with ``reduction="none"``."""
        input, target = real_operands(self, input, target)
        check_shapes(self, input, target)
        return self.reduced(self.of(input, target))


@like(Loss)
class L1Loss(_Elementwise):
    """The absolute error |input - target|.

    Shapes: input (…), target (…) → (), or (…) with ``reduction="none"``.

    Notes
    -----
    The gradient at 0 is 0.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.L1Loss()(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    np.float64(1.0)
    """

    @public
    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def of(self, input: Any, target: Any) -> Any:
        """|d|."""
        return ac.absolute(input - target)


class HuberLoss(_Elementwise):
    """A loss that is quadratic for small and linear for large errors.

    It is d² / 2 for |d| < delta, else delta (|d| - delta / 2), with d = input - target.

    Shapes: input (…), target (…) → (), or (…) with ``reduction="none"``.

    Parameters
    ----------
    reduction : str, default 'mean'
        How the losses of the elements are combined, as in `MSE`.
    delta : float, default 1.0
        The error from which the loss is linear.

    Raises
    ------
    ArgumentError
        If `reduction` is another string, or `delta` is not positive.
    ShapeError
        In a call, if the shapes differ, or if there is no example to take the mean of.
    DTypeError
        In a call, if an operand is None or complex.

    See Also
    --------
    SmoothL1Loss : This loss, divided by delta.

    Notes
    -----
    The source is Huber, 1964.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.HuberLoss(reduction="none")(np.array([0.0, 0.0]), np.array([0.5, 3.0]))
    array([0.125, 2.5  ])
    """

    @public
    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        if not delta > 0:
            raise ArgumentError(f"{kind_of(self)}: delta must be positive, not {delta}")
        self.delta = delta

    def of(self, input: Any, target: Any) -> Any:
        """Huber's function."""
        d = input - target
        size = ac.absolute(d)
        return ac.where(size < self.delta, 0.5 * d * d, self.delta * (size - 0.5 * self.delta))


class SmoothL1Loss(_Elementwise):
    """`HuberLoss` divided by beta: the absolute error, smooth at 0.

    It is d² / (2 beta) for |d| < beta, else |d| - beta / 2, with d = input - target.

    Shapes: input (…), target (…) → (), or (…) with ``reduction="none"``.

    Parameters
    ----------
    reduction : str, default 'mean'
        How the losses of the elements are combined, as in `MSE`.
    beta : float, default 1.0
        The error from which the loss is linear. For 0 it is `L1Loss`.

    Raises
    ------
    ArgumentError
        If `reduction` is another string, or `beta` is negative.
    ShapeError
        In a call, if the shapes differ, or if there is no example to take the mean of.
    DTypeError
        In a call, if an operand is None or complex.

    Notes
    -----
    The source is Girshick, 2015.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.SmoothL1Loss("none", beta=0.5)(np.array([0.0, 0.0]), np.array([0.25, 3.0]))
    array([0.0625, 2.75  ])
    """

    @public
    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        if not beta >= 0:
            raise ArgumentError(f"{kind_of(self)}: beta must be at least 0, not {beta}")
        self.beta = beta

    def of(self, input: Any, target: Any) -> Any:
        """Huber's function, divided by beta."""
        d = input - target
        size = ac.absolute(d)
        if not self.beta:
            return size
        return ac.where(size < self.beta, 0.5 * d * d / self.beta, size - 0.5 * self.beta)


@like(Loss)
class KLDivLoss(_Elementwise):
    """The Kullback-Leibler divergence t (log t - input) of a distribution from the target t.

    The input contains the logarithms of the distribution.

    Shapes: input (…), target (…) → (), or (…) with ``reduction="none"``.

    Parameters
    ----------
    reduction : str, default 'mean'
        ``"batch"``, also called ``"batchmean"``, is the divergence, and the mean over the batch.
        ``"mean"`` divides by the number of elements, as in PyTorch. Others are as in `MSE`.
    log_target : bool, default False
        If true, the target contains log t.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.KLDivLoss("batchmean")(np.log([[0.5, 0.5]]), np.array([[0.25, 0.75]])).round(4)
    np.float64(0.1308)
    """

    @public
    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__("batch" if reduction == "batchmean" else reduction)
        self.log_target = log_target

    def of(self, input: Any, target: Any) -> Any:
        """The terms of the divergence; those with t = 0 are 0."""
        if self.log_target:
            return ac.exp(target) * (target - input)
        empty = target == 0
        logarithm = ac.log(ac.where(empty, 1, target))
        return target * logarithm - target * ac.where(empty, 0, input)


@like(Loss)
class PoissonNLLLoss(_Elementwise):
    """The negative log likelihood of counts t, exp(input) - t input.

    The input is the logarithm of the mean of the counts. The term log t! is left out.

    Shapes: input (…), target (…) → (), or (…) with ``reduction="none"``.

    Parameters
    ----------
    log_input : bool, default True
        If false, the input is the mean, and the loss is input - t log(input + eps).
    full : bool, default False
        If true, Stirling's approximation of log t! is added for t > 1.
    eps : float, default 1e-08
        The number in the logarithm without `log_input`.
    reduction : str, default 'mean'
        How the losses of the elements are combined, as in `MSE`.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.PoissonNLLLoss(log_input=False, reduction="none")(np.array([1.0, 2.0]), np.array([1, 2]))
    array([0.99999999, 0.61370563])
    """

    @public
    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        *,
        eps: float = 1e-8,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def of(self, input: Any, target: Any) -> Any:
        """The negative log likelihoods."""
        if self.log_input:
            loss = ac.exp(input) - target * input
        else:
            loss = input - target * ac.log(input + self.eps)
        if self.full:
            t = ac.where(target > 1, target, 1)
            stirling = t * ac.log(t) - t + 0.5 * ac.log(2 * math.pi * t)
            loss = loss + ac.where(target > 1, stirling, 0)
        return loss


class GaussianNLLLoss(Loss):
    """The negative log likelihood of normal variables, (log var + (input - target)² / var) / 2.

    It is called with (input, target, var): the means, the values and the variances.

    Shapes: input (…, d), target (…, d), var (…, d), (…, 1) or (…) → (), or (…, d) with
    ``reduction="none"``.

    Parameters
    ----------
    full : bool, default False
        If true, the constant log(2π) / 2 is added.
    eps : float, default 1e-06
        Variances below it count as `eps`; their gradient is that at `eps`.
    reduction : str, default 'mean'
        How the losses of the elements are combined, as in `MSE`.

    Raises
    ------
    ArgumentError
        If `reduction` is another string. In a call, if a variance is negative.
    ShapeError
        In a call, if the shapes do not match, or if there is no example to take the mean of.
    DTypeError
        In a call, if an operand is None or complex.

    Notes
    -----
    The source is Nix and Weigend, 1994.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> loss = nn.GaussianNLLLoss(reduction="none")
    >>> loss(np.array([1.0, 2.0]), np.array([1.0, 4.0]), np.array([1.0, 4.0]))
    array([0.        , 1.19314718])
    """

    @public
    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.full, self.eps = full, eps

    def forward(self, input: Any, target: Any, var: Any) -> Any:
        """The loss for variances `var`, of the input's shape or with a last axis of 1."""
        input, target = real_operands(self, input, target)
        _, var = real_operands(self, input, var)
        check_shapes(self, input, target)
        if var.shape not in (input.shape, input.shape[:-1], (*input.shape[:-1], 1)):
            raise ShapeError(
                f"{kind_of(self)}: var has shape {var.shape}; expected {input.shape} or "
                f"{(*input.shape[:-1], 1)}"
            )
        array = var.data if isinstance(var, ac.Tensor) else var
        if readable(array) and (array < 0).any():
            raise ArgumentError(f"{kind_of(self)}: var has negative variances")
        if var.ndim < input.ndim:
            var = ac.expand_dims(var, -1)
        limited = ac.maximum(var, self.eps)
        limited = limited.detach() if isinstance(limited, ac.Tensor) else limited
        var = var + (limited - (var.detach() if isinstance(var, ac.Tensor) else var))
        losses = 0.5 * (ac.log(var) + ac.square(input - target) / var)
        return self.reduced(losses + 0.5 * math.log(2 * math.pi) if self.full else losses)
