"""Transforms of a batch of images: flips, crops, erased rectangles, normalisation.

A transform is called as ``transform(images, draws)``. The images are an array on the host of shape
(batch, height, width) or (batch, channels, height, width) and dtype uint8 or a float dtype, which
the result has too. `draws` has the random numbers of the examples (`Draws`). The input is not
modified. Any function with this signature can stand beside these in a `Compose`. Names and
arguments are those of torchvision; random numbers are drawn for each image of the batch.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_core.errors import ArgumentError, DTypeError, ShapeError
from nn.data.draws import Draws
from nn.describing import like

__all__ = [
    "Compose",
    "Normalize",
    "RandomCrop",
    "RandomErasing",
    "RandomHorizontalFlip",
    "RandomVerticalFlip",
]

ATTEMPTS = 10  # rectangles that RandomErasing draws for an image, as in torchvision


class Transform:
    """The base class of the transforms here: checks the arguments of a call.

    `transformed` gets images of shape (batch, channels, height, width).

    Raises
    ------
    DTypeError
        In a call, if the images are not an array of uint8 or floats, or `draws` are not `Draws`.
    ShapeError
        In a call, if the images have another number of axes, or `draws` another length.
    """

    def __call__(self, images: Any, draws: Draws) -> Any:
        name = type(self).__name__
        checked_images(name, images)
        if not isinstance(draws, Draws):
            raise DTypeError(
                f"{name}: draws is a {type(draws).__name__}; pass Draws(seed, epoch, i)"
            )
        if len(draws) != len(images):
            raise ShapeError(f"{name}: {len(images)} images, but draws for {len(draws)}")
        result = self.transformed(images[:, None] if images.ndim == 3 else images, draws)
        return result[:, 0] if images.ndim == 3 else result

    def transformed(self, images: Any, draws: Draws) -> Any:
        """The new images, for images of shape (batch, channels, height, width)."""
        raise NotImplementedError


class Compose:
    """The transforms of a list, one after the other. They share the draws.

    Parameters
    ----------
    transforms : sequence of callables
        Functions of ``(images, draws)``, such as ``RandomHorizontalFlip()``.

    Raises
    ------
    ArgumentError
        If an entry cannot be called, or is a class.

    Examples
    --------
    >>> import numpy as np, nn
    >>> prepare = nn.Compose([nn.RandomCrop(28, padding=2), nn.RandomHorizontalFlip()])
    >>> prepare(np.ones((5, 28, 28), np.float32), nn.Draws(0, 0, range(5))).shape
    (5, 28, 28)

    A `DataLoader` calls it with the images of each batch:

    >>> data = nn.TensorDataset(np.ones((5, 28, 28), np.float32), np.arange(5))
    >>> loader = nn.DataLoader(data, batch_size=5, transform=(prepare, None), generator=0)
    >>> [x.shape for x, y in loader]
    [(5, 28, 28)]
    """

    def __init__(self, transforms: Sequence[Callable[..., Any]]) -> None:
        self.transforms = list(transforms)
        for i, transform in enumerate(self.transforms):
            if not callable(transform) or isinstance(transform, type):
                raise ArgumentError(
                    f"Compose: transform {i} is {transform!r}; expected a function of "
                    "(images, draws), such as RandomHorizontalFlip()"
                )

    def __call__(self, images: Any, draws: Draws) -> Any:
        for transform in self.transforms:
            images = transform(images, draws)
        return images

    def __repr__(self) -> str:
        return f"Compose({self.transforms})"


@like(Transform)
@dataclass
class RandomHorizontalFlip(Transform):
    """Each image, with left and right exchanged with probability `p`.

    Shapes: images (batch, height, width) or (batch, channels, height, width) → the same.

    Parameters
    ----------
    p : float, default 0.5
        The probability of the exchange.

    Raises
    ------
    ArgumentError
        If `p` is not in [0, 1].
    DTypeError
        In a call, if the images are not an array of uint8 or floats, or `draws` are not `Draws`.
    ShapeError
        In a call, if the images have another number of axes, or `draws` another length.

    Examples
    --------
    >>> import numpy as np, nn
    >>> images = np.array([[[1, 2, 3]]] * 3, np.uint8)
    >>> nn.RandomHorizontalFlip()(images, nn.Draws(1, 0, range(3))).tolist()
    [[[3, 2, 1]], [[1, 2, 3]], [[3, 2, 1]]]
    """

    p: float = 0.5

    def __post_init__(self) -> None:
        check_probability("RandomHorizontalFlip", self.p)

    def transformed(self, images: Any, draws: Draws) -> Any:
        """The images, some of them reversed along the last axis."""
        return _reversed(images, draws.bernoulli(self.p), np.s_[..., ::-1])


@like(RandomHorizontalFlip)
@dataclass
class RandomVerticalFlip(Transform):
    """Each image, with top and bottom exchanged with probability `p`.

    Shapes: images (batch, height, width) or (batch, channels, height, width) → the same.

    Examples
    --------
    >>> import numpy as np, nn
    >>> images = np.array([[[1], [2], [3]]] * 3, np.uint8)
    >>> nn.RandomVerticalFlip()(images, nn.Draws(1, 0, range(3)))[:, :, 0].tolist()
    [[3, 2, 1], [1, 2, 3], [3, 2, 1]]
    """

    p: float = 0.5

    def __post_init__(self) -> None:
        check_probability("RandomVerticalFlip", self.p)

    def transformed(self, images: Any, draws: Draws) -> Any:
        """The images, some of them reversed along the axis of rows."""
        return _reversed(images, draws.bernoulli(self.p), np.s_[..., ::-1, :])


@dataclass
class RandomCrop(Transform):
    """A part of each image, at a random place, with or without a border around the image.

    ``RandomCrop(28, padding=2)`` shifts images of 28 by 28 by up to 2 pixels.

    Shapes: images (batch, height, width) or (batch, channels, height, width) → the same, with the
    height and width of `size`.

    Parameters
    ----------
    size : int or (int, int)
        Height and width of the part; one number for both.
    padding : int, (int, int) or (int, int, int, int), default 0
        The width of the border in pixels: one number, (left and right, top and bottom), or (left,
        top, right, bottom).
    fill : float, default 0.0
        The value of the pixels of the border.

    Raises
    ------
    ArgumentError
        If `size` or `padding` are not 1 or more (0 or more) integers of these numbers.
    ShapeError
        In a call, if the images with their border are smaller than `size`, have another number of
        axes, or `draws` another length.
    DTypeError
        In a call, if the images are not an array of uint8 or floats, or `draws` are not `Draws`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> image = np.arange(16, dtype=np.uint8).reshape(1, 4, 4)
    >>> nn.RandomCrop(2)(image, nn.Draws(0, 0, [0]))
    array([[[ 9, 10],
            [13, 14]]], dtype=uint8)
    """

    size: Any
    padding: Any = 0
    fill: float = 0.0

    def __post_init__(self) -> None:
        self.size = _integers("size", self.size, (1, 2), 1)
        if len(self.size) == 1:
            self.size *= 2
        self.padding = _integers("padding", self.padding, (1, 2, 4), 0)
        self.padding *= 4 // len(self.padding)

    def transformed(self, images: Any, draws: Draws) -> Any:
        """The parts: (batch, channels, *size)."""
        left, top, right, bottom = self.padding
        height, width = images.shape[2] + top + bottom, images.shape[3] + left + right
        rows, columns = height - self.size[0] + 1, width - self.size[1] + 1  # places for a corner
        if rows < 1 or columns < 1:
            raise ShapeError(
                f"RandomCrop: size {self.size} is larger than the padded images, "
                f"({height}, {width})"
            )
        if any(self.padding):
            padded = np.full((*images.shape[:2], height, width), self.fill, images.dtype)
            padded[:, :, top : height - bottom, left : width - right] = images
            images = padded
        down, across = draws.integers(0, rows), draws.integers(0, columns)
        parts = np.lib.stride_tricks.sliding_window_view(images, self.size, (2, 3))
        return parts[np.arange(len(images)), :, down, across]


@dataclass
class RandomErasing(Transform):
    """Each image, with a random rectangle set to `value` with probability `p` (Zhong et al., 2020).

    An image stays as it is if none of 10 rectangles that are drawn is smaller than it.

    Shapes: images (batch, height, width) or (batch, channels, height, width) → the same.

    Parameters
    ----------
    p : float, default 0.5
        The probability that an image has a rectangle.
    scale : (float, float), default (0.02, 0.33)
        The range of the area of the rectangle, as a share of the area of the image.
    ratio : (float, float), default (0.3, 3.3)
        The range of its height divided by its width, uniform in the logarithm.
    value : float, default 0.0
        The value of the pixels of the rectangle.

    Raises
    ------
    ArgumentError
        If `p` is not in [0, 1], or a range is not two numbers low ≤ high, of [0, 1] for `scale` and
        positive for `ratio`.
    DTypeError
        In a call, if the images are not an array of uint8 or floats, or `draws` are not `Draws`.
    ShapeError
        In a call, if the images have another number of axes, or `draws` another length.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.RandomErasing(p=1.0)(np.ones((1, 5, 5), np.uint8), nn.Draws(0, 0, [0]))[0]
    array([[1, 1, 1, 1, 1],
           [1, 0, 0, 0, 1],
           [1, 0, 0, 0, 1],
           [1, 1, 1, 1, 1],
           [1, 1, 1, 1, 1]], dtype=uint8)
    """

    p: float = 0.5
    scale: tuple[float, float] = (0.02, 0.33)
    ratio: tuple[float, float] = (0.3, 3.3)
    value: float = 0.0

    def __post_init__(self) -> None:
        check_probability("RandomErasing", self.p)
        self.scale = checked_range("RandomErasing: scale", self.scale, 0, 1)
        self.ratio = checked_range("RandomErasing: ratio", self.ratio, 0)
        if not self.ratio[0]:
            raise ArgumentError(f"RandomErasing: ratio is positive, not {self.ratio}")

    def transformed(self, images: Any, draws: Draws) -> Any:
        """The images, with a rectangle of some of them set to `value`."""
        height, width = images.shape[2:]
        chosen = draws.bernoulli(self.p)
        area = height * width * draws.uniform(*self.scale, size=ATTEMPTS)
        low, high = map(math.log, self.ratio)
        ratio = np.exp(draws.uniform(low, high, size=ATTEMPTS))
        tall, wide = np.rint(np.sqrt(area * ratio)), np.rint(np.sqrt(area / ratio))
        fits = (tall < height) & (wide < width)
        each, first = np.arange(len(images)), fits.argmax(axis=1)
        tall, wide = tall[each, first], wide[each, first]
        top = np.floor(draws.uniform() * (height - tall + 1))
        left = np.floor(draws.uniform() * (width - wide + 1))
        rows = _between(np.arange(height), top, top + tall)
        columns = _between(np.arange(width), left, left + wide)
        rows &= (chosen & fits.any(axis=1))[:, None]
        erased = rows[:, None, :, None] & columns[:, None, None, :]
        return np.where(erased, images.dtype.type(self.value), images)


class Normalize:
    """The images minus a mean, divided by a deviation, for each channel: (images - mean) / std.

    Nothing is drawn: `draws` may be left out in a call.

    Shapes: images (batch, height, width) or (batch, channels, height, width) → the same.

    Parameters
    ----------
    mean : float or sequence of float
        The number to subtract, or one for each channel.
    std : float or sequence of float
        The number to divide by, or one for each channel.

    Raises
    ------
    ArgumentError
        If a number is not finite, or `std` is 0.
    DTypeError
        In a call, if the images are not an array of floats.
    ShapeError
        In a call, if the images have another number of channels or of axes.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.Normalize(0.5, 0.25)(np.full((1, 1, 2), 0.75))
    array([[[1., 1.]]])
    """

    def __init__(self, mean: float | Sequence[float], std: float | Sequence[float]) -> None:
        self.mean, self.std = _channels("mean", mean), _channels("std", std)
        if not self.std.all():
            raise ArgumentError(f"Normalize: std is not 0; it is {std}")

    def __call__(self, images: Any, draws: Draws | None = None) -> Any:
        checked_images("Normalize", images)
        if images.dtype.kind != "f":
            raise DTypeError(
                f"Normalize needs floats, not {images.dtype}; write images.astype(np.float32) / 255"
            )
        channels = 1 if images.ndim == 3 else images.shape[1]
        for name, numbers in (("mean", self.mean), ("std", self.std)):
            if len(numbers) not in (1, channels):
                raise ShapeError(
                    f"Normalize: {name} has {len(numbers)} numbers, for {channels} channels"
                )
        dtype = calculated_in(images.dtype)
        mean, std = (each.astype(dtype)[:, None, None] for each in (self.mean, self.std))
        if images.ndim == 3:
            mean, std = mean[0], std[0]
        return ((images - mean) / std).astype(images.dtype, copy=False)

    def __repr__(self) -> str:
        return f"Normalize(mean={self.mean.tolist()}, std={self.std.tolist()})"


def checked_images(name: str, images: Any) -> None:
    """Raise DTypeError or ShapeError for what is not a batch of images on the host."""
    if not isinstance(images, np.ndarray):
        raise DTypeError(
            f"{name}: images is a {type(images).__name__}; expected a NumPy array, such as "
            "tensor.numpy()"
        )
    if images.dtype.kind != "f" and images.dtype != np.uint8:
        raise DTypeError(f"{name}: images are uint8 or floats, not {images.dtype}")
    if images.ndim not in (3, 4):
        raise ShapeError(
            f"{name}: images need the shape (batch, height, width) or (batch, channels, height, "
            f"width), not {images.shape}"
        )


def calculated_in(dtype: Any) -> Any:
    """The dtype for calculations with images of `dtype`: float32, or a larger float dtype."""
    return np.result_type(dtype, np.float32) if dtype.kind == "f" else np.dtype(np.float32)


def check_probability(name: str, p: Any) -> None:
    """Raise ArgumentError unless `p` is in [0, 1]."""
    if not 0 <= p <= 1:
        raise ArgumentError(f"{name}: p is a probability in [0, 1], not {p}")


def checked_range(
    name: str, given: Any, least: float = -math.inf, most: float = math.inf
) -> tuple[float, float]:
    """The pair (low, high) of floats with least ≤ low ≤ high ≤ most. Raises ArgumentError for
    anything else."""
    try:
        low, high = map(float, given)
    except (TypeError, ValueError):
        raise ArgumentError(f"{name} is a pair of numbers (low, high), not {given!r}") from None
    if not (least <= low <= high <= most and math.isfinite(low) and math.isfinite(high)):
        raise ArgumentError(f"{name} needs {least} ≤ low ≤ high ≤ {most}, both finite, not {given}")
    return low, high


def _reversed(images: Any, chosen: Any, other_way: Any) -> Any:
    result = images.copy()
    result[chosen] = images[chosen][other_way]
    return result


def _integers(name: str, given: Any, lengths: tuple[int, ...], least: int) -> tuple[int, ...]:
    """One or more integers as a tuple; raises ArgumentError for others than allowed."""
    try:
        found = tuple(map(operator.index, given if isinstance(given, Sequence) else (given,)))
    except TypeError:
        raise ArgumentError(f"RandomCrop: {name} is an integer or several, not {given!r}") from None
    if len(found) not in lengths or min(found) < least:
        counts = " or ".join(map(str, lengths))
        raise ArgumentError(
            f"RandomCrop: {name} is {counts} integers of {least} or more, not {given!r}"
        )
    return found


def _between(places: Any, start: Any, stop: Any) -> Any:
    """For places (length,) and bounds (batch,): whether start ≤ place < stop, (batch, length)."""
    return (places >= start[:, None]) & (places < stop[:, None])


def _channels(name: str, numbers: Any) -> Any:
    found = np.atleast_1d(np.asarray(numbers, np.float64))
    if found.ndim != 1 or not found.size or not np.isfinite(found).all():
        raise ArgumentError(f"Normalize: {name} is a finite number, or one a channel: {numbers!r}")
    return found
