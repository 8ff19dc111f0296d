"""The optimisers and their settings that tests go through."""

import numpy as np
import pytest

import nn

OPTIONS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.01, "momentum": 0.5, "maximize": True, "weight_decay": 0.2}),
    ("Adam", {}),
    ("Adam", {"lr": 0.1, "betas": (0.5, 0.6), "eps": 1e-3, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.1, "amsgrad": True, "maximize": True}),
    ("Adam", {"lr": 0.1, "betas": (0.0, 0.9)}),
    ("AdamW", {"lr": 0.1}),
    ("AdamW", {"lr": 0.1, "amsgrad": True, "weight_decay": 0.3, "maximize": True}),
    ("NAdam", {"lr": 0.1}),
    ("NAdam", {"lr": 0.1, "weight_decay": 0.1, "momentum_decay": 0.1}),
    ("NAdam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RAdam", {"lr": 0.1}),
    ("RAdam", {"lr": 0.1, "betas": (0.5, 0.9), "weight_decay": 0.1, "eps": 1e-2}),
    ("RAdam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("Adamax", {"lr": 0.1}),
    ("Adamax", {"lr": 0.1, "weight_decay": 0.1, "eps": 1e-2, "maximize": True}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.1, "alpha": 0.5, "momentum": 0.9, "centered": True}),
    ("RMSprop", {"lr": 0.1, "weight_decay": 0.1, "eps": 1e-2, "maximize": True}),
    ("Adagrad", {"lr": 0.1}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1}),
    ("Adagrad", {"lr": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-2, "maximize": True}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.5, "eps": 1e-2, "weight_decay": 0.1, "maximize": True}),
]
NAMES = [f"{name}{i}" for i, (name, _) in enumerate(OPTIONS)]
every = pytest.mark.parametrize(("name", "options"), OPTIONS, ids=NAMES)
SHAPES = ((4, 3), (5,))


def made(name, options, dtype=np.float64, shapes=SHAPES):
    random = np.random.default_rng(0)
    parameters = [nn.Parameter(random.normal(size=shape).astype(dtype)) for shape in shapes]
    return parameters, getattr(nn, name)(parameters, **options)


def train(parameters, optimizer, steps, skip=(), start=0):
    for step in range(start, start + steps):
        random = np.random.default_rng(step)
        for i, p in enumerate(parameters):
            g = nn.Parameter(random.normal(size=p.shape).astype(p.dtype))
            p.grad = None if i == 1 and step in skip else g.detach().to(p.device)
        optimizer.step()
