"""Losses of distances and orders, with a margin."""

from __future__ import annotations

from typing import Any

import autograd_core as ac
from autograd_core.errors import ShapeError
from autograd_core.errors.tracebacks import public
from nn.losses import Loss, check_shapes, kind_of, real_operands

__all__ = ["CosineEmbeddingLoss", "HingeEmbeddingLoss", "MarginRankingLoss", "TripletMarginLoss"]


class HingeEmbeddingLoss(Loss):
    """The distance x for the label 1, and max(0, margin - x) for -1."""

    @public
    def __init__(self, margin: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input: Any, target: Any) -> Any:
        """The loss for distances and labels of the same shape."""
        input, target = real_operands(self, input, target)
        check_shapes(self, input, target)
        near = ac.where(target == -1, 0, input)
        far = ac.where(target == 1, 0, ac.relu(self.margin - input))
        return self.reduced(near + far)


class MarginRankingLoss(Loss):
    """max(0, margin - y (x₁ - x₂)): x₁ should be larger than x₂ for the label y = 1, and smaller
    for -1."""

    @public
    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input1: Any, input2: Any, target: Any) -> Any:
        """The loss for two inputs and labels of the same shape."""
        input1, input2 = real_operands(self, input1, input2)
        _, target = real_operands(self, input1, target)
        check_shapes(self, input1, input2)
        check_shapes(self, input1, target)
        return self.reduced(ac.relu(self.margin - target * (input1 - input2)))


class CosineEmbeddingLoss(Loss):
    """1 - cos(x₁, x₂) for the label 1, and max(0, cos(x₁, x₂) - margin) for -1. Inputs have the
    shape (n, d), or (d,) for one pair."""

    @public
    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input1: Any, input2: Any, target: Any) -> Any:
        """The loss for labels of the shape (n,) or ()."""
        input1, input2 = real_operands(self, input1, input2)
        _, target = real_operands(self, input1, target)
        check_shapes(self, input1, input2)
        if input1.ndim not in (1, 2) or target.shape != input1.shape[:-1]:
            raise ShapeError(
                f"{kind_of(self)}: inputs of shape (n, d) need labels of shape (n,); these have "
                f"{input1.shape} and {target.shape}"
            )
        product = ac.sum(input1 * input2, -1)
        squares = (ac.sum(input1 * input1, -1) + 1e-12) * (ac.sum(input2 * input2, -1) + 1e-12)
        cosine = product / ac.sqrt(squares)
        near = ac.where(target == 1, 1 - cosine, 0)
        far = ac.where(target == -1, ac.relu(cosine - self.margin), 0)
        return self.reduced(near + far)


class TripletMarginLoss(Loss):
    """max(0, d(anchor, positive) - d(anchor, negative) + margin) with the p-norm d of the
    difference plus `eps` (Balntas et al., 2016). With `swap`, d(positive, negative) takes the place
    of d(anchor, negative) where it is smaller. Inputs have the shape (n, d), or (d,)."""

    @public
    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        *,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Any:
        """The loss for three inputs of the same shape."""
        anchor, positive = real_operands(self, anchor, positive)
        _, negative = real_operands(self, anchor, negative)
        check_shapes(self, anchor, positive)
        check_shapes(self, anchor, negative)
        far = self._distance(anchor, negative)
        if self.swap:
            far = ac.minimum(far, self._distance(positive, negative))
        return self.reduced(ac.relu(self._distance(anchor, positive) - far + self.margin))

    def _distance(self, x: Any, y: Any) -> Any:
        return ac.linalg.norm(x - y + self.eps, ord=self.p, axis=-1)
