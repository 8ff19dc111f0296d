"""A training step of the transformer of examples/transformer.py, compiled, beside PyTorch's.

``python -m benchmarks.transformer`` times the step in float32 without dropout, with AdamW, clipping
and a schedule; the losses are compared first. It fails if the ratio is above its bound. ``--threads
2`` uses two threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_core as ac
from benchmarks import measure
from benchmarks.compiled import Call, clock
from examples.transformer import CONTEXT, Transformer, batches, text, training

BOUND = 2.0


def peer(model: Transformer, characters: int, steps: int, lr: float = 3e-3) -> Any:
    """A training step of the same model in PyTorch, with the same weights, and its schedule."""
    import torch

    width, dtype = model.head.in_features, model.head.weight.dtype.name

    class Twin(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.characters = torch.nn.Embedding(characters, width)
            self.positions = torch.nn.Embedding(CONTEXT, width)
            self.layers = torch.nn.ModuleList(
                torch.nn.TransformerEncoderLayer(
                    width, layer.self_attn.num_heads, 4 * width, 0.0, "gelu", batch_first=True,
                    norm_first=True,
                )
                for layer in model.layers
            )  # fmt: skip
            self.norm = torch.nn.LayerNorm(width)
            self.head = torch.nn.Linear(width, characters)

        def forward(self, x: Any) -> Any:
            h = self.characters(x) + self.positions(torch.arange(x.shape[1]))
            mask = torch.nn.Transformer.generate_square_subsequent_mask(x.shape[1], dtype=h.dtype)
            for layer in self.layers:
                h = layer(h, mask, is_causal=True)
            return self.head(self.norm(h))

    twin = Twin().to(getattr(torch, dtype))
    twin.load_state_dict({k: torch.tensor(v) for k, v in model.state_dict().items()})
    groups = [
        {"params": [p for p in twin.parameters() if p.ndim > 1]},
        {"params": [p for p in twin.parameters() if p.ndim == 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=lr, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=lr, total_steps=steps, pct_start=0.1
    )

    def step(x: Any, y: Any) -> Any:
        logits = twin(torch.tensor(x))
        loss = torch.nn.functional.cross_entropy(
            logits.reshape(-1, characters), torch.tensor(y).reshape(-1)
        )
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(twin.parameters(), 1.0)
        optimizer.step()
        return loss

    return step, schedule


def peers(threads: int) -> dict[str, Call]:
    """The two steps on the same batches."""
    import torch

    torch.set_num_threads(threads)
    characters, codes = text()
    model = Transformer(len(characters), dropout=0.0, generator=0)
    theirs, _ = peer(model, len(characters), 1000)
    ours = ac.compile(training(model, 1000)[0])
    drawn = [*batches(codes, 8, 0)]
    counts = {"ours": 0, "torch": 0}

    def call(name: str, step: Any) -> Call:
        def run() -> list[Any]:
            counts[name] += 1
            return [step(*drawn[counts[name] % len(drawn)]).item()]

        return run

    return {"torch": call("torch", theirs), "ours": call("ours", ours)}


def main() -> None:
    """Print the ratio; fail if it is above its bound."""
    chosen = measure.options("a training step of a transformer")
    steps = peers(chosen.threads)
    for _ in range(3):
        np.testing.assert_allclose(steps["ours"](), steps["torch"](), rtol=1e-3)
    clocks = {name: clock(step) for name, step in steps.items()}
    times = {name: t for name, (t,) in measure.interleaved(clocks, chosen.repeats).items()}
    ratio = times["ours"] / times["torch"]
    row = [f"{times['torch'] / 1e3:.1f}", f"{ratio:.2f}", f"{BOUND:.2f}"]
    measure.markdown(["", "PyTorch, ms", "ours ÷", "bound"], [["transformer, batch 32", *row]])
    print(f"\n{measure.machine(chosen)}")
    if ratio > BOUND and not chosen.quick:
        raise SystemExit(f"{ratio:.2f} > {BOUND}")


if __name__ == "__main__":
    main()
