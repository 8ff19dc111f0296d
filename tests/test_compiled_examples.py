"""The examples, with their derivatives and training loops compiled: they print the same numbers."""

import importlib
import re

import numpy as np
import pytest

import autograd_core as ac
from autograd_core.compiling import Compiled
from examples import small_network
from tests.test_compiling import bits
from tests.test_lecture import LEFT

TRANSFORMS = ("grad", "value_and_grad", "hessian", "jacobian", "elementwise_grad", "hvp")
TIMES = re.compile(r"/\S+|\d+\.\d\d(?=    )|\d+\.\d s\b")  # paths of files, and seconds


@pytest.mark.parametrize("name", sorted(LEFT))
@pytest.mark.filterwarnings("ignore:compile")
def test_an_example_prints_the_same(name, tmp_path, capsys, monkeypatch):
    made, printed = [], []
    monkeypatch.setattr(Compiled, "_warn", lambda self, message: None)
    example = importlib.import_module(f"examples.{name}")
    for compiled in (False, True):
        for transform in TRANSFORMS if compiled else ():
            original = getattr(ac, transform)

            def wrapped(*args, original=original, **settings):
                made.append(Compiled(original(*args, **settings)))
                return made[-1]

            monkeypatch.setattr(ac, transform, wrapped)
        example.main(["--quick", "--out", str(tmp_path)])
        printed.append(TIMES.sub("", capsys.readouterr().out))
    assert printed[0] == printed[1]
    reasons = {reason for function in made for reason in function.plain.values()}
    assert reasons <= {"an argument of the type function cannot be followed"}


@pytest.mark.parametrize("train", [small_network.by_primitives, small_network.by_modules])
def test_a_whole_training_run_is_a_program(train, monkeypatch):
    arrays = small_network.start()  # makes a generator of random numbers, which is not followed
    monkeypatch.setattr(small_network, "start", lambda: [array.copy() for array in arrays])
    compiled = Compiled(train)
    rng = np.random.default_rng(0)
    for _ in range(3):
        x, y = rng.normal(size=(20, 2)), rng.integers(0, 2, (20, 1)).astype(float)
        assert bits(compiled(x, y, 10)) == bits(train(x, y, 10))
    assert not compiled.plain
    assert len(compiled.programs) == 1
