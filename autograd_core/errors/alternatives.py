"""The replacements that error messages suggest for names that do not exist here: NumPy functions
that are not supported, and names of PyTorch, JAX and TensorFlow. Those for NumPy functions are also
listed in docs/coverage.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

# Replacements for NumPy functions that are not supported: text → names of the functions.
_TEXTS: dict[str, str] = {
    "asarray(x)": "asanyarray ascontiguousarray asfortranarray require asarray_chkfinite asmatrix",
    "a product of (x - root), or powers: sum(c * x**k)": "poly polydiv",
    "np.roots(tensor.detach().numpy())": "roots",
    "sort(x)": "sort_complex",
    "isin(x, y)": "in1d",
    "unique(concatenate([x, y]))": "union1d intersect1d setxor1d setdiff1d",
    "histogram(x) for the counts": "histogram_bin_edges",
    "einsum(...), which chooses the order of the products": "einsum_path",
    "np.packbits(tensor.numpy())": "packbits unpackbits",
}
INSTEAD = {name: text for text, names in _TEXTS.items() for name in names.split()}


def instead(name: str) -> str:
    """What to use instead of a NumPy function that is not supported."""
    return INSTEAD.get(name, "tensor.detach().numpy() if no gradient is wanted, or declare an op")


# ---- names of PyTorch, JAX and TensorFlow -------------------------------------------------------

# Replacements for attributes that a Tensor of other libraries has: text → names of the attributes.
_ATTRIBUTES: dict[str, str] = {
    "x.reshape(shape)": "view view_as reshape_as unflatten set_shape",
    "ac.expand_dims(x, axis)": "unsqueeze expand_dims",
    "x.transpose(axes)": "permute",
    "x.T": "t",
    "x.ravel()": "flat",
    "ac.moveaxis(x, source, destination)": "movedim",
    "ac.broadcast_to(x, shape)": "expand expand_as broadcast_to",
    "ac.copy(x)": "clone contiguous",
    "x.astype(np.float64)": "double",
    "x.astype(np.float32)": "float",
    "x.astype(np.float16)": "half",
    "x.astype(np.int64)": "long",
    "x.astype(np.int32)": "int",
    "x.astype(bool)": "bool",
    "x.astype(dtype)": "type type_as cast",
    "x.to('cuda')": "cuda",
    "x.device": "is_cuda get_device",
    "x.size": "numel nelement",
    "x.ndim": "dim ndimension rank",
    "x.shape": "get_shape",
    "x.data.nbytes": "nbytes itemsize element_size",
    "x.data.strides": "strides stride flags base data_ptr is_contiguous",
    "x.dtype.kind == 'f'": "is_floating_point",
    "x.node": "grad_fn",
    "x.requires_grad = True": "requires_grad_",
    "y = x.detach()": "detach_",
    "x.grad = None for a gradient, x.fill(0) for other Tensors": "zero_",
    "x.fill(value)": "fill_",
    "x += y": "add_ assign_add",
    "x -= y": "sub_ subtract_ assign_sub",
    "x *= y": "mul_ multiply_",
    "x /= y": "div_ divide_ true_divide_",
    "x **= y": "pow_",
    "x.copy_(source)": "assign set_",
    "x[...] = ac.random.default_rng(seed).normal(size=x.shape)": "normal_",
    "x[...] = ac.random.default_rng(seed).uniform(size=x.shape)": "uniform_ random_",
    "x * y": "mul",
    "x / y": "div true_divide",
    "x - y": "sub",
    "x ** y": "pow",
    "x @ y": "mm bmm mv",
    "-x": "neg",
    "abs(x)": "abs abs_",
    "x == y": "eq",
    "x != y": "ne",
    "x < y": "lt",
    "x <= y": "le",
    "x > y": "gt",
    "x >= y": "ge",
    "1 / ac.sqrt(x)": "rsqrt",
    "x.clip(low, high)": "clamp clamp_min clamp_max",
    "x[...] = x.clip(low, high)": "clamp_ clip_",
    "ac.linalg.norm(x)": "norm",
    "ac.linalg.inv(x)": "inverse",
    "ac.linalg.det(x)": "det",
    "ac.where(mask, value, x)": "masked_fill",
    "x[mask] = value": "masked_fill_",
    "x[mask]": "masked_select",
    "x[index] = value": "index_fill_ index_copy_ index_put_ itemset",
    "y = x.copy(); y[index] = value": "at scatter index_put",
    "np.add.at(x, index, value)": "index_add_ scatter_add_ scatter_",
    "ac.take_along_axis(x, indices, axis)": "gather",
    "ac.take(x, indices, axis)": "index_select",
    "ac.array_split(x, parts, axis)": "chunk",
    "ac.unstack(x)": "unbind",
    "ac.sort(x)": "topk",
    "ac.zeros_like(x)": "new_zeros",
    "ac.ones_like(x)": "new_ones",
    "ac.Tensor(data)": "new new_tensor",
    "x.numpy().tobytes()": "tobytes tostring",
    "autograd_core.scipy.special.erf(x)": "erf",
    "autograd_core.scipy.special.gammaln(x)": "lgamma",
    "autograd_core.scipy.special.digamma(x)": "digamma",
    "x.item()": "eval",
    "nothing: the result is already computed": "block_until_ready",
}
ATTRIBUTES = {name: text for text, names in _ATTRIBUTES.items() for name in names.split()}

# Replacements for functions of other libraries: text → names of the functions.
_FUNCTIONS: dict[str, str] = {
    "ac.Tensor(data)": "tensor constant from_numpy FloatTensor LongTensor",
    "ac.Tensor(data, requires_grad=True)": "Variable Parameter",
    "ac.asarray(data)": "as_tensor convert_to_tensor asanyarray",
    "ac.random.default_rng(seed).normal(size=shape)": "randn normal",
    "ac.random.default_rng(seed).random(shape)": "rand",
    "ac.random.default_rng(seed).uniform(size=shape)": "uniform",
    "ac.random.default_rng(seed).integers(low, high, shape)": "randint",
    "ac.random.default_rng(seed).permutation(n)": "randperm",
    "generator = ac.random.default_rng(seed), and draw from it": "manual_seed seed PRNGKey",
    "ac.concatenate(tensors, axis)": "cat",
    "ac.array_split(x, parts, axis)": "chunk",
    "ac.unstack(x)": "unbind",
    "ac.expand_dims(x, axis)": "unsqueeze",
    "ac.transpose(x, axes)": "permute",
    "ac.moveaxis(x, source, destination)": "movedim",
    "ac.take_along_axis(x, indices, axis)": "gather",
    "ac.take(x, indices, axis)": "index_select",
    "ac.clip(x, low, high)": "clamp clip_by_value",
    "ac.multiply(x, y)": "mul",
    "ac.subtract(x, y)": "sub",
    "ac.divide(x, y)": "div",
    "ac.negative(x)": "neg",
    "ac.matmul(x, y)": "mm bmm mv",
    "ac.linalg.norm(x)": "norm",
    "ac.linalg.inv(x)": "inverse inv",
    "ac.linalg.det(x)": "det",
    "ac.linalg.svd(x)": "svd",
    "ac.linalg.solve(a, b)": "solve",
    "1 / ac.sqrt(x)": "rsqrt",
    "ac.sum(x, axis)": "reduce_sum",
    "ac.mean(x, axis)": "reduce_mean",
    "ac.max(x, axis)": "reduce_max",
    "ac.min(x, axis)": "reduce_min",
    "ac.prod(x, axis)": "reduce_prod",
    "ac.sort(x)": "topk",
    "autograd_core.scipy.special.erf(x)": "erf",
    "autograd_core.scipy.special.gammaln(x)": "lgamma",
    "autograd_core.scipy.special.digamma(x)": "digamma",
    "x.size": "numel",
    "isinstance(x, ac.Tensor)": "is_tensor",
    "ac.no_grad()": "inference_mode",
    "ac.no_grad() or ac.enable_grad()": "set_grad_enabled",
    "ac.grad(f), or loss.backward()": "GradientTape",
    "ac.gradients(outputs, inputs)": "autograd",
    "ac.jacobian(f)": "jacrev jacfwd",
    "ac.vjp(f, *args)": "pullback",
    "ac.custom_gradient(f)": "custom_vjp custom_jvp",
    "ac.checkpoint(f)": "remat",
    "f(stacked): operations take leading axes": "vmap",
    "ac.compile(f)": "jit function",
    "x.to('cuda')": "device_put",
    "dtype=np.float32 when creating a Tensor": "float set_default_dtype",
    "dtype=np.float64 when creating a Tensor": "double",
    "dtype=np.int64 when creating a Tensor": "long int",
    "import nn, a separate package": "nn optim Module Linear",
    "nn.save_state(model.state_dict(), path)": "save",
    "nn.load_state(path)": "load",
}
FUNCTIONS = {name: text for text, names in _FUNCTIONS.items() for name in names.split()}

# Replacements for names in the neural-network modules of other libraries: text → names.
_MODULES: dict[str, str] = {
    "nn.MSELoss()(x, y)": "mse_loss",
    "nn.CrossEntropyLoss()": "CrossEntropy CategoricalCrossentropy softmax_cross_entropy",
    "nn.CrossEntropyLoss()(logits, labels)": "cross_entropy",
    "nn.CrossEntropyLoss(), which takes class indices": "SparseCategoricalCrossentropy",
    "nn.NLLLoss()(logarithms, labels)": "nll_loss",
    "nn.BCELoss(), or nn.BCEWithLogitsLoss() for logits": "BinaryCrossEntropy BinaryCrossentropy",
    "nn.BCELoss()(p, labels)": "binary_cross_entropy",
    "nn.BCEWithLogitsLoss()(x, labels)": "binary_cross_entropy_with_logits",
    "nn.L1Loss()(x, y)": "l1_loss",
    "nn.Linear(inputs, outputs)": "Dense",
    "a function such as ac.relu(x)": "functional F",
    "a list as an attribute": "ParameterList",
    "a dict as an attribute": "ParameterDict",
    "nn.init.xavier_uniform_(layer.weight)": "glorot_uniform xavier_uniform",
    "nn.init.kaiming_normal_(layer.weight)": "he_normal kaiming_normal",
    "nn.init.normal_(layer.weight, std=0.1)": "normal",
    "nn.init.uniform_(layer.weight, -0.1, 0.1)": "uniform",
    "nn.DataLoader(nn.TensorDataset(x, y), batch_size=32)": "Batches utils data",
}
MODULES = {name: text for text, names in _MODULES.items() for name in names.split()}

# Attributes of PyTorch's modules, and what replaces them.
_MEMBERS: dict[str, str] = {
    "module.to('cuda')": "cuda",
    "module.to('cpu')": "cpu",
    "module.named_modules(), which gives (name, module)": "children named_children",
    "self.name = nn.Parameter(data)": "register_parameter",
    "self.name = module": "add_module register_module",
    "self.name = nn.Buffer(array)": "register_buffer",
}
MEMBERS = {name: text for text, names in _MEMBERS.items() for name in names.split()}

SUBMODULES = ("einops", "numpy", "rendering", "scipy", "testing")
KEYWORDS = {"dim": "axis", "dims": "axis", "keepdim": "keepdims", "input": "x", "other": "y",
            "keep_dims": "keepdims", "tensors": "arrays"}  # fmt: skip


# Replacements for keywords of the classes of other libraries: text → keywords.
_NN_KEYWORDS: dict[str, str] = {
    "Layers that have an axis call it dim=, as in PyTorch": "axis axes",
    "Write reduction='mean', 'sum' or 'none'": "size_average reduce",
    "Write BCEWithLogitsLoss() for logits; CrossEntropyLoss takes no probabilities": "from_logits",
    "Batches are made by threads; with device= the next batch is copied in advance": (
        "pin_memory persistent_workers multiprocessing_context timeout"
    ),
    "Pass batch_size=, and sampler= for the order": "batch_sampler",
    "Seed the generator=, or pass transform=, whose draws are seeded": "worker_init_fn",
    "Write bias=": "use_bias",
    "It is called in_features and out_features": "in_channels out_channels input_dim output_dim",
    "It is called lr=": "learning_rate",
    "Modules return new Tensors; leave it out": "inplace",
    "Write model.to(device)": "device",
    "A step is one launch on a device, and in place on the host; leave it out": "foreach fused",
    "For several arrays write DataLoader(TensorDataset(x, y), batch_size=32)": "batch_size",
}
NN_KEYWORDS = {name: text for text, names in _NN_KEYWORDS.items() for name in names.split()}


def keyword_hint(error: TypeError) -> None:
    """If `error` is Python's error for an unexpected keyword, add the name that the keyword has in
    this library to its message."""
    function, found, rest = str(error.args[0] if error.args else "").partition(" argument '")
    name, quote, more = rest.partition("'")
    if not (found and quote and not more):
        return
    if "__init__()" in function and name in NN_KEYWORDS:
        error.args = (f"{error.args[0]}. {NN_KEYWORDS[name]}",)
    elif "__init__()" not in function and name in KEYWORDS:
        error.args = (f"{error.args[0]}. NumPy's name for it is {KEYWORDS[name]}=",)


def not_numbers(dtype: Any, data: Any) -> str:
    """The message that explains why a Tensor cannot hold `data`, an array of dtype `dtype`."""
    if dtype.kind == "O" and any(entry is None for entry in getattr(data, "flat", ())):
        what = "None is" if data.ndim == 0 else "this data contains None, which is"
        return f"{what} not a number: a Tensor holds numbers, as in ac.Tensor(0.0) or ac.zeros(3)"
    if dtype.kind == "O" and any(map(is_hips, getattr(data, "flat", ()))):
        return f"this data contains {MIXED}"
    return (
        "a Tensor holds booleans, integers, floats or complex numbers; this data has dtype "
        f"{dtype}. Do all rows have the same length, and are all entries numbers?"
    )


MIXED = (
    "a value that HIPS autograd differentiates. A program uses one of the two libraries: write "
    "import autograd_core.hips as autograd"
)


def is_hips(value: Any) -> bool:
    """True if `value` belongs to the graph of HIPS autograd."""
    return type(value).__module__.startswith("autograd.")


class Missing:
    """A descriptor for an attribute that a Tensor does not have. Access raises an AttributeError
    that says what to write instead. A ``__getattr__`` would make all attributes slower."""

    __slots__ = ("function", "name")

    def __init__(self, name: str, function: Callable[..., Any] | None = None) -> None:
        self.name, self.function = name, function

    def __get__(self, tensor: Any, kind: type) -> Any:
        raise AttributeError(f"a {kind.__name__} has no {self.name!r}. Write {self._instead()}")

    def _instead(self) -> str:
        if self.name in ATTRIBUTES:
            return ATTRIBUTES[self.name]
        from inspect import Parameter, signature  # imported here because it is slow

        base = self.name.removesuffix("_")
        needed = [
            p.name if i else "x"
            for i, p in enumerate(signature(self.function).parameters.values())  # type: ignore[arg-type]
            if p.default is Parameter.empty and p.kind is not Parameter.VAR_KEYWORD
        ]
        call = f"ac.{base}({', '.join(needed)})"
        return call if base == self.name else f"x[...] = {call}"


def missing(name: str, known: Iterable[str], numpys: bool) -> str:
    """The error message for the missing attribute `name` of `autograd_core`."""
    said = f"autograd_core has no {name!r}"
    if name in FUNCTIONS:
        return f"{said}. Write {FUNCTIONS[name]}"
    if name in SUBMODULES:
        return f"{said} before it is imported. Write import autograd_core.{name}"
    if numpys:
        return f"{said}: NumPy's function is not supported. Use {instead(name)}"
    return said + _near(name, known)


def missing_module(name: str, known: Iterable[str]) -> str:
    """The error message for the missing attribute `name` of `nn`."""
    said = f"nn has no {name!r}"
    return f"{said}. Write {MODULES[name]}" if name in MODULES else said + _near(name, known)


def missing_member(kind: str, name: str) -> str:
    """The error for an attribute that a module does not have."""
    said = f"{kind!r} object has no attribute {name!r}"
    return f"{said}. Write {MEMBERS[name]}" if name in MEMBERS else said


def _near(name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # the import takes 0.5 ms

    same = {word.lower(): word for word in known}  # nn.Relu is ReLU, not Recall
    near = get_close_matches(name.lower(), same, 1)
    return f". Did you mean {same[near[0]]}?" if near else ""
