"""What to use instead of the functions of NumPy that are not covered: an error says it, and so does
the table in the documentation."""

from __future__ import annotations

__all__ = ["INSTEAD", "instead"]

# What a function that is not covered could be replaced by: the text, and the functions it is for.
_TEXTS: dict[str, str] = {
    "asarray(x)": "asanyarray ascontiguousarray asfortranarray require asarray_chkfinite asmatrix",
    "a product of (x - root), or powers: sum(c * x**k)": "poly polydiv",
    "np.roots(tensor.detach().numpy())": "roots",
    "sort(x)": "sort_complex",
    "isin(x, y)": "in1d",
    "unique(concatenate([x, y]))": "union1d intersect1d setxor1d setdiff1d",
    "histogram(x) for the counts": "histogram_bin_edges",
    "einsum(...); the order of products is chosen for you": "einsum_path",
    "np.packbits(tensor.numpy())": "packbits unpackbits",
}
INSTEAD = {name: text for text, names in _TEXTS.items() for name in names.split()}


def instead(name: str) -> str:
    """What to use for a function of NumPy that is not covered."""
    return INSTEAD.get(name, "tensor.detach().numpy() if no gradient is wanted, or declare an op")
