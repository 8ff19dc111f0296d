"""Equal calls of an unrolled loop, joined into one call on a stack of their arguments.

In a recurrent network of 500 steps, what does not depend on the last state is computed for all
steps at once: the products of the inputs, the slopes of the units, and the gradients of the
weights, of which only a sum is needed. The arguments are rows of one array already, or the calls
that compute them write them to the rows of one.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from autograd_core.compiling.program import (
    ROWS,
    Call,
    Method,
    Program,
    Ref,
    UfuncMethod,
    Value,
    key_of,
)
from autograd_core.compiling.trials import adds_alike, same_bits

FEWEST = 8  # calls that are worth a stack
ROW, STACK = 4_096, 1 << 20  # elements of a row and of a stack, at most
SUM = UfuncMethod(np.add, "reduce")
PRODUCTS = frozenset({np.dot, np.matmul})
ITEM, TURNED = Method("__getitem__"), Method("T", attribute=True)
EXACT = frozenset({np.add, np.subtract, np.multiply, np.divide, np.negative, np.sqrt, np.abs,
                   np.maximum, np.minimum, np.square, np.reciprocal})  # fmt: skip
VECTOR = 16  # rows of a multiple of this length have no remainder in a vectorised loop


def stacked(program: Program) -> None:
    """Join calls in the program."""
    stacks = _Stacks(program)
    if stacks.classes:
        stacks.join()


class _Stacks:
    def __init__(self, program: Program) -> None:
        self.program = program
        classes: dict[Any, list[Call]] = {}
        self.makers = {value: call for call in program.calls for value in call.results}
        for call in program.calls:
            if _fits(call):
                classes.setdefault(self._kind(call), []).append(call)
        self.classes = [calls for calls in classes.values() if len(calls) >= FEWEST]
        if not self.classes:
            return
        self.places: dict[Call, float] = {call: i for i, call in enumerate(program.calls)}
        self.users: dict[Value, list[Call]] = {}
        for call in program.calls:
            for value in dict.fromkeys(call.refs()):
                self.users.setdefault(value, []).append(call)
        self.views: dict[Value, list[Value]] = {}  # of each memory
        for value in self.makers:
            self.views.setdefault(value.memory, []).append(value)
        self.written = {memory for call in program.calls for memory in call.writes}
        self.outputs = {value.memory for value in program.outputs()}
        self.rows: dict[Value, tuple[Value, int]] = {}  # the stack in which a value lies, and where

    def _kind(self, call: Call) -> Any:
        """What the calls of a class have in common."""
        args: list[Any] = []
        first: dict[Value, int] = {}
        for arg in call.args:
            if isinstance(arg, Ref):
                maker, array = self.makers.get(arg.value), arg.value.array
                made = None if maker is None else (key_of(maker.function), maker.part)
                dtype = getattr(array, "dtype", None)
                args.append((np.shape(array), dtype, made, first.setdefault(arg.value, len(first))))
            else:
                args.append(key_of(arg))
        dtype = call.results[0].array.dtype
        return key_of(call.function), call.part, key_of(call.errors or {}), dtype, tuple(args)

    def join(self) -> None:
        """Join what can be joined."""
        chains = []
        for calls in self.classes:
            if not self._joined(calls):
                members = set(calls)
                chains += [chain for call in calls if len(chain := self._chain(call, members)) > 1]
        for chain in sorted(chains, key=len, reverse=True):  # shorter ones use parts of its stacks
            for count in range(len(chain), max(len(chain) - 3, FEWEST - 1), -1):
                if self._summed(chain[:count]):
                    break
        self.program.calls = sorted(self.places, key=self.places.__getitem__)

    def _joined(self, calls: list[Call]) -> bool:
        """Put one call in the place of the first call, if all arguments are known there."""
        if not self._are_left(calls):
            return False
        start = self.places[calls[0]]
        results = [call.results[0] for call in calls]
        if (self.outputs | self.written).intersection(value.memory for value in results):
            return False
        order = self._order(calls)
        calls = [calls[i] for i in order]
        stack = self._stack(calls, start)
        if stack is None:
            return False
        self._give_rows(stack, [results[i] for i in order], start + 0.25)
        return True

    def _order(self, calls: list[Call]) -> list[int]:
        """The order of calls in which their first argument that varies is computed or stored."""
        for i, arg in enumerate(calls[0].args):
            values = [call.args[i].value for call in calls] if isinstance(arg, Ref) else []
            rows = [self._row(value) for value in values]
            if len(set(values)) > 1 and None not in rows:
                return sorted(range(len(calls)), key=lambda k: rows[k][1])  # type: ignore[index]
            if len(set(values)) > 1:
                places = [self.places.get(self.makers.get(v), -1.0) for v in values]  # type: ignore[arg-type]
                return sorted(range(len(calls)), key=places.__getitem__)
        return list(range(len(calls)))

    def _are_left(self, calls: list[Call]) -> bool:
        """True if calls have not been joined, and write to no stack."""
        return all(call in self.places and call.results for call in calls)

    # sums

    def _chain(self, call: Call, members: set[Call]) -> list[tuple[Call, Call]]:
        """Pairs of a call and the sum of its result and of all before it, if only sums use them."""
        chain = [(call, call)]
        total = call
        while (add := self._only_user(total)) is not None:
            if add.function is not np.add or add.settings or add.errors or len(add.results) != 1:
                break
            x, y = add.args
            if not isinstance(y, Ref) or not isinstance(x, Ref) or y.value is x.value:
                break
            term = self.makers.get(y.value)
            if x.value is not total.results[0] or term not in members or (
                term is None or self._only_user(term) is not add
            ) or np.shape(x.value.array) != np.shape(y.value.array):  # fmt: skip
                break
            chain.append((term, add))
            total = add
        return chain

    def _only_user(self, call: Call) -> Call | None:
        """The call that uses the result of a call, if there is only one, and it is not returned."""
        users = [user for value in call.results for user in self.users.get(value, ())]
        if len(users) != 1 or self.outputs.intersection(value.memory for value in call.results):
            return None
        return users[0]

    def _summed(self, chain: list[tuple[Call, Call]]) -> bool:
        """Put one call and a sum in the place of the last addition."""
        if not self._are_left([call for pair in chain for call in pair]):
            return False
        end = self.places[chain[-1][1]]
        calls = [call for call, _ in chain]
        (total,) = chain[-1][1].results
        if not adds_alike(total.array.shape, total.array.dtype):
            return False
        stack = self._stack(calls, end)
        if stack is None:
            return False
        for _, add in chain[1:]:
            del self.places[add]
        sums = Call(SUM, (Ref(stack), 0), {"initial": -0.0}, [total], Ref(total),
                    line=calls[0].line, part=calls[0].part)  # fmt: skip
        self.places[sums] = end + 0.25
        self.makers[total] = sums
        return True

    # stacks

    def _stack(self, calls: list[Call], place: float) -> Value | None:
        """The result of one call for all calls, which it replaces; None if there is none."""
        model, size = calls[0], calls[0].results[0].array.size
        columns = [
            [call.args[i].value for call in calls] if isinstance(arg, Ref) else None
            for i, arg in enumerate(model.args)
        ]
        vary = [values is not None and len(set(values)) > 1 for values in columns]
        if not any(vary) or len(calls) * size > STACK:
            return None
        for values, varies in zip(columns, vary, strict=True):
            if values and not (self._can_stack(values, place) if varies else
                               self._is_ready(values[0], place)):  # fmt: skip
                return None
        views: list[Call] = []
        wholes = [self._whole(values, place, views) if varies and values else None
                  for values, varies in zip(columns, vary, strict=True)]  # fmt: skip
        if any(varies and whole is None for whole, varies in zip(wholes, vary, strict=True)):
            return None
        args = [arg if whole is None else Ref(whole)
                for arg, whole in zip(model.args, wholes, strict=True)]  # fmt: skip
        function = _of_stacks(model, args)
        if function is None:
            return None
        if function == SUM:
            args[1] = 1
        array = np.stack([call.results[0].array for call in calls])
        stack = Value("result", model.results[0].name, array)
        call = Call(function, tuple(args), {}, [stack], Ref(stack), errors=model.errors,
                    line=model.line, part=model.part)  # fmt: skip
        for one in calls:
            del self.places[one]
        for view in views:
            self.places[view] = place - 0.5
        self.places[call] = place
        self.makers[stack] = call
        return stack

    def _is_ready(self, value: Value, place: float) -> bool:
        """True if a value is known at a place, and never changes."""
        if value.memory in self.written:
            return False
        maker = self.makers.get(value)
        return maker is None or self.places.get(maker, -1.0) < place

    def _row(self, value: Value) -> tuple[Value, int] | None:
        """The array and the place in it, for a value that is a row of an array."""
        if value in self.rows:
            return self.rows[value]
        maker = self.makers.get(value)
        if maker is None or maker.function != ITEM or type(maker.args[1]) is not int:
            return None
        base, number = maker.args[0].value, maker.args[1]
        if not isinstance(base.array, np.ndarray) or base.array.ndim != value.array.ndim + 1:
            return None
        return (base, number % len(base.array)) if base.array.flags.c_contiguous else None

    def _untransposed(self, values: list[Value]) -> list[Value] | None:
        """The matrices of which these are the transposes."""
        makers = [self.makers.get(value) for value in values]
        if any(maker is None or maker.function != TURNED for maker in makers):
            return None
        return [maker.args[0].value for maker in makers if maker is not None]

    def _can_stack(self, values: list[Value], place: float) -> bool:
        """True if these values are rows of one array, or can be."""
        inner = self._untransposed(values)
        if inner is not None:
            return self._can_stack(inner, place)
        if any(value.memory in self.written for value in values):
            return False
        rows = [self._row(value) for value in values]
        if None not in rows:
            base = rows[0][0]  # type: ignore[index]
            if any(row[0] is not base for row in rows):  # type: ignore[index]
                return False
            steps = {b[1] - a[1] for a, b in pairwise(rows)}  # type: ignore[index]
            return (steps in ({1}, {-1})) and (
                all(self._is_ready(value, place) for value in values) if values[0] in self.rows
                else self._is_ready(base, place)
            )  # fmt: skip
        return len(set(values)) == len(values) and all(
            self._can_be_placed(value, place) for value in values
        )

    def _can_be_placed(self, value: Value, place: float) -> bool:
        maker = self.makers.get(value)
        return (
            maker is not None and _fits(maker, True) and self.places.get(maker, place) < place
            and value not in self.rows and value.memory not in self.outputs | self.written
        )  # fmt: skip

    def _whole(self, values: list[Value], place: float, views: list[Call]) -> Value | None:
        """An array that has these values as rows, in order."""
        inner = self._untransposed(values)
        if inner is not None:
            whole = self._whole(inner, place, views)
            return whole and self._view(views, Method("swapaxes"), whole, 1, 2)
        rows = [self._row(value) for value in values]
        if None in rows:
            if not self._can_stack(values, place):
                return None
            return self._placed(values)
        base, first = rows[0]  # type: ignore[misc]
        last = rows[-1][1]  # type: ignore[index]
        if first < last and len(values) == len(base.array):
            return base
        step = 1 if first < last else -1
        stop = None if last + step < 0 else last + step
        return self._view(views, ITEM, base, slice(first, stop, step))

    def _view(self, views: list[Call], function: Any, base: Value, *args: Any) -> Value:
        value = Value("result", base.name, function(base.array, *args), base.memory)
        views.append(Call(function, (Ref(base), *args), {}, [value], Ref(value)))
        self.makers[value] = views[-1]
        self.views.setdefault(base.memory, []).append(value)
        return value

    def _placed(self, values: list[Value]) -> Value:
        """Let the calls that compute these values write them to the rows of a new array."""
        array = np.stack([value.array for value in values])
        stack = Value("result", values[0].name, array)
        empty = Call(np.empty, (array.shape, array.dtype), {}, [stack], Ref(stack))
        self.places[empty] = -2.0
        makers = [self.makers[value] for value in values]
        self._give_rows(stack, values, -1.0)
        for value, maker in zip(values, makers, strict=True):
            maker.results, maker.shape, maker.writes = [], None, [stack]
            maker.settings = {"out": Ref(value)}
            self.makers[value] = maker
        return stack

    def _give_rows(self, stack: Value, values: list[Value], place: float) -> None:
        """Let these values be the rows of an array."""
        rows = Call(ROWS, (Ref(stack),), {}, values, [Ref(value) for value in values])
        self.places[rows] = place
        for i, value in enumerate(values):
            self.rows[value] = stack, i
            self.makers[value] = rows
            for view in self.views.pop(value, ()):
                view.memory = stack
                self.views.setdefault(stack, []).append(view)


def _fits(call: Call, may_raise: bool = False) -> bool:
    """True for a call that may be one of many, or write to a row."""
    if call.guard is not None or call.draws or call.writes or call.settings:
        return False
    function = call.function
    known = function in PRODUCTS or (function == SUM and call.args[1:] == (0,))
    if isinstance(function, np.ufunc) and function is not np.matmul:
        known = function.nout == 1 and function.signature is None
    if not known or len(call.results) != 1:
        return False
    array = call.results[0].array
    return isinstance(array, np.ndarray) and array.ndim > 0 and 0 < array.size <= ROW and (
        array.flags.c_contiguous and call.results[0].memory is call.results[0]
        and (may_raise or "raise" not in (call.errors or {}).values())
    )  # fmt: skip


def _of_stacks(call: Call, args: list[Any]) -> Any:
    """The function for stacks of the arguments; None if there is none with the same bits."""
    (result,) = call.results
    function = call.function
    operands = [(one.value.array, arg.value.array if arg is not one else None)
                for one, arg in zip(call.args, args, strict=True)
                if isinstance(one, Ref)]  # fmt: skip
    if function in PRODUCTS:
        function = np.matmul
        if any(one.ndim != 2 for one, _ in operands):
            return None
    elif function != SUM:
        if any(stack is not None and one.ndim != result.array.ndim for one, stack in operands):
            return None
        if result.array.size % VECTOR and function not in EXACT:
            return None
    layout = tuple(
        ((stack.shape[1:], stack.strides[1:], stack.dtype, True) if stack is not None
         else (np.shape(one), np.shape(one) and one.strides, np.result_type(one), False))
        for one, stack in operands
    )  # fmt: skip
    numbers = tuple(None if isinstance(arg, Ref) else arg for arg in call.args)
    return function if same_bits(call.function, function, layout, numbers) else None


__all__ = ["stacked"]
