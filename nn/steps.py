"""The functions of a batch that a run calls, compiled or not."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, NamedTuple

from nn.optim.clipping import clip_grad_norm_

Step = Callable[..., Any]


class Steps(NamedTuple):
    """`accumulated` adds the gradient of a batch, `stepped` also updates the weights; they return
    the loss, with the outputs if these are watched. `finished` updates the weights alone."""

    accumulated: Step
    stepped: Step
    finished: Step


def steps_of(
    model: Any, loss: Any, optimizer: Any, accumulate: int, max_norm: float | None, watched: bool
) -> Steps:
    """The functions of a model and its optimiser."""

    def gradient(batch: tuple[Any, ...]) -> Any:
        *inputs, target = batch
        outputs = model(*inputs)
        value = loss(outputs, target)
        (value if accumulate == 1 else value * (1 / accumulate)).backward()
        return (value, outputs) if watched else value

    def update() -> None:
        if max_norm is not None:
            clip_grad_norm_(optimizer.parameters, max_norm)
        optimizer.step()
        if accumulate > 1:
            optimizer.zero_grad()

    def accumulated(*batch: Any) -> Any:
        with model.no_sync() if hasattr(model, "no_sync") else nullcontext():
            return gradient(batch)

    def stepped(*batch: Any) -> Any:
        if accumulate == 1:
            optimizer.zero_grad()
        found = gradient(batch)
        update()
        return found

    return Steps(accumulated, stepped, update)
