"""Who is told of arrays on a device: running traces of `compile`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# told of each array that is made on a device from data of the host, or computed there by an
# operation, with the arrays that it was computed from
followers: list[Callable[[Any, tuple[Any, ...]], None]] = []


def followed(array: Any, *sources: Any) -> Any:
    """`array`, which was computed from `sources`."""
    for told in followers:
        told(array, sources)
    return array
