"""The log: every record tells what it is about, for people and for machines."""

from __future__ import annotations

import json
import logging

import pytest

from trivium import logs


@pytest.fixture
def root():
    logger = logging.getLogger()
    handlers, level = list(logger.handlers), logger.level
    yield logger
    logger.handlers, logger.level = handlers, level
    logs.forget()


def test_json_has_an_object_a_line_with_request_session_and_traceback(root, capsys):
    logs.set_up("info", "json")
    logs.note(request="r1", session="s1", caller=None)
    log = logging.getLogger("a.place")
    log.info('a "quoted"\nline', extra={"seconds": 0.5})
    with logs.context(session="s2"):
        try:
            raise ValueError("wrong")
        except ValueError:
            log.exception("failed")
    log.debug("not told")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert first.pop("time").endswith("+00:00")
    assert first == {
        "level": "info", "logger": "a.place", "message": 'a "quoted"\nline', "request": "r1", "session": "s1", "seconds": 0.5
    }  # fmt: skip
    assert (second["session"], second["level"]) == ("s2", "error")
    assert "ValueError: wrong" in second["traceback"]


def test_text_has_them_behind_the_message(root, capsys):
    logs.set_up("warning", "text")
    logs.note(request="r1")
    logging.getLogger("a").warning("one\ntwo")
    logs.forget()
    logging.getLogger("a").warning("three")
    told = capsys.readouterr().err.splitlines()
    assert told[0].endswith("WARNING a: one [request=r1]")
    assert told[1] == "two"
    assert told[2].endswith("WARNING a: three")
