"""Random Tensors, drawn by NumPy on the host: a seed gives the same numbers on every device.

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

# methods of NumPy's generator that write into their arguments, or draw nothing
LEFT_OUT = {"shuffle": "permutation(x)", "spawn": "default_rng(seed)", "bytes": "integers"}


class Generator:
    """Every distribution of `numpy.random.Generator`, with its names and parameters.

    Draws are Tensors on `device` (by default that of an enclosing ``with device(...)``). `numpy` is
    the NumPy generator. Raises NotDifferentiableError if a parameter is a tracked Tensor: no
    gradient flows through a draw. Write ``mean + scale * g.normal(size=n)``.
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
    """A generator of Tensors with its own state; the same seed gives the same numbers."""
    return Generator(seed, device)
