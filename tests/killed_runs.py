"""Runs that are killed and resumed: each is a program that writes its metrics and weights.

    python -m tests.killed_runs mlp FOLDER [--resume] [--slow]

With `--slow`, the write of a checkpoint takes long, and says when it is under way, so that the
program can be killed inside it.
"""

import argparse
import hashlib
import json
import os
import sys
import time
from pathlib import Path

import numpy as np

import autograd_core as ac
import nn
from nn import files

EPOCHS = 3


def mlp(generator):
    """A network with dropout, an averaged model, and metrics of the validation."""
    x = np.random.default_rng(1).standard_normal((96, 12))
    y = np.argmax(x @ np.random.default_rng(2).standard_normal((12, 4)), axis=1)
    model = nn.Sequential(
        nn.Linear(12, 16, generator=generator), nn.ReLU(), nn.Dropout(0.2, generator=generator),
        nn.Linear(16, 4, generator=generator),
    )  # fmt: skip
    loader = nn.DataLoader(
        nn.TensorDataset(x[:64], y[:64]), 8, shuffle=True, generator=generator, num_workers=1
    )
    valid = nn.DataLoader(nn.TensorDataset(x[64:], y[64:]), 16)
    optimizer = nn.Adam(model.parameters(), lr=0.01)
    return model, loader, nn.CrossEntropyLoss(), optimizer, {
        "valid": valid, "metrics": [nn.Accuracy()], "average": nn.AveragedModel(model),
        "epoch_schedule": nn.ReduceLROnPlateau(optimizer, patience=0),
        "callbacks": [nn.EarlyStopping(patience=50, restore_best=True)],
    }  # fmt: skip


def cnn(generator):
    """Convolutions with normalisation, dropout and augmented images, made in two threads."""
    how = {"generator": generator, "dtype": np.float32}
    images = np.random.default_rng(1).random((48, 1, 10, 10)).astype(np.float32)
    labels = np.random.default_rng(2).integers(0, 3, 48)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, **how), nn.BatchNorm2d(4, dtype=np.float32), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.3, generator=generator), nn.Linear(64, 3, **how),
    )  # fmt: skip
    augment = nn.Compose([nn.RandomCrop(10, padding=1), nn.RandomHorizontalFlip()])
    loader = nn.DataLoader(
        nn.TensorDataset(images, labels), 8, shuffle=True, generator=4, num_workers=2,
        transform=(augment, None),
    )  # fmt: skip
    optimizer = nn.SGD(model.parameters(), lr=0.05, momentum=0.9)
    return model, loader, nn.CrossEntropyLoss(), optimizer, {
        "metrics": [nn.Accuracy(), nn.ConfusionMatrix(3)], "accumulate": 2,
    }  # fmt: skip


def transformer(generator):
    """A transformer with a schedule, weight decay and clipped gradients."""
    from examples.transformer import Transformer

    nn_model = Transformer(7, 8, 2, 1, generator=generator)
    text = np.random.default_rng(1).integers(0, 7, 200)
    places = np.arange(48)[:, None] * 4 + np.arange(9)
    data = nn.TensorDataset(text[places[:, :-1]], text[places[:, 1:]])
    loader = nn.DataLoader(data, 6, shuffle=True, generator=generator)
    optimizer = nn.AdamW(nn_model.parameters(), lr=3e-3, weight_decay=0.1)
    loss_of = nn.CrossEntropyLoss()

    def loss(logits, y):
        return loss_of(logits.reshape((-1, 7)), y.reshape(-1))

    steps = EPOCHS * len(loader)
    return nn_model, loader, loss, optimizer, {
        "schedule": nn.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps), "max_norm": 1.0,
    }  # fmt: skip


RUNS = {"mlp": mlp, "cnn": cnn, "transformer": transformer}


class Late(nn.Callback):
    """Leaves time for a signal after each step, and says when the first one begins."""

    def __init__(self, folder):
        self.folder = folder

    def on_start(self, run):
        (self.folder / "started").touch()

    def on_step(self, run):
        time.sleep(0.004)


def slowly(folder):
    """Make the writes of checkpoints slow, and say when they are under way."""
    replace, fsync = os.replace, os.fsync

    def said(function):
        def called(*given):
            (folder / "writing").touch()
            time.sleep(0.01)
            function(*given)
            time.sleep(0.01)

        return called

    files.os = type("Slow", (), dict(vars(os)) | {
        "replace": staticmethod(said(replace)), "fsync": staticmethod(said(fsync))})  # fmt: skip


def digest_of(model, history):
    """A digest of the weights and of all metrics, except for the time."""
    found = hashlib.sha256()
    for name, array in model.state_dict().items():
        found.update(name.encode() + array.tobytes())
    rows = [
        {k: np.asarray(v).tolist() for k, v in row.items() if k != "seconds"} for row in history
    ]
    found.update(json.dumps(rows).encode())
    return found.hexdigest()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("run", choices=RUNS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--slow", action="store_true")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    np.random.seed(5)
    model, loader, loss, optimizer, settings = RUNS[options.run](np.random.default_rng(0))
    if options.slow:
        slowly(options.folder)
    settings["callbacks"] = [*settings.get("callbacks", ()), Late(options.folder)]
    ac.keep_heap()
    history = nn.fit(
        model, loader, loss, optimizer, epochs=EPOCHS, checkpoints=options.folder, every=3,
        resume=options.resume, log=options.folder / "log.jsonl", **settings,
    )  # fmt: skip
    print(digest_of(model, history))


if __name__ == "__main__":
    sys.exit(main())
