"""What `nn.fit` calls between the steps and epochs of a run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from autograd_core.errors import ArgumentError
from autograd_core.errors.tracebacks import public

__all__ = ["Callback", "EarlyStopping"]


class Callback:
    """Base class: methods that `fit` calls with its `Run`, whose `stop` may be set to a reason to
    end for good, and whose `interrupt()` ends it until it is resumed. `state_dict` and
    `load_state_dict` save what a resumed run needs."""

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
    """End the run if `monitor`, a name of the history, has not improved by more than `min_delta`
    in `patience` epochs. Without a name it is the loss of the validation, or else of the training.
    `mode` is "min" or "max". With `restore_best`, the model, or the averaged model if there is
    one, ends with its weights of the best epoch, `best` is the value and `best_epoch` the epoch."""

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
