"""`Module`: a function with parameters, which are found in the attributes of the module."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from importlib import import_module
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from autograd_core import Tensor, no_grad, zeros_like
from autograd_core.devices import backend
from autograd_core.engine.scope import Scope
from autograd_core.engine.state import STATE
from autograd_core.engine.versions import Versioned
from autograd_core.errors import ArgumentError, AutogradError, DTypeError, ShapeError
from autograd_core.errors.alternatives import missing_member
from nn.hidden import held
from nn.hooks import RemovableHandle
from nn.parameter import Buffer, Parameter

__all__ = ["Buffer", "Module", "Parameter"]


class IncompatibleKeys(NamedTuple):
    """The names that only a module has, and those that only a state has."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module(Versioned):
    """The base of layers and models: define `forward`, call the module.

    Parameters, buffers and modules are found as attributes, or in lists, tuples, dicts and
    dataclasses that are attributes, in order of definition. Nothing needs to be registered.

    Notes
    -----
    If a layer cannot process its input, the error names the layer by its path in the outermost
    module that was called: ``0 (Linear): expects 4 features, x has shape (5, 7)``.

    Examples
    --------
    >>> import nn
    >>> class Model(nn.Module):
    ...     def __init__(self):
    ...         self.scale = nn.Parameter([2.0])
    ...     def forward(self, x):
    ...         return self.scale * x
    >>> model = Model()
    >>> [name for name, _ in model.named_parameters()]
    ['scale']
    >>> model(3.0)
    Tensor([6.], op=multiply)
    """

    training: bool = True
    _unnamed = ""  # an attribute whose name is left out of the names of parameters
    _forward_hooks: tuple[Any, ...] = ()
    _forward_pre_hooks: tuple[Any, ...] = ()

    def forward(self, *inputs: Any, **settings: Any) -> Tensor:
        """Compute the module's result. Subclasses define this method; users call the module."""
        raise NotImplementedError(f"{type(self).__name__} defines no forward()")

    def __call__(self, *inputs: Any, **settings: Any) -> Tensor:
        recording, outer, observer = STATE.get()
        token = STATE.set((recording, Scope(type(self).__name__, outer), observer))
        try:
            for hook in self._forward_pre_hooks:
                more = (settings,) if hook.with_kwargs else ()
                changed = hook.function(self, inputs, *more)
                if changed is not None and hook.with_kwargs:
                    inputs, settings = changed
                elif changed is not None:
                    inputs = changed if isinstance(changed, tuple) else (changed,)
            out = self.forward(*inputs, **settings)
            for hook in self._forward_hooks:
                more = (settings,) if hook.with_kwargs else ()
                changed = hook.function(self, inputs, *more, out)
                out = out if changed is None else changed
            return out
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

    # Hooks

    def register_forward_hook(
        self, hook: Callable[..., Any], *, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call a function after each `forward`.

        Parameters
        ----------
        hook : callable
            Called as ``hook(module, inputs, output)``, with the tuple of the positional arguments.
            If it returns something else than None, that is the output.
        with_kwargs : bool, default False
            If true, it is called as ``hook(module, inputs, settings, output)``, with the keywords
            too.

        Returns
        -------
        RemovableHandle
            Its ``remove()`` ends the calls. It is also a context manager, which ends them when it
            is left.
        """
        return RemovableHandle(self, "_forward_hooks", hook, with_kwargs)

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call a function before each `forward`.

        Parameters
        ----------
        hook : callable
            Called as ``hook(module, inputs)``, with the tuple of the positional arguments. If it
            returns something else than None, that is the inputs: a tuple, or one input.
        with_kwargs : bool, default False
            If true, it is called as ``hook(module, inputs, settings)``, with the keywords too, and
            returns None or the pair of inputs and keywords.

        Returns
        -------
        RemovableHandle
            As of `register_forward_hook`.
        """
        return RemovableHandle(self, "_forward_pre_hooks", hook, with_kwargs)

    def multiply_adds(self, output: Any, *inputs: Any) -> int:
        """The number of multiplications with an addition of a call, without those of the modules in
        it, for `nn.summary`."""
        return 0

    # Modules and parameters

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all modules in it, as (dotted name, module), each once.

        Parameters
        ----------
        prefix : str, default ''
            The name of this module, with which the other names begin.

        Yields
        ------
        tuple of str and Module
            In order of definition, each module before those in it.
        """
        for name, found in _walk(prefix, self, set()):
            if isinstance(found, Module):
                yield name, found

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """All parameters in order of definition, as (dotted name, parameter), each once.

        Yields
        ------
        tuple of str and Parameter
            The own parameters of a module come before those of the modules in it.

        Raises
        ------
        ArgumentError
            If two have the same name, as with the keys 1 and "1" of a dict, and for parameters or
            modules in a set, or in an object that is not a dataclass or a `Module`.
        """
        names: set[str] = set()
        seen: set[int] = set()
        unlisted: list[tuple[str, Any]] = []
        for name, found in _walk("", self, seen, unlisted=unlisted):
            if isinstance(found, Parameter):
                if name in names:
                    raise ArgumentError(
                        f"two parameters have the name {name!r}; rename one of the dict keys that "
                        "lead to it"
                    )
                names.add(name)
                yield name, found
        for name, holder in unlisted:
            if any(id(found) not in seen for found in held(holder, (Module, Parameter))):
                raise ArgumentError(
                    f"{type(self).__name__}.{name} is a {type(holder).__name__}, in which "
                    "parameters are not found: keep them in a list, dict, dataclass or nn.Module"
                )

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
        """Call a function with all modules in this one and then with this one, in PyTorch's order.

        Parameters
        ----------
        function : callable
            A function of a module. Its result is not used.

        Returns
        -------
        Module
            This module.
        """
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
        """Set the `grad` of every parameter to None, or to zeros.

        Parameters
        ----------
        set_to_none : bool, default True
            If false, gradients that are there become zeros of the same shape.
        """
        for parameter in self.parameters():
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad = zeros_like(parameter)

    def to(self, device: str) -> Self:
        """Move every parameter and buffer to a device; returns self.

        Parameters
        ----------
        device : str
            "cpu", or "cuda", "cuda:1" and so on.

        Returns
        -------
        Module
            This module. The gradients of parameters that were on another device are dropped.

        Raises
        ------
        DeviceError
            If there is no such device.
        """
        return self._replace(lambda array: backend.to_device(array, device))

    def astype(self, dtype: Any) -> Self:
        """Convert floating-point parameters and buffers to a dtype; returns self.

        Parameters
        ----------
        dtype : dtype
            The new dtype of the floating-point arrays; the others are kept.

        Returns
        -------
        Module
            This module. The gradients of parameters that had another dtype are dropped.

        Raises
        ------
        DTypeError
            If parameters cannot have this dtype, as integers.
        """

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
        """The parameters and persistent buffers by name, under each of their names."""
        self.parameters()  # raises an error for those that are not found
        return {
            name: found
            for name, found in _walk("", self, set(), every_name=True)
            if isinstance(found, Parameter) or (isinstance(found, Buffer) and found.persistent)
        }

    def state_dict(self) -> dict[str, Any]:
        """The values of all parameters and persistent buffers.

        Returns
        -------
        dict of str to array
            From the dotted name of each to a copy of its array on the host.
        """
        return {
            name: np.array(backend.asnumpy(tensor.data)) for name, tensor in self._state().items()
        }

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Write the values of a state into the parameters and buffers.

        Parameters
        ----------
        state : mapping of str to array
            The arrays by name, as from `state_dict`.
        strict : bool, default True
            If false, names that only the module or only the state has are left out.

        Returns
        -------
        IncompatibleKeys
            The names that were left out: ``missing_keys`` of the module, ``unexpected_keys`` of the
            state.

        Raises
        ------
        TypeError
            If the state is not a mapping.
        ArgumentError, ShapeError, DTypeError
            If names, shapes or dtypes do not match. Nothing is written, and the error names all of
            them.
        """
        if not isinstance(state, Mapping):
            raise TypeError(
                f"load_state_dict takes a dict of arrays by name, as state_dict() returns, not a "
                f"{type(state).__name__}"
            )
        own = self._state()
        keys = IncompatibleKeys(
            [name for name in own if name not in state], [name for name in state if name not in own]
        )
        both = {name: tensor for name, tensor in own.items() if name in state}
        arrays = {name: host_array(state[name]) for name in both}
        wrong = [
            f"{name} has shape {tensor.shape}, in the state {arrays[name].shape}"
            for name, tensor in both.items()
            if arrays[name].shape != tensor.shape
        ]
        kinds = [
            f"{name} has dtype {tensor.dtype}, in the state {arrays[name].dtype}"
            for name, tensor in both.items()
            if not np.can_cast(arrays[name].dtype, tensor.dtype, "same_kind")
        ]
        names = [f"missing: {keys.missing_keys}"] if keys.missing_keys and strict else []
        names += [f"unexpected: {keys.unexpected_keys}"] if keys.unexpected_keys and strict else []
        if wrong or kinds or names:
            error = ArgumentError if names else ShapeError if wrong else DTypeError
            told = "; ".join([*names, *wrong, *kinds])
            raise error(f"the state does not fit {type(self).__name__}: {told}")
        with no_grad():
            for name, tensor in both.items():
                values = arrays[name].astype(tensor.dtype)
                tensor.copy_(backend.to_device(values, tensor.device))
        return keys

    @recursive_repr()
    def __repr__(self) -> str:
        lines = [f"{type(self).__name__}({self.describe()}"]
        lines += [f"  {n}: {child!r}".replace("\n", "\n  ") for n, child in _direct("", self)]
        return lines[0] + ")" if len(lines) == 1 else "\n".join([*lines, ")"])

    def _repr_html_(self) -> str:
        return import_module("nn.notebook").of_module(self)  # type: ignore[no-any-return]

    def describe(self) -> str:
        """The text between the parentheses of the repr."""
        return ""


WALKED = (Module, Parameter, Buffer, list, tuple, dict)


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


def _children(parent: Any) -> Iterator[tuple[str, Any]]:
    """Yield (name, value) for the attributes of a module or the entries of a container. The
    layers of a Sequential are named by number. As in PyTorch, the Tensors of a module come before
    those of the modules in it."""
    if isinstance(parent, Module):
        attributes = vars(parent).items()
        for name, value in sorted(attributes, key=lambda item: _rank(item[1])):
            if name == parent._unnamed:
                yield from _children(value)
            else:
                yield name, value
    elif is_dataclass(parent):
        own = (each.name for each in fields(parent))
        names = dict.fromkeys((*own, *getattr(parent, "__dict__", ())))
        yield from ((name, getattr(parent, name, None)) for name in names)
    elif isinstance(parent, dict):
        yield from ((str(key), value) for key, value in parent.items())
    elif isinstance(parent, list | tuple):
        yield from ((str(i), value) for i, value in enumerate(parent))


def _direct(prefix: str, parent: Any) -> Iterator[tuple[str, Module]]:
    """The modules in a module, also those in its lists and dicts, with their names."""
    for name, child in _children(parent):
        if isinstance(child, Module):
            yield prefix + name, child
        elif isinstance(child, list | tuple | dict):
            yield from _direct(f"{prefix}{name}.", child)


def _rank(value: Any) -> int:
    return 0 if isinstance(value, Parameter) else 1 if isinstance(value, Buffer) else 2


def _walk(
    prefix: str,
    found: Any,
    seen: set[int],
    inner_first: bool = False,
    unlisted: list[tuple[str, Any]] | None = None,
    every_name: bool = False,
) -> Iterator[tuple[str, Any]]:
    """Yield (dotted name, value) for all modules and parameters in `found`, at any depth. Each is
    yielded once, as a module may be shared or refer to its parent; with `every_name`, under each
    name that does not lead through itself."""
    if id(found) in seen:
        return
    seen.add(id(found))
    if not inner_first:
        yield prefix, found
    for name, child in _children(found):
        title = f"{prefix}.{name}" if prefix else name
        if isinstance(child, WALKED) or (is_dataclass(child) and not isinstance(child, type)):
            yield from _walk(title, child, seen, inner_first, unlisted, every_name)
        elif unlisted is not None and any(True for _ in held(child, (Module, Parameter))):
            unlisted.append((title, child))
    if inner_first:
        yield prefix, found
    if every_name:
        seen.discard(id(found))


def host_array(values: Any) -> Any:
    """Values of a state as an array on the host."""
    values = values.data if isinstance(values, Tensor) else values
    return backend.asnumpy(values) if backend.is_array(values) else np.asarray(values)
