"""Metrics of outputs and targets, summed up batch by batch without waiting for a device."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_core import Tensor, no_grad
from autograd_core.devices import backend
from autograd_core.errors import ArgumentError, DTypeError, ShapeError
from autograd_core.errors.tracebacks import public
from nn.data.labels import check_labels
from nn.distributed.runs import summed
from nn.distributed.world import Group
from nn.module import Module

__all__ = ["F1", "Accuracy", "ConfusionMatrix", "Mean", "Metric", "Perplexity", "Precision",
           "Recall", "TopK", "evaluate"]  # fmt: skip


class Metric:
    """Base class: `update` adds a batch, `compute` returns the value of all batches since `reset`.

    A subclass defines `counts(outputs, targets)`, which returns an array to be summed up over the
    batches, and `result(total)`, which turns the sum, an array on the host, into the value. The sum
    stays on the device of the outputs until `compute` reads it.
    """

    name = "metric"

    def __init__(self) -> None:
        self.total: Any = None

    def counts(self, outputs: Any, targets: Any) -> Any:
        """The array of one batch; `outputs` and `targets` are arrays on one device."""
        raise NotImplementedError

    def result(self, total: Any) -> Any:
        """The value of all batches."""
        raise NotImplementedError

    def reset(self) -> None:
        """Forget all batches."""
        self.total = None

    @public
    def update(self, outputs: Any, targets: Any) -> None:
        """Add a batch of outputs and targets, Tensors or arrays."""
        given = outputs.data if isinstance(outputs, Tensor) else np.asarray(outputs)
        goal = targets.data if isinstance(targets, Tensor) else targets
        goal = goal if backend.is_array(goal) else np.asarray(goal)
        found = backend.run_there(given, self.counts, given, goal)
        self.total = (
            found if self.total is None else backend.run_there(found, np.add, self.total, found)
        )

    @public
    def compute(self) -> Any:
        """The value, a float or an array; nan without a batch."""
        if self.total is None:
            return math.nan
        return self.result(backend.asnumpy(self.total))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.compute()})"


def labels_of(targets: Any) -> Any:
    """Class numbers from class numbers (n, …) or from one-hot rows, floating-point (n, classes)."""
    if targets.dtype.kind in "iub":
        return targets
    if targets.ndim < 2:
        raise DTypeError(
            f"targets are class numbers (integers) or one-hot rows, not {targets.dtype} of shape "
            f"{targets.shape}"
        )
    return targets.argmax(axis=1)


def _checked(outputs: Any, targets: Any) -> tuple[Any, Any]:
    """Outputs (n, classes, …) and class numbers (n, …)."""
    if outputs.ndim > 1 and outputs.shape[1] == 1:
        raise ShapeError(
            "outputs with one column have no classes; for a yes or no write "
            "Mean(lambda outputs, targets: (outputs > 0) == (targets > 0.5))"
        )
    labels = labels_of(targets)
    if outputs.ndim < 2 or outputs.shape[:1] + outputs.shape[2:] != labels.shape:
        raise ShapeError(
            f"outputs have shape (n, classes, …), targets (n, …); these have {outputs.shape} and "
            f"{targets.shape}"
        )
    check_labels(labels, outputs.shape[1])
    return outputs, labels


class Accuracy(Metric):
    """The share of examples whose greatest output (n, classes, …) is that of the target: a class
    number, or a one-hot row."""

    name = "accuracy"

    def counts(self, outputs: Any, targets: Any) -> Any:
        """(correct, all)."""
        outputs, labels = _checked(outputs, targets)
        right = (outputs.argmax(axis=1) == labels).sum()
        return np.stack([right, right * 0 + labels.size])

    def result(self, total: Any) -> float:
        """Correct ÷ all."""
        return float(total[0] / total[1]) if total[1] else math.nan


class TopK(Metric):
    """The share of examples whose target is among the k greatest outputs (n, classes). Of equal
    outputs, the smaller class numbers count as the greater ones."""

    @public
    def __init__(self, k: int = 5) -> None:
        if k < 1:
            raise ArgumentError(f"TopK: k is a positive integer, not {k}")
        super().__init__()
        self.k, self.name = k, f"top-{k} accuracy"

    def counts(self, outputs: Any, targets: Any) -> Any:
        """(correct, all)."""
        outputs, labels = _checked(outputs, targets)
        column = labels[:, None]
        own = np.take_along_axis(outputs, column, axis=1)
        classes = backend.module_of(outputs).arange(outputs.shape[1])
        before = (outputs > own) | ((outputs == own) & (classes < column))
        right = (before.sum(axis=1) < self.k).sum()
        return np.stack([right, right * 0 + labels.size])

    result = Accuracy.result


class ConfusionMatrix(Metric):
    """How often each class (rows) was recognised as each class (columns): an array of integers
    (num_classes, num_classes)."""

    name = "confusion"

    @public
    def __init__(self, num_classes: int) -> None:
        if num_classes < 1:
            raise ArgumentError(f"num_classes is a positive integer, not {num_classes}")
        super().__init__()
        self.num_classes = num_classes

    def counts(self, outputs: Any, targets: Any) -> Any:
        """The matrix of a batch."""
        outputs, labels = _checked(outputs, targets)
        if outputs.shape[1] > self.num_classes:
            raise ShapeError(
                f"{type(self).__name__}: the outputs have {outputs.shape[1]} classes, not "
                f"{self.num_classes}"
            )
        size = self.num_classes
        places = labels.astype(np.int64).ravel() * size + outputs.argmax(axis=1).ravel()
        return np.bincount(places, minlength=size * size).reshape(size, size)

    def result(self, total: Any) -> Any:
        """The matrix."""
        return total


class Precision(ConfusionMatrix):
    """Of the examples that were recognised as a class, the share that is of it: the mean over the
    classes ("macro"), or with `average=None` an array of all. 0 for a class that is never
    recognised, as in scikit-learn with ``zero_division=0``."""

    name = "precision"

    @public
    def __init__(self, num_classes: int, average: str | None = "macro") -> None:
        if average not in ("macro", None):
            raise ArgumentError(f'average is "macro" or None, not {average!r}')
        super().__init__(num_classes)
        self.average = average

    def result(self, total: Any) -> Any:
        """The mean or the array."""
        values = self.of(np.diag(total), total.sum(axis=0), total.sum(axis=1))
        return float(values.mean()) if self.average else values

    def of(self, right: Any, found: Any, there: Any) -> Any:
        """The values from the numbers of right answers, of answers, and of examples."""
        return _ratio(right, found)


class Recall(Precision):
    """Of the examples of a class, the share that was recognised; see `Precision`."""

    name = "recall"

    def of(self, right: Any, found: Any, there: Any) -> Any:
        """The values from the numbers of right answers, of answers, and of examples."""
        return _ratio(right, there)


class F1(Precision):
    """The harmonic mean of precision and recall of a class; see `Precision`."""

    name = "F1"

    def of(self, right: Any, found: Any, there: Any) -> Any:
        """The values from the numbers of right answers, of answers, and of examples."""
        return _ratio(2 * right, found + there)


def _ratio(part: Any, whole: Any) -> Any:
    return np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)


class Mean(Metric):
    """The mean of the outputs of a function ``of(outputs, targets)``, which returns a number for
    each example, shape (n,), or of the outputs themselves."""

    name = "mean"

    def __init__(self, of: Any = None) -> None:
        super().__init__()
        self.of = of

    def counts(self, outputs: Any, targets: Any) -> Any:
        """(sum, number)."""
        values = outputs if self.of is None else self.of(outputs, targets)
        total = values.sum(dtype=np.float64)
        return np.stack([total, total * 0 + values.size])

    def result(self, total: Any) -> float:
        """Sum ÷ number."""
        return float(total[0] / total[1]) if total[1] else math.nan


class Perplexity(Mean):
    """The exponential of the mean cross-entropy of logits (n, classes, …) and class numbers."""

    name = "perplexity"

    def __init__(self) -> None:
        super().__init__(_cross_entropies)

    def result(self, total: Any) -> float:
        """exp(sum ÷ number)."""
        mean = super().result(total)
        return math.exp(mean) if mean < 709 else math.inf


def _cross_entropies(outputs: Any, targets: Any) -> Any:
    outputs, labels = _checked(outputs, targets)
    shifted = outputs.astype(np.float64) - outputs.max(axis=1, keepdims=True)
    logs = np.log(np.exp(shifted).sum(axis=1))
    return logs - np.take_along_axis(shifted, np.expand_dims(labels, 1), axis=1).squeeze(1)


@public
def evaluate(
    model: Module,
    loader: Any,
    loss: Any = None,
    metrics: Sequence[Metric] = (),
    *,
    group: Group | None = None,
) -> dict[str, Any]:
    """The mean loss over the examples of a loader, and the metrics, by name. The model is in
    evaluation mode meanwhile, and nothing is recorded. With a `group` of ranks (`nn.distributed`),
    the examples of all ranks count, and all ranks get the same values."""
    modes = [(module, module.training) for _, module in model.named_modules()]
    model.eval()
    for metric in metrics:
        metric.reset()
    losses: list[tuple[Any, int]] = []
    try:
        with no_grad():
            for batch in loader:
                *inputs, target = batch
                outputs = model(*inputs)
                if loss is not None:
                    losses.append((loss(outputs, target), len(target)))
                for metric in metrics:
                    metric.update(outputs, target)
    finally:
        for module, training in modes:
            module.training = training
    found: dict[str, Any] = {}
    own = sum(value.item() * size for value, size in losses), sum(size for _, size in losses)
    total, count = summed(group or Group(), own, metrics)
    if loss is not None:
        found["loss"] = total / count if count else math.nan
    values = {metric.name: metric.compute() for metric in metrics}
    for metric in metrics:
        metric.reset()
    return found | values
