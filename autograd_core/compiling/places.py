"""Places that hold an object, which a program reads and compares in each call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.tensor import Tensor, make

VALUES = frozenset({bool, int, float, complex, str, bytes})


def same(value: Any, expected: Any) -> bool:
    """True if two Python values are the same, NaN and -0.0 included; 1, 1.0 and True differ."""
    if isinstance(value, list) and isinstance(expected, list):
        pairs = zip(value, expected, strict=False)
        return len(value) == len(expected) and all(same(a, b) for a, b in pairs)
    return type(value) is type(expected) and repr(value) == repr(expected)


def share_memory(a: Any, b: Any) -> bool:
    """True if two arrays may share memory."""
    return backend.on_device(a) is backend.on_device(b) and bool(np.may_share_memory(a, b))


class Place:
    """A place in an object: ``holder[key]`` or, with `attribute`, ``holder.key``."""

    __slots__ = ("attribute", "holder", "key", "versioned")

    def __init__(
        self, holder: Any, key: Any, attribute: bool = False, versioned: bool = False
    ) -> None:
        self.holder, self.key, self.attribute = holder, key, attribute
        self.versioned = versioned  # True if `versions` counts the changes

    def get(self) -> Any:
        """What is there."""
        return getattr(self.holder, self.key) if self.attribute else self.holder[self.key]

    def put(self, value: Any) -> None:
        """Replace it."""
        if self.attribute:
            setattr(self.holder, self.key, value)
        else:
            self.holder[self.key] = value

    def text(self, bind: Callable[[Any], str]) -> str:
        """An expression for what is there. ``bind(value)`` gives a value a name."""
        if self.attribute:
            return f"{bind(self.holder)}.{self.key}"
        key = repr(self.key) if type(self.key) in (str, int) else bind(self.key)
        return f"{bind(self.holder)}[{key}]"

    def difference(self, value: Any, bind: Callable[[Any], str]) -> str:
        """A condition that is true if something else than `value` is there."""
        text, name = self.text(bind), bind(value)
        if type(value) not in VALUES or type(value) is bool:
            return f"{text} is not {name}"
        return f"(v := {text}) is not {name} and not {bind(same)}(v, {name})"

    @property
    def tensor(self) -> Tensor | None:
        """The Tensor whose array is here."""
        return self.holder if self.attribute and self.key == "_array" else None


class Fixed(Place):
    """What belongs to an object that cannot change, such as an entry of a tuple."""

    def __init__(self, value: Any) -> None:
        super().__init__(value, None)

    def get(self) -> Any:
        """The value."""
        return self.holder

    def put(self, value: Any) -> None:
        """It cannot be replaced."""


class Gradient(Place):
    """The place of the gradient of a Tensor: its array, or None."""

    def __init__(self, tensor: Tensor) -> None:
        super().__init__(tensor, "_grad", attribute=True)

    def get(self) -> Any:
        """The array, None, or a gradient that is recorded."""
        g = self.holder._grad
        return g if g is None or g.node is not None else g._array

    def put(self, value: Any) -> None:
        """Set the gradient to an array, or to None."""
        tensor = value is None or isinstance(value, Tensor)
        self.holder._grad = value if tensor else make(value, None)

    def text(self, bind: Callable[[Any], str]) -> str:
        """An expression for the array."""
        return f"{bind(self.get_array)}({bind(self.holder)})"

    @staticmethod
    def get_array(tensor: Tensor) -> Any:
        """The array of the gradient, None, or a gradient that is recorded."""
        g = tensor._grad
        return g if g is None or g.node is not None else g._array


class Number(Place):
    """The place of a float that may change from call to call, such as a learning rate."""

    def __init__(
        self, holder: Any, key: str, attribute: bool = True, versioned: bool = False
    ) -> None:
        super().__init__(holder, key, attribute, versioned)


class NumberOfTuple(Number):
    """The place of such a float in a tuple, ``holder[key][i]``."""

    __slots__ = ("i",)

    def __init__(self, holder: Any, key: str, i: int, versioned: bool = False) -> None:
        super().__init__(holder, key, False, versioned)
        self.i = i

    def get(self) -> Any:
        """The float."""
        return super().get()[self.i]

    def put(self, value: Any) -> None:
        """Replace the tuple by one with another float."""
        entries = list(super().get())
        entries[self.i] = value
        super().put(tuple(entries))

    def text(self, bind: Callable[[Any], str]) -> str:
        """An expression for the float."""
        return f"{super().text(bind)}[{self.i}]"


class Kind(Place):
    """The class of an object, which may be set."""

    def __init__(self, holder: Any, versioned: bool = False) -> None:
        super().__init__(holder, "__class__", attribute=True, versioned=versioned)

    def text(self, bind: Callable[[Any], str]) -> str:
        """An expression for the class."""
        return f"type({bind(self.holder)})"


class Tracked(Place):
    """Whether a Tensor has a node, the number of its hooks, and whether it was computed by an
    operation whose graph is still there."""

    def __init__(self, tensor: Tensor) -> None:
        super().__init__(tensor, None)

    def get(self) -> tuple[bool, int, bool]:
        """The three."""
        node = self.holder.node
        watch = None if node is None else node.watch
        hooks = 0 if watch is None else len(watch.hooks)
        return node is not None, hooks, node is not None and not self.holder.is_leaf

    def put(self, value: Any) -> None:
        """It is not replaced."""

    def difference(self, value: Any, bind: Callable[[Any], str]) -> str:
        """A condition that is true if the Tensor has lost or got a node, or has a hook or a
        graph."""
        name, node = bind(self.holder), self.holder.node
        if not value[0]:
            return f"{name}.node is not None"
        if node is None or node.watch is None:
            return f"{bind(self.has_changed)}({name})"
        unchanged = f"{name}.node is {bind(node)} and not {bind(node.watch)}.hooks"
        return f"not ({unchanged}) and {bind(self.has_changed)}({name})"

    @staticmethod
    def has_changed(tensor: Tensor) -> bool:
        """True if a Tensor that had a node has none, or has a hook or a graph."""
        node = tensor.node
        hooked = node is not None and node.watch is not None and bool(node.watch.hooks)
        return node is None or hooked or not tensor.is_leaf


__all__ = [
    "VALUES",
    "Fixed",
    "Gradient",
    "Number",
    "NumberOfTuple",
    "Place",
    "Tracked",
    "same",
    "share_memory",
]
