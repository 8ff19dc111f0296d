"""What a record keeps, and when it dies."""

import gc
import sys
import tracemalloc
import weakref

import numpy as np
import pytest

import autograd_core as ac
from tests.host import assert_equal
from tests.leaves import leaf

pytestmark = pytest.mark.usefixtures("there")


@pytest.fixture
def no_collector():
    """Whatever dies in such a test dies by reference counting alone."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def resident_megabytes():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096 / 1e6


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_chain_of_a_million_operations(no_collector, there):
    assert sys.getrecursionlimit() <= 1000
    x = leaf([1.0])
    length = 1_000_000 if there.home == "cpu" else 30_000  # the stand-in's arithmetic is slow
    for create_graph in (False, True):
        # the first round lets the allocator grow, the second must come back to where it was
        before = resident_megabytes()
        y = x
        for _ in range(length // 4 if not create_graph else length // 20):
            y = ac.negative(y - 0.0) * 1.0 + 0.0
        y.backward(create_graph=create_graph)
        assert_equal(x.grad.data, 1.0)
        x.grad = None
        del y
        assert resident_megabytes() - before < 30


def test_a_chain_is_freed_without_backward(no_collector, there):
    y = x = leaf([1.0])
    first = weakref.ref(x * 1)
    for _ in range(1_000_000 if there.home == "cpu" else 30_000):
        y = y + 1.0
    del y
    assert first() is None


def test_peak_memory_of_a_chain_that_saves_nothing():
    x = leaf(np.zeros(1 << 17))  # 1 MB
    gradient = np.ones_like(x.data)
    tracemalloc.start()
    try:
        y = x
        for _ in range(100):
            y = y + 1
        y.backward(gradient)
        assert tracemalloc.get_traced_memory()[1] < 4e6
    finally:
        tracemalloc.stop()


def test_memory_falls_during_backward(no_collector):
    first = y = ac.tanh(leaf(np.zeros(10)))
    arrays = []
    for _ in range(20):
        y = ac.tanh(y)
        arrays.append(weakref.ref(y.data))
    alive = []
    first.register_hook(lambda g: alive.append(sum(array() is not None for array in arrays)))
    y.backward(np.ones(10))
    assert alive[0] <= 2  # the result, which we hold, and what the pass has in hand


@pytest.mark.parametrize("create_graph", [False, True])
def test_no_reference_ring(no_collector, create_graph):
    x = leaf([1.0, 2.0])
    y = ac.exp(x) * x
    y.retain_grad()
    loss = y.sum()
    loss.backward(create_graph=create_graph)
    watched = [weakref.ref(t) for t in (x, y, loss, x.grad)]
    arrays = [weakref.ref(t.data) for t in (x, y, loss, x.grad)]
    del x, y, loss
    assert [w() for w in watched] == [None] * 4
    assert [a() for a in arrays] == [None] * 4


def test_frozen_operands_partner_is_not_saved():
    x, frozen = leaf(np.ones(3)), ac.Tensor(np.full(3, 2.0))
    ((parent, rule, saved),) = (x * frozen).node.edges()
    assert parent is x.node
    assert rule.names == ("y",)
    assert saved == (frozen.data,)
    kept = weakref.ref(x.data)
    y = x * frozen
    del x
    parent = None
    assert kept() is None
    assert y.requires_grad
