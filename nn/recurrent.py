"""Recurrent networks: RNN, LSTM and GRU over sequences, and their cells for one step.

Names, arguments and keys of states are PyTorch's. The inputs of all steps are multiplied with the
weights in one product; the products with the states follow step by step.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd_core as ac
from autograd_core.devices import backend
from autograd_core.errors import ArgumentError, ShapeError
from autograd_core.errors.tracebacks import public
from nn.data.labels import readable
from nn.describing import like
from nn.dropout import dropped
from nn.gates import Elman, Gru, Lstm, Step
from nn.init import generator_of
from nn.linear import uniform_by_fan
from nn.module import Module, Parameter, misfit

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNCell"]


# ---- sequences -----------------------------------------------------------------------------------


class Recurrent(Module):
    """A recurrent network of several layers, each on the results of the one before it.

    Parameters
    ----------
    input_size : int
        The number of features of a step.
    hidden_size : int
        The number of units of a layer.
    num_layers : int, default 1
        The number of layers.
    bias : bool, default True
        If false, there are no biases.
    batch_first : bool, default False
        If true, x and the result are (n, length, …) instead of (length, n, …).
    dropout : float, default 0.0
        In training, the probability of zeros between layers.
    bidirectional : bool, default False
        If true, each layer also goes through the sequence from its end, and its results are joined.
    generator : int or numpy.random.Generator, optional
        The source of the initial values and of the zeros of `dropout`, see `Linear`.
    dtype : dtype, default float64
        The dtype of the weights and biases.

    Raises
    ------
    ArgumentError
        If there are no features, units or layers, or if `dropout` is not in [0, 1]. In a call, if
        lengths are not in [0, length].
    ShapeError
        In a call, if x, the initial state or `lengths` has another shape, if a sequence has no
        steps, or if `lengths` are not integers.
    DTypeError
        If `generator` is of another type, or `dtype` is not floating or complex.

    Notes
    -----
    It is called with x, and optionally with the initial state, zeros by default, and with
    `lengths`. It returns the states of the last layer at all steps, and the last states of all
    layers. Without the axis n, x is one sequence. The initial weights and biases are uniform in ±1
    / √hidden_size.

    Sequences of different lengths are padded, and `lengths` (n,), integers from 0, are given in the
    call: behind its end, the results of a sequence are 0, and its last state is that at its end.
    """

    proj_size = 0
    step: Step

    def _make(self, input_size: int, hidden_size: int, num_layers: int, bias: bool,
              batch_first: bool, dropout: float, bidirectional: bool, generator: Any, dtype: Any
              ) -> None:  # fmt: skip
        kind = type(self).__name__
        if min(input_size, hidden_size, num_layers) < 1:
            raise ArgumentError(
                f"{kind} needs at least 1 feature, unit and layer, not {input_size}, "
                f"{hidden_size} and {num_layers}"
            )
        if not 0 <= dropout <= 1:
            raise ArgumentError(f"{kind}: dropout must be in [0, 1], not {dropout}")
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first = bias, batch_first
        self.dropout, self.bidirectional = dropout, bidirectional
        self.generator = generator_of(generator)
        directions = 2 if bidirectional else 1
        state = self.proj_size or hidden_size
        for layer in range(num_layers):
            inputs = state * directions if layer else input_size
            for ending in ("", "_reverse")[:directions]:
                rows = self.step.gates * hidden_size
                shapes: dict[str, tuple[int, ...]]
                shapes = {"weight_ih": (rows, inputs), "weight_hh": (rows, state)}
                shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)} if bias else {}
                shapes |= {"weight_hr": (state, hidden_size)} if self.proj_size else {}
                for name, shape in shapes.items():
                    parameter = Parameter(np.zeros(shape, dtype))
                    uniform_by_fan(hidden_size, [parameter], self.generator)
                    setattr(self, f"{name}_l{layer}{ending}", parameter)

    def forward(self, x: Any, state: Any = None, *, lengths: Any = None) -> Any:
        """The states of the last layer, and the last states of all layers.

        Parameters
        ----------
        x : array_like
            The sequences.
        state : array_like or tuple of these, optional
            The initial states of all layers and directions, by default zeros.
        lengths : array_like of int, optional
            The length of each sequence, by default all steps.

        Returns
        -------
        tuple
            The states of the last layer at all steps, and the last states, in the form of `state`.
        """
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size:
            expected = "(n, length, " if self.batch_first else "(length, n, "
            message = f"expects {expected}{self.input_size}), x has shape {x.shape}"
            raise misfit(self, ShapeError(message))
        single = x.ndim == 2
        x = x[:, None] if single else ac.swapaxes(x, 0, 1) if self.batch_first else x
        if len(x) == 0:
            raise misfit(self, ShapeError("a sequence has no steps"))
        states = self._initial(x, state, single)
        alive = None if lengths is None else self._alive(x, lengths)
        x = x if alive is None else ac.where(alive, x, 0)  # whatever the padding is
        last = []
        directions = 2 if self.bidirectional else 1
        for layer in range(self.num_layers):
            if layer and self.dropout and self.training:
                x = dropped(x, self.dropout, x.shape, self.generator)
            found = []
            for direction in range(directions):
                ending = f"_l{layer}{'_reverse' * direction}"
                steps, end = self._through(x, states[directions * layer + direction], alive, ending)
                found.append(ac.stack(steps))
                last.append(end)
            x = ac.concatenate(found, axis=-1) if len(found) > 1 else found[0]
        ends = [ac.stack(arrays) for arrays in zip(*last, strict=True)]
        if single:
            x, ends = x[:, 0], [end[:, 0] for end in ends]
        elif self.batch_first:
            x = ac.swapaxes(x, 0, 1)
        return x, ends[0] if len(ends) == 1 else tuple(ends)

    def _sizes(self) -> list[int]:
        """The numbers of units of the arrays of a state."""
        return [self.proj_size or self.hidden_size, self.hidden_size][: self.step.states]

    def _initial(self, x: Any, state: Any, single: bool) -> list[tuple[Any, ...]]:
        """The initial state of each layer and direction."""
        count = self.num_layers * (2 if self.bidirectional else 1)
        shapes = [(count, x.shape[1], size) for size in self._sizes()]
        if state is None:
            return [tuple(ac.zeros_like(x, shape=shape[1:]) for shape in shapes)] * count
        arrays = _arrays(self, state, self.step.states)
        arrays = tuple(array[:, None] if single else array for array in arrays)
        if [array.shape for array in arrays] != shapes:
            message = f"expects states of the shapes {shapes}, not {[a.shape for a in arrays]}"
            raise misfit(self, ShapeError(message))
        return list(zip(*(ac.unstack(array) for array in arrays), strict=True))

    def _alive(self, x: Any, lengths: Any) -> Any:
        """Which steps of which sequences are not behind the end: (length, n, 1)."""
        lengths = lengths.data if isinstance(lengths, ac.Tensor) else lengths
        lengths = lengths if hasattr(lengths, "dtype") else np.asarray(lengths)
        if lengths.shape != (x.shape[1],) or lengths.dtype.kind not in "iu":
            raise misfit(self, ShapeError(
                f"expects {x.shape[1]} integers as lengths, not {lengths.dtype}{lengths.shape}"
            ))  # fmt: skip
        if readable(lengths) and ((lengths < 0).any() or (lengths > len(x)).any()):
            raise misfit(self, ArgumentError(f"lengths must be in [0, {len(x)}], not {lengths}"))
        here = backend.to_device(lengths, x.device)
        steps = backend.to_device(np.arange(len(x))[:, None, None], x.device)
        return steps < here[:, None]

    def _through(self, x: Any, state: tuple[Any, ...], alive: Any, ending: str) -> Any:
        """The states at all steps of one layer in one direction, and the last one."""
        weights = {name: getattr(self, f"{name}{ending}", None) for name in
                   ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")}  # fmt: skip
        bias_x, bias_h = weights["bias_ih"], None
        if bias_x is not None:
            bias_x, bias_h = self.step.joined(bias_x, weights["bias_hh"])
        products = self.step.parts(ac.linear(x, weights["weight_ih"], bias_x))
        given = list(zip(*map(ac.unstack, products), strict=True))
        order = range(len(given))
        found = []
        for t in reversed(order) if "reverse" in ending else order:
            new = self.step.next(list(given[t]), state, weights["weight_hh"], bias_h)
            if self.proj_size:
                new = (ac.linear(new[0], weights["weight_hr"], None), *new[1:])
            out = new[0]
            if alive is not None:
                new = tuple(ac.where(alive[t], a, b) for a, b in zip(new, state, strict=True))
                out = ac.where(alive[t], out, 0)
            state = new
            found.append(out)
        return found[::-1] if "reverse" in ending else found, state

    def multiply_adds(self, output: Any, *inputs: Any) -> int:
        """One for each weight, step and sequence."""
        steps = math.prod(inputs[0].shape[:-1])
        weights = [p for name, p in self.named_parameters() if name.startswith("weight")]
        return int(steps * sum(p.size for p in weights))

    def describe(self) -> str:
        """The sizes, and the number of layers and directions if there are several."""
        words = [f"{self.input_size} → {self.hidden_size}"]
        words += [f"{self.num_layers} layers"] * (self.num_layers > 1)
        return ", ".join(words + ["bidirectional"] * self.bidirectional)


@like(Recurrent)
class RNN(Recurrent):
    """A recurrent network of Elman's form, h' = tanh(W x + b + U h), or with ReLU.

    Shapes: x (length, n, input_size), state (layers · directions, n, hidden_size) → (length, n,
    directions · hidden_size), and the last state.

    Parameters
    ----------
    nonlinearity : str, default 'tanh'
        "tanh" or "relu".

    Raises
    ------
    ArgumentError
        If there are no features, units or layers, if `dropout` is not in [0, 1], or if there is no
        such `nonlinearity`. In a call, if lengths are not in [0, length].
    ShapeError
        In a call, if x, the initial state or `lengths` has another shape, if a sequence has no
        steps, or if `lengths` are not integers.
    DTypeError
        If `generator` is of another type, or `dtype` is not floating or complex.

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.RNN(3, 4, generator=0)
    >>> out, last = layer(np.ones((7, 2, 3)))
    >>> out.shape, last.shape
    ((7, 2, 4), (1, 2, 4))

    Two sequences of different lengths:

    >>> out, last = layer(np.ones((7, 2, 3)), lengths=[7, 5])
    >>> out[4:, 1, 0].round(3)
    Tensor([-0.761,  0.   ,  0.   ])
    """

    @public
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        generator: Any = None,
        dtype: Any = np.float64,
    ) -> None:
        self.nonlinearity, self.step = nonlinearity, Elman(nonlinearity)
        self._make(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
                   generator, dtype)  # fmt: skip


@like(Recurrent)
class LSTM(Recurrent):
    """Long short-term memory: a state (h, c) with gates for what c keeps, adds and shows.

    Shapes: x (length, n, input_size), state a pair h (layers · directions, n, output) and c (layers
    · directions, n, hidden_size) → (length, n, directions · output), and the last state, where
    output is `hidden_size`, or `proj_size` if it is given.

    Parameters
    ----------
    proj_size : int, default 0
        If not 0, h is a product with `weight_hr` and has this size.

    Raises
    ------
    ArgumentError
        If there are no features, units or layers, if `dropout` is not in [0, 1], or `proj_size` not
        in [0, hidden_size). In a call, if lengths are not in [0, length].
    ShapeError
        In a call, if x, the initial state or `lengths` has another shape, if a sequence has no
        steps, or if `lengths` are not integers.
    DTypeError
        If `generator` is of another type, or `dtype` is not floating or complex.

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.LSTM(3, 4, generator=0)
    >>> out, (h, c) = layer(np.ones((7, 2, 3)))
    >>> out.shape, h.shape, c.shape
    ((7, 2, 4), (1, 2, 4), (1, 2, 4))
    """

    @public
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        *,
        generator: Any = None,
        dtype: Any = np.float64,
    ) -> None:
        if not 0 <= proj_size < max(hidden_size, 1):
            raise ArgumentError(
                f"LSTM: proj_size must be in [0, hidden_size = {hidden_size}), not {proj_size}"
            )
        self.step, self.proj_size = Lstm(), proj_size
        self._make(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
                   generator, dtype)  # fmt: skip


@like(Recurrent)
class GRU(Recurrent):
    """Gated recurrent units: gates for what of the state is kept and what is reset.

    Shapes: x (length, n, input_size), state (layers · directions, n, hidden_size) → (length, n,
    directions · hidden_size), and the last state.

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.GRU(3, 4, num_layers=2, batch_first=True, generator=0)
    >>> out, last = layer(np.ones((2, 7, 3)))
    >>> out.shape, last.shape
    ((2, 7, 4), (2, 2, 4))
    """

    @public
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        generator: Any = None,
        dtype: Any = np.float64,
    ) -> None:
        self.step = Gru()
        self._make(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
                   generator, dtype)  # fmt: skip


def _arrays(layer: Module, state: Any, count: int) -> tuple[Any, ...]:
    """The arrays of a state: one, or a pair."""
    found = tuple(state) if isinstance(state, tuple | list) else (state,)
    if len(found) != count:
        expected = "an array" if count == 1 else "a pair (h, c)"
        raise misfit(layer, ShapeError(f"the state is {expected}, not {len(found)} arrays"))
    return found


# ---- cells ---------------------------------------------------------------------------------------


class Cell(Module):
    """One step of a recurrent network.

    Parameters
    ----------
    input_size : int
        The number of features of x.
    hidden_size : int
        The number of units.
    bias : bool, default True
        If false, there are no biases.
    generator : int or numpy.random.Generator, optional
        The source of the initial values, see `Linear`.
    dtype : dtype, default float64
        The dtype of the weights and biases.

    Raises
    ------
    ArgumentError
        If there are no features or units.
    ShapeError
        In a call, if x or the state has another shape.
    DTypeError
        If `generator` is of another type, or `dtype` is not floating or complex.

    Notes
    -----
    It is called with x and the state, by default zeros. Without the axis n, x and the state are
    those of one example. The initial weights and biases are uniform in ±1 / √hidden_size.
    """

    step: Step

    def _make(self, input_size: int, hidden_size: int, bias: bool, generator: Any, dtype: Any
              ) -> None:  # fmt: skip
        if min(input_size, hidden_size) < 1:
            raise ArgumentError(
                f"{type(self).__name__} needs at least 1 feature and unit, not {input_size} and "
                f"{hidden_size}"
            )
        self.input_size, self.hidden_size = input_size, hidden_size
        rows = self.step.gates * hidden_size
        self.weight_ih = Parameter(np.zeros((rows, input_size), dtype))
        self.weight_hh = Parameter(np.zeros((rows, hidden_size), dtype))
        self.bias_ih = Parameter(np.zeros(rows, dtype)) if bias else None
        self.bias_hh = Parameter(np.zeros(rows, dtype)) if bias else None
        parameters = [self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh]
        uniform_by_fan(hidden_size, parameters, generator_of(generator))

    def forward(self, x: Any, state: Any = None) -> Any:
        """The next state.

        Parameters
        ----------
        x : array_like
            The features of one step.
        state : array_like or tuple of these, optional
            The state before it, by default zeros.

        Returns
        -------
        Tensor or tuple of Tensors
            The state after it, in the form of `state`.
        """
        if x.ndim not in (1, 2) or x.shape[-1] != self.input_size:
            message = f"expects (n, {self.input_size}), x has shape {x.shape}"
            raise misfit(self, ShapeError(message))
        shape = (*x.shape[:-1], self.hidden_size)
        if state is None:
            state = (ac.zeros_like(x, shape=shape),) * self.step.states
        else:
            state = _arrays(self, state, self.step.states)
        if any(array.shape != shape for array in state):
            message = f"expects states of shape {shape}, not {[a.shape for a in state]}"
            raise misfit(self, ShapeError(message))
        bias_x, bias_h = self.bias_ih, None
        if self.bias_ih is not None:
            bias_x, bias_h = self.step.joined(self.bias_ih, self.bias_hh)
        given = self.step.parts(ac.linear(x, self.weight_ih, bias_x))
        new = self.step.next(given, state, self.weight_hh, bias_h)
        return new[0] if len(new) == 1 else new

    def multiply_adds(self, output: Any, *inputs: Any) -> int:
        """One for each weight and example."""
        rows = math.prod(inputs[0].shape[:-1])
        return int(rows * (self.weight_ih.size + self.weight_hh.size))

    def describe(self) -> str:
        """The numbers of features and units."""
        return f"{self.input_size} → {self.hidden_size}"


@like(Cell)
class RNNCell(Cell):
    """One step of an `RNN`, h' = tanh(W x + b + U h), or with ReLU.

    Shapes: x (n, input_size), state (n, hidden_size) → (n, hidden_size).

    Parameters
    ----------
    nonlinearity : str, default 'tanh'
        "tanh" or "relu".

    Raises
    ------
    ArgumentError
        If there are no features or units, or if there is no such `nonlinearity`.
    ShapeError
        In a call, if x or the state has another shape.
    DTypeError
        If `generator` is of another type, or `dtype` is not floating or complex.

    Examples
    --------
    >>> import numpy as np, nn
    >>> cell = nn.RNNCell(3, 4, generator=0)
    >>> h = cell(np.ones((2, 3)))
    >>> cell(np.ones((2, 3)), h).shape
    (2, 4)
    """

    @public
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        *,
        generator: Any = None,
        dtype: Any = np.float64,
    ) -> None:
        self.nonlinearity, self.step = nonlinearity, Elman(nonlinearity)
        self._make(input_size, hidden_size, bias, generator, dtype)


@like(Cell)
class LSTMCell(Cell):
    """One step of an `LSTM`, whose state is a pair (h, c).

    Shapes: x (n, input_size), state a pair of (n, hidden_size) → the next pair.

    Examples
    --------
    >>> import numpy as np, nn
    >>> cell = nn.LSTMCell(3, 4, generator=0)
    >>> h, c = cell(np.ones((2, 3)))
    >>> h, c = cell(np.ones((2, 3)), (h, c))
    >>> h.shape, c.shape
    ((2, 4), (2, 4))
    """

    @public
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        generator: Any = None,
        dtype: Any = np.float64,
    ) -> None:
        self.step = Lstm()
        self._make(input_size, hidden_size, bias, generator, dtype)


@like(Cell)
class GRUCell(Cell):
    """One step of a `GRU`.

    Shapes: x (n, input_size), state (n, hidden_size) → (n, hidden_size).

    Examples
    --------
    >>> import numpy as np, nn
    >>> cell = nn.GRUCell(3, 4, generator=0)
    >>> h = cell(np.ones((2, 3)))
    >>> cell(np.ones((2, 3)), h).shape
    (2, 4)
    """

    @public
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        generator: Any = None,
        dtype: Any = np.float64,
    ) -> None:
        self.step = Gru()
        self._make(input_size, hidden_size, bias, generator, dtype)
