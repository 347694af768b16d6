"""Limits, delays and dead bands against a plain reading of their definition, row by row."""

from __future__ import annotations

import numpy as np
import pytest

from trivium.errors import InvalidValueError, ResourcesError
from trivium.evaluation.alarm_limits import read_limits
from trivium.evaluation.alarms import Alarms
from trivium.model.variable import Variable

COLUMNS = ("time", "x", "set", "on", "off")
X = {"x": Variable("x", "K")}


def table(values, step=300.0, set_point=10.0, on=1.0):
    """Rows of a history whose x has some values."""
    rows = np.zeros((len(values), len(COLUMNS)))
    rows[:, 0] = step * np.arange(len(values))
    rows[:, 1], rows[:, 2], rows[:, 3] = values, set_point, on
    return rows


def alarms_of(**tables):
    return Alarms(read_limits(tables, COLUMNS, X)[0])


def looked(alarms, rows, blocks=(), past=True):
    """Look at the rows in blocks, and return what there is after the last."""
    for end in (*blocks, len(rows)):
        found = alarms.read(lambda first, end=end: rows[first:end], past=past)
    return found


def by_definition(rows, above, deadband, delay):
    """Return since when and until when x was beyond its limit, by the words of the module, one row at a time."""
    beyond, run, now, found = False, None, None, []
    for time, x, set_point, *_ in rows:
        was = beyond
        if x > set_point + above:
            beyond = True
        elif x <= set_point + above - deadband:
            beyond = False
        if run is None or beyond != was:
            run = time
        if beyond and now is None and time - run >= delay:
            now = [run, time, None]
        if not beyond and now is not None and time - run >= delay:
            found.append((*now[:2], run))
            now = None
    return found + ([tuple(now)] if now else [])


@pytest.mark.parametrize("seed", range(12))
def test_alarms_are_those_of_the_definition_however_the_rows_come(seed):
    random = np.random.default_rng(seed)
    rows = table(10.0 + np.cumsum(random.normal(0.0, 0.4, 400)))
    above, deadband, delay = random.uniform(0, 2), random.uniform(0, 1), 300.0 * random.integers(0, 5)
    limit = {"text": "t", "variable": "x", "set_point": "set", "above": above, "deadband": deadband, "delay": delay}
    found = looked(alarms_of(a=limit), rows, np.sort(random.integers(1, 400, 20)))
    expected = by_definition(rows, above, deadband, delay)
    assert sorted((alarm.since, alarm.raised, alarm.until or np.inf) for alarm in found) == sorted(
        (since, raised, until or np.inf) for since, raised, until in expected
    )
    assert found == looked(alarms_of(a=limit), rows)


def test_a_value_that_hovers_at_its_limit_does_not_chatter():
    values = 10.9 + 0.3 * np.sin(np.arange(2000))  # goes over 11 and back every few rows
    limit = {"text": "t", "variable": "x", "high": 11.0}
    assert len(looked(alarms_of(a=limit), table(values))) > 100
    calm = looked(alarms_of(a={**limit, "deadband": 0.5}), table(values))
    assert [(alarm.active, alarm.worst) for alarm in calm] == [(True, pytest.approx(11.2, abs=1e-3))]
    assert looked(alarms_of(a={**limit, "delay": 900}), table(values)) == []


def test_the_grid_of_the_rows_decides_and_not_the_control_step():
    values = np.repeat([10.0, 12.0, 12.0, 12.0, 10.0, 10.0, 10.0, 10.0], 1)
    limit = {"text": "t", "variable": "x", "high": 11.0, "delay": 600}
    found = [looked(alarms_of(a=limit), table(values), blocks) for blocks in ((), (1, 2, 3), (4,))]
    assert found[0] == found[1] == found[2]
    assert [(alarm.since, alarm.raised, alarm.until, alarm.value) for alarm in found[0]] == [(300, 900, 1200, 10.0)]


def test_conditions_units_limits_and_order():
    rows = table([10.0, 5.0, 15.0])
    alarms = alarms_of(
        low={"text": "l", "priority": "low", "variable": ["nothing", "x"], "low": 8, "high": 12},
        idle={"text": "i", "priority": "high", "variable": "x", "low": 1000, "when": ["off"]},
        band={"text": "b", "priority": "high", "variable": "x", "set_point": 10, "above": 1, "below": 1},
        heat={"text": "h", "heat": {"mass_flow": "on", "warm": "set", "cold": "x"}, "low": 0, "when": ["off", "on"]},
    )
    found = looked(alarms, rows, past=False)
    assert [(alarm.name, alarm.unit, alarm.value, alarm.limit) for alarm in found] == [
        ("band", "K", 15.0, 11.0),
        ("heat", "W", -5 * 4186.0, 0.0),
        ("low", "K", 15.0, 12.0),
    ]
    assert found[1].points == ["on", "set", "x"]


def test_what_is_no_number_raises_nothing():
    limit = {"text": "t", "variable": "x", "low": 8}
    assert looked(alarms_of(a=limit), table([np.nan, 10.0, np.nan, 9.0])) == []


def test_acknowledging():
    rows = table([10.0, 12.0, 10.0, 12.0, 12.0])
    alarms = alarms_of(a={"text": "t", "variable": "x", "high": 11.0}, b={"text": "t", "variable": "x", "low": 0.0})
    assert [alarm.active for alarm in looked(alarms, rows, past=False)] == [True, False]
    with pytest.raises(InvalidValueError, match="no alarm c; there are a, b"):
        alarms.acknowledge(lambda first: rows[first:], ["c"], "Ann", 5.0)
    with pytest.raises(InvalidValueError, match="b has nothing to acknowledge"):
        alarms.acknowledge(lambda first: rows[first:], ["b"], "Ann", 5.0)
    done = alarms.acknowledge(lambda first: rows[first:], None, "Ann", 5.0)
    assert [(alarm.since, alarm.acknowledged_by, alarm.acknowledged_at) for alarm in done] == [
        (900.0, "Ann", 5.0),
        (300.0, "Ann", 5.0),
    ]
    (left,) = looked(alarms, rows, past=False)  # the one that is over is gone
    assert left.acknowledged
    alarms.restart(0)  # as after a restore: the same occurrences come out
    assert looked(alarms, rows, past=False) == [left]
    later = looked(alarms, table([10.0, 12.0, 10.0, 12.0, 12.0, 10.0, 12.0]), past=False)
    assert [(alarm.since, alarm.acknowledged) for alarm in later] == [(1800.0, False)]


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ({}, "alarms.a.text: Field required"),
        ({"text": "t"}, "alarms.a: either variable or heat"),
        ({"text": "t", "variable": "x"}, "alarms.a: low, high or a set_point"),
        ({"text": "t", "variable": "x", "above": 1}, "alarms.a: above and below need a set_point"),
        ({"text": "t", "variable": "x", "set_point": 1}, "alarms.a: a set_point needs above or below"),
        ({"text": "t", "variable": "x", "set_point": 1, "above": 1, "low": 2}, "alarms.a: low and high take the place"),
        ({"text": "t", "variable": "y", "low": 1}, "alarms.a.variable: there is no y"),
        ({"text": "t", "variable": "x", "low": 1, "when": ["onn"]}, r"alarms.a.when: there is no onn. Did you mean on"),
        ({"text": "t", "variable": "x", "low": 1, "delay": -1}, "alarms.a.delay: Input should be greater"),
        ({"text": "t", "variable": "x", "low": "1"}, "alarms.a.low: Input should be a valid number"),
        ({"text": "t", "variable": "x", "low": 1, "priority": "urgent"}, "alarms.a.priority: Input should be 'high'"),
        ({"text": "t", "variable": "x", "low": 1, "lowest": 1}, "alarms.a.lowest: Extra inputs are not permitted"),
        (5, "alarms.a: Input should be"),
    ],
)
def test_a_declaration_that_is_wrong_is_named(limit, message):
    with pytest.raises(ResourcesError, match=message):
        read_limits({"a": limit}, COLUMNS, X)


def test_the_declaration_of_stale():
    assert read_limits({"stale": {"after": 3.0}}, COLUMNS, X)[1].after == 3.0
    with pytest.raises(ResourcesError, match="alarms.stale.after: Input should be greater than 0"):
        read_limits({"stale": {"after": 0.0}}, COLUMNS, X)
