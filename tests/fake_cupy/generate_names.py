"""Write `data/cupy_names.txt`: the public names of the installed CuPy and what they take.

Run where CuPy is installed (`import cupy` needs no GPU); the stand-in reads the file and needs no
CuPy. One name a line, in one of three forms:

    cupy.sum(a, axis=None, dtype=None, out=None, keepdims=False)   a function and its parameters
    cupy.exp: e->e f->f d->d F->F D->D                             a ufunc and its loops
    cupy.pi                                                        a constant, class or attribute
"""

import importlib
import inspect
import re
from pathlib import Path

NAMES = Path(__file__).parents[1] / "data" / "cupy_names.txt"
LITERALS = (bool, int, float, str, tuple, type(None))
OWNERS = [
    "cupy", "cupy.ndarray", "cupy.linalg", "cupy.fft", "cupy.random", "cupy.random.Generator",
    "cupy.random.RandomState", "cupy.testing", "cupy.lib.stride_tricks", "cupyx",
    "cupyx.scipy.special",
]  # fmt: skip


def listed(owner):
    """`owner`'s public names; of an array also the special methods that are its own."""
    special = {name for name in dir(owner) if name.startswith("__")} - set(dir(object))
    public = {name for name in dir(owner) if not name.startswith("_")} - {"annotations"}
    return sorted(public | (special if owner.__name__ == "ndarray" else set()))


def line(path, name, value):
    """The line of one name: whatever can be learnt of it."""
    if isinstance(getattr(value, "types", None), list):
        loops = [loop for loop in value.types if "E" not in loop]  # bfloat16: only with ml_dtypes
        return f"{path}.{name}: {' '.join(loops)}"
    if inspect.isclass(value) or not callable(value):
        return f"{path}.{name}"
    try:
        parameters = list(inspect.signature(value).parameters.values())
    except ValueError:
        described = from_docstring(name, value.__doc__ or "")
        return f"{path}.{name}" + ("" if described is None else f"({described})")
    return f"{path}.{name}({', '.join(written(parameters))})"


def written(parameters):
    """Python's own notation, with `...` for a default that has no literal."""
    star_seen = False
    for parameter in parameters:
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not star_seen:
            yield "*"
        star_seen |= parameter.kind in (parameter.KEYWORD_ONLY, parameter.VAR_POSITIONAL)
        plain = parameter.replace(annotation=parameter.empty)
        if plain.default is not plain.empty and not isinstance(plain.default, LITERALS):
            plain = plain.replace(default=...)
        yield str(plain).replace("Ellipsis", "...").replace(" = ", "=")


def from_docstring(name, text):
    """The parameters in a compiled function's first line, ``ndarray.sum(self, int axis=None)``."""
    found = re.match(rf"(?:\w+\.)?{name}\((.*?)\)( ->.*)?$", text.partition("\n")[0])
    if found is None:
        return None
    parameters = [re.sub(r"^\w+ (?=\w)", "", p) for p in re.split(r", (?![^(]*\))", found[1])]
    parameters = [re.sub(r"=([a-z]\w*)$", "=...", p) for p in parameters]
    return ", ".join(p for p in parameters if p and p != "self")


def owner_of(path):
    """The module or class that a dotted path names."""
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError:
        module, _, name = path.rpartition(".")
        return getattr(importlib.import_module(module), name)


def lines():
    """The whole file."""
    import cupy

    what = "public names, parameters and loops. Made by generate_names.py"
    yield f"# CuPy {cupy.__version__}: {what}"
    for path in OWNERS:
        owner = owner_of(path)
        yield from (line(path, name, getattr(owner, name)) for name in listed(owner))


if __name__ == "__main__":
    NAMES.write_text("\n".join(lines()) + "\n")
