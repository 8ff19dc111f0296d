"""Functions with outside effects in a compiled function, such as messages to other processes."""

import numpy as np
import pytest

import autograd_core as ac
from autograd_core.engine.external import external, refuse_tracing

X = np.linspace(0.5, 2, 5)


def noting():
    """An external function, and the list of what it was called with."""
    seen = []

    @external
    def doubled(x, word):
        assert type(x) is np.ndarray
        seen.append((word, x.tolist()))
        return 2 * x, word

    return doubled, seen


def test_each_call_is_one_call_of_the_program_in_order():
    doubled, seen = noting()

    @ac.compile
    def f(x):
        y, _ = doubled(x + 1, "first")
        doubled(y, "unused")
        z, _ = doubled(x + 1, "first")  # an equal one
        return y + z

    for i in range(3):
        seen.clear()
        np.testing.assert_array_equal(f(X + i), 4 * (X + i + 1))
        assert [word for word, _ in seen] == ["first", "unused", "first"]
    assert len(f.programs) == 1
    assert not f.plain
    assert f.source.count("doubled") >= 3


def test_a_decision_of_something_else_comes_first():
    doubled, seen = noting()

    @ac.compile
    def f(x):
        y, _ = doubled(x, "sent")
        return y if (x > 0).all() else -y

    f(X)
    seen.clear()
    np.testing.assert_array_equal(f(X * 2), X * 4)
    np.testing.assert_array_equal(f(-X), X * 2)  # another program: sent once, not twice
    assert [word for word, _ in seen] == ["sent", "sent"]
    assert len(f.programs) == 2


def test_a_decision_of_what_arrived_makes_no_program():
    doubled, seen = noting()

    @ac.compile
    def f(x):
        y, _ = doubled(x, "sent")
        return y if (y > 0).all() else -y

    with pytest.warns(ac.errors.AutogradWarning, match="after an exchange"):
        f(X)
    seen.clear()
    np.testing.assert_array_equal(f(-X), X * 2)
    assert len(seen) == 1


def test_what_cannot_be_traced_makes_no_program():
    @ac.compile
    def f(x):
        refuse_tracing("it waits for others")
        return x + 1

    with pytest.warns(ac.errors.AutogradWarning, match="it waits for others"):
        f(X)
    np.testing.assert_array_equal(f(X), X + 1)
    refuse_tracing("nothing is traced")


def test_a_compiled_function_inside_runs():
    inner = ac.compile(lambda x: x * 3)

    @external
    def tripled(x):
        return inner(x)

    f = ac.compile(lambda x: tripled(x) + 1)
    for _ in range(2):
        np.testing.assert_array_equal(f(X), X * 3 + 1)
    assert not f.plain
