"""Every schedule sets PyTorch's rates, step by step."""

import numpy as np
import pytest

import nn

torch = pytest.importorskip("torch", reason="needs torch: pip install -e '.[oracles]'")
pytestmark = [
    pytest.mark.oracle,
    pytest.mark.filterwarnings("ignore:.*comes before the first step"),
    pytest.mark.filterwarnings("ignore:Detected call of:UserWarning"),
    pytest.mark.filterwarnings("ignore:The epoch parameter:UserWarning"),
]

OPTIONS = [
    ("LambdaLR", {"lr_lambda": lambda t: 1 / (1 + t)}),
    ("LambdaLR", {"lr_lambda": [lambda t: 0.9**t, lambda t: 0.5 + t]}),
    ("StepLR", {"step_size": 3}),
    ("StepLR", {"step_size": 2, "gamma": 0.7}),
    ("MultiStepLR", {"milestones": [2, 5, 5, 9], "gamma": 0.5}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.1, "total_iters": 3}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.1, "end_factor": 0.6, "total_iters": 8}),
    ("PolynomialLR", {"total_iters": 7, "power": 2.0}),
    ("CosineAnnealingLR", {"T_max": 6, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 4}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.01}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 20}),
    ("OneCycleLR", {"max_lr": [1.0, 0.5], "epochs": 4, "steps_per_epoch": 5, "three_phase": True}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 18, "anneal_strategy": "linear",
                    "pct_start": 0.4, "div_factor": 10, "final_div_factor": 100}),
]  # fmt: skip
NAMES = [f"{name}{i}" for i, (name, _) in enumerate(OPTIONS)]


def optimizers(kind="SGD"):
    found = []
    for module, parameter in ((nn, nn.Parameter), (torch.optim, torch.nn.Parameter)):

        def make(parameter=parameter):
            return parameter(np.ones(2) if parameter is nn.Parameter else torch.ones(2))

        settings = {"momentum": 0.9} if kind == "SGD" else {}
        groups = [{"params": [make()]}, {"params": [make()], "lr": 0.3}]
        found.append(getattr(module, kind)(groups, lr=0.1, **settings))
    return found


def rates(optimizer):
    keys = ("lr", "momentum", "betas")
    return [[group[key] for key in keys if key in group] for group in optimizer.param_groups]


def assert_equal(mine, torchs):
    for a, b in zip(rates(mine), rates(torchs), strict=True):
        np.testing.assert_allclose(np.hstack(a), np.hstack(b), rtol=1e-12)


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=NAMES)
@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_every_step(name, options, kind):
    mine, torchs = optimizers(kind)
    schedule = getattr(nn, name)(mine, **options)
    known = getattr(torch.optim.lr_scheduler, name)(torchs, **options)
    assert_equal(mine, torchs)
    for step in range(17):
        schedule.step()
        known.step()
        assert_equal(mine, torchs)
        np.testing.assert_allclose(schedule.get_last_lr(), known.get_last_lr(), rtol=1e-12)
        if step == 8:
            states = mine.state_dict(), schedule.state_dict()
            mine = optimizers(kind)[0]
            schedule = getattr(nn, name)(mine, **options)
            mine.load_state_dict(states[0])
            schedule.load_state_dict(states[1])


def test_restarts_at_fractions():
    mine, torchs = optimizers()
    schedule = nn.CosineAnnealingWarmRestarts(mine, 3, 2)
    known = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(torchs, 3, 2)
    for epoch in (0.5, 1.25, 2.75, 3.0, 7.5, 12.1):
        schedule.step(epoch)
        known.step(epoch)
        assert_equal(mine, torchs)
    schedule.step()
    known.step()
    assert_equal(mine, torchs)


def test_one_after_the_other():
    found = []
    for module, optimizer in zip((nn, torch.optim.lr_scheduler), optimizers(), strict=True):
        warm_up = module.LinearLR(optimizer, 0.1, total_iters=4)
        parts = [warm_up, module.ExponentialLR(optimizer, 0.8), module.StepLR(optimizer, 2, 0.5)]
        schedule = module.SequentialLR(optimizer, parts, [4, 8])
        values = [rates(optimizer)]
        for _ in range(14):
            schedule.step()
            values.append(rates(optimizer))
        found.append(np.array(values, float))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)


@pytest.mark.parametrize(
    "options",
    [{}, {"patience": 1, "cooldown": 2, "factor": 0.5}, {"mode": "max", "patience": 0},
     {"threshold_mode": "abs", "threshold": 0.2, "patience": 1, "min_lr": [0.02, 0.05]},
     {"mode": "max", "threshold_mode": "abs", "threshold": 0.1, "patience": 2, "eps": 0.05}],
)  # fmt: skip
def test_on_a_plateau(options):
    mine, torchs = optimizers()
    schedule = nn.ReduceLROnPlateau(mine, **options)
    known = torch.optim.lr_scheduler.ReduceLROnPlateau(torchs, **options)
    random = np.random.default_rng(0)
    for step in range(40):
        metric = 1 / (1 + step // 6) + 0.3 * random.normal()
        schedule.step(metric)
        known.step(metric)
        assert_equal(mine, torchs)


def test_chained_schedules():
    """Each multiplies what the others have set, also after a restart."""
    mine, torchs = optimizers()
    made = [("LinearLR", (0.1,)), ("ExponentialLR", (0.9,)), ("StepLR", (2, 0.1)),
            ("CosineAnnealingLR", (9, 0.001))]  # fmt: skip
    schedules = [getattr(nn, name)(mine, *args) for name, args in made]
    known = [getattr(torch.optim.lr_scheduler, name)(torchs, *args) for name, args in made]
    for step in range(8):
        for each in (*schedules, *known):
            each.step()
        assert_equal(mine, torchs)
        if step == 3:
            states = [s.state_dict() for s in schedules], mine.state_dict()
            mine = optimizers()[0]
            schedules = [getattr(nn, name)(mine, *args) for name, args in made]
            mine.load_state_dict(states[1])
            for schedule, state in zip(schedules, states[0], strict=True):
                schedule.load_state_dict(state)


def test_a_schedule_made_for_a_restored_optimiser_knows_the_first_rate():
    mine = optimizers()[0]
    schedule = nn.StepLR(mine, 1, 0.1)
    schedule.step()
    schedule.step()
    again = optimizers()[0]
    again.load_state_dict(mine.state_dict())
    resumed = nn.StepLR(again, 1, 0.1, last_epoch=1)
    assert resumed.base_lrs == schedule.base_lrs
    assert_equal(again, mine)


@pytest.mark.parametrize("name", ["StepLR", "CosineAnnealingWarmRestarts", "OneCycleLR"])
def test_pytorchs_states(name):
    options = {"StepLR": (2,), "CosineAnnealingWarmRestarts": (3,), "OneCycleLR": (0.5, 20)}[name]
    mine, torchs = optimizers("Adam")
    known = getattr(torch.optim.lr_scheduler, name)(torchs, *options)
    schedule = getattr(nn, name)(mine, *options)
    for _ in range(4):
        known.step()
    schedule.load_state_dict(known.state_dict())
    mine.load_state_dict(torchs.state_dict())
    for _ in range(5):
        known.step()
        schedule.step()
        assert_equal(mine, torchs)
