"""`compile`: a function that runs as a program of NumPy calls, traced when it is first called."""

from __future__ import annotations

from _thread import allocate_lock
from dataclasses import fields, is_dataclass
from functools import partial, update_wrapper
from keyword import iskeyword
from pathlib import Path
from types import MethodType
from typing import Any

import numpy as np

from autograd_core.compiling.comparing import compared
from autograd_core.compiling.drawn import Drawn, drawn
from autograd_core.compiling.entrance import BUSY, Signal
from autograd_core.compiling.program import replaced
from autograd_core.compiling.tracing import Tracing, finished
from autograd_core.compiling.variant import Variant
from autograd_core.devices import backend
from autograd_core.engine.exits import warn_user
from autograd_core.engine.external import ACTIVE, RESULTS
from autograd_core.engine.state import STATE
from autograd_core.engine.tensor import Tensor
from autograd_core.errors import AutogradError
from autograd_core.errors.tracebacks import public
from autograd_core.transforms.calls import Function, called
from autograd_core.transforms.tree import leaves

TRACING = allocate_lock()
ATTEMPTS = 3  # traces, if the first calls create what later calls find, such as momenta
SIGNATURES = 64  # kinds of arguments with programs
VARIANTS = 8  # programs for one signature, which differ in what they decide by


class Compiled:
    """A compiled function, as `compile` returns it.

    `source` is the text of the program that was traced last, `programs` are those of all, `plain`
    has the reasons why calls run without a program.
    """

    traced_attributes = ("function",)  # what another compiled function depends on

    def __init__(
        self,
        function: Function,
        threads: int = 1,
        check: bool = False,
        reassociate: bool = False,
    ) -> None:
        self.function, self.threads, self.check = function, threads, check
        self.reassociate = reassociate
        self.variants: dict[Any, list[Variant]] = {}
        self.plain: dict[Any, str] = {}
        self.attempts: dict[Any, int] = {}
        self.enter: Any = None  # of the program that ran last
        self.warned: set[str] = set()
        self.of_object = False  # True for a method, which its object keeps
        update_wrapper(self, function, updated=())

    def __reduce__(self) -> Any:
        """Copies and pickles have the function and no programs; a method is made again."""
        if self.of_object:
            return type(None), ()
        return Compiled, (self.function, self.threads, self.check, self.reassociate)

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
        """Write the last program as a Python module, which needs NumPy alone.

        Its ``step`` takes the arrays of the arguments and returns those of the result, with the
        same bits: one array, or a flat tuple. The arrays that it reads and writes are written
        beside it, in a file that ends in ``.npz``. In the module, arguments of other shapes raise
        ValueError, and so does a decision that differs.

        Parameters
        ----------
        path : path
            The file of the module, which ends in ``.py``.

        Raises
        ------
        AutogradError
            If there is no program, if it calls a function that is not one of NumPy, or if it puts
            arrays into attributes or gradients.
        ValueError
            If `path` does not end in ``.py`` or is not the name of a module.
        """
        file = Path(path)
        if file.suffix != ".py" or not file.stem.isidentifier() or iskeyword(file.stem):
            raise ValueError(f"save: the path must be that of a Python module, not {str(path)!r}")
        if not self._traced:
            raise AutogradError("save: there is no program yet; call the function first")
        if self._traced[-1].leaves:
            raise AutogradError(
                "save: the program puts arrays into attributes or gradients, and a module has no "
                "place for them; set gradients to None before backward()"
            )
        arrays = file.with_suffix(".npz")
        last = self._traced[-1]
        text, held = last.source.standalone(arrays.name, last.namespace | last.numbers_now())
        file.write_text(text, encoding="utf-8")
        if held:
            np.savez(arrays, **{f"array_{name}": array for name, array in held.items()})

    @property
    def _traced(self) -> list[Variant]:
        return [variant for known in self.variants.values() for variant in known]

    def drawn(self) -> Drawn | None:
        """The boxes and arrows of the last program, for `draw`."""
        return drawn(self._traced[-1].source) if self._traced else None

    def report(self) -> str:
        """A table of the programs: calls while tracing and in a run, and the memory of buffers."""
        head = ("program", "traced", "calls", "opaque", "views", "buffers", "bytes", "unshared")
        rows = [head, *(variant.reported(i) for i, variant in enumerate(self._traced))]
        return "\n".join("  ".join(f"{cell:>8}" for cell in row) for row in rows)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """A compiled method of an object, which keeps it."""
        if instance is None:
            return self
        method, name = MethodType(self.function, instance), f"_compiled_{id(self)}"
        if not hasattr(instance, "__dict__"):
            self._warn(f"{called(self.function)} runs without a program: its object has slots")
            return method
        known = instance.__dict__.get(name)
        if known is None or known.function.__self__ is not instance:  # or if that was copied
            known = Compiled(method, self.threads, self.check, self.reassociate)
            known.of_object = True
            instance.__dict__[name] = known
        return known

    def __call__(self, /, *args: Any, **settings: Any) -> Any:
        enter = self.enter
        if enter is not None and not settings:  # the usual case: arrays, and nothing has changed
            out = enter(*args)
            if type(out) is not Signal:
                return out
            RESULTS.again()
        if self.check and not ACTIVE.get():
            return compared(self.function, self._call_with, args, settings)
        return self._call(args, settings)

    def _call_with(self, /, *args: Any, **settings: Any) -> Any:
        return self._call(args, settings)

    def _call(self, args: Any, settings: Any) -> Any:
        if ACTIVE.get():
            return self._chosen(args, settings)
        try:
            return self._chosen(args, settings)
        finally:
            RESULTS.clear()

    @public
    def _chosen(self, args: Any, settings: Any) -> Any:
        found = leaves((args, settings))
        recording, _, observer = STATE.get()
        if ACTIVE.get():
            return self.function(*args, **settings)
        kinds = [_kind(leaf) for _, leaf in found]
        arrays = [x for _, x in found if isinstance(x, Tensor) or backend.is_data(x)]
        same = [next(i for i, other in enumerate(arrays) if other is x) for x in arrays]
        key = (_structure((args, settings)), *kinds, *same, recording)
        if observer is not None:
            self._give_up("observed", "operations are observed, as by detect_anomaly")
        odd = _unfollowed((args, settings))
        if odd:
            self._give_up(None, f"an argument of the type {odd} has attributes")
            return self.function(*args, **settings)
        if None in kinds:
            _, leaf = found[kinds.index(None)]
            if not isinstance(leaf, Tensor):  # one that requires a gradient, as in a transform
                kind = type(leaf).__name__
                self._give_up(None, f"an argument of the type {kind} cannot be followed")
        if None in kinds or observer is not None or key in self.plain:
            return self.function(*args, **settings)
        known = self.variants.get(key)
        if known is None:
            known = self.variants[key] = []
            self._forget()
        for variant in known:
            out = variant.enter(*arrays)
            if type(out) is not Signal:
                self._remember(variant, args, settings)
                return out
            RESULTS.again()
            if out is BUSY:
                return self.function(*args, **settings)
            if out.error is not None:
                error, out = out.error, self.function(*args, **settings)  # usually raises it, too
                self._give_up(key, f"its program raises {type(error).__name__}: {error}")
                return out
        reason = "its guards keep changing"
        if len(known) < VARIANTS:
            if not TRACING.acquire(blocking=False):
                return self.function(*args, **settings)
            try:
                tracing = Tracing(self.function, args, settings, self.reassociate)
                reason = tracing.trace.reason
                if not reason:
                    known.append(Variant(tracing, arrays, recording, self.threads))
            finally:
                TRACING.release()
            if not reason:
                return replaced(tracing.out, finished)
            RESULTS.again()
            self.attempts[key] = self.attempts.get(key, 0) + 1
            if self.attempts[key] < ATTEMPTS and tracing.may_settle:
                return self.function(*args, **settings)
        out = self.function(*args, **settings)  # if it raises an error, nothing is kept
        self._give_up(key, reason)
        return out

    def _give_up(self, key: Any, reason: str) -> None:
        """Run calls of this kind plainly from now on."""
        self.plain[key] = reason
        while len(self.plain) > SIGNATURES:
            del self.plain[next(iter(self.plain))]
        self._warn(f"{called(self.function)} runs without a program: {reason}")

    def _warn(self, message: str) -> None:
        """Warn once."""
        if message not in self.warned and len(self.warned) < SIGNATURES:
            self.warned.add(message)
            warn_user(f"compile: {message}")

    def _forget(self) -> None:
        """Drop the oldest programs if there are too many kinds of arguments."""
        if len(self.variants) > SIGNATURES:
            oldest = next(iter(self.variants))
            del self.variants[oldest]
            self.attempts.pop(oldest, None)
            self.enter = None
            self._warn(
                f"{called(self.function)} is called with more than {SIGNATURES} kinds of arguments "
                "(structure, shapes, dtypes, numbers). Each is traced, and only the last ones are "
                "kept; pass numbers that change as arrays"
            )

    def _remember(self, variant: Variant, args: Any, settings: Any) -> None:
        """Try this program first in the next call, if the arguments are arrays."""
        simple = not settings and all(type(x) is Tensor or backend.is_data(x) for x in args)
        if simple and not self.check:
            self.enter = variant.enter


@public
def compile(
    function: Any = None, *, threads: int = 1, check: bool = False, reassociate: bool = False
) -> Any:
    """A function that computes what `function` does, with the same bits, by a list of NumPy calls.

    No graph is made. Use it as a decorator or call it.

    Parameters
    ----------
    function : callable, optional
        The function to compile. Its arguments are NumPy arrays and Tensors that require no
        gradient, in any tree. Without it, a decorator with the other parameters is returned.
    threads : int, default 1
        The number of threads on which chains of elementwise calls on big arrays run.
    check : bool, default False
        If true, each call also runs `function` itself, and compares all results and all that is
        left in arrays.
    reassociate : bool, default False
        If true, factors are merged and sums of products are one product where this is faster, and
        the last bits differ.

    Returns
    -------
    callable
        A function with the parameters of `function`. Its attribute `source` is the text of the
        program that was traced last, `programs` are those of all, and ``save(path)`` writes the
        last one as a Python module.

    Raises
    ------
    TypeError
        If `function` is not callable.
    ValueError
        If `threads` is not a positive integer, or if both `check` and `reassociate` are true.
    AutogradError
        In a call with `check`, if a result differs.

    Warns
    -----
    AutogradWarning
        In a call, once, if the function cannot be a program and runs as it is. The warning says
        why.

    Notes
    -----
    The list is recorded in the first call: `function` runs once with tracing arrays, which note
    every NumPy call of operations, derivative rules, transforms, ``backward()`` and optimisers.
    Other shapes, dtypes, memory orders, numbers or flags make another program. What the function
    reaches elsewhere (parameters, buffers, attributes, globals) is read and written where it is,
    and compared in each call. See docs/compiling.md.

    Examples
    --------
    >>> import autograd_core as ac, numpy as np
    >>> slope = ac.compile(ac.grad(lambda x: ac.sum(ac.sin(x) * x)))
    >>> slope(np.zeros(2))
    array([0., 0.])
    >>> "np.cos(x" in slope.source
    True
    """
    if function is None:
        return partial(compile, threads=threads, check=check, reassociate=reassociate)
    if not callable(function):
        raise TypeError(f"compile: expected a function, not {function!r:.60}")
    if not isinstance(threads, int) or isinstance(threads, bool) or threads < 1:
        raise ValueError(f"compile: threads must be a positive integer, not {threads!r}")
    if check and reassociate:
        raise ValueError("compile: check compares bits, which reassociate changes")
    return Compiled(function, threads, check, reassociate)


def _structure(tree: Any) -> Any:
    """The structure of a tree of arguments, and the numbers in it, which are static."""
    if isinstance(tree, dict):
        return (type(tree), *((type(k), k, _structure(entry)) for k, entry in tree.items()))
    if isinstance(tree, tuple | list):
        return (type(tree), *map(_structure, tree))
    if is_dataclass(tree):
        return (type(tree), *((key, _structure(entry)) for key, entry in vars(tree).items()))
    return ()


def _unfollowed(tree: Any) -> str:
    """The type of a list, tuple, dict or dataclass among the arguments whose attributes would be
    lost; empty if there is none."""
    if isinstance(tree, dict | list | tuple):
        attributes = getattr(tree, "__dict__", None)
        entries = tree.values() if isinstance(tree, dict) else tree
    elif is_dataclass(tree):
        entries = [getattr(tree, field.name, None) for field in fields(tree)]
        attributes = len(getattr(tree, "__dict__", ())) > len(entries)
    else:
        return ""
    if attributes:
        return type(tree).__name__
    return next((odd for entry in entries if (odd := _unfollowed(entry))), "")


def _kind(leaf: Any) -> Any:
    """What a program depends on of an argument; None if it cannot be compiled for it."""
    if type(leaf) is Tensor and leaf.node is None and leaf._grad is None:
        kind = _kind(leaf._array)
        return kind and (Tensor, *kind)
    if type(leaf) is np.ndarray or backend.on_device(leaf):
        aligned = backend.on_device(leaf) or leaf.flags.aligned
        return backend.device_of(leaf), leaf.shape, leaf.dtype, leaf.strides, aligned
    if isinstance(leaf, np.generic):
        return type(leaf), leaf.tobytes()
    if isinstance(leaf, bool | int | str | float | complex):
        return type(leaf), repr(leaf)
    return None


__all__ = ["Compiled", "compile"]
