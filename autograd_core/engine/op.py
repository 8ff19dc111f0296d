"""Declaring an operation: its kernel in plain NumPy and one rule per differentiable operand.

    multiply = elementwise(np.multiply, "x * y.", x=lambda g, y: g * y, y=lambda g, x: g * x)

    @op(x=lambda g, x_shape, axis, keepdims: spread(g, x_shape, axis, keepdims))
    def sum(x, axis=None, keepdims=False):
        return np.sum(x, axis=axis, keepdims=keepdims)

The parameters of a rule name the values that the graph saves: an operand, a setting, the result
(``out``), the shape of an operand (``x_shape``) or the shape of the result (``out_shape``). Nothing
else is saved.

The operands are the parameters named in the decorator. The value is a rule for the derivative; None
if no gradient flows to the operand; `each(rule)` if the operand is a list; or `nested` if it is a
container, such as an index, whose Tensors are read without a gradient. All other parameters are
settings; a Tensor passed as a setting is an error.

The kernel of an operation with several results returns a named tuple, whose class is declared with
`results=`. The rules then receive a tuple of gradients, with None for unused results, and may name
a result as a parameter.

A declaration is checked at import. As with dataclasses, a function is generated for it (see
`forward`). The tables `operations` and `functions` contain the declarations of this package, under
the names of NumPy and SciPy. Operations that a user declares are in neither table.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from inspect import CO_VARARGS, CO_VARKEYWORDS
from keyword import iskeyword
from types import CodeType
from typing import Any, ParamSpec, TypeVar, overload

import numpy as np

from autograd_core.devices.fusion import Fused
from autograd_core.engine.docstrings import describe
from autograd_core.engine.forward import function_of
from autograd_core.engine.graph import Operation, Parts, Rule
from autograd_core.engine.source import meanings
from autograd_core.engine.tensor import Tensor
from autograd_core.engine.types import Gradient, Operand
from autograd_core.engine.untracked import without_gradient
from autograd_core.errors import NotDifferentiableError
from autograd_core.errors.tracebacks import public

P = ParamSpec("P")
F = TypeVar("F", bound=Callable[..., Any])


class Each:
    """Marks a list of operands. Its rule may use the names `position` and `shapes`."""

    def __init__(self, rule: Callable[..., Any] | None) -> None:
        self.rule = rule


def each(rule: Callable[..., Any] | None) -> Each:
    """Declare a parameter of an operation as a list of operands that share one rule.

    Parameters
    ----------
    rule : callable or None
        The rule of each operand, as in `op`. It may use the names `position`, the operand's place
        in the list, and `shapes`, the shapes of all operands. With None no gradient flows to them.

    Returns
    -------
    Each
        What `op` takes in place of a rule.

    Examples
    --------
    >>> import autograd_core as ac
    >>> @ac.op(xs=ac.each(lambda g, position: g * (position + 1)))
    ... def weighted(xs):
    ...     return sum((i + 1) * x for i, x in enumerate(xs))
    >>> ac.grad(lambda x: weighted([x, x, x]))(1.0)
    np.float64(6.0)
    """
    return Each(rule)


def once_differentiable(rule: Callable[..., Any]) -> Callable[..., Any]:
    """Declare that a rule cannot run on Tensors, so that its result cannot be differentiated again.

    A second derivative raises NotDifferentiableError instead of being silently wrong.

    Parameters
    ----------
    rule : callable
        The rule of an operand, as in `op`.

    Returns
    -------
    callable
        The same rule, marked.

    Examples
    --------
    >>> import numpy as np, autograd_core as ac
    >>> slope = ac.once_differentiable(lambda g, x: g * np.cos(x))
    >>> sine = ac.elementwise(np.sin, "The sine of x.", name="sine", x=slope)
    >>> ac.grad(sine)(0.0)
    np.float64(1.0)
    >>> try:
    ...     ac.grad(ac.grad(sine))(0.0)
    ... except ac.NotDifferentiableError:
    ...     print("no second derivative")
    no second derivative
    """
    rule.once_differentiable = True  # type: ignore[attr-defined]
    return rule


def _once(name: str, operand: str, rule: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(g: Gradient, *saved: Any) -> Any:
        if any(isinstance(value, Tensor) for value in (g, *saved)):
            raise NotDifferentiableError(
                f"{name}: its rule for {operand!r} is declared once_differentiable, so it has no "
                "second derivative; call backward() without create_graph=True"
            )
        return rule(g, *saved)

    guarded.__module__ = rule.__module__
    return guarded


def row_by_row(rule: Callable[..., Any]) -> Callable[..., Any]:
    """Turn a rule for one gradient into a rule for a stack of gradients, by calling it for each. A
    user's rule may count axes from the front, so a call with the stack could be silently wrong."""

    def stacked(g: Gradient, *saved: Any) -> Any:
        length = len(next(part for part in g if part is not None) if isinstance(g, Parts) else g)
        return _stack([rule(_row(g, i), *saved) for i in range(length)])

    return stacked


def _row(g: Gradient, i: int) -> Any:
    return Parts(None if p is None else p[i] for p in g) if isinstance(g, Parts) else g[i]


def _stack(rows: list[Any]) -> Any:
    if isinstance(rows[0], Parts):
        return Parts(map(_stack, map(list, zip(*rows, strict=True))))
    return None if rows[0] is None else np.stack(rows)


class _Nested:
    """Marks a container, such as an index, whose Tensors are read and never differentiated."""


nested = _Nested()


class Result(Operation):
    """One of the several results of an operation."""

    def __init__(self, name: str, position: int, count: int) -> None:
        def placed(g: Gradient) -> Parts:
            return Parts(g if i == position else None for i in range(count))

        super().__init__(name)
        self.rule = Rule(placed, name, (), ())


class Op(Operation):
    """One declared operation, as used by nodes, drawings and tests.

    Raises TypeError if a rule uses a name that is not available to it.
    """

    def __init__(
        self,
        name: str,
        kernel: Callable[..., Any],
        operands: dict[str, Any],
        parameters: tuple[str, ...],
        defaults: tuple[Any, ...] = (),
        pointwise: bool = False,
        results: Any = None,
        view: Any = None,
    ) -> None:
        super().__init__(name)
        names = () if results is None else results._fields
        self.results = tuple(Result(n, i, len(names)) for i, n in enumerate(names))
        self.kernel = kernel
        self.operands = tuple(operands)
        self.parameters = parameters
        self.defaults = defaults
        self.pointwise = pointwise
        self.view = view
        self.settings = tuple(p for p in parameters if p not in operands)
        self.variadic = {p for p, rule in operands.items() if isinstance(rule, Each)}
        self.nested = {p for p, rule in operands.items() if rule is nested}
        self._check_names()
        # names known to be unambiguous; empty if a parameter is named like a shape or a result
        shapes = {f"{p}_shape" for p in operands} | {"out", "out_shape", "position", "shapes"}
        self.plain = {*parameters, "out"} if shapes.isdisjoint(parameters) else set()
        rules = {p: r.rule if isinstance(r, Each) else r for p, r in operands.items()}
        self.rules = {p: self._read(p, rule) for p, rule in rules.items() if callable(rule)}
        self.function = function_of(self)

    def _check_names(self) -> None:
        for operand in self.operands:
            if operand not in self.parameters:
                raise TypeError(f"op {self.name!r} has no parameter {operand!r}")
            if not operand.isidentifier() or iskeyword(operand):
                raise TypeError(f"op {self.name!r}: a parameter cannot be called {operand!r}")

    def _read(self, operand: str, rule: Callable[..., Any]) -> Rule:
        first, *rest = _signature_of(rule)[0] or ("",)
        if first != "g" and first in ("", *self.parameters):
            raise TypeError(
                f"op {self.name!r}: the first parameter of the rule for {operand!r} must be the "
                f"gradient, as in lambda g, {operand}: …; it is {first!r}"
            )
        names = tuple(rest)
        self._check_asked(operand, names)
        results = {result.name: i for i, result in enumerate(self.results)}
        origins = results | {origin: origin for origin in (*self.operands, "out")}
        if getattr(rule, "once_differentiable", False):
            rule = _once(self.name, operand, rule)
        read = Rule(rule, operand, names, tuple(map(origins.get, names)))
        if self.pointwise:
            read.on_device = Fused(rule)
        elif not read.trusted:
            read.stacked = row_by_row(rule)
        return read

    def _check_asked(self, operand: str, names: tuple[str, ...]) -> None:
        """Raise if a name in a rule is unknown or ambiguous."""
        if not self.results and self.plain.issuperset(names):
            return  # the usual case; the rest would run 200 times at import
        known: dict[str, list[str]] = {}
        for name, _, words in meanings(self, operand):
            known.setdefault(name, []).append(words)
        for name in names:
            asks = f"op {self.name!r}: the rule for {operand!r} uses the name {name!r}"
            if name not in known:
                raise TypeError(f"{asks}; available: {', '.join(sorted(known))}")
            if len(known[name]) > 1:
                raise TypeError(
                    f"{asks}, which could mean {' or '.join(known[name])}; give the parameter "
                    "another name"
                )

    def __repr__(self) -> str:
        return f"<op {self.name}>"


operations: dict[str, Op] = {}  # the declarations of this package by name
functions: dict[str, Callable[..., Any]] = {}  # operations and composed functions
NAMESPACES = frozenset({"emath", "fft", "linalg"})  # modules of NumPy and of this package
UNNAMED = "unnamed operation"  # of a user's lambda
gradient_free: set[str] = set()  # names of functions without gradient


def _signature_of(function: Callable[..., Any]) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    code: CodeType | None = getattr(function, "__code__", None)
    if code is None:
        raise TypeError(f"{function!r} is not written in Python; wrap it, as in lambda g, x: f(x)")
    if code.co_kwonlyargcount or code.co_flags & (CO_VARARGS | CO_VARKEYWORDS):
        raise TypeError(
            f"{function.__name__}: a kernel's or a rule's parameters must be positional; "
            "*args, **settings and keyword-only parameters are not supported"
        )
    return code.co_varnames[: code.co_argcount], function.__defaults__ or ()


def _caller() -> str:
    """The name of the module that called the calling function."""
    return str(sys._getframe(2).f_globals.get("__name__", ""))


def _is_ours(module: str) -> bool:
    """True if declarations in this module belong in the tables."""
    return module.partition(".")[0] == __name__.partition(".")[0]


def _declare(declared: Op, doc: str | None, module: str, ours: bool) -> Callable[..., Any]:
    function = declared.function
    function.__doc__, function.__module__ = doc, module
    if ours:
        if declared.name == UNNAMED:
            raise TypeError('an operation of a lambda needs a name, as in name="softsign"')
        declared.key = _key(function)
        declared.name = declared.name.removeprefix("_")  # shown without the underscore
        operations[declared.key] = declared
        _enter(function, differentiable=bool(declared.rules))
    return function


def _enter(function: Callable[..., Any], differentiable: bool = True) -> None:
    """Add a function of this package to the tables, and to `gradient_free` if it is not
    differentiable."""
    key = _key(function)
    functions[key] = function
    describe(function, key, key in operations and operations[key].pointwise)
    if not differentiable:
        gradient_free.add(key)


def listed(function: F) -> F:
    """Declare a function like `composed`, but without the wrapper that shortens tracebacks, because
    the function shortens them itself."""
    if _is_ours(_caller()):
        _enter(function)
    return function


def _key(function: Callable[..., Any]) -> str:
    """NumPy's or SciPy's name of a function: ``"exp"``, ``"linalg.norm"``,
    ``"scipy.special.erf"``."""
    module = (function.__module__ or "").removeprefix("autograd_core.").removeprefix("ops.")
    namespace = module.split(".")[0]
    if namespace == "scipy":
        return f"{module}.{function.__name__}"
    return f"{namespace}.{function.__name__}" if namespace in NAMESPACES else function.__name__


# ---- declarations ---------------------------------------------------------------------------


def op(
    *, pointwise: bool = False, results: Any = None, view: Any = None, **operands: Any
) -> Callable[[Callable[P, Any]], Callable[P, Tensor]]:
    """Turn a kernel into a differentiable operation, with one rule per differentiable operand.

    The operation has the name, the docstring and the parameters of the kernel. Parameters that are
    not named in the decorator are settings, which cannot be Tensors.

    Parameters
    ----------
    pointwise : bool, default False
        If true, the operands broadcast and the result has their common shape, so that an edge whose
        operand was not broadcast needs no reduction.
    results : class, optional
        The class of the named tuple that a kernel with several results returns. The rules then
        receive a tuple of gradients, with None for unused results, and may name a result as a
        parameter.
    view : callable, optional
        Declares that the result may share the memory of the first operand x: ``view(x, part,
        *settings)`` returns x after `part` has been written to the result; `view=read_only` forbids
        such writes.
    **operands : callable, None, `each` or `nested`
        For each operand the rule for its derivative: a function of the gradient g of the result,
        and of the values that it needs, by their names: an operand, a setting, the result
        (``out``), the shape of an operand (``x_shape``) or of the result (``out_shape``). None if
        no gradient flows to the operand; ``each(rule)`` if it is a list; `nested` if it is a
        container, such as an index, whose Tensors are read without a gradient. A string
        ``name="…"`` is the name of the operation, as for a lambda.

    Returns
    -------
    callable
        A decorator, which turns a kernel of arrays into a function of Tensors and arrays.

    Raises
    ------
    TypeError
        At declaration, if a rule uses a name that is not available to it, if the kernel has no
        parameter of an operand's name, or if a parameter of a kernel or a rule is not positional.
    NotDifferentiableError
        In a call, if a setting is a Tensor.

    See Also
    --------
    elementwise : A shorter form for elementwise functions.
    composed : Functions composed of operations, which need no rule.
    custom_gradient : A rule for one function, without a declaration of its operands.

    Examples
    --------
    >>> import autograd_core as ac
    >>> @ac.op(x=lambda g, x, n: g * n * x ** (n - 1))
    ... def monomial(x, n):
    ...     return x**n
    >>> x = ac.Tensor([1.0, 2.0], requires_grad=True)
    >>> monomial(x, 3)
    Tensor([1., 8.], op=monomial)
    >>> monomial(x, 3).sum().backward()
    >>> x.grad
    Tensor([ 3., 12.])
    """
    ours, texts = _is_ours(_caller()), _take_texts(operands)
    features = {"pointwise": pointwise, "results": results, "view": view}

    def declare(kernel: Callable[P, Any]) -> Callable[P, Tensor]:
        parameters, defaults = _signature_of(kernel)
        name = texts.get("name", _name_of(kernel))
        for word in [word for word in parameters if features.get(word)]:
            raise TypeError(
                f"op {name!r}: {word}= is an option of the declaration, so no parameter of the "
                f"kernel can be called {word!r}; rename the parameter"
            )
        declared = Op(name, kernel, operands, parameters, defaults, pointwise, results, view)
        return _declare(declared, kernel.__doc__, kernel.__module__, ours)

    return declare


@overload
def elementwise(
    kernel: Any, doc: str, /, *, x: Operand, name: str = ..., home: str = ...
) -> Callable[[Any], Tensor]: ...
@overload
def elementwise(
    kernel: Any, doc: str, /, *, x: Operand, y: Operand, name: str = ..., home: str = ...
) -> Callable[[Any, Any], Tensor]: ...
@overload
def elementwise(
    kernel: Any,
    doc: str,
    /,
    *,
    condition: Any,
    x: Operand,
    y: Operand,
    name: str = ...,
    home: str = ...,
) -> Callable[[Any, Any, Any], Tensor]: ...
@overload
def elementwise(kernel: Any, doc: str, /, **operands: Any) -> Callable[..., Tensor]: ...
def elementwise(kernel: Any, doc: str, /, **operands: Any) -> Callable[..., Tensor]:
    """Declare an operation that works element by element on operands that broadcast.

    Parameters
    ----------
    kernel : ufunc or callable
        A function that takes the operands in the order of the keywords.
    doc : str
        The docstring of the operation.
    **operands : callable or None
        For each operand the rule for its derivative, as in `op`. The operation has the name of the
        kernel unless ``name="…"`` is given, as for a lambda; ``home="…"`` is the module that the
        operation belongs to. An operand may also be called `name` or `home`, as its rule is not a
        string.

    Returns
    -------
    callable
        The operation, a function of Tensors and arrays.

    Raises
    ------
    TypeError
        If a rule uses a name that is not available to it.

    See Also
    --------
    op : Operations of other shapes, with settings or several results.

    Examples
    --------
    >>> import numpy as np, autograd_core as ac
    >>> softsign = ac.elementwise(
    ...     lambda x: x / (1 + np.abs(x)),
    ...     "x / (1 + |x|).",
    ...     name="softsign",
    ...     x=lambda g, x: g / (1 + np.abs(x)) ** 2,
    ... )
    >>> ac.elementwise_grad(softsign)(np.array([0.0, 1.0]))
    array([1.  , 0.25])
    """
    caller, texts = _caller(), _take_texts(operands)
    name = texts.get("name", _name_of(kernel))
    declared = Op(name, kernel, operands, tuple(operands), pointwise=True)
    ours = _is_ours(caller)
    return _declare(declared, doc, texts.get("home", "autograd_core" if ours else caller), ours)


def _take_texts(operands: dict[str, Any]) -> dict[str, str]:
    """The options among the keyword arguments, removed from the operands."""
    return {w: operands.pop(w) for w in ("name", "home") if isinstance(operands.get(w), str)}


def _name_of(kernel: Any) -> str:
    name = str(getattr(kernel, "__name__", ""))
    return name if name.isidentifier() else UNNAMED


def composed(function: F) -> F:
    """Declare a function that is composed of operations and has no rule of its own.

    It supports the orders of derivatives, the devices and the batch axes that these operations
    support. Like them, it returns arrays if no argument is a Tensor.

    Parameters
    ----------
    function : callable
        A function that calls operations.

    Returns
    -------
    callable
        The function. Its errors have short tracebacks, as those of operations.

    Examples
    --------
    >>> import numpy as np, autograd_core as ac
    >>> @ac.composed
    ... def softsign(x):
    ...     return x / (1 + np.abs(x))
    >>> ac.grad(softsign)(1.0)
    np.float64(0.25)
    """
    shown: Any = public(function)
    if _is_ours(_caller()):
        _enter(shown)
    return shown  # type: ignore[no-any-return]


def not_differentiable(function: Callable[P, Any]) -> Callable[P, Any]:
    """Declare a function through which no gradient flows. Its parameters may be of any type.

    The function is written for arrays. Called with Tensors, tracked or not, it returns untracked
    Tensors.

    Parameters
    ----------
    function : callable
        A function of arrays. Called with Tensors, it must return an array, or a tuple or list of
        arrays; without Tensors, its results may be of any type.

    Returns
    -------
    callable
        A function of Tensors and arrays.

    Raises
    ------
    TypeError
        In a call with Tensors, if the function returns something else.

    Examples
    --------
    >>> import numpy as np, autograd_core as ac
    >>> @ac.not_differentiable
    ... def ranks(x):
    ...     return np.argsort(np.argsort(x))
    >>> ranks(ac.Tensor([0.3, 0.1, 0.2], requires_grad=True))
    Tensor([2, 0, 1])
    """
    shown = without_gradient(function)
    if _is_ours(_caller()):
        _enter(shown, differentiable=False)
    return shown
