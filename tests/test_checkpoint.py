"""A checkpoint runs its function twice: what it keeps, and what it refuses."""

import functools
import warnings

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.errors import GraphError, StaleArrayError


def block(x, w):
    return ac.tanh(ac.sin(x) @ w) + x


def test_a_checkpoint_computes_the_same(device):
    rng = np.random.default_rng(0)
    x, w = (device.array(rng.normal(size=(3, 3))) for _ in range(2))

    def loss(x, w, wrap):
        run = wrap(block)
        return ac.sum(run(run(x, w), w) ** 2)

    for order in (ac.grad, ac.jacobian, lambda f, n: ac.jacobian(ac.grad(f, n), n)):
        same = order(lambda x, w: loss(x, w, lambda f: f), (0, 1))(x, w)
        found = order(lambda x, w: loss(x, w, ac.checkpoint), (0, 1))(x, w)
        for one, other in zip(leaves_of(same), leaves_of(found), strict=True):
            np.testing.assert_allclose(device.numpy(one), device.numpy(other), rtol=1e-12)
    vector = device.array(rng.normal(size=(3, 3)))
    np.testing.assert_allclose(
        *(
            device.numpy(ac.jvp(lambda x, c=c: c(block)(x, w), (x,), (vector,))[1])
            for c in (ac.checkpoint, lambda f: f)
        ),
        rtol=1e-12,
    )
    whole = ac.jacobian(lambda x: ac.checkpoint(block)(x, w))(x)
    np.testing.assert_allclose(
        device.numpy(whole), device.numpy(ac.jacobian(lambda x: block(x, w))(x)), rtol=1e-12
    )


def leaves_of(tree):
    return [
        leaf for entry in tree for leaf in (leaves_of(entry) if type(entry) is tuple else [entry])
    ]


def test_a_checkpoint_keeps_only_its_arguments():
    import tracemalloc

    def long(x):
        for _ in range(50):
            x = ac.tanh(x * 1.01)
        return x

    x = ac.Tensor(np.ones(100_000), requires_grad=True)
    kept = {}
    for wrap in (lambda f: f, ac.checkpoint):
        tracemalloc.start()
        y = wrap(long)(x)
        kept[wrap], _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        x.grad = None
        ac.sum(y).backward()
        kept[wrap] = kept[wrap], x.grad.numpy()
    (plain, expected), (less, found) = kept.values()
    assert less < plain / 20
    np.testing.assert_array_equal(found, expected)


def test_a_checkpoint_reaches_the_parameters_of_a_module():
    model = nn.Sequential(nn.Linear(3, 4), nn.Sigmoid(), nn.Linear(4, 2))
    x = np.ones((5, 3), "f4")
    expected = ac.gradients(ac.sum(model(x)), list(model.parameters()))
    ac.sum(ac.checkpoint(model)(x)).backward()
    for parameter, g in zip(model.parameters(), expected, strict=True):
        np.testing.assert_array_equal(parameter.grad.numpy(), g.numpy())


def test_a_checkpoint_that_changes_is_refused():
    w = [ac.Tensor(1.0, requires_grad=True), ac.Tensor(2.0, requires_grad=True)]
    x = ac.Tensor(1.0, requires_grad=True)
    y = ac.checkpoint(lambda x: x * w.pop())(x)
    with pytest.raises(GraphError, match="run again"):
        y.backward()
    w = ac.Tensor(1.0, requires_grad=True)
    y = ac.checkpoint(lambda x: x * w)(x)
    with ac.no_grad():
        w[...] = 2
    with pytest.raises(StaleArrayError):
        y.backward()


# ---- the second run is compared with the first ---------------------------------------------------


def counting(values):
    calls = iter(values)
    return lambda x: x * next(calls)


CHANGES = {
    "a number": lambda: counting([1.0, 1.0000001]),
    "a sign": lambda: (lambda f: lambda x: ac.where(f(x) > 0, x, -x))(counting([1.0, -1.0])),
    "one element": lambda: (lambda c: lambda x: ac.where(x > next(c), x, 9.0))(iter([0.5, 1.5])),
    "an order": lambda: (lambda c: lambda x: x[next(c)])(iter([[0, 1, 2], [2, 1, 0]])),
    "a shape": lambda: (lambda c: lambda x: x[next(c)])(iter([slice(3), slice(2)])),
    "a dtype": lambda: (lambda c: lambda x: x.astype(next(c)))(iter(["f4", "f8"])),
    "a structure": lambda: (lambda c: lambda x: [x * 2] * next(c))(iter([1, 2])),
    "one result of two": lambda: (lambda f: lambda x: (x * 2, f(x)))(counting([1.0, 2.0])),
    "a result beside": lambda: (lambda c: lambda x: (x * 2, next(c)))(iter([1, 2])),
    "booleans beside": lambda: (lambda f: lambda x: (x * 2, f(x) > 0))(counting([1.0, -1.0])),
    "NaN": lambda: counting([1.0, np.nan]),
    "a number without axes": lambda: (lambda f: lambda x: ac.sum(f(x)))(counting([1.0, 2.0])),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_function_that_is_not_deterministic_is_refused(change, device):
    x = ac.Tensor(device.array([1.0, 2.0, 3.0]), requires_grad=True)
    f = CHANGES[change]()
    y = ac.checkpoint(f)(x)
    first = y[0] if isinstance(y, tuple | list) else y
    with pytest.raises(GraphError, match=r"not deterministic: when.*again.*(result|returned)"):
        ac.sum(first).backward()
    assert x.grad is None


def test_what_the_function_reads_and_was_overwritten_is_noticed():
    x, c, array = ac.Tensor(np.ones(3), requires_grad=True), ac.Tensor(np.ones(3)), np.ones(3)
    for f, write in (
        (lambda x: x * c, lambda: c.__imul__(2.0)),
        (lambda x: x * c, lambda: setattr(c, "data", np.full(3, 7.0))),
        (lambda x: x * array, lambda: array.__imul__(2.0)),
        (functools.partial(lambda a, x: x * a, array), lambda: array.__imul__(2.0)),
    ):
        y = ac.checkpoint(f)(x)
        write()
        with pytest.raises(GraphError, match=r"not deterministic.*other values.*before backward"):
            ac.sum(y).backward()
    w = ac.Tensor(np.ones(3), requires_grad=True)
    y = ac.checkpoint(lambda x: x * w)(x)
    w.data = np.full(3, 2.0)
    with pytest.raises(GraphError, match="not deterministic"):
        ac.sum(y).backward()


def test_what_is_the_same_is_no_difference(device):
    """NaN, infinities, views, results without axes or elements, the argument itself."""
    x = ac.Tensor(device.array([-1.0, 0.0, 4.0, 9.0]), requires_grad=True)

    def f(x):
        root, low = ac.sqrt(x), ac.log(x)
        return {
            "views": (root[::-1], root.reshape(2, 2).T, ac.broadcast_to(root[3], (2, 2)), x),
            "others": [low, x[3], ac.sum(x), x[:0], x > 0, 3, "text", None, root.astype("f4")],
            "complex": root * (1 + 2j),
        }

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = ac.checkpoint(f)(x)
        (result["views"][1][1, 1] + result["others"][2] + result["views"][0][1]).backward()
    np.testing.assert_allclose(device.numpy(x.grad)[2:], [1.25, 1 + 1 / 6])


def test_long_doubles_are_compared_without_their_padding():
    x = ac.Tensor(np.arange(1, 5, dtype=np.longdouble), requires_grad=True)
    ac.sum(ac.checkpoint(lambda x: ac.sqrt(x) * (1 + 0j))(x).real).backward()
    np.testing.assert_allclose(x.grad.numpy(), 0.5 / np.sqrt(np.arange(1, 5)))
    y = ac.checkpoint(counting([np.longdouble(1), np.longdouble(1) + np.finfo("g").eps]))(x)
    with pytest.raises(GraphError, match="not deterministic"):
        ac.sum(y).backward()


def test_a_device_may_round_differently(device):
    x = ac.Tensor(device.array([1.0, 2.0, 3.0]), requires_grad=True)
    y = ac.checkpoint(counting([1.0, 1.0 + 1e-13]))(x)
    if device.home == "cpu":
        with pytest.raises(GraphError, match="not deterministic"):
            ac.sum(y).backward()
    else:
        ac.sum(y).backward()
        np.testing.assert_allclose(device.numpy(x.grad), [1, 1, 1])


def test_a_result_that_was_overwritten_since_is_no_difference(device):
    x = ac.Tensor(device.array([1.0, 2.0, 3.0]), requires_grad=True)
    y = ac.checkpoint(lambda x: x * 2.0)(x)
    z = y * 3.0
    with ac.no_grad():
        y.data *= 5.0
    ac.sum(z).backward()
    np.testing.assert_array_equal(device.numpy(x.grad), [6, 6, 6])


def test_the_comparison_keeps_no_result_alive():
    import weakref

    x = ac.Tensor(np.ones(1000), requires_grad=True)
    y = ac.checkpoint(lambda x: ac.sin(x))(x)
    array = weakref.ref(y.data)
    z = ac.sum(y)
    del y
    assert array() is None
    z.backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.cos(np.ones(1000)))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "g", "c8", "c16"])
def test_any_nan_is_the_same_as_another(dtype):
    plain = np.array([np.nan, 1.0], dtype)
    other = plain.copy()
    other[:1] = -plain[:1]
    assert plain[:1].tobytes() != other[:1].tobytes()
    x = ac.Tensor(np.ones(2, dtype), requires_grad=True)
    noises = iter([plain, other])
    y = ac.checkpoint(lambda x: (x * 2, ac.Tensor(next(noises))))(x)[0]
    ac.sum(y.real).backward()
    np.testing.assert_array_equal(x.grad.numpy(), [2, 2])
