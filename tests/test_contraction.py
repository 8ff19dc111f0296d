"""einsum and its relatives, where no row of the op table reaches: errors, orders, integers."""

import numpy as np
import pytest

import autograd_core as ac
from autograd_core.errors import IndexingError, ShapeError
from autograd_core.ops.linalg.chains import multi_dot
from autograd_core.ops.subscripts import plan


def tensor(*shape, **settings):
    return ac.Tensor(np.arange(1.0, 1 + np.prod(shape, dtype=int)).reshape(shape), **settings)


REFUSED = {
    "another count of operands": (
        lambda: ac.einsum("i,i", tensor(2)),
        "2 operands, but there are 1",
    ),
    "too few axes": (lambda: ac.einsum("ij", tensor(2)), "'ij' .* 1 axes"),
    "too many axes": (lambda: ac.einsum("i", tensor(2, 2)), "'i' .* 2 axes"),
    "lengths": (lambda: ac.einsum("ij,jk", tensor(2, 3), tensor(2, 3)), "'j' .* 3 and 2"),
    "a diagonal's lengths": (lambda: ac.einsum("ii", tensor(1, 3)), "'i' .* 1 and 3"),
    "twice in the result": (lambda: ac.einsum("ij->iij", tensor(2, 3)), "'i' twice"),
    "in the result alone": (lambda: ac.einsum("ij->k", tensor(2, 3)), "'k' only in the result"),
    "no ellipsis there": (lambda: ac.einsum("i...->i", tensor(2, 3)), "needs an ellipsis too"),
    "other characters": (lambda: ac.einsum("i+", tensor(2, 3)), r"it contains '\+'"),
    "a sublist": (lambda: ac.einsum(tensor(2), [99]), r"0 to 51 .*\[99\]"),
    "tensordot, lengths": (lambda: ac.tensordot(tensor(2, 3), tensor(2, 3), 1), r"\(2, 3\) and y"),
    "tensordot, a count": (lambda: ac.tensordot(tensor(2), tensor(2), 2), "axes=2 .* has 1"),
    "tensordot, counts": (lambda: ac.tensordot(tensor(2), tensor(2), ([0], [])), "as many axes"),
    "tensordot, twice": (
        lambda: ac.tensordot(tensor(2, 2), tensor(2, 2), ([0, -2], [0, 1])),
        "contain an axis twice",
    ),
    "inner": (
        lambda: ac.inner(tensor(2, 3), tensor(2)),
        r"inner: .*\(2, 3\) and y has shape \(2,\)",
    ),
    "vdot": (lambda: ac.vdot(tensor(2, 3), tensor(2)), r"vdot: .*\(6,\) and y"),
    "matvec": (lambda: ac.matvec(tensor(3), tensor(3)), "x needs 2 axes"),
    "vecmat": (lambda: ac.vecmat(tensor(3), tensor(2, 3)), r"vecmat: .*\(3,\) and y"),
    "vecdot of length 1": (lambda: ac.vecdot(tensor(3), tensor(1)), "vecdot"),
    "multi_dot of one": (lambda: multi_dot([tensor(2, 2)]), r"two or more matrices.*\(2, 2\)"),
    "multi_dot, stacks": (lambda: multi_dot([tensor(2), tensor(1, 2, 2)]), r"\(1, 2, 2\)"),
    "cross": (lambda: ac.cross(tensor(4), tensor(3)), "vectors of x need 2 or 3 .* have 4"),
    "dot": (lambda: ac.dot(tensor(2, 3), tensor(2, 3)), "dot: x has shape"),
    "matmul, a number": (lambda: tensor(2) @ 2.0, r"matmul: .*\(\). Use multiply"),
    "matmul, no axes": (lambda: tensor() @ tensor(2), r"matmul: .*shape \(\)"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused_in_the_users_words(name):
    call, message = REFUSED[name]
    with pytest.raises(ShapeError, match=message):
        call()


def test_an_axis_that_is_not_there():
    with pytest.raises(IndexingError, match="axis 2 is out of range; x has 2 axes"):
        ac.tensordot(tensor(2, 2), tensor(2, 2), ([2], [0]))
    with pytest.raises(IndexingError, match=r"axis -1 is out of range; y has shape \(\)"):
        ac.cross(tensor(3), 2.0)
    with pytest.raises(IndexingError):
        ac.cross(tensor(3), tensor(3), axisc=5)


def test_operands_and_sublists_in_turn(there):
    x, y = (ac.Tensor(np.arange(1.0, 7).reshape(s), requires_grad=True) for s in [(2, 3), (3, 2)])
    for ours in (ac.einsum(x, [0, 1], y, [1, 2]), ac.einsum(x, [2, 7], y, [7, 0], [0, 2]).T):
        np.testing.assert_array_equal(there.numpy(ours), there.numpy(x @ y))
        assert ours.requires_grad
    broadcast = ac.einsum(x, [..., 0], y, [0, 1], [..., 1])
    np.testing.assert_array_equal(there.numpy(broadcast), there.numpy(x @ y))


@pytest.mark.parametrize("dtype", ["?", "i1", "i4", "u8"])
@pytest.mark.parametrize("subscripts", ["ij,jk", "ij,ij->i", "ij,jk->", "i...,...k->k..."])
def test_integers_and_truths_are_as_numpys(subscripts, dtype, there):
    values = [np.arange(4).reshape(2, 2).astype(dtype), np.ones((2, 2), dtype)]
    out = ac.einsum(subscripts, *map(ac.Tensor, values), optimize=True)
    expected = np.einsum(subscripts, *values)
    assert out.dtype == expected.dtype
    assert not out.requires_grad
    np.testing.assert_array_equal(there.numpy(out), expected)


def test_python_numbers_and_lists_beside_a_tensor():
    x = tensor(2, requires_grad=True)
    for out in (ac.dot(x, 2.0), ac.dot(2.0, x), ac.inner(2.0, x), ac.einsum(",i", 2.0, x)):
        out.sum().backward()
        np.testing.assert_array_equal(x.grad.data, [2, 2])
        x.grad = None
    np.testing.assert_array_equal(ac.outer([1.0, 2.0], x).data, [[1, 2], [2, 4]])


def test_a_chain_of_products_never_holds_the_large_matrix():
    """Of a bᵀ c dᵀ the product in the middle is a number, and each of the outer ones a matrix."""
    n = 1000
    shapes = ((n, 1), (1, n), (n, 1), (1, n))
    steps, _, _ = plan(("ab", "bc", "cd", "de"), "ae", shapes)
    assert steps[0][-1] == "bc,cd->bd"


def test_many_matrices_are_multiplied_in_the_best_order():
    x = [tensor(*shape, requires_grad=True) for shape in [(9, 1), (1, 9), (9, 1), (1, 9)]]
    out = multi_dot(x)
    shapes = [parent.shape for parent, _, _ in out.node.edges()]
    assert sorted(shapes) == [(1, 9), (9, 1)]
    np.testing.assert_array_equal(out.data, x[0].data * 285 * x[3].data)


def test_a_result_is_never_the_operand_itself():
    x = tensor(2, requires_grad=True)
    assert ac.einsum("i->i", x) is not x
    assert ac.einsum("...", tensor(requires_grad=True)).node.op is not None
