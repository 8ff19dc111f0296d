"""Property tests of gradients, random programs, and what pytest prints of a wrong one."""

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

import autograd_core as ac
from autograd_core.testing import GradientError, check_gradients, gradient_test, strategies
from autograd_core.testing.programs import OPERATIONS, programs
from autograd_core.testing.strategies import arrays, away_from, between, operands, tensors

pytest_plugins = ["pytester"]


@gradient_test(x=between(-3, 3), scale=between(0.5, 2))
def test_a_function_becomes_a_test(x, scale):
    return ac.sigmoid(x) * scale


@gradient_test(x=away_from(0, distance=0.3), axis=st.sampled_from([None, -1]), order=1)
def test_settings_are_drawn_as_well(x, axis):
    return ac.sum(abs(x), axis if x.ndim else None)


test_an_operation_becomes_a_test = gradient_test(x=between(-1, 1), y=between(1, 2))(ac.arctan2)


def test_a_wrong_function_fails_and_shrinks():
    @settings(database=None, derandomize=True, max_examples=60)
    @gradient_test(x=between(-3, 3))
    def wrong(x):
        return ac.sin(x) + (x.detach() if x.ndim == 2 else x)

    with pytest.raises(GradientError, match=r"of wrong .*element \(0, 0\).*differences") as caught:
        wrong()
    assert ".reshape((1, 1))" in str(caught.value)


@given(data=st.data())
def test_what_strategies_promise(data):
    x = data.draw(arrays(away_from(0, 1, distance=0.25), dtype=st.sampled_from(["f4", "f8"])))
    assert (abs(x) >= 0.25).all()
    assert (abs(x - 1) >= 0.2499).all()
    both = data.draw(operands(between(1, 2), between(3, 4)))
    assert np.add(*both).ndim == max(x.ndim for x in both)
    t = data.draw(tensors(shape=(2, 3), dtype="c8"))
    assert t.requires_grad
    assert (t.shape, t.dtype) == ((2, 3), np.complex64)
    axis = data.draw(strategies.any_axis(x.shape))
    np.sum(x, axis=axis)
    x[data.draw(strategies.indices(x.shape))]


def test_an_empty_domain_is_refused():
    with pytest.raises(ValueError, match="no number in"):
        away_from(0, distance=5)


# ---- random programs -----------------------------------------------------------------------------


@given(program=programs())
def test_a_program_is_differentiated(program):
    inputs = program.inputs()
    np.testing.assert_allclose(program(*inputs, xp=np), program(*inputs), rtol=1e-12)
    check_gradients(program, *inputs, order=1)


def test_programs_reach_every_step_and_shrink():
    quick = settings(phases=[Phase.generate, Phase.shrink], database=None, derandomize=True,
                     max_examples=2000, suppress_health_check=list(HealthCheck))  # fmt: skip
    for name in list(OPERATIONS)[::6]:
        found = find(programs(), lambda p, n=name: any(s[0] == n for s in p.steps), settings=quick)
        assert [step[0] for step in found.steps] == [name]
        assert found.shapes == ((),)


# ---- what pytest prints --------------------------------------------------------------------------


def test_the_plugin_prints_how_to_see_it_again(pytester):
    pytester.makepyfile(
        """
        import numpy as np
        from autograd_core.testing import check_gradients

        def double(x):
            return 2 * x.detach() + x

        def test_double():
            check_gradients(double, np.ones(2))
        """
    )
    result = pytester.runpytest_subprocess()  # which finds the plugin by itself
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*gradient: to see it again:*", "*check_gradients(double, *args*"])
