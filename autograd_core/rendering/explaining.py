"""`explain` prints the chain rule for one computation, with symbols and numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autograd_core.devices import backend
from autograd_core.engine.backward import propagate, seed
from autograd_core.engine.graph import Node
from autograd_core.engine.state import observed
from autograd_core.engine.tensor import Tensor
from autograd_core.errors import ArgumentError, FreedGraphError, GraphError
from autograd_core.errors.tracebacks import public
from autograd_core.rendering.flow import Flow, Recorder
from autograd_core.rendering.naming import Naming
from autograd_core.rendering.scene import Box
from autograd_core.rendering.symbols import symbols_of
from autograd_core.rendering.values import Crossing, Picture
from autograd_core.rendering.wording import counted, is_count, shortened, written

SIGNS = {"add": " + ", "subtract": " - ", "multiply": " · ", "divide": " / ", "power": " ^ "}
PATHS = 12  # at most this many paths are written out


@public
def explain(
    output: Tensor,
    *,
    of: Tensor | None = None,
    model: Any = None,
    names: Mapping[str, Any] | None = None,
    limit: int = 200,
) -> None:
    """Print how the chain rule gives the gradients of a result, with symbols and numbers.

    The forward pass is printed first: each operation with its result. The backward pass follows,
    from the output to the leaves: the gradient of each result and each leaf, as the sum, over the
    operations that use it, of the incoming gradient times the local derivative. Results without a
    name are called v1, v2 … A backward pass is run, which leaves the graph and every ``.grad``
    unchanged.

    Parameters
    ----------
    output : Tensor
        The result. If it has several elements, the gradients are those of its sum.
    of : Tensor, optional
        If given, only its gradient is printed, as a sum over all paths from `output` to `of`,
        factor by factor.
    model : Module, optional
        Anything with ``named_parameters()``, which gives parameters their dotted names.
    names : dict, optional
        Further names, with the Tensors and arrays that they belong to, as in `draw`.
    limit : int, default 200
        At most this many steps are printed, followed by the number of remaining steps.

    Raises
    ------
    GraphError
        If `output` is untracked, or does not depend on `of`.
    FreedGraphError
        If a backward pass has released the graph.
    ArgumentError
        If `output` is not a Tensor, or if `model`, `names` or `limit` is not of the kind above.

    See Also
    --------
    draw : Draws the graph.

    Examples
    --------
    >>> import autograd_core as ac
    >>> from autograd_core.rendering import explain
    >>> w, x = ac.Tensor(2.0, True, name="w"), ac.Tensor(3.0, True, name="x")
    >>> L = ac.tanh(w * x)
    >>> explain(L, names={"L": L})
    forward
      v1 = multiply(w, x) = 2 · 3 = 6
      L  = tanh(v1) = 1
    backward
      ∂L/∂L  = 1
      ∂L/∂v1 = ∂L/∂L · ∂L/∂v1 = 1 · 2.458e-05 = 2.458e-05
      ∂L/∂w  = ∂L/∂v1 · ∂v1/∂w = 2.458e-05 · 3 = 7.373e-05
      ∂L/∂x  = ∂L/∂v1 · ∂v1/∂x = 2.458e-05 · 2 = 4.915e-05
    """
    if not isinstance(output, Tensor):
        raise ArgumentError(
            f"explain needs a Tensor that is the result of a computation, not {output!r:.60}"
        )
    if not is_count(limit):
        raise ArgumentError(f"limit must be a number of steps, at least 1, not {limit!r}")
    flow = traced(output, Naming(names, model), "explain")
    story = _Story(flow, output)
    if of is None:
        lines = [*story.forward(limit), *story.backward(limit)]
    elif not isinstance(of, Tensor) or of.node is None or of.node.seq not in story.symbols:
        raise GraphError(
            "explain: the output does not depend on this Tensor, so no path leads to it"
        )
    else:
        lines = [*story.paths(of.node.seq)]
    print("\n".join(lines))


def traced(output: Tensor, naming: Naming, who: str, values: bool = True) -> Flow:
    """Run a backward pass that changes neither the graph nor any ``.grad``; return it as a Flow,
    with values if they are wanted."""
    if output.node is None:
        raise GraphError(
            f"{who}: no operation was recorded for this Tensor. Does an input have "
            "requires_grad=True? Was the Tensor computed outside no_grad() and without detach()?"
        )
    if output.node.released:
        raise FreedGraphError(
            f"{who}: a backward pass has already released this graph; call this before backward(), "
            "or pass retain_graph=True to backward()"
        )
    gradient = None
    if output.size != 1:  # the gradient of the sum
        gradient = backend.run_there(output.data, np.ones_like, output.data)
    flow = Flow(naming)
    recorder = Recorder(flow, values=values)
    if flow.values is not None:
        for node, tensor in _known(output, naming):
            flow.values.result(node, tensor.data)
    with observed(recorder):
        propagate([(output.node, seed(output, gradient))], retain=True)
    recorder.training.arrivals.clear()  # this pass adds to no gradient
    recorder.finish()
    return flow


def _known(output: Tensor, naming: Naming) -> Iterator[tuple[Node, Tensor]]:
    """The nodes and Tensors of the results whose Tensors are available."""
    assert output.node is not None
    yield output.node, output
    for tensor in naming.tensors.values():
        if tensor.node is not None:
            yield tensor.node, tensor


class _Story:
    def __init__(self, flow: Flow, output: Tensor) -> None:
        assert flow.values is not None
        assert output.node is not None
        self.values, self.passed = flow.values, flow.scene.passed
        self.root = output.node.seq
        self.into = flow.scene.operands()
        self.boxes = {box.id: box for box in flow.scene.boxes}
        self.symbols = symbols_of(flow.scene, self.root, output.name or "L")
        self.crossings: dict[int, list[Crossing]] = {}  # by the number of the operand's node
        for crossing in self.values.crossings.values():
            self.crossings.setdefault(crossing.parent, []).append(crossing)

    def forward(self, limit: int) -> Iterator[str]:
        """The operations, in the order in which they ran."""
        yield "forward"
        operations = [box for box in self.boxes.values() if box.operation]
        width = max(len(self.symbols[box.number]) for box in operations) if operations else 0
        for box in operations[:limit]:
            yield f"  {self.symbols[box.number]:{width}} = {self._call(box)}"
        if len(operations) > limit:
            yield f"  … and {counted(len(operations) - limit, 'operation')} more"

    def _call(self, box: Box) -> str:
        """An operation with the names and values of its operands, and its settings."""
        arrows = self.into[box.id]
        settings = dict(line.split(" = ", 1) for line in box.lines if " = " in line)
        words, numbers = [], []
        for place, name in enumerate(box.operands):
            found = [self.boxes[arrow.source] for arrow in arrows if arrow.place == place]
            constant = settings.pop(name, "")
            words += [self._symbol(source) for source in found] or [constant or "…"]
            numbers += [self._value(source) for source in found] or [constant]
        if not box.operands:
            words = [self._symbol(self.boxes[arrow.source]) for arrow in arrows]
        words += [f"{name} = {value}" for name, value in settings.items()]
        text = f"{box.operation}({', '.join(words)})"
        sign = SIGNS.get(box.key)
        if sign and len(numbers) == 2 and all(numbers) and words != numbers:
            text += f" = {sign.join(map(_bracketed, numbers))}"
        result = self._value(box)
        return text + (f" = {result}" if result else f": {box.lines[0]}, not kept")

    def _symbol(self, source: Box) -> str:
        if source.kind != "input":
            return self.symbols[source.number]
        return source.title if source.title != "input" else self._value(source) or "…"

    def _value(self, box: Box) -> str:
        if box.kind == "input":
            shown = (line for line in box.lines if line.startswith("value "))
            return next(shown, "").removeprefix("value ")
        found = self.values.results.get(box.number)
        return _number(found) if found is not None else ""

    def backward(self, limit: int) -> Iterator[str]:
        """The gradients of the results in the order of the backward pass, then of the leaves."""
        yield "backward"
        known = self.symbols.keys()
        order = [seq for seq in self.passed if seq in known and seq in self.values.arrived]
        leaves = {box.number for box in self.boxes.values() if not box.operation}
        order = [s for s in order if s not in leaves] + sorted(s for s in order if s in leaves)
        L = self.symbols[self.root]
        width = max(len(self._d(seq)) for seq in order[:limit])
        for seq in order[:limit]:
            left = f"  {self._d(seq):{width}} = "
            total = _number(self.values.arrived[seq])
            found = self.crossings.get(seq, [])
            if not found:
                yield left + total
                continue
            terms = [
                f"{self._d(c.node)} · ∂{self.symbols[c.node]}/∂{self.symbols[seq]}" for c in found
            ]
            right = " + ".join(terms)
            if all(c.local is not None for c in found):
                right += " = " + " + ".join(
                    f"{_bracketed(_number(self.values.arrived[c.node]))} · "
                    f"{_bracketed(_number(c.local))}"
                    for c in found
                )
            yield f"{left}{right} = {total}"
        if len(order) > limit:
            yield f"  … and {counted(len(order) - limit, 'step')} more before all ∂{L} are known"

    def _d(self, seq: int) -> str:
        return f"∂{self.symbols[self.root]}/∂{self.symbols[seq]}"

    def paths(self, seq: int) -> Iterator[str]:
        """Every path from the output to one node, factor by factor."""
        found = list(self._paths(seq))
        arrived = _number(self.values.arrived[seq])
        if len(found) > PATHS:
            yield (
                f"{self._d(seq)} = {arrived}, the sum over more than {PATHS} paths; "
                "explain(output) prints it step by step"
            )
            return
        products = [
            " · ".join(f"∂{self.symbols[c.node]}/∂{self.symbols[c.parent]}" for c in path) or "1"
            for path in found
        ]
        left = f"{self._d(seq)} = "
        yield left + f"\n{' ' * (len(left) - 2)}+ ".join(products)
        if all(c.local is not None for path in found for c in path):
            numbers = [
                " · ".join(_bracketed(_number(c.local)) for c in path) or "1" for path in found
            ]
            yield f"{' ' * (len(left) - 2)}= " + f"\n{' ' * (len(left) - 2)}+ ".join(numbers)
        yield f"{' ' * (len(left) - 2)}= {arrived}"

    def _paths(self, seq: int) -> Iterator[list[Crossing]]:
        """The paths from the output to a node, each as its edges in the order of the factors. At
        most PATHS + 1 paths are generated."""
        waiting: list[tuple[int, list[Crossing]]] = [(seq, [])]
        count = 0
        while waiting and count <= PATHS:
            at, path = waiting.pop()
            if at == self.root:
                count += 1
                yield path
            found = reversed(self.crossings.get(at, []))
            waiting.extend((crossing.node, [crossing, *path]) for crossing in found)


def _number(found: Picture | None) -> str:
    """One number, the elements of a small array in brackets, or the shape and range of a large
    array."""
    if found is None:
        return ""
    if not found.whole:
        return f"{found.shape} from {found.least:.3g} to {found.greatest:.3g}"
    text = written(found.array())
    return text if len(text) <= 72 else f"{found.shape} {shortened(text, 48)}"


def _bracketed(number: str) -> str:
    return f"({number})" if number.startswith("-") else number
