"""Modules, layers, losses, optimisers, batches, weights on disk."""

import copy
import pickle

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.errors import AutogradError, DTypeError, ShapeError
from tests.host import assert_close, assert_equal, host

pytestmark = pytest.mark.usefixtures("there")


class Shared(nn.Module):
    """Parameters as attributes, in lists, dicts and nested modules; one of them twice."""

    def __init__(self):
        self.scale = nn.Parameter([2.0])
        self.blocks = [nn.Linear(2, 3), nn.Linear(3, 2, bias=False)]
        self.heads = {"left": nn.Linear(2, 1), "right": nn.Linear(2, 1)}
        self.again = self.blocks[0]
        self.width = 3

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.scale * x


def test_parameters_are_found_once_and_in_order():
    model = Shared()
    assert [name for name, _ in model.named_parameters()] == [
        "scale", "blocks.0.weight", "blocks.0.bias", "blocks.1.weight",
        "heads.left.weight", "heads.left.bias", "heads.right.weight", "heads.right.bias",
    ]  # fmt: skip
    names = [name for name, _ in model.named_modules()]
    assert names == ["", "blocks.0", "blocks.1", "heads.left", "heads.right"]


def test_train_and_eval_reach_every_module():
    model = Shared()
    assert model.training
    assert not any(module.training for _, module in model.eval().named_modules())
    assert all(module.training for _, module in model.train().named_modules())


def test_state_goes_out_and_in_by_name():
    model, other = Shared(), Shared()
    state = model.state_dict()
    state["scale"][0] = 7.0
    assert model.scale.item() == 2.0, "a state is a copy"
    memory = other.scale.data
    other.load_state_dict(state)
    assert other.scale.data is memory
    for name, parameter in other.named_parameters():
        assert_equal(parameter.data, state[name])


def test_a_state_that_does_not_fit_changes_nothing():
    model = Shared()
    before = model.state_dict()
    wrong = dict(before, extra=np.ones(1))
    del wrong["blocks.0.bias"]
    told = r"missing: \['blocks.0.bias'\]; unexpected: \['extra'\]"
    with pytest.raises(AutogradError, match=told):
        model.load_state_dict(wrong)
    with pytest.raises(ShapeError, match=r"heads.left.bias has shape \(1,\).*\(5,\)"):
        model.load_state_dict(before | {"scale": [0.0], "heads.left.bias": np.ones(5)})
    with pytest.raises(AutogradError, match=r"missing.*unexpected.*scale has shape.*left.bias has"):
        model.load_state_dict(wrong | {"scale": np.ones(3), "heads.left.bias": np.ones(5)})
    with pytest.raises(DTypeError, match="scale has dtype float64, in the state complex128"):
        model.load_state_dict(before | {"scale": [1j]})
    assert model.scale.item() == 2.0


def test_weights_on_disk(tmp_path):
    state = Shared().state_dict()
    path = nn.save_state(state, tmp_path / "deep" / "weights.npz")
    loaded = nn.load_state(path)
    assert loaded.keys() == state.keys()
    for name in state:
        assert_equal(loaded[name], state[name])
    assert [p.name for p in path.parent.iterdir()] == ["weights.npz"]
    with pytest.raises(AutogradError, match=r"\.npz"):
        nn.save_state(state, tmp_path / "weights.pt")


def test_a_state_that_is_not_strict():
    model = Shared()
    before = model.state_dict()
    left = model.load_state_dict({"scale": [5.0], "extra": [1.0]}, strict=False)
    assert left.unexpected_keys == ["extra"]
    assert left.missing_keys == [name for name in before if name != "scale"]
    assert model.scale.item() == 5.0
    assert_equal(model.blocks[0].weight, before["blocks.0.weight"])


def test_gradients_are_dropped_or_zero():
    model = nn.Linear(2, 3)
    assert (model.in_features, model.out_features) == (2, 3)
    model(ac.ones((1, 2))).sum().backward()
    model.zero_grad(set_to_none=False)
    assert_equal(model.weight.grad, np.zeros((3, 2)))
    model.zero_grad()
    assert model.weight.grad is None


def test_copies_and_pickles_are_independent():
    model = Shared()
    model(ac.Tensor(np.ones((1, 2)))).sum().backward()
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert isinstance(twin.scale, nn.Parameter)
        assert twin.again is twin.blocks[0]
        assert_equal(twin.scale.grad.data, model.scale.grad.data)
        twin.scale.data[0] = 9.0
        assert model.scale.item() == 2.0


def test_linear_refuses_what_does_not_fit():
    with pytest.raises(ShapeError, match=r"Linear: expects 2 features, x has shape \(4, 5\)"):
        nn.Linear(2, 3)(ac.Tensor(np.ones((4, 5))))
    with pytest.raises(ShapeError, match="at least 1"):
        nn.Linear(0, 3)
    with pytest.raises(NotImplementedError, match="defines no forward"):
        nn.Module()(1)


def test_the_same_generator_gives_the_same_weights_in_any_dtype():
    draws = [nn.Linear(3, 2, generator=np.random.default_rng(5), dtype=d) for d in ("f4", "f8")]
    assert_equal(draws[0].weight.data, draws[1].weight.data.astype("f4"))


# ---- losses -------------------------------------------------------------------------------------


def test_the_lectures_mse_of_one_digit():
    """The image is a 2; the slide prints nine entries of the one-hot vector, a slip."""
    target = nn.one_hot(ac.Tensor(2), 10)
    output = ac.Tensor([0.1, 0.03, 0.9, 0.1, 0.1, 0.1, 0.1, 0.3, 0.1, 0.1])
    expected = (7 * 0.01 + 0.0009 + 0.01 + 0.09) / 10
    assert_close(nn.MSE()(output, target).item(), expected, rtol=1e-12)


@pytest.mark.parametrize(("reduction", "factor"), [("mean", 1 / 12), ("batch", 1 / 4), ("sum", 1)])
def test_reductions(reduction, factor):
    x, y = np.random.default_rng(0).normal(size=(2, 4, 3))
    loss = nn.MSE(reduction)(ac.Tensor(x), ac.Tensor(y)).item()
    assert_close(loss, ((x - y) ** 2).sum() * factor)


def test_losses_refuse_what_broadcasting_would_hide():
    for loss in (nn.MSE(), nn.BCELoss(), nn.BCEWithLogitsLoss()):
        with pytest.raises(ShapeError, match="the same shape"):
            loss(ac.Tensor(np.full((4, 1), 0.5)), np.ones(4))
    with pytest.raises(AutogradError, match="reduction"):
        nn.MSE("average")


def test_likelihoods_from_probabilities_and_from_logits_agree():
    generator = np.random.default_rng(1)
    z = ac.Tensor(generator.normal(size=(6, 4)), requires_grad=True)
    labels = ac.Tensor(generator.integers(0, 4, 6))
    one_hot = nn.one_hot(labels, 4)
    pairs = [
        (nn.CrossEntropyLoss()(z, labels), nn.NLLLoss()(ac.log(ac.softmax(z)), labels)),
        (nn.CrossEntropyLoss()(z, labels), nn.CrossEntropyLoss()(z, one_hot)),
        (
            nn.BCEWithLogitsLoss()(z, one_hot),
            nn.BCELoss()(ac.sigmoid(z), one_hot),
        ),
    ]
    for from_logits, from_probabilities in pairs:
        assert_close(from_logits.item(), from_probabilities.item(), rtol=1e-12)
        gradients = []
        for loss in (from_logits, from_probabilities):
            z.grad = None
            loss.backward()
            gradients.append(z.grad.data)
        assert_close(*gradients, rtol=1e-10)
    e = np.exp(host(z))
    log_p = np.log(e / e.sum(1, keepdims=True))
    expected = -log_p[np.arange(6), host(labels)].mean()
    assert_close(pairs[0][0].item(), expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_likelihoods_are_finite_at_the_extremes(dtype):
    extremes = np.array([[-1e4, 1e4], [1e4, -1e4], [0, 0]], dtype)
    targets = ac.Tensor(np.array([[1, 0], [1, 0], [0, 1]], dtype))
    for loss, start in [
        (nn.CrossEntropyLoss(), extremes),
        (nn.BCEWithLogitsLoss(), extremes),
        (nn.BCELoss(), np.clip(extremes, 0, 1)),
    ]:
        prediction = ac.Tensor(start, requires_grad=True)
        value = loss(prediction, targets)
        value.backward()
        assert np.isfinite(value.item())
        assert np.isfinite(host(prediction.grad)).all()
        assert value.dtype == prediction.grad.dtype == dtype


def test_l2_penalty_leaves_biases_alone():
    model = nn.Linear(2, 3)
    model.bias.data += 5
    penalty = nn.l2_penalty(model.parameters(), 0.5)
    assert_close(penalty.item(), 0.5 * (model.weight.data**2).sum())


# ---- optimisers and batches ---------------------------------------------------------------------


def test_sgd_with_and_without_momentum():
    for momentum in (0.0, 0.9):
        w = nn.Parameter(np.array([[1.0, -2.0]]))
        optimizer = nn.SGD([w], lr=0.1, momentum=momentum)
        expected, velocity = w.data.copy(), 0
        memory = w.data
        for _ in range(4):
            optimizer.zero_grad()
            (w * w).sum().backward()
            optimizer.step()
            velocity = momentum * velocity + 2 * expected
            expected = expected - 0.1 * velocity
            assert_close(w.data, expected, rtol=1e-12)
        assert w.data is memory, "in place"


def test_sgd_skips_what_has_no_gradient_and_leaves_gradients_alone():
    w, unused = nn.Parameter([1.0]), nn.Parameter([1.0])
    optimizer = nn.SGD([w, unused], lr=0.5)
    (3 * w).backward()
    optimizer.step()
    assert (w.item(), unused.item(), w.grad.item()) == (-0.5, 1.0, 3.0)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"lr": -1.0}, "lr must be at least 0 and finite, not -1.0"),
        ({"lr": float("nan")}, "lr must be"),
        ({"lr": float("inf")}, "lr must be"),
        ({"lr": "0.1"}, "lr must be"),
        ({"lr": 0.1, "momentum": -0.1}, "momentum must be"),
        ({"lr": 0.1, "nesterov": True}, "nesterov"),
    ],
)
def test_sgd_refuses(settings, complaint):
    with pytest.raises(AutogradError, match=complaint):
        nn.SGD([nn.Parameter([1.0])], **settings)
    with pytest.raises(AutogradError, match="no parameters"):
        nn.SGD([], lr=0.1)


def test_one_hot():
    assert_equal(nn.one_hot(np.array([1, 0, 2]), 3), np.eye(3)[[1, 0, 2]])
    assert isinstance(nn.one_hot(ac.Tensor([1]), 3), ac.Tensor)
    with pytest.raises(AutogradError, match=r"\[0, 3\).*\[1, 3\]"):
        nn.one_hot(np.array([1, 3]), 3)
    with pytest.raises(DTypeError, match="integers"):
        nn.one_hot(np.array([1.0]), 3)


# ---- what people also do -------------------------------------------------------------------------


def test_forward_takes_keywords():
    class Scaled(nn.Module):
        def forward(self, x, *, by=1.0):
            return x * by

    assert Scaled()(ac.Tensor(2.0), by=3.0).item() == 6.0


def test_modules_may_know_each_other():
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    model.itself, model[0].parent = model, model
    assert list(model.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert "Linear(2 → 3" in repr(model)
    model.eval()
    assert not model[1].training


def test_two_parameters_of_one_name_are_refused():
    class Twice(nn.Module):
        def __init__(self):
            self.a = {1: nn.Parameter([1.0]), "1": nn.Parameter([2.0])}

    with pytest.raises(ac.AutogradError, match=r"two parameters have the name 'a\.1'"):
        Twice().state_dict()


@pytest.mark.parametrize("bad", [["a", "b"], [1j, 2j], [1.0, 2.0, 3.0]])
def test_a_bad_value_in_a_state_leaves_all_as_it_was(bad):
    model = nn.Linear(2, 2)
    before = model.state_dict()
    with pytest.raises(ac.AutogradError, match="bias"):
        model.load_state_dict({"weight": np.zeros((2, 2)), "bias": np.array(bad)})
    for name, values in model.state_dict().items():
        np.testing.assert_array_equal(values, before[name])


def test_a_state_may_hold_tensors_and_any_name(tmp_path):
    model = nn.Linear(2, 2)
    model.load_state_dict(dict(nn.Linear(2, 2).named_parameters()))
    state = nn.load_state(
        nn.save_state({"file": np.ones(2), "a/b": np.zeros(1)}, tmp_path / "a.npz")
    )
    assert sorted(state) == ["a/b", "file"]


@pytest.mark.parametrize("content", [None, b"", b"PK damaged", b"text"])
def test_a_damaged_file_of_weights_is_named(tmp_path, content):
    path = tmp_path / "weights.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(nn.DataError, match=r"weights\.npz"):
        nn.load_state(path)


def test_staying_on_a_device_changes_nothing():
    model = nn.Linear(2, 1)
    home = model.weight.device
    loss = model(ac.ones((1, 2))).sum()
    model.to(home)
    loss.backward()
    assert model.to(home).weight.grad is not None


@pytest.mark.parametrize(
    "wrong",
    [lambda w: w, lambda w: [w * 1], lambda w: [w.detach()], lambda w: [np.ones(2)]],
    ids=["a Tensor", "no leaf", "untracked", "an array"],
)
def test_sgd_trains_leaves(wrong):
    weight = ac.Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises((TypeError, ac.AutogradError), match="SGD"):
        nn.SGD(wrong(weight))


def test_a_class_that_is_ruled_out_costs_nothing():
    logits = ac.Tensor([[0.0, -np.inf, 1.0]], requires_grad=True)
    loss = nn.CrossEntropyLoss()(logits, ac.Tensor([0]))
    loss.backward()
    p = 1 / (1 + np.e)
    assert loss.item() == pytest.approx(-np.log(p))
    assert_close(logits.grad, [[p - 1, 0, 1 - p]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_network_that_is_wrong_and_sure_can_still_learn(dtype):
    p = ac.Tensor(np.array([0.0, 1.0], dtype), requires_grad=True)
    loss = nn.BCELoss(reduction="sum")(p, ac.Tensor([1, 0], dtype=dtype))
    loss.backward()
    assert np.isfinite(loss.item())
    assert host(p.grad)[0] < -1e6
    assert host(p.grad)[1] > 1e6


def test_the_mean_of_many_float16():
    x = ac.Tensor(np.full(10_000, 3, np.float16), requires_grad=True)
    loss = nn.MSE()(x, ac.zeros(10_000, np.float16))
    assert loss.dtype == np.float16
    assert loss.item() == 9


def test_losses_take_lists_and_refuse_nothing_at_all():
    assert nn.MSE()(ac.Tensor([1.0, 2.0]), [1.0, 4.0]).item() == 2
    assert nn.CrossEntropyLoss()(ac.Tensor([[0.0, 0.0]]), [1]).item() == pytest.approx(np.log(2))
    for loss in (nn.MSE(), nn.BCELoss(), nn.CrossEntropyLoss()):
        with pytest.raises(ac.ShapeError, match="at least one example"):
            loss(ac.zeros((0, 2)), ac.zeros((0, 2)))
    with pytest.raises(ac.ShapeError, match="first axis is the batch"):
        nn.MSE("batch")(ac.Tensor(1.0), ac.Tensor(1.0))
