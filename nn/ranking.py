"""Losses of distances and orders, with a margin."""

from __future__ import annotations

from typing import Any

import autograd_core as ac
from autograd_core.errors import ShapeError
from autograd_core.errors.tracebacks import public
from nn.describing import like
from nn.losses import Loss, check_shapes, kind_of, real_operands

__all__ = ["CosineEmbeddingLoss", "HingeEmbeddingLoss", "MarginRankingLoss", "TripletMarginLoss"]


@like(Loss)
class HingeEmbeddingLoss(Loss):
    """The distance x for the label 1, and max(0, margin - x) for the label -1.

    Shapes: input (…), the distances, and target (…) → (), or (…) with ``reduction="none"``.

    Parameters
    ----------
    margin : float, default 1.0
        Distances beyond it cost nothing for the label -1.
    reduction : str, default 'mean'
        How the losses of the elements are combined, as in `MSE`.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> nn.HingeEmbeddingLoss(reduction="none")(np.array([0.5, 0.25]), np.array([1, -1]))
    array([0.5 , 0.75])
    """

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


@like(Loss)
class MarginRankingLoss(Loss):
    """A loss of the order of two numbers, max(0, margin - y (x₁ - x₂)).

    x₁ should be larger than x₂ for the label y = 1, and smaller for -1. It is called with
    (x₁, x₂, y).

    Shapes: x₁ (…), x₂ (…), y (…) → (), or (…) with ``reduction="none"``.

    Parameters
    ----------
    margin : float, default 0.0
        Differences in the right direction that exceed it cost nothing.
    reduction : str, default 'mean'
        How the losses of the elements are combined, as in `MSE`.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> loss = nn.MarginRankingLoss(reduction="none")
    >>> loss(np.array([0.5, 0.25]), np.array([1.0, 0.0]), np.array([1, 1]))
    array([0.5, 0. ])
    """

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


@like(Loss)
class CosineEmbeddingLoss(Loss):
    """1 - cos(x₁, x₂) for the label 1, and max(0, cos(x₁, x₂) - margin) for the label -1.

    It is called with (x₁, x₂, labels), and cos is the cosine of the angle between x₁ and x₂.

    Shapes: x₁ (n, d), x₂ (n, d), labels (n,) → (), or (n,) with ``reduction="none"``. For one pair,
    (d,), (d,) and ().

    Parameters
    ----------
    margin : float, default 0.0
        Cosines below it cost nothing for the label -1.
    reduction : str, default 'mean'
        How the losses of the pairs are combined, as in `MSE`.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> loss = nn.CosineEmbeddingLoss(reduction="none")
    >>> a, b = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 1.0], [0.0, 1.0]])
    >>> loss(a, b, np.array([1, -1]))
    array([0.29289322, 1.        ])
    """

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


@like(Loss)
class TripletMarginLoss(Loss):
    """A loss of triplets, max(0, d(anchor, positive) - d(anchor, negative) + margin).

    d is the p-norm of the difference plus `eps`. It is called with (anchor, positive, negative).

    Shapes: anchor (n, d), positive (n, d), negative (n, d) → (), or (n,) with ``reduction="none"``.
    One triplet may have the shape (d,).

    Parameters
    ----------
    margin : float, default 1.0
        By how much the negative should be further away than the positive.
    p : float, default 2.0
        The order of the norm.
    eps : float, default 1e-06
        It is added to each element of a difference.
    swap : bool, default False
        If true, d(positive, negative) takes the place of d(anchor, negative) where it is smaller.
    reduction : str, default 'mean'
        How the losses of the triplets are combined, as in `MSE`.

    Notes
    -----
    The source is Balntas et al., 2016.

    Examples
    --------
    >>> import nn
    >>> import numpy as np
    >>> loss = nn.TripletMarginLoss()
    >>> loss(np.array([[0.0, 0.0]]), np.array([[1.0, 0.0]]), np.array([[0.0, 1.5]])).round(4)
    np.float64(0.5)
    """

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
