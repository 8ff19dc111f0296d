""".pt files that are made to take minutes."""

import time

import pytest

import nn
from tests.test_torch_files import archive


def endless(levels=60):
    """A tuple of itself twice, `levels` deep: as text it has 2**levels parts."""
    return b"(" + b"I1\n" + b"t" + b"".join(b"q%c(h%ch%ct" % (i, i, i) for i in range(levels))


@pytest.mark.parametrize(
    "content",
    [
        # persistent id ("storage", FloatStorage, "0", "cpu", endless)
        b"\x80\x02(U\x07storagectorch\nFloatStorage\nU\x010U\x03cpu" + endless() + b"tQ.",
        b"\x80\x02\x8b" + (10**6).to_bytes(4, "little") + b"\x01" * 10**6 + b".",  # LONG4
        b"\x80\x02}(" + b"".join(b"I%d\nN" % (k * (2**61 - 1)) for k in range(40_000)) + b"u.",
    ],
)
def test_what_would_take_minutes_is_refused_at_once(tmp_path, content):
    archive(tmp_path / "model.pt", None, b"\0" * 4, pickle=content)
    start = time.process_time()
    with pytest.raises(nn.DataError):
        nn.load_torch(tmp_path / "model.pt")
    assert time.process_time() - start < 2
