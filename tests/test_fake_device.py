"""The stand-in for CuPy: what it counts, what it refuses, memory, streams and fusion."""

import gc
import io
import operator
import pickle
import weakref

import numpy as np
import pytest

from tests.fake_cupy import device as fake


@pytest.fixture
def a():
    return fake.asarray(np.arange(12, dtype=np.float32).reshape(3, 4))


READS = [
    lambda a: float(a[0, 0]),
    lambda a: int(a[0, 0]),
    lambda a: bool(a[0, 0]),
    lambda a: complex(a[0, 0]),
    lambda a: a[0, 0].item(),
    lambda a: a.tolist(),
    repr,
    str,
    lambda a: f"{a[0, 0]:.3f}",
    lambda a: a[a > 5],
    lambda a: operator.setitem(a, a > 5, 0),
    lambda a: np.where(a > 5),
    lambda a: np.nonzero(a),
    lambda a: np.unique(a),
    lambda a: fake.cuda.get_current_stream().synchronize(),
    lambda a: a.device.synchronize(),
    lambda a: fake.cuda.Stream().record().synchronize(),
]


@pytest.mark.parametrize("read", READS)
def test_a_wait_is_counted(a, read):
    with fake.counting() as counts:
        read(a)
    assert counts.waits == 1


def test_transfers_are_counted(a):
    with fake.counting() as counts:
        host = a.get()
        fake.asnumpy(a)
        pickle.dumps(a)
        np.save(io.BytesIO(), a)
    assert (counts.transfers_out, counts.transfers_in, counts.waits) == (4, 0, 0)
    with fake.counting() as counts:
        fake.asarray(host)
        fake.array([1.0])
        a.set(host)
        a[[0, 1]]
    assert (counts.transfers_out, counts.transfers_in, counts.waits) == (0, 4, 0)


def test_views_start_nothing_and_calls_that_compute_one_launch(a):
    with fake.counting() as counts:
        views = [a.T, a[0, 0], a[1:], a.reshape(4, 3), np.broadcast_to(a, (2, 3, 4)), a.real]
        views += [np.swapaxes(a, 0, 1), a.ravel(), np.expand_dims(a, 0), *a, fake.asarray(a)]
    assert counts.launches == 0
    assert all(view is a or view.base is a for view in views)
    calls = [lambda: a + 1, lambda: a @ a.T, lambda: a.sum(), lambda: np.copyto(a, 0),
             lambda: operator.iadd(a, 1), lambda: np.add(a, a, out=a), lambda: a.T.ravel(),
             lambda: a.fill(1), lambda: np.concatenate([a, a]), lambda: fake.zeros(3)]  # fmt: skip
    for number, call in enumerate(calls, start=1):
        with fake.counting() as counts:
            call()
        assert counts.launches == 1, number


def test_counters_add_up_until_they_are_reset(a):
    fake.counters.reset()
    a + 1
    with fake.counting() as counts:
        a + 1
    assert (fake.counters.launches, counts.launches) == (2, 1)
    fake.counters.reset()
    assert repr(fake.counters) == "launches=0, waits=0, transfers_in=0, transfers_out=0"


def test_the_data_is_out_of_reach(a):
    assert not hasattr(a, "_host")
    assert not hasattr(a, "__dict__")
    for reach in (memoryview, np.asarray, vars, operator.index):
        with pytest.raises((TypeError, AttributeError)):
            reach(a)


@pytest.mark.parametrize("beside", [np.ones(4), np.array(1.0), [1, 2, 3, 4], None, "x"])
def test_nothing_of_the_host_beside_an_array(a, beside):
    for mix in (
        lambda: a + beside,
        lambda: fake.add(a, beside),
        lambda: fake.multiply(a, a, beside) if beside is not None else a + None,
        lambda: fake.where(a > 0, a, beside),
        lambda: fake.concatenate([a, beside]),
        lambda: fake.stack([a, beside]),
        lambda: fake.matmul(a, beside),
        lambda: a.dot(beside),
        lambda: a.sum(axis=0, out=beside) if beside is not None else a.dot(None),
        lambda: np.where(a > 0, a, beside),
    ):
        with pytest.raises((TypeError, ValueError)):
            mix()


def test_an_element_is_assigned_once_and_from_elsewhere(a):
    twice = fake.asarray([1, 1])
    with pytest.raises(IndexError, match="assigned twice"):
        a[twice] = fake.ones((2, 4))
    with pytest.raises(IndexError, match="assigned twice"):
        fake.put_along_axis(a, fake.zeros((3, 2), int), fake.ones((3, 2)), 1)
    a[twice] = 0.0  # whichever comes last, it is the same
    with pytest.raises(RuntimeError, match="same memory"):
        a[1:] = a[:-1]
    a[0] += 1
    a[1] = a[0].copy()
    np.testing.assert_array_equal(a.get()[:2], [[1, 2, 3, 4], [1, 2, 3, 4]])


def test_two_devices_do_not_mix(a):
    with fake.cuda.Device(1):
        b = fake.ones((3, 4), "f4")
        moved = a.copy()
        assert (b + moved).device.id == 1
        with pytest.raises(ValueError, match="device"):
            a + 1
    assert (a.device.id, b.device.id, moved.device.id) == (0, 1, 1)
    assert fake.cuda.runtime.getDeviceCount() == 2
    for mix in (lambda: a + b, lambda: fake.concatenate([a, b]), lambda: a @ b.T,
                lambda: operator.setitem(a, 0, b[0])):  # fmt: skip
        with pytest.raises(ValueError, match="device"):
            mix()
    assert b.T.device.id == 1, "a view needs no kernel"
    with pytest.raises(fake.cuda.runtime.CUDARuntimeError), fake.cuda.Device(2):
        pass
    assert fake.cuda.Device().id == 0


def test_strides_are_drawn(a):
    fake.shuffle_strides(3)
    seen = {(a + 1).flags.c_contiguous for _ in range(20)}
    assert seen == {True, False}
    assert fake.zeros((3, 4)).flags.c_contiguous
    fake.shuffle_strides(None)
    assert all((a + 1).flags.c_contiguous for _ in range(20))
    fake.shuffle_strides(0)


@pytest.mark.parametrize("name", ["block", "insert", "vecdot", "geomspace", "frompyfunc", "gamma"])
def test_a_name_that_cupy_lacks(name):
    with pytest.raises(AttributeError):
        getattr(fake, name)


def test_special_functions_are_found_through_numpys_protocol(a):
    special = pytest.importorskip("scipy.special", reason="SciPy is in the oracles extra")
    np.testing.assert_allclose(special.erf(a).get(), special.erf(a.get()))
    with pytest.raises(TypeError):
        special.airy(a)


def test_a_ufunc_has_cupys_loops():
    assert fake.exp.types == ["e->e", "f->f", "d->d", "F->F", "D->D"]
    with pytest.raises(TypeError):
        np.sign(fake.asarray([True]))
    with pytest.raises(TypeError):
        np.floor(fake.asarray([1j]))
    assert fake.floor(fake.asarray(np.ones(2, "i4"))).dtype == np.int32


def test_a_base_is_the_root_and_can_be_held_weakly(a):
    row = a[1:][0]
    assert (row.base is a, a.base) == (True, None)
    seen = weakref.ref(a)
    del a
    assert seen() is not None, "the view keeps it alive"


def test_dlpack_shares_memory_between_arrays_of_a_device(a):
    class Holder:
        def __dlpack_device__(self):
            return a.__dlpack_device__()

        def __dlpack__(self, **settings):
            return a.__dlpack__(**settings)

    for source in (a, Holder()):
        shared = fake.from_dlpack(source)
        shared += 1
        assert shared.base is a
    assert float(a[0, 0]) == 2


# ---- memory, streams, fusion --------------------------------------------------------------------


def test_memory_comes_back_and_can_run_out(a):
    pool = fake.get_default_memory_pool()
    gc.collect()
    before = pool.used_bytes()
    b = fake.ones(1000)
    assert pool.used_bytes() == before + 8192
    view = b[::2]
    del b
    assert pool.used_bytes() == before + 8192, "the view keeps it alive"
    del view
    assert pool.used_bytes() == before
    assert pool.total_bytes() >= before + 8192
    pool.free_all_blocks()
    assert pool.total_bytes() == before
    with (
        fake.limit_memory(before + 1000),
        pytest.raises(fake.cuda.memory.OutOfMemoryError, match=r"allocating 4,096 bytes"),
    ):
        fake.ones(512)
    fake.ones(512)


def test_copies_on_a_second_stream():
    host = np.arange(3.0)
    pinned = np.frombuffer(fake.cuda.alloc_pinned_memory(host.nbytes), host.dtype, host.size)
    pinned[...] = host
    stream, target = fake.cuda.Stream(non_blocking=True), fake.empty(3)
    with stream:
        assert fake.cuda.get_current_stream() is stream
        target.set(pinned, stream=stream)
        event = stream.record()
    with fake.counting() as counts:
        fake.cuda.get_current_stream().wait_event(event)
    assert counts.waits == 0
    assert fake.cuda.get_current_stream() is fake.cuda.Stream.null
    np.testing.assert_array_equal(target.get(), host)
    assert fake.cupyx.zeros_pinned((2, 3), np.float32).shape == (2, 3)


def test_a_fused_chain_is_one_launch(a):
    @fake.fuse(kernel_name="chain")
    def chain(x):
        return np.exp(-x) * 2 + fake.where(x > 1, x, 0)

    with fake.counting() as counts:
        result = chain(a)
    assert counts.launches == 1
    np.testing.assert_array_equal(result.get(), chain.__wrapped__(a).get())
    for refused in (lambda x: x @ x.T, lambda x: x.reshape(-1) + 0, lambda x: x[0] + 1):
        with pytest.raises(NotImplementedError, match="cannot be fused"):
            fake.fuse(refused)(a)
    with pytest.raises(TypeError, match="fused function"):
        fake.fuse(lambda x: x * float(x[0, 0]) if bool(x) else x)(fake.ones(()))


def test_a_kernel_of_one_expression_is_one_launch(a):
    kernel = fake.ElementwiseKernel(
        "T x, T y", "T result", "result = select(x > T(1), exp(x), y)", "chain", preamble="…"
    )
    with fake.counting() as counts:
        result = kernel(a, 2)
        kernel(a, a, result)
    assert counts.launches == 2
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result.get(), np.where(a.get() > 1, np.exp(a.get()), a.get()))
    for wrong in (
        lambda: kernel(a, a.astype("f8")),
        lambda: kernel(a, np.ones((3, 4), "f4")),
        lambda: kernel(a),
        lambda: kernel(1, 2),
    ):
        with pytest.raises(TypeError):
            wrong()
    with pytest.raises(NotImplementedError):
        fake.ElementwiseKernel("T x", "T y", "y = x > 0 ? x : 0")
