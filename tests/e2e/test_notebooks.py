"""The notebooks of docs/ run from the first cell to the last and show what they say."""

from __future__ import annotations

import pytest

pytest.importorskip("nbclient", reason="running notebooks needs the extra 'notebook'")
pytest.importorskip("matplotlib", reason="plotting needs the extra 'notebook'")

import nbclient
import nbformat

from tests.server import ROOT, Server

NOTEBOOKS = ROOT / "docs" / "notebooks"
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::ResourceWarning"
)  # of Jupyter's packages


def outputs(name):
    """Run a notebook; return what its cells show."""
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    folder = {"metadata": {"path": str(NOTEBOOKS)}}
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", resources=folder).execute()
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def text(of):
    return "\n".join(str(o.get("text", "")) + str(o.get("data", {}).get("text/plain", "")) for o in of)


def markdown(of):
    return "\n".join(str(o.get("data", {}).get("text/markdown", "")) for o in of)


@pytest.fixture(scope="module")
def server(resources, state_dir):
    with Server(resources, state_dir) as server:
        yield server


@pytest.mark.slow
def test_first_steps(server, monkeypatch):
    monkeypatch.setenv("TRIVIUM_URL", server.url)
    of = outputs("first_steps")
    assert "100 inputs, 86 measurements" in text(of)
    assert "8640900 s  supply 288.15 K" in text(of)
    assert any("image/png" in output.get("data", {}) for output in of)


@pytest.mark.slow
def test_write_your_controller(server, monkeypatch):
    monkeypatch.setenv("TRIVIUM_URL", server.url)
    monkeypatch.setenv("TRIVIUM_NOTEBOOK_STEPS", "200")
    of = outputs("write_your_controller")
    rows = {line.split()[0]: line.split()[1:] for line in text(of).splitlines() if line[:5] in ("rules", "mine ")}
    assert float(rows["mine"][1]) < float(rows["rules"][1])  # it costs less


@pytest.mark.slow
def test_compare_baselines(monkeypatch):
    monkeypatch.setenv("TRIVIUM_NOTEBOOK_DAYS", "0.25")
    of = outputs("compare_baselines")
    assert markdown(of).count("| look-ahead |") == 2
    assert "rehearsals" in text(of)
    assert any("image/png" in output.get("data", {}) for output in of)


def test_they_were_run_when_they_were_stored():
    for name in ("first_steps", "write_your_controller", "compare_baselines"):
        path = NOTEBOOKS / f"{name}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1)), path
