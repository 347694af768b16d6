"""The validation that users run: notebook and script, against a live server with the default test case."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("nbclient", reason="running the notebook needs the extra 'notebook'")
pytest.importorskip("matplotlib", reason="plotting needs the extra 'notebook'")

import nbclient
import nbformat

from tests.server import ROOT, Server, free_port

TESTING = ROOT / "testing"


@pytest.fixture(scope="module")
def live(resources: Path, state_dir: Path) -> Iterator[Server]:
    """A server with the default test case."""
    with Server(resources, state_dir) as server:
        yield server


@pytest.fixture
def validation() -> ModuleType:
    """The script, as a module."""
    spec = importlib.util.spec_from_file_location("validate_rest_api", TESTING / "validate_rest_api.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")  # of the Jupyter packages
def test_notebook_runs_2000_steps_against_a_live_server(live, monkeypatch):
    monkeypatch.setenv("TRIVIUM_URL", live.url)
    notebook = nbformat.read(TESTING / "test_REST_API.ipynb", as_version=4)
    client = nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(TESTING)}}
    )
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert any("2000/2000" in output.get("text", "") for output in outputs)


def test_script_passes_from_a_later_start_and_writes_what_it_is_told(live, tmp_path):
    picture, record = tmp_path / "plot.png", tmp_path / "record.csv"
    command = [sys.executable, TESTING / "validate_rest_api.py", "--url", live.url, "--start", "700", "--steps", "300"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRIVIUM_")}
    done = subprocess.run(
        [*command, "--plot", picture, "--record", record], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "100 inputs, 86 measurements" in done.stdout
    assert "300/300" in done.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")
    lines = record.read_text().splitlines()
    assert lines[0].startswith(",time,P_CDWPs_sum,P_CHWPs_sum")
    assert lines[1].split(",")[1] == "210000"
    assert len(lines) == 301


@pytest.mark.parametrize(
    ("point", "change"),
    [("P_CDWPs_sum", 1.02), ("P_CHWPs_sum", 0.98), ("P_CTfans_sum", 1.1), ("Tchw_supply", 1.0002)],
)
def test_script_fails_when_the_plant_differs(live, validation, monkeypatch, capsys, point, change):
    recorded = validation.read_recorded_run()
    recorded[point] *= change
    monkeypatch.setattr(validation, "read_recorded_run", lambda: recorded)
    assert validation.main(["--url", live.url, "--steps", "60"]) == 1
    assert f"over the limit: {point}\n" in capsys.readouterr().err


def test_script_says_when_no_server_answers(validation, capsys):
    assert validation.main(["--url", f"http://127.0.0.1:{free_port()}", "--steps", "1"]) == 2
    assert "cannot validate: GET" in capsys.readouterr().err


def test_script_says_when_the_run_is_too_short(live, validation, capsys):
    assert validation.main(["--url", live.url, "--start", "2900", "--steps", "200"]) == 2
    assert "too few" in capsys.readouterr().err


def test_record_beside_the_notebook_is_of_this_plant(live, validation):
    """The recorded replay starts as the server does now."""
    import pandas as pd

    record = pd.read_csv(TESTING / "Pumps_P_Fmpy_mlp_restapi.csv", index_col=0)
    assert len(record) == validation.STEPS
    server = validation.Server(live.url)
    now = validation.replay(server, validation.read_recorded_run(), list(server.get("inputs")), steps=50)
    for name in validation.LIMITS:
        assert record[name][:50].to_numpy() == pytest.approx(now[name].to_numpy(), rel=1e-3, abs=1.0)
