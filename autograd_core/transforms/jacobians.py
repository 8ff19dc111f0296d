"""Full Jacobians and Hessians. One backward pass computes a stack of rows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import wraps
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.tensor import Tensor
from autograd_core.errors.tracebacks import public
from autograd_core.transforms.calls import (
    Argnum,
    Call,
    Function,
    as_tensor,
    check_real,
    cotangent,
    zeros_of_shape,
)
from autograd_core.transforms.tree import mapped

STACKED = 2**23  # elements of the largest gradient in a pass, 64 MB of float64


def jacobian(f: Function, argnum: Argnum = 0, *, holomorphic: bool = False) -> Function:
    """A function that returns the Jacobian of f.

    One backward pass computes a stack of rows, of up to 64 MB. User-defined rules run row by row
    unless they are pointwise.

    Parameters
    ----------
    f : callable
        The function to differentiate.
    argnum : int, str, or tuple of these, default 0
        The argument to differentiate with respect to, by position or by name. A tuple selects
        several arguments, and the Jacobian is then a tuple.
    holomorphic : bool, default False
        If true, f returns complex numbers, and the derivatives are complex derivatives.

    Returns
    -------
    callable
        A function of f's arguments. For a result of shape (m, …) and an argument of shape (n, …),
        the Jacobian has shape (m, …, n, …). For trees, it has the structure of the result, in which
        each leaf is replaced by a tree with the structure of the argument.

    Raises
    ------
    DTypeError
        In a call, if the argument is an integer, or if a result is complex (without `holomorphic`),
        boolean or an integer.
    ShapeError
        In a call, if f returns something that is neither an array nor a container of arrays.
    IndexingError
        In a call without the argument that `argnum` selects.

    Examples
    --------
    >>> import autograd_core as ac, numpy as np
    >>> ac.jacobian(lambda x: x[:2] * x[2])(np.array([1.0, 2.0, 3.0]))
    array([[3., 0., 1.],
           [0., 3., 2.]])
    """

    @public
    @wraps(f)
    def derivatives(*args: Any, **settings: Any) -> Any:
        call = Call("jacobian", f, argnum, args, settings)
        found = mapped(lambda leaf: call.trees(_rows(call, leaf, holomorphic)), call.out)
        call.warn_unreached()
        return found

    return derivatives


def hessian(f: Function, argnum: Argnum = 0) -> Function:
    """A function that returns the Hessian of f.

    Parameters
    ----------
    f : callable
        The function to differentiate.
    argnum : int, str, or tuple of these, default 0
        The argument to differentiate with respect to, by position or by name. A tuple selects
        several arguments, and the Hessian is then a tuple.

    Returns
    -------
    callable
        A function of f's arguments. For a result that is one number and an argument of shape (n,
        …), the Hessian has shape (n, …, n, …).

    Raises
    ------
    DTypeError, ShapeError, IndexingError
        In a call, for the reasons listed at `jacobian`.

    See Also
    --------
    hvp : The product of the Hessian and a vector, without the matrix.

    Examples
    --------
    >>> import autograd_core as ac, numpy as np
    >>> ac.hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 3.0]))
    array([[6., 2.],
           [2., 0.]])
    """
    return jacobian(jacobian(f, argnum), argnum)


def _rows(call: Call, leaf: Any, holomorphic: bool) -> list[Any]:
    """The derivatives of one leaf of the result with respect to each leaf of the arguments."""
    out = as_tensor("jacobian", leaf)
    check_real("jacobian", out, holomorphic)
    shapes = [out.shape + array.shape for array in call.arrays]
    if out.size == 1:
        found = call.pull([(out, cotangent(out))], retain=True)
    elif out.size == 0 or out.node is None:
        return [
            zeros_of_shape(array, shape) for array, shape in zip(call.arrays, shapes, strict=True)
        ]
    else:
        nodes = call.between([out.node]).nodes.values()
        step = max(1, STACKED // max(math.prod(node.shape) for node in nodes))
        passes = [call.pull([(out, basis)], lead=1, retain=True) for basis in _bases(out, step)]
        found = [
            np.concatenate(rows) if len(rows) > 1 else rows[0] for rows in zip(*passes, strict=True)
        ]
    return [np.reshape(g, shape) for g, shape in zip(found, shapes, strict=True)]


def _bases(out: Tensor, step: int) -> Iterator[Any]:
    """Yield the unit vectors of the shape of `out`, in stacks of at most `step`."""
    n = out.size
    for start in range(0, n, step):
        count = min(step, n - start)
        yield backend.run_there(out._array, _basis, out._array, start, count)


def _basis(like: Any, start: int, count: int) -> Any:
    flat = np.zeros_like(like, shape=(count * like.size,), order="C")
    flat[start :: like.size + 1] = 1
    return flat.reshape((count, *like.shape))
