"""Schedules of the learning rate, with PyTorch's names, signatures and values.

A schedule is made with an optimiser, sets "lr" in its groups and is stepped once after each epoch,
or after each step of the optimiser. t counts the calls of ``step()``; the rates that the groups had
when the schedule was made are their base rates.

>>> import nn
>>> w = nn.Parameter([1.0])
>>> (w * w).sum().backward()
>>> optimizer = nn.SGD([w], lr=0.8)
>>> schedule = nn.StepLR(optimizer, step_size=2, gamma=0.5)
>>> for _ in range(5):
...     optimizer.step()
...     schedule.step()
...     print(optimizer.lr)
0.8
0.4
0.4
0.2
0.2
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any, ClassVar

from autograd_core.engine.exits import warn_user
from autograd_core.engine.stamps import stamps
from autograd_core.errors import ArgumentError
from autograd_core.errors.tracebacks import public
from nn.optim.optimizer import Optimizer


class LRScheduler:
    """The base of schedules: a subclass defines ``rate(t, base)``, the learning rate after t steps
    for a base rate. A user's own schedule needs nothing else.

    `last_epoch` is t. `get_last_lr()` are the rates of the groups.
    """

    unsaved: ClassVar[tuple[str, ...]] = ("optimizer",)
    chained = False  # True if a rate that something else has set since is multiplied, as in PyTorch
    eta_min = 0.0

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"{type(self).__name__} takes an optimiser, not a {type(optimizer).__name__}"
            )
        self.optimizer = optimizer
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])  # an earlier schedule may have set it
        self.base_lrs = [float(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch + 1
        self._made = stamps.newest
        self._former = self._given = self.base_lrs
        self._set(chained=last_epoch == -1)

    def rate(self, t: int, base: float) -> float:
        """The learning rate after t steps, for a group with the rate `base`."""
        raise NotImplementedError(f"{type(self).__name__} defines no rate()")

    def rates(self) -> list[float]:
        """The rates of all groups now."""
        return [self.rate(self.last_epoch, base) for base in self.base_lrs]

    def step(self) -> None:
        """Go on by one step."""
        self._check_order()
        self.last_epoch += 1
        self._set()

    def _check_order(self) -> None:
        """Warn if the first step comes before that of the optimiser, which skips the first rate."""
        if self.last_epoch == 0:
            parameters = self.optimizer.parameters
            if all(stamps.find(p._array)[0] <= self._made for p in parameters):
                warn_user(
                    f"{type(self).__name__}: step() comes before the first step() of the "
                    "optimiser, so the first learning rate is not used. Call optimizer.step() first"
                )

    def get_last_lr(self) -> list[float]:
        """The learning rates of the groups."""
        return [float(group["lr"]) for group in self.optimizer.param_groups]

    def _set(self, chained: bool = True) -> None:
        """Set the rates. If another schedule, or the user, has set one since, and schedules of this
        class are chained, it is multiplied by the change of its own rate."""
        rates, given = self.rates(), []
        for i, group in enumerate(self.optimizer.param_groups):
            rate, low = rates[i], self.eta_min
            others = chained and self.chained and group["lr"] != self._given[i]
            if others and self._former[i] != low:
                rate = low + (group["lr"] - low) * (rate - low) / (self._former[i] - low)
            group["lr"] = rate
            given.append(rate)
        self._former, self._given = rates, given

    def state_dict(self) -> dict[str, Any]:
        """The state of the schedule: its attributes, without the optimiser and functions."""
        own = {k: v for k, v in vars(self).items() if k not in self.unsaved and k[0] != "_"}
        return own | {"_last_lr": self._given}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned, here or in PyTorch."""
        known = {k: v for k, v in state.items() if k not in self.unsaved and k[0] != "_"}
        vars(self).update(known)
        self._former = self.rates()
        self._given = state.get("_last_lr", self._former)

    def _repr_html_(self) -> str:
        return import_module("nn.notebook").of_schedule(self)  # type: ignore[no-any-return]


class LambdaLR(LRScheduler):
    """base · f(t), with a function f, or a list of functions, one for each group."""

    @public
    def __init__(self, optimizer: Optimizer, lr_lambda: Any, last_epoch: int = -1) -> None:
        groups = len(optimizer.param_groups)
        self.lr_lambdas = (
            list(lr_lambda) if isinstance(lr_lambda, Iterable) else [lr_lambda] * groups
        )
        if len(self.lr_lambdas) != groups:
            raise ArgumentError(
                f"LambdaLR was given {len(self.lr_lambdas)} functions for {groups} groups"
            )
        super().__init__(optimizer, last_epoch)

    unsaved = ("optimizer", "lr_lambdas")

    def rates(self) -> list[float]:
        """Each base rate times its function."""
        pairs = zip(self.base_lrs, self.lr_lambdas, strict=True)
        return [base * function(self.last_epoch) for base, function in pairs]


class StepLR(LRScheduler):
    """base · gamma^⌊t / step_size⌋."""

    chained = True

    @public
    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        if step_size < 1:
            raise ArgumentError(f"StepLR: step_size must be at least 1, not {step_size}")
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, t: int, base: float) -> float:
        """base · gamma^⌊t / step_size⌋."""
        return base * self.gamma ** (t // self.step_size)


class MultiStepLR(LRScheduler):
    """base · gamma^n, with the number n of `milestones` that t has reached."""

    chained = True

    @public
    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, t: int, base: float) -> float:
        """base · gamma^n."""
        return base * self.gamma ** bisect_right(self.milestones, t)


class ExponentialLR(LRScheduler):
    """base · gamma^t."""

    chained = True

    @public
    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, t: int, base: float) -> float:
        """base · gamma^t."""
        return base * self.gamma**t


class ConstantLR(LRScheduler):
    """base · factor until t = total_iters, then base."""

    chained = True

    @public
    def __init__(
        self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        if not 0 <= factor <= 1:
            raise ArgumentError(f"ConstantLR: factor must be in [0, 1], not {factor}")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def rate(self, t: int, base: float) -> float:
        """base · factor, or base."""
        return base * (self.factor if t < self.total_iters else 1.0)


class LinearLR(LRScheduler):
    """base times a factor that goes from `start_factor` to `end_factor` in `total_iters` steps: a
    warm-up."""

    chained = True

    @public
    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1 or not 0 <= end_factor <= 1:
            raise ArgumentError(
                "LinearLR: start_factor must be in (0, 1] and end_factor in [0, 1], not "
                f"{start_factor} and {end_factor}"
            )
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def rate(self, t: int, base: float) -> float:
        """The base rate times the factor."""
        share = min(t, self.total_iters) / self.total_iters if self.total_iters else 1.0
        return base * (self.start_factor + (self.end_factor - self.start_factor) * share)


class PolynomialLR(LRScheduler):
    """base · (1 - t / total_iters)^power, then 0."""

    chained = True

    @public
    def __init__(
        self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1
    ) -> None:
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def rate(self, t: int, base: float) -> float:
        """The base rate times the power of what remains."""
        return float(base * (1 - min(t, self.total_iters) / self.total_iters) ** self.power)


class CosineAnnealingLR(LRScheduler):
    """eta_min + (base - eta_min) (1 + cos(π t / T_max)) / 2 (Loshchilov and Hutter, 2017, equation
    5, without restarts)."""

    chained = True

    @public
    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        if T_max < 1:
            raise ArgumentError(f"CosineAnnealingLR: T_max must be at least 1, not {T_max}")
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def rate(self, t: int, base: float) -> float:
        """Equation 5."""
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * t / self.T_max)) / 2


class CosineAnnealingWarmRestarts(LRScheduler):
    """`CosineAnnealingLR` that starts again after T_0 steps, then after T_0 T_mult, T_0 T_mult² and
    so on (Loshchilov and Hutter, 2017)."""

    @public
    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        if T_0 < 1 or T_mult < 1:
            raise ArgumentError(
                "CosineAnnealingWarmRestarts: T_0 and T_mult must be integers of at least 1, not "
                f"{T_0} and {T_mult}"
            )
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, eta_min
        self.position: float = last_epoch + 1
        super().__init__(optimizer, last_epoch)

    def step(self, epoch: float | None = None) -> None:
        """Go on by one step, or to `epoch`, which may be a fraction: ``epoch + i / batches``."""
        self._check_order()
        self.position = self.position + 1 if epoch is None else epoch
        self.last_epoch = math.floor(self.position)
        self._set()

    def rate(self, t: float, base: float) -> float:
        """Equation 5, from the last restart on."""
        t, length = self.position, self.T_0
        while t >= length:
            t, length = t - length, length * self.T_mult
            if self.T_mult == 1:
                t %= length
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * t / length)) / 2

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned, here or in PyTorch."""
        super().load_state_dict({"position": state["last_epoch"], **state})
