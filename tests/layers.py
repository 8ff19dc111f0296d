"""The activations and layers that tests go through."""

from dataclasses import dataclass, field

import numpy as np
import pytest

import nn

ACTIVATIONS = [
    ("CELU", {}), ("CELU", {"alpha": 0.5}), ("ELU", {}), ("ELU", {"alpha": 2.0}), ("GELU", {}),
    ("GELU", {"approximate": "tanh"}), ("GLU", {}), ("GLU", {"dim": 1}), ("Hardsigmoid", {}),
    ("Hardswish", {}), ("Hardtanh", {}), ("Hardtanh", {"min_val": -0.3, "max_val": 2.0}),
    ("Identity", {}), ("LeakyReLU", {}), ("LeakyReLU", {"negative_slope": 0.3}), ("LogSigmoid", {}),
    ("LogSoftmax", {"dim": 1}), ("Mish", {}), ("PReLU", {}), ("PReLU", {"num_parameters": 4}),
    ("ReLU", {}), ("ReLU6", {}), ("SELU", {}), ("SiLU", {}), ("Sigmoid", {}),
    ("Softmax", {"dim": 0}), ("Softplus", {}), ("Softplus", {"beta": 2.0}), ("Softsign", {}),
    ("Tanh", {}), ("Tanhshrink", {}),
]  # fmt: skip
every_activation = pytest.mark.parametrize(
    ("name", "options"), ACTIVATIONS, ids=[f"{name}{i}" for i, (name, _) in enumerate(ACTIVATIONS)]
)


@dataclass
class Layer:
    """A layer, the shapes of its inputs, and arguments of its calls, of which masks are arrays."""

    name: str
    args: tuple = ()
    options: dict = field(default_factory=dict)
    shapes: tuple = ()
    call: dict = field(default_factory=dict)

    def made(self):
        return getattr(nn, self.name)(*self.args, **self.options)

    def results(self, layer, *inputs, array=lambda mask: mask):
        """What the layer returns, as a list of Tensors."""
        call = {k: array(v) if isinstance(v, np.ndarray) else v for k, v in self.call.items()}
        out = layer(*inputs, **call)
        return [x for x in (out if isinstance(out, tuple) else (out,)) if x is not None]

    def inputs(self, random):
        return [2 + random.normal(size=shape) for shape in self.shapes]


PADDED = np.array([[False] * 4 + [True] * 2, [False] * 6, [False] * 3 + [True] * 3])
AHEAD = np.triu(np.ones((4, 6), bool), 2)
OF_HEADS = np.random.default_rng(1).random((6, 4, 6)) > 0.7
OF_HEADS[..., 0] = False
BIAS = np.where(AHEAD, -2.0, 0.5)
Q, K = (4, 3, 8), (6, 3, 8)
FIRST = ((3, 4, 8), (3, 6, 8), (3, 6, 8))
SMALL = {"dropout": 0.0, "dim_feedforward": 16}
SELF = {"src_mask": np.triu(np.ones((4, 4), bool), 1)}
CAUSAL = {"tgt_mask": np.triu(np.ones((4, 4), bool), 1)}

LAYERS = [
    Layer("BatchNorm1d", (4,), {}, ((5, 4),)),
    Layer("BatchNorm1d", (4,), {"momentum": None}, ((5, 4, 3),)),
    Layer("BatchNorm1d", (4,), {"affine": False, "eps": 0.1}, ((5, 4),)),
    Layer("BatchNorm1d", (4,), {"track_running_stats": False}, ((5, 4),)),
    Layer("BatchNorm1d", (4,), {"bias": False}, ((5, 4),)),
    Layer("GroupNorm", (2, 4), {"bias": False}, ((3, 4, 2),)),
    Layer("InstanceNorm1d", (4,), {"affine": True}, ((4, 5),)),
    Layer("BatchNorm2d", (4,), {"momentum": 0.3}, ((2, 4, 3, 2),)),
    Layer("BatchNorm3d", (4,), {}, ((2, 4, 2, 1, 3),)),
    Layer("InstanceNorm1d", (4,), {}, ((3, 4, 5),)),
    Layer("InstanceNorm2d", (4,), {"affine": True}, ((2, 4, 3, 2),)),
    Layer("InstanceNorm2d", (4,), {"track_running_stats": True}, ((2, 4, 3, 2),)),
    Layer("InstanceNorm3d", (4,), {}, ((2, 4, 2, 1, 3),)),
    Layer("LayerNorm", (6,), {}, ((3, 4, 6),)),
    Layer("LayerNorm", ((4, 6),), {"eps": 0.1}, ((3, 4, 6),)),
    Layer("LayerNorm", (6,), {"elementwise_affine": False}, ((3, 6),)),
    Layer("LayerNorm", (6,), {"bias": False}, ((6,),)),
    Layer("RMSNorm", (6,), {}, ((3, 4, 6),)),
    Layer("RMSNorm", ((4, 6),), {"eps": 0.1}, ((3, 4, 6),)),
    Layer("RMSNorm", (6,), {"elementwise_affine": False}, ((3, 6),)),
    Layer("GroupNorm", (2, 4), {}, ((3, 4),)),
    Layer("GroupNorm", (4, 4), {"affine": False}, ((3, 4, 2, 3),)),
    Layer("GroupNorm", (1, 4), {"eps": 0.1}, ((3, 4, 5),)),
    Layer("Flatten", (), {}, ((2, 3, 4),)),
    Layer("Flatten", (0, 1), {}, ((2, 3, 4),)),
    Layer("Unflatten", (1, (2, -1)), {}, ((3, 6),)),
    Layer("Linear", (6, 3), {}, ((4, 6),)),
    Layer("Linear", (6, 3), {"bias": False}, ((2, 5, 6),)),
    Layer("Bilinear", (3, 4, 5), {}, ((2, 6, 3), (2, 6, 4))),
    Layer("Bilinear", (3, 4, 5), {"bias": False}, ((3,), (4,))),
    Layer("MultiheadAttention", (8, 2), {}, (Q, K, K), {"attn_mask": AHEAD}),
    Layer("MultiheadAttention", (8, 4), {"bias": False}, ((4, 8), (6, 8), (6, 8))),
    Layer("MultiheadAttention", (8, 2), {"add_bias_kv": True, "batch_first": True}, FIRST,
          {"attn_mask": OF_HEADS, "key_padding_mask": PADDED, "average_attn_weights": False}),
    Layer("MultiheadAttention", (8, 2), {"add_zero_attn": True}, (Q, K, K),
          {"attn_mask": BIAS, "key_padding_mask": np.where(PADDED, -np.inf, 0.0)}),
    Layer("MultiheadAttention", (8, 2), {"kdim": 5, "vdim": 7}, (Q, (6, 3, 5), (6, 3, 7)),
          {"key_padding_mask": PADDED, "need_weights": False}),
    Layer("TransformerEncoderLayer", (8, 2), SMALL, (Q,), SELF),
    Layer("TransformerEncoderLayer", (8, 2), SMALL | {"norm_first": True, "activation": "gelu"},
          ((4, 8),)),
    Layer("TransformerDecoderLayer", (8, 2), SMALL, (Q, K), CAUSAL),
    Layer("TransformerDecoderLayer", (8, 2), SMALL | {"batch_first": True, "bias": False},
          FIRST[:2], {"memory_key_padding_mask": PADDED}),
]  # fmt: skip
every_layer = pytest.mark.parametrize(
    "row", LAYERS, ids=[f"{row.name}{i}" for i, row in enumerate(LAYERS)]
)
