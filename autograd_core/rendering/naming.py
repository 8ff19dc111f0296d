"""The names of Tensors, arrays and modules in a drawing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograd_core.devices import backend
from autograd_core.engine.graph import Node
from autograd_core.engine.scope import Scope
from autograd_core.engine.tensor import Tensor
from autograd_core.engine.types import Array
from autograd_core.errors import ArgumentError
from autograd_core.rendering.scene import Scene


class Naming:
    """Names from three sources, in order of precedence: `names`, the parameter names of `model`,
    and Tensor.name.

    `names` maps a name to a Tensor or an array. `model` is any object with ``named_parameters()``.
    """

    def __init__(self, names: Mapping[str, Any] | None, model: Any) -> None:
        self.given: dict[int, str] = {}  # by id of an array
        self.results: dict[int, str] = {}  # by number of a node
        self.tensors: dict[int, Tensor] = {}  # the Tensors in `names`, by number of a node
        self.parameters: dict[int, str] = {}  # dotted names, by number of a leaf
        self.title = ""  # the class name of the model
        self.modules: dict[str, str] = {}  # classes of modules by their dotted names
        for name, named in (names or {}).items():
            self._give(name, named)
        if model is not None:
            self._read_model(model)

    def _give(self, name: str, named: Any) -> None:
        if isinstance(named, Tensor):
            self.given[id(named.data)] = name
            if named.node is not None:
                self.results[named.node.seq] = name
                self.tensors[named.node.seq] = named
        elif backend.is_array(named):
            self.given[id(named)] = name
        else:
            raise ArgumentError(
                f"names must map names to Tensors or arrays; {name!r} is a {type(named).__name__}"
            )

    def _read_model(self, model: Any) -> None:
        if not hasattr(model, "named_parameters"):
            raise ArgumentError(
                f"model must have named_parameters(), as an nn.Module has; "
                f"this is a {type(model).__name__}"
            )
        self.title = type(model).__name__
        for name, parameter in model.named_parameters():
            if parameter.node is not None:
                self.parameters.setdefault(parameter.node.seq, name)
        if hasattr(model, "named_modules"):
            self.modules = {name: type(found).__name__ for name, found in model.named_modules()}

    def tensor_of(self, node: Node) -> Tensor | None:
        """The Tensor of a leaf, a watched node or a named node; None if it no longer exists."""
        tensor = node.watch.tensor() if node.watch is not None else None
        return tensor if tensor is not None else self.tensors.get(node.seq)

    def of_node(self, node: Node) -> str | None:
        """The name of a leaf or a result; None for most results."""
        known = self.results.get(node.seq) or self.parameters.get(node.seq)
        tensor = self.tensor_of(node)
        return known or (tensor.name if tensor is not None else None)

    def of_array(self, array: Array) -> str | None:
        """The name of an untracked array, or None."""
        return self.given.get(id(array))

    def is_parameter(self, node: Node) -> bool:
        """True if a leaf belongs to the model, or has the class of a parameter."""
        if node.seq in self.parameters:
            return True
        return node.op is None and type(self.tensor_of(node)).__name__ == "Parameter"

    def of_modules(self, scene: Scene) -> dict[Scope, str]:
        """The dotted names of the modules whose calls are the scopes, where the parameters identify
        the module.

        A scope records only the class of its module. If all parameters used by the operations
        directly in the scope belong to one module of that class, the scope is a call of that
        module.
        """
        scopes = {box.id: box.scope for box in scene.boxes}
        names = {box.id: self.parameters.get(box.number) for box in scene.boxes}
        homes: dict[Scope, set[str]] = {}
        for arrow in scene.arrows:
            name, scope = names[arrow.source], scopes[arrow.target]
            if name is not None and scope is not None:
                homes.setdefault(scope, set()).add(name.rpartition(".")[0])
        return {
            scope: next(iter(found))
            for scope, found in homes.items()
            if len(found) == 1 and self.modules.get(next(iter(found))) == scope.kind
        }
