"""Writes and views: NumPy's values, and the gradients that belong to them.

`make thorough` runs 20,000 random programs (VIEW_PROGRAMS); otherwise a sample is run.
"""

import os

import numpy as np
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from view_programs import Programs, names_in, run, shortest, total

import autograd_core as ac
from autograd_core import backend
from autograd_core.errors import AutogradError
from tests import fake_device

COUNT = int(os.environ.get("VIEW_PROGRAMS", 300))


class Wrong(AssertionError):
    """A program whose values or gradients are not NumPy's; its text is the program."""


def slope(lines, values, directions):
    """The derivative of a program's number along `directions`, by differences of NumPy's runs."""

    def number(t):
        moved = {n: v + t * directions[n] if n in directions else v for n, v in values.items()}
        return total(run(lines, {n: np.array(v) for n, v in moved.items()}).bound)

    h = 1e-4
    narrow, wide = ((number(s) - number(-s)) / (2 * s) for s in (h, 2 * h))
    return (4 * narrow - wide) / 3


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
    expected = slope(lines, values, directions)
    size = max(1.0, abs(expected), abs(total(run(lines, values_of(values)).bound)))
    if size > 1e6 or not np.isfinite([expected, size]).all():
        return None  # too steep, or not finite: differences tell nothing
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
        if isinstance(wrong, Exception):
            self.errors.append((type(wrong).__name__, str(wrong), list(self.lines)))
        elif wrong is not None:

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
    machine.ran, machine.errors = 0, []
    quick = settings(
        max_examples=count, stateful_step_count=16, phases=[Phase.generate], deadline=None
    )
    run_state_machine_as_test(machine, settings=quick)
    assert machine.ran >= count // 2
    assert len(machine.errors) <= 0.02 * machine.ran, machine.errors[:5]


def test_programs_of_views_and_writes():
    run_programs(OnTensors, COUNT)
