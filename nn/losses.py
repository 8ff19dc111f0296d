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
    if difference.dtype.char == "e":  # a sum of float16 soon is beyond 65,504
        difference = difference.astype(np.float32)
        return (np.dot(difference, difference) * scale).astype(np.float16)
    return np.dot(difference, difference) * scale


@op(pointwise=True, x=lambda g, x: g / np.maximum(x, float(np.finfo(x.dtype).epsneg)))
def log_of_probability(x: Any) -> Any:
    """log(x) of probabilities, finite at 0 with a slope that is large there, not 0: a network that
    is wrong and sure of it can still learn."""
    return np.log(np.maximum(x, float(np.finfo(x.dtype).tiny)))


class _Loss(Module):
    def __init__(self, reduction: str = "mean") -> None:
        if reduction not in REDUCTIONS:
            raise AutogradError(f"reduction is one of {REDUCTIONS}, not {reduction!r}")
        self.reduction = reduction

    def scale(self, shape: tuple[int, ...]) -> float:
        """What the sum over all elements is multiplied by."""
        if self.reduction == "sum":
            return 1.0
        if not math.prod(shape) or (self.reduction == "batch" and not shape):
            raise ShapeError(
                f"{type(self).__name__}: no {self.reduction} of losses of shape {shape}: the first "
                "axis is the batch, of one example at least"
            )
        return 1 / (math.prod(shape) if self.reduction == "mean" else shape[0])

    def describe(self) -> str:
        """The reduction."""
        return f"reduction={self.reduction!r}"


def _different(loss: str, prediction: tuple[int, ...], target: tuple[int, ...]) -> ShapeError:
    return ShapeError(
        f"{loss}: prediction and target must have one shape; they have {prediction} and {target}. "
        "Are the labels one-hot?"
    )


def _arrays(prediction: Any, target: Any) -> tuple[Any, Any]:
    """Both with a shape; what is a list of numbers comes to where the prediction is."""
    prediction = prediction if hasattr(prediction, "shape") else np.asarray(prediction)
    home = getattr(prediction, "device", "cpu")
    return prediction, target if hasattr(target, "shape") else ac.asarray(target, device=home)


class MSE(_Loss):
    """The squared error, (prediction - target)².

    ``reduction="mean"`` is the mean over all elements; the lecture's network trains on ``"batch"``:
    summed over the outputs, averaged over the batch. Shapes: both the same.
    """

    def forward(self, prediction: Any, target: Any) -> Tensor:
        """The loss, shape ()."""
        prediction, target = _arrays(prediction, target)
        shape = prediction.shape
        if target.shape != shape:
            raise _different("MSE", shape, target.shape)
        return squared_error(prediction, target, self.scale(shape))


class BinaryCrossEntropy(_Loss):
    """-(t log p + (1 - t) log(1 - p)), the negative log likelihood of independent yes-no outputs.

    `prediction` holds probabilities, or with `from_logits` the numbers before the sigmoid, which is
    exact where a probability would round to 0 or 1. At probabilities of 0 and 1 the loss is finite
    and its slope that at the smallest number that the dtype can tell from 1. Shapes: both the same.
    """

    def __init__(self, reduction: str = "mean", *, from_logits: bool = False) -> None:
        super().__init__(reduction)
        self.from_logits = from_logits

    def forward(self, prediction: Any, target: Any) -> Tensor:
        """The loss, shape ()."""
        prediction, target = _arrays(prediction, target)
        if prediction.shape != target.shape:
            raise _different("BinaryCrossEntropy", prediction.shape, target.shape)
        if self.from_logits:
            losses = ac.softplus(prediction) - prediction * target
        else:
            yes, no = log_of_probability(prediction), log_of_probability(1 - prediction)
            losses = -(target * yes + (1 - target) * no)
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
        prediction, target = _arrays(prediction, target)
        if target.dtype.kind in "iu" and target.shape == prediction.shape[:-1]:
            target = one_hot(target, prediction.shape[-1], dtype=prediction.dtype)
        if prediction.shape != target.shape:
            raise _different("CrossEntropy", prediction.shape, target.shape)
        if self.from_logits:
            logarithms = ac.log_softmax(prediction)
            # a class that is ruled out by a logit of -inf, and is not the target's: 0 * -inf is 0
            logarithms = ac.where((target == 0) & ac.isinf(logarithms), 0, logarithms)
        else:
            logarithms = log_of_probability(prediction)
        return ac.sum(target * logarithms) * -self.scale(prediction.shape[:-1])


def l2_penalty(parameters: list[Parameter], strength: float) -> Any:
    """The lecture's λΩ(θ) with Ω = sum of all squared weights; biases (one axis) are left alone."""
    weights = [p for p in parameters if p.ndim > 1]
    return sum((strength * ac.sum(ac.square(w)) for w in weights[1:]),
               strength * ac.sum(ac.square(weights[0]))) if weights else 0.0  # fmt: skip
