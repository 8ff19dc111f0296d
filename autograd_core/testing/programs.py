"""Random differentiable programs: smooth operations in an acyclic graph with shared results.

A `Program` runs with any namespace that has functions under NumPy's names, so that libraries can be
compared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

import autograd_core

LENGTH = 3
SHAPES = [
    (),
    (LENGTH,),
    (LENGTH, LENGTH),
    (1, LENGTH),
    (LENGTH, 1),
]  # which broadcast with each other
MASK = np.arange(LENGTH) != 1


def _square(xp: Any, x: Any) -> Any:
    return xp.broadcast_to(x, (LENGTH, LENGTH))


def _invertible(xp: Any, x: Any) -> Any:
    return _square(xp, xp.tanh(x)) + 4 * np.eye(LENGTH)


def _line(xp: Any, x: Any) -> Any:
    return xp.broadcast_to(x, (LENGTH,)) if x.ndim < 2 else x


# No operation has a kink or large results, because an ill-conditioned program tests nothing.
OPERATIONS: dict[str, Callable[..., Any]] = {
    "sin": lambda xp, x: xp.sin(x),
    "cos": lambda xp, x: xp.cos(x),
    "tanh": lambda xp, x: xp.tanh(x),
    "arctan": lambda xp, x: xp.arctan(x),
    "arcsinh": lambda xp, x: xp.arcsinh(x),
    "exp": lambda xp, x: xp.exp(xp.tanh(x)),
    "expm1": lambda xp, x: xp.expm1(xp.sin(x)),
    "log1p": lambda xp, x: xp.log1p(x * x),
    "sqrt": lambda xp, x: xp.sqrt(1 + x * x),
    "reciprocal": lambda xp, x: 1 / (2 + x * x),
    "power": lambda xp, x: xp.tanh(x) ** 3,
    "sinc": lambda xp, x: xp.sinc(xp.tanh(x) / 4 + 1.5),
    "sum": lambda xp, x: xp.tanh(xp.sum(x, axis=-1, keepdims=True)) if x.ndim else x,
    "mean": lambda xp, x: xp.mean(x, axis=0, keepdims=True) if x.ndim else x,
    "var": lambda xp, x: xp.var(xp.tanh(x), axis=-1, keepdims=True) if x.ndim else x,
    "prod": lambda xp, x: xp.prod(1 + xp.tanh(x) / 2),
    "logsumexp": lambda xp, x: xp.log(xp.sum(xp.exp(xp.tanh(x)))),
    "norm": lambda xp, x: xp.sqrt(1 + xp.sum(xp.tanh(x) ** 2)),
    "cumsum": lambda xp, x: xp.cumsum(xp.tanh(_line(xp, x)), axis=-1),
    "cumprod": lambda xp, x: xp.cumprod(1 + xp.tanh(_line(xp, x)) / 2, axis=0),
    "transpose": lambda xp, x: xp.transpose(x),
    "reverse": lambda xp, x: x[..., ::-1] if x.ndim else x,
    "gather": lambda xp, x: _square(xp, x)[np.array([2, 0, 2])],
    "roll": lambda xp, x: xp.roll(_line(xp, x), 1, axis=-1),
    "diagonal": lambda xp, x: xp.diagonal(_square(xp, x)),
    "trace": lambda xp, x: xp.trace(xp.tanh(_square(xp, x))),
    "triangle": lambda xp, x: xp.tril(_square(xp, x)),
    "where": lambda xp, x: xp.where(MASK, x, xp.tanh(x) / 2),
    "pad": lambda xp, x: xp.pad(_line(xp, x), 1)[..., :LENGTH][-LENGTH:],
    "inverse": lambda xp, x: xp.linalg.inv(_invertible(xp, x)),
    "determinant": lambda xp, x: xp.linalg.det(_invertible(xp, x)) / 64,
    "spectrum": lambda xp, x: xp.abs(xp.fft.fft(xp.tanh(_line(xp, x)) + 2)) ** 2 / 40,
    "add": lambda xp, x, y: x + y,
    "subtract": lambda xp, x, y: x - y,
    "multiply": lambda xp, x, y: xp.tanh(x) * y,
    "divide": lambda xp, x, y: x / (2 + y * y),
    "arctan2": lambda xp, x, y: xp.arctan2(x, 2 + y * y),
    "raise": lambda xp, x, y: (1 + x * x) ** xp.tanh(y) / 2,
    "logaddexp": lambda xp, x, y: xp.logaddexp(x, y),
    "hypot": lambda xp, x, y: xp.hypot(x, 2 + xp.tanh(y)),
    "matmul": lambda xp, x, y: xp.tanh(_square(xp, x)) @ _square(xp, y) / 2,
    "einsum": lambda xp, x, y: xp.einsum("ij,kj->ik", _square(xp, xp.sin(x)), _square(xp, y)) / 2,
    "outer": lambda xp, x, y: xp.outer(xp.diagonal(_square(xp, xp.sin(x))), _square(xp, y)[0]),
    "solve": lambda xp, x, y: xp.linalg.solve(_invertible(xp, x), _square(xp, y)),
    "concatenate": lambda xp, x, y: xp.concatenate([_square(xp, x), _square(xp, y)])[1::2],
    "stack": lambda xp, x, y: xp.stack([_square(xp, x), _square(xp, y)]).mean(0),
}  # fmt: skip
BINARY = list(OPERATIONS)[list(OPERATIONS).index("add") :]
UNARY_NAMES = list(OPERATIONS)[: list(OPERATIONS).index("add")]


class Program(NamedTuple):
    """A random differentiable program: a list of steps.

    The result has shape (3, 3): the last value plus a quarter of the tanh of each earlier value. A
    Program is called with its inputs, and with ``xp=`` to use the functions of another namespace
    than `autograd_core`.

    Parameters
    ----------
    steps : tuple of tuple
        Each step names an operation and says how many values back its operands are.
    shapes : tuple of tuple of int
        The shapes of the inputs.
    seed : int
        The seed of the values of the inputs.

    Examples
    --------
    >>> import autograd_core as ac
    >>> from autograd_core.testing.programs import Program
    >>> program = Program(steps=(("sin", 0), ("add", 0, 1)), shapes=((3,),), seed=0)
    >>> program(*program.inputs()).shape
    (3, 3)
    >>> ac.grad(lambda x: program(x).sum())(*program.inputs()).round(3)
    array([7.256, 6.854, 5.434])
    """

    steps: tuple[tuple[Any, ...], ...]
    shapes: tuple[tuple[int, ...], ...]
    seed: int

    def inputs(self) -> list[Any]:
        """Arrays to run the program on, with elements between -1 and 1."""
        rng = np.random.default_rng(self.seed)
        return [rng.uniform(-1, 1, shape) for shape in self.shapes]

    def __call__(self, *inputs: Any, xp: Any = autograd_core) -> Any:
        """Run the program.

        Parameters
        ----------
        *inputs : array
            One array for each of `shapes`, as `inputs` returns them.
        xp : namespace, default autograd_core
            The functions to run it with, under NumPy's names.

        Returns
        -------
        array
            An array of shape (3, 3).
        """
        values = list(inputs)
        for name, *reads in self.steps:
            values.append(
                OPERATIONS[name](xp, *(values[-1 - read % len(values)] for read in reads))
            )
        return sum((_square(xp, xp.tanh(v)) for v in values[:-1]), 4 * _square(xp, values[-1])) / 4


@st.composite
def programs(draw: Any, most_steps: int = 10, most_inputs: int = 3) -> Program:
    """A strategy for programs, which shrink to fewer steps and smaller shapes.

    Parameters
    ----------
    most_steps : int, default 10
        The greatest number of steps.
    most_inputs : int, default 3
        The greatest number of inputs.

    Returns
    -------
    strategy
        A Hypothesis strategy for Programs.

    Examples
    --------
    >>> from hypothesis import given, settings
    >>> from autograd_core.testing.programs import programs
    >>> @settings(deadline=None, max_examples=10)
    ... @given(program=programs(most_steps=2))
    ... def test_shape(program):
    ...     assert program(*program.inputs()).shape == (3, 3)
    >>> print(test_shape())
    None
    """
    back = st.integers(0, 4)
    step = st.tuples(st.sampled_from(UNARY_NAMES), back) | st.tuples(
        st.sampled_from(BINARY), back, back
    )
    steps = draw(st.lists(step, min_size=1, max_size=most_steps))
    shapes = draw(st.lists(st.sampled_from(SHAPES), min_size=1, max_size=most_inputs))
    return Program(tuple(steps), tuple(shapes), draw(st.integers(0, 2**32 - 1)))
