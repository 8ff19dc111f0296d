"""Scaled losses, so that small gradients are not 0 in float16."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd_core.engine.stamps import stamp
from autograd_core.engine.versions import Versioned
from autograd_core.errors import ArgumentError, AutogradError
from autograd_core.errors.tracebacks import public
from nn.optim.optimizer import Optimizer


class GradScaler(Versioned):
    """Multiplies the loss by a large factor, and divides the gradients by it before a step.

    Small gradients are then not 0 in float16 (Micikevicius et al., 2018). If a gradient is infinite
    or NaN, the step is left out, and `update` makes the factor smaller; after many steps without
    one it makes it larger. To clip gradients, call ``unscale_(optimizer)`` first.

    Parameters
    ----------
    init_scale : float, default 65536.0
        The first factor.
    growth_factor : float, default 2.0
        What the factor is multiplied by after `growth_interval` steps without infinities.
    backoff_factor : float, default 0.5
        What the factor is multiplied by after a gradient that is infinite or NaN.
    growth_interval : int, default 2000
        The number of steps after which the factor grows.
    enabled : bool, default True
        If false, nothing is scaled, and no step is left out.

    Raises
    ------
    ArgumentError
        Unless ``init_scale > 0``, ``growth_factor > 1`` and ``0 < backoff_factor < 1``.

    Examples
    --------
    The parameters are float32, and the model converts them to float16:

    >>> import numpy as np, nn
    >>> layer = nn.Linear(3, 2, dtype=np.float32)
    >>> x, y = np.ones((4, 3), np.float16), np.ones((4, 2), np.float32)
    >>> optimizer, scaler = nn.SGD(layer.parameters(), lr=0.1), nn.GradScaler(init_scale=1024)
    >>> out = x @ layer.weight.astype(np.float16).T + layer.bias.astype(np.float16)
    >>> loss = nn.MSELoss()(out.astype(np.float32), y)
    >>> scaler.scale(loss).backward()
    >>> scaler.step(optimizer)
    >>> scaler.update()
    >>> scaler.get_scale()
    1024.0
    """

    traced_numbers = ("_scale",)

    @public
    def __init__(
        self,
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        if not (growth_factor > 1 and 0 < backoff_factor < 1 and init_scale > 0):
            raise ArgumentError(
                "GradScaler needs init_scale > 0, growth_factor > 1 and backoff_factor in (0, 1), "
                f"not {init_scale}, {growth_factor} and {backoff_factor}"
            )
        self._scale, self.enabled, self._steps = float(init_scale), enabled, 0
        self.growth_factor, self.backoff_factor = growth_factor, backoff_factor
        self.growth_interval = growth_interval
        self._found: dict[Optimizer, bool] = {}
        self._stepped: dict[Optimizer, bool] = {}

    def scale(self, loss: Any) -> Any:
        """The loss times the factor.

        Parameters
        ----------
        loss : Tensor, or list or tuple of Tensors
            One loss, or several.

        Returns
        -------
        Tensor, or list or tuple of Tensors
            Each loss times the factor.
        """
        if isinstance(loss, list | tuple):
            return type(loss)(self.scale(each) for each in loss)
        return loss * self._scale if self.enabled else loss

    def unscale_(self, optimizer: Optimizer) -> None:
        """Divide the gradients by the factor, in place.

        Parameters
        ----------
        optimizer : Optimizer
            The optimiser whose parameters have the gradients.

        Raises
        ------
        AutogradError
            If they were divided since the last `update`.
        """
        if not self.enabled:
            return
        if optimizer in self._found:
            raise AutogradError("GradScaler: the gradients were divided since the last update()")
        gradients = [p.grad for p in optimizer.parameters if p.grad is not None]
        for g in gradients:
            np.multiply(g.data, 1 / self._scale, out=g.data)
        stamp(*gradients)
        self._found[optimizer] = not all(bool(np.isfinite(g.data).all()) for g in gradients)

    def step(self, optimizer: Optimizer, closure: None = None) -> Any:
        """Call ``optimizer.step()``, unless a gradient is infinite or NaN.

        Parameters
        ----------
        optimizer : Optimizer
            The optimiser. Its gradients are divided by the factor, unless `unscale_` has done it.
        closure : None, optional
            Must be None, because gradients are scaled before the step.

        Returns
        -------
        Tensor or None
            What the optimiser returns, or None if the step is left out.

        Raises
        ------
        TypeError
            If a closure is given.
        AutogradError
            If `step` was called since the last `update`.
        """
        if closure is not None:
            raise TypeError("GradScaler.step takes no closure: the gradients are scaled before it")
        if optimizer in self._stepped:
            raise AutogradError("GradScaler: step() was called since the last update()")
        if self.enabled:
            self._stepped[optimizer] = True
            if optimizer not in self._found:
                self.unscale_(optimizer)
        return None if self._found.get(optimizer, False) else optimizer.step()

    def update(self) -> None:
        """Set the factor for the next step.

        Raises
        ------
        AutogradError
            If neither `step` nor `unscale_` was called since the last `update`.
        """
        if not self.enabled:
            return
        if not self._found:
            raise AutogradError("GradScaler.update: call step(optimizer) first")
        if any(self._found.values()):
            self._scale, self._steps = self._scale * self.backoff_factor, 0
        else:
            self._steps += 1
            if self._steps == self.growth_interval:
                self._scale, self._steps = self._scale * self.growth_factor, 0
        self._found, self._stepped = {}, {}

    def get_scale(self) -> float:
        """The factor."""
        return self._scale if self.enabled else 1.0

    def state_dict(self) -> dict[str, Any]:
        """The state under PyTorch's names."""
        return {
            "scale": self._scale, "growth_factor": self.growth_factor,
            "backoff_factor": self.backoff_factor, "growth_interval": self.growth_interval,
            "_growth_tracker": self._steps,
        }  # fmt: skip

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned, here or in PyTorch."""
        self._scale, self._steps = float(state["scale"]), int(state["_growth_tracker"])
        self.growth_factor, self.backoff_factor = state["growth_factor"], state["backoff_factor"]
        self.growth_interval = state["growth_interval"]
