"""Initial weights: functions that fill a Tensor in place, under the names of PyTorch's ``nn.init``.

Numbers are drawn on the host from `generator`, so they are the same on every device: an int is a
seed, None a new generator, and several calls may share a ``numpy.random`` generator. Every function
returns the Tensor. The fans of a weight (out, in, …) are in and out, times the size of the other
axes.

>>> import autograd_core as ac, nn
>>> nn.init.constant_(ac.zeros(3), 0.5)
Tensor([0.5, 0.5, 0.5])
>>> layer = nn.Linear(784, 50, initializer=nn.init.xavier_uniform_, generator=0)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core import Tensor, no_grad
from autograd_core.devices import backend
from autograd_core.errors import ArgumentError, DTypeError, ShapeError
from autograd_core.errors.tracebacks import public
from nn.describing import like

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

Initializer = Callable[..., Any]
GAINS = {"tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4}
LINEAR = ("linear", "sigmoid", *(f"conv{t}{n}d" for t in ("", "_transpose") for n in (1, 2, 3)))


def generator_of(seed: Any) -> Any:
    """A random generator for `seed`: a new one for an int, a SeedSequence or None; `seed` itself if
    it is a generator. Raises DTypeError for anything else."""
    if seed is None or isinstance(seed, int | np.integer | np.random.SeedSequence):
        return np.random.default_rng(seed)
    if not hasattr(seed, "normal"):
        raise DTypeError(
            "generator is an int (a seed), a numpy.random generator or None, not a "
            f"{type(seed).__name__}"
        )
    return seed


def _filled(tensor: Tensor, values: Any) -> Tensor:
    """`tensor`, with these values, which broadcast to its shape."""
    with no_grad():
        values = np.broadcast_to(np.asarray(values, tensor.dtype), tensor.shape)
        tensor.copy_(backend.to_device(values, tensor.device))
    return tensor


def _shape(tensor: Tensor, function: str, most: float = math.inf) -> tuple[int, ...]:
    """The shape, which has two axes or more, and not more than `most`."""
    shape = tensor.shape
    if not 2 <= len(shape) <= most:
        wanted = {2: "2", math.inf: "2 or more"}.get(most, f"2 to {most}")
        raise ShapeError(f"{function} needs a Tensor with {wanted} axes, not of the shape {shape}")
    return shape


def fans(tensor: Tensor, function: str) -> tuple[int, int]:
    """The numbers of inputs and of outputs that a weight (out, in, …) connects."""
    out, inputs, *others = _shape(tensor, function)
    area = math.prod(others)
    return max(inputs * area, 1), max(out * area, 1)  # a weight with a fan of 0 is empty


@public
def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which weights are multiplied for an activation.

    Parameters
    ----------
    nonlinearity : str
        The activation: ``"relu"`` (the gain is √2), ``"tanh"`` (5/3), ``"selu"`` (3/4),
        ``"leaky_relu"`` (√(2 / (1 + a²)) with the slope a), ``"linear"`` or ``"sigmoid"`` (1). The
        layers ``"conv1d"`` to ``"conv3d"`` and ``"conv_transpose1d"`` to ``"conv_transpose3d"``
        are linear.
    param : float, optional
        The slope of ``"leaky_relu"`` below 0, by default 0.01.

    Returns
    -------
    float
        The gain.

    Raises
    ------
    ArgumentError
        If no gain is known for `nonlinearity`.

    Examples
    --------
    >>> import nn
    >>> nn.init.calculate_gain("leaky_relu", 1.0)
    1.0
    """
    if nonlinearity == "leaky_relu":
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity in LINEAR:
        return 1.0
    if nonlinearity not in GAINS:
        known = sorted([*GAINS, "leaky_relu", *LINEAR])
        raise ArgumentError(f"no gain is known for {nonlinearity!r}; known are {', '.join(known)}")
    return GAINS[nonlinearity]


@public
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Fill a Tensor with uniformly distributed numbers in [a, b).

    Parameters
    ----------
    tensor : Tensor
        The Tensor to fill, of any shape.
    a : float, default 0.0
        The lower limit.
    b : float, default 1.0
        The upper limit.
    generator : int or numpy.random.Generator, optional
        The seed or the source of the numbers, by default a new generator.

    Returns
    -------
    Tensor
        `tensor` itself.

    Raises
    ------
    ValueError
        If `b` is less than `a`.
    DTypeError
        If `generator` is neither a seed nor a generator.

    Examples
    --------
    >>> import autograd_core as ac
    >>> import nn
    >>> nn.init.uniform_(ac.zeros(3), -1.0, 1.0, generator=0)
    Tensor([ 0.27392337, -0.46042657, -0.91805295])
    """
    return _filled(tensor, generator_of(generator).uniform(a, b, tensor.shape))


@public
def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Fill a Tensor with normally distributed numbers.

    Parameters
    ----------
    tensor : Tensor
        The Tensor to fill, of any shape.
    mean : float, default 0.0
        The mean of the distribution.
    std : float, default 1.0
        The standard deviation.
    generator : int or numpy.random.Generator, optional
        The seed or the source of the numbers, by default a new generator.

    Returns
    -------
    Tensor
        `tensor` itself.

    Raises
    ------
    ValueError
        If `std` is negative.
    DTypeError
        If `generator` is neither a seed nor a generator.

    Examples
    --------
    >>> import autograd_core as ac
    >>> import nn
    >>> nn.init.normal_(ac.zeros(3), std=0.1, generator=0)
    Tensor([ 0.01257302, -0.01321049,  0.06404227])
    """
    return _filled(tensor, generator_of(generator).normal(mean, std, tensor.shape))


@public
def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Any = None,
) -> Tensor:
    """Fill a Tensor with normally distributed numbers, of which only those in [a, b] are kept.

    Parameters
    ----------
    tensor : Tensor
        The Tensor to fill, of any shape.
    mean : float, default 0.0
        The mean of the distribution before it is truncated.
    std : float, default 1.0
        The standard deviation before it is truncated.
    a : float, default -2.0
        The lower limit.
    b : float, default 2.0
        The upper limit.
    generator : int or numpy.random.Generator, optional
        The seed or the source of the numbers, by default a new generator.

    Returns
    -------
    Tensor
        `tensor` itself.

    Raises
    ------
    ArgumentError
        If `a` is not less than `b`, or if `std` is not positive.
    DTypeError
        If `generator` is neither a seed nor a generator.

    Examples
    --------
    >>> import autograd_core as ac
    >>> import nn
    >>> nn.init.trunc_normal_(ac.zeros(3), a=0.0, b=1.0, generator=0)
    Tensor([0.63696169, 0.26978671, 0.04097352])
    """
    if not (a < b and std > 0):
        raise ArgumentError(f"trunc_normal_: needs a < b and std > 0, not {a}, {b} and {std}")
    random = generator_of(generator)
    low, high = (a - mean) / std, (b - mean) / std
    nearest = min(max(low, 0.0), high)  # where the density is largest
    reach = math.sqrt(nearest**2 + 80)  # beyond it, the density is smaller by exp(-40)
    low, high = max(low, -reach), min(high, reach)
    found = np.zeros(0)
    while found.size < tensor.size:
        x = random.uniform(low, high, 2 * tensor.size + 16)
        kept = random.random(x.size) < np.exp((nearest**2 - x**2) / 2)
        found = np.append(found, x[kept])
    values = mean + std * found[: tensor.size].reshape(tensor.shape)
    return _filled(tensor, np.clip(values, a, b))


@public
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill a Tensor with one number.

    Parameters
    ----------
    tensor : Tensor
        The Tensor to fill, of any shape.
    val : float
        The number.

    Returns
    -------
    Tensor
        `tensor` itself.

    Examples
    --------
    >>> import autograd_core as ac
    >>> import nn
    >>> nn.init.constant_(ac.zeros(3), 0.5)
    Tensor([0.5, 0.5, 0.5])
    """
    return _filled(tensor, val)


@public
def ones_(tensor: Tensor) -> Tensor:
    """Fill a Tensor with ones.

    Parameters
    ----------
    tensor : Tensor
        The Tensor to fill, of any shape.

    Returns
    -------
    Tensor
        `tensor` itself.

    Examples
    --------
    >>> import autograd_core as ac
    >>> import nn
    >>> nn.init.ones_(ac.zeros(3))
    Tensor([1., 1., 1.])
    """
    return _filled(tensor, 1)


@public
def zeros_(tensor: Tensor) -> Tensor:
    """Fill a Tensor with zeros.

    Parameters
    ----------
    tensor : Tensor
        The Tensor to fill, of any shape.

    Returns
    -------
    Tensor
        `tensor` itself.

    Examples
    --------
    >>> import autograd_core as ac
    >>> import nn
    >>> nn.init.zeros_(ac.ones(3))
    Tensor([0., 0., 0.])
    """
    return _filled(tensor, 0)


@public
def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with the identity: ones on the diagonal, zeros elsewhere.

    Parameters
    ----------
    tensor : Tensor
        The Tensor to fill. It has two axes, which may differ in size.

    Returns
    -------
    Tensor
        `tensor` itself.

    Raises
    ------
    ShapeError
        If `tensor` does not have two axes.

    Examples
    --------
    >>> import autograd_core as ac
    >>> import nn
    >>> nn.init.eye_(ac.zeros((2, 3)))
    Tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    rows, columns = _shape(tensor, "eye_", 2)
    return _filled(tensor, np.eye(rows, columns))


@public
def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill the weight of a convolution so that it keeps its input: 1 in the middle of the kernels.

    Parameters
    ----------
    tensor : Tensor
        The weight (out, in, …) to fill, of two to five axes. The 1 is at input channel i for output
        channel i of each group, and there is none if the group has no input channel i.
    groups : int, default 1
        The number of groups of output channels.

    Returns
    -------
    Tensor
        `tensor` itself.

    Raises
    ------
    ShapeError
        If `tensor` has less than two axes, or more than five.
    ArgumentError
        If the output channels cannot be divided into so many groups.

    Examples
    --------
    >>> import autograd_core as ac
    >>> import nn
    >>> nn.init.dirac_(ac.zeros((2, 2, 3)))
    Tensor([[[0., 1., 0.],
             [0., 0., 0.]],
    <BLANKLINE>
            [[0., 0., 0.],
             [0., 1., 0.]]])
    """
    out, inputs, *others = _shape(tensor, "dirac_", 5)
    if groups < 1 or out % groups:
        raise ArgumentError(f"dirac_: {out} channels cannot be divided into {groups} groups")
    values = np.zeros(tensor.shape)
    for channel in range(out):
        if channel % (out // groups) < inputs:
            values[(channel, channel % (out // groups), *(n // 2 for n in others))] = 1
    return _filled(tensor, values)


@public
def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Fill a weight with uniform numbers in ±gain √(6 / (fan_in + fan_out)), for sigmoid and tanh.

    Parameters
    ----------
    tensor : Tensor
        The weight (out, in, …) to fill.
    gain : float, default 1.0
        A factor, such as that of `calculate_gain`.
    generator : int or numpy.random.Generator, optional
        The seed or the source of the numbers, by default a new generator.

    Returns
    -------
    Tensor
        `tensor` itself.

    Raises
    ------
    ShapeError
        If `tensor` has less than two axes.
    ValueError
        If `gain` is negative.
    DTypeError
        If `generator` is neither a seed nor a generator.

    Notes
    -----
    fan_in and fan_out are in and out, times the size of the other axes. The source is Glorot and
    Bengio, 2010.

    Examples
    --------
    >>> import autograd_core as ac
    >>> import nn
    >>> nn.init.xavier_uniform_(ac.zeros((2, 3)), generator=0)
    Tensor([[ 0.30006802, -0.50437204, -1.00567662],
            [-1.05923488,  0.68634071,  0.90430216]])
    """
    bound = gain * math.sqrt(6 / sum(fans(tensor, "xavier_uniform_")))
    return uniform_(tensor, -bound, bound, generator)


@like(xavier_uniform_)
@public
def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Fill a weight with normal numbers of standard deviation gain √(2 / (fan_in + fan_out)).

    Examples
    --------
    >>> import autograd_core as ac
    >>> import nn
    >>> nn.init.xavier_normal_(ac.zeros((2, 3)), generator=0)
    Tensor([[ 0.07951877, -0.08355045,  0.40503885],
            [ 0.06634466, -0.33878706,  0.22869279]])
    """
    return normal_(tensor, 0, gain * math.sqrt(2 / sum(fans(tensor, "xavier_normal_"))), generator)


@public
def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Fill a weight with uniform numbers in ±gain √(3 / fan), for rectifiers.

    Parameters
    ----------
    tensor : Tensor
        The weight (out, in, …) to fill.
    a : float, default 0.0
        The slope of ``"leaky_relu"`` below 0; 0 is ReLU.
    mode : str, default 'fan_in'
        The fan: ``"fan_in"`` or ``"fan_out"``.
    nonlinearity : str, default 'leaky_relu'
        The activation, of which `calculate_gain` returns the gain.
    generator : int or numpy.random.Generator, optional
        The seed or the source of the numbers, by default a new generator.

    Returns
    -------
    Tensor
        `tensor` itself.

    Raises
    ------
    ShapeError
        If `tensor` has less than two axes.
    ArgumentError
        If `mode` is another string, or if no gain is known for `nonlinearity`.
    DTypeError
        If `generator` is neither a seed nor a generator.

    Notes
    -----
    fan_in and fan_out are in and out, times the size of the other axes. The source is
    He et al., 2015.

    Examples
    --------
    >>> import autograd_core as ac
    >>> import nn
    >>> nn.init.kaiming_uniform_(ac.zeros((2, 3)), generator=0)
    Tensor([[ 0.38738615, -0.6511415 , -1.29832294],
            [-1.36746635,  0.88606204,  1.16744907]])
    """
    bound = math.sqrt(3) * _kaiming(tensor, "kaiming_uniform_", a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


@like(kaiming_uniform_)
@public
def kaiming_normal_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Fill a weight with normal numbers of standard deviation gain / √fan, for rectifiers.

    Examples
    --------
    >>> import autograd_core as ac
    >>> import nn
    >>> nn.init.kaiming_normal_(ac.zeros((2, 3)), generator=0)
    Tensor([[ 0.1026583 , -0.10786317,  0.5229029 ],
            [ 0.08565059, -0.43737221,  0.29524113]])
    """
    return normal_(tensor, 0, _kaiming(tensor, "kaiming_normal_", a, mode, nonlinearity), generator)


def _kaiming(tensor: Tensor, function: str, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ArgumentError(f'{function}: mode is "fan_in" or "fan_out", not {mode!r}')
    fan = fans(tensor, function)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


@public
def orthogonal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Fill a weight with a random matrix with orthonormal rows or columns, whichever are fewer.

    Parameters
    ----------
    tensor : Tensor
        The Tensor to fill, of two axes or more. Axes after the first are joined.
    gain : float, default 1.0
        The factor of the matrix.
    generator : int or numpy.random.Generator, optional
        The seed or the source of the numbers, by default a new generator.

    Returns
    -------
    Tensor
        `tensor` itself.

    Raises
    ------
    ShapeError
        If `tensor` has less than two axes.
    DTypeError
        If `generator` is neither a seed nor a generator.

    Notes
    -----
    The source is Saxe et al., 2014.

    Examples
    --------
    >>> import autograd_core as ac
    >>> import nn
    >>> nn.init.orthogonal_(ac.zeros((2, 2)), generator=0)
    Tensor([[ 0.19264633, -0.98126826],
            [ 0.98126826,  0.19264633]])
    """
    rows = _shape(tensor, "orthogonal_")[0]
    drawn = generator_of(generator).normal(size=(rows, tensor.size // rows if rows else 0))
    wide = drawn.shape[0] < drawn.shape[1]
    q, r = np.linalg.qr(drawn.T if wide else drawn)
    q = q * np.sign(np.diagonal(r))  # uniform over all orthogonal matrices (Mezzadri, 2007)
    return _filled(tensor, gain * (q.T if wide else q).reshape(tensor.shape))


@public
def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Fill a matrix with normal numbers, of which a share in each column is 0.

    Parameters
    ----------
    tensor : Tensor
        The Tensor to fill, of two axes.
    sparsity : float
        The share of the elements of each column that are 0; their number is rounded up.
    std : float, default 0.01
        The standard deviation of the other elements.
    generator : int or numpy.random.Generator, optional
        The seed or the source of the numbers, by default a new generator.

    Returns
    -------
    Tensor
        `tensor` itself.

    Raises
    ------
    ShapeError
        If `tensor` does not have two axes.
    ArgumentError
        If `sparsity` is not in [0, 1].
    ValueError
        If `std` is negative.
    DTypeError
        If `generator` is neither a seed nor a generator.

    Notes
    -----
    The source is Martens, 2010.

    Examples
    --------
    >>> import autograd_core as ac
    >>> import nn
    >>> nn.init.sparse_(ac.zeros((2, 3)), 0.5, std=1.0, generator=0)
    Tensor([[ 0.        ,  0.        ,  0.        ],
            [ 0.10490012, -0.53566937,  0.36159505]])
    """
    rows, columns = _shape(tensor, "sparse_", 2)
    if not 0 <= sparsity <= 1:
        raise ArgumentError(f"sparse_: sparsity must be in [0, 1], not {sparsity}")
    random = generator_of(generator)
    values, zeros = random.normal(0, std, (rows, columns)), math.ceil(sparsity * rows)
    for column in range(columns):
        values[random.permutation(rows)[:zeros], column] = 0
    return _filled(tensor, values)
