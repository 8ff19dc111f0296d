"""The parts of docs/compiling.md that are written from the code: the program of its training step,
and the list of the operations that a program calls as a whole, as they cannot be traced.
`python -m tests.compiling_page` writes them."""

from __future__ import annotations

import linecache
import re
import warnings
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from autograd_core.compiling import Compiled

PAGE = Path(__file__).parent.parent / "docs" / "compiling.md"
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)


def part(name: str) -> re.Pattern[str]:
    """The part of the page between two comments."""
    return re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- end -->)", re.DOTALL)


def read(name: str) -> str:
    """The text of a part."""
    found = part(name).search(PAGE.read_text(encoding="utf-8"))
    assert found, f"{PAGE} has no part {name}"
    return found[0]


def run(block: str, names: dict[str, Any]) -> None:
    """Run code of the page. Programs quote its lines, which are therefore kept."""
    title = f"<{PAGE.name} {len(block)}>"
    linecache.cache[title] = (len(block), None, block.splitlines(keepends=True), title)
    exec(compile(block, title, "exec"), names)


def program() -> str:
    """The program of the first block of code, as the page shows it."""
    names: dict[str, Any] = {"__name__": "page"}
    with redirect_stdout(StringIO()):
        run(PYTHON.findall(PAGE.read_text(encoding="utf-8"))[0], names)
    return f"```python\n{names['step'].source}```\n"


def opaque_in(compiled: Compiled) -> set[str]:
    """The opaque operations of the programs of a compiled function."""
    names = {name for variant in compiled._traced for name in variant.opaque}
    return {name.removeprefix("slope of ") for name in names}


@cache
def listed() -> set[str]:
    """The operations in the list."""
    return set(re.findall("`(.*?)`", read("opaque")))


def opaque() -> str:
    """The list, from all operations and their derivatives."""
    from tests.test_compiled_operations import SEVERAL, functions_of

    found: set[str] = set()
    for row in SEVERAL:
        for plain, arguments in functions_of(row):
            compiled = Compiled(plain)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compiled(*map(np.copy, arguments))  # not the arrays of the closure
            found |= opaque_in(compiled)
    return ", ".join(f"`{name}`" for name in sorted(found)) + "\n"


def main() -> None:
    """Write both."""
    for name, text in (("program", program()), ("opaque", opaque())):
        page = PAGE.read_text(encoding="utf-8")
        found = part(name).search(page)
        assert found, f"{PAGE} has no part {name}"
        changed = page[: found.start()] + text + page[found.end() :]
        PAGE.write_text(changed, encoding="utf-8")


if __name__ == "__main__":
    main()
