"""The history of flows over the steps of a training run, and comparisons of flows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from autograd_core.errors import ArgumentError, AutogradError
from autograd_core.rendering.flow import Flow, record_flow
from autograd_core.rendering.thresholds import Thresholds, thresholds_of
from autograd_core.rendering.wording import is_count


class FlowHistory:
    """How the gradients at each layer change during a training run.

    Each ``with history.step():`` around a backward pass adds one column: the rms of the gradient at
    each layer and parameter, and the findings. No other data are kept.

        history = FlowHistory(model, every=10)
        for images, labels in batches:
            loss = loss_of(model(images), labels)
            with history.step():
                loss.backward()
        history.plot().savefig("history.png")

    Parameters
    ----------
    model : Module, optional
        Anything with ``named_parameters()``, which gives parameters their dotted names.
    every : int, default 1
        One step in `every` is recorded; the other steps run at full speed.
    thresholds : Thresholds or dict, optional
        From where on a measurement is a finding, as in `record_flow`.

    Raises
    ------
    ArgumentError
        If `every` is not a positive integer, or if `thresholds` is not as in `record_flow`.

    See Also
    --------
    record_flow : Records one step in more detail.

    Examples
    --------
    >>> import autograd_core as ac
    >>> from autograd_core.rendering import FlowHistory
    >>> w = ac.Tensor([1.0, 2.0], requires_grad=True, name="w")
    >>> history = FlowHistory()
    >>> for rate in (1.0, 10.0):
    ...     w.grad = None
    ...     with history.step():
    ...         (rate * w).sum().backward()
    >>> history
    <FlowHistory: 2 of 2 steps recorded>
    >>> print(history.table())
    layer       first    least  greatest     last
    multiply  1.0e+00  1.0e+00   1.0e+00  1.0e+00
    sum       1.0e+00  1.0e+00   1.0e+00  1.0e+00
    w         1.0e+00  1.0e+00   1.0e+01  1.0e+01
    <BLANKLINE>
    no problems found in 2 recorded steps
    """

    def __init__(
        self,
        model: Any = None,
        *,
        every: int = 1,
        thresholds: Thresholds | Mapping[str, float] | None = None,
    ) -> None:
        if not is_count(every):
            raise ArgumentError(f"every must be a number of steps, at least 1, not {every}")
        self.model = model
        self.every = every
        self.thresholds = thresholds_of(thresholds)
        self.count = 0
        self.steps: list[int] = []
        # name → {step: rms}, in the order of the layers
        self.layers: dict[str, dict[int, float]] = {}
        self.parameters: dict[str, dict[int, float]] = {}
        self.findings: dict[str, tuple[int, int]] = {}  # text → (first, last step)

    @contextmanager
    def step(self) -> Iterator[Flow | None]:
        """Record the backward passes in this context, if this step is to be recorded.

        The steps to be recorded are those whose number is a multiple of `every`.

        Yields
        ------
        Flow or None
            The flow of this step, or None if the step is not recorded.

        Raises
        ------
        GraphError
            If no backward pass ran in the context of a recorded step.
        """
        looked_at = self.count % self.every == 0
        if not looked_at:
            yield None
        else:
            with record_flow(self.model, thresholds=self.thresholds) as flow:
                yield flow
            self.append(flow, self.count)
        self.count += 1

    def append(self, flow: Flow, step: int | None = None) -> None:
        """Add a flow that was recorded elsewhere.

        Parameters
        ----------
        flow : Flow
            What `record_flow` has recorded.
        step : int, optional
            The number of the step, by default that after the last step.

        Raises
        ------
        GraphError
            If no backward pass was recorded.
        """
        flow.require()
        step = (self.steps[-1] + 1 if self.steps else 0) if step is None else step
        self.steps.append(step)
        for name, value in flow.rms().items():
            self.layers.setdefault(name, {})[step] = value
        for name, value in flow.parameter_rms().items():
            self.parameters.setdefault(name, {})[step] = value
        for finding in flow.findings:
            said = f"{finding.kind} at {finding.where}"
            first, _ = self.findings.get(said, (step, step))
            self.findings[said] = first, step

    def table(self) -> str:
        """A text table of the first, least, greatest and last rms at each layer and parameter.

        The findings follow, with their first and last steps.

        Returns
        -------
        str
            The lines of the table.

        Raises
        ------
        AutogradError
            If no step was recorded.
        """
        from autograd_core.rendering.tables import columns

        self._require()
        return "\n".join([*columns(self._rows()), "", *self._said()])

    def _rows(self) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = [("layer", "first", "least", "greatest", "last")]
        for name, by_step in (self.layers | self.parameters).items():
            sizes = list(by_step.values())
            shown = sizes[0], min(sizes), max(sizes), sizes[-1]
            rows.append((name, *(f"{size:.1e}" for size in shown)))
        return rows

    def _said(self) -> list[str]:
        lines = [
            f"{said}, step {first}" + (f" to {last}" if last != first else "")
            for said, (first, last) in self.findings.items()
        ]
        return lines or [f"no problems found in {len(self.steps):,} recorded steps"]

    def plot(self, of: str = "parameters") -> Any:
        """A matplotlib figure with a column for each step.

        Colours are darker for greater gradients, on a logarithmic scale.

        Parameters
        ----------
        of : str, default 'parameters'
            What the rows are: ``"parameters"`` or ``"layers"``.

        Returns
        -------
        matplotlib.figure.Figure
            The figure.

        Raises
        ------
        ArgumentError
            If `of` is neither of the two.
        AutogradError
            If no step was recorded.
        """
        from autograd_core.rendering.plots import plot_history

        self._require()
        rows = {"parameters": self.parameters, "layers": self.layers}
        if of not in rows:
            raise ArgumentError(f'plot: of must be "parameters" or "layers", not {of!r}')
        return plot_history(rows[of] or self.layers, self.steps)

    def __repr__(self) -> str:
        return f"<FlowHistory: {len(self.steps):,} of {self.count:,} steps recorded>"

    def _repr_html_(self) -> str:
        from autograd_core.rendering import notebook

        return notebook.of_history(self)

    def _require(self) -> None:
        if not self.steps:
            raise AutogradError(
                "this history is empty: put `with history.step():` around loss.backward()"
            )


def compare(**flows: Flow) -> Flows:
    """Compare flows layer by layer.

    Parameters
    ----------
    **flows : Flow
        The flows of `record_flow`. Their keywords are the names in the table.

    Returns
    -------
    Flows
        Prints as a text table of the gradient's rms at every layer, with a column for each flow,
        followed by the findings, as ``table()`` returns it. ``plot()`` is a matplotlib figure with
        a line for each flow.

    Raises
    ------
    ArgumentError
        If there is no flow, or if an argument is not a Flow.
    GraphError
        In the table and the plot, if a flow has no backward pass.

    Examples
    --------
    >>> import autograd_core as ac
    >>> from autograd_core.rendering import compare, record_flow
    >>> def flow_of(activation):
    ...     x = ac.Tensor([1.0, 2.0], requires_grad=True)
    ...     with record_flow() as flow:
    ...         activation(10 * x).sum().backward()
    ...     return flow
    >>> flows = compare(sine=flow_of(ac.sin), relu=flow_of(ac.relu))
    >>> print(flows)
    layer        sine     relu
    multiply  6.6e-01  1.0e+00
    relu               1.0e+00
    sin       1.0e+00
    sum       1.0e+00  1.0e+00
    <BLANKLINE>
    sine: no problems
    <BLANKLINE>
    relu: no problems
    """
    if not flows or not all(isinstance(flow, Flow) for flow in flows.values()):
        raise ArgumentError("compare(name=flow, other=flow) takes the flows of record_flow()")
    return Flows(flows)


class Flows:
    """Several named flows to compare."""

    def __init__(self, flows: dict[str, Flow]) -> None:
        self.flows = flows

    def table(self) -> str:
        """A text table of the gradient's rms at every layer, with a column for each flow, followed
        by the findings."""
        from autograd_core.rendering.tables import compared

        return compared(self.flows)

    def plot(self) -> Any:
        """A matplotlib figure of the gradient's rms at every layer, with a line for each flow."""
        from autograd_core.rendering.plots import plot_flows

        return plot_flows(self.flows)

    def __repr__(self) -> str:
        return self.table()

    def _repr_html_(self) -> str:
        from autograd_core.rendering import notebook

        return notebook.of_flows(self.flows)
