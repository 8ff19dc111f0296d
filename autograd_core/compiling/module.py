"""Parts of the text of a module: assignments in groups, and functions that it needs."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from types import FunctionType
from typing import Any

from autograd_core.compiling.expressions import Errors


def grouped(lines: list[str]) -> list[str]:
    """Assignments, in groups with the same right-hand side."""
    groups: dict[str, list[tuple[str, str]]] = {}
    firsts = {line.partition(" = ")[0] for line in lines}
    for line in lines:
        name, _, made = line.partition(" = ")
        view = re.fullmatch(r"(\w+)(\.T|\.ravel\(\))", made)
        kind = made if made.startswith("np.empty") else line
        if made.isidentifier():
            kind = "other names"
        elif view and view[1] not in firsts:
            kind = "views"
        groups.setdefault(kind, []).append((name, made))
    groups.get("views", []).sort(key=lambda pair: (pair[1][-1] == ")", len(pair[1])))
    groups |= {"other names": groups.pop("other names", [])}  # the last ones
    found = []
    for pairs in groups.values():
        while pairs:
            text, count = _assignment(pairs)
            found.append(text)
            pairs = pairs[count:]
    return found


def _assignment(pairs: list[tuple[str, str]]) -> tuple[str, int]:
    """The first pairs of a name and an expression in one line, and their number."""
    for count in range(len(pairs), 0, -1):
        names, made = zip(*pairs[:count], strict=True)
        right = ", ".join(made)
        if count > 1 and made[0].startswith("np.empty"):
            right = f"({made[0]} for _ in range({count}))"
        text = f"{', '.join(names)} = {right}"
        if len(text) < 100 or count == 1:
            break
    return text, count


def differences(errors: Errors) -> str:
    """The settings that differ from those of NumPy."""
    usual = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}
    return ", ".join(f'{kind}="{how}"' for kind, how in errors.items() if how != usual[kind])


def with_helpers(functions: list[Any]) -> Iterator[list[str]]:
    """The texts of functions, after those of the functions and numbers that they use."""
    seen: set[Any] = set()

    def visit(function: Any) -> Iterator[list[str]]:
        if function in seen:
            return
        seen.add(function)
        for name in function.__code__.co_names:
            value = function.__globals__.get(name)
            if isinstance(value, FunctionType):
                yield from visit(value)
            elif isinstance(value, int | float):
                yield [f"{name} = {value!r}"]
        lines = inspect.getsource(function).rstrip().splitlines()
        start = next(i for i, line in enumerate(lines) if line.endswith(":"))
        parameters = inspect.signature(function).parameters.values()
        header = ", ".join(str(p.replace(annotation=p.empty)) for p in parameters)
        yield [f"def {function.__name__}({header}):",
               *lines[start + 1 :]]  # fmt: skip

    for function in functions:
        yield from visit(function)


__all__ = ["differences", "grouped", "with_helpers"]
