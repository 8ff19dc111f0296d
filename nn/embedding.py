"""Rows of a table, by index."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_core as ac
from autograd_core import Tensor, no_grad
from autograd_core.devices import backend
from autograd_core.errors import ArgumentError, DTypeError, ShapeError
from autograd_core.errors.tracebacks import public
from nn.data.labels import readable
from nn.init import generator_of
from nn.module import Module, Parameter, misfit

__all__ = ["Embedding"]


class Embedding(Module):
    """A table with a vector for each index, such as for each word: weight[x].

    Shapes: x (…) of integers → (…, embedding_dim); weight (num_embeddings, embedding_dim).

    Parameters
    ----------
    num_embeddings : int
        The number of rows of the table.
    embedding_dim : int
        The length of each row.
    padding_idx : int, optional
        A row that is 0 at first and gets no gradient.
    max_norm : float, optional
        If given, rows that are used are first scaled, in place, to a norm of at most this.
    norm_type : float, default 2.0
        The p of the p-norm that `max_norm` limits.
    generator : int or numpy.random.Generator, optional
        The source of the initial values, see `Linear`.
    dtype : dtype, default float64
        The dtype of the weight.

    Raises
    ------
    ArgumentError
        If `padding_idx` is not the index of a row.
    DTypeError
        If `generator` is of another type, if `dtype` is not floating or complex, and in a call if x
        is not of integers.
    ShapeError
        In a call, for an index outside [0, num_embeddings), which is checked on the host.

    Notes
    -----
    The initial weights are drawn from the normal distribution. The gradients of rows that occur
    several times are added.

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.Embedding(10, 3, generator=0)
    >>> layer(np.array([[1, 2], [2, 9]])).shape
    (2, 2, 3)
    """

    @public
    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        *,
        generator: Any = None,
        dtype: Any = np.float64,
    ) -> None:
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ArgumentError(
                f"Embedding: padding_idx must be in [0, {num_embeddings}), not {padding_idx}"
            )
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = padding_idx if padding_idx is None else padding_idx % num_embeddings
        self.max_norm, self.norm_type = max_norm, norm_type
        weight = generator_of(generator).normal(size=(num_embeddings, embedding_dim))
        if self.padding_idx is not None:
            weight[self.padding_idx] = 0
        self.weight = Parameter(weight, dtype=dtype)

    def forward(self, x: Any) -> Any:
        """The rows of x."""
        indices = x.data if isinstance(x, Tensor) else x
        indices = indices if hasattr(indices, "dtype") else np.asarray(indices)
        self._check(indices)
        if self.max_norm is not None:
            self._scale(indices)
        weight: Any = self.weight
        if self.padding_idx is not None:  # a row that is a constant
            row = np.arange(self.num_embeddings) == self.padding_idx
            row = ac.asarray(row[:, None], device=weight.device)
            weight = ac.where(row, weight.detach(), weight)
        return ac.take(weight, indices, axis=0)

    def _check(self, indices: Any) -> None:
        if indices.dtype.kind not in "iu":
            raise misfit(self, DTypeError(f"expects integers, x has dtype {indices.dtype}"))
        if indices.size and readable(indices):
            low, high = indices.min(), indices.max()
            if low < 0 or high >= self.num_embeddings:
                wrong = int(low if low < 0 else high)
                message = f"index {wrong} is outside of the table of {self.num_embeddings} rows"
                raise misfit(self, ShapeError(message))

    def _scale(self, indices: Any) -> None:
        """Scale the rows that are too long."""
        rows = backend.to_device(np.unique(indices), self.weight.device)
        used = self.weight.data[rows]
        sizes, p = np.abs(used), self.norm_type
        if p == np.inf:
            norms = np.max(sizes, axis=1, keepdims=True)
        else:
            norms = np.sum(sizes**p, axis=1, keepdims=True) ** (1 / p)
        scale = np.where(norms > self.max_norm, self.max_norm / (norms + 1e-7), 1)
        with no_grad():
            self.weight[rows] = used * scale.astype(used.dtype)

    def describe(self) -> str:
        """The size of the table."""
        return f"{self.num_embeddings}, {self.embedding_dim}"
