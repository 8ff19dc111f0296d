"""Files that ``torch.save`` wrote, read without PyTorch and without executing anything.

Such a file is a zip archive: a pickle of what was saved, and an entry for the memory of each
storage. A tensor is a call in the pickle, with a storage, an offset, a shape and strides.
"""

from __future__ import annotations

import math
import struct
import zipfile
import zlib
from collections import OrderedDict
from pathlib import Path
from typing import Any, Literal, NamedTuple, NoReturn

import numpy as np

from autograd_core.errors import AutogradError, DTypeError
from nn.bfloat16 import native
from nn.mnist import DataError
from nn.pickles import PLAIN, Machine, dotted, plain_items
from nn.pickles import plain as key_of

__all__ = ["load_torch"]

KINDS = (
    "bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64",
    "float16", "bfloat16", "float32", "float64", "complex64", "complex128",
)  # fmt: skip
LACKING = (
    "complex32", "float4_e2m1fn_x2", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2",
    "float8_e5m2fnuz", "float8_e8m0fnu", "qint8", "qint32", "quint8", "quint4x2", "quint2x4",
)  # fmt: skip
STORAGES = {
    "torch BoolStorage": "bool", "torch ByteStorage": "uint8", "torch CharStorage": "int8",
    "torch ShortStorage": "int16", "torch IntStorage": "int32", "torch LongStorage": "int64",
    "torch HalfStorage": "float16", "torch BFloat16Storage": "bfloat16",
    "torch FloatStorage": "float32", "torch DoubleStorage": "float64",
    "torch ComplexFloatStorage": "complex64", "torch ComplexDoubleStorage": "complex128",
    "torch.storage UntypedStorage": "bytes", "torch UntypedStorage": "bytes",
}  # fmt: skip
FUNCTIONS = {
    "torch._utils _rebuild_tensor_v2": "tensor",
    "torch._utils _rebuild_tensor_v3": "tensor_of_bytes",
    "torch._utils _rebuild_parameter": "parameter",
    "torch Size": "size",
    "collections OrderedDict": "ordered",
    "_codecs encode": "encoded",
} | {
    f"{module} {name}": name
    for module in ("builtins", "__builtin__")
    for name in ("bytes", "complex", "frozenset", "set")
}


class Function(NamedTuple):
    """A function that a pickle may call, as `Reader` defines it in its own table."""

    name: str


class StorageType(NamedTuple):
    """A class of storages, in persistent ids. The tensors of "bytes" say their dtype."""

    kind: str


class Storage(NamedTuple):
    """The memory of tensors."""

    key: str
    kind: str
    memory: bytearray


LEGACY = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
RESAVE = "in PyTorch, write torch.save(model.state_dict(), path)"
BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError,
    IndexError, KeyError, TypeError, OverflowError, Warning,  # where warnings are errors
)  # fmt: skip
CONTAINERS = (dict, list, tuple, set, frozenset)
ROOM = 2**30  # a file may expand to eight times its size and this number of bytes


def load_torch(path: str | Path) -> Any:
    """Read a file that ``torch.save`` wrote (since PyTorch 1.6). PyTorch is not needed.

    Nothing in the file is executed. It may contain Tensors, Parameters, dicts, lists, tuples, sets,
    numbers, texts, bytes, None, ``torch.Size`` (read as a tuple) and dtypes (NumPy's, or the text
    "bfloat16"). Anything else, such as a whole model, is an error.

    Parameters
    ----------
    path : str or Path
        A .pt or .pth file.

    Returns
    -------
    object
        What was saved, with NumPy arrays in place of Tensors and Parameters. A ``state_dict()``
        becomes an OrderedDict of arrays by name, for `load_state_dict`; a checkpoint with more in
        it keeps its structure. The arrays are row-major, writable and on the host; different
        Tensors share no memory. bfloat16 becomes float32, without rounding.

    Raises
    ------
    DataError
        If the file is truncated, altered, TorchScript, of another format, or contains anything else
        than the above, which the message names.
    DTypeError
        For a Tensor of a dtype that NumPy lacks (float8_e4m3fn …).
    FileNotFoundError
        If there is no such file.

    Examples
    --------
    >>> import nn, tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp(), "model.pt")
    >>> _ = path.write_bytes(b"no archive")
    >>> try:
    ...     state = nn.load_torch(path)
    ... except nn.DataError as error:
    ...     print(str(error).rpartition(": ")[2])
    expected an archive of torch.save, found b'no archive' …
    """
    path = Path(path)
    with path.open("rb") as file:
        start = file.read(len(LEGACY))
        if start == LEGACY:
            raise DataError(
                f"{path} has the format of PyTorch before 1.6: in PyTorch, write "
                "torch.save(torch.load(path), path)"
            )
        if not start.startswith(b"PK"):
            raise DataError(f"{path}: expected an archive of torch.save, found {start!r} …")
        try:
            with zipfile.ZipFile(file) as archive:
                return Reader(path, archive).read()
        except AutogradError:
            raise
        except BROKEN as error:
            raise DataError(f"{path} is truncated or altered: {error}") from error


class Reader(Machine):
    """Reads one archive."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        super().__init__()
        self.path = path
        self.archive = archive
        self.entries = {entry.filename: entry for entry in archive.infolist()}
        self.memories: dict[str, bytearray] = {}
        self.lent: set[str] = set()  # storages whose memory an array of the result has
        size = path.stat().st_size
        self.unread, self.room = size, ROOM + 8 * size

    def read(self) -> Any:
        found = [name for name in self.entries if name.split("/")[1:] == ["data.pkl"]]
        if len(found) != 1:
            self.fail("is a zip archive, but not one of torch.save: it has no data.pkl")
        self.folder = found[0].removesuffix("data.pkl")
        if f"{self.folder}constants.pkl" in self.entries:
            self.fail(f"is a TorchScript archive, written by torch.jit.save: {RESAVE}")
        named = f"{self.folder}byteorder" in self.entries
        self.order: Literal["<", ">"] = (
            ">" if named and self.content("byteorder") == b"big" else "<"
        )
        result = self.run(self.content("data.pkl"))
        self.check(result)
        return result

    def fail(self, problem: str) -> NoReturn:
        raise DataError(f"{self.path} {problem}")

    def refuse(self, what: str) -> NoReturn:
        raise DataError(
            f"{self.path}: contains {what}, which is not a tensor; nothing was executed. To save "
            f"tensors only, {RESAVE}"
        )

    def content(self, name: str) -> bytes:
        entry = self.entries.get(self.folder + name)
        if entry is None:
            self.fail(f"lacks its entry {name!r}")
        if entry.compress_type != zipfile.ZIP_STORED:
            self.fail(f"has a compressed entry {name!r}; torch.save does not compress")
        self.unread -= entry.file_size
        if self.unread < 0:
            self.fail("has entries that overlap")
        return self.archive.read(entry)

    def check(self, result: Any) -> None:
        """Raise DataError for what has a meaning within the pickle only."""
        pending, seen = [result], set()
        while pending:
            each = pending.pop()
            if isinstance(each, Function | StorageType | Storage):
                self.refuse(f"a {type(each).__name__} as a value")
            if isinstance(each, dict | list | tuple) and id(each) not in seen:
                seen.add(id(each))
                pending += each.values() if isinstance(each, dict) else each
            elif not isinstance(each, (*PLAIN, *CONTAINERS, np.ndarray, np.dtype)):
                self.refuse(f"a {type(each).__name__}")

    # What names, calls and persistent ids mean

    def named(self, name: str) -> Any:
        if name in FUNCTIONS:
            return Function(FUNCTIONS[name])
        if name in STORAGES:
            return StorageType(STORAGES[name])
        kind = name.removeprefix("torch ")
        if kind != name and kind in LACKING:
            raise DTypeError(
                f"{self.path} contains the dtype {kind}, which NumPy lacks: in PyTorch, save "
                "x.to(torch.bfloat16) or x.float()"
            )
        if kind == name or kind not in KINDS:
            self.refuse(dotted(name))
        return kind if kind == "bfloat16" else np.dtype(kind)

    def called(self, function: Any, arguments: Any) -> Any:
        if not isinstance(function, Function):
            self.refuse(f"a call of a {type(function).__name__}")
        if type(arguments) is not tuple:
            raise TypeError(f"{function.name} is called with a {type(arguments).__name__}")
        return CALLS[function.name](self, *arguments)

    def persistent(self, key: Any) -> Storage:
        if type(key) is not tuple or len(key) != 5 or key[0] != "storage":
            self.refuse(f"a persistent id that is a {type(key).__name__}, not a storage")
        _, storage_type, name, _, count = key
        if type(storage_type) is not StorageType or type(name) is not str:
            self.refuse("a persistent id whose storage has no class or name")
        if name not in self.memories:
            self.memories[name] = bytearray(self.content(f"data/{name}"))
        memory, kind = self.memories[name], storage_type.kind
        if type(count) is not int:  # and not printed: tuples in tuples may be endless
            self.refuse(f"a storage whose length is a {type(count).__name__}")
        if count * size_of(kind) != len(memory):
            self.fail(
                f"has a storage data/{name} of {len(memory):,} bytes; expected {count} times "
                f"{size_of(kind)}"
            )
        return Storage(name, kind, memory)

    def tensor(
        self, storage: Any, offset: Any, size: Any, strides: Any, *rest: Any, kind: Any = None
    ) -> Any:
        """A tensor; `rest` is whether it requires a gradient, its hooks, and perhaps which of
        negation and conjugation are still to be done."""
        if type(storage) is not Storage:
            raise TypeError("a tensor without a storage")
        kind = storage.kind if kind is None else kind
        if kind not in KINDS:
            raise TypeError("a tensor without a dtype")
        _, _, *flags = rest
        array = self.view(storage, kind, offset, size, strides)
        for flag, value in (flags[0] or {}).items() if flags else ():
            if flag not in LATER:
                self.refuse(f"a tensor with {flag!r}")
            array = np.asarray(LATER[flag](array)) if value is True else array
        return array

    def tensor_of_bytes(self, *arguments: Any) -> Any:
        """A tensor that says its dtype, between the hooks and the flags."""
        *first, dtype = arguments[:7]
        kind = dtype.name if isinstance(dtype, np.dtype) else dtype
        if kind not in KINDS:
            raise TypeError("a tensor without a dtype")
        return self.tensor(*first, *arguments[7:], kind=kind)

    def view(self, storage: Storage, kind: str, offset: Any, size: Any, strides: Any) -> Any:
        """The elements of a storage that a tensor shows, as an array."""
        if not type(size) is type(strides) is tuple:
            raise TypeError("the shape and the strides of a tensor are tuples")
        numbers = (offset, *size, *strides)
        if any(type(n) is not int for n in numbers):
            self.refuse("a tensor whose shape, strides or offset are not integers")
        if len(size) != len(strides) or any(n < 0 for n in numbers):
            self.fail(f"has a tensor of shape {size}, strides {strides} and offset {offset}")
        width, available = size_of(kind), len(storage.memory)
        last = offset + sum((n - 1) * stride for n, stride in zip(size, strides, strict=True))
        dtype = np.dtype("uint16" if kind == "bfloat16" else kind).newbyteorder(self.order)
        if 0 in size:
            return native(np.empty(size, dtype), kind)
        if (last + 1) * width > available:
            self.fail(
                f"has a tensor of shape {size}, strides {strides} and offset {offset}, which "
                f"exceeds its storage data/{storage.key} of {available // width} elements"
            )
        self.room -= math.prod(size) * width
        if self.room < 0:
            self.fail("has tensors much larger than the file, as expand() makes them")
        array = np.ndarray(
            size, dtype, storage.memory, offset * width, [stride * width for stride in strides]
        )
        whole = array.nbytes == available and array.flags.c_contiguous
        if not whole or storage.key in self.lent:
            array = np.array(array, order="C")
        else:
            self.lent.add(storage.key)
        return native(array, kind)

    def parameter(self, data: Any, requires_grad: Any, hooks: Any) -> Any:
        if type(data) is not np.ndarray:
            raise TypeError("a Parameter without a Tensor")
        return data


def size_of(kind: str) -> int:
    return {"bytes": 1, "bfloat16": 2}.get(kind) or np.dtype(kind).itemsize


def _ordered(reader: Reader, pairs: Any = ()) -> Any:
    return OrderedDict((key_of(key), value) for key, value in pairs)


def _encoded(reader: Reader, text: Any, encoding: Any) -> bytes:
    if type(text) is not str or encoding not in ("latin1", "latin-1"):
        raise TypeError("bytes are texts in latin1")
    return text.encode("latin1")


def _complex(reader: Reader, real: Any, imaginary: Any) -> complex:
    if type(real) is not float or type(imaginary) is not float:
        raise TypeError("a complex number has two floats")
    return complex(real, imaginary)


def _size(reader: Reader, lengths: Any = ()) -> tuple[Any, ...]:
    if type(lengths) is not tuple or any(type(n) is not int for n in lengths):
        raise TypeError("a torch.Size is a tuple of integers")
    return lengths


LATER = {"conj": np.conjugate, "neg": np.negative}
CALLS: dict[str, Any] = {
    "tensor": Reader.tensor,
    "tensor_of_bytes": Reader.tensor_of_bytes,
    "parameter": Reader.parameter,
    "size": _size,
    "ordered": _ordered,
    "encoded": _encoded,
    "bytes": lambda reader: b"",
    "complex": _complex,
    "set": lambda reader, items=(): set(plain_items(items)),
    "frozenset": lambda reader, items=(): frozenset(plain_items(items)),
}
