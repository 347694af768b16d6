"""Where control steps are divided for the results."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trap_fmu import expected
from trivium.errors import InvalidValueError, ResourcesError
from trivium.session.local import open_testcase
from trivium.simulation.times import MOST, Grid


@pytest.mark.parametrize(
    ("grid", "times", "ends"),
    [
        (Grid(30.0), [0.0, 90.0], [30.0, 60.0, 90.0]),
        (Grid(30.0), [10.0, 70.0], [30.0, 60.0, 70.0]),
        (Grid(30.0), [10.0, 20.0], [20.0]),
        (Grid(30.0), [0.0, 20.0, 40.0, 60.0], [20.0, 30.0, 40.0, 60.0]),
        (Grid(0.1), [0.0, 0.35], [0.1, 0.2, 0.3, 0.35]),
        (Grid(0.1), [0.3, 0.4, 0.5], [0.4, 0.5]),
        (Grid(30.0), [30.0 - 1e-9, 60.0 + 1e-9], [60.0 + 1e-9]),
        (Grid(30.0), [-45.0, 15.0], [-30.0, 0.0, 15.0]),
        (Grid(0.1), [3e7, 3e7 + 0.25], [3e7 + 0.1, 3e7 + 0.2, 3e7 + 0.25]),
        (Grid(), [0.0, 1e9], [1e9]),
        (Grid(math.inf), [0.0, 5.0, 10.0], [5.0, 10.0]),
        (Grid(math.inf, coarsened=True).with_step(1.0), [0.0, 5.0], [5.0]),
        (Grid(0.4, unit=0.2), [0.1, 1.1], [0.5, 0.9, 1.1]),
        (Grid(0.4, unit=0.2), [0.5, 1.1, 1.7], [0.9, 1.1, 1.3, 1.7]),
        (Grid(0.4, unit=0.2), [0.4, 1.2], [0.8, 1.2]),
        (Grid(2.0, coarsened=True), [1.0, 3.0, 5.0], [3.0, 5.0]),
        (Grid(2.0, coarsened=True), [1.0, 6.0], [2.0, 4.0, 6.0]),
        (Grid(1.0, coarsened=True), [0.0, 150.0], [2.0 * k for k in range(1, 76)]),
        (Grid(0.001, coarsened=True), [0.0, 1.0], [0.01 * k for k in range(1, 101)]),
    ],
)
def test_steps_are_divided(grid, times, ends):
    assert list(grid.split(times, times[1:])) == pytest.approx(ends, abs=1e-12)


def test_parts_of_another_division_stay():
    assert Grid(30.0).split([0.0, 100.0], [25.0, 60.0, 100.0]) == [25.0, 30.0, 60.0, 90.0, 100.0]


def test_times_are_the_decimal_numbers_that_a_clock_has():
    assert Grid(0.1).split([0.0, 1.0], [1.0]) == [k / 10 for k in range(1, 11)]


@given(length=st.floats(1.0, 1e9), interval=st.floats(1e-3, 1e3))
def test_without_a_choice_a_step_has_at_most_a_hundred_parts(length, interval):
    parts = Grid(interval, coarsened=True).split([0.0, length], [length])
    assert len(parts) <= MOST + 1
    assert len(parts) > MOST / 2.5 or len(parts) >= math.floor(length / interval) or length <= interval


@given(
    first=st.integers(0, 10**6),
    lengths=st.lists(st.integers(1, 500), min_size=1, max_size=6),
    interval=st.sampled_from(["0.1", "0.25", "3", "30", "7.5"]),
)
def test_each_multiple_inside_is_an_end_once_and_no_other_time_is(first, lengths, interval):
    edges = [first / 100]
    for length in lengths:
        edges.append((round(edges[-1] * 100) + length) / 100)
    parts = Grid(float(interval)).split(edges, edges[1:])
    unit = Fraction(interval)
    multiples = {unit * k for k in range(math.floor(edges[0] / unit) - 1, math.ceil(edges[-1] / unit) + 2)}
    low, high = (Fraction(str(edge)) for edge in (edges[0], edges[-1]))
    wanted = {*(m for m in multiples if low < m <= high), *(Fraction(str(edge)) for edge in edges[1:])}
    assert [Fraction(str(part)) for part in parts] == sorted(wanted)


@pytest.mark.parametrize(("interval", "apart"), [(None, 1.0), (1.5, 1.5), ("inf", 60.0)])
def test_a_model_of_one_step_length_gets_multiples_of_it_from_any_start(trap_fmu, tmp_path, interval, apart):
    folder = tmp_path / "case"
    folder.mkdir()
    (folder / "trap.fmu").symlink_to(trap_fmu(fixed_step=0.5))
    if interval is not None:
        (folder / "testcase.toml").write_text(f"[results]\ninterval = {interval}\n")
    case = open_testcase(folder, tmp_path / "state")
    try:
        for start in (0.0, 0.25):
            case.initialize(start)
            assert case.set_step(60) == 60.0
            assert case.advance({"u": 300.0}, steps=2)["y"] == pytest.approx(expected(120.0, 300.0), rel=1e-9)
            times = [start + apart * k for k in range(round(120 / apart) + 1)]
            assert case.results(["y"])["time"].tolist() == times
        with pytest.raises(InvalidValueError, match="multiple of 0.5"):
            case.set_step(0.75)
    finally:
        case.close()


def test_an_interval_that_such_a_model_cannot_take_is_refused(trap_fmu, tmp_path):
    (tmp_path / "trap.fmu").symlink_to(trap_fmu(fixed_step=0.5))
    (tmp_path / "testcase.toml").write_text("[results]\ninterval = 0.75\n")
    with pytest.raises(ResourcesError, match=r"results\.interval: .* multiple of 0\.5"):
        open_testcase(tmp_path, tmp_path / "state")


@pytest.mark.parametrize(
    ("interface", "toml", "times"),
    [
        ("cs", None, [0.0, 2.0]),
        ("me", None, [0.0, 1.0, 2.0]),
        ("cs", "", [0.0, 0.5, 1.0, 1.5, 2.0]),
        ("cs", "[results]\ninterval = 1\n", [0.0, 1.0, 2.0]),
    ],
)
def test_steps_of_a_co_simulation_alone_are_its_own_business(own_fmu, tmp_path, interface, toml, times):
    """The FMU proposes no step, so a session has one of 1 s."""
    path = own_fmu("linear", "1.0", interface)
    if toml is not None:
        (tmp_path / "case").mkdir()
        (tmp_path / "case" / "linear.fmu").symlink_to(path)
        (tmp_path / "case" / "testcase.toml").write_text("step = 0.5\n" + toml)
        path = tmp_path / "case"
    case = open_testcase(path, tmp_path / "state")
    try:
        case.initialize(0)
        case.set_step(2)
        case.advance()
        assert case.results(["x"])["time"].tolist() == times
    finally:
        case.close()
