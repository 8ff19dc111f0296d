"""Borders around images: constant, reflected, replicated or circular."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_core as ac
from autograd_core.errors import ArgumentError, AutogradError, ShapeError
from autograd_core.errors.tracebacks import public
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
    """Adds a border along the last axes of x (n, C, *S) or (C, *S). `padding` is one width for all
    sides, or the widths before and after the last axis, then those of the axis before it, and so
    on. A negative width removes elements."""

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


class ConstantPad(Pad):
    """A border of one value. See `Pad`."""

    @public
    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def describe(self) -> str:
        """The widths and the value."""
        return f"{super().describe()}, value {self.value:g}"


class ConstantPad1d(ConstantPad):
    """A border of one value along one axis; see `ConstantPad`."""

    axes = 1


class ConstantPad2d(ConstantPad):
    """A border of one value along two axes; see `ConstantPad`."""

    axes = 2


class ConstantPad3d(ConstantPad):
    """A border of one value along three axes; see `ConstantPad`."""

    axes = 3


class ZeroPad1d(Pad):
    """A border of zeros along one axis; see `Pad`."""

    axes = 1


class ZeroPad2d(Pad):
    """A border of zeros along two axes; see `Pad`."""

    axes = 2


class ZeroPad3d(Pad):
    """A border of zeros along three axes; see `Pad`."""

    axes = 3


class ReflectionPad1d(Pad):
    """A border of the reflection of x, without its edge along one axis; see `Pad`."""

    axes = 1
    mode = "reflect"


class ReflectionPad2d(Pad):
    """A border of the reflection of x, without its edge along two axes; see `Pad`."""

    axes = 2
    mode = "reflect"


class ReflectionPad3d(Pad):
    """A border of the reflection of x, without its edge along three axes; see `Pad`."""

    axes = 3
    mode = "reflect"


class ReplicationPad1d(Pad):
    """A border of the edge of x along one axis; see `Pad`."""

    axes = 1
    mode = "edge"


class ReplicationPad2d(Pad):
    """A border of the edge of x along two axes; see `Pad`."""

    axes = 2
    mode = "edge"


class ReplicationPad3d(Pad):
    """A border of the edge of x along three axes; see `Pad`."""

    axes = 3
    mode = "edge"


class CircularPad1d(Pad):
    """A border of the other end of x along one axis; see `Pad`."""

    axes = 1
    mode = "wrap"


class CircularPad2d(Pad):
    """A border of the other end of x along two axes; see `Pad`."""

    axes = 2
    mode = "wrap"


class CircularPad3d(Pad):
    """A border of the other end of x along three axes; see `Pad`."""

    axes = 3
    mode = "wrap"
