"""Values of types that a user defines, which are elements of a vector space but not arrays.

A transform calls its function with a `Box` for such a value. The gradient of a Box is a `Vector`.
`autograd_core.hips.extend` declares the types, and the functions that take them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from autograd_core.engine.graph import Node, Operation, Parts, Rule

NO_FORWARD = (
    "a value of a type that is declared with VSpace has no forward derivative here; use the "
    "gradient, as with make_vjp"
)


class Vector(Parts):
    """The gradient of a Box: the tuple of one element of its vector space."""

    space: Any

    @classmethod
    def of(cls, space: Any, value: Any) -> Vector:
        vector = cls((value,))
        vector.space = space
        return vector

    def __add__(self, other: Any) -> Vector:
        return Vector.of(self.space, self.space.add(self[0], other[0]))


class Box:
    """A value of a type that a user declares, in the computation graph.

    A subclass also inherits from that type, ``class FunctionBox(Box, Function)``, and is declared
    with ``FunctionBox.register(Function)``. The value is `_value`, its vector space `_space`.
    """

    types: ClassVar[dict[type, type[Box]]] = {}
    space_of: ClassVar[Callable[[Any], Any]]  # the vector space of a value
    node: Node | None
    _value: Any
    _space: Any

    @classmethod
    def register(cls, value_type: type) -> None:
        """Use this class for values of `value_type` in functions that are differentiated.

        Parameters
        ----------
        value_type : type
            A type that is declared with ``VSpace.register``. This class inherits from it, too.
        """
        Box.types[value_type] = cls
        Box.types[cls] = cls

    @staticmethod
    def of(value: Any, space: Any, node: Node | None) -> Box:
        """The Box of a value, made without calling the constructor of its type."""
        box = object.__new__(Box.types[type(value)])
        box._value, box._space, box.node = value, space, node
        return box

    @staticmethod
    def entered(leaf: Any) -> Box:
        """A Box of a value, or of the value of a Box, with a node of its own, with respect to which
        a function is differentiated."""
        value = leaf._value if isinstance(leaf, Box) else leaf
        box = Box.of(value, Box.space_of(value), None)
        box.node = Node.leaf(box, (), np.dtype(object))
        if isinstance(leaf, Box) and leaf.node is not None:
            inner = box.node
            inner.op, inner.parent, inner.rule, inner.watch = _ARGUMENT, leaf.node, _UNCHANGED, None
        return box

    def _zeros(self) -> Vector:
        return Vector.of(self._space, self._space.zeros())


_ARGUMENT = Operation("argument")
_UNCHANGED = Rule(lambda g: g, "x", (), ())
