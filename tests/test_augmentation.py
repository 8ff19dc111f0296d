"""Augmentation, compared with the same for one image at a time."""

import itertools
import math
import time

import numpy as np
import pytest
from scipy import ndimage

import autograd_core as ac
import nn
from autograd_core.errors import ArgumentError, AutogradError, DTypeError, ShapeError
from tests.host import assert_close, assert_equal

GENERATOR = np.random.default_rng(0)
RANDOM = [
    nn.RandomHorizontalFlip(),
    nn.RandomVerticalFlip(0.3),
    nn.RandomCrop((9, 11), padding=(3, 1)),
    nn.RandomAffine(40, (0.2, 0.1), (0.7, 1.4), (-10, 20, -5, 8)),
    nn.ElasticTransform(10, 2),
    nn.RandomErasing(0.7),
    nn.Compose([nn.RandomCrop(8), nn.RandomVerticalFlip(), nn.RandomAffine(20)]),
]
NAMES = [type(transform).__name__ for transform in RANDOM]


def images(*shape, dtype=np.float32):
    if dtype == np.uint8:
        return GENERATOR.integers(0, 256, shape, np.uint8)
    return GENERATOR.random(shape).astype(dtype)


def draws(count, seed=1):
    return nn.Draws(seed, 0, np.arange(count))


@pytest.mark.parametrize("transform", RANDOM, ids=NAMES)
@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("channels", [(), (1,), (3,)], ids=["none", "one", "three"])
def test_laws(transform, dtype, channels):
    """The dtype and the axes are kept, the input is not modified, and an image gets the same result
    in every batch."""
    x = images(30, *channels, 12, 15, dtype=dtype)
    before = x.copy()
    x.flags.writeable = False
    made = transform(x, draws(30))
    assert made.dtype == x.dtype
    assert made.shape[:-2] == x.shape[:-2]
    assert_equal(x, before)
    assert not np.array_equal(made[: len(x)], x)
    order = GENERATOR.permutation(30)
    for rows in np.split(order, [1, 7]):
        assert_equal(transform(x[rows], nn.Draws(1, 0, rows)), made[rows])
    assert_equal(transform(x[:0], draws(0)), made[:0])
    if channels:
        assert_equal(transform(x[:, 0], draws(30)), made[:, 0])


@pytest.mark.parametrize("transform", RANDOM, ids=NAMES)
def test_input_in_any_memory_order(transform):
    x = images(4, 3, 12, 15)
    for other in (np.asfortranarray(x), x[:, ::-1, ::-1][:, ::-1, ::-1], x.astype(">f4")):
        assert_equal(transform(other, draws(4)), transform(x, draws(4)))


@pytest.mark.parametrize(
    ("transform", "flipped"),
    [
        (nn.RandomHorizontalFlip, lambda image: image[:, ::-1]),
        (nn.RandomVerticalFlip, lambda image: image[::-1]),
    ],
)
def test_flips(transform, flipped):
    x = images(200, 4, 5)
    made = transform(0.25)(x, draws(200))
    chosen = draws(200).bernoulli(0.25)
    for image, new, is_chosen in zip(x, made, chosen, strict=True):
        assert_equal(new, flipped(image) if is_chosen else image)
    assert_equal(transform(0)(x, draws(200)), x)
    assert_equal(transform(1)(x, draws(200)), [flipped(image) for image in x])


@pytest.mark.parametrize(
    ("size", "padding", "sides"),
    [
        (6, 0, (0, 0, 0, 0)),
        ((8, 10), 0, (0, 0, 0, 0)),
        ((8, 10), 2, (2, 2, 2, 2)),
        ((10, 3), (1, 2), (1, 2, 1, 2)),
        ((3, 4), [1, 2, 3, 0], (1, 2, 3, 0)),
    ],
)
def test_crops(size, padding, sides):
    x = images(60, 2, 8, 10)
    made = nn.RandomCrop(size, padding)(x, draws(60))
    left, top, right, bottom = sides
    tall, wide = (size, size) if isinstance(size, int) else size
    same = draws(60)
    down = same.integers(0, 8 + top + bottom - tall + 1)
    across = same.integers(0, 10 + left + right - wide + 1)
    for image, new, i, j in zip(x, made, down, across, strict=True):
        padded = np.pad(image, ((0, 0), (top, bottom), (left, right)))
        assert_equal(new, padded[:, i : i + tall, j : j + wide])


def test_every_crop_occurs():
    x = np.arange(25.0).reshape(1, 5, 5).repeat(500, axis=0)
    corners = nn.RandomCrop(3)(x, draws(500))[:, 0, 0]
    assert set(corners) == {5.0 * i + j for i, j in itertools.product(range(3), repeat=2)}


AFFINE = [
    {"degrees": 30},
    {"degrees": (60, 170)},
    {"translate": (0.3, 0.1)},
    {"scale": (0.5, 2)},
    {"shear": 30},
    {"shear": (10, 40)},
    {"shear": (-20, 20, 5, 35)},
    {"degrees": 180, "translate": (1, 1), "scale": (0.2, 5), "shear": (-40, 40, -40, 40)},
]


def affine(image, angle, factor, shear, shift):
    """One image, by the product of the maps of (y, x), and SciPy's interpolation."""
    angle, sx, sy = np.radians([angle, *shear])
    rotation = [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    along_x, along_y = [[1, 0], [-np.tan(sx), 1]], [[1, -np.tan(sy)], [0, 1]]
    forward = factor * np.array(rotation) @ along_y @ along_x
    centre = (np.array(image.shape) - 1) / 2
    inverse = np.linalg.inv(forward)
    offset = centre - inverse @ (centre + shift[::-1])
    return ndimage.affine_transform(image, inverse, offset, order=1, mode="grid-constant")


@pytest.mark.parametrize("settings", AFFINE, ids=lambda settings: "-".join(settings))
@pytest.mark.parametrize("shape", [(9, 14), (28, 28), (1, 5)])
def test_affine_maps(settings, shape):
    x = images(40, *shape, dtype=np.float64)
    transform = nn.RandomAffine(**settings)
    made = transform(x, draws(40))
    same, shear = draws(40), transform.shear or (0, 0, 0, 0)
    angle, factor = same.uniform(*transform.degrees), same.uniform(*(transform.scale or (1, 1)))
    sx, sy = same.uniform(*shear[:2]), same.uniform(*shear[2:])
    most = np.array(transform.translate or (0, 0)) * shape[::-1]
    shift = np.stack([same.uniform(-each, each) for each in most], axis=1)
    for i, image in enumerate(x):
        expected = affine(image, angle[i], factor[i], (sx[i], sy[i]), shift[i])
        assert_close(made[i], expected, rtol=0, atol=1e-9)
    single = transform(x.astype(np.float32), draws(40))
    assert_close(single, made, rtol=0, atol=1e-4)


def test_affine_maps_of_bytes_are_rounded():
    x = images(20, 3, 12, 12, dtype=np.uint8)
    transform = nn.RandomAffine(30, scale=(0.8, 1.2))
    exact = transform(x.astype(np.float64), draws(20))
    assert abs(transform(x, draws(20)) - exact).max() < 0.5001


@pytest.mark.parametrize(("angle", "turns"), [(0, 0), (90, -1), (180, 2), (-90, 1)])
def test_right_angles_are_clockwise(angle, turns):
    x = images(3, 2, 11, 11)
    made = nn.RandomAffine((angle, angle))(x, draws(3))
    assert_close(made, np.rot90(x, turns, (2, 3)), rtol=0, atol=1e-5)


def test_large_images():
    """More pixels than float32 counts exactly."""
    x = np.zeros((1, 1, 4200, 4200), np.uint8)
    x[..., -3:, -3:] = 200
    assert_equal(nn.RandomAffine(0)(x, draws(1)), x)


@pytest.mark.parametrize("shape", [(28, 28), (9, 14), (1, 6), (2, 2)])
@pytest.mark.parametrize(("alpha", "sigma"), [(34, 4), (5, 0.7), (2, 0)])
def test_elastic_deformations(shape, alpha, sigma):
    x = images(6, *shape, dtype=np.float64)
    made = nn.ElasticTransform(alpha, sigma)(x, draws(6))
    fields = draws(6).uniform(-1, 1, (2, *shape))
    for image, new, field in zip(x, made, fields, strict=True):
        smooth = [ndimage.gaussian_filter(part, sigma, mode="mirror") for part in field]
        at = np.indices(shape) + alpha * np.array(smooth)
        expected = ndimage.map_coordinates(image, at, order=1, mode="grid-constant")
        assert_close(new, expected, rtol=0, atol=1e-9)
    assert_equal(nn.ElasticTransform(0, 4)(x, draws(6)), x)


def erased(shape, draw, i, scale, ratio):
    """The rows and columns that are erased, by torchvision's loop, or None."""
    chosen, areas, ratios, top, left = draw
    for attempt in range(10):
        area = math.prod(shape) * (scale[0] + (scale[1] - scale[0]) * areas[i, attempt])
        low, high = map(math.log, ratio)
        relation = math.exp(low + (high - low) * ratios[i, attempt])
        tall, wide = round(math.sqrt(area * relation)), round(math.sqrt(area / relation))
        if tall < shape[0] and wide < shape[1]:
            i0, j0 = int(top[i] * (shape[0] - tall + 1)), int(left[i] * (shape[1] - wide + 1))
            return (slice(i0, i0 + tall), slice(j0, j0 + wide)) if chosen[i] else None
    return None


@pytest.mark.parametrize("settings", [{}, {"p": 1, "scale": (0.5, 1)}, {"ratio": (1, 1), "p": 0.2}])
def test_erased_rectangles(settings):
    x, shape = images(300, 2, 12, 17), (12, 17)
    transform = nn.RandomErasing(**settings, value=0.5)
    made = transform(x, draws(300))
    same = draws(300)
    draw = same.bernoulli(transform.p), *(same.uniform(size=10) for _ in range(2))
    draw = *draw, same.uniform(), same.uniform()
    for i, (image, new) in enumerate(zip(x, made, strict=True)):
        expected = image.copy()
        if place := erased(shape, draw, i, transform.scale, transform.ratio):
            expected[:, *place] = 0.5
        assert_equal(new, expected)


def test_nothing_is_erased_where_no_rectangle_fits():
    x = images(5, 1, 1)
    assert_equal(nn.RandomErasing(1)(x, draws(5)), x)


def test_normalize():
    x = images(5, 3, 4, 4)
    mean, std = np.array([0.4, 0.5, 0.6]), np.array([0.2, 0.3, 0.4])
    made = nn.Normalize(mean.tolist(), std.tolist())(x, None)
    assert_close(made, (x - mean[:, None, None]) / std[:, None, None], rtol=1e-5, atol=1e-6)
    assert made.dtype == np.float32
    assert_close(nn.Normalize(0.5, 2)(x[:, 0]), (x[:, 0] - 0.5) / 2, rtol=1e-6)
    half = nn.Normalize([0.5], [2])(x.astype(np.float16))
    assert half.dtype == np.float16


def test_compose_shares_the_draws():
    x = images(9, 12, 12)
    crop, turn = nn.RandomCrop(8), nn.RandomAffine(30)
    same = draws(9)
    assert_equal(nn.Compose([crop, turn])(x, draws(9)), turn(crop(x, same), same))
    assert nn.Compose([])(x, draws(9)) is x
    brighter = nn.Compose([lambda x, draws: x + draws.uniform()[:, None, None]])
    assert_equal(brighter(x, draws(9)), x + draws(9).uniform()[:, None, None])


def test_transforms_print_their_settings():
    crop = nn.RandomCrop(28, padding=2)
    assert repr(crop) == "RandomCrop(size=(28, 28), padding=(2, 2, 2, 2), fill=0.0)"
    assert repr(nn.Compose([crop, nn.Normalize(0, 1)])) == (
        f"Compose([{crop!r}, Normalize(mean=[0.0], std=[1.0])])"
    )


X = images(4, 3, 8, 8)
RGB = [0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    ("make", "error", "told"),
    [
        (lambda: nn.RandomHorizontalFlip(1.5), ArgumentError, r"RandomHorizontalFlip: p .* 1\.5"),
        (lambda: nn.RandomVerticalFlip(-0.1), ArgumentError, r"in \[0, 1\], not -0\.1"),
        (lambda: nn.RandomErasing(np.nan), ArgumentError, "p is a probability"),
        (lambda: nn.RandomErasing(0.5, (0.3, 0.2)), ArgumentError, "scale needs 0 ≤ low ≤ high"),
        (lambda: nn.RandomErasing(0.5, (0.3, 2)), ArgumentError, "scale needs"),
        (lambda: nn.RandomErasing(0.5, 0.3), ArgumentError, r"scale is a pair .* not 0\.3"),
        (lambda: nn.RandomErasing(0.5, ratio=(0, 1)), ArgumentError, "ratio is positive"),
        (lambda: nn.RandomCrop(0), ArgumentError, "size is 1 or 2 integers of 1 or more, not 0"),
        (lambda: nn.RandomCrop(2.5), ArgumentError, r"size is an integer or several, not 2\.5"),
        (lambda: nn.RandomCrop((1, 2, 3)), ArgumentError, "size is 1 or 2"),
        (lambda: nn.RandomCrop(2, -1), ArgumentError, "padding is 1 or 2 or 4"),
        (lambda: nn.RandomCrop(2, (1, 2, 3)), ArgumentError, "padding"),
        (lambda: nn.RandomCrop(()), ArgumentError, "size is 1 or 2"),
        (lambda: nn.RandomCrop(9)(X, draws(4)), ShapeError, r"\(9, 9\) is larger .* \(8, 8\)"),
        (lambda: nn.RandomCrop((8, 13), 2)(X, draws(4)), ShapeError, r"\(12, 12\)"),
        (lambda: nn.RandomAffine(-3), ArgumentError, r"degrees is a range, or one number d ≥ 0"),
        (lambda: nn.RandomAffine((1, 2, 3)), ArgumentError, "degrees is a pair"),
        (lambda: nn.RandomAffine((3, 2)), ArgumentError, "low ≤ high"),
        (lambda: nn.RandomAffine(0, (0.5, 1.5)), ArgumentError, "translate is a pair of shares"),
        (lambda: nn.RandomAffine(0, (0.5,)), ArgumentError, "translate is a pair of shares"),
        (lambda: nn.RandomAffine(0, 0.5), ArgumentError, "translate is a pair of shares"),
        (lambda: nn.RandomAffine(0, None, (0, 1)), ArgumentError, "scale is positive"),
        (lambda: nn.RandomAffine(0, shear=(1, 2, 3)), ArgumentError, "shear is 1, 2 or 4"),
        (lambda: nn.RandomAffine(0, shear=90), ArgumentError, "between -90 and 90"),
        (lambda: nn.ElasticTransform(-1, 2), ArgumentError, "alpha is 0 or more"),
        (lambda: nn.ElasticTransform(1, np.inf), ArgumentError, "sigma is 0 or more"),
        (lambda: nn.Normalize(0, 0), ArgumentError, "std is not 0"),
        (lambda: nn.Normalize(RGB, [1, 0, 1]), ArgumentError, "std is not 0"),
        (lambda: nn.Normalize(np.nan, 1), ArgumentError, "mean is a finite number"),
        (lambda: nn.Normalize([], 1), ArgumentError, "mean is a finite number"),
        (lambda: nn.Normalize(RGB[:2], 1)(X), ShapeError, "mean has 2 numbers, for 3 channels"),
        (lambda: nn.Normalize(0, RGB)(X[:, 0]), ShapeError, "std has 3 numbers, for 1 channels"),
        (lambda: nn.Normalize(0, 1)(X.astype(np.uint8)), DTypeError, "float32. / 255"),
        (lambda: nn.Compose([nn.RandomVerticalFlip]), ArgumentError, "transform 0 is <class"),
        (lambda: nn.Compose([nn.RandomVerticalFlip(), 3]), ArgumentError, "transform 1 is 3"),
    ],
)
def test_what_is_refused(make, error, told):
    with pytest.raises(error, match=told):
        make()


@pytest.mark.parametrize("transform", [*RANDOM, nn.Normalize(0, 1)], ids=[*NAMES, "Normalize"])
def test_what_is_not_a_batch_of_images_is_refused(transform):
    for x, told in [
        (X[0, 0], r"need the shape .* not \(8, 8\)"),
        (X[None], "need the shape"),
        (X.astype(int), "uint8 or floats, not int64"),
        (X > 0.5, "not bool"),
        (X.tolist(), "images is a list"),
        (ac.Tensor(X), r"images is a Tensor; .* tensor\.numpy"),
    ]:
        with pytest.raises(AutogradError, match=told):
            transform(x, draws(len(x)))


@pytest.mark.parametrize("transform", RANDOM, ids=NAMES)
def test_draws_of_other_examples_are_refused(transform):
    with pytest.raises(ShapeError, match="4 images, but draws for 3"):
        transform(X.repeat(2, axis=2).repeat(2, axis=3), draws(3))
    with pytest.raises(DTypeError, match=r"draws is a Generator; pass Draws\(seed"):
        transform(X.repeat(2, axis=2).repeat(2, axis=3), GENERATOR)


@pytest.mark.parametrize(
    ("transform", "milliseconds"),
    [(nn.RandomAffine(15, (0.1, 0.1), (0.9, 1.1), 10), 8), (nn.RandomCrop(28, padding=2), 1)],
    ids=["RandomAffine", "RandomCrop"],
)
def test_time_for_256_digits(transform, milliseconds):
    """Measured: 3.1 and 0.3."""
    x, seconds = images(256, 28, 28), []
    for _ in range(30):
        start = time.perf_counter()
        transform(x, draws(256))
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < milliseconds / 1000
