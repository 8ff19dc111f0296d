"""The thresholds of findings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from autograd_core.errors import ArgumentError


@dataclass(frozen=True)
class Thresholds:
    """From where on a measurement is a finding. Shares are between 0 and 1.

    Parameters
    ----------
    far : float, default 10000.0
        The factor between the gradients of the first and the last layer, from which gradients are
        "vanishing" or "exploding".
    far_in_time : float, default 10000000000.0
        The same factor between the first and the last step of an unrolled loop.
    dead : float, default 0.5
        The share of the units of a ReLU, GELU or SiLU that give nothing for any example. The
        standard deviation of such a share of n units, 1 / (2 √n), is added.
    few_dead : float, default 0.55
        The same as `dead`, for batches below 32 examples.
    negative : float, default 0.9
        The share of units of a leaky activation with negative inputs only.
    saturated : float, default 0.75
        The share of the values of a sigmoid or tanh in its flat range.
    stuck_outputs : float, default 0.2
        The same as `saturated`, for outputs that are far from their targets.
    stuck : float, default 0.9
        The same as `saturated`, for the gates of an LSTM, a GRU or a GLU.
    one_hot : float, default 0.9
        The share of the rows of an attention with one weight above 0.99.
    constant : float, default 0.5
        The share of the rows or channels that a normalisation cannot bring to a variance (RMSNorm:
        a mean square) above 1/2.
    chance : float, default 3.0
        The factor by which the cross-entropy exceeds that of equal probabilities.
    wrong : float, default 0.5
        The distance from the target, relative to the range of the activation, at which a saturated
        output is a fault.

    Examples
    --------
    >>> import autograd_core as ac
    >>> from autograd_core.rendering import Thresholds, record_flow
    >>> x = ac.Tensor([1.0, 2.0, -3.0, -4.0], requires_grad=True)
    >>> with record_flow(thresholds=Thresholds(dead=0.2)) as flow:
    ...     ac.relu(x).sum().backward()
    >>> flow.thresholds.dead
    0.2
    """

    far: float = 1e4
    far_in_time: float = 1e10
    dead: float = 0.5
    few_dead: float = 0.55
    negative: float = 0.9
    saturated: float = 0.75
    stuck_outputs: float = 0.2
    stuck: float = 0.9
    one_hot: float = 0.9
    constant: float = 0.5
    chance: float = 3.0
    wrong: float = 0.5


def thresholds_of(given: Thresholds | Mapping[str, float] | None) -> Thresholds:
    """Thresholds from a mapping of names to numbers; the others are the defaults."""
    if given is None or isinstance(given, Thresholds):
        return given or Thresholds()
    if not isinstance(given, Mapping):
        raise ArgumentError(
            f"thresholds must be Thresholds(…) or map names to numbers, not {given!r:.40}"
        )
    known = {field.name for field in fields(Thresholds)}
    unknown = sorted(given.keys() - known)
    if unknown:
        raise ArgumentError(f"thresholds: unknown {unknown}; known are {sorted(known)}")
    for name, value in given.items():
        if not isinstance(value, int | float) or not 0 <= value < math.inf:
            raise ArgumentError(
                f"thresholds: {name} must be a number, 0 or more, not {value!r:.40}"
            )
    changes: dict[str, Any] = {name: float(value) for name, value in given.items()}
    return replace(Thresholds(), **changes)
