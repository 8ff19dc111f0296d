"""Data-parallel training: the same model on each rank, with a part of each batch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

import autograd_core as ac
from autograd_core import no_grad
from autograd_core.devices import backend
from autograd_core.engine.external import refuse_tracing
from autograd_core.engine.state import STATE
from autograd_core.engine.tensor import make
from autograd_core.errors import ArgumentError, AutogradError
from autograd_core.errors.tracebacks import public
from nn.distributed.collectives import _all_reduce, all_reduce, broadcast, reduced
from nn.distributed.exchanges import exchanged, recorded
from nn.distributed.world import Group, world
from nn.module import Module

__all__ = ["DistributedDataParallel"]


class DistributedDataParallel(Module):
    """A model that is trained on all ranks of a group, each with its own part of the data.

    At first all ranks get the parameters and buffers of rank 0. After each ``backward()``, the
    gradients are replaced by their mean over the ranks, in one message for each dtype: with a loss
    that is a mean over the batch, and batches of equal size, a step on n ranks is one with a batch
    n times as large. All ranks end with the same bits.

    Parameters
    ----------
    module : Module
        The model. The names of its parameters remain.
    group : Group, optional
        The ranks, by default all.
    find_unused_parameters : bool, default False
        If true, a gradient that is missing on some ranks counts as zero there, if the loss of each
        rank depends on a parameter. By default, parameters without a gradient must be the same ones
        on all ranks.
    broadcast_buffers : bool, default True
        If true, each forward pass in training begins with the buffers of rank 0, such as running
        means.

    Raises
    ------
    ArgumentError
        If `module` is not a Module, or a parameter is already in another DistributedDataParallel.
    RankError
        If the ranks have different models; in a backward pass, if parameters have no gradient on
        some ranks only.
    AutogradError
        If it is copied: copy its `module`.

    Notes
    -----
    Call the wrapped model: what is frozen or replaced in it later is noticed there. Inside
    `no_sync()` gradients stay those of the rank, to accumulate them over several batches.

    A line search, as that of LBFGS, needs the loss of all ranks: ``all_reduce(loss, "mean")``. The
    gradient of a `retain_graph` or `create_graph` pass is replaced too. With ``ac.grad(loss)``,
    which leaves no gradients in the parameters, call `all_reduce` yourself.

    Examples
    --------
    >>> import numpy as np, nn
    >>> from nn.distributed import DistributedDataParallel, world
    >>> data = nn.TensorDataset(np.ones((8, 3)), np.ones((8, 1)))
    >>> loader = nn.DataLoader(data, 4, shuffle=True, generator=0, shard=world())
    >>> model = DistributedDataParallel(nn.Linear(3, 1))
    >>> history = nn.fit(model, loader, nn.MSELoss(), nn.SGD(model.parameters(), lr=0.1))
    >>> len(history)
    1
    """

    _unnamed = "module"

    @public
    def __init__(
        self,
        module: Module,
        group: Group | None = None,
        *,
        find_unused_parameters: bool = False,
        broadcast_buffers: bool = True,
    ) -> None:
        if not isinstance(module, Module):
            raise ArgumentError(
                f"DistributedDataParallel takes a Module, not a {type(module).__name__}"
            )
        self.module, self.group = module, group or world()
        self.find_unused_parameters = find_unused_parameters
        self.broadcast_buffers = broadcast_buffers
        self.synchronizes = True
        self._known: tuple[int, ...] = ()
        self._begin()

    def forward(self, *inputs: Any, **settings: Any) -> Any:
        """The output of the model."""
        if self.group.size > 1:
            self._watch()
        if self.training and self.broadcast_buffers and self.synchronizes and STATE.get()[0]:
            self.synchronize_buffers()
        return self.module(*inputs, **settings)

    @public
    def synchronize_buffers(self) -> None:
        """Give all ranks the buffers of rank 0. `nn.fit` does it before it evaluates or saves."""
        self._broadcast(self.module.buffers())

    @contextmanager
    def no_sync(self) -> Iterator[None]:
        """A context manager in which gradients are not exchanged: the next ``backward()`` outside
        of it exchanges their sum."""
        before, self.synchronizes = self.synchronizes, False
        try:
            yield
        finally:
            self.synchronizes = before

    # how it works

    def _begin(self) -> None:
        """Give all ranks the parameters and buffers of rank 0."""
        if self.group.size == 1:
            return
        refuse_tracing("a DistributedDataParallel has new parameters")
        parameters = self.module.parameters()
        for parameter in parameters:
            watch = None if parameter.node is None else parameter.node.watch
            if watch is not None and watch.after not in (None, self._synchronize):
                raise ArgumentError(
                    "DistributedDataParallel: a parameter of this model is already in another "
                    "DistributedDataParallel, which exchanges its gradient"
                )
        self._check_alike()
        self._broadcast([*parameters, *self.module.buffers()])
        self._known = tuple(map(id, parameters))
        self._watch()

    def _watch(self) -> None:
        """Have `_synchronize` called after each backward pass: by new parameters, which begin alike
        on all ranks, and by those that require a gradient again."""
        parameters = self.module.parameters()
        if tuple(map(id, parameters)) != self._known:
            self._begin()
            return
        for parameter in parameters:
            watch = None if parameter.node is None else parameter.node.watch
            if watch is not None:
                watch.after = self._synchronize

    def _check_alike(self) -> None:
        """Raise RankError if the ranks have different models."""
        shapes = [(name, p.shape, p.dtype.str) for name, p in self.module.named_parameters()]
        shapes += [(name, b.shape, b.dtype.str) for name, b in self.module.named_buffers()]
        self.group.agree(f"DistributedDataParallel of {shapes}")

    def _broadcast(self, tensors: list[Any]) -> None:
        if self.group.size == 1:
            return
        with no_grad():
            for some in _by_dtype(tensors):
                flat = broadcast(_flat([t.data for t in some]), group=self.group)
                for tensor, part in zip(some, _parts(flat, some), strict=True):
                    tensor.copy_(part)

    def _synchronize(self) -> None:
        """Replace the gradients by their means over the ranks."""
        if not self.synchronizes:
            return
        named = [(n, p) for n, p in self.module.named_parameters() if p.requires_grad]
        having = [parameter for _, parameter in named if parameter.grad is not None]
        missing = [name for name, parameter in named if parameter.grad is None]
        what = f", without those of {', '.join(missing)}" if missing else ""
        if self.find_unused_parameters:
            having, what = self._used(named), ""
        for some in _by_dtype(having):
            grads = [parameter.grad for parameter in some]
            mean = mean_of(grads, self.group, f" of gradients{what}")
            for parameter, part in zip(some, _parts(mean, some), strict=True):
                parameter.grad = part

    def _used(self, named: list[Any]) -> list[Any]:
        """The parameters with a gradient on any rank; it is zero on the others."""
        here = np.array([parameter.grad is not None for _, parameter in named])
        used = all_reduce(here, "max", self.group)
        for (_, parameter), there, mine in zip(named, used, here, strict=True):
            if there and not mine:
                parameter.grad = ac.zeros_like(parameter.data)
        return [parameter for (_, parameter), there in zip(named, used, strict=True) if there]

    def __deepcopy__(self, memo: Any) -> Any:
        raise AutogradError(
            "a DistributedDataParallel cannot be copied: copy its module, as in "
            "copy.deepcopy(model.module)"
        )


def _by_dtype(tensors: list[Any]) -> list[list[Any]]:
    """The Tensors in their order, in a list for each dtype and device."""
    kinds: dict[Any, list[Any]] = {}
    for tensor in tensors:
        kinds.setdefault((tensor.dtype, tensor.device), []).append(tensor)
    return list(kinds.values())


def _flat(arrays: list[Any]) -> Any:
    """All elements, one behind the other."""
    return ac.concatenate([array.reshape(-1) for array in arrays])


def _parts(flat: Any, tensors: list[Any]) -> Iterator[Any]:
    """The parts of `flat` that belong to each Tensor, in its shape."""
    start = 0
    for tensor in tensors:
        yield flat[start : start + tensor.size].reshape(tensor.shape)
        start += tensor.size


def mean_of(tensors: list[Any], group: Group, note: str) -> Any:
    """The means over the ranks of Tensors of one dtype: their elements, one behind the other. They
    are divided while they are copied there, and then summed in place, which takes less time than
    `all_reduce` of their concatenation. A tracked mean and float16 need that."""
    if any(t.requires_grad for t in tensors) or tensors[0].dtype.itemsize < 4:
        return reduced(ac.concatenate([t.reshape(-1) for t in tensors]), "mean", group, note)
    arrays, size = [t._array for t in tensors], sum(t.size for t in tensors)
    on_device = " on a device" * backend.on_device(arrays[0])
    found = exchanged(
        f"all_reduce(mean){note} of {arrays[0].dtype} ({size},){on_device}", arrays,
        lambda channel, arrays: channel.add(_divided(arrays, group.size)), group,
    )  # fmt: skip
    arrived = make(found[0], None)
    return recorded(found, arrived, found[0], _all_reduce, "mean", group)


def _divided(arrays: list[Any], count: int) -> Any:
    """All elements, divided by the number of ranks."""
    module = backend.module_of(arrays[0])
    flat, start = module.empty(sum(array.size for array in arrays), arrays[0].dtype), 0
    for array in arrays:
        part = flat[start : start + array.size].reshape(array.shape)
        module.divide(array, count, out=part)
        start += array.size
    return flat
