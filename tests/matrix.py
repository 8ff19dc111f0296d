"""The core of the suite on the oldest and on the newest interpreter and NumPy that are supported.

`make matrix` runs it and writes the numbers of tests that passed to docs/support.md. Interpreters
are looked for on PATH and where pyenv keeps them; one that is not there is named as skipped, and so
is a pair that could not be tested. Each pair has a virtual environment of its own,
`.venv-matrix-<name>/`, which is kept and made anew when what goes into it changes.
"""

import datetime
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests import support
from tests.support import PAIRS

ROOT = Path(__file__).parent.parent
# What the tests below import; drawings, examples and type checks are left to `make test`.
TOOLS = ["einops>=0.8", "hypothesis>=6.100", "mpmath>=1.3", "pytest>=8", "pytest-xdist>=3.5",
         "safetensors>=0.4"]  # fmt: skip
FILES = ["graph", "graph_memory", "recording", "declared_rules", "indexing", "views",
         "view_programs", "view_writes", "view_errors", "ufunc_methods", "numpys_calls",
         "transforms", "jacobians", "transform_errors", "custom_gradient", "exits", "linalg",
         "linalg_equal_values", "layout", "nn", "signals", "accuracy", "lists", "numpy_module",
         "hips", "hips_primitives", "hips_spaces", "foreign_arrays", "fake_device",
         "fake_device_conformance", "compile", "compiled_calls", "compiled_device",
         "compiled_loops", "compiled_objects", "compiled_passes", "compiled_reviewed",
         "compiled_state", "compiled_training", "compiling",
         "compiled_arguments", "compiled_places", "convolution", "optim", "optimizers",
         "checkpoints", "loader_state", "metrics", "draws", "samplers"]  # fmt: skip
# Of the op table what depends on NumPy's functions; the rest is about the engine, at length.
OF_THE_TABLE = ["every_operation_has_a_row", "value_dtype_and_shape", "gradient", "second_order",
                "precision_is_kept", "numpys_function_gives_the_same"]  # fmt: skip
PROFILE = "few"  # of conftest.py: a handful of examples for each row of the op table


def release(path):
    """What version an interpreter says it is, as "3.11"; None where it does not run: pyenv puts
    names on PATH that only say what is missing."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([path, "-c", code], capture_output=True, text=True, timeout=60)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def candidates(version):
    """Where an interpreter of this version might be."""
    name = f"python{version}"
    yield shutil.which(name)
    home = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(home.glob(f"versions/{version}.*/bin/{name}"), reverse=True)


def interpreter(version):
    """The path of a Python of this version, or None."""
    found = (str(path) for path in candidates(version) if path)
    return next((path for path in found if release(path) == version), None)


def environment(pair, python):
    """The interpreter of the pair's virtual environment, which is made where it is not there yet
    or is of something else. The newest is asked for again each time: it may have changed."""
    home = ROOT / f".venv-matrix-{pair.name}"
    inner, note = home / "bin" / "python", home / "made-of"
    wanted = "\n".join([python, *pair.packages, *TOOLS])
    if not note.exists() or note.read_text() != wanted:
        subprocess.run([python, "-m", "venv", "--clear", home], check=True)
    install = [inner, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade"]
    subprocess.run([*install, *pair.packages, *TOOLS, "--editable", "."], check=True, cwd=ROOT)
    note.write_text(wanted)
    return str(inner)


def versions_in(python):
    """The versions of Python, NumPy and SciPy in an environment."""
    code = (
        "import platform, numpy, scipy;"
        "print(platform.python_version(), numpy.__version__, scipy.__version__)"
    )
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


def tested(python, workers, report):
    """Whether the core of the suite passes with this interpreter. The file `report` has numbers."""
    tests = [f"tests/test_{name}.py" for name in FILES]
    tests += [f"tests/test_op_table.py::test_{name}" for name in OF_THE_TABLE]
    command = [python, "-m", "pytest", "-q", "-n", workers, f"--junitxml={report}", *tests]
    settings = {"HYPOTHESIS_PROFILE": PROFILE, "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=ROOT, env=os.environ | settings).returncode == 0


def outcome(pair, workers, figures):
    """What became of a pair, in a line; it starts with "passed", "failed" or "skipped". The numbers
    of one that passed are added to `figures`."""
    pythons = (interpreter(version) for version in pair.versions)
    python = next((path for path in pythons if path), None)
    if python is None:
        return f"skipped: no Python {' or '.join(pair.versions)} on PATH or in ~/.pyenv/versions"
    inner = environment(pair, python)
    versions = versions_in(inner)
    found = "Python {}, NumPy {}, SciPy {}".format(*versions)
    print(f"== {pair.name}: {found}", flush=True)
    start = time.monotonic()
    report = ROOT / f".venv-matrix-{pair.name}" / "report.xml"
    if not tested(inner, workers, report):
        return f"failed: {found}, in {time.monotonic() - start:.0f} s"
    passed, skipped = support.counted(report)
    today = datetime.date.today().isoformat()
    figures[pair.name] = support.Measured(*versions, passed, skipped, today)
    return f"passed: {found}, {passed} tests in {time.monotonic() - start:.0f} s"


def main(workers="2"):
    """Run every pair, say what became of each, and write the figures if none failed. A failure is
    the exit status."""
    figures = {}
    outcomes = {pair.name: outcome(pair, workers, figures) for pair in PAIRS}
    for name, line in outcomes.items():
        print(f"{name}: {line}")
    failed = any(line.startswith("failed") for line in outcomes.values())
    if not failed:
        support.write(figures)
        print(support.PATH.read_text(encoding="utf-8"))
    return failed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
