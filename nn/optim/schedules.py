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
from typing import Any, ClassVar

from autograd_core.engine.exits import warn_user
from autograd_core.engine.stamps import stamps
from autograd_core.errors import AutogradError
from autograd_core.errors.tracebacks import public
from nn.optim.optimizer import Optimizer

__all__ = [
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]


class LRScheduler:
    """The base of schedules: a subclass defines ``rate(t, base)``, the learning rate after t steps
    for a base rate. A user's own schedule needs nothing else.

    `last_epoch` is t. `get_last_lr()` are the rates of the groups.
    """

    unsaved: ClassVar[tuple[str, ...]] = ("optimizer",)

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
        self._set()

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

    def _set(self) -> None:
        for group, rate in zip(self.optimizer.param_groups, self.rates(), strict=True):
            group["lr"] = rate

    def state_dict(self) -> dict[str, Any]:
        """The state of the schedule: its attributes, without the optimiser and functions."""
        return {k: v for k, v in vars(self).items() if k not in self.unsaved and k[0] != "_"}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        vars(self).update(state)


class LambdaLR(LRScheduler):
    """base · f(t), with a function f, or a list of functions, one for each group."""

    @public
    def __init__(self, optimizer: Optimizer, lr_lambda: Any, last_epoch: int = -1) -> None:
        groups = len(optimizer.param_groups)
        self.lr_lambdas = (
            list(lr_lambda) if isinstance(lr_lambda, Iterable) else [lr_lambda] * groups
        )
        if len(self.lr_lambdas) != groups:
            raise AutogradError(
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

    @public
    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, t: int, base: float) -> float:
        """base · gamma^⌊t / step_size⌋."""
        return base * self.gamma ** (t // self.step_size)


class MultiStepLR(LRScheduler):
    """base · gamma^n, with the number n of `milestones` that t has reached."""

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

    @public
    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, t: int, base: float) -> float:
        """base · gamma^t."""
        return base * self.gamma**t


class ConstantLR(LRScheduler):
    """base · factor until t = total_iters, then base."""

    @public
    def __init__(
        self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def rate(self, t: int, base: float) -> float:
        """base · factor, or base."""
        return base * (self.factor if t < self.total_iters else 1.0)


class LinearLR(LRScheduler):
    """base times a factor that goes from `start_factor` to `end_factor` in `total_iters` steps: a
    warm-up."""

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
            raise AutogradError(
                "LinearLR: start_factor must be in (0, 1] and end_factor in [0, 1], not "
                f"{start_factor} and {end_factor}"
            )
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def rate(self, t: int, base: float) -> float:
        """The base rate times the factor."""
        share = min(t, self.total_iters) / self.total_iters
        return base * (self.start_factor + (self.end_factor - self.start_factor) * share)


class PolynomialLR(LRScheduler):
    """base · (1 - t / total_iters)^power, then 0."""

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

    @public
    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
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
            raise AutogradError(
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


class OneCycleLR(LRScheduler):
    """From max_lr / div_factor up to `max_lr` in the first `pct_start` of the steps, then down to
    the first rate / final_div_factor (Smith and Topin, 2018), along a cosine or a line. The
    momentum (or β₁) goes down from `max_momentum` to `base_momentum` and up again. With
    `three_phase`, the rate goes down as long as up, and then further."""

    @public
    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float = 0.85,
        max_momentum: float = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise AutogradError("OneCycleLR needs total_steps, or epochs and steps_per_epoch")
            total_steps = epochs * steps_per_epoch
        if anneal_strategy not in ("cos", "linear") or not 0 <= pct_start <= 1 or total_steps < 1:
            raise AutogradError(
                'OneCycleLR: anneal_strategy must be "cos" or "linear", pct_start in [0, 1] and '
                f"total_steps at least 1, not {anneal_strategy!r}, {pct_start} and {total_steps}"
            )
        groups = optimizer.param_groups
        peaks = list(max_lr) if isinstance(max_lr, list | tuple) else [max_lr] * len(groups)
        if len(peaks) != len(groups):
            raise AutogradError(f"OneCycleLR: {len(peaks)} rates for {len(groups)} groups")
        self.total_steps, self.anneal_strategy = total_steps, anneal_strategy
        self.cycle_momentum = cycle_momentum
        self.low, self.high = base_momentum, max_momentum
        self.peaks = [float(peak) for peak in peaks]
        self.firsts = [peak / div_factor for peak in self.peaks]
        self.lasts = [first / final_div_factor for first in self.firsts]
        up = pct_start * total_steps - 1
        self.ends = [up, 2 * pct_start * total_steps - 2] if three_phase else [up]
        self.ends.append(total_steps - 1)
        if cycle_momentum and not {"momentum", "betas"} & groups[0].keys():
            raise AutogradError(
                f"OneCycleLR: {type(optimizer).__name__} has no momentum; pass cycle_momentum=False"
            )
        if last_epoch == -1:
            for group, first in zip(groups, self.firsts, strict=True):
                group["lr"] = first
        super().__init__(optimizer, last_epoch)

    def rates(self) -> list[float]:
        """The rates now. Sets the momentum as well."""
        if self.last_epoch > self.total_steps:
            raise AutogradError(
                f"OneCycleLR has {self.total_steps} steps; it was stepped {self.last_epoch} times"
            )
        if self.cycle_momentum:
            momentum = self._between([self.high, self.low, self.high, self.high])
            for group in self.optimizer.param_groups:
                if "betas" in group:
                    group["betas"] = (momentum, *group["betas"][1:])
                else:
                    group["momentum"] = momentum
        corners = zip(self.firsts, self.peaks, self.lasts, strict=True)
        phases = len(self.ends)
        return [
            self._between([first, peak, last] if phases == 2 else [first, peak, first, last])
            for first, peak, last in corners
        ]

    def _between(self, corners: list[float]) -> float:
        """The value now, of a curve through `corners` at the ends of the phases."""
        start = 0.0
        for i, end in enumerate(self.ends):
            if self.last_epoch <= end or i == len(self.ends) - 1:
                share = (self.last_epoch - start) / (end - start)
                break
            start = end
        first, last = corners[i], corners[i + 1]
        if self.anneal_strategy == "linear":
            return first + (last - first) * share
        return last + (first - last) * (1 + math.cos(math.pi * share)) / 2


class SequentialLR(LRScheduler):
    """Schedules one after the other: the next begins when t reaches the next of `milestones`."""

    @public
    def __init__(
        self, optimizer: Optimizer, schedulers: list[LRScheduler], milestones: list[int],
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        if len(milestones) != len(schedulers) - 1:
            raise AutogradError(
                f"SequentialLR: {len(schedulers)} schedules need {len(schedulers) - 1} milestones, "
                f"not {len(milestones)}"
            )
        other = [type(s).__name__ for s in schedulers if s.optimizer is not optimizer]
        if other:
            raise AutogradError(f"SequentialLR: {other} were made with another optimiser")
        self.optimizer, self.schedulers, self.milestones = optimizer, schedulers, milestones
        self.last_epoch = last_epoch + 1
        for group, base in zip(optimizer.param_groups, schedulers[0].base_lrs, strict=True):
            group["lr"] = base
        self._restart(schedulers[0])

    @staticmethod
    def _restart(schedule: LRScheduler) -> None:
        schedule.last_epoch = 0
        schedule._set()

    def step(self) -> None:
        """Step the schedule of now."""
        self.last_epoch += 1
        i = bisect_right(self.milestones, self.last_epoch)
        if i and self.milestones[i - 1] == self.last_epoch:
            self._restart(self.schedulers[i])
        else:
            self.schedulers[i].step()

    def state_dict(self) -> dict[str, Any]:
        """The states of the schedules, and t."""
        return {"last_epoch": self.last_epoch,
                "schedulers": [schedule.state_dict() for schedule in self.schedulers]}  # fmt: skip

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.last_epoch = state["last_epoch"]
        for schedule, given in zip(self.schedulers, state["schedulers"], strict=True):
            schedule.load_state_dict(given)


class ReduceLROnPlateau(LRScheduler):
    """Multiply the rates by `factor` when a metric, such as the loss of the validation examples,
    has not become better for more than `patience` steps: ``schedule.step(loss)``.

    Better is smaller (``mode="min"``) or larger (``"max"``), by more than `threshold`: as a share
    (``threshold_mode="rel"``) or as a number (``"abs"``). After a reduction, `cooldown` steps are
    not counted. Rates do not fall below `min_lr`, and not by less than `eps`.
    """

    @public
    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        if not factor < 1:
            raise AutogradError(f"ReduceLROnPlateau: factor must be less than 1, not {factor}")
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise AutogradError(
                'ReduceLROnPlateau: mode must be "min" or "max", and threshold_mode "rel" or '
                f'"abs", not {mode!r} and {threshold_mode!r}'
            )
        groups = len(optimizer.param_groups)
        self.min_lrs = list(min_lr) if isinstance(min_lr, list | tuple) else [min_lr] * groups
        self.optimizer, self.mode, self.factor, self.patience = optimizer, mode, factor, patience
        self.threshold, self.threshold_mode = threshold, threshold_mode
        self.cooldown, self.eps = cooldown, eps
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = self.last_epoch = 0

    def step(self, metric: Any) -> None:  # type: ignore[override]
        """Go on by one step with the metric of now."""
        metric = float(metric.item() if hasattr(metric, "item") else metric)
        self.last_epoch += 1
        if self._is_better(metric):
            self.best, self.num_bad_epochs = metric, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter, self.num_bad_epochs = self.cooldown_counter - 1, 0
        if self.num_bad_epochs > self.patience:
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
            for group, least in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
                rate = max(group["lr"] * self.factor, least)
                if group["lr"] - rate > self.eps:
                    group["lr"] = rate

    def _is_better(self, metric: float) -> bool:
        sign = 1 if self.mode == "max" else -1
        if self.threshold_mode == "abs":
            return sign * metric > sign * self.best + self.threshold
        return sign * metric > sign * self.best * (1 + sign * self.threshold)
