"""Activations and layers: dtypes, devices, programs, drawings, the checker, mistakes."""

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.compiling import Compiled
from autograd_core.errors import AutogradError, ShapeError
from autograd_core.rendering import draw
from autograd_core.testing import check_gradients
from tests.host import assert_close
from tests.layers import every_activation

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


@pytest.mark.parametrize(
    ("name", "options", "shape", "complaint"),
    [
        (
            "PReLU",
            {"num_parameters": 3},
            (2, 4),
            r"PReLU: expects 3 channels on axis 1, .*\(2, 4\)",
        ),
        ("GLU", {}, (2, 3), r"GLU: needs an even axis -1, x has shape \(2, 3\)"),
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
