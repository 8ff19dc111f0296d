"""Backward passes over Tensors: their initial gradients, their results, and ``.grad``."""

from __future__ import annotations

from _thread import allocate_lock  # threading's, without the 2 ms of importing threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.devices.checks import check_home, free_unused
from autograd_core.engine.exits import warn_user
from autograd_core.engine.graph import Node, Parts, release, run
from autograd_core.engine.hooks import Watch
from autograd_core.engine.paths import Paths
from autograd_core.engine.stamps import sequence_numbers
from autograd_core.engine.state import STATE, enable_grad
from autograd_core.engine.tensor import Tensor, make
from autograd_core.engine.types import Array, Gradient
from autograd_core.errors import DTypeError, GraphError, ShapeError
from autograd_core.errors.tracebacks import shorten

_NAN_LOSS = (
    "backward() of NaN: the gradients will be meaningless. Run the forward pass inside "
    "`with ac.detect_anomaly():` to see which operation produced the NaN"
)
_commit_lock = allocate_lock()


def backward(
    self: Tensor,
    gradient: Any = None,
    *,
    retain_graph: bool | None = None,
    create_graph: bool = False,
) -> None:
    """Add ∂self/∂leaf to the `grad` of every leaf this Tensor was computed from.

    Parameters
    ----------
    gradient : array_like, optional
        The gradient with respect to this Tensor, of its shape. It may be left out for a real Tensor
        of one element, where the default is 1.
    retain_graph : bool, optional
        If true, the graph can be used again; otherwise it is released during the pass. By default,
        the value of `create_graph`.
    create_graph : bool, default False
        If true, the backward pass is itself recorded, so that gradients of gradients can be
        computed.

    Raises
    ------
    GraphError
        If this Tensor is not tracked, or if it has several elements and no `gradient` is given.
    ShapeError
        If `gradient` has another shape than this Tensor.
    DTypeError
        If this Tensor is complex and no `gradient` is given, or if it is real and `gradient` is
        complex.
    FreedGraphError
        If an earlier pass has released a part of the graph.
    StaleArrayError
        If an array that a derivative needs was overwritten after its operation.

    Examples
    --------
    >>> import autograd_core as ac
    >>> x = ac.Tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).backward([1.0, 10.0])
    >>> x.grad
    Tensor([ 2., 40.])
    """
    try:
        if self.node is None:
            raise GraphError(
                "backward() on a Tensor that is not tracked: none of its inputs has "
                "requires_grad=True, or it was made under no_grad() or by detach()"
            )
        arrived = propagate(
            [(self.node, seed(self, gradient))],
            retain=create_graph if retain_graph is None else retain_graph,
            create_graph=create_graph,
        )
        commit(arrived)
    except Exception as error:
        shorten(error)
        raise


def seed(tensor: Tensor, gradient: Any = None) -> Any:
    """The gradient that a backward pass starts from: `gradient`, or 1 if it is None, with the shape
    and dtype of `tensor` and on its device."""
    if gradient is None:
        if tensor._array.size != 1:
            raise GraphError(
                f"backward() needs the gradient of a Tensor of shape {tensor.shape}: "
                f"call backward(gradient) with an array of that shape, or reduce it to one "
                f"element first, as in .sum().backward()"
            )
        if tensor._array.dtype.kind == "c":
            raise DTypeError(
                f"backward() of a complex Tensor (dtype {tensor.dtype}) needs its gradient. "
                "Differentiate its real or imaginary part, as in z.real.backward(), or pass "
                "backward(ac.ones_like(z)) if it is holomorphic in complex leaves"
            )
        if tensor._array.ndim == 0 and type(tensor._array) is np.ndarray:
            value = tensor._array.item()
            if value != value and STATE.get()[2] is None:  # detect_anomaly reports more
                warn_user(_NAN_LOSS)
            return tensor._array.dtype.type(1)  # ones_like costs a small network 1 % of its step
        return backend.run_there(tensor._array, np.ones_like, tensor._array)
    if not isinstance(gradient, Tensor):
        gradient = backend.asarray(gradient)
    elif gradient.node is None:
        gradient = gradient._array
    if gradient.shape != tensor.shape:
        raise ShapeError(
            f"backward: the Tensor has shape {tensor.shape}, so its gradient must have that shape; "
            f"it has shape {gradient.shape}"
        )
    check_home(tensor._array, getattr(gradient, "_array", gradient), "its gradient")
    if gradient.dtype == tensor.dtype:
        return gradient
    if gradient.dtype.kind == "c" and tensor.dtype.kind != "c":
        raise DTypeError(
            f"backward: the Tensor has dtype {tensor.dtype}, so its gradient cannot have dtype "
            f"{gradient.dtype}; pass the real part of the gradient"
        )
    return backend.run_there(tensor._array, gradient.astype, tensor.dtype)


def propagate(
    seeds: list[tuple[Node, Any]],
    *,
    retain: bool,
    create_graph: bool = False,
    lead: int = 0,
    paths: Paths | None = None,
    wrap: Callable[[Any, Node], Tensor] | None = None,
) -> list[tuple[Any, Any, bool]]:
    """Run a backward pass and return the gradients, without changing any ``.grad``.

    Under `create_graph`, `wrap` turns the saved values into the Tensors that the rules are called
    with.
    """
    unfinished: list[Node] = []
    settings: dict[str, Any] = {"retain": retain, "lead": lead, "paths": paths}
    if create_graph:
        seeds = [(node, g if isinstance(g, Tensor | Parts) else make(g, None)) for node, g in seeds]
        settings["wrap"] = wrap or make
    else:
        seeds = [(node, g._array if isinstance(g, Tensor) else g) for node, g in seeds]
        settings["apply"] = backend.applier(g for _, g in seeds)
    with (
        backend.device_kept() if backend.in_use() else nullcontext(),
        enable_grad() if create_graph else nullcontext(),
    ):
        try:
            return run(seeds, unfinished=unfinished, **settings)
        except Exception as error:
            explained = backend.explained(error)
            if explained is None:
                raise
            error.__traceback__ = None  # the frames in it hold gradients
        release(unfinished)
        free_unused()
    raise explained


def pull(
    seeds: list[tuple[Node, Any]],
    paths: Paths,
    *,
    retain: bool,
    create_graph: bool = False,
    lead: int = 0,
    wrap: Callable[[Any, Node], Tensor] | None = None,
) -> dict[Any, Any]:
    """The gradients of the targets of `paths`, as a dict whose keys are the targets' names.

    The gradients are Tensors under `create_graph`, otherwise arrays that nothing else references.
    Targets that cannot be reached from a seed are left out.
    """
    arrived = propagate(
        [(node, g) for node, g in seeds if paths.lead_from(node)],
        retain=retain,
        create_graph=create_graph,
        lead=lead,
        paths=paths,
        wrap=wrap,
    )
    return {
        name: g if isinstance(g, Tensor | Parts) else backend.run_there(g, private, g, owned)
        for name, g, owned in arrived
        if not isinstance(name, Watch)
    }


def zero_gradient(array: Array, shape: tuple[int, ...] | None = None, dtype: Any = None) -> Any:
    """Zeros on the device of `array`: the gradient of an input that does not affect the result."""
    return backend.run_there(array, lambda: np.zeros_like(array, shape=shape, dtype=dtype))


def commit(arrived: list[tuple[Any, Any, bool]]) -> None:
    """Add each gradient to the ``.grad`` of its Tensor, as a contiguous array that nothing else
    references. Then call the functions `after` of these Tensors, once each."""
    with _commit_lock:
        totals = [
            (watch, tensor, backend.run_there(tensor._array, _total, tensor, g, owned))
            for watch, g, owned in arrived
            if (tensor := watch.tensor()) is not None
        ]
        number = next(sequence_numbers)
        for watch, tensor, total in totals:
            tensor._grad, watch.committed = total, number
    for after in dict.fromkeys(watch.after for watch, _, _ in totals if watch.after is not None):
        after()


def _total(tensor: Tensor, g: Gradient, owned: bool) -> Tensor:
    data, held = tensor._array, tensor._grad
    if g.shape != data.shape or (g.dtype is not data.dtype and g.dtype != data.dtype):
        raise GraphError(
            f"the gradient has shape {g.shape} and dtype {g.dtype}, but the leaf's data was "
            f"rebound to shape {data.shape} and dtype {data.dtype} after the operation ran"
        )
    if isinstance(g, Tensor):
        return g if held is None else held + g
    if held is not None:
        return make(backend.as_array(held._array + g), None)
    return make(private(g, owned), None)


def private(g: Gradient, owned: bool) -> Any:
    """The gradient as a contiguous array that nothing else references."""
    return g if owned and g.flags.c_contiguous and g.ndim else backend.as_array(g).copy()
