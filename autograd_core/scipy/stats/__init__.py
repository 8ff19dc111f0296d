"""Probability densities under SciPy's names: ``stats.norm.logpdf(x, loc, scale)``.

Each is composed of operations, so it has derivatives of any order with respect to x and to every
parameter for which the derivative has a closed form. Cumulative distributions of the gamma and beta
families have none with respect to their shape parameters, and raise an error in the backward pass.
"""

from autograd_core.scipy.stats import (
    beta,
    chi2,
    dirichlet,
    gamma,
    multivariate_normal,
    norm,
    poisson,
    t,
)

__all__ = ["beta", "chi2", "dirichlet", "gamma", "multivariate_normal", "norm", "poisson", "t"]
