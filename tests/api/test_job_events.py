"""Events of jobs: told when something changes, never by more threads than there are to spare."""

from __future__ import annotations

import json
import time

import pytest

from tests.processes import PATIENCE
from tests.server import Server
from trivium.jobs.record import State
from trivium.jobs.store import Store
from trivium.recorder import Outcome
from trivium.server import events
from trivium.settings import Settings


@pytest.fixture
def server(small_resources, tmp_path):
    with Server(small_resources, tmp_path / "state", TRIVIUM_THREADS="4") as running:
        yield running


@pytest.fixture
def store(server):
    store = Store(Settings(environ={"TRIVIUM_STATE_DIR": str(server.state_dir)}))
    yield store
    store.close()


@pytest.fixture
def job(server, store):
    server.request("POST", "/api/run/step", {"end_time": 300})
    return store.claim("test")


@pytest.fixture
def listen(server):
    """Open a stream; all are closed at the end."""
    opened = []

    def connect(task_id, last=None):
        connection = server.connect()
        headers = {} if last is None else {"Last-Event-ID": last}
        connection.request("GET", f"/api/run/events/{task_id}", headers=headers)
        stream = connection.getresponse()
        stream.leave = lambda: (stream.close(), connection.close())
        opened.append(stream)
        return stream

    yield connect
    for stream in opened:
        stream.leave()


def read(stream):
    """Return the next block: id, event and data; comments are passed over."""
    found = {}
    while (line := stream.readline().decode()) not in ("\n", "") or not found:
        assert line, "the stream ended"
        name, _, value = line.rstrip("\n").partition(": ")
        if name and line != "\n":
            found[name] = value
    return found


def test_changes_are_told_until_the_end(server, store, job, listen):
    stream = listen(job.task_id)
    assert (stream.status, stream.headers["Content-Type"]) == (200, "text/event-stream; charset=utf-8")
    assert read(stream) == {"retry": "2000"}
    first = read(stream)
    assert (first["event"], json.loads(first["data"])["status"]) == ("progress", "Running")
    store.tell(job, "Step 1 of 2 completed", 0.5, {"steps": 1})
    second = read(stream)
    assert json.loads(second["data"])["counts"] == {"steps": 1}
    store.finish(job, State.SUCCESS, "Completed", Outcome({}, {"pue": 1.1}))
    last = read(stream)
    assert (last["event"], json.loads(last["data"])["results"]) == ("end", {"pue": 1.1})
    assert stream.read() == b""
    assert json.loads(last["data"]) == server.request("GET", f"/api/run/status/{job.task_id}")[1]
    assert len({first["id"], second["id"], last["id"]}) == 3
    # who knows the end is told not to come again; who knows less hears it
    assert listen(job.task_id, last["id"]).status == 204
    again = listen(job.task_id, second["id"])
    assert [read(again).get("event") for _ in range(2)] == [None, "end"]


def test_who_comes_again_is_not_told_the_same_twice(store, job, listen):
    stream = listen(job.task_id)
    known = [read(stream) for _ in range(2)][1]["id"]
    again = listen(job.task_id, known)
    read(again)
    store.tell(job, "Step 2", 0.7, {})
    assert json.loads(read(again)["data"])["message"] == "Step 2"


def test_streams_are_not_counted_as_threads_and_have_an_end(server, store, job, listen):
    streams = [listen(job.task_id) for _ in range(events.MOST - 1)]
    assert {stream.status for stream in streams} == {200}
    refused = listen(job.task_id)
    assert refused.status == 503
    assert int(refused.headers["Retry-After"]) > 0
    assert f"{events.MOST - 1} streams of events are open" in json.loads(refused.read())["message"]
    for path in ("/health/live", "/version", "/sessions"):
        assert server.request("GET", path, timeout=PATIENCE)[0] == 200
    store.finish(job, State.CANCELLED, "Cancelled")
    for stream in streams:
        assert b"event: end" in stream.read()
    deadline = time.monotonic() + 300
    while listen(job.task_id).status != 200:
        assert time.monotonic() < deadline


@pytest.mark.slow
def test_a_client_that_goes_away_makes_room(store, job, listen):
    for number in range(events.MOST + 2):
        stream = listen(job.task_id)
        deadline = time.monotonic() + 300
        while stream.status == 503:
            assert time.monotonic() < deadline
            stream = listen(job.task_id)
        read(stream)
        stream.leave()
        store.tell(job, f"Step {number}", 0.1, {})  # writing to who is gone is how that is noticed


def test_a_stream_has_an_end_and_signs_of_life(small_server, monkeypatch):
    monkeypatch.setattr(events, "LONGEST", 0.5)
    monkeypatch.setattr(events, "HEARTBEAT", 0.1)
    monkeypatch.setattr(events, "LOOK", 0.05)
    store = Store(Settings(environ={"TRIVIUM_STATE_DIR": str(small_server.state_dir)}))
    job = store.submit("step", {"end_time": 300})
    streams = events.Streams(2)
    response = streams.open(lambda: store.get(job.task_id), lambda found: {"status": found.state}, None)
    parts = list(response.response)
    response.close()
    store.close()
    assert parts[0].startswith(b"retry: ")
    assert b'data: {"status":"Pending"}' in parts[1]
    assert set(parts[2:]) == {b": still here\n\n"}


def test_an_unknown_job_has_no_events(listen):
    stream = listen("nonsense")
    assert stream.status == 404
