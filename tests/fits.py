"""A small run of `nn.fit`, and a callback that interrupts it."""

import os
import signal

import numpy as np

import nn

X = np.random.default_rng(0).standard_normal((40, 5))
Y = np.argmax(X[:, :3], axis=1)


def parts(batch=8, lr=0.1, **settings):
    model = nn.Sequential(nn.Linear(5, 8, generator=1), nn.Tanh(), nn.Linear(8, 3, generator=2))
    data = nn.TensorDataset(X, Y)
    loader = nn.DataLoader(data, batch, shuffle=True, generator=3, **settings)
    return model, loader, nn.CrossEntropyLoss(), nn.SGD(model.parameters(), lr=lr)


def weights(model):
    return np.concatenate([p.data.ravel() for p in model.parameters()])


class Interrupts(nn.Callback):
    def __init__(self, at):
        self.at = at

    def on_step(self, run):
        if run.step == self.at:
            os.kill(os.getpid(), signal.SIGINT)
