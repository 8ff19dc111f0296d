"""Square roots as the fixed points of an iteration, and their derivatives.

    python -m examples.fixed_point

The Babylonian method iterates x ← (x + a / x) / 2. `fixed_point` does not store the iterates; it
computes the gradient of the root by the implicit function theorem, and the second derivative too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_core as ac


def roots(a: Any) -> Any:
    """The square roots of the elements of a."""
    return ac.fixed_point(lambda a, x: (x + a / x) / 2, a, np.ones(np.shape(a)), tol=1e-13)


def main() -> None:
    """Square roots by the Babylonian method."""
    a = np.array([2.0, 9.0])
    slope = ac.elementwise_grad(roots)
    print("roots             ", roots(a))
    print("gradient          ", slope(a), "= 1 / (2 · root)")
    print("second derivative ", ac.elementwise_grad(slope)(a), "= -1 / (4 · root³)")


if __name__ == "__main__":
    main()
