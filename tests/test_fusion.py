"""Elementwise chains as one launch: what is written equals the NumPy form, and compiles."""

import ctypes
import shutil
import subprocess

import numpy as np
import pytest

import autograd_core as ac
from autograd_core import operations
from autograd_core.devices.fusion import PREAMBLE, Fused

CHAINS = {
    f"{name}.{operand}": rule.on_device
    for name, declared in operations.items()
    if declared.pointwise
    for operand, rule in declared.rules.items()
} | {
    name: Fused(declared.kernel)
    for name, declared in operations.items()
    if declared.pointwise and hasattr(declared.kernel, "__code__")
}
WRITTEN = {name: chain for name, chain in CHAINS.items() if chain.expression is not None}

SAME_NAMES = ["abs", "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tanh", "tan", "sinh",
              "cosh", "exp2", "log2", "log10", "cbrt", "hypot", "copysign", "floor", "ceil",
              "trunc", "rint", "sign"]  # fmt: skip
# What is a slope at x and is given the value there, too, may compute with either.
RESULTS = {
    "sigmoid.x": ("out", ac.sigmoid),
    "tanh.x": ("out", ac.tanh),
    "scipy.special.expit.x": ("out", ac.sigmoid),
    "_sigmoid_slope": ("value", ac.sigmoid),
    "_tanh_slope": ("value", ac.tanh),
}
IN_PYTHON = {name: getattr(np, name) for name in SAME_NAMES} | {
    "select": np.where,
    "larger": np.maximum,
    "smaller": np.minimum,
    "pow": np.power,
}


def with_results(name, operands):
    """Operands of a chain, where one is the function's value at another with that value."""
    names = WRITTEN[name].names
    named = dict(zip(names, operands, strict=True))
    if name in RESULTS:
        result, function = RESULTS[name]
        named[result] = function(named["x"])
    return [named[operand] for operand in names]


def bound(name, eps):
    """The relative error of a chain's two forms: of one formula, or of two that agree as far as the
    value has digits."""
    return 64 * eps if name in RESULTS else 4 * eps


def test_the_chains_that_matter_are_written():
    assert {"sigmoid", "softplus", "sigmoid.x", "tanh.x", "divide.y", "power.x"} <= set(WRITTEN)
    assert CHAINS["multiply.x"].expression is None, "a single step needs no kernel of its own"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", WRITTEN)
def test_the_expression_equals_the_numpy_form(name, dtype):
    chain = WRITTEN[name]
    generator = np.random.default_rng(3)
    operands = [generator.uniform(0.2, 2.0, (4, 3)).astype(dtype) for _ in chain.names]
    operands = with_results(name, operands)
    values = dict(zip(chain.names, operands, strict=True))
    with np.errstate(invalid="ignore"):  # half of the operands lie outside arcsin's domain
        expected = chain.function(*operands)
        computed = eval(chain.expression, IN_PYTHON | values | {"T": dtype})
    assert np.isfinite(expected).any()
    assert computed.dtype == expected.dtype == dtype
    np.testing.assert_allclose(computed, expected, rtol=bound(name, np.finfo(dtype).eps))


def assert_compiles(nvrtc, source):
    """NVRTC, which needs no GPU, accepts a kernel."""
    program = nvrtc.createProgram(source, "chain.cu", (), ())
    try:
        nvrtc.compileProgram(program, ("--gpu-architecture=compute_75",))
    except nvrtc.NVRTCError:
        pytest.fail(nvrtc.getProgramLog(program))
    assert nvrtc.getPTX(program)


@pytest.mark.oracle
@pytest.mark.parametrize("dtype", ["float", "double"])
@pytest.mark.parametrize("name", WRITTEN)
def test_the_expression_compiles(name, dtype):
    cupy = pytest.importorskip("cupy", reason="needs CuPy: pip install -e '.[oracles]'")
    nvrtc = cupy.cuda.nvrtc
    chain = WRITTEN[name]
    arguments = ", ".join(f"const T* {n}_" for n in chain.names)
    values = " ".join(f"T {n} = {n}_[i];" for n in chain.names)
    source = (
        f"{PREAMBLE}\ntypedef {dtype} T;\n"
        f'extern "C" __global__ void chain({arguments}, T* result_, int n) {{'
        f"int i = blockIdx.x * blockDim.x + threadIdx.x; if (i < n) {{ {values}"
        f"T result; result = {chain.expression}; result_[i] = result; }} }}"
    )
    assert_compiles(nvrtc, source)


# ---- what the C++ says, run on the host ----------------------------------------------------------

VALUES = [-np.inf, -2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.0, np.inf, np.nan]
HELPERS = {
    "select": ("select(x > T(0), x, y)", lambda x, y: np.where(x > 0, x, y)),
    "sign": ("sign(x)", lambda x, y: np.sign(x)),
    "larger": ("larger(x, y)", np.maximum),
    "smaller": ("smaller(x, y)", np.minimum),
}


def source(name, names, expression, kind):
    arguments = ", ".join(f"const T* {n}_" for n in names)
    values = " ".join(f"T {n} = {n}_[i];" for n in names)
    return (
        (
            f'extern "C" void {name}({arguments}, T* result_, long n) {{ typedef {kind} T;'
            f" for (long i = 0; i < n; i++) {{ {values} result_[i] = {expression}; }} }}\n"
        )
        .replace("const T*", f"const {kind}*")
        .replace("T* result_", f"{kind}* result_")
    )


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """Every expression, and the preamble's functions, as the host's compiler understands them."""
    compiler = shutil.which("g++") or shutil.which("c++")
    if compiler is None:
        pytest.skip("needs a C++ compiler, g++ or c++, to run the expressions on the host")
    text = "#include <cmath>\nusing namespace std;\n#define __device__\nnamespace {\n"
    text += PREAMBLE + "}\n"
    for dtype, kind in (("f4", "float"), ("f8", "double")):
        for place, chain in enumerate(WRITTEN.values()):
            text += source(f"chain_{place}_{dtype}", chain.names, chain.expression, kind)
        for name, (expression, _) in HELPERS.items():
            text += source(f"{name}_{dtype}", ("x", "y"), expression, kind)
    folder = tmp_path_factory.mktemp("chains")
    (folder / "chains.cpp").write_text(text)
    command = [compiler, "-O1", "-shared", "-fPIC", "-o", "chains.so", "chains.cpp"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return ctypes.CDLL(str(folder / "chains.so"))


def run(function, operands):
    out = np.empty_like(operands[0])
    pointers = [ctypes.c_void_p(x.ctypes.data) for x in (*operands, out)]
    function(*pointers, ctypes.c_long(out.size))
    return out


def grid(count, dtype):
    axes = np.meshgrid(*[np.array(VALUES, dtype)] * count, indexing="ij")
    return [np.ascontiguousarray(x.ravel()) for x in axes]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("name", HELPERS)
def test_the_preamble_means_what_numpy_means(name, dtype, compiled):
    x, y = grid(2, dtype)
    expected = HELPERS[name][1](x, y)
    np.testing.assert_array_equal(run(compiled[f"{name}_{dtype}"], [x, y]), expected)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_compiled_expression_equals_the_numpy_form(name, dtype, compiled):
    """Also at infinities, NaN, zeros of either sign and ties."""
    chain = WRITTEN[name]
    operands = with_results(name, grid(len(chain.names), dtype))
    place = list(WRITTEN).index(name)
    found = run(compiled[f"chain_{place}_{dtype}"], operands)
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(
        found, chain.function(*operands), rtol=2 * bound(name, eps), atol=4 * eps
    )
