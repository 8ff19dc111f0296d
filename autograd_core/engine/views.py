"""Which Tensors share memory, and how each of them is made from the whole.

NumPy's views show one piece of memory; what is written through one is seen through all. Tensors do
the same. The first view of a Tensor gives it a `Base`: the array and the node of the whole, and
weak references to the Tensors that show it. A view holds a `View`, which holds its parent strongly,
so that nothing is lost when the base's own name goes. `writes` keeps them up to date; reading looks
at neither.

A 0-d Tensor that NumPy would have returned as a scalar is a `VALUE`: no memory that anybody else
could see. It cannot be written to in place; an augmented operator makes a new one.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from autograd_core.engine.layouts import is_part

if TYPE_CHECKING:
    from autograd_core.engine.graph import Node

__all__ = [
    "UNSEEN",
    "VALUE",
    "Base",
    "View",
    "base_of",
    "itself",
    "note_view",
    "others",
    "read_only",
]


class Base:
    """The whole that a Tensor and its views share.

    `array` and `node` are those of now, `tensors` refers weakly to every Tensor that shows it.
    `borrowed` says that the memory belongs to somebody else, such as the caller of a transform: it
    is copied before anything is written.
    """

    __slots__ = ("array", "borrowed", "limit", "node", "tensors")

    def __init__(self, tensor: Any, borrowed: bool = False) -> None:
        self.array = tensor._array
        self.node: Node | None = tensor.node
        self.tensors = [weakref.ref(tensor)]
        self.limit = 8  # this many references may collect before the dead ones are dropped
        self.borrowed = borrowed

    @classmethod
    def lent(cls, tensor: Any) -> Any:
        """`tensor`, whose memory belongs to somebody else and is copied before it is written to."""
        tensor._memory = cls(tensor, borrowed=True)
        return tensor

    @property
    def base(self) -> Base:
        """Itself."""
        return self

    def show(self, tensor: Any) -> None:
        """Note that `tensor` shows this memory."""
        if len(self.tensors) >= self.limit:
            self.tensors = [t for t in self.tensors if t() is not None]
            self.limit = 8 + 2 * len(self.tensors)
        self.tensors.append(weakref.ref(tensor))


class View:
    """A part of a Base: ``op(parent, *settings)``. `recorded` is false where it was made under
    `no_grad`: it then has no gradient, and no tracked value can be written through it."""

    __slots__ = ("array", "base", "node", "op", "parent", "recorded", "settings")

    array: Any
    base: Base
    node: Node | None
    op: Any
    parent: Base | View
    recorded: bool
    settings: tuple[Any, ...]


class _Mark:
    """In place of a Base: there is no memory to share."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


VALUE = _Mark("VALUE")  # a scalar of NumPy's
UNSEEN = _Mark("UNSEEN")  # a Tensor that lives for a moment inside the library
read_only = _Mark("read_only")  # declares the views that NumPy does not write through


def itself(_: Any, part: Any, *settings: Any) -> Any:
    """Declares what is all of its operand, or a copy of it: a scalar of a scalar."""
    return part


_new = object.__new__


def note_view(
    tensor: Any, source: Any, declared: Any, settings: tuple[Any, ...], recording: bool
) -> None:
    """Note what ``tensor = declared(source, *settings)`` shares with its operand, if anything."""
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
    """What a Tensor shows, if it is known to share it."""
    held = getattr(tensor, "_memory", None)
    return None if held is None or type(held) is _Mark else held.base


def others(tensor: Any) -> list[Any]:
    """The other Tensors that are alive and show the same memory."""
    base = base_of(tensor)
    if base is None:
        return []
    alive = (reference() for reference in base.tensors)
    return [t for t in alive if t is not None and t is not tensor and base_of(t) is base]
