"""How tests start a program on several ranks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
MISSING = "needs mpi4py and an MPI library: pip install -e '.[mpi]'"

needs_mpi = pytest.mark.skipif(find_spec("mpi4py") is None, reason=MISSING)


class Ended(NamedTuple):
    """How a program ended: its exit status, and what it printed."""

    status: int
    text: str


def launcher() -> str:
    """The path of mpiexec, that of this environment if it has one."""
    found = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert found, MISSING
    return found


def on_ranks(count: int, *command: str, limit: float = 120, **environment: str) -> Ended:
    """Run ``python -m mpi4py …`` on `count` ranks. Fails after `limit` seconds."""
    words = [launcher(), "-n", str(count), sys.executable, "-m", "mpi4py", *command]
    settings = {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run(
        words, cwd=ROOT, env=os.environ | settings, text=True, timeout=limit,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return Ended(done.returncode, done.stdout)


def passed(count: int, *command: str, **settings: str) -> str:
    """What a program prints that ends without an error."""
    ended = on_ranks(count, *command, **settings)
    assert ended.status == 0, ended.text
    return ended.text
