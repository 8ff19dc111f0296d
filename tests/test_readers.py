"""Files of data, whole and damaged."""

import math
import struct
import sys

import numpy as np
import pytest
from PIL import Image

import nn
from autograd_core.errors import ArgumentError
from nn.mnist import DataError
from tests.host import assert_equal

GENERATOR = np.random.default_rng(0)
IDX = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


def idx(array, code):
    shape = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, code, array.ndim]) + shape + array.astype(IDX[code]).tobytes()


@pytest.mark.parametrize("code", IDX)
@pytest.mark.parametrize("shape", [(), (5,), (2, 3), (4, 0, 2), (2, 1, 3, 2)])
def test_idx_of_every_type(code, shape):
    array = GENERATOR.integers(0, 100, shape) * (1 if code == 8 else -1)
    found = nn.read_idx(idx(np.asarray(array), code))
    assert_equal(found, array)
    assert found.dtype == np.dtype(IDX[code]).newbyteorder("=")
    assert found.dtype.isnative
    assert found.flags.writeable


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "starts with 0000, a type and the number of axes, not with nothing"),
        (b"\0\0\x08", "not with 000008"),
        (b"\0\1\x08\1\0\0\0\0", "not with 00010801"),
        (b"\0\0\x0a\1\0\0\0\0", "types are 08, 09, 0b, 0c, 0d, 0e"),
        (b"\x89PNG\r\n\x1a\n", "not with 89504e47"),
        (b"\0\0\x08\3\0\0\0\1", "of 3 axes starts with 16 bytes, found 8"),
        (idx(np.ones((2, 3)), 11)[:-1], r"int16 of shape \(2, 3\) has 24 bytes, found 23"),
        (idx(np.ones((2, 3)), 14) + b"\0", "float64 .* has 60 bytes, found 61"),
        (b"\0\0\x0e\4" + b"\xff" * 16, "has 2,722"),
        (b"\0\0\x08\x41" + b"\0\0\0\1" * 65 + b"\7", "an IDX file of the shape"),
    ],
)
def test_idx_that_is_damaged(content, told):
    with pytest.raises(DataError, match=told):
        nn.read_idx(content)


def test_csv(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(
        "count,size,name,mixed,large,gap,under,quoted\n"
        '1,0.5,ä,1,9223372036854775808,1,1_0,"a,\n""b"""\n'
        "\n"
        "-2,nan,b, x,0,,2,c\n"
        " 3 ,-1e3,1,2.5,1,2,3,\n",
        encoding="utf-8",
    )
    found = nn.read_csv(path)
    assert [*found] == ["count", "size", "name", "mixed", "large", "gap", "under", "quoted"]
    assert found["count"].dtype == np.int64
    assert found["size"].dtype == np.float64
    assert_equal(found["count"], [1, -2, 3])
    assert_equal(found["size"], [0.5, np.nan, -1000])
    assert_equal(found["name"], ["ä", "b", "1"])
    assert_equal(found["mixed"], ["1", " x", "2.5"])
    assert_equal(found["large"], ["9223372036854775808", "0", "1"])
    assert_equal(found["gap"], ["1", "", "2"])
    assert_equal(found["under"], ["1_0", "2", "3"])
    assert_equal(found["quoted"], ['a,\n"b"', "c", ""])


def test_csv_with_other_delimiters_lines_and_marks(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(b"\xef\xbb\xbfx;y z\r\n1;2.0\r\n3;4.0")
    found = nn.read_csv(str(path), ";")
    assert_equal(found["x"], [1, 3])
    assert_equal(found["y z"], [2.0, 4.0])
    path.write_text("x\ty\n")
    assert [column.shape for column in nn.read_csv(path, "\t").values()] == [(0,), (0,)]
    path.write_text(",name,2020\n0,a,3\n")
    assert_equal(nn.read_csv(path)["2020"], [3])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty; expected the names of the columns"),
        (b"\n\n", "is empty"),
        (b"1,2\n3,4\n", r"line 1: expected the names of the columns, found \['1', '2'\]"),
        (b"a,b,a\n", "line 1: more than one column is called 'a'"),
        (b"a,b\n1,2\n\n3\n", r"line 4: expected 2 entries, found 1: \['3'\]"),
        (b"a,b\n1,2,3\n", "line 2: expected 2 entries, found 3"),
        (b'a,b\n1,"2\n', "line 2: unexpected end of data"),
        (b'a,b\n1,"2"3\n', "line 2: ',' expected after"),
        (b"a,b\n\xff\xfe,3\n", "is not UTF-8 text"),
    ],
)
def test_csv_that_is_damaged(tmp_path, content, told):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=told) as raised:
        nn.read_csv(path)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("delimiter", ["", ",,", "\n", '"', None])
def test_delimiters_that_are_refused(tmp_path, delimiter):
    with pytest.raises(ArgumentError, match="delimiter is one character"):
        nn.read_csv(tmp_path, delimiter)


def test_npz(tmp_path):
    path = tmp_path / "arrays.npz"
    arrays = {"x": GENERATOR.random((2, 3)), "names": np.array(["a", "b"]), "n": np.array(3)}
    for save in (np.savez, np.savez_compressed):
        save(path, **arrays)
        found = nn.read_npz(path)
        assert [*found] == [*arrays]
        for name, array in arrays.items():
            assert_equal(found[name], array)
    np.savez(path)
    assert nn.read_npz(str(path)) == {}


def test_npz_that_is_damaged(tmp_path):
    """Whatever byte is altered, and wherever the file ends: the arrays, or a DataError."""
    path = tmp_path / "arrays.npz"
    np.savez_compressed(path, x=np.arange(3))
    whole = path.read_bytes()
    refused = 0
    contents = [whole[:i] for i in range(0, len(whole), 3)]
    contents += [
        whole[:i] + bytes([whole[i] ^ flip]) + whole[i + 1 :]
        for i in range(len(whole))
        for flip in (1, 255)
    ]
    for content in contents:
        path.write_bytes(content)
        try:
            found = nn.read_npz(path)
        except DataError as error:
            assert str(path) in str(error)  # noqa: PT017  how many are refused is counted
            refused += 1
        else:
            assert all(np.array_equal(array, np.arange(3)) for array in found.values())
    assert refused > len(contents) / 2


def test_npz_with_other_content(tmp_path):
    path = tmp_path / "arrays.npz"
    np.savez(path, x=np.array([None, {}], object))
    with pytest.raises(DataError, match="Object arrays cannot be loaded"):
        nn.read_npz(path)
    np.save(tmp_path / "one.npy", np.ones(3))
    with pytest.raises(DataError, match="not a whole NPZ file"):
        nn.read_npz(tmp_path / "one.npy")
    import zipfile

    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("read.txt", "text")
    with pytest.raises(DataError, match=r"'read\.txt' is not an array"):
        nn.read_npz(path)


@pytest.mark.parametrize("read", [nn.read_csv, nn.read_npz, nn.ImageFolder])
def test_files_that_are_missing(tmp_path, read):
    with pytest.raises(DataError, match=r"nowhere is (missing|not a folder)"):
        read(tmp_path / "nowhere")
    if read is not nn.ImageFolder:
        with pytest.raises(DataError, match="is not a file"):
            read(tmp_path)


def saved(folder, name, mode, array):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).convert(mode).save(path)
    return path


def test_image_folder(tmp_path):
    grey = GENERATOR.integers(0, 256, (5, 7), np.uint8)
    colour = GENERATOR.integers(0, 256, (4, 6, 3), np.uint8)
    saved(tmp_path, "dog/b.png", "L", grey)
    saved(tmp_path, "cat/deep/c.PNG", "RGB", colour)
    saved(tmp_path, "cat/a.png", "RGBA", colour)
    saved(tmp_path, "dog/c.png", "1", np.full((3, 3), 255, np.uint8))
    (tmp_path / "dog" / "notes.txt").write_text("no image")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "list.csv").write_text("a\n")
    data = nn.ImageFolder(tmp_path)
    assert data.classes == ["cat", "dog"]
    assert data.class_to_idx == {"cat": 0, "dog": 1}
    assert [path.name for path, _ in data.samples] == ["a.png", "c.PNG", "b.png", "c.png"]
    assert_equal(data.targets, [0, 0, 1, 1])
    assert len(data) == 4
    for i, (image, number) in enumerate([(colour, 0), (colour, 0), (grey, 1)]):
        assert_equal(data[i][0], image)
        assert data[i][0].dtype == np.uint8
        assert data[i][1] == number
    assert_equal(data[-1][0], np.full((3, 3), 255))
    with pytest.raises(IndexError):
        data[4]
    halved = nn.ImageFolder(str(tmp_path), transform=lambda image: image[::2] / 255)
    assert_equal(halved[2][0], grey[::2] / 255)
    (batch, labels), *_ = nn.DataLoader(nn.Subset(data, [0, 1]), 2)
    assert batch.shape == (2, 4, 6, 3)
    assert_equal(labels, [0, 0])


def test_image_folders_without_images(tmp_path):
    with pytest.raises(DataError, match="has no subfolders; expected one for each class"):
        nn.ImageFolder(tmp_path)
    (tmp_path / "cat").mkdir()
    with pytest.raises(DataError, match=r"cat has no images; expected files \.bmp"):
        nn.ImageFolder(tmp_path)


def test_images_that_are_damaged(tmp_path):
    """Opened only when they are read; whatever byte is altered, pixels or a DataError."""
    array = GENERATOR.integers(0, 256, (16, 16), np.uint8)
    path = saved(tmp_path, "cat/a.png", "L", array)
    whole = path.read_bytes()
    (tmp_path / "cat" / "b.png").write_bytes(b"no image")
    data = nn.ImageFolder(tmp_path)
    with pytest.raises(DataError, match=r"b\.png: expected a whole image, found: cannot identify"):
        data[1]
    for content in (b"", whole[:40], whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"a\.png: expected a whole image"):
            data[0]
    for i in range(0, len(whole), 2):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 255]) + whole[i + 1 :])
        try:
            assert math.prod(data[0][0].shape) > 0
        except DataError as error:
            assert "a.png" in str(error)  # noqa: PT017  some are read
    path.unlink()
    with pytest.raises(DataError, match=r"a\.png"):
        data[0]


def test_images_with_more_than_8_bits(tmp_path):
    (tmp_path / "cat").mkdir()
    Image.fromarray(np.full((3, 3), 1000, np.uint16)).save(tmp_path / "cat" / "a.png")
    with pytest.raises(DataError, match=r"a\.png: expected 8 bits .* the mode I;16"):
        nn.ImageFolder(tmp_path)[0]


def test_without_pillow(tmp_path, monkeypatch):
    saved(tmp_path, "cat/a.png", "L", np.zeros((2, 2), np.uint8))
    data = nn.ImageFolder(tmp_path)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r"needs Pillow .* pip install 'autograd-core\[training"):
        data[0]
