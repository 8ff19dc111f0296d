"""A run of `nn.fit` on all ranks, which can be interrupted and resumed. Rank 0 prints the digest of
the weights and metrics.

    mpiexec -n 2 python -m mpi4py -m tests.ranks.fitting mlp FOLDER --stop 7
    mpiexec -n 2 python -m mpi4py -m tests.ranks.fitting mlp FOLDER --resume
"""

import argparse
import os
import signal
from pathlib import Path

import numpy as np

import nn
from nn.distributed import DistributedDataParallel, SyncBatchNorm, world
from tests.killed_runs import EPOCHS, digest_of

GROUP = world(timeout=60)


class Ends(nn.Callback):
    """Ends the run after a step: the last rank is interrupted as by Ctrl-C, or is killed."""

    def __init__(self, at, kills):
        self.at, self.kills = at, kills

    def on_step(self, run):
        if run.step == self.at and GROUP.rank == GROUP.size - 1:
            os.kill(os.getpid(), signal.SIGKILL if self.kills else signal.SIGINT)


def mlp(own):
    """A network whose dropout differs between the ranks, and a validation on all ranks."""
    x = np.random.default_rng(1).standard_normal((98, 12))
    y = np.argmax(x @ np.random.default_rng(2).standard_normal((12, 4)), axis=1)
    model = nn.Sequential(
        nn.Linear(12, 16, generator=own), nn.ReLU(), nn.Dropout(0.2, generator=own),
        nn.Linear(16, 4, generator=own),
    )  # fmt: skip
    ranks = DistributedDataParallel(model)
    loader = nn.DataLoader(
        nn.TensorDataset(x[:64], y[:64]), 8, shuffle=True, generator=7, shard=GROUP
    )
    valid = nn.DataLoader(nn.TensorDataset(x[64:], y[64:]), 4, shard=GROUP)
    optimizer = nn.Adam(ranks.parameters(), lr=0.01)
    return ranks, loader, nn.CrossEntropyLoss(), optimizer, {
        "valid": valid, "metrics": [nn.Accuracy()], "average": nn.AveragedModel(model),
        "epoch_schedule": nn.ReduceLROnPlateau(optimizer, patience=0),
        "callbacks": [nn.EarlyStopping(patience=50, restore_best=True)],
    }  # fmt: skip


def cnn(own):
    """Batch normalisation over all ranks, accumulated gradients and augmented images."""
    images = np.random.default_rng(1).random((48, 1, 10, 10))
    labels = np.random.default_rng(2).integers(0, 3, 48)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, generator=own), SyncBatchNorm(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(64, 3, generator=own),
    )  # fmt: skip
    augment = nn.Compose([nn.RandomCrop(10, padding=1), nn.RandomHorizontalFlip()])
    loader = nn.DataLoader(
        nn.TensorDataset(images, labels), 4, shuffle=True, generator=7, shard=GROUP,
        transform=(augment, None),
    )  # fmt: skip
    ranks = DistributedDataParallel(model)
    optimizer = nn.SGD(ranks.parameters(), lr=0.05, momentum=0.9)
    return ranks, loader, nn.CrossEntropyLoss(), optimizer, {
        "metrics": [nn.Accuracy(), nn.ConfusionMatrix(3)], "accumulate": 3, "max_norm": 1.0,
        "average": nn.AveragedModel(model, use_buffers=True),
        "valid": nn.DataLoader(nn.TensorDataset(images[:9], labels[:9]), 2, shard=GROUP),
    }  # fmt: skip


def buffers(own):
    """Batch normalisation whose running means are those of each rank."""
    x = np.random.default_rng(1).standard_normal((48, 6)) * 3 + 1
    model = nn.Sequential(
        nn.Linear(6, 5, generator=own), nn.BatchNorm1d(5), nn.Linear(5, 1, generator=own)
    )
    ranks = DistributedDataParallel(model, broadcast_buffers=False)
    loader = nn.DataLoader(nn.TensorDataset(x, x[:, :1]), 4, shuffle=True, generator=7, shard=GROUP)
    return ranks, loader, nn.MSE(), nn.SGD(ranks.parameters(), lr=0.01), {
        "valid": nn.DataLoader(nn.TensorDataset(x, x[:, :1]), 4)
    }  # fmt: skip


RUNS = {"mlp": mlp, "cnn": cnn, "buffers": buffers}


def main():
    """Train, and print the digest."""
    parser = argparse.ArgumentParser()
    parser.add_argument("run", choices=RUNS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--stop", type=int, default=0)
    parser.add_argument("--kill", action="store_true")
    options = parser.parse_args()
    own = np.random.default_rng(100 + GROUP.rank)
    model, loader, loss, optimizer, settings = RUNS[options.run](own)
    settings["callbacks"] = [*settings.get("callbacks", ()), Ends(options.stop, options.kill)]
    history = nn.fit(
        model, loader, loss, optimizer, epochs=EPOCHS, checkpoints=options.folder, every=3,
        resume=options.resume, log=options.folder / "log.jsonl", **settings,
    )  # fmt: skip
    found = GROUP.objects(digest_of(model, history))
    assert len(set(found)) == 1 or options.run == "buffers", "the ranks have other bits"
    if GROUP.rank == 0:
        print("interrupted" if history.interrupted else " ".join(found), flush=True)


if __name__ == "__main__":
    main()
