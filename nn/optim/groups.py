"""Groups of parameters, by a filter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from autograd_core.errors.tracebacks import public
from nn.module import Module, Parameter

Filter = Callable[[str, Parameter], bool]


def biases_and_norms(name: str, parameter: Parameter) -> bool:
    """A filter for `parameter_groups`: vectors, which are biases and the weights of normalisation
    and usually not decayed."""
    return parameter.ndim < 2


@public
def parameter_groups(model: Module, *rules: tuple[Filter, Mapping[str, Any]]) -> list[Any]:
    """The groups of the parameters of `model` for an optimiser. A rule is a filter, a function of a
    parameter's name and of the parameter, and the settings of those for which it is true; the first
    that is true applies. The others are a group with the optimiser's settings. Groups without
    parameters are left out.

    >>> import nn
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3))
    >>> groups = parameter_groups(model, (biases_and_norms, {"weight_decay": 0.0}))
    >>> optimizer = nn.AdamW(groups, lr=1e-3, weight_decay=0.1)
    >>> [len(group["params"]) for group in optimizer.param_groups]
    [1, 3]
    """
    groups: list[dict[str, Any]] = [{"params": []}]
    groups += [{**settings, "params": []} for _, settings in rules]
    for name, parameter in model.named_parameters():
        places = (i for i, (chosen, _) in enumerate(rules, 1) if chosen(name, parameter))
        groups[next(places, 0)]["params"].append(parameter)
    return [group for group in groups if group["params"]]
