"""The container's files agree with each other and with what is there."""

from __future__ import annotations

import re

import click
import pytest

from trivium.cli.program import program as trivium_program
from trivium.cli.serve import worker
from trivium.environment import ROOT
from trivium.model.fmu.abi import pyfmi_problem
from trivium.settings import Settings, variable_of


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_pinned_set_fits():
    pins = dict(re.findall(r"^  - (\w+)=([\d.]+)$", text("environment.yml"), flags=re.MULTILINE))
    assert {"pyfmi", "assimulo", "numpy"} <= set(pins)
    assert pyfmi_problem(pins.get) is None


def test_what_pip_adds_is_of_the_lock_and_replaces_nothing_of_conda():
    lock, container = (set(text(f"requirements/{name}.txt").split()) for name in ("image", "container"))
    assert container < lock
    names = {line.partition("==")[0] for line in container}
    assert {"flask", "fmpy", "gunicorn", "orjson", "distributed", "numba", "psycopg"} <= names
    assert set(text("requirements/runtime.txt").split()) <= lock
    assert names.isdisjoint({"numpy", "torch", "pyfmi", "assimulo"})


def test_every_file_that_is_copied_exists_and_is_sent_to_the_builder():
    sent = set(re.findall(r"^!(\S+)$", text(".dockerignore"), flags=re.MULTILINE))
    copied = re.findall(r"^COPY (?!--from)(?:--\S+ )?(.+) \S+$", text("Dockerfile"), flags=re.MULTILINE)
    assert len(copied) >= 6
    for source in " ".join(copied).split():
        assert (ROOT / source).exists(), source
        assert source.split("/")[0] in sent, source


def test_every_image_is_examined_and_does_not_run_as_root():
    stages = re.split(r"^FROM ", text("Dockerfile"), flags=re.MULTILINE)[1:]
    served = [stage for stage in stages if 'CMD ["gunicorn"' in stage]
    assert len(served) == 2
    for stage in served:
        engine = "TRIVIUM_ENGINE=pyfmi " if "conda" in stage else ""  # a wrong pair fails the build
        assert f"RUN {engine}python -m trivium.cli doctor" in stage
        assert re.search(r"^USER [1-9]\d*$", stage, flags=re.MULTILINE)
        assert "/health/ready" in stage


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
        for mount in service["volumes"]:
            source = mount.split(":")[0]
            assert source in compose["volumes"] or (ROOT / source).exists(), mount
    assert compose["networks"]["inside"]["internal"]


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
