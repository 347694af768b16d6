"""Points of a model without a drawing, in groups by their names."""

import pytest

from trivium.dashboard.pages.faceplate import groups


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["h", "v"], {"Points": ["h", "v"]}),
        (["a.T", "a.m", "b.T", "b.p.x", "b.p.y"], {"a": ["a.T", "a.m"], "b.p": ["b.p.x", "b.p.y"], "Points": ["b.T"]}),
        (["t", "a.T"], {"Points": ["t", "a.T"]}),
        ([], {}),
    ],
)
def test_groups(names, found):
    assert groups(names) == found
