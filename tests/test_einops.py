"""einops on Tensors: by its functions for standard arrays, and by its own after one import."""

import importlib

import numpy as np
import pytest

import autograd_core as ac

einops = pytest.importorskip("einops", reason="needs einops: pip install -e '.[test]'")
importlib.import_module("autograd_core.einops")
importlib.import_module("einops.array_api")

PATTERNS = [
    ("rearrange", "b h w -> (b h) w", {}),
    ("rearrange", "b (h two) w -> two b w h", {"two": 3}),
    ("reduce", "b h w -> b w", {"reduction": "mean"}),
    ("reduce", "b (h two) w -> b h w", {"reduction": "max", "two": 3}),
    ("repeat", "b h w -> b (h two) w", {"two": 2}),
]


@pytest.mark.parametrize("through", ["einops.array_api", "einops"])
@pytest.mark.parametrize(("name", "pattern", "settings"), PATTERNS)
def test_a_tensor_goes_through_with_its_gradient(name, pattern, settings, through):
    owner = einops.array_api if through == "einops.array_api" else einops
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    tensor = ac.Tensor(x, requires_grad=True)
    out = getattr(owner, name)(tensor, pattern, **settings)
    expected = getattr(einops, name)(x, pattern, **settings)
    np.testing.assert_allclose(out.detach().numpy(), expected)
    out.sum().backward()
    share = {"mean": 1 / 3, "max": None}.get(settings.get("reduction"), out.size / x.size)
    if share is None:
        np.testing.assert_array_equal(tensor.grad.numpy(), x == x.max(1, keepdims=True))
    else:
        np.testing.assert_allclose(tensor.grad.numpy(), share)


def test_einsum_and_packing():

    x = ac.Tensor(np.ones((2, 3)), requires_grad=True)
    assert einops.einsum(x, x, "a b, c b -> a c").shape == (2, 2)
    packed, shapes = einops.pack([x, x * 2], "* b")
    assert packed.shape == (4, 3)
    assert [part.shape for part in einops.unpack(packed, shapes, "* b")] == [(2, 3), (2, 3)]
    packed.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.full((2, 3), 3.0))
