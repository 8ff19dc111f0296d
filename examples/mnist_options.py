"""The options of the MNIST example, all checked before training starts."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import autograd_core as ac
import nn

HERE = Path(__file__).parent
ACTIVATIONS = {"sigmoid": nn.Sigmoid, "relu": nn.ReLU, "tanh": nn.Tanh, "identity": nn.Identity}


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """The options; exits with an error message if one is invalid."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.epochs is None:
        options.epochs = 3 if options.quick else 50
    rows = 5_000 if options.quick else 55_000
    checks = [
        (min(options.hidden) >= 1, f"--hidden must be positive, not {options.hidden}"),
        (options.batch >= 0, f"--batch must be 0 or more, not {options.batch}"),
        (
            options.batch <= rows,
            f"--batch {options.batch}: there are {rows:,} training images",
        ),
        (options.epochs >= 1, f"--epochs must be at least 1, not {options.epochs}"),
        (0 < options.lr < float("inf"), f"--lr must be positive and finite, not {options.lr}"),
        (0 <= options.l2 < float("inf"), f"--l2 must be 0 or more, not {options.l2}"),
        (0 <= options.seed < 2**32, f"--seed must be in [0, 2³²), not {options.seed}"),
        (_can_hold_files(options.out), f"--out {options.out}: not a folder that can be written to"),
    ]
    for holds, complaint in checks:
        if not holds:
            parser.error(complaint)
    try:
        with ac.device(options.device):
            pass
    except ac.DeviceError as error:
        parser.error(f"--device {options.device}: {error}")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m examples.mnist_mlp",
        description="Train a network on MNIST.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--hidden", type=int, nargs="+", default=[50], help="units of each hidden layer")
    add("--activation", choices=ACTIVATIONS, default="sigmoid", help="of the hidden layers")
    add("--loss", choices=["mse", "binary_cross_entropy", "cross_entropy"], default="mse")
    add("--batch", type=int, default=100, help="1 = stochastic, 0 = whole training set")
    add("--epochs", type=int, default=argparse.SUPPRESS, help="50 by default; 3 with --quick")
    add("--lr", type=float, default=0.1, help="learning rate η")
    add("--l2", type=float, default=0.0, help="strength λ of the L2 regularisation")
    add("--seed", type=int, default=123, help="seed of the weights and of the batches")
    add("--dtype", choices=["float32", "float64"], default="float64")
    add("--device", default="cpu", help="cpu, cuda, cuda:1 …")
    add("--data", type=Path, default=HERE / "data" / "mnist", help="folder of the MNIST files")
    add("--out", type=Path, default=Path("runs") / "mnist_mlp", help="folder for the results")
    add("--plain", action="store_true", help="do not compile the training step")
    add("--quick", action="store_true", help="5,000 images and 3 epochs")
    parser.set_defaults(epochs=None)
    return parser


def _can_hold_files(folder: Path) -> bool:
    """Return True if `folder` can be written to or created."""
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return there.is_dir() and os.access(there, os.W_OK)
