"""Settings, and that docs/settings.md tells all of them as they are."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from trivium.environment import ROOT
from trivium.errors import SettingsError
from trivium.settings import Settings, allowed_for, default_of, unknown_variables, variable_of

DOCUMENT = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")


def test_defaults():
    settings = Settings(environ={})
    assert (settings.host, settings.port, settings.url) == ("127.0.0.1", 5000, "http://127.0.0.1:5000")
    assert (settings.resources, settings.studies) == (ROOT / "Resources", ROOT / "examples")
    assert settings.state_dir == ROOT / ".trivium-state"
    assert (settings.max_body, settings.cors_origins, settings.log_level) == (2**20, (), "info")


def test_the_environment_is_honoured():
    settings = Settings(
        environ={
            "HOST": "0.0.0.0",
            "PORT": "8000",
            "TRIVIUM_RESOURCES": "some/where",
            "TRIVIUM_STATE_DIR": "/state",
            "TRIVIUM_CORS_ORIGINS": "http://a.example, http://b.example",
            "TRIVIUM_LOG_LEVEL": "DEBUG",
            "TRIVIUM_THREADS": " 2 ",
        }
    )
    assert settings.url == "http://127.0.0.1:8000"
    assert settings.resources == Path.cwd() / "some" / "where"
    assert settings.state_dir == Path("/state")
    assert settings.cors_origins == ("http://a.example", "http://b.example")
    assert (settings.log_level, settings.threads) == ("debug", 2)


def test_an_empty_value_counts_as_not_set():
    assert Settings(environ={"PORT": "", "TRIVIUM_RESOURCES": " "}) == Settings(environ={})


def test_a_setting_may_stand_in_a_file_that_its_variable_names(tmp_path):
    file = tmp_path / "secret"
    file.write_text("sqlite:////tmp/jobs\n", encoding="utf-8")
    named = {"TRIVIUM_JOBS_URL_FILE": str(file)}
    assert Settings(environ=named).jobs_url == "sqlite:////tmp/jobs"
    assert Settings(environ={**named, "TRIVIUM_JOBS_URL": ""}).jobs_url == "sqlite:////tmp/jobs"
    assert Settings(environ={**named, "TRIVIUM_JOBS_URL": "sqlite:////x"}).jobs_url == "sqlite:////x"
    assert Settings(environ={"TRIVIUM_JOBS_URL_FILE": "/dev/null"}).jobs_url == ""
    with pytest.raises(SettingsError, match="TRIVIUM_JOBS_URL_FILE cannot be read: .*nowhere"):
        Settings(environ={"TRIVIUM_JOBS_URL_FILE": "/nowhere"})


def test_options_go_before_variables_and_those_that_are_none_do_not_count():
    environ = {"PORT": "8000", "TRIVIUM_THREADS": "2", "TRIVIUM_STATE_DIR": "state"}
    settings = Settings(environ=environ, port=9000, threads=None, state_dir=Path("other"))
    assert (settings.port, settings.threads, settings.state_dir) == (9000, 2, Path.cwd() / "other")


def test_options_go_before_the_environment_of_the_process(monkeypatch):
    monkeypatch.setenv("TRIVIUM_MAX_STEPS", "7")
    monkeypatch.setenv("TRIVIUM_RATE", "9")
    settings = Settings(rate=3)
    assert (settings.max_steps, settings.rate) == (7, 3)


def test_settings_cannot_be_changed():
    settings = Settings(environ={})
    with pytest.raises(ValidationError):
        settings.port = 1
    assert len({settings, Settings(environ={})}) == 1


def test_the_shipped_test_case_has_a_name_and_a_path_that_looks_like_it_is_a_path():
    shipped = ROOT / "Resources"
    assert Settings(environ={"TRIVIUM_RESOURCES": "cooling"}).resources == shipped
    assert Settings(environ={}, resources="cooling").resources == shipped
    assert Settings(environ={}, resources="./cooling").resources == Path.cwd() / "cooling"
    assert Settings(environ={}, resources=Path.cwd() / "cooling").resources == Path.cwd() / "cooling"


def test_a_home_folder_may_be_meant(monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    assert Settings(environ={"TRIVIUM_STATE_DIR": "~/state"}).state_dir == Path("/home/somebody/state")


OTHERS = {
    "host": "::", "port": 8001, "resources": "a", "testcases": "b", "studies": "c", "engine": "pyfmi", "state_dir": "d",
    "max_body": 2048, "threads": 3, "max_steps": 4, "max_sessions": 0, "max_stored": 1, "max_snapshots": 2, "disk_reserve": 3, "max_storage": 4, "token_sessions": 5, "token_jobs": 6, "token_running": 8,
    "token_storage": 7,
    "reclaim_after": 2, "session_expiry": 3, "idle_timeout": 6, "step_timeout": 7,
    "session_memory": 512, "recycle_steps": 0, "durability": "power", "jobs_url": "sqlite:////x", "worker_jobs": 0, "worker_ready": 0,
    "read_timeout": 14, "wait_timeout": 15, "worker_timeout": 16,
    "job_lease": 10, "job_time": 1, "job_memory": 2, "job_disk": 3, "job_runs": 4, "jobs_keep": 11, "scheduler": "tcp://x:1", "scheduler_wait": 13, "cors_origins": ("http://a", "http://b"),
    "hosts": ("api", "lab"), "tokens": "none", "rate": 12, "max_upload": 13, "log_level": "debug", "log_format": "json",
}  # fmt: skip


def test_another_process_gets_the_same_settings_by_its_environment(tmp_path):
    default, other = Settings(environ={}), Settings(environ={}, **OTHERS)
    assert all(getattr(default, name) != getattr(other, name) for name in Settings.model_fields)
    told = "from trivium.settings import Settings; print(Settings().model_dump_json())"
    for settings in (default, other, Settings(environ={}, tokens=tmp_path / "tokens")):
        # what the process has by itself does not reach it
        environ = (
            os.environ | {variable_of(name): str(value) for name, value in OTHERS.items()} | settings.environment()
        )
        done = subprocess.run([sys.executable, "-c", told], env=environ | {"PYTHONPATH": str(ROOT)}, cwd=tmp_path,
                              capture_output=True, text=True, check=True)  # fmt: skip
        assert json.loads(done.stdout) == settings.model_dump(mode="json")


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("PORT", "x", "PORT must be an integer from 1 to 65535, not x (port to listen on; for example PORT=5000)"),
        ("PORT", "0", "from 1 to 65535, not 0 ("),
        ("PORT", "65536", "from 1 to 65535, not 65536 ("),
        ("PORT", "80.5", "not 80.5 ("),
        ("TRIVIUM_MAX_BODY", "-1", "from 1024 to 1073741824, not -1 (largest request body [bytes]"),
        ("TRIVIUM_THREADS", "0", "from 1 to 256, not 0 ("),
        ("TRIVIUM_LOG_LEVEL", "loud", "one of debug, info, warning, error, critical, not loud ("),
        ("TRIVIUM_ENGINE", "FMPy", "one of auto, fmpy, pyfmi, assimulo, not FMPy ("),
        ("TRIVIUM_JOBS_KEEP", "-1", "from 0 to 36500, not -1 ("),
        ("TRIVIUM_SCHEDULER", "host:8786", "for example TRIVIUM_SCHEDULER=tcp://host:8786)"),
    ],
)
def test_what_is_not_acceptable_is_named(variable, value, said):
    with pytest.raises(SettingsError) as caught:
        Settings(environ={variable: value})
    assert str(caught.value).startswith(f"{variable} must be ")
    assert said in str(caught.value)


def test_all_that_is_not_acceptable_is_named_once():
    with pytest.raises(SettingsError) as caught:
        Settings(environ={"PORT": "x", "TRIVIUM_RATE": "-1"}, tokens=3, host="", prot=1)
    said = str(caught.value).split("; ")
    starts = ("HOST must be a text, not empty", "PORT ", "TRIVIUM_TOKENS must be a path", "TRIVIUM_RATE ")
    assert all(sum(part.startswith(start) for part in said) == 1 for start in starts)
    assert said[-1] == "there is no setting prot"


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("TRIVIUM_STATEDIR", "did you mean TRIVIUM_STATE_DIR?"),
        ("TRIVIUM_HOST", "did you mean HOST?"),
        ("TRIVIUM_TOKEN", "did you mean TRIVIUM_TOKENS?"),
        ("TRIVIUM_XYZZY", "docs/settings.md"),
    ],
)
def test_a_variable_that_is_no_setting_is_told(variable, hint):
    (warning,) = unknown_variables({variable: "x", "HOME": "/", "TRIVIUM_RATE": "1"})
    assert warning.startswith(f"{variable} is no setting")
    assert hint in warning


def test_variables_of_tests_and_tools_are_known():
    names = re.findall(r"^\| (TRIVIUM_\w+) \|", DOCUMENT, flags=re.MULTILINE)
    assert len(names) >= 3
    others = ("TRIVIUM_NOTEBOOK_URL", "TRIVIUM_JOBS_URL_FILE", "TRIVIUM_REFERENCE_GYM")
    assert unknown_variables(dict.fromkeys((*names, *others), "x")) == []


def test_the_documentation_has_every_setting_as_it_is():
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \| (.*) \|$", DOCUMENT, flags=re.MULTILINE)
    assert [row[0] for row in rows] == list(map(variable_of, Settings.model_fields))
    for (variable, default, allowed, meaning), (name, field) in zip(rows, Settings.model_fields.items(), strict=True):
        assert (default.strip("`"), allowed) == (default_of(name).strip("`") or "none", allowed_for(name)), variable
        assert meaning.startswith(str(field.description)), variable


def test_no_variable_is_read_elsewhere():
    settings = set(map(variable_of, Settings.model_fields))
    # country.py runs in other environments, without Trivium.
    free = ("settings.py", "environment.py", "country.py")
    for path in (ROOT / "trivium").rglob("*.py"):
        if path.name not in free:
            used = set(re.findall(r"\bTRIVIUM_[A-Z_]+\b", path.read_text(encoding="utf-8")))
            assert used <= settings | {"TRIVIUM_"}, path
            assert "os.environ" not in path.read_text(encoding="utf-8"), path
