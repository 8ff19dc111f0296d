"""`compile`: a function that runs as a program of NumPy calls, traced when it is first called."""

from __future__ import annotations

from _thread import allocate_lock
from functools import update_wrapper
from pathlib import Path
from typing import Any

import numpy as np

from autograd_core.compiling.program import replaced
from autograd_core.compiling.tracing import ACTIVE, Tracing, finished
from autograd_core.compiling.variant import BUSY, DIFFERS, Variant
from autograd_core.engine.exits import warn_user
from autograd_core.engine.state import STATE
from autograd_core.errors import AutogradError
from autograd_core.errors.tracebacks import public
from autograd_core.transforms.calls import Function, called
from autograd_core.transforms.tree import leaves

TRACING = allocate_lock()
ATTEMPTS = 3  # traces, if the first calls create what later calls find, such as momenta
VARIANTS = 8  # programs for one signature, which differ in what they decide by


class Compiled:
    """A compiled function. `plain` has the reasons why calls run without a program."""

    def __init__(self, function: Function, threads: int = 1) -> None:
        self.function, self.threads = function, threads
        self.variants: dict[Any, list[Variant]] = {}
        self.plain: dict[Any, str] = {}
        self.attempts: dict[Any, int] = {}
        self.last: Variant | None = None
        update_wrapper(self, function)

    @property
    def programs(self) -> list[str]:
        """The sources of the programs, in the order in which they were traced."""
        return [variant.text for variant in self._traced]

    @property
    def source(self) -> str:
        """The source of the last program that was traced; empty if there is none."""
        return self.programs[-1] if self.programs else ""

    @public
    def save(self, path: Any) -> None:
        """Write the last program as a Python module, which needs NumPy alone: its ``step`` takes
        the arrays of the arguments and returns the results of the function, with the same bits. The
        arrays that it reads and writes are written beside it, in a file that ends in ``.npz``.

        Arguments of other shapes raise ValueError in the module, and so does a decision that
        differs. Raises AutogradError if there is no program, or if it calls a function that is not
        one of NumPy; ValueError if the path does not end in ``.py``.
        """
        file = Path(path)
        if file.suffix != ".py" or not file.stem.isidentifier():
            raise ValueError(f"save: the path must be that of a Python module, not {str(path)!r}")
        if not self._traced:
            raise AutogradError("save: there is no program yet; call the function first")
        arrays = file.with_suffix(".npz")
        text, held = self._traced[-1].source.standalone(arrays.name, self._traced[-1].namespace)
        file.write_text(text, encoding="utf-8")
        if held:
            np.savez(arrays, **held)

    @property
    def _traced(self) -> list[Variant]:
        return [variant for known in self.variants.values() for variant in known]

    def report(self) -> str:
        """A table of the programs: calls while tracing and in a run, and the memory of buffers."""
        head = ("program", "traced", "calls", "opaque", "views", "buffers", "bytes", "unshared")
        rows = [head, *(variant.reported(i) for i, variant in enumerate(self._traced))]
        return "\n".join("  ".join(f"{cell:>8}" for cell in row) for row in rows)

    def __call__(self, *args: Any, **settings: Any) -> Any:
        last = self.last
        if last is not None and not settings:  # the usual case: arrays, and nothing has changed
            try:
                out = last.enter(*args)
            except Exception:
                out = DIFFERS
            if out is not DIFFERS and out is not BUSY:
                return out
        return self._call(args, settings)

    @public
    def _call(self, args: Any, settings: Any) -> Any:
        found = leaves((args, settings))
        recording, _, observer = STATE.get()
        key = (_structure((args, settings)), *[_kind(leaf) for _, leaf in found], recording)
        if None in key or observer is not None or key in self.plain or ACTIVE.get():
            return self.function(*args, **settings)
        arrays = [leaf for _, leaf in found if isinstance(leaf, np.ndarray)]
        known = self.variants.setdefault(key, [])
        for variant in known:
            try:
                out = variant.enter(*arrays)
            except (KeyError, IndexError, AttributeError):  # something was removed
                continue
            except Exception as error:
                out = self.function(*args, **settings)  # raises the error that explains it
                self._give_up(key, f"its program raises {type(error).__name__}: {error}")
                return out
            if out is BUSY:
                return self.function(*args, **settings)
            if out is not DIFFERS:
                self._remember(variant, args, settings)
                return out
        reason = "its guards keep changing"
        if len(known) < VARIANTS:
            if not TRACING.acquire(blocking=False):
                return self.function(*args, **settings)
            try:
                tracing = Tracing(self.function, args, settings)
                reason = tracing.trace.reason
                if not reason:
                    known.append(Variant(tracing, arrays, recording, self.threads))
            finally:
                TRACING.release()
            if not reason:
                return replaced(tracing.out, finished)
            self.attempts[key] = self.attempts.get(key, 0) + 1
            if self.attempts[key] < ATTEMPTS and tracing.may_settle:
                return self.function(*args, **settings)
        self._give_up(key, reason)
        return self.function(*args, **settings)

    def _give_up(self, key: Any, reason: str) -> None:
        """Run calls of this kind plainly from now on."""
        self.plain[key] = reason
        warn_user(f"compile: {called(self.function)} runs without a program: {reason}")

    def _remember(self, variant: Variant, args: Any, settings: Any) -> None:
        """Try this program first in the next call, if the arguments are arrays."""
        if not settings and all(type(arg) is np.ndarray for arg in args):
            self.last = variant


def _structure(tree: Any) -> Any:
    """The structure of a tree of arguments, and the numbers in it, which are static."""
    if isinstance(tree, dict):
        return (type(tree), *((name, _structure(entry)) for name, entry in tree.items()))
    if isinstance(tree, tuple | list):
        return (type(tree), *map(_structure, tree))
    return ()


def _kind(leaf: Any) -> Any:
    """What a program depends on of an argument; None if it cannot be compiled for it."""
    if type(leaf) is np.ndarray:
        return leaf.shape, leaf.dtype, leaf.strides
    if isinstance(leaf, bool | int | str | float | complex):
        return type(leaf), repr(leaf)
    return None


__all__ = ["Compiled"]
