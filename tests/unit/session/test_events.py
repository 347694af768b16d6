"""What happened in a session, as charts mark it."""

from __future__ import annotations

import pytest

from tests.small_plant import FAILING
from tests.unit.session.tools import advance
from trivium.errors import ModelError
from trivium.session.events import Event, Events


def told(manager, testid=None):
    return [(event.time, event.kind) for event in manager.events(testid)]


def test_a_session_keeps_what_a_chart_marks(manage):
    manager = manage()
    session = manager.session(None)
    session.initialize(600.0)
    session.advance({})
    snapshot = manager.snapshot(None)
    session.advance({})
    manager.driven(None, "rules")
    step = session.step
    first = 600.0 + step
    assert told(manager) == [(600.0, "initialize"), (first, "snapshot"), (first + step, "controller")]
    fork = manager.fork(None, snapshot)
    assert told(manager, fork) == [(600.0, "initialize"), (first, "fork")]
    session.restore(snapshot)
    assert told(manager) == [(600.0, "initialize"), (first, "snapshot"), (first, "restore")]
    assert manager.summary(None)["controller"] == "rules"
    session.initialize(1200.0)
    assert told(manager) == [(1200.0, "initialize")]
    assert manager.summary(None)["controller"] == ""


def test_a_fault_is_an_event_and_a_refusal_is_none(manage):
    manager = manage()
    session = manager.session(None)
    with pytest.raises(Exception, match="no_such"):
        session.advance({"no_such": 1.0})
    assert told(manager) == []
    with pytest.raises(ModelError):
        advance(manager, **{FAILING: 1})
    assert [kind for _, kind in told(manager)] == ["failure"]


def test_a_line_that_a_crash_cut_and_too_many_lines_cost_no_more_than_themselves(tmp_path):
    events = Events(tmp_path)
    events.add(1.0, "snapshot", "a")
    with (tmp_path / "events.jsonl").open("a") as file:
        file.write('{"time": 2.0, "ki')
    assert [event.time for event in events.read()] == [1.0]
    events.keep([Event(float(at), "snapshot", "x" * 200, 0.0) for at in range(2000)])
    events.add(2000.0, "snapshot", "the last")
    assert 900 < len(events.read()) < 1100
    assert events.read()[-1].text == "the last"
