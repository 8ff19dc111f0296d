"""The README's code runs as it stands, from top to bottom, and prints what it says."""

import re
from pathlib import Path

import pytest

from tests import compiling_page

README = (Path(__file__).parent.parent / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
SHOWN = re.compile(r"^(?P<expression>\S.*?)  # (?P<result>Tensor\(.*\))$", re.MULTILINE)


def test_every_block_runs_after_those_before_it(tmp_path, monkeypatch):
    pytest.importorskip("graphviz", reason="drawing needs the extra: pip install -e '.[graph]'")
    monkeypatch.chdir(tmp_path)
    names = {}
    shown = 0
    for block in BLOCKS:
        compiling_page.run(block, names)
        for line in SHOWN.finditer(block):
            assert repr(eval(line["expression"], names)) == line["result"]
            shown += 1
    assert shown == 2
    assert (tmp_path / "flow.svg").exists()
    assert (tmp_path / "graph.html").exists()
    program = re.findall(r"```\n```\n(.*?)```", README, re.DOTALL)
    assert [text in names["step"].source for text in program] == [True]


def test_it_is_short_and_its_links_lead_somewhere():
    assert README.count("\n") < 250
    root = Path(__file__).parent.parent
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(targets) > 15
    missing = [t for t in targets if "://" not in t and not (root / t).exists()]
    assert not missing
