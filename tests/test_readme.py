"""The README's code runs as it stands, from top to bottom, and prints what it says."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests import compiling_page

README = (Path(__file__).parent.parent / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
SHOWN = re.compile(r"^(?P<expression>\S.*?)  # (?P<result>Tensor\(.*\))$", re.MULTILINE)


def test_every_block_runs_after_those_before_it(tmp_path, monkeypatch):
    pytest.importorskip("graphviz", reason="drawing needs the extra: pip install -e '.[graph]'")
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    names = {"x_train": rng.uniform(-1, 1, (200, 784)), "y_train": np.eye(10)[np.arange(200) % 10]}
    shown = 0
    for block in BLOCKS:
        compiling_page.run(block, names)
        for line in SHOWN.finditer(block):
            assert repr(eval(line["expression"], names)) == line["result"]
            shown += 1
    assert shown == 2
    assert (tmp_path / "graph.svg").exists()
    program = re.findall(r"```\n```\n(.*?)```", README, re.DOTALL)
    assert [text in names["step"].source for text in program] == [True]
