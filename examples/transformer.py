"""A transformer that writes, character by character, what it learned from sixteen sonnets.

    python -m examples.transformer [--seed 0] [--steps 2000] [--length 400] [--quick] [--resume]

The model is a decoder (Radford et al., 2018): embeddings of characters and positions, layers of
causal self-attention, and a linear layer that gives the logits of the next character. `nn.fit`
writes a log and checkpoints to runs/transformer; with --resume, a run that was interrupted goes on
to the same result. The text is sampled with a cache of keys and values. The text, in
examples/data/sonnets.txt, are sonnets by William Shakespeare (1609).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import autograd_core as ac
import nn
from examples.lecture import save, takes

TEXT = Path(__file__).parent / "data" / "sonnets.txt"
BATCH, CONTEXT = 32, 64


class Transformer(nn.Module):
    """The logits (n, length, characters) of the character after each of (n, length)."""

    def __init__(
        self,
        characters: int,
        width: int = 64,
        heads: int = 4,
        layers: int = 2,
        dropout: float = 0.1,
        *,
        generator: Any = None,
        dtype: Any = np.float32,
    ) -> None:
        how: Any = {"generator": np.random.default_rng(generator), "dtype": dtype}
        self.characters = nn.Embedding(characters, width, **how)
        self.positions = nn.Embedding(CONTEXT, width, **how)
        self.layers = [
            nn.TransformerEncoderLayer(
                width, heads, 4 * width, dropout, "gelu", batch_first=True, norm_first=True, **how
            )
            for _ in range(layers)
        ]
        self.norm = nn.LayerNorm(width, dtype=dtype)
        self.head = nn.Linear(width, characters, **how)

    def forward(self, x: Any, caches: list[dict[str, Any]] | None = None) -> Any:
        """With `caches`, a dict for each layer, x follows the characters of the calls before."""
        seen = caches[0]["key"].shape[2] if caches and caches[0] else 0
        h = self.characters(x) + self.positions(np.arange(seen, seen + x.shape[1]))
        for i, layer in enumerate(self.layers):
            h = layer(h, is_causal=True, cache=caches[i] if caches else None)
        return self.head(self.norm(h))


def settings(model: Transformer, steps: int, lr: float = 3e-3) -> tuple[Any, nn.AdamW, Any]:
    """The loss of logits and the characters that follow, the optimiser and the schedule of its
    learning rate."""
    loss_of = nn.CrossEntropyLoss()
    groups = nn.parameter_groups(model, (nn.biases_and_norms, {"weight_decay": 0.0}))
    optimizer = nn.AdamW(groups, lr=lr, weight_decay=0.1)
    schedule = nn.OneCycleLR(optimizer, max_lr=lr, total_steps=steps, pct_start=0.1)

    def loss(logits: Any, y: Any) -> Any:
        return loss_of(logits.reshape((-1, logits.shape[-1])), y.reshape(-1))

    return loss, optimizer, schedule


def training(
    model: Transformer, steps: int, lr: float = 3e-3
) -> tuple[Callable[[Any, Any], Any], nn.OneCycleLR]:
    """A training step, which predicts each character from those before it, and the schedule of its
    learning rate."""
    loss_of, optimizer, schedule = settings(model, steps, lr)

    def step(x: Any, y: Any) -> Any:
        loss = loss_of(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        nn.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss

    return step, schedule


class Pieces:
    """A sampler of random places in a text, as many as `steps` batches have."""

    def __init__(self, places: int, steps: int) -> None:
        self.places, self.count = places, steps * BATCH

    def __len__(self) -> int:
        return self.count

    def indices(self, generator: Any) -> Any:
        """The places of a pass."""
        return generator.integers(0, self.places, self.count)


def learn(
    model: Transformer,
    codes: Any,
    steps: int,
    seed: int = 0,
    out: Path | None = None,
    resume: bool = False,
) -> nn.History:
    """Train the model; an epoch of the history is up to 100 steps. The folder `out` receives the
    log and the checkpoints."""
    each = min(steps, 100)
    pieces = np.lib.stride_tricks.sliding_window_view(codes, CONTEXT + 1)
    data = nn.TensorDataset(pieces[:, :-1], pieces[:, 1:])
    loader = nn.DataLoader(data, BATCH, sampler=Pieces(len(pieces), each), generator=seed)
    loss_of, optimizer, schedule = settings(model, steps // each * each)
    saved = None if out is None else nn.Checkpoints(out / "checkpoints")
    if saved is not None and not resume:
        saved.clear()
    history = nn.fit(
        model, loader, loss_of, optimizer, epochs=steps // each, schedule=schedule, max_norm=1.0,
        log=None if out is None else out / "log.jsonl",
        checkpoints=saved, resume=resume,
    )  # fmt: skip
    if history.interrupted:
        raise SystemExit("interrupted; --resume continues the run")
    return history


def text() -> tuple[Any, Any]:
    """The different characters of the text, and the text as indices of them."""
    return np.unique(list(TEXT.read_text()), return_inverse=True)


def batches(codes: Any, steps: int, seed: int, size: int = BATCH) -> Iterator[tuple[Any, Any]]:
    """Random pieces of the text, and the same moved by one character."""
    generator = np.random.default_rng(seed)
    for _ in range(steps):
        starts = generator.integers(0, len(codes) - CONTEXT, size)
        places = starts[:, None] + np.arange(CONTEXT + 1)
        yield codes[places[:, :-1]], codes[places[:, 1:]]


def sample(model: Transformer, first: Any, length: int, seed: int = 0, heat: float = 0.8) -> Any:
    """`first` and `length` further characters, each drawn from the model's distribution."""
    generator, written = np.random.default_rng(seed), list(first)
    model.eval()
    new = written
    caches: list[dict[str, Any]] = [{} for _ in model.layers]
    with ac.no_grad():
        for _ in range(length):
            if caches[0] and caches[0]["key"].shape[2] + len(new) > CONTEXT:
                new, caches = written[-CONTEXT // 2 :], [{} for _ in model.layers]
            logits = model(np.array([new]), caches)[0, -1]
            p = ac.softmax(logits.astype(np.float64) / heat).numpy()
            new = [int(generator.choice(len(p), p=p))]
            written += new
    return np.array(written)


def plot(history: nn.History, path: Path) -> Path:
    """The loss over the steps."""
    return save(history.plot(), path)


def main(arguments: list[str] | None = None) -> None:
    """Train, and print a sample."""
    parser = argparse.ArgumentParser(description="A transformer that writes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--length", type=int, default=400)
    parser.add_argument("--quick", action="store_true", help="50 steps and 50 characters")
    parser.add_argument("--resume", action="store_true", help="continue the run in --out")
    parser.add_argument("--out", type=Path, default=Path("runs") / "transformer")
    chosen = parser.parse_args(arguments)
    if chosen.quick:
        chosen.steps, chosen.length = min(chosen.steps, 50), 50
    takes(f"{chosen.steps / 5:.0f} seconds", quick=chosen.steps <= 50)
    ac.keep_heap()
    characters, codes = text()
    model = Transformer(len(characters), generator=chosen.seed)
    print(f"{len(codes)} characters, {len(characters)} different ones; "
          f"{sum(p.size for p in model.parameters())} parameters")  # fmt: skip
    history = learn(model, codes, chosen.steps, chosen.seed, chosen.out, chosen.resume)
    print(history.table())
    print(f"picture: {plot(history, chosen.out / 'loss.png')}")
    first = np.searchsorted(characters, list("When "))
    print("".join(characters[sample(model, first, chosen.length, chosen.seed)]))


if __name__ == "__main__":
    main()
