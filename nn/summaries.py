"""A table of the layers of a model."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import autograd_core as ac
from autograd_core import no_grad
from autograd_core.errors.tracebacks import public
from nn.module import Module, Parameter

__all__ = ["Summary", "summary"]


@dataclass
class Row:
    """A call of a module. The numbers are without those of the modules in it."""

    name: str
    layer: str
    given: str
    result: str
    parameters: int
    bytes: int
    multiply_adds: int


@dataclass
class Summary:
    """A table of the calls of the modules of a model, as `summary` returns it. `str` is the table.

    Parameters
    ----------
    rows : list, default []
        The calls, in the order in which they begin.
    parameters : int, default 0
        The number of elements of all parameters.
    trainable : int, default 0
        The number of those that require a gradient.
    bytes : int, default 0
        The memory of all parameters.
    multiply_adds : int, default 0
        The number of multiplications with an addition of all calls.

    Examples
    --------
    >>> import nn
    >>> table = nn.summary(nn.Linear(784, 10), (100, 784))
    >>> table.parameters, table.multiply_adds
    (7850, 784000)
    >>> table.rows[0].result
    '(100, 10)'
    """

    rows: list[Row] = field(default_factory=list)
    parameters: int = 0
    trainable: int = 0
    bytes: int = 0
    multiply_adds: int = 0

    def __str__(self) -> str:
        header = ["name", "layer", "in", "out", "parameters", "bytes", "multiply-adds"]
        cells = [header]
        cells += [
            [row.name, row.layer, row.given, row.result]
            + [f"{n:,}" if n else "" for n in (row.parameters, row.bytes, row.multiply_adds)]
            for row in self.rows
        ]
        total = [f"{n:,}" for n in (self.parameters, self.bytes, self.multiply_adds)]
        cells.append(["total", "", "", "", *total])
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        cells.insert(1, ["-" * width for width in widths])
        lines = [
            "  ".join(
                cell.ljust(width) if i < 4 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in cells
        ]
        return "\n".join([*lines, f"trainable parameters: {self.trainable:,}"])

    __repr__ = __str__


@public
def summary(model: Module, *input_shapes: Any, dtype: Any = None) -> Summary:
    """A table of the layers of a model: shapes, parameters, bytes and multiplications.

    The model is called with zeros, without recording and in evaluation mode. A module that is
    called again has its parameters in the first row only.

    Parameters
    ----------
    model : Module
        The model.
    *input_shapes : tuple of int
        The shape of each input.
    dtype : dtype, optional
        The dtype of the inputs, by default that of the first parameter. For an embedding pass
        ``np.int64``.

    Returns
    -------
    Summary
        The calls of the modules, and totals.

    Raises
    ------
    ShapeError
        If the model does not accept inputs of these shapes.

    Examples
    --------
    >>> import nn
    >>> print(nn.summary(nn.Sequential(nn.Linear(784, 50), nn.ReLU()), (100, 784)))
    name   layer       in          out        parameters    bytes  multiply-adds
    -----  ----------  ----------  ---------  ----------  -------  -------------
           Sequential  (100, 784)  (100, 50)
    0      Linear      (100, 784)  (100, 50)      39,250  314,000      3,920,000
    1      ReLU        (100, 50)   (100, 50)
    total                                         39,250  314,000      3,920,000
    trainable parameters: 39,250
    """
    parameters = model.parameters()
    kind = dtype or (parameters[0].dtype if parameters else np.float64)
    home = parameters[0].device if parameters else "cpu"
    found, handles = Summary(), []
    seen: set[int] = set()

    def begin(name: str) -> Any:
        def hook(module: Module, inputs: Any, settings: Any) -> None:
            given = _shapes((*inputs, *(x for x in settings.values() if hasattr(x, "shape"))))
            waiting.append(Row(name, type(module).__name__, given, "", 0, 0, 0))
            found.rows.append(waiting[-1])

        return hook

    def end(module: Module, inputs: Any, settings: Any, out: Any) -> None:
        inputs = inspect.signature(module.forward).bind(*inputs, **settings).args
        row = waiting.pop()
        row.result = _shapes(out)
        row.multiply_adds = module.multiply_adds(out, *inputs)
        for parameter in own_parameters(module, seen):
            row.parameters += parameter.size
            row.bytes += parameter.size * parameter.dtype.itemsize

    waiting: list[Row] = []
    modes = [(module, module.training) for module in model.modules()]
    for name, module in [*model.named_modules()]:
        handles.append(module.register_forward_pre_hook(begin(name), with_kwargs=True))
        handles.append(module.register_forward_hook(end, with_kwargs=True))
    try:
        with no_grad():
            model.eval()(*(ac.zeros(shape, dtype=kind, device=home) for shape in input_shapes))
    finally:
        for handle in handles:
            handle.remove()
        for module, training in modes:
            module.training = training
    found.parameters = sum(p.size for p in parameters)
    found.trainable = sum(p.size for p in parameters if p.requires_grad)
    found.bytes = sum(p.size * p.dtype.itemsize for p in parameters)
    found.multiply_adds = sum(row.multiply_adds for row in found.rows)
    return found


def own_parameters(module: Module, seen: set[int]) -> list[Parameter]:
    """The parameters of a module that are not of a module in it, and were not counted before."""
    inner = {id(p) for child in module.modules() if child is not module for p in child.parameters()}
    new = [p for p in module.parameters() if id(p) not in inner | seen]
    seen.update(map(id, new))
    return new


def _shapes(values: Any) -> str:
    """The shapes of what is given or returned."""
    values = values if isinstance(values, tuple) else (values,)
    return ", ".join(str(x.shape) if hasattr(x, "shape") else "-" for x in values)
