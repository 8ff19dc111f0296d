"""Activations and layers: dtypes, devices, programs, drawings, the checker, mistakes."""

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.compiling import Compiled
from autograd_core.errors import AutogradError, ShapeError
from autograd_core.rendering import draw
from autograd_core.testing import InconclusiveError, check_gradients
from tests.host import assert_close
from tests.layers import every_activation, every_layer

pytestmark = pytest.mark.usefixtures("there")


def input_of(dtype=np.float64):
    x = np.random.default_rng(0).normal(size=(3, 4, 2)) * 2
    return x.astype(dtype)


@every_activation
def test_float32_is_kept(name, options):
    settings = {"dtype": np.float32} if name == "PReLU" else {}
    layer, exact = getattr(nn, name)(**options, **settings), getattr(nn, name)(**options)
    x = ac.Tensor(input_of(np.float32), requires_grad=True)
    out = layer(x)
    assert out.dtype == np.float32
    assert_close(
        out.detach(), exact(ac.Tensor(input_of())).detach().cpu().numpy(), rtol=3e-5, atol=1e-6
    )
    ac.sum(out * out).backward()
    assert x.grad.dtype == np.float32
    assert x.grad.device == x.device


@every_activation
def test_the_checker_finds_no_error(name, options):
    layer = getattr(nn, name)(**options)
    check_gradients(layer, ac.Tensor(input_of()))


@every_activation
def test_programs_have_the_same_bits(name, options, device):
    layer, w = getattr(nn, name)(**options), nn.Parameter([1.0, 0.7])
    parameters = [w, *layer.parameters()]

    def f(x):
        loss = ac.sum(layer(x * w) ** 2)
        for p in parameters:
            p.grad = None
        loss.backward()
        return [loss.detach(), *(p.grad.detach() for p in parameters)]

    compiled = Compiled(f)
    rtol = 0 if device.name == "cpu" else 1e-11  # the stand-in changes the order of sums
    for scale in (1.0, 0.5, 3.0):
        x = ac.Tensor(input_of() * scale)
        for found, expected in zip(compiled(x), f(x), strict=True):
            assert_close(found, expected.cpu().numpy(), rtol=rtol)
    assert compiled.programs


@every_activation
def test_they_are_drawn(name, options):
    layer = getattr(nn, name)(**options)
    x = ac.Tensor(input_of(), requires_grad=True, name="x")
    assert name in str(draw(layer(x))) or name == "Identity"


@every_layer
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_layers_in_float32_and_compiled(row, training, device):
    """Values, gradients and running means: near those of float64, and the same bits compiled."""
    found = []
    for dtype in (np.float32, np.float64):
        for through in (lambda f: f, Compiled):
            layer = row.made()
            parameters = [*layer.astype(dtype).train(training).parameters()]
            random = np.random.default_rng(1)
            values = {key: ((p.ndim < 2) + 0.3 * random.normal(size=p.shape)).astype(dtype)
                      for key, p in layer.named_parameters()}  # fmt: skip
            layer.load_state_dict(values, strict=False)
            w = nn.Parameter(np.linspace(0.5, 1.5, row.shapes[0][-1]).astype(dtype))

            def f(x, *others, layer=layer, w=w, parameters=(w, *parameters)):
                loss = 0
                for out in row.results(layer, x * w, *others):
                    loss += ac.sum((out + 0.5) ** 2)
                for p in parameters:
                    p.grad = None
                loss.backward()
                return [loss.detach(), *(p.grad.detach() for p in parameters)]

            run, results = through(f), []
            random = np.random.default_rng(0)
            for _ in range(3):
                results += run(*(ac.Tensor(x.astype(dtype)) for x in row.inputs(random)))
            results += [buffer.detach() for buffer in layer.buffers()]
            assert all(r.dtype == dtype or r.dtype == np.int64 for r in results)
            found.append([r.cpu().numpy() for r in results])
            assert through is not Compiled or run.programs
    rtol = 0 if device.name == "cpu" else 1e-4  # the stand-in changes the order of sums
    for a, b, c, d in zip(*found, strict=True):
        assert_close(b, a, rtol=rtol, atol=rtol)
        assert_close(d, c, rtol=rtol, atol=rtol)
        assert_close(a, c, rtol=1e-3, atol=1e-3)


@every_layer
def test_the_checker_finds_no_error_in_layers(row, device):
    if device.name != "cpu":
        pytest.skip("the stand-in sums in random orders, and many of these gradients are 0")

    def check(layer):
        inputs = row.inputs(np.random.default_rng(0))
        check_gradients(lambda *x: row.results(layer, *x)[0], *map(ac.Tensor, inputs))

    for _ in range(4):
        try:
            return check(row.made())
        except InconclusiveError as error:  # a unit of a ReLU is close to 0: draw other weights
            inconclusive = error
    raise inconclusive


@every_layer
def test_layers_are_drawn(row):
    layer = row.made()
    inputs = [ac.Tensor(x, requires_grad=True) for x in row.inputs(np.random.default_rng(0))]
    drawn = str(draw(row.results(layer, *inputs)[0], model=layer, limit=2000))
    assert f'label="{row.name}' in drawn or row.name in drawn
    assert all(name.rpartition(".")[2] in drawn for name, _ in layer.named_parameters())


def test_a_module_of_another_dtype_or_device():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ModuleList([nn.Tanh()])[0])
    assert model.half()[0].weight.dtype == model[1].running_mean.dtype == np.float16
    assert model.float()[1].running_var.dtype == np.float32
    assert model.double()[1].num_batches_tracked.dtype == np.int64
    assert model.to("cpu")[1].running_mean.device == "cpu"
    names = [name for name, _ in model.named_buffers()]
    assert names == ["1.running_mean", "1.running_var", "1.num_batches_tracked"]
    assert [type(m).__name__ for m in model.modules()] == [
        "Sequential", "Linear", "BatchNorm1d", "Tanh"]  # fmt: skip
    assert not any(p.requires_grad for p in model.requires_grad_(False).parameters())
    seen = []
    model.apply(lambda module: seen.append(type(module).__name__))
    assert seen == ["Linear", "BatchNorm1d", "Tanh", "Sequential"]
    cache = nn.Buffer([1.0], persistent=False)
    model.cache = cache
    assert "cache" not in model.state_dict()
    assert model.buffers()[0] is cache, "a module's own come before those of its modules"


@pytest.mark.parametrize(
    ("name", "options", "shape", "complaint"),
    [
        (
            "PReLU",
            {"num_parameters": 3},
            (2, 4),
            r"PReLU: expects 3 channels on axis 1, .*\(2, 4\)",
        ),
        ("BatchNorm1d", {"num_features": 3}, (1, 3), r"BatchNorm1d: x of shape \(1, 3\) has one"),
        (
            "BatchNorm1d",
            {"num_features": 3},
            (2, 4),
            r"expects 2 or 3 axes with 3 channels on axis 1",
        ),
        ("BatchNorm2d", {"num_features": 3}, (2, 3), r"BatchNorm2d: expects 4 axes"),
        (
            "LayerNorm",
            {"normalized_shape": 4},
            (2, 3),
            r"the last axes to have the shape \(4,\), x",
        ),
        (
            "GroupNorm",
            {"num_groups": 2, "num_channels": 4},
            (2, 3),
            r"expects 4 channels on axis 1",
        ),
        ("Flatten", {"start_dim": 2}, (2, 3), r"Flatten: axes 2 to -1 do not exist"),
        (
            "Unflatten",
            {"dim": 1, "unflattened_size": (2, 2)},
            (2, 3),
            r"cannot be divided into \(2",
        ),
        (
            "Residual",
            {"module": lambda x: x[:, :2]},
            (1, 3),
            r"changes the shape from \(1, 3\) to \(1",
        ),
        ("GLU", {}, (2, 3), r"GLU: needs an even axis -1, x has shape \(2, 3\)"),
        ("GLU", {"dim": 2}, (2, 4), r"GLU: needs an even axis 2, x has shape \(2, 4\)"),
    ],
)
def test_inputs_that_do_not_fit(name, options, shape, complaint):
    with pytest.raises(ShapeError, match=complaint):
        getattr(nn, name)(**options)(ac.Tensor(np.ones(shape)))


def test_settings_that_do_not_fit():
    with pytest.raises(AutogradError, match='approximate is "none" or "tanh"'):
        nn.GELU("exact")
    with pytest.raises(AutogradError, match="min_val must be less than max_val, not 1 and 0"):
        nn.Hardtanh(1, 0)


def test_large_and_small_inputs():
    x = ac.Tensor([-1e4, -50.0, 50.0, 1e4, np.inf, -np.inf])
    assert_close(nn.ELU()(x), [-1, -1, 50, 1e4, np.inf, -1], rtol=1e-12)
    assert_close(nn.LogSigmoid()(x), [-1e4, -50, 0, 0, 0, -np.inf], rtol=1e-12, atol=1e-20)
    assert_close(nn.Hardswish()(x), [0, 0, 50, 1e4, np.inf, 0], rtol=1e-12)


# ---- random and integer inputs -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("Dropout", (200, 300)),
        ("Dropout1d", (40, 50, 7)),
        ("Dropout2d", (40, 50, 3, 2)),
        ("Dropout3d", (40, 50, 1, 2, 2)),
    ],
)
@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_dropout(kind, shape, p):
    layer = getattr(nn, kind)(p, generator=0)
    x = ac.Tensor(np.ones(shape, np.float32), requires_grad=True)
    out = layer(x)
    assert out.dtype == np.float32
    values = out.detach().cpu().numpy()
    assert set(np.unique(values)) <= {0, np.float32(1 / (1 - p)) if p < 1 else 0}
    assert abs((values == 0).mean() - p) < 0.05
    if kind != "Dropout":
        flat = values.reshape(*shape[:2], -1)
        assert (flat == flat[..., :1]).all(), "whole channels"
    ac.sum(out).backward()
    assert_close(x.grad, values, rtol=0)
    assert layer.eval()(x) is x
    again = getattr(nn, kind)(p, generator=0)
    assert_close(again(x).detach(), values, rtol=0)


@pytest.mark.filterwarnings("ignore:compile")
def test_dropout_in_a_program(device):
    results = []
    for through in (lambda f: f, Compiled):
        layer, w = nn.Dropout(0.4, generator=3), nn.Parameter(np.ones(5))

        def f(x, layer=layer, w=w):
            w.grad = None
            loss = ac.sum(layer(x * w))
            loss.backward()
            return loss.detach(), w.grad.detach()

        run = through(f)
        x = ac.Tensor(np.arange(20.0).reshape(4, 5))
        results.append([r.cpu().numpy() for _ in range(4) for r in run(x)])
    assert run.programs
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)


def test_embedding():
    table = nn.Embedding(4, 2, padding_idx=1, dtype=np.float32, generator=0)
    index = ac.Tensor(np.array([[0, 1], [3, 0]]))
    out = table(index)
    assert out.shape == (2, 2, 2)
    assert not out.detach().cpu().numpy()[0, 1].any()
    ac.sum(out).backward()
    assert_close(table.weight.grad, [[2, 2], [0, 0], [0, 0], [1, 1]], rtol=0)
    assert table.weight.grad.dtype == np.float32
    with pytest.raises(AutogradError, match="expects integers, x has dtype float64"):
        table(ac.Tensor([0.0]))
    with pytest.raises(AutogradError, match=r"padding_idx must be in \[0, 4\), not 4"):
        nn.Embedding(4, 2, padding_idx=4)


@pytest.mark.parametrize("wrong", [[4], [-1, 0]])
def test_an_index_outside_of_an_embedding(wrong, device):
    if device.name != "cpu":
        pytest.skip("indices are not read from a device")
    model = nn.Sequential(nn.Embedding(4, 2))
    with pytest.raises(ShapeError, match=r"0 \(Embedding\): index .* of the table of 4 rows"):
        model(np.array(wrong))


def test_embedding_and_dropout_are_drawn():
    model = nn.Sequential(nn.Embedding(4, 2, padding_idx=0), nn.Dropout(0.5, generator=0))
    drawn = str(draw(model(ac.Tensor(np.array([1, 2]))), model=model))
    assert all(name in drawn for name in ("Embedding", "Dropout", "0.weight"))
