"""Hessians, jvps and vjps of random programs beside JAX's. Runs where JAX is installed."""

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

import autograd_core as ac
from autograd_core.testing.programs import programs

PROGRAMS = 220
ACCURACY = 1e-10  # of the result's norm


@pytest.fixture(scope="module")
def jax():
    jax = pytest.importorskip("jax", reason="needs JAX: pip install -e '.[oracles]'")
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_platforms", "cpu")
    return jax


def assert_same(found, expected, what, program):
    for one, other in zip(found, expected, strict=True):
        other = np.asarray(other)
        gap, size = np.linalg.norm(one - other), np.linalg.norm(other)
        assert gap <= ACCURACY * max(size, 1e-3), f"{what} of {program}: {gap / size:.1e}"


@pytest.mark.oracle
def test_derivatives_agree_with_those_of_jax(jax):
    compared = []

    @settings(max_examples=PROGRAMS, derandomize=True, database=None, deadline=None,
              phases=[Phase.generate], suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(program=programs(most_steps=7))
    def compare(program):
        inputs = program.inputs()
        rng = np.random.default_rng(program.seed + 1)
        tangents = [np.asarray(rng.uniform(-1, 1, x.shape)) for x in inputs]
        weights = rng.uniform(-1, 1, (3, 3))
        argnums = tuple(range(len(inputs)))

        def theirs(*inputs):
            return program(*inputs, xp=jax.numpy)

        value, pullback = jax.vjp(theirs, *map(jax.numpy.asarray, inputs))
        ours, ours_back = ac.vjp(program, *inputs)
        assert_same([ours], [value], "the value", program)
        assert_same(ours_back(weights), pullback(jax.numpy.asarray(weights)), "vjp", program)
        _, along = jax.jvp(theirs, tuple(map(jax.numpy.asarray, inputs)), tuple(tangents))
        _, ours_along = ac.jvp(program, tuple(inputs), tuple(tangents))
        assert_same([ours_along], [along], "jvp", program)
        full = jax.hessian(lambda *x: (weights * theirs(*x)).sum(), argnums)(*inputs)
        ours_full = ac.hessian(lambda *x: ac.sum(weights * program(*x)), argnums)(*inputs)
        for row, expected in zip(ours_full, full, strict=True):
            assert_same(row, expected, "the Hessian", program)
        compared.append(program)

    compare()
    assert len(compared) >= 200
