"""The pages of the reference: every public name, by topic, with its docstring.

docs/conf.py writes the pages to docs/reference when the site is built; they are not in the
repository. `tools.topics` says which names are on which page, and a test reports public names that
are on none.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache, reduce
from importlib import import_module
from inspect import getdoc, isclass, ismodule, isroutine
from pathlib import Path
from typing import Any

from autograd_core import functions
from tools.topics import PAGES, Page

ROOT = Path(__file__).parent.parent
# what autodoc cannot show: values without a docstring of their own
VALUES = {
    "autograd_core.functions": "The functions of this library by NumPy's or SciPy's name, such as "
    "``'exp'`` and ``'linalg.norm'``: operations, and functions that are composed of them.",
    "autograd_core.operations": "The declared operations of this library, by the same names.",
    "autograd_core.nested": "In `op`: declares a parameter, such as an index, as a container whose "
    "Tensors are read without a gradient.",
}


def module(path: str) -> Any:
    """The module, or the module-like attribute, of this path."""
    try:
        return import_module(path)
    except ModuleNotFoundError:
        first, *rest = path.split(".")
        return reduce(getattr, rest, import_module(first))


def names(path: str) -> list[str]:
    """The public names of a module: its `__all__`, or else what is defined in it."""
    owner = module(path)
    if hasattr(owner, "__all__"):
        return sorted(owner.__all__, key=str.lower)
    found = [name for name in vars(owner) if not name.startswith("_")]
    return sorted(name for name in found if _is_defined_in(owner, getattr(owner, name)))


def _is_defined_in(owner: Any, value: Any) -> bool:
    defined = str(getattr(value, "__module__", ""))
    return (isclass(value) or isroutine(value)) and f"{defined}.".startswith(f"{owner.__name__}.")


def entries(page: Page) -> Iterator[tuple[str, list[str]]]:
    """Yield (heading, full names) for each section of a page."""
    owner = module(page.owner)
    owned = {name for name in names(page.owner) if not ismodule(getattr(owner, name))}
    listed = {
        name for source in page.sections.values() if isinstance(source, list) for name in source
    }
    for heading, source in page.sections.items():
        if not isinstance(source, str):
            yield heading, [f"{page.owner}.{name}" for name in source]
            continue
        new = [name for name in names(source) if name not in listed]
        listed |= owned.intersection(new)
        yield heading, [f"{page.owner if name in owned else source}.{name}" for name in new]


def value_of(full_name: str) -> Any:
    """The object of a full name, such as ``autograd_core.linalg.norm``."""
    owner, _, name = full_name.rpartition(".")
    return getattr(module(owner), name)


@cache
def documented() -> dict[str, str]:
    """The page of each full name in the reference."""
    return {
        name: key for key, page in PAGES.items() for _, found in entries(page) for name in found
    }


# modules without public names, which need a library that is not installed with this one
MODULES = ("autograd_core.einops", "autograd_core.pytest_plugin")


# ---- text ----------------------------------------------------------------------------------------

ORIGINS = {"numpy": "NumPy's", "builtins": "Python's"}
CODE = re.compile(r"(``.+?``|`[^`]+`)", re.DOTALL)


def marked_up(lines: list[str], links: Callable[[str], str | None]) -> list[str]:
    """A docstring of this library as reStructuredText. Outside of code, which has one or two
    backticks, it is plain text; a paragraph that is indented is code; ``links(name)`` is the full
    name that a name in backticks refers to."""
    found: list[str] = []
    in_sections = False
    for paragraph in "\n".join(lines).split("\n\n"):
        in_sections = in_sections or bool(re.search(r"^-{3,}$", paragraph, re.MULTILINE))
        if paragraph.startswith("See Also"):
            full = [
                re.sub(r"^\w+(?= : )", lambda m: links(m[0]) or m[0], line)
                for line in paragraph.split("\n")
            ]
            found.append("\n".join(full))
        elif paragraph.lstrip().startswith(">>>"):
            found.append(paragraph)
        elif paragraph.startswith("    ") and not in_sections:
            found.append("::\n\n" + paragraph)
        else:  # an example may follow its heading without an empty line
            text, start, code = paragraph.partition("\n>>> ")
            found.append(_paragraph(text, in_sections, links) + start + code)
    return "\n\n".join(found).split("\n")


def _paragraph(text: str, in_sections: bool, links: Callable[[str], str | None]) -> str:
    """A paragraph with escaped punctuation. In a section, numpydoc reads the lines that are not
    indented: headings, and parameters with their types."""
    parts = CODE.split(text)
    special = r"(?m)(?<=[ \w(|*…/])([*|]|_(?!\w))" if in_sections else r"([*|]|_(?!\w))"
    plain = [re.sub(special, r"\\\1", part) for part in parts[::2]]
    code = [_code(part, links) for part in parts[1::2]]
    joined = "".join(f"{a}\0{b}\0" for a, b in zip(plain, [*code, ""], strict=True))
    # between code and a letter or bracket, an escaped space, which is not shown
    joined = re.sub(r"(?<=[\w)\]])\0(?=[`:])|(?<=`)\0(?=[\w(\[])", r"\\ ", joined)
    return joined.replace("\0", "")


def _code(part: str, links: Callable[[str], str | None]) -> str:
    if part.startswith("``"):
        return part
    target = links(part[1:-1])
    return f":py:obj:`{part[1:-1]} <{target}>`" if target else f"`{part}`"


def link(name: str, package: str = "autograd_core") -> str | None:
    """The full name that a name in a docstring of `package` refers to, if it is public."""
    first, second = ("nn", "autograd_core") if package == "nn" else ("autograd_core", "nn")
    known = (name, f"{first}.{name}", f"{second}.{name}")
    found = next((full for full in known if full in documented()), None)
    return found if len(name) > 1 else None  # e is an operand more often than the constant


@cache
def _first_names() -> dict[int, str]:
    """The name in the reference of each object, by its id: its own one, or else the first."""
    found: dict[int, str] = {}
    for name in documented():
        value, last = value_of(name), name.rpartition(".")[2]
        named = getattr(value, "__name__", "")
        first = found.setdefault(id(value), name)
        if last == named != first.rpartition(".")[2]:
            found[id(value)] = name
    return found


def pages() -> dict[str, str]:
    """The text of each page by its name; `index` is their list."""
    found = {"index": _index(), "numpy": _numpy(), "modules": _modules()}
    return found | {key: _page(key) for key in PAGES}


def _page(key: str) -> str:
    page = PAGES[key]
    parts = [_title(page.title, "=")]
    if page.owner not in ("autograd_core", "nn"):
        parts += _about(page.owner)
    if page.text:
        parts.append(page.text)
    for heading, found in entries(page):
        parts += [_title(heading, "-"), *map(_entry, found)]
    return "\n\n".join(parts) + "\n"


def _title(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}"


def _about(path: str) -> list[str]:
    """The docstring of a module."""
    text = getdoc(module(path)) or ""
    return [f".. py:module:: {path}", "\n".join(marked_up(text.split("\n"), link))]


def _entry(full_name: str) -> str:
    value = value_of(full_name)
    if full_name in VALUES:
        return _described(full_name, VALUES[full_name])
    origin = ORIGINS.get(value.__module__) if isclass(value) else None
    if origin:
        return _described(full_name, f"{origin} ``{value.__name__}``.")
    first = _first_names()[id(value)] if callable(value) else full_name
    if first != full_name:
        return f".. py:function:: {full_name}\n\n   Another name of :py:obj:`{first}`."
    if isclass(value):
        kind = "exception" if issubclass(value, BaseException) else "class"
        return f".. auto{kind}:: {full_name}\n   :members:"
    if callable(value):
        return f".. autofunction:: {full_name}"
    return _described(full_name, f"NumPy's constant, ``{value!r}``.")


def _described(full_name: str, text: str) -> str:
    paragraph = "\n   ".join(marked_up([text], link))
    return f".. py:data:: {full_name}\n\n   {paragraph}"


def _index() -> str:
    text = "Every public name, with the docstring that ``help`` shows. "
    text += "A name that is NumPy's or SciPy's has their parameters and results."
    toc = [
        ".. toctree::",
        "   :maxdepth: 1",
        "",
        *(f"   {key}" for key in [*PAGES, "numpy", "modules"]),
    ]
    return "\n\n".join([_title("Reference", "="), text, "\n".join(toc)]) + "\n"


def _modules() -> str:
    """The page of the modules without public names: their docstrings, read without an import."""
    parts = [_title("For einops and pytest", "=")]
    for path in MODULES:
        source = (ROOT / f"{path.replace('.', '/')}.py").read_text()
        text = ast.get_docstring(ast.parse(source)) or ""
        parts += [_title(path, "-"), f".. py:module:: {path}"]
        parts.append("\n".join(marked_up(text.split("\n"), link)))
    return "\n\n".join(parts) + "\n"


def _numpy() -> str:
    """The page of autograd_core.numpy, whose names are NumPy's: lists, with links."""
    recorded: list[str] = []
    others: list[str] = []
    for name in names("autograd_core.numpy"):
        differs = callable(value_of(f"autograd_core.numpy.{name}")) and name in functions
        (recorded if differs else others).append(name)
    linked = [_code(f"`{name}`", lambda name: link(f"autograd_core.{name}")) for name in recorded]
    parts = [_title("autograd_core.numpy", "="), *_about("autograd_core.numpy")]
    parts += [_title("Functions with an operation", "-"), ", ".join(linked) + "."]
    parts += [_title("NumPy's own", "-"), ", ".join(f"``{name}``" for name in others) + "."]
    parts.append("``linalg`` and ``fft`` have the functions of :doc:`linalg` and :doc:`fft`.")
    return "\n\n".join(parts) + "\n"


def write(folder: Path) -> None:
    """Write the pages that have changed, so that Sphinx reads only these again."""
    folder.mkdir(exist_ok=True)
    for key, text in pages().items():
        path = folder / f"{key}.rst"
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
