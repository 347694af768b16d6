"""The page of all runs: indicators better and worse, differences of curves, leaderboards, planned starts."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from trivium.control.commands import DOES_NOT_SERVE
from trivium.dashboard.catalog import Run, better
from trivium.dashboard.pages import comparison, leaderboard, runs
from trivium.dashboard.weather import year_of
from trivium.environment import ROOT
from trivium.simulation.resources import Resources

SETUP = dict.fromkeys(("test case", "controller", "period", "price", "uncertainty", "seed"), "")


def run(name, **kpis):
    return Run(f"job:{name}", name, "Success", 0.0, SETUP, 0.0, 1.0, kpis)


@pytest.mark.parametrize(
    ("name", "value", "reference", "words"),
    [
        ("ener_tot", 90.0, 100.0, "-10.0 %, better"),
        ("cer", 90.0, 100.0, "-10.0 %, worse"),
        ("heat_tot", 90.0, 100.0, "-10.0 %"),
        ("tdis_tot", 0.5, 0.0, "+0.5, worse"),
        ("unserved_tot", 3000.0, 0.3, "+3000, worse"),
        ("pue", 1.2, 1.2, "same"),
    ],
)
def test_a_change_is_better_or_worse_by_the_direction_of_the_indicator(name, value, reference, words):
    assert comparison.change(name, value, reference) == words


def test_the_best_serves():
    found = [run("a", ener_tot=3.0, serves=1), run("b", ener_tot=1.0, serves=0), run("c", ener_tot=2.0, serves=1)]
    assert comparison._best("ener_tot", found) == 2.0
    assert comparison._best("ener_tot", found[:1]) is None
    assert [each.name for each in leaderboard.ranked(found, "ener_tot")] == ["c", "a", "b"]
    assert better("heat_tot") == 0


def test_what_does_not_serve_saves_nothing_and_is_never_the_best():
    serving, idle = run("a", ener_tot=2.0, serves=1), run("b", ener_tot=2.0, serves=0)
    assert comparison._cell("ener_tot", idle, serving, 2.0) == f"2 ({DOES_NOT_SERVE})"
    assert comparison._cell("ener_tot", serving, serving, 2.0).children == "2 ★"


def test_a_short_run_is_no_better_for_its_small_totals():
    whole, short = run("whole", cost_tot=2.0), replace(run("short", cost_tot=1.0), end=0.5)
    assert [each.name for each in leaderboard.ranked([short, whole], "cost_tot")] == ["whole", "short"]


def test_differences_are_taken_at_the_times_that_both_have():
    first = {"time": np.array([0.0, 300.0, 600.0]), "x": np.array([1.0, 2.0, 3.0])}
    other = {"time": np.array([300.0, 450.0, 600.0]), "x": np.array([5.0, 6.0, 7.0]), "y": np.zeros(3)}
    found = comparison.minus(other, first, ["x", "y"])
    assert {name: values.tolist() for name, values in found.items()} == {"time": [300.0, 600.0], "x": [3.0, 4.0]}


def test_figures_are_exported_as_they_are():
    text = comparison.as_csv(["a", "b"], [run('one, "two"', a=1 / 3), run("c", a=2.0, b=1e-20)])
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["indicator", 'one, "two"', "c"]
    assert [float(cell) for cell in rows[1][1:]] == [1 / 3, 2.0]
    assert rows[2] == ["b", "", "1e-20"]


def test_of_too_many_pins_the_oldest_goes():
    pinned = []
    for name in "abcdefgh":
        pinned = runs._toggled(name, pinned)
    assert pinned == list("cdefgh")
    assert runs._toggled("d", pinned) == list("cefgh")


def test_the_weather_of_a_period_is_known_before_it_is_started():
    year = year_of(Resources.load(ROOT / "Resources"))
    peak, winter = (year.periods[name] for name in ("peak_heat", "winter"))
    assert peak.end - peak.start == 14 * 86400.0
    warm, cold = (year.lows_and_highs(each.start, each.end)["Twb_outside"] for each in (peak, winter))
    inside = (year.times >= peak.start) & (year.times <= peak.end)
    assert warm == (year.columns["Twb_outside"][inside].min(), year.columns["Twb_outside"][inside].max())
    assert warm[0] > cold[0]
    assert year.lows_and_highs(1e12, 2e12) == {}
