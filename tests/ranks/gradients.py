"""The derivatives of all operations between ranks, compared with finite differences.

The checker runs on all ranks in step. What it differentiates has the same operands and results on
all ranks: the mean of operands that are equal on all ranks is one of them, and its derivative adds
what the ranks contribute.
"""

import warnings

import numpy as np

import autograd_core as ac
from autograd_core.testing import check_gradients
from nn.distributed import (
    all_gather,
    all_reduce,
    all_to_all,
    broadcast,
    gather,
    recv,
    reduce,
    reduce_scatter,
    scatter,
    send,
    sendrecv,
    world,
)

GROUP = world(timeout=60)
RANK, SIZE = GROUP.rank, GROUP.size
LAST = SIZE - 1
RIGHT, LEFT = (RANK + 1) % SIZE, (RANK - 1) % SIZE


def jointly(own):
    """A function of the operands of all ranks, of which each rank takes its own row."""

    def function(x):
        return all_gather(own(all_reduce(x, "mean")[RANK]))

    return function


def around(x):
    """Squares go around a ring."""
    return send(x * x, RIGHT) + recv(LEFT, x.sum() * 0) * x


def passed_on(x):
    """The square of x of rank 0, on the last rank, times its x; zeros elsewhere."""
    if RANK == 0:
        return x * 0 + send(x * x, LAST)
    return recv(0, x.sum() * 0) * x if RANK == LAST else x * 0


def to_the_right(x):
    """A step along a line, not a ring."""
    dest, source = (RIGHT if RANK < LAST else None), (LEFT if RANK else None)
    return sendrecv(x * x, dest, source) * x + x


def softmax(x):
    """The logarithm of a softmax over the elements of all ranks (HIPS/autograd#537: a sum over
    ranks inside of the model)."""
    largest = all_reduce(x.max(), "max")
    return x - largest - ac.log(all_reduce(ac.exp(x - largest).sum()))


def reduced_and_back(x):
    """A sum on one rank, whose square goes to all ranks."""
    return broadcast(reduce(x, root=LAST) ** 2, root=LAST) * x


FUNCTIONS = {
    "all_reduce": lambda x: all_reduce(x * x) * x,
    "mean": lambda x: all_reduce(ac.sin(x), "mean") ** 2,
    "max": lambda x: all_reduce(x * x, "max") * x,
    "min": lambda x: all_reduce(x, "min") ** 3,
    "reduce": reduced_and_back,
    "reduce max": lambda x: broadcast(reduce(x * x, "max") * x),
    "broadcast": lambda x: broadcast(x * x, root=LAST) * x,
    "gather": lambda x: x * scatter(gather(x * x, root=LAST) ** 2, root=LAST),
    "all_gather": lambda x: (all_gather(x * x) * ac.arange(1.0, SIZE + 1)[:, None]).sum(0) * x,
    "all_gather axis": lambda x: all_gather((x * x)[: 1 + RANK % 2], axis=0),
    "scatter": lambda x: scatter(ac.stack([x * x * (i + 1) for i in range(SIZE)]), root=LAST) * x,
    "reduce_scatter": lambda x: reduce_scatter(ac.stack([x**2 * (i + 2) for i in range(SIZE)])) * x,
    "all_to_all": lambda x: all_to_all(ac.stack([x**2 * (i + 2) for i in range(SIZE)])).sum(0) * x,
    "send, recv": around,
    "sendrecv": lambda x: sendrecv(x * x, RIGHT, LEFT) * x,
    "softmax": softmax,
}


# Where the ranks do not do the same, the checker cannot keep them in step: these are compared with
# a function of the operands of all ranks, without messages
ALONE = {
    passed_on: lambda x: ac.concatenate([x[:-1] * 0, x[-1:] * x[:1] ** 2]),
    to_the_right: lambda x: x + x * ac.concatenate([x[:1] * 0, x[:-1] ** 2]),
}


def compare(own, alone, x):
    """Compare values, gradients and products with second derivatives."""
    u, v = np.random.default_rng(1).normal(size=(2, *x.shape))
    with_ranks = jointly(own)
    np.testing.assert_allclose(with_ranks(x), alone(x), rtol=1e-15)  # a mean of three rounds
    slopes = [ac.grad(lambda x, f=f: ac.sum(f(x) * u)) for f in (with_ranks, alone)]
    np.testing.assert_allclose(slopes[0](x), slopes[1](x), rtol=1e-13, atol=1e-13)
    curved = [ac.grad(lambda x, slope=slope: ac.sum(slope(x) * v))(x) for slope in slopes]
    np.testing.assert_allclose(*curved, rtol=1e-13, atol=1e-13)


def main():
    """Check all functions, in float64, and once in complex128 and float32."""
    warnings.simplefilter("error")
    operands = np.random.default_rng(0).normal(size=(SIZE, 3)) + 2
    for name, own in FUNCTIONS.items():
        check_gradients(jointly(own), operands)
        if RANK == 0:
            print("passed:", name, flush=True)
    for own, alone in ALONE.items():
        compare(own, alone, operands)
    check_gradients(jointly(FUNCTIONS["all_reduce"]), operands + 1j * operands[::-1])
    check_gradients(jointly(FUNCTIONS["sendrecv"]), operands.astype(np.float32))
    tied = ac.Tensor(np.array([1.0, 2.0, float(RANK)]), requires_grad=True)
    all_reduce(tied, "max").sum().backward()  # ties share, as those of max
    shares = tied.grad.numpy() / SIZE  # of the losses of all ranks
    assert (shares == [1 / SIZE, 1 / SIZE, RANK == LAST]).all(), shares
    if RANK == 0:
        print("passed: all", flush=True)


if __name__ == "__main__":
    main()
