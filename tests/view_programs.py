"""Random programs of views, writes and uses, as lines of Python.

The same lines run on NumPy's arrays, on Tensors and, those that mean the same there, on torch's
tensors. Names ``x0``, ``x1`` are leaves and ``c0`` is a constant; each line binds a name, writes,
or drops a name. What is alive at the end is summed up, and differentiated.
"""

import warnings
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

import autograd_core as ac

SHAPES = [(4,), (2, 3), (3, 2), (2, 2, 2), (1, 3), (6,), (3, 3), ()]


class Outcome(NamedTuple):
    """What is bound after the last line; or the error, and the line that raised it."""

    bound: dict
    error: Exception | None = None
    line: str = ""


def odd(x):
    """Which elements of an array or a Tensor have an odd number; a mask where x lives."""
    mask = np.arange(np.size(x)).reshape(np.shape(x)) % 2 == 1
    return ac.Tensor(mask, device=x.device) if isinstance(x, ac.Tensor) else mask


MODULES = {"np": np, "odd": odd}


def run(lines, values, modules=MODULES):
    """Run a program on what ``x0``, ``x1`` and ``c0`` stand for."""
    bound = {**modules, **values}
    for line in lines:
        try:
            exec(compile(line, "<program>", "exec"), bound)
        except Exception as error:
            return Outcome({}, error, line)
    return Outcome({name: bound[name] for name in names_in(bound)})


def names_in(bound):
    return sorted((n for n in bound if n[0] == "v" and n[1:].isdecimal()), key=lambda n: int(n[1:]))


def square_sum(value):
    """Σ |value|² / 2 + Σ value of an array, a Tensor or a number."""
    if np.iscomplexobj(value):
        return square_sum(value.real) + square_sum(value.imag)
    return np.sum(value * value) * 0.5 + np.sum(value)


def total(bound, square_sum=square_sum):
    """One number of everything that is alive, each value with a weight of its own."""
    number = 0.0
    for weight, name in enumerate(names_in(bound), 1):
        number = number + square_sum(bound[name]) * (1 + weight / 8)
    return number


class Programs(RuleBasedStateMachine):
    """Draws a program line by line. NumPy runs each line at once, so that the next one fits; one
    that NumPy refuses is left out. `check` is what is asserted of the whole."""

    torch = False  # whether only lines are drawn that torch has, too, and takes to mean the same
    repeats = True  # whether an index may name an element twice

    def check(self):
        raise NotImplementedError

    def teardown(self):
        if hasattr(self, "lines"):
            self.check()

    @initialize(data=st.data())
    def begin(self, data):
        rng = np.random.default_rng(data.draw(st.integers(0, 2**16), label="seed"))
        shapes = SHAPES[:-1] if self.torch else SHAPES
        drawn = [data.draw(st.sampled_from(shapes), label="shape") for _ in range(3)]
        self.values = {
            name: rng.uniform(0.5, 1.5, shape)
            for name, shape in zip(("x0", "x1", "c0"), drawn, strict=True)
        }
        self.lines, self.count = [], 0
        self.bound = {**MODULES, **self.values}
        self.bind("x0.copy()")
        self.bind("x1 * 1.5")
        self.bind("c0.copy()")
        if not self.torch and data.draw(st.booleans(), label="complex"):
            self.bind("v0 + 1j * np.sin(v0)")

    def line(self, text):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                warnings.simplefilter("error", np.exceptions.ComplexWarning)  # we refuse these
                # nor 0 / 0, whose slope is NaN also where the result is overwritten
                warnings.simplefilter("error", RuntimeWarning)
                exec(compile(text, "<program>", "exec"), self.bound)
        except Exception:  # after it may have written: begin anew
            self.bound = {**MODULES, **self.values}
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for line in self.lines:
                    exec(compile(line, "<program>", "exec"), self.bound)
            return
        self.lines.append(text)

    def bind(self, text):
        before = len(self.lines)
        self.line(f"v{self.count} = {text}")
        self.count += len(self.lines) > before

    def value_of(self, text):
        """What NumPy makes of an expression; 0 where it refuses it."""
        try:
            return eval(text, dict(self.bound))
        except Exception:
            return 0.0

    # what is drawn

    def name(self, data, when=lambda x: True):
        fitting = [n for n in names_in(self.bound) if when(self.bound[n])]
        return data.draw(st.sampled_from(fitting), label="name") if fitting else None

    def axis(self, data, x):
        return data.draw(st.integers(-x.ndim, x.ndim - 1), label="axis")

    def index(self, data, shape, whole=False):
        """The text of a basic index, or (not `whole`) also one with arrays."""
        forms = ["{i}", ":", "{j}:", ":{k}", "{j}:{k}", "None, :"]
        forms += [] if self.torch else ["::-1", "::2", "{k}::-1"]
        entries = []
        for n in shape[: data.draw(st.integers(0, len(shape)), label="axes")]:
            i, j, k = (data.draw(st.integers(0, max(n - 1, 0))) for _ in range(3))
            form = data.draw(st.sampled_from(forms if n else [":"]), label="form")
            entries.append(form.format(i=data.draw(st.sampled_from([i, i - n])), j=j, k=k + 1))
        if data.draw(st.integers(0, 3)) == 0 and not self.torch:
            entries.append("...")
        if not whole and shape and data.draw(st.integers(0, 4)) == 0:
            i, j = (data.draw(st.integers(0, max(shape[0] - 1, 0))) for _ in range(2))
            forms = [f"[{i}, {j}]", f"[{j}]"][i == j and not self.repeats :]
            return data.draw(st.sampled_from(forms), label="array")
        return ", ".join(entries) or "..."

    def value(self, data, shape):
        """The text of something that broadcasts to `shape`, as a rule."""
        number = data.draw(st.sampled_from(["2.0", "0.5", "-1.0"]), label="number")
        name = self.name(data, lambda x: np.ndim(x) <= len(shape) and fits(np.shape(x), shape))
        if name is None or data.draw(st.integers(0, 3)) == 0:
            return number
        return data.draw(st.sampled_from([name, f"{name} * {number}", f"{name} * {name}"]))

    # rules

    @rule(data=st.data())
    def view(self, data):
        name = self.name(data, lambda x: isinstance(x, np.ndarray))
        if name is None:
            return
        x = self.bound[name]
        forms = [f"{name}[{self.index(data, x.shape, whole=True)}]"] * 4
        forms += [f"{name}.reshape(-1)", f"{name}.ravel()", name, f"{name}.squeeze()"]
        for shape in SHAPES[:-1]:
            if np.prod(shape) == x.size:
                forms.append(f"{name}.reshape({shape})")
        if x.ndim > 1:
            a, b = self.axis(data, x), self.axis(data, x)
            forms += [f"{name}.swapaxes({a}, {b})", f"np.moveaxis({name}, {a}, {b})"]
        if not self.torch:
            forms += [f"{name}.T", f"np.flip({name})", f"np.expand_dims({name}, 0)"]
            forms += [f"np.split({name}, [1])[0]", f"list({name})[-1]"] if x.ndim else []
            forms += [f"{name}.real", f"{name}.imag"] * (x.dtype.kind == "c")
            forms += [f"np.diagonal({name})"] * (x.ndim > 1)
            forms += [f"np.broadcast_to({name}, (2, *{name}.shape))", f"np.atleast_2d({name})"]
            forms += [f"{name}.astype({name}.dtype, copy=False)", f"np.transpose({name})"]
        text = data.draw(st.sampled_from(forms), label="view")
        if not self.torch or np.ndim(self.value_of(text)):  # x[0] is a view there, and no number
            self.bind(text)

    @rule(data=st.data())
    def use(self, data):
        name = self.name(data)
        forms = ["{0} * 0.5", "np.sin({0})", "{0} + {0}", "{0}.copy()"]
        forms += [] if self.torch else ["np.sum({0})", "{0}.T * 1.5"]
        self.bind(data.draw(st.sampled_from(forms), label="use").format(name))

    @rule(data=st.data())
    def write(self, data):
        name = self.name(data, lambda x: isinstance(x, np.ndarray))
        if name is None:
            return
        index = self.index(data, self.bound[name].shape)
        part = self.value_of(f"{name}[{index}]")
        sign = data.draw(st.sampled_from(["=", "=", "+=", "*=", "-=", "/="]), label="operator")
        if (
            np.ndim(part)
            and part.size
            and not index.startswith("[")
            and not data.draw(st.integers(0, 3))
        ):
            inner = self.index(data, part.shape)
            part = self.value_of(f"{name}[{index}][{inner}]")
            index = f"{index}][{inner}"
        self.line(f"{name}[{index}] {sign} {self.value(data, np.shape(part))}")

    @rule(data=st.data())
    def augment(self, data):
        name = self.name(data, lambda x: not self.torch or np.ndim(x))
        if name is None:
            return
        sign = data.draw(st.sampled_from(["+=", "*=", "-=", "/="]), label="operator")
        self.line(f"{name} {sign} {self.value(data, np.shape(self.bound[name]))}")

    @rule(data=st.data())
    def overlap(self, data):
        name = self.name(data, lambda x: np.ndim(x) and len(x) > 1)
        if name is not None and not self.torch:
            forms = ["{0}[1:] += {0}[:-1]", "{0}[:-1] = {0}[1:]", "{0}[1:] *= {0}[:-1]"]
            forms += ["{0}[:] = {0}[::-1]"]
            self.line(data.draw(st.sampled_from(forms)).format(name))

    @precondition(lambda self: not self.torch)
    @rule(data=st.data())
    def function(self, data):
        name = self.name(data, lambda x: isinstance(x, np.ndarray) and x.size)
        if name is None:
            return
        x = self.bound[name]
        value = self.value(data, x.shape)
        last = x.size - 1
        mask = "odd({0})"
        forms = [f"np.multiply({{0}}, {value}, out={{0}})", f"np.copyto({{0}}, {value})",
                 f"np.sin({{0}}, out={{0}}, where={mask})", f"{{0}}.fill({value})",
                 f"np.put({{0}}, [0, {last}], 1.5)", f"np.putmask({{0}}, {mask}, {value})",
                 f"np.place({{0}}, {mask}, [1.5, 2.5])", "np.fill_diagonal({0}, 2.0)",
                 f"np.add.at({{0}}, 0, {value})", "np.add({0}, 1.0, out={0}[...])",
                 "{0}.put(0, 2.5)", "np.multiply.at({0}, [0, 0], 1.5)",
                 "np.sum({0}[None], axis=0, out={0})"]  # fmt: skip
        self.line(data.draw(st.sampled_from(forms), label="function").format(name))

    @rule(data=st.data())
    def drop(self, data):
        if len(names_in(self.bound)) > 2:
            self.line(f"del {self.name(data)}")


def fits(shape, into):
    return all(n in (1, m) for n, m in zip(shape[::-1], into[::-1], strict=False))


def shortest(lines, fails):
    """The program without the lines that it fails without, too."""
    place = len(lines) - 1
    while place >= 0:
        fewer = lines[:place] + lines[place + 1 :]
        if fails(fewer):
            lines = fewer
        place -= 1
    return lines
