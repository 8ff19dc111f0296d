"""The declaration of SciPy's functions as operations, and the import of ``scipy.special``."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from autograd_core.engine.op import elementwise
from autograd_core.engine.tensor import Tensor
from autograd_core.engine.types import Gradient
from autograd_core.errors import NotDifferentiableError

try:
    import scipy.special as scipys
except ImportError as error:
    raise ImportError(
        f"special functions need SciPy ({error}): pip install 'autograd-core[scipy]'"
    ) from error

__all__ = ["ROOT_PI", "ROOT_TAU", "Special", "declare", "refused", "scipys"]

Special = Callable[..., Tensor]
declare: Callable[..., Special] = partial(elementwise, home="autograd_core.scipy.special")

ROOT_PI, ROOT_TAU = math.sqrt(math.pi), math.sqrt(math.tau)


def refused(name: str, parameter: str) -> Callable[..., Any]:
    """Return a rule that raises NotDifferentiableError, because the derivative with respect to
    `parameter` has no closed form."""

    def rule(g: Gradient) -> Gradient:
        raise NotDifferentiableError(
            f"special.{name}: its derivative with respect to {parameter!r} has no closed form; "
            "pass it as a plain number or array, or detach() it"
        )

    return rule
