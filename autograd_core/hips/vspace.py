"""Vector spaces of values: arrays and trees of arrays, and types that a user declares."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np

from autograd_core.transforms.boxes import Box
from autograd_core.transforms.tree import filled, leaves, mapped


class VSpace:
    """The vector space of a value of a user's type.

    A subclass defines `zeros`, `_add`, `_scalar_mul` and `_inner_prod`, and `randn` for the checks,
    and is declared with ``MySpace.register(MyType)``. By default, `_add` is ``x + y``
    and `_scalar_mul` is ``x * a``.

    Parameters
    ----------
    value : object
        The value whose space is made. A subclass may read from it what distinguishes spaces of one
        type, such as a size. Spaces of one class are equal if their attributes are.

    Raises
    ------
    NotImplementedError
        In a call of a method that the subclass does not define.

    See Also
    --------
    Box : Values of a user's type in the computation graph.
    vspace : The vector space of a value.

    Notes
    -----
    The public operations `add`, `mut_add`, `scalar_mul`, `inner_prod` and `covector` can be
    differentiated: they are primitives.
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
        """Use this class, or ``vspace_maker(value)``, for values of `value_type`.

        Parameters
        ----------
        value_type : type
            A type. Values of its subclasses are not included.
        vspace_maker : callable, optional
            A function of a value that returns its vector space, by default this class.
        """
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


class ArrayVSpace(VSpace):
    """The vector space of arrays of one shape and dtype, or of numbers."""

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
    def iscomplex(self) -> bool:  # type: ignore[override]
        """True if the elements are complex."""
        return bool(self.dtype.kind == "c")

    @property
    def size(self) -> int:  # type: ignore[override]
        """The number of real numbers in a value."""
        return int(np.prod(self.shape)) * (2 if self.iscomplex else 1)

    def zeros(self) -> Any:
        return np.zeros(self.shape, self.dtype)[()]

    def ones(self) -> Any:
        return np.full(self.shape, 1 + 1j if self.iscomplex else 1, self.dtype)[()]

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

    def add(self, x: Any, y: Any) -> Any:
        """x + y."""
        return x + y

    def mut_add(self, x: Any, y: Any) -> Any:
        """x + y; y if x is None."""
        return y if x is None else x + y

    def scalar_mul(self, x: Any, a: Any) -> Any:
        """x times the number a."""
        return x * a

    def inner_prod(self, x: Any, y: Any) -> Any:
        """The real inner product of x and y."""
        return np.sum(np.real(np.conj(x) * y) if self.iscomplex else x * y)

    def covector(self, x: Any) -> Any:
        """The complex conjugate of x."""
        return np.conj(x) if self.iscomplex else x

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.dtype}{list(self.shape)})"


class TreeVSpace(VSpace):
    """The vector space of trees of one structure, whose leaves belong to the spaces `spaces`."""

    def __init__(self, value: Any) -> None:
        self.spaces = mapped(vspace, value)

    @property
    def _list(self) -> list[VSpace]:
        return [space for _, space in leaves(self.spaces)]

    @property
    def size(self) -> int:  # type: ignore[override]
        """The number of real numbers in a value."""
        return sum(space.size for space in self._list)

    @property
    def iscomplex(self) -> bool:  # type: ignore[override]
        """True if a value contains complex numbers."""
        return any(space.iscomplex for space in self._list)

    def _each(self, operation: str, *trees: Any) -> Any:
        columns = ([leaf for _, leaf in leaves(tree)] for tree in trees)
        rows = zip(self._list, *columns, strict=True)
        return filled(self.spaces, (getattr(space, operation)(*row) for space, *row in rows))

    def zeros(self) -> Any:
        return self._each("zeros")

    def ones(self) -> Any:
        return self._each("ones")

    def randn(self) -> Any:
        return self._each("randn")

    def standard_basis(self) -> Iterator[Any]:
        for i, chosen in enumerate(self._list):
            for element in chosen.standard_basis():
                entries = (element if j == i else s.zeros() for j, s in enumerate(self._list))
                yield filled(self.spaces, entries)

    def add(self, x: Any, y: Any) -> Any:
        """x + y."""
        return self._each("add", x, y)

    def mut_add(self, x: Any, y: Any) -> Any:
        """x + y; y if x is None."""
        return y if x is None else self.add(x, y)

    def scalar_mul(self, x: Any, a: Any) -> Any:
        """x times the number a."""
        return self._each("scalar_mul", x, [a] * len(self._list))

    def inner_prod(self, x: Any, y: Any) -> Any:
        """The real inner product of x and y."""
        return sum(product for _, product in leaves(self._each("inner_prod", x, y)))

    def covector(self, x: Any) -> Any:
        """The complex conjugate of x."""
        return self._each("covector", x)


def vspace(value: Any) -> VSpace:
    """The vector space of a value: an array, a number, a tree of these, or of a user's type.

    Parameters
    ----------
    value : tree of arrays
        A floating number, an array, a value of a type that is declared with ``VSpace.register``, or
        a tree of these.

    Returns
    -------
    VSpace
        The space, which is equal for values of the same structure, shapes and dtypes.

    Raises
    ------
    TypeError
        If the value is or contains an integer, a string, or a value of another type.
    RecursionError
        For a container that contains itself.
    """
    if isinstance(value, Box):
        return value._space  # type: ignore[no-any-return]
    maker = VSpace.mappings.get(type(value))
    if maker is not None:
        return maker(value)
    is_leaf = [path for path, _ in leaves(value)] == [""]
    return ArrayVSpace(value) if is_leaf else TreeVSpace(value)


Box.space_of = staticmethod(vspace)
