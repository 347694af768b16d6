"""Processes of jobs: one that waited, or a new one."""

from __future__ import annotations

import os
import time

import pytest

from tests.processes import PATIENCE
from trivium.jobs import launcher
from trivium.jobs.launcher import Launcher

#: Says when it is there, then its job; ends with its lifeline.
CHILD = """
import sys
print("here", flush=True)
print("job", sys.stdin.readline().strip(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def launch(tmp_path, monkeypatch):
    monkeypatch.setattr(launcher, "_CALM", 0.0)
    made = Launcher(["-c", CHILD], os.environ, tmp_path, ahead=True)
    yield made
    made.close()


def log_of(folder, process):
    """End a process by its lifeline, and return what it wrote."""
    process.stdin.close()
    process.wait(PATIENCE)
    return (folder / "log.txt").read_text()


def test_a_process_that_waits_gets_the_next_job_and_its_log_a_name(launch, tmp_path):
    launch.look()
    waiting = launch._waiting.process
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    first, second = (launch.start((name, "1", "9"), tmp_path / name) for name in ("first", "second"))
    assert first.pid == waiting.pid
    assert second.pid != waiting.pid
    assert log_of(tmp_path / "first", first) == "here\njob first 1 9\n"
    assert log_of(tmp_path / "second", second) == "here\njob second 1 9\n"


def test_a_job_that_goes_on_appends_to_its_log(launch, tmp_path):
    (tmp_path / "log.txt").write_text("before\n")
    launch.look()
    assert log_of(tmp_path, launch.start(("again", "2", "9"), tmp_path)) == "before\nhere\njob again 2 9\n"


def test_a_process_that_died_while_it_waited_is_replaced(launch, tmp_path):
    launch.look()
    died = launch._waiting.process
    died.kill()
    died.wait()
    launch.look()
    assert launch._waiting.process.pid != died.pid
    assert "job next" in log_of(tmp_path, launch.start(("next", "1", "9"), tmp_path))


def test_a_process_that_waits_ends_with_its_worker(launch):
    launch.look()
    waiting = launch._waiting.process
    launch.close()
    assert waiting.returncode is not None


def test_none_waits_just_after_a_start_or_where_none_is_wanted(tmp_path):
    lately, never = (Launcher(["-c", CHILD], os.environ, tmp_path, ahead=ahead) for ahead in (True, False))
    never._started = time.monotonic() - 2 * launcher._CALM
    for each in (lately, never):
        each.look()
        assert each._waiting is None
