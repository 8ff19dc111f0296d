"""A call that runs a program and the function itself, and compares everything that they leave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_core.compiling.captured import Reached
from autograd_core.devices import backend
from autograd_core.engine.tensor import Tensor
from autograd_core.errors import AutogradError
from autograd_core.transforms.calls import Function, called
from autograd_core.transforms.generators import States
from autograd_core.transforms.tree import leaves


def compared(function: Function, program: Callable[..., Any], args: Any, settings: Any) -> Any:
    """The result of ``function(*args, **settings)``, after that of the program. Raises
    AutogradError if the two return other bits or leave other arrays, Python values or random
    states."""
    before = _State(function)
    found = before.after(program, args, settings)
    before.restore()
    expected = before.after(function, args, settings)
    different = [
        name
        for (name, value), (other, wanted) in zip(found, expected, strict=False)
        if name != other or not _equal(value, wanted)
    ]
    if different or len(found) != len(expected):
        raise AutogradError(
            f"compile: a program of {called(function)} differs from the function in "
            f"{', '.join(different) or 'its structure'}: the function depends on something that a "
            "program does not notice, such as the state of an object of another library"
        )
    return before.result


class _State:
    """The arrays that a function reaches, and what they held."""

    def __init__(self, function: Function) -> None:
        self.reached = Reached(function)
        self.random = States(*self.reached.generators())
        self.held = [(slot, slot.value, _copy(slot.value)) for slot in self.reached.slots]
        self.result: Any = None

    def after(self, run: Callable[..., Any], args: Any, settings: Any) -> list[tuple[str, Any]]:
        """What a call returns and leaves, by name."""
        self.result = run(*args, **settings)
        named = [(f"the result{path}", _copy(leaf)) for path, leaf in leaves(self.result)]
        named += [(slot.name, _copy(slot.get())) for slot, _, _ in self.held]
        named += [(name, place.get()) for name, place, value in self.reached.places
                  if isinstance(value, bool | int | float | str)]  # fmt: skip
        return [*named, ("the random numbers", States(*self.random.generators))]

    def restore(self) -> None:
        """Put everything back."""
        for slot, value, copy in self.held:
            slot.set(value)
            if backend.is_data(value) and (backend.on_device(value) or value.flags.writeable):
                value[...] = copy
        self.reached.restore()
        self.random.set(self.random.states)


def _copy(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().numpy().copy()
    return value.copy() if backend.is_data(value) else value


def _equal(value: Any, other: Any) -> bool:
    if backend.is_data(value) and backend.is_data(other):
        alike = value.shape == other.shape and value.dtype == other.dtype
        return bool(alike and value.tobytes() == other.tobytes())
    if isinstance(value, States):
        return bool(value == other)
    return type(value) is type(other) and (value is other or repr(value) == repr(other))


__all__ = ["compared"]
