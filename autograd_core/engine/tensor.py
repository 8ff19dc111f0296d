"""`Tensor`: an array and the node that records how it was computed.

This file contains no mathematics: `methods` binds operators and methods to the operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.devices.checks import check_home
from autograd_core.engine.exits import Exits, note_exit, warn_user
from autograd_core.engine.graph import Node
from autograd_core.engine.hooks import Watch
from autograd_core.engine.layouts import copied
from autograd_core.engine.stamps import sequence_numbers, stamp
from autograd_core.engine.types import Array, Gradient
from autograd_core.engine.views import VALUE, Base, View, base_of, others
from autograd_core.errors import DTypeError, GraphError, ShapeError
from autograd_core.errors.tracebacks import shorten

if TYPE_CHECKING:
    from autograd_core.engine._methods import Methods  # written by `python -m tools.stub`
else:
    Methods = object


_NO_GRAD = (
    "this Tensor is the result of an operation, and no gradient is kept for it. Call "
    "x.retain_grad() before backward() to keep it. If x was a leaf and became a result in "
    "w = w - lr * w.grad, write: with ac.no_grad(): w -= lr * w.grad"
)


class Tensor(Exits, Methods):
    """An array that records what is computed from it, so that it can be differentiated.

    Operators, methods and the functions of NumPy and of this package take Tensors and return
    Tensors. If an operand requires a gradient, the operation is recorded, except under `no_grad`.

    Parameters
    ----------
    data : array_like
        Anything that NumPy converts to an array. An array is shared, not copied.
    requires_grad : bool, default False
        If true, the Tensor is a leaf: after ``loss.backward()`` its `grad` holds ∂loss/∂self, of
        the Tensor's shape and dtype. Only floating and complex dtypes can require a gradient.
    dtype : dtype, optional
        The dtype of the elements, by default that of `data`.
    device : str, optional
        The device of the elements: ``"cpu"``, ``"cuda"`` or ``"cuda:1"`` and so on. By default the
        device of an enclosing ``with device(...)``, or else the device on which `data` is.
    name : str, optional
        A name for error messages and drawings.

    Raises
    ------
    DTypeError
        If `data` does not consist of numbers, or if a boolean or integer Tensor is to require a
        gradient.
    ShapeError
        If the rows of `data` have different lengths.
    GraphError
        If `data` is a tracked Tensor.
    DeviceError
        If there is no such device.
    TypeError
        If `data` is a masked array.

    Examples
    --------
    >>> import autograd_core as ac
    >>> x = ac.Tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> loss = (x * x).sum()
    >>> loss
    Tensor(14., op=sum)
    >>> loss.backward()
    >>> x.grad
    Tensor([2., 4., 6.])
    """

    __slots__ = ("__weakref__", "_array", "_grad", "_memory", "_name", "node")

    _array: Any
    _grad: Tensor | None
    _memory: Any  # memory shared with other Tensors (see views.py); usually not set
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
        try:
            if isinstance(data, Tensor):
                data = data._leave("Tensor(tensor)", "tensor.detach()")
            self._array = backend.asarray(data, dtype, device)
            self._name = name
            self._grad = None
            self.node = None
            if requires_grad:
                self.requires_grad = True
        except Exception as error:
            shorten(error)
            raise

    @property
    def data(self) -> Any:
        """The array of the Tensor.

        Assignment replaces it; a recorded graph keeps the old array. An augmented assignment such
        as ``w.data -= step`` writes into the array, and a graph that still needs the old values
        raises StaleArrayError. Writing to ``tensor.data[...]`` directly is not detected."""
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
            self._require_leaf("data of another shape or dtype can be assigned to")
            self._array = value
            self._part()
            self.requires_grad = True
        self._array = value
        if self.node is not None and self.node.watch is not None:
            self.node.watch.rebound = next(sequence_numbers)
        self._part()

    def _part(self) -> None:
        """Stop sharing memory with other Tensors."""
        if getattr(self, "_memory", None) is not None:
            del self._memory

    @property
    def requires_grad(self) -> bool:
        """True if operations on this Tensor are recorded. It can be set on leaves."""
        return self.node is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if self.node is not None:
            self._require_leaf("requires_grad can be changed on")
        if type(getattr(self, "_memory", None)) is View:
            if others(self):
                raise GraphError(
                    "requires_grad cannot be set on a view: the gradient would no longer reach the "
                    "Tensor it shares memory with. Make a copy first, as in y = x[1:].copy(), or "
                    "set requires_grad on the other Tensor"
                )
            self._part()
        if not wanted:
            self._set_node(None)
            return
        if self._array.dtype.kind not in "fc":
            raise DTypeError(
                f"only floating and complex Tensors can require a gradient; this one has dtype "
                f"{self._array.dtype}. Use dtype=float, as in Tensor(data, True, dtype=float)"
            )
        before = None if self.node is None else self.node.watch
        node = Node.leaf(self, self._array.shape, self._array.dtype)
        assert node.watch is not None
        if before is not None:
            node.watch.hooks, node.watch.after = before.hooks, before.after
        self._set_node(node)

    def _set_node(self, node: Node | None) -> None:
        self.node = node
        base = base_of(self)
        if base is not None:
            base.node = node

    @property
    def grad(self) -> Tensor | None:
        """∂loss/∂self, summed over all backward passes since it was last set to None.

        It is None before the first backward pass. Only leaves, and intermediate Tensors after
        `retain_grad()`, have a gradient."""
        if self._grad is None and not self.is_leaf:
            watch = self.node.watch  # type: ignore[union-attr]
            if watch is None or not watch.keeps_grad:
                warn_user(_NO_GRAD)
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        self._grad = value if value is None else _gradient_of(self, value)
        if value is not None and self.node is not None and self.node.watch is not None:
            self.node.watch.committed = 0

    @property
    def is_leaf(self) -> bool:
        """True if created by the user, not by an operation."""
        return self.node is None or self.node.op is None

    @property
    def name(self) -> str | None:
        """The name used in messages and drawings."""
        return getattr(self, "_name", None)

    @name.setter
    def name(self, value: str | None) -> None:
        self._name = value
        if self.node is not None and self.node.watch is not None:
            self.node.watch.name = value

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
        """The NumPy dtype of the elements."""
        return self._array.dtype

    @property
    def device(self) -> str:
        """The device that holds the data: ``"cpu"``, ``"cuda:0"`` …"""
        return backend.device_of(self._array)

    def __len__(self) -> int:
        return len(self._array)

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self._array)))

    __hash__ = object.__hash__  # __eq__ compares elements, but a dict needs identity

    def detach(self) -> Tensor:
        """An untracked Tensor with the same data. The two share memory.

        Returns
        -------
        Tensor
            The array of this Tensor, from which no gradient flows back to it.

        Examples
        --------
        >>> import autograd_core as ac
        >>> x = ac.Tensor([1.0, 2.0], requires_grad=True)
        >>> x.detach()
        Tensor([1., 2.])
        """
        if self.node is not None:
            note_exit("detach()", self.node.name, self._array, self.node.scope)
        return make(self._array, None)

    @property
    def _is_recorded(self) -> bool:
        """True for the result of an operation, and for an argument of a transform."""
        watch = None if self.node is None else self.node.watch
        return not self.is_leaf or (watch is not None and watch.argument)

    def __copy__(self) -> Any:
        if self._is_recorded:
            return self.copy()  # recorded, as NumPy copies an array
        kind, (what, array, *more), attributes = self.__reduce__()
        same = kind(what, backend.run_there(array, copied, array), *more)
        if attributes:
            same.__dict__.update(attributes)
        return same

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if self._is_recorded:
            return self.copy()
        kind, arguments, attributes = self.__reduce__()
        same = memo[id(self)] = kind(*deepcopy(arguments, memo))
        if attributes:
            same.__dict__.update(deepcopy(attributes, memo))
        return same

    def __reduce__(self) -> Any:
        if self._is_recorded:
            raise GraphError(
                "a recorded Tensor, or an argument of a transform, cannot be pickled; use .detach()"
            )
        what = self.__class__, self._array, self.requires_grad, self.name, self._grad
        return _restore, what, getattr(self, "__dict__", None) or None

    # Gradients (`backward` itself is bound by `methods`)

    def retain_grad(self) -> None:
        """Store the gradient in `grad`, although this Tensor is not a leaf.

        Raises
        ------
        GraphError
            If the Tensor is not tracked.

        Examples
        --------
        >>> import autograd_core as ac
        >>> x = ac.Tensor([1.0, 2.0], requires_grad=True)
        >>> square = x * x
        >>> square.retain_grad()
        >>> (3 * square).sum().backward()
        >>> square.grad
        Tensor([3., 3.])
        """
        self._watch().keeps_grad = True

    def register_hook(self, hook: Callable[[Any], Any]) -> Callable[[], None]:
        """Call a function with the gradient of this Tensor in each backward pass.

        In a pass over a stack of gradients, as in `jacobian`, the hook is called for each gradient.

        Parameters
        ----------
        hook : callable
            A function of the total gradient g of this Tensor, as a Tensor. The gradient is replaced
            by what the hook returns, unless that is None; the hook may also write into g.

        Returns
        -------
        callable
            A function without parameters that removes the hook.

        Raises
        ------
        GraphError
            If the Tensor is not tracked.
        ShapeError
            In the backward pass, if the hook returns a gradient of another shape.

        Examples
        --------
        >>> import autograd_core as ac
        >>> x = ac.Tensor([1.0, 2.0], requires_grad=True)
        >>> remove = x.register_hook(lambda g: 10 * g)
        >>> (x * x).sum().backward()
        >>> x.grad
        Tensor([20., 40.])
        >>> remove()
        """
        hooks = self._watch().hooks

        on_arrival = _on_arrival(self, hook)
        hooks.append(on_arrival)
        return lambda: hooks.remove(on_arrival)

    def _watch(self) -> Watch:
        if self.node is None:
            raise GraphError("this Tensor is not tracked, so it gets no gradient")
        if self.node.watch is None:
            self.node.watch = Watch(self, keeps_grad=False)
        return self.node.watch

    def _require_leaf(self, what: str) -> None:
        if not self.is_leaf:
            raise GraphError(f"{what} a leaf only; this Tensor was computed by {self.node.name!r}")  # type: ignore[union-attr]

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

    def _repr_html_(self) -> str:
        # by its name: the engine imports nothing of what is built on it
        notebook = import_module("autograd_core.rendering.notebook")
        return notebook.of_tensor(self)  # type: ignore[no-any-return]

    def __format__(self, spec: str) -> str:
        return format(self._array.item(), spec) if spec and self.size == 1 else repr(self)


_new = object.__new__


def _gradient_of(tensor: Tensor, value: Any) -> Tensor:
    """The value assigned to a Tensor's `grad`, as a Tensor of its shape and dtype."""
    if isinstance(value, int | float | complex | np.generic):
        fill = partial(np.full_like, tensor._array, value, dtype=np.result_type(value))
        value = make(backend.run_there(tensor._array, fill), None)
    elif backend.is_array(value):
        value = make(backend.asarray(value), None)
    elif not isinstance(value, Tensor):
        raise TypeError(
            f"a Tensor's grad is a Tensor, an array or None, not a {type(value).__name__}"
        )
    if value.shape != tensor.shape:
        raise ShapeError(
            f"grad: the gradient must have the shape of the Tensor, {tensor.shape}; it has shape "
            f"{value.shape}"
        )
    if value.dtype == tensor.dtype:
        return value  # type: ignore[no-any-return]
    if not np.can_cast(value.dtype, tensor.dtype, "same_kind"):
        raise DTypeError(
            f"grad: the Tensor has dtype {tensor.dtype}, to which a gradient of dtype "
            f"{value.dtype} cannot be cast"
        )
    return value.astype(tensor.dtype)  # type: ignore[no-any-return]


def _on_arrival(tensor: Tensor, hook: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function that the backward pass calls for a user's `hook`: with an array, or with a
    Tensor if the pass is itself recorded."""

    def on_arrival(g: Gradient) -> Any:
        recorded = isinstance(g, Tensor)
        array = g._array if recorded else backend.as_array(g)
        given = Base.lent(make(array, g.node if recorded else None))
        replaced = hook(given)
        if replaced is None and given._array is array:
            return None
        replaced = given if replaced is None else replaced
        if not isinstance(replaced, Tensor):
            replaced = make(backend.asarray(replaced), None)
        if replaced.shape != g.shape:
            raise ShapeError(
                f"a hook must return a gradient of the shape of its argument, {g.shape}; "
                f"it returned one of shape {replaced.shape}"
            )
        check_home(tensor._array, replaced._array, "what its hook returned")
        replaced = replaced if replaced.dtype == g.dtype else replaced.astype(g.dtype)
        return replaced if recorded else replaced._array

    return on_arrival


def make(array: Array, node: Node | None) -> Tensor:
    """A Tensor that holds `array`, without checks or conversion."""
    tensor = _new(Tensor)
    tensor._array = array
    tensor.node = node
    tensor._grad = None
    return tensor


def result(out: Array, node: Node | None) -> Tensor:
    """A Tensor that holds the result of a kernel: an array or a NumPy scalar."""
    array = backend.as_array(out)
    tensor = make(array, node)
    if not array.ndim and not isinstance(out, np.ndarray):
        tensor._memory = VALUE
    return tensor


def _restore(
    kind: type[Tensor], data: Any, requires_grad: bool, name: str | None, grad: Tensor | None
) -> Tensor:
    tensor = kind.__new__(kind)
    Tensor.__init__(tensor, data, requires_grad, name=name)
    tensor._grad = grad
    return tensor
