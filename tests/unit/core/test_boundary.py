"""Boundary data: what is read, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from adcc.core.boundary import CompactActions, Disturbances, TableActions, read_observation
from adcc.errors import InvalidValueError, ResourcesError
from tests.small_plant import CONTROL_NAMES, ROWS, action, write_actions_csv, write_actions_npz


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "Disturbance.csv"
    path.write_text("time,Twb_outside,Mchw\n600,280.5,100\n900,281.5,110\n1200,282.5,120\n")
    return path


def test_rows_hold_from_their_time_on(table):
    disturbances = Disturbances.read(table)
    assert disturbances.names == ("Twb_outside", "Mchw")
    assert (disturbances.time0, disturbances.interval, disturbances.end) == (600, 300, 1500)
    assert disturbances.rows(900, 2).tolist() == [[281.5, 110], [282.5, 120]]
    for time, count in ((300, 1), (1500, 1), (1200, 2)):
        with pytest.raises(InvalidValueError, match="the data covers 600.0s to 1500.0s"):
            disturbances.rows(time, count)


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
        "time,a\n0,1\n300,2\n900,3\n",
        "time,a\n0,1\n0,2\n",
        "time,a,b\n0,1\n300,2\n",
    ],
)
@pytest.mark.filterwarnings("ignore:.*input contained no data")
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
    for time in (-300.0, 100.0, 300.0 * ROWS):
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
    assert Disturbances.read(path) is first
    with pytest.raises(ValueError, match="read-only"):
        first.values[0, 0] = 5.0
    path.write_text("time,Mchw\n0,1\n300,3.5\n")
    assert Disturbances.read(path).values.tolist() == [[1.0], [3.5]]
    path.unlink()
    with pytest.raises(ResourcesError, match="cannot be read"):
        Disturbances.read(path)
