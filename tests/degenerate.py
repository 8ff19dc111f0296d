"""Matrices of equal values or of low rank, and the gradients there."""

import numpy as np

import autograd_core as ac

ROTATION = np.linalg.qr(np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 10]]))[0]
EQUAL = ROTATION @ np.diag([1.0, 2, 2]) @ ROTATION.T  # eigenvalues and singular values 1, 2, 2
RANK_2 = ROTATION @ np.diag([1.0, 2, 0]) @ ROTATION.T
RANK_1 = np.ones((3, 3))


def gradient(function, *arrays, device):
    """Of the sum of the result, for each array."""
    tensors = [ac.Tensor(device.array(np.asarray(a)), requires_grad=True) for a in arrays]
    ac.sum(function(*tensors)).backward()
    return [device.numpy(tensor.grad) for tensor in tensors]


def gradient_of(function, x, device):
    return gradient(function, x, device=device)[0]
