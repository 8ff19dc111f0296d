"""Schedules that are no formula of t alone: one cycle of rate and momentum, schedules one after the
other, and a reduction by a metric."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

from autograd_core.errors import ArgumentError
from autograd_core.errors.tracebacks import public
from nn.describing import like
from nn.optim.optimizer import Optimizer
from nn.optim.schedules import LRScheduler


@like(LRScheduler)
class OneCycleLR(LRScheduler):
    """One cycle: the rate goes up to `max_lr`, then down to nearly 0 (Smith and Topin, 2018).

    It starts at max_lr / div_factor and ends at that rate / final_div_factor. The momentum (or β₁)
    goes down from `max_momentum` to `base_momentum` and up again.

    Parameters
    ----------
    max_lr : float or list of float
        The largest rate, or one for each group.
    total_steps : int, optional
        The number of steps of the cycle. By default it is `epochs` times `steps_per_epoch`.
    epochs : int, optional
        The number of epochs, where `total_steps` is not given.
    steps_per_epoch : int, optional
        The number of steps of an epoch, where `total_steps` is not given.
    pct_start : float, default 0.3
        The share of the steps in which the rate goes up, in [0, 1].
    anneal_strategy : str, default 'cos'
        The curve: "cos" for a cosine, "linear" for a line.
    cycle_momentum : bool, default True
        If false, the momentum is not changed.
    base_momentum : float, default 0.85
        The momentum at the largest rate.
    max_momentum : float, default 0.95
        The momentum at the start and at the end.
    div_factor : float, default 25.0
        The largest rate divided by the first one.
    final_div_factor : float, default 10000.0
        The first rate divided by the last one.
    three_phase : bool, default False
        If true, the rate goes down to the first rate for as long as up, and then further.

    Raises
    ------
    TypeError
        If `optimizer` is not an optimiser.
    ArgumentError
        If the number of steps is not given, an argument is outside its range, there are not as many
        rates as groups, or the optimiser has no momentum to change; in `step`, after `total_steps`.

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.0])
    >>> (w * w).sum().backward()
    >>> optimizer = nn.SGD([w], lr=0.1, momentum=0.9)
    >>> schedule = nn.OneCycleLR(optimizer, max_lr=1.0, total_steps=10)
    >>> rates = []
    >>> for _ in range(10):
    ...     rates.append(round(optimizer.lr, 3))
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [0.04, 0.52, 1.0, 0.95, 0.812, 0.611, 0.389, 0.188, 0.05, 0.0]
    """

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
        self._check_optimizer(optimizer)
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ArgumentError("OneCycleLR needs total_steps, or epochs and steps_per_epoch")
            total_steps = epochs * steps_per_epoch
        if anneal_strategy not in ("cos", "linear") or not 0 <= pct_start <= 1 or total_steps < 1:
            raise ArgumentError(
                'OneCycleLR: anneal_strategy must be "cos" or "linear", pct_start in [0, 1] and '
                f"total_steps at least 1, not {anneal_strategy!r}, {pct_start} and {total_steps}"
            )
        groups = optimizer.param_groups
        peaks = list(max_lr) if isinstance(max_lr, list | tuple) else [max_lr] * len(groups)
        if len(peaks) != len(groups):
            raise ArgumentError(f"OneCycleLR: {len(peaks)} rates for {len(groups)} groups")
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
            raise ArgumentError(
                f"OneCycleLR: {type(optimizer).__name__} has no momentum; pass cycle_momentum=False"
            )
        if last_epoch == -1:
            for group, first in zip(groups, self.firsts, strict=True):
                group["lr"] = first
        super().__init__(optimizer, last_epoch)

    def rates(self) -> list[float]:
        """The rates now. Sets the momentum as well."""
        if self.last_epoch > self.total_steps:
            raise ArgumentError(
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


@like(LRScheduler)
class SequentialLR(LRScheduler):
    """Schedules one after the other: the next begins when t reaches the next of `milestones`.

    Parameters
    ----------
    schedulers : list of LRScheduler
        The schedules, in their order.
    milestones : list of int
        The steps at which the second schedule begins, the third, and so on.

    Raises
    ------
    ArgumentError
        If there is no schedule, there is not one milestone less than schedules, or a schedule was
        made with another optimiser.

    Examples
    --------
    A warm-up of 2 steps before a cosine:

    >>> import nn
    >>> w = nn.Parameter([1.0])
    >>> (w * w).sum().backward()
    >>> optimizer = nn.SGD([w], lr=1.0)
    >>> warm_up = nn.LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> cosine = nn.CosineAnnealingLR(optimizer, T_max=4)
    >>> schedule = nn.SequentialLR(optimizer, [warm_up, cosine], milestones=[2])
    >>> rates = []
    >>> for _ in range(6):
    ...     rates.append(round(optimizer.lr, 3))
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [0.5, 0.75, 1.0, 0.854, 0.5, 0.146]
    """

    @public
    def __init__(
        self, optimizer: Optimizer, schedulers: list[LRScheduler], milestones: list[int],
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        count, places = len(schedulers), max(len(schedulers) - 1, 0)
        if not schedulers or len(milestones) != places:
            raise ArgumentError(
                f"SequentialLR: {count} schedules need {places} milestones, not {len(milestones)}"
            )
        other = [type(s).__name__ for s in schedulers if s.optimizer is not optimizer]
        if other:
            raise ArgumentError(f"SequentialLR: {other} were made with another optimiser")
        self.optimizer, self.schedulers, self.milestones = optimizer, schedulers, milestones
        self.last_epoch = last_epoch + 1
        for group, base in zip(optimizer.param_groups, schedulers[0].base_lrs, strict=True):
            group["lr"] = base
        self._restart(schedulers[0])

    @staticmethod
    def _restart(schedule: LRScheduler) -> None:
        schedule.last_epoch = 0
        schedule._set(chained=False)

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
        """Restore what `state_dict` returned, here or in PyTorch."""
        self.last_epoch = state["last_epoch"]
        states = state["schedulers"] if "schedulers" in state else state["_schedulers"]
        for schedule, given in zip(self.schedulers, states, strict=True):
            schedule.load_state_dict(given)


@like(LRScheduler)
class ReduceLROnPlateau(LRScheduler):
    """Multiply the rates by `factor` when a metric has not become better for `patience` steps.

    The metric, such as the loss of the validation examples, is given to each step:
    ``schedule.step(loss)``. The rates fall when it was not better for more than `patience` steps.

    Parameters
    ----------
    mode : str, default 'min'
        What is better: "min" for smaller, "max" for larger.
    factor : float, default 0.1
        What the rates are multiplied by, less than 1.
    patience : int, default 10
        The number of steps without a better metric that are allowed.
    threshold : float, default 0.0001
        The change from which on a metric is better.
    threshold_mode : str, default 'rel'
        Whether `threshold` is a share of the best metric ("rel") or a number ("abs").
    cooldown : int, default 0
        The number of steps after a reduction that are not counted.
    min_lr : float or list of float, default 0.0
        The rate below which a rate does not fall, or one for each group.
    eps : float, default 1e-08
        A rate is not changed if it would fall by no more than this.

    Raises
    ------
    TypeError
        If `optimizer` is not an optimiser.
    ArgumentError
        If `factor` is not less than 1, for another `mode` or `threshold_mode`, or if there are not
        as many `min_lr` as groups.

    Examples
    --------
    >>> import nn
    >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=1.0)
    >>> schedule = nn.ReduceLROnPlateau(optimizer, patience=1)
    >>> for loss in [3.0, 2.0, 2.0, 2.0]:
    ...     schedule.step(loss)
    >>> optimizer.lr
    0.1
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
        self._check_optimizer(optimizer)
        if not factor < 1:
            raise ArgumentError(f"ReduceLROnPlateau: factor must be less than 1, not {factor}")
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ArgumentError(
                'ReduceLROnPlateau: mode must be "min" or "max", and threshold_mode "rel" or '
                f'"abs", not {mode!r} and {threshold_mode!r}'
            )
        groups = len(optimizer.param_groups)
        self.min_lrs = list(min_lr) if isinstance(min_lr, list | tuple) else [min_lr] * groups
        if len(self.min_lrs) != groups:
            raise ArgumentError(
                f"ReduceLROnPlateau: min_lr has {len(self.min_lrs)} rates for {groups} groups"
            )
        self.optimizer, self.mode, self.factor, self.patience = optimizer, mode, factor, patience
        self.threshold, self.threshold_mode = threshold, threshold_mode
        self.cooldown, self.eps = cooldown, eps
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = self.last_epoch = 0
        self._former = self._given = self.rates()

    def rates(self) -> list[float]:
        """The rates of all groups now; no formula gives them."""
        return self.get_last_lr()

    def step(self, metric: Any) -> None:  # type: ignore[override]
        """Go on by one step with the metric of now.

        Parameters
        ----------
        metric : float or Tensor
            The number that shall become better.
        """
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
        self._former = self._given = self.rates()

    def _is_better(self, metric: float) -> bool:
        sign = 1 if self.mode == "max" else -1
        if self.threshold_mode == "abs":
            return sign * metric > sign * self.best + self.threshold
        return sign * metric > sign * self.best * (1 + sign * self.threshold)
