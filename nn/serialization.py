"""Weights on disk: NumPy's .npz, without pickle, written atomically."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autograd_core.errors import ArgumentError
from nn.data.readers import read_npz
from nn.files import replaced

__all__ = ["load_state", "save_state"]


def save_state(state: Mapping[str, Any], path: str | Path) -> Path:
    """Write the weights of a model to an .npz file, without pickle.

    If writing is interrupted, an existing file is left unchanged.

    Parameters
    ----------
    state : dict
        Arrays by name, as ``model.state_dict()`` returns them.
    path : str or Path
        The file, which must end in .npz.

    Returns
    -------
    Path
        The path of the file.

    Raises
    ------
    ArgumentError
        If the path ends in anything else.

    See Also
    --------
    save_safetensors : A format that PyTorch and others read.

    Examples
    --------
    >>> import nn, tempfile
    >>> model = nn.Linear(2, 1)
    >>> path = nn.save_state(model.state_dict(), f"{tempfile.mkdtemp()}/weights.npz")
    >>> model.load_state_dict(nn.load_state(path))
    IncompatibleKeys(missing_keys=[], unexpected_keys=[])
    >>> path.name
    'weights.npz'
    """
    path = Path(path)
    if path.suffix != ".npz":
        raise ArgumentError(f"weights are saved as .npz; {path.name!r} ends in {path.suffix!r}")
    with replaced(path) as (part,), zipfile.ZipFile(part, "w") as archive:
        for name, array in state.items():  # np.savez(**state) would not allow the name "file"
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.asarray(array), allow_pickle=False)
    return path


def load_state(path: str | Path) -> dict[str, Any]:
    """Read a file that `save_state` wrote.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    dict of arrays
        The arrays by name, for `load_state_dict`.

    Raises
    ------
    DataError
        If the file is missing or damaged, is another kind of file, or contains Python objects,
        which are not unpickled.

    Examples
    --------
    >>> import nn, tempfile
    >>> layer = nn.Linear(2, 1)
    >>> path = nn.save_state(layer.state_dict(), f"{tempfile.mkdtemp()}/weights.npz")
    >>> list(nn.load_state(path))
    ['weight', 'bias']
    """
    return read_npz(path)
