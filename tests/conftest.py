"""Hypothesis profiles, and the devices on which every test of the engine runs.

HYPOTHESIS_PROFILE=thorough draws many more examples, other ones at every run. The default draws the
same ones every time, so that a run that passed passes again; a failure prints how to repeat it. So
does HYPOTHESIS_PROFILE=few, a quarter of them. For the same reason NumPy's generators that are made
without a seed, as a layer's are, draw the same numbers at every run of a test.
"""

import os
import random

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

import autograd_core as ac
from autograd_core.devices import backend
from tests.devices import Cuda, Host
from tests.fake_cupy import device as fake_device
from tests.pages import browser, opened  # noqa: F401  fixtures

pytest.register_assert_rewrite("tests.differences", "tests.table.checks", "tests.host")

COMMON = {"deadline": None, "print_blob": True, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("ci", max_examples=12, derandomize=True, database=None, **COMMON)
settings.register_profile("few", max_examples=3, derandomize=True, database=None, **COMMON)
settings.register_profile("thorough", max_examples=300, **COMMON)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "ci")
settings.load_profile(PROFILE)


def real_gpu():
    """CuPy, where it is installed and finds a device; else None and why."""
    try:
        import cupy

        return (cupy, "") if cupy.cuda.runtime.getDeviceCount() else (None, "no CUDA device")
    except (ImportError, RuntimeError) as error:
        return None, f"{type(error).__name__}: {error}"


GPU, NO_GPU = real_gpu()
DEVICES = [Host(), Cuda("fake", fake_device)]
if GPU is not None:
    DEVICES.append(pytest.param(Cuda("gpu", GPU), marks=pytest.mark.gpu))


def pytest_terminal_summary(terminalreporter):
    """Say in words what was not run for want of a GPU."""
    if GPU is None:
        terminalreporter.write_line(
            f"No GPU here ({NO_GPU.splitlines()[0][:120]}): the tests ran on NumPy and on a strict "
            "stand-in for CuPy; parity on hardware, streams and device memory were not tested."
        )


@pytest.fixture(scope="session", params=DEVICES, ids=lambda device: device.name)
def device(request):
    """Where the arrays of a test live. Tests make them with `device.array` and read them with
    `device.numpy`, and in no other way."""
    return request.param


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """The device's arrays are known to tests that ask for the device, and to no others: the fixture
    lives for a session, so that tests on one device run together, and others run in between."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    chosen = parameters.get("device")
    host_only = getattr(parameters.get("row"), "host", False)
    if host_only and isinstance(chosen, Cuda):
        pytest.skip("CuPy has no such function")
    backend.install(getattr(chosen, "module", None))
    if PROFILE != "thorough":
        entropy = random.Random(item.nodeid)
        np.random.bit_generator.randbits = entropy.getrandbits  # what default_rng() is seeded with
        np.random.seed(entropy.getrandbits(32))


SETTINGS = "_hypothesis_internal_use_settings"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item):
    """Each call starts from the settings that the test was written with. Hypothesis wraps them once
    more for each parameter; asked for a database that is None it goes through all of them: a few
    hundred rows are slow, and a thousand are a RecursionError."""
    test = getattr(item, "obj", None)
    before = getattr(test, SETTINGS, None)
    try:
        return (yield)
    finally:
        if before is not None:
            setattr(getattr(test, "__func__", test), SETTINGS, before)


@pytest.fixture
def there(device):
    """What a test makes of host data lives on the device."""
    with ac.device(device.home):
        yield device
