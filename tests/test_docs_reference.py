"""The reference of the site: every public name is on one of its pages. Sphinx is not needed; `make
docs` builds the site. tests/test_docstrings.py reads the docstrings."""

import inspect
import pkgutil
import re

import pytest

import nn
from autograd_core.scipy import stats
from tools import reference

NAMESPACES = [
    "autograd_core",
    "autograd_core.emath",
    "autograd_core.fft",
    "autograd_core.hips",
    "autograd_core.linalg",
    "autograd_core.random",
    "autograd_core.rendering",
    "autograd_core.scipy.integrate",
    "autograd_core.scipy.linalg",
    "autograd_core.scipy.signal",
    "autograd_core.scipy.special",
    *(f"autograd_core.scipy.stats.{name}" for name in stats.__all__),
    "autograd_core.testing",
    "autograd_core.testing.programs",
    "autograd_core.testing.strategies",
    "autograd_core.transforms",
    "nn",
    "nn.data",
    "nn.distributed",
    "nn.init",
    "nn.optim",
]
SHOWN = re.compile(r"^\.\. (?:auto\w+|py:data|py:function):: (\S+)", re.MULTILINE)
TEXTS = reference.pages()
ON_A_PAGE = [name for text in TEXTS.values() for name in SHOWN.findall(text)]


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_every_public_name_is_on_a_page(namespace):
    shown = set(ON_A_PAGE)
    objects = {id(reference.value_of(name)) for name in shown}
    owner = reference.module(namespace)
    names = reference.names(namespace)
    assert names
    for name in names:
        value = getattr(owner, name)
        if inspect.ismodule(value):
            known = f"{namespace}.{name}" in NAMESPACES
        else:
            known = f"{namespace}.{name}" in shown or id(value) in objects
        assert known, f"{namespace}.{name}: add it to a section in tools/topics.py"


def test_every_name_is_shown_once():
    assert sorted(ON_A_PAGE) == sorted(set(ON_A_PAGE))


def test_everything_on_a_page_has_a_docstring():
    values = ((name, reference.value_of(name)) for name in ON_A_PAGE)
    assert not [name for name, value in values if callable(value) and not inspect.getdoc(value)]


def test_numpys_names_are_listed():
    text = re.sub(r"\s+", " ", TEXTS["numpy"])
    listed = set(re.findall(r"`([\w.]+)(?: <[\w.]+>)?`", text))
    assert set(reference.names("autograd_core.numpy")) <= listed


def test_every_package_of_nn_is_looked_at():
    packages = [f"nn.{found.name}" for found in pkgutil.iter_modules(nn.__path__) if found.ispkg]
    assert set(packages) <= set(NAMESPACES)


def test_every_page_is_in_the_list_of_pages():
    listed = re.findall(r"^   ([\w.]+)$", TEXTS["index"], re.MULTILINE)
    assert sorted(listed) == sorted(TEXTS.keys() - {"index"})


def test_a_docstring_becomes_text_with_links():
    lines = ["f(*args) is |x| of `grad` and `Hardsigmoid`(x), ``a*b``.", "", "    code * x_"]
    first, _, second, _, code = reference.marked_up(lines, reference.link)
    grad = ":py:obj:`grad <autograd_core.grad>`"
    layer = ":py:obj:`Hardsigmoid <nn.Hardsigmoid>`"
    assert first == rf"f(\*args) is \|x\| of {grad} and {layer}\ (x), ``a*b``."
    assert (second, code) == ("::", "    code * x_")


def test_the_code_of_an_example_is_not_escaped():
    lines = ["A *sum*.", "", "Examples", "--------", ">>> x_ * 2", ">>> x", "np.True_"]
    found = reference.marked_up(lines, reference.link)
    assert found == [r"A \*sum\*.", *lines[1:]]
