"""Watches over a process that waits for other ranks, and says after some time where each of them
is."""

from __future__ import annotations

import sys
import threading
import time
from types import FrameType
from typing import Any

INSIDE = frozenset({"autograd_core", "nn", "numpy", "mpi4py", "runpy", "contextlib", "threading"})
ASK, ANSWER = 1, 2  # tags of messages
INTERVAL = 0.25  # seconds between two looks
PATIENCE = 2.0  # seconds for the answers of the other ranks


def here(frame: FrameType | None = None) -> str:
    """The user's line that runs, as ``file:line``; of the calling thread without a frame."""
    innermost = at = frame or sys._getframe(1)
    while at.f_globals.get("__name__", "").partition(".")[0] in INSIDE:
        if at.f_back is None:
            at = innermost
            break
        at = at.f_back
    return f"{at.f_code.co_filename}:{at.f_lineno}"


class Waiting(threading.Thread):
    """The thread that watches. `now` is the time since when the main thread has waited and what it
    waits in, or None. With `asks`, the library can be called in several threads, and the threads of
    all ranks answer each other."""

    def __init__(self, mpi: Any, comm: Any, timeout: float, asks: bool) -> None:
        super().__init__(name="nn.distributed", daemon=True)
        self.mpi, self.comm, self.timeout, self.asks = mpi, comm, timeout, asks
        self.now: tuple[float, str] | None = None
        self.main = threading.main_thread().ident
        self.ended = threading.Event()

    def run(self) -> None:
        """Look at the main thread until the program ends."""
        while not self.ended.wait(min(INTERVAL, self.timeout / 4)):
            if self.asks:
                self._answer()
            now, first = self.now, not self.comm.Get_rank()  # of several ranks, one reports
            limit = self.timeout + (0 if first else PATIENCE)
            late = now is not None and time.monotonic() - now[0] > limit
            if now is not None and late and now[1] != "the end of the program":
                self._report()

    def stop(self) -> None:
        """The program ends."""
        self.ended.set()
        self.join()

    def _where(self) -> str:
        """Where the main thread is."""
        now, frame = self.now, sys._current_frames().get(self.main or 0)
        what = f"{now[1]}, " if now is not None else "in no collective operation, "
        return f"{what}at {here(frame)}"

    def _answer(self) -> None:
        status = self.mpi.Status()
        while self.comm.Iprobe(tag=ASK, status=status):
            self.comm.recv(source=status.source, tag=ASK)
            self.comm.isend(self._where(), status.source, tag=ANSWER)

    def _report(self) -> None:
        """Ask the other ranks, print the answers, and end all ranks."""
        rank, size = self.comm.Get_rank(), self.comm.Get_size()
        found = {rank: self._where()}
        if self.asks:
            for other in range(size):
                if other != rank:
                    self.comm.isend(None, other, tag=ASK)
            until, status = time.monotonic() + PATIENCE, self.mpi.Status()
            while time.monotonic() < until and len(found) < size:
                self._answer()
                while self.comm.Iprobe(tag=ANSWER, status=status):
                    found[status.source] = self.comm.recv(source=status.source, tag=ANSWER)
                time.sleep(0.01)
        lines = [f"  rank {other}: {found.get(other, 'does not answer')}" for other in range(size)]
        head = f"rank {rank} of {size} has waited for {self.timeout:g} seconds:"
        print("\n".join([head, *lines]), file=sys.stderr, flush=True)
        self.comm.Abort(1)
