"""The example of a transformer: it learns, its cache changes nothing, and it is PyTorch's."""

import numpy as np
import pytest

import autograd_core as ac
from examples import transformer


def test_it_learns_and_writes(capsys):
    characters, codes = transformer.text()
    model = transformer.Transformer(len(characters), width=32, layers=1, generator=0)
    history = transformer.learn(model, codes, 60)
    assert history[-1]["loss"] < 3.5 < np.log(len(characters))
    written = transformer.sample(model, codes[:10], 80)  # longer than the context
    assert written.shape == (90,)
    assert np.array_equal(written[:10], codes[:10])
    assert np.array_equal(written, transformer.sample(model, codes[:10], 80))


def test_the_cache_changes_nothing():
    model = transformer.Transformer(57, dropout=0.0, generator=0, dtype=np.float64).eval()
    x = np.random.default_rng(0).integers(0, 57, (3, 20))
    whole, caches = model(x).detach().numpy(), [{}, {}]
    parts = [model(part, caches).detach().numpy() for part in np.split(x, [7, 8, 15], axis=1)]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, rtol=1e-10, atol=1e-12)


@pytest.mark.oracle
def test_its_losses_are_pytorchs_for_200_steps():
    pytest.importorskip("torch", reason="needs torch: pip install -e '.[oracles]'")
    from benchmarks.transformer import peer

    characters, codes = transformer.text()
    how = {"dropout": 0.0, "generator": 0, "dtype": np.float64}
    model = transformer.Transformer(len(characters), **how)
    theirs, their_schedule = peer(model, len(characters), 200)
    plain, schedule = transformer.training(model, 200)
    ours, found = ac.compile(plain), []
    for x, y in transformer.batches(codes, 200, 0, size=8):
        found.append((ours(x, y).item(), theirs(x, y).item()))
        schedule.step()
        their_schedule.step()
    found, expected = np.array(found).T
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert found[-10:].mean() < 2.5
