"""How far a function and its derivatives are from the references, in units of what is allowed.

With v the exact result, ``64 eps (|v| + sum |x dv/dx|)`` and one subnormal are allowed, and for a
second derivative ``64 eps |f'|`` more.
"""

from dataclasses import dataclass

import numpy as np

import autograd_core as ac
from autograd_core import Tensor
from tests.accuracy.points import DTYPES, exact_in

ROUNDINGS = 64
ORDERS = ("value", "first", "second")


@dataclass(frozen=True)
class Measured:
    """What came at the points that a dtype has, beside the exact numbers and what is allowed."""

    points: object
    found: dict[tuple[str, int], object]
    exact: dict[tuple[str, int], object]
    allowed: dict[tuple[str, int], object]

    def excess(self, key):
        """The error at each point in units of what is allowed; more than 1 is a miss."""
        found, exact, allowed = self.found[key], self.exact[key], self.allowed[key]
        largest = float(np.finfo(found.dtype).max)
        with np.errstate(invalid="ignore", over="ignore"):
            exact = np.clip(exact, -largest, largest)  # what is beyond may be inf as well
            came = np.clip(found.astype(np.float64), -largest, largest)
            error = np.abs(came - exact) / allowed
        error = np.where(np.isnan(found), np.inf, error)
        return np.where(np.isinf(allowed), 0, error)  # also NaN: beyond an infinite derivative


def derivatives(function, operands):
    """The value, and for each operand the first and second derivative in it, as arrays."""
    tensors = [Tensor(x, True) for x in operands]
    found, out = {}, function(*tensors)
    if out.shape == operands[0].shape:  # a loss is one number
        found["value", 0] = out.data
    # one operand at a time: the pass from a sum knows f_i, and the next one f_ii
    for i, x in enumerate(tensors):
        (flow,) = _pulled(out, [x])
        found["first", i] = flow.data
        second = _pulled(flow, [x]) if flow.requires_grad else [ac.zeros_like(x)]
        found["second", i] = second[0].data
    return found


def _pulled(out, targets):
    for x in targets:
        x.grad = None
    ac.sum(out).backward(create_graph=True)
    flows = [x.grad if x.grad is not None else ac.zeros_like(x) for x in targets]
    for x in targets:
        x.grad = None
    return flows


def measured(row, references, name):
    """The row at the points that the dtype `name` has."""
    dtype = DTYPES[name]
    chosen = exact_in(dtype, row.points).all(1)
    points, exact = row.points[chosen], references[chosen]
    with np.errstate(all="ignore"):
        found = derivatives(row.function, [np.ascontiguousarray(x, dtype) for x in points.T])
    limits = np.finfo(dtype)
    columns = {("value", 0): 0}
    for i in range(points.shape[1]):
        columns |= {("first", i): 2 + 4 * i, ("second", i): 4 + 4 * i}
    columns = {key: column for key, column in columns.items() if key in found}
    allowed = {}
    for (order, i), column in columns.items():
        size = np.abs(exact[:, column]) + exact[:, column + 1]
        if order == "second":
            size = size + np.abs(exact[:, column - 2])
        # a result in a wider dtype than its operands (SciPy's of float16) is held to theirs
        allowed[order, i] = ROUNDINGS * limits.eps * size + float(limits.smallest_subnormal)
    values = {key: exact[:, column] for key, column in columns.items()}
    return Measured(points, found, values, allowed)
