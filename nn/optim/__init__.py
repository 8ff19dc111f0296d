"""Optimisers: parameters are updated in place from their gradients."""

from nn.optim import averaging, clipping, schedules
from nn.optim.adam import Adam, Adamax, AdamW, Lion, NAdam, RAdam
from nn.optim.adaptive import Adadelta, Adagrad, RMSprop
from nn.optim.averaging import *
from nn.optim.clipping import *
from nn.optim.optimizer import Optimizer
from nn.optim.schedules import *
from nn.optim.sgd import SGD

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lion",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
]
__all__ += averaging.__all__
__all__ += clipping.__all__
__all__ += schedules.__all__
