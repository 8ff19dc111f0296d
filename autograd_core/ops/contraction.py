"""Sums of products over named axes: einsum and its special cases.

All of them reduce to `_contract`, the product of two operands, which is a matrix product where
possible. Its gradients are contractions too.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from autograd_core.engine.layouts import is_part
from autograd_core.engine.op import composed, op
from autograd_core.engine.types import Array, Gradient, Operand, Shape
from autograd_core.engine.untracked import unwrap_nested
from autograd_core.errors import IndexingError, ShapeError
from autograd_core.ops.diagonals import diagonal
from autograd_core.ops.elementwise import conjugate, multiply
from autograd_core.ops.indexing import _getitem, number
from autograd_core.ops.operands import as_operand
from autograd_core.ops.reductions import sum as summed
from autograd_core.ops.shaping import astype, moveaxis, ravel, reshape, transpose
from autograd_core.ops.subscripts import (
    Layout,
    ascii_letters,
    explicit,
    from_sublists,
    layout,
    plan,
    toward,
)

__all__ = [
    "einsum",
    "inner",
    "kron",
    "matvec",
    "outer",
    "tensordot",
    "vdot",
    "vecdot",
    "vecmat",
]


# ---- two operands --------------------------------------------------------------------------------


def _contract_x(g: Gradient, y: Array, subscripts: str) -> Gradient:
    return _contract(g, y, toward(subscripts, 0, g.ndim))


def _contract_y(g: Gradient, x: Array, subscripts: str) -> Gradient:
    return _contract(g, x, toward(subscripts, 1, g.ndim))


@op(x=_contract_x, y=_contract_y)
def _contract(x: Array, y: Array, subscripts: str) -> Array:
    """The sum of products given by subscripts such as ``"ij,jk->ik"``, as a matrix product where
    possible: np.einsum does not use BLAS.

    Each letter occurs in at least two of the three terms, and at most once in a term. Axes of
    length 1 broadcast, except where they are summed over.
    """
    laid = layout(subscripts)
    if not laid.summed:
        return x.transpose(laid.x_order)[laid.x_places] * y.transpose(laid.y_order)[laid.y_places]
    if laid.batch and not (laid.x_own and laid.y_own):
        return np.einsum(subscripts, x, y)  # matmul calls BLAS once for each small dot product
    out = _matrix_product(x.transpose(laid.x_order), y.transpose(laid.y_order), laid)
    return out.transpose(laid.order) if out.ndim else out


def _matrix_product(x: Array, y: Array, laid: Layout) -> Array:
    """The product of x, with axes (batch, own, summed), and y, with axes (batch, summed, own). The
    own axes of an operand are the axes that the other operand does not have."""
    batch, split = laid.batch, laid.batch + laid.x_own
    x_own, inner, y_own = x.shape[batch:split], x.shape[split:], y.shape[batch + laid.summed :]
    if laid.summed != 1 or laid.x_own > 1:
        merged = (math.prod(x_own),) if x_own else ()
        x = x.reshape((*x.shape[:batch], *merged, math.prod(inner)))
    if laid.summed != 1 or laid.y_own > 1:
        merged = (math.prod(y_own),) if y_own else ()
        y = y.reshape((*y.shape[:batch], math.prod(inner), *merged))
    if not batch:
        out = np.dot(x, y)
        return out.reshape(x_own + y_own) if laid.x_own > 1 or laid.y_own > 1 else out
    out = np.matmul(_packed(x), _packed(y))
    return out.reshape(out.shape[:batch] + x_own + y_own)


def _packed(x: Array) -> Array:
    """x, copied unless one of its last two axes is contiguous. BLAS needs a contiguous axis, and
    the loop that NumPy uses for other arrays is slow."""
    return x if x.itemsize in x.strides[-2:] else x.copy()


# ---- any number of operands ----------------------------------------------------------------------


@composed
def einsum(subscripts: str, *operands: Any, optimize: Any = False) -> Array:
    """The sum of products given by `subscripts`, as in ``einsum("ij,jk->ik", x, y)``.

    Letters that do not follow the arrow are summed over; without an arrow, letters that occur twice
    are summed over. An ellipsis stands for any number of axes, which broadcast. Operands
    alternating with lists of integers are accepted too: ``einsum(x, [0, 1], y, [1, 2])``. Three or
    more operands are multiplied two at a time, in an order that keeps intermediate results small,
    so `optimize` has no effect.
    """
    if not isinstance(subscripts, str):
        subscripts, operands = from_sublists((subscripts, *operands))
    arrays = [as_operand(x) for x in operands]
    terms, output = explicit(subscripts, tuple([x.ndim for x in arrays]))
    dtype = np.result_type(*[x.dtype for x in arrays])
    unrepeated = []
    for i, term in enumerate(terms):
        if len(set(term)) < len(term):
            arrays[i], term = _diagonal(arrays[i], term)
        if arrays[i].dtype != dtype and dtype.kind != "c":
            arrays[i] = astype(arrays[i], dtype)
        unrepeated.append(term)
    steps, axes, order = plan(tuple(unrepeated), output, tuple([x.shape for x in arrays]))
    for first, second, (x_axes, y_axes), pair in steps:
        y, x = arrays.pop(second), arrays.pop(first)
        x, y = _summed(x, x_axes), _summed(y, y_axes)
        arrays.append(_contract(x, y, pair))
    out = _summed(arrays[0], axes)
    return number(out if steps else transpose(out, order))


def _summed(x: Array, axes: Shape) -> Array:
    if not axes:
        return x
    return summed(x, axis=axes, dtype=None if x.dtype.kind in "fc" else x.dtype)


def _strided(x: Array, places: list[int], n: int) -> Array:
    """The diagonal over the axes `places`, each of length n, as a new last axis. The result is a
    view. Unlike NumPy's, it is read-only if the axes are not adjacent in memory."""
    count = len(places)
    ended = moveaxis(x, places, tuple(range(-count, 0)))
    flat = reshape(ended, (*ended.shape[: x.ndim - count], n**count))
    if is_part(*unwrap_nested((flat, ended))):
        step = sum(n**i for i in range(count))  # between elements of the diagonal, in C order
        return _getitem(flat, (..., slice(None, None, step)))
    for _ in range(count - 1):
        ended = diagonal(ended, 0, -2, -1)
    return ended


def _diagonal(x: Array, term: str) -> tuple[Any, str]:
    """x and its term, with the axes of each repeated letter replaced by their diagonal as the last
    axis."""
    for letter in sorted(set(term)):
        places = [i for i, c in enumerate(term) if c == letter]
        if len(places) == 1:
            continue
        lengths = {x.shape[i] for i in places}
        if len(lengths) > 1:
            raise ShapeError(
                f"einsum: the axes {letter!r} of {term!r} must have equal lengths; they have "
                f"{' and '.join(map(str, sorted(lengths)))}"
            )
        x = _strided(x, places, lengths.pop())
        term = term.replace(letter, "") + letter
    return x, term


# ---- special cases of einsum ---------------------------------------------------------------------


@composed
def tensordot(x: Operand, y: Operand, axes: Any = 2) -> Array:
    """The sum of products over pairs of axes: the last `axes` axes of x and the first of y, or the
    axes in a pair of lists, as in ``tensordot(x, y, ([0], [1]))``."""
    x, y = as_operand(x), as_operand(y)
    pairs = _pairs(axes, x.ndim, y.ndim)
    for a, b in pairs:
        if x.shape[a] != y.shape[b]:
            raise ShapeError(
                f"tensordot: axis {a} of x and axis {b} of y must have equal lengths; x has shape "
                f"{x.shape} and y has shape {y.shape}"
            )
    return _contract(x, y, _tensordot_subscripts(x.ndim, y.ndim, pairs))


def _pairs(axes: Any, x_ndim: int, y_ndim: int) -> tuple[tuple[int, int], ...]:
    """`axes` of tensordot as pairs (axis of x, axis of y), none of them negative."""
    if isinstance(axes, int | np.integer):
        xs, ys = range(x_ndim - int(axes), x_ndim), range(int(axes))
        if not 0 <= axes <= min(x_ndim, y_ndim):
            raise ShapeError(
                f"tensordot: axes={axes} is out of range; x has {x_ndim} axes and y has {y_ndim}"
            )
        return tuple(zip(xs, ys, strict=True))
    both = [[a] if isinstance(a, int | np.integer) else list(a) for a in axes]
    for chosen, ndim, name in zip(both, (x_ndim, y_ndim), "xy", strict=True):
        for a in chosen:
            if not -ndim <= a < ndim:
                raise IndexingError(f"tensordot: axis {a} is out of range; {name} has {ndim} axes")
        if len({a % ndim for a in chosen}) < len(chosen):
            raise ShapeError(f"tensordot: the axes {chosen} of {name} contain an axis twice")
    if len(both[0]) != len(both[1]):
        raise ShapeError(
            f"tensordot: axes must list as many axes of x as of y, not {both[0]} and {both[1]}"
        )
    return tuple((int(a) % x_ndim, int(b) % y_ndim) for a, b in zip(*both, strict=True))


@lru_cache(maxsize=1024)
def _tensordot_subscripts(x_ndim: int, y_ndim: int, pairs: tuple[tuple[int, int], ...]) -> str:
    a, b = ascii_letters[:x_ndim], list(ascii_letters[x_ndim : x_ndim + y_ndim])
    for i, j in pairs:
        b[j] = a[i]
    out = [c for c in a if c not in b] + [c for c in b if c not in a]
    return f"{a},{''.join(b)}->{''.join(out)}"


@composed
def inner(x: Operand, y: Operand) -> Array:
    """The sum of products over the last axes of x and y; x * y if x or y has no axes."""
    x, y = as_operand(x), as_operand(y)
    if x.ndim == 0 or y.ndim == 0:
        return multiply(x, y)
    return _contract_checked("inner", x, y, -1, -1, _tensordot_subscripts(*_last(x.ndim, y.ndim)))


def _last(x_ndim: int, y_ndim: int) -> tuple[int, int, tuple[tuple[int, int], ...]]:
    return x_ndim, y_ndim, ((x_ndim - 1, y_ndim - 1),)


def _contract_checked(name: str, x: Array, y: Array, a: int, b: int, subscripts: str) -> Array:
    """_contract(x, y), after checking the lengths of axes a and b, which are summed over."""
    if x.shape[a] != y.shape[b]:
        raise ShapeError(
            f"{name}: axis {a} of x and axis {b} of y must have equal lengths; x has shape "
            f"{x.shape} and y has shape {y.shape}"
        )
    return _contract(x, y, subscripts)


def _flat(x: Array) -> Array:
    x = as_operand(x)
    return x if x.ndim == 1 else ravel(x)


@composed
def vdot(x: Operand, y: Operand) -> Array:
    """The sum of conj(x) * y over all elements, in C order."""
    return _contract_checked("vdot", _conjugated(_flat(x)), _flat(y), 0, 0, "a,a->")


def _conjugated(x: Array) -> Array:
    return conjugate(x) if x.dtype.kind == "c" else x


@composed
def outer(x: Operand, y: Operand) -> Array:
    """The product of every element of x with every element of y, both flattened: a matrix of shape
    (x.size, y.size)."""
    return _contract(_flat(x), _flat(y), "a,b->ab")


@composed
def kron(x: Operand, y: Operand) -> Array:
    """The Kronecker product: every element of x replaced by the block x[i, …] * y."""
    x, y = as_operand(x), as_operand(y)
    out = _contract(x, y, _kron_subscripts(x.ndim, y.ndim))
    ndim = max(x.ndim, y.ndim)
    shapes = ((1,) * (ndim - x.ndim) + x.shape, (1,) * (ndim - y.ndim) + y.shape)
    return reshape(out, tuple(n * m for n, m in zip(*shapes, strict=True)))


@lru_cache(maxsize=1024)
def _kron_subscripts(x_ndim: int, y_ndim: int) -> str:
    a, b = ascii_letters[:x_ndim], ascii_letters[x_ndim : x_ndim + y_ndim]
    ndim = max(x_ndim, y_ndim)
    pairs = zip(a.rjust(ndim), b.rjust(ndim), strict=True)
    return f"{a},{b}->{''.join(c + d for c, d in pairs).replace(' ', '')}"


def _stacked(name: str, x: Array, y: Array, terms: tuple[str, str, str], a: int, b: int) -> Array:
    """The sum of products given by `terms`, the letters for the last axes of x, y and the result.
    The stack axes, which precede these, broadcast."""
    for operand, term, letter in zip((x, y), terms, "xy", strict=False):
        if operand.ndim < len(term):
            raise ShapeError(
                f"{name}: {letter} needs {len(term)} axes or more; its shape is {operand.shape}"
            )
    subscripts = _stacked_subscripts(x.ndim, y.ndim, terms)
    return _contract_checked(name, x, y, a, b, subscripts)


@lru_cache(maxsize=1024)
def _stacked_subscripts(x_ndim: int, y_ndim: int, terms: tuple[str, str, str]) -> str:
    leads = x_ndim - len(terms[0]), y_ndim - len(terms[1])
    stack = ascii_letters[10 : 10 + max(leads)]
    x, y = (stack[len(stack) - n :] + term for n, term in zip(leads, terms, strict=False))
    return f"{x},{y}->{stack}{terms[2]}"


@composed
def vecdot(x: Operand, y: Operand, axis: int = -1) -> Array:
    """The sum of conj(x) * y over an axis; the other axes broadcast."""
    x, y = as_operand(x), as_operand(y)
    if axis != -1:
        x, y = moveaxis(x, axis, -1), moveaxis(y, axis, -1)
    return _stacked("vecdot", _conjugated(x), y, ("a", "a", ""), -1, -1)


@composed
def matvec(x: Operand, y: Operand) -> Array:
    """Matrices x (..., n, m) times vectors y (..., m); leading axes broadcast."""
    return _stacked("matvec", as_operand(x), as_operand(y), ("ab", "b", "a"), -1, -1)


@composed
def vecmat(x: Operand, y: Operand) -> Array:
    """The conjugates of vectors x (..., n) times matrices y (..., n, m); leading axes broadcast."""
    return _stacked("vecmat", _conjugated(as_operand(x)), as_operand(y), ("a", "ab", "b"), -1, -2)
