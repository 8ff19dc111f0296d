"""Gradient flows that tests look at."""

import numpy as np

import autograd_core as ac
import nn
from autograd_core.rendering import record_flow
from nn.data import one_hot


def deep(activation, layers=20, width=30, initializer=nn.init.xavier_uniform_):
    generator = np.random.default_rng(0)
    settings = {"generator": generator, "initializer": initializer}
    stack = []
    for _ in range(layers):
        stack += [nn.Linear(width, width, **settings), activation()]
    return nn.Sequential(*stack, nn.Linear(width, 10, **settings))


def flow_of(model, width=30, batch=64, home="cpu"):
    generator = np.random.default_rng(1)
    x, y = generator.standard_normal((batch, width)), one_hot(generator.integers(0, 10, batch), 10)
    loss = nn.MSE()(model(ac.Tensor(x, device=home)), ac.Tensor(y, device=home))
    with record_flow(model) as flow:
        loss.backward()
    return flow
