"""Writes `_methods.pyi`, which tells type checkers what `methods` binds to Tensor.

Names, parameters and types are taken from the functions in `methods.members()`. Run ``python -m
tools.stub`` after changing one of these functions; a test compares the stub with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

from autograd_core import operations
from autograd_core.interface.methods import members

PATH = Path(__file__).parent.parent / "autograd_core" / "engine" / "_methods.pyi"

_STUB_HEAD = '''"""Tensor's operators and methods. Written by `python -m tools.stub`."""

from collections.abc import Sequence
from typing import Any

from autograd_core.engine.tensor import Tensor
from autograd_core.engine.types import Operand
from autograd_core.ops.axes import Axis

class Methods:
'''
KERNELS = {"Array": "Operand", "Gradient": "Operand"}
BY_OBJECT = ("__eq__", "__ne__")  # object defines these, with other types


def _types(function: Callable[..., Any]) -> dict[str, str]:
    """The annotations of a function, or of the kernel of an operation. `Array` in a kernel becomes
    `Operand` for a parameter of the method, and `Tensor` for its result."""
    declared, module = operations.get(function.__name__), function.__module__
    if declared is not None and declared.function is function:
        function = declared.kernel
    types = {
        name: KERNELS.get(kind, kind) if isinstance(kind, str) else kind.__name__
        for name, kind in getattr(function, "__annotations__", {}).items()
    }
    result = types.get("return", "Any")
    if result == "Operand" or (result == "Any" and "interface" not in module):
        types["return"] = "Tensor"
    return types


def _parameters(function: Callable[..., Any], types: dict[str, str]) -> Iterator[str]:
    """The parameters after the first, which is the Tensor itself."""
    earlier = None
    for p in list(signature(function).parameters.values())[1:]:
        if earlier is p.POSITIONAL_ONLY is not p.kind:
            yield "/"
        if p.kind is p.KEYWORD_ONLY and earlier not in (p.KEYWORD_ONLY, p.VAR_POSITIONAL):
            yield "*"
        star = "*" if p.kind is p.VAR_POSITIONAL else "**" if p.kind is p.VAR_KEYWORD else ""
        default = "" if p.default is p.empty else f" = {p.default!r}".replace("'", '"')
        yield f"{star}{p.name}: {types.get(p.name, 'Any')}{default}"
        earlier = p.kind
    if earlier is Parameter.POSITIONAL_ONLY:
        yield "/"


def _definition(name: str, function: Callable[..., Any]) -> Iterator[str]:
    """A method's definition, wrapped as ruff wraps lines of more than 100 characters."""
    types = _types(function)
    result = types.get("return", "Tensor")
    parameters = ["self", *_parameters(function, types)]
    if name.startswith("__") and len(parameters) == 2:  # an operator
        parameters += ["/"]
    inner = ", ".join(parameters)
    ignored = "  # type: ignore[override]" if name in BY_OBJECT else ""
    if len(name) + len(inner) + len(result) < 81:
        yield f"def {name}({inner}) -> {result}: ...{ignored}"
        return
    yield f"def {name}("
    if len(inner) <= 92:
        yield f"    {inner}"
    else:
        yield from (f"    {parameter}," for parameter in parameters)
    yield f") -> {result}: ..."


def _property(name: str, member: property) -> Iterator[str]:
    yield "@property"
    yield from _definition(name, member.fget)  # type: ignore[arg-type]
    if member.fset is not None:
        yield f"@{name}.setter"
        yield from _definition(name, member.fset)


def _lines() -> Iterator[str]:
    for name, member in members().items():
        write = _property if isinstance(member, property) else _definition
        yield from write(name, member)


def stub() -> str:
    """The text of `_methods.pyi`."""
    return _STUB_HEAD + "".join(f"    {line}\n" for line in _lines())


if __name__ == "__main__":
    PATH.write_text(stub(), encoding="utf-8")
