"""What CuPy has, from `data/cupy_names.txt`, and how the stand-in treats its functions."""

import inspect
from pathlib import Path


def _listed():
    """Dotted name → its signature, a ufunc's loops, or None where there is nothing to know."""
    for line in (
        (Path(__file__).parents[1] / "data" / "cupy_names.txt").read_text().splitlines()[1:]
    ):
        path, bracket, parameters = line.partition("(")
        if bracket:
            yield path, inspect.signature(eval(f"lambda {parameters[:-1]}: None"))
        else:
            path, colon, loops = line.partition(": ")
            yield path, loops.split() if colon else None


NAMES = dict(_listed())

# Functions that look at an array and start nothing, that wait for its values, that bring it out.
INSPECTING = {"shape", "ndim", "size", "iscomplexobj", "isrealobj", "isscalar", "iterable",
              "result_type", "can_cast", "min_scalar_type", "common_type", "issubdtype",
              "promote_types", "may_share_memory", "shares_memory", "broadcast_shapes"}  # fmt: skip
WAITING = {"nonzero", "flatnonzero", "argwhere", "extract", "compress", "unique", "union1d",
           "intersect1d", "setdiff1d", "setxor1d", "bincount", "histogram", "trim_zeros", "place",
           "choose", "array_repr", "array_str", "array2string", "item", "tolist"}  # fmt: skip
LEAVING = {"save", "savez", "savez_compressed", "savetxt", "tobytes", "tofile", "dump", "dumps"}
ON_DEVICE = {"allclose", "array_equal", "array_equiv", "count_nonzero"}  # NumPy's are Python's

# Parameters that take no array of a device; nothing else; one or a number; a list of them.
ON_HOST = {"shape", "axis", "axes", "axis1", "axis2", "axisa", "axisb", "axisc", "dtype", "order",
           "keepdims", "newshape", "new_shape", "ddof", "decimals", "k", "n", "N", "M", "offset",
           "num", "step", "start", "stop", "pad_width", "source", "destination", "shift", "reps",
           "indices_or_sections", "minlength", "ord", "deg", "dims", "dimensions",
           "s"}  # fmt: skip
DEVICE_TOO = {"linspace", "logspace", "matrix_power", "matrix_rank"}  # even so
ARRAYS = {"a", "b", "x1", "x2", "arr", "ary", "array", "condition", "ar", "ar1", "ar2", "arr1",
          "arr2", "a1", "a2", "v", "prototype", "out", "indices", "dst", "mask"}  # fmt: skip
VALUES = {"x", "y", "fill_value", "val", "values", "src", "xp", "fp", "a_min", "a_max", "weights"}
LISTS = {"tup", "arrays", "arys", "condlist"}
ARRAY_LISTS = {("matmul", "args"), ("broadcast_arrays", "args")}
SCALARS_TOO = {"isclose", "allclose", "searchsorted", "array", "asarray"}
SHAPED = {"indices", "tril_indices", "triu_indices", "diag_indices", "unravel_index"}

# What CuPy's fuse can trace besides ufuncs.
FUSIBLE = {"where", "clip", "sum", "prod", "max", "min", "amax", "amin", "all", "any"}

# Results with a memory layout that CuPy promises.
LAYOUT = {"zeros", "ones", "empty", "full", "zeros_like", "ones_like", "empty_like", "full_like",
          "eye", "identity", "ascontiguousarray", "asfortranarray", "copy", "array", "asarray",
          "astype", "ravel", "flatten", "reshape", "require"}  # fmt: skip
# these refuse an axis where there is none
REDUCING = {"sum", "prod", "mean", "std", "var", "max", "min", "amax", "amin", "argmax", "argmin",
            "all", "any", "ptp", "nansum", "nanprod", "nanmax", "nanmin"}  # fmt: skip
