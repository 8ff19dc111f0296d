"""The frame of the house: where imports point, what importing costs, what is public."""

import ast
import functools
import graphlib
import importlib
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core import functions, ops
from autograd_core.errors.alternatives import INSTEAD
from autograd_core.interface import array_api, creation
from autograd_core.interface.protocols import ALIASES, operation_of
from autograd_core.scipy import integrate, linalg, signal, special
from tools import coverage, stub

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "autograd_core").rglob("*.py")) + sorted((ROOT / "nn").rglob("*.py"))


def ladder():
    """The layers, as CONTRIBUTING lists them: each may import from those before it, and from its
    own."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    layers = text.split("reads\nthis list:")[1].split("```")[1]
    return [[name.strip() for name in layer.split(",")] for layer in layers.split("→")]


RANK = {name: rank for rank, layer in enumerate(ladder()) for name in layer}


def layer_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    if parts[0] != "autograd_core":
        return parts[0]
    return "autograd_core" if parts[1] == "__init__" else parts[1]


def imported(path):
    """The modules that a file imports, for types too."""
    for statement in ast.walk(ast.parse(path.read_text())):
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            yield statement.module
            yield from (f"{statement.module}.{alias.name}" for alias in statement.names)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path):
    for module in imported(path):
        parts = module.split(".")
        if parts[0] == "nn":
            assert layer_of(path) == "nn"
        elif parts[0] == "autograd_core" and len(parts) > 1 and parts[1] in RANK:
            assert RANK[parts[1]] <= RANK[layer_of(path)], f"{path} imports {module}"


def module_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_no_imports_in_a_circle():
    """Among modules, and among packages. (A package that a module lies in is left out: a sibling is
    imported from it, or the whole library as its user does.)"""
    modules = {module_of(path): path for path in SOURCES}
    imports = {
        name: {m for m in imported(path) if m in modules and not f"{name}.".startswith(f"{m}.")}
        for name, path in modules.items()
    }
    packages = {}
    for name, others in imports.items():
        first, *rest = (".".join(module.split(".")[:2]) for module in (name, *others))
        packages.setdefault(first, set()).update(other for other in rest if other != first)
    for graph in (imports, packages):
        graphlib.TopologicalSorter(graph).prepare()  # raises CycleError


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_backend_names_cupy(path):
    names = [
        name
        for node in ast.walk(ast.parse(path.read_text()))
        for name in ([node.id] if isinstance(node, ast.Name) else [])
    ]
    names += [module for module in imported(path) if module]
    if path.name != "backend.py":
        assert not [name for name in names if name.split(".")[0] in ("cupy", "cupyx", "cp")]


def python(code, **environment):
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=True, cwd=ROOT, env=clean | environment,
    )  # fmt: skip
    return done.stdout.strip()


def test_import_pulls_in_nothing_heavy():
    code = (
        "import sys, numpy; before = set(sys.modules); import autograd_core, nn;"
        "print(sorted({m.split('.')[0] for m in set(sys.modules) - before}))"
    )
    found = set(ast.literal_eval(python(code))) - {"autograd_core", "nn"}
    assert found <= sys.stdlib_module_names, "only the standard library may come along"


@pytest.mark.parametrize(
    "used",
    [
        "ac.linalg.det(x)",
        "np.linalg.det(x)",
        "np.fft.fft(x)",
        "ac.fft.fft(x)",
        "ac.functions['linalg.det'](x)",
        "ac.operations['fft.fft'].function(x)",
        "ac.polyfit(x[0], x[1], 1)",
        "ac.max_pool(x[None, None], 2)",
    ],
)
def test_rare_modules_are_imported_when_they_are_first_used(used):
    code = (
        "import sys, numpy as np, autograd_core as ac; x = ac.Tensor([[1.0, 2], [3, 4]], True);"
        "rare = {f'autograd_core.ops.{module}' for module in ac.ops.LATER.values()};"
        "loaded = lambda: rare & {*sys.modules};"
        f"assert not loaded(), loaded(); assert {used}.requires_grad; assert loaded(); print(1)"
    )
    assert python(code) == "1"


# Measured: 0.38 with NumPy 2.4 and 0.40 with NumPy 2.5 and Python 3.13.
IMPORT_SHARE = 0.5


def import_share(modules):
    """The processor time that importing `modules` takes, in units of NumPy's import: the least of
    several runs of each, so that other work on the machine does not count. Of the versions of NumPy
    2.0 alone leaves out `inspect`."""
    code = (
        "from time import process_time as now; a = now(); import numpy, inspect; b = now();"
        f"import {modules}; print(b - a, now() - b)"
    )
    python(code)  # writes the byte code
    runs = [python(code, OPENBLAS_NUM_THREADS="1").split() for _ in range(30)]
    numpys, ours = (min(map(float, times)) for times in zip(*runs, strict=True))
    return ours / numpys


def test_import_costs_at_most_half_of_numpys():
    assert import_share("autograd_core") < IMPORT_SHARE


FUNCTION = type(python)


def public(module):
    return [(name, getattr(module, name)) for name in module.__all__]


PUBLIC = public(ac) + public(nn)


@pytest.mark.parametrize(("name", "value"), PUBLIC, ids=[name for name, _ in PUBLIC])
def test_every_public_name_has_a_docstring(name, value):
    if inspect.isclass(value) or callable(value):
        assert (value.__doc__ or "").strip(), name
        for attribute, member in vars(value).items() if inspect.isclass(value) else ():
            if not attribute.startswith("_") and isinstance(member, FUNCTION | property):
                assert inspect.getdoc(member), f"{name}.{attribute}"


def test_every_operation_is_exported():
    for *path, name in (name.split(".") for name in functions):  # linalg.norm is linalg's
        exported = functools.reduce(getattr, path, ac).__all__
        assert (name in exported) != name.startswith("_"), f"add {name!r} to its module's __all__"


BESIDE_NUMPY = {"": ops, "linalg.": ac.linalg, "fft.": ac.fft, "emath.": ac.emath}


@pytest.mark.parametrize("prefix", ["", "fft.", "emath.", "linalg."])
def test_a_public_name_is_numpys_or_declared(prefix):
    theirs = set(dir(coverage.NUMPY_NAMESPACES[prefix])) | coverage.VERSIONS.keys()
    names = {*BESIDE_NUMPY[prefix].__all__, *(() if prefix else ops.LATER)}
    own = {prefix + name for name in names - theirs}
    declared = [name for name in coverage.beyond() if name.rpartition(".")[0] == prefix[:-1]]
    for name in sorted(own - set(declared)):
        pytest.fail(f"NumPy has no {name}: add it to BEYOND_NUMPY in its module")
    assert sorted(own) == sorted(declared)


def test_creation_and_plain_answers_have_numpys_names():
    for module in (creation, array_api):
        names = {name for name in module.__all__ if not name.startswith("__")}  # the standard's
        assert names <= set(dir(np)) | coverage.VERSIONS.keys()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (special, "scipy.special"),
        (signal, "scipy.signal"),
        (linalg, "scipy.linalg"),
        (integrate, "scipy.integrate"),
    ],
)
def test_a_public_name_beside_scipy_is_scipys(ours, theirs):
    assert set(ours.__all__) <= set(dir(importlib.import_module(theirs)))


def test_what_completion_shows_is_public():
    parts = set(dir(ac)) - set(ac.__all__) - {"__version__"}
    assert set(ac.__all__) <= set(dir(ac))
    assert all(inspect.ismodule(getattr(ac, name)) for name in parts)
    assert parts <= {"einops", "numpy", "rendering", "scipy", "testing"}


def starred(module):
    """The modules that a module imports all names of."""
    for statement in ast.parse(inspect.getsource(module)).body:
        if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
            yield importlib.import_module(statement.module)


@pytest.mark.parametrize("module", [ac, ops], ids=lambda module: module.__name__)
def test_no_two_modules_give_one_name_two_meanings(module):
    """Else the order of imports would choose one."""
    found = {}
    for source in starred(module):
        for name in source.__all__:
            value = getattr(source, name)
            assert not inspect.ismodule(value), f"{name} of {source.__name__} is a module"
            assert found.setdefault(name, value) is value, f"{name} of {source.__name__}"
            assert getattr(module, name) is value, f"{name} of {source.__name__} is hidden"
    assert len(found) > 250


def test_a_declaration_is_what_the_package_exports():
    for name in ("op", "elementwise", "composed", "not_differentiable"):
        assert getattr(ac, name) is getattr(sys.modules["autograd_core.engine.op"], name)


def test_the_stub_shows_what_is_bound():
    assert stub.PATH.read_text() == stub.stub(), "run: make generated"


def test_every_function_of_numpy_is_spoken_of():
    unknown = [name for name, f in coverage.names() if coverage.kind_of(name, f) == "unknown"]
    assert not unknown, "cover them, declare them, or name an alternative in coverage.py"
    covered = {name for name, f in coverage.names() if coverage.kind_of(name, f) != "use instead"}
    assert not INSTEAD.keys() & covered, "an alternative to what is covered"


def release(version):
    return tuple(int(part) for part in version.split(".")[:2])


def test_the_coverage_table_is_what_is_covered():
    assert coverage.PATH.read_text() == coverage.table(), "run: make generated"


@pytest.mark.parametrize("name", coverage.VERSIONS)
def test_the_versions_of_numpy_that_have_a_function(name):
    """What the table says of versions is true of the installed one."""
    oldest, newest = coverage.VERSIONS[name]
    here = release(np.__version__)
    expected = release(oldest or "0.0") <= here <= release(newest or "99.0")
    assert (name in np.__all__) == expected


@pytest.mark.parametrize("name", ALIASES)
def test_another_name_of_numpys_is_the_same_operation(name):
    if not hasattr(np, name):
        pytest.skip(f"NumPy {np.__version__} has no {name}")
    assert operation_of(getattr(np, name)) is ALIASES[name]


@pytest.mark.parametrize("name", sorted(INSTEAD))
@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning", "ignore::DeprecationWarning")
def test_what_is_not_covered_is_refused_and_says_what_to_use(name):
    """By the function itself, not only in the table. Those that first of all make an array of what
    they are given are refused by the Tensor."""
    function = dict(coverage.names())[name]
    if function is None:
        pytest.skip(f"NumPy {np.__version__} has no {name}")
    x = ac.Tensor(np.eye(3), requires_grad=True)
    said = []
    for operands in [(x,), (x, x), (x, 2), ([x, x],), (x[0],), (x[0], x[0]), (x[0], x[0], x[0])]:
        try:
            function(*operands)
        except ac.AutogradError as error:
            said.append(str(error))
        except Exception:  # not so many operands, or not such
            continue
    assert any(INSTEAD[name] in text or "np.asarray(tensor)" in text for text in said)


def lines_of(path):
    """The lines of a file, but for the sections of docstrings: parameters, results, examples."""
    text = path.read_text()
    sections = re.findall(r'^ *\w[\w ]*\n *-{5,}\n(?:(?! *""")[^\n]*\n)*', text, re.MULTILINE)
    return text.count("\n") - sum(section.count("\n") for section in sections)


def test_no_file_is_longer_than_it_should_be():
    """But for tables of data: the op table, and the functions whose accuracy is measured."""
    folders = ("tests", "benchmarks", "examples", "tools")
    beside = {path for folder in folders for path in (ROOT / folder).rglob("*.py")}
    tables = {*(ROOT / "tests" / "table").rglob("*.py"), ROOT / "tests/accuracy/functions.py"}
    counted = [*SOURCES, *sorted(beside - tables)]
    long = {str(p): n for p in counted if (n := lines_of(p)) > 400}
    assert not long
