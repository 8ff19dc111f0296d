"""The table of Tensor's operators and methods, from which `tools.stub` writes the type stub."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from typing import Any

from autograd_core import ops
from autograd_core.devices import backend
from autograd_core.engine.backward import backward
from autograd_core.engine.op import functions
from autograd_core.engine.tensor import Tensor
from autograd_core.errors import DTypeError, ShapeError
from autograd_core.errors.alternatives import ATTRIBUTES, Missing
from autograd_core.errors.tracebacks import public
from autograd_core.interface.writes import augmented, set_item
from autograd_core.ops.indexing import _getitem
from autograd_core.ops.shaping import _to_device as _moved

OPERATORS: dict[str, Callable[..., Any]] = {
    "add": ops.add,
    "sub": ops.subtract,
    "mul": ops.multiply,
    "truediv": ops.divide,
    "floordiv": ops.floor_divide,
    "mod": ops.remainder,
    "pow": ops.power,
    "matmul": ops.matmul,
    "and": ops.bitwise_and,
    "or": ops.bitwise_or,
    "xor": ops.bitwise_xor,
    "lshift": ops.left_shift,
    "rshift": ops.right_shift,
}
# for messages
SYMBOLS = ("+", "-", "*", "/", "//", "%", "**", "@", "&", "|", "^", "<<", ">>")
COMMUTATIVE = {"add", "mul", "and", "or", "xor"}
COMPARISONS: dict[str, Callable[..., Any]] = {
    "eq": ops.equal,
    "ne": ops.not_equal,
    "lt": ops.less,
    "le": ops.less_equal,
    "gt": ops.greater,
    "ge": ops.greater_equal,
}
UNARY: dict[str, Callable[..., Any]] = {
    "neg": ops.negative,
    "pos": ops.positive,
    "abs": ops.absolute,
    "invert": ops.invert,
}
METHODS: tuple[str, ...] = (
    "all", "any", "argmax", "argmin", "argpartition", "argsort", "astype", "choose", "clip",
    "cumprod", "cumsum", "diagonal", "dot", "max", "mean", "min",
    "nonzero", "prod", "put", "ravel", "repeat", "round", "searchsorted", "squeeze", "std", "sum",
    "swapaxes", "take", "trace",
    "var",
)  # fmt: skip


def _reversed(function: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    return lambda self, other: function(other, self)


def _reshape(self: Tensor, *shape: Any, order: str = "C", copy: bool | None = None) -> Tensor:
    """Accepts both `reshape(2, 3)` and `reshape((2, 3))`."""
    return ops.reshape(self, shape[0] if len(shape) == 1 else shape, order, copy=copy)  # type: ignore[no-any-return]


def _transpose(self: Tensor, *axes: Any) -> Tensor:
    """Accepts `transpose()`, `transpose(1, 0)` and `transpose((1, 0))`."""
    order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
    return ops.transpose(self, order or None)


def _transposed(self: Tensor) -> Tensor:
    """All axes in reverse order."""
    return ops.transpose(self)


def _matrix_transpose(self: Tensor) -> Tensor:
    """The last two axes exchanged."""
    return ops.swapaxes(self, -1, -2)


def _conj(self: Tensor) -> Tensor:
    """The complex conjugate; self if the elements are real."""
    return ops.conjugate(self) if self.dtype.kind == "c" else self


def _real_part(self: Tensor) -> Tensor:
    """The real part; self if the elements are real."""
    return ops.real(self) if self.dtype.kind == "c" else self


def _imaginary_part(self: Tensor) -> Tensor:
    """The imaginary part; zeros if the elements are real."""
    return ops.imag(self)


def _set_real(self: Tensor, value: Any) -> None:
    """Write the real parts of the elements."""
    set_item(_real_part(self), ..., value)


def _set_imag(self: Tensor, value: Any) -> None:
    """Write the imaginary parts of complex elements."""
    if self.dtype.kind != "c":
        raise DTypeError(f"a Tensor of dtype {self.dtype} has no imaginary part to write to")
    set_item(ops.imag(self), ..., value)


@public
def _to(self: Tensor, device: str) -> Tensor:
    """This Tensor on another device: self if it is there, otherwise a copy.

    Gradients flow through the copy.

    Parameters
    ----------
    device : str
        The device: ``"cpu"``, ``"cuda"`` for the current CUDA device, or ``"cuda:1"`` and so on.

    Returns
    -------
    Tensor
        self, or a copy on `device`.

    Raises
    ------
    DeviceError
        If there is no such device.

    Examples
    --------
    >>> import autograd_core as ac
    >>> x = ac.Tensor([1.0, 2.0])
    >>> x.to("cpu") is x
    True
    """
    index = backend.index_of(device)
    device = "cpu" if index is None else f"cuda:{index}"
    return self if device == self.device else _moved(self, device, self.device)


def _cpu(self: Tensor) -> Tensor:
    """This Tensor on the host: self if it is there, otherwise a copy.

    Gradients flow through the copy.

    Returns
    -------
    Tensor
        self, or a copy on the host.
    """
    return _to(self, "cpu")


def _to_device(self: Tensor, device: str, /, *, stream: None = None) -> Tensor:
    """The Array API standard's name for `to`.

    Parameters
    ----------
    device : str
        The device.
    stream : None, optional
        Ignored. The standard has this parameter.

    Returns
    -------
    Tensor
        self if it is on `device`, otherwise a copy there.
    """
    return _to(self, device)


def _names(self: Tensor) -> list[str]:
    """The names of the attributes, without those that only raise an error with a hint."""
    found: dict[str, Any] = {}
    for kind in reversed(type(self).__mro__):
        found |= vars(kind)
    return [n for n in object.__dir__(self) if not isinstance(found.get(n), Missing)]


def _namespace(self: Tensor, /, *, api_version: str | None = None) -> Any:
    """The Array API standard's namespace of Tensors: `autograd_core`."""
    return sys.modules["autograd_core"]


def _compress(self: Tensor, condition: Any, axis: int | None = None) -> Tensor:
    """The slices along `axis`, or the elements, where `condition` is true."""
    return ops.compress(condition, self, axis)  # type: ignore[no-any-return]


def _copy(self: Tensor, order: str = "C") -> Tensor:
    """A copy with memory layout `order` C, F, A or K."""
    return ops.copy(self, order)


def _flatten(self: Tensor, order: str = "C") -> Tensor:
    """A 1-d copy of the elements, read in `order` C, F, A or K."""
    return ops.copy(ops.ravel(self, order))


def _fill(self: Tensor, value: Any) -> None:
    """Write one value into every element."""
    set_item(self, ..., value)


def _sort(
    self: Tensor,
    axis: int = -1,
    kind: Any = None,
    order: None = None,
    *,
    stable: Any = None,
    descending: bool = False,
) -> None:
    """Sort the elements along `axis` in place. `sort(x)` returns a new Tensor."""
    set_item(self, ..., ops.sort(self, axis, kind, order, stable=stable, descending=descending))


def _partition(
    self: Tensor, kth: Any, axis: int = -1, kind: str = "introselect", order: None = None
) -> None:
    """Partition the elements along `axis` in place, so that the elements at the positions `kth` are
    where a sort would put them. `partition(x, kth)` returns a new Tensor."""
    set_item(self, ..., ops.partition(self, kth, axis, kind, order))


def _copy_from(self: Tensor, source: Any) -> Tensor:
    """Write `source` into this Tensor's memory.

    The write is recorded as ``self[...] = source`` is. A leaf that requires a gradient can be
    written to under `no_grad` only.

    Parameters
    ----------
    source : array_like
        The new values. They have the shape of this Tensor and are cast to its dtype.

    Returns
    -------
    Tensor
        self.

    Raises
    ------
    ShapeError
        If `source` has another shape.
    GraphError
        If this Tensor is a leaf that requires a gradient, unless under `no_grad`.

    Examples
    --------
    >>> import autograd_core as ac
    >>> w = ac.Tensor([1.0, 2.0], requires_grad=True)
    >>> with ac.no_grad():
    ...     w.copy_([3.0, 4.0])
    Tensor([3., 4.], requires_grad=True)
    """
    values = source if isinstance(source, Tensor) else backend.asarray(source)
    if values.shape != self.shape:
        raise ShapeError(
            f"copy_: the Tensor has shape {self.shape}, but the source has shape {values.shape}"
        )
    set_item(self, ..., values)
    return self


def _dlpack(
    self: Tensor,
    *,
    stream: Any = None,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
) -> Any:
    """Share the data of an untracked Tensor with another library through DLPack."""
    array = self._leave("__dlpack__()", "tensor.detach()")
    return array.__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device, copy=copy)


def _dlpack_device(self: Tensor) -> tuple[int, int]:
    """DLPack's (device type, device number)."""
    return self._array.__dlpack_device__()  # type: ignore[no-any-return]


@public
def from_dlpack(source: Any, /, *, device: str | None = None, copy: bool | None = None) -> Tensor:
    """A Tensor that shares the memory of another library's array, on the host or on a GPU.

    Parameters
    ----------
    source : array
        An array of a library that supports DLPack, as NumPy, CuPy, PyTorch and JAX do.
    device : str, optional
        The device of the Tensor. If the array is elsewhere, it is copied to this device. By
        default, the device of the array.
    copy : bool, optional
        If true, the data is always copied; if false, never. By default it is copied if needed.

    Returns
    -------
    Tensor
        An untracked Tensor.

    Raises
    ------
    BufferError
        If ``copy=False`` and the data has to move to `device`, or if DLPack does not support the
        dtype.
    GraphError
        If `source` is a tracked Tensor.
    DeviceError
        If there is no such device.

    Examples
    --------
    >>> import numpy as np, autograd_core as ac
    >>> ac.from_dlpack(np.arange(3.0))
    Tensor([0., 1., 2.])
    """
    shared = backend.from_dlpack(source)
    array = shared if device is None else backend.to_device(shared, device)
    if copy is False and array is not shared:
        raise BufferError(f"from_dlpack: copy=False, but the data has to move to {device}")
    return Tensor(backend.run_there(array, array.copy) if copy and array is shared else array)


def members() -> dict[str, Any]:
    """A dict of the operators, methods and properties that are bound to Tensor: those of NumPy's
    arrays, and those that compute gradients and move data."""
    table: dict[str, Any] = {}
    for symbol, (name, function) in zip(SYMBOLS, OPERATORS.items(), strict=True):
        table[f"__{name}__"] = function
        table[f"__r{name}__"] = function if name in COMMUTATIVE else _reversed(function)
        table[f"__i{name}__"] = augmented(symbol, function, getattr(operator, f"i{name}"))
    table |= {"__divmod__": ops.divmod, "__rdivmod__": _reversed(ops.divmod)}
    table |= {f"__{name}__": function for name, function in (COMPARISONS | UNARY).items()}
    table |= {"__getitem__": _getitem, "__setitem__": set_item}
    table |= {name: getattr(ops, name) for name in METHODS}
    table |= {"compress": _compress, "conj": _conj, "conjugate": _conj, "copy": _copy}
    table |= {"flatten": _flatten, "reshape": _reshape, "transpose": _transpose}
    table |= {"fill": _fill, "sort": _sort, "partition": _partition, "copy_": _copy_from}
    table |= {"T": property(_transposed), "mT": property(_matrix_transpose)}
    table |= {"real": property(_real_part, _set_real), "imag": property(_imaginary_part, _set_imag)}
    table |= {"backward": backward, "to": _to, "cpu": _cpu, "to_device": _to_device}
    table |= {"__dlpack__": _dlpack, "__dlpack_device__": _dlpack_device}
    table |= {"__array_namespace__": _namespace, "__dir__": _names}
    return table


def bind() -> None:
    """Add `members` to Tensor. For the names that other libraries use, add a descriptor that raises
    an error naming the replacement."""
    for name, value in members().items():
        setattr(Tensor, name, value)
    for name in ATTRIBUTES:
        if not hasattr(Tensor, name):
            setattr(Tensor, name, Missing(name))
    for name, function in functions.items():
        for spelt in (name, f"{name}_"):
            if "." not in name and spelt not in vars(Tensor):
                setattr(Tensor, spelt, Missing(spelt, function))
