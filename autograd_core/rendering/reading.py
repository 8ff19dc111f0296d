"""Reads a recorded graph, nodes and edges, into a Scene of boxes and arrows."""

from __future__ import annotations

import itertools
import textwrap
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.exits import exits
from autograd_core.engine.graph import Node, Rule
from autograd_core.engine.stamps import root_of
from autograd_core.engine.tensor import Tensor
from autograd_core.engine.types import Array
from autograd_core.errors import AutogradError
from autograd_core.rendering.naming import Naming
from autograd_core.rendering.nodes import edges_of, saved_results
from autograd_core.rendering.scene import Arrow, Box, Kind, Scene
from autograd_core.rendering.wording import (
    FULLY_PRINTED,
    byte_size,
    counted,
    norm_text,
    setting,
    shape_and_dtype,
    small_value,
)

NOT_SETTINGS = {"position", "shapes"}  # names in rules that are not settings


class Reader:
    """Builds a Scene from nodes, added one by one, each before its operands."""

    def __init__(
        self,
        naming: Naming,
        keep_input: Callable[[int, Array], None] | None = None,
        gradients: bool = True,
    ) -> None:
        self.naming = naming
        self.gradients = gradients  # whether boxes of Tensors have the gradients that these hold
        self.keep_input = keep_input  # receives the untracked arrays that edges saved
        self.boxes: dict[int, Box] = {}  # by number of a node
        self.inputs: dict[int, tuple[Box, Any]] = {}  # (box, weak reference) by id of an array
        self.input_boxes: list[Box] = []
        self.numbers: dict[int, tuple[int, Any]] = {}  # see _number
        self.fresh = itertools.count()
        self.arrows: dict[tuple[int, int], Arrow] = {}  # by number of a node, index of an edge
        self.others: list[Arrow] = []
        self.results: dict[int, Any] = {}  # results of operations, if they were saved

    def add(
        self,
        node: Node,
        output: Tensor | None = None,
        is_output: bool = False,
        constants: dict[str, Any] | None = None,
    ) -> Box:
        """Add a box for a node, and an arrow for each of its operands in the graph; return the box.
        `output` is the drawn Tensor if this is its node. `constants` are operands that need no
        gradient, if they are known."""
        small = (found for found in saved_results(node) if found[1].size <= FULLY_PRINTED)
        self.results.update(small)
        if output is not None:
            self.results[node.seq] = output.data
        if node.op is None:
            box = self._leaf(node)
        else:
            box = self._operation(node, output, is_output)
            box.operands = tuple(p for p in node.op.parameters if p in node.op.operands)
            self._read_operands(node, box, constants or {})
        self.boxes[node.seq] = box
        self.results.pop(node.seq, None)
        return box

    def scene(self) -> Scene:
        """The Scene, in order and with names. Arrows from nodes that were not read are left out."""
        boxes = [*self.boxes.values(), *self.input_boxes]
        known = {box.id for box in boxes}
        arrows = [a for a in (*self.arrows.values(), *self.others) if a.source in known]
        scene = Scene([], boxes, arrows)
        scene.put_in_order()
        scene.bring_leaves_home()
        scene.module_names = self.naming.of_modules(scene)
        scene.heading = [heading(scene)]
        return scene

    def add_failure(self, error: AutogradError) -> None:
        """Add the box of an operation that raised `error`, with arrows from its recorded
        operands."""
        lines = textwrap.wrap(str(error).removeprefix(f"{error.operation}: "), 48)
        number = 1 + max(self.boxes, default=0)
        box = Box("failed", "failed", f"{error.operation} failed", lines, str(error))
        box.operation, box.number, box.findings = error.operation, number, ("it failed here",)
        self.boxes[number] = box
        for name, node in error.operands:
            arrow = Arrow("", f"n{node.seq}", "failed", name, "", f"{name}: an operand")
            self.others.append(arrow)
            self.boxes[node.seq].findings += (f"operand {name} of {error.operation}",)

    def _leaf(self, node: Node) -> Box:
        tensor = self.naming.tensor_of(node)
        kind: Kind = "parameter" if self.naming.is_parameter(node) else "leaf"
        title = self.naming.of_node(node) or (type(tensor).__name__ if tensor is not None else kind)
        lines = [f"{kind} · {shape_and_dtype(node.shape, node.dtype)}"]
        lines += _device(tensor) + _value_and_gradient(tensor, None, self.gradients)
        lines += ["its Tensor is gone"] if tensor is None else []
        return Box(
            f"n{node.seq}", kind, title, lines, f"{kind} {title}", None, "", node.shape, node.seq
        )

    def _operation(self, node: Node, output: Tensor | None, is_output: bool) -> Box:
        name = self.naming.of_node(node)
        if output is not None:
            name = name or output.name
        lines = [shape_and_dtype(node.shape, node.dtype), *_settings(node)]
        if node.op.results:
            lines[0] = counted(len(node.op.results), "result")
        is_output = is_output or output is not None
        if is_output:
            lines[0] = f"output · {lines[0]}"
        lines += _device(output)
        tensor = output if output is not None else self.naming.tensor_of(node)
        lines += _value_and_gradient(tensor, self.results.get(node.seq), self.gradients)
        if node.released:
            lines.append("released by an earlier backward()")
        title = f"{name} = {node.name}" if name and name != node.name else node.name
        kind: Kind = "output" if is_output else "operation"
        box = Box(f"n{node.seq}", kind, title, lines, title, node.scope, node.name)
        box.shape, box.number, box.key = node.shape, node.seq, node.key
        return box

    def _read_operands(self, node: Node, box: Box, constants: dict[str, Any]) -> None:
        edges = list(edges_of(node))
        tracked = {rule.operand for _, rule, _ in edges}
        untracked = {n: value for n, value in constants.items() if self._has_box(node, value)}
        for place, (parent, rule, saved) in enumerate(edges):
            arrow = self._arrow(f"n{parent.seq}", node, rule, saved)
            arrow.key = node.seq, place
            self.arrows[arrow.key] = arrow
            for name, source, value in zip(rule.names, rule.sources, saved, strict=True):
                plain = source not in {None, "out", *tracked} and source not in node.op.variadic
                if plain and name in node.op.operands and self._has_box(node, value):
                    untracked.setdefault(name, value)
        for name, value in untracked.items():
            box.lines = [line for line in box.lines if not line.startswith(f"{name} = ")]
            source_id = self._input(value) if backend.is_array(value) else self._constant(value)
            arrow = Arrow("", source_id, f"n{node.seq}", name, "", f"{name}: no edge")
            arrow.place = _place(node, name)
            self.others.append(arrow)
        if len(edges) + len(untracked) == 1 or node.key == "add":
            for place in range(len(edges)):
                self.arrows[node.seq, place].operand = ""  # not needed if all are equivalent

    def _arrow(self, source: str, node: Node, rule: Rule, saved: tuple[Any, ...]) -> Arrow:
        arrays = list(_saved_arrays(rule, saved))
        kept = tuple({self._number(array): _memory(array) for _, array in arrays}.items())
        names = ", ".join(dict.fromkeys(name for name, _ in arrays))
        keeps = f"keeps {names}, {byte_size(sum(size for _, size in kept))}" if arrays else ""
        operand = "" if rule.operand.isdigit() else rule.operand
        if "position" in rule.names:  # one of a list of operands
            operand += f"[{saved[rule.names.index('position')]}]"
        described = [f"{n} {shape_and_dtype(a.shape, a.dtype)}" for n, a in arrays]
        tooltip = f"{operand or 'operand'} of {node.name}"
        tooltip += f": keeps {', '.join(described)}" if described else ""
        arrow = Arrow("", source, f"n{node.seq}", operand, keeps, tooltip, kept)
        arrow.place = _place(node, rule.operand)
        return arrow

    def _number(self, array: Array) -> int:
        """A number that identifies the array. Its id is not sufficient, because ids are reused when
        arrays are freed."""
        number, alive = self.numbers.get(id(array), (0, None))
        if alive is None or alive() is not array:
            number = next(self.fresh)
            self.numbers[id(array)] = number, weakref.ref(array)
        return number

    @staticmethod
    def _has_box(node: Node, value: Any) -> bool:
        """True for arrays, and in graphs of numbers for numbers."""
        return backend.is_array(value) or (
            node.shape == () and isinstance(value, int | float | complex | np.generic)
        )

    def _constant(self, value: Any) -> str:
        """Return the id of a new box of a number."""
        number = setting(value)
        box = Box(f"i{len(self.input_boxes)}", "input", number, ["constant"], f"constant {number}")
        box.number = -1 - len(self.input_boxes)
        if self.keep_input is not None:
            self.keep_input(box.number, np.asarray(value))
        self.input_boxes.append(box)
        return box.id

    def _input(self, array: Array) -> str:
        """Return the id of the box of an array that needs no gradient. All uses of an array share
        one box."""
        box, alive = self.inputs.get(id(array), (None, None))
        if box is None or alive is None or alive() is not array:
            title = self.naming.of_array(array) or "input"
            lines = [f"no gradient · {shape_and_dtype(array.shape, array.dtype)}"]
            value = small_value(array)
            lines += [f"value {value}"] if value else []
            box = Box(
                f"i{len(self.input_boxes)}", "input", title, lines, f"{title}: needs no gradient"
            )
            box.shape, box.number = array.shape, -1 - len(self.input_boxes)
            exit = next((e for e in exits if e.array is not None and e.array() is array), None)
            if exit is not None:
                source = f" of {exit.source}" if exit.source else ""
                box.stopped = f"{exit.reason}{source} at {exit.line}"
                box.lines.append(f"cut off by {exit.reason}{source}")
            if self.keep_input is not None:
                self.keep_input(box.number, array)
            self.inputs[id(array)] = box, weakref.ref(array)
            self.input_boxes.append(box)
        return box.id


def heading(scene: Scene) -> str:
    """The counts of a scene: operations, leaves, memory."""
    operations = sum(box.kind in ("operation", "output") for box in scene.boxes)
    leaves = sum(box.kind in ("parameter", "leaf") for box in scene.boxes)
    line = counted(operations, "operation")
    if leaves:
        numbers = counted(scene.numbers_in(scene.boxes), "number")
        line += f", {counted(leaves, 'leaf', 'leaves')} ({numbers})"
    kept = scene.bytes_kept()
    return f"{line}, {byte_size(kept)} kept for backward()" if kept else line


def _place(node: Node, operand: str) -> int:
    parameters: tuple[str, ...] = tuple(node.op.parameters)
    return parameters.index(operand) if operand in parameters else 0


def _settings(node: Node) -> list[str]:
    """Lines with the numbers and the non-default settings that rules saved."""
    op = node.op
    defaults = dict(zip(op.parameters[::-1], op.defaults[::-1], strict=False))
    shown: dict[str, str] = {}
    for _, rule, saved in node.edges():
        for name, value in zip(rule.names, saved, strict=True):
            hidden = name in NOT_SETTINGS or name.endswith("_shape") or name in op.variadic
            hidden = hidden or name in ("arguments", "leaves")  # of a checkpoint
            if not hidden and not backend.is_array(value) and value is not defaults.get(name):
                shown[name] = f"{name} = {setting(value)}"
    return list(shown.values())


def _saved_arrays(rule: Rule, saved: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    for name, value in zip(rule.names, saved, strict=True):
        for entry in value if isinstance(value, list | tuple) else (value,):
            if backend.is_array(entry):
                yield name, entry


def _memory(array: Array) -> int:
    """The bytes of an array; a broadcast array counts only its distinct elements."""
    return min(int(array.nbytes), int(root_of(array).nbytes))


def _value_and_gradient(tensor: Tensor | None, result: Any, gradients: bool) -> list[str]:
    """Lines with the value and the gradient if they are small; for a large gradient, its norm."""
    data = tensor.data if tensor is not None else result
    value = small_value(data) if data is not None else None
    lines = [f"value {value}"] if value else []
    if gradients and tensor is not None and tensor._grad is not None:
        g = tensor._grad.data
        small = small_value(g)
        lines.append(f"gradient {small}" if small else f"‖gradient‖ {norm_text(g)}")
    return lines


def _device(tensor: Tensor | None) -> list[str]:
    return [f"on {tensor.device}"] if tensor is not None and tensor.device != "cpu" else []
