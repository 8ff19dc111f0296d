"""Optimisers that divide by a running size of the gradient: Adagrad, RMSprop, Adadelta."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from autograd_core.errors.tracebacks import public
from nn.describing import like
from nn.optim.optimizer import Optimizer, descent


@like(Optimizer)
class Adagrad(Optimizer):
    """Adagrad: steps divided by the root of the sum of the squares of all gradients.

    w ← w - lr g / (√Σg² + eps), with the sum over all steps (Duchi et al., 2011). In step t the
    learning rate is lr / (1 + (t - 1) lr_decay).

    Parameters
    ----------
    lr : float, default 0.01
        The learning rate of the first step.
    lr_decay : float, default 0.0
        How fast the learning rate falls.
    weight_decay : float, default 0.0
        The factor λ; λ w is added to the gradient.
    initial_accumulator_value : float, default 0.0
        The first value of the sum.
    eps : float, default 1e-10
        A number that keeps the divisor from 0. It must not be 0 in the dtype of the parameters.
    maximize : bool, default False
        If true, the steps increase the loss.

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.0, -2.0])
    >>> optimizer = nn.Adagrad([w], lr=0.1)
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
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            {"lr": lr, "lr_decay": lr_decay, "weight_decay": weight_decay,
             "initial_accumulator_value": initial_accumulator_value, "eps": eps,
             "maximize": maximize},
        )  # fmt: skip

    def arrays(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        """The sum of the squares."""
        return ("sum",)

    def start(self, name: str, group: Mapping[str, Any]) -> float:
        """The sum starts at `initial_accumulator_value`."""
        return float(group["initial_accumulator_value"])

    def numbers(self, group: Mapping[str, Any], counters: dict[str, Any]) -> dict[str, Any]:
        """The learning rate of this step."""
        return {"rate": group["lr"] / (1 + (counters["step"] - 1) * group["lr_decay"])}

    def update(self, w: Any, g: Any, s: Any, h: Any) -> Any:
        """A step of Adagrad."""
        g = descent(w, g, h)
        s.sum = s.sum + g * g
        return w - h.rate * (g / (np.sqrt(s.sum) + h.eps))


@like(Optimizer)
class RMSprop(Optimizer):
    """RMSprop: steps of the gradient, divided by the root of its mean square.

    w ← w - lr g / (√v + eps), with the running mean v ← α v + (1 - α) g² (Tieleman and Hinton,
    2012, lecture 6.5). With a momentum μ the quotient is added to u ← μ u + g / (√v + eps), and w ←
    w - lr u.

    Parameters
    ----------
    lr : float, default 0.01
        The learning rate.
    alpha : float, default 0.99
        The factor α of the running mean, in [0, 1).
    eps : float, default 1e-08
        A number that keeps the divisor from 0. It must not be 0 in the dtype of the parameters.
    weight_decay : float, default 0.0
        The factor λ; λ w is added to the gradient.
    momentum : float, default 0.0
        The factor μ of the velocity u.
    centered : bool, default False
        If true, the variance of the gradient takes the place of v (Graves, 2013).
    maximize : bool, default False
        If true, the steps increase the loss.

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.0, -2.0])
    >>> optimizer = nn.RMSprop([w], lr=0.01)
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
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            {"lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay,
             "momentum": momentum, "centered": centered, "maximize": maximize},
        )  # fmt: skip

    def arrays(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        """The running means, and the velocity if there is a momentum."""
        mean, velocity = ["grad_avg"], ["momentum_buffer"]
        return ("square_avg", *(mean if group["centered"] else ()),
                *(velocity if group["momentum"] else ()))  # fmt: skip

    def update(self, w: Any, g: Any, s: Any, h: Any) -> Any:
        """A step of RMSprop."""
        g = descent(w, g, h)
        s.square_avg = v = h.alpha * s.square_avg + (1 - h.alpha) * (g * g)
        if h.centered:
            s.grad_avg = h.alpha * s.grad_avg + (1 - h.alpha) * g
            v = v - s.grad_avg * s.grad_avg
        g = g / (np.sqrt(v) + h.eps)
        if h.momentum:
            g = s.momentum_buffer = h.momentum * s.momentum_buffer + g
        return w - h.lr * g


@like(Optimizer)
class Adadelta(Optimizer):
    """Adadelta: steps whose size follows that of former steps, without a learning rate to choose.

    w ← w - lr Δ, Δ = g √(d + eps) / √(v + eps), with the running means v of g² and d of Δ² (Zeiler,
    2012).

    Parameters
    ----------
    lr : float, default 1.0
        A factor of the step. The method of the paper has none.
    rho : float, default 0.9
        The factor of the running means, in [0, 1).
    eps : float, default 1e-06
        A number added to both means, which also sets the size of the first step.
    weight_decay : float, default 0.0
        The factor λ; λ w is added to the gradient.
    maximize : bool, default False
        If true, the steps increase the loss.

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.0, -2.0])
    >>> optimizer = nn.Adadelta([w])
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data.round(4)
    array([ 0.9968, -1.9968])
    """

    counters: ClassVar[dict[str, float]] = {"step": 0.0}

    @public
    def __init__(
        self,
        parameters: Any,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize},
        )

    def arrays(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        """The running means of g² and of Δ²."""
        return ("square_avg", "acc_delta")

    def update(self, w: Any, g: Any, s: Any, h: Any) -> Any:
        """A step of Adadelta."""
        g = descent(w, g, h)
        s.square_avg = h.rho * s.square_avg + (1 - h.rho) * (g * g)
        delta = np.sqrt(s.acc_delta + h.eps) / np.sqrt(s.square_avg + h.eps) * g
        s.acc_delta = h.rho * s.acc_delta + (1 - h.rho) * (delta * delta)
        return w - h.lr * delta
