"""Weights as safetensors: round trips, rounding to bfloat16, damaged files, shards."""

import json
import os
import struct
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd_core as ac
import nn
from autograd_core.errors import ArgumentError, AutogradError, DTypeError
from nn.bfloat16 import narrowed

pytest.importorskip("safetensors", reason="needs safetensors: pip install -e '.[training]'")

DTYPES = [
    np.dtype(each).newbyteorder(order)
    for each in ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8")
    for order in "<>"
]
BITS = {2: np.uint16, 4: np.uint32, 8: np.uint64}
STATE = {"layer.weight": np.arange(12.0).reshape(3, 4), "bias": np.float32([0.5, -1]), "n": 7}


def assert_same(found, expected):
    """Equal in dtype, shape and bits, also of NaN."""
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        values = np.asarray(values)
        assert found[name].dtype == values.dtype.newbyteorder("="), name
        assert found[name].shape == values.shape, name
        assert found[name].tobytes() == values.astype(found[name].dtype).tobytes(), name
        assert found[name].flags.c_contiguous, name
        assert found[name].flags.writeable, name


@st.composite
def arrays(draw):
    """Arrays of all memory orders, 0-d and empty ones too."""
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
    array = draw(hnp.arrays(draw(st.sampled_from(DTYPES)), shape))
    array = np.asarray(array, order=draw(st.sampled_from("CF")))
    for axis in range(array.ndim):
        step = draw(st.sampled_from([1, 2, -1]))
        array = array[(slice(None),) * axis + (slice(None, None, step),)]
    return array.transpose(draw(st.permutations(range(array.ndim))))


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(st.dictionaries(names, arrays(), max_size=4), st.sampled_from([None, 1, 50, 10**9]))
def test_what_is_saved_is_loaded(tmp_path_factory, state, size):
    folder = tmp_path_factory.mktemp("weights")
    path = nn.save_safetensors(state, folder / "a.safetensors", max_shard_size=size)
    for place in (path, str(path), folder):
        assert_same(nn.load_safetensors(place), state)


@pytest.mark.parametrize("name", ["memmap", "broadcast", "expanded", "reversed"])
def test_views_are_written_by_their_values(tmp_path, name):
    x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    views = {"broadcast": np.broadcast_to(x[0, 0], (5, 4)), "expanded": x[:, None, ::2].T}
    views |= {
        "reversed": x[::-1, ::-1, ::-1],
        "memmap": np.memmap(tmp_path / "m", "f4", "w+", shape=3),
    }
    path = nn.save_safetensors({"x": views[name]}, tmp_path / "a.safetensors")
    assert_same(nn.load_safetensors(path), {"x": views[name]})


def test_tensors_of_every_device(device, tmp_path):
    values = np.arange(6.0).reshape(2, 3).T
    state = {"tensor": ac.Tensor(device.array(values)), "array": device.array(values), "list": [1]}
    path = nn.save_safetensors(state, tmp_path / "a.safetensors")
    expected = {"array": values, "list": np.array([1]), "tensor": values}
    assert_same(nn.load_safetensors(path), expected)


def test_a_model_has_its_weights_again(tmp_path):
    layers = nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2, dtype=np.float32)
    model, other = nn.Sequential(*layers), nn.Sequential(*(type(a)(*b) for a, b in zip(
        layers, ((3, 4), (4,), (4, 2)), strict=True)))  # fmt: skip
    other[2].astype(np.float32)
    path = nn.save_safetensors(model.state_dict(), tmp_path / "deep" / "model.safetensors")
    other.load_state_dict(nn.load_safetensors(path))
    assert_same(other.state_dict(), model.state_dict())


# ---- dtypes -------------------------------------------------------------------------------------


def nearest_even(value):
    """The bits of the bfloat16 nearest to a finite number, in exact arithmetic."""
    sign, value = (0x8000 if np.signbit(value) else 0), abs(Fraction(float(value)))
    exponent = -126
    while value >= 2 ** Fraction(exponent + 1):
        exponent += 1
    unit = Fraction(2) ** (exponent - 7)
    steps = round(value / unit)  # Python's round is to even
    bits = steps + ((exponent + 126) << 7)
    return sign | min(bits, 0x7F80)


HALVES = [1 + 2**-8, 1 + 3 * 2**-8, 1 + 2**-8 + 2**-40, 1 + 2**-8 - 2**-40, 2**-134, 3 * 2**-134]
HALVES += [2**-134 + 2**-170, 2.0**-150, 5e-324, 3.3895313892515355e38, 3.3961775292304601e38]
HALVES += [np.nextafter(3.3961775292304601e38, 0), 3.4028235677973366e38, 1e308, 0.0, -0.0, 1 / 3]


@given(hnp.arrays(st.sampled_from(["f2", "f4", "f8"]), st.integers(0, 20)))
def test_bfloat16_is_rounded_once_to_nearest_even(values):
    finite = values[np.isfinite(values)]
    assert narrowed(finite).tolist() == [nearest_even(value) for value in finite]


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_bfloat16_at_halves_and_ends(dtype):
    random = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        drawn = random.integers(0, 2**63, 500, dtype=np.uint64).view(np.float64)
        near = np.ldexp(1 + random.integers(0, 2**9, 500) / 2**8, random.integers(-140, 128, 500))
        nudged = np.nextafter(near, random.choice([-np.inf, np.inf], 500))
        values = np.concatenate([drawn, near, nudged, HALVES]).astype(dtype)
    values = np.concatenate([values, -values])
    values = values[np.isfinite(values)]
    assert narrowed(values).tolist() == [nearest_even(value) for value in values]


def test_bfloat16_in_a_file(tmp_path):
    bits = np.arange(2**16, dtype=np.uint32)
    every = (bits << 16).view(np.float32)
    state = {"every": every, "n": np.arange(3), "one": np.float64(1 / 3), "none": np.zeros((2, 0))}
    path = nn.save_safetensors(state, tmp_path / "a.safetensors", dtype="bfloat16")
    loaded = nn.load_safetensors(path)
    np.testing.assert_array_equal(loaded["every"], every)
    assert (np.signbit(loaded["every"]) == np.signbit(every)).all()
    assert {name: array.dtype.str[1:] for name, array in loaded.items()} == {
        "every": "f4", "n": "i8", "one": "f4", "none": "f4"
    }  # fmt: skip
    assert loaded["one"] == np.float32(0.333984375)
    assert loaded["one"].shape == ()
    assert path.stat().st_size < 2 * 2**16 + 1000
    again = nn.save_safetensors(loaded, tmp_path / "b.safetensors", dtype="bfloat16")
    assert_same(nn.load_safetensors(again), loaded)


@pytest.mark.parametrize("dtype", ["float16", "float32", np.float64, np.dtype("float32")])
def test_floats_are_converted(tmp_path, dtype):
    path = nn.save_safetensors(STATE, tmp_path / "a.safetensors", dtype=dtype)
    loaded = nn.load_safetensors(path)
    assert loaded["bias"].dtype == loaded["layer.weight"].dtype == np.dtype(dtype)
    assert loaded["n"].dtype == np.int64


@pytest.mark.parametrize(
    ("state", "settings", "error", "told"),
    [
        ({"w": np.zeros(2, complex)}, {}, DTypeError, r"w has dtype complex128.*astype\(np\.compl"),
        ({"w": np.zeros(2, np.longdouble)}, {}, DTypeError, r"w has .*astype\(np\.float64\)"),
        ({"w": np.array(["a"])}, {}, DTypeError, "w has dtype <U1.*only numbers"),
        ({"w": None}, {}, DTypeError, "w has dtype object"),
        ({3: np.zeros(2)}, {}, ArgumentError, "named by texts, not by 3"),
        ({"__metadata__": np.zeros(2)}, {}, ArgumentError, "cannot have the name '__metadata__'"),
        ({"\ud800": np.zeros(2)}, {}, ArgumentError, "cannot have the name"),
        (nn.Linear(2, 2), {}, ArgumentError, "as state_dict.. returns, not a Linear"),
        (STATE, {"dtype": "int8"}, DTypeError, "dtype is one of bfloat16, .* not int8"),
        (STATE, {"dtype": "F8_E4M3"}, DTypeError, "not F8_E4M3"),
        (STATE, {"metadata": {"epoch": 3}}, ArgumentError, r"convert numbers with str\(\)"),
        (STATE, {"metadata": {"autograd_core.crc32": ""}}, ArgumentError, "cannot have the key"),
        (STATE, {"max_shard_size": 0}, ArgumentError, "positive number of bytes, not 0"),
        (STATE, {"max_shard_size": "5GB"}, ArgumentError, "positive number of bytes, not '5GB'"),
    ],
)
def test_what_cannot_be_saved_is_named(tmp_path, state, settings, error, told):
    with pytest.raises(error, match=told):
        nn.save_safetensors(state, tmp_path / "a.safetensors", **settings)
    assert not list(tmp_path.iterdir())


def test_the_name_says_the_format(tmp_path):
    for name in ("a.npz", "a", "a.safetensors.index.json"):
        with pytest.raises(ArgumentError, match=r"saved as \.safetensors"):
            nn.save_safetensors(STATE, tmp_path / name)


def test_a_missing_package_is_named(monkeypatch, tmp_path):
    path = nn.save_safetensors(STATE, tmp_path / "a.safetensors")
    monkeypatch.setitem(sys.modules, "safetensors", None)
    for call in (lambda: nn.save_safetensors(STATE, path), lambda: nn.load_safetensors(path)):
        with pytest.raises(ImportError, match="pip install safetensors"):
            call()


# ---- damaged files ------------------------------------------------------------------------------


def parts_of(content):
    return sorted({len(content) * i // 20 for i in range(20)})


@pytest.mark.parametrize("dtype", [None, "bfloat16"])
def test_a_truncated_file_is_an_error(tmp_path, dtype):
    path = nn.save_safetensors(STATE, tmp_path / "model.safetensors", dtype=dtype)
    content = path.read_bytes()
    for length in [*parts_of(content), len(content) - 1]:
        path.write_bytes(content[:length])
        with pytest.raises(nn.DataError, match=f"model.safetensors: .* found {length} bytes: "):
            nn.load_safetensors(path)
    path.write_bytes(content + b"\0")
    with pytest.raises(nn.DataError, match="whole safetensors file"):
        nn.load_safetensors(path)


def test_an_altered_file_is_an_error(tmp_path):
    """Every byte of the header and of the arrays, but for those of the metadata: a file without
    our checksum is one of another program."""
    path = nn.save_safetensors(STATE, tmp_path / "model.safetensors")
    content = path.read_bytes()
    for at in range(len(content)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        try:
            loaded = nn.load_safetensors(path)
        except (nn.DataError, DTypeError) as error:
            told = str(error)
            assert "model.safetensors" in told
        else:
            assert_same(loaded, STATE)
            assert content[:at].rfind(b"__metadata__") >= 0, at
            assert at < content.index(b"}"), at


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"PK\3\4" + bytes(100),
        b"\x80\2}." * 9,
        b"<html>" * 99,
        bytes(99),
        b"\xff" * 99,
    ],
    ids=["empty", "text", "zip", "pickle", "html", "zeros", "ones"],
)
def test_a_foreign_file_is_an_error(tmp_path, content):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(nn.DataError, match=r"model\.safetensors: expected a whole"):
        nn.load_safetensors(path)


def file_of(path, header, data=b""):
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def test_files_of_other_programs(tmp_path):
    path = tmp_path / "a.safetensors"
    entry = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    file_of(path, {"w": entry}, np.float32([1, 2]).tobytes())
    assert_same(nn.load_safetensors(path), {"w": np.float32([1, 2])})
    file_of(path, {"w": entry | {"dtype": "BOOL", "shape": [8]}}, b"\0\1\2\3\0\0\0\xff")
    assert nn.load_safetensors(path)["w"].tolist() == [False] + [True] * 3 + [False] * 3 + [True]
    for kind in ("F8_E4M3", "F8_E5M2"):
        file_of(path, {"w": entry | {"dtype": kind, "shape": [8]}}, bytes(8))
        with pytest.raises(DTypeError, match=f"a.safetensors: w has dtype {kind}.*NumPy lacks"):
            nn.load_safetensors(path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        nn.load_safetensors(tmp_path / "nowhere.safetensors")


def test_metadata_is_in_the_file(tmp_path):
    from safetensors import safe_open

    path = nn.save_safetensors({}, tmp_path / "a.safetensors", metadata={"epoch": "3"})
    assert nn.load_safetensors(path) == {}
    with safe_open(path, "numpy") as file:
        assert file.metadata() == {"epoch": "3", "format": "pt", "autograd_core.crc32": "00000000"}


# ---- writing ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [None, 50], ids=["one file", "shards"])
@pytest.mark.parametrize("stage", ["chmod", "fsync", "replace"])
def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch, size, stage):
    path = tmp_path / "a.safetensors"
    saved = nn.save_safetensors(STATE, path, max_shard_size=size)
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, stage, interrupted)
    with pytest.raises(KeyboardInterrupt):
        nn.save_safetensors({"other": np.ones(99)}, path, max_shard_size=size)
    monkeypatch.undo()
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before
    assert_same(nn.load_safetensors(saved), STATE)


def test_a_mixture_of_two_saves_is_an_error(tmp_path, monkeypatch):
    """The second of three files is not replaced."""
    path = tmp_path / "a.safetensors"
    saved = nn.save_safetensors(STATE, path, max_shard_size=96)
    replace, done = os.replace, []

    def once(part, place):
        if done:
            raise KeyboardInterrupt
        done.append(place)
        replace(part, place)

    monkeypatch.setattr(os, "replace", once)
    with pytest.raises(KeyboardInterrupt):
        nn.save_safetensors(STATE | {"layer.weight": np.ones((3, 4))}, path, max_shard_size=96)
    assert len(done) == 1
    assert not list(tmp_path.glob("*.part"))
    with pytest.raises(nn.DataError, match=r"a-00001-of-00002.* Was writing interrupted"):
        nn.load_safetensors(saved)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_the_file_has_the_permissions_of_others(tmp_path):
    (tmp_path / "other").touch()
    path = nn.save_safetensors(STATE, tmp_path / "a.safetensors")
    assert path.stat().st_mode == (tmp_path / "other").stat().st_mode


# ---- shards -------------------------------------------------------------------------------------


def test_shards_have_hugging_faces_layout(tmp_path):
    state = {
        name: np.zeros(n, np.float32) for name, n in zip("edcba", (10, 10, 1, 99, 3), strict=True)
    }
    path = nn.save_safetensors(state, tmp_path / "model.safetensors", max_shard_size=84)
    assert path.name == "model.safetensors.index.json"
    files = [f"model-{i:05}-of-00003.safetensors" for i in (1, 2, 3)]
    assert sorted(file.name for file in tmp_path.iterdir()) == [*files, path.name]
    index = json.loads(path.read_text())
    assert index["metadata"]["total_size"] == 4 * 123
    assert index["weight_map"] == {
        "e": files[0], "d": files[0], "c": files[0], "b": files[1], "a": files[2]
    }  # fmt: skip
    assert nn.save_safetensors(state, path, max_shard_size=84) == path
    assert nn.load_safetensors(tmp_path / files[1]).keys() == {"b"}


def test_a_folder_holds_one_file_of_weights(tmp_path):
    with pytest.raises(nn.DataError, match=r"holds no \.safetensors file"):
        nn.load_safetensors(tmp_path)
    nn.save_safetensors(STATE, tmp_path / "a.safetensors")
    assert_same(nn.load_safetensors(tmp_path), STATE)
    nn.save_safetensors(STATE, tmp_path / "b.safetensors", max_shard_size=1)
    with pytest.raises(nn.DataError, match=r"several .*: b\.safetensors\.index\.json, a\."):
        nn.load_safetensors(tmp_path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda index: index["weight_map"].update(n="../a.safetensors"), "lie in the folder"),
        (lambda index: index["weight_map"].update(n="/etc/passwd"), "lie in the folder"),
        (lambda index: index["weight_map"].update(n="b.safetensors"), "b.safetensors is missing"),
        (lambda index: index["weight_map"].update(m=index["weight_map"]["n"]), r"see \['m'\]"),
        (lambda index: index["weight_map"].pop("n"), r"see \['n'\]"),
        (lambda index: index["weight_map"].update(n=3), "expected an index with a weight_map"),
        (lambda index: index.update(weight_map=[1]), "expected an index with a weight_map"),
        (lambda index: index.clear(), "expected an index with a weight_map"),
    ],
)
def test_an_altered_index_is_an_error(tmp_path, change, told):
    path = nn.save_safetensors(STATE, tmp_path / "a.safetensors", max_shard_size=20)
    index = json.loads(path.read_text())
    change(index)
    path.write_text(json.dumps(index))
    with pytest.raises(nn.DataError, match=told):
        nn.load_safetensors(path)


def test_an_index_that_is_none(tmp_path):
    path = tmp_path / "a.safetensors.index.json"
    for content in (b"", b"[]", b"{" * 10**5, b"\xff", b"null"):
        path.write_bytes(content)
        with pytest.raises(AutogradError, match="expected an index with a weight_map"):
            nn.load_safetensors(path)
