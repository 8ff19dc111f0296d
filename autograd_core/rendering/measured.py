"""The data of a `Flow`, which findings, tables and plots read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from autograd_core.errors import GraphError
from autograd_core.rendering.naming import Naming
from autograd_core.rendering.scene import Box, Scene
from autograd_core.rendering.statistics import Statistics
from autograd_core.rendering.thresholds import Thresholds
from autograd_core.rendering.training import Chance
from autograd_core.rendering.units import Unit

if TYPE_CHECKING:
    from autograd_core.rendering.values import Values


class Finding(NamedTuple):
    """A problem with gradients. `kind` is its short name, `where` the title of the box or the name
    of the parameter, `text` the full description, and `short` the line printed in the box."""

    kind: str
    where: str
    text: str
    short: str
    box: Box | None = None

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


class Measured:
    """The statistics of backward passes, and the scene that they are drawn in."""

    def __init__(self, naming: Naming, thresholds: Thresholds | None = None) -> None:
        self.naming = naming
        self.thresholds = thresholds or Thresholds()
        self.scene = Scene(flow=True)
        self.values: Values | None = None
        self.passes = 0
        self.pass_of: dict[int, int] = {}  # the last pass that reached a node, by its number
        self.parameters: dict[int, Statistics] = {}  # statistics of values, by number of a leaf
        self.units: dict[int, Unit] = {}  # by number of an operation
        self.carried: list[int] = []  # leaves whose gradient was not set to zero
        self.chance: Chance | None = None
        self.is_zero = False  # no loss is known to be other than 0
        self.rates: dict[int, tuple[float, bool]] = {}  # see update_sizes
        self.exits: list[str] = []  # where values left the graph
        self.findings: list[Finding] = []

    def require(self) -> None:
        """Raise GraphError if no backward pass was recorded."""
        if not self.passes:
            raise GraphError(
                "no backward pass ran inside this record_flow(): put it around loss.backward(), as "
                "in `with record_flow() as flow: loss.backward()`"
            )

    def last_pass(self) -> Scene:
        """The part of the scene that the last pass has reached."""
        kept = {box.id for box in self.scene.boxes if self.pass_of.get(box.number) == self.passes}
        arrows = [arrow for arrow in self.scene.arrows if arrow.target in kept]
        kept |= {arrow.source for arrow in arrows}
        boxes = [box for box in self.scene.boxes if box.id in kept]
        passed = [seq for seq in self.scene.passed if self.pass_of.get(seq) == self.passes]
        said = f"The last of {self.passes:,} backward passes."
        return replace(
            self.scene, boxes=boxes, arrows=arrows, passed=passed,
            heading=[*self.scene.heading, said],
        )  # fmt: skip
