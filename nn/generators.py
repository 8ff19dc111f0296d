"""The states of random number generators, as plain data."""

from __future__ import annotations

import copy
import random
from collections.abc import Mapping
from typing import Any

import numpy as np

from nn.module import Module


def state_of(generator: Any) -> Any:
    """The state of a generator of NumPy or of `random`, as dicts, tuples, numbers and arrays."""
    if isinstance(generator, random.Random):
        return generator.getstate()
    if isinstance(generator, np.random.RandomState):
        return generator.get_state(legacy=False)
    return copy.deepcopy(generator.bit_generator.state)


def set_state(generator: Any, state: Any) -> None:
    """Restore what `state_of` returned."""
    if isinstance(generator, random.Random):
        generator.setstate(state)
    elif isinstance(generator, np.random.RandomState):
        generator.set_state(state)
    else:
        generator.bit_generator.state = state


def with_state(generator: Any, state: Any) -> Any:
    """A copy of a generator, in the state `state`."""
    made = copy.deepcopy(generator)
    set_state(made, state)
    return made


def is_generator(value: Any) -> bool:
    """True for a generator whose state can be saved."""
    return isinstance(value, np.random.Generator | np.random.RandomState | random.Random)


def generators_of(model: Module | None, others: Mapping[str, Any]) -> dict[str, Any]:
    """Generators by name: the attributes of the modules of `model`, those of `others`, and the
    global ones of `random` and ``np.random``."""
    found = {"random": random.random.__self__, "numpy.random": np.random.random.__self__}  # type: ignore[attr-defined]
    for path, module in model.named_modules() if model is not None else ():
        for name, value in vars(module).items():
            if is_generator(value):
                found[f"model.{path}.{name}" if path else f"model.{name}"] = value
    return found | {name: value for name, value in others.items() if is_generator(value)}
