"""Optimisers: they descend, on complex parameters too, and say what they cannot train."""

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.errors import AutogradError
from tests.host import assert_close

pytestmark = pytest.mark.usefixtures("there")


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_complex_parameters_descend(dtype, momentum):
    """|w - c|² has the direction of ascent 2 (w - c)."""
    c = np.array([[2 - 3j, 1j]], dtype)
    w = nn.Parameter(np.array([[1 + 1j, -2.0]], dtype))
    memory = w.data
    optimizer = nn.SGD([w], lr=0.1, momentum=momentum)
    expected, velocity = np.array([[1 + 1j, -2.0]]), 0
    for _ in range(4):
        optimizer.zero_grad()
        nn.MSE("sum")(w, ac.Tensor(c)).backward()
        gradient = w.grad.numpy().copy() if w.device == "cpu" else None
        optimizer.step()
        velocity = momentum * velocity + 2 * (expected - c)
        expected = expected - 0.1 * velocity
        assert_close(w, expected, rtol=1e-5)
        if gradient is not None:
            np.testing.assert_array_equal(w.grad.numpy(), gradient)
    assert w.data is memory


def test_a_hand_written_update_takes_the_conjugate():
    """docs/conventions.md, Complex numbers."""
    w = nn.Parameter(np.array([1 + 1j]))
    for _ in range(50):
        w.grad = None
        ac.sum(ac.real(w * ac.conjugate(w))).backward()
        w.data -= 0.1 * w.grad.data.conj()
    assert abs(w.detach().cpu().numpy()[0]) < 1e-4


def test_real_and_complex_parameters_in_one_optimiser():
    x, z = nn.Parameter(np.array([1.0])), nn.Parameter(np.array([1j]))
    optimizer = nn.SGD([x, z], lr=0.25)
    (nn.MSE("sum")(x, [0.0]) + nn.MSE("sum")(z, [0j])).backward()
    optimizer.step()
    assert (x.item(), z.item()) == (0.5, 0.5j)


def test_one_parameter_twice_is_refused():
    a, b = nn.Parameter([1.0]), nn.Parameter([[2.0, 3.0]], name="weight")
    told = r"numbers 1 and 2 \('weight'\), of shape \(1, 2\), are the same Tensor"
    with pytest.raises(AutogradError, match=f"SGD was given one parameter twice: {told}"):
        nn.SGD([a, b, b])
    layer = nn.Linear(2, 2)
    with pytest.raises(AutogradError, match=r"numbers 0 and 2, of shape \(2, 2\)"):
        nn.SGD(layer.parameters() + layer.parameters())
    tied = nn.Sequential(layer, layer)
    assert len(nn.SGD(tied.parameters()).parameters) == 2, "a shared layer counts once"


@pytest.mark.parametrize(
    "wrong",
    [nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2)), nn.Linear(2, 2).parameters, None],
    ids=["a module", "a Sequential", "the method", "None"],
)
def test_a_model_is_not_its_parameters(wrong):
    told = f"takes a list of Tensors, not a {type(wrong).__name__}: write SGD.model.parameters"
    with pytest.raises(TypeError, match=told):
        nn.SGD(wrong)
