"""The formulas of one step of recurrent networks."""

from __future__ import annotations

from typing import Any

import autograd_core as ac
from autograd_core.errors import ArgumentError

__all__ = ["Elman", "Gru", "Lstm", "Step"]


class Step:
    """The formula of one step: what the inputs and the state become. `gates` is the number of
    vectors of the hidden size that the weights compute, `states` that of the arrays of a state.

    `given` are the products of the inputs and their weights, as `parts` divides them.
    """

    gates: int
    states = 1

    def joined(self, bias_ih: Any, bias_hh: Any) -> tuple[Any, Any]:
        """The bias of the inputs and that of the states. They are one if they are only added."""
        return (bias_ih if bias_hh is None else bias_ih + bias_hh), None

    def parts(self, x: Any) -> list[Any]:
        """The gates, along the last axis, in groups that are computed together."""
        return [x]

    def next(self, given: list[Any], state: tuple[Any, ...], weight: Any, bias: Any) -> Any:
        """The next state."""
        raise NotImplementedError


class Elman(Step):
    """h' = σ(W x + b + U h), with σ tanh or ReLU (Elman, 1990)."""

    gates = 1

    def __init__(self, nonlinearity: str) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ArgumentError(f'nonlinearity is "tanh" or "relu", not {nonlinearity!r}')
        self.activation = ac.tanh if nonlinearity == "tanh" else ac.relu

    def next(self, given: list[Any], state: tuple[Any, ...], weight: Any, bias: Any) -> Any:
        """The next state, of one array."""
        return (self.activation(given[0] + ac.linear(state[0], weight, bias)),)


class Gru(Step):
    """r = σ(W_r x + U_r h), z = σ(W_z x + U_z h), n = tanh(W_n x + r (U_n h)), h' = n + z (h - n)
    (Cho et al., 2014, equations 5 to 8, with the bias inside of the product with r)."""

    gates = 3

    def joined(self, bias_ih: Any, bias_hh: Any) -> tuple[Any, Any]:
        """Both, as that of the states is multiplied with r."""
        return bias_ih, bias_hh

    def parts(self, x: Any) -> list[Any]:
        """r and z, n."""
        return ac.split(x, [2 * x.shape[-1] // 3], axis=-1)

    def next(self, given: list[Any], state: tuple[Any, ...], weight: Any, bias: Any) -> Any:
        """The next state, of one array."""
        (h,) = state
        gates, candidate = self.parts(ac.linear(h, weight, bias))
        r, z = ac.split(ac.sigmoid(given[0] + gates), 2, axis=-1)
        n = ac.tanh(given[1] + r * candidate)
        return (n + z * (h - n),)


class Lstm(Step):
    """i, f, o = σ(W x + U h), g = tanh(W_g x + U_g h), c' = f c + i g, h' = o tanh(c') (Hochreiter
    and Schmidhuber, 1997; Gers et al., 2000)."""

    gates, states = 4, 2

    def parts(self, x: Any) -> list[Any]:
        """i and f, g, o."""
        size = x.shape[-1] // 4
        return ac.split(x, [2 * size, 3 * size], axis=-1)

    def next(self, given: list[Any], state: tuple[Any, ...], weight: Any, bias: Any) -> Any:
        """The next h and c."""
        h, c = state
        products = self.parts(ac.linear(h, weight, bias))
        gates, g, o = (a + b for a, b in zip(given, products, strict=True))
        i, f = ac.split(ac.sigmoid(gates), 2, axis=-1)
        c = f * c + i * ac.tanh(g)
        return ac.sigmoid(o) * ac.tanh(c), c
