"""The example and the notebook that train an agent: a little training already beats random actions."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("stable_baselines3", reason="training an agent needs the extra 'train'")
pytest.importorskip("nbclient", reason="running the notebook needs the extra 'notebook'")
pytest.importorskip("matplotlib", reason="plotting needs the extra 'notebook'")

import nbclient
import nbformat

from tests.server import ROOT

NOTEBOOKS = ROOT / "docs" / "notebooks"


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")  # of the Jupyter packages
def test_the_notebook_trains_an_agent_that_beats_random_actions(monkeypatch):
    monkeypatch.setenv("TRIVIUM_NOTEBOOK_STEPS", "2000")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(NOTEBOOKS / "train_an_agent.ipynb", as_version=4)
    client = nbclient.NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(NOTEBOOKS)}}
    )
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    printed = "".join(output.get("text", "") for output in outputs)
    rewards = {
        name: float(reward) for name, reward in re.findall(r"^\| ([a-z ]+) \| (-[\d.]+) \|", printed, flags=re.M)
    }
    assert set(rewards) == {"random actions", "rule book", "agent"}
    assert rewards["agent"] > rewards["random actions"] + 50.0
    assert rewards["rule book"] > rewards["random actions"]


def test_days_of_the_judgement_are_not_for_training():
    import sys

    sys.path.insert(0, str(ROOT / "examples"))
    try:
        import train_agent
    finally:
        sys.path.remove(str(ROOT / "examples"))
    assert not {*train_agent.TRAINING} & {*train_agent.JUDGEMENT}
    assert len(train_agent.JUDGEMENT) > 20
