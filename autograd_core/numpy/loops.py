"""Functions of NumPy that loop over elements in Python, for Tensors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy

from autograd_core import ops
from autograd_core.engine.tensor import Tensor
from autograd_core.errors import NotDifferentiableError
from autograd_core.errors.tracebacks import public
from autograd_core.interface import creation
from autograd_core.numpy.calls import contain_tensor


class vectorize(numpy.vectorize):
    """NumPy's `vectorize`. With a Tensor among the arguments, the results of the calls are stacked,
    and `otypes` has no effect.

    Raises NotDifferentiableError for a Tensor if it was made with `signature`.
    """

    @public
    def __call__(self, *args: Any, **settings: Any) -> Any:
        if not contain_tensor((*args, *settings.values())):
            return super().__call__(*args, **settings)
        if self.signature is not None:
            raise NotDifferentiableError(
                "np.vectorize with signature= is not supported for Tensors. Use np.stack of the "
                "results for the parts of x"
            )
        given: dict[Any, Any] = {**dict(enumerate(args)), **settings}
        varied = [key for key in given if key not in self.excluded]
        arrays = ops.broadcast_arrays(*(creation.asarray(given[key]) for key in varied))
        outs = []
        for place in numpy.ndindex(arrays[0].shape):
            given |= {key: array[place] for key, array in zip(varied, arrays, strict=True)}
            positional = [given[i] for i in range(len(args))]
            outs.append(self.pyfunc(*positional, **{name: given[name] for name in settings}))
        if isinstance(outs[0], tuple):
            columns = map(list, zip(*outs, strict=True))
            return tuple(_joined(column, arrays[0].shape) for column in columns)
        return _joined(outs, arrays[0].shape)


def _joined(parts: list[Any], shape: tuple[int, ...]) -> Any:
    return ops.reshape(ops.stack(parts), shape) if shape else parts[0]


def ndenumerate(arr: Any) -> Iterator[tuple[tuple[int, ...], Any]]:
    """NumPy's `ndenumerate`: an iterator over (index, element) for each element of `arr`."""
    if not isinstance(arr, Tensor):
        return numpy.ndenumerate(arr)
    return ((place, arr[place]) for place in numpy.ndindex(arr.shape))
