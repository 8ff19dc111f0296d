"""Adam and the optimisers that follow from it: running means of the gradient and of its square.

The running means start at zero; divided by 1 - βᵗ after t steps they are means without a bias.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from autograd_core.errors.tracebacks import public
from nn.describing import like
from nn.optim.optimizer import Optimizer, descent

Betas = tuple[float, float]


def _weight_of_past(beta: Any, steps: Any) -> Any:
    """1 - βᵗ, accurate for small t."""
    return -np.expm1(steps * np.log(beta)) if type(beta) is not float or beta else 1.0


def _decay(w: Any, h: Any) -> Any:
    """The weights after decoupled weight decay (Loshchilov and Hutter, 2019)."""
    return w * (1 - h.lr * h.weight_decay) if h.weight_decay else w


def _means(g: Any, s: Any, h: Any) -> None:
    """The running means of g and g²."""
    s.exp_avg = h.beta1 * s.exp_avg + (1 - h.beta1) * g
    s.exp_avg_sq = h.beta2 * s.exp_avg_sq + (1 - h.beta2) * (g * g)


class _Moments(Optimizer):
    """Optimisers with two running means."""

    counters: ClassVar[dict[str, float]] = {"step": 0.0}

    def arrays(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        """The running means of the gradient and of its square."""
        return ("exp_avg", "exp_avg_sq")

    def numbers(self, group: Mapping[str, Any], counters: dict[str, Any]) -> dict[str, Any]:
        """1 - β₁ᵗ and the square root of 1 - β₂ᵗ."""
        beta1, beta2 = group["betas"]
        return {
            "correction1": _weight_of_past(beta1, counters["step"]),
            "root2": np.sqrt(_weight_of_past(beta2, counters["step"])),
        }


@like(Optimizer)
class Adam(_Moments):
    """Adam: steps of the mean gradient, divided by the root of its mean square.

    w ← w - lr m̂ / (√v̂ + eps), with the running means m ← β₁ m + (1 - β₁) g and
    v ← β₂ v + (1 - β₂) g², and m̂ and v̂ without their bias (Kingma and Ba, 2015, algorithm 1).

    Parameters
    ----------
    lr : float, default 0.001
        The learning rate.
    betas : (float, float), default (0.9, 0.999)
        The factors β₁ and β₂ of the running means, in [0, 1).
    eps : float, default 1e-08
        A number that keeps the divisor from 0. It must not be 0 in the dtype of the parameters.
    weight_decay : float, default 0.0
        The factor λ; λ w is added to the gradient.
    amsgrad : bool, default False
        If true, the divisor is computed from the largest v until now (Reddi et al., 2018).
    maximize : bool, default False
        If true, the steps increase the loss.
    decoupled_weight_decay : bool, default False
        If true, the weight decay is that of `AdamW`.

    See Also
    --------
    AdamW : Adam with decoupled weight decay.

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.0, -2.0])
    >>> optimizer = nn.Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    Tensor([ 0.9, -1.9], requires_grad=True)
    """

    @public
    def __init__(
        self,
        parameters: Any,
        lr: float = 1e-3,
        betas: Betas = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
             "maximize": maximize, "decoupled_weight_decay": decoupled_weight_decay},
        )  # fmt: skip

    def arrays(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        """The running means, and the largest of the second."""
        return (*super().arrays(group), *(["max_exp_avg_sq"] if group["amsgrad"] else []))

    def update(self, w: Any, g: Any, s: Any, h: Any) -> Any:
        """Algorithm 1 of Kingma and Ba."""
        g = descent(w, g, h)
        if h.decoupled_weight_decay:
            w = _decay(w, h)
        _means(g, s, h)
        v = s.exp_avg_sq
        if h.amsgrad:
            v = s.max_exp_avg_sq = np.maximum(s.max_exp_avg_sq, v)
        return w - (h.lr / h.correction1) * (s.exp_avg / (np.sqrt(v) / h.root2 + h.eps))


@like(Optimizer)
class AdamW(Adam):
    """Adam with decoupled weight decay: w ← (1 - lr λ) w before the step of `Adam`.

    The method is that of Loshchilov and Hutter (2019).

    Parameters
    ----------
    lr : float, default 0.001
        The learning rate.
    betas : (float, float), default (0.9, 0.999)
        The factors β₁ and β₂ of the running means, in [0, 1).
    eps : float, default 1e-08
        A number that keeps the divisor from 0. It must not be 0 in the dtype of the parameters.
    weight_decay : float, default 0.01
        The factor λ.
    amsgrad : bool, default False
        If true, the divisor is computed from the largest mean square until now, as in `Adam`.
    maximize : bool, default False
        If true, the steps increase the loss.

    See Also
    --------
    parameter_groups : Groups of parameters, to exempt biases from the decay.

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.0, -2.0])
    >>> optimizer = nn.AdamW([w], lr=0.1, weight_decay=0.01)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    Tensor([ 0.899, -1.898], requires_grad=True)
    """

    @public
    def __init__(
        self,
        parameters: Any,
        lr: float = 1e-3,
        betas: Betas = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            parameters, lr, betas, eps, weight_decay, amsgrad,
            maximize=maximize, decoupled_weight_decay=True,
        )  # fmt: skip


@like(Optimizer)
class NAdam(_Moments):
    """Adam with Nesterov's momentum: the step uses the mean that the next step will have.

    The method is that of Dozat (2016). In step t, μₜ = β₁ (1 - 0.96^(t d) / 2) with the momentum
    decay d takes the place of β₁.

    Parameters
    ----------
    lr : float, default 0.002
        The learning rate.
    betas : (float, float), default (0.9, 0.999)
        The factors β₁ and β₂ of the running means, in [0, 1).
    eps : float, default 1e-08
        A number that keeps the divisor from 0. It must not be 0 in the dtype of the parameters.
    weight_decay : float, default 0.0
        The factor λ; λ w is added to the gradient.
    momentum_decay : float, default 0.004
        The number d in the formula of μₜ.
    decoupled_weight_decay : bool, default False
        If true, the weight decay is that of `AdamW`.
    maximize : bool, default False
        If true, the steps increase the loss.

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.0, -2.0])
    >>> optimizer = nn.NAdam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data.round(4)
    array([ 0.8944, -1.8944])
    """

    counters: ClassVar[dict[str, float]] = {"step": 0.0, "mu_product": 1.0}

    @public
    def __init__(
        self,
        parameters: Any,
        lr: float = 2e-3,
        betas: Betas = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
             "momentum_decay": momentum_decay, "decoupled_weight_decay": decoupled_weight_decay,
             "maximize": maximize},
        )  # fmt: skip

    def count(self, group: Mapping[str, Any], counters: dict[str, Any]) -> None:
        """The number of steps, and the product of all μ."""
        counters["step"] += 1
        counters["mu_product"] *= self._momentum(group, counters["step"])

    @staticmethod
    def _momentum(group: Mapping[str, Any], steps: Any) -> Any:
        return group["betas"][0] * (1 - 0.5 * 0.96 ** (steps * group["momentum_decay"]))

    def numbers(self, group: Mapping[str, Any], counters: dict[str, Any]) -> dict[str, Any]:
        """The weights of the gradient and of the running mean in the step."""
        now, product = self._momentum(group, counters["step"]), counters["mu_product"]
        after = self._momentum(group, counters["step"] + 1)
        return {
            **super().numbers(group, counters),
            "of_gradient": (1 - now) / (1 - product),
            "of_mean": after / (1 - product * after),
        }

    def update(self, w: Any, g: Any, s: Any, h: Any) -> Any:
        """A step of Adam with the mean of the next step."""
        g = descent(w, g, h)
        if h.decoupled_weight_decay:
            w = _decay(w, h)
        _means(g, s, h)
        ahead = h.of_gradient * g + h.of_mean * s.exp_avg
        return w - h.lr * (ahead / (np.sqrt(s.exp_avg_sq) / h.root2 + h.eps))


@like(Optimizer)
class RAdam(_Moments):
    """Adam whose step is rectified by the variance of the adaptive factor.

    The factor is left out in the first steps, where it has no variance (Liu et al., 2020).

    Parameters
    ----------
    lr : float, default 0.001
        The learning rate.
    betas : (float, float), default (0.9, 0.999)
        The factors β₁ and β₂ of the running means, in [0, 1).
    eps : float, default 1e-08
        A number that keeps the divisor from 0. It must not be 0 in the dtype of the parameters.
    weight_decay : float, default 0.0
        The factor λ; λ w is added to the gradient.
    decoupled_weight_decay : bool, default False
        If true, the weight decay is that of `AdamW`.
    maximize : bool, default False
        If true, the steps increase the loss.

    Examples
    --------
    The first step is one of gradient descent:

    >>> import nn
    >>> w = nn.Parameter([1.0, -2.0])
    >>> optimizer = nn.RAdam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    Tensor([ 0.8, -1.6], requires_grad=True)
    """

    @public
    def __init__(
        self,
        parameters: Any,
        lr: float = 1e-3,
        betas: Betas = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
             "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize},
        )  # fmt: skip

    def numbers(self, group: Mapping[str, Any], counters: dict[str, Any]) -> dict[str, Any]:
        """The weights of the adaptive step and of the plain one, of which one is 0."""
        steps, beta2 = counters["step"], group["betas"][1]
        longest = 2 / (1 - beta2) - 1
        past = beta2**steps
        length = longest - 2 * steps * past / (1 - past)
        rectified = np.greater(length, 5)
        spread = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
        known = super().numbers(group, counters)
        adaptive = np.where(rectified, np.sqrt(np.maximum(spread, 0)) * known["root2"], 0)[()]
        return {**known, "adaptive": adaptive, "plain": np.where(rectified, 0.0, 1.0)[()]}

    def update(self, w: Any, g: Any, s: Any, h: Any) -> Any:
        """A step of Adam, or of its first running mean."""
        g = descent(w, g, h)
        if h.decoupled_weight_decay:
            w = _decay(w, h)
        _means(g, s, h)
        scale = h.adaptive * (1 / (np.sqrt(s.exp_avg_sq) + h.eps)) + h.plain
        return w - (h.lr / h.correction1) * (s.exp_avg * scale)


@like(Optimizer)
class Adamax(Optimizer):
    """Adam with the largest gradient in place of the root of the mean square.

    w ← w - lr m̂ / u, with m̂ as in `Adam` and u ← max(β₂ u, |g| + eps) (Kingma and Ba, 2015,
    algorithm 2).

    Parameters
    ----------
    lr : float, default 0.002
        The learning rate.
    betas : (float, float), default (0.9, 0.999)
        The factor β₁ of the running mean and β₂ of the largest gradient, in [0, 1).
    eps : float, default 1e-08
        A number that keeps the divisor from 0. It must not be 0 in the dtype of the parameters.
    weight_decay : float, default 0.0
        The factor λ; λ w is added to the gradient.
    maximize : bool, default False
        If true, the steps increase the loss.

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.0, -2.0])
    >>> optimizer = nn.Adamax([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    Tensor([ 0.9, -1.9], requires_grad=True)
    """

    counters: ClassVar[dict[str, float]] = {"step": 0.0}

    @public
    def __init__(
        self,
        parameters: Any,
        lr: float = 2e-3,
        betas: Betas = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
             "maximize": maximize},
        )  # fmt: skip

    def arrays(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        """The running mean of the gradient, and its largest size."""
        return ("exp_avg", "exp_inf")

    def numbers(self, group: Mapping[str, Any], counters: dict[str, Any]) -> dict[str, Any]:
        """1 - β₁ᵗ."""
        return {"correction1": _weight_of_past(group["betas"][0], counters["step"])}

    def update(self, w: Any, g: Any, s: Any, h: Any) -> Any:
        """Algorithm 2 of Kingma and Ba."""
        g = descent(w, g, h)
        s.exp_avg = h.beta1 * s.exp_avg + (1 - h.beta1) * g
        s.exp_inf = np.maximum(h.beta2 * s.exp_inf, np.abs(g) + h.eps)
        return w - (h.lr / h.correction1) * (s.exp_avg / s.exp_inf)


@like(Optimizer)
class Lion(Optimizer):
    """Lion: steps by the sign of a mean of the gradient.

    w ← w - lr sign(β₁ m + (1 - β₁) g), then m ← β₂ m + (1 - β₂) g (Chen et al., 2023, algorithm 2).

    Parameters
    ----------
    lr : float, default 0.0001
        The learning rate, by which every weight changes in a step.
    betas : (float, float), default (0.9, 0.99)
        The factors β₁ of the mean in the step and β₂ of the running mean m, in [0, 1).
    weight_decay : float, default 0.0
        The factor λ of the decoupled decay: w ← (1 - lr λ) w before the step.
    maximize : bool, default False
        If true, the steps increase the loss.

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.0, -2.0])
    >>> optimizer = nn.Lion([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    Tensor([ 0.9, -1.9], requires_grad=True)
    """

    @public
    def __init__(
        self,
        parameters: Any,
        lr: float = 1e-4,
        betas: Betas = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            {"lr": lr, "betas": betas, "weight_decay": weight_decay, "maximize": maximize},
        )

    def arrays(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        """The running mean of the gradient."""
        return ("exp_avg",)

    def update(self, w: Any, g: Any, s: Any, h: Any) -> Any:
        """Algorithm 2 of Chen et al."""
        g = -g if h.maximize else g
        direction = np.sign(h.beta1 * s.exp_avg + (1 - h.beta1) * g)
        s.exp_avg = h.beta2 * s.exp_avg + (1 - h.beta2) * g
        return _decay(w, h) - h.lr * direction
