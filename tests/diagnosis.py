"""How often the findings of a flow are right: the share of healthy networks with an alarm, and the
share of planted faults that are found.

    python -m tests.diagnosis [first_seed]
"""

import sys
from collections import Counter
from dataclasses import dataclass

import numpy as np

from autograd_core.rendering import record_flow
from tests.diagnosis_faults import FAULTS, faulty
from tests.diagnosis_networks import Case, drawn

STEPS = 60  # of the training of a healthy network
FALLEN = 0.7  # its loss is at most this share of the loss at the start
HEALTHY, OF_EACH = 200, 5
ATTEMPTS = 20


@dataclass
class Healthy:
    """A network whose loss has fallen, with its flows at the start, in the middle and at the
    end of the training, and the number of networks drawn before it."""

    case: Case
    flows: list
    redrawn: int

    @property
    def alarms(self):
        return [str(finding) for flow in self.flows for finding in flow.findings]


def healthy(seed):
    """A network of this seed that learns."""
    for attempt in range(ATTEMPTS):
        case = drawn(seed, attempt)
        first = case.error().item()
        flows = [recorded(case, steps=1)]
        for _ in range(STEPS // 2 - 4):
            case.step()
        flows.append(recorded(case, steps=3))  # with a step and zero_grad between the passes
        for _ in range(STEPS // 2):
            case.step()
        flows.append(recorded(case, steps=1))
        if case.error().item() <= FALLEN * first:
            return Healthy(case, flows, attempt)
    raise AssertionError(f"seed {seed}: no network learns in {ATTEMPTS} attempts")


def recorded(case, steps):
    """The flow of some steps."""
    with record_flow(case.model) as flow, np.errstate(all="ignore"):
        for _ in range(steps):
            case.step()
    return flow


def flow_of_fault(kind, seed):
    """The flow of a step of a network with a fault, the second one if it shows only then."""
    case = faulty(kind, seed)
    if kind == "forgotten zero_grad":
        case.step()
    return case, recorded(case, steps=1)


def is_found(kind, seed):
    """True if the fault is among the findings. A cut whose array is not itself an operand is found
    if the place where the value left the graph is named beside the parameters without a path."""
    findings = flow_of_fault(kind, seed)[1].findings
    if kind == "gradient stops" and any("may have left the graph" in f.text for f in findings):
        return True
    return kind.removesuffix(" output") in {finding.kind for finding in findings}


def false_alarms(seeds):
    """(case, alarms) of the healthy networks with an alarm, and the number of redrawn networks."""
    alarmed, redrawn = [], 0
    for seed in seeds:
        network = healthy(seed)
        redrawn += network.redrawn
        if network.alarms:
            alarmed.append((seed, network))
    return alarmed, redrawn


def main(first):
    alarmed, redrawn = false_alarms(range(first, first + HEALTHY))
    print(f"healthy networks with an alarm: {len(alarmed)} of {HEALTHY}")
    print(f"networks that did not learn and were redrawn: {redrawn}")
    for seed, network in alarmed:
        print(f"  seed {seed}: {network.case.described}")
        for text, count in Counter(network.alarms).items():
            print(f"    {count} x {text}")
    print("planted faults found:")
    for kind in FAULTS:
        missed = [seed for seed in range(first, first + OF_EACH) if not is_found(kind, seed)]
        said = f", missed {missed}" if missed else ""
        print(f"  {kind}: {OF_EACH - len(missed)} of {OF_EACH}{said}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
