"""Small trends: no peak is lost, and what is no number is left out."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from trivium.dashboard import strips
from trivium.dashboard.formatting import scale


def drawn(values):
    """Return a trend and the heights of its points [px from above]."""
    shown = scale("K", plant=True)
    root = ElementTree.fromstring(strips.draw(np.arange(len(values)), np.array(values), shown, 'A "b" & <c>'))
    points = [tuple(map(float, point.split(","))) for point in root[0].get("points").split()]
    return root, points


def test_a_spike_of_one_row_among_many_is_drawn():
    values = np.full(100_001, 290.0)
    values[77_777] = 300.0
    root, points = drawn(values)
    assert len(points) < 1500
    assert min(y for _, y in points) == 3.0
    assert root.get("aria-label") == 'A "b" & <c>: 16.9 °C to 26.9 °C, now 16.9 °C'


@pytest.mark.parametrize("values", [[290.0], [290.0, 290.0], [np.nan, 290.0]])
def test_what_stands_still_is_a_line_in_the_middle(values):
    _, points = drawn(values)
    assert {y for _, y in points} == {28.0}
    assert len(points) > 1


def test_nothing_is_drawn_of_nothing():
    assert strips.draw(np.array([]), np.array([]), scale("K", plant=True), "x") == ""
    assert strips.draw(np.array([1.0]), np.array([np.nan]), scale("K", plant=True), "x") == ""
