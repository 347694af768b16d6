"""The container's files agree with each other and with what is there."""

from __future__ import annotations

import re

from adcc.fmu.abi import pyfmi_problem
from adcc.settings import ROOT


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_pinned_set_fits():
    pins = dict(re.findall(r"^  - (\w+)=([\d.]+)$", text("environment.yml"), flags=re.MULTILINE))
    assert {"pyfmi", "assimulo", "numpy"} <= set(pins)
    assert pyfmi_problem(pins.get) is None


def test_what_pip_adds_is_of_the_lock_and_replaces_nothing_of_conda():
    lock, container = (set(text(f"requirements/{name}.txt").split()) for name in ("runtime", "container"))
    assert container < lock
    names = {line.partition("==")[0] for line in container}
    assert {"flask", "fmpy", "gunicorn", "orjson"} <= names
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
        engine = "ADCC_ENGINE=pyfmi " if "conda" in stage else ""  # a wrong pair fails the build
        assert f"RUN {engine}python -m adcc.cli doctor" in stage
        assert re.search(r"^USER [1-9]\d*$", stage, flags=re.MULTILINE)
        assert "/health/ready" in stage


def test_compose_publishes_on_loopback_alone():
    published = re.findall(r'^ +- "([\d.:]+)"$', text("docker-compose.yml"), flags=re.MULTILINE)
    assert published == ["127.0.0.1:5000:5000"]
