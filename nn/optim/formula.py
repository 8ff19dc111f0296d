"""Formulas of updates: written once with NumPy's operators, run in place.

``update(w, g, s, h)`` is called with symbols: the weights `w`, the gradient `g`, the arrays of the
state ``s.momentum_buffer``, to which it may assign, and the numbers ``h.lr``. From the expressions
a `Formula` makes a function that writes to the arrays themselves and allocates nothing, and for a
device one kernel. An array may be longer than the processor's cache; then the function goes through
it in blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.devices.fusion import PREAMBLE, TEXTS

BLOCK = 1 << 16  # elements; smaller ones cost more calls than they save memory traffic
OPERATORS = {np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/", np.power: "**"}


class Symbol(np.lib.mixins.NDArrayOperatorsMixin):
    """An array or a number of a formula. A ufunc of symbols is a symbol: a step of the formula.

    `text` is its name, or the expression of a number. `steps` is the list of all steps.
    """

    def __init__(self, text: str, steps: list[Symbol], is_number: bool = False) -> None:
        self.text, self.steps, self.is_number = text, steps, is_number
        self.ufunc: Any = None
        self.operands: tuple[Any, ...] = ()

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __array_ufunc__(self, ufunc: Any, method: str, *operands: Any, **settings: Any) -> Symbol:
        if method != "__call__" or settings or ufunc not in TEXTS:
            raise TypeError(f"{ufunc.__name__} cannot be a step of a formula")
        if all(_is_number(operand) for operand in operands):
            texts = [_text(operand) for operand in operands]
            sign = OPERATORS.get(ufunc)
            text = f"({texts[0]} {sign} {texts[1]})" if sign else f"(-{texts[0]})"
            if not sign and ufunc is not np.negative:
                raise TypeError(f"{ufunc.__name__} of numbers: compute it in numbers()")
            return Symbol(text, self.steps, is_number=True)
        if ufunc is np.multiply and any(
            _is_number(o) and _text(o) in ("1", "1.0") for o in operands
        ):
            return next(o for o in operands if not _is_number(o))  # type: ignore[no-any-return]
        step = Symbol(f"x{len(self.steps)}", self.steps)
        step.ufunc, step.operands = ufunc, operands
        self.steps.append(step)
        return step


def _is_number(operand: Any) -> bool:
    return operand.is_number if isinstance(operand, Symbol) else True


def _copied(final: Symbol, own: Symbol) -> Symbol:
    """The final value of an array. The old value of another one is copied in a step of its own."""
    if final is own or final.ufunc is not None:
        return final
    copy = Symbol(f"x{len(final.steps)}", final.steps)
    copy.ufunc, copy.operands = np.positive, (final,)
    final.steps.append(copy)
    return copy


def _text(operand: Any) -> str:
    return operand.text if isinstance(operand, Symbol) else repr(operand)


class Formula:
    """The formula ``update(w, g, s, h)`` for the arrays `state` and the settings `given`. Settings
    that are zero, flags or texts are a part of the formula, so that ``if h.momentum`` leaves out
    what is not needed; other numbers are its parameters.

    `text` is the function of arrays in memory, `numbers` are the expressions of its numbers.
    """

    def __init__(
        self, update: Callable[..., Any], state: Iterable[str], given: dict[str, Any]
    ) -> None:
        steps: list[Symbol] = []
        self.names = [name for name, value in given.items() if not is_fixed(value)]
        self.arrays = ["w", "g", *state]
        arrays = {name: Symbol(name, steps) for name in self.arrays}
        numbers = {n: v if is_fixed(v) else Symbol(n, steps, True) for n, v in given.items()}
        s = SimpleNamespace(**{name: arrays[name] for name in state})
        s.__dict__["w"] = update(arrays["w"], arrays["g"], s, SimpleNamespace(**numbers))
        finals = {name: _copied(getattr(s, name), arrays[name]) for name in ("w", *state)}
        self.finals = {name: x for name, x in finals.items() if x is not arrays[name]}
        self.steps, self.leaves = _needed(steps, self.finals.values()), arrays
        texts = [_text(o) for step in self.steps for o in step.operands if _is_number(o)]
        self.numbers = {text: f"n{i}" for i, text in enumerate(dict.fromkeys(texts))}
        places = _Places(self.steps, self.leaves, self.finals)
        body = list(places.lines(self.numbers))
        self.scratches = places.scratches
        scratch = [f"t{i}" for i in range(self.scratches)]
        parameters = ", ".join([*self.arrays, *scratch, *self.numbers.values()])
        self.text = "\n".join([f"def update({parameters}):", *(f"    {line}" for line in body)])
        listed = ", ".join(self.numbers)
        head = ", ".join(self.names)
        bound: dict[str, Any] = {f"np_{step.ufunc.__name__}": step.ufunc for step in self.steps}
        bound |= {"np_copyto": np.copyto, "__name__": __name__}
        exec(f"{self.text}\ndef numbers({head}): return [{listed}]", bound)
        self._update, self._numbers = bound["update"], bound["numbers"]
        self._kernels: dict[Any, Any] = {}

    def numbers_of(self, given: dict[str, Any], dtype: Any) -> list[Any]:
        """The numbers of the formula for these settings. Those of NumPy have the dtype of the
        arrays, a complex one counts as that of its parts."""
        kind = np.finfo(dtype).dtype if dtype.kind == "c" else dtype
        numbers = self._numbers(*(given[name] for name in self.names))
        return [n.astype(kind) if isinstance(n, np.generic) else n for n in numbers]

    def __call__(self, arrays: list[Any], numbers: list[Any], scratch: dict[Any, Any]) -> None:
        """Write the new values to the arrays: w, g, and those of the state. `scratch` has an array
        for each dtype and shape, which is made when it is first needed."""
        w = arrays[0]
        if type(w) is np.ndarray and w.size <= 2 * BLOCK:  # the usual case
            spare = scratch.get((w.shape, w.dtype))
            if spare is None or len(spare) < self.scratches:
                spare = self._spare(w, scratch)
            self._update(*arrays, *spare[: self.scratches], *numbers)
            return
        module = backend.module_of(w)
        if backend.is_traced(w):
            spare = [np.empty_like(w) for _ in range(self.scratches)]
            self._update(*arrays, *spare, *numbers)
        elif module is not np and w.dtype.char in "fd":
            self._kernel(module)(*arrays, *numbers, *(arrays[self.arrays.index(n)]
                                                      for n in self.finals))  # fmt: skip
        elif w.size > 2 * BLOCK and all(a.flags.c_contiguous for a in arrays):
            spare = self._spare(w.reshape(-1)[:BLOCK], scratch)
            flat = [a.reshape(-1) for a in arrays]
            for start in range(0, w.size, BLOCK):
                parts = [a[start : start + BLOCK] for a in flat]
                last = len(parts[0])
                self._update(*parts, *(t[:last] for t in spare), *numbers)
        else:
            self._update(*arrays, *self._spare(w, scratch), *numbers)

    def _spare(self, like: Any, scratch: dict[Any, Any]) -> list[Any]:
        kind: Any = like.shape, like.dtype
        if backend.on_device(like):
            kind = *kind, backend.device_of(like)
        known = scratch.setdefault(kind, [])
        while len(known) < self.scratches:
            known.append(np.empty_like(like))
        return known[: self.scratches]  # type: ignore[no-any-return]

    def _kernel(self, module: Any) -> Any:
        """One kernel for the whole formula."""
        if module not in self._kernels:
            names = {leaf: name for name, leaf in self.leaves.items()}
            lines = []
            for step in self.steps:
                operands = [self.numbers[_text(o)] if _is_number(o) else names[o]
                            for o in step.operands]  # fmt: skip
                names[step] = step.text
                lines.append(f"T {step.text} = {TEXTS.get(step.ufunc, '{}').format(*operands)}")
            lines += [f"new_{name} = {names[x]}" for name, x in self.finals.items()]
            self._kernels[module] = module.ElementwiseKernel(
                ", ".join(f"T {name}" for name in (*self.arrays, *self.numbers.values())),
                ", ".join(f"T new_{name}" for name in self.finals),
                "; ".join(lines),
                "autograd_update",
                preamble=PREAMBLE,
            )
        return self._kernels[module]


class _Places:
    """The arrays to which the steps of a formula write: the array that a result replaces, if
    nothing needs its old values any more, else a scratch array t0, t1, …, which is used again."""

    def __init__(
        self, steps: list[Symbol], leaves: dict[str, Symbol], finals: dict[str, Symbol]
    ) -> None:
        self.steps, self.leaves, self.finals = steps, leaves, finals
        self.last = {o: i for i, step in enumerate(steps)
                     for o in step.operands if isinstance(o, Symbol)}  # fmt: skip
        self.replaces = {x: name for name, x in reversed(finals.items()) if x.ufunc is not None}
        self.place = {leaf: name for name, leaf in leaves.items()}
        self.free: list[str] = []
        self.scratches = 0

    def lines(self, numbers: dict[str, str]) -> Iterator[str]:
        """A line for each step, and copies of results that stand elsewhere."""
        for i, step in enumerate(self.steps):
            operands = [numbers[_text(o)] if _is_number(o) else self.place[o]
                        for o in step.operands]  # fmt: skip
            target = self._target(i, step)
            yield f"np_{step.ufunc.__name__}({', '.join(operands)}, out={target})"
            self.place[step] = target
            self._release(i, step)
        for name, x in self.finals.items():
            if self.place[x] != name:
                yield f"np_copyto({name}, {self.place[x]})"

    def _target(self, i: int, step: Symbol) -> str:
        name = self.replaces.get(step)
        if name is not None and self._is_free(name, i):
            return name
        for operand in step.operands:
            if self._may_be_overwritten(operand, i, step):
                return self.place[operand]
        if self.free:
            return self.free.pop()
        self.scratches += 1
        return f"t{self.scratches - 1}"

    def _is_free(self, name: str, i: int) -> bool:
        """True if no step after step i reads what stands in an array now."""
        return all(self.last.get(x, -1) <= i for x, home in self.place.items() if home == name)

    def _may_be_overwritten(self, operand: Any, i: int, step: Symbol) -> bool:
        """True if the result of step i may stand in the place of an operand: one that is used for
        the last time, in a scratch array, or in an array of the state until that gets its final
        value."""
        if _is_number(operand) or self.last[operand] > i or operand in self.replaces:
            return False
        home = self.place[operand]
        if home not in self.leaves:
            return True
        end = self.finals.get(home)
        if end not in self.steps or step in self.replaces or not self._is_free(home, i):
            return False
        return self.last.get(step, i) <= self.steps.index(end)

    def _release(self, i: int, step: Symbol) -> None:
        """Scratch arrays that only this step has read are free, but for its own."""
        for operand in dict.fromkeys(step.operands):
            home = self.place.get(operand, "") if isinstance(operand, Symbol) else ""
            done = self.last.get(operand) == i and operand not in self.replaces
            if home not in self.leaves and home != self.place[step] and home and done:
                self.free.append(home)


def is_fixed(value: Any) -> bool:
    """True for a setting that is a part of a formula: a flag, a text, None or zero."""
    if type(value) in (int, float):
        return bool(value == 0)
    return not isinstance(value, float | np.generic)


def _needed(steps: list[Symbol], finals: Iterable[Symbol]) -> list[Symbol]:
    """The steps on which the final values depend."""
    needed = set(finals)
    for step in reversed(steps):
        if step in needed:
            needed.update(o for o in step.operands if isinstance(o, Symbol))
    return [step for step in steps if step in needed]


__all__ = ["Formula", "Symbol"]
