"""Losses, with PyTorch's names, signatures and semantics. Each is called with (input, target).

`reduction` selects how the losses of the elements are combined: ``"mean"``, ``"sum"``, ``"none"``
(no reduction) or ``"batch"``, the sum over all axes except the first and the mean over the first
axis, the batch. PyTorch does not have ``"batch"``.

The losses raise ShapeError for shapes that do not match; DTypeError for None, for complex numbers
where real numbers are required, and for class indices that are not integers; and ArgumentError for
probabilities outside [0, 1] by more than round-off. On a device, values are checked only inside
`detect_anomaly`, because reading them requires a synchronization. For NaN the loss is NaN.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd_core as ac
from autograd_core import Tensor, op
from autograd_core.errors import ArgumentError, DTypeError, ShapeError
from autograd_core.errors.tracebacks import public
from nn.data.labels import readable
from nn.describing import like
from nn.module import Buffer, Module, Parameter

__all__ = [
    "MSE",
    "BCELoss",
    "BCEWithLogitsLoss",
    "MSELoss",
    "l2_penalty",
]

REDUCTIONS = ("mean", "sum", "none", "batch")
LOWEST_LOG = -100.0  # the value of log(0) in BCELoss, as in PyTorch

# ---- operations ---------------------------------------------------------------------------------


def _difference(g: Any, prediction: Any, target: Any, scale: float) -> Any:
    weight = (g * (2 * scale)).reshape(g.shape + (1,) * prediction.ndim)
    return weight * (prediction - target).conj()


@op(
    prediction=_difference,
    target=lambda g, prediction, target, scale: _difference(-g, prediction, target, scale),
)
def squared_error(prediction: Any, target: Any, scale: float) -> Any:
    """scale * sum(|prediction - target| ** 2), for operands of the same shape. It is one operation,
    because several would take a tenth of the time of a training step of a small network."""
    difference = (prediction - target).ravel()
    if difference.dtype.char == "e":  # a sum in float16 easily exceeds 65,504
        difference = difference.astype(np.float32)
        return (np.dot(difference, difference) * scale).astype(np.float16)
    return np.vdot(difference, difference).real * scale


def _slope_of_log(g: Any, x: Any) -> Any:
    limits = np.finfo(x.dtype)
    return g / np.where(x <= 0, float(limits.epsneg), np.maximum(x, float(limits.tiny)))


@op(pointwise=True, x=_slope_of_log)
def log_of_probability(x: Any) -> Any:
    """max(log(x), -100) for probabilities x. The derivative at 0 is large, not 0, so that a network
    can still learn if it assigns the probability 0 to the right class."""
    positive = np.where(x <= 0, 1, x)
    return np.where(x <= 0, LOWEST_LOG, np.maximum(np.log(positive), LOWEST_LOG))


# The binary cross entropy of a logit and its derivatives. The formulas contain only exp(-|logit|),
# which is at most 1, and sums of terms of the same sign, so that nothing overflows or cancels.


@op(pointwise=True, logit=lambda g, logit, out: -g * out * np.tanh(logit / 2))
def logistic_density(logit: Any) -> Any:
    """sigmoid(x) * sigmoid(-x), the derivative of the sigmoid."""
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
    """-(t log p + (1 - t) log(1 - p)) for p = sigmoid(logit). At ±inf it is the limit."""
    size = np.abs(logit)
    wrong = np.where(logit > 0, 1 - target, target)
    return wrong * np.where(wrong == 0, 0, size) + np.log1p(np.exp(-size))


# ---- checks of the operands ---------------------------------------------------------------------


def _operands(loss: Module, input: Any, target: Any) -> tuple[Any, Any]:
    """`input` and `target` as Tensors or arrays. A list becomes an array on the input's device."""
    for role, value in (("input", input), ("target", target)):
        if value is None:
            raise DTypeError(f"{kind_of(loss)}: the {role} is None; expected a Tensor or an array")
    input = input if hasattr(input, "shape") else np.asarray(input)
    home = getattr(input, "device", "cpu")
    if not hasattr(target, "shape"):
        plain = isinstance(input, np.ndarray | np.generic)
        target = np.asarray(target) if plain else ac.asarray(target, device=home)
    return input, target


def real_operands(loss: Module, input: Any, target: Any) -> tuple[Any, Any]:
    """`input` and `target` as Tensors or arrays, for losses of probabilities: `input` is converted
    to a floating dtype, and complex numbers raise DTypeError."""
    input, target = _operands(loss, input, target)
    for role, value in (("input", input), ("target", target)):
        if value.dtype.kind == "c":
            raise DTypeError(
                f"{kind_of(loss)} is a loss of real numbers; the {role} has dtype {value.dtype}. "
                "Pass ac.real(x) or ac.absolute(x)"
            )
    if input.dtype.kind != "f":
        input = input.astype(np.float64)
    return input, target


def check_probabilities(loss: Module, role: str, values: Any, hint: str) -> None:
    """Raise ArgumentError if a value is outside [0, 1] by more than round-off (4 eps)."""
    array = values.data if isinstance(values, Tensor) else values
    if array.dtype.kind == "b" or not readable(array):
        return
    slack = 4 * float(np.finfo(array.dtype).eps) if array.dtype.kind == "f" else 0
    outside = (array < -slack) | (array > 1 + slack)
    if outside.any():
        raise ArgumentError(
            f"{kind_of(loss)}: the {role} must be in [0, 1]; {int(outside.sum())} of {array.size} "
            f"values are not, the first is {array[outside].ravel()[0]!s}. {hint}"
        )


def check_shapes(loss: Module, input: Any, target: Any) -> None:
    """Raise ShapeError if the shapes differ. Broadcasting, as of (n, 1) and (n,) to (n, n), would
    hide a mistake."""
    shape, given = input.shape, target.shape
    if shape == given:
        return
    hint = ""
    if [n for n in shape if n != 1] == [n for n in given if n != 1]:
        hint = f". Write target.reshape({shape_text(shape)}) or input.reshape({shape_text(given)})"
    elif given == shape[:-1] and target.dtype.kind in "iu":
        hint = f". Write one-hot labels: nn.one_hot(target, {shape[-1]})"
    raise ShapeError(
        f"{kind_of(loss)}: input and target must have the same shape; they have {shape} and "
        f"{given}{hint}"
    )


def shape_text(shape: tuple[int, ...]) -> str:
    return str(shape[0]) if len(shape) == 1 else str(shape)


def kind_of(loss: Module) -> str:
    return type(loss).__name__


def weight_like(weight: Any, like: Any) -> Any:
    """A weight with the dtype of `like`, on the device of `like`."""
    weight = ac.asarray(weight, dtype=like.dtype)
    return weight.to(getattr(like, "device", "cpu"))


# ---- losses -------------------------------------------------------------------------------------


class Loss(Module):
    """The base class of losses.

    Parameters
    ----------
    reduction : str, default 'mean'
        How the losses of the elements are combined: ``"mean"``, ``"sum"``, ``"none"``, or
        ``"batch"``, the sum over all axes but the first and the mean over the first.

    Raises
    ------
    ArgumentError
        If `reduction` is another string.
    ShapeError
        In a call, if the shapes do not match, or if there is no example to take the mean of.
    DTypeError
        In a call, if an operand is None or complex.
    """

    def __init__(self, reduction: str = "mean") -> None:
        if reduction not in REDUCTIONS:
            raise ArgumentError(f"reduction is one of {REDUCTIONS}, not {reduction!r}")
        self.reduction = reduction

    def scale(self, shape: tuple[int, ...]) -> float:
        """The factor by which the sum over all elements is multiplied."""
        if self.reduction == "sum":
            return 1.0
        if not math.prod(shape) or (self.reduction == "batch" and not shape):
            raise ShapeError(
                f"{kind_of(self)}: losses of shape {shape} cannot be reduced by "
                f"{self.reduction!r}: the first axis is the batch and needs at least one example"
            )
        return 1 / (math.prod(shape) if self.reduction == "mean" else shape[0])

    def reduced(self, losses: Any) -> Tensor:
        """The losses of the elements, combined by `reduction`. float16 is summed in float32."""
        if self.reduction == "none":
            return losses  # type: ignore[no-any-return]
        scale = self.scale(losses.shape)
        if losses.dtype.char != "e":
            return ac.sum(losses) * scale
        return (ac.sum(losses, dtype=np.float32) * scale).astype(np.float16)

    def describe(self) -> str:
        """The reduction."""
        return f"reduction={self.reduction!r}"


@like(Loss)
class MSE(Loss):
    """The squared error |input - target|², also for complex numbers.

    `MSELoss` is the same class.

    Shapes: input (…), target (…) → (), or (…) with ``reduction="none"``.

    Raises
    ------
    ArgumentError
        If `reduction` is another string.
    ShapeError
        In a call, if the shapes differ, or if there is no example to take the mean of.
    DTypeError
        In a call, if an operand is None.

    Notes
    -----
    ``reduction="mean"`` is the mean over all elements; ``"batch"``, with which the lecture's
    network is trained, is the sum over the outputs and the mean over the batch. PyTorch does not
    have ``"batch"``.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> outputs, targets = np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([[1.0, 4.0], [3.0, 3.0]])
    >>> nn.MSE()(outputs, targets)
    np.float64(2.0)
    >>> nn.MSE("batch")(outputs, targets)
    np.float64(4.0)
    """

    @public
    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, input: Any, target: Any) -> Tensor:
        """The loss: shape (), or the operands' with ``reduction="none"``."""
        input, target = _operands(self, input, target)
        if input.dtype.kind not in "fc":  # a difference of integers may wrap around
            input = input.astype(np.float64)
        if target.shape != input.shape:
            check_shapes(self, input, target)
        if self.reduction == "none":
            return _square(input - target)  # type: ignore[no-any-return]
        return squared_error(input, target, self.scale(input.shape))


MSELoss = MSE


class BCELoss(Loss):
    """The negative log likelihood of independent binary outputs, -w (t log p + (1 - t) log(1 - p)).

    The input p contains probabilities; the target t contains probabilities or the labels 0 and 1.

    Shapes: input (…), target (…) → (), or (…) with ``reduction="none"``.

    Parameters
    ----------
    weight : array_like, optional
        The factor w, an array that broadcasts with the input.
    reduction : str, default 'mean'
        How the losses of the elements are combined: ``"mean"``, ``"sum"``, ``"none"``, or
        ``"batch"``, the sum over all axes but the first and the mean over the first.

    Raises
    ------
    ArgumentError
        If `reduction` is another string. In a call, if the input or the target is outside [0, 1].
    DTypeError
        If a weight is complex or a string. In a call, if an operand is None or complex.
    ShapeError
        In a call, if the shapes differ, a weight does not broadcast, or there is no example to take
        the mean of.

    See Also
    --------
    BCEWithLogitsLoss : Accurate for large logits, whose probabilities would round to 0 or 1.

    Notes
    -----
    Logarithms below -100 are replaced by -100, as in PyTorch. At p = 0 and p = 1, where the
    derivative of a logarithm is infinite, it is taken at the dtype's smallest distance from 1
    instead.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.BCELoss(reduction="none")(np.array([0.9, 0.2]), np.array([1, 0]))
    array([0.10536052, 0.22314355])
    """

    @public
    def __init__(self, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.weight = checked_weight(weight)

    def losses(self, input: Any, target: Any) -> Any:
        """The losses of the elements, before `weight`."""
        check_probabilities(self, "input", input, "For logits use nn.BCEWithLogitsLoss()")
        positive, negative = log_of_probability(input), log_of_probability(1 - input)
        return -(target * positive + (1 - target) * negative)

    def forward(self, input: Any, target: Any) -> Tensor:
        """The loss: shape (), or the operands' with ``reduction="none"``."""
        input, target = real_operands(self, input, target)
        check_shapes(self, input, target)
        check_probabilities(self, "target", target, "Labels are 0 and 1")
        if target.dtype.kind != "f":
            target = target.astype(input.dtype)
        losses = self.losses(input, target)
        if self.weight is not None:
            losses = losses * weight_like(self.weight, losses)
        return self.reduced(losses)


class BCEWithLogitsLoss(BCELoss):
    """`BCELoss` for p = sigmoid(input), accurate for every logit.

    Shapes: input (…), target (…) → (), or (…) with ``reduction="none"``.

    Parameters
    ----------
    weight : array_like, optional
        A factor of the losses, an array that broadcasts with the input.
    reduction : str, default 'mean'
        How the losses of the elements are combined, as in `BCELoss`.
    pos_weight : float or array_like, optional
        The factor of the term of the positive labels: a number, or an array with a number for each
        class (the last axis).

    Raises
    ------
    ArgumentError
        If `reduction` is another string. In a call, if the target is outside [0, 1].
    DTypeError
        If a weight is complex or a string. In a call, if an operand is None or complex.
    ShapeError
        In a call, if the shapes differ, a weight does not broadcast, or there is no example to take
        the mean of.

    Notes
    -----
    At ±inf it is the limit.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.BCEWithLogitsLoss(reduction="none")(np.array([2.0, -100.0]), np.array([1, 1]))
    array([  0.12692801, 100.        ])
    """

    @public
    def __init__(
        self, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None
    ) -> None:
        super().__init__(weight, reduction=reduction)
        self.pos_weight = checked_weight(pos_weight)

    def losses(self, input: Any, target: Any) -> Any:
        """The losses of the elements, before `weight`."""
        if self.pos_weight is None:
            return logistic_loss(input, target)
        weight = weight_like(self.pos_weight, input)
        negative = logistic_loss(input, ac.zeros_like(target))
        positive = logistic_loss(input, ac.ones_like(target))
        # a term of weight 0 contributes 0, not 0 * inf
        negative = ac.where(target == 1, 0, negative)
        positive = ac.where((target == 0) | (weight == 0), 0, positive)
        return (1 - target) * negative + weight * target * positive


def checked_weight(weight: Any) -> Any:
    """A weight as a buffer, which is in the state and moves with the loss."""
    if isinstance(weight, str):
        raise DTypeError(f"weight is an array of numbers, not a str: write reduction={weight!r}")
    if np.iscomplexobj(weight):
        raise DTypeError("weight is an array of real numbers, not of complex ones")
    if weight is None or (isinstance(weight, Tensor) and weight.requires_grad):
        return weight
    return Buffer(weight.detach() if isinstance(weight, Tensor) else weight)


def l2_penalty(parameters: list[Parameter], strength: float) -> Any:
    """The penalty of large weights: `strength` times the sum of |w|² over the weights.

    Parameters
    ----------
    parameters : list of Parameter
        The parameters of a model. Those with fewer than two axes, such as biases, are left out.
    strength : float
        The factor λ.

    Returns
    -------
    Tensor or float
        The penalty; 0.0 if there are no weights.

    Notes
    -----
    It is the lecture's λΩ(θ).

    Examples
    --------
    >>> import nn
    >>> model = nn.Linear(2, 1, generator=0)
    >>> _ = nn.init.constant_(model.weight, 3.0)
    >>> nn.l2_penalty(model.parameters(), 0.1)
    Tensor(1.8, op=multiply)
    """
    squares = [ac.sum(_square(w)) for w in parameters if w.ndim > 1]
    return sum((strength * each for each in squares[1:]), strength * squares[0]) if squares else 0.0


def _square(w: Any) -> Any:
    """|w|²."""
    return ac.square(w) if w.dtype.kind != "c" else ac.real(w * ac.conjugate(w))
