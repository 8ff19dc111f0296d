"""The stand-in's `cuda`: devices, streams, events, memory, and the counters that the tests read.

Nothing here knows what an array is. Time does not pass: a stream has always done what it was given.
"""

import threading
import weakref
from collections import Counter
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np

DEVICE_COUNT = 2
BLOCK = 512  # CuPy's pool hands out memory in blocks of so many bytes


# ---- what is counted ----------------------------------------------------------------------------


class Counters:
    """How often the host waited, data crossed, and a computing call was sent to a device."""

    KINDS = ("launches", "waits", "transfers_in", "transfers_out")

    def __init__(self):
        self.reset()

    def reset(self):
        for kind in self.KINDS:
            setattr(self, kind, 0)

    def __repr__(self):
        return ", ".join(f"{kind}={getattr(self, kind)}" for kind in self.KINDS)


counters = Counters()
_counting = [counters]
_thread = threading.local()


def count(kind, times=1):
    """Note one of `Counters.KINDS`. Inside a fused function only the whole call is counted."""
    if fusing():
        if kind != "launches":
            raise TypeError(f"{kind} inside a fused function: CuPy traces it, there are no values")
        return
    for each in _counting:
        setattr(each, kind, getattr(each, kind) + times)


@contextmanager
def counting():
    """Counters of what happens inside: ``with counting() as counts: …; counts.waits``."""
    counts = Counters()
    _counting.append(counts)
    try:
        yield counts
    finally:
        _counting.remove(counts)


def fusing():
    """Whether a fused function is running in this thread."""
    return getattr(_thread, "fusing", False)


@contextmanager
def fused():
    """The one launch of a fused function."""
    outer, _thread.fusing = fusing(), True
    try:
        yield
    finally:
        _thread.fusing = outer
    count("launches")


# ---- devices ------------------------------------------------------------------------------------


class CUDARuntimeError(RuntimeError):
    """CuPy's, from the CUDA runtime."""


class Device:
    """A device, current inside ``with Device(1):``; without a number the current one."""

    def __init__(self, device=None):
        self.id = get_device_id() if device is None else int(device)

    def use(self):
        if not 0 <= self.id < runtime.getDeviceCount():
            raise CUDARuntimeError("cudaErrorInvalidDevice: invalid device ordinal")
        _thread.device = self.id

    def __enter__(self):
        before = get_device_id()
        self.use()
        self.__dict__.setdefault("entered", []).append(before)
        return self

    def __exit__(self, *raised):
        _thread.device = self.entered.pop()

    def synchronize(self):
        count("waits")

    def __eq__(self, other):
        return isinstance(other, Device) and other.id == self.id

    def __hash__(self):
        return hash((Device, self.id))

    def __repr__(self):
        return f"<CUDA Device {self.id}>"


def get_device_id():
    """The number of the current device."""
    return getattr(_thread, "device", 0)


def is_available():
    return runtime.getDeviceCount() > 0


def get_device_properties(device):
    """Some of CuPy's, by which a device is known."""
    return {"name": b"stand-in", "uuid": bytes([device + 1] * 16), "pciDomainID": 0,
            "pciBusID": device + 1, "pciDeviceID": 0}  # fmt: skip


runtime = SimpleNamespace(
    CUDARuntimeError=CUDARuntimeError,
    getDevice=get_device_id,
    getDeviceCount=lambda: DEVICE_COUNT,
    getDeviceProperties=get_device_properties,
)


# ---- streams ------------------------------------------------------------------------------------


log = []  # what streams were given: ("record" | "wait" | "copy", stream, event or host array)


class Stream:
    """A queue of work; current inside ``with stream:``."""

    null: "Stream"

    def __init__(self, null=False, non_blocking=False, ptds=False, priority=None):
        self.device_id = get_device_id()
        self.ptr = 0 if null else id(self)

    def use(self):
        _thread.stream = self
        return self

    def __enter__(self):
        self.__dict__.setdefault("entered", []).append(get_current_stream())
        return self.use()

    def __exit__(self, *raised):
        self.entered.pop().use()

    def synchronize(self):
        count("waits")

    def record(self, event=None):
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event):
        """Work given to this stream from now on starts after `event`; the host goes on."""
        if not isinstance(event, Event) or not event.recorded:
            raise TypeError("a stream waits for an event that a stream has recorded")
        log.append(("wait", self, event))


class Event:
    """A point in a stream."""

    def __init__(self, block=False, disable_timing=False, interprocess=False):
        self.recorded = False

    def record(self, stream=None):
        self.recorded = True
        log.append(("record", stream or get_current_stream(), self))

    @property
    def done(self):
        """Whether all that the stream was given before it is done."""
        return not self.late

    late = False

    def synchronize(self):
        count("waits")


Stream.null = Stream(null=True)


def get_current_stream():
    return getattr(_thread, "stream", Stream.null)


# ---- memory -------------------------------------------------------------------------------------


class OutOfMemoryError(MemoryError):
    """CuPy's, when the pool can give no more."""


class MemoryPool:
    """Counts the bytes that arrays hold on each device, in blocks as CuPy does."""

    def __init__(self):
        self.used, self.held, self.limit = Counter(), Counter(), 0

    def allocate(self, owner, nbytes, device):
        """Take memory that goes back when `owner` dies."""
        size = -(-nbytes // BLOCK) * BLOCK
        if self.limit and self.used[device] + size > self.limit:
            raise OutOfMemoryError(
                f"Out of memory allocating {size:,} bytes (allocated so far: "
                f"{self.used[device]:,} bytes, limit set to: {self.limit:,} bytes)."
            )
        self.used[device] += size
        self.held[device] = max(self.held[device], self.used[device])
        weakref.finalize(owner, self.used.subtract, {device: size}).atexit = False

    def used_bytes(self):
        return self.used[get_device_id()]

    def total_bytes(self):
        return self.held[get_device_id()]

    def free_bytes(self):
        return self.total_bytes() - self.used_bytes()

    def free_all_blocks(self, stream=None):
        self.held[get_device_id()] = self.used[get_device_id()]

    def set_limit(self, size=0):
        self.limit = size

    def get_limit(self):
        return self.limit


memory = SimpleNamespace(OutOfMemoryError=OutOfMemoryError)
pool = MemoryPool()


@contextmanager
def limit_memory(nbytes):
    """Let each device hold no more than `nbytes` inside."""
    before = pool.get_limit()
    pool.set_limit(nbytes)
    try:
        yield pool
    finally:
        pool.set_limit(before)


class PinnedMemory(bytearray):
    """Host memory that a device can read by itself; larger than asked for, as CuPy's."""

    @property
    def ptr(self):
        return np.frombuffer(self, np.uint8).ctypes.data


def alloc_pinned_memory(nbytes):
    return PinnedMemory(-(-nbytes // BLOCK) * BLOCK)
