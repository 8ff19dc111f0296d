"""Passes that change the order of operations, and with it the last bits. They are off unless a
program is compiled with ``reassociate=True``."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.compiling.program import Call, Method, Program, Ref, UfuncMethod, Value

SUM = UfuncMethod(np.add, "reduce")
TURNED = Method("T", attribute=True)


def reassociated(program: Program) -> None:
    """Merge factors, and compute sums of products as one product."""
    _merge_factors(program)
    _join_products(program)


def _uses(program: Program) -> dict[Value, int]:
    uses: dict[Value, int] = {}
    for value in [v for call in program.calls for v in call.refs()] + program.outputs():
        uses[value] = uses.get(value, 0) + 1
        if value.memory is not value:
            uses[value.memory] = uses.get(value.memory, 0) + 1
    return uses


def _merge_factors(program: Program) -> None:
    """c (d x) as (c d) x, for numbers c and d that are constants."""
    uses = _uses(program)
    scaled: dict[Value, tuple[float, Ref]] = {}
    written = {memory for call in program.calls for memory in call.writes}
    for call in program.calls:
        found = _scaled(call)
        if found is None or found[1].value.memory in written:
            continue
        factor, x = found
        if uses.get(x.value) == 1 and x.value in scaled:
            inner, x = scaled[x.value]
            factor *= inner
            call.args = (factor, x)
        scaled[call.results[0]] = factor, x


def _scaled(call: Call) -> tuple[float, Ref] | None:
    """The number and the array of their product."""
    if call.function is not np.multiply or call.settings or len(call.results) != 1:
        return None
    dtype = call.results[0].array.dtype
    for number, x in (call.args, call.args[::-1]):
        constant = isinstance(number, Ref) and number.value.kind == "constant"
        if constant and type(number.value.array) is float:
            number = number.value.array
        elif constant and np.ndim(number.value.array) == 0 and number.value.array.dtype == dtype:
            number = number.value.array.item()
        if type(number) is float and isinstance(x, Ref) and np.ndim(x.value.array) and (
            dtype.char in "fd" and x.value.array.dtype == dtype
        ):  # fmt: skip
            return number, x
    return None


def _join_products(program: Program) -> None:
    """The sum of the products of matrices in two stacks as one product."""
    uses = _uses(program)
    makers = {value: call for call in program.calls for value in call.results}
    calls: list[Call] = []
    for call in program.calls:
        product = _summed_product(call, makers)
        if product is None or uses[product.results[0]] > 1:
            calls.append(call)
            continue
        calls.remove(product)
        a, b = (arg.value for arg in product.args)
        count, rows, inner = a.array.shape
        turned = _view(calls, Method("swapaxes"), a, 1, 2)
        flat = _view(calls, Method("reshape"), turned, (count * inner, rows))
        left = _view(calls, TURNED, flat)
        right = _view(calls, Method("reshape"), b, (count * inner, b.array.shape[2]))
        call.function, call.args, call.settings = np.dot, (Ref(left), Ref(right)), {}
        calls.append(call)
    program.calls = calls


def _summed_product(call: Call, makers: dict[Value, Call]) -> Call | None:
    """The call np.matmul of two stacks whose results are added up."""
    if call.function != SUM or call.settings != {"initial": -0.0}:
        return None
    product = makers.get(call.args[0].value)
    if product is None or product.function is not np.matmul or product.settings:
        return None
    three = all(isinstance(arg, Ref) and arg.value.array.ndim == 3 for arg in product.args)
    return product if three else None


def _view(calls: list[Call], function: Any, base: Value, *args: Any) -> Value:
    array = function(base.array, *args)
    shared = np.may_share_memory(array, base.array)
    value = Value("result", base.name, array, base.memory if shared else None)
    calls.append(Call(function, (Ref(base), *args), {}, [value], Ref(value)))
    return value


__all__ = ["reassociated"]
