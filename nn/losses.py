"""Losses. Each takes (prediction, target) and returns a Tensor of one number.

`reduction` says how the elements' losses come together: ``"mean"`` over all elements, ``"sum"``, or
``"batch"``, the sum over the outputs and the mean over the batch (the first axis).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd_core as ac
from autograd_core import Tensor, op
from autograd_core.errors import AutogradError, ShapeError
from nn.data import one_hot
from nn.module import Module, Parameter

__all__ = ["MSE", "BinaryCrossEntropy", "CrossEntropy", "l2_penalty"]

REDUCTIONS = ("mean", "batch", "sum")


def _difference(g: Any, prediction: Any, target: Any, scale: float) -> Any:
    return (g * (2 * scale)).reshape(g.shape + (1,) * prediction.ndim) * (prediction - target)


@op(
    prediction=_difference,
    target=lambda g, prediction, target, scale: _difference(-g, prediction, target, scale),
)
def squared_error(prediction: Any, target: Any, scale: float) -> Any:
    """scale * sum((prediction - target) ** 2), for operands of one shape. One operation, because
    subtract, square, sum and scale one by one cost a small network a tenth of its training step."""
    difference = (prediction - target).ravel()
    return np.dot(difference, difference) * scale


class _Loss(Module):
    def __init__(self, reduction: str = "mean") -> None:
        if reduction not in REDUCTIONS:
            raise AutogradError(f"reduction is one of {REDUCTIONS}, not {reduction!r}")
        self.reduction = reduction

    def scale(self, shape: tuple[int, ...]) -> float:
        """What the sum over all elements is multiplied by."""
        if self.reduction == "sum":
            return 1.0
        return 1 / (math.prod(shape) if self.reduction == "mean" else shape[0])

    def describe(self) -> str:
        """The reduction."""
        return f"reduction={self.reduction!r}"


def _different(loss: str, prediction: tuple[int, ...], target: tuple[int, ...]) -> ShapeError:
    return ShapeError(
        f"{loss}: prediction and target must have one shape; they have {prediction} and {target}. "
        "Are the labels one-hot?"
    )


class MSE(_Loss):
    """The squared error, (prediction - target)².

    ``reduction="mean"`` is the mean over all elements; the lecture's network trains on ``"batch"``:
    summed over the outputs, averaged over the batch. Shapes: both the same.
    """

    def forward(self, prediction: Any, target: Any) -> Tensor:
        """The loss, shape ()."""
        shape = prediction.shape
        if target.shape != shape:
            raise _different("MSE", shape, target.shape)
        return squared_error(prediction, target, self.scale(shape))


class BinaryCrossEntropy(_Loss):
    """-(t log p + (1 - t) log(1 - p)), the negative log likelihood of independent yes-no outputs.

    `prediction` holds probabilities, or with `from_logits` the numbers before the sigmoid, which is
    exact where a probability would round to 0 or 1. Probabilities are kept away from 0 and 1 by the
    smallest number that their dtype can tell from 1. Shapes: both the same.
    """

    def __init__(self, reduction: str = "mean", *, from_logits: bool = False) -> None:
        super().__init__(reduction)
        self.from_logits = from_logits

    def forward(self, prediction: Any, target: Any) -> Tensor:
        """The loss, shape ()."""
        if prediction.shape != target.shape:
            raise _different("BinaryCrossEntropy", prediction.shape, target.shape)
        if self.from_logits:
            losses = ac.softplus(prediction) - prediction * target
        else:
            smallest = float(np.finfo(prediction.dtype).epsneg)
            p = ac.clip(prediction, smallest, 1 - smallest)
            losses = -(target * ac.log(p) + (1 - target) * ac.log1p(-p))
        return ac.sum(losses) * self.scale(losses.shape)


class CrossEntropy(_Loss):
    """-sum(t log p) over the classes (the last axis), the negative log likelihood of one of many.

    `prediction` (..., classes) holds logits, or probabilities where `from_logits` is false.
    `target` holds class indices (...,) or probabilities (..., classes), such as one-hot labels. The
    mean is over the examples.
    """

    def __init__(self, reduction: str = "mean", *, from_logits: bool = True) -> None:
        super().__init__(reduction)
        self.from_logits = from_logits

    def forward(self, prediction: Any, target: Any) -> Tensor:
        """The loss, shape ()."""
        if target.dtype.kind in "iu" and target.shape == prediction.shape[:-1]:
            target = one_hot(target, prediction.shape[-1], dtype=prediction.dtype)
        if prediction.shape != target.shape:
            raise _different("CrossEntropy", prediction.shape, target.shape)
        if self.from_logits:
            logarithms = ac.log_softmax(prediction)
        else:
            smallest = float(np.finfo(prediction.dtype).tiny)
            logarithms = ac.log(ac.maximum(prediction, smallest))
        return ac.sum(target * logarithms) * -self.scale(prediction.shape[:-1])


def l2_penalty(parameters: list[Parameter], strength: float) -> Any:
    """The lecture's λΩ(θ) with Ω = sum of all squared weights; biases (one axis) are left alone."""
    weights = [p for p in parameters if p.ndim > 1]
    return sum((strength * ac.sum(ac.square(w)) for w in weights[1:]),
               strength * ac.sum(ac.square(weights[0]))) if weights else 0.0  # fmt: skip
