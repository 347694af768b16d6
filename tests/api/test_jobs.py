"""The routes of jobs, without a worker: what is accepted, what is refused, what is sent."""

from __future__ import annotations

import pytest

from trivium.jobs.record import State
from trivium.jobs.store import Store
from trivium.recorder import Outcome
from trivium.settings import Settings

RUN = "/api/run/step"
CONTRACT = {
    "status", "message", "progress", "iterations_run", "convergence_delta", "outcome", "output_locations", "error",
}  # fmt: skip


@pytest.fixture(scope="module")
def store(small_server):
    store = Store(Settings(environ={"TRIVIUM_STATE_DIR": str(small_server.state_dir)}))
    yield store
    store.close()


@pytest.fixture
def done(small_server, store):
    """A job that was run by hand."""
    task_id = submit(small_server, end_time=300)
    while (job := store.claim("test")).task_id != task_id:
        store.finish(job, State.CANCELLED, "not wanted")
    folder = store.folder_of(task_id)
    folder.mkdir()
    (folder / "log.txt").write_bytes(b"0123456789\n")
    (folder / "a.csv").write_bytes(b"time\n0\n")
    (folder / "secret").write_bytes(b"hidden treasure\n")
    counts = {"iterations_run": 3, "convergence_delta": 1e-7}
    store.tell(job, "Iteration 3 completed", 0.5, counts)
    files = {"a.csv": "a.csv", "sub/a.csv": "a.csv", "gone": "gone"}
    store.finish(job, State.SUCCESS, "Completed", Outcome(files, {"pue": 1.08}, "converged"))
    return task_id


def submit(server, **spec):
    status, reply, headers = server.request("POST", RUN, spec)
    assert (status, reply["status"]) == (202, "Running")
    assert set(reply) == {"status", "task_id", "message"}
    assert headers["Location"] == f"/api/run/status/{reply['task_id']}"
    return reply["task_id"]


def raw(server, path, **headers):
    connection = server.connect()
    try:
        connection.putrequest("GET", path, skip_accept_encoding=True)  # as it stands, dots and all
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        return response.status, response.read(), response.headers
    finally:
        connection.close()


def test_an_accepted_job_waits_and_is_listed(small_server):
    task_id = submit(small_server, end_time=300)
    status, reply, _ = small_server.request("GET", f"/api/run/status/{task_id}")
    assert (status, reply["status"], reply["task_id"], reply["kind"]) == (200, "Pending", task_id, "step")
    assert set(reply) >= CONTRACT
    newest = small_server.request("GET", "/api/run?limit=1")[1]["payload"]
    assert newest == [reply]
    assert reply in small_server.request("GET", "/api/run?status=pending&kind=step&limit=1000")[1]["payload"]
    assert small_server.request("GET", "/api/run?kind=nonsense")[1]["payload"] == []
    assert raw(small_server, f"/api/run/logs/{task_id}")[:2] == (200, b"")


def test_the_end_of_a_job_is_told(small_server, done):
    reply = small_server.request("GET", f"/api/run/status/{done}")[1]
    assert {name: reply[name] for name in CONTRACT} == {
        "status": "Success",
        "message": "Completed",
        "progress": 1.0,
        "iterations_run": 3,
        "convergence_delta": 1e-7,
        "outcome": "converged",
        "output_locations": {name: f"/api/run/results/{done}/{name}" for name in ("a.csv", "sub/a.csv", "gone")},
        "error": None,
    }


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "end_time is missing, or scenario.time_period in its place."),
        ({"end_time": "x"}, "Invalid value x for parameter end_time"),
        ({"end_time": 300, "contoller": "rules"}, "Bad input for parameter contoller. Unknown parameter."),
        ({"end_time": 300, "controller": ["rules"]}, "for parameter controller"),
    ],
)
def test_a_wrong_specification_is_refused_and_nothing_is_kept(small_server, store, body, said):
    before = len(store.jobs(most=1000))
    status, reply, _ = small_server.request("POST", RUN, body)
    assert (status, reply["status"]) == (400, 400)
    assert said in reply["message"]
    assert len(store.jobs(most=1000)) == before


@pytest.mark.parametrize(
    ("data", "headers", "status"),
    [
        (b"[]", {"Content-Type": "application/json"}, 400),
        (b'{"end_time": NaN}', {"Content-Type": "application/json"}, 400),
        (b"{", {"Content-Type": "application/json"}, 400),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b" " * (2**20 + 1), {"Content-Type": "application/json"}, 413),
    ],
)
def test_a_body_that_is_no_object_is_refused(small_server, data, headers, status):
    assert small_server.request("POST", RUN, raw=data, headers=headers)[0] == status


def test_a_repeated_key_is_the_same_job(small_server):
    headers = {"Content-Type": "application/json", "Idempotency-Key": "once"}
    replies = [small_server.request("POST", RUN, raw=b'{"end_time": 600}', headers=headers) for _ in range(2)]
    assert replies[0][1] == replies[1][1]
    assert small_server.request("POST", RUN, raw=b'{"end_time": 900}', headers=headers)[0] == 409


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/run/nonsense"),
        ("GET", "/api/run/status/nonsense"),
        ("POST", "/api/run/cancel/nonsense"),
        ("GET", "/api/run/logs/nonsense"),
        ("GET", "/api/run/results/nonsense"),
        ("GET", "/api/run/results/nonsense/a.csv"),
    ],
)
def test_what_is_not_there_is_404(small_server, method, path):
    status, reply, _ = small_server.request(method, path)
    assert (status, reply["status"]) == (404, 404)
    assert reply["error"] == reply["message"]
    assert "nonsense" in reply["message"]


def test_a_waiting_job_is_cancelled(small_server):
    task_id = submit(small_server, end_time=300)
    for _ in range(2):
        status, reply, _ = small_server.request("POST", f"/api/run/cancel/{task_id}")
        assert (status, reply["status"], reply["cancelling"]) == (200, "Cancelled", False)


def test_results_and_logs_are_sent_whole_or_in_part(small_server, done):
    status, reply, _ = small_server.request("GET", f"/api/run/results/{done}")
    assert status == 200
    assert reply["payload"] == {
        "results": {"pue": 1.08}, "files": {"a.csv": 7, "sub/a.csv": 7, "gone": None}, "outcome": "converged",
    }  # fmt: skip
    for name in ("a.csv", "sub/a.csv"):
        status, data, headers = raw(small_server, f"/api/run/results/{done}/{name}")
        assert (status, data, headers["X-Content-Type-Options"]) == (200, b"time\n0\n", "nosniff")
        assert headers["Content-Disposition"].startswith("attachment")
    assert raw(small_server, f"/api/run/logs/{done}")[1] == b"0123456789\n"
    status, data, headers = raw(small_server, f"/api/run/logs/{done}", Range="bytes=3-5")
    assert (status, data, headers["Content-Range"]) == (206, b"345", "bytes 3-5/11")
    assert raw(small_server, f"/api/run/logs/{done}", Range="bytes=99-")[0] == 416


@pytest.mark.parametrize(
    "name",
    [
        "secret", "log.txt", "process", "gone", "../jobs.sqlite3", "..%2fjobs.sqlite3", "%2e%2e/jobs.sqlite3",
        "sub/../secret", "/etc/passwd", "%2fetc%2fpasswd", "a.csv%00", "a.csv/..", "../../../../../../etc/passwd",
    ],
)  # fmt: skip
def test_only_results_are_sent(small_server, done, name):
    status, data, _ = raw(small_server, f"/api/run/results/{done}/{name}")
    assert status in (404, 308)
    assert b"root:" not in data
    assert b"hidden" not in data


@pytest.mark.parametrize("task_id", ["..", "%2e%2e", ".", "..%2f..", "x%00y"])
def test_an_id_never_becomes_a_path(small_server, task_id):
    for route in ("logs", "status", "results"):
        assert raw(small_server, f"/api/run/{route}/{task_id}")[0] in (404, 405, 308)


def test_the_kinds_are_told_with_their_schemas(small_server):
    status, reply, _ = small_server.request("GET", "/api/run/kinds")
    assert status == 200
    assert {"end_time", "scenario", "days"} <= set(reply["payload"]["step"]["schema"]["properties"])


@pytest.mark.parametrize("query", ["status=nonsense", "limit=0", "limit=x", "nonsense=1"])
def test_a_wrong_choice_is_named(small_server, query):
    status, reply, _ = small_server.request("GET", f"/api/run?{query}")
    assert status == 400
    assert query.partition("=")[0] in reply["message"]


def test_the_index_names_the_routes(small_server):
    routes = small_server.request("GET", "/")[1]["payload"]["routes"]
    assert "POST /api/run/<kind>" in routes
