"""The strict stand-in for CuPy in its place, for the length of a test."""

import pytest

from autograd_core.devices import backend
from tests.fake_cupy import device as fake


@pytest.fixture(autouse=True)
def cuda():
    """The stand-in plays CuPy for this test."""
    backend.install(fake)
    yield fake
    fake.cuda.log.clear()
    backend.install(None)
