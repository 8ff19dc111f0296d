"""Files of data: tables as CSV, arrays as NPZ, folders of images. (IDX files: `nn.mnist`.)

Nothing is written and nothing is unpickled. A file that is missing, damaged or of another format
raises `DataError`, an OSError, with its path.
"""

from __future__ import annotations

import csv
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from autograd_core.errors import ArgumentError
from nn.mnist import DataError

__all__ = ["ImageFolder", "read_csv", "read_npz"]

IMAGES = {".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
GREY, COLOUR = {"1", "L"}, {"CMYK", "HSV", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "YCbCr"}
DAMAGED = (  # what NumPy, zipfile and Pillow raise while they read a file that is damaged
    EOFError,
    IndexError,
    KeyError,
    MemoryError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


def read_csv(path: str | Path, delimiter: str = ",") -> dict[str, Any]:
    r"""The columns of a CSV file by the names in its first line.

    Parameters
    ----------
    path : str or Path
        The file, whose text is UTF-8. Entries may be quoted (Python's csv module); lines without
        content are skipped.
    delimiter : str, default ','
        The character between entries.

    Returns
    -------
    dict of arrays
        The columns, of shape (rows,), in the file's order. A column is int64 if every entry is an
        integer of 64 bits, else float64 if every entry is a number ("nan" and "inf" are), and
        otherwise holds strings: also if an entry is empty, or an integer is too large for 64 bits.

    Raises
    ------
    DataError
        If the file is missing, is not UTF-8 text, has no names of columns in its first line or one
        of them twice, or has a line with another number of entries.
    ArgumentError
        If `delimiter` is not one character.

    Examples
    --------
    >>> import nn, tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp(), "houses.csv")
    >>> _ = path.write_text("rooms,price\n3,1.5\n4,2.25\n")
    >>> nn.read_csv(path)
    {'rooms': array([3, 4]), 'price': array([1.5 , 2.25])}
    """
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n':
        raise ArgumentError(f"delimiter is one character, such as ',', not {delimiter!r}")
    with _existing(path).open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            names = _names(path, next((row for row in reader if row), []))
            rows = [_row(path, reader.line_num, row, len(names)) for row in reader if row]
        except UnicodeDecodeError as error:
            raise DataError(f"{path} is not UTF-8 text: {error}") from error
        except csv.Error as error:
            raise DataError(f"{path}, line {reader.line_num}: {error}") from error
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    return {name: _column(entries) for name, entries in zip(names, columns, strict=True)}


def read_npz(path: str | Path) -> dict[str, Any]:
    """The arrays of an NPZ file by name, as ``numpy.savez`` writes it.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    dict of arrays
        The arrays, in the file's order.

    Raises
    ------
    DataError
        If the file is missing or damaged, is another kind of file, or contains Python objects,
        which are not unpickled.

    Examples
    --------
    >>> import numpy as np, nn, tempfile
    >>> path = f"{tempfile.mkdtemp()}/data.npz"
    >>> np.savez(path, x=np.ones(3), y=np.arange(3))
    >>> nn.read_npz(path)
    {'x': array([1., 1., 1.]), 'y': array([0, 1, 2])}
    """
    found = _existing(path)
    if not zipfile.is_zipfile(found):
        raise DataError(f"{path} is not a whole NPZ file; expected one that numpy.savez writes")
    try:  # the file is opened here, because np.load leaves a damaged one open
        with found.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            content = {name: arrays[name] for name in arrays.files}
    except DAMAGED as error:
        raise DataError(f"{path}: expected a whole NPZ file of arrays, found: {error}") from error
    for name, array in content.items():
        if not isinstance(array, np.ndarray):
            raise DataError(f"{path}: {name!r} is not an array")
    return content


class ImageFolder:
    """A dataset of the images in the subfolders of a folder, one subfolder for each class.

    Sample i is (image, class number). The image is uint8, of shape (height, width) if it is grey
    and (height, width, 3) otherwise, without its transparency. `classes` are the names of the
    subfolders, sorted; `targets` the class numbers of the samples, int64; `samples` their (path,
    class number). Files are opened when a sample is read, with Pillow (``pip install
    autograd-core[training]``), which is imported then.

    Parameters
    ----------
    folder : str or Path
        The folder with a subfolder for each class.
    transform : callable, optional
        A function of one image, which is applied to each.

    Raises
    ------
    DataError
        If `folder` has no subfolders, or one of them no images; on reading, if an image is damaged
        or has more than 8 bits for each channel.
    ImportError
        On reading, without Pillow.

    Examples
    --------
    >>> import numpy as np, nn, tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ["cats", "dogs"]:
    ...     (folder / name).mkdir()
    ...     Image.fromarray(np.zeros((4, 6), np.uint8)).save(folder / name / "0.png")
    >>> pets = nn.ImageFolder(folder)
    >>> pets.classes
    ['cats', 'dogs']
    >>> image, label = pets[1]
    >>> image.shape, label
    ((4, 6), 1)
    """

    def __init__(self, folder: str | Path, transform: Callable[[Any], Any] | None = None) -> None:
        self.folder, self.transform = Path(folder), transform
        if not self.folder.is_dir():
            raise DataError(f"{folder} is not a folder")
        self.classes = sorted(p.name for p in self.folder.iterdir() if _shown_folder(p))
        if not self.classes:
            raise DataError(f"{folder} has no subfolders; expected one for each class")
        self.class_to_idx = {name: number for number, name in enumerate(self.classes)}
        self.samples: list[tuple[Path, int]] = []
        for name, number in self.class_to_idx.items():
            paths = sorted(p for p in (self.folder / name).rglob("*") if _is_image(p))
            if not paths:
                endings = ", ".join(sorted(IMAGES))
                raise DataError(f"{self.folder / name} has no images; expected files {endings}")
            self.samples += [(path, number) for path in paths]
        self.targets = np.array([number for _, number in self.samples], np.int64)

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, i: int) -> tuple[Any, int]:
        path, number = self.samples[i]
        image = _image(path)
        return (image if self.transform is None else self.transform(image)), number


def _existing(path: str | Path) -> Path:
    found = Path(path)
    if not found.is_file():
        raise DataError(f"{path} is missing" if not found.exists() else f"{path} is not a file")
    return found


def _names(path: Any, names: list[str]) -> list[str]:
    """The names of the columns, if the first line has them."""
    if not names:
        raise DataError(f"{path} is empty; expected the names of the columns in line 1")
    if all(not name.strip() or _parsed([name], float) is not None for name in names):
        raise DataError(f"{path}, line 1: expected the names of the columns, found {names}")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"{path}, line 1: more than one column is called {twice[0]!r}")
    return names


def _row(path: Any, line: int, row: list[str], length: int) -> list[str]:
    if len(row) != length:
        raise DataError(f"{path}, line {line}: expected {length} entries, found {len(row)}: {row}")
    return row


def _column(entries: Any) -> Any:
    for kind, dtype in ((int, np.int64), (float, np.float64)):
        numbers = _parsed(entries, kind)
        if numbers is None:
            continue
        try:
            return np.array(numbers, dtype)
        except OverflowError:  # an integer that float64 would round
            break
    return np.array(entries, np.str_)


def _parsed(entries: Any, kind: Any) -> list[Any] | None:
    """The numbers, or None if an entry does not have one. "1_000", which Python reads, is text."""
    try:
        return None if any("_" in entry for entry in entries) else list(map(kind, entries))
    except ValueError:
        return None


def _shown_folder(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".")


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGES and not path.name.startswith(".") and path.is_file()


def _image(path: Path) -> Any:
    """The pixels of a file: uint8, (height, width) or (height, width, 3)."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            f"ImageFolder needs Pillow ({error}): pip install 'autograd-core[training]'", name="PIL"
        ) from error
    try:
        with Image.open(path) as image:
            mode = image.mode
            if mode in GREY | COLOUR:
                return np.array(image.convert("L" if mode in GREY else "RGB"))
    except (*DAMAGED, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: expected a whole image, found: {error}") from error
    raise DataError(f"{path}: expected 8 bits for each channel, found the mode {mode}")
