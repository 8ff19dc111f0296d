"""Sums over the axes that broadcasting added, for rules that a user declares. Rules need them no
more: a gradient is reduced to the shape of its argument in any case."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core.engine.graph import fit

__all__ = ["unbroadcast", "unbroadcast_f"]


def unbroadcast(x: Any, target_meta: Any, broadcast_idx: int = 0) -> Any:
    """The gradient x, reduced to the shape and dtype in `target_meta` (see `metadata` in
    `hips.numpy`)."""
    shape, _, dtype, _ = target_meta
    return fit(x if hasattr(x, "dtype") else np.asarray(x), shape, dtype)


def unbroadcast_f(target: Any, f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """``f(g)``, reduced to the shape and dtype of `target`."""
    meta = np.shape(target), np.ndim(target), np.result_type(target), np.iscomplexobj(target)
    return lambda g: unbroadcast(f(g), meta)
