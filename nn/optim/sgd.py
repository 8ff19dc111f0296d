"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograd_core.errors import ArgumentError
from autograd_core.errors.tracebacks import public
from nn.describing import like
from nn.optim.optimizer import Optimizer, descent


@like(Optimizer)
class SGD(Optimizer):
    """Stochastic gradient descent, w ← w - lr g for the gradient g = ∂L/∂w.

    With momentum μ and dampening τ it is v ← μ v + (1 - τ) g and w ← w - lr v (Sutskever et al.,
    2013, in PyTorch's form). In the first step v is g.

    Parameters
    ----------
    lr : float, default 0.1
        The learning rate.
    momentum : float, default 0.0
        The factor μ of the velocity v.
    dampening : float, default 0.0
        The number τ by which the weight of the gradient in v is smaller than 1.
    weight_decay : float, default 0.0
        The factor λ; λ w is added to the gradient.
    nesterov : bool, default False
        If true, the step is w ← w - lr (g + μ v). It needs a momentum, and no dampening.
    maximize : bool, default False
        If true, the steps increase the loss.

    Notes
    -----
    Parameters without a gradient are not changed. For a complex w, the conjugate of `w.grad` takes
    the place of ∂L/∂w (see docs/conventions.md). A backward pass raises StaleArrayError if it needs
    weights that a step has overwritten since.

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.0, -2.0])
    >>> optimizer = nn.SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    Tensor([ 0.8, -1.6], requires_grad=True)

    In a loop, the gradients are cleared before each step:

    >>> for _ in range(100):
    ...     optimizer.zero_grad()
    ...     loss = (w * w).sum()
    ...     loss.backward()
    ...     optimizer.step()
    >>> round(loss.item(), 6)
    0.0
    """

    @public
    def __init__(
        self,
        parameters: Any,
        lr: float = 0.1,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
             "nesterov": nesterov, "maximize": maximize},
        )  # fmt: skip

    def arrays(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        """The velocity, if there is a momentum."""
        return ("momentum_buffer",) if group["momentum"] else ()

    def check(self, group: Mapping[str, Any]) -> None:
        """Nesterov's method needs a momentum and no dampening."""
        if group["nesterov"] and (not group["momentum"] or group["dampening"]):
            raise ArgumentError("SGD: nesterov=True needs a momentum > 0 and dampening=0")

    def update(self, w: Any, g: Any, s: Any, h: Any) -> Any:
        """One step of gradient descent."""
        g = descent(w, g, h)
        if h.momentum:
            if h.first:
                s.momentum_buffer = g
            else:
                s.momentum_buffer = h.momentum * s.momentum_buffer + (1 - h.dampening) * g
            g = g + h.momentum * s.momentum_buffer if h.nesterov else s.momentum_buffer
        return w - h.lr * g
