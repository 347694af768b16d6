"""The container's files agree with each other and with what is there."""

from __future__ import annotations

import os
import re
import subprocess

import click
import pytest

import trivium
from trivium.cli.program import program as trivium_program
from trivium.cli.serve import worker
from trivium.environment import ROOT
from trivium.model.fmu.abi import pyfmi_problem
from trivium.settings import Settings, variable_of


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture
def conda():
    return dict(re.findall(r"^  - (\w+)=([\d.]+)(?:=\S+)?$", text("environment.yml"), flags=re.MULTILINE))


def test_the_pinned_set_fits(conda):
    named = re.findall(r"^  - (\w+)=", text("environment.yml"), flags=re.MULTILINE)
    assert list(conda) == named, "without a version"
    assert {"python", "pyfmi", "assimulo", "fmilib", "sundials", "numpy", "scipy"} <= set(conda)
    assert pyfmi_problem(conda.get) is None


def test_one_lock_serves_all_images(conda):
    lock = dict(line.split("==") for line in text("requirements/image.txt").split())
    assert {"assimulo-testing", "flask", "fmpy", "gunicorn", "distributed", "numba", "psycopg-binary"} <= set(lock)
    assert dict(line.split("==") for line in text("requirements/runtime.txt").split()).items() <= lock.items()
    # what conda brings is what pip would have installed, and the one module that both have is left to conda
    assert {name: version for name, version in conda.items() if name in lock} == {
        name: lock[name] for name in ("numpy", "scipy")
    }
    install, *others = re.findall(r"install\.sh \S+python (.+)$", text("Dockerfile"), flags=re.MULTILINE)
    assert (install.split(), [other.split() for other in others]) == (["cmake"], [["cmake", "assimulo-testing"]])
    assert {"cmake", "assimulo-testing"} <= set(lock)
    assert conda["python"].startswith("3.11.")
    assert "ARG PYTHON_IMAGE=python:3.11-slim" in text("Dockerfile")


def test_every_file_that_is_copied_exists_and_is_sent_to_the_builder():
    sent = set(re.findall(r"^!(\S+)$", text(".dockerignore"), flags=re.MULTILINE))
    copied = re.findall(r"^COPY (?!.*--from)(.+) \S+$", text("Dockerfile"), flags=re.MULTILINE)
    assert len(copied) >= 6
    for source in " ".join(copied).split():
        assert (ROOT / source).exists(), source
        assert any(source == part or source.startswith(f"{part}/") for part in sent), source


def test_every_image_is_examined_and_does_not_run_as_root():
    _, *stages = re.split(r"^FROM ", text("Dockerfile"), flags=re.MULTILINE)
    images = {stage.split()[2]: stage for stage in stages if stage.startswith("application AS ")}
    assert list(images) == ["full", "slim"]
    assert stages[-1] == images["slim"], "the default is the one that needs pip alone"
    for name, stage in images.items():
        engine = "TRIVIUM_ENGINE=pyfmi " if name == "full" else ""  # a wrong pair fails the build
        assert f" {engine}python -m trivium.cli doctor" in stage
        assert re.search(r"^USER [1-9]\d*$", stage, flags=re.MULTILINE)
    assert f"ARG VERSION={trivium.__version__}\n" in text("Dockerfile")
    assert "VOLUME" not in text("Dockerfile"), "an anonymous one is made at every start"


def test_compose_publishes_on_loopback_alone():
    published = re.findall(r'^ +- "([\d.:]+)"$', text("docker-compose.yml"), flags=re.MULTILINE)
    assert published == ["127.0.0.1:5000:5000", "127.0.0.1:3000:3000"]


@pytest.fixture
def compose():
    yaml = pytest.importorskip("yaml", reason="PyYAML comes with the extra sweep")
    return yaml.safe_load(text("docker-compose.yml"))


def test_compose_starts_the_api_alone_unless_it_is_told_otherwise(compose):
    services = compose["services"]
    assert {name for name, service in services.items() if "profiles" not in service} == {"api"}
    of_cluster = {name for name, service in services.items() if "cluster" in service.get("profiles", ())}
    assert of_cluster == {"worker", "scheduler", "dask-worker", "database"}
    assert services["worker"]["profiles"] == ["worker", "cluster"]


def test_every_service_of_compose_is_confined_and_what_it_names_exists(compose):
    for name, service in compose["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert set(service["networks"]) <= {"default", *compose["networks"]}, name
        if name != "api" and service["profiles"] != ["monitoring"]:
            assert "ports" not in service
            assert service["networks"] == ["inside"], name
        assert service["mem_limit"], name
        assert service["pids_limit"], name
        assert service["logging"]["options"]["max-size"], name
        assert all("size=" in mount for mount in service["tmpfs"]), name
        for mount in service["volumes"]:
            source = mount.split(":")[0]
            assert source in compose["volumes"] or (ROOT / source).exists(), mount
    assert compose["networks"]["inside"]["internal"]


def test_compose_has_no_passwords_of_its_own(compose, tmp_path):
    for name, service in compose["services"].items():
        for variable, value in service.get("environment", {}).items():
            assert "PASSWORD" not in variable or value.startswith("/run/secrets/"), name
            if str(value).startswith("/run/secrets/"):
                assert value.removeprefix("/run/secrets/") in service["secrets"], name
    subprocess.run(
        [ROOT / "deploy/secrets.sh"], env={"PATH": os.environ["PATH"], "SECRETS": tmp_path / "s"}, check=True
    )
    made = {path.name: path.read_text() for path in (tmp_path / "s").iterdir()}
    files = {secret["file"].partition("/")[2] for secret in compose["secrets"].values() if "SECRETS" in secret["file"]}
    assert {f"{name}" for name in made} == {file.rpartition("/")[2] for file in files} | {"jobs-url"}
    assert made["jobs-url"] == f"postgresql://trivium:{made['database-password']}@database/trivium"
    assert len(made["grafana-password"]) == 48 != len(set(made.values()))
    assert (tmp_path / "s").stat().st_mode & 0o077 == 0
    subprocess.run(
        [ROOT / "deploy/secrets.sh"], env={"PATH": os.environ["PATH"], "SECRETS": tmp_path / "s"}, check=True
    )
    assert made == {path.name: path.read_text() for path in (tmp_path / "s").iterdir()}, "they stay"


def test_prometheus_calls_the_api_by_a_name_that_it_answers_to(compose):
    yaml = pytest.importorskip("yaml")
    (job,) = yaml.safe_load(text("deploy/monitoring/prometheus.yml"))["scrape_configs"]
    hosts = compose["services"]["api"]["environment"]["TRIVIUM_HOSTS"].split(",")
    targets = [target for group in job["static_configs"] for target in group["targets"]]
    assert targets
    assert {target.rpartition(":")[0] for target in targets} <= set(hosts)


def test_variables_of_compose_are_settings_and_its_commands_exist(compose):
    known = set(map(variable_of, Settings.model_fields))
    for name, service in compose["services"].items():
        ours = {variable for variable in service.get("environment", {}) if variable.startswith("TRIVIUM_")}
        ours = {variable.removesuffix("_FILE") for variable in ours}
        assert ours <= known, name
    command = compose["services"]["worker"]["command"]
    assert command[:3] == ["python", "-m", "trivium.cli"]
    assert command[3] == "worker"
    # below the program's context: a command keeps the help option of its first context
    above = click.Context(trivium_program, help_option_names=["-h", "--help"])
    assert worker.make_context("worker", command[4:], above).params["jobs"] == 2
    for name, program in (("scheduler", "dask_scheduler"), ("dask-worker", "dask_worker")):
        module = pytest.importorskip(f"distributed.cli.{program}")
        dask, _, *arguments = compose["services"][name]["command"]
        assert dask == "dask"
        module.main.make_context(name, arguments)  # raises where an option does not exist
    assert compose["services"]["dask-worker"]["command"][2] == "tcp://scheduler:8786"
