"""Leaves that tests start from."""

import numpy as np

import autograd_core as ac

U = np.array([1.0, 2.0, 3.5, 0.5])


def leaf(values, device=None, **settings):
    array = np.asarray(values, dtype=float)
    array = array if device is None else device.array(array)
    return ac.Tensor(array, requires_grad=True, **settings)
