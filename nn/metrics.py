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
from nn.describing import like
from nn.distributed.runs import summed
from nn.distributed.world import Group
from nn.module import Module

__all__ = ["F1", "Accuracy", "ConfusionMatrix", "Mean", "Metric", "Perplexity", "Precision",
           "Recall", "TopK", "evaluate"]  # fmt: skip


class Metric:
    """The base class of metrics: a value of all batches of outputs and targets.

    `update` adds a batch, and `compute` returns the value of all batches since `reset`.

    Notes
    -----
    A subclass defines `counts(outputs, targets)`, which returns an array to be summed up over the
    batches, and `result(total)`, which turns the sum, an array on the host, into the value. The sum
    stays on the device of the outputs until `compute` reads it.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> class Largest(nn.Metric):
    ...     name = "sum of the largest outputs"
    ...     def counts(self, outputs, targets):
    ...         return outputs.max(axis=1).sum()
    ...     def result(self, total):
    ...         return float(total)
    >>> metric = Largest()
    >>> metric.update(np.array([[1.0, 2.0], [4.0, 3.0]]), None)
    >>> metric.compute()
    6.0
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
        """Add a batch.

        Parameters
        ----------
        outputs : Tensor or array_like
            The outputs of the model.
        targets : Tensor or array_like
            The targets.
        """
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
    """The share of examples whose greatest output is that of the target.

    Shapes: outputs (n, classes, …), targets (n, …), which are class numbers, or (n, classes, …),
    which are one-hot rows of floating-point numbers.

    Raises
    ------
    ShapeError
        In `update`, if the shapes do not match, or if there is one column of outputs only.
    DTypeError
        In `update`, if the targets are neither integers nor one-hot rows.
    ArgumentError
        In `update`, if a class number is out of range.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> metric = nn.Accuracy()
    >>> metric.update(np.array([[0.1, 0.9], [0.8, 0.2]]), np.array([1, 1]))
    >>> metric.compute()
    0.5
    """

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
    """The share of examples whose target is among the k greatest outputs.

    Shapes: outputs (n, classes), targets (n,), which are class numbers, or (n, classes), which are
    one-hot rows of floating-point numbers.

    Parameters
    ----------
    k : int, default 5
        The number of outputs that count. The name of the metric is ``"top-k accuracy"``.

    Raises
    ------
    ArgumentError
        If `k` is not positive; in `update`, if a class number is out of range.
    ShapeError, DTypeError
        In `update`, for the reasons listed at `Accuracy`.

    Notes
    -----
    Of equal outputs, the smaller class numbers count as the greater ones.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> metric = nn.TopK(2)
    >>> metric.update(np.array([[0.2, 0.5, 0.3], [0.1, 0.3, 0.6]]), np.array([2, 0]))
    >>> metric.compute()
    0.5
    """

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
    """How often each class (rows) was recognised as each class (columns).

    The value is an array of integers (num_classes, num_classes).

    Shapes: outputs (n, classes, …), targets (n, …), which are class numbers, or (n, classes, …),
    which are one-hot rows of floating-point numbers.

    Parameters
    ----------
    num_classes : int
        The number of classes, at least as many as columns of the outputs.

    Raises
    ------
    ArgumentError
        If `num_classes` is not positive; in `update`, if a class number is out of range.
    ShapeError
        In `update`, if the shapes do not match, or if the outputs have more classes.
    DTypeError
        In `update`, if the targets are neither integers nor one-hot rows.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> metric = nn.ConfusionMatrix(2)
    >>> metric.update(np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]]), np.array([1, 1, 0]))
    >>> metric.compute()
    array([[0, 1],
           [1, 1]])
    """

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
    """Of the examples that were recognised as a class, the share that is of it.

    Shapes: outputs (n, classes, …), targets (n, …), which are class numbers, or (n, classes, …),
    which are one-hot rows of floating-point numbers.

    Parameters
    ----------
    num_classes : int
        The number of classes, at least as many as columns of the outputs.
    average : str or None, default 'macro'
        ``"macro"`` for the mean over the classes, None for an array with a value for each class.

    Raises
    ------
    ArgumentError
        If `num_classes` is not positive, or if `average` is anything else; in `update`, if a class
        number is out of range.
    ShapeError, DTypeError
        In `update`, for the reasons listed at `ConfusionMatrix`.

    Notes
    -----
    The value is 0 for a class with no examples to divide by, as in scikit-learn with
    ``zero_division=0``.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> metric = nn.Precision(2, average=None)
    >>> metric.update(np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]]), np.array([1, 0, 0]))
    >>> metric.compute()
    array([1. , 0.5])
    """

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


@like(Precision)
class Recall(Precision):
    """Of the examples of a class, the share that was recognised.

    Shapes: outputs (n, classes, …), targets (n, …), which are class numbers, or (n, classes, …),
    which are one-hot rows of floating-point numbers.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> metric = nn.Recall(2, average=None)
    >>> metric.update(np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]]), np.array([1, 0, 0]))
    >>> metric.compute()
    array([0.5, 1. ])
    """

    name = "recall"

    def of(self, right: Any, found: Any, there: Any) -> Any:
        """The values from the numbers of right answers, of answers, and of examples."""
        return _ratio(right, there)


@like(Precision)
class F1(Precision):
    """The harmonic mean of the precision and the recall of a class.

    Shapes: outputs (n, classes, …), targets (n, …), which are class numbers, or (n, classes, …),
    which are one-hot rows of floating-point numbers.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> metric = nn.F1(2, average=None)
    >>> metric.update(np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]]), np.array([1, 0, 0]))
    >>> metric.compute()
    array([0.66666667, 0.66666667])
    """

    name = "F1"

    def of(self, right: Any, found: Any, there: Any) -> Any:
        """The values from the numbers of right answers, of answers, and of examples."""
        return _ratio(2 * right, found + there)


def _ratio(part: Any, whole: Any) -> Any:
    return np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)


class Mean(Metric):
    """The mean of a number for each example, which a function of outputs and targets returns.

    Parameters
    ----------
    of : callable, optional
        A function ``of(outputs, targets)`` that returns a number for each example, shape (n,). By
        default, the mean of the outputs themselves.

    Examples
    --------
    The share of right answers of a model with one output:

    >>> import nn
    >>> import numpy as np
    >>> metric = nn.Mean(lambda outputs, targets: (outputs > 0) == (targets > 0.5))
    >>> metric.update(np.array([1.5, -0.5, 2.0, -1.0]), np.array([1, 0, 0, 0]))
    >>> metric.compute()
    0.75
    """

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
    """The exponential of the mean cross-entropy of logits.

    Shapes: outputs (n, classes, …), targets (n, …), which are class numbers, or (n, classes, …),
    which are one-hot rows of floating-point numbers.

    Raises
    ------
    ShapeError, DTypeError, ArgumentError
        In `update`, for the reasons listed at `Accuracy`.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> metric = nn.Perplexity()
    >>> metric.update(np.zeros((2, 4)), np.array([3, 0]))
    >>> round(metric.compute(), 6)
    4.0
    """

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
    """The mean loss over the examples of a loader, and the metrics, by name.

    The model is in evaluation mode meanwhile, and nothing is recorded.

    Parameters
    ----------
    model : Module
        The model, which is called with all parts of a batch but the last.
    loader : iterable
        The batches: tuples of one or more inputs and the targets.
    loss : callable, optional
        A function of outputs and targets that returns one number, such as `MSE`.
    metrics : sequence of Metric, default ()
        They are reset before and after.
    group : Group, optional
        Ranks of `nn.distributed`: the examples of all ranks count, and all get the same values.

    Returns
    -------
    dict
        The loss as ``"loss"``, and the value of each metric under its name. They are nan for no
        examples.

    Raises
    ------
    ShapeError
        If the loss is not one number.
    TypeError
        If the loss cannot be called, such as a list of metrics in its place.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> model = nn.Linear(3, 2, generator=0)
    >>> batches = [(np.ones((4, 3)), np.zeros(4, int)), (np.ones((2, 3)), np.ones(2, int))]
    >>> found = nn.evaluate(model, batches, nn.CrossEntropyLoss(), [nn.Accuracy()])
    >>> list(found)
    ['loss', 'accuracy']
    """
    if loss is not None and not callable(loss):
        raise TypeError(f"evaluate: the third argument is the loss, not {loss!r}")
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
