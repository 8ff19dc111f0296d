"""Checks the wheel and the sdist in a folder: what is in them, and that the wheel works where
nothing else is installed. `make dist` builds both and runs this; `python -m tools.check_dist
FOLDER` checks again. Each check prints a line; the first one that fails ends the program with its
reason."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tempfile
import textwrap
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
PACKAGES = ("autograd_core", "nn")
BESIDE = {
    ".gitignore", "CHANGELOG.md", "CITATION.cff", "LICENSE", "PKG-INFO", "README.md",
    "SECURITY.md", "pyproject.toml",
}  # fmt: skip
METADATA = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}
PIP = ("-m", "pip", "--disable-pip-version-check")
TYPED = """\
import autograd_core as ac, nn
reveal_type(ac.tanh(ac.Tensor([1.0])))
reveal_type(nn.Linear(2, 3).to("cpu"))
"""
IMPORTED = """\
from importlib.metadata import version
from pathlib import Path
import sys
import autograd_core, nn, nn.distributed, autograd_core.rendering, autograd_core.hips.numpy
for module in (autograd_core, nn):
    assert Path(module.__file__).is_relative_to(sys.prefix), module.__file__
assert version("autograd-core") == autograd_core.__version__
print(autograd_core.__version__)
"""
# Runs files one after the other with common names, and prints which of them need an extra.
BLOCKS = """\
import sys
import numpy as np
generator = np.random.default_rng(0)
images, labels = generator.uniform(-1, 1, (200, 784)), np.eye(10)[np.arange(200) % 10]
names = {"x_train": images, "y_train": labels}
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        program = compile(file.read(), path, "exec")
    try:
        exec(program, names)
    except Exception as error:
        if "autograd-core[" not in str(error):
            raise
        print("NEEDS AN EXTRA", path)
"""


class Wrong(Exception):
    """What a check found."""


class Built(NamedTuple):
    """What is checked, a folder for the checks, and the interpreter of an environment in it."""

    wheel: Path
    sdist: Path
    work: Path

    @property
    def python(self) -> Path:
        return self.work / "empty environment" / "bin" / "python"


def run(*command: str | Path, cwd: Path) -> str:
    """What a command prints. It finds nothing of the checkout: not by its folder, and not by the
    environment's variables."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=clean, text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode:
        shown = " ".join(str(part) for part in command)
        told = textwrap.indent((done.stdout + done.stderr)[-3000:], "    ")
        raise Wrong(f"exit status {done.returncode} of {textwrap.shorten(shown, 200)}\n{told}")
    return done.stdout


def source_files(root: Path = ROOT) -> set[str]:
    """The files of the packages in a checkout."""
    found = (path for package in PACKAGES for path in (root / package).rglob("*"))
    kept = (p for p in found if p.is_file() and "__pycache__" not in p.parts)
    return {path.relative_to(root).as_posix() for path in kept}


def compared(what: str, found: Iterable[str], expected: set[str]) -> int:
    """The number of names; raises Wrong for those missing and those that should not be there."""
    names = set(found)
    for problem, some in (("lacks", expected - names), ("should not have", names - expected)):
        if some:
            raise Wrong(f"the {what} {problem} {', '.join(sorted(some)[:10])} ({len(some)} in all)")
    return len(names)


def check_wheel_files(built: Built) -> str:
    """Every file of both packages and the metadata, and nothing else."""
    with zipfile.ZipFile(built.wheel) as archive:
        names = archive.namelist()
    about = "-".join(built.wheel.name.split("-")[:2]) + ".dist-info"
    files = source_files()
    compared("wheel", names, files | {f"{about}/{name}" for name in METADATA})
    return f"{len(files)} files of {' and '.join(PACKAGES)}, {len(METADATA)} of metadata"


def check_sdist_files(built: Built) -> str:
    """The same packages, and what builds and describes them."""
    with tarfile.open(built.sdist) as archive:
        names = [member.name.partition("/")[2] for member in archive if member.isfile()]
    names = [name for name in names if ".egg-info/" not in name]
    count = compared("sdist", names, source_files() | BESIDE)
    return f"{count} files: the packages and {', '.join(sorted(BESIDE))}"


def contents(wheel: Path) -> dict[str, bytes]:
    """The files of a wheel by name."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def unpacked(sdist: Path, place: Path) -> Path:
    """The folder in an sdist, which is unpacked to `place`."""
    with tarfile.open(sdist) as archive:
        if hasattr(tarfile, "data_filter"):  # not in the first releases of 3.11
            archive.extraction_filter = tarfile.data_filter
        archive.extractall(place)
    (folder,) = place.iterdir()
    return folder


def check_same_wheel(built: Built) -> str:
    """The sdist, unpacked in a folder with spaces, builds the wheel that is here."""
    folder = unpacked(built.sdist, built.work / "unpacked sdist")
    out = built.work / "wheel of the sdist"
    run(sys.executable, *PIP, "wheel", "--no-deps", "--wheel-dir", out, ".", cwd=folder)
    (again,) = out.glob("*.whl")
    here, there = contents(built.wheel), contents(again)
    differ = {name for name in here.keys() | there.keys() if here.get(name) != there.get(name)}
    if differ:
        raise Wrong(f"the wheel built from the sdist differs in {', '.join(sorted(differ)[:10])}")
    same = again.read_bytes() == built.wheel.read_bytes()
    return (
        "the same bytes" if same else "the same files; times differ (SOURCE_DATE_EPOCH sets them)"
    )


def check_twine(built: Built) -> str:
    """The metadata is valid, and the description is displayed."""
    files = (built.wheel, built.sdist)
    run(sys.executable, "-m", "twine", "check", "--strict", *files, cwd=built.work)
    return "twine check --strict passed"


def check_empty_environment(built: Built) -> str:
    """The wheel and NumPy, in an environment with nothing else, whose path has spaces."""
    run(sys.executable, "-m", "venv", built.python.parents[1], cwd=built.work)
    run(built.python, *PIP, "install", built.wheel, cwd=built.work)
    run(built.python, *PIP, "check", cwd=built.work)
    lines = run(built.python, *PIP, "list", "--format=freeze", cwd=built.work).split()
    names = {line.partition("==")[0] for line in lines if "==" in line}
    compared("environment", names - {"pip", "setuptools"}, {"autograd-core", "numpy"})
    return "installed with " + next(line for line in lines if line.startswith("numpy=="))


def check_import(built: Built) -> str:
    """Both packages are imported from the environment."""
    found = run(built.python, "-W", "error", "-c", IMPORTED, cwd=built.work)
    return f"version {found.strip()}, from a path with spaces"


def check_types(built: Built) -> str:
    """A type checker reads the types of the installed wheel."""
    program = built.work / "typed.py"
    program.write_text(TYPED, encoding="utf-8")
    settings = ("--strict", "--config-file=", "--python-executable", built.python)
    cache = ("--cache-dir", built.work / "mypy cache")
    told = run(sys.executable, "-m", "mypy", *settings, *cache, program, cwd=built.work)
    types = re.findall(r'Revealed type is "(.*?)"', told)
    expected = ["autograd_core.engine.tensor.Tensor", "nn.linear.Linear"]
    if types != expected:
        raise Wrong(f"mypy reveals {types}, not {expected}\n{told}")
    return "mypy --strict reveals " + " and ".join(expected)


def check_readme(built: Built) -> str:
    """The README's programs run from the wheel; only drawings need an extra."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    paths = []
    for i, block in enumerate(re.findall(r"```python\n(.*?)```", text, re.DOTALL)):
        paths.append(built.work / f"block_{i + 1:02}.py")
        paths[-1].write_text(block, encoding="utf-8")
    printed = run(built.python, "-c", BLOCKS, *paths, cwd=built.work)
    refused = re.findall(r"NEEDS AN EXTRA .*?(block_\d+)\.py", printed)
    for name in refused:
        if "draw(" not in (built.work / f"{name}.py").read_text(encoding="utf-8"):
            raise Wrong(f"{name} of the README draws nothing, but asks for an extra")
    done = len(paths) - len(refused)
    return f"{done} of {len(paths)} programs run; {len(refused)} draw, which needs the extra graph"


CHECKS: dict[str, Callable[[Built], str]] = {
    "wheel": check_wheel_files,
    "sdist": check_sdist_files,
    "wheel of the sdist": check_same_wheel,
    "metadata": check_twine,
    "empty environment": check_empty_environment,
    "import": check_import,
    "types": check_types,
    "README": check_readme,
}


def found_in(folder: Path) -> tuple[Path, Path]:
    """The wheel and the sdist of a folder that has one of each."""
    wheels, sdists = sorted(folder.glob("*.whl")), sorted(folder.glob("*.tar.gz"))
    if len(wheels) != 1 or len(sdists) != 1:
        raise Wrong(f"{folder} has {len(wheels)} wheels and {len(sdists)} sdists, not one of each")
    return wheels[0], sdists[0]


def main(folder: str = "dist") -> int:
    """Run all checks, in order."""
    name = "dist"
    try:
        wheel, sdist = found_in(Path(folder).resolve())
        with tempfile.TemporaryDirectory(prefix="check dist ") as work:
            for name, check in CHECKS.items():
                print(f"{name}: {check(Built(wheel, sdist, Path(work).resolve()))}", flush=True)
    except Wrong as wrong:
        print(f"{name}: FAILED: {wrong}", flush=True)
        return 1
    print(f"{wheel.name} and {sdist.name} passed {len(CHECKS)} checks")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
