"""Every NumPy function that the library calls exists in CuPy, with the parameters it is given.

The names are those of the installed CuPy (`generate_cupy_names.py`); this test needs no CuPy.
"""

import ast
import functools
import inspect
import re
from pathlib import Path

import numpy as np
import pytest

from tests.fake_cupy.names import NAMES

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "autograd_core" / "ops").rglob("*.py"))
SOURCES += [ROOT / "nn" / "losses.py", *sorted((ROOT / "nn" / "optim").glob("*.py"))]

# What is only called on the host, or about dtypes and settings, with the reason.
ON_THE_HOST = {
    "np.seterr": "quiet contexts are NumPy's; errors have no effect on a device",
    "np.errstate": "has no effect on a device",
    "np.finfo": "about a dtype",
    "np.atleast_1d": "normalises the setting of moveaxis",
    "np.broadcast_to(pad_width": "normalises the setting of pad",
    "np.maximum.accumulate": "the way of cummax for an array of the host",
    "np.fft.fftfreq": "makes a Tensor, which then moves",
    "np.fft.rfftfreq": "as fftfreq",
    "np.insert": "asked where the places of a line of numbers go",
    "np.delete": "asked where the places of a line of numbers go",
}


def handed_on(path):
    """(line, dotted name) of each function np.… that is not called where it stands."""
    tree = ast.parse(path.read_text())
    inner = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    inner |= {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and id(node) not in inner:
            name = ast.unparse(node)
            if re.fullmatch(r"np(\.\w+)+", name) and _is_function(name):
                yield node.lineno, name


def _is_function(name):
    value = functools.reduce(getattr, name.split(".")[1:], np)
    return callable(value) and not isinstance(value, type)


HANDED_ON = [(path.name, *use) for path in SOURCES for use in handed_on(path)]


@pytest.mark.parametrize("use", HANDED_ON, ids=lambda use: f"{use[0]}:{use[1]}:{use[2]}")
def test_cupy_has_what_is_handed_on(use):
    *_, name = use
    if name in ON_THE_HOST:
        return
    assert name.replace("np.", "cupy.", 1) in NAMES, f"CuPy has no {name}"


def calls(path):
    """(line, dotted name, number of positional arguments, keywords) of each call of np.…"""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and re.fullmatch(r"np(\.\w+)+", ast.unparse(node.func)):
            keywords = [keyword.arg for keyword in node.keywords]
            yield node.lineno, ast.unparse(node.func), len(node.args), keywords


CALLS = [(path.name, *call) for path in SOURCES for call in calls(path)]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call[0]}:{call[1]}:{call[2]}")
def test_cupy_has_it_with_these_parameters(call):
    _, _, name, positional, keywords = call
    if name in ON_THE_HOST or name.endswith(".at"):  # ufunc.at: see backend.DIFFERENCES
        return
    full = name.replace("np.", "cupy.", 1)
    assert full in NAMES, f"CuPy has no {full}: use a composition that both have"
    known = NAMES[full]
    if isinstance(known, inspect.Signature):
        known.bind(*[None] * positional, **dict.fromkeys(keywords))
    elif isinstance(known, list):
        assert set(keywords) <= {"out", "dtype", "casting"}


def test_there_is_something_to_check():
    assert len(CALLS) > 60
    assert len(HANDED_ON) > 30
    assert all(hasattr(np, name.split(".")[1]) for _, _, name, *_ in CALLS)
