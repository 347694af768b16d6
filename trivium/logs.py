"""The log: lines for people, or JSON for machines; each record names its request and session."""

from __future__ import annotations

import contextvars
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal

import orjson

#: Fields of all records of this thread or task.
_fields: contextvars.ContextVar[Mapping[str, Any]] = contextvars.ContextVar("trivium_log_context")
_NOTHING: Mapping[str, Any] = {}
#: Attributes of every record; all others came with ``extra``.
_KNOWN = frozenset(vars(logging.makeLogRecord({}))) | {"context", "message", "asctime"}


@contextmanager
def context(**fields: Any) -> Iterator[None]:
    """Add fields to all records of a block."""
    token = _fields.set({**_fields.get(_NOTHING), **fields})
    try:
        yield
    finally:
        _fields.reset(token)


def note(**fields: Any) -> None:
    """Add fields to all further records of this thread or task; None removes one."""
    merged = {**_fields.get(_NOTHING), **fields}
    _fields.set({name: value for name, value in merged.items() if value is not None})


def forget() -> None:
    """Remove all fields."""
    _fields.set(_NOTHING)


class _Context(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        extra = {name: value for name, value in vars(record).items() if name not in _KNOWN}
        record.context = {**_fields.get(_NOTHING), **extra}
        return True


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        content: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "context", {}),
        }
        if record.exc_info:
            content["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(content, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = " ".join(f"{name}={value}" for name, value in getattr(record, "context", {}).items())
        text = super().format(record)
        head, line, rest = text.partition("\n")
        return f"{head} [{fields}]{line}{rest}" if fields else text


def set_up(level: str, form: Literal["text", "json"]) -> None:
    """Log to stderr.

    Parameters
    ----------
    level : str
        How much.
    form : {"text", "json"}
        Lines for people, or one JSON object a line.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_Context())
    handler.setFormatter(_Json() if form == "json" else _Text("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
