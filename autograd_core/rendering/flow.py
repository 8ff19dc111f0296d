"""`record_flow`: statistics of the gradients at each node, without keeping arrays."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.exits import exits
from autograd_core.engine.graph import Node, Parts, Rule
from autograd_core.engine.state import Observer, observed
from autograd_core.engine.types import Array, Gradient
from autograd_core.errors import ArgumentError
from autograd_core.rendering.findings import find
from autograd_core.rendering.measured import Measured
from autograd_core.rendering.naming import Naming
from autograd_core.rendering.nodes import edges_of
from autograd_core.rendering.reading import Reader
from autograd_core.rendering.scene import Scene
from autograd_core.rendering.statistics import measure, resolved
from autograd_core.rendering.thresholds import Thresholds, thresholds_of
from autograd_core.rendering.training import Training, update_ratio, update_sizes
from autograd_core.rendering.units import Unit, looked_at, target_of
from autograd_core.rendering.wording import FULLY_PRINTED, is_count, small_value
from autograd_core.transforms.joint import Gathered

RECENT = 200  # exits are reported from this many sequence numbers before the first operation


class Flow(Measured):
    """The gradients in the backward passes of a `record_flow` block.

    `findings` describes problems in words, `table()` lists the gradients by layer, `plot()` plots
    them, and ``draw(flow)`` draws them in the graph. After several passes, each node shows its
    gradient in the last pass that reached it.

    Parameters
    ----------
    naming : Naming
        The names of Tensors and modules, as `record_flow` makes them.
    thresholds : Thresholds, optional
        From where on a measurement is a finding.

    See Also
    --------
    record_flow : Records a Flow.

    Examples
    --------
    >>> import nn, numpy as np
    >>> from autograd_core.rendering import record_flow
    >>> model = nn.Sequential(nn.Linear(2, 3, generator=0), nn.Tanh())
    >>> with record_flow(model) as flow:
    ...     model(np.ones((4, 2))).sum().backward()
    >>> print(flow.table())
    layer     result  gradient rms  zeros  parameter  its rms  ÷ parameter
    Linear 0  (4, 3)       6.6e-01    0 %  0.weight   2.6e+00      5.2e+00
                                           0.bias     2.6e+00      1.3e+01
    Tanh 1    (4, 3)       1.0e+00    0 %
    sum       scalar       1.0e+00    0 %
    <BLANKLINE>
    no problems found in the gradients
    """

    def table(self, *, limit: int = 60) -> str:
        """A text table with a line per layer, from the input to the output.

        A line has the gradients of the layer's result and of its parameters, and problems.

        Parameters
        ----------
        limit : int, default 60
            If there are more layers, repetitions are folded into a line with the range of their
            gradients.

        Returns
        -------
        str
            The lines of the table.

        Raises
        ------
        ArgumentError
            If `limit` is not a positive integer.
        GraphError
            If no backward pass was recorded.
        """
        from autograd_core.rendering.tables import table

        if not is_count(limit):
            raise ArgumentError(f"limit must be a number of layers, at least 1, not {limit!r}")
        return table(self, limit)

    def plot(self) -> Any:
        """The rms of the gradient at each layer as a matplotlib figure, on a logarithmic axis.

        Use `compare` to plot several flows in one figure.

        Returns
        -------
        matplotlib.figure.Figure
            The figure.

        Raises
        ------
        GraphError
            If no backward pass was recorded.
        """
        from autograd_core.rendering.plots import plot_flows

        return plot_flows({self.naming.title or "gradient": self})

    def to_csv(self, path: Any) -> None:
        """Write a CSV file with a row for each parameter of each layer.

        Parameters
        ----------
        path : str or path
            The file.

        Raises
        ------
        GraphError
            If no backward pass was recorded.
        """
        from autograd_core.rendering.exporting import to_csv

        to_csv(self, path)

    def to_pandas(self) -> Any:
        """A pandas DataFrame with the rows of `to_csv`.

        Returns
        -------
        pandas.DataFrame
            A row for each parameter of each layer.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        from autograd_core.rendering.exporting import to_pandas

        return to_pandas(self)

    def rms(self) -> dict[str, float]:
        """The gradient's root mean square at the result of each layer, by name."""
        from autograd_core.rendering.tables import layers

        found = layers(self)
        return {layer.unique_name: layer.gradient.rms for layer in found if layer.gradient}

    def parameter_rms(self) -> dict[str, float]:
        """The root mean square of the gradient of each parameter, by name."""
        from autograd_core.rendering.tables import layers

        boxes = (box for layer in layers(self) for box in layer.parameters)
        found: dict[str, float] = {}
        counts: dict[str, int] = {}
        for box in boxes:
            if box.gradient:
                count = counts[box.title] = counts.get(box.title, 0) + 1
                name = box.title if count == 1 else f"{box.title} ({count})"
                found[name] = box.gradient.rms
        return found

    def named(self, naming: Naming) -> Scene:
        """The scene, with names from `naming`, which may have been made after the pass."""
        if not (naming.parameters or naming.results):
            return self.scene
        self.naming = naming
        for box in self.scene.boxes:
            name = naming.results.get(box.number) or naming.parameters.get(box.number)
            if name and box.kind in ("parameter", "leaf"):
                if box.number in naming.parameters and box.kind == "leaf":
                    box.lines[0] = box.lines[0].replace("leaf", "parameter")
                    box.kind = "parameter"
                box.title = name
            elif name:
                box.title = f"{name} = {box.operation}"
            box.findings = ()
        self.scene.bring_leaves_home()
        self.scene.module_names = naming.of_modules(self.scene)
        self.look()
        return self.scene

    def look(self) -> None:
        """Find the problems, and add them to the flow and to its scene."""
        self.findings = find(self)
        self.scene.alarms = [str(finding) for finding in self.findings]
        boxes = (finding.box for finding in self.findings)
        self.scene.alarm_boxes = [box.id if box is not None else "" for box in boxes]

    def __repr__(self) -> str:
        if not self.passes:
            return "<Flow: no backward pass has been recorded>"
        said = "\n".join(f"  {finding}" for finding in self.findings)
        said = said or "  no problems found in the gradients"
        return f"<Flow: {self.scene.heading[0]}>\n{said}"

    def _repr_html_(self) -> str:
        from autograd_core.rendering import notebook

        return notebook.of_flow(self)


@contextmanager
def record_flow(
    model: Any = None,
    *,
    names: Mapping[str, Any] | None = None,
    values: bool = False,
    optimizer: Any = None,
    thresholds: Thresholds | Mapping[str, float] | None = None,
) -> Iterator[Flow]:
    """Record the gradients of the backward passes in this context as a `Flow`.

    Statistics of each gradient are kept (norm, rms, least, greatest, share of zeros, number of
    non-finite elements), but no arrays; each gradient is read once. Run the forward pass in this
    context as well to keep the result of every operation.

    Parameters
    ----------
    model : Module, optional
        Anything with ``named_parameters()``, which gives parameters their dotted names. Parameters
        without a gradient are then reported.
    names : dict, optional
        Further names, with the Tensors and arrays that they belong to, as in `draw`.
    values : bool, default False
        If true, values and gradients are kept for the player, too: small arrays completely, large
        arrays as means of blocks.
    optimizer : Optimizer, optional
        If given, the table has the size of each parameter's update divided by the size of its
        value; about 1e-3 is usual.
    thresholds : Thresholds or dict, optional
        From where on a measurement is a finding: Thresholds, or a dict from names of its fields to
        numbers.

    Yields
    ------
    Flow
        The record, which is complete at the end of the context.

    Raises
    ------
    ArgumentError
        If an argument is not of the kind above, or if there is no threshold of a name.

    See Also
    --------
    draw : Draws a Flow.
    compare : Compares several.
    FlowHistory : Records the steps of a training run.

    Examples
    --------
    >>> import autograd_core as ac
    >>> from autograd_core.rendering import record_flow
    >>> x = ac.Tensor([1.0, 2.0], requires_grad=True, name="x")
    >>> with record_flow() as flow:
    ...     ac.sum(ac.tanh(x) ** 2).backward()
    >>> flow
    <Flow: 3 operations, 1 leaf (2 numbers), 32 B kept for backward()>
      no problems found in the gradients
    """
    flow = Flow(Naming(names, model), thresholds_of(thresholds))
    flow.rates = update_sizes(optimizer)
    recorder = Recorder(flow, values)
    with observed(recorder):
        yield flow
    recorder.finish()


class Recorder(Observer):
    """Fills a Flow while backward passes run."""

    def __init__(self, flow: Flow, values: bool = False) -> None:
        self.flow = flow
        if values:
            from autograd_core.rendering.values import Values

            flow.values = Values()
        keep = flow.values.input if flow.values is not None else None
        self.reader = Reader(flow.naming, keep, gradients=False)
        self.measured: dict[int, Any] = {}  # gradients, by number of a node
        self.crossing: dict[tuple[int, int], Any] = {}  # gradients, by edge
        self.waiting: dict[int, tuple[tuple[int, int], Any]] = {}  # contributions to nodes
        self.shared: set[int] = set()  # nodes that several edges lead to
        self.expected: set[int] = set()
        self.parameters: dict[int, Any] = {}
        self.units: dict[int, Unit] = {}
        self.targets: dict[int, Any] = {}  # of outputs, by number of their node
        self.small: dict[int, Any] = {}  # results of a few elements, by number of their node
        self.losses: list[Any] = []  # values of the outputs, None if they are not known
        self.training = Training()
        self.edges: dict[int, list[Any]] = {}  # (parent, rule), or None if measured
        self.order: dict[int, None] = {}
        self.constants: dict[int, dict[str, Any]] = {}  # operands without a gradient
        self.joint: dict[int, int] = {}  # gathering node → joint node
        self.inside: int | None = None  # the joint node whose rule may be running
        self.oldest, self.newest = math.inf, 0

    def forward(self, node: Node, out: Array, operands: tuple[Any, ...]) -> None:
        """Keep results that can be printed in a box and, of numbers, the operands without a
        gradient; if values are recorded, of all."""
        if out.size <= FULLY_PRINTED:
            self.small[node.seq] = out
        if self.flow.values is not None:
            self.flow.values.result(node, out)
        if self.flow.values is not None or not node.shape:
            tracked = {rule.operand for _, rule, _ in edges_of(node)}
            given = zip(node.op.operands, operands, strict=False)
            self.constants[node.seq] = {n: value for n, value in given if n not in tracked}

    def arrive(self, node: Node, g: Gradient) -> None:
        """Measure the gradient that arrives at a node, and store the node's edges."""
        if self.inside is not None and node.seq > self.inside:
            return  # a function that runs again inside a checkpoint's rule
        self.inside = None
        edges = list(edges_of(node))
        self.expected.update(parent.seq for parent, _, _ in edges)
        if isinstance(node.op, Gathered):
            return
        if node.op is not None and node.op.joint:
            self.inside = node.seq
            self.joint[node.parent.seq] = node.seq  # type: ignore[union-attr]
        self.order.pop(node.seq, None)  # of the last pass that reached it
        self.order[node.seq] = None
        self.flow.pass_of[node.seq] = self.flow.passes + (node.seq not in self.expected)
        self.edges[node.seq] = [(parent, rule) for parent, rule, _ in edges]
        is_output = node.seq not in self.expected
        if is_output:
            self.flow.passes += 1
            self.losses.append(self.small.get(node.seq))
            if self.flow.values is not None:
                self.flow.values.root = node.seq
        if node.seq in self.small:
            self.reader.results[node.seq] = self.small.pop(node.seq)
        self.reader.add(node, is_output=is_output, constants=self.constants.pop(node.seq, {}))
        if isinstance(g, Parts):
            return
        g = _array(g)
        self.measured[node.seq] = measure(g)
        key, _ = self.waiting.pop(node.seq, (None, None))
        if key is not None:
            self.crossing[key] = self.measured[node.seq]
        tensor = self.flow.naming.tensor_of(node)
        if node.op is not None:
            self.oldest, self.newest = min(self.oldest, node.seq), max(self.newest, node.seq)
            self._look_at_units(node)
            if self.flow.passes <= 1:
                self.training.loss(node, g)
        elif tensor is not None:
            value = self.parameters[node.seq] = measure(tensor.data)
            g_found = self.measured[node.seq]
            self.training.leaf(node.seq, self.flow.passes, tensor, value, g_found)
        if self.flow.values is not None:
            self.flow.values.arrival(node, g, tensor)

    def backward(self, node: Node, rule: Rule, g: Gradient, gx: Gradient) -> None:
        """Measure the gradient of an edge. If it is the only edge to its parent, `arrive` measures
        it."""
        if self.inside is not None and node.seq > self.inside:
            return
        seq = self.joint.get(node.seq, node.seq)
        edges = self.edges.get(seq, [])
        unused = (i for i, edge in enumerate(edges) if edge is not None and edge[1] is rule)
        place = next(unused, -1)
        if place < 0:
            return
        parent, _ = edges[place]
        edges[place] = None  # one rule may serve all operands of a list
        key = seq, place
        if isinstance(gx, Parts):  # the parent has several results
            self.crossing[key] = self.measured.get(seq)
            return
        gx = _array(gx)
        if parent.seq in self.shared:
            self.crossing[key] = measure(gx)
        elif parent.seq in self.waiting:
            self.shared.add(parent.seq)
            before, array = self.waiting.pop(parent.seq)
            self.crossing[before] = measure(array)  # before the second is added
            self.crossing[key] = measure(gx)
        else:
            self.waiting[parent.seq] = key, gx
        if self.flow.values is not None and not isinstance(g, Parts):
            saved = [kept for _, found, kept in node.edges() if found is rule]
            again = sum(edge is None for edge in edges[:place]) if len(saved) > 1 else 0
            self.flow.values.crossing(key, node, parent, rule, saved[again], _array(g), gx)

    def _look_at_units(self, node: Node) -> None:
        """Measure dead, saturated and stuck units, if the rules of the node saved what it takes."""
        if node.seq in self.units:
            return
        target = target_of(node)
        if target is not None:
            self.targets[target[0]] = target[1]
        found = looked_at(node, self.targets, self.flow.thresholds.wrong)
        self.targets.pop(node.seq, None)
        if found is not None:
            self.units[node.seq] = found

    def finish(self) -> None:
        """Assign the measurements to boxes and arrows, and add the findings."""
        flow = self.flow
        self.waiting.clear()
        if flow.values is not None:
            flow.values.complete()
        flow.parameters = {seq: resolved(found) for seq, found in self.parameters.items()}
        flow.units = {
            seq: unit._replace(share=float(backend.asnumpy(unit.share)))
            for seq, unit in self.units.items()
        }
        flow.carried = self.training.carried()
        flow.chance = self.training.chance()
        told = [loss for loss in self.losses if loss is not None]
        flow.is_zero = not any(np.any(backend.asnumpy(loss)) for loss in told)
        self.small.clear()
        for seq, box in self.reader.boxes.items():
            if seq in self.measured:
                box.gradient = resolved(self.measured[seq])
                values, finite = flow.parameters.get(seq), not box.gradient.not_finite
                if values is not None and values.size > 1 and values.norm and finite:
                    box.lines.append(f"‖gradient‖ ÷ ‖value‖ {box.gradient.norm / values.norm:.1e}")
                    update = update_ratio(flow.rates.get(seq), box.gradient, values)
                    if update is not None:
                        box.lines.append(f"‖update‖ ÷ ‖value‖ {update:.1e}")
            known = flow.values.results.get(seq) if flow.values is not None else None
            if known is not None and known.whole and not any(map(_is_value, box.lines)):
                value = small_value(known.array())
                box.lines += [f"value {value}"] if value else []
        self.edges.clear()
        for key, found in self.crossing.items():
            if key in self.reader.arrows and found is not None:
                self.reader.arrows[key].gradient = resolved(found)
        flow.exits = [
            f"{exit.reason} at {exit.line}"
            for exit in exits
            if self.oldest - RECENT < exit.number < self.newest and not exit.chooses
        ]
        flow.scene = self.reader.scene()
        flow.scene.flow, flow.scene.passed = True, list(self.order)
        if flow.passes:
            flow.look()


def _is_value(line: str) -> bool:
    return line.startswith("value ")


def _array(g: Gradient) -> Any:
    return backend.as_array(getattr(g, "_array", g))
