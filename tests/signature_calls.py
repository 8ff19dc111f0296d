"""Arguments for the parameters of NumPy's functions, for `test_signatures`.

An array among the operands is passed as an array, a list, a number and a Tensor.
"""

import numpy as np

A = np.array([[0.5, 1.25, 0.75], [1.5, 0.25, 2.0]])
B = np.array([[1.0, 0.5, 0.25], [0.75, 1.75, 0.5]])
V = np.array([0.5, 1.5, 1.0, 2.5])
W = np.array([1.0, 0.25, 0.5, 2.0])
SQUARE = np.array([[2.0, 0.5, 0.25], [0.5, 3.0, 0.75], [0.25, 0.75, 4.0]])
NUMBERS = np.array([3, 1, 2, 2])
MASK = np.array([[True, False, True], [True, True, False]])
CUBE = np.arange(24.0).reshape(2, 3, 4) / 8


def _each(names, value):
    return dict.fromkeys(names, value)


# The value of a parameter in every function that is not in `CALLS`. Of a boolean parameter that is
# not here, the value is the one that is not the default; of `axis` it is 0, or -1 instead of 0;
# an `out` is made for the result.
VALUES = {
    **_each(("a", "x", "m", "arr", "ary", "array", "z", "val", "arrays", "prototype"), A),
    **_each(("a1", "x1", "y", "element", "arr1"), A),
    **_each(("b", "a2", "x2", "values", "test_elements"), B),
    **{"dtype": "float32", "casting": "unsafe", "initial": 2.0, "where": MASK, "ddof": 1},
    **{"v": A, "correction": 1, "mean": A.mean(keepdims=True), "order": "F", "device": "cpu"},
    **{"kind": "stable", "stable": True, "copy": True, "k": 1, "offset": 1, "decimals": 1},
    **{"descending": True},  # of sort and argsort, since NumPy 2.5
    **{"axis1": 1, "axis2": 0, "norm": "ortho", "n": 2, "s": (2, 2), "axes": (0, 1)},
    **{"weights": B, "q": 30, "method": "lower", "shape": (3, 2), "like": np.zeros(1)},
    **{
        "suppress_small": True,
        "fill_value": 2.5,
        "indices_or_sections": 1,
        "rtol": 0.5,
        "atol": 0.5,
        "bias": True,
    },
    **{"max_line_width": 20, "precision": 2, "deg": True, "prepend": 1.0, "append": 2.0},
    **{"num": 5, "N": 3, "M": 4, "max_work": 1, "dx": 0.5, "bins": 3, "range": (0.0, 3.0)},
    **{"density": True, "rowvar": False, "UPLO": "U", "ord": 1, "mode": "wrap"},
}

STACKED = {"arrays": [A, B], "tup": [A, B]}
FLAT = {"a": V, "b": W, "x": V, "y": W, "v": W, "m": A}
SPLIT = {"ary": np.arange(16.0).reshape(2, 2, 4), "indices_or_sections": 2}
QUANTILE = {"weights": np.ones((2, 3)), "method": "inverted_cdf"}
SPACED = {"start": np.array(1.0), "stop": np.array(3.0), "axis": -1, "base": 2.0}
LABELS = {"x": NUMBERS, "ar": NUMBERS}
PLACES = {"indices": np.array([0, 1]), "obj": 1, "source": 0, "destination": 1, "shift": 1}
SQUARES = {"a": SQUARE, "x": SQUARE, "b": SQUARE[0], "A": SQUARE}
ARRAYS = {"arrays": [A, A.T, B], "optimize": True}

# Other values of a function. `with: {parameter: settings}` are given together with a parameter.
CALLS = {
    **_each(("max", "min", "amax", "amin", "nanmax", "nanmin"),
            {"with": {"where": {"initial": 0.0}}}),
    **_each(("cumulative_sum", "cumulative_prod"), {"x": V}),
    **_each(("diagonal", "trace"), {"a": CUBE, "axis1": 2, "axis2": 2}),
    "squeeze": {"a": A[None]},
    "append": {"values": B},
    "arange": {"start_or_stop": 1, "stop": 4, "step": 2},
    **_each(("argpartition", "partition"), {"kth": 1, "kind": "introselect"}),
    "array": {"object": A, "ndmin": 3, "ndmax": 2, "order": "F"},
    "asarray": {"a": A, "order": "F"},
    "array2string": {"separator": ", ", "prefix": "p", "formatter": {"float": "{:.1f}".format},
                     "threshold": 2, "edgeitems": 1, "sign": "+", "floatmode": "fixed",
                     "suffix": ")", "legacy": "1.13"},
    **_each(("array_split", "split"), {"ary": A, "indices_or_sections": [1]}),
    **_each(("hsplit", "vsplit", "dsplit"), SPLIT),
    "bincount": {"x": NUMBERS, "weights": V, "minlength": 6},
    "can_cast": {"from_": A, "to": "float32", "casting": "unsafe"},
    "choose": {"a": np.array([0, 1, 0]), "choices": [A[0], A[1]]},
    "clip": [((A, 0.5, 1.5), {}), ((A,), {"a_min": 0.5, "a_max": 1.5}), ((A, 0.5, None), {}),
             ((A, None), {"a_max": 1.5}), ((A,), {"min": 0.5, "max": 1.5}), ((A,), {"min": 0.5}),
             ((A, 0.5, 1.5, A * 0), {}), ((), {"a": A, "a_min": 0.5, "a_max": 1.5})],
    "compress": {"condition": [True, False]},
    **_each(("concat", "concatenate", "stack", "hstack", "vstack", "row_stack",
                     "column_stack", "dstack"), STACKED),
    **_each(("convolve", "correlate"), {"a": V, "v": W[:2], "mode": "same"}),
    **_each(("cov", "corrcoef"), {"y": B, "fweights": [1, 2, 1], "aweights": [1.0, 2, 1]}),
    "copyto": {"dst": A, "src": B},
    "cross": {"axisa": 0, "axisb": 0, "axisc": 0, "a": SQUARE, "b": SQUARE.T},
    **_each(("delete", "moveaxis", "roll"), PLACES),
    "insert": {**PLACES, "values": 2.0},
    "diag_indices_from": {"arr": SQUARE},
    "digitize": {"x": A, "bins": W[:1].repeat(2)},
    **_each(("dot", "inner", "outer", "vdot", "kron"), FLAT),
    "ediff1d": {"to_end": 1.0, "to_begin": 2.0},
    "extract": {"condition": MASK},
    "fill_diagonal": {"a": np.vstack([A, A]), "val": 2.0},
    "full": {"fill_value": np.array(2.5)},
    **_each(("geomspace", "linspace", "logspace"), SPACED),
    "histogram": {"a": V, "weights": W},
    "histogram2d": {"x": V, "y": W, "weights": V, "range": [(0, 3), (0, 3)]},
    "histogramdd": {"sample": A.T, "weights": V[:3], "range": [(0, 3), (0, 3)]},
    "indices": {"dimensions": (2, 3)},
    "interp": {"x": V, "xp": np.array([0.75, 1.0, 2.0]), "fp": A[0], "left": 0.0, "right": 1.0,
               "period": 3.0},
    "isin": {"kind": "sort"},
    "lexsort": {"keys": [V, W], "axis": 0},
    "nan_to_num": {"nan": 1.0, "posinf": 2.0, "neginf": 3.0},
    "pad": [((A, 1), {}), ((A, ((1, 0), (2, 1)), "edge"), {}),
            ((A, 1), {"mode": "constant", "constant_values": 2.0}),
            ((A,), {"pad_width": 1, "mode": "wrap"})],
    **_each(("percentile", "quantile", "nanpercentile", "nanquantile"),
                    {"q": 0.5, "with": {"weights": {"method": "inverted_cdf"}},
                     "weights": np.ones((2, 3)), "method": "lower"}),
    "permute_dims": {"axes": (1, 0)},
    "transpose": {"axes": (1, 0)},
    "place": {"mask": MASK, "vals": [2.0, 3.0]},
    **_each(("polyadd", "polysub", "polymul"), {"a1": V, "a2": W[:2]}),
    "polyder": {"p": V, "m": 2},
    "polyfit": {"x": V, "y": W, "deg": 1, "rcond": 1e-3, "w": V},
    "polyint": {"p": V, "m": 2, "k": 1.0},
    "polyval": {"p": V, "x": A},
    "put": {"ind": [0, 2], "v": [2.0, 3.0]},
    "put_along_axis": {"indices": np.array([[0, 1, 0]]), "values": 2.0, "axis": 0},
    "putmask": {"mask": MASK, "values": [2.0, 3.0]},
    "ravel_multi_index": {"multi_index": (np.array([0, 1]), np.array([2, 1])), "dims": (2, 3)},
    "real_if_close": {"tol": 10},
    "repeat": {"repeats": 2},
    "resize": {"new_shape": (4, 2)},
    "rollaxis": {"axis": 1, "start": 2},
    "rot90": {"k": 2, "axes": (1, 0)},
    "searchsorted": {"a": np.sort(V), "v": W, "side": "right", "sorter": [0, 1, 2, 3]},
    "select": {"condlist": [MASK, ~MASK], "choicelist": [A, B], "default": 1.0},
    "broadcast_to": {"shape": (2, 2, 3)},
    "astype": {"dtype": "float32"},
    **_each(("full_like", "zeros_like", "ones_like", "empty_like"), {"dtype": "float32"}),
    "take": {"indices": [0, 1]},
    "take_along_axis": {"indices": np.array([[0, 1, 0]]), "axis": 0},
    "tensordot": {"a": SQUARE, "b": SQUARE.T, "axes": 1},
    "tile": {"A": A, "reps": 2},
    "trapezoid": {"x": [0.5, 1.0, 2.0], "axis": 1},
    "trim_zeros": {"filt": np.array([0, 1.0, 0]), "trim": "f", "axis": 0},
    **_each(("unique", "unique_all", "unique_counts", "unique_inverse", "unique_values"),
                    LABELS),
    "unravel_index": {"indices": np.array([1, 4]), "shape": (2, 3)},
    "unwrap": {"p": 4 * A, "discont": 4.0, "period": 5.0},
    "vander": {"x": V, "N": 3},
    "where": {"condition": MASK, "x": A, "y": B},
    "gradient": [((A,), {}), ((A, 2.0), {}),
                 ((A.repeat(2, 0),), {"axis": 0, "edge_order": 2})],
    "apply_along_axis": [((np.sort, 0, A), {}), ((np.sum, 1), {"arr": A})],
    "apply_over_axes": [((np.sum, A, [0, 1]), {}), ((np.sum,), {"a": A, "axes": [0]})],
    **_each(("atleast_1d", "atleast_2d", "atleast_3d"), [((A,), {}), ((A, V), {})]),
    "block": [(([A, B],), {}), ((), {"arrays": [[A, B], [B, A]]})],
    "broadcast_arrays": [((A, B[0]), {}), ((A, B[0]), {"subok": False})],
    "common_type": [((A,), {}), ((A, B.astype("f4")), {})],
    "result_type": [((A,), {}), ((A, "float32"), {})],
    "einsum": [(("ij,kj->ik", A, B), {}), (("ij,kj", A, B), {"optimize": True}),
               ((A, [0, 1], [1, 0]), {})],
    "ix_": [((NUMBERS, np.array([0, 1])), {})],
    "meshgrid": [((V, W), {}), ((V, W), {"indexing": "ij"}), ((V, W), {"sparse": True}),
                 ((V, W), {"copy": True})],
    "piecewise": [((A, [MASK, ~MASK], [1.0, np.sqrt]), {}),
                  ((A,), {"condlist": [MASK], "funclist": [2.0, 3.0]})],
    "unstack": {"x": A},
    "linalg.cond": {"x": SQUARE, "p": 1},
    "linalg.cross": {"x1": SQUARE, "x2": SQUARE.T},
    **_each(("linalg.det", "linalg.eig", "linalg.eigh", "linalg.eigvals",
                     "linalg.eigvalsh", "linalg.inv", "linalg.cholesky", "linalg.solve",
                     "linalg.slogdet", "linalg.diagonal", "linalg.trace"), SQUARES),
    # the signs of singular vectors are not determined
    "linalg.svd": {"a": SQUARE, "with": {"hermitian": {"compute_uv": False}}},
    "linalg.lstsq": {"a": A.T, "b": V[:3], "rcond": 0.1},
    "linalg.matmul": {"x1": A, "x2": B.T},
    "linalg.matrix_power": {"a": SQUARE, "n": 3},
    "linalg.matrix_rank": {"A": SQUARE, "tol": 0.1, "rtol": 0.1},
    "linalg.multi_dot": {"arrays": [A, A.T, B]},
    "linalg.outer": {"x1": V, "x2": W},
    "linalg.norm": {"x": SQUARE},
    "linalg.pinv": {"a": SQUARE, "rcond": 0.1, "rtol": 0.1},
    "linalg.qr": {"mode": "complete"},
    "linalg.tensordot": {"x1": SQUARE, "x2": SQUARE.T, "axes": 1},
    "linalg.tensorinv": {"a": (np.eye(4) + 0.25).reshape(4, 1, 2, 2), "ind": 1},
    "linalg.tensorsolve": {"a": SQUARE, "b": V[:3], "axes": (0,)},
    **{f"fft.{name}": {"with": {"s": {"axes": (0, 1)}}} for name in ("rfftn",)},
    **{f"fft.{name}": {"axes": (0,)} for name in ("fftshift", "ifftshift")},
    **{f"fft.{name}": {"a": A + 0j, "with": {"s": {"axes": (0, 1)}}}
       for name in ("fft", "ifft", "fftn", "ifftn", "hfft", "irfft", "irfftn", "irfft2", "fft2",
                    "ifft2")},
}  # fmt: skip

PAIR = (A, B)
INTEGERS = {
    **_each(
        ("bitwise_and", "bitwise_or", "bitwise_xor", "gcd", "lcm", "bitwise_left_shift",
         "bitwise_right_shift", "left_shift", "right_shift"),
        (NUMBERS, NUMBERS[::-1].copy()),
    ),
    **_each(("bitwise_count", "bitwise_not", "bitwise_invert", "invert"), (NUMBERS,)),
    "ldexp": (V, NUMBERS),
}  # fmt: skip
HALF = np.array([[0.5, 0.25, 0.75], [0.125, 0.0, 0.875]])
UFUNCS = INTEGERS | {
    **_each(("arccosh", "acosh"), (A + 1,)),
    **_each(("arccos", "acos", "arcsin", "asin", "arctanh", "atanh"), (HALF,)),
    "matmul": (A, B.T),
    "matvec": (A, B[0]),
    "vecmat": (A[:, 0], B),
    "vecdot": (A, B),
}

# Parameters that have no other value than the default, or none with a result of its own
NO_OTHER_VALUE = {
    **_each(
        ("sort(order)", "argsort(order)", "partition(order)", "argpartition(order)"),
        "the names of the fields of a structured array",
    ),
}

# Calls whose results NumPy gives in an order that is not specified
UNORDERED = ("unique_values(operands)", "unique(sorted)")

LAYOUT = "the library chooses the memory layout"
# What NumPy accepts, and what is refused for Tensors
DIFFERENT = {
    "ufunc(order)": LAYOUT,
    "ufunc(casting)": "a cast to a narrower kind would lose the gradient",
    "ufunc(signature)": "the dtypes of operands are chosen with dtype=",
    **_each(
        [f"{name}(order)" for name in ("array", "asarray", "full")]
        + [f"{name}_like(order)" for name in ("full", "zeros", "ones", "empty")],
        LAYOUT,
    ),
    "array(ndmax)": "it limits how deep lists are read, and those of Tensors are read to the end",
    "nan_to_num(copy)": "it would overwrite an operand that a rule may need",
    **_each(
        [f"{name}({which})" for name in ("var", "std", "nanvar", "nanstd") for which in ("mean",)],
        "the mean would be a constant in the gradient",
    ),
    **_each(("polyfit(full)", "polyfit(cov)"), "results beside the coefficients have no rule"),
    **_each(
        [f"{p}{name}(weights)" for p in ("", "nan") for name in ("quantile", "percentile")],
        "no rule is declared for the weights",
    ),
}
