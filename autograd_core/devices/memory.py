"""Memory: batches copied to a device ahead of use, and the heap of the host."""

from __future__ import annotations

import ctypes
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from autograd_core.devices import backend

# For each device its copy stream, and the pinned arrays that may still be copied, each with the
# event that ends its copy. CuPy's pool would reuse their memory at once, as it ignores streams.
_streams: dict[int, Any] = {}
_under_way: dict[int, deque[tuple[Any, list[Any]]]] = {}


def prefetched(batches: Iterable[tuple[Any, ...]], device: str) -> Iterator[tuple[Any, ...]]:
    """`batches` of host arrays on `device`; the next one is copied while the current one is used.

    On a CUDA device each batch is copied through pinned memory on a separate stream.
    """
    index = backend.index_of(device)
    if index is None:
        yield from batches
        return
    module = backend.device_module()
    travelling = None
    for batch in batches:
        with module.cuda.Device(index):  # not around the yield: the caller has its own device
            following = _sent(batch, module, index)
        if travelling is not None:
            yield _received(travelling, module, index)
        travelling = following
    if travelling is not None:
        yield _received(travelling, module, index)


def _sent(batch: tuple[Any, ...], module: Any, index: int) -> tuple[Any, ...]:
    """Start copying; return (arrays on the device, the event that ends the copy)."""
    if index not in _streams:
        _streams[index] = module.cuda.Stream(non_blocking=True)
        _under_way[index] = deque()
    stream, under_way = _streams[index], _under_way[index]
    while under_way and under_way[0][0].done:
        under_way.popleft()
    pinned = [_pinned(array, module) for array in batch]
    # The memory belongs to the computing stream, whose earlier kernels may still read it.
    arrays = tuple(module.empty(array.shape, array.dtype) for array in pinned)
    stream.wait_event(module.cuda.get_current_stream().record())
    for target, source in zip(arrays, pinned, strict=True):
        target.set(source, stream=stream)
    event = stream.record()
    under_way.append((event, pinned))
    return arrays, event


def _received(sent: tuple[Any, ...], module: Any, index: int) -> tuple[Any, ...]:
    arrays, event = sent
    with module.cuda.Device(index):
        module.cuda.get_current_stream().wait_event(event)  # the device waits, the host does not
    return arrays  # type: ignore[no-any-return]


def _pinned(array: Any, module: Any) -> Any:
    memory = module.cuda.alloc_pinned_memory(max(array.nbytes, 1))
    dtype = array.dtype.newbyteorder("=")
    pinned = np.frombuffer(memory, dtype, array.size).reshape(array.shape)
    pinned[...] = array
    return pinned


def keep_heap() -> bool:
    """Tell glibc to keep freed memory instead of returning it to the system.

    A fresh page costs about 1 µs; a graph of arrays of 10⁴ to 10⁵ elements spends more on pages
    than on arithmetic, and runs about twice as fast with this setting. It lasts for the process.
    Returns whether it took effect (False if the C library is not glibc).
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    mmap_threshold, trim_threshold, top_pad = -3, -1, -2  # glibc's malloc.h
    settings = ((mmap_threshold, 1 << 30), (trim_threshold, (1 << 31) - 1), (top_pad, 64 << 20))
    taken = [mallopt(option, value) == 1 for option, value in settings]
    return all(taken)
