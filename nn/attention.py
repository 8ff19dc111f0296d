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
    """softmax(query keyᵀ · scale + mask) value (Vaswani et al., 2017, equation 1).

    Shapes: query (…, L, E), key (…, S, E), value (…, S, V), mask broadcast with (…, L, S); result
    (…, L, V). The scale is 1 / √E by default. As in PyTorch, `attn_mask` is added, or is boolean,
    and True where a query attends to a key; with `is_causal`, query i attends to keys 0 to i. The
    result of a query that attends to no key is 0. With the probability `dropout_p`, weights are set
    to 0 (see `Dropout`).
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
    """Attention in `num_heads` subspaces (Vaswani et al., 2017, section 3.2.2).

    Query, key and value are multiplied by matrices, and their features divided into heads of
    embed_dim / num_heads features. The heads' results are joined and multiplied by a matrix. Names
    and semantics are PyTorch's.

    Shapes: query (L, n, embed_dim), key (S, n, kdim), value (S, n, vdim), or (n, L, embed_dim) … if
    `batch_first`, or without n; result like query. Initial weights: Glorot and Bengio's uniform
    distribution, the output's as in `Linear`, from `generator`; the biases are zero.

    Raises ShapeError, with the name of the layer, for other shapes.
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
        """The result, and the weights (n, L, S), which are None unless `need_weights`; with
        `average_attn_weights` False they are those of each head, (n, num_heads, L, S).

        Key and value are the query by default. The masks `key_padding_mask` (n, S) and `attn_mask`
        (L, S) or (n · num_heads, L, S) are added to the scores, or are boolean, and True where a
        query does *not* attend to a key. With `is_causal`, query i attends to keys 0 to i.

        `cache`, a dict that is empty at first, keeps the keys and values for the next call, whose
        queries follow those of this one: a sample of a sequence is computed position by position.
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
