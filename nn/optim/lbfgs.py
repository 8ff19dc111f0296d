"""L-BFGS: the direction of Newton's method, from the changes of the gradient in former steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from autograd_core import Tensor
from autograd_core.devices import backend
from autograd_core.engine.stamps import stamp
from autograd_core.errors import ArgumentError, AutogradError
from autograd_core.errors.tracebacks import public
from nn.optim.optimizer import Optimizer

DECREASE, CURVATURE = 1e-4, 0.9  # the constants of the two Wolfe conditions
LISTS = ("old_dirs", "old_stps", "ro")


class LBFGS(Optimizer):
    """The limited-memory BFGS method, for losses without noise, such as those of all examples.

    The method is that of Nocedal and Wright (2006, algorithms 7.4 and 7.5). ``step(closure)`` calls
    the closure several times; it clears the gradients, computes the loss, calls backward and
    returns the loss. The closure may be compiled; a compiled function that calls `step` runs
    without a program, with a warning. Results are PyTorch's, and so is the state.

    Parameters
    ----------
    parameters : iterable
        Tensors, pairs (name, Tensor), or one group of them in a dict.
    lr : float, default 1.0
        The length of a step along its direction; with a line search, where the search begins.
    max_iter : int, default 20
        The largest number of iterations of a step.
    max_eval : int, optional
        The largest number of calls of the closure in a step, by default 1.25 times `max_iter`.
    tolerance_grad : float, default 1e-07
        A step ends when no element of the gradient exceeds this.
    tolerance_change : float, default 1e-09
        A step ends when the loss and the weights change by less than this.
    history_size : int, default 100
        How many pairs of changes of weights and gradients are kept.
    line_search_fn : str, optional
        With "strong_wolfe", the length of each step fulfils the Wolfe conditions.

    Raises
    ------
    TypeError
        If `parameters` is a single Tensor, a dict or a Module, or cannot be iterated; in a step,
        without a closure.
    ArgumentError
        If there are several groups of parameters, for another `line_search_fn`, or for the reasons
        listed at `Optimizer`.

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter([1.0, 1.0])
    >>> optimizer = nn.LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((w - 3) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure).item()
    8.0
    >>> w
    Tensor([3., 3.], requires_grad=True)
    """

    traced_attributes: tuple[str, ...] = (
        "param_groups",
    )  # of a closure; a step cannot be compiled

    @public
    def __init__(
        self,
        parameters: Any,
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        if line_search_fn not in (None, "strong_wolfe"):
            raise ArgumentError(
                f'LBFGS: line_search_fn is None or "strong_wolfe", not {line_search_fn!r}'
            )
        super().__init__(
            parameters,
            {"lr": lr, "max_iter": max_iter,
             "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
             "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change,
             "history_size": history_size, "line_search_fn": line_search_fn},
        )  # fmt: skip
        if len(self.param_groups) > 1:
            raise ArgumentError("LBFGS takes one group of parameters: its directions are of all")

    @public
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Minimise the loss. Parameters without a gradient have the gradient 0.

        Parameters
        ----------
        closure : callable, optional
            The function that computes the loss and its gradients and returns the loss. It is
            needed.

        Returns
        -------
        Tensor
            The loss before the step.
        """
        if closure is None:
            raise TypeError("LBFGS.step takes a closure that computes the loss and its gradients")
        if any(backend.is_traced(p.data) for p in self.parameters):
            raise AutogradError("LBFGS.step cannot be compiled; compile the closure")
        (group,) = self.param_groups
        known = self.state.setdefault(self.parameters[0], {"func_evals": 0, "n_iter": 0})
        first = closure()
        loss, g = _number(first), self._gradient()
        calls, most, small = 1, group["max_iter"], group["tolerance_change"]
        for i in range(1, most + 1):
            if np.max(np.abs(g)) <= group["tolerance_grad"]:
                break
            known["n_iter"] += 1
            d = self._direction(known, g)
            before, known["prev_flat_grad"], known["prev_loss"] = loss, g, loss
            t = group["lr"]
            if known["n_iter"] == 1:
                t *= min(1.0, 1 / float(np.sum(np.abs(g))))
            known |= {"d": d, "t": t}
            slope = float(np.dot(g, d))
            if slope > -small:
                break
            more = 0
            if group["line_search_fn"]:
                ray, start = _Ray(self, closure, d), Point(0.0, loss, g, slope)
                t, loss, g, _ = strong_wolfe(ray, start, t, small, group["max_eval"] - calls)
                ray.move(t)
                known["t"], more = t, ray.calls
            else:
                self._write(self._flat() + t * d)
                if i < most:
                    loss, g, more = _number(closure()), self._gradient(), 1
            calls += more
            if calls >= group["max_eval"] or abs(loss - before) < small or (
                float(np.max(np.abs(d * t))) <= small
            ):  # fmt: skip
                break
        known["func_evals"] += calls
        return first

    def _direction(self, known: dict[str, Any], g: Any) -> Any:
        """-H g, with the inverse Hessian H of the pairs of changes."""
        if known["n_iter"] == 1:
            known |= {"old_dirs": [], "old_stps": [], "ro": [], "H_diag": 1.0}
            return -g
        changes, moves, inverses = (known[name] for name in LISTS)
        y, s = g - known["prev_flat_grad"], known["d"] * known["t"]
        curvature = float(np.dot(y, s))
        if curvature > 1e-10:
            if len(changes) == self.param_groups[0]["history_size"]:
                for entries in (changes, moves, inverses):
                    del entries[0]
            changes.append(y)
            moves.append(s)
            inverses.append(1 / curvature)
            known["H_diag"] = curvature / float(np.dot(y, y))
        d, factors = -g, []
        for y, s, inverse in zip(changes[::-1], moves[::-1], inverses[::-1], strict=True):
            factors.append(float(np.dot(s, d)) * inverse)
            d = d - factors[-1] * y
        d = d * known["H_diag"]
        for y, s, inverse, factor in zip(changes, moves, inverses, factors[::-1], strict=True):
            d = d + s * (factor - float(np.dot(y, d)) * inverse)
        return d

    # all parameters as one vector

    def _flat(self) -> Any:
        return np.concatenate([_real(p.data).ravel() for p in self.parameters])

    def _gradient(self) -> Any:
        return np.concatenate([
            np.zeros_like(_real(p.data)).ravel() if p.grad is None
            else _real(p.grad.data.conj()).ravel()
            for p in self.parameters
        ])  # fmt: skip

    def _write(self, flat: Any) -> None:
        start = 0
        for p in self.parameters:
            parts = [p.data.real, p.data.imag] if p.dtype.kind == "c" else [p.data]
            for part in parts:
                part[...] = flat[start : start + part.size].reshape(part.shape)
                start += part.size
        stamp(*self.parameters)

    # the state, which is that of the first parameter

    def state_dict(self) -> dict[str, Any]:
        """The state and the settings, in PyTorch's structure."""
        state = {name: _on_host(value) for known in self.state.values()
                 for name, value in known.items()}  # fmt: skip
        settings = {name: value for name, value in self.param_groups[0].items() if name != "params"}
        group = settings | {"params": [*range(len(self.parameters))]}
        return {"state": {0: state} if state else {}, "param_groups": [group]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned, here or in PyTorch."""
        (group,), own = state["param_groups"], self.param_groups[0]
        if len(group["params"]) != len(self.parameters):
            raise ArgumentError(
                f"LBFGS: the state is of {len(group['params'])} parameters; these are "
                f"{len(self.parameters)}"
            )
        known, size = dict(state["state"].get(0, {})), self._flat().size
        known.pop("al", None)  # PyTorch's scratch
        flat = [known.get("d"), *known.get("old_dirs", ())]
        if any(x is not None and len(x) != size for x in flat):
            raise ArgumentError(f"LBFGS: the state is not of {size} numbers, as the parameters are")
        home, dtype = self.parameters[0].device, self._flat().dtype
        loaded = {name: _here(value, home, dtype) for name, value in known.items()}
        self.state = {self.parameters[0]: loaded} if loaded else {}
        own.update({name: value for name, value in group.items() if name in self.defaults})


class Point(NamedTuple):
    """A step of length t: the loss, its gradient, and the derivative of the loss along the line."""

    t: float
    loss: float
    g: Any
    slope: float


class _Ray:
    """The losses in a direction from the parameters of now."""

    def __init__(self, optimizer: LBFGS, closure: Callable[[], Any], d: Any) -> None:
        self.optimizer, self.closure, self.d = optimizer, closure, d
        self.start, self.calls = optimizer._flat(), 0
        self.reach = float(np.max(np.abs(d)))

    def move(self, t: float) -> None:
        """Write the parameters at t."""
        self.optimizer._write(self.start + t * self.d)

    def at(self, t: float) -> Point:
        """The point at t."""
        self.move(t)
        self.calls += 1
        loss, g = _number(self.closure()), self.optimizer._gradient()
        return Point(t, loss, g, float(np.dot(g, self.d)))


def strong_wolfe(ray: _Ray, start: Point, t: float, tolerance: float, most: int) -> Point:
    """A point where the loss has fallen enough, and its slope too (Nocedal and Wright, 2006,
    algorithms 3.5 and 3.6), after at most `most` + 1 points. ``ray.at(t)`` computes a point."""

    def too_high(point: Point) -> bool:
        return point.loss > start.loss + DECREASE * point.t * start.slope

    def flat(point: Point) -> bool:
        return abs(point.slope) <= -CURVATURE * start.slope

    last, now, steps = start, ray.at(t), 0
    while steps < most:
        if too_high(now) or (steps > 1 and now.loss >= last.loss):
            break
        if flat(now):
            return now
        if now.slope >= 0:
            break
        t = _lowest(last, now, now.t + 0.01 * (now.t - last.t), 10 * now.t)
        last, now = now, ray.at(t)
        steps += 1
    else:
        last = start
    ends = [last, now]
    low = int(now.loss < last.loss)  # which of the two
    slow = False  # the last point was near an end of the interval
    while steps < most:
        left, right = sorted(end.t for end in ends)
        if (right - left) * ray.reach < tolerance:
            break
        t, margin = _lowest(ends[0], ends[1], left, right), 0.1 * (right - left)
        near = min(right - t, t - left) < margin
        if near and (slow or not left < t < right):
            t = right - margin if abs(t - right) < abs(t - left) else left + margin
            near = False
        slow = near
        point = ray.at(t)
        steps += 1
        if too_high(point) or point.loss >= ends[low].loss:
            ends[1 - low] = point
            low = int(ends[1].loss < ends[0].loss)
            continue
        if flat(point):
            return point
        if point.slope * (ends[1 - low].t - ends[low].t) >= 0:
            ends[1 - low] = ends[low]
        ends[low] = point
    return ends[low]


def _lowest(a: Point, b: Point, left: float, right: float) -> float:
    """Where the cubic polynomial with the losses and slopes of a and b is lowest in [left, right]
    (Nocedal and Wright, 2006, equation 3.59)."""
    a, b = sorted((a, b), key=lambda point: point.t)
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1**2 - a.slope * b.slope
    if square < 0:
        return (left + right) / 2
    d2 = math.sqrt(square)
    place = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    return min(max(place, left), right)


def _number(loss: Any) -> float:
    return float(loss.item() if isinstance(loss, Tensor) else loss)


def _real(array: Any) -> Any:
    """A complex array as its real and its imaginary parts."""
    return np.stack([array.real, array.imag]) if array.dtype.kind == "c" else array


def _on_host(value: Any) -> Any:
    if isinstance(value, list):
        return [_on_host(entry) for entry in value]
    return np.array(backend.asnumpy(value)) if backend.is_array(value) else value


def _here(value: Any, device: str, dtype: Any) -> Any:
    """A value of a state: a vector as an array on the device, a number as a float."""
    if isinstance(value, list):
        return [_here(entry, device, dtype) for entry in value]
    value = value.numpy() if hasattr(value, "numpy") else value
    if getattr(value, "ndim", 0) == 1:
        return backend.to_device(np.array(value, dtype), device)
    return value if isinstance(value, int) else float(value)
