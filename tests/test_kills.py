"""Runs that are killed by SIGKILL at any moment and resumed end with the same bits."""

import os
import random
import signal
import subprocess
import sys
import time
import warnings

import pytest

import nn
from tests.killed_runs import RUNS

KILLS = int(os.environ.get("KILLS", "4"))  # `make thorough` asks for 40
pytestmark = pytest.mark.skipif(
    not hasattr(signal, "SIGKILL"), reason="this system has no signal that kills a process"
)


def start(run, folder, *options):
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.killed_runs", run, str(folder), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def until(process, file):
    """Wait until a file is there, or the process has ended."""
    while process.poll() is None and not file.exists():
        time.sleep(0.001)


def last_step(folder):
    """The step of the newest checkpoint, 0 without one. A damaged one would raise a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = nn.Checkpoints(folder).load()
    return 0 if found is None else found.step


def killed(run, folder, draw, inside):
    """Run until a random moment, inside the write of a checkpoint if asked."""
    (folder / "writing").unlink(missing_ok=True)
    (folder / "started").unlink(missing_ok=True)
    process = start(run, folder, "--resume", *(["--slow"] if inside else []))
    until(process, folder / ("writing" if inside else "started"))
    time.sleep(draw.uniform(0, 0.03 if inside else 0.3))
    process.kill()
    process.communicate()


@pytest.mark.parametrize("run", RUNS)
def test_a_run_that_is_killed_and_resumed_ends_with_the_same_bits(run, tmp_path):
    whole = start(run, tmp_path / "whole")
    expected, _ = whole.communicate()
    assert whole.returncode == 0
    draw, folder, step = random.Random(run), tmp_path / "killed", 0
    folder.mkdir()
    for i in range(-(-KILLS // len(RUNS))):
        killed(run, folder, draw, inside=i % 4 == 0)
        now = last_step(folder)
        assert now >= step, "a checkpoint was lost"
        step = now
        if step >= 24:  # it had ended; again from the start
            for path in folder.iterdir():
                path.unlink()
            step = 0
    process = start(run, folder, "--resume")
    found, _ = process.communicate()
    assert found == expected
    rows = [path.read_text() for path in (tmp_path / "whole" / "log.jsonl", folder / "log.jsonl")]
    assert [text.count("\n") for text in rows] == [3, 3]
    assert not list(folder.glob("*.part"))
