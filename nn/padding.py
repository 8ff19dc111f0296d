"""Borders around images: constant, reflected, replicated or circular."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_core as ac
from autograd_core.errors import ArgumentError, AutogradError, ShapeError
from autograd_core.errors.tracebacks import public
from nn.describing import like
from nn.module import Module, misfit

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]

# PyTorch's names of the modes of np.pad
MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


class Pad(Module):
    """A border along the last axes.

    Parameters
    ----------
    padding : int or tuple of int
        One width for all sides, or the widths before and after the last axis, then those of the
        axis before it, and so on. A negative width removes elements.

    Raises
    ------
    ArgumentError
        If `padding` is not an integer, or two for each axis.
    ShapeError
        In a call, if x has another number of axes, or if the border does not fit it.
    """

    axes: int
    mode = "constant"
    value = 0.0

    @public
    def __init__(self, padding: Any) -> None:
        sides = 2 * self.axes
        self.padding = tuple(padding) if isinstance(padding, tuple | list) else (padding,) * sides
        integers = all(isinstance(p, int | np.integer) for p in self.padding)
        if len(self.padding) != sides or not integers:
            raise ArgumentError(
                f"{type(self).__name__}: padding must be an integer or {sides} of them, not "
                f"{padding!r}"
            )

    def forward(self, x: Any) -> Any:
        """x with its border."""
        pairs = list(zip(self.padding[::2], self.padding[1::2], strict=True))[::-1]
        lengths = x.shape[-self.axes :]
        if x.ndim not in (self.axes + 1, self.axes + 2):
            raise misfit(self, ShapeError(f"expects {self.axes + 2} axes, x has shape {x.shape}"))
        most = {"reflect": -1, "wrap": 0}.get(self.mode)
        if any(n + sum(p) < 1 or (most is not None and max(p) > n + most)
               for n, p in zip(lengths, pairs, strict=True)):  # fmt: skip
            raise misfit(self, ShapeError(f"a border of {pairs} does not fit x of {x.shape}"))
        widths = [(0, 0)] * (x.ndim - self.axes) + [(max(0, a), max(0, b)) for a, b in pairs]
        settings: Any = {"constant_values": self.value} if self.mode == "constant" else {}
        try:
            x = ac.pad(x, widths, mode=self.mode, **settings)
        except AutogradError as error:
            raise misfit(self, error) from None
        if min(self.padding) < 0:  # of what has a border on the other side
            ends = zip(x.shape[-self.axes :], pairs, strict=True)
            inside = (slice(max(0, -a), n - max(0, -b)) for n, (a, b) in ends)
            x = ac.copy(x[(..., *inside)])
        return x

    def describe(self) -> str:
        """The widths."""
        same = len(set(self.padding)) == 1
        return str(self.padding[0] if same else self.padding)


@like(Pad)
class ConstantPad(Pad):
    """A border of one value.

    Parameters
    ----------
    value : float
        The elements of the border.
    """

    @public
    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def describe(self) -> str:
        """The widths and the value."""
        return f"{super().describe()}, value {self.value:g}"


@like(ConstantPad)
class ConstantPad1d(ConstantPad):
    """A border of one value along one axis.

    Shapes: x (n, channels, length) or (channels, length) → (…, length').

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.ConstantPad1d((1, 2), 9.0)(np.array([[1.0, 2.0, 3.0]]))
    array([[9., 1., 2., 3., 9., 9.]])
    """

    axes = 1


@like(ConstantPad)
class ConstantPad2d(ConstantPad):
    """A border of one value along two axes.

    Shapes: x (n, channels, h, w) or (channels, h, w) → (…, h', w').

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.ConstantPad2d(1, 9.0)(np.array([[[1.0, 2.0], [3.0, 4.0]]]))
    array([[[9., 9., 9., 9.],
            [9., 1., 2., 9.],
            [9., 3., 4., 9.],
            [9., 9., 9., 9.]]])
    """

    axes = 2


@like(ConstantPad)
class ConstantPad3d(ConstantPad):
    """A border of one value along three axes.

    Shapes: x (n, channels, d, h, w) or (channels, d, h, w) → (…, d', h', w').

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.ConstantPad3d(1, 9.0)(np.ones((2, 3, 4, 4, 4))).shape
    (2, 3, 6, 6, 6)
    """

    axes = 3


@like(Pad)
class ZeroPad1d(Pad):
    """A border of zeros along one axis.

    Shapes: x (n, channels, length) or (channels, length) → (…, length').

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.ZeroPad1d((1, 2))(np.array([[1.0, 2.0, 3.0]]))
    array([[0., 1., 2., 3., 0., 0.]])
    """

    axes = 1


@like(Pad)
class ZeroPad2d(Pad):
    """A border of zeros along two axes.

    Shapes: x (n, channels, h, w) or (channels, h, w) → (…, h', w').

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.ZeroPad2d(1)(np.array([[[1.0, 2.0], [3.0, 4.0]]]))
    array([[[0., 0., 0., 0.],
            [0., 1., 2., 0.],
            [0., 3., 4., 0.],
            [0., 0., 0., 0.]]])
    """

    axes = 2


@like(Pad)
class ZeroPad3d(Pad):
    """A border of zeros along three axes.

    Shapes: x (n, channels, d, h, w) or (channels, d, h, w) → (…, d', h', w').

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.ZeroPad3d(1)(np.ones((2, 3, 4, 4, 4))).shape
    (2, 3, 6, 6, 6)
    """

    axes = 3


@like(Pad)
class ReflectionPad1d(Pad):
    """A border of the reflection of x, without its edge, along one axis.

    Shapes: x (n, channels, length) or (channels, length) → (…, length').

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.ReflectionPad1d((1, 2))(np.array([[1.0, 2.0, 3.0]]))
    array([[2., 1., 2., 3., 2., 1.]])
    """

    axes = 1
    mode = "reflect"


@like(Pad)
class ReflectionPad2d(Pad):
    """A border of the reflection of x, without its edge, along two axes.

    Shapes: x (n, channels, h, w) or (channels, h, w) → (…, h', w').

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.ReflectionPad2d(1)(np.array([[[1.0, 2.0], [3.0, 4.0]]]))
    array([[[4., 3., 4., 3.],
            [2., 1., 2., 1.],
            [4., 3., 4., 3.],
            [2., 1., 2., 1.]]])
    """

    axes = 2
    mode = "reflect"


@like(Pad)
class ReflectionPad3d(Pad):
    """A border of the reflection of x, without its edge, along three axes.

    Shapes: x (n, channels, d, h, w) or (channels, d, h, w) → (…, d', h', w').

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.ReflectionPad3d(1)(np.ones((2, 3, 4, 4, 4))).shape
    (2, 3, 6, 6, 6)
    """

    axes = 3
    mode = "reflect"


@like(Pad)
class ReplicationPad1d(Pad):
    """A border of the edge of x along one axis.

    Shapes: x (n, channels, length) or (channels, length) → (…, length').

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.ReplicationPad1d((1, 2))(np.array([[1.0, 2.0, 3.0]]))
    array([[1., 1., 2., 3., 3., 3.]])
    """

    axes = 1
    mode = "edge"


@like(Pad)
class ReplicationPad2d(Pad):
    """A border of the edge of x along two axes.

    Shapes: x (n, channels, h, w) or (channels, h, w) → (…, h', w').

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.ReplicationPad2d(1)(np.array([[[1.0, 2.0], [3.0, 4.0]]]))
    array([[[1., 1., 2., 2.],
            [1., 1., 2., 2.],
            [3., 3., 4., 4.],
            [3., 3., 4., 4.]]])
    """

    axes = 2
    mode = "edge"


@like(Pad)
class ReplicationPad3d(Pad):
    """A border of the edge of x along three axes.

    Shapes: x (n, channels, d, h, w) or (channels, d, h, w) → (…, d', h', w').

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.ReplicationPad3d(1)(np.ones((2, 3, 4, 4, 4))).shape
    (2, 3, 6, 6, 6)
    """

    axes = 3
    mode = "edge"


@like(Pad)
class CircularPad1d(Pad):
    """A border of the other end of x along one axis.

    Shapes: x (n, channels, length) or (channels, length) → (…, length').

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.CircularPad1d((1, 2))(np.array([[1.0, 2.0, 3.0]]))
    array([[3., 1., 2., 3., 1., 2.]])
    """

    axes = 1
    mode = "wrap"


@like(Pad)
class CircularPad2d(Pad):
    """A border of the other end of x along two axes.

    Shapes: x (n, channels, h, w) or (channels, h, w) → (…, h', w').

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.CircularPad2d(1)(np.array([[[1.0, 2.0], [3.0, 4.0]]]))
    array([[[4., 3., 4., 3.],
            [2., 1., 2., 1.],
            [4., 3., 4., 3.],
            [2., 1., 2., 1.]]])
    """

    axes = 2
    mode = "wrap"


@like(Pad)
class CircularPad3d(Pad):
    """A border of the other end of x along three axes.

    Shapes: x (n, channels, d, h, w) or (channels, d, h, w) → (…, d', h', w').

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.CircularPad3d(1)(np.ones((2, 3, 4, 4, 4))).shape
    (2, 3, 6, 6, 6)
    """

    axes = 3
    mode = "wrap"
