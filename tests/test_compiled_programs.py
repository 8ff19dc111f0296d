"""Random programs, compiled: the bits of plain calls, also with other inputs than those traced."""

import os

import numpy as np
from hypothesis import given, settings

import autograd_core as ac
from autograd_core.compiling import Compiled
from autograd_core.testing.programs import programs
from tests.test_compiling import bits

COUNT = int(os.environ.get("COMPILED_PROGRAMS", "60"))
WEIGHTS = np.random.default_rng(0).normal(size=(3, 3))


@given(programs())
@settings(max_examples=COUNT, deadline=None)
def test_random_programs_keep_their_bits(program):
    def total(*inputs):
        out = program(*inputs)
        return ac.sum(out * WEIGHTS - out * out) + sum(ac.sum(-x) for x in inputs)

    def product(*inputs):
        return ac.hvp(lambda *free: total(*free, *inputs[1:]))(inputs[0], np.cos(inputs[0]))

    places = tuple(range(len(program.shapes)))
    first, second = program.inputs(), program._replace(seed=program.seed + 1).inputs()
    for plain in (ac.value_and_grad(total, places), product):
        compiled = Compiled(plain)
        for inputs in (first, second, first):
            assert bits(compiled(*inputs)) == bits(plain(*inputs))
        assert not compiled.plain, compiled.plain
