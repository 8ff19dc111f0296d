"""The activations and layers that tests go through: name, arguments, shape of x."""

import pytest

ACTIVATIONS = [
    ("CELU", {}), ("CELU", {"alpha": 0.5}), ("ELU", {}), ("ELU", {"alpha": 2.0}), ("GELU", {}),
    ("GELU", {"approximate": "tanh"}), ("GLU", {}), ("GLU", {"dim": 1}), ("Hardsigmoid", {}),
    ("Hardswish", {}), ("Hardtanh", {}), ("Hardtanh", {"min_val": -0.3, "max_val": 2.0}),
    ("Identity", {}), ("LeakyReLU", {}), ("LeakyReLU", {"negative_slope": 0.3}), ("LogSigmoid", {}),
    ("LogSoftmax", {"dim": 1}), ("Mish", {}), ("PReLU", {}), ("PReLU", {"num_parameters": 4}),
    ("ReLU", {}), ("ReLU6", {}), ("SELU", {}), ("SiLU", {}), ("Sigmoid", {}),
    ("Softmax", {"dim": 0}), ("Softplus", {}), ("Softsign", {}), ("Tanh", {}), ("Tanhshrink", {}),
]  # fmt: skip
every_activation = pytest.mark.parametrize(
    ("name", "options"), ACTIVATIONS, ids=[f"{name}{i}" for i, (name, _) in enumerate(ACTIVATIONS)]
)

LAYERS = [
    ("BatchNorm1d", (4,), {}, (5, 4)),
    ("BatchNorm1d", (4,), {"momentum": None}, (5, 4, 3)),
    ("BatchNorm1d", (4,), {"affine": False, "eps": 0.1}, (5, 4)),
    ("BatchNorm1d", (4,), {"track_running_stats": False}, (5, 4)),
    ("BatchNorm2d", (4,), {"momentum": 0.3}, (2, 4, 3, 2)),
    ("BatchNorm3d", (4,), {}, (2, 4, 2, 1, 3)),
    ("InstanceNorm1d", (4,), {}, (3, 4, 5)),
    ("InstanceNorm2d", (4,), {"affine": True}, (2, 4, 3, 2)),
    ("InstanceNorm2d", (4,), {"track_running_stats": True}, (2, 4, 3, 2)),
    ("InstanceNorm3d", (4,), {}, (2, 4, 2, 1, 3)),
    ("LayerNorm", (6,), {}, (3, 4, 6)),
    ("LayerNorm", ((4, 6),), {"eps": 0.1}, (3, 4, 6)),
    ("LayerNorm", (6,), {"elementwise_affine": False}, (3, 6)),
    ("LayerNorm", (6,), {"bias": False}, (6,)),
    ("RMSNorm", (6,), {}, (3, 4, 6)),
    ("RMSNorm", ((4, 6),), {"eps": 0.1}, (3, 4, 6)),
    ("RMSNorm", (6,), {"elementwise_affine": False}, (3, 6)),
    ("GroupNorm", (2, 4), {}, (3, 4)),
    ("GroupNorm", (4, 4), {"affine": False}, (3, 4, 2, 3)),
    ("GroupNorm", (1, 4), {"eps": 0.1}, (3, 4, 5)),
    ("Flatten", (), {}, (2, 3, 4)),
    ("Flatten", (0, 1), {}, (2, 3, 4)),
    ("Unflatten", (1, (2, -1)), {}, (3, 6)),
    ("Linear", (6, 3), {}, (4, 6)),
    ("Linear", (6, 3), {"bias": False}, (2, 5, 6)),
]
every_layer = pytest.mark.parametrize(
    ("name", "args", "options", "shape"),
    LAYERS,
    ids=[f"{name}{i}" for i, (name, *_) in enumerate(LAYERS)],
)
