"""Peers in processes of their own, so that the threads of one do not disturb another."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

Call = Callable[[], Any]


@contextmanager
def apart(
    names: list[str],
    make: Callable[[str], Mapping[str, Call]],
    clock: Callable[[Call], Callable[[], tuple[float]]],
) -> Iterator[tuple[dict[str, Call], dict[str, Callable[[], tuple[float]]]]]:
    """The peers that ``make(name)`` returns in a new process each: their calls and their clocks, as
    functions of this process. One at a time runs."""
    context = multiprocessing.get_context("spawn")
    pipes, workers = {}, []
    for name in names:
        pipes[name], inner = context.Pipe()
        workers.append(context.Process(target=_serve, args=(inner, name, make, clock), daemon=True))
        workers[-1].start()
    try:
        there = [name for name in names if pipes[name].recv()]
        yield (
            {name: _asked(pipes[name], "call") for name in there},
            {name: _asked(pipes[name], "clock") for name in there},
        )
    finally:
        for worker in workers:
            worker.terminate()


def _asked(pipe: Any, what: str) -> Callable[[], Any]:
    def ask() -> Any:
        pipe.send(what)
        return pipe.recv()

    return ask


def _serve(pipe: Connection, name: str, make: Any, clock: Any) -> None:
    """Answer in a process of its own."""
    call = make(name).get(name)
    pipe.send(call is not None)
    timed = None
    while call is not None:
        if pipe.recv() == "call":
            pipe.send([np.array(getattr(out, "data", out)) for out in call()])
        else:
            timed = timed or clock(call)
            pipe.send(timed())
