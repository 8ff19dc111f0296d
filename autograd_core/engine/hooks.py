"""What a backward pass does for a node's Tensor: call its hooks and keep its gradient."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.types import Gradient


class Watch:
    """The Tensor that receives the gradient of a node, and the hooks to call with it first.
    `committed` is the sequence number at which a backward pass last added to its gradient, 0 if
    something else has set it since; `rebound` that at which its array was last replaced. `after`,
    if it is not None, is called once at the end of each ``backward()`` that added to the gradient
    of a Tensor with this function. `always` marks a leaf that stands for what is somewhere else,
    such as an operand of another process: a pass that looks for certain gradients visits the paths
    to it too.

    The Tensor is held weakly: with ``create_graph``, leaf node → grad → its graph → leaf node
    would be a reference cycle.
    """

    __slots__ = (
        "after",
        "always",
        "argument",
        "committed",
        "hooks",
        "keeps_grad",
        "name",
        "rebound",
        "tensor",
    )

    def __init__(self, tensor: Any, keeps_grad: bool) -> None:
        self.tensor = weakref.ref(tensor)
        self.name: str | None = getattr(tensor, "name", None)  # kept when the Tensor is gone
        self.always = False
        self.argument = False  # True for an argument of a transform, which looks like a leaf
        self.committed = self.rebound = 0
        self.keeps_grad = keeps_grad
        self.hooks: list[Callable[[Any], Any]] = []
        self.after: Callable[[], None] | None = None

    def hooked(self, g: Gradient, lead: int = 0) -> Any:
        """The total gradient `g`, an array or a Tensor, as changed by the hooks.

        A hook expects a gradient with the shape of its Tensor. If `g` is a stack of gradients, with
        `lead` leading batch axes, the hooks are called for each gradient separately.
        """
        if lead:
            rows = [g[i] for i in range(len(g))]
            hooked = [self.hooked(row, lead - 1) for row in rows]
            if all(after is row for after, row in zip(hooked, rows, strict=True)):
                return g
            return backend.run_there(g, np.stack, hooked)
        for hook in tuple(self.hooks):
            replaced = hook(g)
            if replaced is not None:
                g = replaced
        return g
