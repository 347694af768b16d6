"""The description of the API for machines (OpenAPI 3.1), and a page to try it; see `trivium.server.operations`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
from flask import Blueprint, Flask, Response, current_app, send_from_directory
from pydantic import TypeAdapter
from werkzeug.routing import Rule

from trivium import __version__
from trivium.errors import MissingExtraError
from trivium.extras import command
from trivium.jobs import kinds
from trivium.server.guard import scope_of
from trivium.server.operations import JOBS, OPERATIONS, Operation
from trivium.server.schemas import WrongTestId

_JSON = "application/json"
_PARTS = "#/components/schemas/{model}"
_WHAT = {
    "testid": "Of a session.",
    "testcaseid": "Of a test case.",
    "task_id": "Of a job.",
    "name": "Of a result file.",
}
#: What may go wrong, and an example of its message.
_ERRORS: Mapping[int, tuple[str, str]] = {
    400: ("A field is wrong; the message names it.", "Invalid value nan for parameter CHI01. Value must be finite."),
    401: ("A token is needed.", "A token is needed: Authorization: Bearer TOKEN."),
    403: ("The caller may not do this.", "The token grafana lacks the scope control."),
    404: ("There is none of this name.", "There is no job 2f0c."),
    409: ("The session is not where the caller believes it to be.", "The session stands at 300.0s, not at 0.0s."),
    413: ("The body is too large.", "The body is larger than 1048576 bytes."),
    415: ("The body is not declared as JSON.", "The body must be JSON with the header Content-Type: application/json."),
    416: ("No such part of the file.", "The server cannot provide the requested range."),
    429: ("Too often; Retry-After says when to come again.", "At most 5 requests a second."),
    500: ("The plant failed, and the session stands where it stood.", "The FMU reported an error in fmi2DoStep."),
    501: (
        "An extra is not installed.",
        f"The kind of job sweep is not installed; install it with: {command('sweep', 'python')}",
    ),
    503: ("No room; Retry-After says when to come again.", "There are as many sessions as there may be."),
    507: ("The state directory cannot be written.", "The journal cannot be written: No space left on device."),
}
_ERROR = {
    "type": "object",
    "required": ["status", "message", "payload"],
    "properties": {
        "status": {"type": "integer"},
        "message": {"type": "string"},
        "payload": {
            "anyOf": [
                {"type": "null"},
                {"type": "string", "description": "The field that BOPTEST's Bad Request names."},
                {"type": "object", "properties": {"queue_position": {"type": "integer"}}},
            ]
        },
    },
}
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>trivium: HTTP API</title><meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="openapi/swagger-ui.css"><link rel="icon" href="openapi/favicon-32x32.png"></head>
<body><main id="page"></main>
<script src="openapi/swagger-ui-bundle.js"></script><script src="openapi/start.js"></script></body>
</html>
"""
_START = "SwaggerUIBundle({url: 'openapi.json', dom_id: '#page', deepLinking: true, validatorUrl: null});\n"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def describe(app: Flask) -> dict[str, Any]:
    """Return the description of an application's routes."""
    found = [one for rule in app.url_map.iter_rules() if rule.endpoint in OPERATIONS for one in _told(rule)]
    types: list[tuple[str, Any, TypeAdapter[Any]]] = [("wrong", "serialization", TypeAdapter(WrongTestId))]
    for key, operation, body, _ in found:
        if operation.answer is not None:
            types.append((f"{key} answer", "serialization", TypeAdapter(operation.answer)))
        if body not in (None, bytes):
            types.append((f"{key} body", "validation", TypeAdapter(body)))
    schemas, definitions = TypeAdapter.json_schemas(types, ref_template=_PARTS)
    of = {key: schema for (key, _), schema in schemas.items()}
    paths: dict[str, dict[str, Any]] = {}
    for key, operation, body, rule in found:
        method, path = key.split(" ", 1)
        view = app.view_functions[rule.endpoint]
        paths.setdefault(path, {})[method.lower()] = _operation(key, operation, body, rule, view.__doc__ or "", of)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Trivium",
            "version": __version__,
            "description": "A model, and ways to run it: sessions that are stepped, and jobs.",
            "license": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {**definitions.get("$defs", {}), "Error": _ERROR},
            "responses": {str(status): _error(status, of["wrong"]) for status in _ERRORS},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _told(rule: Rule) -> Iterator[tuple[str, Operation, Any, Rule]]:
    """Yield each operation of a rule: its method and path, what is known of it and the type of its body."""
    operation = OPERATIONS[rule.endpoint]
    path = rule.rule.replace("<path:", "<").replace("<", "{").replace(">", "}")
    for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
        if "kind" not in rule.arguments:
            yield f"{method} {path}", operation, operation.body, rule
            continue
        for kind in kinds.names():
            try:
                yield f"{method} {path.replace('{kind}', kind)}", operation, kinds.find(kind).spec, rule
            except MissingExtraError:
                continue


def _operation(
    key: str, operation: Operation, body: Any, rule: Rule, about: str, schemas: Mapping[str, Any]
) -> dict[str, Any]:
    method, path = key.split(" ", 1)
    scope = scope_of(rule.endpoint, method)
    lines = inspect.cleandoc(about).splitlines()
    told: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", key.lower()).strip("_"),
        "summary": lines[0],
        "tags": [operation.tag],
        "parameters": _parameters(operation, rule),
        "responses": {
            str(operation.status): _success(operation, schemas.get(f"{key} answer")),
            **{
                str(status): {"$ref": f"#/components/responses/{status}"}
                for status in _statuses(operation, rule, method)
            },
        },
    }
    if scope is None:
        told["security"] = []
    else:
        told["description"] = f"Scope: {scope}."
    if body is bytes:
        told["requestBody"] = {"content": {operation.takes: {"schema": {"type": "string", "format": "binary"}}}}
    elif body is not None:
        content: dict[str, Any] = {"schema": schemas[f"{key} body"]}
        example = JOBS.get(path.rpartition("/")[2]) if "kind" in rule.arguments else operation.example
        if example is not None:
            content["example"] = example
        told["requestBody"] = {
            "content": {operation.takes: content},
            "required": bool(content["schema"].get("required")),
        }
    return told


def _parameters(operation: Operation, rule: Rule) -> list[dict[str, Any]]:
    in_path = [
        {"name": name, "in": "path", "required": True, "description": _WHAT[name], "schema": {"type": "string"}}
        for name in sorted(rule.arguments - {"kind"})
        if f"{name}>" in rule.rule
    ]
    in_query = [
        {"name": name, "in": "query", "required": False, "description": about, "schema": {"type": "string"}}
        for name, about in operation.query.items()
    ]
    return in_path + in_query


def _success(operation: Operation, schema: Any) -> dict[str, Any]:
    if operation.enveloped:
        payload = {"type": "null"} if schema is None else schema
        schema = {
            "type": "object",
            "required": ["status", "message", "payload"],
            "properties": {
                "status": {"const": operation.status},
                "message": {"type": "string"},
                "payload": payload,
            },
            "additionalProperties": False,
        }
    content = {media: {"schema": schema} if media == _JSON and schema is not None else {} for media in operation.media}
    return {"description": "Done.", "content": content}


def _statuses(operation: Operation, rule: Rule, method: str) -> list[int]:
    """Return what may go wrong on a route."""
    found = {500}
    if scope_of(rule.endpoint, method) is not None:
        found |= {401, 403, 429}
    if operation.body is not None or "kind" in rule.arguments:
        found |= {400, 413, 415}
    if rule.arguments or operation.query:
        found.add(400)
    if {"task_id", "kind", "testcaseid", "name"} & rule.arguments:
        found.add(404)
    if rule.endpoint in ("jobs.logs", "jobs.result"):
        found.add(416)
    if rule.endpoint.startswith("jobs."):
        found |= {400, 413, 501, 503}
    elif not rule.endpoint.startswith(("index", "health.live")):
        found |= {400, 409, 503, 507}
    return sorted(found)


def _error(status: int, wrong: Any) -> dict[str, Any]:
    about, message = _ERRORS[status]
    schema: Any = {"$ref": "#/components/schemas/Error"}
    if status == 400:
        unknown = {
            "type": "object",
            "required": ["errors"],
            "properties": {"errors": {"type": "array", "items": wrong}},
        }
        schema = {"anyOf": [schema, unknown]}
    example = {"status": status, "message": message, "payload": None}
    told: dict[str, Any] = {"description": about, "content": {_JSON: {"schema": schema, "example": example}}}
    if status in (429, 503):
        told["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "[s]"}}
    return told


def blueprint() -> Blueprint:
    """Return the routes."""
    routes = Blueprint("openapi", __name__)
    made: list[bytes] = []

    @routes.get("/openapi.json")
    def document() -> Response:
        """Describe the API for machines (OpenAPI 3.1)."""
        if not made:
            made.append(orjson.dumps(describe(current_app)))
        return Response(made[0], content_type=_JSON)

    @routes.get("/openapi")
    def page() -> Response:
        """Open a page to try the API."""
        return Response(_PAGE, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": _POLICY})

    @routes.get("/openapi/<name>")
    def asset(name: str) -> Response:
        """Send a file of that page."""
        if name == "start.js":
            return Response(_START, content_type="text/javascript; charset=utf-8")
        import flask_swagger_ui

        return send_from_directory(Path(flask_swagger_ui.__file__).parent / "dist", name)

    return routes
