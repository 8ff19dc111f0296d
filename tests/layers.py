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


def _flat(out):
    return [x for part in out for x in _flat(part)] if isinstance(out, tuple) else [out]


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
        return [x for x in _flat(out) if x is not None]

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
    Layer("Conv1d", (4, 6, 3), {"padding": 1, "groups": 2}, ((2, 4, 7),)),
    Layer("Conv1d", (2, 3, 4), {"stride": 2, "dilation": 2, "bias": False}, ((2, 9),)),
    Layer("Conv2d", (3, 4, 3), {}, ((2, 3, 6, 5),)),
    Layer("Conv2d", (4, 2, 1), {"bias": False}, ((3, 4, 3, 2),)),
    Layer("Conv2d", (3, 3, (3, 2)), {"padding": "same", "groups": 3}, ((2, 3, 5, 4),)),
    Layer("Conv2d", (2, 4, (2, 4)), {"padding": "same", "dilation": (3, 1)}, ((2, 2, 5, 4),)),
    Layer("Conv2d", (4, 4, (3, 4)), {"stride": (2, 3), "padding": (2, 1), "dilation": (2, 1),
          "groups": 2}, ((2, 4, 7, 6),)),
    Layer("Conv2d", (2, 3, 3), {"padding": (1, 2), "padding_mode": "reflect"}, ((2, 2, 4, 5),)),
    Layer("Conv2d", (2, 3, 3), {"padding": "same", "padding_mode": "replicate"}, ((2, 4, 5),)),
    Layer("Conv2d", (2, 3, 2), {"padding": 1, "padding_mode": "circular", "stride": 2},
          ((1, 2, 4, 5),)),
    Layer("Conv3d", (2, 4, (2, 1, 3)), {"padding": (1, 0, 1), "groups": 2}, ((2, 2, 3, 2, 4),)),
    Layer("Conv3d", (2, 3, 2), {"stride": (1, 2, 1), "dilation": (1, 1, 2)}, ((1, 2, 3, 4, 5),)),
    Layer("ConvTranspose1d", (4, 2, 3), {"stride": 2, "groups": 2}, ((2, 4, 5),)),
    Layer("ConvTranspose2d", (3, 2, 3), {}, ((2, 3, 4, 3),)),
    Layer("ConvTranspose2d", (2, 3, (3, 2)), {"stride": (3, 2), "padding": (1, 0), "bias": False,
          "output_padding": (2, 1), "dilation": (2, 1)}, ((2, 2, 3, 4),)),
    Layer("ConvTranspose2d", (2, 3, 3), {"stride": 2, "padding": 1}, ((2, 2, 3, 4),),
          {"output_size": (6, 7)}),
    Layer("ConvTranspose3d", (2, 3, 2), {"stride": (2, 1, 1), "dilation": 2}, ((2, 2, 2, 3, 2),)),
    Layer("Unfold", ((2, 3),), {"dilation": (1, 2), "padding": 1, "stride": 2}, ((2, 3, 4, 7),)),
    Layer("Fold", ((4, 7), (2, 3)), {"dilation": (1, 2), "padding": 1, "stride": 2},
          ((2, 18, 9),)),
    Layer("Fold", ((4, 5), 2), {}, ((4, 12),)),
    Layer("MaxPool1d", (3,), {"stride": 2, "padding": 1}, ((2, 3, 8),)),
    Layer("MaxPool2d", (2,), {}, ((2, 3, 6, 5),)),
    Layer("MaxPool2d", ((3, 2),), {"stride": (2, 1), "padding": 1, "dilation": (1, 2),
          "ceil_mode": True}, ((3, 6, 7),)),
    Layer("MaxPool3d", (2,), {"stride": 1}, ((2, 2, 3, 3, 3),)),
    Layer("AvgPool1d", (3,), {"stride": 2, "padding": 1, "ceil_mode": True}, ((2, 3, 8),)),
    Layer("AvgPool2d", (2,), {}, ((2, 3, 6, 5),)),
    Layer("AvgPool2d", ((3, 2),), {"stride": 2, "padding": 1, "count_include_pad": False,
          "ceil_mode": True}, ((3, 6, 7),)),
    Layer("AvgPool3d", (2,), {"divisor_override": 3}, ((2, 2, 3, 4, 3),)),
    Layer("LPPool1d", (2, 3), {"stride": 2}, ((2, 3, 8),)),
    Layer("LPPool2d", (3, 2), {"ceil_mode": True}, ((2, 3, 4, 5),)),
    Layer("LPPool2d", (float("inf"), 2), {}, ((2, 3, 4, 5),)),
    Layer("LPPool3d", (2, 2), {}, ((2, 2, 4, 2, 3),)),
    Layer("AdaptiveAvgPool1d", (3,), {}, ((2, 3, 8),)),
    Layer("AdaptiveAvgPool2d", ((2, None),), {}, ((2, 3, 6, 5),)),
    Layer("AdaptiveAvgPool2d", ((4, 7),), {}, ((3, 6, 5),)),
    Layer("AdaptiveAvgPool3d", (2,), {}, ((2, 2, 3, 4, 5),)),
    Layer("AdaptiveMaxPool1d", (3,), {}, ((2, 3, 8),)),
    Layer("AdaptiveMaxPool2d", ((4, None),), {}, ((2, 3, 6, 5),)),
    Layer("AdaptiveMaxPool3d", ((2, 3, 1),), {}, ((2, 2, 3, 4, 5),)),
    Layer("Upsample", (), {"scale_factor": 2}, ((2, 3, 4, 3),)),
    Layer("Upsample", ((5, 4),), {}, ((2, 3, 3, 6),)),
    Layer("Upsample", (7,), {"mode": "linear"}, ((2, 3, 4),)),
    Layer("Upsample", (), {"scale_factor": (2, 1.7), "mode": "bilinear"}, ((2, 3, 4, 3),)),
    Layer("Upsample", ((3, 7),), {"mode": "bilinear", "align_corners": True}, ((2, 3, 4, 3),)),
    Layer("Upsample", (), {"scale_factor": 2, "mode": "trilinear"}, ((1, 2, 2, 3, 2),)),
    Layer("Upsample", (), {"scale_factor": (2, 0.6), "mode": "bicubic"}, ((2, 3, 4, 5),)),
    Layer("Upsample", ((6, 5),), {"mode": "bicubic", "align_corners": True}, ((2, 3, 4, 3),)),
    Layer("Upsample", (), {"scale_factor": 1.3, "mode": "bilinear"}, ((2, 3, 3, 5),)),
    Layer("Upsample", (), {"scale_factor": 1.3}, ((2, 3, 3, 5),)),
    Layer("Upsample", (), {"scale_factor": 1.7, "mode": "nearest-exact"}, ((2, 3, 4, 5),)),
    Layer("PixelShuffle", (2,), {}, ((2, 12, 2, 3),)),
    Layer("PixelUnshuffle", (2,), {}, ((2, 3, 4, 6),)),
    Layer("ConstantPad1d", ((1, -2), 3.5), {}, ((2, 3, 5),)),
    Layer("ConstantPad2d", (2, 0.5), {}, ((3, 4, 5),)),
    Layer("ZeroPad2d", ((1, 0, -1, 2),), {}, ((2, 3, 4, 5),)),
    Layer("ReflectionPad1d", (2,), {}, ((2, 3, 5),)),
    Layer("ReflectionPad1d", ((3, -1),), {}, ((1, 2, 4),)),
    Layer("ReflectionPad2d", ((1, 2, 3, 0),), {}, ((2, 3, 4, 5),)),
    Layer("ReflectionPad2d", ((0, -1, -1, 2),), {}, ((1, 2, 3, 2),)),
    Layer("ReflectionPad3d", (1,), {}, ((1, 2, 3, 4, 2),)),
    Layer("ReplicationPad1d", ((2, 0),), {}, ((2, 3, 5),)),
    Layer("ReplicationPad2d", (3,), {}, ((2, 3, 4, 2),)),
    Layer("ReplicationPad3d", ((1, 0, 0, 2, 1, 1),), {}, ((1, 2, 3, 4, 2),)),
    Layer("CircularPad1d", (2,), {}, ((2, 3, 5),)),
    Layer("CircularPad2d", ((1, 2, 3, 0),), {}, ((2, 3, 4, 5),)),
    Layer("CircularPad3d", (1,), {}, ((1, 2, 3, 4, 2),)),
    Layer("RNN", (3, 4), {}, ((5, 2, 3),)),
    Layer("RNN", (3, 4), {"num_layers": 2, "bidirectional": True, "nonlinearity": "relu"},
          ((5, 2, 3), (4, 2, 4))),
    Layer("GRU", (3, 4), {"batch_first": True}, ((2, 5, 3),)),
    Layer("GRU", (3, 4), {"num_layers": 2, "bidirectional": True, "bias": False},
          ((5, 2, 3), (4, 2, 4))),
    Layer("GRU", (3, 4), {}, ((1, 3), (1, 4))),
    Layer("LSTM", (3, 4), {}, ((5, 2, 3),)),
    Layer("LSTM", (3, 4), {"num_layers": 2, "bidirectional": True, "proj_size": 2}, ((4, 2, 3),)),
    Layer("LSTM", (3, 4), {"bias": False}, ((5, 3),)),
    Layer("RNNCell", (3, 4), {"nonlinearity": "relu"}, ((2, 3), (2, 4))),
    Layer("RNNCell", (3, 4), {"bias": False}, ((3,),)),
    Layer("GRUCell", (3, 4), {}, ((2, 3), (2, 4))),
    Layer("LSTMCell", (3, 4), {}, ((2, 3),)),
]  # fmt: skip
every_layer = pytest.mark.parametrize(
    "row", LAYERS, ids=[f"{row.name}{i}" for i, row in enumerate(LAYERS)]
)
