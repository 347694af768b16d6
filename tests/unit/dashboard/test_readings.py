"""Looking at sessions costs little, and holds few threads."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from trivium.dashboard.readings import Readings
from trivium.errors import BusyError, ModelError, UnknownSessionError
from trivium.model.variable import Variable
from trivium.session.events import Event


class Sessions:
    """Sessions of two points; counts how often results are read, and may keep callers waiting."""

    def __init__(self, names=("a",)):
        self.told = {
            name: {
                "testid": name,
                "testcaseid": "case",
                "default": name == "a",
                "time": 0.0,
                "revision": 0,
                "overrides": {},
                "state": "idle",
            }
            for name in names
        }
        self.count = 0
        self.arrived, self.go_on = threading.Semaphore(0), threading.Event()
        self.go_on.set()
        self.error = None

    def summary(self, testid):
        default = next(name for name, record in self.told.items() if record["default"])
        try:
            return self.told[testid or default]
        except KeyError:
            raise UnknownSessionError(testid) from None

    def permit(self, testid):
        """Let everybody see everything."""

    def declared(self, testid):
        raise UnknownSessionError(testid)

    def session(self, testid):
        return OneSession(self, testid)

    def status_of(self, testid):
        """Nobody serves them, so what is known of alarms is never current."""

    under_way = driven_since = status_of

    def reads(self):
        return self.count


class OneSession:
    inputs = {"u": Variable("u", "K", "", 0.0, 400.0)}  # noqa: RUF012
    measurements = {"x": Variable("x", "K", "", 0.0, 400.0)}  # noqa: RUF012
    variables = {**measurements, **inputs, "local": Variable("local", "K")}  # noqa: RUF012
    forecast_points = kpi_points = {}  # noqa: RUF012
    step = 300

    def __init__(self, sessions, testid):
        self._sessions, self._testid = sessions, testid

    def alarms(self, past):
        return []

    def results(self, names, start, end):
        sessions = self._sessions
        sessions.count += 1
        sessions.arrived.release()
        assert sessions.go_on.wait(300)
        if sessions.error:
            raise sessions.error
        times = np.arange(0.0, sessions.told[self._testid]["time"] + 1, 300)
        times = times[(times >= start) & (times <= end)]
        return {"time": times, **{name: times + 1 for name in names}}


def test_a_session_that_stands_still_is_not_asked_again():
    sessions = Sessions()
    readings = Readings(sessions, 8)
    for _ in range(5):
        assert readings.read("a").values == {"x": 1.0, "u": 1.0}
    assert sessions.reads() == 1
    sessions.told["a"]["time"] = 600.0
    assert readings.read("a").values["x"] == 601.0
    assert readings.about("a").points == ("x", "u", "local")  # the last one is not read again and again
    assert readings.read("a").clock == 600.0
    assert sessions.reads() == 2


def test_what_another_worker_changed_is_read_at_once():
    """An acknowledgement or an input by hand changes no clock."""
    sessions = Sessions()
    here, elsewhere = Readings(sessions, 8), Readings(sessions, 8)
    for readings in (here, elsewhere):
        readings.read("a")
    sessions.told["a"]["revision"] += 1
    before = sessions.count
    assert here.read("a") is not None
    assert elsewhere.read("a") is not None
    assert sessions.count == before + 2


def test_a_session_that_was_seen_is_not_woken(monkeypatch):
    sessions = Sessions()
    readings = Readings(sessions, 8)
    readings.read("a")
    sessions.told["a"]["state"] = "hibernated"
    monkeypatch.setattr("trivium.dashboard.readings._FRESH", 0.0)
    readings.read("a")
    assert sessions.reads() == 1
    sessions.told["a"]["state"] = "idle"
    readings.read("a")  # it may have been restored to the same time
    assert sessions.reads() == 2


def test_a_busy_session_holds_one_thread_and_the_others_see_it_as_it_was(monkeypatch):
    monkeypatch.setattr("trivium.dashboard.readings._MOMENT", 0.05)
    sessions = Sessions()
    readings = Readings(sessions, 8)
    readings.read("a")
    assert sessions.arrived.acquire(timeout=300)
    sessions.go_on.clear()
    sessions.told["a"]["time"] = 300.0
    waits = threading.Thread(target=readings.read, args=("a",))
    waits.start()
    assert sessions.arrived.acquire(timeout=300)
    assert readings.read("a").clock == 0.0  # after a moment
    assert sessions.reads() == 2
    sessions.go_on.set()
    waits.join(300)
    assert readings.read("a").clock == 300.0


def test_two_that_look_at_once_see_the_same(monkeypatch):
    monkeypatch.setattr("trivium.dashboard.readings._MOMENT", 300.0)
    sessions = Sessions()
    readings = Readings(sessions, 8)
    sessions.go_on.clear()
    look = threading.Thread(target=readings.read, args=("a",))
    look.start()
    assert sessions.arrived.acquire(timeout=300)
    threading.Timer(0.1, sessions.go_on.set).start()
    seen = readings.read("a")
    look.join(300)
    assert (seen.trouble, seen.values["x"]) == ("", 1.0)
    assert sessions.reads() == 1


def test_a_reading_that_was_under_way_when_it_was_forgotten_is_not_kept():
    sessions = Sessions()
    readings = Readings(sessions, 8)
    sessions.go_on.clear()
    look = threading.Thread(target=readings.read, args=("a",))
    look.start()
    assert sessions.arrived.acquire(timeout=300)
    readings.forget("a")
    sessions.go_on.set()
    look.join(300)
    readings.read("a")
    assert sessions.reads() == 2


def test_pages_take_half_of_the_threads_at_most():
    sessions = Sessions("abc")
    readings = Readings(sessions, 4)
    for name in "abc":
        readings.about(name)
    sessions.go_on.clear()
    threads = [threading.Thread(target=readings.read, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
        assert sessions.arrived.acquire(timeout=300)
    with pytest.raises(BusyError), readings.session("c"):
        pass
    assert readings.read("c").trouble
    sessions.go_on.set()
    for thread in threads:
        thread.join(300)
    assert readings.read("c").values


def test_what_goes_wrong_is_told_and_tried_again():
    sessions = Sessions()
    readings = Readings(sessions, 8)
    sessions.error = ModelError("the FMU is broken")
    assert readings.read("a").trouble == "the FMU is broken"
    sessions.error = None
    assert not readings.read("a").trouble
    with pytest.raises(UnknownSessionError):
        readings.read("b")


def test_a_test_begins_where_it_was_initialized_and_not_with_its_warm_up():
    sessions = Sessions()
    sessions.events = lambda _: [Event(600.0, "initialize", "Started here.", 1.0), Event(900.0, "snapshot", "", 2.0)]
    assert Readings(sessions, 8).begin("a") == 600.0
    assert sessions.reads() == 0
