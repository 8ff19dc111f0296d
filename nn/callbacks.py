"""What `nn.fit` calls between the steps and epochs of a run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from autograd_core.errors import ArgumentError
from autograd_core.errors.tracebacks import public

__all__ = ["Callback", "EarlyStopping"]


class Callback:
    """The base class of callbacks: methods that `fit` calls between the steps and epochs of a run.

    They are called with the `Run`, whose `stop` may be set to a reason to end for good, and whose
    `interrupt()` ends it until it is resumed. `state_dict` and `load_state_dict` save what a
    resumed run needs.

    Examples
    --------
    >>> import numpy as np, nn
    >>> class StopAtLoss(nn.Callback):
    ...     def on_epoch(self, run):
    ...         if run.history[-1]["loss"] < 0.01:
    ...             run.stop = "the loss is small"
    >>> model, batches = nn.Linear(1, 1, generator=0), [(np.ones((4, 1)), np.ones((4, 1)))]
    >>> optimizer = nn.SGD(model.parameters(), lr=0.2)
    >>> callbacks = [StopAtLoss()]
    >>> history = nn.fit(model, batches, nn.MSELoss(), optimizer, epochs=100, callbacks=callbacks)
    >>> len(history) < 100
    True
    """

    def on_start(self, run: Any) -> None:
        """Before the first step, also of a resumed run."""

    def on_step(self, run: Any) -> None:
        """After each step."""

    def on_epoch(self, run: Any) -> None:
        """After each epoch, when its row is in ``run.history``."""

    def on_end(self, run: Any) -> None:
        """After the last step."""

    def state_dict(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Nothing."""


class EarlyStopping(Callback):
    """End the run if a number of the history has not improved for some epochs.

    The attribute `best` is the best value, and `best_epoch` its epoch.

    Parameters
    ----------
    monitor : str, optional
        A name of the history. By default, the loss of the validation, or else of the training.
    patience : int, default 5
        The number of epochs without an improvement after which the run ends.
    min_delta : float, default 0.0
        The change from which on the number has improved.
    mode : str, default 'min'
        What is better: "min" for smaller, "max" for larger.
    restore_best : bool, default False
        If true, the model, or the averaged model if there is one, ends with its weights of the best
        epoch.

    Raises
    ------
    ArgumentError
        For another `mode`, or a `patience` below 1; in a run, if the history has no `monitor`.

    Examples
    --------
    With the learning rate 0 the loss never improves:

    >>> import numpy as np, nn
    >>> model, batches = nn.Linear(1, 1, generator=0), [(np.ones((4, 1)), np.ones((4, 1)))]
    >>> optimizer = nn.SGD(model.parameters(), lr=0.0)
    >>> stopping = nn.EarlyStopping(patience=2)
    >>> history = nn.fit(model, batches, nn.MSELoss(), optimizer, epochs=50, callbacks=[stopping])
    >>> len(history), stopping.best_epoch
    (3, 1)
    """

    @public
    def __init__(
        self,
        monitor: str | None = None,
        patience: int = 5,
        min_delta: float = 0.0,
        mode: str = "min",
        restore_best: bool = False,
    ) -> None:
        if mode not in ("min", "max"):
            raise ArgumentError(f'EarlyStopping: mode is "min" or "max", not {mode!r}')
        if patience < 1:
            raise ArgumentError(f"EarlyStopping: patience is at least 1 epoch, not {patience}")
        self.monitor, self.patience, self.min_delta = monitor, patience, min_delta
        self.mode, self.restore_best = mode, restore_best
        self.best, self.best_epoch = math.inf if mode == "min" else -math.inf, 0
        self.weights: dict[str, Any] | None = None  # of the model, or of the averaged one

    def on_epoch(self, run: Any) -> None:
        """Compare the last epoch with the best one."""
        row = run.history[-1]
        name = self.monitor or ("valid_loss" if "valid_loss" in row else "loss")
        if name not in row:
            raise ArgumentError(f"EarlyStopping: no {name!r} in the history; it has {[*row]}")
        gain = (self.best - row[name]) * (1 if self.mode == "min" else -1)
        if gain > self.min_delta:
            self.best, self.best_epoch = row[name], row["epoch"]
            judged = run.model if run.average is None else run.average
            self.weights = judged.state_dict() if self.restore_best else None
        elif row["epoch"] - self.best_epoch >= self.patience:
            run.stop = f"{name} has not improved since epoch {self.best_epoch}"

    def on_end(self, run: Any) -> None:
        """Restore the best weights."""
        if self.weights is not None and not run.history.interrupted:
            (run.model if run.average is None else run.average).load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        """The best value, its epoch and its weights."""
        return {"best": self.best, "best_epoch": self.best_epoch, "weights": self.weights}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.best, self.best_epoch = state["best"], state["best_epoch"]
        self.weights = state["weights"]
