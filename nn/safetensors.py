"""Weights in Hugging Face's safetensors format, which PyTorch, JAX and others read and write.

The `safetensors` package is imported when a function is first used. It reads the memory of an array
from its first byte, whatever the strides: a transposed array would be written with its elements in
the wrong places. Only row-major, little-endian arrays are passed to it here.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autograd_core.errors import ArgumentError, DTypeError
from nn.bfloat16 import narrowed, native
from nn.files import replaced
from nn.mnist import DataError
from nn.module import host_array

__all__ = ["load_safetensors", "save_safetensors"]

# The format's names of dtypes, and the package's. NumPy has no bfloat16; its bits are a uint16.
KINDS = {
    "BOOL": "bool",
    "I8": "int8", "I16": "int16", "I32": "int32", "I64": "int64",
    "U8": "uint8", "U16": "uint16", "U32": "uint32", "U64": "uint64",
    "F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64",
    "C64": "complex64",
}  # fmt: skip
FLOATS = ("bfloat16", "float16", "float32", "float64")
CHECKSUM = "autograd_core.crc32"  # a key of the metadata: the format has no checksum of its own
INDEX = ".safetensors.index.json"


class Stored(NamedTuple):
    """An array as the file holds it: row-major, little-endian, bfloat16 as uint16."""

    name: str
    kind: str
    array: Any


def save_safetensors(
    state: Mapping[str, Any],
    path: str | Path,
    *,
    metadata: Mapping[str, str] | None = None,
    dtype: Any = None,
    max_shard_size: int | None = None,
) -> Path:
    """Write arrays by name to a .safetensors file, which PyTorch, JAX and others read.

    If writing is interrupted, an existing file is left unchanged. If it is interrupted while shards
    take the places of others of the same names, `load_safetensors` raises an error for the mixture.

    Parameters
    ----------
    state : dict
        A ``state_dict()``, or any arrays and Tensors by name: booleans, integers, float16, float32,
        float64 or complex64, of any shape, memory order and device.
    path : str or Path
        The file, which must end in .safetensors.
    metadata : dict of str, optional
        Texts that are stored in the file, with a checksum of the arrays, by which
        `load_safetensors` detects that a file was altered, and ``"format": "pt"``, which Hugging
        Face's loaders expect.
    dtype : str or dtype, optional
        The dtype to which arrays of floating-point numbers are converted, rounded to nearest even:
        "bfloat16", "float16", "float32" or "float64".
    max_shard_size : int, optional
        The largest size of a file in bytes. The arrays are distributed over files of at most this
        size (or of one array), model-00001-of-00003.safetensors …, and model.safetensors.index.json
        says which array is where.

    Returns
    -------
    Path
        The path for `load_safetensors`: that of the file, or of the index.

    Raises
    ------
    DTypeError
        If an array or `dtype` is of a dtype that the format lacks.
    ArgumentError
        If the path ends in anything else, or for names or settings that the format lacks.
    ImportError
        Without the `safetensors` package.

    Examples
    --------
    >>> import numpy as np, nn, tempfile
    >>> path = f"{tempfile.mkdtemp()}/model.safetensors"
    >>> path = nn.save_safetensors({"weight": np.eye(2)}, path, dtype="float32")
    >>> nn.load_safetensors(path)
    {'weight': array([[1., 0.],
           [0., 1.]], dtype=float32)}
    """
    library = _library()
    path = Path(path)
    sharded = max_shard_size is not None
    if path.suffix != ".safetensors" and not (sharded and path.name.endswith(INDEX)):
        raise ArgumentError(
            f"weights are saved as .safetensors; {path.name!r} ends in {path.suffix!r}"
        )
    stored = _stored(state, dtype)
    more = _metadata(metadata)
    if max_shard_size is None:
        with replaced(path) as (part,):
            _write(library, stored, part, more)
        return path
    stem = path.name.removesuffix(INDEX).removesuffix(".safetensors")
    shards = _shards(stored, max_shard_size)
    names = [f"{stem}-{i:05}-of-{len(shards):05}.safetensors" for i in range(1, len(shards) + 1)]
    places = {each.name: name for name, shard in zip(names, shards, strict=True) for each in shard}
    size = sum(each.array.nbytes for each in stored)
    index = path.with_name(f"{stem}{INDEX}")
    with replaced(*(path.with_name(name) for name in names), index) as (*parts, last):
        sums = {
            name: _write(library, shard, part, more)
            for name, shard, part in zip(names, shards, parts, strict=True)
        }
        content = {"metadata": {"total_size": size, CHECKSUM: sums}, "weight_map": places}
        last.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return index


def load_safetensors(path: str | Path) -> dict[str, Any]:
    """Read the arrays of a .safetensors file.

    Files of other programs are read too; only those of `save_safetensors` have a checksum. While it
    is read, a file takes twice its size in memory.

    Parameters
    ----------
    path : str or Path
        A .safetensors file, a .safetensors.index.json with its shards, or a folder that holds one
        of them.

    Returns
    -------
    dict of arrays
        The arrays by name, sorted, for `load_state_dict`. They are row-major, writable and on the
        host. bfloat16 becomes float32, without rounding.

    Raises
    ------
    DataError
        If a file is truncated, altered, of another format, or missing in its folder or beside its
        index.
    FileNotFoundError
        If there is no such file.
    DTypeError
        For floating-point numbers of 8 bits or fewer (F8_E4M3 …).
    ImportError
        Without the `safetensors` package.

    Examples
    --------
    >>> import nn, tempfile
    >>> model = nn.Linear(2, 1)
    >>> path = f"{tempfile.mkdtemp()}/model.safetensors"
    >>> path = nn.save_safetensors(model.state_dict(), path)
    >>> state = nn.load_safetensors(path)
    >>> list(state)
    ['bias', 'weight']
    >>> model.load_state_dict(state)
    IncompatibleKeys(missing_keys=[], unexpected_keys=[])
    """
    path = Path(path)
    if path.is_dir():
        path = _file_in(path)
    if path.suffix == ".json":
        return _read_shards(path)
    return _read(path)[0]


def _library() -> Any:
    try:
        import safetensors
    except ImportError as error:
        raise ImportError(
            "safetensors files need the safetensors package: pip install safetensors"
        ) from error
    return safetensors


# ---- writing ------------------------------------------------------------------------------------


def _stored(state: Any, dtype: Any) -> list[Stored]:
    """The arrays of `state` as the file holds them."""
    if not isinstance(state, Mapping):
        raise ArgumentError(
            f"save_safetensors takes a dict of arrays by name, as state_dict() returns, not a "
            f"{type(state).__name__}"
        )
    wanted = _float_kind(dtype)
    for name in state:
        if not isinstance(name, str):
            raise ArgumentError(f"arrays are named by texts, not by {name!r}")
        if name == "__metadata__" or any("\ud800" <= letter <= "\udfff" for letter in name):
            raise ArgumentError(f"an array in a safetensors file cannot have the name {name!r}")
    return [_one(name, host_array(values), wanted) for name, values in state.items()]


def _float_kind(dtype: Any) -> str | None:
    if dtype is None:
        return None
    try:
        kind = "bfloat16" if dtype == "bfloat16" else np.dtype(dtype).name
    except TypeError:
        kind = str(dtype)
    if kind not in FLOATS:
        raise DTypeError(f"dtype is one of {', '.join(FLOATS)}, or None; not {kind}")
    return kind


REMEDIES = {
    "c": "write x.astype(np.complex64), or save x.real and x.imag",
    "f": "write x.astype(np.float64)",
}


def _one(name: str, array: Any, wanted: str | None) -> Stored:
    kind = array.dtype.name
    if kind not in KINDS.values():
        remedy = REMEDIES.get(array.dtype.kind, "only numbers and booleans can be saved")
        raise DTypeError(f"{name} has dtype {array.dtype}, which safetensors lacks: {remedy}")
    if array.dtype.kind == "f" and wanted is not None:
        kind = wanted
        if kind == "bfloat16":
            array = narrowed(array)
        else:
            with np.errstate(over="ignore", under="ignore"):
                array = array.astype(kind)
    return Stored(name, kind, np.asarray(array, _dtype(kind), order="C"))


def _dtype(kind: str) -> Any:
    return np.dtype("uint16" if kind == "bfloat16" else kind).newbyteorder("<")


def _metadata(metadata: Any) -> dict[str, str]:
    given = {} if metadata is None else metadata
    if not isinstance(given, Mapping) or not all(
        isinstance(text, str) for item in given.items() for text in item
    ):
        raise ArgumentError("metadata is a dict from text to text; convert numbers with str()")
    if CHECKSUM in given:
        raise ArgumentError(f"metadata cannot have the key {CHECKSUM!r}: the checksum is there")
    return {"format": "pt"} | dict(given)


def _shards(stored: list[Stored], limit: Any) -> list[list[Stored]]:
    """`stored` in its order, in lists of at most `limit` bytes or of one array."""
    if isinstance(limit, bool) or not isinstance(limit, int | np.integer) or limit < 1:
        raise ArgumentError(f"max_shard_size is a positive number of bytes, not {limit!r}")
    shards: list[list[Stored]] = [[]]
    size = 0
    for each in stored:
        if shards[-1] and size + each.array.nbytes > limit:
            shards.append([])
            size = 0
        shards[-1].append(each)
        size += each.array.nbytes
    return shards


def _write(library: Any, stored: list[Stored], part: Path, metadata: dict[str, str]) -> str:
    """Write a file; returns its checksum."""
    checksum = _checksum(stored)
    part.touch()
    mode = part.stat().st_mode  # some versions of the package create files that only the user reads
    specs = {each.name: _spec(library, each) for each in stored}
    try:
        library.serialize_file(specs, part, metadata=metadata | {CHECKSUM: checksum})
    except library.SafetensorError as error:
        first = next((each.name for each in stored if each.kind == "complex64"), None)
        if first is not None and "complex64" in str(error):
            raise DTypeError(
                f"{first} has dtype complex64, which this version of the safetensors package "
                "lacks: pip install -U safetensors, or save x.real and x.imag"
            ) from error
        raise OSError(f"{part} cannot be written: {error}") from error
    os.chmod(part, mode)
    return checksum


def _spec(library: Any, each: Stored) -> Any:
    """What `serialize_file` takes: since version 0.8 the address of the array, before its bytes."""
    kind, array = each.kind, each.array
    if not hasattr(library, "TensorSpec"):
        return {"dtype": kind, "shape": array.shape, "data": array.tobytes()}
    return library.TensorSpec(
        dtype=kind, shape=array.shape, data_ptr=array.ctypes.data, data_len=array.nbytes
    )


def _checksum(stored: Iterable[Stored]) -> str:
    """The CRC-32 of names, dtypes, shapes and elements, in the order of names."""
    crc = 0
    for name, kind, array in sorted(stored, key=lambda each: each.name):
        crc = zlib.crc32(f"{name} {kind} {array.shape}".encode(), crc)
        crc = zlib.crc32(array.reshape(-1).view(np.uint8), crc)
    return f"{crc:08x}"


# ---- reading ------------------------------------------------------------------------------------


def _file_in(folder: Path) -> Path:
    """The index in a folder, or its only .safetensors file."""
    shard = re.compile(r"-\d{5}-of-\d{5}\.safetensors$")
    indices = sorted(folder.glob(f"*{INDEX}"))
    files = sorted(folder.glob("*.safetensors"))
    whole = [file for file in files if not (indices and shard.search(file.name))]
    found = [*indices, *whole]
    if len(found) == 1:
        return found[0]
    if not found:
        raise DataError(f"{folder} holds no .safetensors file and no *{INDEX}")
    names = ", ".join(file.name for file in found)
    raise DataError(f"{folder} holds several files of weights: {names}. Pass the path of one")


def _read_shards(path: Path) -> dict[str, Any]:
    try:
        index = json.loads(path.read_bytes())
        places = {str(name): Path(file) for name, file in index["weight_map"].items()}
        sums = index.get("metadata", {}).get(CHECKSUM, {})
        names = {file.name: sums.get(file.name) for file in places.values()}
        outside = [str(file) for file in places.values() if file != Path(file.name)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(f"{path}: expected an index with a weight_map, found: {error!r}") from error
    if outside:
        raise DataError(f"{path} names {outside[0]!r}; shards lie in the folder of their index")
    arrays: dict[str, Any] = {}
    for name in names:
        if not path.with_name(name).is_file():
            raise DataError(f"{path.with_name(name)} is missing; {path.name} names it")
    for name, known in names.items():
        file = path.with_name(name)
        shard, checksum = _read(file)
        expected = {each for each, place in places.items() if place.name == name}
        if shard.keys() != expected:
            differing = sorted(shard.keys() ^ expected)
            raise DataError(f"{file} does not hold what {path.name} says: see {differing[:5]}")
        if known is not None and checksum != known:
            raise DataError(
                f"{file} was not written with {path.name}: expected the checksum {known}, found "
                f"{checksum}. Was writing interrupted?"
            )
        arrays |= shard
    return dict(sorted(arrays.items()))


def _read(path: Path) -> tuple[dict[str, Any], str | None]:
    """The arrays of one file, and the checksum in its metadata."""
    library = _library()
    content = path.read_bytes()
    try:
        entries = library.deserialize(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    except (library.SafetensorError, ValueError) as error:
        reason = str(error).removeprefix("Error while deserializing: ")
        raise DataError(
            f"{path}: expected a whole safetensors file, found {len(content):,} bytes: {reason}"
        ) from error
    del content
    stored = []
    for name, entry in sorted(entries, key=lambda item: item[0]):
        kind = KINDS.get(entry["dtype"])
        if kind is None:
            raise DTypeError(
                f"{path}: {name} has dtype {entry['dtype']}, which NumPy lacks: in PyTorch, save "
                "x.to(torch.bfloat16) or x.float()"
            )
        flat = np.frombuffer(entry["data"], _dtype(kind))
        stored.append(Stored(name, kind, flat.reshape(entry["shape"])))
    known = header.get("__metadata__", {}).get(CHECKSUM)
    if known is not None and known != (found := _checksum(stored)):
        raise DataError(
            f"{path} was altered since it was written: expected the checksum {known}, found {found}"
        )
    return {each.name: native(each.array, each.kind) for each in stored}, known
