"""Writes `_methods.pyi`, which tells type checkers what `methods` binds to Tensor.

Run ``python -m tools.stub`` after a change of the table; a test compares the stub with the code.
"""

from __future__ import annotations

from collections.abc import Iterator
from inspect import signature
from pathlib import Path

from autograd_core import ops
from autograd_core.interface.methods import COMPARISONS, METHODS, OPERATORS, UNARY

__all__ = ["PATH", "stub"]

PATH = Path(__file__).parent.parent / "autograd_core" / "engine" / "_methods.pyi"

_STUB_HEAD = '''"""Tensor's operators and methods. Written by `python -m tools.stub`."""

from typing import Any

from autograd_core.engine.tensor import Tensor

class Methods:
'''


RESULTS = {"nonzero": "tuple[Tensor, ...]", "put": "None"}


def _shown(name: str) -> Iterator[str]:
    """The parameters of a method."""
    yield "self"
    named = False
    for p in list(signature(getattr(ops, name)).parameters.values())[1:]:
        if p.kind is p.KEYWORD_ONLY and not named:
            named = True
            yield "*"
        yield f"{p.name}: Any" + (
            "" if p.default is p.empty else f" = {p.default!r}".replace("'", '"')
        )


def _definition(name: str, parameters: list[str], result: str) -> Iterator[str]:
    """A method's definition, wrapped as ruff wraps lines of more than 100 characters."""
    inner = ", ".join(parameters)
    if len(name) + len(inner) + len(result) < 81:
        yield f"def {name}({inner}) -> {result}: ..."
        return
    yield f"def {name}("
    if len(inner) <= 92:
        yield f"    {inner}"
    else:
        yield from (f"    {parameter}," for parameter in parameters)
    yield f") -> {result}: ..."


def _lines() -> Iterator[str]:
    for name in OPERATORS:
        yield f"def __{name}__(self, other: Any, /) -> Tensor: ..."
        yield f"def __r{name}__(self, other: Any, /) -> Tensor: ..."
        yield f"def __i{name}__(self, other: Any, /) -> Tensor: ..."
    for name in ("divmod", "rdivmod"):
        yield f"def __{name}__(self, other: Any, /) -> tuple[Tensor, Tensor]: ..."
    for name in COMPARISONS:
        ignored = "  # type: ignore[override]" if name in ("eq", "ne") else ""
        yield f"def __{name}__(self, other: Any, /) -> Tensor: ...{ignored}"
    for name in UNARY:
        yield f"def __{name}__(self) -> Tensor: ..."
    yield "def __getitem__(self, index: Any, /) -> Tensor: ..."
    yield "def __setitem__(self, index: Any, value: Any, /) -> None: ..."
    for name in METHODS:
        yield from _definition(name, list(_shown(name)), RESULTS.get(name, "Tensor"))
    yield 'def copy(self, order: Any = "C") -> Tensor: ...'
    yield 'def flatten(self, order: Any = "C") -> Tensor: ...'
    yield 'def reshape(self, *shape: Any, order: Any = "C", copy: Any = None) -> Tensor: ...'
    yield "def transpose(self, *axes: Any) -> Tensor: ..."
    yield "def backward("
    yield "    self,"
    yield "    gradient: Any = None,"
    yield "    *,"
    yield "    retain_graph: bool | None = None,"
    yield "    create_graph: bool = False,"
    yield ") -> None: ..."
    yield "def conj(self) -> Tensor: ..."
    yield "def conjugate(self) -> Tensor: ..."
    yield "def fill(self, value: Any) -> None: ..."
    yield "def sort("
    yield "    self, axis: int = -1, kind: Any = None, order: None = None, *, stable: Any = None"
    yield ") -> None: ..."
    yield "def partition("
    yield '    self, kth: Any, axis: int = -1, kind: str = "introselect", order: None = None'
    yield ") -> None: ..."
    yield "def to(self, device: str) -> Tensor: ..."
    yield "def cpu(self) -> Tensor: ..."
    yield "def to_device(self, device: str, /, *, stream: None = None) -> Tensor: ..."
    yield "def __array_namespace__(self, /, *, api_version: str | None = None) -> Any: ..."
    yield "def copy_(self, source: Any) -> Tensor: ..."
    yield "def __dlpack__(self, **settings: Any) -> Any: ..."
    yield "def __dlpack_device__(self) -> tuple[int, int]: ..."
    for name in ("T", "mT", "real", "imag"):
        yield "@property"
        yield f"def {name}(self) -> Tensor: ..."
        if name in ("real", "imag"):
            yield f"@{name}.setter"
            yield f"def {name}(self, value: Any) -> None: ..."


def stub() -> str:
    """The text of `_methods.pyi`."""
    return _STUB_HEAD + "".join(f"    {line}\n" for line in _lines())


if __name__ == "__main__":
    PATH.write_text(stub(), encoding="utf-8")
