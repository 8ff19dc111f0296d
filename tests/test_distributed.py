"""Several ranks: derivatives between them, data-parallel training, and what happens if one fails.

The programs are in tests/ranks. Each test starts one of them on MPI.
"""

import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

import autograd_core as ac
import nn
from autograd_core.errors import ArgumentError
from autograd_core.testing import check_gradients
from nn import distributed
from nn.distributed import DistributedDataParallel, world
from tests.ranks.start import ROOT, needs_mpi, on_ranks, passed


@pytest.mark.mpi
@needs_mpi
@pytest.mark.parametrize("count", [2, 3])
def test_every_operation_has_derivatives_of_second_order(count):
    text = passed(count, "-m", "tests.ranks.gradients")
    assert text.endswith("passed: all\n"), text


@pytest.mark.mpi
@needs_mpi
@pytest.mark.parametrize("count", [2, 4])
def test_ranks_train_as_one_and_end_with_the_same_bits_in_every_run(count):
    """The program compares gradients' effects with one rank's to 1e-12, and the bits of ranks."""
    first, second = (passed(count, "-m", "tests.ranks.training") for _ in range(2))
    assert first == second
    assert len(first.splitlines()) == 5, first


@pytest.mark.mpi
@needs_mpi
@pytest.mark.parametrize("count", [3])
def test_unusual_operands(count):
    assert passed(count, "-m", "tests.ranks.odd") == "passed\n"


SAID = {
    "killed": ["Killed (signal 9)"],
    "raises": ["rank 1 of 3 raised:\nTraceback", "ValueError: the file of this rank is missing"],
    "raises_in_backward": ["rank 1 of 3 raised:", "ValueError: the hook fails"],
    "shapes": [
        "ranks 0, 2: all_reduce(sum) of float64 (3,), call 1, at ",
        "rank 1: all_reduce(sum) of float64 (4,)",
    ],
    "dtypes": ["ranks 0, 2: all_gather of float64 (3,)", "rank 1: all_gather of float32 (3,)"],
    "rows": ["ranks 0, 2: all_gather(axis=0) of float64 rows (3,)", "rows (4,)"],
    "other_operation": ["ranks 0, 2: all_reduce(sum)", "rank 1: broadcast(root=0)"],
    "one_branch": ["rank 0: all_reduce(sum)", "rank 1: in no collective operation, at ", "# busy"],
    "leaves": ["rank 1: the end of the program"],
    "no_gradient": ["rank 1: all_reduce(mean) of gradients, without those of 1.weight, 1.bias"],
    "not_recorded": [
        "rank 1: all_reduce(sum) of float64 (3,), call 1, inside no_grad()",
        "ranks 0, 2: all_reduce(sum)",
    ],
    "lost_message": ["rank 0 has not received a message of rank 1"],
    "other_gradient": ["rank 0 has not received a message of rank 1"],
    "nobody_sends": ["rank 1: recv of a message from rank 0 to rank 1"],
    "other_models": ["the ranks are not in the same operation", "(2, 3)", "(3, 3)"],
    "of_the_root": ["the array of rank 0 has shape (3,)", "this one has (4,)"],
    "few_rows": ["x has a row for each rank, shape (3, …); it has shape (2, 3)"],
    "few_rows_everywhere": ["x has a row for each rank, shape (3, …); it has shape (2, 3)"],
    "other_calls": ["call 3, the gradient of call 1, at", "call 3, the gradient of call 2, at"],
    "first_batch": ["rank 0: a pass of a DataLoader over 12 samples", "ranks 1, 2: all_reduce"],
    "other_samples": ["the ranks have different samples", "generator="],
    "not_parallel": ["fit: on several ranks the model is a DistributedDataParallel"],
    "leaves_a_receiver": ["rank 0 of 3 waits for a rank that has ended", "rank 1: the end of the"],
    "unknown_rank": ["sendrecv: dest is a rank below 3, not 3"],
}


@pytest.mark.mpi
@needs_mpi
@pytest.mark.parametrize("name", SAID)
def test_all_ranks_end_with_a_message(name):
    start = time.monotonic()
    ended = on_ranks(3, "-m", "tests.ranks.failing", name, limit=60)
    seconds = time.monotonic() - start
    assert ended.status != 0, ended.text
    lines = (ROOT / "tests/ranks/failing.py").read_text().splitlines()
    for words in SAID[name]:
        if words.startswith("# "):  # the line that is marked so
            number = next(i for i, line in enumerate(lines, 1) if line.endswith(words))
            words = f"failing.py:{number}"
        assert words in ended.text, ended.text
    assert seconds < 10, f"{seconds:.1f} s\n{ended.text}"


# ---- one rank, without MPI


def test_a_program_without_mpiexec_is_one_rank():
    group = world()
    assert (group.rank, group.size, group.local_rank) == (0, 1, 0)
    assert "mpi4py.MPI" not in sys.modules
    assert group.objects(3) == [3]
    assert group.split(5).size == 1
    group.barrier()


ALONE = {
    "all_reduce": lambda x: x,
    "reduce": lambda x: x,
    "broadcast": lambda x: x,
    "gather": lambda x: x[None],
    "all_gather": lambda x: x[None],
    "scatter": lambda x: x[0],
    "reduce_scatter": lambda x: x[0],
    "all_to_all": lambda x: x,
}


@pytest.mark.parametrize("name", ALONE)
def test_operations_of_one_rank(name):
    function, x = getattr(distributed, name), np.array([[1.0, 2.0]])
    found = function(x)
    assert type(found) is np.ndarray
    np.testing.assert_array_equal(found, ALONE[name](x))
    check_gradients(lambda x: function(x * x), x)


def test_there_is_nobody_to_send_to():
    with pytest.raises(ArgumentError, match="nobody"):
        distributed.send(np.ones(2), 0)


def test_the_group_is_checked():
    with pytest.raises(ArgumentError, match="root is a rank below 1, not 1"):
        distributed.broadcast(np.ones(2), root=1)
    with pytest.raises(ArgumentError, match="not None"):
        distributed.all_reduce(None)
    with pytest.raises(ArgumentError, match="takes a Module"):
        DistributedDataParallel(nn.Linear(2, 2).parameters())
    with pytest.raises(ArgumentError, match="positive number of seconds"):
        world(timeout=0)


def test_a_parallel_model_of_one_rank_is_the_model():
    model = DistributedDataParallel(nn.Linear(2, 1, generator=0))
    assert list(model.state_dict()) == ["weight", "bias"]
    model(np.ones((3, 2))).sum().backward()
    assert model.module.weight.grad is not None
    with model.no_sync(), model.no_sync():
        assert not model.synchronizes
    assert model.synchronizes


def test_several_ranks_without_mpi4py_name_the_command():
    program = (
        "import sys; sys.modules['mpi4py'] = None\n"
        "from nn.distributed import world\n"
        "try: world()\n"
        "except ModuleNotFoundError as error: print(error.name, error)"
    )
    environment = {"PMI_RANK": "0", "PYTHONPATH": str(ROOT)}
    text = subprocess.run(
        [sys.executable, "-c", program], env=environment, text=True, capture_output=True, check=True
    ).stdout
    assert text.startswith("mpi4py several ranks need mpi4py"), text
    assert "pip install 'autograd-core[mpi]'" in text


def test_the_gradient_is_read_after_each_pass():
    """What a parallel model uses: a function that is called once after backward()."""
    called = []
    x, y = ac.Tensor([1.0, 2.0], requires_grad=True), ac.Tensor([3.0], requires_grad=True)
    for tensor in (x, y):
        tensor.node.watch.after = lambda: called.append((x.grad.numpy().tolist(), y.grad.item()))
    y.node.watch.after = x.node.watch.after
    ((x * x).sum() * y).backward()
    assert called == [([6.0, 12.0], 5.0)]
    x.requires_grad = True  # a new leaf keeps it
    assert x.node.watch.after is y.node.watch.after
    ac.grad(lambda x: (x * y).sum())(x)
    assert len(called) == 1


@pytest.mark.mpi
@needs_mpi
@pytest.mark.parametrize("run", ["mlp", "cnn", "buffers"])
def test_fit_is_resumed_with_the_same_bits(run, tmp_path):
    """After Ctrl-C on one rank and after a kill, on two ranks; on three it goes on."""

    def fitted(count, folder, *options):
        return on_ranks(count, "-m", "tests.ranks.fitting", run, str(tmp_path / folder), *options)

    whole = fitted(2, "whole")
    assert whole.status == 0, whole.text
    assert fitted(2, "resumed", "--stop", "7").text == "interrupted\n"
    assert (tmp_path / "resumed" / "step-0000000007.json").exists()
    shutil.copytree(tmp_path / "resumed", tmp_path / "more")
    assert fitted(2, "resumed", "--resume", "--stop", "11", "--kill").status != 0
    assert fitted(2, "resumed", "--resume") == whole
    rows = [(tmp_path / name / "log.jsonl").read_text() for name in ("whole", "resumed")]
    assert [text.count("\n") for text in rows] == [3, 3]
    more = fitted(3, "more", "--resume")
    assert more.status == 0, more.text


@pytest.mark.mpi
@needs_mpi
def test_a_loss_that_is_not_finite_ends_all_ranks(tmp_path):
    ended = on_ranks(3, "-m", "tests.ranks.failing", "not_finite", limit=60)
    assert ended.status != 0
    assert "fit: the loss is nan at step 2 on rank 1" in ended.text, ended.text
