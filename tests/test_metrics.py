"""Metrics against slow references, batch by batch."""

import math

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.errors import ArgumentError, DTypeError, ShapeError

CLASSES = 4


def made(seed, n=60, ties=False):
    generator = np.random.default_rng(seed)
    outputs = generator.standard_normal((n, CLASSES))
    if ties:
        outputs = np.round(outputs)
    return outputs, generator.integers(0, CLASSES, n)


def counts(outputs, labels):
    matrix = [[0] * CLASSES for _ in range(CLASSES)]
    for row, label in zip(outputs.tolist(), labels.tolist(), strict=True):
        matrix[label][row.index(max(row))] += 1
    return np.array(matrix)


def ratio(part, whole):
    return np.array([p / w if w else 0.0 for p, w in zip(part, whole, strict=True)])


def top(outputs, labels, k):
    found = 0
    for row, label in zip(outputs.tolist(), labels.tolist(), strict=True):
        order = sorted(range(CLASSES), key=lambda c: (-row[c], c))
        found += label in order[:k]
    return found / len(labels)


def entropy(outputs, labels):
    logs = [math.log(sum(math.exp(x - row[y]) for x in row))
            for row, y in zip(outputs.tolist(), labels.tolist(), strict=True)]  # fmt: skip
    return math.exp(sum(logs) / len(logs))


def scores(outputs, labels):
    m = counts(outputs, labels)
    return np.diag(m), m.sum(axis=0), m.sum(axis=1)


METRICS = {
    "accuracy": (nn.Accuracy(), lambda o, y: np.mean(o.argmax(1) == y)),
    "top-1": (nn.TopK(1), lambda o, y: top(o, y, 1)),
    "top-3": (nn.TopK(3), lambda o, y: top(o, y, 3)),
    "confusion": (nn.ConfusionMatrix(CLASSES), counts),
    "precision": (nn.Precision(CLASSES, None), lambda o, y: ratio(*scores(o, y)[:2])),
    "recall": (nn.Recall(CLASSES, None), lambda o, y: ratio(*scores(o, y)[::2])),
    "F1": (nn.F1(CLASSES, None),
           lambda o, y: ratio(2 * scores(o, y)[0], scores(o, y)[1] + scores(o, y)[2])),
    "macro": (nn.Precision(CLASSES), lambda o, y: ratio(*scores(o, y)[:2]).mean()),
    "perplexity": (nn.Perplexity(), entropy),
    "mean": (nn.Mean(), lambda o, y: o.mean()),
    "mean of": (nn.Mean(lambda o, y: (o.argmax(1) - y) ** 2),
                lambda o, y: np.mean((o.argmax(1) - y) ** 2)),
}  # fmt: skip


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("size", [60, 7, 1])
def test_batches_add_up_to_the_whole(name, ties, size):
    metric, expected = METRICS[name]
    outputs, labels = made(3, ties=ties)
    if name == "perplexity" and ties:
        outputs = outputs.astype(np.float32)
    metric.reset()
    for i in range(0, 60, size):
        metric.update(ac.Tensor(outputs[i : i + size], True), labels[i : i + size])
    np.testing.assert_allclose(metric.compute(), expected(outputs, labels), rtol=1e-6)
    assert str(metric.compute()) in repr(metric)
    metric.reset()
    assert math.isnan(metric.compute())


def test_one_hot_rows_and_images():
    outputs, labels = made(1)
    accuracy = nn.Accuracy()
    accuracy.update(outputs, nn.one_hot(labels, CLASSES))
    assert accuracy.compute() == np.mean(outputs.argmax(1) == labels)
    pixels = np.random.default_rng(0).standard_normal((2, CLASSES, 5, 6))
    goal = np.random.default_rng(1).integers(0, CLASSES, (2, 5, 6))
    accuracy.reset()
    accuracy.update(pixels, goal)
    assert accuracy.compute() == np.mean(pixels.argmax(1) == goal)


def test_a_class_that_is_never_there():
    recall = nn.Recall(3, average=None)
    recall.update(np.eye(3)[[0, 1]], np.array([0, 0]))
    assert recall.compute().tolist() == [0.5, 0.0, 0.0]


def test_metrics_of_a_device(device):
    outputs, labels = made(5)
    for metric, expected in METRICS.values():
        metric.reset()
        given = ac.Tensor(device.array(outputs)), ac.Tensor(device.array(labels))
        metric.update(*given)
        np.testing.assert_allclose(metric.compute(), expected(outputs, labels), rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: nn.TopK(0), ArgumentError, "k is a positive integer"),
        (lambda: nn.ConfusionMatrix(0), ArgumentError, "num_classes is a positive integer"),
        (lambda: nn.Precision(3, "micro"), ArgumentError, 'average is "macro" or None'),
        (lambda: nn.Accuracy().update(np.ones((3, 2)), np.ones(3)), DTypeError, "class numbers"),
        (lambda: nn.Accuracy().update(np.ones((3, 2)), np.ones(4, int)), ShapeError, "n, classes"),
        (lambda: nn.Accuracy().update(np.ones(3), np.ones(3, int)), ShapeError, "n, classes"),
        (lambda: nn.ConfusionMatrix(2).update(np.ones((3, 4)), np.ones(3, int)), ShapeError,
         "have 4 classes, not 2"),
    ],
)  # fmt: skip
def test_what_does_not_fit(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_one_column_has_no_classes():
    with pytest.raises(ShapeError, match="one column have no classes"):
        nn.Accuracy().update(np.ones((3, 1)), np.ones((3, 1)))
    yes = nn.Mean(lambda outputs, targets: (outputs > 0) == (targets > 0.5))
    yes.update(np.array([[1.0], [-1.0]]), np.array([[1.0], [1.0]]))
    assert yes.compute() == 0.5
    with pytest.raises(ArgumentError, match=r"labels must be in \[0, 3\)"):
        nn.Perplexity().update(np.ones((2, 3)), np.array([0, -1]))
