"""`Tensor`: an array and the node that remembers how it was made.

No mathematics lives here: operators and methods are bound from the operations by `methods`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_core import backend
from autograd_core.errors import DTypeError, GraphError, ShapeError
from autograd_core.exits import note_exit
from autograd_core.graph import Node, Watch
from autograd_core.stamps import stamp

if TYPE_CHECKING:
    from autograd_core._methods import Methods  # written by `python -m autograd_core.stub`
else:
    Methods = object

__all__ = ["Tensor", "make"]


class Tensor(Methods):
    """An array that records what is computed from it.

    `data` is anything NumPy makes an array of; an array is shared, not copied. `requires_grad`
    makes the Tensor a leaf: after ``loss.backward()`` its `grad` holds ∂loss/∂self, with its own
    shape and dtype. Only floating and complex dtypes can require a gradient. `name` is what error
    messages and drawings call it.

    >>> import autograd_core as ac
    >>> x = ac.Tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    Tensor([2., 4., 6.])
    """

    __slots__ = ("__weakref__", "_array", "_name", "grad", "node")

    _array: Any
    grad: Tensor | None
    node: Node | None

    def __init__(
        self,
        data: Any,
        requires_grad: bool = False,
        *,
        dtype: Any = None,
        device: str | None = None,
        name: str | None = None,
    ) -> None:
        if isinstance(data, Tensor):
            data = data._leave("Tensor(tensor)", "tensor.detach()")
        self._array = backend.asarray(data, dtype, device)
        self._name = name
        self.grad = None
        self.node = None
        if requires_grad:
            self.requires_grad = True

    @property
    def data(self) -> Any:
        """The array. Assigning rebinds it (a recorded graph keeps the old array); an augmented
        assignment such as ``w.data -= step`` writes into it, and a graph that still needs the old
        values refuses to go on. Writing to ``tensor.data[...]`` directly goes unseen."""
        return self._array

    @data.setter
    def data(self, value: Any) -> None:
        if value is self._array:
            stamp(self)
            return
        if isinstance(value, Tensor):
            value = value._leave("tensor.data = other", "other.detach()")
        value = backend.asarray(value)
        if self.node is not None and (value.shape, value.dtype) != (self.shape, self.dtype):
            self._require_leaf("data with another shape or dtype can be given to")
            self._array = value
            self.requires_grad = True
        self._array = value

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this Tensor are recorded."""
        return self.node is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if self.node is not None:
            self._require_leaf("requires_grad can be changed on")
        if not wanted:
            self.node = None
            return
        if self._array.dtype.kind not in "fc":
            raise DTypeError(
                f"only floating and complex Tensors can require a gradient; this one has dtype "
                f"{self._array.dtype}. Use dtype=float, as in Tensor(data, True, dtype=float)"
            )
        hooks = self.node.watch.hooks if self.node is not None and self.node.watch else []
        self.node = Node.leaf(self, self._array.shape, self._array.dtype)
        assert self.node.watch is not None
        self.node.watch.hooks = hooks

    @property
    def is_leaf(self) -> bool:
        """Whether a person made it: no operation stands behind it."""
        return self.node is None or self.node.op is None

    @property
    def name(self) -> str | None:
        """What messages and drawings call this Tensor."""
        return getattr(self, "_name", None)

    @name.setter
    def name(self, value: str | None) -> None:
        self._name = value

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return self._array.shape  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._array.ndim  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._array.size  # type: ignore[no-any-return]

    @property
    def dtype(self) -> Any:
        """NumPy's dtype object of the elements."""
        return self._array.dtype

    @property
    def device(self) -> str:
        """Where the data lives: ``"cpu"``, ``"cuda:0"`` …"""
        return backend.device_of(self._array)

    def __len__(self) -> int:
        return len(self._array)

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self._array)))

    __hash__ = object.__hash__  # __eq__ compares elements, identity is what a dict wants

    # Ways out of the graph, each asked for by name

    def detach(self) -> Tensor:
        """The same data without its history. Shares memory."""
        if self.node is not None:
            note_exit("detach()", self.node.name, self._array, self.node.scope)
        return make(self._array, None)

    def numpy(self) -> Any:
        """The array of an untracked Tensor on the host. Shares memory."""
        array = self._leave("numpy()", "detach().numpy()")
        if not isinstance(array, np.ndarray):
            raise TypeError(f"this Tensor lives on {self.device}; use .cpu().numpy()")
        return array

    def item(self) -> Any:
        """The only element as a Python number."""
        return self._array.item()

    def tolist(self) -> Any:
        """The elements of an untracked Tensor as nested lists of Python numbers."""
        return self._leave("tolist()", "detach().tolist()").tolist()

    def __float__(self) -> float:
        return float(self._array)

    def __int__(self) -> int:
        return int(self._array)

    def __complex__(self) -> complex:
        return complex(self._array)

    def __bool__(self) -> bool:
        return bool(self._array)

    def __index__(self) -> int:
        array = self.data
        return index(array if isinstance(array, np.ndarray) else array.item())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = self._leave("np.asarray(tensor)", "tensor.detach().numpy()")
        return np.array(array, dtype=dtype, copy=copy)

    def _leave(self, call: str, instead: str) -> Any:
        """The data, if nothing is recorded that would be left behind without a word."""
        if self.node is not None:
            raise GraphError(
                f"{call} would leave the graph silently: this Tensor requires a gradient. "
                f"Use {instead} if that is meant"
            )
        return self._array

    def __reduce__(self) -> Any:
        if not self.is_leaf:
            raise GraphError("a recorded Tensor cannot be copied or pickled; use .detach() first")
        what = self.__class__, self._array, self.requires_grad, self.name, self.grad
        return _restore, what, getattr(self, "__dict__", None) or None

    # Gradients (`backward` itself is bound by `methods`)

    def retain_grad(self) -> None:
        """Keep the gradient of this intermediate Tensor in its `grad` too."""
        self._watch().keeps_grad = True

    def register_hook(self, hook: Callable[[Any], Any]) -> Callable[[], None]:
        """Call ``hook(g)`` with the total gradient that arrives here, as a Tensor; what it returns,
        unless None, takes its place. Returns a function that removes the hook."""
        hooks = self._watch().hooks

        def on_arrival(g: Any) -> Any:
            replaced = hook(g if isinstance(g, Tensor) else make(backend.as_array(g), None))
            if replaced is None:
                return None
            if not isinstance(replaced, Tensor):
                replaced = make(backend.asarray(replaced), None)
            if replaced.shape != g.shape:
                raise ShapeError(
                    f"a hook must return a gradient of the shape it was given, {g.shape}; "
                    f"it returned {replaced.shape}"
                )
            backend.check_home(self._array, replaced._array, "what its hook returned")
            replaced = replaced if replaced.dtype == g.dtype else replaced.astype(g.dtype)
            return replaced if isinstance(g, Tensor) else replaced._array

        hooks.append(on_arrival)
        return lambda: hooks.remove(on_arrival)

    def _watch(self) -> Watch:
        if self.node is None:
            raise GraphError("this Tensor is not tracked: no gradient will arrive here")
        if self.node.watch is None:
            self.node.watch = Watch(self, keeps_grad=False)
        return self.node.watch

    def _require_leaf(self, what: str) -> None:
        if not self.is_leaf:
            raise GraphError(f"{what} a leaf only; this Tensor comes from {self.node.name!r}")  # type: ignore[union-attr]

    def __repr__(self) -> str:
        text = np.array2string(backend.asnumpy(self._array), separator=", ", prefix="Tensor(")
        notes = [text]
        if self._array.dtype not in (np.float64, np.int64, np.bool_, np.complex128):
            notes.append(f"dtype={self._array.dtype}")
        if self.device != "cpu":
            notes.append(f"device={self.device!r}")
        if self.node is not None:
            notes.append("requires_grad=True" if self.is_leaf else f"op={self.node.name}")
        return f"Tensor({', '.join(notes)})"

    def __format__(self, spec: str) -> str:
        return format(self._array.item(), spec) if spec and self.size == 1 else repr(self)


_new = object.__new__


def make(array: Any, node: Node | None) -> Tensor:
    """A Tensor around `array` as it is: no check, no conversion."""
    tensor = _new(Tensor)
    tensor._array = array
    tensor.node = node
    tensor.grad = None
    return tensor


def _restore(
    kind: type[Tensor], data: Any, requires_grad: bool, name: str | None, grad: Tensor | None
) -> Tensor:
    tensor = kind.__new__(kind)
    Tensor.__init__(tensor, data, requires_grad, name=name)
    tensor.grad = grad
    return tensor
