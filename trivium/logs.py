"""The log: lines for people, or JSON for machines; each record knows the request and the session that it is about."""

from __future__ import annotations

import contextvars
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal

import orjson

#: What the records of this thread or task are about.
_about: contextvars.ContextVar[Mapping[str, Any]] = contextvars.ContextVar("trivium_log_about")
_NOTHING: Mapping[str, Any] = {}
#: What a record has by itself; everything else came with ``extra``.
_KNOWN = frozenset(vars(logging.makeLogRecord({}))) | {"about", "message", "asctime"}


@contextmanager
def about(**fields: Any) -> Iterator[None]:
    """Let all records of a block carry these fields."""
    token = _about.set({**_about.get(_NOTHING), **fields})
    try:
        yield
    finally:
        _about.reset(token)


def note(**fields: Any) -> None:
    """Let all records of this thread or task carry these fields from now on; None takes one away."""
    kept = {**_about.get(_NOTHING), **fields}
    _about.set({name: value for name, value in kept.items() if value is not None})


def forget() -> None:
    """Take all fields away: another request begins."""
    _about.set(_NOTHING)


class _About(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        own = {name: value for name, value in vars(record).items() if name not in _KNOWN}
        record.about = {**_about.get(_NOTHING), **own}
        return True


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        content: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "about", {}),
        }
        if record.exc_info:
            content["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(content, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = " ".join(f"{name}={value}" for name, value in getattr(record, "about", {}).items())
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
    handler.addFilter(_About())
    handler.setFormatter(_Json() if form == "json" else _Text("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
