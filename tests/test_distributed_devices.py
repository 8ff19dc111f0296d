"""Several ranks with arrays on devices, which the stand-in for CuPy plays, through the host and by
a stand-in for NCCL. The programs are in tests/ranks/devices.py."""

import pytest

from tests.ranks.start import needs_mpi, passed


@pytest.mark.mpi
@needs_mpi
@pytest.mark.parametrize("program", ["staged", "connected", "chosen"])
def test_arrays_on_devices(program):
    assert passed(3, "-m", "tests.ranks.devices", program) == "passed\n"
