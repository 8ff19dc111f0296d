"""Losses that tests go through: name, options, operands, and how many of them have a gradient."""

import numpy as np

RANDOM = np.random.default_rng(0)
X, Y, Z = 2 * RANDOM.normal(size=(3, 5, 4))
P, Q = RANDOM.dirichlet(np.ones(4), (2, 5))
Q[0, 1] = 0
COUNTS = RANDOM.integers(0, 5, (5, 4)).astype(float)
SIGNS = RANDOM.choice([-1.0, 1.0], (5, 4))
VARIANCES = RANDOM.uniform(0.1, 2, (5, 4))
VARIANCES[1, 1] = 1e-9

CASES = [
    ("L1Loss", {}, (X, Y), 1),
    ("HuberLoss", {}, (X, Y), 2),
    ("HuberLoss", {"delta": 0.3}, (X, Y), 2),
    ("SmoothL1Loss", {}, (X, Y), 2),
    ("SmoothL1Loss", {"beta": 0.2}, (X, Y), 2),
    ("SmoothL1Loss", {"beta": 0.0}, (X, Y), 1),
    ("KLDivLoss", {}, (np.log(P), Q), 1),
    ("KLDivLoss", {"log_target": True}, (np.log(P), np.log(Q + 0.1)), 2),
    ("PoissonNLLLoss", {}, (X, COUNTS), 1),
    ("PoissonNLLLoss", {"full": True}, (X, COUNTS), 1),
    ("PoissonNLLLoss", {"log_input": False, "full": True}, (np.abs(X), COUNTS), 1),
    ("GaussianNLLLoss", {}, (X, Y, VARIANCES), 3),
    ("GaussianNLLLoss", {"full": True, "eps": 0.5}, (X, Y, VARIANCES[:, :1]), 3),
    ("HingeEmbeddingLoss", {}, (X, SIGNS), 1),
    ("HingeEmbeddingLoss", {"margin": 0.3}, (X, SIGNS), 1),
    ("MarginRankingLoss", {}, (X, Y, SIGNS), 2),
    ("MarginRankingLoss", {"margin": 0.7}, (X, Y, SIGNS), 2),
    ("CosineEmbeddingLoss", {}, (X, Y, SIGNS[:, 0]), 2),
    ("CosineEmbeddingLoss", {"margin": 0.2}, (X[0], Y[0], SIGNS[0, 0]), 2),
    ("TripletMarginLoss", {}, (X, Y, Z), 3),
    ("TripletMarginLoss", {"p": 1.0, "margin": 3.0}, (X, Y, Z), 3),
    ("TripletMarginLoss", {"swap": True, "p": 3.0}, (X, Y, Z), 3),
]
IDS = [f"{name}{i}" for i, (name, *_) in enumerate(CASES)]
