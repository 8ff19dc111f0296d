"""Layers have PyTorch's values, gradients and second derivatives."""

import numpy as np
import pytest

import autograd_core as ac
import nn
from tests.layers import every_activation, every_layer

torch = pytest.importorskip("torch", reason="needs torch: pip install -e '.[oracles]'")
pytestmark = [pytest.mark.oracle,
              pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")]  # fmt: skip


def values(shape):
    """Random numbers, with zeros and the points where pieces meet."""
    x = 3 * np.random.default_rng(0).normal(size=shape)
    x.flat[:8] = [0, -0.0, 1, -1, 3, -3, 6, 40]
    return x


def plain(result):
    """A result as an array: that of a module with parameters is tracked."""
    return result.detach().numpy() if isinstance(result, ac.Tensor) else result


def second_order(x, y):
    """The gradient of the sum of squares of the gradient of sum(y²)."""
    (g,) = torch.autograd.grad((y**2).sum(), x, create_graph=True)
    if not g.requires_grad:
        return torch.zeros_like(x)
    return torch.autograd.grad((g**2).sum(), x, allow_unused=True)[0]


@every_activation
def test_activations(name, options):
    x = values((5, 4, 6))
    ours, theirs = getattr(nn, name)(**options), getattr(torch.nn, name)(**options).double()
    u = torch.tensor(x, requires_grad=True)
    expected = theirs(u)
    found = plain(ours(ac.Tensor(x)))
    np.testing.assert_allclose(found, expected.detach().numpy(), rtol=1e-10, atol=1e-14)
    (g,) = torch.autograd.grad((expected**2).sum(), u, retain_graph=True)
    gradient = ac.grad(lambda v: ac.sum(ours(v) ** 2))
    accuracy = 1e-7 if name == "Hardsigmoid" else 1e-10  # PyTorch rounds 1 / 6 to float32
    np.testing.assert_allclose(plain(gradient(x)), g.numpy(), rtol=accuracy, atol=1e-13)
    if name != "Hardsigmoid":
        second, known = ac.grad(lambda v: ac.sum(gradient(v) ** 2)), second_order(u, expected)
        np.testing.assert_allclose(plain(second(x)), known.numpy(), rtol=1e-9, atol=1e-12)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        ours.zero_grad()
        ac.sum(ours(ac.Tensor(x)) ** 2).backward()
        (g,) = torch.autograd.grad((theirs(torch.tensor(x)) ** 2).sum(), q)
        np.testing.assert_allclose(p.grad.numpy(), g.numpy(), rtol=1e-10)
    assert list(ours.state_dict()) == list(theirs.state_dict())


def both(row):
    """A layer here and in PyTorch, in float64, with the same random weights."""
    theirs = getattr(torch.nn, row.name)(*row.args, **row.options).double()
    random = np.random.default_rng(7)
    for p in theirs.parameters():
        p.data = torch.tensor((p.ndim < 2) + 0.5 * random.normal(size=p.shape))
    ours = row.made()
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    return ours, theirs


def assert_states(ours, theirs):
    expected = theirs.state_dict()
    assert list(ours.state_dict()) == list(expected)
    for key, values in ours.state_dict().items():
        np.testing.assert_allclose(values, expected[key].numpy(), rtol=1e-10, err_msg=key)


@every_layer
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_layers(row, training):
    ours, theirs = both(row)
    for layer in (ours, theirs):
        layer.train(training)

    def results(x):
        return row.results(theirs, *x, array=torch.tensor)

    random = np.random.default_rng(0)
    for _ in range(3):
        x = row.inputs(random)
        u = [torch.tensor(a, requires_grad=True) for a in x]
        v = [ac.Tensor(a, requires_grad=True) for a in x]
        expected, found, total, loss = results(u), row.results(ours, *v), 0, 0
        for a, b in zip(expected, found, strict=True):
            np.testing.assert_allclose(plain(b), a.detach().numpy(), rtol=1e-10, atol=1e-12)
            weight = random.normal(size=b.shape)
            total, loss = total + (a**2 * torch.tensor(weight)).sum(), loss + ac.sum(b**2 * weight)
        gradients = torch.autograd.grad(total, [*u, *theirs.parameters()])
        ours.zero_grad()
        loss.backward()
        for p, g in zip([*v, *ours.parameters()], gradients, strict=True):
            scale = np.abs(g.numpy()).max()
            np.testing.assert_allclose(p.grad.numpy(), g.numpy(), rtol=1e-9, atol=1e-10 * scale)
        assert_states(ours, theirs)
    once = ac.grad(lambda *v: ac.sum(row.results(ours, *v)[0] ** 3))
    twice = ac.grad(lambda *v: ac.sum(once(*v) ** 2))
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        (g,) = torch.autograd.grad((results(u)[0] ** 3).sum(), u[:1], create_graph=True)
    known = torch.autograd.grad((g**2).sum(), u[:1])[0].numpy()
    found = plain(twice(*x))
    np.testing.assert_allclose(found, known, rtol=1e-8, atol=1e-8 * np.abs(known).max())


@pytest.mark.parametrize("options", [{}, {"padding_idx": 2}, {"padding_idx": -1}, {"max_norm": 1.5},
                                     {"max_norm": 1.0, "norm_type": 1.0}])  # fmt: skip
def test_embedding(options):
    theirs = torch.nn.Embedding(5, 3, **options).double()
    theirs.weight.data = torch.tensor(np.random.default_rng(0).normal(size=(5, 3)))
    ours = nn.Embedding(5, 3, **options)
    ours.load_state_dict({"weight": theirs.weight.detach().numpy()})
    index = np.array([[0, 2, 2], [4, 0, 0]])
    found, expected = ours(index), theirs(torch.tensor(index))
    np.testing.assert_allclose(plain(found), expected.detach().numpy(), rtol=1e-10)
    ac.sum(found**2).backward()
    (expected**2).sum().backward()
    np.testing.assert_allclose(ours.weight.grad.numpy(), theirs.weight.grad.numpy(), rtol=1e-10)
    np.testing.assert_allclose(plain(ours.weight), theirs.weight.detach().numpy(), rtol=1e-6)


def images_of(library):
    return library.Sequential(
        library.Conv2d(2, 6, 3, padding=1, bias=False), library.BatchNorm2d(6), library.ReLU(),
        library.MaxPool2d(2), library.Conv2d(6, 8, 3, stride=2, groups=2), library.ReLU(),
        library.ConvTranspose2d(8, 4, 2, stride=2), library.AvgPool2d(2), library.Flatten(),
        library.Linear(4, 3),
    )  # fmt: skip


def sequences_of(library):
    class Model(library.Module):
        def __init__(self):
            super().__init__()
            self.lstm = library.LSTM(2, 4, num_layers=2, bidirectional=True)
            self.gru = library.GRU(8, 5)
            self.head = library.Linear(5, 3)

        def forward(self, x):
            return self.head(self.gru(self.lstm(x)[0])[0][-1])

    return Model()


MODELS = [(images_of, (4, 2, 8, 8)), (sequences_of, (6, 4, 2))]


@pytest.mark.parametrize(("make", "shape"), MODELS, ids=["images", "sequences"])
@pytest.mark.parametrize("compiled", [False, True], ids=["plain", "compiled"])
def test_ten_steps_of_training(make, shape, compiled):
    theirs, ours = make(torch.nn).double(), make(nn)
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    optimizer = nn.Adam(ours.parameters(), lr=0.01)
    other = torch.optim.Adam(theirs.parameters(), lr=0.01)
    loss_of = nn.CrossEntropyLoss()

    def step(x, y):
        loss = loss_of(ours(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    run = ac.compile(step) if compiled else step
    random = np.random.default_rng(0)
    for _ in range(10):
        x, y = random.normal(size=shape), random.integers(0, 3, 4)
        expected = torch.nn.functional.cross_entropy(theirs(torch.tensor(x)), torch.tensor(y))
        other.zero_grad()
        expected.backward()
        other.step()
        assert run(x, y).item() == pytest.approx(expected.item(), rel=1e-9)
    assert_states(ours, theirs)
