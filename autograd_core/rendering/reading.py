"""Reads a recorded graph, nodes and edges, into a Scene of boxes and arrows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from autograd_core import backend
from autograd_core.graph import Node, Rule
from autograd_core.rendering.naming import Naming
from autograd_core.rendering.nodes import homes, nearest, saved_results
from autograd_core.rendering.scene import Arrow, Box, Kind, Scene
from autograd_core.rendering.wording import byte_size, norm, setting, shape_and_dtype, small_value
from autograd_core.stamps import root_of
from autograd_core.tensor import Tensor

__all__ = ["read"]

OMITTED = "omitted"  # the id of the box that stands for what is not drawn
UNSEEN = {"position", "shapes"}  # what a rule may ask for that nobody set


def read(output: Tensor, root: Node, naming: Naming, limit: int) -> Scene:
    """The Scene of everything `output` was computed from, of at most `limit` nodes."""
    nodes, total = nearest(root, limit)
    reader = _Reader(output, root, nodes, naming)
    for node in nodes:
        reader.add(node)
    heading = reader.heading()
    if total > len(nodes):
        more = _count(total - len(nodes), "more node")
        reader.boxes.insert(0, Box(OMITTED, "omitted", "…", [more], more))
        heading.append(
            f"Only the {len(nodes):,} nodes nearest to the output are drawn, of {total:,}."
        )
    return Scene(heading, reader.boxes, reader.arrows, naming.of_scopes(nodes))


class _Reader:
    def __init__(self, output: Tensor, root: Node, nodes: list[Node], naming: Naming) -> None:
        self.output = output
        self.root = root
        self.naming = naming
        self.ids = {node.seq: f"n{number}" for number, node in enumerate(nodes)}
        self.results = saved_results(nodes) | {root.seq: output.data}
        self.homes = homes(nodes)
        self.boxes: list[Box] = []
        self.arrows: list[Arrow] = []
        self.inputs: dict[int, str] = {}  # ids of boxes by id of an untracked array
        self.kept: dict[int, int] = {}  # bytes by id of a saved array
        self.count = {"operation": 0, "leaf": 0, "number": 0}

    def add(self, node: Node) -> None:
        """A node's box, and an arrow for each operand that the graph knows."""
        cut = False
        first = len(self.arrows)
        tracked = {rule.operand for _, rule, _ in node.edges()}
        drawn: set[str] = set()
        for parent, rule, saved in node.edges():
            if parent.seq in self.ids:
                self._connect(self.ids[parent.seq], node, rule, saved)
            else:
                cut = True
            for name, source, value in zip(rule.names, rule.sources, saved, strict=True):
                untracked = source not in {None, "out", *tracked} and source not in node.op.variadic
                if untracked and name not in drawn and backend.is_array(value):
                    drawn.add(name)
                    self._connect(self._input(value), node, operand=name)
        if len(self.arrows) == first + 1 or node.name == "add":
            for arrow in self.arrows[first:]:
                arrow.operand = ""  # says nothing where there is one, or where all are alike
        if cut:
            self._connect(OMITTED, node)
        self.boxes.append(self._leaf(node) if node.op is None else self._operation(node))

    def _leaf(self, node: Node) -> Box:
        tensor = self.naming.tensor_of(node)
        kind: Kind = "parameter" if self.naming.is_parameter(node) else "leaf"
        title = self.naming.of_node(node) or (type(tensor).__name__ if tensor is not None else kind)
        lines = [f"{kind} · {shape_and_dtype(node.shape, node.dtype)}"]
        lines += _device(tensor) + _value_and_gradient(tensor, None)
        lines += ["its Tensor is gone"] if tensor is None else []
        self.count["leaf"] += 1
        self.count["number"] += math.prod(node.shape)
        home = self.homes.get(node.seq) if kind == "parameter" else None
        return Box(self.ids[node.seq], kind, title, lines, f"{kind} {title}", home)

    def _operation(self, node: Node) -> Box:
        name = self.naming.of_node(node)
        if node is self.root:
            name = name or self.output.name
        kind: Kind = "output" if node is self.root else "operation"
        lines = [shape_and_dtype(node.shape, node.dtype), *_settings(node)]
        if node is self.root:
            lines[0] = f"output · {lines[0]}"
            lines += _device(self.output)
        tensor = self.output if node is self.root else self.naming.tensor_of(node)
        lines += _value_and_gradient(tensor, self.results.get(node.seq))
        if node.released:
            lines.append("released by an earlier backward()")
        self.count["operation"] += 1
        title = f"{name} = {node.name}" if name else node.name
        return Box(self.ids[node.seq], kind, title, lines, title, node.scope)

    def _input(self, array: Any) -> str:
        """The box of an array that needs no gradient; one box, however often it is used."""
        id_ = self.inputs.get(id(array))
        if id_ is None:
            id_ = self.inputs[id(array)] = f"i{len(self.inputs)}"
            title = self.naming.of_array(array) or "input"
            lines = [f"no gradient · {shape_and_dtype(array.shape, array.dtype)}"]
            value = small_value(array)
            lines += [f"value {value}"] if value else []
            self.boxes.append(Box(id_, "input", title, lines, f"{title}: needs no gradient"))
        return id_

    def _connect(
        self,
        source: str,
        node: Node,
        rule: Rule | None = None,
        saved: tuple[Any, ...] = (),
        operand: str = "",
    ) -> None:
        arrays = list(_saved_arrays(rule, saved)) if rule is not None else []
        for _, array in arrays:
            self.kept[id(array)] = _memory(array)
        size = sum({id(array): _memory(array) for _, array in arrays}.values())
        names = ", ".join(dict.fromkeys(name for name, _ in arrays))
        keeps = f"keeps {names}, {byte_size(size)}" if arrays else ""
        if rule is not None:
            operand = rule.operand
            if "position" in rule.names:  # one of a list of operands
                operand += f"[{saved[rule.names.index('position')]}]"
        described = [f"{n} {shape_and_dtype(a.shape, a.dtype)}" for n, a in arrays]
        tooltip = f"{operand or 'operands'} of {node.name}"
        tooltip += f": keeps {', '.join(described)}" if described else ""
        target, id_ = self.ids[node.seq], f"e{len(self.arrows)}"
        self.arrows.append(Arrow(id_, source, target, operand, keeps, tooltip))

    def heading(self) -> list[str]:
        """What the drawing shows, in numbers."""
        operations, leaves = self.count["operation"], self.count["leaf"]
        line = _count(operations, "operation")
        if leaves:
            numbers = _count(self.count["number"], "number")
            line += f", {_count(leaves, 'leaf', 'leaves')} ({numbers})"
        if self.kept:
            line += f", {byte_size(sum(self.kept.values()))} kept for backward()"
        return [line]


def _settings(node: Node) -> list[str]:
    """Plain numbers, and settings that are not their defaults, as far as rules asked for them."""
    op = node.op
    defaults = dict(zip(op.parameters[::-1], op.defaults[::-1], strict=False))
    shown: dict[str, str] = {}
    for _, rule, saved in node.edges():
        for name, value in zip(rule.names, saved, strict=True):
            hidden = name in UNSEEN or name.endswith("_shape") or name in op.variadic
            if not hidden and not backend.is_array(value) and value is not defaults.get(name):
                shown[name] = f"{name} = {setting(value)}"
    return list(shown.values())


def _saved_arrays(rule: Rule, saved: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    for name, value in zip(rule.names, saved, strict=True):
        for entry in value if isinstance(value, list | tuple) else (value,):
            if backend.is_array(entry):
                yield name, entry


def _memory(array: Any) -> int:
    """An array's bytes; those it looks at where broadcasting repeats them."""
    return min(int(array.nbytes), int(root_of(array).nbytes))


def _value_and_gradient(tensor: Tensor | None, result: Any) -> list[str]:
    """Small ones as numbers; of a big gradient its norm."""
    data = tensor.data if tensor is not None else result
    value = small_value(data) if data is not None else None
    lines = [f"value {value}"] if value else []
    if tensor is not None and tensor.grad is not None:
        g = tensor.grad.data
        small = small_value(g)
        lines.append(f"gradient {small}" if small else f"‖gradient‖ {norm(g)}")
    return lines


def _device(tensor: Tensor | None) -> list[str]:
    return [f"on {tensor.device}"] if tensor is not None and tensor.device != "cpu" else []


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
