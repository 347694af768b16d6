"""A real Prometheus asks a real server; what the dashboard and the alarms ask it for is there."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.parse
import urllib.request

import pytest
import yaml

from tests.server import GUNICORN, ROOT, Server, free_port

MONITORING = ROOT / "deploy" / "monitoring"
#: What there is nothing of while all is well.
QUIET = ("trivium_job_progress", "trivium_session_recoveries_total")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="Prometheus is not installed"),
]


@pytest.fixture(scope="module")
def prometheus(small_resources, tmp_path_factory):
    """The address of a Prometheus that watches a server with two workers, which works meanwhile."""
    folder, port = tmp_path_factory.mktemp("monitoring"), free_port()
    with Server(small_resources, folder / "state", (*GUNICORN, "-w", "2"), TRIVIUM_WORKER_JOBS="1") as server:
        config = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
        config["scrape_configs"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{server.port}"]
        config["global"]["scrape_interval"] = "1s"
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        shutil.copy(MONITORING / "alerts.yml", folder)
        command = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
        try:
            address = f"http://127.0.0.1:{port}"
            deadline = time.monotonic() + 300
            server.request("POST", "/api/run/step", {"end_time": 600})
            while time.monotonic() < deadline and len(asked(address, "trivium_steps_total[1m]", "values")) < 5:
                server.request("POST", "/advance", {})
                time.sleep(0.2)
            yield address
        finally:
            process.terminate()
            process.wait(300)


def asked(address, query, part="value"):
    """What Prometheus answers; empty while it does not."""
    try:
        with urllib.request.urlopen(
            f"{address}/api/v1/query?{urllib.parse.urlencode({'query': query})}", timeout=300
        ) as reply:
            result = json.load(reply)["data"]["result"]
    except OSError:
        return []
    return result[0][part] if part == "values" and result else result


def expressions():
    dashboard = json.loads((MONITORING / "dashboards" / "trivium.json").read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def test_every_panel_of_the_dashboard_has_figures(prometheus):
    empty = [one for one in expressions() if not asked(prometheus, one) and not any(name in one for name in QUIET)]
    assert not empty
    assert float(asked(prometheus, "trivium_steps_total")[0]["value"][1]) > 3
    assert float(asked(prometheus, 'sum(trivium_jobs{kind="step"})')[0]["value"][1]) == 1


def test_no_alarm_rings_while_all_is_well_and_each_can_be_asked(prometheus):
    with urllib.request.urlopen(f"{prometheus}/api/v1/rules", timeout=300) as reply:
        rules = [rule for group in json.load(reply)["data"]["groups"] for rule in group["rules"]]
    assert {rule["name"] for rule in rules} == {"ServerAway", "FmuFails", "NoRoom", "JobsWait"}
    assert all(rule["state"] == "inactive" and rule["health"] in ("ok", "unknown") for rule in rules)
    assert [asked(prometheus, rule["query"]) for rule in rules] == [[], [], [], []]
