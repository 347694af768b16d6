"""Charts."""

import numpy as np
import pytest

from trivium.dashboard import charts
from trivium.dashboard.charts import Curve


def test_a_panel_a_unit():
    x = np.array([0.0, 300.0])
    curves = [Curve("a", "K", x, x + 273.15), Curve("b", "W", x, x), Curve("c", "K", x, x + 283.15)]
    figure = charts.over_time(curves, plant=True)
    assert [(one["name"], one["yaxis"]) for one in figure["data"]] == [("a", "y"), ("c", "y"), ("b", "y2")]
    assert figure["data"][0]["y"] == [0.0, 300.0]
    assert figure["data"][2]["y"] == pytest.approx([0.0, 0.3])
    (low, high), (low2, high2) = (figure["layout"][key]["domain"] for key in ("yaxis", "yaxis2"))
    assert 0 <= low2 < high2 < low < high <= 1


def test_curves_are_told_apart_without_colours():
    x = np.array([0.0, 1.0])
    figure = charts.over_time([Curve(str(k), "K", x, x) for k in range(6)], plant=True)
    assert len({one["line"]["dash"] for one in figure["data"]}) == 6


def test_what_is_not_finite_is_a_gap():
    x = np.array([0.0, 1.0, 2.0])
    figure = charts.over_time([Curve("a", "x", x, np.array([1.0, np.nan, np.inf]))], plant=False)
    assert figure["data"][0]["y"] == [1.0, None, None]


@pytest.mark.parametrize("span", [0, 0.5, 7, 60, 3600, 86400, 86400 * 7, 86400 * 365])
def test_marks_of_time_are_few_and_readable(span):
    found = charts.ticks(7_800_000.0, 7_800_000.0 + span)
    assert 1 <= len(found["tickvals"]) <= 7
    assert len(found["ticktext"]) == len(found["tickvals"])
    assert len({*found["ticktext"]}) == len(found["ticktext"])
    assert found["range"][1] > found["range"][0]


def test_noise_of_the_last_digits_is_not_drawn_as_a_signal():
    x = np.arange(3.0)
    quiet = charts.over_time([Curve("a", "K", x, 287.15 + 1e-5 * x)], plant=True)
    low, high = quiet["layout"]["yaxis"]["range"]
    assert high - low > 0.1
    loud = charts.over_time([Curve("a", "K", x, 287.15 + x)], plant=True)
    assert "range" not in loud["layout"]["yaxis"]


def test_no_points_are_told():
    empty = np.array([])
    assert "annotations" in charts.over_time([Curve("a", "K", empty, empty)], plant=True)["layout"]
