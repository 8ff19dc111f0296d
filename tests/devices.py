"""The devices that tests run on, seen alike: where arrays are made and read."""

import numpy as np

import autograd_core as ac


class Host:
    """NumPy."""

    name = home = "cpu"

    @staticmethod
    def array(values):
        """A host array's values, in an array of this device."""
        return np.array(values)

    @staticmethod
    def numpy(value):
        """An array or a Tensor of this device, tracked or not, as a host array."""
        return np.asarray(value.data if isinstance(value, ac.Tensor) else value)

    @staticmethod
    def assert_same(found, expected):
        """Two host arrays from one computation done twice are equal to the last bit."""
        np.testing.assert_array_equal(found, expected)


class Cuda:
    """A CUDA device: a real GPU where there is one, else the strict stand-in for CuPy."""

    def __init__(self, name, module):
        self.name, self.home = name, "cuda:0"
        self.module = module

    def array(self, values):
        """A host array's values, in an array of this device."""
        return self.module.asarray(np.array(values))

    def numpy(self, value):
        """An array or a Tensor of this device, tracked or not, as a host array."""
        value = value.data if isinstance(value, ac.Tensor) else value
        return value.get() if isinstance(value, self.module.ndarray) else np.asarray(value)

    @staticmethod
    def assert_same(found, expected):
        """Two host arrays from one computation done twice are equal but for the order of sums,
        which a device does not promise (the stand-in lays every result out at random)."""
        np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-14)
