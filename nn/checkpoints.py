"""Checkpoints: the state of a run in files that a kill at any moment leaves whole."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autograd_core import __version__
from autograd_core.errors import ArgumentError, AutogradError, AutogradWarning
from autograd_core.errors.tracebacks import public
from nn.files import replaced
from nn.mnist import DataError
from nn.packing import packed, unpacked

__all__ = ["Checkpoint", "Checkpoints"]

FORMAT = 1
LOCK = "run.lock"


class Checkpoint(NamedTuple):
    """A state that was saved.

    Parameters
    ----------
    step : int
        The number of the step.
    state : object
        The nested state.

    See Also
    --------
    Checkpoints : Saves and loads the checkpoints of a run.

    Examples
    --------
    >>> import nn
    >>> nn.Checkpoint(100, {"lr": 0.1})
    Checkpoint(step=100, state={'lr': 0.1})
    """

    step: int
    state: Any


class Checkpoints:
    """The checkpoints of a run in a folder, of which the last ones are kept.

    A checkpoint is there completely or not at all, also after a kill at any moment. `fit` saves and
    restores all that a run consists of.

    Parameters
    ----------
    folder : str or Path
        The folder, which is made if need be.
    keep : int, default 3
        The number of checkpoints that are kept.

    Raises
    ------
    ArgumentError
        If `keep` is not an integer of at least 1.

    Notes
    -----
    The arrays of a state are written to a safetensors file, the rest to a JSON file beside it, with
    digests of both (SHA-256). Each file is written under another name, synchronised with the disk
    and then renamed, the JSON file last.

    Examples
    --------
    >>> import nn, tempfile
    >>> model = nn.Linear(2, 1)
    >>> checkpoints = nn.Checkpoints(tempfile.mkdtemp())
    >>> path = checkpoints.save(100, {"model": model.state_dict()})
    >>> found = checkpoints.load()
    >>> found.step
    100
    >>> model.load_state_dict(found.state["model"])
    IncompatibleKeys(missing_keys=[], unexpected_keys=[])
    """

    @public
    def __init__(self, folder: str | os.PathLike[str], keep: int = 3) -> None:
        if not isinstance(keep, int) or keep < 1:
            raise ArgumentError(f"Checkpoints: keep is an integer, at least 1, not {keep!r}")
        self.folder, self.keep = Path(folder), keep

    @public
    def save(self, step: int, state: Any) -> Path:
        """Write a checkpoint, and remove those before the last `keep`.

        Parameters
        ----------
        step : int
            The number of the step, by which checkpoints are ordered.
        state : object
            Any nesting of dicts, lists and tuples of arrays, numbers, strings and None, as
            `state_dict` of models, optimisers, schedules and loaders return it.

        Returns
        -------
        Path
            The path of the JSON file.

        Raises
        ------
        DTypeError
            If the state contains anything else.
        OSError
            If it cannot be written. The checkpoints that were there remain.
        """
        from safetensors.numpy import save

        plain, arrays = packed(state)
        content = save(arrays)
        digest = hashlib.sha256(content).hexdigest()
        name = f"step-{step:010d}"
        described = {
            "format": FORMAT, "step": step, "arrays": f"{name}-{digest[:12]}.safetensors",
            "arrays_digest": digest, "versions": _versions(), "state": plain,
        }  # fmt: skip
        described["digest"] = _digest(described)
        home, path = self.folder / str(described["arrays"]), self.folder / f"{name}.json"
        with replaced(home, path) as (arrays_part, json_part):
            arrays_part.write_bytes(content)
            json_part.write_text(json.dumps(described, indent=1))
        self._tidy()
        return path

    @public
    def load(self) -> Checkpoint | None:
        """The newest checkpoint that is whole. A damaged one is left out with a warning.

        Returns
        -------
        Checkpoint or None
            None if the folder has none.

        Raises
        ------
        DataError
            If all are damaged.
        """
        damaged = None
        for path in self.paths()[::-1]:
            try:
                return _read(path)
            except DataError as error:
                damaged = error
                warnings.warn(
                    f"{error}; the checkpoint before it is used", AutogradWarning, stacklevel=3
                )
        if damaged is not None:
            raise DataError(f"{self.folder}: every checkpoint is damaged. The oldest: {damaged}")
        return None

    def clear(self) -> None:
        """Remove all checkpoints of the folder."""
        for path in [*self.paths(), *self.folder.glob("step-*.safetensors")]:
            self._remove(path.name)

    def paths(self) -> list[Path]:
        """The JSON files, the newest last."""
        return sorted(self.folder.glob("step-*.json"))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """A context manager in which no other process can use the folder. The lock ends with the
        process, however it ends. Raises AutogradError if another process has it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / LOCK).open("a+") as file:
            if not _lock(file):
                file.seek(0)
                raise AutogradError(
                    f"{self.folder} is used by another run (process {file.read().strip()})"
                )
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    def _tidy(self) -> None:
        """Remove old checkpoints, and files that belong to none. The JSON file is removed first, so
        that no checkpoint lacks its arrays."""
        for path in self.paths()[: -self.keep]:
            self._remove(path.name)
        kept = {_arrays_of(path) for path in self.paths()}
        for path in [*self.folder.glob("step-*.safetensors"), *self.folder.glob(".step-*.part")]:
            if path.name not in kept:
                self._remove(path.name)

    def _remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(self.folder / name)

    def __repr__(self) -> str:
        return f"Checkpoints({str(self.folder)!r}, keep={self.keep})"


def _versions() -> dict[str, str]:
    return {"autograd_core": __version__, "numpy": np.__version__,
            "python": platform.python_version()}  # fmt: skip


def _digest(described: Mapping[str, Any]) -> str:
    text = json.dumps({k: v for k, v in described.items() if k != "digest"}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _lock(file: Any) -> bool:
    """Lock a file until it is closed; False if another process has locked it."""
    try:
        import fcntl
    except ImportError:  # on Windows
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _described(path: Path) -> dict[str, Any]:
    """The content of a JSON file, checked."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} is damaged: {error}") from error
    if not isinstance(found, dict) or "arrays_digest" not in found or "state" not in found:
        raise DataError(f"{path} is damaged: it is no checkpoint")
    if found.get("format") != FORMAT:
        raise DataError(f"{path} has the format {found.get('format')!r}, not {FORMAT}")
    if _digest(found) != found.get("digest"):
        raise DataError(f"{path} is damaged: it was altered")
    return found


def _arrays_of(path: Path) -> str:
    try:
        return str(_described(path)["arrays"])
    except DataError:
        return ""


def _read(path: Path) -> Checkpoint:
    from safetensors.numpy import load

    found = _described(path)
    home = path.with_name(Path(found["arrays"]).name)
    try:
        content = home.read_bytes()
    except OSError as error:
        raise DataError(f"{path} is damaged: its arrays are missing, {error}") from error
    if hashlib.sha256(content).hexdigest() != found["arrays_digest"]:
        raise DataError(f"{path} is damaged: {home.name} was altered")
    return Checkpoint(int(found["step"]), unpacked(found["state"], load(content)))
