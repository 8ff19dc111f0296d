"""Every function of `autograd_core.numpy` accepts what NumPy's accepts, by position and by name,
and returns NumPy's result; `signature_calls` contains the arguments."""

import inspect

import numpy as np
import pytest

import autograd_core as ac
import autograd_core.numpy as anp
from tests.signature_calls import (
    CALLS,
    DIFFERENT,
    INTEGERS,
    NO_OTHER_VALUE,
    UFUNCS,
    UNORDERED,
    VALUES,
)
from tests.signature_calls import A as MATRIX
from tests.signature_calls import B as OTHER

pytestmark = pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.4.0",
    reason="needs NumPy 2.4, the first whose C functions have signatures",
)
NOT_FUNCTIONS = ("r_", "c_", "ndenumerate", "vectorize")  # in test_numpy_module
WRITES = ("copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask")


def _modules():
    return {"": (np, anp), "linalg.": (np.linalg, anp.linalg), "fft.": (np.fft, anp.fft)}


def _replaced():
    """The names of the functions that are not NumPy's own objects."""
    found = []
    for place, (theirs, ours) in _modules().items():
        for name in theirs.__all__:
            one = getattr(ours, name)
            mine = callable(one) and one is not getattr(theirs, name)
            if mine and not isinstance(one, type) and name not in NOT_FUNCTIONS:
                found.append(place + name)
    return sorted(found)


NAMES = _replaced()


def _get(module, name):
    for part in name.split("."):
        module = getattr(module, part)
    return module


# ---- the calls ----------------------------------------------------------------------------------


class Call:
    """Arguments, and the parameter that they are about."""

    def __init__(self, what, args, settings=None):
        self.what, self.args, self.settings = what, args, settings or {}


class Out:
    """Stands for an array for the result."""


def _value(name, parameter, default):
    given = CALLS.get(name, {})
    if parameter == "out":
        return Out
    if parameter in given:
        return given[parameter]
    if parameter == "axis":
        return -1 if default == 0 else 0
    if isinstance(default, bool):
        return not default
    if default is np._NoValue and parameter == "keepdims":
        return True
    if parameter not in VALUES:
        raise LookupError(f"{name}: the table has no value for the parameter {parameter!r}")
    return VALUES[parameter]


def _calls_of_function(name, parameters):
    """Calls with each parameter by name and by position, with its default and another value."""
    named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    needed = [p for p in named if p.default is p.empty]
    operands = [_value(name, p.name, p.default) for p in needed]
    if name == "where":
        needed, operands = named, [CALLS[name][p.name] for p in named]
    yield Call("operands", operands)
    only_by_position = name.startswith("unique_")  # which their signatures do not tell
    if all(p.kind is p.POSITIONAL_OR_KEYWORD for p in needed) and not only_by_position:
        yield Call("operands", (), dict(zip((p.name for p in needed), operands, strict=True)))
    together = CALLS.get(name, {}).get("with", {})
    for i, p in enumerate(named):
        if p in needed:
            continue
        more = together.get(p.name, {})
        other = [] if f"{name}({p.name})" in NO_OTHER_VALUE else [_value(name, p.name, p.default)]
        for value in [p.default, *other]:
            what = f"{p.name}" if value is not p.default else f"{p.name}, its default"
            if p.kind is not p.POSITIONAL_ONLY:
                yield Call(what, operands, more | {p.name: value})
            before = named[len(needed) : i]
            if p.kind is not p.KEYWORD_ONLY and not {q.name for q in before} & {*more}:
                yield Call(what, [*operands, *(q.default for q in before), value], more)


def _calls_of_ufunc(name, ufunc):
    operands = UFUNCS.get(name.rpartition(".")[2], (MATRIX, OTHER)[: ufunc.nin])
    outs = (Out,) * ufunc.nout
    yield Call("operands", operands)
    if name not in ("maximum", "minimum"):  # deprecated by NumPy
        yield Call("out", [*operands, *outs])
    yield Call("out", operands, {"out": outs})
    if ufunc.nout == 1:
        yield Call("out", operands, {"out": Out})
    if ufunc.signature is None and name not in ("divmod", "modf", "frexp"):
        yield Call("where", operands, {"out": outs, "where": np.array([True])})
    yield Call("dtype, its default", operands, {"dtype": None})
    for setting, value in {"casting": "same_kind", "order": "K", "subok": True}.items():
        yield Call(f"{setting}, its default", operands, {setting: value})
    for setting, value in {"order": "C", "subok": False, "casting": "unsafe"}.items():
        yield Call(setting, operands, {setting: value})
    loops = {"f" * ufunc.nin + "->" + "f" * ufunc.nout, "d" * ufunc.nin + "->" + "d" * ufunc.nout}
    if loops <= {*ufunc.types} and name not in INTEGERS:
        yield Call("dtype", operands, {"dtype": np.float32})
        yield Call("signature", operands, {"signature": max(loops)})


def calls(name):
    theirs = _get(np, name)
    if isinstance(theirs, np.ufunc):
        return list(_calls_of_ufunc(name, theirs))
    if isinstance(CALLS.get(name), list):
        return [Call("operands", *given) for given in CALLS[name]]
    return list(_calls_of_function(name, list(inspect.signature(theirs).parameters.values())))


# ---- running and comparing ----------------------------------------------------------------------


def _map(value, change):
    if isinstance(value, np.ndarray):
        return change(value)
    if type(value) in (list, tuple):
        return type(value)(_map(one, change) for one in value)
    if type(value) is dict:
        return {name: _map(one, change) for name, one in value.items()}
    return value


def _tensor(array):
    tracked = array.dtype.kind in "fc"
    tensor = ac.Tensor(array.copy(), requires_grad=tracked)
    return ac.copy(tensor) if tracked else tensor  # not a leaf, so that it can be written to


SUBJECTS = {
    "array": np.copy,
    "list": lambda array: array.tolist(),
    "number": lambda array: array.flat[0].item(),
    "tensor": _tensor,
}


def _filled(value, results, change):
    """Arguments in which arrays of the shapes of the results replace `Out`."""
    results = iter(results)
    replace = lambda one: change(np.zeros_like(next(results))) if one is Out else one  # noqa: E731
    if type(value) in (list, tuple):
        return type(value)(
            type(v)(map(replace, v)) if isinstance(v, tuple) else replace(v) for v in value
        )
    return {
        n: type(v)(map(replace, v)) if isinstance(v, tuple) else replace(v)
        for n, v in value.items()
    }


def _run(function, name, call, change, results, tensors=False):
    outs = SUBJECTS["tensor" if tensors else "array"]
    settings = dict(call.settings)
    args = _filled(_map(list(call.args), change), results, outs)
    settings = _filled(_map(settings, change), results, outs)
    found = function(*args, **settings)
    if name in WRITES:
        return next(iter([*args, *settings.values()]))
    return found


def _results(name, call):
    """The results without `out`, for the shapes and dtypes of the arrays that are written to."""
    plain = [v for v in call.args if v is not Out]
    settings = {n: v for n, v in call.settings.items() if n not in ("out", "where")}
    if name in WRITES or (len(plain) == len(call.args) and "out" not in call.settings):
        return ()
    found = _get(np, name)(*plain, **settings)
    return found if isinstance(found, tuple) else (found,)


def _compare(expected, found, same_type):
    if isinstance(expected, tuple | list):
        assert isinstance(found, tuple | list), type(found)
        assert len(expected) == len(found)
        if same_type:
            assert type(expected) is type(found)
        for one, other in zip(expected, found, strict=True):
            _compare(one, other, same_type)
        return
    if same_type:
        assert type(expected) is type(found), (type(expected), type(found))
    found = found.detach().numpy() if isinstance(found, ac.Tensor) else found
    if isinstance(expected, np.ndarray | np.generic):
        found = np.asarray(found)
        assert found.shape == expected.shape, (expected.shape, found.shape)
        assert found.dtype == expected.dtype, (expected.dtype, found.dtype)
    if isinstance(expected, np.ndarray | np.generic) and expected.dtype.kind in "fc":
        eps = np.finfo(expected.dtype).eps
        np.testing.assert_allclose(found, expected, rtol=50 * eps, atol=50 * eps)
    else:
        assert np.array_equal(found, expected), (expected, found)


def _key(name, call):
    return f"{'ufunc' if isinstance(_get(np, name), np.ufunc) else name}({call.what})"


def _problem(name, call, subject):
    """What is wrong with a call; "refused" if Tensors are refused; None."""
    change = SUBJECTS[subject]
    function, theirs = _get(anp, name), _get(np, name)
    results = _results(name, call)
    try:
        plain = np.copy if subject == "tensor" else change
        expected = _run(theirs, name, call, plain, results)
    except Exception:
        if subject in ("array", "tensor"):
            raise
        return None  # NumPy does not accept it either
    try:
        found = _run(function, name, call, change, results, tensors=subject == "tensor")
        if name.startswith("empty"):
            expected = np.zeros_like(expected)
            found = found * 0 if isinstance(found, ac.Tensor) else np.zeros_like(found)
        if _key(name, call) in UNORDERED:
            expected, found = np.sort(expected), np.sort(found)
        _compare(expected, found, same_type=subject != "tensor")
    except ac.AutogradError as error:
        return f"refused: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated")
@pytest.mark.filterwarnings("ignore:`row_stack` alias is deprecated")
@pytest.mark.parametrize("name", NAMES)
def test_a_call_gives_numpys_result(name):
    wrong = []
    for call in calls(name):
        for subject in SUBJECTS:
            problem = _problem(name, call, subject)
            if subject == "tensor" and _key(name, call) in DIFFERENT:
                if problem is None or not problem.startswith("refused"):
                    wrong.append(f"{_key(name, call)} is in DIFFERENT, and gives: {problem}")
            elif problem is not None:
                given = f"{len(call.args)} by position, {list(call.settings)}"
                wrong.append(f"{subject}, {_key(name, call)} ({given}): {problem[:300]}")
    assert not wrong, "\n".join(wrong)


def test_what_is_different_is_called():
    assert {*DIFFERENT} <= {_key(name, call) for name in NAMES for call in calls(name)}
