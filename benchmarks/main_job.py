"""One epoch of the MNIST example, with the evaluation of 60,000 images, compared with one epoch of
training with the published class. It should take less than twice as long.

    python -m benchmarks.main_job
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from benchmarks import measure
from benchmarks.published import Network


def results(repeats: int) -> dict[str, float]:
    """Seconds per epoch."""
    import nn
    from examples import mnist_options, mnist_training

    options = mnist_options.parsed(["--out", str(Path("runs") / "benchmark")])
    parts = mnist_training.load(options)
    train = parts["train"]
    model = mnist_training.build(options)
    loss_of = mnist_training.loss_function(options, model)
    generator = np.random.RandomState(options.seed)
    batches = nn.DataLoader(
        nn.TensorDataset(train.x, train.y), 100, shuffle=True, generator=generator, drop_last=True
    )
    run = nn.Run(model, batches, loss_of, nn.SGD(model.parameters(), lr=options.lr), epochs=1)
    network = Network()
    order = np.arange(len(train.x))

    def published() -> tuple[float]:
        start = time.perf_counter()
        generator.shuffle(order)
        network.train_epoch(train.x, train.labels, order)
        return (time.perf_counter() - start,)

    def main_job() -> tuple[float]:
        start = time.perf_counter()
        run.train()
        run.epochs += 1
        for name in ("train", "valid"):
            mnist_training.evaluate(options, model, parts[name], generator, name)
        return (time.perf_counter() - start,)

    peers = {"published class, training alone": published, "main job, with evaluation": main_job}
    return {name: s for name, (s,) in measure.interleaved(peers, repeats).items()}


def main() -> None:
    """Print the table."""
    chosen = measure.options("seconds per epoch of the main job")
    figures = results(chosen.repeats)
    floor = figures["published class, training alone"]
    rows = [[name, f"{s:.3f}", f"{s / floor:.2f}"] for name, s in figures.items()]
    measure.table("MNIST 784-50-10, float64, one epoch", ["", "seconds", "÷ published"], rows)
    print(f"\n{measure.machine(chosen)}")


if __name__ == "__main__":
    main()
