"""Attention: masks, caches, dropout, half precision, mistakes."""

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.compiling import Compiled
from autograd_core.errors import AutogradError, DTypeError, ShapeError
from tests.host import assert_close

pytestmark = pytest.mark.usefixtures("there")


def normal(*shape, seed=0, dtype=np.float64):
    return ac.Tensor(np.random.default_rng(seed).normal(size=shape).astype(dtype))


def by_hand(q, k, v, bias=0.0, scale=None):
    q, k, v = (x.cpu().numpy() for x in (q, k, v))
    scores = q @ k.swapaxes(-1, -2) * (scale or q.shape[-1] ** -0.5) + bias
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True) @ v


def test_the_formula():
    q, k, v = normal(2, 3, 4, 8), normal(2, 3, 5, 8, seed=1), normal(2, 3, 5, 6, seed=2)
    attend = nn.scaled_dot_product_attention
    kept = np.random.default_rng(3).random((4, 5)) > 0.4
    kept[:, 0] = True
    hidden = np.where(kept, 0.0, -np.inf)
    assert_close(attend(q, k, v), by_hand(q, k, v), rtol=1e-12)
    assert_close(attend(q, k, v, scale=2.0), by_hand(q, k, v, scale=2.0), rtol=1e-12)
    assert_close(attend(q, k, v, kept), by_hand(q, k, v, hidden), rtol=1e-12)
    assert_close(attend(q, k, v, hidden), by_hand(q, k, v, hidden), rtol=1e-12)
    causal = np.where(np.tri(4, 5, dtype=bool), 0.0, -np.inf)
    assert_close(attend(q, k, v, is_causal=True), by_hand(q, k, v, causal), rtol=1e-12)
    both = attend(q, k, v, kept, is_causal=True)
    assert_close(both, by_hand(q, k, v, hidden + causal), rtol=1e-12)
    with pytest.raises(ShapeError, match=r"\(2, 3, 4, 8\), \(2, 3, 5, 6\) and \(2, 3, 5, 6\)"):
        attend(q, v, v)


@pytest.mark.parametrize("kind", [bool, float])
def test_a_query_that_attends_to_nothing_gives_0(kind):
    x = ac.Tensor(normal(4, 8), requires_grad=True)
    none = np.zeros((4, 4), bool)
    none[1] = [True, False, True, False]
    mask = none if kind is bool else np.where(none, 0.0, -np.inf)
    out = nn.scaled_dot_product_attention(x, x, x, mask)
    assert out.detach().cpu().numpy().any(axis=1).tolist() == [False, True, False, False]
    ac.sum(out**2).backward()
    assert np.isfinite(x.grad.cpu().numpy()).all()
    layer = nn.MultiheadAttention(8, 2, generator=0)
    out, weights = layer(normal(3, 2, 8), key_padding_mask=np.array([[True] * 3, [False] * 3]))
    assert np.isfinite(out.detach().cpu().numpy()).all()
    assert not weights.detach().cpu().numpy()[0].any()
    assert_close(ac.sum(weights[1], axis=-1).detach(), np.ones(3), rtol=1e-12)


@pytest.mark.parametrize("compiled", [lambda f: f, Compiled], ids=["plain", "compiled"])
def test_a_cache_continues_a_sequence(compiled):
    layer = nn.MultiheadAttention(8, 2, batch_first=True, generator=0)
    x = normal(3, 6, 8)
    whole, _ = layer(x, is_causal=True, need_weights=False)

    def both(a, b):
        cache = {}
        first, _ = layer(a, is_causal=True, need_weights=False, cache=cache)
        second, _ = layer(b, is_causal=True, need_weights=False, cache=cache)
        return ac.concatenate([first, second], axis=1).detach()

    run = compiled(both)
    for _ in range(2):
        assert_close(run(x[:, :4], x[:, 4:]), whole.detach().cpu().numpy(), rtol=1e-10, atol=1e-12)


def test_dropout_of_weights():
    layer = nn.MultiheadAttention(8, 2, dropout=0.5, generator=0)
    _, weights = layer(normal(5, 2, 8), average_attn_weights=False)
    values = weights.detach().cpu().numpy()
    assert 0.3 < (values == 0).mean() < 0.7
    _, weights = layer.eval()(normal(5, 2, 8), average_attn_weights=False)
    assert (weights.detach().cpu().numpy() > 0).all()
    x = normal(4, 8)
    one, again = (
        nn.scaled_dot_product_attention(x, x, x, dropout_p=0.5, generator=3) for _ in "12"
    )
    assert_close(one, again.cpu().numpy(), rtol=0)


def test_half_precision_does_not_overflow():
    x = ac.Tensor(np.full((2, 4, 8), 200, np.float16))
    assert_close(nn.scaled_dot_product_attention(x, x, x), np.full((2, 4, 8), 200), rtol=0)
    rows = np.array([[1000.0, 2000, 3000, -4000]] * 4, np.float16)
    rows += 100 * np.arange(4, dtype=np.float16)[:, None]
    for kind, size in (("LayerNorm", (4,)), ("RMSNorm", (4,)), ("BatchNorm1d", (4,)),
                       ("GroupNorm", (2, 4))):  # fmt: skip
        half = getattr(nn, kind)(*size, dtype=np.float16)
        exact = getattr(nn, kind)(*size)
        x = ac.Tensor(rows, requires_grad=True)
        out = half(x)
        assert out.dtype == np.float16
        wanted = exact(ac.Tensor(rows.astype(float))).detach().cpu().numpy()
        assert_close(out.detach(), wanted, rtol=2e-3, atol=2e-3)
        ac.sum(out).backward()
        assert np.isfinite(x.grad.cpu().numpy()).all()


@pytest.mark.parametrize("shape", [(0, 3, 8), (3, 0, 8)])
def test_no_examples(shape):
    x = ac.Tensor(np.ones(shape))
    for layer in (
        nn.MultiheadAttention(8, 2, batch_first=shape[0] == 0),
        nn.TransformerEncoderLayer(8, 2, 16, batch_first=shape[0] == 0),
        nn.LayerNorm(8), nn.Linear(8, 8),
    ):  # fmt: skip
        out = layer(x)
        assert (out[0] if isinstance(out, tuple) else out).shape == shape
    assert nn.GroupNorm(2, 8)(ac.Tensor(np.ones((0, 8, 3)))).shape == (0, 8, 3)
    assert nn.BatchNorm1d(8).eval()(ac.Tensor(np.ones((0, 8)))).shape == (0, 8)
    with pytest.raises(ShapeError, match=r"x of shape \(0, 8\) has no value for each channel"):
        nn.BatchNorm1d(8)(ac.Tensor(np.ones((0, 8))))


def test_mistakes():
    model = nn.Sequential(nn.TransformerEncoderLayer(8, 2, 16))
    with pytest.raises(ShapeError, match=r"0.self_attn \(MultiheadAttention\): expects 8 features"):
        model(normal(3, 2, 7))
    with pytest.raises(ShapeError, match=r"attn_mask has shape \(2, 2\), expected \(3, 3\) or \(4"):
        model[0](normal(3, 2, 8), src_mask=np.ones((2, 2), bool))
    with pytest.raises(ShapeError, match=r"key_padding_mask has shape \(3, 2\), expected \(2, 3\)"):
        model[0](normal(3, 2, 8), src_key_padding_mask=np.ones((3, 2), bool))
    with pytest.raises(DTypeError, match="a mask is boolean or of floating-point numbers"):
        model[0](normal(3, 2, 8), src_mask=np.ones((3, 3), int))
    with pytest.raises(AutogradError, match="10 features cannot be divided into 3 heads"):
        nn.MultiheadAttention(10, 3)
    with pytest.raises(AutogradError, match='activation is "relu", "gelu" or a function, not'):
        nn.TransformerDecoderLayer(8, 2, activation="swish")
    with pytest.raises(ShapeError, match="expects 3 and 4 features and otherwise equal shapes"):
        nn.Bilinear(3, 4, 2)(normal(2, 3), normal(1, 4))
