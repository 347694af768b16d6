"""Names of which files are made: only those that lead nowhere else, and that every file system takes."""

from __future__ import annotations

import re

#: Of a folder or a file that a client names.
FOLDER = r"^\w[\w.-]{0,127}$"
_CLASS = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,127}", re.ASCII)


def is_id(text: str) -> bool:
    """Return whether a text can be the id of a session or a snapshot."""
    return _ID.fullmatch(text) is not None


def is_class(text: str) -> bool:
    """Return whether a text can be the full name of a class of Modelica, without quoted identifiers."""
    return len(text) <= 128 and _CLASS.fullmatch(text) is not None
