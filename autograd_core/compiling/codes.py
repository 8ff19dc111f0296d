"""The names in the code of a function."""

from __future__ import annotations

import dis
import linecache
import re
from collections.abc import Iterator
from functools import cache
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


@cache
def assigned(file: str, number: int) -> str:
    """The name to which a line assigns a value; empty if there is none."""
    found = re.match(r"\s*([^\W\d]\w*)\s*=[^=]", linecache.getline(file, number))
    return found[1] if found else ""
