"""Gradients of functions, and of recorded Tensors."""

from __future__ import annotations

from collections.abc import Iterator
from functools import wraps
from typing import Any

from autograd_core.engine.backward import pull, seed, zero_gradient
from autograd_core.engine.paths import Paths
from autograd_core.engine.tensor import Tensor, make
from autograd_core.errors import GraphError, ShapeError
from autograd_core.errors.tracebacks import public
from autograd_core.transforms.calls import (
    Argnum,
    Call,
    Function,
    as_tensor,
    check_real,
    cotangent,
    description,
    is_tracked,
    one_number,
)
from autograd_core.transforms.tree import filled, leaves, mapped


def value_and_grad(
    f: Function,
    argnum: Argnum = 0,
    *,
    has_aux: bool = False,
    holomorphic: bool = False,
    strict: bool = False,
) -> Function:
    """A function that returns the value of f and its gradient. f must return one real number.

    Parameters
    ----------
    f : callable
        The function to differentiate.
    argnum : int, str, or tuple of these, default 0
        The argument to differentiate with respect to, by position or by name. A tuple selects
        several arguments, and the gradient is then a tuple.
    has_aux : bool, default False
        If true, f returns ``(value, more)``, where `more` may be anything.
    holomorphic : bool, default False
        If true, f returns a complex number, and the gradient is the complex derivative.
    strict : bool, default False
        If true, GraphError is raised for an argument on which the result does not depend. By
        default its gradient is zero.

    Returns
    -------
    callable
        A function of f's arguments that returns ``(value, gradient)``, or with `has_aux`
        ``((value, more), gradient)``. The gradient has the structure, shapes and dtypes of the
        argument.

    Raises
    ------
    ShapeError
        In a call, if f does not return one number.
    DTypeError
        In a call, if the argument is an integer, or if the value is complex (without
        `holomorphic`), boolean or an integer.
    GraphError
        In a call with `strict`, if the result does not depend on the argument.
    IndexingError
        In a call without the argument that `argnum` selects.

    Examples
    --------
    >>> import autograd_core as ac
    >>> ac.value_and_grad(lambda x: x**3)(2.0)
    (np.float64(8.0), np.float64(12.0))

    With respect to two arguments, chosen by name, and with an auxiliary result:

    >>> def loss(w, b):
    ...     line = w * 3 + b
    ...     return line**2, line
    >>> (value, line), slopes = ac.value_and_grad(loss, ("w", "b"), has_aux=True)(1.0, 2.0)
    >>> value, slopes
    (np.float64(25.0), (np.float64(30.0), np.float64(10.0)))
    """
    return _graded("value_and_grad", f, argnum, has_aux, holomorphic, strict)


def grad(
    f: Function,
    argnum: Argnum = 0,
    *,
    has_aux: bool = False,
    holomorphic: bool = False,
    strict: bool = False,
) -> Function:
    """A function that returns the gradient of f, which must return one real number.

    Parameters
    ----------
    f : callable
        The function to differentiate.
    argnum : int, str, or tuple of these, default 0
        The argument to differentiate with respect to, by position or by name. A tuple selects
        several arguments, and the gradient is then a tuple.
    has_aux : bool, default False
        If true, f returns ``(value, more)``, and the function returns ``(gradient, more)``.
    holomorphic : bool, default False
        If true, f returns a complex number, and the gradient is the complex derivative.
    strict : bool, default False
        If true, GraphError is raised for an argument on which the result does not depend. By
        default its gradient is zero.

    Returns
    -------
    callable
        A function of f's arguments that returns the gradient, which has the structure, shapes and
        dtypes of the argument.

    Raises
    ------
    ShapeError, DTypeError, GraphError, IndexingError
        In a call, for the reasons listed at `value_and_grad`.

    See Also
    --------
    value_and_grad : The value of f as well, from the same call of f.
    elementwise_grad : The derivative of an elementwise function for each element.
    jacobian : The derivatives of a function that returns an array.

    Examples
    --------
    >>> import autograd_core as ac
    >>> ac.grad(ac.grad(lambda x: x**3))(2.0)
    np.float64(12.0)

    The argument may be a container of arrays:

    >>> import numpy as np
    >>> ac.grad(lambda p: np.sum(p["w"] ** 2) + p["b"])({"w": np.array([1.0, 2.0]), "b": 0.5})
    {'w': array([2., 4.]), 'b': np.float64(1.0)}
    """
    both = _graded("grad", f, argnum, has_aux, holomorphic, strict)

    @public
    @wraps(f)
    def gradient(*args: Any, **settings: Any) -> Any:
        value, found = both(*args, **settings)
        return (found, value[1]) if has_aux else found

    return gradient


def _graded(
    name: str, f: Function, argnum: Argnum, has_aux: bool, holomorphic: bool, strict: bool
) -> Function:
    @public
    @wraps(f)
    def graded(*args: Any, **settings: Any) -> Any:
        call = Call(name, f, argnum, args, settings)
        value, aux = call.out if has_aux else (call.out, None)
        out = one_number(name, value, holomorphic)
        shown = call.value(out)
        if has_aux:
            shown = shown, call.value(aux)
        if not strict:
            call.warn_unreached()
        found = call.pull([(out, cotangent(out))], strict=strict)
        return shown, call.trees(found)

    return graded


def elementwise_grad(f: Function, argnum: Argnum = 0) -> Function:
    """A function that returns the derivative of an elementwise function f for each element.

    If f is not elementwise, the function returns the gradient of the sum of the elements of the
    result.

    Parameters
    ----------
    f : callable
        The function to differentiate. It must return one array of real numbers.
    argnum : int, str, or tuple of these, default 0
        The argument to differentiate with respect to, by position or by name. A tuple selects
        several arguments, and the result is then a tuple.

    Returns
    -------
    callable
        A function of f's arguments that returns the derivatives, which have the structure, shapes
        and dtypes of the argument.

    Raises
    ------
    ShapeError
        In a call, if f does not return one array or number.
    DTypeError
        In a call, if the argument is an integer, or if the result is complex, boolean or an
        integer.
    IndexingError
        In a call without the argument that `argnum` selects.

    See Also
    --------
    grad : The gradient of a function that returns one number.
    jacobian : All derivatives of a function that is not elementwise.

    Examples
    --------
    >>> import autograd_core as ac, numpy as np
    >>> ac.elementwise_grad(np.sin)(np.array([0.0, np.pi]))
    array([ 1., -1.])
    """

    @public
    @wraps(f)
    def slopes(*args: Any, **settings: Any) -> Any:
        call = Call("elementwise_grad", f, argnum, args, settings)
        out = as_tensor(call.name, call.out)
        check_real(call.name, out)
        call.warn_unreached()
        return call.trees(call.pull([(out, cotangent(out))]))

    return slopes


@public
def gradients(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    *,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> Any:
    """The gradients of recorded Tensors, `outputs`, with respect to the Tensors `inputs` from which
    they were computed. The inputs need not be leaves.

    Only the nodes between outputs and inputs are visited, and no ``.grad`` is changed.

    Parameters
    ----------
    outputs : Tensor or tree of Tensors
        What to differentiate.
    inputs : Tensor or tree of Tensors
        What to differentiate with respect to.
    grad_outputs : tree of arrays, optional
        The gradients with respect to the outputs, by default 1 for an output of one element.
    retain_graph : bool, optional
        As in ``Tensor.backward``: whether the graph can be used again. By default, `create_graph`.
    create_graph : bool, default False
        As in ``Tensor.backward``: whether the gradients are recorded, so that they can be
        differentiated.
    strict : bool, default False
        If true, GraphError is raised for an input on which no output depends. By default its
        gradient is zero.

    Returns
    -------
    tree of Tensors
        The gradients, with the structure of `inputs`.

    Raises
    ------
    GraphError
        If an input or an output is not a tracked Tensor, or with `strict` if no output depends on
        an input.
    ShapeError
        If there are not as many `grad_outputs` as outputs.

    Examples
    --------
    >>> import autograd_core as ac
    >>> x = ac.Tensor([1.0, 2.0], requires_grad=True)
    >>> h = x * x
    >>> ac.gradients(h.sum(), [x, h])
    [Tensor([2., 4.]), Tensor([1., 1.])]
    """
    wanted = list(leaves(inputs))
    ends = [out for _, out in leaves(outputs)]
    given = [g for _, g in leaves(grad_outputs)] if grad_outputs is not None else [None] * len(ends)
    for path, tensor in [*wanted, *(("", out) for out in ends)]:
        if not is_tracked(tensor):
            raise GraphError(
                f"gradients: inputs and outputs must be tracked Tensors; {path or 'one'} is "
                f"{description(tensor)}, of type {type(tensor).__name__} and not tracked"
            )
    if len(given) != len(ends):
        raise ShapeError(
            f"gradients: {len(ends)} outputs need {len(ends)} grad_outputs; got {len(given)}"
        )
    targets = {tensor.node: i for i, (_, tensor) in enumerate(wanted)}
    paths = Paths([out.node for out in ends], targets)
    seeds = [
        (out.node, seed(out, g))
        for out, g in zip(ends, given, strict=True)
        if paths.lead_from(out.node)
    ]
    retain = create_graph if retain_graph is None else retain_graph
    found = pull(seeds, paths, retain=retain, create_graph=create_graph)

    def results() -> Iterator[Tensor]:
        for path, tensor in wanted:
            i = targets[tensor.node]
            if i not in found and strict:
                raise GraphError(f"gradients: no output depends on the input{path}")
            g = found[i] if i in found else zero_gradient(tensor._array)
            yield g if isinstance(g, Tensor) else make(g, None)

    return filled(inputs, results())


def stop_gradient(tree: Any) -> Any:
    """A tree with every Tensor in it detached, so that no gradient flows through it.

    Parameters
    ----------
    tree : tree
        A Tensor, or lists, tuples, dicts and so on with Tensors in them. What is no Tensor is kept.

    Returns
    -------
    tree
        The structure of `tree`, with untracked Tensors that share the memory of its Tensors.

    Examples
    --------
    >>> import autograd_core as ac
    >>> ac.grad(lambda x: x * ac.stop_gradient(x))(3.0)
    np.float64(3.0)
    """
    return mapped(lambda leaf: leaf.detach() if isinstance(leaf, Tensor) else leaf, tree)
