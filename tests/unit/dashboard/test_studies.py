"""Runs of a study on a page: which pass the filters, what is drawn of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from dash import dcc

from trivium.dashboard import charts, spread, zoom
from trivium.dashboard.elements import Choices, line, linked
from trivium.dashboard.pages import compared as comparison
from trivium.dashboard.pages import studies as page
from trivium.dashboard.studies import Study
from trivium.study.choose import parse_choices
from trivium.study.report.sample import Sample


@pytest.fixture
def study():
    columns = {
        "gain": np.array([1.0, 1.0, 2.0, 2.0]),
        "fuel": np.array([0.0, 1.0, 0.0, 1.0]),
        "cost": np.array([4.0, np.nan, 1.0, 3.0]),
    }
    return Study(
        folder=Path("results"),
        mark="",
        parameters=("gain", "fuel"),
        metrics=("cost",),
        variables=(),
        runs=np.array([0, 1, 3, 4]),  # run 2 failed
        columns=columns,
        texts={"fuel": ("gas", "coal")},
        total=5,
        failed=1,
    )


@pytest.mark.parametrize(
    ("filters", "passing"),
    [
        ({}, [0, 1, 2, 3]),
        ({"gain": [None, 1.5]}, [0, 1]),
        ({"gain": [2.0, None], "fuel": ["coal"]}, [3]),
        ({"fuel": []}, []),
        ({"fuel": ["coal", "wood"]}, [1, 3]),
        ({"cost": [1.0, 3.0]}, [2, 3]),
        ({"cost": [None, None]}, [0, 1, 2, 3]),
        ({"missing": [0.0, 1.0]}, [0, 1, 2, 3]),
    ],
)
def test_filters(study, filters, passing):
    assert study.select(filters).tolist() == passing


def test_the_address_of_the_data_says_the_same_as_the_filters(study):
    filters = {"gain": [1.5, None], "fuel": ["coal"], "cost": [None, 3.5]}
    links = page._data("task", study, filters, study.select(filters))
    query = parse_qs(urlsplit(links[1].href).query)
    wanted = parse_choices(query["select"], study.texts)
    assert wanted == {"gain": (1.5, np.inf), "fuel": ["coal", "coal"], "cost": (-np.inf, 3.5)}
    assert query["limit"] == ["1"]


def test_lines_go_from_the_least_value_to_the_greatest_and_break_where_there_is_none(study):
    figure = spread.parallel(study, ["gain", "fuel", "cost"], np.arange(4), None)
    (line,) = figure["data"]
    assert line["y"] == [0, 0, 1, None, 0, 1, None, None, 1, 0, 0, None, 1, 1, pytest.approx(2 / 3), None]
    assert line["customdata"] == [run for run in (0, 1, 3, 4) for _ in range(4)]
    assert [end["text"] for end in figure["layout"]["annotations"]] == ["1", "2", "gas", "coal", "1", "4"]


def test_every_line_has_a_colour_by_its_value(study):
    figure = spread.parallel(study, ["gain"], np.arange(4), "cost")
    by_run = {trace["customdata"][k]: trace["line"]["color"] for trace in figure["data"] for k in (0, -1)}
    assert {*by_run} == {0, 1, 3, 4}
    assert by_run[3] != by_run[0]


def test_points_without_both_values_are_left_out_and_the_front_is_a_line(study):
    front = page._front(study, np.arange(4), ("gain", "cost"), ("smaller", "smaller"))
    figure = spread.scatter(study, np.arange(4), ("gain", "cost"), None, front, [1, 3])
    points, best, marked = figure["data"]
    assert (points["customdata"], best["customdata"], marked["customdata"]) == ([0, 3, 4], [0, 3], [3])
    assert page._front(study, np.arange(4), ("gain", "cost"), ("smaller", "-")).size == 0
    assert page._front(study, np.arange(4), ("gain", "fuel"), ("smaller", "smaller")).size == 0


def test_of_many_runs_a_sample_with_the_whole_front_is_drawn():
    n = 100_000
    random = np.random.default_rng(3)
    columns = {"a": random.random(n), "b": random.random(n)}
    study = Study(Path("r"), "", ("a",), ("b",), (), np.arange(n), columns, {}, n, 0)
    front = page._front(study, np.arange(n), ("a", "b"), ("smaller", "greater"))
    points, best = spread.scatter(study, np.arange(n), ("a", "b"), None, front, [])["data"]
    assert {*best["customdata"]} <= {*points["customdata"]}
    assert len(points["x"]) <= spread.POINTS + front.size
    assert "300 of them" in page._passing(study, np.arange(n))


def test_more_runs_than_colours_leave_the_oldest_out():
    mark, compared = {"task_id": "t"}, None
    for run in range(8):
        compared = comparison._added(mark, compared, run)
    assert compared["runs"] == [2, 3, 4, 5, 6, 7]
    assert comparison._added(mark, compared, 4)["runs"] == [2, 3, 5, 6, 7, 4]
    assert comparison._added({"task_id": "another"}, compared, 1)["runs"] == [1]


def test_a_curve_of_many_points_keeps_its_peaks_and_its_ends():
    x = np.arange(100_001.0)
    y = np.sin(x / 1000)
    y[31_415], y[77_777] = 9.0, -9.0
    few, values = charts.thinned(x, y, 500)
    assert few.size <= 1002
    assert (few[0], few[-1]) == (0.0, 100_000.0)
    assert dict(zip(few.tolist(), values.tolist(), strict=True)).items() >= {31415.0: 9.0, 77777.0: -9.0}.items()
    assert (np.diff(few) > 0).all()
    gap = np.where(x < 50_000, np.nan, y)
    assert np.isnan(charts.thinned(x, gap, 500)[1]).any()


def test_a_window_is_of_its_axes_only():
    assert zoom.window(["1", "2", 3, "4", "a", "b"], ("a", "b")) == ((1.0, 2.0), (3.0, 4.0))
    assert zoom.window([1, 2, 3, 4, "a", "c"], ("a", "b")) is None
    for wrong in ([], None, ["x", "2", "3", "4", "a", "b"], [2, 1, 3, 4, "a", "b"]):
        assert zoom.window(wrong, ("a", "b")) is None


def test_a_window_is_drawn_with_more_of_its_runs(study):
    rng = np.random.default_rng(0)
    many = replace(study, runs=np.arange(9000), columns={name: rng.random(9000) for name in ("gain", "cost")})
    axes, every, none = ("gain", "cost"), np.arange(9000), np.empty(0, dtype=int)
    window = [0.2, 0.5, 0.0, 0.5, *axes]
    drawn = [spread.scatter(many, every, axes, None, none, [], each)["data"][0] for each in ((), window)]
    inside = [{run for run, x, y in zip(each["customdata"], each["x"], each["y"], strict=True)
               if 0.2 <= x <= 0.5 and y <= 0.5} for each in drawn]  # fmt: skip
    x, y = many.columns.values()
    assert inside[1] == {*np.flatnonzero((x >= 0.2) & (x <= 0.5) & (y <= 0.5)).tolist()}
    assert 0 < 4 * len(inside[0]) < 1.2 * len(inside[1])


def test_filters_come_back_from_the_address(study):
    filters = {"gain": [1.5, None], "fuel": ["coal", "gas"], "cost": [None, 1 / 3]}
    texts = [f"{name}={page._written(study, name, value)}" for name, value in filters.items()]
    assert page._linked(study, [*texts, "missing=1:2", "gain=x:y"]) == filters


class Results:
    """Results of 1000 runs of a parameter that is never twice the same."""

    status, metrics, sampling, parameters, texts = np.ones(1000), ("m",), "latin_hypercube", ("a",), {}
    units: ClassVar[dict[str, str]] = {}

    def __len__(self):
        return 1000

    def column(self, name, runs):
        return (runs if name == "a" else 2 * runs) / 1000


def test_the_runs_of_a_window_are_grouped_anew():
    whole = Sample(Results())
    part = whole.within({"a": (0.1, 0.3), "m": (0.0, 1.0)})
    assert part.runs.tolist() == [*range(100, 301)]
    assert part.axes["a"].levels.size == whole.axes["a"].levels.size == 20
    assert np.ptp(part.axes["a"].levels) < 0.2
    assert part.metric("m").tolist() == [2 * run / 1000 for run in range(100, 301)]
    assert whole.within({}).runs.size == 1000


def test_a_page_is_filled_from_its_address():
    fields = [line("words", "x"), dcc.Store(id="place", data=0), Choices("columns", "column"), dcc.Store(id="job")]
    kept = {"search": ("words", "value"), "offset": ("place", "data"), "columns": ("columns", "value")}
    linked(fields, "?search=a,b&offset=20&columns=a,b&job=c", kept | {"job": ("job", "data")})
    assert [fields[0].value, fields[1].data, fields[2].value] == ["a,b", 20, ["a", "b"]]
    assert not hasattr(fields[3], "data")
