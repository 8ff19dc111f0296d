"""Modules that hold others, or change the shape of an array."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from autograd_core import Tensor
from autograd_core.errors import ShapeError
from autograd_core.errors.tracebacks import public
from nn.module import Module, misfit

__all__ = ["Flatten", "ModuleDict", "ModuleList", "Residual", "Sequential", "Unflatten"]


class Sequential(Module):
    """Calls modules, or any functions of a Tensor, one after the other.

    Parameters
    ----------
    *layers : callable
        The modules or functions, each of which is called with the result of the one before it.

    Raises
    ------
    TypeError
        If a layer is a list of layers, a `Module` class or an object that cannot be called.

    Examples
    --------
    >>> import nn
    >>> model = nn.Sequential(nn.Linear(784, 50), nn.Sigmoid(), nn.Linear(50, 10), nn.Sigmoid())
    >>> model
    Sequential(
      0: Linear(784 → 50)
      1: Sigmoid()
      2: Linear(50 → 10)
      3: Sigmoid()
    )

    A layer, and a `Sequential` of some of the layers:

    >>> model[0]
    Linear(784 → 50)
    >>> len(model[:2])
    2
    """

    _unnamed = "layers"

    def __init__(self, *layers: Callable[[Any], Any]) -> None:
        for place, layer in enumerate(layers):
            _check_layer(place, layer)
        self.layers = list(layers)

    def forward(self, x: Any) -> Any:
        """The last layer's output."""
        for layer in self.layers:
            x = layer(x)
        return x

    def __getitem__(self, index: Any) -> Any:
        """A layer, or with a slice a Sequential of the same layers."""
        found = self.layers[index]
        return Sequential(*found) if isinstance(index, slice) else found

    def __setitem__(self, index: int, layer: Callable[[Any], Any]) -> None:
        _check_layer(index, layer)
        self.layers[index] = layer

    def append(self, layer: Callable[[Any], Any]) -> Sequential:
        """Call `layer` after the others; returns self.

        Parameters
        ----------
        layer : callable
            The module or function.

        Returns
        -------
        Sequential
            The same object.

        Raises
        ------
        TypeError
            As for the layers that a `Sequential` is made of.
        """
        _check_layer(len(self.layers), layer)
        self.layers.append(layer)
        return self

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Callable[[Any], Any]]:
        return iter(self.layers)


class ModuleList(list[Any]):
    """A list of modules. A plain list as an attribute of a `Module` serves as well.

    Parameters
    ----------
    iterable : iterable of Module, default ()
        The modules.

    Examples
    --------
    >>> import nn
    >>> class Stack(nn.Module):
    ...     def __init__(self):
    ...         self.layers = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 1)])
    >>> [name for name, _ in Stack().named_parameters()]
    ['layers.0.weight', 'layers.0.bias', 'layers.1.weight', 'layers.1.bias']
    """


class ModuleDict(dict[str, Any]):
    """A dict of modules. A plain dict as an attribute of a `Module` serves as well.

    It is made like Python's ``dict``, and its keys are in the names of parameters.

    Examples
    --------
    >>> import nn
    >>> class Heads(nn.Module):
    ...     def __init__(self):
    ...         self.heads = nn.ModuleDict({"sum": nn.Linear(3, 1), "mean": nn.Linear(3, 1)})
    >>> [name for name, _ in Heads().named_parameters()]
    ['heads.sum.weight', 'heads.sum.bias', 'heads.mean.weight', 'heads.mean.bias']
    """


class Residual(Module):
    """A module with a connection around it, x + module(x).

    Shapes: x (…) → (…).

    Parameters
    ----------
    module : callable
        A module or function whose result has the shape of its input.

    Raises
    ------
    ShapeError
        In a call, if the result of `module` has another shape than x.

    Notes
    -----
    See He et al. (2016).

    Examples
    --------
    >>> import numpy as np, nn
    >>> block = nn.Residual(nn.Sequential(nn.Linear(3, 3, generator=0), nn.ReLU()))
    >>> block(np.ones((2, 3))).shape
    (2, 3)
    """

    @public
    def __init__(self, module: Any) -> None:
        self.module = module

    def forward(self, x: Any) -> Any:
        """The sum, of x's shape."""
        change = self.module(x)
        if change.shape != x.shape:
            message = f"the inner module changes the shape from {x.shape} to {change.shape}"
            raise misfit(self, ShapeError(message))
        return x + change


class Flatten(Module):
    """Joins the axes from `start_dim` to `end_dim`.

    Shapes: by default x (n, c, h, w) → (n, c h w).

    Parameters
    ----------
    start_dim : int, default 1
        The first axis to join.
    end_dim : int, default -1
        The last axis to join.

    Raises
    ------
    ShapeError
        In a call, if x does not have these axes, in this order.

    See Also
    --------
    Unflatten : The inverse.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.Flatten()(np.zeros((2, 3, 4, 5))).shape
    (2, 60)
    """

    @public
    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Any) -> Any:
        """x in another shape."""
        ndim = max(x.ndim, 1)
        first, last = (d + ndim if d < 0 else d for d in (self.start_dim, self.end_dim))
        if not 0 <= first <= last < ndim:
            message = (
                f"axes {self.start_dim} to {self.end_dim} do not exist in x of shape {x.shape}"
            )
            raise misfit(self, ShapeError(message))
        shape = x.shape or (1,)
        joined = math.prod(shape[first : last + 1])
        return x.reshape((*shape[:first], joined, *shape[last + 1 :]))

    def describe(self) -> str:
        """The axes."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Divides the axis `dim` into several.

    Shapes: x (…, length, …) → (…, *unflattened_size, …).

    Parameters
    ----------
    dim : int
        The axis to divide.
    unflattened_size : tuple of int
        The lengths of the new axes, one of which may be -1: it follows from the others.

    Raises
    ------
    ShapeError
        In a call, if x does not have the axis, or its length is not the product of the lengths.

    See Also
    --------
    Flatten : The inverse.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.Unflatten(1, (3, -1))(np.zeros((2, 12))).shape
    (2, 3, 4)
    """

    @public
    def __init__(self, dim: int, unflattened_size: tuple[int, ...]) -> None:
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, x: Any) -> Any:
        """x in another shape."""
        dim = self.dim + x.ndim if self.dim < 0 else self.dim
        sizes, length = self.unflattened_size, x.shape[dim] if 0 <= dim < x.ndim else -1
        known = math.prod(n for n in sizes if n != -1)
        fits = length == known if -1 not in sizes else known and length % known == 0
        if not fits or length < 0 or sizes.count(-1) > 1:
            message = f"axis {self.dim} of x of shape {x.shape} cannot be divided into {sizes}"
            raise misfit(self, ShapeError(message))
        sizes = tuple(length // known if n == -1 else n for n in sizes)
        return x.reshape(x.shape[:dim] + sizes + x.shape[dim + 1 :])

    def describe(self) -> str:
        """The axis and the lengths."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


def _check_layer(place: int, layer: Any) -> None:
    """Raise TypeError for an object that cannot be a layer of a Sequential."""
    if isinstance(layer, type) and issubclass(layer, Module):
        raise TypeError(
            f"Sequential: layer {place} is the class {layer.__name__}, not a module: "
            f"write {layer.__name__}()"
        )
    if callable(layer):
        return
    if isinstance(layer, Iterable) and not isinstance(layer, str | Tensor):
        each = "layers.values()" if isinstance(layer, Mapping) else "layers"
        raise TypeError(
            f"Sequential takes each layer as an argument, not in a {type(layer).__name__}: "
            f"write Sequential(*{each})"
        )
    given = "None" if layer is None else f"a {type(layer).__name__}"
    raise TypeError(f"Sequential: layer {place} is {given}, expected a module or a function")
