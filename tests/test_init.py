"""nn.init: what distributions the weights have, on which device, and what is refused."""

import math

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.errors import ArgumentError, AutogradError, ShapeError

pytestmark = pytest.mark.usefixtures("there")
SHAPE = (300, 40, 2)  # fan_in 80, fan_out 600


def filled(name, *args, shape=SHAPE, dtype=np.float64, **options):
    tensor = nn.Parameter(np.full(shape, np.nan, dtype))
    function = getattr(nn.init, name)
    assert function(tensor, *args, **options) is tensor
    assert tensor.is_leaf
    assert tensor.dtype == dtype
    return tensor.detach().cpu().numpy()


@pytest.mark.parametrize(
    ("name", "args", "std", "bound"),
    [
        ("uniform_", (-1.0, 1.0), 1 / math.sqrt(3), 1),
        ("normal_", (0.0, 0.1), 0.1, None),
        ("trunc_normal_", (0.0, 1.0, -2.0, 2.0), 0.8796, 2),  # its variance is 0.7737
        ("trunc_normal_", (0.0, 1.0, -50.0, 50.0), 1.0, None),
        ("xavier_uniform_", (2.0,), 2 * math.sqrt(2 / 680), 2 * math.sqrt(6 / 680)),
        ("xavier_normal_", (), math.sqrt(2 / 680), None),
        ("kaiming_uniform_", (), math.sqrt(2 / 80), math.sqrt(6 / 80)),
        ("kaiming_uniform_", (1.0, "fan_out"), math.sqrt(1 / 600), math.sqrt(3 / 600)),
        ("kaiming_normal_", (0.0, "fan_in", "linear"), math.sqrt(1 / 80), None),
        ("kaiming_normal_", (0.0, "fan_out", "tanh"), 5 / 3 / math.sqrt(600), None),
    ],
)
def test_distributions(name, args, std, bound):
    values = filled(name, *args, generator=0)
    assert abs(values.mean()) < 0.02 * std
    assert values.std() == pytest.approx(std, rel=0.02)
    if bound is not None:
        assert 0.98 * bound < np.abs(values).max() <= bound
    again = filled(name, *args, generator=np.random.default_rng(0), dtype=np.float32)
    assert np.array_equal(again, values.astype(np.float32))


def test_a_truncated_tail():
    values = filled("trunc_normal_", 0.0, 1.0, 5.0, np.inf, shape=(100, 100), generator=0)
    assert values.min() >= 5
    assert values.mean() == pytest.approx(5.1865, abs=0.01)  # the mean of the tail of a Gaussian


def test_numbers_and_matrices():
    assert (filled("ones_") == 1).all()
    assert not filled("zeros_").any()
    assert (filled("constant_", 0.3, dtype=np.float32) == np.float32(0.3)).all()
    assert np.array_equal(filled("eye_", shape=(2, 3)), np.eye(2, 3))
    for shape in ((4, 4), (3, 7), (7, 3), (5, 2, 3)):
        q = filled("orthogonal_", 2.0, shape=shape, generator=0).reshape(shape[0], -1)
        product = q @ q.T if q.shape[0] <= q.shape[1] else q.T @ q
        np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-14)
    sparse = filled("sparse_", 0.25, 0.5, shape=(10, 400), generator=0)
    assert ((sparse == 0).sum(axis=0) == 3).all()
    assert sparse[sparse != 0].std() == pytest.approx(0.5, rel=0.03)
    kernel = filled("dirac_", 2, shape=(4, 2, 3))
    assert kernel.sum() == 4
    assert kernel[0, 0, 1] == kernel[1, 1, 1] == kernel[2, 0, 1] == kernel[3, 1, 1] == 1


def test_default_weights_are_those_of_pytorch():
    layer = nn.Linear(100, 400, generator=0, dtype=np.float32)
    for values in (layer.weight, layer.bias):
        values = values.detach().cpu().numpy()
        assert values.std() == pytest.approx(0.1 / math.sqrt(3), rel=0.05)
        assert 0.098 < np.abs(values).max() <= 0.1
    named = nn.Linear(100, 400, initializer=nn.init.xavier_normal_, generator=0)
    assert not named.bias.detach().cpu().numpy().any()
    assert named.weight.detach().cpu().numpy().std() == pytest.approx(math.sqrt(2 / 500), rel=0.02)


@pytest.mark.parametrize("name", ["xavier_uniform_", "xavier_normal_", "kaiming_uniform_"])
@pytest.mark.parametrize("shape", [(2, 0), (0, 3), (0, 0), (2, 3, 0)])
def test_an_empty_weight_stays_empty(name, shape):
    assert getattr(nn.init, name)(ac.zeros(shape), generator=0).shape == shape


def test_mistakes():
    with pytest.raises(ShapeError, match=r"xavier_uniform_ needs a Tensor with 2 or more axes"):
        nn.init.xavier_uniform_(ac.zeros(3))
    with pytest.raises(ArgumentError, match="dirac_: 4 channels cannot be divided into 0 groups"):
        nn.init.dirac_(ac.zeros((4, 2, 3)), 0)
    with pytest.raises(ShapeError, match=r"sparse_ needs a Tensor with 2 axes, not of the shape"):
        nn.init.sparse_(ac.zeros((3, 2, 2)), 0.5)
    with pytest.raises(AutogradError, match='mode is "fan_in" or "fan_out", not \'fan\''):
        nn.init.kaiming_normal_(ac.zeros((3, 2)), mode="fan")
    with pytest.raises(AutogradError, match="no gain is known for 'gelu'; known are conv1d, "):
        nn.init.kaiming_normal_(ac.zeros((3, 2)), nonlinearity="gelu")
    with pytest.raises(AutogradError, match="needs a < b and std > 0, not 2, 1 and 1"):
        nn.init.trunc_normal_(ac.zeros(3), 0, 1, 2, 1)
    with pytest.raises(AutogradError, match="generator is an int"):
        nn.init.normal_(ac.zeros(3), generator="0")
    with pytest.raises(AttributeError, match=r"Write nn.init.xavier_uniform_\(layer.weight\)"):
        nn.glorot_uniform  # noqa: B018
