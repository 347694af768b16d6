"""Boundary data: what is read, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from tests.small_plant import CONTROL_NAMES, ROWS, action, write_actions_csv, write_actions_npz
from trivium.errors import InvalidValueError, ResourcesError
from trivium.simulation.boundary import Disturbances
from trivium.simulation.initialization import CompactActions, TableActions, read_observation
from trivium.simulation.input_table import read_input_table


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "Disturbance.csv"
    path.write_text("time,Twb_outside,Mchw\n600,280.5,100\n900,281.5,110\n1200,282.5,120\n")
    return path


def test_rows_hold_from_their_time_on(table):
    disturbances = Disturbances.read(table)
    assert disturbances.names == ("Twb_outside", "Mchw")
    assert (disturbances.time0, disturbances.interval, disturbances.end) == (600, 300, 1500)
    assert disturbances.at([900.0, 1200.0], 1500.0).tolist() == [[281.5, 110], [282.5, 120]]
    for start, end in ((300.0, 600.0), (1500.0, 1800.0), (1200.0, 1800.0)):
        with pytest.raises(
            InvalidValueError, match=f"No boundary data for {start}s to {end}s: the data covers 600.0s to 1500.0s"
        ):
            disturbances.at([start], end)
    assert disturbances.equidistant


IRREGULAR = "time,u,v\n0.1,1,10\n0.2,2,20\n0.5,3,30\n1.7,-1,40\n"


@pytest.mark.parametrize("linear", [False, True])
def test_times_at_any_distance(tmp_path, linear):
    path = tmp_path / "inputs.csv"
    path.write_text(IRREGULAR)
    data = Disturbances.read(path, linear=linear)
    assert not data.equidistant
    assert data.end == (1.7 if linear else 1.7 + 1.2)
    times = np.array([0.1, 0.15, 0.2, 0.3, 0.5, 1.1])
    u = np.interp(times, [0.1, 0.2, 0.5, 1.7], [1, 2, 3, -1]) if linear else [1, 1, 2, 2, 3, 3]
    v = np.interp(times, [0.1, 0.2, 0.5, 1.7], [10, 20, 30, 40]) if linear else [10, 10, 20, 20, 30, 30]
    assert data.at(times.tolist(), 1.7) == pytest.approx(np.column_stack((u, v)), rel=1e-9)


def test_a_stretch_is_split_at_the_rows_inside(tmp_path):
    path = tmp_path / "inputs.csv"
    path.write_text(IRREGULAR)
    data = Disturbances.read(path)
    for times, ends in (
        ([0.1, 0.2], [0.2]),
        ([0.12, 0.13], [0.13]),
        ([0.1, 0.4], [0.2, 0.4]),
        ([0.1, 0.4, 0.7, 1.0], [0.2, 0.4, 0.5, 0.7, 1.0]),
        ([0.1, 0.1 + 0.1 + 0.1 - 0.1 + 1e-12, 2.9], [0.2, 0.5, 1.7, 2.9]),
        ([2.0, 3.0], [3.0]),
    ):
        assert data.split(times) == pytest.approx(ends, abs=1e-9)


def test_rows_that_rounding_puts_a_hair_beside_a_time_count_as_there():
    data = Disturbances(
        ("u",), 0.0, 0.1, np.arange(100.0)[:, np.newaxis]
    )  # times 0.1 k: 0.30000000000000004 and others
    times = [k / 10 for k in range(100)]
    assert data.times.tolist() != times
    assert data.split(times) == times[1:]
    assert data.at(times[:-1], 9.9)[:, 0].tolist() == list(range(99))


def test_no_boundary_data_covers_all_times():
    none = Disturbances.none()
    times = [0.0, 1e9]
    assert none.at(times, 1e12).shape == (2, 0)
    assert none.split(times) == [1e9]
    assert not none.equidistant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "time,a\n",
        "time,a\n0,1\n",
        "t,a\n0,1\n300,2\n",
        "time,a\n0,1\n300,x\n",
        "time,a\n0,1\n300,nan\n",
        "time,a\n0,1\n300\n",
        "time,a\n300,1\n0,2\n",
        "time,a,a\n0,1,2\n300,2,3\n",
        "time,a\n0,1 2\n300,2 3\n",
        "time,a\n0,1\n0,2\n",
        "time,a,b\n0,1\n300,2\n",
    ],
)
def test_tables_that_are_refused(tmp_path, text):
    path = tmp_path / "Disturbance.csv"
    path.write_text(text)
    with pytest.raises(ResourcesError, match=r"Disturbance.csv"):
        Disturbances.read(path)


def test_a_missing_table(tmp_path):
    with pytest.raises(ResourcesError, match=r"Disturbance.csv"):
        Disturbances.read(tmp_path / "Disturbance.csv")


@pytest.mark.parametrize(("suffix", "write", "kind"), [("csv", write_actions_csv, TableActions), ("npz", write_actions_npz, CompactActions)])  # fmt: skip
def test_actions_of_both_forms(tmp_path, suffix, write, kind):
    path = tmp_path / f"Initialization_actions.{suffix}"
    write(path)
    actions = kind.read(path) if suffix == "npz" else kind(path)
    for row in (0, 1, 7, ROWS - 1):
        assert actions.at(300.0 * row) == action(row)
        assert list(actions.at(300.0 * row)) == CONTROL_NAMES
    for row, late in ((0, 0.5), (6, 100.0), (7, 299.9), (ROWS - 1, 299.0)):  # each holds until the next
        assert actions.at(300.0 * row + late) == action(row)
    for time in (-300.0, -0.5, 300.0 * ROWS):
        with pytest.raises(InvalidValueError, match=str(time)):
            actions.at(time)


@pytest.mark.parametrize("ending", ["\n", "\r\n", ""])
def test_a_table_of_actions_with_any_line_ending(tmp_path, ending):
    path = tmp_path / "Initialization_actions.csv"
    path.write_bytes((ending or "\n").join(["time,a", "0,1.5", "300,2.5"]).encode() + ending.encode())
    assert TableActions(path).at(300.0) == {"a": 2.5}
    with pytest.raises(InvalidValueError):
        TableActions(path).at(600.0)


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n"])
def test_tables_of_actions_that_are_refused(tmp_path, text):
    path = tmp_path / "Initialization_actions.csv"
    path.write_text(text)
    with pytest.raises(ResourcesError):
        TableActions(path)


@pytest.mark.parametrize("lines", [["0,x", "300,1"], ["0,1", "300,nan"], ["0,1", "300"], ["0,1", "0,2"], ["0,1", "300,1", "700,1"]])  # fmt: skip
def test_damaged_rows_of_actions(tmp_path, lines):
    path = tmp_path / "Initialization_actions.csv"
    path.write_text("\n".join(["time,a", *lines]) + "\n")
    actions = TableActions(path)
    with pytest.raises(ResourcesError, match=r"Initialization_actions.csv"):
        for k in range(len(lines)):
            actions.at(300.0 * k)


@pytest.mark.parametrize(
    "change",
    [{"index": np.array([0, 5])}, {"names": np.array(["a"])}, {"interval": 0.0}, {"unique": np.array([[np.nan, 1.0]])},
     {"names": np.array([{}], dtype=object)}],
)  # fmt: skip
def test_compact_actions_that_are_refused(tmp_path, change):
    arrays = {"names": np.array(["a", "b"]), "time0": 0.0, "interval": 300.0, "unique": np.array([[1.0, 2.0]]),
              "index": np.array([0, 0])}  # fmt: skip
    path = tmp_path / "a.npz"
    np.savez(path, **(arrays | change))
    with pytest.raises(ResourcesError, match=r"a.npz"):
        CompactActions.read(path)


def test_no_archive_is_no_compact_form(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"nonsense")
    with pytest.raises(ResourcesError, match=r"a.npz"):
        CompactActions.read(tmp_path / "a.npz")


def test_the_first_observation(tmp_path):
    path = tmp_path / "o.csv"
    path.write_text("time,a,b\n0,1.5,2E-08\n")
    assert read_observation(path) == {"a": 1.5, "b": 2e-8}
    for text in ("", "time,a\n", "time,a\n0,x\n", "time,a\n0,nan\n", "time,a\n0\n", "time,a\n0,1,2\n"):
        path.write_text(text)
        with pytest.raises(ResourcesError, match=r"o.csv"):
            read_observation(path)


def test_a_file_is_read_once_until_it_changes(tmp_path):
    path = tmp_path / "Disturbance.csv"
    path.write_text("time,Mchw\n0,1\n300,2\n")
    first = Disturbances.read(path)
    assert read_input_table(path) is read_input_table(path)
    with pytest.raises(ValueError, match="read-only"):
        first.values[0, 0] = 5.0
    path.write_text("time,Mchw\n0,1\n300,3.5\n")
    assert Disturbances.read(path).values.tolist() == [[1.0], [3.5]]
    path.unlink()
    with pytest.raises(ResourcesError, match="cannot be read"):
        Disturbances.read(path)
