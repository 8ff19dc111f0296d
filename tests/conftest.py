"""Hypothesis profiles, and the devices on which every test of the engine runs.

HYPOTHESIS_PROFILE=thorough draws many more examples, other ones at every run. The default draws the
same ones every time, so that a run that passed passes again; a failure prints how to repeat it.
"""

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

import autograd_core as ac

pytest.register_assert_rewrite("differences", "op_checks")

COMMON = {"deadline": None, "print_blob": True, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("ci", max_examples=12, derandomize=True, database=None, **COMMON)
settings.register_profile("thorough", max_examples=300, **COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


class Host:
    """NumPy. Another device has the same three names and is one more entry of `DEVICES`."""

    name = "cpu"

    @staticmethod
    def array(values):
        """A host array's values, in an array of this device."""
        return np.array(values)

    @staticmethod
    def numpy(value):
        """An array or a Tensor of this device, tracked or not, as a host array."""
        return np.asarray(value.data if isinstance(value, ac.Tensor) else value)


DEVICES = [Host()]


@pytest.fixture(scope="session", params=DEVICES, ids=lambda device: device.name)
def device(request):
    """Where the arrays of a test live. Tests make them with `device.array` and read them with
    `device.numpy`, and in no other way."""
    return request.param
