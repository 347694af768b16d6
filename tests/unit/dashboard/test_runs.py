"""Controllers on sessions, and runs in the background."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from trivium.control.drive import controller, drive
from trivium.dashboard.remote import SessionDriver
from trivium.dashboard.runs import Runs
from trivium.environment import ROOT
from trivium.errors import BusyError, ConflictError, InvalidValueError, ModelError
from trivium.session.local import open_testcase
from trivium.session.manager import SessionManager
from trivium.settings import Settings
from trivium.storage import is_locked

POINTS = ("Tchw_supply", "P_Chillers_sum", "P_CTfans_sum", "CDWP01_rpm")


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    environ = {"TRIVIUM_RESOURCES": str(ROOT / "Resources"), "TRIVIUM_STATE_DIR": str(tmp_path_factory.mktemp("state"))}
    manager = SessionManager(Settings(environ=environ))
    yield manager
    manager.stop_all()
    manager.close()


@pytest.mark.parametrize(
    ("name", "steps"), [("rules", 40), pytest.param("look-ahead", 3, marks=pytest.mark.slow), ("hold", 5)]
)
def test_a_session_under_a_controller_goes_where_the_test_case_itself_goes(sessions, tmp_path, name, steps):
    start = 9_000_000
    testid = sessions.select(sessions.testcases()[0])
    sessions.session(testid).initialize(start)
    driver = SessionDriver(sessions, testid, name)
    for _ in range(steps):
        driver.step()
    reached = sessions.session(testid).results(list(POINTS), start, start + 300 * steps)
    case = open_testcase(ROOT / "Resources", tmp_path)
    try:
        drive(case, controller(name, case), case.initialize(start), start + 300 * steps)
        expected = case.results(list(POINTS), start, start + 300 * steps)
        assert len(reached["time"]) == steps + 1
        for point in ("time", *POINTS):
            np.testing.assert_array_equal(reached[point], expected[point], err_msg=point)
    finally:
        case.close()
        assert [one["testid"] for one in sessions.sessions() if not one["default"]] == [testid]  # no rehearsal is left
        sessions.stop(testid)


def test_inputs_of_the_user_stand_above_the_controller(sessions):
    testid = sessions.select(sessions.testcases()[0])
    try:
        sessions.session(testid).override({"Tchws_set_CHI": 288.65})
        reply = SessionDriver(sessions, testid, "rules").step()
        assert reply["Tchws_set_CHI"] == 288.65
        assert reply["Tchws_set_HEX"] == 287.15
    finally:
        sessions.stop(testid)


def test_looking_ahead_does_not_cheat_where_forecasts_err(sessions):
    testid = sessions.select(sessions.testcases()[0])
    try:
        sessions.session(testid).set_scenario(temperature_uncertainty="high", seed=1)
        with pytest.raises(InvalidValueError, match="forecasts err"):
            SessionDriver(sessions, testid, "look-ahead")
        with pytest.raises(InvalidValueError, match="no controller clever"):
            SessionDriver(sessions, testid, "clever")
    finally:
        sessions.stop(testid)


def test_rules_are_for_the_cooling_plant_only(own_fmu, tmp_path):
    environ = {"TRIVIUM_RESOURCES": str(own_fmu("linear", "2.0")), "TRIVIUM_STATE_DIR": str(tmp_path / "state")}
    manager = SessionManager(Settings(environ=environ))
    try:
        testid = manager.select(manager.testcases()[0])
        with pytest.raises(InvalidValueError, match="no input"):
            SessionDriver(manager, testid, "rules")
        SessionDriver(manager, testid, "hold").step()
    finally:
        manager.stop_all()
        manager.close()


class Plant:
    """Counts steps; waits at one for leave to go on, fails at one."""

    def __init__(self, wait_at=0, fail_at=0):
        self.steps = 0
        self._wait_at, self._fail_at = wait_at, fail_at
        self.waits, self.go_on = threading.Event(), threading.Event()

    def step(self):
        if self.steps + 1 == self._fail_at:
            raise ModelError("it fails")
        if self.steps + 1 == self._wait_at:
            self.waits.set()
            assert self.go_on.wait(300)
        self.steps += 1


def until(told, what):
    deadline = time.monotonic() + 300
    while not what(found := told()):
        assert time.monotonic() < deadline, found
        time.sleep(0.01)
    return found


def test_a_run_does_its_steps(tmp_path):
    plant = Plant()
    runs = Runs(tmp_path, lambda *_: plant)
    assert runs.find("abc") is None
    runs.start("abc", "rules", 7)
    run = until(lambda: runs.find("abc"), lambda run: run.state != "running")
    assert (run.state, run.done, run.asked, plant.steps) == ("done", 7, 7, 7)


def test_a_run_that_fails_says_after_which_step_and_why(tmp_path):
    runs = Runs(tmp_path, lambda *_: Plant(fail_at=4))
    runs.start("abc", "rules", 9)
    run = until(lambda: runs.find("abc"), lambda run: run.state != "running")
    assert (run.state, run.done, run.message) == ("failed", 3, "it fails")
    assert "3 of 9" in run.words
    assert "it fails" in run.words


def test_any_worker_sees_a_run_and_stops_it(tmp_path):
    plant = Plant(wait_at=3)
    one, other = Runs(tmp_path, lambda *_: plant), Runs(tmp_path, lambda *_: plant)
    one.start("abc", "rules", 1000)
    assert plant.waits.wait(300)
    assert other.find("abc").state == "running"
    with pytest.raises(ConflictError):
        other.start("abc", "rules", 1)
    other.stop("abc")
    plant.go_on.set()
    run = until(lambda: other.find("abc"), lambda run: run.state != "running")
    assert (run.state, run.done) == ("stopped", 3)
    assert plant.steps == 3


def test_a_run_whose_worker_is_gone_is_told_as_failed(tmp_path):
    (tmp_path / "abc.json").write_text('{"testid": "abc", "controller": "rules", "asked": 9, "done": 2}')
    run = Runs(tmp_path, lambda *_: Plant()).find("abc")
    assert (run.state, run.done) == ("failed", 2)


def test_a_run_that_ends_while_it_is_looked_at_did_not_fail(tmp_path, monkeypatch):
    plant = Plant(wait_at=2)
    runs = Runs(tmp_path, lambda *_: plant)
    runs.start("abc", "rules", 2)
    assert plant.waits.wait(300)

    def ends_first(path):
        plant.go_on.set()
        until(lambda: is_locked(path), lambda locked: not locked)
        return False

    monkeypatch.setattr("trivium.dashboard.runs.is_locked", ends_first)
    run = runs.find("abc")
    assert (run.state, run.done) == ("done", 2)


def test_runs_of_a_worker_are_limited(tmp_path):
    plants = []

    def make(*_):
        plants.append(Plant(wait_at=1))
        return plants[-1]

    runs = Runs(tmp_path, make)
    try:
        for name in "abcd":
            runs.start(name, "hold", 1)
        with pytest.raises(BusyError):
            runs.start("e", "hold", 1)
    finally:
        for plant in plants:
            plant.go_on.set()
    for name in "abcd":
        until(lambda name=name: runs.find(name), lambda run: run.state == "done")
    assert runs.find("e") is None


def test_no_name_leads_out_of_the_folder(tmp_path):
    folder = tmp_path / "runs"
    folder.mkdir()
    (tmp_path / "abc.json").write_text('{"testid": "abc", "controller": "rules", "asked": 9, "done": 2}')
    assert Runs(folder, lambda *_: Plant()).find("../abc") is None
