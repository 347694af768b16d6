"""The kind step against the same test done by hand."""

from __future__ import annotations

import csv
import json

import pytest

from trivium.jobs import kinds
from trivium.session.local import open_testcase
from trivium.settings import Settings


class Notes:
    attempt = 1

    def __init__(self, folder):
        self.folder = folder
        self.told = []

    def progress(self, message, fraction=None, **counts):
        self.told.append((message, fraction, counts))


def test_a_job_makes_what_the_test_makes_by_hand(small_resources, state_dir, tmp_path):
    settings = Settings(environ={}, resources=small_resources, state_dir=state_dir)
    notes = Notes(tmp_path)
    kind = kinds.find("step")
    outcome = kind.run(kinds.parse(kind, {"end_time": 3000, "controller": "hold"}, settings), notes, settings)
    case = open_testcase(small_resources, state_dir)
    case.initialize(0, 3000)
    observations = [case.advance({}) for _ in range(10)]
    case.close()
    rows = list(csv.DictReader((tmp_path / "trajectories.csv").read_text().splitlines()))
    assert [float(row["time"]) for row in rows[-10:]] == [300.0 * k for k in range(1, 11)]
    for row, seen in zip(rows[-10:], observations, strict=True):
        assert float(row["P_Chillers_sum"]) == seen["P_Chillers_sum"]
    assert json.loads((tmp_path / "kpi.json").read_bytes()) == pytest.approx(dict(outcome.values), nan_ok=True)
    assert set(outcome.files) == {"trajectories.csv", "kpi.json"}
    assert [told[1] for told in notes.told if told[0].startswith("Step")] == [k / 10 for k in range(1, 11)]
    assert notes.told[-2][0] == "Step 10 of 10 completed"
