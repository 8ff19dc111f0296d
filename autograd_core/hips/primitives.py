"""Functions whose derivatives a user writes, and make_vjp and make_jvp of one argument.

    @primitive
    def logsumexp(x):
        top = np.max(x)
        return top + np.log(np.sum(np.exp(x - top)))

    defvjp(logsumexp, lambda ans, x: lambda g: g * np.exp(x - ans))

A primitive is called with plain arrays and numbers. Its rules are called with arrays, or with
Tensors if the backward pass is recorded, so the derivative of a rule is the second derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import partial, wraps
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.backward import zero_gradient
from autograd_core.engine.graph import Node, Parts, Rule
from autograd_core.engine.op import row_by_row
from autograd_core.engine.state import STATE, enable_grad, is_recording, no_grad
from autograd_core.engine.tensor import Tensor, make
from autograd_core.errors import NotDifferentiableError
from autograd_core.errors.tracebacks import public
from autograd_core.hips.vspace import vspace
from autograd_core.transforms import gradients
from autograd_core.transforms.boxes import NO_FORWARD, Box, Vector
from autograd_core.transforms.calls import Function, called, is_tracked
from autograd_core.transforms.joint import cotangents, fitted, is_floating, recorded_as
from autograd_core.transforms.tree import LEAVES, filled, leaves, mapped

Maker = Callable[..., Any]
primitive_vjps: dict[Function, Maker] = {}  # (argnums, ans, args, settings) → g → gradients
primitive_jvps: dict[Function, Maker] = {}  # (argnums, gs, ans, args, settings) → tangent of ans
METHODS: dict[str, Function] = {}  # methods of primitives, which `rules` adds
_TRACED = (Tensor, Box)
forward_mode: ContextVar[bool] = ContextVar("autograd_core forward mode", default=False)


def getval(x: Any) -> Any:
    """The array or number of a Tensor, the value of a Box, or x itself."""
    if isinstance(x, Tensor):
        return _number(x._array)
    return x._value if isinstance(x, Box) else x


def primitive(fun: Function) -> Function:
    """Make a function whose derivatives are declared with `defvjp` or `defjvp`.

    It is called with arrays and numbers in place of Tensors.

    Parameters
    ----------
    fun : callable
        A function of arrays. Positional arguments may be trees of arrays, or of a type with a
        `VSpace`; keyword arguments are not differentiated.

    Returns
    -------
    callable
        A function of Tensors and arrays.

    Raises
    ------
    NotImplementedError
        In a call with a tracked Tensor, if no rule is declared.
    NotDifferentiableError
        In a call, if a keyword argument is tracked, or if the result is not floating.

    See Also
    --------
    autograd_core.hips.extend.defvjp : Declare the gradient.
    autograd_core.hips.extend.defjvp : Declare the forward derivative.
    autograd_core.hips.extend.notrace_primitive : Make a function without gradient.

    Examples
    --------
    >>> import autograd_core.hips as autograd
    >>> from autograd_core.hips.extend import defvjp
    >>> @autograd.primitive
    ... def cube(x):
    ...     return x**3
    >>> defvjp(cube, lambda ans, x: lambda g: 3 * g * x**2)
    >>> autograd.grad(cube)(2.0)
    np.float64(12.0)
    """

    @public
    @wraps(fun)
    def recorded(*args: Any, **settings: Any) -> Any:
        values = [mapped(getval, arg) for arg in args]
        if settings and tracked_in(settings):
            raise NotDifferentiableError(
                f"{called(fun)}: a keyword argument of a primitive is not differentiated, so it "
                "cannot be a tracked Tensor; pass it by position"
            )
        ans = fun(*values, **mapped(getval, settings)) if settings else fun(*values)
        if not tracked_in(args) or not is_recording():
            return ans
        return _Run(recorded, ans, values, args, settings).recorded()

    for name, declare in METHODS.items():
        setattr(recorded, name, partial(declare, recorded))
    recorded.is_primitive = True  # type: ignore[attr-defined]
    return recorded


def _number(x: Any) -> Any:
    """A number for an array of no axes, as NumPy returns it."""
    return x[()] if isinstance(x, np.ndarray) else x


def tracked_in(tree: Any) -> list[Any]:
    """The tracked Tensors and Boxes in a tree."""
    if type(tree) is tuple:  # positional arguments, whose paths are not needed
        return [leaf for entry in tree for leaf in tracked_in(entry)]
    if type(tree) in LEAVES:
        return [tree] if is_tracked(tree) else []
    return [leaf for _, leaf in leaves(tree) if is_tracked(leaf)]


def _result(leaf: Any) -> Any:
    """A leaf of a primitive's result as a Tensor or a Box."""
    if type(leaf) is np.ndarray and leaf.dtype == np.float64 and not backend.in_use():
        return make(leaf, None)
    if type(leaf) in Box.types:
        return leaf if isinstance(leaf, Box) else Box.of(leaf, vspace(leaf), None)
    if isinstance(leaf, float | complex | np.generic) or backend.is_array(leaf):
        array = backend.asarray(leaf)
        return make(array, None) if array.dtype.kind in "fc" else leaf
    return leaf


def _entries(g: Parts) -> Iterator[Any]:
    for part in g:
        yield from part if isinstance(part, Vector) else [part]


def _zeros(end: Any) -> Any:
    return end._zeros() if isinstance(end, Box) else zero_gradient(end._array)


def _tangent(leaf: Any) -> Any:
    """Zeros in place of a tangent, with a node."""
    if not is_tracked(leaf):
        return leaf
    if isinstance(leaf, Box):
        raise NotDifferentiableError(NO_FORWARD)
    zeros = make(zero_gradient(leaf._array), None)
    zeros.node = Node.leaf(zeros, zeros.shape, zeros.dtype)
    return zeros


class _Run:
    """A run of a primitive that is recorded."""

    def __init__(self, function: Function, ans: Any, values: Any, args: Any, settings: Any) -> None:
        self.function, self.ans = function, ans
        self.args, self.values, self.settings = args, values, settings
        self.results = mapped(_result, ans)
        ends = [leaf for _, leaf in leaves(self.results)]
        self.ends = [leaf for leaf in ends if isinstance(leaf, Box) or is_floating(leaf)]
        self.argnums = tuple(i for i, arg in enumerate(args) if tracked_in(arg))
        self.vjp: Any = primitive_vjps.get(function)
        self.jvp: Any = primitive_jvps.get(function)
        self.forward = self.jvp is not None and (self.vjp is None or forward_mode.get())
        # one array from arrays and numbers, which needs no walk through trees
        self.flat = (
            type(self.results) is Tensor
            and self.results.node is None
            and all(type(arg) in LEAVES for arg in args)
        )
        if self.vjp is None and self.jvp is None:
            raise NotImplementedError(
                f"VJP of {called(function)} wrt argnums {self.argnums} not defined. Declare it as "
                f"in defvjp({called(function)}, lambda ans, x: lambda g: …)"
            )
        if not self.ends:
            raise NotDifferentiableError(
                f"{called(function)}: the result of a primitive must contain floating numbers or "
                f"arrays; it is {ans!r:.60}. Use notrace_primitive for a function without gradient"
            )

    def recorded(self) -> Any:
        """The results as Tensors (or Boxes) with a node."""
        operands = tracked_in(self.args)
        outs = [leaf._array for _, leaf in leaves(self.results) if is_floating(leaf)]
        rule = Rule(
            self.pulled, "", ("operands", *map(str, range(len(outs)))), (None, *range(len(outs)))
        )
        rule.stacked = row_by_row(self.pulled)
        saved = (tuple(v._array for v in operands if isinstance(v, Tensor)), *outs)
        parents = [v.node for v in (*operands, *tracked_in(self.results))]
        return recorded_as(called(self.function), parents, self.results, rule, saved)

    def pulled(self, g: Parts, _: Any, *outs: Any) -> Parts:
        """A gradient for each tracked operand, computed by the declared rules. `outs` are the
        results: Tensors if the pass is recorded, otherwise arrays."""
        if self.flat and not self.forward and type(g[0]) is np.ndarray is type(outs[0]):
            return self._pulled_flat(g[0], outs[0])
        recorded = any(isinstance(v, _TRACED) for v in (*outs, *_entries(g)))
        args = self.args if recorded else self.values
        cotangent = cotangents(self.results, g, _number)
        with enable_grad() if recorded else no_grad():
            ans = self._results(outs, recorded)
            if self.forward:
                slopes = self._transposed(cotangent, ans, args, recorded)
            else:
                slopes = self.vjp(self.argnums, ans, args, self.settings)(cotangent)
            pairs = zip(self.argnums, slopes, strict=True)
            name = called(self.function)
            parts = [part for i, slope in pairs for part in fitted(name, self.args[i], slope)]
        # a result is tracked if an argument of another type contains Tensors
        hidden = zip(g, self.ends, strict=True)
        parts += [
            part if part is not None else _zeros(end) for part, end in hidden if is_tracked(end)
        ]
        return Parts(p._array if isinstance(p, Tensor) and not recorded else p for p in parts)

    def _pulled_flat(self, g: Any, out: Any) -> Parts:
        """What `pulled` returns for one array, if the pass is not recorded."""
        _, scope, observer = STATE.get()
        token = STATE.set((False, scope, observer))  # `no_grad` takes a third of the time of a rule
        try:
            slopes = self.vjp(self.argnums, _number(out), self.values, self.settings)(_number(g))
        finally:
            STATE.reset(token)
        name, args = called(self.function), self.args
        pairs = zip(self.argnums, slopes, strict=True)
        parts = [part._array for i, slope in pairs for part in fitted(name, args[i], slope)]
        return Parts(parts)

    def _results(self, outs: tuple[Any, ...], recorded: bool) -> Any:
        if recorded and any(isinstance(leaf, Box) for _, leaf in leaves(self.results)):
            return self.function(*self.args, **self.settings)  # a Box that can be differentiated
        given = map(_number, outs)
        pairs = zip(leaves(self.results), leaves(self.ans), strict=True)
        return filled(self.ans, (next(given) if is_floating(v) else a for (_, v), (_, a) in pairs))

    def _transposed(self, g: Any, ans: Any, args: Any, recorded: bool) -> list[Any]:
        """The gradients computed from the rule for the forward derivative, which is linear in the
        tangents: a backward pass through it transposes it."""
        tangents = [mapped(_tangent, self.args[i]) for i in self.argnums]
        with enable_grad():
            pushed = self.jvp(self.argnums, tangents, ans, args, self.settings)
        pairs = zip(leaves(pushed), leaves(g), strict=True)
        ends = [(out, v) for (_, out), (_, v) in pairs if is_tracked(out)]
        outs, seeds = [out for out, _ in ends], [v for _, v in ends]
        wanted = tracked_in(tangents)
        found = iter(gradients(outs, wanted, seeds, create_graph=recorded) if outs else wanted)
        return mapped(lambda leaf: next(found) if is_tracked(leaf) else None, tangents)  # type: ignore[no-any-return]


def notrace_primitive(fun: Function) -> Function:
    """Make a function without gradient.

    It is called with arrays and numbers in place of Tensors.

    Parameters
    ----------
    fun : callable
        A function of arrays and numbers, or of trees of these.

    Returns
    -------
    callable
        A function of Tensors, arrays and numbers that returns what `fun` returns.

    See Also
    --------
    autograd_core.hips.primitive : Make a function whose derivatives are declared.
    """

    @public
    @wraps(fun)
    def untraced(*args: Any, **settings: Any) -> Any:
        return fun(*mapped(getval, args), **mapped(getval, settings))

    return untraced
