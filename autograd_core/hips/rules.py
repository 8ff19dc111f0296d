"""Declaring the derivatives of primitives."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from inspect import signature
from typing import Any

from autograd_core.engine.exits import warn_user
from autograd_core.hips.arguments import subvals
from autograd_core.hips.primitives import (
    METHODS,
    Maker,
    forward_mode,
    primitive,
    primitive_jvps,
    primitive_vjps,
)
from autograd_core.hips.vspace import VSpace, vspace
from autograd_core.transforms.calls import Function, called


def _require_primitive(fun: Function) -> None:
    if not getattr(fun, "is_primitive", False):
        raise TypeError(
            f"{called(fun)} is not a primitive, so no rule can be declared for it; a function of "
            f"autograd_core.numpy has its gradient already. Write f = primitive({called(fun)}), "
            "declare the rule for f and call f"
        )


def _checked(kind: str, fun: Function, makers: Any, argnums: Any) -> dict[int, Any]:
    """The rules by the position of their argument."""
    _require_primitive(fun)
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
    """Declare the gradients of a primitive with one rule for several arguments at once.

    Parameters
    ----------
    fun : callable
        A function made with `primitive`.
    maker : callable
        ``maker(argnums, ans, args, settings)``, where `argnums` are the positions of the arguments
        to differentiate, and ans is the result of ``fun(*args, **settings)``. It returns a function
        of g, the gradient with respect to ans, that returns a gradient for each of `argnums`.

    Raises
    ------
    TypeError
        If `fun` is not a primitive.

    See Also
    --------
    defvjp : Declare a rule for each argument.
    defvjp_argnum : Declare one rule, which is called for each argument.
    """
    _require_primitive(fun)
    primitive_vjps[fun] = maker


def defvjp_argnum(fun: Function, maker: Maker) -> None:
    """Declare the gradients of a primitive with one rule that is called for each argument.

    Parameters
    ----------
    fun : callable
        A function made with `primitive`.
    maker : callable
        ``maker(argnum, ans, args, settings)``, where `argnum` is the position of the argument to
        differentiate, and ans is the result of ``fun(*args, **settings)``. It returns a function of
        g, the gradient with respect to ans, that returns the gradient with respect to the argument.

    Raises
    ------
    TypeError
        If `fun` is not a primitive.

    See Also
    --------
    defvjp : Declare a rule for each argument.
    defvjp_argnums : Declare one rule for several arguments at once.
    """

    def of_all(argnums: Iterable[int], *run: Any) -> Any:
        made = [maker(argnum, *run) for argnum in argnums]
        return lambda g: [one(g) for one in made]

    defvjp_argnums(fun, of_all)


def defvjp(fun: Function, *makers: Any, argnums: Iterable[int] | None = None) -> None:
    """Declare the gradient of a primitive with respect to each positional argument.

    Parameters
    ----------
    fun : callable
        A function made with `primitive`.
    *makers : callable or None
        The rule for each argument: ``maker(ans, *args, **settings)``, where ans is the result of
        ``fun(*args, **settings)``, returns a function of g, the gradient with respect to ans, that
        returns the gradient with respect to the argument. None stands for a gradient of zeros.
    argnums : iterable of int, optional
        The positions of the arguments that the rules belong to, by default 0, 1, 2 …

    Raises
    ------
    TypeError
        If `fun` is not a primitive, if a rule is not a function, if there are more rules than
        positional arguments, or if there are not as many rules as `argnums`.

    See Also
    --------
    defjvp : Declare the forward derivative.
    defvjp_argnum : Declare one rule, which is called for each argument.
    autograd_core.hips.test_util.check_grads : Check rules against finite differences.

    Notes
    -----
    A rule is called with arrays, or with Tensors if the backward pass is recorded, so the
    derivative of a rule is the second derivative. A primitive that has this rule only has forward
    derivatives, too. The gradient with respect to an argument without a rule raises
    NotImplementedError.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_core.hips import grad
    >>> from autograd_core.hips.extend import defvjp, primitive
    >>> @primitive
    ... def wave(height, x):
    ...     return height * np.sin(x)
    >>> defvjp(
    ...     wave,
    ...     lambda ans, height, x: lambda g: g * np.sin(x),
    ...     lambda ans, height, x: lambda g: g * height * np.cos(x),
    ... )
    >>> grad(wave, (0, 1))(2.0, 0.0)
    (np.float64(0.0), np.float64(2.0))
    """
    rules = _checked("VJP", fun, makers, argnums)

    def one(argnum: int, ans: Any, args: Any, settings: Any) -> Any:
        if argnum not in rules:
            raise _missing("VJP", fun, argnum)
        maker = rules[argnum]
        return maker(ans, *args, **settings) if maker else lambda g: vspace(args[argnum]).zeros()

    defvjp_argnum(fun, one)


def defjvp_argnums(fun: Function, maker: Maker) -> None:
    """Declare the forward derivative of a primitive with one rule for several arguments at once.

    Parameters
    ----------
    fun : callable
        A function made with `primitive`.
    maker : callable
        ``maker(argnums, gs, ans, args, settings)``, where ans is the result of ``fun(*args,
        **settings)``. It returns the derivative of ans along the tangents `gs` of the arguments at
        the positions `argnums`.

    Raises
    ------
    TypeError
        If `fun` is not a primitive.

    See Also
    --------
    defjvp : Declare a rule for each argument.
    defjvp_argnum : Declare one rule, which is called for each argument.
    """
    _require_primitive(fun)
    primitive_jvps[fun] = maker


def defjvp_argnum(fun: Function, maker: Maker) -> None:
    """Declare the forward derivative of a primitive with one rule that is called for each argument.

    Parameters
    ----------
    fun : callable
        A function made with `primitive`.
    maker : callable
        ``maker(argnum, g, ans, args, settings)``, where ans is the result of ``fun(*args,
        **settings)``. It returns the derivative of ans along the tangent g of the argument at the
        position `argnum`. The derivatives for several arguments are added.

    Raises
    ------
    TypeError
        If `fun` is not a primitive.

    See Also
    --------
    defjvp : Declare a rule for each argument.
    defjvp_argnums : Declare one rule for several arguments at once.
    """

    def of_all(argnums: Iterable[int], gs: Iterable[Any], ans: Any, *run: Any) -> Any:
        pairs = zip(argnums, gs, strict=True)
        return reduce(vspace(ans).add, [maker(argnum, g, ans, *run) for argnum, g in pairs])

    defjvp_argnums(fun, of_all)


def defjvp(fun: Function, *makers: Any, argnums: Iterable[int] | None = None) -> None:
    """Declare the forward derivative of a primitive with respect to each positional argument.

    Parameters
    ----------
    fun : callable
        A function made with `primitive`.
    *makers : callable, "same" or None
        The rule for each argument: ``maker(g, ans, *args, **settings)``, where ans is the result of
        ``fun(*args, **settings)``, returns the derivative of ans along the tangent g of the
        argument. "same" stands for `fun` itself, which is linear in the argument, and None for
        zeros.
    argnums : iterable of int, optional
        The positions of the arguments that the rules belong to, by default 0, 1, 2 …

    Raises
    ------
    TypeError
        If `fun` is not a primitive, if a rule is neither a function nor "same" nor None, if there
        are more rules than positional arguments, or if there are not as many rules as `argnums`.

    See Also
    --------
    defvjp : Declare the gradient.
    def_linear : Declare that a primitive is linear in each of its arguments.
    autograd_core.hips.test_util.check_grads : Check rules against finite differences.

    Notes
    -----
    A primitive that has this rule only has gradients, too: they are computed by transposing the
    rule. A derivative with respect to an argument without a rule raises NotImplementedError.

    Examples
    --------
    >>> from autograd_core.hips import grad, make_jvp
    >>> from autograd_core.hips.extend import defjvp, primitive
    >>> @primitive
    ... def parabola(a, x):
    ...     return a * x**2
    >>> defjvp(parabola, "same", lambda g, ans, a, x: 2 * a * x * g)
    >>> make_jvp(parabola, 1)(3.0, 2.0)(10.0)  # the value, and 10 times the derivative
    (np.float64(12.0), np.float64(120.0))
    >>> grad(parabola, (0, 1))(3.0, 2.0)
    (np.float64(4.0), np.float64(12.0))
    """
    rules = _checked("JVP", fun, makers, argnums)

    def one(argnum: int, g: Any, ans: Any, args: Any, settings: Any) -> Any:
        if argnum not in rules:
            raise _missing("JVP", fun, argnum)
        if rules[argnum] == "same":
            return _applied(fun, argnum, g, args, settings)
        return rules[argnum](g, ans, *args, **settings) if rules[argnum] else vspace(ans).zeros()

    defjvp_argnum(fun, one)


def def_linear(fun: Function) -> None:
    """Declare that a primitive is linear in each of its arguments.

    It declares the forward derivative, as `defjvp` with "same" for each argument.

    Parameters
    ----------
    fun : callable
        A function made with `primitive`.

    Raises
    ------
    TypeError
        If `fun` is not a primitive.

    See Also
    --------
    defjvp : Declare a rule for each argument.
    """
    defjvp_argnum(
        fun, lambda argnum, g, ans, args, settings: _applied(fun, argnum, g, args, settings)
    )


def _applied(fun: Function, argnum: int, g: Any, args: Any, settings: Any) -> Any:
    """A primitive that is linear in an argument, applied to a tangent."""
    if fun in primitive_vjps:
        token = forward_mode.set(False)
        try:
            return fun(*subvals(args, [(argnum, g)]), **settings)
        finally:
            forward_mode.reset(token)

    @primitive
    def linear(x: Any) -> Any:
        return fun(*subvals(args, [(argnum, x)]), **settings)

    def transposed(ans: Any, x: Any) -> Function:
        """Without a rule for the gradient, `fun` is applied to each element of a basis."""
        space, results = vspace(x), vspace(ans)
        basis = list(space.standard_basis())
        return lambda c: reduce(
            space.add, [space.scalar_mul(e, results.inner_prod(linear(e), c)) for e in basis]
        )

    defvjp(linear, transposed)
    return linear(g)


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


def _defvjp(fun: Function, rule: Function, argnum: int = 0) -> None:
    def maker(ans: Any, *args: Any, **settings: Any) -> Function:
        spaces = vspace(args[argnum]), vspace(ans)
        return lambda g: rule(g, ans, *spaces, *args, **settings)

    _add_rule(fun, argnum, maker)


_old_rules: dict[Function, dict[int, Any]] = {}
METHODS |= {
    "defgrad": _defgrad,
    "defvjp": _defvjp,
    "defvjp_is_zero": _defvjp_is_zero,
}


# ---- the operations of a user's vector space -----------------------------------------------------


def _declare_vspace() -> None:
    """Make the public operations of VSpace primitives."""

    @primitive
    def add(self: VSpace, x: Any, y: Any) -> Any:
        """x + y."""
        return self._add(x, y)

    @primitive
    def mut_add(self: VSpace, x: Any, y: Any) -> Any:
        """x + y, for which x may be overwritten; y if x is None."""
        return self._mut_add(self.zeros() if x is None else x, y)

    @primitive
    def scalar_mul(self: VSpace, x: Any, a: Any) -> Any:
        """x times the number a."""
        return self._scalar_mul(x, a)

    @primitive
    def inner_prod(self: VSpace, x: Any, y: Any) -> Any:
        """The real inner product of x and y."""
        return self._inner_prod(x, y)

    @primitive
    def covector(self: VSpace, x: Any) -> Any:
        """The complex conjugate of x, by default x itself."""
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
