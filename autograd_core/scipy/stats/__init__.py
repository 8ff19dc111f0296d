"""Probability densities under SciPy's names: ``stats.norm.logpdf(x, loc, scale)``.

Each is made of operations, so it has derivatives of any order in x and in every parameter for which
there is one in closed form; cumulative distributions of the gamma and beta family have none in
their shape parameters, and say so in the backward pass.
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
