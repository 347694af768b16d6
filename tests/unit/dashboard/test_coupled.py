"""What pages show of a coupled run, compared with its own files."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from tests.unit.coupling.cases import pair, put
from trivium.coupling.run import run_case
from trivium.coupling.spec import load_case
from trivium.dashboard import coupled, logs
from trivium.settings import Settings

pytest.importorskip("matplotlib")
pytest.importorskip("plotly")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("coupled")
    maps = (np.diag([0.5, -0.4]), np.ones(2), np.diag([0.9, 0.8]), np.ones(2))
    case = load_case(put(folder / "case", pair(*maps, tolerance=1e-6)))
    settings = Settings(environ={}, state_dir=folder / "state")
    run_case(case, folder / "case", folder / "out", settings, cached=False)
    return folder / "out"


def test_channels_are_as_in_the_files(folder):
    run = coupled.open_coupled(folder)
    with (folder / "values.csv").open() as file:
        rows = list(csv.DictReader(file))
    x, g = run.values("one.x")
    assert x.ravel().tolist() == [float(row["x"]) for row in rows]
    assert g.ravel().tolist() == [float(row["g"]) for row in rows]
    with (folder / "convergence.csv").open() as file:
        written = [float(row["residual over tolerance of one.x"]) for row in csv.DictReader(file)]
    assert run.residuals()["one.x"].tolist() == pytest.approx(written)
    drawn = coupled.settling(run)
    assert [curve["name"] for curve in drawn["data"]] == ["one.x", "tolerance"]
    assert drawn["layout"]["yaxis"]["type"] == "log"
    assert coupled.ending(folder)["outcome"] == "converged"


def test_the_graph_has_what_is_iterated(folder):
    run = coupled.open_coupled(folder)
    drawing = coupled.graph(run.outline)
    assert drawing.count('class="experiment"') == 2
    assert drawing.count('class="link torn"') == 1
    assert "two.y → one.x (iterated)" in drawing


def test_a_run_without_an_outline_or_iterations_is_none(folder, tmp_path):
    assert coupled.open_coupled(tmp_path) is None
    (tmp_path / "outline.json").write_text(json.dumps([]))
    assert coupled.open_coupled(tmp_path) is None
    (tmp_path / "outline.json").write_bytes((folder / "outline.json").read_bytes())
    assert not coupled.open_coupled(tmp_path).numbers.size


def test_lines_of_a_level():
    text = "begun\n2026 WARNING old\nTraceback (most recent call last):\n  File x\nValueError: no\ndone"
    assert logs.lines_of(text, "error") == ["Traceback (most recent call last):", "  File x", "ValueError: no"]
    assert logs.lines_of(text, "warning")[0] == "2026 WARNING old"
