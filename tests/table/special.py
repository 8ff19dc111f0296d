"""Rows: special functions of SciPy."""

from dataclasses import replace

import numpy as np
import scipy.special
from hypothesis import strategies as st

from autograd_core.scipy import special  # noqa: F401 - declares what is tested here
from autograd_core.testing.strategies import between, one_axis, signed
from tests.table.cases import Case, elementwise, settled, values
from tests.table.row import Row, anything, binary, positive, reduction


def of(name):
    return getattr(scipy.special, name)


def ordered(name, domain=positive, **settings):
    """An order, which has no gradient, and x."""
    operands = {name: lambda rng, shape: rng.integers(0, 4, shape).astype(float), "x": domain}
    return elementwise(**operands).map(lambda case: replace(case, settings=settings))


def parameters(names, domain):
    """Parameters without a gradient, and x."""
    return elementwise(**dict.fromkeys(names, positive), x=domain)


def an_axis(shape):
    return one_axis(shape) if shape else st.none()


@st.composite
def weighted(draw):
    case = draw(reduction(anything, an_axis, least_side=1))
    (x,) = case.arrays
    (b,) = values(draw, draw(st.sampled_from([x.shape, ()])), domain=between(0.5, 2))
    return Case(("x", "b"), (x, b), case.settings)


def plain_logsumexp(x, axis, keepdims, b=1):
    return np.log(np.sum(b * np.exp(x), axis=axis, keepdims=keepdims))


unit = between(0.3, 0.7)
inner = between(-0.6, 0.6)
UNARY = {
    "erf": (anything, "x"), "erfc": (anything, "x"), "erfcx": (anything, "x"),
    "erfinv": (inner, "out"), "erfcinv": (between(0.2, 1.8), "x out"),
    "ndtr": (anything, "x"), "log_ndtr": (anything, "x out"), "ndtri": (unit, "x out"),
    "gamma": (positive, "x out"), "gammaln": (positive, "x"), "rgamma": (positive, "x out"),
    "psi": (positive, "x"), "j0": (anything, "x"), "j1": (signed(0.05, 2.5), "x out"),
    "y0": (positive, "x"), "y1": (positive, "x out"), "i0": (anything, "x"),
    "i1": (signed(0.05, 2.5), "x out"), "i0e": (signed(0.05, 2.5), "x"),
    "i1e": (signed(0.05, 2.5), "x"), "k0": (positive, "x"), "k1": (positive, "x out"),
    "expit": (anything, "x"), "log_expit": (anything, "x"), "logit": (unit, "x"),
    "entr": (positive, "x"),
}  # fmt: skip
BINARY = {
    "beta": ("x y out", "x y out"), "betaln": ("x y", "x y"), "xlogy": ("y", "x y"),
    "xlog1py": ("y", "x y"), "rel_entr": ("x y", "x y"), "kl_div": ("x y", "x y"),
}  # fmt: skip


SPECIAL = [
    *(
        Row(f"scipy.special.{name}", settled(domain), {"x": tuple(keeps.split())}, of(name),
            half=False)
        for name, (domain, keeps) in UNARY.items()
    ),
    *(
        Row(f"scipy.special.{name}", binary(positive),
            {"x": tuple(x.split()), "y": tuple(y.split())}, of(name), half=False)
        for name, (x, y) in BINARY.items()
    ),
    Row("scipy.special.gammasgn", settled(signed(0.2, 0.8)), {}, of("gammasgn"), half=False),
    Row("scipy.special.polygamma", settled(positive, n=lambda _: st.integers(0, 3)),
        {"x": ("n", "x")}, lambda x, n: of("polygamma")(n, x).astype(x.dtype), half=False,
        call=lambda function, x, n: function(n=n, x=x)),
    Row("scipy.special.multigammaln", settled(between(2, 4), d=lambda _: st.integers(1, 3)),
        {"x": ()}, lambda a, d: of("multigammaln")(a, d).astype(a.dtype), half=False),
    Row("scipy.special.gammainc", parameters("a", positive), {"x": ("a", "x")}, of("gammainc"),
        half=False, refused=("a",)),
    Row("scipy.special.gammaincc", parameters("a", positive), {"x": ("a", "x")}, of("gammaincc"),
        half=False, refused=("a",)),
    Row("scipy.special.betainc", parameters("ab", unit), {"x": ("a", "b", "x")}, of("betainc"),
        half=False, refused=("a", "b")),
    *(
        Row(f"scipy.special.{name}", ordered(keeps[0]), {"x": keeps}, of(name), half=False,
            host=True, refused=keeps[:1])
        for name, keeps in {"jv": ("v", "x"), "yv": ("v", "x"), "iv": ("v", "x"),
                            "ive": ("v", "x"), "kv": ("v", "x")}.items()
    ),
    Row("scipy.bessel._ive_far", ordered("v", between(30, 40), order=0),
        {"x": ("v", "x", "order")}, lambda v, x, order: of("ive")(v, x), half=False,
        refused=("v",)),
    Row("scipy.gaussian._gauss", settled(anything, width=lambda _: st.just(0.5),
        factor=lambda _: st.just(2.0)), {"x": ("x", "width", "factor")},
        lambda x, width, factor: factor * np.exp(-width * x * x), half=False),
    Row("scipy.special._log_ratio", binary(positive, positive), {"x": ("x",), "y": ("y",)},
        lambda x, y: np.log(x / y)),
    Row("scipy.gaussian._erfcx_moment", settled(between(-1, 4), order=lambda _: st.just(0)),
        {"x": ("x", "order")}, lambda x, order: of("erfcx")(x) * np.sqrt(np.pi).astype(x.dtype) / 2,
        half=False),
    Row("scipy.gaussian._erfcinv_slope", settled(between(0.6, 0.9)), {"x": ("x", "out")},
        lambda x: -np.sqrt(np.pi).astype(x.dtype) / 2 * np.exp(of("erfcinv")(x) ** 2), half=False),
    Row("scipy.gaussian._ndtri_slope", settled(between(0.4, 0.48)), {"x": ("x", "out")},
        lambda x: np.sqrt(2 * np.pi).astype(x.dtype) * np.exp(of("ndtri")(x) ** 2 / 2), half=False),
    Row("scipy.special.yn", ordered("n"), {"x": ("n", "x")}, of("yn"), half=False, host=True,
        refused=("n",)),
    Row("scipy.special.stdtr", parameters(("df",), anything), {"x": ("df", "x")}, of("stdtr"),
        half=False, host=True, refused=("df",)),
    Row("i0", settled(anything), {"x": ()}, lambda x: np.i0(x).astype(x.dtype), half=False),
    Row("scipy.special.logsumexp", reduction(anything, an_axis, least_side=1), {"x": ()},
        plain_logsumexp, half=False, never=("empty",)),
    Row("scipy.special.logsumexp", weighted(), {"x": (), "b": ()}, plain_logsumexp, half=False,
        variant="weighted", call=lambda function, x, b, **settings: function(x, b=b, **settings),
        never=("empty",)),
    *(
        Row(f"scipy.special.{name}", settled(anything, least_side=1), {"x": ()}, of(name),
            half=False, never=("empty",))
        for name in ("softmax", "log_softmax")
    ),
]  # fmt: skip
