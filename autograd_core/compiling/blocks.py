"""Long chains of elementwise calls on big arrays, run in blocks that stay in the cache.

A block of every operand is loaded once for all calls of the chain, and intermediate results are
never written to memory. A sum over all elements is the sum of the sums of blocks, added in the
order of NumPy's pairwise summation, so that it has the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from autograd_core.compiling.program import Call, Program, Ref, UfuncMethod, Value, Writer
from autograd_core.compiling.simplify import decides

BIG = 65_536  # elements; smaller arrays stay in the cache as they are
BLOCK = 32_768
FEWEST = 3  # calls that are worth a loop
SUM = UfuncMethod(np.add, "reduce")


@dataclass(frozen=True, eq=False)
class Blocks:
    """Calls that are run block by block. `arrays` have a part for each block; `outputs` are those
    results that are needed afterwards, and `sums` the sums over all elements."""

    name = "blocks"
    calls: list[Call]
    arrays: list[Value]
    outputs: list[Value]
    sums: list[Value]

    @property
    def size(self) -> int:
        """The number of elements."""
        return int((self.arrays + self.outputs)[0].array.size)


def with_blocks(program: Program, kept: list[Value]) -> None:
    """Join chains of elementwise calls in the program."""
    calls, start = program.calls, 0
    while start < len(calls):
        if _shape(calls[start]) is None:
            start += 1
            continue
        before, group, after, end = group_from(calls, start, _shape)
        if len(group) < FEWEST:
            start += 1
            continue
        used = {v for call in (*after, *calls[end:]) for v in call.refs()} | {*program.outputs()}
        joined = _joined(group, used | set(kept))
        calls[start:end] = [*before, joined, *after]
        start += not before  # those before it may be a chain as well


def group_from(
    calls: list[Call],
    start: int,
    shape_of: Callable[[Call], Any],
    target_of: Callable[[Call], Value | None] = lambda call: None,
) -> tuple[list[Call], list[Call], list[Call], int]:
    """A chain from a call on: the calls that can run before it, its calls, those that need its
    results, and where it ends. `shape_of` is None for calls that do not belong to a chain;
    `target_of` is an array of the caller that a call of the chain may write to."""
    shape = shape_of(calls[start])
    before: list[Call] = []
    group: list[Call] = []
    after: list[Call] = []
    made: set[Value] = set()
    late: set[Value] = set()  # what depends on the chain and is no part of it
    read: set[Value] = set()  # by what comes after
    own: set[Value] = set()  # read by the chain
    end = start
    for end, call in enumerate(calls[start:], start):  # noqa: B007
        needs = {value.memory for value in call.refs()}
        if shape_of(call) == shape and not needs & late:
            target = target_of(call)
            if not made.issuperset(set(call.writes) - {target}) or read.intersection(call.writes):
                break
            group.append(call)
            own |= needs
            if call.function == SUM:  # it is complete after the last block
                late |= set(call.results)
            else:
                made |= {value.memory for value in call.results}
                made |= {target} if target is not None else set()
        elif (
            call.draws
            or call.guard is not None
            or decides(call)
            or (call.writes and needs & (made | late))
            or (own | made | late | read).intersection(call.writes)
        ):
            break
        elif needs & (made | late):
            after.append(call)
            read |= needs
            late |= {value.memory for value in call.results}
        else:
            before.append(call)
    else:
        end += 1
    whole = calls[start:end]
    before = _needed_before(whole, before, group)
    placed = {*before, *group}
    return before, group, [call for call in whole if call not in placed], end


def _needed_before(whole: list[Call], before: list[Call], group: list[Call]) -> list[Call]:
    """The calls among `before` that have to run before the chain, as it needs their results or
    writes over what they read. The others may wait: one that changes an array in place is likely to
    begin another chain."""
    candidates, chain = set(before), set(group)
    kept: list[Call] = []
    read: set[Value] = set()  # by calls of the chain and before it that come later
    written: set[Value] = set()
    for call in reversed(whole):
        made = {*(value.memory for value in call.results), *call.writes}
        needs = {value.memory for value in call.refs()}
        needed = call in candidates and (made & (read | written) or needs & written)
        if needed:
            kept.append(call)
        if needed or call in chain:
            read |= needs
            written |= set(call.writes)
    return kept[::-1]


def _shape(call: Call) -> Any:
    """The shape of the arrays of an elementwise call on big arrays in C order, or of a sum over all
    their elements; None for any other call."""
    function = call.function
    if function == SUM:
        whole = len(call.args) == 2 and call.args[1] is None and not call.settings
        if not whole or not isinstance(call.args[0], Ref):
            return None
        array = call.args[0].value.array
        return array.shape if _is_big(call.args[0].value) and _is_split(array.dtype) else None
    is_ufunc = isinstance(function, np.ufunc) and function.nout == 1 and function.signature is None
    if not (is_ufunc or isinstance(function, Writer)) or not {"out"}.issuperset(call.settings):
        return None
    values = [v for v in (*call.refs(), *call.results) if np.ndim(v.array)]
    shapes = {value.array.shape for value in values}
    if len(shapes) != 1 or not all(map(_is_big, values)):
        return None
    return shapes.pop()


def _is_big(value: Value) -> bool:
    array = value.array
    if not isinstance(array, np.ndarray) or array.size < BIG or not array.flags.carray:
        return False
    # NumPy rounds a product of single complex numbers, as the last block's, in another way in place
    return array.dtype.kind != "c" or array.size % BLOCK != 1


def _joined(group: list[Call], used: set[Value]) -> Call:
    made = [value for call in group for value in call.results]
    memories = {value.memory for value in used}
    sums = [value for call in group if call.function == SUM for value in call.results]
    outputs = [value for value in made if value not in sums and value.memory in memories]
    arrays: dict[Value, None] = {}
    scalars: dict[Value, None] = {}
    for value in (value for call in group for value in call.refs()):
        if value not in made:
            (arrays if np.ndim(value.array) else scalars)[value] = None
    function = Blocks(group, list(arrays), outputs, sums)
    args = tuple(Ref(value) for value in (*arrays, *scalars))
    return Call(function, args, {}, [*outputs, *sums], line=group[0].line, part="in blocks")


# ---- what a program calls ------------------------------------------------------------------------


def pieces(size: int, block: int, start: int = 0) -> list[tuple[int, int]]:
    """The blocks of an array as pairs of start and stop. They are parts of NumPy's pairwise sum."""
    if size <= block:
        return [(start, start + size)]
    half = size // 2 - size // 2 % 8
    return pieces(half, block, start) + pieces(size - half, block, start + half)


def in_blocks(block: Any, places: Any, arrays: Any, buffers: Any, scalars: Any = ()) -> Any:
    """The results of ``block`` for the parts of arrays at each of the places."""
    flat = [array.reshape(-1) for array in arrays]
    if not all(array.flags.aligned for array in flat):  # NumPy sums them in other parts
        raise ValueError("an array is not aligned")
    return [
        block(*[a[start:stop] for a in flat], *[b[: stop - start] for b in buffers], *scalars)
        for start, stop in places
    ]


class Threads:
    """`in_blocks` on several threads. Each thread has buffers of its own."""

    def __init__(self, count: int) -> None:
        from concurrent.futures import ThreadPoolExecutor

        self.pool, self.count = ThreadPoolExecutor(count), count
        self.buffers: dict[int, list[list[Any]]] = {}

    def __call__(
        self, block: Any, places: Any, arrays: Any, buffers: list[Any], scalars: Any = ()
    ) -> list[Any]:
        """The results of ``block`` for each of the places, in order."""
        if id(buffers) not in self.buffers:
            more = [[np.empty_like(b) for b in buffers] for _ in range(1, self.count)]
            self.buffers[id(buffers)] = [buffers, *more]
        own = self.buffers[id(buffers)]
        step = -(-len(places) // self.count)
        shares = [places[i : i + step] for i in range(0, len(places), step)]
        running = [
            self.pool.submit(copy_context().run, in_blocks, block, share, arrays, own[i], scalars)
            for i, share in enumerate(shares)
        ]
        return [result for share in running for result in share.result()]


def total(sums: Any, size: int, block: int) -> Any:
    """The sum of the sums of blocks, added as in NumPy's pairwise sum of all elements."""
    if size <= block:
        return next(sums)
    half = size // 2 - size // 2 % 8
    first = total(sums, half, block)
    return first + total(sums, size - half, block)


@cache
def _is_split(dtype: Any) -> bool:
    """True if sums of blocks give the bits of NumPy's sum, which is tried with random numbers."""
    if dtype.char not in "fd":
        return False
    x = np.random.default_rng(0).normal(size=(3, 50_021)).astype(dtype)
    parts = iter([np.add.reduce(x.reshape(-1)[i:j], None) for i, j in pieces(x.size, BLOCK)])
    return bool(total(parts, x.size, BLOCK).tobytes() == np.add.reduce(x, None).tobytes())


__all__ = [
    "BLOCK",
    "Blocks",
    "Threads",
    "group_from",
    "in_blocks",
    "pieces",
    "total",
    "with_blocks",
]
