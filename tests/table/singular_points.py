"""Where an operation has a kink, a tie or a pole, and the gradient that was chosen there.

docs/conventions.md says why. Differences tell nothing at such points, so the values stand here.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import erfcx, iv, jv, ndtr

import autograd_core as ac
import autograd_core.scipy.special
from autograd_core import functions
from autograd_core.ops.trigonometry import NEAR

NAN, INF = np.nan, np.inf


class Point(NamedTuple):
    """A call of an operation by name, and the gradient of each operand where ones times `arriving`
    arrive; `second`, where it is given, is that of the sum of all these gradients."""

    name: str
    operands: dict
    gradients: dict
    settings: dict = {}  # noqa: RUF012 - never written to
    arriving: float = 1.0
    second: dict = {}  # noqa: RUF012
    host: bool = False  # CuPy has no such function


def ties(name, x, gradient):
    return Point(name, {"x": x}, {"x": gradient}, {"axis": None, "keepdims": False})


def norm(ord):
    return {"ord": ord, "axis": None, "keepdims": False}


def sinc_slope(x):
    return (np.cos(np.pi * x) - np.sinc(x)) / x


POINTS = [
    Point("power", {"x": [0, 0, 2], "y": [2, 0, 0]}, {"x": [0, 0, 0], "y": [0, 0, np.log(2)]}),
    Point("float_power", {"x": [0, 2, 0], "y": [0, 1, 2]},
          {"x": [0, 1, 0], "y": [0, 2 * np.log(2), 0]}),
    Point("hypot", {"x": [0, 0], "y": [0, 2]}, {"x": [0, 0], "y": [0, 1]}),
    Point("copysign", {"x": [0, 1, -2], "y": [1, -1, -1]}, {"x": [0, -1, 1]}),
    Point("fabs", {"x": [0, -2]}, {"x": [0, -1]}),
    Point("absolute", {"x": [0, -2]}, {"x": [0, -1]}),
    Point("maximum", {"x": [1, 2], "y": [1, 1]}, {"x": [0.5, 1], "y": [0.5, 0]}),
    Point("minimum", {"x": [1, 2], "y": [1, 1]}, {"x": [0.5, 0], "y": [0.5, 1]}),
    Point("fmax", {"x": [NAN, 1, 2], "y": [1, NAN, 2]}, {"x": [0, 1, 0.5], "y": [1, 0, 0.5]}),
    Point("fmin", {"x": [NAN, 1, 2], "y": [1, NAN, 2]}, {"x": [0, 1, 0.5], "y": [1, 0, 0.5]}),
    ties("max", [1, 1, 0], [0.5, 0.5, 0]),
    ties("min", [1, 1, 0], [0, 0, 1]),
    ties("min", [1, 0, 0], [0, 0.5, 0.5]),
    ties("nanmax", [1, 1, NAN], [0.5, 0.5, 0]),
    ties("nanmin", [2, 1, NAN, 1], [0, 0.5, 0, 0.5]),
    Point("maximum", {"x": [NAN, 1], "y": [0, NAN]}, {"x": [NAN, NAN], "y": [NAN, NAN]}),
    Point("minimum", {"x": [NAN, 1], "y": [0, NAN]}, {"x": [NAN, NAN], "y": [NAN, NAN]}),
    ties("max", [1, NAN], [NAN, NAN]),
    ties("min", [1, NAN], [NAN, NAN]),
    Point("sinc", {"x": [2.0**40]}, {"x": [2.0**-40]}),
    Point("power", {"x": [2.0], "y": [-1.0]}, {"x": [-0.25], "y": [np.log(2) / 2]}),
    Point("power", {"x": [0, 0, 2]}, {"x": [INF, INF, 0.5**1.5]}, {"y": 0.5}),
    Point("power", {"x": [0, 2]}, {"x": [0, 0]}, {"y": 0}),
    Point("power", {"x": [0.0], "y": [0.0]}, {"x": [0], "y": [0]}, arriving=-1.0),
    Point("power", {"x": [2.0], "y": [0.0]}, {"x": [0], "y": [np.log(2)]},
          second={"x": [0.5], "y": [0.5 + np.log(2) ** 2]}),
    Point("softmax", {"x": [40.0, 0.0]}, {"x": [0, 0]}, {"axis": -1}),
    Point("scipy.special.log_ndtr", {"x": [-20.0, 3.0]},
          {"x": [np.sqrt(2 / np.pi) / erfcx(20 / np.sqrt(2)),
                 np.exp(-4.5) / np.sqrt(2 * np.pi) / ndtr(3.0)]}),
    Point("_settled", {"x": [INF, -INF, 1]}, {"x": [0, 0, 1]}),
    Point("scipy.gaussian._gauss", {"x": [INF, -INF, 0]}, {"x": [0, 0, 0]},
          {"width": 1.0, "factor": 1.0}),
    Point("relu", {"x": [0, -1, 1]}, {"x": [0, 0, 1]}),
    Point("sqrt", {"x": [0, 4]}, {"x": [INF, 0.25]}),
    Point("sinc", {"x": [0, 0.5]}, {"x": [0, -4 / np.pi]}),
    Point("sinc", {"x": [0.99 * NEAR]}, {"x": [sinc_slope(0.99 * NEAR)]}),
    Point("angle", {"x": [0j, 1, 1j]}, {"x": [0, -1j, -1]}, {"deg": False}),
    Point("nan_to_num", {"x": [NAN, 1]}, {"x": [0, 1]}),
    Point("nan_to_num", {"x": [complex(NAN, 1), complex(1, INF)]}, {"x": [1j, 1]}),
    Point("assign", {"x": [1, 2, 3], "value": 5}, {"x": [0, 1, 0], "value": 2},
          {"index": [0, 0, 2]}),
    Point("linalg._power_norm", {"x": [0, 1]}, {"x": [0, 1]}, norm(0.5)),
    Point("linalg._power_norm", {"x": [0j, 3j]}, {"x": [0, -1j]}, norm(3)),
    Point("linalg._power_norm", {"x": [0, 0]}, {"x": [0, 0]}, norm(3)),
    Point("cumprod", {"x": 3.0}, {"x": 1}, {"axis": 0}),
    Point("scipy.special.j1", {"x": [0, 0.009]}, {"x": [0.5, (jv(0, 0.009) - jv(2, 0.009)) / 2]}),
    Point("scipy.special.i1", {"x": [0, 0.009]}, {"x": [0.5, (iv(0, 0.009) + iv(2, 0.009)) / 2]}),
    Point("scipy.special.y1", {"x": [0.0]}, {"x": [INF]}),
    Point("scipy.special.yn", {"x": [0.0]}, {"x": [INF]}, {"n": 1}),
    Point("scipy.special.yv", {"x": [0.0]}, {"x": [INF]}, {"v": 1.0}, host=True),
    Point("linalg.expm", {"x": np.diag([1.0, -1.0])},
          {"x": 1e200 * np.array([[np.e, np.sinh(1)], [np.sinh(1), 1 / np.e]])}, arriving=1e200),
    Point("linalg.svdvals", {"x": np.eye(2)}, {"x": np.eye(2)}, second={"x": np.zeros((2, 2))}),
    Point("scipy.special.xlogy", {"x": [0, 0, 2], "y": [0, 3, 0]}, {"y": [0, 0, INF]}),
    Point("scipy.special.xlog1py", {"x": [0, 0, 2], "y": [-1, 3, -1]}, {"y": [0, 0, INF]}),
]  # fmt: skip


def floating(x):
    return np.asarray(x, complex if np.iscomplexobj(x) else float)


def check_point(point, device):
    tensors = {
        name: ac.Tensor(device.array(floating(x)), requires_grad=name in point.gradients)
        for name, x in point.operands.items()
    }
    with np.errstate(all="ignore"):
        out = functions[point.name](**tensors, **point.settings)
        ones = np.ones(out.shape) * (1 + 1j if out.dtype.kind == "c" else 1) * point.arriving
        inputs = [tensors[name] for name in point.gradients]
        found = ac.gradients(
            out, inputs, grad_outputs=device.array(ones), create_graph=bool(point.second)
        )
        again = []
        if point.second:
            again = ac.gradients(sum(ac.sum(g) for g in found), inputs)
    for expected, got in ((point.gradients, found), (point.second, again)):
        for name, g in zip(expected, got, strict=True):
            np.testing.assert_allclose(device.numpy(g), expected[name], rtol=1e-13, atol=1e-15)
