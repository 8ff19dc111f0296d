"""Flattening of trees, and graphs of constant structure."""

from autograd_core.hips.misc.flatten import flatten
from autograd_core.hips.misc.tracers import const_graph

__all__ = ["const_graph", "flatten"]
