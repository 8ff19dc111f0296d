"""Numbers, values and settings as short texts for a box."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.types import Array

FULLY_PRINTED = 6  # values of up to this many elements are printed


def byte_size(number: int) -> str:
    """1234567 → ``"1.2 MB"``, in powers of ten."""
    if number < 1000:
        return f"{number} B"
    size = float(number)
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 999.5:
            return f"{size:.2g} {unit}" if size < 9.95 else f"{size:.0f} {unit}"
    return f"{size / 1000:,.1f} TB"


def shape_and_dtype(shape: tuple[int, ...], dtype: Any) -> str:
    """``"(100, 784) float64"``; ``"scalar float64"`` for a 0-d array."""
    return f"{shape or 'scalar'} {_name(dtype)}"


@cache
def _name(dtype: Any) -> str:
    return str(dtype)  # takes some microseconds in NumPy


def shortened(text: str, length: int = 48) -> str:
    """`text` in at most `length` characters, its end replaced by an ellipsis."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def small_value(array: Array) -> str | None:
    """The elements, with four digits, of an array of at most `FULLY_PRINTED` elements, else
    None."""
    if not 0 < array.size <= FULLY_PRINTED:
        return None
    return written(backend.asnumpy(array))


def written(values: Any) -> str:
    """All elements with four digits, on one line."""
    if values.size == 1:  # without the brackets of its axes
        return _number(values.item())
    printed: Any = {"all": lambda element: _number(element.item())}
    text = np.array2string(values, separator=", ", formatter=printed, max_line_width=1000)
    return " ".join(text.split())


def norm_text(array: Array) -> str:
    """The Euclidean norm of an array with three digits. It is inf or NaN if an element is."""
    values = np.abs(backend.asnumpy(array)).astype(np.float64)
    greatest = values.max(initial=0.0)
    if greatest == 0 or not np.isfinite(greatest):
        return _number(float(greatest), digits=3)
    # scaled, so that no square overflows
    return _number(float(greatest * np.sqrt(np.sum(np.square(values / greatest)))), digits=3)


def setting(value: Any) -> str:
    """A setting or a number as text on one line."""
    if backend.is_array(value):
        return small_value(value) or shape_and_dtype(value.shape, value.dtype)
    if isinstance(value, bool | int | float | complex):
        return _number(value)
    parts = value if isinstance(value, tuple) else (value,)
    if any(part is ... or isinstance(part, slice) for part in parts):
        return shortened(f"[{', '.join(map(_index, parts))}]", 32)
    return shortened(" ".join(repr(value).split()), 32)


def _index(part: Any) -> str:
    """One entry of an index as written in brackets."""
    if isinstance(part, slice):
        ends = [part.start, part.stop] + ([] if part.step is None else [part.step])
        return ":".join("" if end is None else str(end) for end in ends)
    return "..." if part is ... else setting(part)


def _number(value: Any, digits: int = 4) -> str:
    if isinstance(value, float | complex):
        return f"{value:.{digits}g}"
    return str(value)


def counted(number: int, one: str, many: str = "") -> str:
    """``"1 leaf"``, ``"1,200 leaves"``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def is_count(value: Any, least: int = 1) -> bool:
    """True for an integer from `least` on, which True and False are not."""
    return isinstance(value, int | np.integer) and value is not True and int(value) >= least


# characters that XML does not allow, some of which are control characters of terminals
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def printable(text: str) -> str:
    """`text` without characters that a format cannot contain."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
    return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)


def one_line(text: str, length: int = 48) -> str:
    """`text` in a line of at most `length` characters."""
    return shortened(" ".join(printable(text).split()), length)
