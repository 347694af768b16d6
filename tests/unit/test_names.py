"""Names of which files are made."""

import re

import pytest

from trivium.names import FOLDER, is_class, is_id


@pytest.mark.parametrize("text", ["default-03d75d16", "0b6c1c5e-9a5d-4a55-b4f3-3c8a4b9a8a11", "x" * 128])
def test_ids(text):
    assert is_id(text)


@pytest.mark.parametrize("text", ["", "-x", "..", "a/b", "a\\b", "a.b", "a\n", "\udfff", "ä", "x" * 129, "a\x00"])
def test_what_is_no_id(text):
    assert not is_id(text)


def test_names_of_classes():
    assert is_class("CFEDR.Cycle")
    for text in ("", 'M); system("id"); getErrorString(', "a..b", ".a", "a.", "1a", "a b", "a\n", "x" * 129):
        assert not is_class(text)


def test_folders_lead_nowhere_else():
    for name in ("..", ".", ".git", "a/b", "", "x" * 129):
        assert not re.search(FOLDER, name)
    assert re.search(FOLDER, "fuel_cycle-2.1")
