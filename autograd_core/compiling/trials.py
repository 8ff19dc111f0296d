"""Whether NumPy gives the same bits for a stack as for its rows, which is tried."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from autograd_core.compiling.program import UfuncMethod

ROWS = 8  # in a stack that is tried
SUM = UfuncMethod(np.add, "reduce")


@cache
def adds_alike(shape: tuple[int, ...], dtype: Any) -> bool:
    """True if a sum over rows is that of additions in order, which is tried with random numbers."""
    if dtype.kind != "f" or np.prod(shape) < 2:  # NumPy adds single elements in pairs
        return False
    rows = np.random.default_rng(0).normal(size=(5 * ROWS, *shape)).astype(dtype)
    total = rows[0]
    for row in rows[1:]:
        total = total + row
    return bool(np.add.reduce(rows, 0, initial=-0.0).tobytes() == total.tobytes())


@cache
def same_bits(one: Any, many: Any, layout: Any, numbers: tuple[Any, ...]) -> bool:
    """True if a call on stacks gives the bits of calls, which is tried with random numbers."""
    rng = np.random.default_rng(0)

    def array(shape: Any, strides: Any, dtype: Any) -> Any:
        order = sorted(range(len(shape)), key=lambda axis: -strides[axis])
        made = rng.normal(size=[shape[axis] for axis in order]).astype(dtype)
        return made.transpose([order.index(axis) for axis in range(len(shape))])

    given = []
    for shape, strides, dtype, varies in layout:
        if varies:
            whole = array((ROWS, *shape), (max(strides, default=0) * ROWS + 1, *strides), dtype)
            given.append((whole, list(whole)))
        else:
            shared = array(shape, strides, dtype)
            given.append((shared, [shared] * ROWS))
    operands = iter(given)
    pairs = [next(operands) if number is None else (number, [number] * ROWS)
             for number in numbers]  # fmt: skip
    whole_args = [whole for whole, _ in pairs]
    if many == SUM:
        whole_args[1] = 1
    with np.errstate(all="ignore"):
        found = many(*whole_args)
        single = np.stack([one(*(rows[i] for _, rows in pairs)) for i in range(ROWS)])
    return bool(found.shape == single.shape and found.tobytes() == single.tobytes())


__all__ = ["adds_alike", "same_bits"]
