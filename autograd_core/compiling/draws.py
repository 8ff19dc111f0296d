"""Random numbers: the draws from a generator are calls of the program, in order."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_core.compiling.program import Method, Value

# Methods that return arrays or floats and change nothing but the state of the generator
DRAWS = frozenset({
    "beta", "binomial", "bytes", "chisquare", "choice", "dirichlet", "exponential", "f", "gamma",
    "geometric", "gumbel", "hypergeometric", "integers", "laplace", "logistic", "lognormal",
    "logseries", "multinomial", "multivariate_normal", "negative_binomial", "noncentral_chisquare",
    "noncentral_f", "normal", "pareto", "permutation", "permuted", "poisson", "power", "rand",
    "randint", "randn", "random", "random_sample", "rayleigh", "standard_cauchy",
    "standard_exponential", "standard_gamma", "standard_normal", "standard_t", "triangular",
    "uniform", "vonmises", "wald", "weibull", "zipf",
})  # fmt: skip
GENERATORS = (np.random.Generator, np.random.RandomState)


class TraceGenerator:
    """A generator of a running trace. Its draws are noted."""

    def __init__(self, real: Any, name: str, trace: Any) -> None:
        self._real, self._trace = real, trace
        self._value = Value("generator", name, real)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """The type of the generator, for `isinstance`."""
        return type(self._real)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if self._trace.closed:
            return found
        if name not in DRAWS:
            raise self._trace.fail(f"it uses {name} of a generator of random numbers")

        def draw(*args: Any, **settings: Any) -> Any:
            return self._trace.draw(self, Method(name), args, settings)

        return draw


def state_of(generator: Any) -> Any:
    """The state of a generator, which a program restores if it stops after a draw."""
    if isinstance(generator, np.random.Generator):
        return generator.bit_generator.state
    return generator.get_state(legacy=False)


def set_state(generator: Any, state: Any) -> None:
    """Set the state of a generator."""
    if isinstance(generator, np.random.Generator):
        generator.bit_generator.state = state
    else:
        generator.set_state(state)


__all__ = ["GENERATORS", "TraceGenerator", "set_state", "state_of"]
