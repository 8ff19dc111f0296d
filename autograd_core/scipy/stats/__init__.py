"""Probability densities under SciPy's names: ``stats.norm.logpdf(x, loc, scale)``.

Each function is composed of operations, so it has derivatives of any order with respect to x and to
every parameter for which the derivative has a closed form. For the cumulative distributions of the
gamma and beta families, the derivatives with respect to the shape parameters have no closed form;
the backward pass raises NotDifferentiableError.
"""

from autograd_core.scipy.passing import passed_through
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

__getattr__ = passed_through("scipy.stats")
