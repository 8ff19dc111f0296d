"""Random Tensors. NumPy draws the numbers on the host, so a seed gives the same on every device.

>>> import autograd_core as ac
>>> generator = ac.random.default_rng(0)
>>> generator.normal(size=2)
Tensor([ 0.12573022, -0.13210486])
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from autograd_core.engine.tensor import Tensor
from autograd_core.engine.untracked import unwrap_nested
from autograd_core.errors import NotDifferentiableError

# methods of NumPy's generator that are not supported → what to use instead
LEFT_OUT = {"shuffle": "permutation(x)", "spawn": "default_rng(seed)", "bytes": "integers"}


class Generator:
    """A random generator with the distributions of `numpy.random.Generator`.

    The methods have the same names and parameters. Draws are Tensors, which NumPy draws on the
    host, so a seed gives the same numbers on every device. The attribute `numpy` is the NumPy
    generator. The methods `shuffle`, `spawn` and `bytes` are not supported.

    Parameters
    ----------
    seed : int, sequence of int, BitGenerator or Generator, optional
        The seed, as in ``numpy.random.default_rng``. By default the numbers differ in each run.
    device : str, optional
        The device of the draws, by default that of an enclosing ``with device(...)``.

    Raises
    ------
    NotDifferentiableError
        In a draw, if a parameter is a tracked Tensor, because no gradient flows through a draw;
        write ``mean + scale * generator.normal(size=n)``.
    DeviceError
        In a draw, if there is no such device.
    ValueError
        If `seed` is negative.
    TypeError
        If `seed` is of another type.

    Examples
    --------
    >>> import autograd_core as ac
    >>> generator = ac.random.Generator(0)
    >>> generator.normal(size=2)
    Tensor([ 0.12573022, -0.13210486])
    >>> generator.integers(0, 10, size=3)
    Tensor([3, 0, 0])
    """

    def __init__(self, seed: Any = None, device: str | None = None) -> None:
        self.numpy = np.random.default_rng(seed)
        self.device = device

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_") or name in LEFT_OUT or not hasattr(np.random.Generator, name):
            instead = f"; use {LEFT_OUT[name]}" if name in LEFT_OUT else ""
            raise AttributeError(f"a Generator has no {name!r}{instead}")
        draw = getattr(self.numpy, name)

        @wraps(draw)
        def drawn(*operands: Any, **settings: Any) -> Any:
            for operand in (*operands, *settings.values()):
                if isinstance(operand, Tensor) and operand.requires_grad:
                    raise NotDifferentiableError(
                        f"{name}: no gradient flows through a draw. Draw from a fixed distribution "
                        "and transform it, as in mean + scale * generator.normal(size=n)"
                    )
            plain = {key: unwrap_nested(value) for key, value in settings.items()}
            return Tensor(draw(*unwrap_nested(operands), **plain), device=self.device)

        return drawn

    def __dir__(self) -> list[str]:
        names = (name for name in dir(np.random.Generator) if name not in LEFT_OUT)
        return sorted({*super().__dir__(), *names})


def default_rng(seed: Any = None, device: str | None = None) -> Generator:
    """A new generator of random Tensors. The same seed gives the same numbers.

    Parameters
    ----------
    seed : int, sequence of int, BitGenerator or Generator, optional
        The seed, as in ``numpy.random.default_rng``. By default the numbers differ in each run.
    device : str, optional
        The device of the draws, by default that of an enclosing ``with device(...)``.

    Returns
    -------
    Generator
        The generator, whose methods are those of `Generator`.

    Raises
    ------
    ValueError
        If `seed` is negative.
    TypeError
        If `seed` is of another type.

    Examples
    --------
    >>> import autograd_core as ac
    >>> ac.random.default_rng(0).normal(size=2)
    Tensor([ 0.12573022, -0.13210486])
    """
    return Generator(seed, device)
