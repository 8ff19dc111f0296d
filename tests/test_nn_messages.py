"""What people write who come from elsewhere, and the names of layers in errors."""

from functools import partial

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.errors import AutogradWarning, DTypeError, ShapeError
from tests.host import assert_equal

pytestmark = pytest.mark.usefixtures("there")


class Net(nn.Module):
    def __init__(self):
        self.blocks = {"first": nn.Sequential(nn.Linear(4, 3), ac.tanh)}
        self.head = nn.Linear(3, 1)
        self.skip = False

    def forward(self, x):
        return self.head(x if self.skip else self.blocks["first"](x))


@pytest.mark.parametrize("shape", [(5, 7), (7,), (2, 5, 7), (4, 1), ()])
def test_a_wrong_width_names_the_layer(shape):
    x = ac.Tensor(np.ones(shape))
    told = f"expects 4 features, x has shape {shape}"
    for model, name in [
        (nn.Linear(4, 3), "Linear"),
        (nn.Sequential(nn.Linear(4, 3), nn.Sigmoid()), "0 (Linear)"),
        (nn.Sequential(nn.Sigmoid(), nn.Linear(4, 3, bias=False)), "1 (Linear)"),
        (nn.Sequential(nn.Identity(), nn.Sequential(nn.Linear(4, 3))), "1.0 (Linear)"),
        (Net(), "blocks.first.0 (Linear)"),
    ]:
        with pytest.raises(ShapeError) as caught:
            model(x)
        assert str(caught.value) == f"{name}: {told}"
        assert caught.value.__suppress_context__, "one message"
        assert caught.value.__cause__ is None


def test_the_name_is_the_one_within_the_outermost_model():
    net = Net()
    net.skip = True
    with pytest.raises(ShapeError, match=r"^1\.head \(Linear\): expects 3 features"):
        nn.Sequential(ac.sigmoid, net)(ac.ones((5, 7)))
    with pytest.raises(ShapeError, match=r"^head \(Linear\): expects 3 features, x has shape"):
        net(ac.Tensor(np.ones((5, 7))))


def test_an_error_of_a_width_can_be_drawn():
    with pytest.raises(ShapeError) as caught:
        nn.Sequential(nn.Linear(2, 3), nn.Linear(2, 3))(ac.ones((1, 2)))
    assert caught.value.operation == "linear"
    assert [name for name, _ in caught.value.operands] == ["x", "weight", "bias"]


def test_other_errors_of_a_layer_stay_what_they_are():
    layer = nn.Linear(2, 3)
    layer.bias = nn.Parameter(np.ones(5))
    with pytest.raises(ShapeError, match=r"^linear: x has shape"):
        layer(ac.ones((1, 2)))

    class Broken(nn.Module):
        def forward(self, x):
            return x.no_such_thing

    with pytest.raises(AttributeError, match="no_such_thing"):
        Broken()(ac.ones(2))


def test_none_is_no_input():
    told = "the input is None; expected a Tensor or an array"
    activations = [nn.Sigmoid, nn.ReLU, nn.Tanh, nn.Softplus, nn.Softmax, nn.LogSoftmax]
    for activation in activations:
        with pytest.raises(DTypeError, match=f"^{activation.__name__}: {told}$"):
            activation()(None)
    with pytest.raises(DTypeError, match=rf"^blocks.first.0 \(Linear\): {told}$"):
        Net()(None)
    with pytest.raises(DTypeError, match=r"^TensorDataset: array 1 is None"):
        nn.TensorDataset(np.ones(3), None)
    with pytest.raises(DTypeError, match="dtype object"):
        nn.DataLoader(np.array([None, None]))

    class Optional(nn.Module):
        def forward(self, x):
            return 1 if x is None else 2

    assert Optional()(None) == 1


def test_a_sequential_takes_modules():
    layers = [nn.Linear(2, 2), nn.Sigmoid()]
    with pytest.raises(TypeError, match=r"not in a list: write Sequential\(\*layers\)"):
        nn.Sequential(layers)
    with pytest.raises(TypeError, match=r"not in a generator: write Sequential\(\*layers\)"):
        nn.Sequential(layer for layer in layers)
    with pytest.raises(TypeError, match=r"not in a dict: write Sequential\(\*layers.values\(\)\)"):
        nn.Sequential({"a": layers[0]})
    with pytest.raises(TypeError, match=r"layer 1 is the class Sigmoid, .* write Sigmoid\(\)"):
        nn.Sequential(layers[0], nn.Sigmoid)
    with pytest.raises(TypeError, match="layer 0 is None, expected a module or a function"):
        nn.Sequential(None)
    with pytest.raises(TypeError, match="layer 1 is a str, expected"):
        nn.Sequential(ac.tanh, "relu")
    assert len(nn.Sequential(*layers, ac.tanh, partial(ac.clip, min=0))) == 4


@pytest.mark.parametrize("seed", [0, np.int64(7)])
def test_an_int_is_a_seed(seed):
    drawn = nn.Linear(3, 2, generator=seed).weight
    assert_equal(drawn, nn.Linear(3, 2, generator=np.random.default_rng(seed)).weight)
    assert_equal(drawn, nn.Linear(3, 2, generator=seed).weight)
    legacy = nn.Linear(3, 2, generator=np.random.RandomState(0))
    assert legacy.weight.shape == (2, 3)
    for make in (partial(nn.Linear, 3, 2), partial(nn.DataLoader, np.ones(3))):
        with pytest.raises(DTypeError, match=r"an int \(a seed\).* not a str"):
            make(generator="0")


def test_the_gradient_of_nan_names_the_hunt(device):
    x = ac.Tensor([1.0, np.nan], requires_grad=True)
    loss = nn.MSE()(x, ac.Tensor([0.0, 0.0]))
    if device.name == "cpu":
        with pytest.warns(AutogradWarning, match=r"ac.detect_anomaly\(\)") as caught:
            loss.backward()
        assert [warning.filename for warning in caught] == [__file__]
    else:
        loss.backward()  # to look would be to wait
    y = ac.Tensor([np.nan], requires_grad=True)
    (y * 2).backward()
    (y * 2).backward(ac.Tensor([1.0]))
    inf = ac.Tensor(np.inf, requires_grad=True)
    (inf * 2).backward()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("cuda", r"Write module\.to\('cuda'\)"),
        ("children", r"Write module\.named_modules\(\)"),
        ("no_such_thing", "'Net' object has no attribute 'no_such_thing'$"),
    ],
)
def test_attributes_of_pytorchs_modules(name, text):
    with pytest.raises(AttributeError, match=text):
        getattr(Net(), name)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: nn.Softmax(axis=1), "call it dim="),
        (lambda: nn.BCELoss(from_logits=True), "BCEWithLogitsLoss"),
        (lambda: nn.MSELoss(size_average=True), "reduction='mean'"),
        (lambda: nn.Linear(2, 3, use_bias=False), "Write bias="),
        (lambda: nn.CrossEntropyLoss("sum"), "write reduction='sum'"),
        (lambda: nn.CrossEntropyLoss([1j, 2.0]), "real numbers"),
        (lambda: nn.CrossEntropyLoss(ignore_index=1.5), "float"),
        (lambda: nn.Linear(2, 3).load_state_dict(None), "a dict of arrays by name"),
    ],
)
def test_arguments_of_other_libraries(make, text):
    with pytest.raises((TypeError, DTypeError), match=text):
        make()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Dense", r"Write nn\.Linear"),
        ("CrossEntropy", r"Write nn\.CrossEntropyLoss\(\)"),
        ("Batches", r"Write nn\.DataLoader\(nn\.TensorDataset\(x, y\), batch_size=32\)"),
        ("functional", r"Write a function such as ac\.relu\(x\)"),
        ("Sigmod", r"Did you mean Sigmoid\?"),
        ("Relu", r"Did you mean ReLU\?"),
        ("sgd", r"Did you mean SGD\?"),
        ("Transformer", "nn has no 'Transformer'"),
    ],
)
def test_names_of_other_libraries(name, text):
    with pytest.raises(AttributeError, match=text):
        getattr(nn, name)
