"""Following the calls of a function with nodes of a user's own class, as for printing them.

    class Printed(Node):
        def __init__(self, value, fun, args, kwargs, parent_argnums, parents):
            print(fun.__name__, args, value)

        def initialize_root(self):
            pass

    trace(Printed.new_root(), fun, 2.0)

Gradients do not use this: they use the graph of `autograd_core.engine`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.exits import warn_user
from autograd_core.hips.primitives import getval as _value
from autograd_core.hips.primitives import notrace_primitive, primitive
from autograd_core.transforms.boxes import Box
from autograd_core.transforms.calls import is_tracked
from autograd_core.transforms.tree import mapped

__all__ = ["Box", "Node", "getval", "isbox", "notrace_primitive", "primitive", "trace"]


class Node:
    """A node of the graph that `trace` builds. A subclass defines the constructor, which is called
    for each call of a function, and `initialize_root` for the node of the argument."""

    __slots__ = ()

    def __init__(
        self,
        value: Any,
        fun: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        parent_argnums: tuple[int, ...],
        parents: tuple[Any, ...],
    ) -> None:
        raise NotImplementedError(f"{type(self).__name__} does not define a constructor")

    def initialize_root(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(f"{type(self).__name__} does not define initialize_root")

    @classmethod
    def new_root(cls, *args: Any, **kwargs: Any) -> Node:
        """The node of the argument of the traced function."""
        root = cls.__new__(cls)
        root.initialize_root(*args, **kwargs)
        return root


class Traced(np.ndarray):
    """An array that belongs to a node. NumPy's functions of it create nodes. A write of it into a
    plain array is not seen."""

    node: Any

    def __array_finalize__(self, source: Any) -> None:
        self.node = getattr(source, "node", None)  # a view belongs to the same node

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> Any:
        out = settings.get("out")
        if out is not None:
            settings["out"] = tuple(map(_plain, out))
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        made = _called(function, inputs, settings)
        if out is not None and type(out[0]) is Traced:
            out[0].node = made.node
            return out[0]
        return made

    def __array_function__(self, function: Any, types: Any, args: Any, settings: Any) -> Any:
        return _called(function, args, settings)

    def __getitem__(self, index: Any) -> Any:
        return _called(operator.getitem, (self, index), {})

    def __repr__(self) -> str:
        return repr(_plain(self))


def _plain(x: Any) -> Any:
    """`x` with plain arrays, and numbers for arrays of no axes, in place of traced ones."""
    if isinstance(x, list | tuple):
        return type(x)(map(_plain, x))
    return x.view(np.ndarray)[()] if type(x) is Traced else x


def _listed(arg: Any) -> Any:
    return arg if isinstance(arg, list | tuple) else [arg]


def _called(function: Any, args: tuple[Any, ...], settings: dict[str, Any]) -> Any:
    """The result of a call, traced if it is an array or a number."""
    plain = tuple(map(_plain, args))
    value = function(*plain, **{name: _plain(v) for name, v in settings.items()})
    entries = [(i, v) for i, arg in enumerate(args) for v in _listed(arg)]
    found = [(i, entry) for i, entry in entries if type(entry) is Traced]
    if not found or not (isinstance(value, np.generic) or backend.is_array(value)):
        return value
    parents = tuple(traced.node for _, traced in found)
    kind = type(parents[0])
    return _traced(
        value, kind(value, function, plain, settings, tuple(i for i, _ in found), parents)
    )


def _traced(value: Any, node: Any) -> Any:
    traced = np.asarray(value).view(Traced)
    traced.node = node
    return traced


def trace(start_node: Any, fun: Callable[[Any], Any], x: Any) -> tuple[Any, Any]:
    """Call fun(x) and return its value and node. x is an array, a number or a tree of these; for
    each call of a function of NumPy or of `autograd_core.numpy` on what depends on x, a node is
    made with the constructor of start_node's class: (value, fun, args, kwargs, parent_argnums,
    parents).

    The node is None, and a warning is given, if the result does not depend on x.
    """
    entered = mapped(lambda leaf: leaf if type(leaf) is Traced else _traced(leaf, start_node), x)
    out = fun(entered)
    if type(out) is not Traced:
        warn_user("Output seems independent of input.")
        return out, None
    return _plain(out), out.node


def isbox(x: Any) -> bool:
    """True if x is a tracked Tensor, a Box or a traced array."""
    return type(x) is Traced or is_tracked(x)


def getval(x: Any) -> Any:
    """The array or number of a Tensor or a traced array, the value of a Box, or x itself."""
    return _plain(x) if type(x) is Traced else _value(x)


def toposort(
    end_node: Any, parents: Callable[[Any], Any] = operator.attrgetter("parents")
) -> Iterator[Any]:
    """The nodes from which `end_node` was computed, each before its parents."""
    counts: dict[Any, int] = {}
    waiting = [end_node]
    while waiting:
        node = waiting.pop()
        counts[node] = counts.get(node, 0) + 1
        if counts[node] == 1:
            waiting += parents(node)
    ready = [end_node]
    while ready:
        node = ready.pop()
        yield node
        for parent in parents(node):
            counts[parent] -= 1
            if not counts[parent]:
                ready.append(parent)


backend.KEPT.add(Traced)
