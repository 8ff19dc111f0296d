"""detect_anomaly: the first inf or NaN, and arrays overwritten behind the library's back."""

import numpy as np
import pytest

import autograd_core as ac
import nn


def made(device, *values):
    return ac.Tensor(device.array(np.array(values)), requires_grad=True)


def test_the_operation_that_made_the_first_nan_is_named_with_its_line(device):
    x = made(device, 1.0, -1.0)
    with ac.detect_anomaly(), pytest.raises(ac.NonFiniteError) as caught:
        ac.log(x) + 1
    assert "log" in str(caught.value)
    assert "1 NaN of 2" in str(caught.value)
    assert "test_debug.py" in str(caught.value)


def test_the_rule_that_made_the_first_inf_is_named(device):
    x = made(device, 1.0, 0.0)
    with ac.detect_anomaly():
        y = ac.sqrt(x).sum()
        with pytest.raises(ac.NonFiniteError, match=r"sqrt .*gave 'x' a gradient with 1 inf"):
            y.backward()
    assert x.grad is None


def test_a_write_behind_the_back_is_found(device):
    w, x = made(device, 3.0), made(device, 2.0)
    with ac.detect_anomaly():
        y = (w * x).sum()
        w.data[...] = 100.0
        with pytest.raises(ac.StaleArrayError, match=r"multiply .*saved '[xy]'"):
            y.backward()


def test_also_before_a_second_pass(device):
    w, x = made(device, 3.0), made(device, 2.0)
    with ac.detect_anomaly():
        y = (w * x).sum()
        y.backward(retain_graph=True)
        w.data[...] = 100.0
        with pytest.raises(ac.StaleArrayError):
            y.backward()


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_graph_that_is_never_run_is_in_nobodys_way(create_graph, device):
    """A validation loss without no_grad, and gradients of gradients that are not used."""
    model = nn.Sequential(nn.Linear(2, 3), nn.Sigmoid(), nn.Linear(3, 1)).to(device.home)
    x = ac.Tensor(device.array(np.ones((4, 2))))
    optimizer = nn.SGD(model.parameters(), lr=0.1)
    with ac.detect_anomaly():
        for _ in range(2):
            model(x).sum().item()
            model(x).sum().backward(create_graph=create_graph)
            optimizer.step()
            optimizer.zero_grad()


def test_outside_nothing_is_watched(device):
    x = made(device, 0.0)
    with ac.detect_anomaly():
        pass
    with np.errstate(divide="ignore"):
        assert np.isneginf(device.numpy(ac.log(x))).all()
