"""Indicators and results do not depend on the control step: the same for steps of 30 s and of two hours."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.metered import INDICATORS, REACHED, START_VALUES, TAU, X0, energy, indicators, write_metered
from tests.own_fmus import state
from trivium.session.local import open_testcase

END = 14400.0
INTERVAL = 30.0
STEPS = (30, 60, 300, 900, 3600, 7200)


@pytest.fixture(scope="module")
def metered(own_fmu, tmp_path_factory):
    """Open the case with an interval of the results: metered(30)."""
    cases = []

    def opened(interval, toml=""):
        folder = tmp_path_factory.mktemp("metered") / "case"
        chosen = "" if interval is None else f"[results]\ninterval = {interval}\n"
        write_metered(folder, own_fmu("linear", "2.0"), toml + chosen)
        cases.append(open_testcase(folder, folder.parent / "state"))
        return cases[-1]

    yield opened
    for case in cases:
        case.close()


@pytest.fixture(scope="module")
def case(metered):
    return metered(INTERVAL)


def run(case, lengths, start=0.0):
    """Simulate in control steps of these lengths [s]; return the indicators."""
    case.initialize(start, start_values=START_VALUES)
    for length, group in itertools.groupby(lengths):
        case.set_step(length)
        case.advance_many(len(list(group)), point_names=[])
    return case.kpis(list(INDICATORS))


def test_indicators_are_the_same_for_steps_of_half_a_minute_and_of_two_hours(case):
    runs = [run(case, [step] * int(END / step)) for step in STEPS]
    for values in runs[1:]:
        assert values == pytest.approx(runs[0], rel=1e-12)
    assert runs[0]["pele_tot"] == pytest.approx(indicators(END)["pele_tot"], rel=INTERVAL / TAU)
    assert runs[0] == pytest.approx(indicators(END), rel=2 * INTERVAL / TAU)


def test_without_a_grid_they_do_depend_on_it(metered):
    case = metered("inf")
    fine, coarse = (run(case, [step] * int(END / step))["ener_tot"] for step in (30, 7200))
    assert coarse < 0.5 * fine


def test_by_default_a_long_step_is_divided_too(metered):
    case = metered(None, "step = 60\n")
    reference = indicators(END)
    for step in STEPS:
        values = run(case, [step] * int(END / step))
        assert values == pytest.approx(reference, rel=2 * 100 / TAU), step


def test_results_are_the_same(case):
    tables = []
    for step in STEPS:
        run(case, [step] * int(END / step))
        tables.append(case.results(["x", "y", "u"], 0, END))
    for table in tables:
        assert table["time"].tolist() == [INTERVAL * k for k in range(int(END / INTERVAL) + 1)]
        assert table["x"] == pytest.approx(X0 * np.exp(-table["time"] / TAU), rel=1e-9)
        assert all(table[name].tobytes() == tables[0][name].tobytes() for name in table)


def test_steps_that_share_no_ends_share_the_times_of_the_grid(case):
    run(case, [200.0] * 18)
    fine = case.results(["x"])
    run(case, [300.0] * 12)
    coarse = case.results(["x"])
    assert set(coarse["time"]) < set(fine["time"])
    shared = np.isin(fine["time"], coarse["time"])
    assert fine["x"][shared] == pytest.approx(coarse["x"], rel=1e-12)


def test_windows_inside_a_step(case):
    run(case, [7200.0, 7200.0])
    window = case.results(["x"], 1000, 1100)
    assert window["time"].tolist() == [1020.0, 1050.0, 1080.0]
    assert window["x"] == pytest.approx([state(t, start=X0, tau=TAU) for t in window["time"]])
    for begin, end in ((1000, 1100), (1020, 1050), (1025, 1045), (7190, 7210), (0, END), (-5, 1e9), (14399, END)):
        inside = energy(max(begin, 0), min(end, END))
        assert case.kpis(["ener_tot"], begin, end)["ener_tot"] == pytest.approx(inside, rel=INTERVAL / TAU)
    assert case.kpis(["pele_tot"], 100, 1000)["pele_tot"] == pytest.approx(4 * energy(100, 1000), rel=INTERVAL / TAU)
    assert case.kpis(["pele_tot"], 100, 999)["pele_tot"] is None  # no whole quarter
    over = case.kpis(["tdis_tot"], REACHED - 50, END)["tdis_tot"]
    assert 0 < over < case.kpis(["tdis_tot"], REACHED - 100, END)["tdis_tot"]
    for empty in ((500, 500), (515, 515), (20000, 30000), (-10, -5)):
        assert case.kpis(["ener_tot"], *empty)["ener_tot"] == 0.0


@given(cuts=st.lists(st.floats(0, END), max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_windows_add_up_wherever_they_are_cut(case, cuts):
    if case.time != END:
        run(case, [7200.0, 7200.0])
    edges = sorted({0.0, *cuts, END})
    for name in ("ener_tot", "emis_tot", "tdis_tot", "stops_high"):
        whole = case.kpis([name])[name]
        parts = [case.kpis([name], begin, end)[name] for begin, end in itertools.pairwise(edges)]
        assert sum(parts) == pytest.approx(whole, rel=1e-9), name


@given(parts=st.lists(st.integers(1, 240), min_size=1, max_size=12))
@settings(max_examples=20)
def test_any_division_of_the_time_into_intervals_gives_the_same(case, parts):
    count = sum(parts)
    divided = run(case, [INTERVAL * part for part in parts])
    rows = case.history_rows()
    assert (divided["pele_tot"] is None) == (count * INTERVAL < 900)
    single = run(case, [INTERVAL] * count)
    for name, value in single.items():
        assert divided[name] == (None if value is None else pytest.approx(value, rel=1e-12)), name
    assert rows == pytest.approx(case.history_rows(), rel=1e-12)


@given(lengths=st.lists(st.integers(1, 720_000), min_size=1, max_size=8))
@settings(max_examples=50)
def test_any_division_at_all_is_as_near_as_the_grid_is_fine(case, lengths):
    values = run(case, [length / 100 for length in lengths])
    end = case.time
    time = case.results(["x"])["time"]
    assert {INTERVAL * k for k in range(math.floor(end / INTERVAL) + 1)} <= set(time)
    assert energy(0, end) * (1 - INTERVAL / TAU) <= values["ener_tot"] <= energy(0, end)


def test_looking_ahead_snapshots_and_twins_take_the_same_way(case):
    case.initialize(0, start_values=START_VALUES)
    case.set_step(3600)
    ahead, snapshot = case.look_ahead({"u": 2e4}), case.snapshot()
    assert case.advance({"u": 2e4}) == ahead
    rows = case.history_rows()
    case.restore(snapshot)
    assert case.advance({"u": 2e4}) == ahead
    assert case.history_rows().tobytes() == rows.tobytes()
    case.stepper.model.can_snapshot = False  # brought back by simulating the rows again
    try:
        assert case.look_ahead({"u": 1e4}) == case.advance({"u": 1e4})
    finally:
        case.stepper.model.can_snapshot = True
    other = case.twin()
    try:
        other.initialize(0, start_values=START_VALUES)
        other.set_step(1800)
        other.advance_many(2, action={"u": 2e4})
        assert other.history_rows() == pytest.approx(rows, rel=1e-12)
    finally:
        other.close()


@pytest.mark.parametrize("step", [600, 1000])
def test_a_warm_up_does_not_depend_on_the_step(case, step):
    case.set_step(step)
    case.initialize(4000, None, 2500, START_VALUES)
    rows = case.results(["x"])
    assert rows["time"].tolist() == [*range(1530, 4000, 30), 4000.0]
    assert rows["x"] == pytest.approx(X0 * np.exp(-(rows["time"] - 1500) / TAU), rel=1e-9)
    assert case.kpis(["ener_tot"])["ener_tot"] == 0.0


@pytest.mark.parametrize(("warmup", "start"), [(1e-9, 1.0), (0.5, 0.25), (7.0, 1e-9)])
def test_the_shortest_warm_ups(case, warmup, start):
    assert case.initialize(start, None, warmup, START_VALUES)["x"] == pytest.approx(X0, rel=1e-3)
    assert case.time == start
