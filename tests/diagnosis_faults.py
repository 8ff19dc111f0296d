"""Networks with a planted fault, one function for each kind."""

import numpy as np

import autograd_core as ac
import nn
from tests.diagnosis_networks import (
    ACTIVATIONS,
    NORMS,
    Last,
    attention,
    case_of,
    mlp,
    recurrent,
    started,
)


def scaled(parameter, factor):
    parameter.data = parameter.data * np.asarray(factor, parameter.dtype)


def filled(parameter, value):
    parameter.data = np.full_like(parameter.data, value)


class Function(nn.Module):
    """A function as a module."""

    def __init__(self, function):
        self.function = function

    def forward(self, x):
        return self.function(x)


def with_inserted(draw, outputs, function, after=None):
    """A network of linear layers with a function after one of its activations."""
    model = mlp(draw, 6, outputs, activation=draw.one_of("ReLU", "Tanh", "ELU"), norm="",
                depth=draw.between(2, 5))  # fmt: skip
    layers = list(model)
    layers.insert(2 * draw.between(1, (len(layers) - 1) // 2), Function(function))
    return nn.Sequential(*layers)


def vanishing(draw):
    def deep(draw, outputs):
        depth = draw.between(10, 20)
        return mlp(draw, 6, outputs, activation="Sigmoid", depth=depth, norm="")

    def in_time(draw, outputs):
        model = recurrent(draw, 4, outputs, kind="RNN")
        scaled(model.recurrent.weight_hh_l0, draw.one_of(0.01, 0.03))
        return model

    if draw.one_of(True, False):
        return case_of(draw, "mlp", deep)
    case = case_of(draw, "recurrent", in_time)
    case.x = draw.normal(draw.between(25, 40), *case.x.shape[1:])
    return case


def exploding(draw):
    def make(draw, outputs):
        name, depth = draw.one_of("ReLU", "LeakyReLU", "Softplus"), draw.between(10, 16)
        model = mlp(draw, 6, outputs, activation=name, depth=depth, width=16, norm="")
        factor = draw.one_of(1.2, 1.6)
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.data = factor * draw.normal(*parameter.shape)
        return model

    return case_of(draw, "mlp", make, loss=draw.one_of("mse", "bce logits"))


def dead(draw):
    def make(draw, outputs):
        depth = draw.between(1, 5)
        name = draw.one_of("ReLU", "SiLU", "GELU", "exact GELU")
        model = mlp(draw, 6, outputs, activation=name, depth=depth, norm="")
        linear = list(model)[2 * draw.between(0, depth - 1)]
        units = linear.bias.size
        count = draw.between(int(0.7 * units), units)
        linear.bias.data = np.where(np.arange(units) < count, -50, 0).astype(draw.dtype)
        return model

    return case_of(draw, "mlp", make)


def always_negative(draw):
    def make(draw, outputs):
        depth = draw.between(1, 5)
        name = draw.one_of("LeakyReLU", "ELU", "PReLU")
        model = mlp(draw, 6, outputs, activation=name, depth=depth, norm="")
        filled(list(model)[2 * draw.between(0, depth - 1)].bias, -50)
        return model

    return case_of(draw, "mlp", make)


def saturated(draw):
    def make(draw, outputs):
        name, depth = draw.one_of("Sigmoid", "Tanh"), draw.between(1, 3)
        model = mlp(draw, 6, outputs, activation=name, depth=depth, norm="")
        scaled(list(model)[2 * draw.between(0, depth - 1)].weight, draw.one_of(100, 200))
        return model

    return case_of(draw, "mlp", make)


def saturated_output(draw):
    """Outputs that are 0 or 1 for all examples, and wrong for three tenths or more of them."""

    def make(draw, outputs):
        model = mlp(draw, 6, outputs, norm="")
        filled(list(model)[-1].bias, draw.one_of(-50, 50))
        return model

    case = case_of(draw, "mlp", make, loss="mse of sigmoid")
    out = np.round(case.model(ac.Tensor(case.x)).detach().numpy())
    share = draw.one_of(0.3, 0.5, 1)
    case.y = np.where(draw.generator.random(out.shape) < share, 1 - out, out)
    return case


def not_finite(draw):
    functions = (
        lambda h: ac.sqrt(ac.relu(h)),
        lambda h: ac.sqrt(ac.maximum(h, 0)),
        lambda h: h / ac.sqrt(ac.sum(ac.relu(h - 100) ** 2, axis=1, keepdims=True)),
        lambda h: ac.relu(h - 0.1) ** 0.5,
    )

    def make(draw, outputs):
        return with_inserted(draw, outputs, draw.one_of(*functions))

    return case_of(draw, "mlp", make, loss=draw.one_of("mse", "bce logits"))


class Unused(nn.Module):
    """A network, and a layer that it does not use."""

    def __init__(self, model, spare):
        self.model, self.spare = model, spare

    def forward(self, x):
        return self.model(x)


def unused(draw):
    return case_of(
        draw, "mlp", lambda d, m: Unused(mlp(d, 6, m), d.linear(d.between(2, 8), d.between(2, 8)))
    )


def inside_no_grad(h):
    with ac.no_grad():
        return h * 2


def detached(draw):
    cuts = (lambda h: h.detach(), np.rint, inside_no_grad, lambda h: ac.Tensor(h.detach().numpy()))
    return case_of(draw, "mlp", lambda d, m: with_inserted(d, m, d.one_of(*cuts)))


def forgotten_zero(draw):
    case = case_of(draw, "mlp", lambda d, m: mlp(d, 6, m))
    case.zeroes = False
    return case


def far_above_chance(draw):
    """The last weights are so large that the loss is 4 to 10 times ln k or more."""
    kind = draw.one_of("cross-entropy", "cross-entropy of one-hot")
    case = case_of(draw, "mlp", lambda d, m: mlp(d, 6, m), loss=kind)
    last = list(case.model)[-1]
    while case.error().item() < draw.one_of(4, 10) * np.log(last.bias.size):
        scaled(last.weight, 2)
    return case


def one_hot_attention(draw):
    def make(draw, outputs):
        model = attention(draw, 4, outputs)
        model.causal = False
        scaled(model.attention.in_proj_weight, draw.one_of(50, 200))
        return model

    return case_of(draw, "attention", make)


def stuck_gates(draw):
    def gated(draw, outputs):
        model = mlp(draw, 6, outputs, activation="GLU", depth=draw.between(1, 3), norm="")
        bias = model[0].bias
        half = np.arange(bias.size) < bias.size // 2
        bias.data = np.where(half, bias.data, draw.one_of(-50, 50)).astype(draw.dtype)
        return model

    def make(draw, outputs):
        kind = draw.one_of("LSTM", "GRU")
        model = recurrent(draw, 4, outputs, kind=kind)
        assert isinstance(model, Last)
        size = model.recurrent.hidden_size
        bias = model.recurrent.bias_ih_l0.data.copy()
        gates = np.arange(len(bias)) // size
        chosen = gates < 2 if kind == "GRU" else gates != 2
        bias[chosen] = draw.one_of(-15, 15)
        model.recurrent.bias_ih_l0.data = bias
        return model

    if draw.one_of(True, False, False):
        return case_of(draw, "mlp", gated)
    return case_of(draw, "recurrent", make)


def constant_normalization(draw):
    def make(draw, outputs):
        norm, depth = draw.one_of(*NORMS), draw.between(1, 4)
        name = draw.one_of(*ACTIVATIONS)
        model = mlp(draw, 6, outputs, activation=name, depth=depth, norm=norm)
        linear = list(model)[3 * draw.between(0, depth - 1)]
        scaled(linear.weight, draw.one_of(1e-4, 1e-6))
        filled(linear.bias, 0 if norm == "RMSNorm" else draw.one_of(0, 1))
        return model

    return case_of(draw, "mlp", make)


FAULTS = {
    "vanishing": vanishing,
    "exploding": exploding,
    "dead ReLU": dead,
    "always negative": always_negative,
    "saturated": saturated,
    "saturated output": saturated_output,
    "not finite": not_finite,
    "unused parameter": unused,
    "gradient stops": detached,
    "forgotten zero_grad": forgotten_zero,
    "above chance": far_above_chance,
    "one-hot attention": one_hot_attention,
    "stuck gates": stuck_gates,
    "constant input": constant_normalization,
}


def faulty(kind, seed):
    """A case with the fault `kind`."""
    return FAULTS[kind](started(seed, 1000 + list(FAULTS).index(kind)))
