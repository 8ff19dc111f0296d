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

from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from functools import partial, reduce, wraps
from inspect import signature
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.backward import zero_gradient
from autograd_core.engine.exits import warn_user
from autograd_core.engine.graph import Node, Parts, Rule
from autograd_core.engine.op import row_by_row
from autograd_core.engine.state import enable_grad, is_recording, no_grad
from autograd_core.engine.tensor import Tensor, make
from autograd_core.errors import NotDifferentiableError
from autograd_core.errors.tracebacks import public
from autograd_core.hips.util import subvals
from autograd_core.hips.vspace import VSpace, vspace
from autograd_core.transforms import gradients, jvp
from autograd_core.transforms.boxes import Box, Vector
from autograd_core.transforms.calls import Function, called, is_tracked
from autograd_core.transforms.joint import cotangents, fitted, is_floating, recorded_as
from autograd_core.transforms.products import called_for_pullback, pullback_of
from autograd_core.transforms.tree import filled, leaves, mapped

Maker = Callable[..., Any]
primitive_vjps: dict[Function, Maker] = {}  # (argnums, ans, args, settings) → g → gradients
primitive_jvps: dict[Function, Maker] = {}  # (argnums, gs, ans, args, settings) → tangent of ans
_forward: ContextVar[bool] = ContextVar("autograd_core forward mode", default=False)


def make_vjp(fun: Function, x: Any) -> tuple[Function, Any]:
    """Return (pullback, fun(x)); ``pullback(g)`` is the product of g and the Jacobian. If the
    result does not depend on x, which gives a warning, it returns zeros for any g."""
    call = called_for_pullback("make_vjp", fun, (x,))
    value = call.value(call.out)
    if not _tracked_in(call.out):
        call.warn_unreached()
        return lambda g: vspace(x).zeros(), value
    pullback = pullback_of(call, call.out)
    return public(lambda g: pullback(g)[0]), value


def make_jvp(fun: Function, x: Any) -> Function:
    """A function of a tangent that returns fun(x) and its derivative along the tangent."""

    @public
    def pushed(tangent: Any) -> tuple[Any, Any]:
        token = _forward.set(True)  # primitives with a rule for the forward derivative use it
        try:
            return jvp(fun, (x,), (tangent,))
        finally:
            _forward.reset(token)

    return pushed


# ---- primitives ----------------------------------------------------------------------------------


def getval(x: Any) -> Any:
    """The array or number of a Tensor, the value of a Box, or x itself."""
    if isinstance(x, Tensor):
        return _number(x._array)
    return x._value if isinstance(x, Box) else x


def primitive(fun: Function) -> Function:
    """Make `fun` a function whose derivatives are declared with `defvjp` or `defjvp`. It is called
    with arrays and numbers in place of Tensors. Positional arguments may be trees of arrays, or of
    a type with a `VSpace`; keyword arguments are not differentiated.

    Raises NotImplementedError if it is called with a tracked Tensor and no rule is declared, and
    NotDifferentiableError if a keyword argument is tracked or the result is not floating.
    """

    @public
    @wraps(fun)
    def recorded(*args: Any, **settings: Any) -> Any:
        values = [mapped(getval, arg) for arg in args]
        if _tracked_in(settings):
            raise NotDifferentiableError(
                f"{called(fun)}: a keyword argument of a primitive is not differentiated, so it "
                "cannot be a tracked Tensor; pass it by position"
            )
        ans = fun(*values, **mapped(getval, settings))
        if not _tracked_in(args) or not is_recording():
            return ans
        return _Run(recorded, ans, values, args, settings).recorded()

    recorded.defvjp = partial(_defvjp_of_g, recorded)
    recorded.defvjp_is_zero = partial(_defvjp_is_zero, recorded)
    recorded.defgrad = partial(_defgrad, recorded)
    return recorded


def _number(x: Any) -> Any:
    """A number for an array of no axes, as NumPy returns it."""
    return x[()] if isinstance(x, np.ndarray) else x


def _tracked_in(tree: Any) -> list[Any]:
    return [leaf for _, leaf in leaves(tree) if is_tracked(leaf)]


def _result(leaf: Any) -> Any:
    """A leaf of a primitive's result as a Tensor or a Box."""
    if type(leaf) in Box.types:
        return leaf if isinstance(leaf, Box) else Box.of(leaf, vspace(leaf), None)
    if isinstance(leaf, float | complex | np.generic) or backend.is_array(leaf):
        array = backend.asarray(leaf)
        return make(array, None) if array.dtype.kind in "fc" else leaf
    return leaf


def _entries(g: Parts) -> Iterator[Any]:
    for part in g:
        yield from part if isinstance(part, Vector) else [part]


def _tangent(leaf: Any) -> Any:
    """Zeros in place of a tangent, with a node."""
    if not is_tracked(leaf):
        return leaf
    zeros = make(zero_gradient(leaf._array), None)
    zeros.node = Node.leaf(zeros, zeros.shape, zeros.dtype)
    return zeros


class _Run:
    """A run of a primitive that is recorded."""

    def __init__(self, function: Function, ans: Any, values: Any, args: Any, settings: Any) -> None:
        self.function, self.ans = function, ans
        self.args, self.values, self.settings = args, values, settings
        self.results = mapped(_result, ans)
        self.argnums = tuple(i for i, arg in enumerate(args) if _tracked_in(arg))
        self.vjp, self.jvp = primitive_vjps.get(function), primitive_jvps.get(function)
        self.forward = self.jvp is not None and (self.vjp is None or _forward.get())
        if self.vjp is None and self.jvp is None:
            raise NotImplementedError(
                f"VJP of {called(function)} wrt argnums {self.argnums} not defined. Declare it as "
                f"in defvjp({called(function)}, lambda ans, x: lambda g: …)"
            )
        if not any(isinstance(leaf, Box) or is_floating(leaf) for _, leaf in leaves(self.results)):
            raise NotDifferentiableError(
                f"{called(function)}: the result of a primitive must contain floating numbers or "
                f"arrays; it is {ans!r:.60}. Use notrace_primitive for a function without gradient"
            )

    def recorded(self) -> Any:
        """The results as Tensors (or Boxes) with a node."""
        operands = tuple(v for v in _tracked_in(self.args))
        outs = [leaf._array for _, leaf in leaves(self.results) if is_floating(leaf)]
        rule = Rule(
            self.pulled, "", ("operands", *map(str, range(len(outs)))), (None, *range(len(outs)))
        )
        rule.stacked = row_by_row(self.pulled)
        saved = (tuple(v._array for v in operands if isinstance(v, Tensor)), *outs)
        parents = [v.node for v in operands]
        return recorded_as(called(self.function), parents, self.results, rule, saved)

    def pulled(self, g: Parts, _: Any, *outs: Any) -> Parts:
        """A gradient for each tracked operand, computed by the declared rules. `outs` are the
        results: Tensors if the pass is recorded, otherwise arrays."""
        recorded = any(isinstance(v, Tensor | Box) for v in (*outs, *_entries(g)))
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
        return Parts(p._array if isinstance(p, Tensor) and not recorded else p for p in parts)

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
        return gradients(outs, tangents, seeds, create_graph=recorded) if outs else tangents


def notrace_primitive(fun: Function) -> Function:
    """A function without gradient: it is called with arrays and numbers in place of Tensors."""

    @public
    @wraps(fun)
    def untraced(*args: Any, **settings: Any) -> Any:
        return fun(*mapped(getval, args), **mapped(getval, settings))

    return untraced


# ---- rules ---------------------------------------------------------------------------------------


def _is_primitive(fun: Function) -> None:
    if not hasattr(fun, "__wrapped__"):
        raise TypeError(
            f"{called(fun)} is not a primitive, so no rule can be declared for it. Write "
            f"f = primitive({called(fun)}), declare the rule for f and call f"
        )


def _checked(kind: str, fun: Function, makers: Any, argnums: Any) -> dict[int, Any]:
    """The rules by the position of their argument."""
    _is_primitive(fun)
    given = list(makers)
    places = list(range(len(given)) if argnums is None else argnums)
    if len(places) != len(given):
        raise TypeError(
            f"{kind} of {called(fun)}: {len(given)} rules were given for {len(places)} argnums"
        )
    names = positional(fun)
    if names is not None and argnums is None and len(given) > len(names):
        raise TypeError(
            f"{kind} of {called(fun)}: {len(given)} rules were given, but it has {len(names)} "
            f"positional arguments: {', '.join(names)}"
        )
    for maker in given:
        if maker is not None and not callable(maker) and not (kind == "JVP" and maker == "same"):
            raise TypeError(f"Bad {kind} {maker!r} for {called(fun)!r}: it must be a function")
    return dict(zip(places, given, strict=True))


def positional(fun: Function) -> list[str] | None:
    """The names of the positional parameters of a function; None if it takes any number of them or
    has no signature."""
    try:
        parameters = signature(fun).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None
    return [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]


def _missing(kind: str, fun: Function, argnum: int) -> NotImplementedError:
    return NotImplementedError(f"{kind} of {called(fun)} wrt argnum {argnum} not defined")


def defvjp_argnums(fun: Function, maker: Maker) -> None:
    """Declare ``maker(argnums, ans, args, settings)``, which returns a function of g that returns a
    gradient for each of `argnums`."""
    _is_primitive(fun)
    primitive_vjps[fun] = maker


def defvjp_argnum(fun: Function, maker: Maker) -> None:
    """Declare ``maker(argnum, ans, args, settings)``, which returns a function of g that returns
    the gradient of the argument."""

    def of_all(argnums: Iterable[int], *run: Any) -> Any:
        made = [maker(argnum, *run) for argnum in argnums]
        return lambda g: [one(g) for one in made]

    defvjp_argnums(fun, of_all)


def defvjp(fun: Function, *makers: Any, argnums: Iterable[int] | None = None) -> None:
    """Declare the gradient for each positional argument: ``maker(ans, *args, **settings)`` returns
    a function of g, the gradient of ans. None stands for a gradient of zeros. `argnums` are the
    positions, by default 0, 1, 2 …

    Raises TypeError if there are more rules than arguments or a rule is not a function.
    """
    rules = _checked("VJP", fun, makers, argnums)

    def one(argnum: int, ans: Any, args: Any, settings: Any) -> Any:
        if argnum not in rules:
            raise _missing("VJP", fun, argnum)
        maker = rules[argnum]
        return maker(ans, *args, **settings) if maker else lambda g: vspace(args[argnum]).zeros()

    defvjp_argnum(fun, one)


def defjvp_argnums(fun: Function, maker: Maker) -> None:
    """Declare ``maker(argnums, gs, ans, args, settings)``, which returns the derivative of ans
    along the tangents `gs` of the arguments `argnums`."""
    _is_primitive(fun)
    primitive_jvps[fun] = maker


def defjvp_argnum(fun: Function, maker: Maker) -> None:
    """Declare ``maker(argnum, g, ans, args, settings)``, which returns the derivative of ans along
    the tangent g of one argument."""

    def of_all(argnums: Iterable[int], gs: Iterable[Any], ans: Any, *run: Any) -> Any:
        pairs = zip(argnums, gs, strict=True)
        return reduce(vspace(ans).add, [maker(argnum, g, ans, *run) for argnum, g in pairs])

    defjvp_argnums(fun, of_all)


def defjvp(fun: Function, *makers: Any, argnums: Iterable[int] | None = None) -> None:
    """Declare the forward derivative for each positional argument: ``maker(g, ans, *args,
    **settings)`` returns the derivative of ans along the tangent g. "same" stands for `fun` itself,
    which is linear in the argument, None for zeros.

    A primitive with this rule only has gradients, too: they are computed by transposing it.
    """
    rules = _checked("JVP", fun, makers, argnums)

    def one(argnum: int, g: Any, ans: Any, args: Any, settings: Any) -> Any:
        if argnum not in rules:
            raise _missing("JVP", fun, argnum)
        if rules[argnum] == "same":
            return fun(*subvals(args, [(argnum, g)]), **settings)
        return rules[argnum](g, ans, *args, **settings) if rules[argnum] else vspace(ans).zeros()

    defjvp_argnum(fun, one)


def def_linear(fun: Function) -> None:
    """Declare that a primitive is linear in each of its arguments."""
    defjvp_argnum(
        fun, lambda argnum, g, ans, args, settings: fun(*subvals(args, [(argnum, g)]), **settings)
    )


# ---- rules as programs of before 2018 declare them -----------------------------------------------


def _add_rule(fun: Function, argnum: int, maker: Any) -> None:
    warn_user("f.defvjp, f.defgrad and f.defvjp_is_zero are deprecated; use defvjp(f, …)")
    rules = _old_rules.setdefault(fun, {})
    rules[argnum] = maker
    defvjp(fun, *rules.values(), argnums=rules)


def _defgrad(fun: Function, maker: Maker, argnum: int = 0) -> None:
    _add_rule(fun, argnum, maker)


def _defvjp_is_zero(fun: Function, argnums: Iterable[int] = (0,)) -> None:
    for argnum in argnums:
        _add_rule(fun, argnum, None)


def _defvjp_of_g(fun: Function, rule: Function, argnum: int = 0) -> None:
    def maker(ans: Any, *args: Any, **settings: Any) -> Function:
        spaces = vspace(args[argnum]), vspace(ans)
        return lambda g: rule(g, ans, *spaces, *args, **settings)

    _add_rule(fun, argnum, maker)


_old_rules: dict[Function, dict[int, Any]] = {}


# ---- the operations of a user's vector space -----------------------------------------------------


def _declare_vspace() -> None:
    """Make the public operations of VSpace primitives."""

    @primitive
    def add(self: VSpace, x: Any, y: Any) -> Any:
        return self._add(x, y)

    @primitive
    def mut_add(self: VSpace, x: Any, y: Any) -> Any:
        return self._mut_add(self.zeros() if x is None else x, y)

    @primitive
    def scalar_mul(self: VSpace, x: Any, a: Any) -> Any:
        return self._scalar_mul(x, a)

    @primitive
    def inner_prod(self: VSpace, x: Any, y: Any) -> Any:
        return self._inner_prod(x, y)

    @primitive
    def covector(self: VSpace, x: Any) -> Any:
        return self._covector(x)

    for sum_ in (add, mut_add):
        defvjp(sum_, None, lambda ans, vs, x, y: lambda g: g, lambda ans, vs, x, y: lambda g: g)
    defvjp(
        scalar_mul,
        None,
        lambda ans, vs, x, a: lambda g: vs.covector(vs.scalar_mul(vs.covector(g), a)),
        lambda ans, vs, x, a: lambda g: vs.inner_prod(g, vs.covector(x)),
    )
    defvjp(
        inner_prod,
        None,
        lambda ans, vs, x, y: lambda g: vs.covector(vs.scalar_mul(y, g)),
        lambda ans, vs, x, y: lambda g: vs.covector(vs.scalar_mul(x, g)),
    )
    defvjp(covector, None, lambda ans, vs, x: lambda g: vs.covector(g))
    for operation in (add, mut_add, scalar_mul, inner_prod, covector):
        setattr(VSpace, called(operation), operation)


_declare_vspace()
