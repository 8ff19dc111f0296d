"""A training under way: its loop, its state and its log. `nn.fit` is the function to call."""

from __future__ import annotations

import itertools
import math
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import autograd_core as ac
from autograd_core.devices import backend
from autograd_core.errors import ArgumentError, AutogradWarning, NonFiniteError
from nn.callbacks import Callback
from nn.checkpoints import Checkpoints
from nn.generators import generators_of, set_state, state_of
from nn.history import History, check_suffix, line
from nn.metrics import Metric, evaluate
from nn.module import Module
from nn.optim.clipping import clip_grad_norm_
from nn.progress import Bar

__all__ = ["Run"]


class Run:
    """A training under way, as callbacks see it: `model`, `optimizer`, `history`, the number of the
    `epoch` (from 0), of the `step` (batches since the start) and `stop`, which is empty until
    something sets a reason to end."""

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
        self.history = History()
        self.bar = Bar(False)
        self._total, self._count = 0.0, 0  # of the losses of the epoch
        self._pending: list[Any] = []  # losses on a device
        self._skip = 0  # batches of a loader without a state
        self._check()
        watched = valid is None and bool(metrics)
        self._plain = _steps(self, watched)
        self._steps = tuple(map(ac.compile, self._plain)) if compile else self._plain

    def _check(self) -> None:
        for name in ("epochs", "accumulate"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ArgumentError(f"fit: {name} is an integer, at least 1, not {value!r}")
        if self.every is not None and self.checkpoints is None:
            raise ArgumentError("fit: every=, without checkpoints=, has no effect")
        if self.log is not None:
            check_suffix(self.log)
        if self.schedule is not None and hasattr(self.schedule, "total_steps"):
            self._check_length(int(self.schedule.total_steps))

    def _check_length(self, wanted: int) -> None:
        """Compare the steps of a schedule with those of the run."""
        steps = self.epochs * -(-len(self.loader) // self.accumulate)
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
        while self.epoch < self.epochs and not self.stop:
            self._beginning = self.state()
            if not self._one_epoch():
                break
        self._call("on_end")

    def _one_epoch(self) -> bool:
        """Train for the rest of an epoch, and evaluate; False if the run was stopped before."""
        start = time.perf_counter()
        self.model.train()
        self.bar.start(f"epoch {self.epoch + 1}/{self.epochs}", self._length(), self.batch)
        if not self._batches():
            self.save()
            return False
        self._read()
        self._check_weights()
        row: dict[str, Any] = {"epoch": self.epoch + 1, "step": self.step}
        row["loss"] = self._total / self._count if self._count else math.nan
        if self.valid is None:
            row |= {metric.name: metric.compute() for metric in self.metrics}
        else:
            model = self.model if self.average is None else self.average
            found = evaluate(model, self.valid, self.loss, self.metrics)
            row |= {f"valid_{name}": value for name, value in found.items()}
        row |= {"lr": self.optimizer.param_groups[0]["lr"], "seconds": time.perf_counter() - start}
        self.history.rows.append(row)
        if self.epoch_schedule is not None:
            self._advance(row)
        self.epoch, self.batch, self._total, self._count = self.epoch + 1, 0, 0.0, 0
        for metric in self.metrics:
            metric.reset()
        self._call("on_epoch")
        self._append_log(row)
        self.bar.end(row)
        self.save()
        return True

    def _batches(self) -> bool:
        length = self._length()
        batches = itertools.islice(iter(self.loader), self._skip, None)
        self._skip = 0
        accumulated, stepped = self._steps
        on_step = [c.on_step for c in self.callbacks if type(c).on_step is not Callback.on_step]
        for batch in batches:
            self.batch += 1
            self.step += 1
            last = self.batch % self.accumulate == 0 or self.batch == length
            value = (stepped if last else accumulated)(*batch)
            self._note(value, batch)
            if last:
                if self.schedule is not None:
                    self.schedule.step()
                if self.average is not None:
                    self.average.update_parameters(self.model)
            for call in on_step:
                call(self)
            if self.every is not None and self.step % self.every == 0:
                self.save()
            if self.stop:
                return False
        return True

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
        """The name of a parameter that is not finite, or ""."""
        found = (name for name, p in self.model.named_parameters()
                 if not np.isfinite(backend.asnumpy(p.data)).all())  # fmt: skip
        return next(found, "")

    def _name_the_cause(self, what: str) -> None:
        """Repeat the epoch without compilation, to raise the error of the first operation that is
        not finite, or of the first update that makes a parameter so."""
        until = self.step
        self.restore(self._beginning)
        before = self.model.state_dict()
        try:
            with ac.detect_anomaly():
                for batch in itertools.islice(iter(self.loader), self._skip, None):
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

    # the state

    def _parts(self) -> dict[str, Any]:
        """What has a state of its own, by name."""
        stateful = [c for c in self.callbacks if type(c).state_dict is not Callback.state_dict]
        parts = {
            "model": self.model, "optimizer": self.optimizer, "schedule": self.schedule,
            "epoch_schedule": self.epoch_schedule, "average": self.average, "loader": self.loader,
            "valid": self.valid, **{f"callback {i}": c for i, c in enumerate(stateful)},
        }  # fmt: skip
        return {n: p for n, p in parts.items() if p is not None and hasattr(p, "load_state_dict")}

    def state(self) -> dict[str, Any]:
        """Everything that decides how the run goes on."""
        self._read()
        generators = generators_of(self.model, self.generators)
        return {
            "parts": {name: part.state_dict() for name, part in self._parts().items()},
            "kinds": {name: type(part).__name__ for name, part in self._parts().items()},
            "generators": {name: state_of(generator) for name, generator in generators.items()},
            "metrics": [metric.total for metric in self.metrics],
            "gradients": self._gradients(),
            "history": [dict(row) for row in self.history.rows],
            "run": {"epoch": self.epoch, "step": self.step, "batch": self.batch,
                    "total": self._total, "count": self._count,
                    "stop": "" if self.history.interrupted else self.stop},
        }  # fmt: skip

    def _gradients(self) -> list[Any] | None:
        """The gradients that were accumulated before the next step of the optimiser."""
        if self.accumulate == 1 or self.batch % self.accumulate == 0:
            return None
        gradients = [parameter.grad for parameter in self.optimizer.parameters]
        return [None if g is None else g.numpy().copy() for g in gradients]

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to what `state` returned. If a part does not fit, none is changed."""
        parts, saved = self._parts(), state["parts"]
        kinds = {name: type(part).__name__ for name, part in parts.items()}
        if kinds != state["kinds"]:
            there = ", ".join(f"{name}: {kind}" for name, kind in state["kinds"].items())
            here = ", ".join(f"{name}: {kind}" for name, kind in kinds.items())
            raise ArgumentError(f"fit: the checkpoint has ({there}), this run has ({here})")
        before = {name: part.state_dict() for name, part in parts.items()}
        try:
            for name, part in parts.items():
                part.load_state_dict(saved[name])
        except Exception:
            for name, part in parts.items():
                part.load_state_dict(before[name])
            raise
        generators = generators_of(self.model, self.generators)
        for name, generator in generators.items():
            if name in state["generators"]:
                set_state(generator, state["generators"][name])
        for metric, total in zip(self.metrics, state["metrics"], strict=True):
            metric.total = total
        gradients = state["gradients"] or itertools.repeat(None)
        for parameter, g in zip(self.optimizer.parameters, gradients, strict=False):
            parameter.grad = None if g is None else ac.Tensor(g, device=parameter.device)
        self.history.rows = [dict(row) for row in state["history"]]
        run = state["run"]
        self.epoch, self.step, self.batch = run["epoch"], run["step"], run["batch"]
        self._total, self._count, self.stop = run["total"], run["count"], run["stop"]
        self._skip = 0 if "loader" in parts else self.batch
        self._pending = []

    def save(self) -> None:
        """Write a checkpoint, if the run has a folder for them."""
        if self.checkpoints is not None:
            self._check_weights()
            self.checkpoints.save(self.step, self.state())

    def resume(self) -> None:
        """Continue at the newest checkpoint, if there is one."""
        if self.checkpoints is None:
            raise ArgumentError("fit: resume=True needs checkpoints=, the folder of the run")
        found = self.checkpoints.load()
        if found is not None:
            self.restore(found.state)

    # the log

    def _write_log(self) -> None:
        """Write the rows so far; those behind the checkpoint of a resumed run disappear."""
        if self.log is not None:
            self.history.save(self.log)

    def _append_log(self, row: dict[str, Any]) -> None:
        if self.log is None:
            return
        if self.log.suffix == ".csv":
            self.history.save(self.log)
            return
        with self.log.open("a", encoding="utf-8") as file:
            file.write(line(row))


READ = 100  # losses on a device that are read together


def _steps(run: Run, watched: bool) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Functions of a batch: one that adds to the gradient, one that also updates the weights. They
    return the loss, with the outputs if they are `watched`."""
    model, loss, optimizer, count = run.model, run.loss, run.optimizer, run.accumulate
    max_norm = run.max_norm

    def gradient(batch: tuple[Any, ...]) -> Any:
        *inputs, target = batch
        outputs = model(*inputs)
        value = loss(outputs, target)
        (value if count == 1 else value * (1 / count)).backward()
        return (value, outputs) if watched else value

    def accumulated(*batch: Any) -> Any:
        return gradient(batch)

    def stepped(*batch: Any) -> Any:
        if count == 1:
            optimizer.zero_grad()
        found = gradient(batch)
        if max_norm is not None:
            clip_grad_norm_(model.parameters(), max_norm)
        optimizer.step()
        if count > 1:
            optimizer.zero_grad()
        return found

    return accumulated, stepped
