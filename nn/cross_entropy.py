"""The losses of one class among many, with PyTorch's names, signatures and semantics."""

from __future__ import annotations

import math
from operator import index
from typing import Any

import numpy as np

import autograd_core as ac
from autograd_core import Tensor
from autograd_core.devices import backend
from autograd_core.errors import ArgumentError, DTypeError, ShapeError
from autograd_core.errors.tracebacks import public
from nn.data.labels import check_labels
from nn.losses import (
    Loss,
    check_probabilities,
    checked_weight,
    kind_of,
    real_operands,
    shape_text,
    weight_like,
)

__all__ = ["CrossEntropyLoss", "NLLLoss"]


class NLLLoss(Loss):
    """The negative log likelihood of one class among many, -w log p.

    p is the probability of the target's class, w the weight of the class. The input contains
    log-probabilities, as from `LogSoftmax`, with the classes on axis 1. The target contains class
    indices.

    Shapes: input (classes,), (n, classes) or (n, classes, d1, d2, …), target (), (n,) or
    (n, d1, d2, …) → (), or the target's with ``reduction="none"``.

    Parameters
    ----------
    weight : array_like, optional
        The factors w, one number for each class.
    ignore_index : int, default -100
        Targets that are equal to it contribute nothing.
    reduction : str, default 'mean'
        How the losses of the examples are combined: ``"mean"``, ``"sum"``, ``"none"``, or
        ``"batch"``, the sum over all axes but the first and the mean over the first.

    Raises
    ------
    ArgumentError
        If `reduction` is another string. In a call, if a class index is not in [0, classes).
    DTypeError
        If `weight` is complex or a string. In a call, if an operand is None or complex, or if class
        indices are not integers.
    ShapeError
        In a call, if the shapes do not match, the weights are not as many as the classes, or there
        is no example to take the mean of.

    Notes
    -----
    For the mean, the sum of the losses is divided by the sum of the weights of the targets. If all
    targets are ignored, the mean is nan.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> logarithms = np.log([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]])
    >>> nn.NLLLoss(reduction="none")(logarithms, np.array([0, 1]))
    array([0.35667494, 0.22314355])
    """

    @public
    def __init__(
        self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        self.weight = checked_weight(weight)
        self.ignore_index = index(ignore_index)

    def forward(self, input: Any, target: Any) -> Tensor:
        """The loss. Its shape is (), or the shape of the target with ``reduction="none"``."""
        input, target = real_operands(self, input, target)
        axis = self.class_axis(input)
        self.check_indices(input, target, axis)
        weight = self.class_weights(input, axis)
        return self.likelihood(input, target, weight, axis, 0.0)

    def class_axis(self, input: Any) -> int:
        """Axis 1, or axis 0 for a single example."""
        if not input.shape:
            raise ShapeError(f"{kind_of(self)}: the input has shape (), so no axis of classes")
        axis = 1 if input.ndim > 1 else 0
        if not input.shape[axis]:
            raise ShapeError(f"{kind_of(self)}: the input has shape {input.shape}, so no classes")
        return axis

    def class_weights(self, input: Any, axis: int) -> Any:
        """The weights of the classes in a shape that broadcasts with the input, or None."""
        if self.weight is None:
            return None
        weight, classes = weight_like(self.weight, input), input.shape[axis]
        if weight.shape != (classes,):
            raise ShapeError(
                f"{kind_of(self)}: weight has shape {weight.shape}; expected ({classes},), one "
                "number for each class"
            )
        return weight.reshape((classes,) + (1,) * (input.ndim - axis - 1))

    def check_indices(self, input: Any, target: Any, axis: int) -> None:
        """Raise an error unless the target holds one class index for each example."""
        expected = input.shape[:axis] + input.shape[axis + 1 :]
        if target.shape != expected:
            hint = ""
            if [n for n in target.shape if n != 1] == [n for n in expected if n != 1]:
                hint = f". Write target.reshape({shape_text(expected)})"
            elif target.shape == input.shape[:-1]:
                hint = ". The classes are on axis 1: write ac.moveaxis(input, -1, 1)"
            raise ShapeError(
                f"{kind_of(self)}: class indices have shape {expected} for an input of shape "
                f"{input.shape}; these have {target.shape}{hint}"
            )
        if target.dtype.kind not in "iu":
            raise DTypeError(
                f"{kind_of(self)}: class indices are integers; these are {target.dtype}: "
                f"target.astype(int), or probabilities of shape {input.shape}"
            )

    def likelihood(
        self, logarithms: Any, indices: Any, weight: Any, axis: int, smoothing: float
    ) -> Tensor:
        """The loss for class indices. With `smoothing` s, the target's class has the probability
        1 - s + s / classes, and each other class s / classes."""
        classes, kept, shares = logarithms.shape[axis], self._kept(indices), None
        if kept is not None:
            indices = ac.where(kept, indices, 0)
        check_labels(indices, classes)
        rows = ac.expand_dims(indices, axis)
        losses = -ac.take_along_axis(logarithms, rows, axis)
        if weight is not None:
            shares = ac.take_along_axis(ac.broadcast_to(weight, logarithms.shape), rows, axis)
            losses, logarithms = shares * losses, weight * logarithms
            shares = ac.squeeze(shares, axis)
        if smoothing:
            spread = ac.sum(logarithms, axis, keepdims=True) * (-smoothing / classes)
            losses = (1 - smoothing) * losses + spread
        losses = ac.squeeze(losses, axis)
        if kept is not None:
            losses = ac.where(kept, losses, 0)
            shares = ac.where(kept, ac.ones_like(losses) if shares is None else shares, 0)
        if shares is None or self.reduction != "mean":
            return self.reduced(losses)
        self.scale(losses.shape)  # raises an error for no examples
        dtype = np.float32 if losses.dtype.char == "e" else losses.dtype
        mean = ac.sum(losses, dtype=dtype) / ac.sum(shares, dtype=dtype)
        return mean.astype(losses.dtype)

    def _kept(self, indices: Any) -> Any:
        """The mask of the indices that are not `ignore_index`. None if there are no indices, or if
        the mask of a host array is true everywhere."""
        array = indices.data if isinstance(indices, Tensor) else indices
        if not math.prod(array.shape):
            return None
        kept = array != self.ignore_index
        return None if backend.on_host(array) and kept.all() else kept


class CrossEntropyLoss(NLLLoss):
    """The cross-entropy of logits and a class or a distribution, -sum(w t log softmax(input)).

    The sum is that over the classes, which are on axis 1 of the input. The target t contains class
    indices, as in `NLLLoss`, or probabilities in the shape of the input, such as one-hot labels.

    Shapes: input (classes,), (n, classes) or (n, classes, d1, d2, …), target (), (n,) or
    (n, d1, d2, …) class indices, or probabilities of the input's shape → (), or with
    ``reduction="none"`` the shape of the input without the axis of the classes.

    Parameters
    ----------
    weight : array_like, optional
        The factors w, one number for each class.
    ignore_index : int, default -100
        Class indices that are equal to it contribute nothing.
    reduction : str, default 'mean'
        How the losses of the examples are combined, as in `NLLLoss`.
    label_smoothing : float, default 0.0
        A number s in [0, 1]: t is replaced by (1 - s) t + s / classes.

    Raises
    ------
    ArgumentError
        If `reduction` is another string, or `label_smoothing` is not in [0, 1]. In a call, if a
        class index or probability is out of range, or for probabilities with an `ignore_index` of 0
        or more.
    DTypeError
        If `weight` is complex or a string. In a call, if an operand is None or complex, or if class
        indices are not integers.
    ShapeError
        In a call, if the shapes do not match, the weights are not as many as the classes, or there
        is no example to take the mean of.

    Notes
    -----
    For class indices, the mean is that of `NLLLoss`. For probabilities, the mean is taken over all
    axes except the axis of the classes.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> logits = np.array([[2.0, 0.0, 1.0], [0.0, 3.0, 0.0]])
    >>> nn.CrossEntropyLoss(reduction="none")(logits, np.array([0, 2]))
    array([0.40760596, 3.09492296])
    >>> nn.CrossEntropyLoss(reduction="none")(logits, np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]))
    array([0.40760596, 3.09492296])
    """

    @public
    def __init__(
        self,
        weight: Any = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, ignore_index=ignore_index, reduction=reduction)
        if not 0 <= label_smoothing <= 1:
            raise ArgumentError(f"label_smoothing must be in [0, 1], not {label_smoothing}")
        self.label_smoothing = label_smoothing

    def forward(self, input: Any, target: Any) -> Tensor:
        """The loss. Its shape is (), or with ``reduction="none"`` the shape of the input without
        the axis of the classes."""
        input, target = real_operands(self, input, target)
        axis, smoothing = self.class_axis(input), self.label_smoothing
        weight = self.class_weights(input, axis)
        if target.shape != input.shape:
            self.check_indices(input, target, axis)
            return self.likelihood(ac.log_softmax(input, axis), target, weight, axis, smoothing)
        if self.ignore_index >= 0:
            raise ArgumentError(
                "CrossEntropyLoss: ignore_index is for class indices; the target holds "
                "probabilities. Set the rows to ignore to 0"
            )
        check_probabilities(self, "target", target, "It holds one-hot labels or probabilities")
        if target.dtype.kind != "f":
            target = target.astype(input.dtype)
        if smoothing:
            target = (1 - smoothing) * target + smoothing / input.shape[axis]
        logarithms = ac.log_softmax(input, axis)
        # a class with a logit of -inf and a target of 0 contributes 0, not 0 * -inf
        logarithms = ac.where((target == 0) & ac.isinf(logarithms), 0, logarithms)
        terms = target * logarithms
        return self.reduced(-ac.sum(terms if weight is None else weight * terms, axis))
