"""A training under way: its loop, its state and its log. `nn.fit` is the function to call."""

from __future__ import annotations

import itertools
import math
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import autograd_core as ac
from autograd_core.devices import backend
from autograd_core.errors import ArgumentError, AutogradWarning, NonFiniteError
from nn.callbacks import Callback
from nn.checkpoints import Checkpoints
from nn.distributed.runs import Ranks, summed
from nn.generators import reached
from nn.history import History, check_suffix, line
from nn.metrics import Metric, evaluate
from nn.module import Module
from nn.optim.lbfgs import LBFGS
from nn.progress import Bar
from nn.resuming import Resumable
from nn.steps import Steps, steps_of

__all__ = ["Run"]


class Run(Resumable):
    """A training under way, as callbacks see it. `fit` makes it.

    Its attributes are the arguments, `history`, the number of the `epoch` (from 0), of the `step`
    (batches since the start) and `stop`, which is empty until something sets a reason to end for
    good. On several ranks callbacks are called on each, and ``ranks.writes`` is true on the first
    one.

    Parameters
    ----------
    model : Module
        The model to train.
    loader, loss, optimizer : object
        The batches, the loss and the optimiser, as at `fit`.
    epochs : int, default 1
        The number of passes over the loader.
    valid : iterable, optional
        Batches on which the model is evaluated after each epoch.
    metrics : sequence of Metric, default ()
        What is computed on them.
    schedule, epoch_schedule : LRScheduler, optional
        Schedules for each step and for each epoch.
    callbacks : sequence of Callback, default ()
        What is called between the steps and epochs.
    accumulate : int, default 1
        The number of batches of a step.
    max_norm : float, optional
        The largest norm of the gradient.
    average : AveragedModel, optional
        A mean of the model.
    compile : bool, default True
        If false, the step is not compiled.
    checkpoints : Checkpoints, optional
        Where the state of the run is saved.
    every : int, optional
        The number of batches after which a checkpoint is written, too.
    generators : dict, optional
        Random generators to save.
    log : str or Path, optional
        A file that receives a row for each epoch.

    Raises
    ------
    ArgumentError
        For arguments that do not fit, as at `fit`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> class Report(nn.Callback):
    ...     def on_epoch(self, run):
    ...         print(f"epoch {run.epoch}: {run.step} steps, learning rate {run.optimizer.lr}")
    >>> model, batches = nn.Linear(1, 1), [(np.ones((4, 1)), np.ones((4, 1)))] * 3
    >>> optimizer = nn.SGD(model.parameters(), lr=0.1)
    >>> _ = nn.fit(model, batches, nn.MSELoss(), optimizer, epochs=2, callbacks=[Report()])
    epoch 1: 3 steps, learning rate 0.1
    epoch 2: 6 steps, learning rate 0.1
    """

    def __init__(
        self,
        model: Module,
        loader: Any,
        loss: Any,
        optimizer: Any,
        *,
        epochs: int = 1,
        valid: Any = None,
        metrics: Sequence[Metric] = (),
        schedule: Any = None,
        epoch_schedule: Any = None,
        callbacks: Sequence[Callback] = (),
        accumulate: int = 1,
        max_norm: float | None = None,
        average: Any = None,
        compile: bool = True,
        checkpoints: Checkpoints | None = None,
        every: int | None = None,
        generators: Mapping[str, Any] | None = None,
        log: str | Path | None = None,
    ) -> None:
        self.model, self.loader, self.loss, self.optimizer = model, loader, loss, optimizer
        self.epochs, self.valid, self.metrics = epochs, valid, list(metrics)
        self.schedule, self.epoch_schedule, self.average = schedule, epoch_schedule, average
        self.callbacks, self.accumulate, self.max_norm = list(callbacks), accumulate, max_norm
        self.checkpoints, self.every = checkpoints, every
        self.generators, self.log = generators or {}, None if log is None else Path(log)
        self.epoch = self.step = self.batch = 0
        self.stop = ""
        self.ranks = Ranks(model)
        self.history = History()
        self.bar = Bar(False)
        self._total, self._count = 0.0, 0  # of the losses of the epoch
        self._pending: list[Any] = []  # losses on a device
        self._skip = 0  # batches of a loader without a state
        self._check()
        watched = valid is None and bool(metrics)
        self._plain = steps_of(model, loss, optimizer, accumulate, max_norm, watched)
        self._steps = Steps(*map(ac.compile, self._plain)) if compile else self._plain
        roots = [model, loss, loader, valid, self.callbacks, self.metrics, self.generators]
        self._generators = reached(*roots)
        self._before: list[Any] | None = None  # their states at the start of the epoch

    def _check(self) -> None:
        for name in ("epochs", "accumulate", "every"):
            value = getattr(self, name)
            if name == "every" and value is None:
                continue
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ArgumentError(f"fit: {name} is an integer, at least 1, not {value!r}")
        if isinstance(self.optimizer, LBFGS):
            raise ArgumentError(
                "fit: LBFGS calls the loss several times a step; write the loop with "
                "optimizer.step(closure)"
            )
        if self.epochs > 1 and iter(self.loader) is self.loader:
            raise ArgumentError(
                "fit: the loader is an iterator, which gives its batches once; pass a DataLoader, "
                "or a list of batches"
            )
        names = [metric.name for metric in self.metrics]
        if len(set(names)) < len(names):
            raise ArgumentError(
                f"fit: the metrics need different names, not {names}: set their name"
            )
        if self.every is not None and self.checkpoints is None:
            raise ArgumentError("fit: every=, without checkpoints=, has no effect")
        if self.log is not None:
            check_suffix(self.log)
        self.ranks.check(self.model, self.loader, self.loss, self.valid)
        self._check_length()

    def _check_length(self) -> None:
        """Compare the steps of a schedule with those of the run."""
        length, wanted = self._length(), getattr(self.schedule, "total_steps", None)
        if length is None or wanted is None:
            return
        steps = self.epochs * -(-length // self.accumulate)
        if wanted < steps:
            raise ArgumentError(
                f"fit: the schedule has {wanted:,} steps, and the run needs {steps:,}"
            )
        if wanted > steps:
            warnings.warn(
                f"fit: the schedule has {wanted:,} steps, the run ends after {steps:,}",
                AutogradWarning,
                stacklevel=5,
            )

    # the loop

    def train(self) -> None:
        """All epochs that are left."""
        self._write_log()
        self._call("on_start")
        if self.accumulate > 1 and self.batch % self.accumulate == 0:
            self.optimizer.zero_grad()  # what is left of another run
        while self.epoch < self.epochs and not self._ends():
            self._beginning = None if self.ranks.several else self.state()
            if not self._one_epoch():
                break
        self._call("on_end")

    def interrupt(self) -> None:
        """End the run after the batch that is under way; it can be resumed."""
        self.history.interrupted = True

    def _ends(self) -> bool:
        history = self.history
        self.stop, history.interrupted = self.ranks.ending(self.stop, history.interrupted)
        return bool(self.stop) or history.interrupted

    def _one_epoch(self) -> bool:
        """Train for the rest of an epoch, and evaluate; False if the run was stopped before."""
        start = time.perf_counter()
        self.model.train()
        self.bar.start(f"epoch {self.epoch + 1}/{self.epochs}", self._length(), self.batch)
        if not self._batches():
            self.save()
            return False
        if not self.batch:
            raise ArgumentError(f"fit: the loader gave no batch in epoch {self.epoch + 1}")
        self._read()
        self._check_weights()
        self.ranks.synchronize_buffers()
        row: dict[str, Any] = {"epoch": self.epoch + 1, "step": self.step}
        total, count = summed(self.ranks.group, (self._total, self._count), self.metrics)
        row["loss"] = total / count if count else math.nan
        if self.valid is None:
            row |= {metric.name: metric.compute() for metric in self.metrics}
        else:
            model = self.model if self.average is None else self.average
            group = self.ranks.group
            found = evaluate(model, self.valid, self.loss, self.metrics, group=group)
            row |= {f"valid_{name}": value for name, value in found.items()}
        row |= {"lr": self.optimizer.param_groups[0]["lr"], "seconds": time.perf_counter() - start}
        self.history.rows.append(row)
        if self.epoch_schedule is not None:
            self._advance(row)
        self.epoch, self.batch, self._total, self._count = self.epoch + 1, 0, 0.0, 0
        self._before = None
        for metric in self.metrics:
            metric.reset()
        self._call("on_epoch")
        self._append_log(row)
        self.bar.end(row)
        self.save()
        return True

    def _batches(self) -> bool:
        accumulated, stepped, finished = self._steps
        length = self._length()
        on_step = [c.on_step for c in self.callbacks if type(c).on_step is not Callback.on_step]
        for batch in self._rest():
            self.batch += 1
            self.step += 1
            last = self.batch % self.accumulate == 0 or self.batch == length
            self._note((stepped if last else accumulated)(*batch), batch)
            if last:
                self._advance_step()
            for call in on_step:
                call(self)
            if self.every is not None and self.step % self.every == 0:
                self.save()
            if self._ends():
                return False
        if length is None and self.batch % self.accumulate:
            finished()
            self._advance_step()
        return True

    def _rest(self) -> Iterator[Any]:
        """The batches of the epoch that are left. A loader without a state begins with the
        generators as at the start of the epoch, and those that are done are skipped."""
        skip, self._skip = self._skip, 0
        if not skip:
            self._before = self._states()
            return iter(self.loader)
        now, before = self._states(), self._before
        if before is not None:
            self._set_states(before)
        batches: Iterator[Any] = iter(self.loader)
        for _ in range(skip):
            next(batches, None)
        self._set_states(now)
        return batches

    def _advance_step(self) -> None:
        """What follows a step of the optimiser."""
        if self.schedule is not None:
            self.schedule.step()
        if self.average is not None:
            self.ranks.synchronize_buffers()
            self.average.update_parameters(self.model)

    def _note(self, value: Any, batch: Any) -> None:
        """Add the loss of a batch; on a device, it is read later."""
        if isinstance(value, tuple):
            value, outputs = value
            for metric in self.metrics:
                metric.update(outputs, batch[-1])
        if not backend.on_host(value._array):
            self._pending.append(value)
            if len(self._pending) == READ:
                self._read()
            return
        self._add(value._array.item())

    def _add(self, number: float) -> None:
        if not math.isfinite(number):
            self._name_the_cause(f"the loss is {number} at")
        self._total += number
        self._count += 1
        self.bar.advance(self._total, self._count)

    def _read(self) -> None:
        """Read the losses that wait on a device."""
        pending, self._pending = self._pending, []
        if pending:
            with ac.no_grad():
                numbers = ac.stack(pending).cpu().numpy()
            for number in numbers.tolist():
                self._add(number)

    def _length(self) -> int | None:
        return len(self.loader) if hasattr(self.loader, "__len__") else None

    def _advance(self, row: dict[str, Any]) -> None:
        if hasattr(self.epoch_schedule, "patience"):  # ReduceLROnPlateau
            self.epoch_schedule.step(row.get("valid_loss", row["loss"]))
        else:
            self.epoch_schedule.step()

    def _call(self, name: str) -> None:
        for callback in self.callbacks:
            getattr(callback, name)(self)

    def _check_weights(self) -> None:
        """Raise NonFiniteError if a parameter is not finite, before it is saved."""
        wrong = self._overflowed()
        if wrong:
            self._name_the_cause(f"{wrong} is not finite after")

    def _overflowed(self) -> str:
        """The name of a parameter or buffer that is not finite, or ""."""
        tensors = itertools.chain(self.model.named_parameters(), self.model.named_buffers())
        found = (n for n, t in tensors if not np.isfinite(backend.asnumpy(t.data)).all())
        return next(found, "")

    def _name_the_cause(self, what: str) -> None:
        """Repeat the epoch without compilation, to raise the error of the first operation that is
        not finite, or of the first update that makes a parameter so."""
        until = self.step
        if self._beginning is None:
            raise NonFiniteError(
                f"fit: {what} step {until} on rank {self.ranks.group.rank}; on one rank, the "
                "operation would be named"
            )
        self.restore(self._beginning)
        before = self.model.state_dict()
        try:
            with ac.detect_anomaly():
                for batch in self._rest():
                    self.step, self.batch = self.step + 1, self.batch + 1
                    last = self.batch % self.accumulate == 0 or self.batch == self._length()
                    self._plain[last](*batch)
                    wrong = self._overflowed()
                    if wrong:
                        raise NonFiniteError(f"every gradient was finite, but not {wrong} after it")
                    if last and self.schedule is not None:
                        self.schedule.step()
                    before = self.model.state_dict()
                    if self.step >= until:
                        break
        except NonFiniteError as error:
            self.model.load_state_dict(before)
            where = f"step {self.step} (epoch {self.epoch + 1}, batch {self.batch})"
            raise NonFiniteError(f"fit: {what} step {until}. At {where}: {error}") from error
        raise NonFiniteError(f"fit: {what} step {until}")

    # the log

    def _write_log(self) -> None:
        """Write the rows so far; those behind the checkpoint of a resumed run disappear."""
        if self.log is not None and self.ranks.writes:
            self.history.save(self.log)

    def _append_log(self, row: dict[str, Any]) -> None:
        if self.log is None or not self.ranks.writes:
            return
        if self.log.suffix == ".csv":
            self.history.save(self.log)
            return
        with self.log.open("a", encoding="utf-8") as file:
            file.write(line(row))


READ = 100  # losses on a device that are read together
