"""In-place writes: ``x[i] = v``, ``x += y``, ``np.add(x, y, out=t)``, and everything based on them.

The resulting values are the same as in NumPy. A write that is not recorded overwrites the memory,
and a graph that still needs the old values raises StaleArrayError. A recorded write is functional:
`assign` returns a new array that contains the written value, and its node replaces the old node in
the Tensor, in its base, and in every live view. So operands are always older than results.
"""

from __future__ import annotations

from _thread import RLock  # threading's, without the 2 ms of importing threading
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.hooks import Watch
from autograd_core.engine.layouts import address, copied, laid_as
from autograd_core.engine.stamps import root_of, stamp
from autograd_core.engine.state import is_recording, no_grad
from autograd_core.engine.tensor import Tensor, make
from autograd_core.engine.types import Array, Operand
from autograd_core.engine.untracked import unwrap_nested
from autograd_core.engine.views import UNSEEN, VALUE, Base, View, base_of, read_only
from autograd_core.errors import (
    AutogradError,
    DTypeError,
    GraphError,
    NotDifferentiableError,
    ShapeError,
)
from autograd_core.errors.tracebacks import shorten
from autograd_core.ops.indexing import assign, write_elements
from autograd_core.ops.shaping import _cast, broadcast_to

# A functional write reads, computes and replaces. Without a lock, one of two concurrent writes
# could be lost.
_one_at_a_time = RLock()


def set_item(self: Tensor, index: Any, value: Any) -> None:
    """``x[index] = value``."""
    try:
        held = getattr(self, "_memory", None)
        if held is VALUE:
            check_writable(self, "x[index] = value")
            replace(self, assign(self, index, value))
        elif recorded(self, value):
            with _one_at_a_time:
                check_writable(self, "x[index] = value")
                if not _is_there(self, index, value):
                    replace(self, assign(self, index, value))
        else:
            index = unwrap_nested(index)
            value = value._array if isinstance(value, Tensor) else value
            own(self)
            backend.run_there(self._array, _write, self._array, index, value)
            stamp(self)
    except Exception as error:
        shorten(error)
        raise


def _write(x: Operand, index: Any, value: Any) -> None:
    """Write elements. On a device, where a kernel has no defined order, a value that may overlap
    with x is copied first."""
    if type(x) is not np.ndarray and root_of(value) is root_of(x):
        value = value.copy()
    write_elements(x, index, value)


def augmented(
    name: str, function: Callable[..., Any], native: Callable[..., Any]
) -> Callable[[Tensor, Any], Any]:
    """The augmented operator of an operation, such as ``x += y``. It writes to x, unless x stands
    for a NumPy scalar; it then returns a new Tensor."""

    def in_place(self: Tensor, other: Any) -> Tensor:
        try:
            if getattr(self, "_memory", None) is VALUE:
                return function(self, other)  # type: ignore[no-any-return]
            if recorded(self, other):
                with _one_at_a_time:
                    check_writable(self, f"x {name}= y")
                    replace(self, same_kind(f"x {name}= y", function(self, other), self))
                return self
            own(self)
            if type(self._array) is np.ndarray:
                _compute_in(self, name, native, other)
            else:  # a device kernel has no order: it could read new values of overlapping memory
                result = same_kind(f"x {name}= y", function(self, other), self)
                backend.run_there(self._array, write_elements, self._array, ..., result._array)
            stamp(self)
            return self
        except Exception as error:
            shorten(error)
            raise

    return in_place


def _compute_in(x: Tensor, name: str, native: Callable[..., Any], other: Any) -> None:
    """Apply NumPy's augmented operator `native` to the array of x."""
    other = backend.operand(unwrap_nested(other)) if other is not None else other
    try:
        native(x._array, other)
    except AutogradError:
        raise
    except TypeError as error:
        raise DTypeError(f"x {name}= y, where x has dtype {x.dtype}: {error}") from error
    except ValueError as error:
        if "read-only" in str(error):
            raise
        raise ShapeError(
            f"x {name}= y: x has shape {x.shape}, y has shape {np.shape(other)}: {error}"
        ) from error


def same_kind(what: str, result: Tensor, target: Tensor) -> Tensor:
    """`result` cast to the dtype of `target`. Raises ShapeError if the shapes differ, and
    DTypeError if the cast is not allowed."""
    if result.shape != target.shape:
        raise ShapeError(
            f"{what}: the target has shape {target.shape}, which a write cannot change; the "
            f"result has shape {result.shape}"
        )
    if result.dtype == target.dtype:
        return result
    if not np.can_cast(result.dtype, target.dtype, "same_kind"):
        raise DTypeError(
            f"{what}: the result has dtype {result.dtype}, which {target.dtype} cannot hold "
            f"(casting rule 'same_kind'). Convert the target first, as in "
            f"x = x.astype({result.dtype.name!r})"
        )
    return _cast(result, target.dtype)


# ---- checks -------------------------------------------------------------------------------------


def recorded(x: Operand, *values: Any) -> bool:
    """True if writing `values` into x has to be recorded."""
    if not is_recording():
        return False
    if any(isinstance(t, Tensor) and t.node is not None for t in (x, *values)):
        return True
    base = base_of(x)
    return base is not None and base.node is not None


def check_writable(x: Tensor, what: str) -> None:
    """Raise if NumPy would not allow the recorded write `what`, or if a gradient would be lost."""
    held = getattr(x, "_memory", None)
    base = held.base if type(held) is View else held
    borrowed = type(base) is Base and base.borrowed
    node = base.node if type(base) is Base else x.node
    if node is not None and node.op is None and not borrowed:
        view = ", or a view of one" if type(held) is View else ""
        raise GraphError(
            f"{what} on a leaf that requires a gradient{view}: write under no_grad(), so that the "
            "write is not recorded, or write to a copy, as in x = x.copy()"
        )
    while type(held) is View:
        if held.op.view is read_only:
            raise ValueError(f"{what}: a view made by {held.op.name} is read-only. Take a copy()")
        if not held.recorded:
            raise GraphError(
                f"{what}: x is a view that was made under no_grad(), so no gradient can pass "
                "through it. Make the view outside no_grad(), or write under no_grad()"
            )
        held = held.parent
    if not borrowed and isinstance(x._array, np.ndarray) and not x._array.flags.writeable:
        raise ValueError(f"{what}: the memory of x is read-only. Take a copy()")


def _is_there(x: Tensor, index: Any, value: Any) -> bool:
    """True if `value` is the view ``x[index]`` of x, as at the end of ``x[index] += y``."""
    held = getattr(value, "_memory", None)
    if type(held) is not View or held.base is not base_of(x):
        return False
    try:
        array = x._array[unwrap_nested(index)]
    except (IndexError, TypeError):
        return False
    known = value._array
    if not backend.is_array(array):
        return False  # a NumPy scalar
    where = (known.shape, known.strides, known.dtype, address(known))
    return where == (array.shape, array.strides, array.dtype, address(array))


# ---- out= ---------------------------------------------------------------------------------------


def check_out(name: str, out: Operand, where: Any = True, tracked: bool = False) -> None:
    """Raise if `out` cannot be written to, or if there is a mask `where` but no `out`."""
    if out is None and where is not True:
        raise NotDifferentiableError(
            f"{name}(…, where=mask) without out= leaves the other elements undefined. Pass out=, "
            "as in out=ac.zeros_like(x), or choose with ac.where(mask, …, 0)"
        )
    for target in out if isinstance(out, tuple) else (out,):
        if isinstance(target, Tensor):
            if getattr(target, "_memory", None) is VALUE:
                raise TypeError(f"{name}: out= is a number, not an array that can be written to")
        elif tracked:
            raise _swallowed(name)


def write_out(name: str, result: Any, out: Operand, mask: Any = None) -> Any:
    """Write `result` to `out`, or to ``out[mask]``, and return `out`. If `out` is None, return
    `result`. `name` is the name of the function for error messages."""
    if out is None:
        return result
    if isinstance(result, tuple):
        pairs = zip(result, out, strict=True)
        return tuple(r if o is None else write_out(name, r, o, mask) for r, o in pairs)
    (out,) = out if isinstance(out, tuple) else (out,)
    if not isinstance(out, Tensor):
        if recorded(result):
            raise _swallowed(f"{name}(…, out=array)")
        values = result._array if isinstance(result, Tensor) else result
        _into_array(name, out, values, mask)
        return out
    if mask is None and out.shape != result.shape:
        result = _grown(name, result, out)
    part = out if mask is None else out[mask]
    result = same_kind(
        f"{name}(…, out=)", result if isinstance(result, Tensor) else make(result, None), part
    )
    if mask is not None:
        set_item(out, mask, result)
    elif recorded(out, result):
        check_writable(out, f"{name}(…, out=x)")
        replace(out, result)
    else:
        set_item(out, ..., result)
    return out


def _into_array(name: str, out: Operand, values: Any, mask: Any) -> None:
    if not np.can_cast(values.dtype, out.dtype, "same_kind"):
        raise DTypeError(
            f"{name}: out= has dtype {out.dtype}, which cannot hold the result of dtype "
            f"{values.dtype}"
        )
    out[... if mask is None else unwrap_nested(mask)] = values
    stamp(make(out, None))


def _grown(name: str, result: Any, out: Tensor) -> Any:
    """The result, broadcast to the shape of `out`."""
    try:
        return broadcast_to(result, out.shape).copy()
    except ValueError as error:
        raise ShapeError(
            f"{name}: out= has shape {out.shape}, the result has shape {np.shape(result)}: {error}"
        ) from error


def _swallowed(name: str) -> NotDifferentiableError:
    return NotDifferentiableError(
        f"{name}: a plain array cannot record a tracked value. Write into a Tensor, such as "
        "ac.zeros_like(array) or ac.Tensor(array), or assign the result: y = x + tensor"
    )


# ---- implementation -----------------------------------------------------------------------------


def replace(x: Tensor, new: Tensor) -> None:
    """Give x, and all Tensors that share its memory, the values after ``x[...] = new``."""
    held = getattr(x, "_memory", None)
    if held is None or held is VALUE:
        _rebind(x, laid_as(new._array, x._array), new.node)
        return
    base = held.base
    while type(held) is View:
        new = held.op.view(_unseen(held.parent), new, *held.settings)
        held = held.parent
    base.array, base.node = laid_as(new._array, base.array), new.node
    base.borrowed = False
    _refresh(base)


def _unseen(held: Base | View) -> Tensor:
    """A base or a view as a temporary Tensor."""
    tensor = make(held.array, held.node)
    tensor._memory = UNSEEN
    return tensor


def _refresh(base: Base, rerecord: bool = True) -> None:
    """Recompute every Tensor that shares `base`. If `rerecord` is false, views keep their nodes."""
    fresh = {id(base)}
    for tensor in [reference() for reference in base.tensors]:
        if tensor is None or base_of(tensor) is not base:
            continue
        stale: list[View] = []
        held = tensor._memory
        while id(held) not in fresh:
            stale.append(held)
            held = held.parent
        for view in reversed(stale):
            made = view.op.function(_unseen(view.parent), *view.settings)
            view.array = made._array
            if rerecord:
                view.node = made.node if view.recorded else None
            fresh.add(id(view))
        held = tensor._memory
        _rebind(tensor, held.array, held.node)


def _rebind(tensor: Tensor, array: Array, node: Any) -> None:
    """Give a Tensor another array and node. The effect of `retain_grad` moves to the new node."""
    before = tensor.node
    tensor._array, tensor.node = array, node
    if before is None or before is node or before.op is None or node is None:
        return
    if before.watch is not None and before.watch.keeps_grad:
        before.watch.keeps_grad = False
        node.watch = Watch(tensor, keeps_grad=True)


def own(x: Tensor) -> None:
    """Copy the memory of x before a write into it, if it is borrowed."""
    base = base_of(x)
    if base is not None and base.borrowed:
        base.array = backend.run_there(base.array, copied, base.array)
        base.borrowed = False
        with no_grad():
            _refresh(base, rerecord=False)
