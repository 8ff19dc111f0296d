"""The stand-in for CuPy behaves as the real one was recorded to, or is stricter for a reason."""

import copy
import io
import json
import math
import operator
import pickle
import statistics
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from tests.fake_cupy import device as fake
from tests.fake_cupy.names import NAMES
from tools.coverage import VERSIONS

DATA = Path(__file__).parent / "data"


def entries(name):
    """A data file's lines as ``{expression: outcome}``."""
    lines = (DATA / name).read_text().splitlines()
    pairs = [line.split("  =>  ") for line in lines if not line.startswith("#")]
    assert len(dict(pairs)) == len(pairs), f"{name} names an expression twice"
    return dict(pairs)


RECORDED = entries("cupy14_probes.txt")
# expression → (what the stand-in does, why that is not what CuPy was recorded to do)
DIFFERENT = {
    expression: tuple(line.split("  # "))
    for expression, line in entries("cupy14_differences.txt").items()
}


# ---- conformance --------------------------------------------------------------------------------


def names():
    """What a probe may name."""
    n = np.arange(12, dtype=np.float32).reshape(3, 4)
    modules = (copy, io, json, math, operator, pickle, statistics)
    return {module.__name__: module for module in modules} | {
        "np": np,
        "cp": fake,
        "n": n,
        "a": fake.asarray(n),
        "m": fake.asarray(np.array([True, False, True])),
        "i": fake.asarray(np.array([0, 1])),
        "with_errstate_raise": with_errstate_raise,
    }


def with_errstate_raise(function):
    with np.errstate(all="raise"):
        return function()


def described(result):
    if isinstance(result, fake.ndarray | np.ndarray):
        owner = "cupy" if isinstance(result, fake.ndarray) else "numpy"
        return f"{owner}.ndarray {result.shape} {result.dtype}"
    return f"{type(result).__name__} {result}"


def outcome(source):
    """What an expression, or a statement, comes to: a type, shape and dtype, or an exception."""
    np.random.seed(0)  # one shuffle of three rows in six moves none
    statement = any(f" {mark} " in source for mark in ("=", "+=", "@="))
    try:
        if statement:
            return described(exec(source, names()))
        return described(eval(source, names()))
    except Exception as error:  # whatever it is, it is the outcome
        kind = type(error)
        return next(k.__name__ for k in kind.__mro__ if k.__module__ == "builtins")


@pytest.mark.filterwarnings("ignore:you are shuffling")
@pytest.mark.parametrize("probe", RECORDED)
def test_a_probe_of_cupy(probe):
    for name in VERSIONS:
        if f"np.{name}(" in probe and not hasattr(np, name):
            pytest.skip(f"NumPy {np.__version__} has no {name}")
    expected, _ = DIFFERENT.get(probe, (RECORDED[probe], ""))
    has_no_value = " " not in expected  # what a value read from a device would have been is unknown
    actual = outcome(probe)
    assert (actual.split(" ")[0] if has_no_value else actual) == expected


def test_differences_are_still_differences():
    assert len(RECORDED) == 316
    assert set(DIFFERENT) <= set(RECORDED)
    for probe, (does, reason) in DIFFERENT.items():
        assert does != RECORDED[probe], probe
        assert reason, probe


# ---- the list of names --------------------------------------------------------------------------

# Attributes that CuPy's array has and the stand-in's has not, with the reason.
MISSING = {
    "__array_finalize__ __class_getitem__ __delitem__ __module__ __pyx_vtable__": "never of use",
    "__bytes__ __div__ __hex__ __idiv__ __oct__": "left over from Python 2",
    "__cuda_array_interface__ cstruct mdspan": "addresses on a device: there is none",
    "flat reduced_view toDlpack": "another way to what the stand-in has",
    "scatter_max scatter_min": "no counterpart in NumPy",
}


def test_the_array_has_cupys_attributes_and_no_others():
    listed = {path.removeprefix("cupy.ndarray.") for path in NAMES if "cupy.ndarray." in path}
    written = {"__firstlineno__", "__static_attributes__"}  # by Python 3.13, into each class
    has = {name for name in dir(fake.ndarray) if name not in dir(object)} - written
    missing = {name for names in MISSING for name in names.split()} - {"__module__"}
    assert has - listed == {"__weakref__"} & has
    assert listed - has - {"__module__", "__slots__"} == missing


def test_the_stand_in_needs_no_cupy():
    code = "import sys; from tests.fake_cupy import device; print('cupy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=DATA.parent.parent
    )
    assert done.stdout == "False\n", done.stderr


@pytest.mark.oracle
def test_the_list_is_the_installed_cupys():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what CuPy says of its own environment
        cupy = pytest.importorskip("cupy", reason="needs CuPy: pip install -e '.[oracles]'")
        from tests.fake_cupy.generate_names import NAMES as path
        from tests.fake_cupy.generate_names import lines

        if cupy.__version__ != "14.2.0":
            pytest.skip(f"the list is of CuPy 14.2.0; {cupy.__version__} is installed")
        assert path.read_text().splitlines() == list(lines())
