"""The programs in pages of docs/ that no other test runs."""

import re
from pathlib import Path

import pytest

from autograd_core.devices import backend
from tests.fake_cupy import device as fake

DOCS = Path(__file__).parent.parent / "docs"


@pytest.mark.parametrize("page", ["engine", "faq", "how-it-works"])
def test_the_programs_run(page):
    names = {}
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / f"{page}.md").read_text(), re.DOTALL)
    assert len(blocks) >= 2
    for block in blocks:
        exec(block, names)


def test_the_page_on_gpus_quotes_what_its_program_prints_there(capsys):
    page = (DOCS / "tutorials" / "gpu.md").read_text()
    (quoted,) = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    names = {}
    backend.install(fake)
    try:
        for cell in re.findall(r"```\{code-cell\}\n(.*?)```", page, re.DOTALL):
            capsys.readouterr()
            exec(cell, names)
    finally:
        fake.cuda.log.clear()
        backend.install(None)
    assert capsys.readouterr().out == quoted
