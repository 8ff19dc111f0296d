"""Rows: einsum, and what is a case of it."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd_core.testing.strategies import shapes
from tests.table.cases import Case, matrix_products, values
from tests.table.row import Row, as_list

# ---- cases ---------------------------------------------------------------------------------------


@st.composite
def sums_of_products(draw, *choices, names=("x", "y", "z", "w")):
    """Operands for one of some subscripts: a length for each letter, and here and there a 1 that
    broadcasts; an ellipsis hides axes of its own."""
    subscripts = draw(st.sampled_from(choices))
    letters = sorted({c for c in subscripts if c.isalpha()})
    lengths = {c: draw(st.sampled_from([1, 2, 3, 3, 0])) for c in letters}
    hidden = draw(hnp.array_shapes(min_dims=0, max_dims=2, max_side=3))
    drawn = []
    for term in subscripts.replace(" ", "").partition("->")[0].split(","):
        stretched = [
            1 if c not in once(term) or draw(st.integers(0, 5)) == 0 else lengths[c]
            for c in term.replace(".", "")
        ]
        shape = [lengths[c] if term.count(c) > 1 else n for c, n in named(term, stretched)]
        at = term.find("...")
        if at >= 0:
            shape[at:at] = hidden[draw(st.integers(0, len(hidden))) :]
        drawn.append(tuple(shape))
    return Case(tuple(names[: len(drawn)]), values(draw, *drawn), {"subscripts": subscripts})


def once(term):
    return {c for c in term if term.count(c) == 1}


def named(term, lengths):
    return zip(term.replace(".", ""), lengths, strict=True)


@st.composite
def contractions(draw):
    """What contract takes: every letter in two of the terms or in all of them."""
    case = draw(
        sums_of_products("ij,jk->ik", "ji,jk->ki", "abc,cdb->da", "i,j->ji", "bij,bjk->bik",
                         "ibj,kjb->bki", "bi,bi->b", "bij,jb->ib", "ij,ij->ij", "ij,ij->", "i,->i",
                         ",->", "abij,bjak->kabi")
    )  # fmt: skip
    inputs, _, output = case.settings["subscripts"].partition("->")
    shared = set.intersection(*map(set, inputs.split(","))) - set(output)
    lengths = {}
    for term, array in zip(inputs.split(","), case.arrays, strict=True):
        lengths |= dict(zip(term, array.shape, strict=True))
    drawn = [  # summed axes do not broadcast
        tuple(lengths[c] if c in shared else n for c, n in zip(term, array.shape, strict=True))
        for term, array in zip(inputs.split(","), case.arrays, strict=True)
    ]
    return Case(case.names, values(draw, *drawn), case.settings)


@st.composite
def tensor_products(draw):
    """The three ways to name the axes that are summed over together."""
    shared = list(draw(hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3)))
    own = [list(draw(hnp.array_shapes(min_dims=0, max_dims=2, max_side=3))) for _ in "xy"]
    count = len(shared)
    if draw(st.booleans()):
        return Case(("x", "y"), values(draw, own[0] + shared, shared + own[1]), {"axes": count})
    order = draw(st.permutations(range(count)))
    xs = [*own[0], *shared]
    ys = [*(shared[i] for i in order), *own[1]]
    x_axes = [len(own[0]) + i - draw(st.sampled_from([0, len(xs)])) for i in order]
    axes = (tuple(x_axes), tuple(range(count)))
    if count == 1:
        axes = draw(st.sampled_from([axes, (x_axes[0], 0)]))
    return Case(("x", "y"), values(draw, xs, ys), {"axes": axes})


@st.composite
def last_axes(draw):
    """Operands whose last axes are of one length, or without axes."""
    x, y = draw(shapes()), draw(shapes())
    if x and y:
        y = (*y[:-1], x[-1])
    return Case(("x", "y"), values(draw, x, y), {})


@st.composite
def chains(draw):
    """Matrices that can be multiplied one after the other; a vector may begin, and one end."""
    lengths = draw(st.lists(st.sampled_from([1, 2, 3, 3, 0]), min_size=4, max_size=4))
    drawn = [tuple(lengths[i : i + 2]) for i in range(3)]
    drawn[0] = drawn[0][draw(st.integers(0, 1)) :]
    drawn[2] = drawn[2][: draw(st.integers(1, 2))]
    return Case(("x", "y", "z"), values(draw, *drawn), {})


@st.composite
def pairs(draw, same_size=False):
    x, y = draw(shapes()), draw(shapes())
    y = (1, int(np.prod(x))) if same_size and np.prod(x) != np.prod(y) else y
    return Case(("x", "y"), values(draw, x, y), {})


def stacks(signature):
    return matrix_products(signature)


@st.composite
def vector_dots(draw):
    """Stacks of vectors along the last axis, or along another one that both have."""
    case = draw(stacks("(n),(n)->()"))
    ndim = min(array.ndim for array in case.arrays)
    axis = draw(st.integers(-ndim, -1))
    arrays = tuple(np.moveaxis(array, -1, axis) for array in case.arrays)
    return Case(case.names, arrays, {"axis": axis})


def called_einsum(function, *operands, subscripts):
    return function(subscripts, *operands)


def plain_vecdot(x, y, axis):
    return np.sum(np.conj(x) * y, axis=axis)


NOTHING = {"x": (), "y": ()}
TWO = {"x": ("y", "subscripts"), "y": ("x", "subscripts")}
CONTRACTION = [
    Row("_contract", contractions(), TWO, lambda x, y, subscripts: np.einsum(subscripts, x, y),
        complex=True),
    Row("einsum", sums_of_products(
            "ij->ji", "ij->", "ij", "ba", "...i->i...", "i...->...", "...", "ijk->ki"),
        {"x": ()}, linear=True, complex=True, call=called_einsum, variant="of one"),
    Row("einsum", sums_of_products("ii->i", "ii", "iji->ij", "iii->i", "...ii->...i", "aabb->ba"),
        {"x": ()}, linear=True, complex=True, call=called_einsum, variant="of a diagonal",
        never=("0-d",), read_only=True),  # of axes that lie apart: docs/indexing.md
    Row("einsum", sums_of_products(
            "ij,jk", "ij,jk->ki", "i,j->", "...ij,...jk->...ik", "ij,ij->ij", "...i,i...->...",
            "i,->i", "ii,i->", "ij,kj->i", "bi,bi->b", "..., ..."),
        NOTHING, complex=True, call=called_einsum, variant="of two"),
    Row("einsum", sums_of_products(
            "ij,jk,kl->il", "i,j,k->kij", "i,i,i->", "ij,j,k->ik", "...i,ij,...j->...", "ii,ij,j",
            ",i,..."),
        {"x": (), "y": (), "z": ()}, complex=True, call=called_einsum, variant="of three"),
    Row("tensordot", tensor_products(), NOTHING, complex=True),
    Row("linalg.tensordot", tensor_products(), NOTHING, complex=True),
    Row("inner", last_axes(), NOTHING, complex=True),
    Row("outer", pairs(), NOTHING, complex=True),
    Row("kron", pairs(), NOTHING, complex=True),
    Row("vdot", pairs(same_size=True), NOTHING, complex=True, never=("several",)),
    Row("vecdot", vector_dots(), NOTHING, plain_vecdot, complex=True, never=("0-d",)),
    Row("linalg.vecdot", vector_dots(), NOTHING, plain_vecdot, complex=True, never=("0-d",)),
    Row("matvec", stacks("(n,m),(m)->(n)"), NOTHING, complex=True, never=("0-d",)),
    Row("vecmat", stacks("(n),(n,m)->(m)"), NOTHING, complex=True, never=("0-d",)),
    Row("linalg.multi_dot", chains(), {"x": (), "y": (), "z": ()}, complex=True, call=as_list,
        never=("0-d",)),
]  # fmt: skip
