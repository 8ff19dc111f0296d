"""`Optimizer`: parameters in groups, the state of each, and the step that updates them in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, ClassVar

import numpy as np

from autograd_core import Tensor
from autograd_core.devices import backend
from autograd_core.engine.stamps import stamp
from autograd_core.engine.versions import Versioned, versions
from autograd_core.errors import ArgumentError, ShapeError
from nn.module import Parameter
from nn.optim.formula import Formula, is_fixed
from nn.optim.settings import (
    KEPT,
    Group,
    check_eps,
    check_once,
    check_ranges,
    groups_of,
    trainable,
)


class Optimizer(Versioned):
    """The base class of optimisers: a subclass declares its state and the formula of an update.

    A subclass defines `arrays`, the names of its state for a group, `counters`, numbers that a step
    changes, and ``update(w, g, s, h)``, the formula. `w` are the weights, `g` the gradient, `s` the
    state, `h` the settings and what `numbers` computes from them and the counters. The formula uses
    NumPy's operators and ufuncs; it is run in place, and on a device in one launch. A complex
    parameter is updated as two real ones, its real and its imaginary part.

    The attribute `param_groups` is the list of the groups, and `state` holds the arrays of each
    parameter under PyTorch's names.

    Parameters
    ----------
    parameters : iterable
        Tensors, pairs (name, Tensor), or dicts, each a group with settings of its own:
        ``[{"params": weights, "weight_decay": 0.1}, {"params": biases}]``.
    defaults : dict
        The settings of groups that do not have them, by name. "lr" is the learning rate.

    Raises
    ------
    TypeError
        If `parameters` is a single Tensor, a dict or a Module, or cannot be iterated.
    ArgumentError
        If there are no parameters, if one is not a leaf Tensor that requires a gradient or occurs
        twice, if a group has an unknown setting, or if settings are outside their ranges or do not
        fit together.
    DTypeError
        If a parameter is float16 and `eps` is 0 in float16.

    Examples
    --------
    >>> import numpy as np, nn
    >>> class SignSGD(nn.Optimizer):
    ...     def __init__(self, parameters, lr=0.1):
    ...         super().__init__(parameters, {"lr": lr})
    ...
    ...     def update(self, w, g, s, h):
    ...         return w - h.lr * np.sign(g)
    >>> w = nn.Parameter([1.0, -2.0])
    >>> (w * w).sum().backward()
    >>> SignSGD([w]).step()
    >>> w
    Tensor([ 0.9, -1.9], requires_grad=True)
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
        for group in groups_of(type(self).__name__, parameters):
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
        """Raise ArgumentError for settings that do not fit together."""

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
            raise ArgumentError(
                f"the groups have different learning rates, {[first, *others]}: read "
                'optimizer.param_groups[i]["lr"]'
            )
        return first  # type: ignore[no-any-return]

    @lr.setter
    def lr(self, lr: float) -> None:
        for group in self.param_groups:
            group["lr"] = lr

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Train the parameters of another group, ``{"params": …, "lr": …}``.

        Parameters
        ----------
        group : dict
            The parameters, and those settings that differ from the defaults of the optimiser.

        Raises
        ------
        ArgumentError
            If a parameter is in a group already, or for the reasons listed at `Optimizer`.
        """
        kind = type(self).__name__
        unknown = group.keys() - self.defaults.keys() - KEPT
        if "params" not in group:
            raise ArgumentError(f'{kind}: a group of parameters is {{"params": [...], ...}}')
        if unknown:
            raise ArgumentError(
                f"{kind} has no setting {sorted(unknown)}; it has {sorted(self.defaults)}"
            )
        complete = Group()
        complete["params"] = trainable(kind, group["params"], len(self.parameters))
        for name, default in self.defaults.items():
            complete[name] = group.get(name, default)
        complete.update({name: group[name] for name in ("initial_lr", "name") if name in group})
        check_ranges(kind, complete)
        for parameter in complete["params"]:
            check_eps(kind, complete, parameter.dtype)
        self.check(complete)
        check_once(kind, [*self.parameters, *complete["params"]])
        self.param_groups.append(complete)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the `grad` of every parameter to None, or to zeros.

        Parameters
        ----------
        set_to_none : bool, default True
            If false, gradients become zeros. Those that are None remain so.
        """
        for parameter in self.parameters:
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad = Tensor(np.zeros_like(parameter.grad.data))

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient.

        Parameters
        ----------
        closure : callable, optional
            A function that computes the loss and its gradients and returns the loss. It is called
            first.

        Returns
        -------
        Tensor or None
            What the closure returned; None without a closure.
        """
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
        """The state and the settings, in the structure of PyTorch's.

        Returns
        -------
        dict
            ``state[i]`` has copies on the host of the arrays of parameter i, ``param_groups`` the
            settings and the numbers i of the parameters of each group.
        """
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
        """Restore what `state_dict` returned, here or in PyTorch.

        If anything does not fit, nothing is changed, and the error says what.

        Parameters
        ----------
        state : dict
            The state of an optimiser of the same class, for parameters of the same shapes.

        Raises
        ------
        ArgumentError
            If `state` is not the result of `state_dict`, has other numbers of parameters in its
            groups, or a setting outside its range.
        ShapeError
            If an array is missing, is not of this optimiser, or has another shape than its
            parameter.
        """
        kind = type(self).__name__
        if not isinstance(state, Mapping) or not {"state", "param_groups"} <= state.keys():
            raise ArgumentError(f"{kind}.load_state_dict takes what state_dict() returns")
        groups = state["param_groups"]
        sizes = [len(group["params"]) for group in groups]
        own = [len(group["params"]) for group in self.param_groups]
        if sizes != own:
            raise ArgumentError(
                f"{kind}: the groups of the state have {sizes} parameters; these have {own}"
            )
        numbered = dict(zip((i for g in groups for i in g["params"]), self.parameters, strict=True))
        new = [_loaded_group(kind, *both) for both in zip(self.param_groups, groups, strict=True)]
        home = {p: (i, group) for i, group in enumerate(new) for p in group["params"]}
        shared: dict[Any, dict[str, Any]] = {}
        wrong: list[str] = []
        loaded = {}
        for i, arrays in state["state"].items():
            if i not in numbered:
                wrong.append(f"state[{i}] is of no parameter")
                continue
            parameter = numbered[i]
            place, group = home[parameter]
            given = {name: _on_host(a) for name, a in arrays.items() if a is not None}
            names = {*self.arrays(group), *self.counters}
            if given.keys() != names:
                wrong.append(f"state[{i}] has {sorted(given)}, expected {sorted(names)}")
                continue
            counts = {name: float(given[name]) for name in self.counters}
            counters = {name: np.asarray(count, np.float64) for name, count in counts.items()}
            # those of a group with the same counts share their counters
            loaded[parameter] = dict(shared.setdefault((place, *counts.values()), counters))
            for name in self.arrays(group):
                loaded[parameter][name] = _fitted(
                    parameter, given[name], wrong, f"state[{i}][{name!r}]"
                )
        if wrong:
            raise ShapeError(f"{kind}: the state does not fit. {'; '.join(wrong)}")
        self.state = loaded
        for group, given in zip(self.param_groups, new, strict=True):
            group.update(given)

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

    def __getstate__(self) -> dict[str, Any]:
        """Without what is made again when it is needed."""
        return {**vars(self), "_formulas": {}, "_last": {}, "_scratch": {}}

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={self.param_groups[0][name]!r}" for name in self.defaults)
        return f"{type(self).__name__}({len(self.parameters)} parameters, {shown})"

    def _repr_html_(self) -> str:
        return import_module("nn.notebook").of_optimizer(self)  # type: ignore[no-any-return]


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
            check_eps(type(self.optimizer).__name__, self.group, w.dtype)
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


def _on_host(values: Any) -> Any:
    return np.array(values.numpy() if hasattr(values, "numpy") else values)


def _fitted(parameter: Parameter, values: Any, wrong: list[str], place: str) -> Any:
    """An array of a state on the device of the parameter. Adds a complaint to `wrong` for another
    shape."""
    if values.shape != parameter.shape:
        wrong.append(f"{place} has shape {values.shape}; the parameter has {parameter.shape}")
    return backend.to_device(values.astype(parameter.dtype), parameter.device)


def _loaded_group(kind: str, group: Group, given: Mapping[str, Any]) -> Group:
    """A group with the settings of a state, which are checked."""
    new = Group()
    new.update(group)
    for name in given.keys() & {*group, "initial_lr", "name"} - {"params"}:
        new[name] = given[name]
    check_ranges(kind, new)
    return new
