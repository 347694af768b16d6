"""Names of which files are made."""

import pytest
from pydantic import TypeAdapter, ValidationError

from trivium.names import FolderName, is_class, is_file_name, is_id


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
    folder = TypeAdapter(FolderName)
    for name in ("..", ".", ".git", "a/b", "", "x" * 129, "\N{GRINNING FACE}", "\u00e9" * 128, "a\n", "\udfff"):
        with pytest.raises(ValidationError):
            folder.validate_python(name)
    for name in ("fuel_cycle-2.1", "\u00e9" * 127, "x" * 128):
        assert folder.validate_python(name) == name


def test_file_names():
    for name in ("", ".", "..", "a/b", "/", "a\0b", "x" * 256, "\u00e9" * 128, "\ud800"):
        assert not is_file_name(name)
    for name in ("a b.fmu", "x" * 255, "\u00e9" * 127, "-", "..."):
        assert is_file_name(name)
