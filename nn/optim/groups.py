"""Groups of parameters, by a filter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from autograd_core.errors.tracebacks import public
from nn.module import Module, Parameter
from nn.normalization import Normalization

Filter = Callable[[str, Parameter, Module], bool]


def biases_and_norms(name: str, parameter: Parameter, module: Module) -> bool:
    """A filter for `parameter_groups`: biases, and all parameters of normalisation, which are
    usually not decayed."""
    bias = "bias" in name.rpartition(".")[2].split("_")
    return parameter.ndim < 2 or bias or isinstance(module, Normalization)


@public
def parameter_groups(model: Module, *rules: tuple[Filter, Mapping[str, Any]]) -> list[Any]:
    """The groups of the parameters of `model` for an optimiser. A rule is a filter, a function of a
    parameter's name, the parameter and the module that has it, and the settings of those for which
    it is true; the first that is true applies. The others are a group with the optimiser's
    settings. Groups without parameters are left out.

    >>> import nn
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3))
    >>> groups = parameter_groups(model, (biases_and_norms, {"weight_decay": 0.0}))
    >>> optimizer = nn.AdamW(groups, lr=1e-3, weight_decay=0.1)
    >>> [len(group["params"]) for group in optimizer.param_groups]
    [1, 3]
    """
    groups: list[dict[str, Any]] = [{"params": []}]
    groups += [{**settings, "params": []} for _, settings in rules]
    owners = {
        id(p): module for module in model.modules() for p in module.parameters()
    }  # inner last
    for name, parameter in model.named_parameters():
        given = name, parameter, owners[id(parameter)]
        places = (i for i, (chosen, _) in enumerate(rules, 1) if chosen(*given))
        groups[next(places, 0)]["params"].append(parameter)
    return [group for group in groups if group["params"]]
