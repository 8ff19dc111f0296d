"""Products with Jacobians and Hessians, without forming the matrices."""

from __future__ import annotations

from functools import wraps
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.backward import pull, seed, zero_gradient
from autograd_core.engine.graph import Node
from autograd_core.engine.paths import Paths
from autograd_core.engine.state import is_recording
from autograd_core.engine.tensor import Tensor, make
from autograd_core.errors import NotDifferentiableError, ShapeError
from autograd_core.errors.tracebacks import public
from autograd_core.transforms.boxes import NO_FORWARD, Box
from autograd_core.transforms.calls import (
    Argnum,
    Call,
    Function,
    as_tensor,
    cotangent,
    is_tracked,
    matching,
    one_number,
    plain,
)
from autograd_core.transforms.tree import filled, leaves, mapped


@public
def vjp(f: Function, *args: Any, has_aux: bool = False) -> Any:
    """Return (f(*args), pullback), a result and the product of a cotangent and the Jacobian.

    Parameters
    ----------
    f : callable
        The function to differentiate.
    *args : tree of arrays
        The arguments of f. It is differentiated with respect to all of them.
    has_aux : bool, default False
        If true, f returns ``(result, more)``, where `more` may be anything.

    Returns
    -------
    result : tree of arrays
        What f returns.
    pullback : callable
        ``pullback(g)`` returns the product of the cotangent g and the Jacobian, as a tuple with a
        gradient for each argument. g must have the structure and shapes of the result. The pullback
        may be called repeatedly, also after backward() of what it returned if that was called with
        ``retain_graph=True``.
    more : object
        The second result of f. Only returned with `has_aux`.

    Raises
    ------
    DTypeError
        If an argument is an integer, or if a result is boolean or an integer.
    ShapeError
        If f returns something that is neither an array nor a container of arrays. In a call of the
        pullback, if g has another structure or other shapes than the result.

    Examples
    --------
    >>> import autograd_core as ac, numpy as np
    >>> value, pullback = ac.vjp(np.exp, np.zeros(2))
    >>> pullback(np.array([1.0, 3.0]))
    (array([1., 3.]),)
    """
    call = called_for_pullback("vjp", f, args)
    result, aux = call.out if has_aux else (call.out, None)
    pullback = pullback_of(call, result)
    value = mapped(_kept, call.value(result))
    return (value, pullback, call.value(aux)) if has_aux else (value, pullback)


def called_for_pullback(name: str, f: Function, args: tuple[Any, ...]) -> Call:
    """The call of f with copies of the arguments, which the pullback may need later."""
    return Call(name, f, tuple(range(len(args))), mapped(_kept, args), {})


def pullback_of(call: Call, result: Any) -> Function:
    """The product of a cotangent of `result` and the Jacobian, as a tuple with a gradient for each
    argument of the call."""
    outs = [as_tensor(call.name, leaf) for _, leaf in leaves(result)]
    call.warn_unreached()

    @public
    def pullback(arriving: Any) -> Any:
        given = matching(f"{call.name}: the cotangent", result, arriving)
        pairs = [(out, cotangent(out, g)) for out, g in zip(outs, given, strict=True)]
        return call.trees(call.pull(pairs, retain=True))

    return pullback


def _kept(leaf: Any) -> Any:
    """A copy of a NumPy array, because the caller may overwrite it before the pullback reads it."""
    return leaf.copy() if isinstance(leaf, np.ndarray) else leaf


class _Linear:
    """The derivative of a call, as a function of the tangents of the arguments.

    The backward pass is linear in the cotangent. It is recorded once; a backward pass through the
    recorded pass transposes it, which gives the forward derivative. So no operation needs a rule
    for the forward derivative.
    """

    def __init__(self, call: Call, result: Any) -> None:
        self.call = call
        self.result = result
        self.outs = [as_tensor(call.name, leaf) for _, leaf in leaves(result)]
        if any(isinstance(value, Box) for value in (*call.arrays, *self.outs)):
            raise NotDifferentiableError(f"{call.name}: {NO_FORWARD}")
        call.warn_unreached()
        tracked = [out.node for out in self.outs if out.node is not None]
        self.depends = bool(call.between(tracked).outside)
        self.duals = [_dual(out) for out in self.outs]
        pairs = list(zip(self.outs, self.duals, strict=True))
        wrap = make if self.depends else plain
        self.pulled = call.pull(pairs, record=True, wrap=wrap)

    def __call__(self, tangents: Any, retain: bool = False) -> Any:
        call = self.call
        given = matching(f"{call.name}: the tangents", call.chosen, tangents)
        pairs = [
            (g, seed(g, _of_kind(v, g)))
            for g, v in zip(self.pulled, given, strict=True)
            if is_tracked(g)
        ]
        targets = {dual.node: i for i, dual in enumerate(self.duals)}
        paths = Paths([g.node for g, _ in pairs], targets)
        record = is_recording() and (self.depends or any(map(is_tracked, given)))
        seeds = [(g.node, v) for g, v in pairs]
        found = pull(seeds, paths, retain=retain or record, create_graph=record)
        of_arrays = call.plain and not any(isinstance(v, Tensor) for v in given)

        def tangent(i: int, out: Tensor) -> Any:
            g = found[i] if i in found else zero_gradient(out._array)
            g = g if isinstance(g, Tensor) else make(g, None)
            return g._array[()] if of_arrays and g.node is None else g

        return filled(self.result, map(tangent, range(len(self.outs)), self.outs))


def _dual(out: Tensor) -> Any:
    """Tracked zeros in place of the cotangent of a result."""
    zeros = make(zero_gradient(out._array), None)
    zeros.node = Node.leaf(zeros, out.shape, out.dtype)
    return zeros


def _of_kind(v: Any, like: Tensor) -> Any:
    """The tangent v as an array or a Tensor. A number is expanded to the shape of `like`."""
    if isinstance(v, Tensor) or backend.is_array(v):
        return v
    return backend.run_there(like._array, lambda: np.full_like(like._array, v))


@public
def jvp(f: Function, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
    """Return f(*primals) and its derivative along `tangents`.

    Parameters
    ----------
    f : callable
        The function to differentiate.
    primals : tuple of trees of arrays
        The arguments of f. It is differentiated with respect to all of them.
    tangents : tuple of trees of arrays
        The directions, with the structure and shapes of `primals`.

    Returns
    -------
    value : tree of arrays
        What f returns.
    derivative : tree of arrays
        The derivative of the value along `tangents`.

    Raises
    ------
    ShapeError
        If `primals` or `tangents` is not a tuple, if `tangents` has another structure or other
        shapes than `primals`, or if f returns something that is neither an array nor a container of
        arrays.
    DTypeError
        If a primal is an integer, or if a result is boolean or an integer.
    NotDifferentiableError
        For values of types declared with ``autograd_core.hips.extend.VSpace``.

    See Also
    --------
    linearize : The derivative along many tangents, from one call of f.

    Examples
    --------
    >>> import autograd_core as ac, numpy as np
    >>> ac.jvp(np.sin, (np.zeros(2),), (np.array([1.0, 3.0]),))
    (array([0., 0.]), array([1., 3.]))
    """
    for name, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, tuple | list):
            raise ShapeError(
                f"jvp: {name} must be a tuple with one entry for each argument, not {given!r:.60}"
            )
    primals, tangents = tuple(primals), tuple(tangents)
    call = Call("jvp", f, tuple(range(len(primals))), primals, {})
    value = call.value(call.out)
    return value, _Linear(call, call.out)(tangents)


@public
def linearize(f: Function, *primals: Any) -> tuple[Any, Function]:
    """Return f(*primals), and its derivative there as a linear function of the tangents.

    Parameters
    ----------
    f : callable
        The function to differentiate.
    *primals : tree of arrays
        The arguments of f. It is differentiated with respect to all of them.

    Returns
    -------
    value : tree of arrays
        What f returns.
    linear : callable
        ``linear(*tangents)`` returns the derivative along the tangents, as `jvp` does. It may be
        called repeatedly; f is called only once.

    Raises
    ------
    ShapeError
        If f returns something that is neither an array nor a container of arrays. In a call of the
        linear function, if the tangents have another structure or other shapes than `primals`.
    DTypeError
        If a primal is an integer, or if a result is boolean or an integer.
    NotDifferentiableError
        For values of types declared with ``autograd_core.hips.extend.VSpace``.

    Examples
    --------
    >>> import autograd_core as ac, numpy as np
    >>> value, linear = ac.linearize(lambda x: x**2, np.array([1.0, 3.0]))
    >>> linear(np.array([1.0, 0.0])), linear(np.array([0.0, 1.0]))
    (array([2., 0.]), array([0., 6.]))
    """
    call = Call("linearize", f, tuple(range(len(primals))), mapped(_kept, primals), {})
    value = mapped(_kept, call.value(call.out))
    linear = _Linear(call, call.out)
    return value, public(lambda *tangents: linear(tangents, retain=True))


def hvp(f: Function, argnum: Argnum = 0) -> Function:
    """A function of f's arguments followed by a vector v. It returns the product of the Hessian of
    f and v.

    The Hessian is not formed; the cost is about the cost of two gradients.

    Parameters
    ----------
    f : callable
        The function to differentiate. It must return one real number.
    argnum : int, str, or tuple of these, default 0
        The argument to differentiate with respect to, by position or by name. A tuple selects
        several arguments, and v and the product are then tuples.

    Returns
    -------
    callable
        A function of f's arguments and, as the last positional argument, v, which has the structure
        of the argument. The product has it, too.

    Raises
    ------
    ShapeError
        In a call, if f does not return one number, if there are no positional arguments, or if v
        has another structure or other shapes than the argument.
    DTypeError
        In a call, if the argument is an integer, or if the value is complex, boolean or an integer.
    IndexingError
        In a call without the argument that `argnum` selects.

    Examples
    --------
    >>> import autograd_core as ac, numpy as np
    >>> ac.hvp(lambda x: np.sum(x**3))(np.array([1.0, 2.0]), np.array([1.0, 0.5]))
    array([6., 6.])
    """

    @public
    @wraps(f)
    def product(*args: Any, **settings: Any) -> Any:
        if len(args) < 1:
            raise ShapeError("hvp: the vector must be the last positional argument")
        *rest, vector = args
        call = Call("hvp", f, argnum, tuple(rest), settings)
        out = one_number("hvp", call.out)
        call.warn_unreached()
        firsts = call.pull([(out, cotangent(out))], record=True)
        given = matching("hvp: the vector", call.chosen, vector)
        pairs = [
            (g, seed(g, _of_kind(v, g)))
            for g, v in zip(firsts, given, strict=True)
            if is_tracked(g)
        ]
        return call.trees(call.pull(pairs))

    return product


def vhp(f: Function, argnum: Argnum = 0) -> Function:
    """A function of f's arguments and a vector v that returns v times the Hessian of f.

    As the Hessian is symmetric, this is `hvp`.

    Parameters
    ----------
    f : callable
        The function to differentiate. It must return one real number.
    argnum : int, str, or tuple of these, default 0
        The argument to differentiate with respect to, by position or by name.

    Returns
    -------
    callable
        A function of f's arguments and, as the last positional argument, v, which has the structure
        of the argument. The product has it, too.

    Raises
    ------
    ShapeError, DTypeError, IndexingError
        In a call, for the reasons listed at `hvp`.

    See Also
    --------
    hvp : The product of the Hessian and a vector.

    Examples
    --------
    >>> import autograd_core as ac, numpy as np
    >>> ac.vhp(lambda x: np.sum(x**3))(np.array([1.0, 2.0]), np.array([1.0, 0.5]))
    array([6., 6.])
    """
    return hvp(f, argnum)
