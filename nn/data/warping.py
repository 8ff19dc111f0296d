"""Transforms that read images between their pixels: random affine maps, elastic deformations.

Values between pixels are interpolated bilinearly; outside the image they are zero, as if it had a
border of zeros. Calculations are in float32, for float64 images in float64; uint8 results are
rounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_core.errors import ArgumentError
from nn.data.augmentation import Transform, calculated_in, checked_range
from nn.data.draws import Draws

__all__ = ["ElasticTransform", "RandomAffine"]

BLOCK = 1 << 14  # pixels read at once, few enough for their coordinates to stay in the cache


@dataclass
class RandomAffine(Transform):
    """Each image scaled, sheared and rotated about its centre, then translated.

    Values between pixels are interpolated bilinearly; outside the image they are zero. An argument
    that is None leaves a map out.

    Shapes: images (batch, height, width) or (batch, channels, height, width) → the same.

    Parameters
    ----------
    degrees : float or (float, float), default 0
        The range of the angle of rotation, clockwise. One number d is the range (-d, d).
    translate : (float, float), optional
        The largest shifts, as shares of the width and of the height in [0, 1]. Shifts are not
        rounded to whole pixels.
    scale : (float, float), optional
        The range of the factor, which is the same for both axes.
    shear : float, (float, float) or (float, float, float, float), optional
        The range of the angle along x, or four numbers for the ranges along x and along y. One
        number d is the range (-d, d).

    Raises
    ------
    ArgumentError
        If a range is not low ≤ high, `translate` is not two shares, a scale is not positive, or a
        shear is not between -90 and 90 degrees.
    DTypeError
        In a call, if the images are not an array of uint8 or floats, or `draws` are not `Draws`.
    ShapeError
        In a call, if the images have another number of axes, or `draws` another length.

    Examples
    --------
    >>> import numpy as np, nn
    >>> image = np.array([[[1, 2], [3, 4]]], np.uint8)
    >>> nn.RandomAffine(degrees=(90, 90))(image, nn.Draws(0, 0, [0]))
    array([[[3, 1],
            [4, 2]]], dtype=uint8)
    """

    degrees: Any = 0
    translate: Any = None
    scale: Any = None
    shear: Any = None

    def __post_init__(self) -> None:
        self.degrees = _angles("degrees", self.degrees)
        if self.translate is not None:
            if np.shape(self.translate) != (2,) or not all(0 <= a <= 1 for a in self.translate):
                raise ArgumentError(
                    "RandomAffine: translate is a pair of shares in [0, 1], of the width and the "
                    f"height, not {self.translate}"
                )
            self.translate = tuple(map(float, self.translate))
        if self.scale is not None:
            self.scale = checked_range("RandomAffine: scale", self.scale, 0)
            if not self.scale[0]:
                raise ArgumentError(f"RandomAffine: scale is positive, not {self.scale}")
        if self.shear is not None:
            self.shear = _shears(self.shear)

    def transformed(self, images: Any, draws: Draws) -> Any:
        """The images, each read at the places that its map moves to the pixels."""
        height, width = images.shape[2:]
        linear = self._inverses(draws)
        across, along = self.translate or (0.0, 0.0)
        shift = [draws.uniform(-across * width, across * width)]
        shift += [draws.uniform(-along * height, along * height)]
        dtype = calculated_in(images.dtype)
        x, y = np.arange(width) - (width - 1) / 2, np.arange(height) - (height - 1) / 2
        x = x - shift[0][:, None]  # (batch, width): columns, as seen from the moved centre
        y = y - shift[1][:, None]
        centres = (width - 1) / 2, (height - 1) / 2
        by_x = [(linear[:, i, 0, None] * x + centres[i]).astype(dtype) for i in (0, 1)]
        by_y = [(linear[:, i, 1, None] * y).astype(dtype) for i in (0, 1)]

        def places(block: slice) -> tuple[Any, Any]:
            columns, rows = (
                by_x[i][block, None, :] + by_y[i][block, :, None] for i in (0, 1)
            )  # a map of the plane is a sum of a function of x and one of y
            return rows, columns

        return _read(images, places)

    def _inverses(self, draws: Draws) -> Any:
        """The inverses of the linear maps of (x, y): (batch, 2, 2)."""
        angle = np.radians(draws.uniform(*self.degrees))
        factor = draws.uniform(*(self.scale or (1.0, 1.0)))
        ranges = self.shear or (0.0, 0.0, 0.0, 0.0)
        sx, sy = (np.radians(draws.uniform(*ranges[i : i + 2])) for i in (0, 2))
        # rotation by `angle` times [[1, 0], [-tan sy, 1]] times [[1, -tan sx], [0, 1]]
        a, c = np.cos(angle - sy) / np.cos(sy), np.sin(angle - sy) / np.cos(sy)
        b, d = -a * np.tan(sx) - np.sin(angle), -c * np.tan(sx) + np.cos(angle)
        return (np.array([[d, -b], [-c, a]]) / factor).transpose(2, 0, 1)


@dataclass
class ElasticTransform(Transform):
    """Each image bent by a random smooth field (Simard, Steinkraus and Platt, 2003).

    The displacements of each pixel, down and to the right, are numbers drawn uniformly from [-1,
    1], smoothed with a Gaussian that ends at 4 `sigma` and is mirrored at the borders, times
    `alpha`. Values between pixels are interpolated bilinearly; outside the image they are zero.

    Shapes: images (batch, height, width) or (batch, channels, height, width) → the same.

    Parameters
    ----------
    alpha : float
        The factor of the displacements, in pixels.
    sigma : float
        The deviation of the Gaussian, in pixels.

    Raises
    ------
    ArgumentError
        If `alpha` or `sigma` is negative or not finite.
    DTypeError
        In a call, if the images are not an array of uint8 or floats, or `draws` are not `Draws`.
    ShapeError
        In a call, if the images have another number of axes, or `draws` another length.

    Notes
    -----
    Simard et al. use alpha = 34 and sigma = 4 for digits of 28 by 28. The displacements of
    torchvision are half as long for the same `alpha`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> digits = np.ones((5, 28, 28), np.float32)
    >>> nn.ElasticTransform(alpha=34, sigma=4)(digits, nn.Draws(0, 0, range(5))).shape
    (5, 28, 28)
    """

    alpha: float
    sigma: float

    def __post_init__(self) -> None:
        for name, number in (("alpha", self.alpha), ("sigma", self.sigma)):
            if not 0 <= number < np.inf:
                raise ArgumentError(f"ElasticTransform: {name} is 0 or more, finite, not {number}")

    def transformed(self, images: Any, draws: Draws) -> Any:
        """The images, each read at its displaced pixels."""
        height, width = images.shape[2:]
        dtype = calculated_in(images.dtype)
        field = draws.uniform(-1, 1, size=(2, height, width)).astype(dtype)
        down, across = (_smoothing(length, self.sigma).astype(dtype) for length in (height, width))
        field = down @ (field @ across.T)
        field *= dtype.type(self.alpha)
        rows, columns = np.arange(height, dtype=dtype)[:, None], np.arange(width, dtype=dtype)

        def places(block: slice) -> tuple[Any, Any]:
            return field[block, 0] + rows, field[block, 1] + columns

        return _read(images, places)


def _angles(name: str, given: Any) -> tuple[float, float]:
    if np.ndim(given):
        return checked_range(f"RandomAffine: {name}", given)
    if not 0 <= given < np.inf:
        raise ArgumentError(
            f"RandomAffine: {name} is a range, or one number d ≥ 0 for (-d, d), not {given}"
        )
    return -float(given), float(given)


def _shears(given: Any) -> tuple[float, ...]:
    count = np.size(given)
    if np.ndim(given) and count not in (2, 4):
        raise ArgumentError(f"RandomAffine: shear is 1, 2 or 4 numbers, not {given!r}")
    along_x = _angles("shear", given if count != 4 else given[:2])
    along_y = _angles("shear", given[2:]) if count == 4 else (0.0, 0.0)
    ranges = along_x + along_y
    if max(map(abs, ranges)) >= 90:
        raise ArgumentError(f"RandomAffine: shear is between -90 and 90 degrees, not {given!r}")
    return ranges


def _smoothing(length: int, sigma: float) -> Any:
    """The matrix (length, length) that smooths a line of numbers with a Gaussian, mirrored at the
    centres of the first and last number."""
    if not sigma:
        return np.eye(length)
    radius = int(4 * sigma + 0.5)
    offsets = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    period = max(2 * (length - 1), 1)
    sources = np.abs(np.arange(length)[:, None] + offsets) % period
    sources = np.minimum(sources, period - sources) if length > 1 else 0 * sources
    matrix = np.zeros((length, length))
    np.add.at(matrix, (np.arange(length)[:, None], sources), weights / weights.sum())
    return matrix


def _blocks(count: int, pixels: int) -> Iterator[slice]:
    step = max(1, BLOCK // max(1, pixels))
    return (slice(i, min(i + step, count)) for i in range(0, count, step))


def _read(images: Any, places: Any) -> Any:
    """Images (batch, channels, height, width) between their pixels: `places` gives for a block of
    the batch the rows and the columns to read, each (block, height, width), in float32 or
    larger."""
    result = np.empty(images.shape, images.dtype)
    count, channels, height, width = images.shape
    dtype = calculated_in(images.dtype)
    tall, line = (
        height + 3,
        width + 3,
    )  # a border of 1 before and 2 after: pixels at the end have next ones
    for block in _blocks(count, height * width):
        part = images[block]
        padded = np.zeros((channels, len(part), tall, line), dtype)
        padded[:, :, 1 : height + 1, 1 : width + 1] = part.swapaxes(0, 1)
        rows, columns = places(block)
        row, down = _whole_and_rest(rows, height)
        column, right = _whole_and_rest(columns, width)
        first = row.astype(np.intp)  # float32 is exact only up to 2²⁴
        first *= line
        first += column.astype(np.intp)
        first += tall * line * np.arange(len(part))[:, None, None]
        for channel in range(channels):
            flat = padded[channel].ravel()
            top = _line(flat, first, right)
            bottom = _line(flat[line:], first, right)
            bottom -= top
            bottom *= down
            bottom += top
            if result.dtype.kind == "u":
                np.rint(bottom, out=bottom)
            result[block, channel] = bottom
    return result


def _whole_and_rest(places: Any, length: int) -> tuple[Any, Any]:
    """Where the padded line is read: the place of the pixel before, and the distance from it.
    Places beyond the border are moved to it. In place."""
    places += 1
    np.maximum(places, 0, out=places)
    np.minimum(places, length + 1, out=places)
    whole = np.floor(places)
    places -= whole
    return whole, places


def _line(flat: Any, first: Any, right: Any) -> Any:
    """Between the pixels `first` and the ones to the right of them."""
    start = flat.take(first, mode="clip")
    stop = flat[1:].take(first, mode="clip")
    stop -= start
    stop *= right
    stop += start
    return stop
