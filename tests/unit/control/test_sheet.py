import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trivium.control.sheet import POINTS, draw_html, draw_png, means, panels
from trivium.simulation.calendar import read_calendar

COLUMNS = ("time", "P", "Q", "T", "warm", "m", "on")
DECLARED = {
    "power": {"chillers": ["P"], "pumps": ["P", "Q"]},
    "comfort": {"temperature": "T", "set_point": 287.15},
    "heat": {"mass_flow": "m", "warm": "warm", "cold": "T"},
    "switches": {"units": ["on"]},
}


def rows(n: int) -> np.ndarray:
    time = 1000.0 + 300.0 * np.arange(n + 1)
    return np.column_stack((time, time, 2 * time, np.full((n + 1, 4), (280.0, 290.0, 10.0, 1.0))))


def test_a_long_run_becomes_means() -> None:
    n = 3 * POINTS
    table = rows(n)
    of = means(COLUMNS, [table[:100], table[100:]], 1000.0, table[-1, 0])
    assert len(of["time"]) == POINTS
    assert np.allclose(of["P"], table[1:, 1].reshape(-1, 3).mean(axis=1))  # the first row ends before the run
    assert np.allclose(np.diff(of["time"]), 900.0)


def test_a_short_run_keeps_its_rows() -> None:
    table = rows(7)
    of = means(COLUMNS, [table], 1000.0, table[-1, 0])
    assert np.array_equal(of["P"], table[1:, 1])


def test_rows_count_for_as_long_as_they_stand() -> None:
    n = 3 * POINTS
    table = rows(n)
    cut = np.repeat(table, 2, axis=0)[:-1]  # each interval has a further row after a third of it
    cut[::2, 0] -= 200.0
    cut[::2, 1] += 30.0
    of = means(COLUMNS, [cut[1:100], cut[100:]], 1000.0, table[-1, 0])
    whole = means(COLUMNS, [table], 1000.0, table[-1, 0])
    assert np.allclose(of["P"][1:-1], whole["P"][1:-1] + 10.0)


def test_panels_follow_the_declaration() -> None:
    of = means(COLUMNS, [rows(5)], 1000.0, 2500.0)
    power, temperatures, heat, pue, units = panels(of, DECLARED, ["T"])
    assert power.stacked
    assert np.allclose(power.lines["pumps"], 3 * of["P"] / 1e3)
    assert np.allclose(temperatures.lines["set point"], 14.0)
    assert np.allclose(heat.lines["heat"], 10 * 4186 * 10 / 1e6)
    assert np.allclose(pue.lines["PUE"], 1 + 4 * of["P"] / (10 * 4186 * 10))
    assert np.allclose(units.lines["units"], 1)
    assert [panel.title for panel in panels(of, {}, ["T", "warm"])] == ["T", "warm"]


def test_meters_and_several_temperatures_are_drawn() -> None:
    declared = {
        "power": {"all": ["P"]},
        "meter": {"plus": ["Q"]},
        "comfort": [{"temperature": "T", "set_point": 287.15}, {"temperature": "warm", "set_point": 288.15}],
        "heat": {"plus": ["Q"], "minus": ["P"]},
        "water": {"make_up": "m"},
    }
    of = means(COLUMNS, [rows(8)], 1000.0, 3400.0)
    _, temperatures, heat, pue = panels(of, declared, [])
    assert list(temperatures.lines) == ["T", "set point", "warm", "set point of warm"]
    assert np.allclose(heat.lines["heat"], 1e-6)  # Q grows by 2 in a second, P by 1
    assert np.allclose(pue.lines["PUE"], 3.0)
    assert np.allclose(panels(of, {"heat": {"power": "m"}}, [])[0].lines["heat"], 1e-5)
    alone = means(COLUMNS, [rows(1)], 1000.0, 1300.0)
    assert np.isnan(panels(alone, declared, [])[2].lines["heat"]).all()


def test_the_sheet_is_drawn_and_needs_no_network(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    pytest.importorskip("plotly")
    of = means(COLUMNS, [rows(50)], 1000.0, 16000.0)
    sheet, png, html = panels(of, DECLARED, []), tmp_path / "run.png", tmp_path / "run.html"
    draw_png(of["time"], sheet, "A run", png)
    draw_html(of["time"], sheet, "A run", html)
    assert png.read_bytes().startswith(b"\x89PNG")
    page = html.read_text()
    assert "A run" in page
    assert 'src="http' not in page
    assert "sendChartToCloud" in page.rpartition("modeBarButtonsToRemove")[2]


def figure_of(page: str) -> tuple[list[Any], dict[str, Any]]:
    """Return data and layout of a page of Plotly's."""
    decoder = json.JSONDecoder()
    data, end = decoder.raw_decode(page, page.index("[{", page.rindex("Plotly.newPlot(")))
    layout, _ = decoder.raw_decode(page, page.index("{", end))
    return data, layout


def test_the_page_has_dates_a_legend_a_panel_and_whole_counts(tmp_path: Path) -> None:
    pytest.importorskip("plotly")
    of = means(COLUMNS, [rows(50)], 1000.0, 16000.0)
    declared = {**DECLARED, "switches": {"chillers": ["on"], "pumps": ["on"]}}
    calendar = read_calendar({"epoch": datetime(2020, 4, 1, tzinfo=timezone(timedelta(hours=-5)))})
    draw_html(of["time"], panels(of, declared, []), "A run", tmp_path / "run.html", calendar)
    data, layout = figure_of((tmp_path / "run.html").read_text())
    assert data[0]["x"][0] == "2020-04-01 00:21:36"  # the first row, 1300 s, stands in a span of 7.5 s
    entries = [(each["legend"], each["name"]) for each in data if each["showlegend"]]
    assert len({*entries}) == len(entries)
    assert layout["yaxis5"]["range"] == [0, 1.5]
    assert layout["yaxis5"]["dtick"] == 1
    assert layout["xaxis"]["title"]["text"] == "UTC-05:00"
