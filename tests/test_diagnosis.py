"""A sample of the diagnosis of healthy and faulty networks; `python -m tests.diagnosis` is more."""

import pytest

from tests.diagnosis import false_alarms, is_found
from tests.diagnosis_faults import FAULTS

FIRST = 50_000  # the thresholds were chosen on other seeds


def test_healthy_networks_raise_no_alarm():
    alarmed, _ = false_alarms(range(FIRST, FIRST + 20))
    said = [(seed, network.case.described, network.alarms) for seed, network in alarmed]
    assert not said, said


@pytest.mark.parametrize("kind", FAULTS)
def test_planted_faults_are_found(kind):
    assert [is_found(kind, seed) for seed in (FIRST, FIRST + 1)] == [True, True]
