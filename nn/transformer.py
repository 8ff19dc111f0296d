"""The layers of a transformer (Vaswani et al., 2017)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core.errors import ArgumentError
from autograd_core.errors.tracebacks import public
from nn.activations import GELU, ReLU
from nn.attention import MultiheadAttention
from nn.describing import like
from nn.dropout import Dropout
from nn.init import generator_of
from nn.linear import Linear
from nn.module import Module
from nn.normalization import LayerNorm

__all__ = ["TransformerDecoderLayer", "TransformerEncoderLayer"]

ACTIVATIONS = {"relu": ReLU, "gelu": GELU}


class _Layer(Module):
    """What both layers have: blocks, each added to its input; the norm is before or after.

    Parameters
    ----------
    d_model : int
        The number of features of a position.
    nhead : int
        The number of heads of attention, which divides `d_model`.
    dim_feedforward : int, default 2048
        The width between the two linear layers.
    dropout : float, default 0.1
        In training, the probability of zeros in the attention and in each block's result.
    activation : str or callable, default 'relu'
        "relu", "gelu" or a function, between the linear layers.
    layer_norm_eps : float, default 1e-05
        The `eps` of the `LayerNorm` layers.
    batch_first : bool, default False
        If true, inputs and results are (n, length, d_model).
    norm_first : bool, default False
        If true, each block's input is normalised, not the sum with its result (Xiong et al., 2020).
    bias : bool, default True
        If false, the layers have no biases.
    generator : int or numpy.random.Generator, optional
        The source of the initial values and of the zeros of `dropout`, see `Linear`.
    dtype : dtype, default float64
        The dtype of the parameters.

    Raises
    ------
    ArgumentError
        If `nhead` does not divide `d_model`, if `dropout` is not in [0, 1], or if there is no such
        `activation`.
    ShapeError
        If `dim_feedforward` is less than 1, and in a call for other shapes.
    DTypeError
        If `generator` is of another type, if `dtype` is not floating or complex, and in a call if a
        mask is neither boolean nor of floating-point numbers.

    See Also
    --------
    MultiheadAttention : The attention, with its masks, its cache and its initial weights.

    Notes
    -----
    See Vaswani et al. (2017). Names and semantics are PyTorch's.
    """

    cross = False  # True for a block that attends to the encoder's result

    @public
    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Any = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        generator: Any = None,
        dtype: Any = np.float64,
    ) -> None:
        if not callable(activation) and activation not in ACTIVATIONS:
            raise ArgumentError(
                f'{type(self).__name__}: activation is "relu", "gelu" or a function, not '
                f"{activation!r}"
            )
        generator = generator_of(generator)

        def attention() -> MultiheadAttention:
            return MultiheadAttention(
                d_model, nhead, dropout, bias, batch_first=batch_first, generator=generator,
                dtype=dtype,
            )  # fmt: skip

        def linear(inputs: int, outputs: int) -> Linear:
            return Linear(inputs, outputs, bias, generator=generator, dtype=dtype)

        def norm() -> LayerNorm:
            return LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)

        def drop() -> Dropout:
            return Dropout(dropout, generator=generator)

        self.self_attn = attention()
        if self.cross:
            self.multihead_attn = attention()
        self.linear1, self.dropout = linear(d_model, dim_feedforward), drop()
        self.linear2 = linear(dim_feedforward, d_model)
        self.norm1, self.norm2, self.dropout1, self.dropout2 = norm(), norm(), drop(), drop()
        if self.cross:
            self.norm3, self.dropout3 = norm(), drop()
        self.activation = activation if callable(activation) else ACTIVATIONS[activation]()
        self.norm_first = norm_first

    def added(self, x: Any, block: Callable[[Any], Any], norm: Module) -> Any:
        """x plus the block's result, normalised before or after."""
        return x + block(norm(x)) if self.norm_first else norm(x + block(x))

    def attend(self, x: Any, mask: Any, padding: Any, is_causal: bool, cache: Any) -> Any:
        """Self-attention."""
        out, _ = self.self_attn(x, x, x, padding, False, mask, is_causal=is_causal, cache=cache)
        return self.dropout1(out)

    def feed_forward(self, x: Any) -> Any:
        """Two linear layers, the same at each position."""
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


@like(_Layer)
class TransformerEncoderLayer(_Layer):
    """Self-attention and two linear layers, each added to its input and normalised.

    Shapes: src (S, n, d_model), or (n, S, d_model) if `batch_first`, or (S, d_model) → like src.

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, generator=0)
    >>> layer(np.ones((3, 5, 8)), is_causal=True).shape
    (3, 5, 8)
    """

    def forward(
        self,
        src: Any,
        src_mask: Any = None,
        src_key_padding_mask: Any = None,
        is_causal: bool = False,
        *,
        cache: dict[str, Any] | None = None,
    ) -> Any:
        """The result, of src's shape.

        Parameters
        ----------
        src : array
            The sequences.
        src_mask : array_like, optional
            The `attn_mask` of the attention.
        src_key_padding_mask : array_like, optional
            The `key_padding_mask` of the attention.
        is_causal : bool, default False
            If true, position i attends to positions 0 to i.
        cache : dict, optional
            The `cache` of the attention.

        Returns
        -------
        Tensor
            The sequences after the layer.
        """

        masks = src_mask, src_key_padding_mask, is_causal
        x = self.added(src, lambda x: self.attend(x, *masks, cache), self.norm1)
        return self.added(x, lambda x: self.dropout2(self.feed_forward(x)), self.norm2)


@like(_Layer)
class TransformerDecoderLayer(_Layer):
    """A `TransformerEncoderLayer` with attention to the encoder's result between its two blocks.

    Shapes: tgt (T, n, d_model), memory (S, n, d_model), or with n first if `batch_first`, or
    without n → like tgt.

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.TransformerDecoderLayer(8, 2, 16, batch_first=True, generator=0)
    >>> layer(np.ones((3, 4, 8)), np.ones((3, 5, 8)), tgt_is_causal=True).shape
    (3, 4, 8)
    """

    cross = True

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
        *,
        cache: dict[str, Any] | None = None,
    ) -> Any:
        """The result, of tgt's shape.

        Parameters
        ----------
        tgt : array
            The sequences.
        memory : array
            The encoder's result.
        tgt_mask : array_like, optional
            The `attn_mask` of the attention to tgt.
        memory_mask : array_like, optional
            The `attn_mask` of the attention to the memory.
        tgt_key_padding_mask : array_like, optional
            The `key_padding_mask` of the attention to tgt.
        memory_key_padding_mask : array_like, optional
            The `key_padding_mask` of the attention to the memory.
        tgt_is_causal : bool, default False
            If true, position i of tgt attends to its positions 0 to i.
        memory_is_causal : bool, default False
            If true, position i of tgt attends to positions 0 to i of the memory.
        cache : dict, optional
            The `cache` of the attention to tgt.

        Returns
        -------
        Tensor
            The sequences after the layer.
        """

        def look(x: Any) -> Any:
            out, _ = self.multihead_attn(
                x, memory, memory, memory_key_padding_mask, False, memory_mask,
                is_causal=memory_is_causal,
            )  # fmt: skip
            return self.dropout2(out)

        masks = tgt_mask, tgt_key_padding_mask, tgt_is_causal
        x = self.added(tgt, lambda x: self.attend(x, *masks, cache), self.norm1)
        x = self.added(x, look, self.norm2)
        return self.added(x, lambda x: self.dropout3(self.feed_forward(x)), self.norm3)
