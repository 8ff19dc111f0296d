"""Docstrings of families of classes."""

import inspect

import pytest

import nn
from nn.describing import like


class Base:
    """A base.

    Parameters
    ----------
    size : int
        How many.
    name : str, default 'a'
        Which.

    Raises
    ------
    ValueError
        If `size` is negative.
    """

    def __init__(self, size, name="a"):
        self.size, self.name = size, name


def test_a_class_has_the_sections_of_its_base_that_it_lacks():
    @like(Base)
    class Derived(Base):
        """A derived class.

        Examples
        --------
        >>> 1 + 1
        2
        """

    doc = inspect.getdoc(Base).replace("A base.", "A derived class.")
    assert Derived.__doc__ == f"{doc}\n\nExamples\n--------\n>>> 1 + 1\n2"


def test_the_parameters_are_those_of_the_class_in_the_order_of_its_signature():
    @like(Base)
    class Derived(Base):
        """A derived class.

        Parameters
        ----------
        more : float
            Another one.

        Raises
        ------
        TypeError
            Always.
        """

        def __init__(self, more, size):
            super().__init__(size)

    text = "more : float\n    Another one.\nsize : int\n    How many."
    assert f"Parameters\n----------\n{text}\n\nRaises\n------\nTypeError" in Derived.__doc__
    assert "ValueError" not in Derived.__doc__


@pytest.mark.parametrize("base", [Base, type("Bare", (), {})])
def test_without_docstrings_nothing_happens(base):
    class Bare:
        pass

    assert like(base)(Bare) is Bare
    assert Bare.__doc__ is None


def test_the_layers_of_a_family_describe_the_same_parameters():
    texts = [inspect.getdoc(kind) for kind in (nn.Conv1d, nn.Conv2d, nn.Conv3d)]
    first, *others = (text.partition("Parameters")[2].partition("Examples")[0] for text in texts)
    assert first
    assert all(text == first for text in others)
