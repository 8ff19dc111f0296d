"""What densities have in common: units, dtypes of parameters, and where they are 0."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core.ops.contraction import operand
from autograd_core.ops.elementwise import log, where


def standard(x: Any, loc: Any, scale: Any) -> Any:
    """x in units of `scale` from `loc`."""
    return (operand(x) - loc) / scale


def parameter(value: Any, x: Any) -> Any:
    """A parameter of the density of x: a Python number in x's floating dtype."""
    if type(value) not in (int, float):
        return operand(value)
    dtype = np.result_type(getattr(x, "dtype", float), "f2")
    return dtype.type(value)


def log_scale(scale: Any) -> Any:
    return math.log(scale) if type(scale) in (int, float) else log(operand(scale))


def within(inside: Any, x: Any, formula: Callable[[Any], Any], outside: float = -math.inf) -> Any:
    """formula(x) where `inside`, else `outside`; nothing of the formula leaks where it is not."""
    return where(inside, formula(where(inside, x, 0.5)), outside)
