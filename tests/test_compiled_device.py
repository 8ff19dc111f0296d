"""Compiled functions on a device: the same programs, with fewer launches."""

import re

import numpy as np
import pytest

import autograd_core as ac
from autograd_core.compiling import Compiled
from autograd_core.devices import backend
from autograd_core.devices.fusion import PREAMBLE
from tests.stand_in import cuda
from tests.test_compiled_training import network
from tests.test_fusion import assert_compiles

__all__ = ["cuda"]
RNG = np.random.default_rng(0)


def host(tensor):
    return tensor.detach().cpu().numpy() if isinstance(tensor, ac.Tensor) else tensor.get()


def close(found, expected):
    """Equal but for rounding: the stand-in gives results other memory orders at random, and with
    them other orders of summation."""
    np.testing.assert_allclose(host(found), host(expected), rtol=1e-11, atol=1e-14)


def training(momentum):
    model, _, step = network(False, momentum)
    model.to("cuda")
    return model, step


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_a_training_step(cuda, momentum):
    launches = {"plain": 0, "compiled": 0}
    for _ in range(5):  # memory orders are random, and with them copies
        (plain, plain_step), (model, step) = training(momentum), training(momentum)
        compiled = Compiled(step)
        for i in range(8):
            x, y = cuda.asarray(RNG.normal(size=(7, 6))), cuda.asarray(RNG.uniform(size=(7, 3)))
            for name, run in (("plain", plain_step), ("compiled", compiled)):
                with cuda.counting() as counts:
                    loss = run(x, y)
                launches[name] += counts.launches * (i > 2)
                assert loss.device == "cuda:0"
            for p, q in zip(model.parameters(), plain.parameters(), strict=True):
                close(p, q)
                close(p.grad, q.grad)
        assert not compiled.plain
        assert "cp.ElementwiseKernel" in compiled.source
    assert launches["compiled"] <= 0.75 * launches["plain"]


def test_derivatives(cuda):
    w = cuda.asarray(RNG.normal(size=(4, 3)))

    def loss(x):
        return ac.sum(ac.tanh(x @ w) ** 2 * ac.exp(-x[:, :3]))

    for plain in (ac.grad(loss), ac.hessian(loss), lambda x: ac.hvp(loss)(x, x * 2)):
        compiled = Compiled(plain)
        for _ in range(3):
            x = cuda.asarray(RNG.normal(size=(5, 4)))
            close(compiled(x), plain(x))
        assert not compiled.plain, compiled.plain


def test_decisions_and_replaced_arrays(cuda):
    held = {"w": cuda.asarray(np.ones(3))}

    def f(x):
        return x * held["w"] if (x * 2).sum() > 0 else x - held["w"] * 3

    compiled = Compiled(f)
    for i in range(4):
        x = cuda.asarray(RNG.normal(size=3))
        close(compiled(x), f(x))
        close(compiled(-x), f(-x))
        held["w"] = cuda.asarray(np.full(3, i + 2.0))
    assert len(compiled.programs) == 2


def test_arrays_on_another_device_or_on_the_host_have_programs_of_their_own(cuda):
    compiled = Compiled(lambda x: x * 2 + 1)
    x = np.ones(3)
    for _ in range(2):
        close(compiled(cuda.asarray(x)), cuda.asarray(x * 2 + 1))
        assert compiled(x).tobytes() == (x * 2 + 1).tobytes()
    assert len(compiled.programs) == 2


def test_arrays_that_a_function_makes_on_a_device_are_not_frozen(cuda):
    """Those of this library depend on what is compared; those of CuPy may be random."""
    counter = []
    by_cupy = Compiled(
        lambda x: x + backend.device_module().asarray(np.full(3, float(len(counter))))
    )
    by_us = Compiled(lambda x: x + ac.full(3, float(len(counter)), device="cuda"))
    with pytest.warns(ac.AutogradWarning, match="not followed"):
        by_cupy(cuda.asarray(np.zeros(3)))
    by_us(cuda.asarray(np.zeros(3)))
    assert by_us.programs
    counter.append(1)
    for compiled in (by_cupy, by_us):
        assert host(compiled(cuda.asarray(np.zeros(3)))).tolist() == [1, 1, 1]


def test_a_program_on_a_device_is_not_saved(cuda, tmp_path):
    compiled = Compiled(lambda x: ac.sin(x) * 2 + x)
    compiled(cuda.asarray(np.ones(3)))
    with pytest.raises(ac.AutogradError, match="on a device"):
        compiled.save(tmp_path / "step.py")


@pytest.mark.oracle
@pytest.mark.parametrize("dtype", ["float", "double"])
def test_its_kernels_compile(cuda, dtype):
    nvrtc = pytest.importorskip("cupy", reason="needs CuPy: pip install -e '.[oracles]'").cuda.nvrtc
    _, step = training(0.9)
    compiled = Compiled(step)
    for _ in range(3):
        compiled(cuda.asarray(RNG.normal(size=(7, 6))), cuda.asarray(RNG.uniform(size=(7, 3))))
    kernels = re.findall(r'ElementwiseKernel\("(.*?)", "(.*?)", "(.*?)"', compiled.source)
    assert len(kernels) >= 6
    for given, results, body in kernels:
        names = [name.split()[1] for name in f"{given}, {results}".split(", ")]
        source = (
            f"{PREAMBLE}\ntypedef {dtype} T;\n"
            f'extern "C" __global__ void chain({", ".join(f"T* {n}_" for n in names)}) {{'
            f"int i = threadIdx.x; {' '.join(f'T {n} = {n}_[i];' for n in names)} {body}; "
            f"{' '.join(f'{n}_[i] = {n};' for n in names)} }}"
        )
        assert_compiles(nvrtc, source)


def test_arrays_made_inside_are_constants(cuda):
    def f(x):
        mask = ac.tri(3, dtype=bool, device="cuda")
        return ac.where(mask, x, 0) + ac.asarray(np.arange(3.0), device="cuda") + ac.ones(3)

    compiled = Compiled(f)
    with ac.device("cuda"):
        for scale in (1.0, 2.0):
            x = ac.Tensor(scale * np.ones((3, 3)))
            close(compiled(x), f(x))
    assert compiled.programs
