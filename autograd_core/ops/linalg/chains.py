"""Products of many matrices, in the order that takes the fewest multiplications."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from autograd_core.engine.docstrings import describe
from autograd_core.engine.op import functions
from autograd_core.engine.types import Array
from autograd_core.errors import ShapeError
from autograd_core.ops.operands import as_operand
from autograd_core.ops.products import matmul

__all__ = ["multi_dot"]


def multi_dot(arrays: Sequence[Any]) -> Array:
    """The product of two or more matrices, in the order that takes the fewest multiplications. The
    first operand may be a vector, which counts as a row; the last may be a vector, which counts as
    a column."""
    matrices = [as_operand(x) for x in arrays]
    inner = {x.ndim for x in matrices[1:-1]}
    ends = {x.ndim for x in matrices[:1] + matrices[-1:]}
    if len(matrices) < 2 or not inner <= {2} or not ends <= {1, 2}:
        raise ShapeError(
            "linalg.multi_dot: two or more matrices are needed, the first and the last of which "
            f"may be vectors; their shapes are {', '.join(str(x.shape) for x in matrices)}"
        )
    rows = [x.shape[0] for x in matrices]
    if matrices[0].ndim == 1:
        rows = [1, *rows[1:]]
    columns = matrices[-1].shape[1] if matrices[-1].ndim == 2 else 1
    return _product(matrices, _splits((*rows, columns)), 0, len(matrices))


functions["linalg.multi_dot"] = multi_dot
describe(multi_dot, "linalg.multi_dot")


def _product(
    matrices: list[Any], splits: dict[tuple[int, int], int], start: int, stop: int
) -> Array:
    if stop - start == 1:
        return matrices[start]
    middle = splits[start, stop]
    left = _product(matrices, splits, start, middle)
    return matmul(left, _product(matrices, splits, middle, stop))


@lru_cache(maxsize=256)
def _splits(lengths: tuple[int, ...]) -> dict[tuple[int, int], int]:
    """For each part (start, stop) of a chain of matrices, the index at which to split it. Matrix i
    has lengths[i] rows. Cormen et al., Introduction to Algorithms, section 15.2."""
    count = len(lengths) - 1
    costs = {(i, i + 1): 0 for i in range(count)}
    splits = {}
    for span in range(2, count + 1):
        for start in range(count - span + 1):
            stop = start + span
            costs[start, stop], splits[start, stop] = min(
                (
                    costs[start, middle]
                    + costs[middle, stop]
                    + lengths[start] * lengths[middle] * lengths[stop],
                    middle,
                )
                for middle in range(start + 1, stop)
            )
    return splits
