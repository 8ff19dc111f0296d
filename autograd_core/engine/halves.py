"""float16 is computed in float32 and rounded once.

A formula of several steps would round each intermediate result to 11 bits and could overflow, as
the largest float16 is 65,504. Therefore elementwise operations whose kernels are written in Python,
and their rules, are called with float32 in place of float16 operands. The edge casts the gradient
back to float16. The rules need no change.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from autograd_core.engine.graph import Node, Rule
from autograd_core.engine.types import Gradient

HALF = np.dtype(np.float16)
NARROW = frozenset("e?bB")  # the dtypes that are promoted to float16 together with float16


def _single(value: Any) -> Any:
    """A float16 array or Tensor in float32; anything else unchanged."""
    return value.astype(np.float32) if getattr(value, "dtype", None) == HALF else value


def in_single(kernel: Callable[..., Any], *operands: Any) -> Any:
    """``kernel(*operands)`` computed in float32 if the result is float16."""
    dtypes = [operand.dtype for operand in operands if hasattr(operand, "dtype")]
    if not all(dtype.char in NARROW for dtype in dtypes):
        return kernel(*operands)
    out = kernel(*map(_single, operands))
    return out.astype(HALF) if out.dtype == np.float32 else out


def widen(node: Node) -> None:
    """Make the rules of a node run in float32."""
    edges = []
    parent, rule, saved, fits, more = node.parent, node.rule, node.saved, node.fits, node.more
    while parent is not None:
        edges.append((parent, _wide(rule), saved, fits and not rule.names))
        if more is None:
            break
        parent, rule, saved, fits, more = more
    rest = None
    for edge in reversed(edges):
        rest = (*edge, rest)
    if rest is not None:
        node.parent, node.rule, node.saved, node.fits, node.more = rest


@cache
def _wide(rule: Rule) -> Rule:
    """A rule that computes `rule` in float32. A rule that saves nothing rounds only once and is
    returned unchanged."""
    if not rule.names:
        return rule
    wide = Rule(_in_single(rule.function), rule.operand, rule.names, rule.sources)
    wide.on_device = _in_single(rule.on_device)
    wide.stacked = _in_single(rule.stacked)
    wide.trusted = rule.trusted
    return wide


def _in_single(function: Callable[..., Any]) -> Callable[..., Any]:
    def widened(g: Gradient, *saved: Any) -> Any:
        return function(_single(g), *map(_single, saved))

    return widened
