"""Probability densities under SciPy's names: ``stats.norm.logpdf(x, loc, scale)``.

Each is composed of operations, so it has derivatives of any order in x and in every parameter with
a derivative in closed form; cumulative distributions of the gamma and beta families have none in
their shape parameters, and raise in the backward pass.
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
