"""The notebooks are stored executed, and run from a fresh kernel."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
nbformat = pytest.importorskip("nbformat", reason="needs nbclient: pip install -e '.[test]'")


def read(name):
    return nbformat.read(FOLDER / f"{name}.ipynb", 4)


def outputs(cell):
    return list(cell.get("outputs", ()))


def test_there_are_three():
    assert NAMES == ["debugging_a_network", "lecture", "numpy_to_gradients"]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_stored_executed(name):
    cells = [cell for cell in read(name).cells if cell.cell_type == "code"]
    counts = [cell.execution_count for cell in cells]
    assert counts == list(range(1, len(cells) + 1)), "executed once, in order"
    assert not [o for cell in cells for o in outputs(cell) if o.output_type == "error"]
    assert sum(bool(outputs(cell)) for cell in cells) > len(cells) / 2
    assert "find_spec" in cells[0].source, "the first cell finds the library"


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_from_a_fresh_kernel(name, monkeypatch):
    client = pytest.importorskip("nbclient", reason="needs nbclient: pip install -e '.[test]'")
    monkeypatch.setenv("PYTHONWARNINGS", "ignore::DeprecationWarning")
    notebook = read(name)
    stored = [[o.output_type for o in outputs(cell)] for cell in notebook.cells]
    settings = {"metadata": {"path": str(FOLDER)}}
    client.NotebookClient(notebook, timeout=300, resources=settings).execute()
    now = [[o.output_type for o in outputs(cell)] for cell in notebook.cells]
    assert [bool(found) for found in now] == [bool(found) for found in stored]
