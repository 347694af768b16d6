"""Names of which files are made: only those that lead nowhere else, and that every file system takes."""

from __future__ import annotations

import re

#: Of a folder or a file that a client names.
FOLDER = r"^\w[\w.-]{0,127}$"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,127}", re.ASCII)


def is_id(text: str) -> bool:
    """Return whether a text can be the id of a session or a snapshot."""
    return _ID.fullmatch(text) is not None
