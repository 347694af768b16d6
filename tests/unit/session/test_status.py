"""The status of a session: how long a host may be busy."""

from __future__ import annotations

import pytest

from trivium.session import folder as module
from trivium.session.folder import Folder, StatusFile


class Clock:
    """Stands in for `time.monotonic`, which no test can hurry."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def status(tmp_path, clock):
    folder = Folder(tmp_path, "test")
    folder.create({})
    file = StatusFile(folder)
    file.write(clock.now, "request", 7.0)

    def read():
        current = folder.status()
        return current.busy_since, current.allowed, current.key.rstrip(b"\0"), current.clock

    return file, read


def test_a_request_that_makes_progress_is_not_late(status, clock):
    file, read = status
    for _ in range(100):
        file.pulse(300.0)
        clock.now += 2.0
        busy_since, _, key, time = read()
        assert clock.now - busy_since == 2.0
        assert (key, time) == (b"request", 7.0)


def test_a_request_without_progress_is(status, clock):
    file, read = status
    file.pulse(300.0)
    clock.now += 500.0
    assert read()[:2] == (1000.0, 0.0)


def test_a_long_step_may_take_as_long_as_the_steps_before(status, clock):
    file, read = status
    for _ in range(10):  # 300 s take 0.03 s
        file.pulse(300.0)
        clock.now += 0.03
    file.pulse(86400.0 * 365)
    assert read()[1] == pytest.approx(10 * 365 * 288 * 0.03)
    clock.now += 365 * 288 * 0.03
    file.pulse(300.0)
    assert read()[:2] == (clock.now, 0.0)


def test_the_time_between_requests_does_not_count(status, clock):
    file, read = status
    file.pulse(300.0)
    clock.now += 0.03
    file.write(0.0, "", 300.0)
    clock.now += 1e6
    file.write(clock.now, "next", 300.0)
    file.pulse(300.0)
    clock.now += 0.03
    file.pulse(300.0)
    file.pulse(86400.0)
    assert read()[1] < 10 * 288 * 0.04
