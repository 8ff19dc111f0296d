"""Runs a chain of elementwise steps on a device in a single kernel launch.

A rule or kernel written for NumPy is called once with symbols, which record it as a C++ expression.
CuPy's `ElementwiseKernel` then computes the expression in a single launch. The Python function is
still called on the host, with Tensors, and if it cannot be written as such an expression.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autograd_core.devices import backend

PREAMBLE = """
template <typename T> __device__ T select(bool condition, T x, T y) { return condition ? x : y; }
template <typename T> __device__ T sign(T x) { return x != x ? x : T((x > 0) - (x < 0)); }
template <typename T> __device__ T larger(T x, T y) { return x != x || x > y ? x : y; }
template <typename T> __device__ T smaller(T x, T y) { return x != x || x < y ? x : y; }
"""

# NumPy's function → its C++ expression, which the tests also run as Python in an imitation of CuPy
TEXTS: dict[Any, str] = {
    np.add: "({} + {})",
    np.subtract: "({} - {})",
    np.multiply: "({} * {})",
    np.divide: "({} / {})",
    np.negative: "(-{})",
    np.reciprocal: "(T(1) / {})",
    np.square: "({0} * {0})",
    np.power: "pow({}, {})",
    np.exp: "exp({})",
    np.expm1: "expm1({})",
    np.log: "log({})",
    np.log1p: "log1p({})",
    np.sqrt: "sqrt({})",
    np.sin: "sin({})",
    np.cos: "cos({})",
    np.tanh: "tanh({})",
    np.tan: "tan({})",
    np.sinh: "sinh({})",
    np.cosh: "cosh({})",
    np.exp2: "exp2({})",
    np.log2: "log2({})",
    np.log10: "log10({})",
    np.cbrt: "cbrt({})",
    np.hypot: "hypot({}, {})",
    np.copysign: "copysign({}, {})",
    np.floor: "floor({})",
    np.ceil: "ceil({})",
    np.trunc: "trunc({})",
    np.rint: "rint({})",
    np.absolute: "abs({})",
    np.fabs: "abs({})",
    np.sign: "sign({})",
    np.maximum: "larger({}, {})",
    np.minimum: "smaller({}, {})",
    np.greater: "({} > {})",
    np.greater_equal: "({} >= {})",
    np.less: "({} < {})",
    np.less_equal: "({} <= {})",
    np.equal: "({} == {})",
    np.not_equal: "({} != {})",
    np.where: "select({}, {}, {})",
}


_NUMBERS = (bool, int, float)


class _Unwritable(Exception):
    """Raised if a function cannot be written as an expression. It is then called with arrays."""


class Symbol(np.lib.mixins.NDArrayOperatorsMixin):
    """A placeholder for an array of floating dtype T; operations on it build an expression."""

    def __init__(self, text: str, steps: int = 0) -> None:
        self.text = text
        self.steps = steps

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> Symbol:
        # `x += 1` passes out=x; a symbol is not changed, so the name is bound to a new one
        settings.pop("out", None)
        if method != "__call__" or settings:
            raise _Unwritable(f"{ufunc.__name__}.{method}")
        return _written(ufunc, inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, settings: Any) -> Any:
        if function is np.iscomplexobj:
            return False
        if function is np.ones_like:
            return Symbol("T(1)")
        if settings:
            raise _Unwritable(function.__name__)
        return _written(function, args)

    def conj(self) -> Symbol:
        """Return self, because a symbol stands for a real array."""
        return self

    real = property(conj)


def _written(function: Any, operands: Iterable[Any]) -> Symbol:
    if function not in TEXTS:
        raise _Unwritable(function.__name__)
    symbols = [o if isinstance(o, Symbol) else _number(o) for o in operands]
    text = TEXTS[function].format(*(symbol.text for symbol in symbols))
    return Symbol(text, 1 + sum(symbol.steps for symbol in symbols))


def _number(value: Any) -> Symbol:
    if not isinstance(value, _NUMBERS) or not math.isfinite(value):
        raise _Unwritable(f"{value!r}")
    return Symbol(f"T({value!r})")


class Fused:
    """A function of arrays that runs in a single kernel launch if its operands are on a device.

    `expression` is the C++ expression for the launch. It is None if `function` cannot be written as
    an expression, or is a single step. For a launch, the operands must be arrays of the same
    floating dtype or Python numbers; otherwise `function` is called.
    """

    def __init__(self, function: Callable[..., Any], names: Iterable[str] | None = None) -> None:
        code = function.__code__
        self.function = function
        self.names = tuple(names or code.co_varnames[: code.co_argcount])
        self.__wrapped__ = function
        self.__name__ = function.__name__
        self._kernels: dict[Any, Any] = {}
        self._expression: str | None = None
        self._tried = False

    @property
    def expression(self) -> str | None:
        """The C++ expression in the names of the operands, with `T` for their dtype."""
        if not self._tried:
            self._tried = True
            self._expression = self._write()
        return self._expression

    def _write(self) -> str | None:
        try:
            written = self.function(*map(Symbol, self.names))
        except (_Unwritable, AttributeError, TypeError):  # operations without a symbolic form
            return None
        return written.text if isinstance(written, Symbol) and written.steps > 1 else None

    def __call__(self, *operands: Any) -> Any:
        module = backend.module_of(operands[0])
        if module is np or any(map(backend.is_traced, operands)) or not self.fits(*operands):
            return self.function(*operands)
        return self.kernel(module)(*operands)

    def fits(self, *operands: Any) -> bool:
        """True if these operands can be computed in one launch."""
        dtypes = {getattr(o, "dtype", None) for o in operands if not isinstance(o, _NUMBERS)}
        only = dtypes.pop() if len(dtypes) == 1 else None
        return only is not None and only.char in "fd" and self.expression is not None

    def kernel(self, module: Any) -> Any:
        """The kernel of `module`. Its optional last parameter, `result`, is the array to write."""
        if module not in self._kernels:
            name = "".join(c if c.isalnum() else "_" for c in self.__name__)
            self._kernels[module] = module.ElementwiseKernel(
                ", ".join(f"T {n}" for n in self.names),
                "T result",
                f"result = {self.expression}",
                f"autograd_{name}",
                preamble=PREAMBLE,
            )
        return self._kernels[module]
