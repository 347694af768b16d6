"""Logs of jobs, from their end, and the lines of a level."""

from __future__ import annotations

import re
from pathlib import Path

#: How much of a log is shown, from its end [bytes].
_TAIL = 20_000
#: Levels, and what their lines have; a line without any belongs to the line before it, as in a traceback.
LEVELS = {"all": "all lines", "warning": "warnings and errors", "error": "errors"}
_ERROR = re.compile(r"\b(ERROR|CRITICAL|Traceback|\w*Error)\b")
_WARNING = re.compile(r"\b(WARNING|\w*Warning)\b")


def tail(path: Path, level: str = "all") -> str:
    """Return the end of a log, or its lines of a level."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return text if level == "all" else "\n".join(lines_of(text, level))


def lines_of(text: str, level: str) -> list[str]:
    """Return the lines of a level or a higher one; those that are indented below one belong to it."""
    shown, within = [], False
    for line in text.splitlines():
        if not (within and line.startswith((" ", "\t"))):
            within = bool(_ERROR.search(line) or (level == "warning" and _WARNING.search(line)))
        if within:
            shown.append(line)
    return shown
