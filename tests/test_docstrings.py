"""The docstrings of public names have numpydoc's form, and those that a newcomer meets have an
example that runs."""

import builtins
import doctest
import inspect
import re

import pytest

import autograd_core as ac
import nn
from autograd_core import functions
from autograd_core.engine.parameters import PARAMETERS
from tools import reference

# pages of the reference of which each entry has an example
WITH_EXAMPLES = ["tensor", "transforms", "compile", "operations", "testing", "rendering"]
WITH_EXAMPLES += [page for page in reference.PAGES if page.partition(".")[0] == "nn"]
ORDER = ("Parameters", "Returns", "Yields", "Raises", "Warns", "See Also", "Notes", "References")
ORDER += ("Examples",)
OWN = ("autograd_core", "nn")


def own_callables():
    """The (page, name) of each function and class of the reference, once, if it is defined here."""
    seen = set()
    for name, page in reference.documented().items():
        value = reference.value_of(name)
        defined = str(getattr(value, "__module__", "")).partition(".")[0] in OWN
        if callable(value) and defined and id(value) not in seen:
            seen.add(id(value))
            yield page, name


CALLABLES = list(own_callables())
NAMES = [name for _, name in CALLABLES]
EXAMPLES = [name for page, name in CALLABLES if page in WITH_EXAMPLES]


def sections(doc):
    """The text of each section of a docstring."""
    parts = re.split(r"^(\w[\w ]*)\n(-{3,})$", doc, flags=re.MULTILINE)
    for title, line in zip(parts[1::3], parts[2::3], strict=True):
        assert len(title) == len(line), title
    return dict(zip(parts[1::3], parts[3::3], strict=True))


def parameters(value):
    try:
        return inspect.signature(value).parameters
    except ValueError:  # a class of exceptions
        return {}


def described(value):
    """The types of the parameters in a docstring, by name: ``x1, x2 : array_like`` are two."""
    text = sections(inspect.getdoc(value)).get("Parameters", "")
    lines = re.findall(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)*) : (.+)$", text, re.MULTILINE)
    return {name.strip("* "): of for names, of in lines for name in names.split(",")}


@pytest.mark.parametrize("name", NAMES)
def test_a_docstring_has_a_summary_and_numpydocs_sections(name):
    doc = inspect.getdoc(reference.value_of(name))
    summary, _, _ = doc.partition("\n\n")
    assert summary.endswith((".", ":"))
    found = sections(doc)
    assert list(found) == sorted(found, key=ORDER.index)
    assert all(text.strip() for text in found.values())


@pytest.mark.parametrize("name", NAMES)
def test_each_parameter_is_described_with_its_default(name):
    value = reference.value_of(name)
    types = described(value)
    expected = parameters(value)
    assert list(types) == list(expected)
    for parameter in expected.values():
        said = types[parameter.name]
        if parameter.default is None:
            assert said.endswith(", optional"), said
        elif isinstance(parameter.default, bool | int | float | str | tuple):
            assert said.endswith(f", default {parameter.default!r}"), said
        elif parameter.default is not parameter.empty:
            assert ", default " in said, said


@pytest.mark.parametrize("name", NAMES)
def test_a_default_is_one_of_the_values_that_are_listed(name):
    """A description of a parameter of the same name in another function would not list it."""
    value = reference.value_of(name)
    types = described(value)
    for parameter in parameters(value).values():
        listed, _, default = types[parameter.name].partition(", default ")
        if default and listed.startswith("{"):
            assert repr(parameter.default) in listed


def test_each_description_in_the_table_is_of_a_parameter():
    """Not of one that was renamed. A key is a parameter, or "function.parameter"."""
    known = set()
    created = {name.partition(".")[2]: reference.value_of(name) for name in NAMES}
    for key, function in {**functions, **created}.items():
        places = key.split(".")
        for name in parameters(function):
            known |= {".".join([*places[:n], name]) for n in range(len(places) + 1)}
    assert not PARAMETERS.keys() - known


@pytest.mark.parametrize("name", NAMES)
def test_a_function_says_what_it_returns(name):
    value = reference.value_of(name)
    annotation = getattr(value, "__annotations__", {}).get("return")
    if not inspect.isclass(value) and annotation not in ("None", None):
        assert {"Returns", "Yields"} & sections(inspect.getdoc(value)).keys()


@pytest.mark.parametrize("name", NAMES)
def test_the_errors_are_public(name):
    text = sections(inspect.getdoc(reference.value_of(name))).get("Raises", "")
    raised = re.findall(r"^(\w.*)$", text, re.MULTILINE)
    assert raised or not text
    for error in ", ".join(raised).split(", "):
        places = (builtins, ac, nn, nn.distributed, ac.testing, ac.rendering)
        found = [getattr(place, error) for place in places if hasattr(place, error)]
        assert not error or issubclass(found[0], Exception)


@pytest.mark.parametrize("name", [name for page, name in CALLABLES if page == "transforms"])
def test_a_transform_says_what_it_raises(name):
    if name != "autograd_core.stop_gradient":  # any tree goes through it
        assert "Raises" in sections(inspect.getdoc(reference.value_of(name)))


@pytest.mark.parametrize("name", EXAMPLES)
def test_there_is_an_example_and_it_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    doc = sections(inspect.getdoc(reference.value_of(name)))["Examples"]
    test = doctest.DocTestParser().get_doctest(doc, {}, name, None, None)
    assert any(example.want for example in test.examples)
    assert doctest.DocTestRunner().run(test).failed == 0
