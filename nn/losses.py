"""Losses. Each takes (prediction, target) and returns a Tensor of one number.

`reduction` says how the elements' losses come together: ``"mean"`` over all elements, ``"sum"``, or
``"batch"``, the sum over the outputs and the mean over the batch (the first axis).

Raises ShapeError for shapes that do not fit, DTypeError for None, complex numbers where real ones
are meant and class labels that are not integers, AutogradError for probabilities outside [0, 1] by
more than rounding. Values on a device are looked at inside `detect_anomaly` only, because to look
is to wait; NaN is not an error, and gives NaN.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd_core as ac
from autograd_core import Tensor, op
from autograd_core.errors import AutogradError, DTypeError, ShapeError
from nn.data import one_hot, readable
from nn.module import Module, Parameter

__all__ = ["MSE", "BinaryCrossEntropy", "CrossEntropy", "l2_penalty"]

REDUCTIONS = ("mean", "batch", "sum")
_LOGITS = "For the numbers before the sigmoid or softmax (logits) write {}(from_logits=True)"

# ---- operations ---------------------------------------------------------------------------------


def _difference(g: Any, prediction: Any, target: Any, scale: float) -> Any:
    weight = (g * (2 * scale)).reshape(g.shape + (1,) * prediction.ndim)
    return weight * (prediction - target).conj()


@op(
    prediction=_difference,
    target=lambda g, prediction, target, scale: _difference(-g, prediction, target, scale),
)
def squared_error(prediction: Any, target: Any, scale: float) -> Any:
    """scale * sum(|prediction - target| ** 2), for operands of one shape. One operation, because
    subtract, square, sum and scale one by one cost a small network a tenth of its training step."""
    difference = (prediction - target).ravel()
    if difference.dtype.char == "e":  # a sum of float16 soon is beyond 65,504
        difference = difference.astype(np.float32)
        return (np.dot(difference, difference) * scale).astype(np.float16)
    return np.vdot(difference, difference).real * scale


@op(pointwise=True, x=lambda g, x: g / np.where(x <= 0, float(np.finfo(x.dtype).epsneg), x))
def log_of_probability(x: Any) -> Any:
    """log(x) of probabilities, finite at 0 with a slope that is large there, not 0: a network that
    is wrong and sure of it can still learn."""
    return np.log(np.where(x <= 0, float(np.finfo(x.dtype).tiny), x))


# The binary cross entropy of a logit and its derivatives. They are written in exp(-|logit|) ≤ 1 and
# sums of what has one sign, so that nothing overflows or cancels however sure the network is.


@op(pointwise=True, logit=lambda g, logit, out: -g * out * np.tanh(logit / 2))
def logistic_density(logit: Any) -> Any:
    """sigmoid(x) * sigmoid(-x), the slope of the sigmoid."""
    small = np.exp(-np.abs(logit))
    return small / np.square(1 + small)


@op(pointwise=True, logit=lambda g, logit: g * logistic_density(logit), target=lambda g: -g)
def logistic_surplus(logit: Any, target: Any) -> Any:
    """sigmoid(logit) - target."""
    small = np.exp(-np.abs(logit))
    missing = np.where(logit > 0, 1 - target, target) - small / (1 + small)
    return np.where(logit > 0, missing, -missing)


@op(
    pointwise=True,
    logit=lambda g, logit, target: g * logistic_surplus(logit, target),
    target=lambda g, logit: -g * logit,
)
def logistic_loss(logit: Any, target: Any) -> Any:
    """-(t log p + (1 - t) log(1 - p)) at p = sigmoid(logit); its limits at ±inf."""
    size = np.abs(logit)
    wrong = np.where(logit > 0, 1 - target, target)
    return wrong * np.where(wrong == 0, 0, size) + np.log1p(np.exp(-size))


# ---- what may be given --------------------------------------------------------------------------


def _operands(loss: str, prediction: Any, target: Any) -> tuple[Any, Any]:
    """Both with a shape; what is a list of numbers comes to where the prediction is."""
    for role, value in (("prediction", prediction), ("target", target)):
        if value is None:
            raise DTypeError(f"{loss}: the {role} is None; expected a Tensor or an array")
    prediction = prediction if hasattr(prediction, "shape") else np.asarray(prediction)
    home = getattr(prediction, "device", "cpu")
    return prediction, target if hasattr(target, "shape") else ac.asarray(target, device=home)


def _real_operands(loss: str, prediction: Any, target: Any) -> tuple[Any, Any]:
    """As above for the losses of probabilities: real, and a prediction of a floating dtype."""
    prediction, target = _operands(loss, prediction, target)
    for role, value in (("prediction", prediction), ("target", target)):
        if value.dtype.kind == "c":
            raise DTypeError(
                f"{loss} is a loss of real numbers; the {role} has dtype {value.dtype}. Take "
                "ac.real(x) or ac.absolute(x) of it first"
            )
    if prediction.dtype.kind != "f":
        prediction = prediction.astype(np.float64)
    return prediction, target


def _check_probabilities(loss: str, role: str, values: Any, hint: str) -> None:
    """Refuse values outside [0, 1], by more than what rounding makes of a sum of probabilities."""
    array = values.data if isinstance(values, Tensor) else values
    if array.dtype.kind == "b" or not readable(array):
        return
    slack = 4 * float(np.finfo(array.dtype).eps) if array.dtype.kind == "f" else 0
    outside = (array < -slack) | (array > 1 + slack)
    if outside.any():
        raise AutogradError(
            f"{loss}: the {role} must be in [0, 1]; {int(outside.sum())} of {array.size} values "
            f"are not, the first is {array[outside].ravel()[0]!s}. {hint}"
        )


def _check_shapes(loss: str, prediction: Any, target: Any) -> None:
    """Refuse two shapes: broadcasting (n, 1) and (n,) to (n, n) hides a mistake."""
    shape, given = prediction.shape, target.shape
    if shape == given:
        return
    hint = ""
    if [n for n in shape if n != 1] == [n for n in given if n != 1]:
        hint = f". Write target.reshape({_text(shape)}) or prediction.reshape({_text(given)})"
    elif given == shape[:-1] and target.dtype.kind in "iu":
        hint = f". Write one-hot labels: nn.one_hot(target, {shape[-1]})"
    raise ShapeError(
        f"{loss}: prediction and target must have one shape; they have {shape} and {given}{hint}"
    )


def _text(shape: tuple[int, ...]) -> str:
    return str(shape[0]) if len(shape) == 1 else str(shape)


# ---- losses -------------------------------------------------------------------------------------


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


def _total(losses: Any, scale: float) -> Tensor:
    """scale * sum(losses), summed in float32 where they are float16."""
    if losses.dtype.char != "e":
        return ac.sum(losses) * scale
    return (ac.sum(losses, dtype=np.float32) * scale).astype(np.float16)


class MSE(_Loss):
    """The squared error, |prediction - target|², which is real for complex numbers too.

    ``reduction="mean"`` is the mean over all elements; the lecture's network trains on ``"batch"``:
    summed over the outputs, averaged over the batch. Shapes: both the same.
    """

    def forward(self, prediction: Any, target: Any) -> Tensor:
        """The loss, shape ()."""
        prediction, target = _operands("MSE", prediction, target)
        if prediction.dtype.kind not in "fc":  # of which a difference may wrap around
            prediction = prediction.astype(np.float64)
        shape = prediction.shape
        if target.shape != shape:
            _check_shapes("MSE", prediction, target)
        return squared_error(prediction, target, self.scale(shape))


class BinaryCrossEntropy(_Loss):
    """-(t log p + (1 - t) log(1 - p)), the negative log likelihood of independent yes-no outputs.

    `prediction` holds probabilities, or with `from_logits` the numbers before the sigmoid, which is
    exact where a probability would round to 0 or 1, with its limits at ±inf. `target` holds
    probabilities, or labels 0 and 1. At probabilities of 0 and 1 the loss is finite and its slope
    that at the smallest number that the dtype can tell from 1. Shapes: both the same.
    """

    def __init__(self, reduction: str = "mean", *, from_logits: bool = False) -> None:
        super().__init__(reduction)
        self.from_logits = from_logits

    def forward(self, prediction: Any, target: Any) -> Tensor:
        """The loss, shape ()."""
        name = "BinaryCrossEntropy"
        prediction, target = _real_operands(name, prediction, target)
        _check_shapes(name, prediction, target)
        scale = self.scale(prediction.shape)
        _check_probabilities(name, "target", target, "Labels are 0 and 1")
        if target.dtype.kind != "f":
            target = target.astype(prediction.dtype)
        if self.from_logits:
            return _total(logistic_loss(prediction, target), scale)
        _check_probabilities(name, "prediction", prediction, _LOGITS.format(name))
        yes, no = log_of_probability(prediction), log_of_probability(1 - prediction)
        return _total(-(target * yes + (1 - target) * no), scale)


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
        name = "CrossEntropy"
        prediction, target = _real_operands(name, prediction, target)
        target = _rows_of(prediction, target)
        scale = self.scale(prediction.shape[:-1])
        _check_probabilities(name, "target", target, "Its rows are one-hot or probabilities")
        if self.from_logits:
            logarithms = ac.log_softmax(prediction)
            # a class that is ruled out by a logit of -inf, and is not the target's: 0 * -inf is 0
            logarithms = ac.where((target == 0) & ac.isinf(logarithms), 0, logarithms)
        else:
            _check_probabilities(name, "prediction", prediction, _LOGITS.format(name))
            logarithms = log_of_probability(prediction)
        return _total(target * logarithms, -scale)


def _rows_of(prediction: Any, target: Any) -> Any:
    """The target as rows of the prediction's shape, in a floating dtype."""
    if not prediction.shape:
        raise ShapeError("CrossEntropy: the prediction has no axis of classes, its shape is ()")
    *examples, classes = prediction.shape
    if target.shape == tuple(examples) and (classes > 1 or target.dtype.kind in "iu"):
        if target.dtype.kind not in "iu":
            raise DTypeError(
                f"CrossEntropy: class labels are integers; these are {target.dtype}: "
                f"labels.astype(int), or rows of probabilities of shape {prediction.shape}"
            )
        return one_hot(target, classes, dtype=prediction.dtype)
    if target.shape == (*examples, 1) != prediction.shape:
        raise ShapeError(
            f"CrossEntropy: class labels have shape {tuple(examples)} for a prediction of shape "
            f"{prediction.shape}; these have {target.shape}. Write "
            f"target.reshape({_text(tuple(examples))})"
        )
    _check_shapes("CrossEntropy", prediction, target)
    return target if target.dtype.kind == "f" else target.astype(prediction.dtype)


def l2_penalty(parameters: list[Parameter], strength: float) -> Any:
    """The lecture's λΩ(θ) with Ω = sum of all |w|² of the weights; biases (one axis) are left
    alone."""
    squares = [ac.sum(_square(w)) for w in parameters if w.ndim > 1]
    return sum((strength * each for each in squares[1:]), strength * squares[0]) if squares else 0.0


def _square(w: Tensor) -> Any:
    """|w|²."""
    return ac.square(w) if w.dtype.kind != "c" else ac.real(w * ac.conjugate(w))
