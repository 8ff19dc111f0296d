"""The mean of a model over the steps of its training."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.stamps import stamp
from autograd_core.errors import ArgumentError, ShapeError
from autograd_core.errors.tracebacks import public
from nn.module import Buffer, Module


def get_ema_avg_fn(decay: float = 0.999) -> Callable[[Any, Any, Any], Any]:
    """The exponential mean, m ← decay m + (1 - decay) w, for `AveragedModel`.

    Parameters
    ----------
    decay : float, default 0.999
        The weight of the mean until now, in [0, 1].

    Returns
    -------
    callable
        The function ``avg_fn(averaged, now, count)``.

    Raises
    ------
    ArgumentError
        If `decay` is not in [0, 1].

    Examples
    --------
    >>> import nn
    >>> nn.get_ema_avg_fn(0.75)(2.0, 4.0, 1)
    2.5
    """
    if not 0 <= decay <= 1:
        raise ArgumentError(f"decay must be in [0, 1], not {decay}")
    return lambda averaged, now, count: decay * averaged + (1 - decay) * now


class AveragedModel(Module):
    """A copy of a model whose parameters are means of those of the model in training.

    The means often generalise better (Polyak and Juditsky, 1992; Izmailov et al., 2018).
    ``averaged.update_parameters(model)`` after each step includes the weights of now. Calling the
    averaged model calls its copy, ``averaged.module``. `n_averaged` counts the updates.

    Parameters
    ----------
    model : Module
        The model in training, which is copied.
    avg_fn : callable, optional
        The new mean, ``avg_fn(averaged, now, count)``, such as that of `get_ema_avg_fn`. By
        default, all updates have the same weight.
    use_buffers : bool, default False
        If true, buffers of floats, such as running means, are averaged too. By default they are
        copied.

    See Also
    --------
    fit : Updates an averaged model that is given as `average`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> model = nn.Linear(2, 1)
    >>> averaged = nn.AveragedModel(model, avg_fn=nn.get_ema_avg_fn(0.99))
    >>> averaged.update_parameters(model)
    >>> averaged(np.ones((5, 2))).shape
    (5, 1)
    """

    @public
    def __init__(
        self,
        model: Module,
        avg_fn: Callable[[Any, Any, Any], Any] | None = None,
        use_buffers: bool = False,
    ) -> None:
        self.module = copy.deepcopy(model)
        self.n_averaged = Buffer(np.zeros((), np.int64))
        self.avg_fn, self.use_buffers = avg_fn, use_buffers

    def forward(self, *inputs: Any, **settings: Any) -> Any:
        """The output of the averaged model."""
        return self.module(*inputs, **settings)

    def update_parameters(self, model: Module) -> None:
        """Include the parameters of `model`. The first update copies them.

        Parameters
        ----------
        model : Module
            The model in training.

        Raises
        ------
        ArgumentError
            If the model has parameters of other names.
        ShapeError
            If a parameter has another shape. Nothing is changed then.
        """
        mine: dict[str, Any] = dict(self.module.named_parameters())
        others: dict[str, Any] = dict(model.named_parameters())
        if mine.keys() != others.keys():
            raise ArgumentError(
                "AveragedModel: the model has other parameters than the averaged one: "
                f"{sorted(mine.keys() ^ others.keys())}"
            )
        wrong = [name for name in mine if mine[name].shape != others[name].shape]
        if wrong:
            raise ShapeError(f"AveragedModel: parameters of the model have other shapes: {wrong}")
        count = int(self.n_averaged.data)
        buffers = dict(self.module.named_buffers())
        others |= dict(model.named_buffers())
        for name, averaged in {**mine, **buffers}.items():
            now = backend.to_device(others[name].data, averaged.device)
            m = averaged.data
            kept = name in mine or (self.use_buffers and m.dtype.kind == "f")
            if not count or not kept:
                m[...] = now
            elif self.avg_fn is None:
                m += (now - m) / (count + 1)
            else:
                m[...] = self.avg_fn(m, now, count)
        stamp(*mine.values(), *buffers.values())
        self.n_averaged.data[...] = count + 1
        stamp(self.n_averaged)
