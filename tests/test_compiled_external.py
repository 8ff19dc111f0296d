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


def test_a_decision_repeats_nothing():
    doubled, seen = noting()

    @ac.compile
    def f(x):
        y, _ = doubled(x, "first")
        y = y if (y > 0).all() else -y
        z, _ = doubled(y, "second")
        return z if (z < 100).all() else z + 1

    for x, expected in ((X, 4 * X), (-X, 4 * X), (X * 100, 400 * X + 1), (X, 4 * X)):
        seen.clear()
        np.testing.assert_array_equal(f(x), expected)
        assert [word for word, _ in seen] == ["first", "second"]
    assert not f.plain
    assert len(f.programs) == 3


def test_a_run_that_is_no_program_repeats_nothing():
    doubled, seen = noting()

    @ac.compile
    def f(x):
        y, _ = doubled(x, "first")
        y += 1  # of the copy that a second run gets, too
        if (y > 10).all():
            raise ValueError("too large")
        x.sort()  # of an argument: no program
        z, _ = doubled(y, "second")
        return z

    with pytest.warns(ac.errors.AutogradWarning, match="runs without a program"):
        np.testing.assert_array_equal(f(X.copy()), 2 * (2 * X + 1))
    assert [word for word, _ in seen] == ["first", "second"]
    seen.clear()
    with pytest.raises(ValueError, match="too large"):
        f(X + 10)
    assert [word for word, _ in seen] == ["first"]


def test_another_shape_or_flag_of_what_arrives():
    """The results that a program was made for, and others: sent once."""
    answers = iter([])

    @external
    def received(x):
        return next(answers)

    @ac.compile
    def f(x):
        y, flag = received(x)
        return (y + 1) if flag else y.sum()

    for answer in [(X, True), (X, True), (X[:2], True), (X, False), (X[:2], False), (X, True)]:
        answers = iter([(answer[0].copy(), answer[1])])
        expected = answer[0] + 1 if answer[1] else answer[0].sum()
        np.testing.assert_array_equal(f(X), expected)
    assert not f.plain


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
