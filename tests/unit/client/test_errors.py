"""Replies that tell of an error, as docs/api.md shows them, and the errors that they stand for."""

from __future__ import annotations

from email.message import Message

import orjson
import pytest

from trivium import errors
from trivium.client.errors import error_of


def told(status, message, payload=None, **headers):
    given = Message()
    for name, value in headers.items():
        given[name.replace("_", "-")] = value
    return error_of(status, given, orjson.dumps({"status": status, "message": message, "payload": payload}))


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ("Invalid value x for parameter CHI01. Value must be a float.", "CHI01"),
        ("Invalid value nan for input CHI01_u. Value must be finite.", "CHI01_u"),
        ("Unexpected input variable: nonsense.", "nonsense"),
        ("Unexpected input variable: a.b[2]. Did you mean a.b[1]?", "a.b[2]"),
        ("Step 3 of the trajectory: Unexpected input variable: a.b[1].", "a.b[1]"),
        ("Invalid point name nonsense in parameter point_names. Check lists of inputs.", "point_names"),
        ("Bad input for parameter start_time. Missing required parameter in the JSON body.", "start_time"),
        ("Scenario parameter seed is 3, but this test case has nothing uncertain.", "seed"),
        ("Invalid snapshot: abc", "snapshot"),
        ("Unexpected name a.b in parameter start_values. Check the list of parameters.", "a.b"),
        ("Cannot advance from 0.0s by a step of 600.0s: the simulation ends at 300.0s.", "step"),
    ],
)
def test_the_field_is_named(message, field):
    error = told(400, message)
    assert type(error) is errors.InvalidValueError
    assert (str(error), error.field) == (message, field)


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "The body must be a JSON object, but is <class 'list'>.", errors.RequestError),
        (404, "The requested URL was not found on the server.", errors.NotFoundError),
        (405, "The method is not allowed for the requested URL.", errors.RequestError),
        (409, "The session stands at 300.0s, not at 0.0s.", errors.ConflictError),
        (409, "This Idempotency-Key was used for another request.", errors.ConflictError),
        (409, "The state is of other Resources.", errors.StateError),
        (413, "The body is larger than 1048576 bytes.", errors.TooLargeError),
        (415, "The body must be JSON.", errors.ContentTypeError),
        (500, "the process of the session was killed by signal 11 (SIGSEGV).", errors.ModelError),
        (507, "the journal cannot be written", errors.StorageError),
        (504, "gateway", errors.UnreachableError),
    ],
)
def test_the_status_tells_the_kind(status, message, kind):
    error = told(status, message)
    assert type(error) is kind
    assert (str(error), error.status) == (message, status)


def test_a_full_server_tells_when_to_come_again():
    error = told(503, "There are 32 sessions.", {"queue_position": 4}, Retry_After="5")
    assert isinstance(error, errors.BusyError)
    assert (error.retry_after, error.position) == (5, 4)


def test_boptests_own_shapes():
    wrong = [{"value": "abc", "msg": "Invalid testid: abc", "param": "testid", "location": "params"}]
    unknown = error_of(400, Message(), orjson.dumps({"errors": wrong}))
    assert isinstance(unknown, errors.UnknownSessionError)
    assert unknown.testid == "abc"
    missing = told(400, "Bad Request", "interval")
    assert isinstance(missing, errors.InvalidValueError)
    assert missing.field == "interval"


@pytest.mark.parametrize("body", [b"", b"<html>Bad gateway</html>", b"[1]", b'"text"'])
def test_what_is_no_envelope_still_tells_the_status(body):
    error = error_of(502, Message(), body)
    assert isinstance(error, errors.UnreachableError)
    assert "502" in str(error)


@pytest.mark.parametrize(("how", "lost"), [("lost", True), ("damaged", False)])
def test_a_session_that_is_damaged_or_lost(how, lost):
    error = told(409, "The journal of the session ends at record 4.", Session_Restored=how)
    assert type(error) is errors.DamagedError
    assert (str(error), error.lost) == ("The journal of the session ends at record 4.", lost)
