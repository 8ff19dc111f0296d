"""The beta distribution."""

from __future__ import annotations

from typing import Any

from autograd_core.op import composed
from autograd_core.ops.elementwise import exp, log, where
from autograd_core.scipy.special import betainc, betaln, xlog1py, xlogy
from autograd_core.scipy.stats.support import log_scale, parameter, standard, within

__all__ = ["cdf", "logcdf", "logpdf", "pdf"]


@composed
def logpdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of the density with the shapes `a` and `b`; -inf outside of 0 to 1 (in units of
    `scale` from `loc`)."""
    x = standard(x, loc, scale)
    a, b = parameter(a, x), parameter(b, x)
    return within(
        (x >= 0) & (x <= 1),
        x,
        lambda x: xlogy(a - 1, x) + xlog1py(b - 1, -x) - betaln(a, b) - log_scale(scale),
    )


@composed
def pdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density."""
    return exp(logpdf(x, a, b, loc, scale))


@composed
def cdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The probability of less than x. No gradient in `a` and `b`."""
    x = standard(x, loc, scale)
    a, b = parameter(a, x), parameter(b, x)
    inner = within((x > 0) & (x < 1), x, lambda x: betainc(a, b, x), 0)
    return where(x >= 1, 1, inner)


@composed
def logcdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `cdf`."""
    return log(cdf(x, a, b, loc, scale))
