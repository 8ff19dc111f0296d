"""How modules, optimisers and schedules show themselves in a notebook."""

from __future__ import annotations

from typing import Any

from autograd_core.rendering.notebook import ROWS, box, cut, guarded, listed, table, title
from autograd_core.rendering.wording import byte_size, counted
from nn.module import Module
from nn.optim.optimizer import Optimizer
from nn.optim.schedules import LRScheduler
from nn.parameter import Parameter
from nn.summaries import own_parameters

FEW = 8  # parameters of a layer that are listed


@guarded
def of_module(model: Module) -> str:
    """A table of the modules in a module, with their own parameters."""
    parameters = model.parameters()  # raises an error for those that are not found
    rows: list[tuple[str, ...]] = []
    seen: set[int] = set()
    for name, module in model.named_modules():
        own = own_parameters(module, seen)
        names = {id(p): name for name, p in module.named_parameters()} if own else {}
        shown = [f"{names[id(p)]} {_shape(p)}{_frozen(p)}" for p in own[:FEW]]
        shown += [f"… {len(own) - FEW:,} more"] if len(own) > FEW else []
        size = sum(p.size for p in own)
        layer = f"{type(module).__name__}({module.describe()})"
        rows.append((name, layer.removesuffix("()"), ", ".join(shown), f"{size:,}" if own else ""))
    kept, more = cut(rows)
    total = sum(p.size for p in parameters)
    notes = [counted(total, "number") + f" in {counted(len(parameters), 'parameter')}"]
    notes.append(byte_size(sum(p.size * p.dtype.itemsize for p in parameters)))
    notes += sorted({str(p.dtype) for p in parameters}) + sorted({p.device for p in parameters})
    frozen = sum(p.size for p in parameters if not p.requires_grad)
    notes += [f"{frozen:,} not trainable"] if frozen else []
    notes.append("training mode" if model.training else "evaluation mode")
    head = ("name", "layer", "parameters", "numbers")
    return box(title(type(model).__name__, *notes), table([head, *kept], left=(0, 1, 2)), more)


def _shape(parameter: Parameter) -> str:
    return str(parameter.shape or "scalar")


def _frozen(parameter: Parameter) -> str:
    return "" if parameter.requires_grad else " (not trainable)"


@guarded
def of_optimizer(optimizer: Optimizer) -> str:
    """A table of the groups of an optimiser: the number of parameters, and the settings."""
    rows = [("group", "parameters", "numbers", *optimizer.defaults)]
    for i, group in enumerate(optimizer.param_groups):
        counts = len(group["params"]), sum(p.size for p in group["params"])
        settings = [_setting(group[name]) for name in optimizer.defaults]
        rows.append((str(group.get("name", i)), *(f"{n:,}" for n in counts), *settings))
    kept, more = cut(rows[1:])
    parameters = optimizer.parameters
    waiting = sum(p._grad is not None for p in parameters)
    note = f"{waiting:,} of {counted(len(parameters), 'parameter')} have a gradient"
    return box(title(type(optimizer).__name__, note), table([rows[0], *kept]), more)


@guarded
def of_schedule(schedule: LRScheduler) -> str:
    """The learning rates that a schedule has set, and its settings."""
    rates = ", ".join(map(_setting, schedule.get_last_lr()[:FEW]))
    state = {k: v for k, v in schedule.state_dict().items() if k[0] != "_"}
    plain = {k: v for k, v in state.items() if isinstance(v, bool | int | float | str | list)}
    steps = counted(schedule.last_epoch, "step")
    of = type(schedule.optimizer).__name__
    settings = [f"{k} = {_setting(v)}" for k, v in plain.items() if k != "last_epoch"]
    return box(
        title(type(schedule).__name__, f"of {of}", f"learning rate {rates}", f"after {steps}"),
        listed(settings[:ROWS]),
    )


def _setting(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


@guarded
def of_history(rows: list[tuple[str, ...]]) -> str:
    """The numbers of a run, a row for each epoch."""
    kept, more = cut(rows[1:])
    return box(title("History", counted(len(rows) - 1, "epoch")), table([rows[0], *kept]), more)
