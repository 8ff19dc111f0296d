"""docs/nn.md: its programs run, and its table has every public name."""

import re
from pathlib import Path

import nn
from autograd_core import Tensor

PAGE = (Path(__file__).parent.parent / "docs" / "nn.md").read_text()


def test_the_programs_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(block, names)
    assert isinstance(names["loss"], Tensor)
    assert names["loss"].item() < 0.6, "it has learned"
    assert names["step"].programs
    assert not names["step"].plain
    assert names["optimizer"].lr < 1e-5, "the schedule has ended"
    assert names["history"][-1]["valid_accuracy"] > 0.85
    assert names["history"]["step"] == [16, 32, 48, 64, 80]


def test_the_table_has_every_name():
    table = PAGE[: PAGE.index("## A training step")]
    shown = set(re.findall(r"`(\w+)`", table))
    shown |= {f"{name}{n}d" for name in ("Dropout", "BatchNorm", "InstanceNorm") for n in (2, 3)}
    elsewhere = {"LRScheduler", "Optimizer"}
    data = {"DataLoader", "TensorDataset", "MNIST", "DataError"}
    classes = {name for name in nn.__all__ if name[0].isupper()} - elsewhere - data
    assert classes <= shown, classes - shown
    assert all(hasattr(nn, name) for name in shown - {"2d", "3d"} if name[0].isupper())
