"""Vector spaces of values: arrays and trees of arrays, and types that a user declares."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np

from autograd_core.transforms.boxes import Box
from autograd_core.transforms.tree import filled, leaves, mapped


class VSpace:
    """The vector space of a value of a user's type. A subclass defines `zeros`, `_add`,
    `_scalar_mul` and `_inner_prod`, and `randn` for the checks, and is declared with
    ``MySpace.register(MyType)``.

    The public operations can be differentiated: they are primitives (see `extend`).
    """

    mappings: ClassVar[dict[type, Callable[[Any], VSpace]]] = {}
    iscomplex = False
    size: int

    def __init__(self, value: Any) -> None:
        pass

    @classmethod
    def register(
        cls, value_type: type, vspace_maker: Callable[[Any], VSpace] | None = None
    ) -> None:
        """Use this class, or ``vspace_maker(value)``, for values of `value_type`."""
        VSpace.mappings[value_type] = vspace_maker or cls

    def zeros(self) -> Any:
        """The neutral element of addition."""
        raise NotImplementedError(f"{type(self).__name__} does not define zeros")

    def ones(self) -> Any:
        """The cotangent that a gradient starts from."""
        raise NotImplementedError(f"{type(self).__name__} does not define ones")

    def standard_basis(self) -> Iterator[Any]:
        """The elements of a basis."""
        raise NotImplementedError(f"{type(self).__name__} does not define standard_basis")

    def randn(self) -> Any:
        """A random element."""
        raise NotImplementedError(f"{type(self).__name__} does not define randn")

    # replaced by primitives in `core`
    add: Callable[..., Any]
    mut_add: Callable[..., Any]
    scalar_mul: Callable[..., Any]
    inner_prod: Callable[..., Any]
    covector: Callable[..., Any]

    def _add(self, x: Any, y: Any) -> Any:
        return x + y

    def _mut_add(self, x: Any, y: Any) -> Any:
        return self._add(x, y)

    def _scalar_mul(self, x: Any, a: Any) -> Any:
        return x * a

    def _inner_prod(self, x: Any, y: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define _inner_prod")

    def _covector(self, x: Any) -> Any:
        return x

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({vars(self)})"


class TreeVSpace(VSpace):
    """The vector space of an array or a number, or of a tree of these."""

    def __init__(self, value: Any) -> None:
        self.spec = mapped(_Leaf, value)

    @property
    def _leaves(self) -> list[_Leaf]:
        return [leaf for _, leaf in leaves(self.spec)]

    @property
    def size(self) -> int:  # type: ignore[override]
        """The number of real numbers in a value."""
        return sum(leaf.size for leaf in self._leaves)

    @property
    def iscomplex(self) -> bool:  # type: ignore[override]
        """True if a value contains complex numbers."""
        return any(leaf.iscomplex for leaf in self._leaves)

    @property
    def shape(self) -> Any:
        """The shape of an array, or the tree of the shapes."""
        return mapped(lambda leaf: leaf.shape, self.spec)

    @property
    def dtype(self) -> Any:
        """The dtype of an array, or the tree of the dtypes."""
        return mapped(lambda leaf: leaf.dtype, self.spec)

    def _each(self, function: Callable[..., Any], *trees: Any) -> Any:
        columns = ([leaf for _, leaf in leaves(tree)] for tree in trees)
        return filled(self.spec, map(function, self._leaves, *columns))

    def zeros(self) -> Any:
        return self._each(_Leaf.zeros)

    def ones(self) -> Any:
        return self._each(_Leaf.ones)

    def randn(self) -> Any:
        return self._each(_Leaf.randn)

    def standard_basis(self) -> Iterator[Any]:
        spec = self._leaves
        for i, chosen in enumerate(spec):
            for element in chosen.standard_basis():
                entries = (element if j == i else leaf.zeros() for j, leaf in enumerate(spec))
                yield filled(self.spec, entries)

    def add(self, x: Any, y: Any) -> Any:
        """x + y."""
        return self._each(lambda _, a, b: a + b, x, y)

    def mut_add(self, x: Any, y: Any) -> Any:
        """x + y; y if x is None."""
        return y if x is None else self.add(x, y)

    def scalar_mul(self, x: Any, a: Any) -> Any:
        """x times the number a."""
        return self._each(lambda _, leaf: leaf * a, x)

    def inner_prod(self, x: Any, y: Any) -> Any:
        """The real inner product of x and y."""
        pairs = zip(leaves(x), leaves(y), strict=True)
        return sum(_inner(a, b) for (_, a), (_, b) in pairs)

    def covector(self, x: Any) -> Any:
        """The complex conjugate of x."""
        return self._each(lambda leaf, a: np.conj(a) if leaf.iscomplex else a, x)

    _add, _mut_add, _scalar_mul = add, mut_add, scalar_mul
    _inner_prod, _covector = inner_prod, covector


def _inner(x: Any, y: Any) -> Any:
    complex_ = np.iscomplexobj(x) or np.iscomplexobj(y)
    return np.sum(np.real(np.conj(x) * y) if complex_ else x * y)


class _Leaf:
    """The shape and dtype of an array."""

    def __init__(self, value: Any) -> None:
        dtype = getattr(value, "dtype", None)
        if dtype is None:
            if isinstance(value, bool | int) or not isinstance(value, float | complex):
                raise TypeError(
                    f"Can't find vector space for value {value!r:.60} of type "
                    f"{type(value).__name__}; it must be a floating number, an array, a tree of "
                    "these, or of a type declared with VSpace.register"
                )
            dtype = np.dtype(type(value))
        self.shape, self.dtype = tuple(np.shape(value)), dtype

    @property
    def iscomplex(self) -> bool:
        return bool(self.dtype.kind == "c")

    @property
    def size(self) -> int:
        return int(np.prod(self.shape)) * (2 if self.iscomplex else 1)

    def zeros(self) -> Any:
        return np.zeros(self.shape, self.dtype)[()]

    def ones(self) -> Any:
        unit = 1 + 1j if self.iscomplex else 1
        return np.full(self.shape, unit, self.dtype)[()]

    def randn(self) -> Any:
        drawn = np.asarray(np.random.randn(*self.shape))
        drawn = drawn + 1j * np.random.randn(*self.shape) if self.iscomplex else drawn
        return drawn.astype(self.dtype)[()]

    def standard_basis(self) -> Iterator[Any]:
        for place in np.ndindex(*self.shape):
            for unit in (1, 1j) if self.iscomplex else (1,):
                element = np.zeros(self.shape, self.dtype)
                element[place] = unit
                yield element[()]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Leaf) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{self.dtype}{list(self.shape)}"


def vspace(value: Any) -> VSpace:
    """The vector space of a value: an array, a number, a tree of these, or of a user's type.

    Raises TypeError for integers, strings and values of other types.
    """
    if isinstance(value, Box):
        return value._space
    maker = VSpace.mappings.get(type(value))
    return TreeVSpace(value) if maker is None else maker(value)


Box.space_of = staticmethod(vspace)  # type: ignore[assignment]
