"""The wheel does all that the product promises, in an empty environment far from the checkout.

The wheel that is built from the sdist holds the same files, so what takes long is done with one of them.
"""

from __future__ import annotations

import html
import json
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest

from tests.installed import Installed, build_distributions, can_hide, interpreter

pytestmark = pytest.mark.slow
#: The datacenter_grid of one day instead of four weeks.
ONE_DAY = """
import json, sys
sys.path.insert(0, "datacenter_grid")
from make_case import case
open("datacenter_grid/case.json", "w").write(json.dumps(case({"typical": (18, 1.0)}, 1)))
"""


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    return build_distributions(tmp_path_factory.mktemp("distributions"))


@pytest.fixture(scope="module")
def installed(distributions, tmp_path_factory):
    """The wheel with all extras; what the sdist becomes holds the same, file by file."""
    return Installed(tmp_path_factory.mktemp("wheel"), distributions["wheel"])


@pytest.fixture(scope="module")
def base(distributions, tmp_path_factory):
    """The sdist, built by the installer in an environment of its own, without any extra."""
    return Installed(tmp_path_factory.mktemp("base"), distributions["sdist"], extras="")


def ask(url, method="GET", body=None, accept="application/json"):
    """Return the status and the body of a reply."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Accept": accept}
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=300) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def payload(url, method="GET", body=None):
    status, text = ask(url, method, body)
    assert status == 200, text
    return json.loads(text)["payload"]


def job(url, kind, spec):
    """Submit a job and wait for its end."""
    status, text = ask(f"{url}/api/run/{kind}", "POST", spec)
    assert status in (200, 201, 202), text
    task = json.loads(text)["task_id"]
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        state = json.loads(ask(f"{url}/api/run/status/{task}")[1])
        if state["status"] not in ("Pending", "Running"):
            return state
        time.sleep(0.2)
    raise AssertionError(f"the job {kind} does not end: {state}")


def test_wheel_and_sdist_carry_the_same(distributions, tmp_path):
    """A wheel that is built from the sdist holds what the wheel holds."""
    shutil.unpack_archive(distributions["sdist"], tmp_path)
    (unpacked,) = tmp_path.iterdir()
    words = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(unpacked)]
    subprocess.run(words, check=True, capture_output=True)
    (again,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(again) as one, zipfile.ZipFile(distributions["wheel"]) as other:
        assert {f.filename: f.CRC for f in one.infolist()} == {f.filename: f.CRC for f in other.infolist()}
        names = {Path(name).name for name in one.namelist()}
    assert {"AlphaDataCenterCooling_FMU.fmu", "FuelCycle.fmu", "grid.py", "energy.yaml", "py.typed"} <= names


def test_the_checkout_is_out_of_reach(installed):
    if not can_hide():
        pytest.skip("this machine lets no process hide the checkout from another")
    code = f"from pathlib import Path; print(list(Path({str(Path(__file__).parents[2])!r}).iterdir()))"
    assert installed.python(code).strip() == "[]"


def test_serve(installed):
    with installed.serve() as url:
        assert payload(f"{url}/name") == {"name": "AlphaDataCenterCooling_Gym"}
        assert len(payload(f"{url}/inputs")) == 100
        assert len(payload(f"{url}/initialize", "PUT", {"start_time": 900000})) == 186
        advanced = payload(f"{url}/advance", "POST", {"Tchws_set_HEX": 286.5})
        assert advanced["Tchw_supply"] == pytest.approx(286.5, abs=0.2)
        window = {"point_names": ["Tchw_supply"], "start_time": 900000, "final_time": 900300}
        assert payload(f"{url}/results", "PUT", window)["time"] == [900000, 900300]
        assert ask(f"{url}/dashboard/")[0] == 200
        assert 'href="dashboard/"' in ask(url, accept="text/html")[1]
    state = installed.home / ".local" / "state" / "trivium"
    assert any(state.iterdir())
    assert not list(installed.work.glob(".trivium*"))


def test_step_writes_a_table_and_plots(installed):
    done = installed.run("trivium", "step", "--to", "3600", "--out", "hour.parquet", "--json")
    assert json.loads(done.stdout)["ener_tot"] > 0
    assert {path.name for path in installed.work.glob("hour.*")} == {"hour.parquet", "hour.png", "hour.html"}


def test_compare(installed):
    done = installed.run("trivium", "compare", "rules", "hold", "--period", "mild", "--days", "0.1", "--json")
    assert "rules" in done.stdout


def test_a_sweep_of_the_fuel_cycle_with_its_report(installed):
    installed.run("trivium", "examples", "fuel_cycle", "fuel_cycle")
    installed.run("trivium", "sweep", "run", "fuel_cycle/study-small.json", "--out", "slice")
    installed.run("trivium", "sweep", "report", "slice")
    page = (installed.work / "slice" / "report.html").read_text()
    assert "tep.DIR" in page
    code = """
import trivium.study
results = trivium.study.open("slice")
print(len(results), int((results.status == 1).sum()))
"""
    assert installed.python(code).split() == ["200", "200"]


def test_a_day_of_the_grid_converges(installed):
    installed.run("trivium", "examples", "datacenter_grid", "datacenter_grid")
    installed.python(ONE_DAY)
    done = installed.run("trivium", "converge", "datacenter_grid", "--out", "coupled", "--json")
    assert json.loads(done.stdout)["outcome"] == "converged", done.stdout


def test_both_as_jobs_of_the_server(installed):
    installed.run("trivium", "examples", "datacenter_grid", "studies/datacenter_grid")
    installed.run("trivium", "examples", "fuel_cycle", "studies/fuel_cycle")
    installed.python(ONE_DAY.replace('"datacenter_grid', '"studies/datacenter_grid'))
    study = json.loads((installed.work / "studies" / "fuel_cycle" / "study-small.json").read_text())
    study["simulation_parameters"]["pulse.power"] = [500]
    installed.environment["TRIVIUM_STUDIES"] = "studies"
    with installed.serve() as url:
        swept = job(url, "sweep", {**study, "folder": "fuel_cycle"})
        assert swept["status"] == "Success", swept
        coupled = job(url, "converge", {"case_name": "datacenter_grid"})
        assert coupled["status"] == "Success", coupled


def test_the_gymnasium_environment(installed):
    code = """
import gymnasium
import trivium.gym
env = gymnasium.make("trivium/DataCenterCooling-v0")
observation, info = env.reset(seed=0)
observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
print(env.observation_space.contains(observation), reward <= 0)
env.close()
"""
    assert installed.python(code).split() == ["True", "True"]


def test_doctor_finds_every_way_ready(installed):
    verbs = {
        check["name"]: check for check in json.loads(installed.run("trivium", "doctor", "--json").stdout)["checks"]
    }
    for verb in ("step", "sweep", "converge", "dashboard", "gym"):
        assert verbs[verb]["status"] in ("ok", "ready"), verbs[verb]


def test_the_door_in_python(installed):
    code = """
import trivium
with trivium.open() as plant:
    plant.initialize(start_time=900000)
    print(plant.advance({"Tchws_set_HEX": 286.5})["Tchw_supply"])
with trivium.TestCase() as case:
    print(case.get_name().payload["name"])
"""
    supply, name = installed.python(code).split()
    assert float(supply) == pytest.approx(286.5, abs=0.2)
    assert name == "AlphaDataCenterCooling_Gym"


def test_the_base_serves_and_names_what_else_there_is(base):
    assert base.megabytes < 450
    with base.serve() as url:
        assert len(payload(f"{url}/advance", "POST", {})) == 186
        page = ask(url, accept="text/html")[1]
        assert "pip install 'trivium[dashboard]'" in html.unescape(page)
    base.run("trivium", "examples", "fuel_cycle", "fuel_cycle")
    refused = base.run("trivium", "sweep", "run", "fuel_cycle/study-small.json", code=1).stderr
    assert f"{base.bin / 'python'} -m pip install 'trivium[sweep]'" in refused
    checks = {check["name"]: check for check in json.loads(base.run("trivium", "doctor", "--json").stdout)["checks"]}
    assert "trivium[gym]" in checks["gym"]["text"]
    base.run("trivium", "step", "--to", "600")


@pytest.mark.parametrize("version", ["3.12", "3.13", "3.14"])
def test_later_versions_of_python(distributions, tmp_path, version):
    python = interpreter(version)
    if python is None:
        pytest.skip(f"Python {version} is not on this machine")
    later = Installed(tmp_path, distributions["wheel"], extras="", python=python)
    with later.serve() as url:
        assert len(payload(f"{url}/advance", "POST", {})) == 186
    assert json.loads(later.run("trivium", "step", "--to", "600", "--json").stdout)["ener_tot"] > 0


def test_all_takes_less_than_it_may(installed):
    assert installed.megabytes < 1200
