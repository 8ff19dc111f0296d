"""Neural networks on the engine: modules, layers, losses, optimisers, data.

>>> import numpy as np, nn
>>> generator = np.random.default_rng(0)
>>> model = nn.Sequential(nn.Linear(2, 8, generator=generator), nn.Tanh(), nn.Linear(8, 1))
>>> optimizer, loss = nn.SGD(model.parameters(), lr=0.1), nn.MSE()
>>> x, y = np.array([[0.0, 1.0], [1.0, 1.0]]), np.array([[1.0], [0.0]])
>>> error = loss(model(x), y)
>>> optimizer.zero_grad()
>>> error.backward()
>>> optimizer.step()
"""

from typing import TYPE_CHECKING, Any

from autograd_core.errors.alternatives import missing_module
from nn import (
    activations,
    attention,
    callbacks,
    checkpoints,
    containers,
    convolution,
    cross_entropy,
    ctc,
    data,
    dropout,
    embedding,
    history,
    init,
    linear,
    losses,
    metrics,
    mnist,
    module,
    normalization,
    optim,
    padding,
    pooling,
    ranking,
    recurrent,
    regression,
    resampling,
    safetensors,
    serialization,
    summaries,
    torch_files,
    training,
    transformer,
)
from nn.activations import *
from nn.attention import *
from nn.callbacks import *
from nn.checkpoints import *
from nn.containers import *
from nn.convolution import *
from nn.cross_entropy import *
from nn.ctc import *
from nn.data import *
from nn.dropout import *
from nn.embedding import *
from nn.history import *
from nn.init import *
from nn.linear import *
from nn.losses import *
from nn.metrics import *
from nn.mnist import *
from nn.module import *
from nn.normalization import *
from nn.optim import *
from nn.padding import *
from nn.pooling import *
from nn.ranking import *
from nn.recurrent import *
from nn.regression import *
from nn.resampling import *
from nn.safetensors import *
from nn.serialization import *
from nn.summaries import *
from nn.torch_files import *
from nn.training import *
from nn.transformer import *

__all__ = ["init"]
__all__ += activations.__all__
__all__ += attention.__all__
__all__ += callbacks.__all__
__all__ += checkpoints.__all__
__all__ += containers.__all__
__all__ += convolution.__all__
__all__ += cross_entropy.__all__
__all__ += ctc.__all__
__all__ += data.__all__
__all__ += dropout.__all__
__all__ += embedding.__all__
__all__ += history.__all__
__all__ += linear.__all__
__all__ += losses.__all__
__all__ += metrics.__all__
__all__ += mnist.__all__
__all__ += module.__all__
__all__ += normalization.__all__
__all__ += optim.__all__
__all__ += padding.__all__
__all__ += pooling.__all__
__all__ += ranking.__all__
__all__ += recurrent.__all__
__all__ += regression.__all__
__all__ += resampling.__all__
__all__ += safetensors.__all__
__all__ += serialization.__all__
__all__ += summaries.__all__
__all__ += torch_files.__all__
__all__ += training.__all__
__all__ += transformer.__all__

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(missing_module(name, __all__))
