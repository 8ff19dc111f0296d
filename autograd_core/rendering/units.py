"""What is measured at activations, gates, attentions and normalisations in a backward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.graph import Node
from autograd_core.engine.types import Array
from autograd_core.rendering.nodes import edges_of

GATED = {"LSTM", "GRU", "LSTMCell", "GRUCell", "GLU"}
LEAKY = {"LeakyReLU", "ELU", "CELU", "SELU", "PReLU"}
NORMALIZATIONS = {
    *("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "LayerNorm", "GroupNorm"),
    *("InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"),
}
FEWEST = 8  # examples, below which shares say nothing


class Unit(NamedTuple):
    """The `share` of the `size` units of an operation that have the problem `word`, in a batch.
    `wrong` is True if the share counts only outputs that are far from their target."""

    word: str
    share: Any
    batch: int
    size: int
    wrong: bool = False


def _dead(out: Array) -> Any:
    return np.mean(~np.any(out > 0, axis=0))


def _flat_sigmoid(out: Array) -> Any:
    return np.mean(out * (1 - out) < 0.01)


def _flat_tanh(out: Array) -> Any:
    return np.mean(out * out > 0.96)


def _off_sigmoid(out: Array) -> Any:
    return np.mean(np.all(out < 0.01, axis=0))


def _off_tanh(out: Array) -> Any:
    return np.mean(np.all(out < -0.98, axis=0))


def _off_normal(x: Array) -> Any:
    return np.mean(np.all(x < -2.5, axis=0))


def _negative(condition: Array) -> Any:
    return np.mean(~np.any(condition, axis=0))


def _one_hot(out: Array, axis: int) -> Any:
    return np.mean(np.max(out, axis=axis) > 0.99)


def _constant(centered: Array, inverse: Array) -> Any:
    """The share of rows or channels with a variance below 1/2 after the normalisation."""
    axes = tuple(i for i, n in enumerate(inverse.shape) if n == 1)
    return np.mean(np.mean(np.square(centered * inverse), axis=axes) < 0.5)


def _tiny(out: Array, root: Array) -> Any:
    """The share of rows with a mean square below 1/2 after the normalisation."""
    axes = tuple(i for i, n in enumerate(root.shape) if n == 1)
    return np.mean(np.mean(np.square(out), axis=axes) < 0.5)


# (operation, class of the module or "") → (problem, saved arrays, function that returns the share
# of units with the problem). An activation is saturated where its slope is below 4 % of the
# greatest slope
Looked = tuple[str, tuple[str, ...], Callable[..., Any]]
LOOKED_AT: dict[tuple[str, str], Looked | None] = {
    ("relu", ""): ("dead", ("out",), _dead),
    ("sigmoid", ""): ("saturated", ("out",), _flat_sigmoid),
    ("tanh", ""): ("saturated", ("out",), _flat_tanh),
    ("softmax", ""): ("one-hot", ("out", "axis"), _one_hot),
    ("sigmoid", "SiLU"): ("off", ("out",), _off_sigmoid),
    ("tanh", "GELU"): ("off", ("out",), _off_tanh),
    ("scipy.special.ndtr", "GELU"): ("off", ("x",), _off_normal),
    ("tanh", "Mish"): None,  # saturated where x is positive
    **{("sigmoid", kind): ("stuck", ("out",), _flat_sigmoid) for kind in GATED},
    **{("tanh", kind): None for kind in GATED},  # a cell that is full has learned to remember
    **{("where", kind): ("negative", ("condition",), _negative) for kind in LEAKY},
    **{("multiply", kind): ("constant", ("x", "y"), _constant) for kind in NORMALIZATIONS},
    ("divide", "RMSNorm"): ("tiny", ("out", "y"), _tiny),
}


def looked_at(node: Node, targets: dict[int, Any], wrong: float) -> Unit | None:
    """The measurement at a node, if its rules saved what it needs. `targets` has the targets of
    outputs by the number of their node, `wrong` is the threshold of their distance."""
    kind = node.scope.kind if node.scope is not None else ""
    key = (node.key, kind)
    looked = LOOKED_AT[key] if key in LOOKED_AT else LOOKED_AT.get((node.key, ""))
    if looked is None:
        return None
    word, names, share = looked
    saved: dict[str, Any] = {}
    parents = set()
    for parent, rule, kept in edges_of(node):
        saved |= dict(zip(rule.names, kept, strict=True))
        parents.add(parent.key)
    if word == "constant" and "divide" not in parents:  # the product with the weights
        return None
    if any(name not in saved for name in names):
        return None
    given = [saved[name] for name in names]
    batch = given[0].shape[0] if backend.is_array(given[0]) and given[0].ndim else 0
    if not _is_enough(word, given):
        return None
    target, far = targets.get(node.seq), 0.0
    if word == "saturated" and target is not None and target.shape == given[0].shape:
        far = wrong * (1 if node.key == "sigmoid" else 2)
        found = backend.run_there(given[0], _wrong, given[0], target, share is _flat_tanh, far)
    else:
        found = backend.run_there(given[0], share, *given)
    return Unit(word, backend.as_array(found), batch, given[0].size // batch, far > 0)


def _is_enough(word: str, given: list[Any]) -> bool:
    first = given[0]
    if not backend.is_array(first) or first.ndim < 2 or not first.size:
        return False
    if word == "one-hot":
        length = first.shape[given[1]] if isinstance(given[1], int) else 1
        return bool(length > 1 and first.size >= FEWEST * length)
    if word in ("constant", "tiny"):
        scale = given[1]
        if not backend.is_array(scale) or scale.ndim != first.ndim:
            return False
        shared = [n for n, m in zip(first.shape, scale.shape, strict=True) if m == 1]
        kept = all(m in (1, n) for n, m in zip(first.shape, scale.shape, strict=True))
        return bool(shared) and kept and scale.size < first.size
    return bool(first.shape[0] >= FEWEST)


def _wrong(out: Array, target: Array, is_tanh: bool, far: float) -> Any:
    flat = out * out > 0.96 if is_tanh else out * (1 - out) < 0.01
    return np.mean(flat & (np.abs(out - target) > far))


def target_of(node: Node) -> tuple[int, Any] | None:
    """(number of the node of the prediction, target) of a squared error."""
    if node.name != "squared_error":
        return None
    for parent, rule, kept in edges_of(node):
        if rule.operand == "prediction":
            return parent.seq, dict(zip(rule.names, kept, strict=True)).get("target")
    return None
