"""A row of the op table: what is true of one operation, and the words rows are written in."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
from hypothesis import strategies as st

from autograd_core import functions, operations, ops
from autograd_core.testing.strategies import any_axis, between, distinct, signed, staggered
from tests.older_numpy import is_numpys, numpys
from tests.table.cases import Case, elementwise, settled

# Tables that are imported at their first use: only then are their operations in the registry
for _namespace in (*ops.LATER, "unfolding"):
    import_module(f"autograd_core.ops.{ops.LATER.get(_namespace, _namespace)}")

HERE = object()  # among the settings of a case: the name of the device under test


@dataclass(frozen=True, repr=False)
class Row:
    """What is true of an operation.

    `keeps` says for each differentiable operand what its edge saves, by name; where a function is
    made of operations, and has no edge of its own, it names the differentiable operands only.
    `reference` is a function of plain arrays, NumPy's of the same name by default. `dtype` gives
    the result's dtype from those of the operands. `linear` is linear (or affine) in all operands
    together; then, and where `flat` is true, second derivatives are zero. `complex` says that
    complex operands are covered; `extreme` that no finite operand gives a warning or anything but
    finite numbers. `parts` says that with the settings of this row the function is made of others.
    `never` names what no case can be: "empty" and "0-d" (an operand), "several" (elements of the
    result). `half` is False where NumPy has no float16.
    `refused` names operands whose gradient has no closed form: the backward pass raises for them.
    `host` says that CuPy has no such function, so that it is tested on the host only; `transfer`
    that it moves arrays between devices, so that a test with one device has nothing to see.
    `read_only` says that a result can be read-only where NumPy's can be written to. `exact` is an
    elementwise function's definition for one point, in the numbers of mpmath: with it the accuracy
    is tested over all real operands (tests/accuracy/functions.py has rows with other domains).
    """

    name: str
    cases: st.SearchStrategy[Case]
    keeps: dict[str, tuple[str, ...]] = field(default_factory=dict)
    reference: Callable[..., Any] | None = None
    linear: bool = False
    flat: bool = False
    complex: bool = False
    extreme: bool = False
    dtype: Callable[..., Any] = np.result_type
    variant: str = ""
    parts: bool = False
    never: tuple[str, ...] = ()
    half: bool = True
    host: bool = False
    transfer: bool = False
    read_only: bool = False
    exact: Callable[..., Any] | None = None
    refused: tuple[str, ...] = ()
    call: Callable[..., Any] = lambda function, *operands, **settings: function(
        *operands, **settings
    )

    @property
    def id(self):
        return f"{self.name}-{self.variant}" if self.variant else self.name

    def __repr__(self):
        return self.id

    def _repr_pretty_(self, printer, cycle):
        """What Hypothesis prints below a failure: the name, in place of every field."""
        printer.text(self.id)

    @property
    def op(self):
        return operations[self.name]

    @property
    def function(self):
        return functions.get(self.name) or self.op.function

    @property
    def composed(self):
        """Whether it is made of operations and has no rule of its own."""
        return self.parts or self.name not in operations

    @property
    def expected(self):
        """The reference, called as the operation is."""
        if self.reference is None and not is_numpys(self.name):
            raise ValueError(f"NumPy has no {self.name}: give its row a reference")
        return partial(self.call, self.reference or numpys(self.name))

    @property
    def dtypes(self):
        return ["f8", "f4", *["f2"] * self.half, *["c16", "c8"] * self.complex]


def as_list(function, *arrays, **settings):
    """The call of an operation on a list of operands."""
    return function(list(arrays), **settings)


def boolean(*_):
    return np.dtype(bool)


def index(*_):
    return np.dtype(np.intp)


def real(*dtypes):
    return np.finfo(np.result_type(*dtypes)).dtype


def unary(domain):
    return elementwise(x=domain)


def binary(x, y=None):
    return elementwise(x=x, y=y or x)


def reduction(domain, axes=any_axis, **settings):
    return settled(domain, axis=axes, keepdims=lambda shape: st.booleans(), **settings)


def ddofs(shape):
    return st.sampled_from([0, 0.5])


def extended(function):
    """`function` evaluated on extended floats, its result in the operands' dtype."""

    def reference(x, **settings):
        return np.asarray(function(x.astype(np.result_type(x, np.longdouble)), **settings)).astype(
            x.dtype
        )

    return reference


# ---- domains -------------------------------------------------------------------------------------

anything = between(-2, 2)
nonzero = signed(0.5, 2.5)
apart = distinct(4)
positive = between(0.5, 3)
left, right = staggered(0), staggered(0.25)  # never closer than a step of the differences
