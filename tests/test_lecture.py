"""The lecture's examples: each runs quickly, leaves its picture, and shows what it says."""

import importlib
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import autograd_core as ac
import nn
from examples import (
    backpropagation,
    batch_sizes,
    chain_rule,
    forward_pass,
    gradient_descent,
    landscapes,
    neuron,
    one_hot_mse,
    regularisation,
    small_network,
    universal_approximation,
    vanishing_gradients,
)
from examples.lecture import takes
from tests.host import processor_seconds

ROOT = Path(__file__).parent.parent
# what each leaves, and what stands in it
LEFT = {
    "neuron": ["neuron.png"],
    "forward_pass": ["forward_pass.png"],
    "one_hot_mse": ["one_hot_mse.png"],
    "chain_rule": ["chain_rule.svg"],
    "backpropagation": ["backpropagation.html"],
    "small_network": ["small_network.png"],
    "gradient_descent": ["gradient_descent.gif", "gradient_descent.png"],
    "landscapes": ["landscapes.png"],
    "batch_sizes": ["batch_sizes.png"],
    "universal_approximation": ["universal_approximation.png"],
    "vanishing_gradients": [
        "activations.png", "flows.png", "history_ReLU.png", "history_sigmoid.png", "sigmoid.svg",
    ],
    "regularisation": ["regularisation.png"],
}  # fmt: skip
STARTS = {".png": b"\x89PNG", ".gif": b"GIF8", ".svg": b"<?xml", ".html": b"<!DOCTYPE html>"}


@pytest.mark.parametrize("name", LEFT)
def test_an_example_runs_in_under_ten_seconds_and_leaves_its_picture(name, tmp_path, capsys):
    start = processor_seconds()
    folder = tmp_path / "results"
    importlib.import_module(f"examples.{name}").main(["--quick", "--out", str(folder)])
    assert processor_seconds() - start < 10
    assert sorted(path.name for path in folder.iterdir()) == LEFT[name]
    printed = capsys.readouterr().out
    for file in LEFT[name]:
        assert str(folder / file) in printed
        content = (folder / file).read_bytes()
        assert content.startswith(STARTS[Path(file).suffix])
        assert len(content) > 3_000


@pytest.mark.parametrize("name", LEFT)
def test_the_gallery_names_it(name):
    assert f"[{name}.py](../examples/{name}.py)" in (ROOT / "docs/examples.md").read_text()


def test_traced_factors_are_the_engines_gradients():
    t = backpropagation.forward()
    output = backpropagation.trace(t, "L", "a1_out", "z1_out", "w11_out")
    paths = [
        backpropagation.trace(t, "L", f"a{j}_out", f"z{j}_out", "a1_h", "z1_h", "w11_h")
        for j in (1, 2)
    ]
    t["L"].backward()
    assert output == pytest.approx(t["w11_out"].grad.item(), rel=1e-14)
    assert sum(paths) == pytest.approx(t["w11_h"].grad.item(), rel=1e-14)
    # by hand, with the derivative of the sigmoid
    a, y = t["a1_out"].item(), backpropagation.TARGET[0]
    assert output == pytest.approx((a - y) * a * (1 - a) * t["a1_h"].item(), rel=1e-14)


def test_primitives_and_modules_train_to_the_same_weights():
    x, y = small_network.spirals(60)
    first, first_losses = small_network.by_primitives(x, y, 50)
    second, second_losses = small_network.by_modules(x, y, 50)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10)
    np.testing.assert_allclose(first_losses, second_losses, rtol=1e-10)
    assert first_losses[-1] < first_losses[0]


@pytest.mark.parametrize("name", gradient_descent.RATES)
def test_the_right_rate_arrives_and_the_others_do_not(name):
    loss, start, rates = gradient_descent.RATES[name]
    ends = [gradient_descent.descend(loss, start, rate, 60)[-1] for rate in rates]
    slopes = [np.abs(ac.grad(loss)(end)).max() for end in ends]
    assert slopes[1] < 1e-3
    assert slopes[0] > 10 * slopes[1]
    assert slopes[2] > 10 * slopes[1]


@pytest.mark.parametrize("name", gradient_descent.MINIMA)
def test_marked_minima_are_minima_and_the_first_is_the_lowest(name):
    loss, minima = gradient_descent.RATES[name][0], gradient_descent.MINIMA[name]
    for minimum in minima:
        assert np.abs(ac.grad(loss)(np.asarray(minimum, dtype=float))).max() < 1e-4
        assert loss(minimum) >= loss(minima[0])
        assert loss(minimum + 0.01) > loss(minimum) < loss(minimum - 0.01)


def test_with_bumps_the_right_rate_is_said_to_end_in_a_local_minimum(tmp_path, capsys):
    gradient_descent.main(["--quick", "--out", str(tmp_path)])
    lines = [line for line in capsys.readouterr().out.splitlines() if " right " in line]
    (bumps,) = (line for line in lines if line.startswith("with bumps  "))
    assert "at a local minimum" in bumps


def test_hessians_tell_convex_from_not():
    generator = np.random.default_rng(3)
    for _ in range(5):
        assert landscapes.eigenvalues(landscapes.polynomial_loss, generator.normal(size=4))[0] > 0
    saddle = landscapes.stationary(landscapes.wavy, (0.1, 1.1))
    values = landscapes.eigenvalues(landscapes.wavy, saddle)
    assert values[0] < 0 < values[1]
    assert np.abs(ac.grad(landscapes.wavy)(saddle)).max() < 1e-12
    theta = generator.normal(size=4)
    for other in landscapes.twins(theta).values():
        assert np.linalg.norm(other - theta) > 0.1
        change = landscapes.network(other, landscapes.X) - landscapes.network(theta, landscapes.X)
        assert np.abs(change).max() < 1e-14


def test_small_batches_learn_more_in_an_epoch():
    generator = np.random.default_rng(0)
    x, y = generator.random((200, 784)), nn.one_hot(generator.integers(0, 10, 200), 10)
    ends = []
    for name, (size, rates, _) in batch_sizes.WAYS.items():
        best, losses = batch_sizes.chosen_rate(x, y, (x, y), name, 3)
        assert best == rates[np.argmin(losses)]
        ends.append(batch_sizes.train(x, y, size, best, 3)[-1, 1])
    assert ends[0] > ends[1]


def test_sigmoids_vanish_and_do_not_learn():
    x, y = vanishing_gradients.task(64)
    flows = {}
    for name in ("sigmoid", "ReLU"):
        model = vanishing_gradients.network(vanishing_gradients.ACTIVATIONS[name], 20)
        flows[name] = vanishing_gradients.first_flow(model, x, y)
    assert "vanishing" in [finding.kind for finding in flows["sigmoid"].findings]
    assert "vanishing" not in [finding.kind for finding in flows["ReLU"].findings]


def test_a_step_has_no_gradient_and_the_perceptron_rule_needs_none():
    x, y = neuron.clouds(40)
    start = {"W": np.array([0.5, -1.0]), "b": 0.0}
    with pytest.warns(ac.AutogradWarning, match="loss returns does not depend on"):
        slope = ac.grad(neuron.loss)(start, x, y, neuron.step)
    assert not slope["W"].any()
    assert slope["b"] == 0
    with pytest.warns(ac.AutogradWarning):
        same = neuron.descend(start, x, y, neuron.step, lr=1.0, steps=3)
    assert same["W"].tolist() == [0.5, -1.0]
    taught, epochs = neuron.perceptron(x, y, 100)
    assert epochs < 100
    assert neuron.loss(taught, x, y, neuron.step) == 0
    logistic = neuron.descend(start, x, y, ac.sigmoid, lr=1.0, steps=50)
    losses = [neuron.loss(theta, x, y, ac.sigmoid) for theta in (start, logistic)]
    assert losses[1] < losses[0] / 4


def test_the_forward_algorithm_is_what_the_modules_and_numpy_compute():
    generator = np.random.default_rng(0)
    sizes = [7, 5, 4, 3]
    model = nn.Sequential()
    for inputs, outputs in pairwise(sizes):
        model.layers += [nn.Linear(inputs, outputs, generator=generator), nn.Sigmoid()]
    parameters = model.parameters()
    x = generator.normal(size=7)
    layers = list(zip(parameters[::2], parameters[1::2], strict=True))
    found = forward_pass.forward(x, layers)
    h = x
    for (weight, bias), (a, out) in zip(layers, found, strict=True):
        z = weight.data @ h + bias.data
        h = 1 / (1 + np.exp(-z))
        np.testing.assert_allclose(a.detach().numpy(), z, rtol=1e-13)
        np.testing.assert_allclose(out.detach().numpy(), h, rtol=1e-13)
    np.testing.assert_allclose(model(x).detach().numpy(), h, rtol=1e-13)


def test_the_forward_pass_recognises_the_digit(tmp_path, capsys):
    forward_pass.main(["--quick", "--out", str(tmp_path)])
    printed = capsys.readouterr().out
    assert "predicted digit 7, true digit 7: right" in printed
    assert printed.count("J = L + λ Ω") == 2


def test_the_lectures_mean_squared_error(tmp_path, capsys):
    outputs = [Fraction(hundredths, 100) for hundredths in (10, 3, 90, 10, 10, 10, 10, 30, 10, 10)]
    squares = [(output - (digit == 2)) ** 2 for digit, output in enumerate(outputs)]
    exact = sum(squares) / 10
    assert exact == Fraction(1709, 100_000)
    assert one_hot_mse.OUTPUT.tolist() == [float(output) for output in outputs]
    one_hot_mse.main(["--out", str(tmp_path)])
    printed = capsys.readouterr().out
    assert f"mean squared error    {float(exact):.5f}" in printed
    assert "(10,) and (9,)" in printed


def test_the_product_of_five_factors_is_the_gradient():
    for x in (-1.1, 0.3, 0.7, 1.4):
        factors = [slope for _, _, _, slope in chain_rule.factors(x)]
        assert len(factors) == 5
        whole = ac.grad(chain_rule.composed)(x)
        assert np.prod(factors) == pytest.approx(whole, rel=1e-12)
        nearby = [chain_rule.composed(x + step) for step in (1e-5, -1e-5)]
        assert (nearby[0] - nearby[1]) / 2e-5 == pytest.approx(whole, rel=1e-6)


def test_the_picture_shows_every_factor_at_its_arrow_and_the_product_at_the_leaf(tmp_path):
    text = chain_rule.picture(tmp_path, 0.7).read_text()
    for (name, _, _, slope), variable in zip(chain_rule.factors(0.7), "xvuhg", strict=True):
        assert f"d{name}/d{variable} = {slope:.6f}" in text
    assert f"df/dx = {ac.grad(chain_rule.composed)(0.7):.6f}" in text


def test_long_runs_say_so_first(capsys):
    takes("an hour", quick=True)
    assert not capsys.readouterr().out
    takes("an hour")
    assert "about an hour" in capsys.readouterr().out


def test_the_fit_is_ridge_regression_and_lambda_calms_it():
    x, y = regularisation.measured(12, seed=2)
    powers = x[:, None] ** np.arange(regularisation.DEGREE + 1)
    penalised = np.diag([0.0] + [1.0] * regularisation.DEGREE)
    strengths = [1e-5, 1e-3, 1e-1]
    fits = [regularisation.fitted(x, y, strength) for strength in strengths]
    for strength, w in zip(strengths, fits, strict=True):
        normal = powers.T @ powers / 12 + strength * penalised
        np.testing.assert_allclose(w, np.linalg.solve(normal, powers.T @ y / 12), rtol=1e-6)
    losses = [regularisation.loss(w, x, y) for w in fits]
    norms = [np.linalg.norm(w[1:]) for w in fits]
    assert losses == sorted(losses)
    assert norms == sorted(norms, reverse=True)


@pytest.mark.parametrize("name", universal_approximation.FUNCTIONS)
def test_more_units_approximate_better(name):
    pytest.importorskip("scipy")
    function = universal_approximation.FUNCTIONS[name]
    points = universal_approximation.POINTS
    fits = universal_approximation.fitted(function, [1, 2, 4, 8], 100)
    losses = [universal_approximation.loss(theta, points, function(points)) for theta in fits]
    assert losses == sorted(losses, reverse=True)
    errors = [universal_approximation.largest_error(theta, function) for theta in fits]
    assert errors[-1] < errors[0] / 5
