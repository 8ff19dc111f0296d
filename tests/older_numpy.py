"""What newer versions of NumPy have, in the words of NumPy 2.0: what the op table compares with.

Where the installed NumPy has a function it is the reference itself; these stand in for it where it
is missing or takes less, so that every row is tested with every NumPy that is supported.
"""

from operator import attrgetter

import numpy as np

RELEASE = tuple(int(part) for part in np.__version__.split(".")[:2])


def cumulative(accumulate, first):
    """cumulative_sum or cumulative_prod, which may have an element in front."""

    def reference(x, axis, include_initial):
        found = accumulate(x, axis=axis)
        if not include_initial:
            return found
        shape = list(found.shape)
        shape[axis] = 1
        return np.concatenate([np.full(shape, first, found.dtype), found], axis)

    return reference


def unstack(x, axis):
    return tuple(np.moveaxis(x, axis, 0))


def matvec(x, y):
    return np.matmul(x, y[..., None])[..., 0]


def vecmat(x, y):
    return np.matmul(x.conj()[..., None, :], y)[..., 0, :]


def trim_zeros(x):
    """Of any number of axes."""
    if x.ndim == 1:
        return np.trim_zeros(x)
    places = np.argwhere(x)
    if not len(places):
        return x[(slice(0, 0),) * x.ndim]
    return x[tuple(map(slice, places.min(0), places.max(0) + 1))]


def pad(x, pad_width, **settings):
    """With the widths of some axes, by number."""
    if isinstance(pad_width, dict):
        pairs = {axis % x.ndim: pair for axis, pair in pad_width.items()}
        pad_width = [pairs.get(axis, (0, 0)) for axis in range(x.ndim)]
    return np.pad(x, pad_width, **settings)


def cond(x, p):
    """A real number of complex matrices too."""
    return np.linalg.cond(x, p).real


def matrix_rank(x):
    """Of matrices without elements too."""
    return np.linalg.matrix_rank(x) if x.size else np.zeros(x.shape[:-2], np.intp)


# The first version that needs no stand-in, and the stand-in.
OLDER = {
    "cumulative_prod": ((2, 1), cumulative(np.cumprod, 1)),
    "cumulative_sum": ((2, 1), cumulative(np.cumsum, 0)),
    "linalg.cond": ((2, 4), cond),
    "linalg.matrix_rank": ((2, 4), matrix_rank),
    "matvec": ((2, 2), matvec),
    "pad": ((2, 4), pad),
    "trim_zeros": ((2, 2), trim_zeros),
    "unstack": ((2, 1), unstack),
    "vecmat": ((2, 2), vecmat),
}


def is_numpys(name):
    """Whether NumPy has a function of that name, in any version."""
    try:
        return numpys(name) is not None
    except AttributeError:
        return False


def numpys(name):
    """NumPy's function of a name such as "exp" or "linalg.norm", or what stands in for it."""
    first, stand_in = OLDER.get(name, ((0, 0), None))
    return stand_in if first > RELEASE else attrgetter(name)(np)


def reshaped(function, x, shape):
    """The call of reshape. NumPy 2.0 has another name for the parameter."""
    return function(x, shape) if RELEASE < (2, 1) else function(x, shape=shape)
