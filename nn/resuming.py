"""The state of a run of `nn.fit`: what a checkpoint holds, and how a run goes back to it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import autograd_core as ac
from autograd_core.errors import ArgumentError
from nn.callbacks import Callback
from nn.distributed.runs import Ranks
from nn.generators import set_state, state_of
from nn.history import History


class Resumable:
    """The part of a `Run` that saves it and restores it."""

    ranks: Ranks
    model: Any
    loader: Any
    loss: Any
    optimizer: Any
    valid: Any
    schedule: Any
    epoch_schedule: Any
    average: Any
    callbacks: list[Any]
    metrics: list[Any]
    checkpoints: Any
    history: History
    accumulate: int
    epoch: int
    step: int
    batch: int
    stop: str
    _generators: list[Any]
    _before: list[Any] | None
    _total: float
    _count: int
    _skip: int
    _pending: list[Any]

    def _read(self) -> None:
        raise NotImplementedError

    def _check_length(self) -> None:
        raise NotImplementedError

    def _check_weights(self) -> None:
        raise NotImplementedError

    def _parts(self) -> dict[str, Any]:
        """What has a state of its own, by name."""
        trained = hasattr(self.loss, "state_dict") and self.loss.state_dict()
        stateful = [c for c in self.callbacks if type(c).state_dict is not Callback.state_dict]
        parts = {
            "model": getattr(self.ranks.parallel, "module", self.model),
            "optimizer": self.optimizer, "schedule": self.schedule,
            "epoch_schedule": self.epoch_schedule, "average": self.average, "loader": self.loader,
            "valid": self.valid, "loss": self.loss if trained else None,
            **{f"callback {i}": c for i, c in enumerate(stateful)},
        }  # fmt: skip
        return {n: p for n, p in parts.items() if p is not None and hasattr(p, "load_state_dict")}

    def _kinds(self) -> dict[str, str]:
        """The classes of what is saved, by name."""
        kinds = {name: type(part).__name__ for name, part in self._parts().items()}
        kinds |= {f"metric {metric.name}": type(metric).__name__ for metric in self.metrics}
        return kinds | {f"generator {i}": type(g).__name__ for i, g in enumerate(self._generators)}

    def _states(self) -> list[Any]:
        return list(map(state_of, self._generators))

    def _set_states(self, states: Sequence[Any]) -> None:
        for generator, state in zip(self._generators, states, strict=True):
            set_state(generator, state)

    def state(self) -> dict[str, Any]:
        """Everything that decides how the run goes on, on each rank."""
        self._read()
        self.ranks.synchronize_buffers()
        own = {
            "generators": self._states(),
            "generators_before": self._before,
            "metrics": [metric.total for metric in self.metrics],
            "gradients": self._gradients(),
            "total": self._total,
            "count": self._count,
            "buffers": self.ranks.own_buffers(),
        }
        return {
            "kinds": self._kinds(),
            "parts": {name: part.state_dict() for name, part in self._parts().items()},
            "history": [dict(row) for row in self.history.rows],
            "run": {"epoch": self.epoch, "step": self.step, "batch": self.batch, "stop": self.stop},
            "ranks": self.ranks.group.objects(own),
        }

    def _gradients(self) -> list[Any] | None:
        """The gradients that were accumulated before the next step of the optimiser."""
        if self.accumulate == 1 or self.batch % self.accumulate == 0:
            return None
        gradients = [parameter.grad for parameter in self.optimizer.parameters]
        return [None if g is None else g.numpy().copy() for g in gradients]

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to what `state` returned. If a part does not fit, none is changed."""
        if not isinstance(state, Mapping) or not {"kinds", "ranks"} <= state.keys():
            raise ArgumentError("fit: the checkpoint is not one of fit")
        kinds, there = self._kinds(), state["kinds"]
        if kinds != there:
            differing = sorted(
                name for name in {*kinds, *there} if kinds.get(name) != there.get(name)
            )
            said = [
                f"{n}: {there.get(n, 'nothing')}, now {kinds.get(n, 'nothing')}" for n in differing
            ]
            raise ArgumentError(f"fit: the checkpoint is of another run ({'; '.join(said)})")
        ranks, run = state["ranks"], dict(state["run"])
        parts, saved = self._parts(), dict(state["parts"])
        if len(ranks) != self.ranks.group.size:  # a pass that was interrupted begins anew
            run["step"], run["batch"] = run["step"] - run["batch"], 0
            saved |= {n: p.restarted(saved[n]) for n, p in parts.items() if hasattr(p, "restarted")}
        before = {name: part.state_dict() for name, part in parts.items()}
        try:
            for name, part in parts.items():
                part.load_state_dict(saved[name])
            self._check_length()
        except Exception:
            for name, part in parts.items():
                part.load_state_dict(before[name])
            raise
        self.history.rows = [dict(row) for row in state["history"]]
        self.epoch, self.step, self.batch = run["epoch"], run["step"], run["batch"]
        self.stop, self._pending = run["stop"], []
        self._skip = 0 if "loader" in parts else self.batch
        self._restore_own(ranks)

    def _restore_own(self, ranks: Sequence[Any]) -> None:
        """Go back to what the state has of this rank."""
        rank, same = self.ranks.group.rank, len(ranks) == self.ranks.group.size
        own: dict[str, Any] = dict(ranks[rank]) if rank < len(ranks) else {}
        if not same and own:
            own = {"generators": own["generators_before"] or own["generators"]}
        if own:
            self._set_states(own["generators"])
        self._before = own.get("generators_before")
        self.ranks.restore_buffers(own.get("buffers"))
        for metric, total in zip(
            self.metrics, own.get("metrics", itertools.repeat(None)), strict=False
        ):
            metric.total = total
        self._total, self._count = own.get("total", 0.0), own.get("count", 0)
        gradients = own.get("gradients") or itertools.repeat(None)
        for parameter, g in zip(self.optimizer.parameters, gradients, strict=False):
            parameter.grad = None if g is None else ac.Tensor(g, device=parameter.device)

    def save(self) -> None:
        """Write a checkpoint, if the run has a folder for them."""
        if self.checkpoints is not None:
            self._check_weights()
            state = self.state()
            if self.ranks.writes:
                self.checkpoints.save(self.step, state)
            self.ranks.group.barrier()

    def resume(self) -> None:
        """Continue at the newest checkpoint, if there is one."""
        if self.checkpoints is None:
            raise ArgumentError("fit: resume=True needs checkpoints=, the folder of the run")
        group = self.ranks.group
        found = group.same(self.checkpoints.load() if self.ranks.writes else None)
        if found is not None:
            self.restore(found.state)
