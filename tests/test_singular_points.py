"""The gradient that was chosen where there is none: singular_points.py, point by point."""

import operator

import pytest

from tests.table.singular_points import POINTS, check_point


@pytest.mark.parametrize("point", POINTS, ids=operator.attrgetter("name"))
def test_the_chosen_gradient(point, device):
    if point.host and device.home != "cpu":
        pytest.skip(f"CuPy has no {point.name}")
    check_point(point, device)
