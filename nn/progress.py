"""The progress bar of `nn.fit`: tqdm, if it is installed and somebody can see it."""

from __future__ import annotations

import sys
import time
from importlib.util import find_spec
from types import TracebackType
from typing import Any, Self

from nn.history import shown

SECONDS = 0.2  # between two updates


class Bar:
    """A bar for each epoch. `wanted` is True, False, or None for where it can be seen."""

    def __init__(self, wanted: bool | None) -> None:
        if wanted is None:
            wanted = sys.stderr.isatty() or _in_notebook()
            if wanted and not _has_tqdm():
                wanted = False
        self.wanted = wanted
        self.bar: Any = None
        self._next = 0.0
        self._waiting = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def start(self, title: str, length: int | None, done: int) -> None:
        """Begin an epoch."""
        if self.wanted:
            tqdm = _bar()
            self._close()
            self.bar = tqdm(total=length, initial=done, desc=title, unit="batch", leave=True)
            self._next, self._waiting = 0.0, 0

    def advance(self, total: float, count: int) -> None:
        """A batch has ended; `total` is the sum of `count` losses."""
        if self.bar is None:
            return
        self._waiting += 1
        now = time.monotonic()
        if now >= self._next:
            self.bar.set_postfix_str(f"loss {shown(total / count)}", refresh=False)
            self.bar.update(self._waiting)
            self._next, self._waiting = now + SECONDS, 0

    def end(self, row: dict[str, Any]) -> None:
        """An epoch has ended."""
        if self.bar is not None:
            numbers = {k: v for k, v in row.items() if isinstance(v, float) and k != "seconds"}
            words = ", ".join(f"{name} {shown(value)}" for name, value in numbers.items())
            self.bar.set_postfix_str(words, refresh=False)
            self.bar.update(self._waiting)
            self._waiting = 0
            self._close()

    def _close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython")
    found = shell.get_ipython() if shell is not None else None
    return type(found).__name__ == "ZMQInteractiveShell"


def _bar() -> Any:
    """The bar for this output. In a notebook without ipywidgets it is text; tqdm would warn."""
    if _in_notebook() and find_spec("ipywidgets") is None:
        from tqdm.std import tqdm as bar
    else:
        from tqdm.auto import tqdm as bar
    return bar


def _has_tqdm() -> bool:
    return find_spec("tqdm") is not None
