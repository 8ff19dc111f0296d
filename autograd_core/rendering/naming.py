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
from autograd_core.rendering.scene import Scene, path_of


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
        if not isinstance(names or {}, Mapping) or not all(isinstance(n, str) for n in names or {}):
            raise ArgumentError(f"names must map strings to Tensors or arrays, not {names!r:.60}")
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
        return known or (node.watch.name if node.watch is not None else None)

    def of_array(self, array: Array) -> str | None:
        """The name of an untracked array, or None."""
        return self.given.get(id(array))

    def is_parameter(self, node: Node) -> bool:
        """True if a leaf belongs to the model, or has the class of a parameter."""
        if node.seq in self.parameters:
            return True
        return node.op is None and type(self.tensor_of(node)).__name__ == "Parameter"

    def of_modules(self, scene: Scene) -> dict[Scope, str]:
        """The dotted names of the modules whose calls are the scopes, as far as they can be told.

        A scope records only the class of its module. The module is one of that class that contains
        all parameters used in the scope. Modules without parameters are told by their order among
        the modules of their class in the enclosing module, if all of these were called once.
        """
        if not self.modules:
            return {}
        scopes = {box.id: box.scope for box in scene.boxes}
        names = {box.id: self.parameters.get(box.number) for box in scene.boxes}
        within: dict[Scope, list[str]] = {}  # the parts of the name that the parameters share
        inner: dict[Scope, list[Scope]] = {}
        order: dict[Scope, None] = {}  # outer scopes first
        for box in scene.boxes:
            order.update(dict.fromkeys(path_of(box.scope) if box.scope not in order else ()))
        for scope in order:
            if scope.outer is not None:
                inner.setdefault(scope.outer, []).append(scope)
        for arrow in scene.arrows:
            name = names[arrow.source]
            if name is not None:
                module = name.split(".")[:-1]
                for scope in path_of(scopes[arrow.target]):
                    within[scope] = _common(within.get(scope, module), module)
        found: dict[Scope, str] = {}
        for scope in reversed(order):
            parts = within.get(scope)
            if parts is None:
                continue
            known = [found[child].split(".") for child in inner.get(scope, ()) if found.get(child)]
            shortest = min((len(part) - 1 for part in known), default=len(parts))
            for length in range(min(len(parts), shortest), -1, -1):
                if self.modules.get(".".join(parts[:length])) == scope.kind:
                    found[scope] = ".".join(parts[:length])
                    break
        self._name_in_order(found, inner)
        return found

    def _name_in_order(self, found: dict[Scope, str], inner: dict[Scope, list[Scope]]) -> None:
        """Add the names of modules without parameters."""
        members: dict[tuple[str, str], list[str]] = {}
        for name, kind in self.modules.items():
            members.setdefault((name.rpartition(".")[0] if name else "-", kind), []).append(name)
        for outer, scopes in inner.items():
            calls: dict[str, list[Scope]] = {}
            for scope in scopes:
                calls.setdefault(scope.kind, []).append(scope)
            for kind, same in calls.items():
                there = members.get((found.get(outer, "-"), kind), [])
                if len(there) == len(same) and not any(scope in found for scope in same):
                    found.update(zip(same, there, strict=True))


def _common(a: list[str], b: list[str]) -> list[str]:
    """The parts at the beginning that two names share."""
    count = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), None)
    return a[: min(len(a), len(b)) if count is None else count]
