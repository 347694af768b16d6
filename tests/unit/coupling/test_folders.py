"""Folders that are no coupled case."""

from __future__ import annotations

import re

import pytest

from trivium.coupling.folders import describe
from trivium.coupling.spec import load_case
from trivium.environment import ROOT
from trivium.errors import InvalidValueError


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
    assert f"It holds cases of MUIO: {folder}" in (describe(folder.parent) or "")


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("examples/muio/study.json", "is a study, not a coupled case; run it with: trivium sweep"),
        (
            "examples/muio/DataStorage/island/genData.json",
            "is no coupled case: it has no components. It is the case island",
        ),
    ],
)
def test_a_file_that_is_no_case_says_what_it_is(file, expected):
    with pytest.raises(InvalidValueError, match=re.escape(expected)):
        load_case(ROOT / file)
