"""Runs of a study on a page: which pass the filters, what is drawn of them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from trivium.dashboard import charts, spread
from trivium.dashboard.pages import compared as comparison
from trivium.dashboard.pages import studies as page
from trivium.dashboard.studies import Study
from trivium.study.choose import parse_choices


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
