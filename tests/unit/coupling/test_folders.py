"""Folders that are no coupled case."""

from __future__ import annotations

import pytest

from trivium.coupling.folders import describe
from trivium.environment import ROOT


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["study-small.json"], "It holds a study: trivium sweep"),
        (["YEAR.csv", "TECHNOLOGY.csv", "CapitalCost.csv"], "otoole's CSV files:"),
        (["datapackage.json", "data/YEAR.csv", "data/TECHNOLOGY.csv"], "datapackage.json"),
        (["YEAR.csv"], None),
        (["notes.txt"], None),
    ],
)
def test_a_folder_says_what_it_is(tmp_path, files, expected):
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    sentence = describe(tmp_path)
    assert sentence is None if expected is None else expected in sentence


def test_a_case_of_muio_names_its_runs():
    folder = ROOT / "examples/muio/DataStorage/island"
    assert "the case island of MUIO with the runs REF, DEAR: " in (describe(folder) or "")
