"""What goes over the wire: JSON bodies in, envelopes out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import orjson
from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from trivium.errors import (
    BusyError,
    ContentTypeError,
    DamagedError,
    MalformedError,
    RateError,
    TokenError,
    TooLargeError,
    TriviumError,
    UnknownSessionError,
)
from trivium.numbers import shown
from trivium.server.requests import MissingError
from trivium.server.wording import Reply, sentence
from trivium.session.proxy import Session

_JSON = "application/json"
_JOBS = "/api/run/"
#: Media type of form data.
FORM = "application/x-www-form-urlencoded"
#: How much of a body that is too large is read and thrown away [bytes]: a client that is still sending reads the reply
#: only if the server reads on. Beyond it the connection breaks.
_DRAINED = 64 * 2**20
#: How deep a body may be nested. Brackets in texts count too, which come in pairs in all names of variables.
_DEPTH = 32
_OPENING, _CLOSING = np.frombuffer(b"[{", np.uint8), np.frombuffer(b"]}", np.uint8)


def envelope(status: int, message: str, payload: Any = None) -> Response:
    """Return a reply: ``{"status", "message", "payload"}`` with that HTTP status.

    Errors of jobs say ``error`` too: the proposal whose routes these are has that alone (EAPD-DRB/MUIOGO #24).
    """
    content = {"status": status, "message": message, "payload": payload}
    if status >= HTTPStatus.BAD_REQUEST and request.path.startswith(_JOBS):
        content["error"] = payload if isinstance(payload, str) else message
    return Response(orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY), status=status, content_type=_JSON)


def counted(response: Response, total: int) -> Response:
    """Add the header that says how many there are of what a reply has a page of."""
    response.headers["X-Total-Count"] = str(total)
    return response


def reply(answer: Reply, session: Session) -> Response:
    """Return what a session answers."""
    return marked(envelope(*answer), session)


def marked(response: Response, session: Session) -> Response:
    """Add the header that reports when the model of a session did not come back bit by bit."""
    if session.restored in ("inexact", "replayed"):
        response.headers["Session-Restored"] = session.restored
    return response


def streamed(answer: Reply, session: Session) -> Response:
    """Return an answer whose payload maps names to arrays, sent column by column: a year of data needs no more memory
    than one column.
    """  # noqa: D205
    columns: Mapping[str, np.ndarray[Any, Any]] = answer.payload

    def parts() -> Iterator[bytes]:
        head = orjson.dumps({"status": answer.status, "message": answer.message})
        yield head[:-1] + b',"payload":{'
        for i, (name, column) in enumerate(columns.items()):
            values = orjson.dumps(np.ascontiguousarray(column), option=orjson.OPT_SERIALIZE_NUMPY)
            yield (b"," if i else b"") + orjson.dumps(name) + b":" + values
        yield b"}}"

    return marked(Response(parts(), status=answer.status, content_type=_JSON), session)


def body(*, form: bool = False) -> dict[str, Any]:
    """Return the JSON object of the request; an empty body is an empty object.

    Parameters
    ----------
    form : bool
        Whether form data is taken too; a name that comes more than once then has a list.

    Raises
    ------
    TooLargeError
        When the body is beyond the limit.
    ContentTypeError
        When a body is not declared as JSON, or compressed.
    MalformedError
        When it is not a JSON object.
    """
    limit = request.max_content_length or sys.maxsize
    try:
        data = request.get_data(cache=True, parse_form_data=False)
        if request.content_length is None and len(data) >= limit:  # sent in chunks: reading stops at the limit
            raise RequestEntityTooLarge
    except RequestEntityTooLarge as error:
        _drain()
        raise TooLargeError(f"The body is larger than {limit} bytes.") from error
    check_encoding()
    if not data:
        return {}
    if form and request.mimetype == FORM:
        values = parse_qs(data.decode("utf-8", "replace"), keep_blank_values=True)
        return {name: items if len(items) > 1 else items[0] for name, items in values.items()}
    if not request.is_json:
        raise ContentTypeError(
            f"The body must be JSON with the header Content-Type: application/json, not "
            f"{shown(request.content_type) if request.content_type else 'without one'}."
        )
    value = _loads(data)
    if not isinstance(value, dict):
        raise MalformedError(f"The body must be a JSON object, but is {type(value)}.")
    return value


def check_encoding() -> None:
    """Refuse a body that is compressed: what a small one becomes is known only when it is there.

    Raises
    ------
    ContentTypeError
    """
    encoding = request.headers.get("Content-Encoding", "").strip()
    if encoding.lower() not in ("", "identity"):
        raise ContentTypeError(
            f"The body has the header Content-Encoding: {shown(encoding)}; this server takes bodies that are not "
            f"compressed."
        )


def failure(error: TriviumError) -> Response:
    """Return the reply to an error, in the shape that it has on the routes that can raise it."""
    if isinstance(error, MissingError):
        return envelope(error.status, "Bad Request", str(error))
    if isinstance(error, UnknownSessionError):  # as BOPTEST has it
        wrong = {"value": error.testid, "msg": str(error), "param": "testid", "location": "params"}
        return Response(orjson.dumps({"errors": [wrong]}), status=error.status, content_type=_JSON)
    if isinstance(error, TokenError):
        response = envelope(error.status, str(error))
        response.headers["WWW-Authenticate"] = "Bearer"
        return response
    if isinstance(error, RateError):
        response = envelope(error.status, str(error))
        response.headers["Retry-After"] = str(error.retry_after)
        return response
    if isinstance(error, BusyError):
        response = envelope(error.status, str(error), {"queue_position": error.position})
        response.headers["Retry-After"] = str(error.retry_after)
        return response
    response = envelope(error.status, sentence(error, boptest=bool((request.view_args or {}).get("testid"))))
    if isinstance(error, DamagedError):
        response.headers["Session-Restored"] = "lost" if error.lost else "damaged"
    return response


def _drain() -> None:
    stream, left = request.environ["wsgi.input"], _DRAINED
    while left > 0 and (data := stream.read(65536)):
        left -= len(data)


def _check_depth(data: bytes) -> None:
    """Refuse what is nested deeper than any request needs, before it is read.

    Raises
    ------
    MalformedError
    """
    if data.count(b"[") + data.count(b"{") > _DEPTH:
        signs = np.frombuffer(data, np.uint8)
        opened = np.isin(signs, _OPENING).astype(np.int8) - np.isin(signs, _CLOSING).astype(np.int8)
        if int(np.cumsum(opened, dtype=np.int64).max()) > _DEPTH:
            raise MalformedError(f"The JSON of the body is nested deeper than {_DEPTH} levels.")


def _loads(data: bytes) -> Any:
    _check_depth(data)
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        # Python's own reader takes NaN, Infinity and huge numbers too: then the field can be named that holds one
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            raise MalformedError(f"The body is not valid JSON: {error}.") from error
        _check_texts(value)
        return value


def _check_texts(value: Any) -> None:
    """Refuse texts that are no Unicode: half of a surrogate pair, which nothing can store, send or show.

    Raises
    ------
    MalformedError
    """
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = error.object[error.start].encode("unicode_escape").decode()
        raise MalformedError(
            f"A text in the JSON of the body holds {half}, half of a surrogate pair; write the character itself, "
            "or both halves."
        ) from None
