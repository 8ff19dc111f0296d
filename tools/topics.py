"""The topics of the reference: which public names are on which of its pages."""

from __future__ import annotations

from typing import NamedTuple


class Page(NamedTuple):
    """A page of the reference, with the names of the module `owner`.

    `sections` maps a heading to a list of names, or to the path of a module: those of its public
    names that are the owner's too are shown as the owner's, the others as the module's.
    """

    title: str
    text: str
    owner: str
    sections: dict[str, str | list[str]]


ARRAYS = "autograd_core.interface"
OPS = "autograd_core.ops"
SCIPY = "autograd_core.scipy"
DTYPES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
DTYPES += ["float16", "float32", "float64", "complex64", "complex128"]
PAGES = {
    "tensor": Page(
        "Tensors and recording",
        "A Tensor is an array whose operations are recorded, so that they can be differentiated.",
        "autograd_core",
        {
            "Tensor": ["Tensor"],
            "Recording": ["no_grad", "enable_grad", "is_recording", "detect_anomaly"],
            "Devices and memory": ["device", "available_devices", "keep_heap"],
        },
    ),
    "transforms": Page(
        "Transforms",
        "",
        "autograd_core",
        {
            "Gradients": ["grad", "value_and_grad", "elementwise_grad", "gradients"],
            "Matrices of derivatives": ["jacobian", "hessian"],
            "Products with Jacobians and Hessians": ["vjp", "jvp", "linearize", "hvp", "vhp"],
            "How a function is differentiated": [
                "checkpoint",
                "custom_gradient",
                "stop_gradient",
                "fixed_point",
            ],
        },
    ),
    "compile": Page(
        "Compiled functions",
        "See also the page on compiled functions, :doc:`/compiling`.",
        "autograd_core",
        {"compile": ["compile"]},
    ),
    "creation": Page(
        "Creating arrays",
        "These functions have NumPy's names and parameters and return Tensors.",
        "autograd_core",
        {
            "Creation": f"{ARRAYS}.creation",
            "From other libraries": ["from_dlpack"],
            "Constants": ["e", "euler_gamma", "inf", "nan", "newaxis", "pi"],
            "Data types": DTYPES,
            "The Array API standard": f"{ARRAYS}.array_api",
        },
    ),
    "elementwise": Page(
        "Elementwise functions",
        "The operands broadcast as in NumPy.",
        "autograd_core",
        {
            "Arithmetic, comparisons, exponentials": f"{OPS}.elementwise",
            "Remainders, signs, absolute values": f"{OPS}.arithmetic",
            "Trigonometric and hyperbolic functions": f"{OPS}.trigonometry",
            "Activations": f"{OPS}.activations",
            "Rounding, logic, integers": f"{OPS}.rounding",
            "Other names": f"{OPS}.aliases",
            "Bessel functions": ["i0"],
        },
    ),
    "reductions": Page(
        "Reductions, statistics and sorting",
        "",
        "autograd_core",
        {
            "Reductions": f"{OPS}.reductions",
            "Statistics": f"{OPS}.statistics",
            "Quantiles": f"{OPS}.quantiles",
            "Cumulative sums and products": f"{OPS}.scans",
            "Sorting and searching": f"{OPS}.sorting",
        },
    ),
    "arranging": Page(
        "Shapes, indices and selections",
        "See also the page on reading and writing elements, :doc:`/indexing`.",
        "autograd_core",
        {
            "Shape": f"{OPS}.shaping",
            "Orders of elements": f"{OPS}.orders",
            "Reordering and repeating": f"{OPS}.arranging",
            "Joining and splitting": f"{OPS}.joining",
            "Borders": f"{OPS}.padding",
            "Diagonals": f"{OPS}.diagonals",
            "Selecting": f"{OPS}.selecting",
            "Indices": f"{OPS}.indexing",
            "Writing": f"{OPS}.writing",
        },
    ),
    "products": Page(
        "Products, signals and convolutions",
        "",
        "autograd_core",
        {
            "Products": f"{OPS}.products",
            "Sums over named axes": f"{OPS}.contraction",
            "Signals": f"{OPS}.signals",
            "Windows": f"{OPS}.windows",
            "Convolution": f"{OPS}.convolution",
            "Pooling": f"{OPS}.pooling",
            "Polynomials": f"{OPS}.polynomials",
        },
    ),
    "linalg": Page("Linear algebra", "", "autograd_core.linalg", {"Functions": f"{OPS}.linalg"}),
    "fft": Page("Fourier transforms", "", "autograd_core.fft", {"Functions": f"{OPS}.fft"}),
    "emath": Page("Complex results", "", "autograd_core.emath", {"Functions": f"{OPS}.emath"}),
    "random": Page("Random numbers", "", "autograd_core.random", {"Names": f"{ARRAYS}.random"}),
    "operations": Page(
        "Your own operations",
        "",
        "autograd_core",
        {
            "Declarations": ["op", "elementwise", "composed", "not_differentiable"],
            "Operands and rules": ["each", "nested", "once_differentiable"],
            "Tables": ["functions", "operations"],
        },
    ),
    "errors": Page("Errors and warnings", "", "autograd_core", {"Classes": "autograd_core.errors"}),
    "scipy": Page(
        "autograd_core.scipy",
        "",
        "autograd_core.scipy",
        {
            "Special functions": f"{SCIPY}.special",
            "Linear algebra": f"{SCIPY}.linalg",
            "Signals": f"{SCIPY}.signal",
            "Differential equations": f"{SCIPY}.integrate",
        },
    ),
    "stats": Page(
        "autograd_core.scipy.stats",
        "",
        "autograd_core.scipy.stats",
        {
            "Normal distribution": f"{SCIPY}.stats.norm",
            "Normal distribution of vectors": f"{SCIPY}.stats.multivariate_normal",
            "Student's t distribution": f"{SCIPY}.stats.t",
            "Gamma distribution": f"{SCIPY}.stats.gamma",
            "Chi-squared distribution": f"{SCIPY}.stats.chi2",
            "Beta distribution": f"{SCIPY}.stats.beta",
            "Dirichlet distribution": f"{SCIPY}.stats.dirichlet",
            "Poisson distribution": f"{SCIPY}.stats.poisson",
        },
    ),
    "testing": Page(
        "autograd_core.testing",
        "",
        "autograd_core.testing",
        {
            "Checks": ["check_gradients", "gradient_test", "GradientError", "InconclusiveError"],
            "Strategies": "autograd_core.testing.strategies",
            "Random programs": "autograd_core.testing.programs",
        },
    ),
    "rendering": Page(
        "autograd_core.rendering",
        "",
        "autograd_core.rendering",
        {"Names": "autograd_core.rendering"},
    ),
    "hips": Page(
        "autograd_core.hips",
        "See also the page on programs for HIPS autograd, :doc:`/from-autograd`. "
        "``autograd_core.hips.numpy`` has NumPy's names, and ``autograd_core.hips.scipy`` SciPy's.",
        "autograd_core.hips",
        {
            "Names": "autograd_core.hips",
            "Extending": "autograd_core.hips.extend",
            "Tests": "autograd_core.hips.test_util",
            "Trees as vectors": "autograd_core.hips.misc.flatten",
            "Optimisers": "autograd_core.hips.misc.optimizers",
            "Fixed points": "autograd_core.hips.misc.fixed_points",
        },
    ),
    "nn": Page(
        "nn: modules and layers",
        "See also the overview of :doc:`nn </nn>`.",
        "nn",
        {
            "Modules": "nn.module",
            "Containers": "nn.containers",
            "Linear layers": "nn.linear",
            "Embedding": "nn.embedding",
            "Normalisation": "nn.normalization",
            "Dropout": "nn.dropout",
            "Recurrent networks": "nn.recurrent",
            "Attention": "nn.attention",
            "Transformers": "nn.transformer",
        },
    ),
    "nn.images": Page(
        "nn: layers for images",
        "",
        "nn",
        {
            "Convolution": "nn.convolution",
            "Pooling": "nn.pooling",
            "Padding": "nn.padding",
            "Resampling": "nn.resampling",
        },
    ),
    "nn.losses": Page(
        "nn: activations, losses and metrics",
        "",
        "nn",
        {
            "Activations": "nn.activations",
            "Losses": "nn.losses",
            "Losses of classes": "nn.cross_entropy",
            "Losses of numbers and distributions": "nn.regression",
            "Losses of distances and orders": "nn.ranking",
            "Losses of sequences": "nn.ctc",
            "Metrics": "nn.metrics",
        },
    ),
    "nn.training": Page(
        "nn: training and files",
        "",
        "nn",
        {
            "Training": "nn.training",
            "Callbacks": "nn.callbacks",
            "History": "nn.history",
            "Checkpoints": "nn.checkpoints",
            "Weights on disk": "nn.serialization",
            "Safetensors": "nn.safetensors",
            "Files of PyTorch": "nn.torch_files",
            "Summaries": "nn.summaries",
        },
    ),
    "nn.optim": Page(
        "nn: optimisers and schedules",
        "The names of ``nn.optim`` are those of ``nn``, too.",
        "nn",
        {"Optimisers, schedules, clipping, averaging": "nn.optim"},
    ),
    "nn.data": Page(
        "nn: data",
        "The names of ``nn.data`` are those of ``nn``, too.",
        "nn",
        {"Datasets, loaders, samplers, augmentation": "nn.data", "MNIST": "nn.mnist"},
    ),
    "nn.init": Page("nn.init: initial weights", "", "nn.init", {"Functions": "nn.init"}),
    "nn.distributed": Page(
        "nn.distributed: several ranks", "", "nn.distributed", {"Names": "nn.distributed"}
    ),
}
