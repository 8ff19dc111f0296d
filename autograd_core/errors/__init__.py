"""Everything the library raises on purpose.

    AutogradError
    ├── ArgumentError         (ValueError)    a value that an argument cannot have
    ├── ShapeError            (ValueError)    shapes that do not fit
    │   └── IndexingError     (IndexError)    an index or axis out of range
    ├── LinAlgError           (np.linalg.LinAlgError) a matrix that is not square, or singular …
    ├── DTypeError            (TypeError)     a dtype that cannot be used here
    ├── NotDifferentiableError(TypeError)     a gradient would be lost silently
    ├── DeviceError           (RuntimeError)  arrays on different devices, or no such device
    │   └── OutOfMemoryError  (MemoryError)   memory ran out; the graph has been released
    ├── NonFiniteError        (ArithmeticError) detect_anomaly found an inf or a NaN
    └── GraphError            (RuntimeError)  an operation that the graph cannot do
        ├── FreedGraphError                   a backward pass has released this graph
        └── StaleArrayError                   a saved array was overwritten

    AutogradWarning           (UserWarning)   a gradient that is probably lost

Each class also derives from the built-in error that NumPy would raise, so ``except ValueError``
written for NumPy code still works. A message says what was expected, what was found, and what to
write instead.
"""

from typing import Any

import numpy as np

# This module is imported before all others: later ones ask NumPy for names that only 2.0 has.
if np.__version__.startswith(("0.", "1.")):
    raise ImportError(
        f"autograd_core needs NumPy 2.0 or newer, and found NumPy {np.__version__} in "
        f"{(np.__path__ or ['?'])[0]}: pip install --upgrade 'numpy>=2'",
        name="numpy",
    )

__all__ = [
    "ArgumentError",
    "AutogradError",
    "AutogradWarning",
    "DTypeError",
    "DeviceError",
    "FreedGraphError",
    "GraphError",
    "IndexingError",
    "LinAlgError",
    "NonFiniteError",
    "NotDifferentiableError",
    "OutOfMemoryError",
    "ShapeError",
    "StaleArrayError",
]


class AutogradError(Exception):
    """The base of every error that the library raises on purpose.

    If an operation raised the error, `operation` is the name of the operation and `operands` lists
    its recorded operands as (name, node). ``autograd_core.rendering.draw(error)`` then draws the
    graph up to the operation."""

    operation: str
    operands: list[tuple[str, Any]]
    layer: tuple[Any, str]  # the module whose input did not fit, and its description

    def _render_traceback_(self) -> list[str]:
        from autograd_core.errors.tracebacks import rendered  # asked for by IPython only

        return rendered(self)


class ArgumentError(AutogradError, ValueError):
    """A value that an argument cannot have.

    It is raised by functions and layers whose argument is out of range or none of the possible
    ones, such as a negative learning rate."""


class ShapeError(AutogradError, ValueError):
    """Shapes that do not fit each other or the operation.

    It is raised by operations whose operands do not broadcast or do not have the axes that they
    need, and by transforms of a function that does not return one number."""


class IndexingError(ShapeError, IndexError):
    """An index or an axis out of range, or an index with too many axes.

    It is raised by indexing, by functions with an `axis`, and by transforms if a function is called
    without the argument to differentiate with respect to."""


class LinAlgError(AutogradError, np.linalg.LinAlgError):
    """A matrix that does not have the properties that a function of linear algebra needs.

    It is raised for a matrix that is not square, singular or not positive definite, and by an
    iteration that did not converge."""


class DTypeError(AutogradError, TypeError):
    """A dtype that cannot be used here.

    It is raised for an integer leaf that requires a gradient, for example, and for data that does
    not consist of numbers."""


class NotDifferentiableError(AutogradError, TypeError):
    """A call through which a gradient would be lost silently.

    It is raised by the call. The message says what to write instead."""


class DeviceError(AutogradError, RuntimeError):
    """Arrays on different devices, or a device that does not exist.

    It is raised by operations on such arrays, and by functions with a `device`."""


class OutOfMemoryError(DeviceError, MemoryError):
    """Memory ran out during a backward pass.

    It is raised by ``backward()``, after the graph has been released."""


class NonFiniteError(AutogradError, ArithmeticError):
    """The first inf or NaN, forward or backward.

    It is raised by operations and backward passes in the context of ``detect_anomaly``."""


class GraphError(AutogradError, RuntimeError):
    """An operation that the graph cannot do.

    It is raised by ``backward()`` on an untracked Tensor, for example, and where a value would
    leave the graph silently."""


class FreedGraphError(GraphError):
    """A part of the graph that a backward pass has already used and released.

    It is raised by a second pass, unless the first had ``retain_graph=True``."""


class StaleArrayError(GraphError):
    """An array that a rule saved was overwritten between forward and backward.

    It is raised by the backward pass, which would give a wrong gradient."""


class AutogradWarning(UserWarning):
    """A probable mistake that does not stop the program.

    It is given for reading the `grad` of a Tensor that keeps no gradient, for example."""
