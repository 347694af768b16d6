"""Tables of inputs: how FMPy, fmusim and people write them."""

from __future__ import annotations

import numpy as np
import pytest

from trivium.errors import ResourcesError
from trivium.simulation.boundary import Disturbances
from trivium.simulation.input_table import read_input_table


@pytest.fixture
def read(tmp_path):
    def make(text):
        path = tmp_path / "in.csv"
        path.write_text(text)
        return read_input_table(path)

    return make


@pytest.mark.parametrize(
    "text",
    [
        '"time","u","on"\n0,1.5,0\n1,2.5,0\n1,3.5,1\n',
        "time,u,on\n0,1.5,false\n1,2.5,FALSE\n1,3.5,true\n",
        "on;time;u\nfalse;0;1.5\nfalse;1;2.5\ntrue;1;3.5\n",
        "# made by hand\nu , Time, on\n\n1.5, 0, 0\n# a comment\n2.5, 1, 0\n3.5, 1, 1",
        "\ufefftime,on,u\r\n0,0,1.5\r\n1,0,2.5\r\n1,1,3.5\r\n",
    ],
)
def test_one_table_in_many_forms(read, text):
    table = read(text)
    assert table.times.tolist() == [0, 1, 1]
    assert table.columns["u"].tolist() == [1.5, 2.5, 3.5]
    assert table.columns["on"].tolist() == [0, 0, 1]


def test_arrays_as_fmpy_writes_them(read):
    table = read('"time","v","m"\n0,1 2 3,1 2 3 4\n1,4 5 6,5 6 7 8\n')
    inputs = ["v[1]", "v[2]", "v[3]", "m[1,1]", "m[1,2]", "m[2,1]", "m[2,2]", "w"]
    matched, remark = table.matched(inputs, "x.fmu")
    assert not remark
    assert {name: values.tolist() for name, values in matched.columns.items()} == {
        "v[1]": [1, 4], "v[2]": [2, 5], "v[3]": [3, 6],
        "m[1,1]": [1, 5], "m[1,2]": [2, 6], "m[2,1]": [3, 7], "m[2,2]": [4, 8],
    }  # fmt: skip
    with pytest.raises(ResourcesError, match="v of x.fmu has 2 elements, and each cell holds 3"):
        table.matched(["v[1]", "v[2]"], "x.fmu")
    with pytest.raises(ResourcesError, match="v holds several numbers in a cell"):
        Disturbances.of(table, linear=False)


def test_what_is_no_input_is_reported(read):
    matched, remark = read("time,u,load,valv\n0,1,2,3\n").matched(["u", "valve"], "x.fmu")
    assert list(matched.columns) == ["u"]
    assert remark == ("in.csv has columns that are no inputs of x.fmu and are ignored: load, valv. Did you mean valve?")
    with pytest.raises(ResourcesError, match=r"in.csv has no column of an input of x.fmu; it has: load. There are: u."):
        read("time,load\n0,1\n").matched(["u"], "x.fmu")
    with pytest.raises(ResourcesError, match=r"it has: time. There are: u."):
        read("time\n0\n").matched(["u"], "x.fmu")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("# nothing\n\n", "is empty"),
        ("time,u\n", "has no rows"),
        ("t,u\n0,1\n", "has no column time; its columns are: t, u"),
        ("Time,TIME,u\n0,1,2\n", "has no column time"),
        ("time,u,u\n0,1,2\n", "two columns of one name: u"),
        ("time,u\n0,1\n1,x\n", "has 'x' in line 3, column u, which is no number"),
        ("time,u\n0,1\n1,\n", "has an empty cell in line 3, column u, which is no number"),
        ("time;u\n0;1,5\n", "has '1,5' in line 2, column u, which is no number; write decimals with a point"),
        ("time,u\n0,1\n1\n", "has 1 cells for 2 columns in line 3"),
        ("time,u\n0,1\n\n# no\n1,2,3\n", "has 3 cells for 2 columns in line 5"),
        ("time,u\n0,1 2\n1,2\n", "has 1 elements of u in line 3, 2 before"),
        ("time,u\n0,1\n1,nan\n", "has something in row 2 of u that is no finite number"),
        ("time,u\n0,1\ninf,1\n", "has something in row 2 of time that is no finite number"),
        ("time,u\n0 1,1\n", "has several numbers in a cell of the column time"),
        ("time,u\n0,1\n3,1\n2,1\n", "has times that do not grow: 2 s follows 3 s"),
    ],
)
def test_what_is_refused_and_where(read, text, reason):
    with pytest.raises(ResourcesError) as refusal:
        read(text)
    assert str(refusal.value).startswith("in.csv ")
    assert reason in str(refusal.value)


def test_a_repeated_time_is_a_step(read):
    table = read("time,u\n0,1\n10,1\n10,5\n20,9\n")
    held, line = Disturbances.of(table, linear=False), Disturbances.of(table, linear=True)
    times = [0.0, 5.0, 9.999, 10.0, 15.0]
    assert held.at(times, 20.0)[:, 0].tolist() == [1, 1, 1, 5, 5]
    assert line.at(times, 20.0)[:, 0] == pytest.approx([1, 1, 1, 5, 7])
    assert [line.slopes(time)[0] for time in times] == pytest.approx([0, 0, 0, 0.4, 0.4])
    assert held.slopes(15.0)[0] == line.slopes(20.0)[0] == 0.0
    assert held.split([0.0, 25.0]) == line.split([0.0, 25.0]) == [10.0, 20.0, 25.0]
    assert (held.interval, held.end, line.end) == (10.0, 30.0, 20.0)
    late = Disturbances.of(read("time,u\n0,1\n10,1\n10,5\n"), linear=False)
    assert (late.interval, late.end) == (10.0, 20.0)
    assert late.at([10.0], 20.0).tolist() == [[5.0]]


def test_inputs_that_change_at_events_hold(read):
    data = Disturbances.of(read("time,u,n\n0,0,1\n10,10,3\n"), linear=True, held=["n", "other"])
    assert data.at([5.0], 10.0).tolist() == [[5.0, 1.0]]
    assert data.slopes(5.0).tolist() == [1.0, 0.0]


def test_the_shipped_table_is_read_as_before(resources):
    with (resources / "Disturbance.csv").open() as file:
        file.readline()
        expected = np.loadtxt(file, delimiter=",", ndmin=2)
    table = read_input_table(resources / "Disturbance.csv")
    assert np.array_equal(np.column_stack((table.times, *table.columns.values())), expected)
