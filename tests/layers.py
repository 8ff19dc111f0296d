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
