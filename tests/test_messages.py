"""What reaches a user: one line that says what to write, and a traceback of their own frames."""

import os
import re
import subprocess
import sys
import traceback

import numpy as np
import pytest

import autograd_core as ac
from autograd_core.errors import DTypeError, ShapeError
from autograd_core.errors.alternatives import ATTRIBUTES, FUNCTIONS
from tests.failing_programs import PROGRAMS, vector

USERS = {"misfit", "broken", "doubled"}  # functions in the programs in which an error happens


def chain(error):
    """An error and those that are printed above it."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def frames(error):
    return [f for e in chain(error) for f in traceback.extract_tb(e.__traceback__)]


def is_ours(frame):
    return "/autograd_core/" in frame.filename or frame.filename.startswith("<operation")


def failure(program):
    try:
        program()
    except Exception as error:
        return error
    pytest.fail("it did not fail")


# ---- tracebacks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.filterwarnings("ignore")
def test_at_most_three_frames_of_the_engine_reach_a_user(name):
    for _ in range(2):  # the first call of an operation writes it
        error = failure(PROGRAMS[name])
        ours = [frame for frame in frames(error) if is_ours(frame)]
        assert len(ours) <= 3, "".join(traceback.format_list(ours))


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, p in PROGRAMS.items()
        if USERS & {*p.__code__.co_names} and "argnum" not in name
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_the_frames_of_the_user_are_all_there(name):
    error = failure(PROGRAMS[name])
    assert USERS & {frame.name for frame in frames(error)}
    assert PROGRAMS[name].__name__ in {frame.name for frame in frames(error)}


def test_users_frames_between_ours_stay_in_their_order():
    def inner(x):
        return ac.sum(x + np.ones(7))

    def outer(x):
        return ac.sum(ac.grad(inner)(x))

    names = [f.name for f in frames(failure(lambda: ac.hessian(outer)(np.ones(3))))]
    assert [name for name in names if name in ("outer", "inner")] == ["outer", "inner"]


def test_an_error_that_says_it_all_has_no_cause():
    error = failure(lambda: vector() + np.ones(4))
    assert list(chain(error)) == [error]


def test_the_cause_of_a_users_kernel_stays():
    error = failure(PROGRAMS["kernel"])
    assert [type(e) for e in chain(error)] == [ShapeError, ValueError]
    assert "doubled" in [f.name for f in traceback.extract_tb(error.__cause__.__traceback__)]


def test_a_developer_sees_everything(monkeypatch):
    short = frames(failure(PROGRAMS["hessian"]))
    monkeypatch.setenv("AUTOGRAD_CORE_FULL_TRACEBACK", "1")
    whole = frames(failure(PROGRAMS["hessian"]))
    assert len([f for f in whole if is_ours(f)]) > 6
    assert len(short) < len(whole)


def test_an_error_that_is_raised_again_keeps_its_frames():
    """A user's handler that raises again, and an error that is kept and raised later."""

    def f(x):
        try:
            return ac.sum(x + np.ones(7))
        except ShapeError as error:
            raise KeyError("mine") from error

    error = failure(lambda: ac.grad(f)(np.ones(3)))
    assert isinstance(error, KeyError)
    assert isinstance(error.__cause__, ShapeError)
    assert "f" in [frame.name for frame in traceback.extract_tb(error.__traceback__)]


# ---- names of other libraries -------------------------------------------------------------------


@pytest.mark.parametrize("name", [*ATTRIBUTES, "exp", "matmul", "sigmoid", "exp_", "sigmoid_"])
def test_an_attribute_of_other_libraries_names_ours(name):
    x = vector()
    with pytest.raises(AttributeError, match=f"no '{name}'. Write ") as caught:
        getattr(x, name)
    assert "\n" not in str(caught.value)
    assert not hasattr(x, name)
    assert not hasattr(ac.Tensor, name)
    assert name not in dir(x)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_of_other_libraries_names_ours(name):
    with pytest.raises(AttributeError, match=f"no '{name}'. Write ") as caught:
        getattr(ac, name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", sorted({*ATTRIBUTES.values(), *FUNCTIONS.values()}))
def test_what_is_named_exists(text):
    import autograd_core.scipy.special
    import nn

    roots = {"ac": ac, "autograd_core": autograd_core, "nn": nn, "np": np, "x": vector()}
    for path in re.findall(r"\b(?:ac|autograd_core|nn|np|x)(?:\.\w+)+", text):
        value = roots[path.split(".")[0]]
        for part in path.split(".")[1:]:
            value = getattr(value, part) if not callable(value) or hasattr(value, part) else None
            if value is None:
                break


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (lambda x: x.view, "reshape"),
        (lambda x: x.exp(), "ac.exp(x)"),
        (lambda x: x.add(1), "ac.add(x, y)"),
        (lambda x: x.zero_(), "x.grad = None"),
        (lambda x: x.clamp_(0, 1), "x[...] = x.clip"),
        (lambda x: x.tanh_(), "x[...] = ac.tanh(x)"),
        (lambda x: ac.tensor([1.0]), "ac.Tensor(data)"),
        (lambda x: ac.roots(x), "np.roots(tensor.detach().numpy())"),
        (lambda x: ac.concatenat([x]), "Did you mean concatenate?"),
        (lambda x: ac.sum(x, dim=0), "axis="),
        (lambda x: x.sum(dim=0), "axis="),
        (lambda x: x.mean(axis=0, keepdim=True), "keepdims="),
        (lambda x: ac.cumsum(x, dim=0), "axis="),
        (lambda x: ac.softmax(x, dim=-1), "axis="),
        (lambda x: ac.concatenate([x, x], dim=0), "axis="),
        (lambda x: ac.sort(x, dim=0), "axis="),
        (lambda x: ac.linalg.norm(x, dim=0), "axis="),
        (lambda x: ac.sort(input=x), "x="),
    ],
)
def test_the_message_says_what_to_write(write, expected):
    error = failure(lambda: write(vector()))
    assert isinstance(error, AttributeError | TypeError)
    assert expected in str(error)
    assert "\n" not in str(error)


def test_a_users_own_keyword_error_is_left_alone():
    def f(x):
        return (lambda *, d: d)(dim=x)

    assert "NumPy" not in str(failure(lambda: f(1)))


def test_a_subclass_may_have_these_names():
    class Mine(ac.Tensor):
        def exp(self):
            return "mine"

    assert Mine([1.0]).exp() == "mine"
    mine = Mine([1.0])
    mine.view = 3
    assert mine.view == 3
    with pytest.raises(AttributeError, match="a Mine has no 'zero_'"):
        mine.zero_()


def test_the_module_of_tensors_can_still_be_imported():
    script = "import autograd_core.engine.tensor as t; t.make"
    subprocess.run([sys.executable, "-c", script], check=True, env=os.environ)


# ---- numbers and None ---------------------------------------------------------------------------


@pytest.mark.parametrize("read", [float, int, complex, ac.Tensor.item])
@pytest.mark.parametrize("shape", [(3,), (0,), (2, 2)])
@pytest.mark.parametrize("tracked", [True, False])
def test_a_number_of_many_elements(read, shape, tracked):
    x = ac.Tensor(np.ones(shape), requires_grad=tracked)
    with pytest.raises(ShapeError, match=re.escape(f"shape {shape}")) as caught:
        read(x)
    for way in ("x[0].item()", "x.sum().item()", "tolist()"):
        assert way in str(caught.value)


@pytest.mark.parametrize("read", [float, int, complex, ac.Tensor.item])
@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_a_number_of_one_element(read, shape):
    assert read(ac.Tensor(np.full(shape, 2.0))) == 2


@pytest.mark.parametrize(
    ("program", "named"),
    [
        (lambda x: ac.Tensor(None), "None"),
        (lambda x: ac.asarray(None), "None"),
        (lambda x: ac.Tensor([1.0, None]), "None"),
        (lambda x: ac.exp(None), "exp: x is None"),
        (lambda x: ac.add(x, None), "add: y is None"),
        (lambda x: x + None, "add: y is None"),
        (lambda x: None - x, "subtract: x is None"),
        (lambda x: x @ None, "matmul: y is None"),
        (lambda x: np.multiply(x, None), "multiply: y is None"),
        (lambda x: ac.stack([x, None]), "None"),
        (lambda x: ac.maximum(x, None), "maximum: y is None"),
    ],
)
def test_none_is_named(program, named):
    for _ in range(2):
        error = failure(lambda: program(vector()))
        assert isinstance(error, DTypeError)
        assert named in str(error)
        assert "\n" not in str(error)
        assert list(chain(error)) == [error]


def test_none_is_still_what_it_means_elsewhere():
    x = vector()
    assert ac.clip(x, None, 2.0).data.tolist() == [1.0, 2.0, 2.0]
    assert x[None].shape == (1, 3)
    assert ac.sum(x, axis=None).item() == 6.0
