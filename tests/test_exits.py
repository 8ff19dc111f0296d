"""Nothing leaves the graph without a word: every way out either raises or is asked for by name."""

import json
import math
import pickle

import numpy as np
import pytest

import autograd_core as ac
from autograd_core.engine.op import gradient_free
from autograd_core.errors import AutogradError

HOST_ONLY = {  # an array on a device refuses these by itself
    "np.asarray": lambda x, a: np.asarray(x),
    "np.array": lambda x, a: np.array(x),
    "np.array of a list": lambda x, a: np.array([x, x]),
    "np.asarray, dtype": lambda x, a: np.asarray(x, dtype="f4"),
    "np.ascontiguousarray": lambda x, a: np.ascontiguousarray(x),
    "array from np.frombuffer": lambda x, a: np.frombuffer(x),
    "memoryview": lambda x, a: memoryview(x),
    "out=": lambda x, a: np.add(a, x, out=a),
    "augmented assignment": lambda x, a: _augmented(a, x),
    "assignment to elements": lambda x, a: a.__setitem__(slice(None), x),
    "assignment to one element": lambda x, a: a.__setitem__(0, x),
    "ufunc.at": lambda x, a: np.add.at(a, [0, 1], x),
    "ufunc.at on a Tensor": lambda x, a: np.add.at(x, [0, 1], a),
    "float()": lambda x, a: float(x[0]),
    "complex()": lambda x, a: complex(x[0]),
    "math": lambda x, a: math.sin(x[0]),
    "math.isnan": lambda x, a: math.isnan(x[0]),
    "an old format": lambda x, a: "%.3f" % x[0],  # noqa: UP031
    "fromiter": lambda x, a: np.fromiter(x, float),
    "a mean of a list": lambda x, a: np.mean([x[0], x[1]]),
    "a sum of a list": lambda x, a: np.sum([x[0], x[1]]),
    "ufunc where=": lambda x, a: np.exp(x, where=a > 0),
    "dtype= of integers": lambda x, a: np.exp(x, dtype="i4"),
    "sum out=": lambda x, a: np.sum(x, out=a),
    "copyto": lambda x, a: np.copyto(a, x),
    "put": lambda x, a: np.put(a, [0], x),
    "place": lambda x, a: np.place(a, a > 0, x),
    "putmask": lambda x, a: np.putmask(a, a > 0, x),
    "fill_diagonal": lambda x, a: np.fill_diagonal(np.zeros((2, 2)), x),
    "fill": lambda x, a: a.fill(x),
    "full": lambda x, a: np.full(3, x),
    "full_like": lambda x, a: np.full_like(a, x),
    "full_like, a keyword": lambda x, a: np.full_like(a, fill_value=x),
    "vectorize": lambda x, a: np.vectorize(lambda v: v)(x),
    "save": lambda x, a: np.save("/dev/null", x),
    "savez": lambda x, a: np.savez("/dev/null", x),
    "random": lambda x, a: np.random.default_rng(0).normal(x),
    "scalar": lambda x, a: np.float64(x),
    "masked": lambda x, a: np.ma.array(x),
    "a masked function": lambda x, a: np.ma.exp(x),
    "a masked join": lambda x, a: np.ma.concatenate([x]),
    "times a masked array": lambda x, a: np.ma.array(a) * x,
    "a masked array on the right": lambda x, a: x * np.ma.array(a),
    "astype a text": lambda x, a: x.astype(str),
    "json": lambda x, a: json.dumps(x),
    "json of a list": lambda x, a: json.dumps(list(x)),
}
ANYWHERE = {
    "Tensor(tensor)": lambda x: ac.Tensor(x),
    "numpy()": lambda x: x.numpy(),
    "tolist()": lambda x: x.tolist(),
    "tensor.data = tensor": lambda x: setattr(ac.Tensor(x.data), "data", x),
    "pickle": lambda x: pickle.dumps(x),
    "a setting": lambda x: ac.sum(x, axis=x),
    "a setting, a shape": lambda x: ac.reshape(x, x),
    "Tensor of Tensors": lambda x: ac.Tensor([x, x]),
}


def _augmented(array, tensor):
    array += tensor


@pytest.fixture
def tracked(device):
    return ac.Tensor(device.array(np.array([1.0, 2.0, 3.0])), requires_grad=True) * 1.0


@pytest.mark.parametrize("exit", HOST_ONLY)
def test_a_host_array_cannot_swallow_a_tracked_tensor(exit):
    x = ac.Tensor(np.array([1.0, 2.0, 3.0]), requires_grad=True) * 1.0
    array = np.array([5.0, 6.0, 7.0])
    with pytest.raises((AutogradError, TypeError, ValueError)):
        HOST_ONLY[exit](x, array)
    np.testing.assert_array_equal(array, [5.0, 6.0, 7.0])
    np.testing.assert_array_equal(x.detach().numpy(), [1.0, 2.0, 3.0])


@pytest.mark.parametrize("exit", ANYWHERE)
def test_nothing_leaves_silently(exit, tracked):
    with pytest.raises(AutogradError):
        ANYWHERE[exit](tracked)


# Those that print, read or write; bmat reads a program.
OUTSIDE = {"bmat", "errstate", "fromfile", "fromiter", "genfromtxt", "info", "load", "loadtxt",
           "memmap", "printoptions", "save", "savetxt", "savez", "savez_compressed",
           "set_printoptions", "setbufsize", "seterr", "seterrcall", "show_config", "show_runtime",
           "test"}  # fmt: skip
PLAIN_ANSWERS = {
    "allclose",
    "array2string",
    "array_equal",
    "array_equiv",
    "array_repr",
    "array_str",
    "can_cast",
    "common_type",
    "isclose",
    "iscomplexobj",
    "isrealobj",
    "isscalar",
    "issubdtype",
    "iterable",
    "may_share_memory",
    "min_scalar_type",
    "mintypecode",
    "ndim",
    "promote_types",
    "result_type",
    "shape",
    "shares_memory",
    "size",
}  # fmt: skip
ONE_BY_ONE = {"atleast_1d", "atleast_2d", "atleast_3d", "broadcast_arrays", "meshgrid"}
WRITING = {"copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask"}  # x[i] = v
NO_GRADIENT = gradient_free | {"zeros_like", "ones_like", "empty_like"}
NO_GRADIENT |= {"sign"}  # of real numbers
NO_GRADIENT |= {"histogram", "histogram2d", "histogramdd"}  # of what is counted; weights have one
NAMES = [
    name
    for name in sorted(np.__all__)
    if callable(getattr(np, name)) and not isinstance(getattr(np, name), type)
]


OPERANDS = [
    lambda x: (x,),
    lambda x: (x, x),
    lambda x: ([x, x],),
    lambda x: (np.ones(2), x[:2], x[1:]),
]


def flat(out):
    """What is in a result, or in the tuples and lists of one; an empty one is itself a result."""
    if isinstance(out, tuple | list) and out:
        for part in out:
            yield from flat(part)
    else:
        yield out


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OUTSIDE])
@pytest.mark.filterwarnings("ignore")
def test_no_function_of_numpy_drops_the_graph(name):
    """Whatever NumPy offers: on a tracked Tensor it gives a tracked one, or an answer that is known
    to carry no gradient, or it raises."""
    leaf = ac.Tensor(np.array([1.0, 2.0, 3.0]), requires_grad=True)
    for choose in OPERANDS:
        x = leaf * 1.0  # np.exp(x, x) writes into the second one
        try:
            operands = choose(x)
            out = getattr(np, name)(*operands)
        except Exception:
            continue
        if out is None and name in WRITING:
            continue
        results = list(flat(out))
        if name == "where" and len(operands) == 1:
            name = "nonzero"
        if name in ONE_BY_ONE:  # what was a plain array stays one
            kept = [result for result in results if isinstance(result, ac.Tensor)]
            assert len(kept) == sum(isinstance(operand, ac.Tensor) for operand in operands)
            results = kept or [x]
        if all(isinstance(result, ac.Tensor) for result in results):
            assert any(result.requires_grad for result in results) or name in NO_GRADIENT
        else:
            assert name in PLAIN_ANSWERS, f"np.{name} gave {out!r}"


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (lambda x: x.detach().numpy().tolist(), [1.0, 2.0, 3.0]),
        (lambda x: x.data.tolist(), [1.0, 2.0, 3.0]),
        (lambda x: x[0].item(), 1.0),
        (lambda x: int(x[1]), 2),
        (lambda x: bool(x[1]), True),
        (lambda x: f"{x[2]:.1f}", "3.0"),
        (lambda x: np.shape(x), (3,)),
        (lambda x: np.ndim(x), 1),
        (lambda x: np.result_type(x, np.float32), np.float64),
    ],
    ids=["detach", "data", "item", "int", "bool", "format", "shape", "ndim",
         "result_type"],
)  # fmt: skip
def test_the_exits_that_are_asked_for_by_name(ask, expected):
    x = ac.Tensor(np.array([1.0, 2.0, 3.0]), requires_grad=True) * 1.0
    assert ask(x) == expected


@pytest.mark.parametrize("make", [np.zeros_like, np.ones_like, np.empty_like,
                                  lambda x: np.full_like(x, 3.0)])  # fmt: skip
def test_new_arrays_like_a_tensor_are_untracked_tensors(make, tracked):
    made = make(tracked)
    assert type(made) is ac.Tensor
    assert not made.requires_grad
    assert (made.shape, made.dtype, made.device) == (tracked.shape, tracked.dtype, tracked.device)


def test_an_untracked_number_is_one():
    x = ac.Tensor([1.0, 2.0])
    assert (float(x[1]), complex(x[1]), math.sqrt(x[0])) == (2.0, 2 + 0j, 1.0)
    assert np.fromiter(x, float).tolist() == [1.0, 2.0]


def test_an_untracked_tensor_may_leave():
    x = ac.Tensor(np.array([1.0, 2.0]))
    np.testing.assert_array_equal(np.asarray(x), [1.0, 2.0])
    assert x.tolist() == [1.0, 2.0]
