"""Names of which files are made: only those that lead nowhere else, and that every file system takes."""

from __future__ import annotations

import os
import re
from typing import Annotated

from pydantic import AfterValidator, Field

#: What file systems take [bytes].
_LONGEST = 255
_CLASS = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,127}", re.ASCII)


def is_file_name(text: str) -> bool:
    """Return whether a text can be the name of a file in a folder, and of none elsewhere."""
    try:
        size = len(os.fsencode(text))
    except UnicodeEncodeError:
        return False
    return 0 < size <= _LONGEST and text not in (".", "..") and not {"/", "\0"} & {*text}


def _short(name: str) -> str:
    if not is_file_name(name):
        raise ValueError(f"must be at most {_LONGEST} bytes long")
    return name


#: Of a folder that a client names.
FolderName = Annotated[str, Field(pattern=r"^\w[\w.-]{0,127}$"), AfterValidator(_short)]


def is_id(text: str) -> bool:
    """Return whether a text can be the id of a session or a snapshot."""
    return _ID.fullmatch(text) is not None


def is_class(text: str) -> bool:
    """Return whether a text can be the full name of a class of Modelica, without quoted identifiers."""
    return len(text) <= 128 and _CLASS.fullmatch(text) is not None
