"""Operations of one's own: any names, none of them in the library's tables."""

import builtins
import keyword
import linecache
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import pytest

import autograd_core as ac
import autograd_core.numpy as anp
from autograd_core.engine import forward
from autograd_core.engine.op import gradient_free
from autograd_core.rendering import draw, explain

X = np.array([1.0, 2.0])
NAMES = {"g", "self", "declared", "kernel", "home", "out", "record", "node_x", "rule_x", "function"}
NAMES |= {"complete", "defaults", "operands", "settings", "name", "doc", "pointwise", "position"}
NAMES |= {"view", "results", "shapes", "_", "_out", "__kernel", "\u03c3"}
NAMES |= forward._NAMES.keys() | {name for name in dir(builtins) if name.isidentifier()}
FEATURES = {"pointwise", "results", "view"}  # what op() is told besides rules
NAMES = sorted(NAMES - set(keyword.kwlist) - {"__debug__"})


def written(text):
    found = {"ac": ac, "np": np, "__name__": __name__}
    exec(text, found)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_parameter_may_have_any_name(name):
    """As an operand, as a setting, and as the operand of a pointwise operation."""
    called = name + "_" if name in FEATURES else name
    found = written(f"""
@ac.op({called}=lambda arrived, x: arrived * x, x=None)
def operand({called}, x): return {called} * x
@ac.op(x=lambda arrived: arrived * 3)
def setting(x, {name}=3): return x * 3
threefold = ac.elementwise(lambda {name}: {name} * 3, "", {name}=lambda arrived: arrived * 3)
""")
    x, y = ac.Tensor(X, True), ac.Tensor(X + 1)
    found["operand"](**{called: x, "x": y}).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), X + 1)
    x.grad = None
    found["setting"](x, **{name: 4}).sum().backward()
    found["threefold"](x).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [6, 6])
    with pytest.raises(ac.NotDifferentiableError, match=f"'{name}' is not differentiable"):
        found["setting"](x, y)


class Halves(NamedTuple):
    low: object
    high: object


AMBIGUOUS = {
    "x_shape": (
        "x=lambda g, x_shape: g",
        "x, x_shape=3",
        "the parameter x_shape or the shape of x",
    ),
    "out": ("x=lambda g, out: g, out=None", "x, out", "the parameter out or the result"),
    "out_shape": ("x=lambda g, out_shape: g", "x, out_shape=2", "the shape of the result"),
    "position": ("x=ac.each(lambda g, position: g)", "x, position=1", "the position in x"),
    "shapes": ("x=ac.each(lambda g, shapes: g)", "x, shapes=1", "the shapes of x"),
    "low": ("x=lambda g, low: g[0], results=Halves", "x, low=1", "the parameter low or the result"),
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_what_could_be_two_things_is_refused(name):
    rules, parameters, text = AMBIGUOUS[name]
    with pytest.raises(
        TypeError, match=f"uses the name '{name}', which could mean .*{text}.*another name"
    ):
        exec(f"@ac.op({rules})\ndef mine({parameters}): return x", {"ac": ac, "Halves": Halves})


@pytest.mark.parametrize("name", sorted(FEATURES))
def test_what_op_is_told_is_no_operand(name):
    text = f"{name}= is an option of the declaration.*rename the parameter"
    with pytest.raises(TypeError, match=text):
        written(f"@ac.op(x=lambda g: g, {name}=lambda g: g)\ndef mine(x, {name}): return x")


def test_a_name_that_nobody_asks_for_is_not_ambiguous():
    @ac.op(out=lambda g, x_shape: g * 2, x=None)
    def doubled(out, x, x_shape_=1, position=0, shapes=0, out_shape=0):
        return out * 2

    @ac.op(x=lambda g, x_shape: np.broadcast_to(g, x_shape), x_shape_shape=None)
    def total(x, x_shape_shape):
        return np.sum(x)

    x = ac.Tensor(X, True)
    (doubled(x, X).sum() + total(x, X)).backward()
    np.testing.assert_array_equal(x.grad.numpy(), [3, 3])


def test_an_operand_called_out_beside_several_results():
    @ac.op(out=lambda g, out: g[0] * 2 * out, results=Halves)
    def split(out):
        return Halves(out * out, out + 0)

    hessian = ac.jacobian(ac.grad(lambda x: split(x)[0].sum()))(X)
    np.testing.assert_array_equal(hessian, 2 * np.eye(2))


def test_an_operation_of_ones_own_is_in_no_table():
    before = dict(ac.operations), dict(ac.functions), set(gradient_free)

    @ac.op(x=lambda g: g * 5)
    def exp(x):
        return x * 5

    @ac.composed
    def log(x):
        return x

    @ac.not_differentiable
    def sqrt(x):
        return x

    sine = ac.elementwise(np.sin, "another sine", x=lambda g: g * 7)
    same = ac.elementwise(lambda x: x * 2, "twice", x=lambda g: g * 2, name="tanh")
    assert (dict(ac.operations), dict(ac.functions), set(gradient_free)) == before
    for name in ("exp", "log", "sqrt", "sin", "tanh"):
        for numpys in (np, anp):
            assert getattr(numpys, name)(ac.Tensor(X, True)).node.op is ac.operations[name]
    x = ac.Tensor(X, True)
    assert exp(x).node.name == "exp"
    assert [f.__module__ for f in (exp, sine, same, sqrt)] == [__name__] * 4
    (sine(x) + same(x)).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [9, 9])


@pytest.mark.parametrize("name", ["operands", "add", "relu", "sigmoid", "_half", "arguments"])
def test_an_operation_is_drawn_by_its_own_name(name, capsys):
    mine = ac.elementwise(lambda x, y: x * y, "the product", x=lambda g, y: g * y,
                          y=lambda g, x: g * x, name=name)  # fmt: skip
    x, y = ac.Tensor(X, True, name="first"), ac.Tensor(X, True, name="second")
    loss = ac.sum(mine(x, y))
    dot = draw(loss).dot
    assert f"<B>{name}</B>" in dot
    assert dot.count("<B>") == 4
    for operand in "xy":  # which operand is which
        assert f">\u00a0{operand}\u00a0<" in dot
    explain(loss)
    assert f"{name}(first, second) = [1, 4]\n" in capsys.readouterr().out


def test_an_operation_without_a_name():
    lazy = ac.elementwise(lambda x, y: x + y, "the sum", x=lambda g: g, y=lambda g: g)
    named = ac.elementwise(lambda x: x * 2, "twice", x=lambda g: g * 2, name="twice")
    also = ac.op(x=lambda g: g * 2, name="double")(lambda x: x * 2)
    x = ac.Tensor(X, True)
    assert [f(x).node.op.name for f in (named, also)] == ["twice", "double"]
    assert repr(lazy(x, x).node.op) == "<op unnamed operation>"
    assert "<B>unnamed operation</B>" in draw(ac.sum(lazy(x, x))).dot
    with pytest.raises(ac.ShapeError, match=r"^unnamed operation: x has shape \(2,\), y has"):
        lazy(x, np.ones(3))
    operand = ac.elementwise(
        lambda name, home: name * home, "", name=lambda g, home: g * home, home=None
    )
    operand(x, 3.0).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [3, 3])


def test_a_name_that_no_parameter_can_have():
    with pytest.raises(TypeError, match="a parameter cannot be called 'class'"):
        ac.elementwise(np.sin, "", **{"class": lambda g: g})


def test_a_first_call_in_many_threads():
    """The function is generated at the first call, in whichever thread that is."""
    made = [ac.op(x=lambda g: g, name=f"times_{n}")(lambda x: x * 2) for n in range(40)]
    wait = threading.Barrier(8)

    def work():
        wait.wait()
        return [operation(ac.Tensor(X, True)).sum().item() for operation in made]

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-7)
    try:
        with ThreadPoolExecutor(8) as pool:
            found = [job.result() for job in [pool.submit(work) for _ in range(8)]]
    finally:
        sys.setswitchinterval(interval)
    assert found == [[6.0] * len(made)] * 8


def test_the_generated_function_is_the_one_that_is_documented():
    ac.Tensor(X, True) * 2
    text = "".join(linecache.getlines("<operation multiply>"))
    _, _, documented = forward.__doc__.partition(" becomes::\n\n")
    assert textwrap.dedent(documented).strip() == text.strip()
