"""The chart over time."""

from __future__ import annotations

import json

import numpy as np
import pytest
from plotly.io.json import to_json_plotly

from trivium.dashboard import timeline
from trivium.dashboard.timeline import Limit, Line, Scene
from trivium.session.events import Event

X = np.array([0.0, 300.0, 600.0])


def test_a_panel_a_unit():
    lines = [Line("a", "K", X, X + 273.15), Line("b", "W", X, X), Line("c", "K", X, X + 283.15)]
    figure = timeline.draw(lines, Scene(0, 600))
    assert [(one["name"], one["yaxis"], one["legend"]) for one in figure["data"]] == [
        ("a", "y", "legend"),
        ("c", "y", "legend"),
        ("b", "y2", "legend2"),
    ]
    assert figure["data"][0]["y"].tolist() == [0.0, 300.0, 600.0]
    assert figure["data"][2]["y"].tolist() == pytest.approx([0.0, 0.3, 0.6])
    (low, high), (low2, high2) = (figure["layout"][key]["domain"] for key in ("yaxis", "yaxis2"))
    assert 0 <= low2 < high2 < low < high <= 1


def test_curves_are_told_apart_without_colours():
    figure = timeline.draw([Line(str(k), "K", X, X) for k in range(6)], Scene(0, 600))
    assert len({one["line"]["dash"] for one in figure["data"]}) == 6


def test_what_is_not_finite_is_a_gap():
    figure = timeline.draw([Line("a", "x", X, np.array([1.0, np.nan, np.inf]))], Scene(0, 600))
    assert json.loads(to_json_plotly(figure["data"][0]["y"])) == [1.0, None, None]  # as a browser gets it


def test_a_value_that_is_held_is_drawn_as_a_step_that_ends_with_its_row():
    lines = [Line("u", "K", X, X, steps=True), Line("x", "K", X, X)]
    held, ramp = timeline.draw(lines, Scene(0, 600))["data"]
    assert held["line"]["shape"] == "vh"
    assert "shape" not in ramp["line"]


def test_one_step_of_100_001_rows_is_drawn():
    x = 300.0 * np.arange(100_001)
    y = 14 + np.sin(x / 1e6)
    y[77_123] = 21.8
    (curve,) = timeline.draw([Line("a", "x", x, y)], Scene(0, x[-1], 900))["data"]
    assert (curve["x"][0], curve["x"][-1]) == (0.0, x[-1])
    assert dict(zip(curve["x"], curve["y"], strict=True))[x[77_123]] == 21.8
    assert min(curve["y"]) == y.min()
    assert len(curve["x"]) <= 2 * 900 + 2


@pytest.mark.parametrize("span", [0, 0.5, 7, 60, 3600, 86400, 86400 * 7, 86400 * 365])
def test_marks_of_time_are_few_and_readable(span):
    found = timeline.draw([Line("a", "x", X, X)], Scene(7_800_000.0, 7_800_000.0 + span))["layout"]["xaxis"]
    assert 1 <= len(found["tickvals"]) <= 8
    assert len({*found["ticktext"]}) == len(found["ticktext"]) == len(found["tickvals"])
    assert found["range"][1] > found["range"][0]


def test_noise_of_the_last_digits_is_not_drawn_as_a_signal():
    quiet = timeline.draw([Line("a", "K", X, 287.15 + 1e-7 * X)], Scene(0, 600))
    low, high = quiet["layout"]["yaxis"]["range"]
    assert high - low > 0.1
    loud = timeline.draw([Line("a", "K", X, 287.15 + X)], Scene(0, 600))
    assert "range" not in loud["layout"]["yaxis"]


def test_stretches_outside_a_limit_end_with_their_rows():
    x = np.arange(0.0, 3000.0, 300.0)
    y = np.array([14, 14, 15, 15, 14, 14, 13, 14, 14, 15.0])
    found = timeline.outside(x, y, Limit("a", 13.5, 14.5))
    assert found == [(300.0, 900.0), (1500.0, 1800.0), (2400.0, 2700.0)]
    figure = timeline.draw([Line("a", "x", x, y)], Scene(0, 2700, limits=[Limit("a", 13.5, 14.5)]))
    shaded = [(one["x0"], one["x1"]) for one in figure["layout"]["shapes"]]
    assert shaded == found


def test_events_in_the_window_are_marked_and_the_newest_of_many():
    events = [Event(float(at), "snapshot", f"at {at}", 0.0) for at in range(0, 1000, 10)]
    shapes = timeline.draw([Line("a", "x", X, X)], Scene(100, 200, events=events))["layout"]["shapes"]
    assert [one["x0"] for one in shapes] == [float(at) for at in range(100, 201, 10)]
    many = timeline.in_window(events, 0, 1000)
    assert (len(many), many[-1].time) == (timeline.MOST_EVENTS, 990.0)


def test_the_chart_in_words():
    lines = [Line("a", "K", X, np.array([287.15, 289.15, 288.15]))]
    assert timeline.sentence(lines, Scene(0, 600)) == "a from 14.0 °C to 16.0 °C, at the end 15.0 °C."
    assert timeline.limits_sentence([Limit("a", None, 288.15)], {"a": "K"}, plant=True).endswith("a above 15.0 °C.")


def test_no_points_are_told():
    empty = np.array([])
    assert timeline.draw([Line("a", "K", empty, empty)], Scene(0, 1))["layout"]["annotations"][0]["text"]
