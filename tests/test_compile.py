"""`compile` and what it returns: decorator, methods, Tensors, kinds of arguments, check, save."""

import os
import subprocess
import sys

import numpy as np
import pytest

import autograd_core as ac
import nn
from tests import compiling_page
from tests.test_compiling import X, bits

# ---- calls ---------------------------------------------------------------------------------------


def test_a_decorator_with_and_without_settings():
    @ac.compile
    def double(x):
        """Twice x."""
        return x * 2

    @ac.compile(threads=2)
    def triple(x):
        return x * 3

    for _ in range(2):
        assert bits([double(X), triple(X)]) == bits([X * 2, X * 3])
    assert double.__doc__ == "Twice x."
    assert double.__name__ == "double"
    with pytest.raises(TypeError, match="expected a function"):
        ac.compile(3)


def test_methods_have_programs_for_each_object():
    class Scale:
        def __init__(self, factor):
            self.factor = np.full(3, factor)

        @ac.compile
        def __call__(self, x):
            return x * self.factor

    two, five = Scale(2.0), Scale(5.0)
    for _ in range(3):
        assert bits([two(X), five(X)]) == bits([X * 2, X * 5])
    two.factor = np.full(3, 7.0)
    assert bits([two(X), five(X)]) == bits([X * 7, X * 5])


def test_tensors_are_arguments_and_results():
    compiled = ac.compile(ac.grad(lambda x: ac.sum(x**3)))
    plain = ac.grad(lambda x: ac.sum(x**3))
    for _ in range(3):
        found, expected = compiled(ac.Tensor(X)), plain(ac.Tensor(X))
        assert type(found) is type(expected)
        assert bits(found) == bits(expected)
    assert not compiled.plain
    with pytest.warns(ac.AutogradWarning, match=r"requires a gradient|runs without"):
        out = ac.compile(lambda x: x * 2 + ac.Tensor(X, requires_grad=True))(X.copy())
    assert out.requires_grad


def test_a_compiled_function_in_a_transform_runs_plainly():
    compiled = ac.compile(lambda x: np.sin(x) * x)
    compiled(X)
    assert bits(ac.grad(lambda x: ac.sum(compiled(x)))(X)) == bits(np.cos(X) * X + np.sin(X))
    assert bits(compiled(X)) == bits(np.sin(X) * X)


def test_recursion():
    @ac.compile
    def power(x, n):
        return x if n == 0 else power(x, n - 1) * x

    for _ in range(2):
        assert bits(power(X, 3)) == bits(((X * X) * X) * X)


def test_one_and_true_and_one_point_zero_are_different_arguments():
    compiled = ac.compile(lambda x, n: x * n if type(n) is int else x / 3)
    for _ in range(2):
        for n in (1, 1.0, True):
            assert bits(compiled(X, n)) == bits(X if type(n) is int else X / 3)
    assert len(compiled.programs) == 3


def test_many_kinds_of_arguments_are_warned_about():
    compiled = ac.compile(lambda x, n: x * n)
    found = [compiled(X, n) for n in range(64)]
    with pytest.warns(ac.AutogradWarning, match="more than 64 kinds"):
        found.append(compiled(X, 64))
    found += [compiled(X, n) for n in range(65, 70)]
    assert bits(found) == bits([X * n for n in range(70)])
    assert len(compiled.programs) == 64
    assert bits(compiled(X, 0)) == bits(X * 0)


def test_printing_happens_once(capsys):
    compiled = ac.compile(lambda x: print("called") or x * 2)
    for _ in range(4):
        compiled(X)
    assert capsys.readouterr().out == "called\n"


def test_a_list_that_grows_makes_another_program():
    weights = [np.ones(3)]
    compiled = ac.compile(lambda x: sum(x * w for w in weights))
    for i in range(4):
        assert bits(compiled(X)) == bits(sum(X * w for w in weights))
        weights.append(np.full(3, i + 2.0))
    weights[:] = weights[:1]
    assert bits(compiled(X)) == bits(sum(X * w for w in weights))


def test_a_parameter_that_is_replaced_moved_or_removed():
    model = nn.Linear(3, 2, generator=0)
    compiled = ac.compile(lambda x: model(x).detach().numpy())
    x = np.ones((4, 3))
    for _ in range(2):
        compiled(x)
    model.weight = nn.Parameter(np.full((2, 3), 2.0))
    assert bits(compiled(x)) == bits(model(x))
    model.bias.data = np.zeros(2)
    assert bits(compiled(x)) == bits(model(x))
    for p in model.parameters():
        p.data = p.data.astype(np.float32)
    assert bits(compiled(x)) == bits(model(x))
    del model.weight
    with pytest.raises(AttributeError, match="weight"):
        compiled(x)


def test_a_gradient_that_the_user_keeps_is_not_overwritten():
    model = nn.Linear(3, 2, generator=0)

    @ac.compile
    def slopes(x):
        for p in model.parameters():
            p.grad = None
        ac.sum(model(x) ** 2).backward()

    kept, expected = [], []
    for i in range(6):
        x = np.full((4, 3), i + 1.0)
        slopes(x)
        kept += [p.grad if i % 2 else p.grad.numpy() for p in model.parameters()]
        slopes.function(x)
        expected += [p.grad for p in model.parameters()]
    assert bits(kept) == bits(expected)


def test_observed_calls_run_plainly():
    compiled = ac.compile(lambda x: ac.sum(ac.log(ac.Tensor(x))))
    compiled(X**2)
    with pytest.warns(ac.AutogradWarning, match="observed"), ac.detect_anomaly():
        compiled(X**2)
    assert bits(compiled(X**2)) == bits(np.sum(np.log(X**2)))


# ---- check ---------------------------------------------------------------------------------------


def test_check_finds_what_a_program_does_not_notice():
    def read():
        return float(os.environ["AUTOGRAD_CORE_TEST"])

    os.environ["AUTOGRAD_CORE_TEST"] = "2.0"
    try:
        compiled = ac.compile(lambda x: x * read(), check=True)
        for _ in range(2):
            assert bits(compiled(X)) == bits(X * 2)
        os.environ["AUTOGRAD_CORE_TEST"] = "3.0"
        with pytest.raises(ac.AutogradError, match="differs from the function in the result"):
            compiled(X)
    finally:
        del os.environ["AUTOGRAD_CORE_TEST"]


def test_check_leaves_what_one_call_leaves():
    model, results = nn.Linear(3, 2, generator=0), []
    start = [p.data.copy() for p in model.parameters()]
    optimizer, rng = None, np.random.default_rng()

    def step(x):
        loss = ac.sum(model(x * rng.normal(size=x.shape)) ** 2)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    for run in (step, ac.compile(step, check=True)):
        for p, was in zip(model.parameters(), start, strict=True):
            p.data[...] = was
        rng.bit_generator.state = np.random.default_rng(3).bit_generator.state
        optimizer = nn.SGD(model.parameters(), lr=0.1, momentum=0.9)
        losses = [run(np.ones((4, 3))).item() for _ in range(5)]
        results.append((losses, [p.data.copy() for p in model.parameters()]))
    assert results[0][0] == results[1][0]
    assert bits(results[0][1]) == bits(results[1][1])


# ---- source, report, save ------------------------------------------------------------------------


def trained():
    model = nn.Sequential(nn.Linear(6, 5, generator=0), nn.Sigmoid(), nn.Linear(5, 3, generator=1))
    optimizer = nn.SGD(model.parameters(), lr=0.1, momentum=0.9)

    @ac.compile
    def step(x, y):
        loss = ac.mean((model(x) - y) ** 2)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return model, step


def test_the_page_shows_the_program_of_the_step():
    program = compiling_page.program()
    assert compiling_page.read("program") == program
    lines = [line for line in program.splitlines() if line and not line.startswith("```")]
    assert len(lines) < 60


def test_a_saved_program_runs_on_numpy_alone(tmp_path):
    model, step = trained()
    rng = np.random.default_rng(0)
    batches = [(rng.normal(size=(7, 6)), rng.normal(size=(7, 3))) for _ in range(8)]
    for batch in batches[:4]:
        step(*batch)
    step.save(tmp_path / "saved_step.py")
    losses = [float(step(*batch)) for batch in batches[4:]]
    np.savez(tmp_path / "batches.npz", *[array for batch in batches[4:] for array in batch])
    program = """
import sys
for name in ("autograd_core", "nn"):
    sys.modules[name] = None
import numpy as np
from saved_step import step
arrays = list(np.load("batches.npz").values())
print([float(step(x, y)) for x, y in zip(arrays[::2], arrays[1::2])])
try:
    step(arrays[0][:3], arrays[1])
except ValueError as error:
    print(error)
try:
    step(arrays[0].astype(np.float32), arrays[1])
except ValueError as error:
    print(error)
"""
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert not done.stderr
    found = done.stdout.splitlines()
    assert found[0] == str(losses)
    assert found[1:] == ["x must have shape (7, 6), dtype np.float64, in C order"] * 2
    assert len(model.parameters()) == 4


def test_what_cannot_be_saved(tmp_path):
    compiled = ac.compile(lambda x: x * 2)
    with pytest.raises(ac.AutogradError, match="no program yet"):
        compiled.save(tmp_path / "step.py")
    compiled(X)
    for bad in ("step.txt", "two words.py", "1.py"):
        with pytest.raises(ValueError, match="path"):
            compiled.save(tmp_path / bad)
    with pytest.raises(FileNotFoundError):
        compiled.save(tmp_path / "nowhere" / "step.py")
    assert not list(tmp_path.iterdir())


def test_a_program_with_an_opaque_call_is_not_saved(tmp_path):
    pytest.importorskip("scipy")
    from autograd_core.scipy import special

    compiled = ac.compile(lambda x: special.erf(x))
    compiled(X)
    with pytest.raises(ac.AutogradError, match="erf"):
        compiled.save(tmp_path / "step.py")


def test_a_report_has_a_row_for_each_program():
    _, step = trained()
    for size in (7, 7, 7, 3):
        step(np.ones((size, 6)), np.ones((size, 3)))
    head, *rows = step.report().splitlines()
    assert head.split() == ["program", "traced", "calls", "opaque", "views", "buffers", "bytes",
                            "unshared"]  # fmt: skip
    assert len(rows) == len(step.programs)
    traced, calls = map(int, rows[-1].split()[1:3])
    assert 0 < calls < traced
