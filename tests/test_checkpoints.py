"""Checkpoints: what a file holds, and what is done with damaged ones."""

import errno
import json
import os
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

import nn
from autograd_core.errors import ArgumentError, AutogradWarning, DTypeError
from nn import files
from nn.packing import packed, unpacked


def equal(a, b):
    """The same values, types, dtypes and shapes."""
    if isinstance(a, dict):
        return type(b) is dict and [*a] == [*b] and all(equal(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, np.ndarray | np.generic):
        same = type(a) is type(b) and a.dtype == b.dtype and a.shape == b.shape
        return same and a.tobytes() == b.tobytes()
    return type(a) is type(b) and (a == b or a != a)


ARRAYS = nps.arrays(
    st.sampled_from(["f8", "f4", "f2", "i8", "i4", "u4", "u1", "?", "c16", "c8", "u8", "M8[s]"]),
    nps.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
)
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | ARRAYS
    | st.sampled_from([np.float32(0.5), np.int8(3), np.float64(-0.0)])
)  # fmt: skip
KEYS = st.text(max_size=4) | st.integers(-3, 3) | st.sampled_from(["$array", "$dict", ""])
STATES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=8,
)


@given(STATES)
def test_a_state_comes_back_as_it_was(state):
    plain, arrays = packed(state)
    assert all(array.flags.c_contiguous for array in arrays.values())
    assert equal(unpacked(json.loads(json.dumps(plain)), arrays), state)


def test_arrays_in_any_order_of_memory(tmp_path):
    x = np.arange(24.0).reshape(2, 3, 4)
    state = {
        "F": np.asfortranarray(x), "strided": x[::-1, ::2, 1:], "T": x.T, "0-d": np.array(2.0),
        "empty": np.zeros((0, 3)), ">": x.astype(">f4"), "many": dict.fromkeys(range(3), x),
    }  # fmt: skip
    nn.Checkpoints(tmp_path).save(1, state)
    found = nn.Checkpoints(tmp_path).load().state
    for name in ("F", "strided", "T", "0-d", "empty", ">"):
        np.testing.assert_array_equal(found[name], state[name])
    assert equal(found["many"][2], x)


def test_the_states_of_generators_and_optimisers(tmp_path):
    model = nn.Linear(3, 2)
    optimizer = nn.Adam(model.parameters())
    model(np.ones((1, 3))).sum().backward()
    optimizer.step()
    kinds = np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64
    generators = [np.random.Generator(kind(1)) for kind in kinds]
    state = {"optimizer": optimizer.state_dict(),
             "states": [g.bit_generator.state for g in generators]}  # fmt: skip
    expected = [g.random(5) for g in generators]
    nn.Checkpoints(tmp_path).save(7, state)
    step, found = nn.Checkpoints(tmp_path).load()
    assert step == 7
    optimizer.load_state_dict(found["optimizer"])
    for generator, saved in zip(generators, found["states"], strict=True):
        generator.bit_generator.state = saved
    assert np.array_equal([g.random(5) for g in generators], expected)


@pytest.mark.parametrize("value", [object(), {1, 2}, np.array([object()]), len])
def test_what_cannot_be_saved_is_named(value, tmp_path):
    with pytest.raises(DTypeError, match=r"^a\.b\.1"):
        nn.Checkpoints(tmp_path).save(1, {"a": {"b": [0, value]}})
    assert nn.Checkpoints(tmp_path).load() is None


def test_the_last_ones_are_kept(tmp_path):
    saved = nn.Checkpoints(tmp_path / "a" / "b", keep=2)
    for step in (1, 5, 20, 100):
        saved.save(step, {"w": np.full(3, step)})
    names = sorted(path.name for path in (tmp_path / "a" / "b").iterdir())
    assert [name.split(".")[-1] for name in names] == ["safetensors", "json"] * 2
    assert [path.name for path in saved.paths()] == ["step-0000000020.json", "step-0000000100.json"]
    saved.save(100, {"w": np.zeros(3)})  # the same step again
    assert not saved.load().state["w"].any()
    assert len(list((tmp_path / "a" / "b").iterdir())) == 4


def damage(path, kind):
    content = path.read_bytes()
    middle = len(content) // 2
    if kind == "missing":
        path.unlink()
    elif kind == "altered":
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    else:
        path.write_bytes({"truncated": content[:middle], "empty": b"", "foreign": b"[1, 2]"}[kind])


@pytest.mark.parametrize("suffix", ["json", "safetensors"])
@pytest.mark.parametrize("kind", ["truncated", "altered", "empty", "foreign", "missing"])
def test_the_one_before_a_damaged_one_is_used(suffix, kind, tmp_path):
    saved = nn.Checkpoints(tmp_path)
    for step in (1, 2):
        saved.save(step, {"w": np.full(64, 1.5 * step), "text": "some words"})
    damage(next(tmp_path.glob(f"step-0000000002*.{suffix}")), kind)
    if (suffix, kind) == ("json", "missing"):  # it was never there
        assert saved.load().step == 1
        return
    with pytest.warns(AutogradWarning, match="damaged.*the checkpoint before it is used"):
        assert saved.load().step == 1
    damage(next(tmp_path.glob(f"step-0000000001*.{suffix}")), kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(nn.DataError, match="every checkpoint is damaged"):
            saved.load()


def test_every_altered_byte_is_noticed(tmp_path):
    path = nn.Checkpoints(tmp_path).save(3, {"w": np.arange(3.0), "n": 12345, "s": "abc"})
    content = path.read_bytes()
    for place in range(0, len(content), 7):
        path.write_bytes(content[:place] + bytes([content[place] ^ 2]) + content[place + 1 :])
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = nn.Checkpoints(tmp_path).load()
        except nn.DataError:
            continue
        assert equal(found.state["w"], np.arange(3.0)), "white space may differ"
        assert (found.step, found.state["n"], found.state["s"]) == (3, 12345, "abc")


def test_a_full_disk_leaves_the_checkpoints_that_were_there(tmp_path, monkeypatch):
    saved = nn.Checkpoints(tmp_path)
    saved.save(1, {"w": np.ones(3)})
    before = sorted(os.listdir(tmp_path))

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        saved.save(2, {"w": np.ones(3)})
    assert sorted(os.listdir(tmp_path)) == before
    assert saved.load().step == 1


def test_folders_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OSError, match="file"):
        nn.Checkpoints(tmp_path / "file" / "runs").save(1, {})
    with pytest.raises(ArgumentError, match="keep is an integer, at least 1"):
        nn.Checkpoints(tmp_path, keep=0)


def test_remains_of_a_kill_are_removed(tmp_path):
    saved = nn.Checkpoints(tmp_path)
    saved.save(1, {"w": np.ones(3)})
    (tmp_path / "step-0000000002-abc.safetensors").write_bytes(b"whole, but its JSON is missing")
    (tmp_path / ".step-0000000002.json.1234.part").write_bytes(b"{")
    (tmp_path / "notes.txt").write_text("mine")
    assert saved.load().step == 1
    saved.save(3, {"w": np.ones(3)})
    names = {path.name for path in tmp_path.iterdir()}
    assert "notes.txt" in names
    assert not any("0000000002" in name for name in names)


def test_nan_is_kept_as_it_is(tmp_path):
    nn.Checkpoints(tmp_path).save(1, {"w": np.array([np.nan, np.inf]), "loss": float("nan")})
    state = nn.Checkpoints(tmp_path).load().state
    assert np.isnan(state["w"][0])
    assert np.isnan(state["loss"])
