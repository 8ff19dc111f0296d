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
from nn.describing import like
from nn.optim.optimizer import Optimizer


class LRScheduler:
    """The base class of schedules: a subclass defines ``rate(t, base)``.

    It is the learning rate after t steps for a base rate; a schedule of your own needs nothing
    else. `last_epoch` is t. A schedule sets the rates of the groups of an optimiser when it is made
    and in each `step`, which is called after that of the optimiser, once after each epoch or each
    batch.

    Parameters
    ----------
    optimizer : Optimizer
        The optimiser whose learning rates are set. Its rates now are the base rates.
    last_epoch : int, default -1
        The number of the last step of a schedule that goes on, where "initial_lr" of the groups are
        the base rates; -1 for a new one.

    Raises
    ------
    TypeError
        If `optimizer` is not an optimiser.

    Examples
    --------
    >>> import nn
    >>> class InverseRoot(nn.LRScheduler):
    ...     def rate(self, t, base):
    ...         return base / (1 + t) ** 0.5
    >>> w = nn.Parameter([1.0])
    >>> optimizer = nn.SGD([w], lr=0.8)
    >>> schedule = InverseRoot(optimizer)
    >>> for _ in range(3):
    ...     (w * w).sum().backward()
    ...     optimizer.step()
    ...     schedule.step()
    >>> optimizer.lr
    0.4
    """

    unsaved: ClassVar[tuple[str, ...]] = ("optimizer",)
    chained = False  # True if a rate that something else has set since is multiplied, as in PyTorch
    eta_min = 0.0

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self._check_optimizer(optimizer)
        self.optimizer = optimizer
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])  # an earlier schedule may have set it
        self.base_lrs = [float(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch + 1
        self._made = stamps.newest
        self._former = self._given = self.base_lrs
        self._set(chained=last_epoch == -1)

    def _check_optimizer(self, optimizer: Any) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"{type(self).__name__} takes an optimiser, not a {type(optimizer).__name__}"
            )

    def rate(self, t: int, base: float) -> float:
        """The learning rate after t steps, for a group with the rate `base`."""
        raise NotImplementedError(f"{type(self).__name__} defines no rate()")

    def rates(self) -> list[float]:
        """The rates of all groups now."""
        return [self.rate(self.last_epoch, base) for base in self.base_lrs]

    def step(self) -> None:
        """Go on by one step: set the learning rates of the next one."""
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
        """Restore what `state_dict` returned, here or in PyTorch.

        Parameters
        ----------
        state : dict
            The state of a schedule of the same class.
        """
        known = {k: v for k, v in state.items() if k not in self.unsaved and k[0] != "_"}
        vars(self).update(known)
        self._former = self.rates()
        self._given = state.get("_last_lr", self._former)

    def _repr_html_(self) -> str:
        return import_module("nn.notebook").of_schedule(self)  # type: ignore[no-any-return]


@like(LRScheduler)
class LambdaLR(LRScheduler):
    """The base rate times a function of t, base · f(t).

    Parameters
    ----------
    lr_lambda : callable or list of callables
        The function f, or one for each group.

    Raises
    ------
    TypeError
        If `optimizer` is not an optimiser.
    ArgumentError
        If there are not as many functions as groups.

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.0])
    >>> (w * w).sum().backward()
    >>> optimizer = nn.SGD([w], lr=0.8)
    >>> schedule = nn.LambdaLR(optimizer, lambda t: 1 / (1 + t))
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     schedule.step()
    >>> optimizer.lr
    0.2
    """

    @public
    def __init__(self, optimizer: Optimizer, lr_lambda: Any, last_epoch: int = -1) -> None:
        self._check_optimizer(optimizer)
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


@like(LRScheduler)
class StepLR(LRScheduler):
    """The base rate times a factor that falls after every `step_size` steps.

    The rate is base · gamma^⌊t / step_size⌋.

    Parameters
    ----------
    step_size : int
        The number of steps with the same rate.
    gamma : float, default 0.1
        What the rate is multiplied by.

    Raises
    ------
    TypeError
        If `optimizer` is not an optimiser.
    ArgumentError
        If `step_size` is less than 1.

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.0])
    >>> (w * w).sum().backward()
    >>> optimizer = nn.SGD([w], lr=0.8)
    >>> schedule = nn.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for _ in range(4):
    ...     optimizer.step()
    ...     schedule.step()
    ...     print(optimizer.lr)
    0.8
    0.4
    0.4
    0.2
    """

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


@like(LRScheduler)
class MultiStepLR(LRScheduler):
    """The base rate times a factor that falls at given steps.

    The rate is base · gamma^n, with the number n of `milestones` that t has reached.

    Parameters
    ----------
    milestones : iterable of int
        The steps at which the rate falls, in any order.
    gamma : float, default 0.1
        What the rate is multiplied by.

    Examples
    --------
    >>> import nn
    >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=0.8)
    >>> schedule = nn.MultiStepLR(optimizer, [1, 3], gamma=0.5)
    >>> [schedule.rate(t, 0.8) for t in range(5)]
    [0.8, 0.4, 0.4, 0.2, 0.2]
    """

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


@like(LRScheduler)
class ExponentialLR(LRScheduler):
    """The base rate times a factor that falls in every step, base · gamma^t.

    Parameters
    ----------
    gamma : float
        What the rate is multiplied by.

    Examples
    --------
    >>> import nn
    >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=0.8)
    >>> schedule = nn.ExponentialLR(optimizer, gamma=0.5)
    >>> [schedule.rate(t, 0.8) for t in range(4)]
    [0.8, 0.4, 0.2, 0.1]
    """

    chained = True

    @public
    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, t: int, base: float) -> float:
        """base · gamma^t."""
        return base * self.gamma**t


@like(LRScheduler)
class ConstantLR(LRScheduler):
    """The base rate times a constant in the first steps.

    The rate is base · factor until t = total_iters, then base.

    Parameters
    ----------
    factor : float, default 0.3333333333333333
        The factor of the first steps, in [0, 1].
    total_iters : int, default 5
        The number of steps with the factor.

    Raises
    ------
    TypeError
        If `optimizer` is not an optimiser.
    ArgumentError
        If `factor` is not in [0, 1].

    Examples
    --------
    >>> import nn
    >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=0.8)
    >>> schedule = nn.ConstantLR(optimizer, factor=0.5, total_iters=2)
    >>> [schedule.rate(t, 0.8) for t in range(4)]
    [0.4, 0.4, 0.8, 0.8]
    """

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


@like(LRScheduler)
class LinearLR(LRScheduler):
    """A warm-up: the base rate times a factor that changes linearly, then remains.

    Parameters
    ----------
    start_factor : float, default 0.3333333333333333
        The factor at t = 0, in (0, 1].
    end_factor : float, default 1.0
        The factor from t = `total_iters` on, in [0, 1].
    total_iters : int, default 5
        The number of steps from one factor to the other.

    Raises
    ------
    TypeError
        If `optimizer` is not an optimiser.
    ArgumentError
        If a factor is outside its range.

    Examples
    --------
    >>> import nn
    >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=1.0)
    >>> schedule = nn.LinearLR(optimizer, start_factor=0.25, total_iters=3)
    >>> [schedule.rate(t, 1.0) for t in range(5)]
    [0.25, 0.5, 0.75, 1.0, 1.0]
    """

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


@like(LRScheduler)
class PolynomialLR(LRScheduler):
    """The base rate times a power of the share of the steps that remain.

    The rate is base · (1 - t / total_iters)^power until t = total_iters, then 0.

    Parameters
    ----------
    total_iters : int, default 5
        The number of steps until the rate is 0.
    power : float, default 1.0
        The exponent; 1 is a straight line.

    Raises
    ------
    TypeError
        If `optimizer` is not an optimiser.
    ArgumentError
        If `total_iters` is less than 1.

    Examples
    --------
    >>> import nn
    >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=1.0)
    >>> schedule = nn.PolynomialLR(optimizer, total_iters=4)
    >>> [schedule.rate(t, 1.0) for t in range(6)]
    [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """

    chained = True

    @public
    def __init__(
        self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1
    ) -> None:
        if total_iters < 1:
            raise ArgumentError(f"PolynomialLR: total_iters must be at least 1, not {total_iters}")
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def rate(self, t: int, base: float) -> float:
        """The base rate times the power of what remains."""
        return float(base * (1 - min(t, self.total_iters) / self.total_iters) ** self.power)


@like(LRScheduler)
class CosineAnnealingLR(LRScheduler):
    """Half a wave of a cosine, from the base rate to `eta_min` at t = T_max.

    The rate is eta_min + (base - eta_min) (1 + cos(π t / T_max)) / 2 (Loshchilov and Hutter, 2017,
    equation 5, without restarts).

    Parameters
    ----------
    T_max : int
        The number of steps until the least rate. Afterwards the rate rises again.
    eta_min : float, default 0.0
        The least rate.

    Raises
    ------
    TypeError
        If `optimizer` is not an optimiser.
    ArgumentError
        If `T_max` is less than 1.

    Examples
    --------
    >>> import nn
    >>> optimizer = nn.SGD([nn.Parameter([1.0])], lr=1.0)
    >>> schedule = nn.CosineAnnealingLR(optimizer, T_max=4)
    >>> [round(schedule.rate(t, 1.0), 4) for t in range(5)]
    [1.0, 0.8536, 0.5, 0.1464, 0.0]
    """

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


@like(LRScheduler)
class CosineAnnealingWarmRestarts(LRScheduler):
    """`CosineAnnealingLR` that starts again after T_0 steps, then after T_0 T_mult, and so on.

    The numbers of steps between restarts are T_0, T_0 T_mult, T_0 T_mult², … (Loshchilov and
    Hutter, 2017).

    Parameters
    ----------
    T_0 : int
        The number of steps until the first restart.
    T_mult : int, default 1
        What this number is multiplied by at each restart.
    eta_min : float, default 0.0
        The least rate.

    Raises
    ------
    TypeError
        If `optimizer` is not an optimiser.
    ArgumentError
        If `T_0` or `T_mult` is less than 1.

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.0])
    >>> (w * w).sum().backward()
    >>> optimizer = nn.SGD([w], lr=1.0)
    >>> schedule = nn.CosineAnnealingWarmRestarts(optimizer, T_0=2)
    >>> for _ in range(4):
    ...     optimizer.step()
    ...     schedule.step()
    ...     print(round(optimizer.lr, 4))
    0.5
    1.0
    0.5
    1.0
    """

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
        """Go on by one step, or to `epoch`.

        Parameters
        ----------
        epoch : float, optional
            The new t, which may be a fraction: ``epoch + i / batches``.
        """
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
