"""Which Tensors share memory, and how each view is computed from its base.

NumPy's views share memory: a write through one is visible through all. Tensors do the same. The
first view of a Tensor gives it a `Base`: the array and the node of the base, and weak references to
the Tensors that share its memory. A view holds a `View`, which holds its parent strongly, so that
the base outlives the user's reference to it. The module `writes` keeps `Base` and `View` up to
date; reading a Tensor uses neither.

A 0-d Tensor for which NumPy would have returned a scalar is marked `VALUE`: it shares memory with
nothing. It cannot be written to in place; an augmented operator makes a new Tensor.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from autograd_core.engine.layouts import is_part

if TYPE_CHECKING:
    from autograd_core.engine.graph import Node


class Base:
    """The memory that a Tensor and its views share.

    `array` is the array that covers all of the memory, `node` its current node, and `tensors` holds
    weak references to the Tensors that share the memory. `borrowed` means that the memory belongs
    to other code, such as the caller of a transform, and is copied before a write.
    """

    __slots__ = ("array", "borrowed", "limit", "node", "tensors")

    def __init__(self, tensor: Any, borrowed: bool = False) -> None:
        self.array = tensor._array
        self.node: Node | None = tensor.node
        self.tensors = [weakref.ref(tensor)]
        self.limit = 8  # length of `tensors` at which dead references are dropped
        self.borrowed = borrowed

    @classmethod
    def lent(cls, tensor: Any) -> Any:
        """`tensor`, marked as borrowed: its memory is copied before a write."""
        tensor._memory = cls(tensor, borrowed=True)
        return tensor

    @property
    def base(self) -> Base:
        """The base, which is this object itself."""
        return self

    def show(self, tensor: Any) -> None:
        """Note that `tensor` shares this memory."""
        if len(self.tensors) >= self.limit:
            self.tensors = [t for t in self.tensors if t() is not None]
            self.limit = 8 + 2 * len(self.tensors)
        self.tensors.append(weakref.ref(tensor))


class View:
    """A view of a Base, computed as ``op(parent, *settings)``. `recorded` is false if the view was
    made under `no_grad`: it then has no gradient, and no tracked value can be written to it."""

    __slots__ = ("array", "base", "node", "op", "parent", "recorded", "settings")

    array: Any
    base: Base
    node: Node | None
    op: Any
    parent: Base | View
    recorded: bool
    settings: tuple[Any, ...]


class _Mark:
    """Used in place of a Base where no memory is shared."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


VALUE = _Mark("VALUE")  # a NumPy scalar
UNSEEN = _Mark("UNSEEN")  # a temporary Tensor inside the library
read_only = _Mark("read_only")  # declares views that are read-only in NumPy


def itself(_: Any, part: Any, *settings: Any) -> Any:
    """The `view` of an operation whose result is its operand or a copy of it. A scalar operand then
    gives a scalar result."""
    return part


_new = object.__new__


def note_view(
    tensor: Any, source: Any, declared: Any, settings: tuple[Any, ...], recording: bool
) -> None:
    """Note whether ``tensor = declared(source, *settings)`` shares memory with `source`."""
    array = tensor._array
    held = getattr(source, "_memory", None)
    if not is_part(array, source._array):
        if not array.ndim and (held is VALUE or declared.view is itself):
            tensor._memory = VALUE if held is VALUE else None
        return
    if held is None:
        held = source._memory = Base(source)
    elif type(held) is _Mark:
        if held is VALUE:
            tensor._memory = Base(tensor, borrowed=True) if array.ndim else VALUE
        return
    view = tensor._memory = _new(View)
    view.array, view.node = array, tensor.node
    view.op, view.settings, view.parent = declared, settings, held
    view.recorded = recording
    view.base = held.base
    view.base.show(tensor)


def base_of(tensor: Any) -> Base | None:
    """The Base of a Tensor, or None if it shares no memory."""
    held = getattr(tensor, "_memory", None)
    return None if held is None or type(held) is _Mark else held.base


def others(tensor: Any) -> list[Any]:
    """The other live Tensors that share the same memory."""
    base = base_of(tensor)
    if base is None:
        return []
    alive = (reference() for reference in base.tensors)
    return [t for t in alive if t is not None and t is not tensor and base_of(t) is base]
