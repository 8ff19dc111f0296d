"""Attention: means of values, with weights from the products of queries and keys."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd_core as ac
from autograd_core import Tensor
from autograd_core.errors import ArgumentError, DTypeError, ShapeError
from autograd_core.errors.tracebacks import public
from nn.dropout import Dropout, dropped
from nn.init import generator_of, xavier_normal_, xavier_uniform_, zeros_
from nn.linear import Linear
from nn.module import Module, Parameter, misfit

__all__ = ["MultiheadAttention", "scaled_dot_product_attention"]


@public
def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    *,
    generator: Any = None,
) -> Any:
    """Means of values, softmax(query keyᵀ · scale + mask) value.

    Shapes: query (…, L, E), key (…, S, E), value (…, S, V), mask broadcast with (…, L, S) → (…, L,
    V).

    Parameters
    ----------
    query : array
        What each result is for.
    key : array
        What the queries are compared with.
    value : array
        What the means are of, one for each key.
    attn_mask : array_like, optional
        Added to the scores, or boolean and True where a query attends to a key, as in PyTorch.
    dropout_p : float, default 0.0
        The probability with which weights are set to 0, see `Dropout`.
    is_causal : bool, default False
        If true, query i attends to keys 0 to i.
    scale : float, optional
        The factor of the scores, by default 1 / √E.
    generator : int or numpy.random.Generator, optional
        The source of the zeros of `dropout_p`, by default a new generator.

    Returns
    -------
    Tensor or array
        The means. The result of a query that attends to no key is 0.

    Raises
    ------
    ArgumentError
        If `dropout_p` is not in [0, 1].
    ShapeError
        If query and key differ in their features, key and value in their lengths, or if the mask
        does not broadcast with the scores.
    DTypeError
        If the mask is neither boolean nor of floating-point numbers, or if with `dropout_p` the
        `generator` is of another type.

    Notes
    -----
    See Vaswani et al. (2017), equation 1.

    Examples
    --------
    >>> import autograd_core as ac, nn
    >>> query = key = ac.eye(2)
    >>> value = ac.Tensor([[1.0], [2.0]])
    >>> nn.scaled_dot_product_attention(query, key, value).round(3)
    Tensor([[1.33],
            [1.67]])
    >>> nn.scaled_dot_product_attention(query, key, value, is_causal=True).round(3)
    Tensor([[1.  ],
            [1.67]])
    """
    if not 0 <= dropout_p <= 1:
        raise ArgumentError(f"dropout_p must be in [0, 1], not {dropout_p}")
    if (
        min(query.ndim, key.ndim, value.ndim) < 2
        or query.shape[-1] != key.shape[-1]
        or key.shape[-2] != value.shape[-2]
    ):
        raise ShapeError(
            "scaled_dot_product_attention: query and key must have one number of features, key and "
            f"value one length; the shapes are {query.shape}, {key.shape} and {value.shape}"
        )
    causal = _causal(query, key.shape[-2]) if is_causal else None
    bias = None if attn_mask is None else _added(attn_mask, query, kept=True)
    weights = _weights(query, key, causal, bias, scale)
    if dropout_p:
        weights = dropped(weights, dropout_p, weights.shape, generator_of(generator))
    return ac.matmul(weights, value)


def _weights(query: Any, key: Any, causal: Any, bias: Any, scale: float | None) -> Any:
    """The weights (…, L, S): the softmax of the scores plus `causal`, which leaves a key to each
    query, and plus `bias`, which may leave none: those weights are 0."""
    if query.dtype.char == "e":  # products of float16 overflow
        q, k, c, b = (
            None if x is None else x.astype(np.float32) for x in (query, key, causal, bias)
        )
        return _weights(q, k, c, b, scale).astype(np.float16)
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = ac.matmul(query * factor, ac.swapaxes(key, -1, -2))
    if not scores.shape[-1]:  # no keys
        return scores
    if bias is None:
        return ac.softmax(scores if causal is None else scores + causal)
    bias = bias if causal is None else bias + causal
    empty = ac.max(bias, axis=-1, keepdims=True) == -np.inf
    return ac.where(empty, 0, ac.softmax(scores + ac.where(empty, 0, bias)))


def _added(mask: Any, like: Any, kept: bool) -> Any:
    """A mask as numbers to add to scores: 0 where a boolean one is `kept`, -inf elsewhere."""
    mask = mask if isinstance(mask, Tensor) else ac.asarray(mask, device=like.device)
    if mask.dtype == bool:
        return ac.where(mask == kept, 0.0, -np.inf).astype(like.dtype)
    if mask.dtype.kind != "f":
        raise DTypeError(f"a mask is boolean or of floating-point numbers, not {mask.dtype}")
    return mask.astype(like.dtype)


def _causal(query: Any, keys: int, offset: int = 0) -> Any:
    """0 where query i may attend to key j ≤ i + offset, else -inf."""
    seen = ac.tri(query.shape[-2], keys, offset, dtype=bool, device=query.device)
    return ac.where(seen, 0.0, -np.inf).astype(query.dtype)


class MultiheadAttention(Module):
    """Attention in `num_heads` subspaces.

    Shapes: query (L, n, embed_dim), key (S, n, kdim), value (S, n, vdim) → (L, n, embed_dim), and
    the weights (n, L, S). With `batch_first` n is the first axis; n may be left out.

    Parameters
    ----------
    embed_dim : int
        The number of features of the query and of the result.
    num_heads : int
        The number of heads, which divides `embed_dim`.
    dropout : float, default 0.0
        In training, the probability with which weights are set to 0.
    bias : bool, default True
        If false, the products have no biases.
    add_bias_kv : bool, default False
        If true, a key and a value that are parameters are added to those given.
    add_zero_attn : bool, default False
        If true, a key and a value of zeros are added.
    kdim : int, optional
        The number of features of the key, by default `embed_dim`.
    vdim : int, optional
        The number of features of the value, by default `embed_dim`.
    batch_first : bool, default False
        If true, query, key, value and result are (n, length, …).
    generator : int or numpy.random.Generator, optional
        The source of the initial values and of the zeros of `dropout`, see `Linear`.
    dtype : dtype, default float64
        The dtype of the parameters.

    Raises
    ------
    ArgumentError
        If `num_heads` does not divide `embed_dim`, or if `dropout` is not in [0, 1].
    ShapeError
        In a call, for other shapes; the error names the layer.
    DTypeError
        If `generator` is of another type, if `dtype` is not floating or complex, and in a call if a
        mask is neither boolean nor of floating-point numbers.

    See Also
    --------
    scaled_dot_product_attention : The function, without parameters.

    Notes
    -----
    Query, key and value are multiplied by matrices, and their features divided into heads of
    embed_dim / num_heads features. The heads' results are joined and multiplied by a matrix
    (Vaswani et al., 2017, section 3.2.2). Names and semantics are PyTorch's.

    Initial weights: Glorot and Bengio's uniform distribution, the output's as in `Linear`; the
    biases are zero.

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.MultiheadAttention(8, 2, batch_first=True, generator=0)
    >>> out, weights = layer(np.ones((3, 5, 8)), is_causal=True)
    >>> out.shape, weights.shape
    ((3, 5, 8), (3, 5, 5))
    """

    @public
    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        *,
        generator: Any = None,
        dtype: Any = np.float64,
    ) -> None:
        if num_heads < 1 or embed_dim < 1 or embed_dim % num_heads:
            raise ArgumentError(
                f"MultiheadAttention: {embed_dim} features cannot be divided into {num_heads} heads"
            )
        self.embed_dim, self.num_heads, self.batch_first = embed_dim, num_heads, batch_first
        self.kdim, self.vdim = kdim or embed_dim, vdim or embed_dim
        self.add_zero_attn = add_zero_attn
        generator = generator_of(generator)

        def weight(*shape: int) -> Parameter:
            parameter = Parameter(np.zeros(shape, dtype))
            xavier_uniform_(parameter, generator=generator)
            return parameter

        if self.kdim == self.vdim == embed_dim:
            self.in_proj_weight = weight(3 * embed_dim, embed_dim)
        else:
            self.q_proj_weight = weight(embed_dim, embed_dim)
            self.k_proj_weight = weight(embed_dim, self.kdim)
            self.v_proj_weight = weight(embed_dim, self.vdim)
        self.in_proj_bias = Parameter(np.zeros(3 * embed_dim, dtype)) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias, generator=generator, dtype=dtype)
        if self.out_proj.bias is not None:
            zeros_(self.out_proj.bias)
        self.bias_k = self.bias_v = None
        if add_bias_kv:
            self.bias_k, self.bias_v = (Parameter(np.zeros((1, 1, embed_dim), dtype)) for _ in "kv")
            xavier_normal_(self.bias_k, generator=generator)
            xavier_normal_(self.bias_v, generator=generator)
        self.attn_dropout = Dropout(dropout, generator=generator)

    def forward(
        self,
        query: Any,
        key: Any = None,
        value: Any = None,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
        *,
        cache: dict[str, Any] | None = None,
    ) -> Any:
        """The result, and the weights.

        Parameters
        ----------
        query : array
            What each result is for.
        key : array, optional
            What the queries are compared with, by default the query.
        value : array, optional
            What the means are of, by default the key.
        key_padding_mask : array_like, optional
            (n, S), added to the scores, or boolean and True where queries do *not* attend to a key.
        need_weights : bool, default True
            If false, the weights are None.
        attn_mask : array_like, optional
            (L, S) or (n · num_heads, L, S), added to the scores, or boolean and True where a query
            does *not* attend to a key.
        average_attn_weights : bool, default True
            If false, the weights are those of each head, (n, num_heads, L, S).
        is_causal : bool, default False
            If true, query i attends to keys 0 to i.
        cache : dict, optional
            Empty at first, it keeps the keys and values for the next call, whose queries follow
            those of this one: a sample of a sequence is computed position by position.

        Returns
        -------
        tuple
            The result, of the query's shape, and the weights or None.
        """
        key = query if key is None else key
        value = key if value is None else value
        self._check(query, key, value)
        q, k, v = self._heads(query, key, value)
        before = 0
        if cache is not None:
            if cache:
                before = cache["key"].shape[2]
                k = ac.concatenate([cache["key"], k], axis=2)
                v = ac.concatenate([cache["value"], v], axis=2)
            cache.update(key=k, value=v)
        causal = _causal(q, k.shape[2], before) if is_causal else None
        bias = self._bias(q, k.shape[2], key_padding_mask, attn_mask)
        k, v, causal, bias = self._with_constant_keys(k, v, causal, bias)
        weights = self.attn_dropout(_weights(q, k, causal, bias, None))
        out = ac.swapaxes(ac.matmul(weights, v), 1, 2)
        out = self.out_proj(out.reshape((*out.shape[:2], self.embed_dim)))
        if query.ndim == 2:
            out = out[0]
        elif not self.batch_first:
            out = ac.swapaxes(out, 0, 1)
        if not need_weights:
            return out, None
        weights = ac.mean(weights, axis=1) if average_attn_weights else weights
        return out, weights[0] if query.ndim == 2 else weights

    def multiply_adds(self, output: Any, *inputs: Any) -> int:
        """The products with the matrices of query, key and value, the scores, and the means."""
        query = inputs[0]
        key = query if len(inputs) < 2 or inputs[1] is None else inputs[1]
        e, rows, keys = self.embed_dim, query.size // self.embed_dim, key.size // self.kdim
        batch = 1 if query.ndim == 2 else query.shape[0 if self.batch_first else 1]
        scores = rows * keys // max(batch, 1) * e
        return int(rows * e * e + keys * e * (self.kdim + self.vdim) + 2 * scores)

    def _check(self, query: Any, key: Any, value: Any) -> None:
        """Raise ShapeError for inputs that do not fit the layer or each other."""
        shapes = q, k, v = query.shape, key.shape, value.shape
        features, batch = (self.embed_dim, self.kdim, self.vdim), 0 if self.batch_first else 1
        fits = len(q) == len(k) in (2, 3) and k[:-1] == v[:-1]
        fits = fits and (len(q) == 2 or q[batch] == k[batch])
        if fits and (q[-1], k[-1], v[-1]) == features:
            return
        one = features[0] if len(set(features)) == 1 else features
        message = (
            f"expects {one} features, 2 or 3 axes, equal batches (axis {batch}), and a value "
            f"for each key; the shapes of query, key and value are {', '.join(map(str, shapes))}"
        )
        raise misfit(self, ShapeError(message))

    def _heads(self, query: Any, key: Any, value: Any) -> list[Any]:
        """Query, key and value times their matrices, each of the shape (n, heads, length,
        features)."""
        e, bias = self.embed_dim, self.in_proj_bias
        if self.kdim == self.vdim == e:
            weights = [self.in_proj_weight[i * e : (i + 1) * e] for i in range(3)]
        else:
            weights = [self.q_proj_weight, self.k_proj_weight, self.v_proj_weight]
        found = []
        for i, (x, weight) in enumerate(zip((query, key, value), weights, strict=True)):
            part = None if bias is None else bias[i * e : (i + 1) * e]
            found.append(self._divided(ac.linear(self._batched(x), weight, part)))
        return found

    def _batched(self, x: Any) -> Any:
        """x of the shape (n, length, features)."""
        if x.ndim == 2:
            return x[None]
        return x if self.batch_first else ac.swapaxes(x, 0, 1)

    def _divided(self, x: Any) -> Any:
        """From (n, length, features) to (n, heads, length, features of a head)."""
        return ac.swapaxes(
            x.reshape((*x.shape[:2], self.num_heads, self.embed_dim // self.num_heads)), 1, 2
        )

    def _bias(self, q: Any, keys: int, padding: Any, mask: Any) -> Any:
        """The sum of the two masks in a shape that broadcasts with (n, heads, L, S), or None."""
        n, heads, length, _ = q.shape
        found = None
        if padding is not None:
            found = _added(padding, q, kept=False)
            if found.shape != (n, keys) and (n, found.shape) != (1, (keys,)):
                self._misfit("key_padding_mask", found, f"{(n, keys)}")
            found = found.reshape((n, 1, 1, keys))
        if mask is not None:
            added = _added(mask, q, kept=False)
            if added.shape == (n * heads, length, keys):
                added = added.reshape((n, heads, length, keys))
            elif added.shape != (length, keys):
                wanted = f"{(length, keys)} or {(n * heads, length, keys)}"
                self._misfit("attn_mask", added, wanted)
            found = added if found is None else found + added
        return found

    def _misfit(self, name: str, mask: Any, wanted: str) -> None:
        raise misfit(self, ShapeError(f"{name} has shape {mask.shape}, expected {wanted}"))

    def _with_constant_keys(self, k: Any, v: Any, causal: Any, bias: Any) -> tuple[Any, ...]:
        """Keys and values with `bias_k` and `bias_v` and with zeros behind them, if there are any.
        Every query attends to them."""
        more = []
        if self.bias_k is not None:
            more.append((self._divided(self.bias_k), self._divided(self.bias_v)))
        if self.add_zero_attn:
            more.append((ac.zeros_like(k[:1, :, :1]), ac.zeros_like(v[:1, :, :1])))
        for keys, values in more:
            k, v = (
                ac.concatenate([x, ac.broadcast_to(y, (x.shape[0], *y.shape[1:]))], axis=2)
                for x, y in ((k, keys), (v, values))
            )
            causal, bias = (
                None if b is None else ac.pad(b, [(0, 0)] * (b.ndim - 1) + [(0, 1)])
                for b in (causal, bias)
            )
        return k, v, causal, bias

    def describe(self) -> str:
        """The number of features and of heads."""
        return f"{self.embed_dim}, {self.num_heads} heads"
