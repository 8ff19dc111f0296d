"""`Optimizer`: parameters in groups, the state of each, and the step that updates them in place."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from autograd_core import Tensor
from autograd_core.devices import backend
from autograd_core.engine.stamps import stamp
from autograd_core.engine.versions import Versioned, VersionedDict, versions
from autograd_core.errors import AutogradError, DTypeError, ShapeError
from nn.module import Module, Parameter
from nn.optim.formula import Formula, is_fixed

# The range of each setting; the upper bound of "betas" and others is not allowed itself
RANGES = {
    "lr": (0, math.inf), "momentum": (0, math.inf), "weight_decay": (0, math.inf),
    "eps": (0, math.inf), "betas": (0, 1), "alpha": (0, 1), "rho": (0, 1),
    "lr_decay": (0, math.inf), "momentum_decay": (0, math.inf),
    "initial_accumulator_value": (0, math.inf), "dampening": (-math.inf, math.inf),
}  # fmt: skip


class Group(VersionedDict):
    """A group of parameters ("params") and its settings ("lr", "weight_decay", …), as in PyTorch.
    The numbers are inputs of a compiled step, so a schedule may change them."""

    traced_numbers = tuple(RANGES)

    def __setitem__(self, name: str, value: Any) -> None:
        """Numbers of NumPy, as from a schedule, and ints become floats."""
        super().__setitem__(name, _plain(value) if name in RANGES else value)


class Optimizer(Versioned):
    """The base of optimisers: a subclass declares its state and the formula of an update.

    `parameters` are Tensors, pairs (name, Tensor), or dicts, each a group with settings of its own:
    ``[{"params": weights, "weight_decay": 0.1}, {"params": biases}]``. `param_groups` is the list
    of the groups, `state` holds the arrays of each parameter under PyTorch's names.

    A subclass defines `arrays`, the names of its state for a group, `counters`, numbers that a step
    changes, and ``update(w, g, s, h)``, the formula. `w` are the weights, `g` the gradient, `s` the
    state, `h` the settings and what `numbers` computes from them and the counters. The formula uses
    NumPy's operators and ufuncs; it is run in place, and on a device in one launch. A complex
    parameter is updated as two real ones, its real and its imaginary part.

    Raises TypeError for parameters that are not Tensors, and AutogradError for none, for one that
    cannot be trained or occurs twice, and for a setting outside its range.
    """

    traced_attributes: tuple[str, ...] = (
        "param_groups",
        "state",
    )  # what a compiled step reads and writes
    counters: ClassVar[dict[str, float]] = {}

    def __init__(self, parameters: Any, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.param_groups: list[Group] = []
        self.state: dict[Tensor, dict[str, Any]] = {}
        self._formulas: dict[Any, Formula] = {}
        self._last: dict[Any, tuple[int, Formula]] = {}
        self._scratch: dict[Any, Any] = {}
        for group in _groups(type(self).__name__, parameters):
            self.add_param_group(group)

    # what a subclass declares

    def arrays(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        """The names of the arrays of a parameter's state."""
        return ()

    def start(self, name: str, group: Mapping[str, Any]) -> float:
        """The first value of an array of the state."""
        return 0.0

    def count(self, group: Mapping[str, Any], counters: dict[str, Any]) -> None:
        """Advance the counters by a step, in place."""
        counters["step"] += 1

    def numbers(self, group: Mapping[str, Any], counters: dict[str, Any]) -> dict[str, Any]:
        """Numbers of a step for `update`, beside the settings."""
        return {}

    def update(self, w: Any, g: Any, s: Any, h: Any) -> Any:
        """The new weights. Assigns the new state to `s`."""
        raise NotImplementedError(f"{type(self).__name__} defines no update()")

    def check(self, group: Mapping[str, Any]) -> None:
        """Raise AutogradError for settings that do not fit together."""

    # what users call

    @property
    def parameters(self) -> list[Parameter]:
        """All parameters, in order."""
        return [parameter for group in self.param_groups for parameter in group["params"]]

    @property
    def lr(self) -> float:
        """The learning rate. Setting it sets that of every group."""
        first, *others = (group["lr"] for group in self.param_groups)
        if any(rate != first for rate in others):
            raise AutogradError(
                f"the groups have different learning rates, {[first, *others]}: read "
                'optimizer.param_groups[i]["lr"]'
            )
        return first  # type: ignore[no-any-return]

    @lr.setter
    def lr(self, lr: float) -> None:
        for group in self.param_groups:
            group["lr"] = lr

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Train the parameters of another group, ``{"params": …, "lr": …}``."""
        kind = type(self).__name__
        unknown = group.keys() - self.defaults.keys() - {"params", "param_names"}
        if unknown:
            raise AutogradError(
                f"{kind} has no setting {sorted(unknown)}; it has {sorted(self.defaults)}"
            )
        complete = Group()
        complete["params"] = trainable(kind, group["params"], len(self.parameters))
        for name, default in self.defaults.items():
            complete[name] = group.get(name, default)
        _check_ranges(kind, complete)
        _check_eps(kind, complete)
        self.check(complete)
        _check_once(kind, [*self.parameters, *complete["params"]])
        self.param_groups.append(complete)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the `grad` of every parameter to None, or to zeros."""
        for parameter in self.parameters:
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad = Tensor(np.zeros_like(parameter.grad.data))

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient. With a `closure`, which computes the loss and
        its gradients, call it first, and return the loss."""
        loss = None if closure is None else closure()
        moved = []
        for group in self.param_groups:
            some = [parameter for parameter in group["params"] if parameter._grad is not None]
            names = self.arrays(group)
            for parameters, given in self._counted(group, some):
                step = _Step(self, group, names, given)
                for parameter in parameters:
                    backend.run_there(parameter._array, step.update, parameter)
            moved += some
        stamp(*moved)
        return loss

    # the state

    def state_dict(self) -> dict[str, Any]:
        """The state and the settings, in the structure of PyTorch's: ``state[i]`` has copies on the
        host of the arrays of parameter i, ``param_groups`` the settings and the numbers i."""
        places: dict[Any, int] = {p: i for i, p in enumerate(self.parameters)}
        state = {
            places[parameter]: {name: np.array(backend.asnumpy(a)) for name, a in arrays.items()}
            for parameter, arrays in self.state.items()
        }
        groups = [
            {**{name: value for name, value in group.items() if name != "params"},
             "params": [places[parameter] for parameter in group["params"]]}
            for group in self.param_groups
        ]  # fmt: skip
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned, here or in PyTorch. If anything does not fit, nothing
        is changed, and the error says what."""
        kind, groups = type(self).__name__, state["param_groups"]
        sizes = [len(group["params"]) for group in groups]
        own = [len(group["params"]) for group in self.param_groups]
        if sizes != own:
            raise AutogradError(
                f"{kind}: the groups of the state have {sizes} parameters; these have {own}"
            )
        numbered = dict(zip((i for g in groups for i in g["params"]), self.parameters, strict=True))
        counters: dict[Any, Any] = {}
        wrong: list[str] = []
        loaded = {}
        for i, arrays in state["state"].items():
            parameter = numbered[i]
            loaded[parameter] = {
                name: self._loaded(parameter, name, values, counters, wrong, f"state[{i}]")
                for name, values in arrays.items() if values is not None
            }  # fmt: skip
        if wrong:
            raise ShapeError(f"{kind}: the state does not fit. {'; '.join(wrong)}")
        self.state = loaded
        for group, given in zip(self.param_groups, groups, strict=True):
            for name in group.keys() & given.keys() - {"params"}:
                group[name] = given[name]

    def _loaded(
        self, parameter: Parameter, name: str, values: Any, counters: dict[Any, Any],
        wrong: list[str], place: str,
    ) -> Any:  # fmt: skip
        """A state of a parameter as an array. Parameters with the same count share a counter."""
        values = np.array(values.numpy() if hasattr(values, "numpy") else values)
        if name in self.counters:
            return counters.setdefault((name, float(values)), np.asarray(values, np.float64))
        if values.shape != parameter.shape:
            wrong.append(
                f"{place}[{name!r}] has shape {values.shape}; the parameter has {parameter.shape}"
            )
        return backend.to_device(values.astype(parameter.dtype), parameter.device)

    # a step

    def _counted(
        self, group: Group, moved: list[Parameter]
    ) -> list[tuple[list[Parameter], dict[str, Any]]]:
        """Advance the counters; return the parameters with their settings and numbers. Parameters
        that have always been updated together share their counters, so most groups are one list."""
        if not self.counters:
            return [(moved, settings_of(group))]
        for parameter in moved:
            self.state.setdefault(parameter, {})
        fresh = {name: np.array(first) for name, first in self.counters.items()}
        lists: dict[int, tuple[dict[str, Any], list[Parameter]]] = {}
        for parameter in moved:
            counters = self._counters(parameter, fresh)
            lists.setdefault(id(counters["step"]), (counters, []))[1].append(parameter)
        for parameter in group["params"]:
            state = self.state.get(parameter) if parameter._grad is None else None
            if state is not None and id(state["step"]) in lists:  # it does not move with them
                state.update({name: state[name].copy() for name in self.counters})
        found = []
        for counters, parameters in lists.values():
            self.count(group, counters)
            found.append((parameters, settings_of(group) | self.numbers(group, counters)))
        return found

    def _counters(self, parameter: Parameter, fresh: dict[str, Any]) -> dict[str, Any]:
        """The counters of a parameter, which are made with its state."""
        state = self.state[parameter]
        for name, counter in fresh.items():
            if name not in state:
                state[name] = counter
        return {name: state[name] for name in fresh}

    def _formula(self, names: tuple[str, ...], given: dict[str, Any]) -> Formula:
        key = names, *((k, v if is_fixed(v) else True) for k, v in given.items())
        known = self._formulas.get(key)
        if known is None:
            known = self._formulas[key] = Formula(self.update, names, given)
        return known

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={self.param_groups[0][name]!r}" for name in self.defaults)
        return f"{type(self).__name__}({len(self.parameters)} parameters, {shown})"


class _Step:
    """One step for parameters with the same settings and numbers."""

    def __init__(
        self, optimizer: Optimizer, group: Group, names: tuple[str, ...], given: dict[str, Any]
    ) -> None:
        self.optimizer, self.group, self.names, self.given = optimizer, group, names, given
        self.known: dict[Any, tuple[Formula, list[Any]]] = {}

    def update(self, parameter: Parameter) -> None:
        """Update a parameter and its state, in place."""
        w, g = parameter._array, parameter._grad._array  # type: ignore[union-attr]
        arrays, first = [w, g], False
        if self.names:
            state, first = self._state(parameter, w)
            arrays += [state[name] for name in self.names]
        known = self.known.get((first, w.dtype))
        if known is None:
            known = self.known[first, w.dtype] = self._formula(first, w.dtype)
        formula, numbers = known
        scratch = self.optimizer._scratch
        if w.dtype.kind == "c":
            arrays[1] = g.conj()
            formula([a.real for a in arrays], numbers, scratch)
            formula([a.imag for a in arrays], numbers, scratch)
        else:
            formula(arrays, numbers, scratch)

    def _formula(self, first: bool, dtype: Any) -> tuple[Formula, list[Any]]:
        """The formula, and its numbers in the dtype of the arrays."""
        known = self.optimizer._last.get((id(self.group), first))
        if known is not None and known[0] == versions.number:  # no setting has changed
            formula = known[1]
        else:
            given = self.given | {"first": first} if self.names else self.given
            formula = self.optimizer._formula(self.names, given)
            self.optimizer._last[id(self.group), first] = versions.number, formula
        return formula, formula.numbers_of(self.given, dtype)

    def _state(self, parameter: Parameter, w: Any) -> tuple[dict[str, Any], bool]:
        """The arrays of the state, on the device of the parameter, and whether they are new."""
        state = self.optimizer.state.setdefault(parameter, {})
        first = any(name not in state for name in self.names)
        for name in self.names:
            if first:
                value = self.optimizer.start(name, self.group)
                both = complex(value, value)  # of the real and of the imaginary part
                state[name] = np.full_like(w, both if w.dtype.kind == "c" else value)
            elif backend.in_use():  # the parameter may have moved
                state[name] = backend.to_device(state[name], parameter.device)
        return state, first


def descent(w: Any, g: Any, h: Any) -> Any:
    """The gradient with the sign of `maximize`, and with `weight_decay` times w unless that is
    decoupled."""
    g = -g if h.maximize else g
    coupled = h.weight_decay and not getattr(h, "decoupled_weight_decay", False)
    return g + h.weight_decay * w if coupled else g


def settings_of(group: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a group by name; "betas" is two."""
    given = {name: value for name, value in group.items() if name not in ("params", "betas")}
    if "betas" in group:
        given["beta1"], given["beta2"] = group["betas"]
    return given


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return tuple(map(_plain, value))
    return float(value) if type(value) is int or isinstance(value, np.number) else value


def _groups(kind: str, parameters: Any) -> list[Mapping[str, Any]]:
    """The groups in which parameters are given."""
    if isinstance(parameters, Tensor | Module | Mapping) or not isinstance(parameters, Iterable):
        raise TypeError(
            f"{kind} takes a list of Tensors, not a {type(parameters).__name__}: write "
            f"{kind}(model.parameters()), or {kind}([weight]) for a single Tensor"
        )
    listed = list(parameters)
    if not listed:
        raise AutogradError(f"{kind} was given no parameters to train")
    if isinstance(listed[0], Mapping):
        return listed
    return [{"params": listed}]


def trainable(kind: str, parameters: Any, start: int = 0) -> list[Any]:
    """The parameters as a list. Raises an error unless all are leaves that require a gradient."""
    listed = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    listed = [p[1] if isinstance(p, tuple) and len(p) == 2 else p for p in listed]
    for place, parameter in enumerate(listed, start):
        if not (isinstance(parameter, Tensor) and parameter.requires_grad and parameter.is_leaf):
            raise AutogradError(
                f"{kind} trains leaves that require a gradient; number {place} is {parameter!r}"
            )
    return listed


def _check_once(kind: str, parameters: list[Parameter]) -> None:
    places: dict[int, int] = {}
    for place, parameter in enumerate(parameters):
        first = places.setdefault(id(parameter), place)
        if first != place:
            called = f" ({parameter.name!r})" if parameter.name else ""
            raise AutogradError(
                f"{kind} was given one parameter twice: numbers {first} and {place}{called}, of "
                f"shape {parameter.shape}, are the same Tensor. Pass it once"
            )


def _check_eps(kind: str, group: Mapping[str, Any]) -> None:
    """Raise an error for an eps that is 0 in float16, where an update would be 0 / 0."""
    eps = group.get("eps")
    if eps and any(p.dtype.char == "e" for p in group["params"]) and np.float16(eps) == 0:
        raise DTypeError(
            f"{kind}: eps={eps} is 0 in float16, in which a parameter is: keep the parameters in "
            "float32 (see GradScaler), or pass eps=1e-4"
        )


def _check_ranges(kind: str, group: Mapping[str, Any]) -> None:
    for name, (low, high) in RANGES.items():
        values = group.get(name)
        if (
            name == "betas"
            and name in group
            and not (isinstance(values, tuple) and len(values) == 2)
        ):
            raise AutogradError(f"{kind}: betas must be two numbers, not {values!r}")
        for value in values if isinstance(values, tuple) else (values,):
            if value is None:
                continue
            if not isinstance(value, float) or not low <= value < high:
                end = "finite" if high == math.inf else f"less than {high}"
                raise AutogradError(
                    f"{kind}: {name} must be at least {low} and {end}, not {value!r}"
                )
