"""Run HIPS autograd's own examples and tests with ``import autograd`` meaning this library.

    git clone https://github.com/HIPS/autograd
    python -m tests.hips_suite autograd --data examples/data/mnist

Each example runs with HIPS autograd (which must be installed) and with this library, for at most
`--seconds` each. The numbers that they print are compared up to where the shorter output ends. Each
of the tests runs here only; the failures must be those of EXPECTED. The names of examples after the
path restrict the run to them.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from itertools import zip_longest
from pathlib import Path

# Tests that fail here, with the reason.
EXPECTED = {
    "test_fft.py::test_rfftn_odd_not_implemented": "it is implemented here",
    "test_graphs.py::test_assignment_raises_error": "assignment to an element works here",
    "test_linalg.py::test_pinv": "it uses the private function linalg._dot",
    "test_misc.py::test_const_graph": "const_graph calls the function each time",
    "test_misc.py::test_const_graph_args": "const_graph calls the function each time",
    "test_wrappers.py::test_wrapped_name_and_docs": "it compares the text of a docstring",
    **{
        f"test_linalg.py::test_eigvalh_{which}": "the gradient is that of a symmetric argument"
        for which in (
            "lower", "upper", "lower_broadcasting", "upper_broadcasting", "lower_complex",
            "upper_complex",
        )
    },
}  # fmt: skip
# Examples that cannot be compared, with the reason.
APART = {
    "data.py": "a module of the others",
    "data_mnist.py": "a module of the others",
    "__init__.py": "empty",
    "fluidsim.py": "it needs scipy.misc.imread, which SciPy no longer has",
    "wing.py": "it needs scipy.misc.imread, which SciPy no longer has",
}
# Examples whose output is not compared, with the reason.
OTHERWISE = {"print_trace.py": "it prints the operations of the backward pass, which are others"}
TOLERANCE = 1e-6  # of printed numbers, relative
NUMBER = re.compile(r"[-+]?\d+\.?\d*(?:e[-+]?\d+)?", re.IGNORECASE)
ADDRESS = re.compile(r"\d{9,}")
STEADY = 20  # lines that must be equal; later, iterations may have amplified rounding
START = (
    "import numpy, runpy, sys, warnings; warnings.simplefilter('ignore'); numpy.random.seed(0); "
    "sys.path.insert(0, '.'); runpy.run_path(sys.argv[1], run_name='__main__')"
)


def output(path: Path, seconds: float, alias: bool) -> tuple[str, str]:
    """What a program prints, and how it failed, if it did. One that is stopped has not failed."""
    folder = str(Path.cwd())
    env = os.environ | {"MPLBACKEND": "Agg", "PYTHONPATH": folder, "OPENBLAS_NUM_THREADS": "1"}
    start = (
        f"from tests import hips_alias; hips_alias.pytest_configure(); {START}" if alias else START
    )
    command = [sys.executable, "-u", "-c", start, path.name]
    try:
        run = subprocess.run(
            command, cwd=path.parent, env=env, timeout=seconds, capture_output=True, text=True
        )
    except subprocess.TimeoutExpired as stopped:
        return (stopped.stdout or b"").decode(), ""
    return run.stdout, run.stderr.strip().rpartition("\n")[2] if run.returncode else ""


def difference(ours: str, theirs: str) -> tuple[int, str]:
    """The number of equal lines before the first that differs by more than rounding, and what
    differs in it. Lines after the end of the shorter output are not compared."""
    ours, theirs = (ADDRESS.sub("", text) for text in (ours, theirs))
    lines = list(zip(ours.splitlines(), theirs.splitlines(), strict=False))
    for i, (one, other) in enumerate(lines[:-1] if len(lines) > 1 else lines):  # last: cut off
        for a, b in zip_longest(NUMBER.findall(one), NUMBER.findall(other)):
            apart = a is None or b is None
            if apart or abs(float(a) - float(b)) > TOLERANCE * max(1.0, abs(float(b))):
                return i, f"{one!r} differs from {other!r}"
    return len(lines), ""


def examples(source: Path, names: list[str], data: Path, seconds: float) -> int:
    """Run and compare the examples. Returns the number of those that fail."""
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "examples"
        shutil.copytree(source, folder)
        shutil.copytree(data, folder / "data")
        found = sorted(folder.rglob("*.py"))
        unknown = {*names} - {path.stem for path in found}
        if unknown:
            sys.exit(f"no example is called {', '.join(sorted(unknown))}")
        for path in found:
            if names and path.stem not in names:
                continue
            if path.name in APART:
                print(f"{path.stem:34} left out: {APART[path.name]}")
                continue
            text, error = output(path, seconds, alias=True)
            expected, broken = output(path, seconds, alias=False)
            count, apart = difference(text, expected)
            verdict = error or f"{count} lines equal" if text or error else "prints nothing"
            if apart:
                verdict += f", then {apart}"
                excused = OTHERWISE.get(path.name) or (count >= STEADY and "rounding grows")
                verdict += f" ({excused})" if excused else " <-- !"
                failed += not excused
            failed += bool(error and not broken)
            print(f"{path.stem:34} {verdict}{f' (HIPS: {broken})' if broken else ''}", flush=True)
    return failed


def tests(source: Path) -> int:
    """Run the tests. Returns the number of surprises."""
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n2", "-rfs",
         "-p", "tests.hips_alias", "-c", os.devnull, "--rootdir", str(source), str(source)],
        capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(Path.cwd())},
    )  # fmt: skip
    failed = {
        line.split()[1].rpartition("/")[2]
        for line in run.stdout.splitlines()
        if line.startswith("FAILED")
    }
    print(run.stdout.strip().rpartition("\n")[2])
    for line in run.stdout.splitlines():
        if line.startswith(("SKIPPED", "ERROR")):
            print(line)
    for test in sorted(failed):
        print(f"{test}: {EXPECTED.get(test, 'NOT EXPECTED')}")
    for test in sorted(EXPECTED.keys() - failed):
        print(f"{test}: passes, but is listed as a failure")
    return len(failed ^ EXPECTED.keys()) + ("ERROR" in run.stdout)


def main() -> None:
    """Print the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("path", type=Path, help="a clone of HIPS/autograd")
    parser.add_argument("names", nargs="*", help="examples to run (default: all, and the tests)")
    parser.add_argument("--data", type=Path, required=True, help="the folder of the MNIST files")
    parser.add_argument("--seconds", type=float, default=60, help="limit for each example")
    chosen = parser.parse_intermixed_args()
    failed = 0 if chosen.names else tests(chosen.path / "tests")
    failed += examples(chosen.path / "examples", chosen.names, chosen.data, chosen.seconds)
    sys.exit(f"{failed} failed" if failed else 0)


if __name__ == "__main__":
    main()
