"""Where the stand-in's arrays lie: addresses, flags, DLPack, and strides drawn at random."""

import numpy as np


class Pointer:
    """Where the first element is."""

    def __init__(self, ptr):
        self.ptr = ptr


class Flags:
    """CuPy's: no `writeable`."""

    def __init__(self, host):
        self.c_contiguous, self.f_contiguous = host.flags.c_contiguous, host.flags.f_contiguous
        self.owndata = host.flags.owndata
        self.forc = self.c_contiguous or self.f_contiguous
        self.fnc = self.f_contiguous and not self.c_contiguous

    def __getitem__(self, name):
        return getattr(self, name.lower())


class Capsule:
    """What DLPack hands over. Not a PyCapsule: only the stand-in can open it."""

    def __init__(self, array):
        self.array = array


_strides = np.random.default_rng(0)


def shuffle_strides(seed):
    """Lay the axes of results out in an order drawn from `seed`; None keeps NumPy's order."""
    global _strides
    _strides = None if seed is None else np.random.default_rng(seed)


def shuffled(host):
    if _strides is None or host.ndim < 2:
        return host
    axes = _strides.permutation(host.ndim)
    laid = np.empty([host.shape[axis] for axis in axes], host.dtype)
    laid = laid.transpose(np.argsort(axes))
    laid[...] = host
    return laid
