"""Which request gets a thread: no session more than two, and one that waits for too long none."""

from __future__ import annotations

import pytest

from trivium.application import create_app
from trivium.server.operations import Lane
from trivium.server.turns import ABREAST, QUEUE, Turn, Turns, turn_of
from trivium.settings import Settings


def test_a_busy_session_leaves_threads_to_others():
    turns = Turns(8, 60.0)
    for number in range(50):
        assert turns.add(f"busy {number}", "busy", 0.0)
    assert turns.add("other", "other", 0.0)
    assert turns.add("page", None, 0.0)
    assert list(turns.take()) == [("busy 0", "busy"), ("busy 1", "busy"), ("other", "other"), ("page", None)]
    turns.done("busy")
    assert list(turns.take()) == [("busy 2", "busy")]
    turns.done("other")
    assert list(turns.take()) == []


def test_all_have_their_turn_in_order_with_one_thread():
    turns = Turns(1, 60.0)
    for number in range(5):
        turns.add(number, "" if number % 2 else None, 0.0)
    seen = []
    while taken := list(turns.take()):
        ((item, session),) = taken
        seen.append(item)
        turns.done(session)
    assert seen == [0, 1, 2, 3, 4]


def test_who_waits_too_long_is_refused_and_the_next_one_goes_on():
    turns = Turns(ABREAST, 10.0)
    for number in range(ABREAST + 3):
        turns.add(number, "a", float(number))
    turns.add("b", "b", 100.0)
    assert [item for item, _ in turns.take()] == list(range(ABREAST))
    assert list(turns.expired(ABREAST + 11.5)) == [ABREAST, ABREAST + 1]
    assert list(turns.expired(ABREAST + 11.5)) == []
    turns.done("a")
    assert [item for item, _ in turns.take()] == ["b"]
    turns.done("a")
    assert [item for item, _ in turns.take()] == [ABREAST + 2]


def test_one_that_waits_for_a_thread_only_is_refused_too():
    turns = Turns(1, 10.0)
    for number in range(4):
        turns.add(number, "a", 0.0)
    list(turns.take())
    assert list(turns.expired(11.0)) == [1, 2, 3]
    turns.done("a")
    turns.add(4, "a", 12.0)
    assert list(turns.take()) == [(4, "a")]


def test_a_queue_has_an_end():
    turns = Turns(1, 10.0)
    assert all(turns.add(number, "a", 0.0) for number in range(ABREAST + QUEUE))
    assert not turns.add("one too many", "a", 0.0)


@pytest.fixture(scope="module")
def app(small_resources, tmp_path_factory):
    environ = {"TRIVIUM_RESOURCES": str(small_resources), "TRIVIUM_STATE_DIR": str(tmp_path_factory.mktemp("turns"))}
    application = create_app(Settings(environ=environ))
    yield application
    application.extensions["trivium-sessions"].close()


@pytest.mark.parametrize(
    ("method", "path", "turn"),
    [
        ("GET", "/health/live", Turn(Lane.LIVE, None)),
        ("HEAD", "/health/live", Turn(Lane.LIVE, None)),
        ("GET", "/health/ready", Turn(Lane.READY, None)),
        ("GET", "/metrics", Turn(Lane.FIGURES, None)),
        ("GET", "/api/run/events/x", Turn(Lane.STREAMS, None)),
        ("POST", "/advance", Turn(Lane.REQUESTS, "")),
        ("POST", "/advance/abc", Turn(Lane.REQUESTS, "abc")),
        ("POST", "/%61dvance/abc", Turn(Lane.REQUESTS, "abc")),
        ("PUT", "/stop/abc", Turn(Lane.REQUESTS, None)),  # it ends a busy session
        ("GET", "/status/abc", Turn(Lane.REQUESTS, None)),
        ("GET", "/sessions", Turn(Lane.REQUESTS, None)),
        ("GET", "/dashboard/", Turn(Lane.REQUESTS, None)),
        ("GET", "/nonsense", Turn(Lane.REQUESTS, None)),
        ("PATCH", "/advance", Turn(Lane.REQUESTS, None)),
        ("", "", Turn(Lane.REQUESTS, None)),
    ],
)
def test_where_a_request_belongs(app, method, path, turn):
    assert turn_of(app, method, path) == turn
