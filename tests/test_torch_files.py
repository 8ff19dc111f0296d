"""Files of torch.save, written here by hand: what is read, what is refused, damaged files."""

import builtins
import io
import os
import pickle
import struct
import zipfile
from collections import OrderedDict

import numpy as np
import pytest

import nn
from autograd_core.errors import DTypeError


class Named:
    """Pickled as the name of a global."""

    def __init__(self, name):
        self.module, self.name = name.rsplit(".", 1)


class Call:
    """Pickled as a call of a global."""

    def __init__(self, name, *arguments, state=None):
        self.function, self.arguments, self.state = Named(name), arguments, state


class Stored:
    """Pickled as a persistent id."""

    def __init__(self, *key):
        self.key = key


class Pickler(pickle._Pickler):
    """Writes names of globals that do not exist here."""

    def persistent_id(self, obj):
        return obj.key if isinstance(obj, Stored) else None

    def save(self, obj, save_persistent_id=True):
        if isinstance(obj, Named):
            self.write(f"c{obj.module}\n{obj.name}\n".encode())
        elif isinstance(obj, Call):
            self.save(obj.function)
            self.save(obj.arguments)
            self.write(pickle.REDUCE)
            if obj.state is not None:
                self.save(obj.state)
                self.write(pickle.BUILD)
        else:
            super().save(obj, save_persistent_id)


def pickled(value, protocol=2):
    file = io.BytesIO()
    Pickler(file, protocol).dump(value)
    return file.getvalue()


def archive(path, value, *memories, pickle=None, more=(), compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file:
        file.writestr("model/data.pkl", pickled(value) if pickle is None else pickle)
        for i, memory in enumerate(memories):
            file.writestr(f"model/data/{i}", np.asarray(memory).tobytes())
        for name, content in more:
            file.writestr(f"model/{name}", content)
    return path


def tensor(count, size, strides, offset=0, *, kind="Float", key="0", flags=()):
    storage = Stored("storage", Named(f"torch.{kind}Storage"), key, "cpu", count)
    hooks = Call("collections.OrderedDict")
    return Call("torch._utils._rebuild_tensor_v2", storage, offset, size, strides, False, hooks,
                *flags)  # fmt: skip


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.pt"


@pytest.fixture
def nothing_is_executed(monkeypatch):
    def executed(*arguments, **settings):
        raise AssertionError(f"executed with {arguments}")

    for module, names in ((os, ["system", "popen"]), (builtins, ["eval"]),
                          (pickle, ["loads", "load", "Unpickler", "_Unpickler"])):  # fmt: skip
        for name in names:
            monkeypatch.setattr(module, name, executed)


# ---- what is read -------------------------------------------------------------------------------


def test_views_of_a_storage(path):
    memory = np.arange(12, dtype=np.float32)
    views = {
        "rows": ((3, 4), (4, 1), 0),
        "transposed": ((4, 3), (1, 4), 0),
        "column": ((3,), (4,), 1),
        "scalar": ((), (), 11),
        "expanded": ((2, 3), (0, 1), 2),
        "empty": ((0, 3), (3, 1), 0),
        "end": ((2, 1), (1, 99), 10),
    }
    saved = {name: tensor(12, size, strides, at) for name, (size, strides, at) in views.items()}
    loaded = nn.load_torch(archive(path, saved, memory))
    expected = {
        "rows": memory.reshape(3, 4), "transposed": memory.reshape(3, 4).T,
        "column": memory[1::4], "scalar": memory[11], "expanded": np.array([memory[2:5]] * 2),
        "empty": np.zeros((0, 3)), "end": memory[10:, None],
    }  # fmt: skip
    for name, array in expected.items():
        np.testing.assert_array_equal(loaded[name], array, name)
        assert loaded[name].dtype == np.float32
        assert loaded[name].shape == array.shape
        assert loaded[name].flags.c_contiguous
        loaded[name][...] = 0  # no other array changes


@pytest.mark.parametrize("order", ["little", "big", None])
@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        ("Bool", "?"), ("Byte", "u1"), ("Char", "i1"), ("Short", "i2"), ("Int", "i4"),
        ("Long", "i8"), ("Half", "f2"), ("Float", "f4"), ("Double", "f8"),
        ("ComplexFloat", "c8"), ("ComplexDouble", "c16"),
    ],
)  # fmt: skip
def test_dtypes_and_byte_orders(path, kind, dtype, order):
    values = np.array([0, 1, 7]).astype(dtype)
    memory = values.astype(values.dtype.newbyteorder(">" if order == "big" else "<"))
    more = [("byteorder", order)] if order else []
    loaded = nn.load_torch(archive(path, tensor(3, (3,), (1,), kind=kind), memory, more=more))
    np.testing.assert_array_equal(loaded, values)
    assert loaded.dtype == dtype
    assert loaded.dtype.isnative


def test_bfloat16_becomes_float32(path):
    bits = np.arange(2**16, dtype=np.uint16)
    loaded = nn.load_torch(archive(path, tensor(2**16, (2**16,), (1,), kind="BFloat16"), bits))
    assert (loaded.view(np.uint32) == bits.astype(np.uint32) << 16).all()


def test_a_checkpoint_keeps_its_structure(path):
    pair = [1, -(2**70)]
    plain = {
        "epoch": 3, "loss": 0.5, "name": "é\n", "none": None, "yes": True, "list": [pair, pair],
        "tuple": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)), "set": {1, "a", (2, 3)}, 7: {},
        (1, "k"): b"", "bytes": b"\0\xff", "frozen": frozenset([b"x"]), "complex": 1 - 2j,
    }  # fmt: skip
    for protocol in (2, 3, 4, 5):
        archive(path, None, pickle=pickled(plain, protocol))
        loaded = nn.load_torch(path)
        assert loaded == plain
        assert list(loaded) == list(plain)
    weight = tensor(4, (2, 2), (2, 1))
    state = Call("collections.OrderedDict", [["weight", weight]], state={"_metadata": {}})
    saved = {
        "state_dict": state,
        "parameter": Call("torch._utils._rebuild_parameter", weight, True, {}),
        "shape": Call("torch.Size", (2, 2)),
        "dtypes": [Named("torch.float32"), Named("torch.bfloat16"), Named("torch.bool")],
    }
    loaded = nn.load_torch(archive(path, saved, np.eye(2, dtype=np.float32)))
    assert type(loaded["state_dict"]) is OrderedDict
    np.testing.assert_array_equal(loaded["state_dict"]["weight"], np.eye(2))
    assert loaded["shape"] == (2, 2)
    assert loaded["dtypes"] == [np.dtype("float32"), "bfloat16", np.dtype(bool)]
    loaded["parameter"][:] = 0
    np.testing.assert_array_equal(loaded["state_dict"]["weight"], np.eye(2))


def test_pending_negation_and_conjugation(path):
    value = np.complex64([1 + 2j])
    saved = [tensor(1, (1,), (1,), kind="ComplexFloat", flags=[flags]) for flags in (
        {"conj": True}, {"neg": True}, {"conj": True, "neg": True}, {}, None)]  # fmt: skip
    loaded = nn.load_torch(archive(path, saved, value))
    assert [each.item() for each in loaded] == [1 - 2j, -1 - 2j, -1 + 2j, 1 + 2j, 1 + 2j]


def test_a_list_in_itself_ends(path):
    archive(path, None, pickle=b"\x80\x02]q\x00h\x00a.")
    loaded = nn.load_torch(path)
    assert loaded[0] is loaded


def test_deep_structures_end(path):
    deep = b"\x80\x02)" + b"\x85" * 10**5
    loaded = nn.load_torch(archive(path, None, pickle=deep + b"."))
    assert len(loaded) == 1
    for ending in (b"K\x01s.", b"\x85."):
        archive(path, None, pickle=b"\x80\x02}" + deep[2:] + ending)
        with pytest.raises(nn.DataError):
            nn.load_torch(path)


# ---- what is refused ----------------------------------------------------------------------------


def call(name, *arguments):
    return pickled(Call(name, *arguments))


MALICIOUS = {
    "os.system": (call("posix.system", "touch /tmp/owned"), r"contains posix\.system"),
    "os": (call("os.system", "touch /tmp/owned"), r"contains os\.system"),
    "eval": (call("builtins.eval", "1"), r"contains builtins\.eval"),
    "eval in a set": (call("builtins.set", [Call("__builtin__.eval", "1")]), r"__builtin__\.eval"),
    "getattr": (call("builtins.getattr", 1, "real"), r"builtins\.getattr"),
    "in a dict": (pickled({"a": [Call("posix.system", "true")]}), r"posix\.system"),
    "in a tensor": (pickled(tensor(1, (1,), (1,), flags=[Call("os.system", "")])), r"os\.system"),
    "a name alone": (pickled(Named("subprocess.Popen")), r"subprocess\.Popen"),
    "a name of torch": (call("torch.load", "x"), r"torch\.load"),
    "a model": (call("torch.nn.modules.linear.Linear"), r"contains torch\.nn\.modules\.linear\.L"),
    "sparse": (call("torch._utils._rebuild_sparse_tensor"), r"_rebuild_sparse_tensor"),
    "a method of ours": (call("builtins.fail", "x"), r"builtins\.fail"),
    "dotted": (b"\x80\x04\x8c\x08builtins\x8c\x0bset.__doc__\x93.", r"builtins\.set\.__doc__"),
    "stack global": (b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x01x\x85R.", r"posix\.system"),
    "built name": (b"\x80\x04]\x8c\x06system\x93.", "model.pt"),
    "INST": (b"(S'true'\niposix\nsystem\n.", r"posix\.system"),
    "OBJ": (b"(cposix\nsystem\nS'true'\no.", r"posix\.system"),
    "NEWOBJ": (b"\x80\x02ccollections\nOrderedDict\n)\x81.", "opcode NEWOBJ"),
    "NEWOBJ_EX": (b"\x80\x04ccollections\nOrderedDict\n)}\x92.", "opcode NEWOBJ_EX"),
    "EXT1": (b"\x80\x02\x82\x01.", "opcode EXT1"),
    "PERSID": (b"P0\n.", "opcode PERSID"),
    "BUILD on a dict": (b"\x80\x02}}b.", "the attributes of a dict"),
    "BUILD on a tensor": (
        pickled(tensor(1, (1,), (1,)))[:-1] + b"}X\x01\0\0\0aK\x01sb.", "attributes of a ndarray"),
    "BUILD on a list": (b"\x80\x02]K\x01b.", "the attributes of a list"),
    "BUILD with a tuple": (
        call("collections.OrderedDict")[:-1] + b"N}\x86b.", "attributes of a OrderedDict"),
    "call of a text": (b"\x80\x02X\x01\0\0\0a)R.", "a call of a str"),
    "call of a dtype": (call("torch.float32"), "a call of a .*DType"),
    "call of a storage": (call("torch.FloatStorage", 10**12), "a call of a StorageType"),
    "a function as a value": (pickled([Named("torch.Size")]), "a Function as a value"),
    "a storage as a value": (
        pickled({"a": (Stored("storage", Named("torch.FloatStorage"), "0", "cpu", 1),)}),
        "a Storage as a value"),
    "unknown flags": (pickled(tensor(1, (1,), (1,), flags=[{"x": True}])), "a tensor with 'x'"),
    "other persistent id": (pickled(Stored("module", "os")), "a persistent id"),
    "persistent id of a text": (b"\x80\x02X\x02\0\0\0osQ.", "a persistent id that is a str"),
    "long name": (call(f"os.{'x' * 10**5}"), r"'os\.x{90,97}'"),
    "name with control characters": (call("os.\x1b[2J"), r"'os\.\\x1b\[2J'"),
}  # fmt: skip


@pytest.mark.usefixtures("nothing_is_executed")
@pytest.mark.parametrize("case", MALICIOUS)
def test_nothing_is_executed(path, case):
    content, told = MALICIOUS[case]
    archive(path, None, np.float32([1]), pickle=content)
    with pytest.raises(nn.DataError, match=told) as caught:
        nn.load_torch(path)
    assert "model.pt" in str(caught.value)
    assert len(str(caught.value)) < 500


def test_the_message(path):
    archive(path, Call("posix.system", "true"))
    told = r"model\.pt: contains posix\.system, which is not a tensor; nothing was executed\. To "
    with pytest.raises(nn.DataError, match=told + r".*torch\.save\(model\.state_dict\(\), path\)"):
        nn.load_torch(path)


@pytest.mark.parametrize(
    "wrong",
    [
        (4, (5,), (1,)), (4, (4,), (1,), 1), (4, (2, 2), (3, 1)), (4, (1,), (1,), 4),
        (4, (1,), (1,), -1), (4, (2,), (-1,), 3), (4, (-1,), (1,)), (4, (2, 2), (1,)),
        (4, (2.0,), (1,)), (4, (True,), (1,)), (4, [2], [1]), (4, (2**62, 2**62), (2**62, 1)),
        (4, (2**62,), (0,)), (4, (10**6, 10**6), (0, 0)), (4, (0, 2**70), (1, 1)),
        (5, (1,), (1,)), (3, (1,), (1,)), (-4, (1,), (1,)), (2**64, (1,), (1,)), ("4", (1,), (1,)),
        (True, (1,), (1,)), (4, (1,) * 70, (1,) * 70), (4, "1", "1"), (4, (1 << 20000,), (1,)),
        (4, (1,), (1,), None),
    ],
)  # fmt: skip
def test_a_tensor_outside_its_storage_is_an_error(path, wrong):
    archive(path, tensor(*wrong), np.arange(4, dtype=np.float32))
    with pytest.raises(nn.DataError, match=r"model\.pt"):
        nn.load_torch(path)


@pytest.mark.parametrize("key", ["1", "../data.pkl", "/etc/passwd", "", 0])
def test_a_storage_is_an_entry_of_its_archive(path, key):
    archive(path, tensor(1, (1,), (1,), key=key), np.float32([1]))
    with pytest.raises(nn.DataError, match=r"lacks its entry 'data/|has no class or name"):
        nn.load_torch(path)


@pytest.mark.parametrize("kind", ["float8_e4m3fn", "float8_e5m2", "complex32", "qint8"])
def test_dtypes_that_numpy_lacks_are_named(path, kind):
    archive(path, [Named(f"torch.{kind}")])
    with pytest.raises(DTypeError, match=f"model.pt contains the dtype {kind}, which NumPy lacks"):
        nn.load_torch(path)


BROKEN = [b"", b".", b"\x80\x02", b"\x80\x02}", b"}}.", b"0.", b"(", b"(.", b"t.", b"\x85.", b"R.",
          b"e.", b"(e.", b"Nu.", b"}]Ns.", b"h\x00.", b"s.", b"b.", b"q\x00.", b"Q.",
          b"}(NNNu.", b"N(Ne.", b"\xff\xff", b"X\xff\xff\xff\xff.", b"\x93.", b"I1x\n.", b"2.",
          b"cos\n", b"\x8b\xff\xff\xff\x7f.", b"L" + b"9" * 10**4 + b"L\n."]  # fmt: skip


@pytest.mark.parametrize("content", BROKEN, ids=lambda content: repr(content[:12]))
def test_a_pickle_that_is_none_is_an_error(path, content):
    archive(path, None, pickle=content)
    with pytest.raises(nn.DataError, match=r"model\.pt"):
        nn.load_torch(path)


@pytest.mark.usefixtures("nothing_is_executed")
def test_random_pickles_are_read_or_refused(path):
    random = np.random.default_rng(0)
    whole = pickled({"a": tensor(4, (2, 2), (2, 1)), "b": [1, (2.0, {"x"}), b"y"]})
    for _ in range(1000):
        content = bytearray(whole)
        for at in random.integers(0, len(whole), random.integers(1, 4)):
            content[at] = random.integers(0, 256)
        archive(path, None, np.eye(2, dtype=np.float32), pickle=bytes(content))
        try:
            nn.load_torch(path)
        except (nn.DataError, DTypeError) as error:
            told = str(error)
            assert "model.pt" in told


# ---- files --------------------------------------------------------------------------------------


def test_a_damaged_archive_is_an_error(path):
    values = np.arange(100, dtype=np.float32)
    content = archive(path, {"w": tensor(100, (100,), (1,))}, values).read_bytes()
    for i in range(20):
        path.write_bytes(content[: len(content) * i // 20])
        with pytest.raises(nn.DataError, match=r"model\.pt"):
            nn.load_torch(path)
    for at in range(len(content)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        try:
            loaded = nn.load_torch(path)
        except nn.DataError as error:
            told = str(error)
            assert "model.pt" in told
        else:
            np.testing.assert_array_equal(loaded["w"], values)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "expected an archive of torch.save, found b''"),
        (b"hello", "expected an archive of torch.save"),
        (struct.pack("<Q", 2) + b"{}", "expected an archive of torch.save"),
        (
            b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.",
            r"before 1\.6.*torch\.save",
        ),
        (b"PK\3\4" + bytes(99), "is truncated or altered"),
    ],
)
def test_other_formats_are_named(path, content, told):
    path.write_bytes(content)
    with pytest.raises(nn.DataError, match=told):
        nn.load_torch(path)


def test_other_archives_are_named(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("weight.npy", b"")
    with pytest.raises(nn.DataError, match=r"not one of torch\.save: it has no data\.pkl"):
        nn.load_torch(path)
    archive(path, {}, more=[("constants.pkl", b"")])
    with pytest.raises(nn.DataError, match=r"TorchScript archive, written by torch\.jit\.save"):
        nn.load_torch(path)
    archive(path, {}, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(nn.DataError, match=r"compressed entry 'data\.pkl'"):
        nn.load_torch(path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        nn.load_torch(path.with_name("nowhere.pt"))
