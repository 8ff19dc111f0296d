"""What tests read: values of any device, brought to the host."""

import os

import numpy as np

import autograd_core as ac
from autograd_core.devices import backend


def host(value):
    """A Tensor, an array of any device, or a list of them, as host arrays."""
    if isinstance(value, list | tuple):
        return [host(each) for each in value]
    value = value.data if isinstance(value, ac.Tensor) else value
    return backend.asnumpy(value) if backend.is_array(value) else value


def processor_seconds():
    """The time of the processor for this process and those that it has started. Unlike the time on
    the clock, it does not depend on what else the machine does."""
    return sum(os.times()[:4])


def assert_equal(actual, expected):
    """Equal to the last bit."""
    np.testing.assert_array_equal(host(actual), host(expected))


def assert_close(actual, expected, rtol=1e-7, atol=0.0):
    """Equal to within `rtol` of what is expected, or `atol`."""
    np.testing.assert_allclose(host(actual), host(expected), rtol=rtol, atol=atol)
