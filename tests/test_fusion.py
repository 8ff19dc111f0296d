"""Elementwise chains as one launch: what is written equals the NumPy form, and compiles."""

import numpy as np
import pytest

from autograd_core.fusion import PREAMBLE, Fused
from autograd_core.op import operations

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
IN_PYTHON = {name: getattr(np, name) for name in SAME_NAMES} | {
    "select": np.where,
    "larger": np.maximum,
    "smaller": np.minimum,
    "pow": np.power,
}


def test_the_chains_that_matter_are_written():
    assert {"sigmoid", "softplus", "sigmoid.x", "tanh.x", "divide.y", "power.x"} <= set(WRITTEN)
    assert CHAINS["multiply.x"].expression is None, "a single step needs no kernel of its own"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", WRITTEN)
def test_the_expression_equals_the_numpy_form(name, dtype):
    chain = WRITTEN[name]
    generator = np.random.default_rng(3)
    operands = [generator.uniform(0.2, 2.0, (4, 3)).astype(dtype) for _ in chain.names]
    values = dict(zip(chain.names, operands, strict=True))
    with np.errstate(invalid="ignore"):  # half of the operands lie outside arcsin's domain
        expected = chain.function(*operands)
        computed = eval(chain.expression, IN_PYTHON | values | {"T": dtype})
    assert np.isfinite(expected).any()
    assert computed.dtype == expected.dtype == dtype
    np.testing.assert_allclose(computed, expected, rtol=4 * np.finfo(dtype).eps)


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
    program = nvrtc.createProgram(source, "chain.cu", (), ())
    try:
        nvrtc.compileProgram(program, ("--gpu-architecture=compute_75",))
    except nvrtc.NVRTCError:
        pytest.fail(nvrtc.getProgramLog(program))
    assert nvrtc.getPTX(program)
