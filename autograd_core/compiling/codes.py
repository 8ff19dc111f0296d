"""The names in the code of a function."""

from __future__ import annotations

import dis
from collections.abc import Iterator
from types import CodeType


def globals_of(code: CodeType) -> Iterator[str]:
    """The names of the globals that a code reads."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from globals_of(constant)


def names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_in(constant)
