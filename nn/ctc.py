"""Connectionist temporal classification: a loss for sequences that are not aligned."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_core as ac
from autograd_core.errors import ArgumentError, DTypeError, ShapeError
from autograd_core.errors.tracebacks import public
from nn.losses import Loss, kind_of
from nn.module import host_array

__all__ = ["CTCLoss"]

IMPOSSIBLE = -1e30  # the logarithm of 0: finite, so that no gradient is NaN


class CTCLoss(Loss):
    """The negative log likelihood of a sequence of labels without an alignment to the input.

    It is the sum over all alignments with a longer sequence of predictions, which may repeat labels
    and have blanks between them. It is called with (log_probs, targets, input_lengths,
    target_lengths): the logarithms of the probabilities, as of `LogSoftmax`, the labels, and the
    lengths of the sequences.

    Shapes: log_probs (T, n, C) or (T, C), targets (n, S), or all sequences one after the other, and
    lengths (n,) → (), or (n,) with ``reduction="none"``.

    Parameters
    ----------
    blank : int, default 0
        The class of the blank.
    reduction : str, default 'mean'
        How the losses of the sequences are combined: ``"mean"``, ``"sum"``, ``"none"`` or
        ``"batch"``. ``"mean"`` divides each loss by the length of its target first, as in PyTorch.
    zero_infinity : bool, default False
        If true, the loss of a target that is too long is 0 instead of infinite.

    Raises
    ------
    ArgumentError
        If `reduction` is another string. In a call, if `blank` is not a class, a label is the blank
        or not a class, or a length is out of range.
    ShapeError
        In a call, if the shapes or the lengths do not match, or if there is no sequence.
    DTypeError
        In a call, if `log_probs` is None or complex, or if the targets are not integers.

    Notes
    -----
    The source is Graves et al., 2006, equations 6 to 8.

    The gradient is that of the formula. PyTorch's is the gradient by logits: it differs for
    probabilities that do not add up to 1.

    Examples
    --------
    A sequence of four steps and three classes:

    >>> import autograd_core as ac
    >>> import nn
    >>> log_probs = nn.LogSoftmax()(ac.zeros((4, 1, 3)))
    >>> nn.CTCLoss()(log_probs, [[1, 2]], [4], [2])
    Tensor(0.84319948)
    """

    @public
    def __init__(
        self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False
    ) -> None:
        super().__init__(reduction)
        self.blank, self.zero_infinity = blank, zero_infinity

    def forward(self, log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any) -> Any:
        """The loss: shape (), or (n,) with ``reduction="none"``."""
        single = log_probs.ndim == 2
        log_probs = log_probs[:, None] if single else log_probs
        steps, lengths, labels = self._checked(log_probs, targets, input_lengths, target_lengths)
        n, states = len(steps), 2 * labels.shape[1] + 1
        path = _between(np.full_like(labels, self.blank), labels)  # blank, label, …, label, blank
        differ = labels != np.concatenate([labels[:, :1], labels[:, :-1]], axis=1)
        jumps = _between(np.zeros_like(differ), differ)  # from one label to the next
        home, dtype = log_probs.device, log_probs.dtype
        jump, limit, ends = (
            ac.asarray(x, device=home) for x in (jumps, steps[:, None], 2 * lengths[:, None])
        )
        everywhere = np.broadcast_to(path, (len(log_probs), n, states))
        emitted = ac.take_along_axis(log_probs, ac.asarray(everywhere, device=home), axis=2)
        never = ac.full_like(emitted[0], IMPOSSIBLE)
        alpha = ac.concatenate([emitted[0, :, :2], never[:, 2:]], axis=1)
        for t in range(1, len(log_probs)):
            padded = ac.concatenate([never[:, :2], alpha], axis=1)
            before = ac.logaddexp(alpha, padded[:, 1:-1])
            before = ac.logaddexp(before, ac.where(jump, padded[:, :-2], IMPOSSIBLE))
            alpha = ac.where(limit > t, before + emitted[t], alpha)
        last = ac.take_along_axis(alpha, ends, axis=1)
        label = ac.take_along_axis(alpha, ac.maximum(ends - 1, 0), axis=1)
        total = ac.logaddexp(last, ac.where(ends > 0, label, IMPOSSIBLE))[:, 0]
        possible = total > IMPOSSIBLE / 2
        lost = 0.0 if self.zero_infinity else np.inf
        losses = ac.where(possible, -total, lost).astype(dtype)
        if self.reduction == "mean":
            return ac.mean(losses / ac.asarray(np.maximum(lengths, 1).astype(dtype), device=home))
        return self.reduced(losses[0] if single and self.reduction == "none" else losses)

    def _checked(self, log_probs: Any, targets: Any, inputs: Any, lengths: Any) -> tuple[Any, ...]:
        """The lengths of the inputs and of the targets, and the targets as (n, S), on the host."""
        if log_probs.ndim != 3:
            raise ShapeError(
                f"{kind_of(self)}: log_probs have shape (T, n, C) or (T, C), not {log_probs.shape}"
            )
        length, n, classes = log_probs.shape
        targets, inputs, lengths = (host_array(x) for x in (targets, inputs, lengths))
        inputs, lengths = (np.atleast_1d(x) for x in (inputs, lengths))
        if targets.dtype.kind not in "iu":
            raise DTypeError(f"{kind_of(self)}: targets must be integers, not {targets.dtype}")
        if not 0 <= self.blank < classes:
            raise ArgumentError(
                f"{kind_of(self)}: blank must be in [0, {classes}), not {self.blank}"
            )
        if inputs.shape != (n,) or lengths.shape != (n,):
            raise ShapeError(
                f"{kind_of(self)}: expects {n} lengths, input_lengths has shape {inputs.shape}, "
                f"target_lengths {lengths.shape}"
            )
        if n == 0:
            raise ShapeError(f"{kind_of(self)}: at least one example is needed")
        if inputs.min() < 1 or inputs.max() > length or lengths.min() < 0:
            raise ArgumentError(
                f"{kind_of(self)}: input_lengths must be in [1, {length}] and target_lengths at "
                f"least 0, not {inputs.tolist()} and {lengths.tolist()}"
            )
        if targets.ndim == 1 and (n > 1 or targets.size == lengths.sum()):
            if targets.size != lengths.sum():
                raise ShapeError(
                    f"{kind_of(self)}: {targets.size} targets, but target_lengths add up to "
                    f"{lengths.sum()}"
                )
            parts = np.split(targets, np.cumsum(lengths)[:-1])
            targets = np.full((n, max(lengths.max(), 1)), self.blank)
            for row, part in zip(targets, parts, strict=True):
                row[: part.size] = part
        targets = np.atleast_2d(targets)
        if targets.shape[1] == 0:
            targets = np.full((len(targets), 1), self.blank)
        if targets.shape[0] != n or lengths.max() > targets.shape[1]:
            raise ShapeError(
                f"{kind_of(self)}: targets of shape {targets.shape} are not {n} sequences of the "
                f"lengths {lengths.tolist()}"
            )
        inside = np.arange(targets.shape[1]) < lengths[:, None]
        wrong = inside & ((targets < 0) | (targets >= classes) | (targets == self.blank))
        if wrong.any():
            raise ArgumentError(
                f"{kind_of(self)}: the label {targets[wrong][0]} is the blank or not in "
                f"[0, {classes})"
            )
        return inputs, lengths, np.where(inside, targets, self.blank)


def _between(blanks: Any, labels: Any) -> Any:
    """blank, label, blank, …, label, blank."""
    pairs = np.stack([blanks, labels], axis=2).reshape((len(labels), -1))
    return np.concatenate([pairs, blanks[:, :1]], axis=1)
