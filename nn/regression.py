"""Losses of predicted numbers and of the parameters of distributions."""

from __future__ import annotations

import math
from typing import Any

import autograd_core as ac
from autograd_core.errors import ArgumentError, ShapeError
from autograd_core.errors.tracebacks import public
from nn.data.labels import readable
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


class L1Loss(_Elementwise):
    """|input - target|. The gradient at 0 is 0."""

    @public
    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def of(self, input: Any, target: Any) -> Any:
        """|d|."""
        return ac.absolute(input - target)


class HuberLoss(_Elementwise):
    """d² / 2 for |d| < delta, else delta (|d| - delta / 2), d = input - target (Huber, 1964)."""

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
    """d² / (2 beta) for |d| < beta, else |d| - beta / 2, with d = input - target: `HuberLoss`
    divided by beta, and `L1Loss` for beta = 0 (Girshick, 2015)."""

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


class KLDivLoss(_Elementwise):
    """t (log t - input), the Kullback-Leibler divergence of a distribution with the logarithms
    `input` from t. The target is t, or log t with `log_target`. ``reduction="batchmean"`` is
    ``"batch"``, the divergence; ``"mean"`` divides by the number of elements, as in PyTorch."""

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


class PoissonNLLLoss(_Elementwise):
    """exp(input) - t input, the negative log likelihood of counts t with the logarithm of the mean
    `input`; with ``log_input=False`` the input is the mean, and it is input - t log(input + eps).
    `full` adds Stirling's approximation of log t! for t > 1."""

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
    """(log var + (input - target)² / var) / 2, the negative log likelihood of normally distributed
    targets. `full` adds log(2π) / 2. Variances below `eps` count as eps; their gradient is that at
    eps (Nix and Weigend, 1994)."""

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
