"""Calls of compiled functions: results, errors, threads, and what is left behind."""

import threading

import numpy as np
import pytest

import autograd_core as ac
from autograd_core.compiling import Compiled
from autograd_core.compiling.arrays import TraceArray
from tests.test_compiling import X, bits


def test_an_error_of_the_program_is_that_of_the_function():
    compiled = Compiled(lambda x: ac.linalg.inv(ac.Tensor(x)) if x.ndim else x)
    compiled(np.eye(3))
    with pytest.raises(ac.LinAlgError, match="Singular"):
        compiled(np.zeros((3, 3)))


def test_threads_share_a_compiled_function():
    def f(x):
        for _ in range(20):
            x = np.sin(x) + np.cos(x) * 0.5
        return x

    compiled = Compiled(f)
    compiled(np.zeros(1000))
    inputs = [np.full(1000, float(i)) for i in range(8)]
    found = [None] * 8

    def work(i):
        for _ in range(50):
            found[i] = compiled(inputs[i])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bits(found) == bits([f(x) for x in inputs])


def test_a_traced_array_acts_as_an_array_after_its_trace():
    leaked = []

    def f(x):
        leaked[:] = [x * 2]
        return x

    compiled = Compiled(f)
    for _ in range(3):
        compiled(X)
    assert not any(isinstance(value, TraceArray) for value in leaked)
