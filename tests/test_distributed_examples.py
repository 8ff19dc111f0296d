"""Examples that run in several processes: the heat equation on ranks, and the sweep."""

import json
import sys

import numpy as np
import pytest

from examples import heat_equation, sweep
from tests.ranks.start import needs_mpi, passed

BOUND = 0.12  # of an unknown in a quick run; the largest error is 0.062, of a contrast


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The results of a quick run on one rank."""
    out = tmp_path_factory.mktemp("alone")
    heat_equation.main(["--quick", "--out", str(out)])
    assert (out / "heat_equation.png").read_bytes().startswith(b"\x89PNG")
    return json.loads((out / "results.json").read_text())


def test_one_rank_without_mpi_finds_what_is_inside_the_plate(alone):
    error = np.abs(np.array(alone["found"]) - heat_equation.TRUE)
    assert error.max() < BOUND
    assert np.abs(heat_equation.GUESS - heat_equation.TRUE).max() > 10 * BOUND
    assert alone["misfit"][-1] == pytest.approx(1, abs=0.2), "the deviations are those of the noise"
    assert alone["ranks"] == 1


@pytest.mark.mpi
@needs_mpi
def test_three_ranks_find_what_one_rank_finds(alone, tmp_path):
    text = passed(3, "-m", "examples.heat_equation", "--quick", "--out", str(tmp_path))
    together = json.loads((tmp_path / "results.json").read_text())
    assert together["ranks"] == 3
    np.testing.assert_allclose(together["found"], alone["found"], rtol=0, atol=1e-10)
    np.testing.assert_allclose(together["misfit"], alone["misfit"], rtol=1e-10)
    assert text.count("picture: ") == 1, "one rank prints"
    for name in heat_equation.NAMES:
        assert name in text
    assert (tmp_path / "heat_equation.png").exists()


def test_the_plate_keeps_its_heat():
    """Nothing flows through its edges, whatever it is made of."""
    whole = heat_equation.Strip(0, heat_equation.CELLS, None, None)
    seen = heat_equation.simulated(heat_equation.TRUE, whole, 40)
    totals = [u.sum() for u in seen]
    np.testing.assert_allclose(totals, totals[0], rtol=1e-12)
    assert seen[1].max() < seen[0].max()


def test_a_sweep_prints_a_sorted_table(tmp_path, capsys):
    pytest.importorskip("joblib", reason="needs joblib: pip install joblib")
    sweep.main(["--quick", "--jobs", "1", "--out", str(tmp_path)])
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["accuracy", "rate", "units", "dropout", "activation", "seconds"]
    assert lines.pop().startswith("4 networks in ")
    accuracies = [float(line.split("%")[0]) for line in lines]
    assert accuracies == sorted(accuracies, reverse=True)
    assert accuracies[0] > 60, "one of them learns"  # 74 % here, 10 % by chance
    results = json.loads((tmp_path / "results.json").read_text())
    assert [round(100 * row["accuracy"], 2) for row in results] == accuracies
    assert len({(row["rate"], row["units"]) for row in results}) == 4


def test_processes_give_the_results_of_a_loop():
    pytest.importorskip("joblib", reason="needs joblib: pip install joblib")
    choices = [sweep.Choice(1e-2, 20, 0.3, "tanh"), sweep.Choice(1e-3, 20, 0.0, "relu")]
    rows = sweep.swept(choices, 1, 500, jobs=2)
    expected = [sweep.trained(choice, 1, 500) for choice in choices]
    assert {(r.choice, r.accuracy) for r in rows} == {(r.choice, r.accuracy) for r in expected}


def test_without_joblib_the_sweep_names_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "joblib", None)
    with pytest.raises(SystemExit, match="pip install joblib"):
        sweep.swept([], 1, 100, 1)
