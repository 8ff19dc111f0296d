"""Discrete Fourier transforms under NumPy's names, ``np.fft``.

A transform is a linear map with a symmetric matrix, so its gradient is the same transform of g,
truncated or zero-padded to the length of the operand. Real transforms return only half of the
frequencies. In their gradients, the frequencies between the first and the middle one are therefore
multiplied by 2 or 1/2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.docstrings import described
from autograd_core.engine.op import composed, op
from autograd_core.engine.tensor import Tensor, make
from autograd_core.engine.types import Array, Gradient, Operand, Shape
from autograd_core.errors import ShapeError
from autograd_core.ops.arranging import roll
from autograd_core.ops.axes import check_axis, negative_axes
from autograd_core.ops.elementwise import conjugate
from autograd_core.ops.operands import as_operand

__all__ = [
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
]

Axes = Sequence[int] | None

# The `norm` to use when a forward transform replaces an inverse one, or the other way round: the
# factor 1 / n moves to the other transform.
TURNED: dict[Any, Any] = {
    None: "forward",
    "backward": "forward",
    "forward": "backward",
    "ortho": "ortho",
}


def _part(axis: int, start: int | None, stop: int | None) -> tuple[Any, ...]:
    """The index that selects start:stop along the negative `axis`."""
    return (..., slice(start, stop), *[slice(None)] * (-1 - axis))


def _sized(flow: Any, axis: int, length: int) -> Array:
    """`flow` truncated or zero-padded to `length` elements along the negative `axis`."""
    found = flow.shape[axis]
    if found >= length:
        return flow if found == length else flow[_part(axis, None, length)]
    place = flow.ndim + axis
    gap = (*flow.shape[:place], length - found, *flow.shape[place + 1 :])
    return np.concatenate([flow, np.zeros_like(flow, shape=gap)], axis)


def _folded_x(g: Gradient, factor: float, n: int, axis: int) -> Gradient:
    return _folded(g, factor, n, axis)


@op(x=_folded_x)
def _folded(x: Array, factor: float, n: int, axis: int) -> Array:
    """The conjugate of x, with some frequencies along the negative `axis` multiplied by `factor`:
    those that have a negative counterpart in the spectrum of a real signal of length `n`. These are
    all but the first and, if n is even, the middle one."""
    out = np.conjugate(x)
    out[_part(axis, 1, (n + 1) // 2)] *= factor
    return out


def _fft_x(g: Gradient, x_shape: Shape, axis: int, norm: Any) -> Gradient:
    (axis,) = negative_axes(axis, len(x_shape))
    return _sized(np.fft.fft(g, None, axis, norm), axis, x_shape[axis])


@op(x=_fft_x)
def fft(x: Array, n: int | None = None, axis: int = -1, norm: Any = None) -> Array:
    """The discrete Fourier transform along `axis`: sum over j of x[j] * exp(-2πi * j * k / n).

    x is truncated or zero-padded to `n` elements. `norm` says where the factor 1 / n is applied:
    "backward" (the default) in the inverse transform, "forward" in this one, and "ortho" in both,
    as 1 / sqrt(n).
    """
    check_axis("fft", axis, x)
    return np.fft.fft(x, n, axis, norm)


def _ifft_x(g: Gradient, x_shape: Shape, axis: int, norm: Any) -> Gradient:
    (axis,) = negative_axes(axis, len(x_shape))
    return _sized(np.fft.ifft(g, None, axis, norm), axis, x_shape[axis])


@op(x=_ifft_x)
def ifft(x: Array, n: int | None = None, axis: int = -1, norm: Any = None) -> Array:
    """The inverse of `fft`."""
    check_axis("ifft", axis, x)
    return np.fft.ifft(x, n, axis, norm)


def _rfft_x(g: Gradient, x_shape: Shape, n: int | None, axis: int, norm: Any) -> Gradient:
    (axis,) = negative_axes(axis, len(x_shape))
    n = x_shape[axis] if n is None else n
    half = _folded(g, 0.5, n, axis)
    return _sized(np.fft.irfft(half, n, axis, TURNED[norm]), axis, x_shape[axis])


@op(x=_rfft_x)
def rfft(x: Array, n: int | None = None, axis: int = -1, norm: Any = None) -> Array:
    """The first n // 2 + 1 frequencies of `fft` for real x. The other frequencies are the
    conjugates of these."""
    check_axis("rfft", axis, x)
    return np.fft.rfft(x, n, axis, norm)


def _irfft_x(g: Gradient, x_shape: Shape, out_shape: Shape, axis: int, norm: Any) -> Gradient:
    (axis,) = negative_axes(axis, len(x_shape))
    whole = np.fft.rfft(g, None, axis, TURNED[norm])
    return _sized(_folded(whole, 2.0, out_shape[axis], axis), axis, x_shape[axis])


@op(x=_irfft_x)
def irfft(x: Array, n: int | None = None, axis: int = -1, norm: Any = None) -> Array:
    """The real signal of length `n` whose `rfft` is x. For m frequencies, `n` is 2 * (m - 1) by
    default.

    The imaginary part of the first frequency and, if n is even, of the middle one is ignored.
    """
    check_axis("irfft", axis, x)
    return np.fft.irfft(x, n, axis, norm)


@composed
def hfft(x: Operand, n: int | None = None, axis: int = -1, norm: Any = None) -> Array:
    """The real spectrum, of length `n`, of a signal with Hermitian symmetry. x is the first half of
    the signal; the second half consists of conjugates of x."""
    return irfft(conjugate(x), n, axis, _turned(norm))


@composed
def ihfft(x: Operand, n: int | None = None, axis: int = -1, norm: Any = None) -> Array:
    """The inverse of `hfft`."""
    return conjugate(rfft(x, n, axis, _turned(norm)))


def _turned(norm: Any) -> Array:
    if norm not in TURNED:
        raise ShapeError(f"norm must be 'backward', 'ortho' or 'forward', not {norm!r}")
    return TURNED[norm]


# ---- several axes --------------------------------------------------------------------------------


def _plan(name: str, x: Array, s: Axes, axes: Axes) -> list[tuple[int | None, int]]:
    """A list of pairs (n, axis): n is the number of elements along `axis`, or None if it is
    unchanged."""
    if axes is None:
        axes = range(-(x.ndim if s is None else len(s)), 0)
    lengths = [None] * len(axes) if s is None else [None if n == -1 else n for n in s]
    if len(lengths) != len(axes):
        raise ShapeError(f"{name}: s and axes must have equal lengths; got s={s}, axes={axes}")
    check_axis(name, tuple(axes), x)
    return list(zip(lengths, axes, strict=True))


def _each(transform: Callable[..., Any], x: Array, plan: Any, norm: Any) -> Array:
    for n, axis in plan:
        x = transform(x, n, axis, norm)
    return x


@composed
def fftn(x: Operand, s: Axes = None, axes: Axes = None, norm: Any = None) -> Array:
    """`fft` along several `axes`. `s` holds the number of elements for each axis (-1: unchanged).
    By default all axes are transformed or, if `s` is given, the last ``len(s)``."""
    x = as_operand(x)
    return _each(fft, x, _plan("fftn", x, s, axes)[::-1], norm)


@composed
def ifftn(x: Operand, s: Axes = None, axes: Axes = None, norm: Any = None) -> Array:
    """The inverse of `fftn`."""
    x = as_operand(x)
    return _each(ifft, x, _plan("ifftn", x, s, axes)[::-1], norm)


@composed
def rfftn(x: Operand, s: Axes = None, axes: Axes = None, norm: Any = None) -> Array:
    """`fftn` for real x. Along the last of `axes`, only the first half of the frequencies is
    returned."""
    x = as_operand(x)
    *others, (n, axis) = _plan("rfftn", x, s, axes) or [(None, -1)]
    return _each(fft, rfft(x, n, axis, norm), others[::-1], norm)


@composed
def irfftn(x: Operand, s: Axes = None, axes: Axes = None, norm: Any = None) -> Array:
    """The inverse of `rfftn`. `s` holds the lengths of the result along `axes`; it is needed if the
    last of these lengths is odd."""
    x = as_operand(x)
    *others, (n, axis) = _plan("irfftn", x, s, axes) or [(None, -1)]
    return irfft(_each(ifft, x, others, norm), n, axis, norm)


@composed
def fft2(x: Operand, s: Axes = None, axes: Axes = (-2, -1), norm: Any = None) -> Array:
    """`fftn` along two axes."""
    return fftn(x, s, axes, norm)


@composed
def ifft2(x: Operand, s: Axes = None, axes: Axes = (-2, -1), norm: Any = None) -> Array:
    """`ifftn` along two axes."""
    return ifftn(x, s, axes, norm)


@composed
def rfft2(x: Operand, s: Axes = None, axes: Axes = (-2, -1), norm: Any = None) -> Array:
    """`rfftn` along two axes."""
    return rfftn(x, s, axes, norm)


@composed
def irfft2(x: Operand, s: Axes = None, axes: Axes = (-2, -1), norm: Any = None) -> Array:
    """`irfftn` along two axes."""
    return irfftn(x, s, axes, norm)


# ---- frequencies ---------------------------------------------------------------------------------


@composed
def fftshift(x: Operand, axes: int | Axes = None) -> Array:
    """x with the frequency 0 moved to the middle of each of `axes` (all by default)."""
    return _shifted(as_operand(x), axes, 1)


@composed
def ifftshift(x: Operand, axes: int | Axes = None) -> Array:
    """The inverse of `fftshift`."""
    return _shifted(as_operand(x), axes, -1)


def _shifted(x: Array, axes: int | Axes, sign: int) -> Array:
    if axes is None:
        axes = range(x.ndim)
    axes = (axes,) if isinstance(axes, int) else tuple(axes)
    check_axis("fftshift", axes, x)
    return roll(x, tuple(sign * (x.shape[axis] // 2) for axis in axes), axes)


@described
def fftfreq(n: int, d: float = 1.0, *, dtype: Any = None, device: str | None = None) -> Tensor:
    """The frequencies of `fft`, in cycles per unit of the spacing `d`, as a Tensor of shape
    (n,)."""
    return make(backend.asarray(np.fft.fftfreq(n, d), dtype, device), None)


@described
def rfftfreq(n: int, d: float = 1.0, *, dtype: Any = None, device: str | None = None) -> Tensor:
    """The frequencies of `rfft`, as a Tensor of shape (n // 2 + 1,)."""
    return make(backend.asarray(np.fft.rfftfreq(n, d), dtype, device), None)
