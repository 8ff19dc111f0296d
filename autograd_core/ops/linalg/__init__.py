"""Linear algebra under the names of ``np.linalg`` and of the Array API.

Matrices are in the last two axes; the axes in front form a stack, which may be empty. Results for
singular and degenerate matrices are documented in docs/conventions.md.
"""

from autograd_core.ops.linalg import (
    chains,
    decompositions,
    determinants,
    functions,
    least_squares,
    norms,
    powers,
    shaping,
    solving,
)
from autograd_core.ops.linalg.chains import *
from autograd_core.ops.linalg.decompositions import *
from autograd_core.ops.linalg.determinants import *
from autograd_core.ops.linalg.functions import *
from autograd_core.ops.linalg.least_squares import *
from autograd_core.ops.linalg.norms import *
from autograd_core.ops.linalg.powers import *
from autograd_core.ops.linalg.shaping import *
from autograd_core.ops.linalg.solving import *

__all__: list[str] = []
__all__ += chains.__all__ + decompositions.__all__ + determinants.__all__ + least_squares.__all__
__all__ += functions.__all__
__all__ += norms.__all__ + powers.__all__ + shaping.__all__ + solving.__all__
