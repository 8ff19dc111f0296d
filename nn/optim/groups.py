"""Groups of parameters, by a filter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from autograd_core.errors.tracebacks import public
from nn.module import Module, Parameter
from nn.normalization import Normalization

Filter = Callable[[str, Parameter, Module], bool]


def biases_and_norms(name: str, parameter: Parameter, module: Module) -> bool:
    """A filter for `parameter_groups`: biases, and all parameters of normalisation.

    These are usually not decayed.

    Parameters
    ----------
    name : str
        The name of the parameter in the model.
    parameter : Parameter
        The parameter itself. One of fewer than two axes counts as a bias.
    module : Module
        The module that has the parameter.

    Returns
    -------
    bool
        True if the parameter is chosen.

    Examples
    --------
    >>> import nn
    >>> layer = nn.Linear(3, 2)
    >>> [nn.biases_and_norms(name, p, layer) for name, p in layer.named_parameters()]
    [False, True]
    """
    bias = "bias" in name.rpartition(".")[2].split("_")
    return parameter.ndim < 2 or bias or isinstance(module, Normalization)


@public
def parameter_groups(model: Module, *rules: tuple[Filter, Mapping[str, Any]]) -> list[Any]:
    """The parameters of a model in groups, with settings of their own, for an optimiser.

    Parameters
    ----------
    model : Module
        The model whose parameters are trained.
    *rules : (callable, dict)
        A filter ``f(name, parameter, module)``, with the module that has the parameter, and the
        settings of those for which it is true. The first rule that is true applies.

    Returns
    -------
    list of dict
        The groups: that of the parameters for which no rule is true, with the settings of the
        optimiser, and one for each rule. Groups without parameters are left out.

    Examples
    --------
    >>> import nn
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3))
    >>> groups = nn.parameter_groups(model, (nn.biases_and_norms, {"weight_decay": 0.0}))
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
