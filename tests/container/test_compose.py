"""docker-compose.yml: the API as README calls it, jobs, restarts, its profiles and its limits."""

from __future__ import annotations

import json
import re
import subprocess
import time

import pytest

from tests.container.compose import Compose, client, study
from tests.container.engine import wait_for
from trivium.environment import ROOT


@pytest.fixture(scope="module")
def api(engine, image, measured):
    """The API alone."""
    started = time.monotonic()
    with Compose(engine).up() as project:
        measured("docker compose up: healthy", f"{time.monotonic() - started:.0f} s")
        yield project


def test_the_requests_of_readme(api):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = [line for line in text.split("## Step")[1].split("```")[1].splitlines() if line.startswith("curl")]
    assert len(lines) == 3
    replies = [
        subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True).stdout for line in lines
    ]
    initialized, advanced, kpi = (json.loads(reply) for reply in replies)
    assert initialized["message"].startswith("Simulation initialized successfully to 7800000.0s")
    assert advanced["message"] == "Advanced simulation successfully from 7800000.0s to 7800300.0s."
    assert advanced["payload"]["Pfan_CT1_01"] > 0
    assert kpi["payload"]["ener_tot"] > 0


def test_two_thousand_steps(api, measured):
    with client() as server:
        session = server.select()
        started = time.monotonic()
        for _ in range(2000):
            at = session.advance({}).time
        measured("2000 steps of 300 s over HTTP", f"{time.monotonic() - started:.1f} s")
        assert at == 2000 * 300


def test_a_sweep_and_a_coupled_case_as_jobs(api, measured):
    with client() as server:
        started = time.monotonic()
        swept = server.submit("sweep", study()).wait(timeout=300)
        measured("sweep of 200 runs as a job", f"{time.monotonic() - started:.0f} s")
        assert (swept["counts"]["done"], swept["counts"]["failed"]) == (200, 0)
        started = time.monotonic()
        job = server.submit("converge", {"case_name": "datacenter_grid"})
        assert job.wait(timeout=600)["status"] == "Success"  # which it is only where it converged
        measured("coupled case datacenter_grid as a job", f"{time.monotonic() - started:.0f} s")


def test_sessions_survive_a_restart_and_a_new_container_with_the_volume(api):
    with client() as server:
        session = server.select()
        before = session.advance_many(20).time
        for command in (("restart", "api"), ("up", "--detach", "--no-build", "--force-recreate", "api")):
            api(*command)
            api.wait_until_healthy("api")
            after = server.session(session.testid).advance({}).time
            assert after == before + 300
            before = after


def test_what_compose_promises_of_a_container_holds(api, engine):
    state = engine.inspect(api.id("api"))
    host = state["HostConfig"]
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert host["Memory"] == 8 * 2**30
    assert host["PidsLimit"] == 1024
    assert host["LogConfig"]["Config"] == {"max-file": "3", "max-size": "10m"}
    assert {mount["Type"] for mount in state["Mounts"]} <= {"volume", "bind"}
    inside = engine.docker(
        "exec", api.id("api"), "sh", "-c", "id -u; df -k /tmp | tail -1; touch /app/x; :"
    ).stdout.split()
    assert (inside[0], inside[2]) == ("57439", str(512 * 1024))


def test_a_further_worker_takes_jobs(engine, image):
    with Compose(engine, "worker", TRIVIUM_WORKER_JOBS="0").up(), client() as server:
        assert server.submit("sweep", study()).wait(timeout=300)["counts"]["done"] == 200


def test_sessions_survive_in_little_memory(engine, image, measured):
    """The documented minimum: 400 MB for the API and eleven sessions, some of which lose their processes."""
    with Compose(engine, API_MEMORY="400m", TRIVIUM_WORKER_JOBS="0").up() as project, client() as server:
        sessions = [server.select() for _ in range(11)]
        times = [session.advance_many(50).time for session in sessions]
        times = [session.advance({}).time for session in sessions]
        assert times == [51 * 300] * 11
        # of version 1 of control groups, or of version 2
        files = f"find /sys/fs/cgroup -path '*{project.id('api')}/memory.oom_control' -o -path '*{project.id('api')}/memory.events'"
        counts = engine.run("sh", "-c", f"cat $({files})").stdout
        (killed,) = re.findall(r"^oom_kill (\d+)$", counts, flags=re.MULTILINE)
        measured("400 MB and 11 sessions: processes killed", killed)
        project.wait_until_healthy("api")


def test_prometheus_asks_the_api(engine, image):
    def targets():
        ask = "import urllib.request; print(urllib.request.urlopen('http://prometheus:9090/api/v1/{}').read().decode())"
        done = engine.docker("exec", project.id("api"), "python", "-c", ask.format("targets"), check=False)
        found = json.loads(done.stdout)["data"]["activeTargets"] if done.returncode == 0 else []
        return [target for target in found if target["health"] == "up"]

    # Grafana's image is not made here
    with Compose(engine, "monitoring").up("api", "prometheus") as project:
        assert wait_for(targets, 60)[0]["labels"]["job"] == "trivium"


def test_without_their_files_services_with_passwords_do_not_start(engine, image, tmp_path):
    project = Compose(engine, "cluster", SECRETS=str(tmp_path))
    try:
        done = project("up", "--detach", "--no-build", "database", check=False)
        assert done.returncode != 0
        assert "database-password" in done.stderr
    finally:
        project("down", "--volumes")
