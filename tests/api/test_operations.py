"""What operators see of a real server with several workers: metrics and the log."""

from __future__ import annotations

import json
import re
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.processes import kill
from tests.server import GUNICORN, Server


@pytest.fixture(scope="module")
def busy(small_resources, tmp_path_factory):
    command = (*GUNICORN, "-w", "3")
    state = tmp_path_factory.mktemp("operations")
    with Server(small_resources, state, command, TRIVIUM_LOG_FORMAT="json", TRIVIUM_LOG_LEVEL="debug") as server:
        yield server


def scraped(server):
    connection = server.connect()
    connection.request("GET", "/metrics")
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    assert response.status == 200
    families = text_string_to_metric_families(text)
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def value(figures, name, **labels):
    return figures.get((name, tuple(sorted(labels.items()))), 0.0)


def test_counters_add_up_over_workers_and_survive_their_death(busy):
    before = scraped(busy)
    for _ in range(40):  # a connection each, so that all workers get some
        assert busy.request("POST", "/advance", {})[0] == 200
    assert busy.request("POST", "/steps", {"steps": 60})[0] == 200
    assert busy.request("POST", "/advance", {"nonsense": 1})[0] == 400
    for _ in range(20):  # whichever worker is asked
        after = scraped(busy)
        assert value(after, "trivium_steps_total") - value(before, "trivium_steps_total") == 100
    route = {"method": "POST", "route": "/advance"}
    name = "trivium_http_requests_total"
    assert value(after, name, status="200", **route) - value(before, name, status="200", **route) == 40
    assert value(after, name, status="400", **route) - value(before, name, status="400", **route) == 1
    kill(*busy.workers())
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        try:
            figures = scraped(busy)
            break
        except OSError:
            time.sleep(0.1)
    assert value(figures, "trivium_steps_total") == value(after, "trivium_steps_total")


def test_a_killed_host_is_counted_as_brought_back(busy):
    busy.request("POST", "/advance", {})
    before = scraped(busy)
    (host,) = busy.hosts()
    kill(host)
    assert busy.request("POST", "/advance", {})[0] == 200

    def recoveries(figures):
        return sum(at for (name, _), at in figures.items() if name == "trivium_session_recoveries_total")

    after = scraped(busy)
    assert recoveries(after) - recoveries(before) == 1
    assert value(after, "trivium_sessions", state="idle") == 1
    assert value(after, "trivium_session_memory_bytes") > 1e6
    assert value(after, "trivium_sessions_limit") == 32


def test_jobs_are_counted(busy):
    assert busy.request("POST", "/api/run/step", {"end_time": 300})[0] == 202
    assert value(scraped(busy), "trivium_jobs", kind="step", status="Pending") == 1


def test_each_record_of_the_log_tells_request_and_session(busy):
    testid = busy.request("POST", "/testcases/AlphaDataCenterCooling_Gym/select")[1]["testid"]
    busy.request(
        "POST", f"/advance/{testid}", {}, headers={"X-Request-Id": "mine-1", "Content-Type": "application/json"}
    )
    busy.request("GET", "/version")
    records = [json.loads(line) for line in busy.log.read_text().splitlines() if line.startswith("{")]
    (mine,) = [one for one in records if one.get("request") == "mine-1" and one["logger"] == "trivium.server.metrics"]
    assert (mine["session"], mine["method"], mine["status"]) == (testid, "POST", 200)
    assert mine["seconds"] > 0
    after = records[records.index(mine) + 1 :]
    assert [one for one in after if one.get("route") == "/version" and "session" not in one]
    back = [one for one in records if "was brought back" in one["message"]]
    assert all(one["session"] for one in back)
    plain = [line for line in busy.log.read_text().splitlines() if re.search(r"\[(INFO|ERROR|WARNING)\]", line)]
    assert all("Starting gunicorn" in line for line in plain)  # before its log is ours
