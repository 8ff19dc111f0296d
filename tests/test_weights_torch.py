"""Weights go to PyTorch and come back, bit for bit, as safetensors and as .pt."""

import inspect
import re
from collections import OrderedDict

import numpy as np
import pytest

import nn
from autograd_core.errors import DTypeError
from tests.layers import ACTIVATIONS, LAYERS, Layer

torch = pytest.importorskip("torch", reason="needs torch: pip install -e '.[oracles]'")
safetensors = pytest.importorskip(
    "safetensors.torch", reason="needs safetensors: pip install -e '.[training]'"
)
pytestmark = [pytest.mark.oracle,
              pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")]  # fmt: skip

MORE = [
    Layer("Embedding", (5, 3)),
    Layer("InstanceNorm3d", (4,), {"affine": True, "track_running_stats": True}),
    *(Layer(name, (), options) for name, options in ACTIVATIONS),
]
ROWS = [row for row in [*LAYERS, *MORE] if hasattr(nn, row.name) and row.made().state_dict()]


def equal(ours, theirs):
    """Equal names, dtypes, shapes and bits; `theirs` are Tensors of PyTorch."""
    assert ours.keys() == theirs.keys()
    for name, values in theirs.items():
        values = values.detach().resolve_conj().resolve_neg()
        expected = (values.float() if values.dtype == torch.bfloat16 else values).numpy()
        assert ours[name].dtype == expected.dtype, name
        assert ours[name].shape == expected.shape, name
        assert ours[name].tobytes() == expected.tobytes(), name
    return True


def drawn(layer):
    """Other weights, also of the buffers."""
    random = np.random.default_rng(3)
    with torch.no_grad():
        for tensor in layer.state_dict().values():
            tensor.copy_(torch.tensor(random.normal(size=tensor.shape) * 9))
    return layer


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_layers_go_to_torch_and_back(row, dtype, tmp_path):
    def theirs():
        layer = getattr(torch.nn, row.name)(*row.args, **row.options)
        return layer.to(getattr(torch, dtype))

    def ours():
        return row.made().astype(dtype)

    layer, other = ours(), theirs()
    path = nn.save_safetensors(layer.state_dict(), tmp_path / "ours.safetensors")
    other.load_state_dict(safetensors.load_file(path))
    assert equal(layer.state_dict(), other.state_dict())
    drawn(other)
    safetensors.save_file(other.state_dict(), tmp_path / "theirs.safetensors")
    torch.save(other.state_dict(), tmp_path / "theirs.pt")
    torch.save({"model": OrderedDict(other.named_parameters()), "epoch": 3}, tmp_path / "more.pt")
    loaded = nn.load_torch(tmp_path / "theirs.pt")
    for state in (nn.load_safetensors(tmp_path / "theirs.safetensors"), loaded):
        layer = ours()
        layer.load_state_dict(state)
        assert equal(layer.state_dict(), other.state_dict())
    more = nn.load_torch(tmp_path / "more.pt")
    assert more["epoch"] == 3
    assert equal(more["model"], dict(other.named_parameters()))


def test_every_layer_with_weights_is_among_them():
    """Those of PyTorch's names whose class, or a class it derives from, makes a Parameter, a Buffer
    or a layer."""
    tried = {row.name for row in ROWS} | {"Sequential"}
    for name in nn.__all__:
        kind = getattr(nn, name)
        if inspect.isclass(kind) and issubclass(kind, nn.Module) and hasattr(torch.nn, name):
            bases = [base for base in kind.__mro__ if base not in (*nn.Module.__mro__, object)]
            source = re.sub(r'"""(?s:.*?)"""', "", "".join(map(inspect.getsource, bases)))
            if re.search(r"Parameter\(|Buffer\(|Linear\(|Norm\(|[Aa]ttention\(|[Ll]ayer", source):
                assert name in tried, name


def test_losses_and_containers(tmp_path):
    """Class weights are buffers; a Sequential numbers its layers."""
    zeros = torch.zeros(2)
    pairs = [(getattr(nn, name)(weight=[0.1, 3.0]), getattr(torch.nn, name)(zeros.clone()))
             for name in ("CrossEntropyLoss", "NLLLoss")]  # fmt: skip
    pairs.append([m.Sequential(m.Linear(2, 3), m.PReLU(), m.LSTM(3, 2)) for m in (nn, torch.nn)])
    for ours, theirs in pairs:
        path = nn.save_safetensors(ours.state_dict(), tmp_path / "a.safetensors")
        theirs.double().load_state_dict(safetensors.load_file(path))
        assert equal(ours.state_dict(), theirs.state_dict())
        torch.save(drawn(theirs).state_dict(), tmp_path / "a.pt")
        ours.load_state_dict(nn.load_torch(tmp_path / "a.pt"))
        assert equal(ours.state_dict(), theirs.state_dict())


BASE = torch.arange(-12, 12).reshape(4, 6)
VIEWS = {
    "rows": lambda x: x,
    "fortran": lambda x: x.t(),
    "strided": lambda x: x[::2, 1::3],
    "column": lambda x: x[:, 2],
    "offset": lambda x: x[2:, 3:],
    "expanded": lambda x: x[:1].expand(3, 6),
    "unfolded": lambda x: x.unfold(1, 3, 1),
    "scalar": lambda x: x[1, 1],
    "empty": lambda x: x[:0],
    "empty end": lambda x: x[4:, 6:],
    "one": lambda x: x[3:, 5:],
    "channels last": lambda x: x.reshape(1, 2, 3, 4).to(memory_format=torch.channels_last),
}
DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64"]
DTYPES += ["float16", "bfloat16", "float32", "float64", "complex64", "complex128"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_views_of_every_dtype(dtype, tmp_path):
    whole = (BASE.abs() if dtype[0] == "u" else BASE).to(getattr(torch, dtype))
    whole = whole / 3 if whole.is_floating_point() or whole.is_complex() else whole
    state = {name: view(whole) for name, view in VIEWS.items()}
    torch.save(state, tmp_path / "a.pt")
    loaded = nn.load_torch(tmp_path / "a.pt")
    assert equal(loaded, state)
    assert all(array.flags.c_contiguous and array.flags.writeable for array in loaded.values())
    if dtype == "complex128":
        return
    rows = {name: tensor.contiguous().clone() for name, tensor in state.items()}
    safetensors.save_file(rows, tmp_path / "a.safetensors")
    assert equal(nn.load_safetensors(tmp_path / "a.safetensors"), state)
    half = {"dtype": "bfloat16"} if dtype == "bfloat16" else {}
    path = nn.save_safetensors(loaded, tmp_path / "b.safetensors", **half)
    back = safetensors.load_file(path)
    assert all(torch.equal(back[name], tensor) for name, tensor in rows.items())
    assert {tensor.dtype for tensor in back.values()} == {whole.dtype}


def test_bfloat16_is_rounded_as_torch_rounds(tmp_path):
    bits = np.random.default_rng(0).integers(0, 2**32, 10**5, dtype=np.uint32)
    values = bits.view(np.float32)
    path = nn.save_safetensors({"x": values}, tmp_path / "a.safetensors", dtype="bfloat16")
    found, expected = safetensors.load_file(path)["x"], torch.tensor(values).bfloat16()
    finite = ~expected.isnan()
    assert torch.equal(found.isnan(), ~finite)
    assert torch.equal(found[finite].view(torch.int16), expected[finite].view(torch.int16))
    assert equal(nn.load_safetensors(path), {"x": found})


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_checkpoint_of_training(protocol, tmp_path):
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    model(torch.ones(4, 2)).sum().backward()
    optimizer.step()
    z, y = torch.tensor([1 + 2j]), torch.tensor([3 - 1j])
    saved = {
        "state_dict": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 2**40,
        "best": float("inf"), "shape": torch.Size([2, 3]), "dtype": torch.float16, "name": "é",
        "seen": {1, "a"}, "key": b"\0\xff", "none": [None, True, (1, 2j)], "tied": [z, z],
        "conj": z.conj(), "imag": y.conj().imag, "parameter": model[0].weight,
    }  # fmt: skip
    torch.save(saved, tmp_path / "a.pt", pickle_protocol=protocol)
    loaded = nn.load_torch(tmp_path / "a.pt")
    assert list(loaded) == list(saved)
    assert equal(loaded["state_dict"], saved["state_dict"])
    for i, state in saved["optimizer"]["state"].items():
        assert equal(loaded["optimizer"]["state"][i], state)
    assert loaded["optimizer"]["param_groups"] == saved["optimizer"]["param_groups"]
    for name in ("epoch", "best", "name", "seen", "key", "none"):
        assert loaded[name] == saved[name]
    assert (loaded["shape"], loaded["dtype"]) == ((2, 3), np.float16)
    tensors = ("conj", "imag", "parameter")
    assert equal({name: loaded[name] for name in tensors}, {name: saved[name] for name in tensors})
    assert loaded["tied"][0] is loaded["tied"][1]


def test_what_torch_writes_and_we_refuse(tmp_path):
    path = tmp_path / "model.pt"
    model = torch.nn.Linear(2, 2)
    torch.save(model, path)
    with pytest.raises(nn.DataError, match=r"contains torch\.nn\.modules\.linear\.Linear, which"):
        nn.load_torch(path)
    torch.save(torch.eye(2).to_sparse(), path)
    with pytest.raises(nn.DataError, match=r"_rebuild_sparse_tensor, which is not a tensor"):
        nn.load_torch(path)
    torch.save(model.state_dict(), path, _use_new_zipfile_serialization=False)
    with pytest.raises(nn.DataError, match=r"format of PyTorch before 1\.6"):
        nn.load_torch(path)
    torch.save({"w": torch.zeros(2).to(torch.float8_e4m3fn)}, path)
    with pytest.raises(DTypeError, match="contains the dtype float8_e4m3fn, which NumPy lacks"):
        nn.load_torch(path)
    eight = {"w": torch.zeros(2).to(torch.float8_e5m2)}
    safetensors.save_file(eight, tmp_path / "a.safetensors")
    with pytest.raises(DTypeError, match="w has dtype F8_E5M2, which NumPy lacks"):
        nn.load_safetensors(tmp_path / "a.safetensors")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torchscript_is_refused(tmp_path):
    torch.jit.save(torch.jit.trace(torch.nn.Linear(1, 1), torch.ones(1)), tmp_path / "model.pt")
    with pytest.raises(nn.DataError, match="is a TorchScript archive"):
        nn.load_torch(tmp_path / "model.pt")


def test_a_damaged_file_of_torch(tmp_path):
    """At every 1/20 of its length: truncated, it is an error; altered, an error or the same."""
    path = tmp_path / "model.pt"
    state = torch.nn.Linear(20, 20).state_dict()
    torch.save(state, path)
    content = path.read_bytes()
    for at in (len(content) * i // 20 for i in range(20)):
        path.write_bytes(content[:at])
        with pytest.raises(nn.DataError, match=r"model\.pt"):
            nn.load_torch(path)
        path.write_bytes(content[:at] + bytes([content[at] ^ 255]) + content[at + 1 :])
        try:
            loaded = nn.load_torch(path)
        except nn.DataError:
            continue
        assert equal(loaded, state)
