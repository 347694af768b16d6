"""Settings, and that docs/settings.md tells all of them as they are."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from trivium.errors import SettingsError
from trivium.settings import ROOT, Settings


def test_defaults():
    settings = Settings.from_env({})
    assert (settings.host, settings.port, settings.url) == ("127.0.0.1", 5000, "http://127.0.0.1:5000")
    assert (settings.resources, settings.studies) == (ROOT / "Resources", ROOT / "examples")
    assert settings.state_dir == Path.cwd() / ".trivium-state"
    assert (settings.max_body, settings.cors_origins, settings.log_level) == (2**20, (), "info")


def test_the_environment_is_honoured():
    settings = Settings.from_env(
        {
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
    assert Settings.from_env({"PORT": "", "TRIVIUM_RESOURCES": " "}) == Settings.from_env({})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "x"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("TRIVIUM_MAX_BODY", "-1"),
        ("TRIVIUM_THREADS", "0"),
        ("TRIVIUM_LOG_LEVEL", "loud"),
        ("TRIVIUM_JOBS_KEEP", "-1"),
        ("TRIVIUM_SCHEDULER", "host:8786"),
    ],
)
def test_what_is_not_acceptable_is_named(variable, value):
    with pytest.raises(SettingsError, match=variable):
        Settings.from_env({variable: value})


def test_the_documentation_tells_every_variable_with_its_default():
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", text, flags=re.MULTILINE))
    told = {name: default.strip("` ") for name, default in rows.items()}
    assert told == {f.metadata["variable"]: f.metadata["default"] or "none" for f in fields(Settings)}


def test_no_variable_is_read_elsewhere():
    known = {f.metadata["variable"] for f in fields(Settings)}
    for path in (ROOT / "trivium").rglob("*.py"):
        used = set(re.findall(r"\bTRIVIUM_[A-Z_]+\b", path.read_text(encoding="utf-8")))
        assert used <= known | {"TRIVIUM_"}, path
        if path.name != "settings.py":
            assert "os.environ" not in path.read_text(encoding="utf-8"), path
