"""What is distributed: the files of the wheel and the sdist, what the packages do in other places,
and the documents that come with them. `make dist` checks the rest."""

import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import autograd_core as ac
from tests import support
from tools import check_dist

ROOT = Path(__file__).parent.parent
SOURCES = [path for name in check_dist.PACKAGES for path in sorted((ROOT / name).rglob("*.py"))]
BUILT_FROM = check_dist.BESIDE - {"PKG-INFO"}
BUILD = "import sys; from hatchling import build; build.build_{kind}(sys.argv[1])"


def python(code, *arguments, path=(), cwd=ROOT, warnings="error"):
    """Run code with `path` in front of what is installed."""
    places = [*map(str, path), *filter(None, [os.environ.get("PYTHONPATH")])]
    settings = {"PYTHONPATH": os.pathsep.join(places)}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [sys.executable, "-W", warnings, "-c", code, *map(str, arguments)],
        capture_output=True, text=True, cwd=cwd, env=kept | settings, check=False,
    )  # fmt: skip


def writable(paths):
    for path in paths:
        path.chmod(path.stat().st_mode | 0o200)


def build(kind, folder, out):
    """The wheel or the sdist of a folder, built with the hatchling of this environment."""
    done = python(BUILD.format(kind=kind), out, cwd=folder, warnings="default")
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = out.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return made


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The sdist of a copy of the checkout, and the wheel of the sdist."""
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("building needs hatchling in this environment")
    work = tmp_path_factory.mktemp("built in a path with spaces ")
    copy, sdists, wheels = (work / name for name in ("copy", "sdists", "wheels"))
    for path in (copy, sdists, wheels):
        path.mkdir()
    for name in check_dist.PACKAGES:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in BUILT_FROM:
        shutil.copy(ROOT / name, copy)
    (copy / "tests").mkdir()
    shutil.copy(__file__, copy / "tests")
    writable([copy, *copy.rglob("*")])  # where the checkout is not
    sdist = build("sdist", copy, sdists)
    wheel = build("wheel", check_dist.unpacked(sdist, work / "unpacked"), wheels)
    return check_dist.Built(wheel, sdist, work)


@pytest.fixture
def installed(built, tmp_path):
    """The packages of the wheel in a folder whose name has spaces, which cannot be written to."""
    home = tmp_path / "a folder with spaces"
    with zipfile.ZipFile(built.wheel) as archive:
        archive.extractall(home)
    paths = [home, *home.rglob("*")]
    for path in paths:
        path.chmod(path.stat().st_mode & ~0o222)
    yield home
    writable(paths)


def test_the_wheel_and_the_sdist_have_the_files_of_the_packages(built):
    assert check_dist.check_wheel_files(built).endswith("5 of metadata")
    assert "SECURITY.md" in check_dist.check_sdist_files(built)


def test_building_writes_nothing_to_the_checkout(built):
    copy = built.work / "copy"
    files = {str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file()}
    assert files == check_dist.source_files() | BUILT_FROM | {f"tests/{Path(__file__).name}"}


def test_what_is_missing_or_too_much_is_named():
    with pytest.raises(check_dist.Wrong, match="the wheel lacks b, c"):
        check_dist.compared("wheel", ["a"], {"a", "b", "c"})
    with pytest.raises(check_dist.Wrong, match=r"the wheel should not have tests/x\.py"):
        check_dist.compared("wheel", ["a", "tests/x.py"], {"a"})


def test_a_check_that_fails_says_why(tmp_path, capsys):
    assert check_dist.main(str(tmp_path)) == 1
    assert "has 0 wheels and 0 sdists, not one of each" in capsys.readouterr().out
    with pytest.raises(check_dist.Wrong, match=r"exit status 3 of .*\n.*told"):
        check_dist.run(sys.executable, "-c", "print('told'); raise SystemExit(3)", cwd=tmp_path)


USED = """
import autograd_core as ac, nn, numpy as np
from autograd_core.rendering import draw
model = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
slope = ac.compile(ac.grad(lambda x: ac.sum(ac.tanh(x))))
slope(np.ones(3)), slope(np.ones(3))
draw(model(ac.ones((1, 2))), model=model).save("page.html")
print(ac.__version__, ac.__file__, nn.__file__, sep="|")
"""
IMPORTED = """
import autograd_core as ac, nn
print(ac.__version__, ac.__file__, nn.__file__, sep="|")
"""


def test_a_folder_with_spaces_that_cannot_be_written_to(installed, tmp_path):
    """As root it can be; so nothing may be written to it except byte code."""
    before = {path for path in installed.rglob("*") if "__pycache__" not in path.parts}
    done = python(USED, path=[installed], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("|")[1] == str(installed / "autograd_core" / "__init__.py")
    after = {path for path in installed.rglob("*") if "__pycache__" not in path.parts}
    assert after == before
    assert (tmp_path / "page.html").exists()


def test_two_versions_side_by_side(installed, tmp_path):
    """Each process has the one that its path names, whole."""
    other = tmp_path / "other"
    shutil.copytree(installed, other)
    module = other / "autograd_core" / "__init__.py"
    writable([other, *other.rglob("*")])
    module.write_text(module.read_text().replace(ac.__version__, "9.8.7"))
    for path, expected in (([installed, other], ac.__version__), ([other, installed], "9.8.7")):
        done = python(IMPORTED, path=path, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        found, *files = done.stdout.strip().split("|")
        assert found == expected
        assert all(Path(file).is_relative_to(path[0]) for file in files)


@pytest.mark.parametrize("package", ["autograd_core", "nn", "autograd_core.numpy"])
def test_an_old_numpy_is_named(package):
    code = f"import numpy; numpy.__version__ = '1.26.4'; import {package}"
    done = python(code)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert re.match("ImportError: .* needs NumPy 2.0 or newer, and found NumPy 1.26.4 in ", last)


@pytest.mark.parametrize("found", ["2.0.0rc1", "10.0.0"])
def test_a_newer_numpy_is_not_refused(found):
    done = python(f"import numpy; numpy.__version__ = {found!r}; import autograd_core.errors")
    assert done.returncode == 0, done.stderr


UNSAFE = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "yaml"}


def unpickling(node):
    """Whether a node imports what unpickles, or is a call that may unpickle or evaluates a text."""
    if isinstance(node, ast.Import):
        return any(alias.name.split(".")[0] in UNSAFE for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        return node.module.split(".")[0] in UNSAFE
    if not isinstance(node, ast.Call):
        return False
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    if name == "load" and ast.unparse(node.func) == "np.load":
        settings = {word.arg: ast.unparse(word.value) for word in node.keywords}
        return settings.get("allow_pickle") != "False"
    return name == "read_array" or (name == "eval" and isinstance(node.func, ast.Name))


def test_nothing_unpickles():
    """What SECURITY.md says of the files that are read."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not unpickling(node), f"{path}, line {node.lineno}"


@pytest.mark.parametrize(
    "text", ["import pickle", "from joblib import load", "np.load(f)", "eval(text)"]
)
def test_what_unpickles_is_found(text):
    assert any(unpickling(node) for node in ast.walk(ast.parse(text)))


def test_the_files_that_security_names_exist():
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:tests|nn)/\w+\.py)`", text)
    assert len(named) >= 6
    assert all((ROOT / name).exists() for name in named)
    functions = re.findall(r"`nn\.(\w+)`", text)
    assert all(hasattr(importlib.import_module("nn"), name) for name in functions)


def test_the_citation_is_of_this_version():
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    fields = dict(re.findall(r"^([\w-]+): *(.*)$", text, re.MULTILINE))
    assert {"cff-version", "message", "title", "authors"} <= fields.keys()
    assert (fields["version"], fields["license"]) == (ac.__version__, "MIT")
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")


def test_the_citation_is_yaml():
    yaml = pytest.importorskip("yaml", reason="reading CITATION.cff as YAML needs PyYAML")
    found = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert found["authors"] == [{"name": "The autograd-core authors"}]
    assert found["version"] == ac.__version__


MEASURED = support.Measured("3.11.7", "2.0.2", "1.13.1", "12,345", "67", "2026-01-31")


def test_the_page_of_supported_versions():
    text = support.PATH.read_text(encoding="utf-8")
    assert text == support.page(support.figures_in(text)), "run: make generated"
    assert "| NumPy | 2.0 |" in text


def test_new_figures_replace_those_of_their_pair(tmp_path):
    page = tmp_path / "support.md"
    support.write({"oldest": MEASURED}, page)
    assert "| oldest | 3.11.7 | 2.0.2 | 1.13.1 | 12,345 | 67 | 2026-01-31 |\n" in page.read_text()
    assert f"| newest | {support.EMPTY} |" in page.read_text()
    support.write({"newest": MEASURED}, page)
    assert support.figures_in(page.read_text()) == {"oldest": MEASURED, "newest": MEASURED}


def test_the_figures_are_those_of_the_report(tmp_path):
    report = tmp_path / "report.xml"
    report.write_text(
        '<testsuites><testsuite name="pytest" errors="1" failures="2" skipped="30" tests="2000"/>'
        "</testsuites>"
    )
    assert support.counted(report) == ("1,967", "30")
