"""`Module`: a function with parameters, which are found in the attributes of the module."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from autograd_core import Tensor, no_grad, zeros_like
from autograd_core.devices import backend
from autograd_core.engine.scope import Scope
from autograd_core.engine.state import STATE
from autograd_core.engine.versions import Versioned
from autograd_core.errors import AutogradError, DTypeError, ShapeError
from autograd_core.errors.alternatives import missing_member

__all__ = ["Buffer", "Module", "Parameter", "Sequential"]


class Parameter(Tensor):
    """A leaf that a Module trains. An array `data` is shared, not copied."""

    __slots__ = ()

    def __init__(self, data: Any, *, dtype: Any = None, name: str | None = None) -> None:
        super().__init__(data, requires_grad=True, dtype=dtype, name=name)


class Buffer(Tensor):
    """An array of a Module that is not trained, such as a running mean. It belongs to the state of
    the module, and moves with it. One that is not `persistent` is not in `state_dict`."""

    __slots__ = ("persistent",)

    def __init__(self, data: Any, *, dtype: Any = None, persistent: bool = True) -> None:
        super().__init__(data, dtype=dtype)
        self.persistent = persistent


class Module(Versioned):
    """The base of layers and models: define `forward`, call the module.

    If a layer cannot process its input, the error names the layer by its path in the outermost
    module that was called: ``0 (Linear): expects 4 features, x has shape (5, 7)``.

    Parameters, buffers and modules are found as attributes, or in lists, tuples and dicts that are
    attributes, in order of definition. Nothing needs to be registered.

    >>> class Model(Module):
    ...     def __init__(self):
    ...         self.scale = Parameter([2.0])
    ...     def forward(self, x):
    ...         return self.scale * x
    >>> model = Model()
    >>> [name for name, _ in model.named_parameters()]
    ['scale']
    >>> model(3.0)
    Tensor([6.], op=multiply)
    """

    training: bool = True

    def forward(self, *inputs: Any, **settings: Any) -> Tensor:
        """Compute the module's result. Subclasses define this method; users call the module."""
        raise NotImplementedError(f"{type(self).__name__} defines no forward()")

    def __call__(self, *inputs: Any, **settings: Any) -> Tensor:
        recording, outer, observer = STATE.get()
        token = STATE.set((recording, Scope(type(self).__name__, outer), observer))
        try:
            return self.forward(*inputs, **settings)
        except (AutogradError, AttributeError, TypeError) as error:
            if isinstance(error, AutogradError) and hasattr(error, "layer"):
                _place(error, self)
                raise
            if not inputs or inputs[0] is not None or not _is_unexplained(error):
                raise
            missing = DTypeError("the input is None; expected a Tensor or an array")
            raise misfit(self, missing) from error
        finally:
            STATE.reset(token)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(missing_member(type(self).__name__, name))

    # Modules and parameters

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all modules in it, as (dotted name, module), each once."""
        for name, found in _walk(prefix, self, set()):
            if isinstance(found, Module):
                yield name, found

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """All parameters in order of definition, as (dotted name, parameter), each once.

        Raises AutogradError if two have the same name, as with the keys 1 and "1" of a dict.
        """
        names: set[str] = set()
        for name, found in _walk("", self, set()):
            if isinstance(found, Parameter):
                if name in names:
                    raise AutogradError(
                        f"two parameters have the name {name!r}; rename one of the dict keys that "
                        "lead to it"
                    )
                names.add(name)
                yield name, found

    def parameters(self) -> list[Parameter]:
        """All parameters in order of definition."""
        return [parameter for _, parameter in self.named_parameters()]

    def modules(self) -> Iterator[Module]:
        """This module and all modules in it, each once."""
        return (module for _, module in self.named_modules())

    def named_buffers(self) -> Iterator[tuple[str, Buffer]]:
        """All buffers in order of definition, as (dotted name, buffer), each once."""
        for name, found in _walk("", self, set()):
            if isinstance(found, Buffer):
                yield name, found

    def buffers(self) -> list[Buffer]:
        """All buffers in order of definition."""
        return [buffer for _, buffer in self.named_buffers()]

    def apply(self, function: Callable[[Module], Any]) -> Self:
        """Call `function` with all modules in this one and then with this one, in PyTorch's order;
        returns self."""
        for _, found in _walk("", self, set(), inner_first=True):
            if isinstance(found, Module):
                function(found)
        return self

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Let all parameters require gradients, or none; returns self."""
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    # State

    def train(self, mode: bool = True) -> Self:
        """Put this module and all modules in it into training mode; returns self."""
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Put this module and all modules in it into evaluation mode; returns self."""
        return self.train(False)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the `grad` of every parameter to None, or to zeros."""
        for parameter in self.parameters():
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad = zeros_like(parameter)

    def to(self, device: str) -> Self:
        """Move every parameter and buffer to `device`, and drop the gradients of parameters that
        were on another device; returns self."""
        return self._replace(lambda array: backend.to_device(array, device))

    def astype(self, dtype: Any) -> Self:
        """Convert floating-point parameters and buffers to `dtype`, and drop the gradients of
        parameters that had another one; returns self."""

        def converted(array: Any) -> Any:
            return array.astype(dtype, copy=False) if array.dtype.kind == "f" else array

        return self._replace(converted)

    def half(self) -> Self:
        """`astype` float16."""
        return self.astype(np.float16)

    def float(self) -> Self:
        """`astype` float32."""
        return self.astype(np.float32)

    def double(self) -> Self:
        """`astype` float64."""
        return self.astype(np.float64)

    def _replace(self, of: Callable[[Any], Any]) -> Self:
        """Replace the arrays of all parameters and buffers by ``of(array)``."""
        tensors = [*self.parameters(), *self.buffers()]
        arrays = [of(tensor.data) for tensor in tensors]
        for tensor, array in zip(tensors, arrays, strict=True):
            if array is not tensor.data:
                with backend.device(backend.device_of(array)):  # not the one of the context
                    tensor.data = array
                tensor.grad = None
        return self

    def _state(self) -> dict[str, Tensor]:
        """The parameters and persistent buffers by name."""
        kept = {name: buffer for name, buffer in self.named_buffers() if buffer.persistent}
        return {**dict(self.named_parameters()), **kept}

    def state_dict(self) -> dict[str, Any]:
        """A dict from the dotted name of each parameter and buffer to a copy of its array on the
        host."""
        return {
            name: np.array(backend.asnumpy(tensor.data)) for name, tensor in self._state().items()
        }

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> None:
        """Write the values of `state` into the parameters and buffers. If a name or a shape does
        not match, nothing is written, and the error names the parameter. If not `strict`, names
        that only one of the two has are left out."""
        if not isinstance(state, Mapping):
            raise TypeError(
                f"load_state_dict takes a dict of arrays by name, as state_dict() returns, not a "
                f"{type(state).__name__}"
            )
        parameters = self._state()
        if not strict:
            parameters = {name: p for name, p in parameters.items() if name in state}
            state = {name: state[name] for name in parameters}
        missing, unknown = parameters.keys() - state.keys(), state.keys() - parameters.keys()
        if missing or unknown:
            raise AutogradError(
                f"the state does not fit {type(self).__name__}. Missing: {sorted(missing)}; "
                f"unexpected: {sorted(unknown)}"
            )
        fitting = {name: _fitting(name, parameters[name], state[name]) for name in parameters}
        with no_grad():
            for name, parameter in parameters.items():
                parameter.copy_(fitting[name])

    @recursive_repr()
    def __repr__(self) -> str:
        lines = [f"{type(self).__name__}({self.describe()}"]
        for name, child in _children(self):
            if isinstance(child, Module):
                lines += [f"  {name}: {child!r}".replace("\n", "\n  ")]
        return lines[0] + ")" if len(lines) == 1 else "\n".join([*lines, ")"])

    def describe(self) -> str:
        """The text between the parentheses of the repr."""
        return ""


class Sequential(Module):
    """Calls modules, or any functions of a Tensor, one after the other. Raises TypeError if a layer
    is a list of layers, a Module class or an object that cannot be called.

    >>> import nn
    >>> nn.Sequential(nn.Linear(784, 50), nn.Sigmoid(), nn.Linear(50, 10), nn.Sigmoid())
    Sequential(
      0: Linear(784 → 50)
      1: Sigmoid()
      2: Linear(50 → 10)
      3: Sigmoid()
    )
    """

    def __init__(self, *layers: Callable[[Any], Any]) -> None:
        for place, layer in enumerate(layers):
            _check_layer(place, layer)
        self.layers = list(layers)

    def forward(self, x: Any) -> Any:
        """The last layer's output."""
        for layer in self.layers:
            x = layer(x)
        return x

    def __getitem__(self, index: int) -> Callable[[Any], Any]:
        return self.layers[index]

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Callable[[Any], Any]]:
        return iter(self.layers)


def misfit(layer: Module, error: AutogradError) -> AutogradError:
    """`error`, marked as raised for an input of `layer`. Each module call through which the error
    propagates puts the name and class of the layer in front of the message."""
    error.layer = layer, str(error)
    return _place(error, layer)


def _is_unexplained(error: Exception) -> bool:
    """Return True if the error was raised by an operation or by Python, not by a module."""
    ours = isinstance(error, AutogradError) and not hasattr(error, "operation")
    return isinstance(error, AttributeError | TypeError) and not ours


def _place(error: AutogradError, model: Module) -> AutogradError:
    """`error`, with the dotted name of its layer within `model` in the message."""
    layer, complaint = error.layer
    kind = type(layer).__name__
    for name, module in model.named_modules():
        if module is layer:
            error.args = (f"{name} ({kind}): {complaint}" if name else f"{kind}: {complaint}",)
    return error


def _check_layer(place: int, layer: Any) -> None:
    """Raise TypeError for an object that cannot be a layer of a Sequential."""
    if isinstance(layer, type) and issubclass(layer, Module):
        raise TypeError(
            f"Sequential: layer {place} is the class {layer.__name__}, not a module: "
            f"write {layer.__name__}()"
        )
    if callable(layer):
        return
    if isinstance(layer, Iterable) and not isinstance(layer, str | Tensor):
        each = "layers.values()" if isinstance(layer, Mapping) else "layers"
        raise TypeError(
            f"Sequential takes each layer as an argument, not in a {type(layer).__name__}: "
            f"write Sequential(*{each})"
        )
    given = "None" if layer is None else f"a {type(layer).__name__}"
    raise TypeError(f"Sequential: layer {place} is {given}, expected a module or a function")


def _children(parent: Any) -> Iterator[tuple[str, Any]]:
    """Yield (name, value) for the attributes of a module or the entries of a container. The layers
    of a Sequential are named by number. As in PyTorch, the Tensors of a module come before those of
    the modules in it."""
    if isinstance(parent, Module):
        attributes = vars(parent).items()
        for name, value in sorted(attributes, key=lambda item: not isinstance(item[1], Tensor)):
            if isinstance(parent, Sequential) and name == "layers":
                yield from _children(value)
            else:
                yield name, value
    elif isinstance(parent, dict):
        yield from ((str(key), value) for key, value in parent.items())
    elif isinstance(parent, list | tuple):
        yield from ((str(i), value) for i, value in enumerate(parent))


def _walk(
    prefix: str, found: Any, seen: set[int], inner_first: bool = False
) -> Iterator[tuple[str, Any]]:
    """Yield (dotted name, value) for all modules and parameters in `found`, at any depth. Each is
    yielded once, as a module may be shared or refer to its parent."""
    if id(found) in seen:
        return
    seen.add(id(found))
    if not inner_first:
        yield prefix, found
    for name, child in _children(found):
        if isinstance(child, Module | Parameter | Buffer | list | tuple | dict):
            yield from _walk(f"{prefix}.{name}" if prefix else name, child, seen, inner_first)
    if inner_first:
        yield prefix, found


def _fitting(name: str, parameter: Tensor, values: Any) -> Any:
    """`values` in the dtype of the parameter and on its device. Raises ShapeError or DTypeError if
    they do not fit."""
    values = values.data if isinstance(values, Tensor) else values
    values = backend.asnumpy(values) if backend.is_array(values) else np.asarray(values)
    if values.shape != parameter.shape:
        raise ShapeError(f"{name} has shape {parameter.shape}; in the state it has {values.shape}")
    if not np.can_cast(values.dtype, parameter.dtype, "same_kind"):
        raise DTypeError(f"{name} has dtype {parameter.dtype}; in the state it has {values.dtype}")
    return backend.to_device(values.astype(parameter.dtype), parameter.device)
