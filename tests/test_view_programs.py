"""Random programs of views and writes: a sample of them, or as many as VIEW_PROGRAMS says."""

import os
import warnings

import numpy as np
import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

import autograd_core as ac
from autograd_core.devices import backend
from autograd_core.errors import AutogradError
from tests.fake_cupy import device as fake_device
from tests.view_programs import Programs, names_in, run, shortest, total

COUNT = int(os.environ.get("VIEW_PROGRAMS", 300))


class Wrong(AssertionError):
    """A program whose values or gradients are not NumPy's; its text is the program."""


UNJUDGED = object()  # too steep, or not finite: differences tell nothing of a gradient


def slope(lines, values, directions):
    """The derivative of a program's number along `directions`, by differences of NumPy's runs, and
    how far two of them are apart."""

    def number(t):
        moved = {n: v + t * directions[n] if n in directions else v for n, v in values.items()}
        return total(run(lines, {n: np.array(v) for n, v in moved.items()}).bound)

    rough, narrow, wide = ((number(s) - number(-s)) / (2 * s) for s in (2e-5, 1e-4, 2e-4))
    sharp = (4 * narrow - wide) / 3
    return sharp, abs(sharp - rough)


def fault(lines, values, array):
    """What is wrong with a program on Tensors, or the error that it ended in."""
    expected = run(lines, {n: np.array(v) for n, v in values.items()})
    if expected.error is not None:
        return None
    tensors = {n: ac.Tensor(array(v), requires_grad=n != "c0") for n, v in values.items()}
    outcome = run(lines, tensors)
    if outcome.error is not None:
        return outcome.error
    for name in names_in(outcome.bound):
        found = outcome.bound[name]
        found = backend.asnumpy(found.data) if isinstance(found, ac.Tensor) else found
        if np.shape(found) != np.shape(expected.bound[name]):
            return f"{name} has shape {np.shape(found)}"
        if not np.allclose(found, expected.bound[name], 1e-12, 1e-12, equal_nan=True):
            return f"{name} is {found.tolist()} and not {expected.bound[name].tolist()}"
    try:
        return gradient_fault(lines, values, tensors, total(outcome.bound))
    except AutogradError as error:
        return error


def gradient_fault(lines, values, tensors, number):
    if isinstance(number, ac.Tensor) and number.node is not None:
        number.backward()
    rng = np.random.default_rng(0)
    directions = {n: rng.uniform(-1, 1, np.shape(v)) for n, v in values.items() if n != "c0"}
    found = sum(
        np.vdot(backend.asnumpy(tensors[n].grad.data), d)
        for n, d in directions.items()
        if tensors[n].grad is not None
    )
    expected, apart = slope(lines, values, directions)
    size = max(1.0, abs(expected), abs(total(run(lines, values_of(values)).bound)))
    if apart > 1e-6 * size or not np.isfinite([expected, size]).all():
        return UNJUDGED
    if not abs(found - expected) < 1e-6 * size:
        return f"the slope is {found} and not {expected}"
    return None


def values_of(values):
    return {n: np.array(v) for n, v in values.items()}


class OnTensors(Programs):
    """Runs every program on Tensors, and counts those that end in an error that NumPy lacks."""

    array = staticmethod(np.array)

    def check(self):
        type(self).ran += 1
        wrong = fault(self.lines, self.values, self.array)
        type(self).judged += wrong is not UNJUDGED
        if isinstance(wrong, Exception):
            self.errors.append((type(wrong).__name__, str(wrong), list(self.lines)))
        elif isinstance(wrong, str):

            def fails(lines):
                again = fault(lines, self.values, self.array)
                return isinstance(again, str)

            lines = shortest(self.lines, fails)
            raise Wrong("\n".join([fault(lines, self.values, self.array), *lines]))


class OnTheStandIn(OnTensors):
    """The same on the stand-in for a device, which lays results out as NumPy does."""

    repeats = False
    array = staticmethod(lambda values: fake_device.asarray(np.array(values)))


def run_programs(machine, count):
    machine.ran, machine.judged, machine.errors = 0, 0, []
    quick = settings(
        max_examples=count, stateful_step_count=16, phases=[Phase.generate], deadline=None
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of division by 0, where NumPy warns too
        run_state_machine_as_test(machine, settings=quick)
    assert machine.ran >= count // 2
    print(f"{machine.ran} programs, {machine.judged} judged, {len(machine.errors)} errors")
    slack = 2 * np.sqrt(0.02 * machine.ran) if machine.ran < 5000 else 0  # a sample is one
    assert len(machine.errors) <= 0.02 * machine.ran + slack, machine.errors[:5]


def test_programs_of_views_and_writes():
    run_programs(OnTensors, COUNT)
    assert OnTensors.judged > 0.9 * OnTensors.ran


def test_programs_of_views_and_writes_on_a_device(monkeypatch):
    backend.install(fake_device)
    fake_device.shuffle_strides(None)
    try:
        run_programs(OnTheStandIn, COUNT)
    finally:
        fake_device.shuffle_strides(0)
        backend.install(None)


class BesideTorch(Programs):
    """Values and gradients beside torch's, where torch runs the program and computes what NumPy
    does: it writes to overlapping memory in no order, and saves what a program overwrites."""

    torch = True
    repeats = False  # torch gives the gradient of an element that is named twice to both values

    def check(self):
        type(self).ran += 1
        import torch

        lines = [
            line.replace(".copy()", ".clone()").replace("np.", "torch.") for line in self.lines
        ]
        theirs = {n: torch.tensor(v, requires_grad=n != "c0") for n, v in self.values.items()}
        outcome = run(lines, theirs, {"torch": torch})
        if outcome.error is not None:
            return
        for name, found in outcome.bound.items():
            if not np.allclose(found.detach().numpy(), self.bound[name], equal_nan=True):
                return
        number = total(outcome.bound, lambda v: (v * v).sum() * 0.5 + v.sum())
        try:
            number.backward()
        except RuntimeError:
            return
        ours = {n: ac.Tensor(np.array(v), requires_grad=n != "c0") for n, v in self.values.items()}
        mine = run(self.lines, ours)
        assert mine.error is None, (mine.error, self.lines)
        total(mine.bound).backward()
        for name in ("x0", "x1"):
            expected = theirs[name].grad
            expected = np.zeros(ours[name].shape) if expected is None else expected.numpy()
            grad = ours[name].grad
            found = np.zeros(ours[name].shape) if grad is None else grad.data
            np.testing.assert_allclose(
                found, expected, rtol=1e-9, atol=1e-9, err_msg="\n".join(self.lines)
            )
        type(self).compared += 1


@pytest.mark.oracle
def test_programs_beside_torch():
    pytest.importorskip("torch", reason="needs torch: pip install -e '.[oracles]'")
    BesideTorch.compared = 0
    run_programs(BesideTorch, COUNT)
    assert BesideTorch.compared > COUNT // 4
