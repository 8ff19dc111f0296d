"""How a row of the op table is called, and what is checked of one call.

The checks take a row, a case and a device, so that test_planted_errors.py can see them fail.
"""

from dataclasses import replace

import numpy as np
from hypothesis import Phase, find, settings

import autograd_core as ac
from autograd_core.engine.backward import propagate
from tests.devices import Host
from tests.differences import assert_agrees, terms
from tests.table.rows import HERE

# ---- one call ------------------------------------------------------------------------------------


def placed(value, device):
    """A setting with its arrays on the device."""
    if isinstance(value, tuple):
        return tuple(placed(entry, device) for entry in value)
    if isinstance(value, np.ndarray):
        return device.array(value)
    return device.home if value is HERE else value


def locked(array):
    """`array`, which raises from now on when it is written to; a device has no such lock."""
    if isinstance(array, np.ndarray):
        array.flags.writeable = False
    return array


def operands(row, case, device, tracked=None):
    """The operands as Tensors: leaves where `row` has a rule (and `tracked` names them)."""
    wanted = row.keeps if tracked is None else tracked
    return [
        ac.Tensor(locked(device.array(array)), requires_grad=name in wanted)
        for name, array in zip(case.names, case.arrays, strict=True)
    ]


def called(row, case, values, device, function=None):
    chosen = {name: placed(value, device) for name, value in case.settings.items()}
    return row.call(function or row.function, *values, **chosen)


def first(cases, condition):
    """Some case for which the condition holds; raises where there is none."""
    quick = settings(phases=[Phase.generate], max_examples=1000, derandomize=True, database=None)
    return find(cases, condition, settings=quick)


def reference(row, case):
    chosen = {name: None if v is HERE else v for name, v in case.settings.items()}
    return np.asarray(row.expected(*case.arrays, **chosen))


def leaves(tensors):
    return [tensor for tensor in tensors if tensor.requires_grad]


def normal(like, seed=0):
    """Random numbers of the shape and dtype of an array."""
    rng = np.random.default_rng([seed, like.size])
    drawn = rng.uniform(-1, 1, like.shape)
    if like.dtype.kind == "c":
        drawn = drawn + 1j * rng.uniform(-1, 1, like.shape)
    return np.asarray(drawn, like.dtype)


def moved(arrays, directions, t):
    pairs = zip(arrays, directions, strict=True)
    return tuple(a if d is None else np.asarray(a + t * d) for a, d in pairs)


def gradients(row, case, device, cotangent):
    """What backward gives each leaf, on the host."""
    tensors = operands(row, case, device)
    out = called(row, case, tensors, device)
    out.backward(locked(device.array(cotangent)))
    for leaf in leaves(tensors):
        assert leaf.grad.shape == leaf.shape
        assert leaf.grad.dtype == leaf.dtype
    return [device.numpy(leaf.grad) for leaf in leaves(tensors)]


def differentiable(row, case):
    """The positions of the operands that have a rule."""
    return [i for i, name in enumerate(case.names) if name in row.keeps]


def assert_close(actual, expected, factor=32):
    """Equal but for rounding, of which sums of these sizes make at most `factor` units."""
    assert actual.shape == expected.shape
    accuracy = np.finfo(actual.dtype).eps if actual.dtype.kind in "fc" else 0
    size = max(1, np.abs(expected).max(initial=0)) if accuracy else 0
    np.testing.assert_allclose(actual, expected, rtol=factor * accuracy,
                               atol=factor * accuracy * size)  # fmt: skip


# ---- what is checked of it -----------------------------------------------------------------------


def check_value(row, case, device):
    out = called(row, case, operands(row, case, device, ()), device)
    expected = reference(row, case)
    assert type(out) is ac.Tensor
    assert out.node is None
    assert out.dtype == row.dtype(*(array.dtype for array in case.arrays))
    assert_close(device.numpy(out), expected)


def check_gradient(row, case, device):
    cotangent = normal(reference(row, case))
    found = gradients(row, case, device, cotangent)
    positions = differentiable(row, case)
    for i, gradient in zip(positions, found, strict=True):
        direction = normal(case.arrays[i], seed=1)
        directions = [direction if j == i else None for j in range(len(case.arrays))]

        def loss(t, directions=directions):
            return terms(
                cotangent, reference(row, replace(case, arrays=moved(case.arrays, directions, t)))
            )

        assert_agrees(terms(gradient, direction), loss, case.names[i])


def check_second_order(row, case, device):
    """The recorded gradient is itself differentiated, in the operands and in what arrives."""
    arriving = normal(reference(row, case))
    weights = [normal(case.arrays[i], seed=2) for i in differentiable(row, case)]
    tensors = operands(row, case, device)
    cotangent = ac.Tensor(device.array(arriving), requires_grad=True)
    called(row, case, tensors, device).backward(cotangent, create_graph=True)
    firsts = [leaf.grad for leaf in leaves(tensors)]
    for leaf in leaves(tensors):
        leaf.grad = None
    weighted = [(first.node, device.array(w)) for first, w in zip(firsts, weights, strict=True)]
    arrived = propagate(weighted, retain=False)
    seconds = {id(watch.tensor()): device.numpy(g) for watch, g, _ in arrived}

    points = [*case.arrays, arriving]
    owners = [*(tensor if tensor.requires_grad else None for tensor in tensors), cotangent]
    directions = [None if o is None else normal(p, 3) for o, p in zip(owners, points, strict=True)]
    if row.linear or row.flat:
        assert {id(cotangent)} >= {key for key, g in seconds.items() if g.any()}
    found = [
        terms(seconds[id(owner)], direction)
        for owner, direction in zip(owners, directions, strict=True)
        if id(owner) in seconds
    ]

    def weighted_gradients(t):
        *arrays, g = moved(points, directions, t)
        # on the host, whose gradients other tests compare with the device's: the stand-in is slow
        drawn = gradients(row, replace(case, arrays=tuple(arrays)), Host, g)
        return np.concatenate([terms(w, d) for w, d in zip(weights, drawn, strict=True)])

    assert_agrees(np.concatenate(found), weighted_gradients, "at second order")


def check_precision(row, case, device):
    """The bare rules, before the edge has a chance to cast, and the gradients."""
    tensors = operands(row, case, device)
    out = called(row, case, tensors, device)
    wanted = row.dtype(*(array.dtype for array in case.arrays))
    assert out.dtype == wanted, f"the kernel returned {out.dtype}; the row says {wanted}"
    cotangent = normal(device.numpy(out))
    for _, rule, saved in out.node.edges():
        bare = rule.function(device.array(cotangent), *saved)
        if isinstance(bare, tuple):  # a gradient for one of several results: it is handed on
            continue
        real = np.finfo(out.dtype).dtype
        if real == np.float16 and getattr(out.node.op, "pointwise", False) and rule.names:
            real = np.dtype(np.float32)  # float16 is computed in float32, and the edge rounds
        precise = real if bare.dtype.kind == "f" else np.result_type(out.dtype, "c8")
        assert bare.dtype == precise, (
            f"the rule for {rule.operand!r} returned {bare.dtype} for a {out.dtype} gradient. "
            "Python numbers keep the dtype, NumPy scalars and arrays do not"
        )
    found = gradients(row, case, device, cotangent)
    wide = replace(case, arrays=tuple(map(widened, case.arrays)))
    for low, high in zip(found, gradients(row, wide, device, cotangent), strict=True):
        assert_close(low, high.astype(low.dtype), factor=128)


def widened(array):
    """The same numbers in double precision."""
    return array.astype({"f": "f8", "c": "c16"}.get(array.dtype.kind, array.dtype))


def check_kept(row, case, device):
    """With one operand tracked there is one edge, and the others are kept only if it names them."""
    assert not row.composed
    for tracked in row.keeps:
        if tracked not in case.names:
            continue
        tensors = operands(row, case, device, (tracked,))
        out = called(row, case, tensors, device)
        parents = [t.node for t in tensors if t.requires_grad]
        assert [parent for parent, *_ in out.node.edges()] == parents
        by_name = dict(zip(case.names, tensors, strict=True))
        for _, rule, saved in out.node.edges():
            assert rule.names == row.keeps[tracked], (
                f"the rule for {tracked!r} uses {rule.names}; the row says {row.keeps[tracked]}"
            )
            for name, value in zip(rule.names, saved, strict=True):
                source = name.removesuffix("_shape")
                origin = {"out": out}.get(source, by_name.get(source))
                if origin is None:
                    assert not isinstance(value, type(out.data)) or name in case.settings
                elif source != name:
                    assert value == origin.shape
                else:
                    assert value is origin.data


def check_batched(row, case, count, device):
    tensors = operands(row, case, device)
    out = called(row, case, tensors, device)
    stack = normal(np.broadcast_to(device.numpy(out), (count, *out.shape)))
    for create_graph in (False, True):
        seeds = [(out.node, device.array(stack))]
        arrived = propagate(seeds, retain=True, lead=1, create_graph=create_graph)
        batched = {id(watch.tensor()): device.numpy(g) for watch, g, _ in arrived}
        rows = [gradients(row, case, device, g) for g in stack]
        for i, leaf in enumerate(leaves(tensors)):
            assert batched[id(leaf)].dtype == leaf.dtype
            expected = np.stack([g[i] for g in rows]) if rows else np.zeros((0, *leaf.shape))
            assert_close(batched[id(leaf)], expected)
