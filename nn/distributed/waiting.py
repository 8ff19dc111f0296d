"""Watches over a process that waits for other ranks, and says after some time where each of them
is."""

from __future__ import annotations

import sys
import threading
import time
from types import FrameType
from typing import Any, NamedTuple

INSIDE = frozenset({"autograd_core", "nn", "numpy", "mpi4py", "runpy", "contextlib", "threading"})
ASK, ANSWER = 1, 2  # tags of messages
END = "the end of the program"
INTERVAL = 0.25  # seconds between two looks
PATIENCE = 2.0  # seconds for the answers of the other ranks


def here(frame: FrameType | None = None) -> str:
    """The user's line that runs, as ``file:line``; of the calling thread without a frame."""
    innermost = at = frame or sys._getframe(1)
    while at.f_globals.get("__name__", "").partition(".")[0] in INSIDE or (
        at.f_code.co_filename == "<compiled program>"
    ):
        if at.f_back is None:
            at = innermost
            break
        at = at.f_back
    return f"{at.f_code.co_filename}:{at.f_lineno}"


class Wait(NamedTuple):
    """A thread that waits: since when, in which operation, and for which rank if it is one."""

    since: float
    what: str
    source: int | None


class Waiting(threading.Thread):
    """The thread that watches. `waits` has a `Wait` for each thread that waits. With `asks`, the
    library can be called in several threads, and the threads of all ranks answer each other."""

    def __init__(self, mpi: Any, comm: Any, timeout: float, asks: bool) -> None:
        super().__init__(name="nn.distributed", daemon=True)
        self.mpi, self.comm, self.timeout, self.asks = mpi, comm, timeout, asks
        self.waits: dict[int, Wait] = {}
        self.main = threading.main_thread().ident or 0
        self.ended = threading.Event()

    def run(self) -> None:
        """Look at the other threads until the program ends."""
        asked = 0.0  # when the rank that a thread waits for was asked where it is
        while not self.ended.wait(min(INTERVAL, self.timeout / 4)):
            if self.asks:
                self._answer()
            first = not self.comm.Get_rank()  # of several ranks, one reports
            for thread, wait in [*self.waits.items()]:
                now = time.monotonic()
                if wait.what == END:
                    continue
                if now - wait.since > self.timeout + (0 if first else PATIENCE):
                    self._report(thread, f"has waited for {self.timeout:g} seconds")
                elif wait.source is not None and self.asks and (
                    now - max(wait.since, asked) > PATIENCE
                ):  # fmt: skip
                    found = self._ask([wait.source])
                    asked = time.monotonic()
                    if found.get(wait.source, "").startswith(END) and (
                        self.waits.get(thread) is wait
                    ):
                        self._report(thread, "waits for a rank that has ended")

    def stop(self) -> None:
        """The program ends."""
        self.ended.set()
        self.join()

    def _where(self, thread: int = 0) -> str:
        """Where a thread is, by default one that waits, or else the main thread."""
        thread = thread or (self.main if self.main in self.waits else next(iter(self.waits), 0))
        wait, frame = self.waits.get(thread), sys._current_frames().get(thread or self.main)
        what = f"{wait.what}, " if wait is not None else "in no collective operation, "
        return f"{what}at {here(frame)}"

    def _answer(self) -> None:
        status = self.mpi.Status()
        while self.comm.Iprobe(tag=ASK, status=status):
            self.comm.recv(source=status.source, tag=ASK)
            self.comm.isend(self._where(), status.source, tag=ANSWER)

    def _ask(self, ranks: list[int]) -> dict[int, str]:
        """Where other ranks are, of those that answer."""
        found: dict[int, str] = {}
        for other in ranks:
            self.comm.isend(None, other, tag=ASK)
        until, status = time.monotonic() + PATIENCE, self.mpi.Status()
        while time.monotonic() < until and len(found) < len(ranks):
            self._answer()
            while self.comm.Iprobe(tag=ANSWER, status=status):
                found[status.source] = self.comm.recv(source=status.source, tag=ANSWER)
            time.sleep(0.01)
        return found

    def _report(self, thread: int, why: str) -> None:
        """Ask the other ranks, print the answers, and end all ranks."""
        rank, size = self.comm.Get_rank(), self.comm.Get_size()
        found = {rank: self._where(thread)}
        if self.asks:
            found |= self._ask([other for other in range(size) if other != rank])
        lines = [f"  rank {other}: {found.get(other, 'does not answer')}" for other in range(size)]
        head = f"rank {rank} of {size} {why}:"
        print("\n".join([head, *lines]), file=sys.stderr, flush=True)
        self.comm.Abort(1)
