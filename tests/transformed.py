"""What the tests of transforms differentiate, and where."""

import numpy as np

import autograd_core as ac

X = np.array([0.5, -1.0, 2.0])


def cubes(x):
    return ac.sum(x**3)


def mixed(x, y=2.0):
    return ac.sum(ac.sin(x) * y)
