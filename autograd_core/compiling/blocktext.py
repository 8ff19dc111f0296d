"""The text of calls that are run block by block: a function of parts of arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd_core.compiling.blocks import Blocks
from autograd_core.compiling.buffers import order, planned
from autograd_core.compiling.expressions import Expressions
from autograd_core.compiling.program import Call, Program, Ref, Value
from autograd_core.devices import backend


class BlockFunction:
    """The text of calls that are run block by block: a function of parts of arrays."""

    def __init__(self, blocks: Blocks, block: int, written: Expressions) -> None:
        self.blocks, self.block, self.written = blocks, block, written
        self.name = written.free("block")
        self.places, self.scratch = written.free("places"), written.free("block_buffers")
        sub = Program([], blocks.calls, [Ref(v) for v in (*blocks.outputs, *blocks.sums)])
        self.plan = planned(sub, blocks.outputs)
        self.calls = sub.calls
        self.buffers: dict[Value, Value] = {}  # a name for each, by Value

    def _prepare(self) -> None:
        names, plan = self.written.names, self.plan
        for value, buffer in plan.held.items():
            model = buffer
            while model in plan.models:
                model = plan.models[model]
            if model not in names:
                names[model] = self.written.free(value.name or model.name)
                if value not in self.blocks.outputs:
                    self.buffers[model] = model
            names[buffer] = names[value] = names[model]
        for value in self.blocks.sums:
            names.setdefault(value, self.written.free(value.name or "sum"))

    def _scalars(self) -> list[Value]:
        found = {v: None for call in self.blocks.calls for v in call.refs()}
        made = {v for call in self.blocks.calls for v in call.results}
        buffers = set(self.plan.held.values())
        return [v for v in found if v not in made | buffers and not np.ndim(v.array)]

    def _arrays(self) -> list[Value]:
        return [*self.blocks.arrays, *self.blocks.outputs]

    def lines(self, lines_of: Callable[[Call], Iterator[str]]) -> list[str]:
        """The function."""
        self._prepare()
        scalars = [v for v in self._scalars() if v.kind != "constant"]
        names = [self.written.array(v) for v in (*self._arrays(), *self.buffers, *scalars)]
        body = [line for call in self.calls for line in lines_of(call)]
        sums = ", ".join(self.written.names[v] for v in self.blocks.sums)
        body += [f"return {sums}"] if sums else []
        return [f"def {self.name}({', '.join(names)}):", *(f"    {line}" for line in body)]

    def made(self) -> Iterator[str]:
        """The places of the blocks, and the buffers for one of them."""
        yield f"{self.places} = pieces({self.blocks.size}, {self.block})"
        made = [f"np.empty({self.block}{_dtype(b.array, self.written)})" for b in self.buffers]
        yield f"{self.scratch} = [{', '.join(made)}]"

    def call(self) -> Iterator[str]:
        """The lines that call the function for each block."""
        names = self.written.names
        for value in self.blocks.outputs:
            yield f"{names[value]} = {empty(value.array, self.written)}"
        arrays = "".join(f"{self.written.array(v)}, " for v in self._arrays())
        scalars = [self.written.array(v) for v in self._scalars() if v.kind != "constant"]
        more = f", ({''.join(f'{name}, ' for name in scalars)})" if scalars else ""
        call = f"in_blocks({self.name}, {self.places}, ({arrays}), {self.scratch}{more})"
        sums = self.blocks.sums
        yield f"sums = {call}" if sums else call
        for i, value in enumerate(sums):
            found = "sums" if len(sums) == 1 else f"[s[{i}] for s in sums]"
            yield f"{names[value]} = total(iter({found}), {self.blocks.size}, {self.block})"


def _dtype(array: Any, written: Expressions) -> str:
    return "" if array.dtype == float else f", {written.value(array.dtype.type)}"


def empty(array: Any, written: Expressions) -> str:
    """The text of a new array of this shape, dtype and order in memory."""
    module = "np"
    if backend.on_device(array):
        module = "cp"
        written.bound["cp"] = backend.device_module()
    usual = tuple(range(array.ndim))
    axes = order(array) or usual
    shape = tuple(array.shape[axis] for axis in axes)
    made = f"{module}.empty({shape}{_dtype(array, written)})"
    return made if axes == usual else f"{made}.transpose({tuple(map(axes.index, usual))})"


__all__ = ["BlockFunction", "empty"]
