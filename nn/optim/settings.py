"""Groups of parameters with their settings, and what is checked of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from autograd_core import Tensor
from autograd_core.engine.versions import VersionedDict
from autograd_core.errors import ArgumentError, DTypeError
from nn.module import Module, Parameter

# The range of each setting; the upper bound of "betas" and others is not allowed itself
RANGES = {
    "lr": (0, math.inf), "momentum": (0, math.inf), "weight_decay": (0, math.inf),
    "eps": (0, math.inf), "betas": (0, 1), "alpha": (0, 1), "rho": (0, 1),
    "lr_decay": (0, math.inf), "momentum_decay": (0, math.inf),
    "initial_accumulator_value": (0, math.inf), "dampening": (-math.inf, math.inf),
}  # fmt: skip


KEPT = {"params", "param_names", "initial_lr", "name"}  # entries of a group that are no settings


class Group(VersionedDict):
    """A group of parameters ("params") and its settings ("lr", "weight_decay", …), as in PyTorch.
    The numbers are inputs of a compiled step, so a schedule may change them."""

    traced_numbers = tuple(RANGES)

    def __setitem__(self, name: str, value: Any) -> None:
        """Numbers of NumPy, as from a schedule, and ints become floats."""
        super().__setitem__(name, _plain(value) if name in RANGES else value)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return tuple(map(_plain, value))
    return float(value) if type(value) is int or isinstance(value, np.number) else value


def groups_of(kind: str, parameters: Any) -> list[Mapping[str, Any]]:
    """The groups in which parameters are given."""
    if isinstance(parameters, Tensor | Module | Mapping) or not isinstance(parameters, Iterable):
        raise TypeError(
            f"{kind} takes a list of Tensors, not a {type(parameters).__name__}: write "
            f"{kind}(model.parameters()), or {kind}([weight]) for a single Tensor"
        )
    listed = list(parameters)
    if not listed:
        raise ArgumentError(f"{kind} was given no parameters to train")
    if isinstance(listed[0], Mapping):
        return listed
    return [{"params": listed}]


def trainable(kind: str, parameters: Any, start: int = 0) -> list[Any]:
    """The parameters as a list. Raises an error unless all are leaves that require a gradient."""
    listed = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    listed = [p[1] if isinstance(p, tuple) and len(p) == 2 else p for p in listed]
    for place, parameter in enumerate(listed, start):
        frozen = isinstance(parameter, Parameter)  # it has no gradient, and is left out
        trained = isinstance(parameter, Tensor) and (parameter.requires_grad or frozen)
        if not (trained and parameter.is_leaf):
            raise ArgumentError(
                f"{kind} trains leaves that require a gradient; number {place} is {parameter!r}"
            )
    return listed


def check_once(kind: str, parameters: list[Parameter]) -> None:
    places: dict[int, int] = {}
    for place, parameter in enumerate(parameters):
        first = places.setdefault(id(parameter), place)
        if first != place:
            called = f" ({parameter.name!r})" if parameter.name else ""
            raise ArgumentError(
                f"{kind} was given one parameter twice: numbers {first} and {place}{called}, of "
                f"shape {parameter.shape}, are the same Tensor. Pass it once"
            )


def check_eps(kind: str, group: Mapping[str, Any], dtype: Any) -> None:
    """Raise an error for an eps that is 0 in float16, where an update would be 0 / 0."""
    eps = group.get("eps")
    if eps and dtype.char == "e" and np.float16(eps) == 0:
        raise DTypeError(
            f"{kind}: eps={eps} is 0 in float16, in which a parameter is: keep the parameters in "
            "float32 (see GradScaler), or pass eps=1e-4"
        )


def check_ranges(kind: str, group: Mapping[str, Any]) -> None:
    for name, (low, high) in RANGES.items():
        values = group.get(name)
        if (
            name == "betas"
            and name in group
            and not (isinstance(values, tuple) and len(values) == 2)
        ):
            raise ArgumentError(f"{kind}: betas must be two numbers, not {values!r}")
        for value in values if isinstance(values, tuple) else (values,):
            if value is None and name != "lr":
                continue
            if not isinstance(value, float) or not low <= value < high:
                end = "finite" if high == math.inf else f"less than {high}"
                raise ArgumentError(
                    f"{kind}: {name} must be at least {low} and {end}, not {value!r}"
                )
