"""The description of the API for machines (OpenAPI 3.1), and a page to try it; see `trivium.server.operations`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
from flask import Flask, Response, current_app, send_from_directory
from pydantic import BaseModel, TypeAdapter
from werkzeug.routing import Rule

from trivium import __version__
from trivium.extras import command
from trivium.plants.cooling import examples
from trivium.server.operations import JSON, Operation, Routes, operations
from trivium.server.replies import WrongTestId
from trivium.server.wire import FORM

_PARTS = "#/components/schemas/{model}"
_WHAT = {
    "testid": "Of a session.",
    "testcaseid": "Of a test case.",
    "task_id": "Of a job.",
    "name": "Of a result file.",
}
#: What may go wrong, and an example of its message.
_ERRORS: Mapping[int, tuple[str, str]] = {
    400: (
        "A field is wrong; the message names it.",
        "Invalid value nan for parameter start_time. Value must be finite.",
    ),
    401: ("A token is needed.", "A token is needed: Authorization: Bearer TOKEN."),
    403: ("The caller may not do this.", "The token grafana lacks the scope control."),
    404: ("There is none of this name.", "There is no job 2f0c."),
    409: ("The clock of the session is not what the caller expects.", "The session stands at 300.0s, not at 0.0s."),
    413: ("The body is too large.", "The body is larger than 1048576 bytes."),
    415: ("The body is not declared as JSON.", "The body must be JSON with the header Content-Type: application/json."),
    416: ("No such part of the file.", "The server cannot provide the requested range."),
    429: ("Too many requests; Retry-After says when to send the next.", "At most 5 requests a second."),
    500: ("The plant failed; the session is unchanged.", "The FMU reported an error in fmi2DoStep."),
    501: (
        "An extra is not installed.",
        f"The kind of job sweep is not installed; install it with: {command('sweep', 'python')}",
    ),
    503: ("No room; Retry-After says when to try again.", "There are as many sessions as there may be."),
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
<head><meta charset="utf-8"><title>trivium: HTTP API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="openapi/swagger-ui.css"><link rel="icon" href="openapi/favicon-32x32.png">
<meta name="color-scheme" content="light dark"><style>
body { margin: 0; }
html.dark-mode, html.dark-mode body { background: #1c2022; }
@media (max-width: 760px) {
  .swagger-ui .wrapper { padding: 0 10px; }
  .swagger-ui .opblock .opblock-summary { flex-wrap: wrap; }
  .swagger-ui .opblock .opblock-summary-path { max-width: 100%; word-break: break-all; }
  .swagger-ui .opblock .opblock-summary-path-description-wrapper { min-width: 0; flex-basis: 60%; }
  .swagger-ui .opblock-description-wrapper, .swagger-ui .opblock-section-header { padding: 8px; }
  .swagger-ui .table-container, .swagger-ui .responses-inner, .swagger-ui .model-container { padding: 8px; }
  .swagger-ui .table-container, .swagger-ui .responses-inner, .swagger-ui .model-container { overflow-x: auto; }
  .swagger-ui .parameters-col_name, .swagger-ui table.parameters td { min-width: 0; }
  .swagger-ui input, .swagger-ui select, .swagger-ui textarea { max-width: 100%; min-width: 0 !important; }
  .swagger-ui .info .title { font-size: 26px; overflow-wrap: anywhere; }
  .swagger-ui .info a, .swagger-ui .info li, .swagger-ui .info p { overflow-wrap: anywhere; }
}
</style></head>
<body><main id="page"></main>
<script src="openapi/swagger-ui-bundle.js"></script><script src="openapi/start.js"></script></body>
</html>
"""
_START = """const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();
SwaggerUIBundle({url: "openapi.json", dom_id: "#page", deepLinking: true, validatorUrl: null});
"""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True)
class _Route:
    """A method and path of a declared operation.

    Attributes
    ----------
    method, path : str
        The path with its parts in braces.
    rule : Rule
    operation : Operation
    body : type or None
        Model of the body.
    example : Mapping or None
        Of the body.
    """

    method: str
    path: str
    rule: Rule
    operation: Operation
    body: type[BaseModel] | None
    example: Mapping[str, Any] | None

    @property
    def key(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"

    @property
    def arguments(self) -> set[str]:
        """Names of the parts of the path."""
        return {name for name in self.rule.arguments if f"{{{name}}}" in self.path}


def describe(app: Flask) -> dict[str, Any]:
    """Return the description of an application's routes."""
    declared = operations(app)
    routes = [
        route
        for rule in app.url_map.iter_rules()
        if rule.endpoint in declared and declared[rule.endpoint].described
        for route in _routes(rule, declared[rule.endpoint])
    ]
    types: list[tuple[str, Any, TypeAdapter[Any]]] = [("wrong", "serialization", TypeAdapter(WrongTestId))]
    for route in routes:
        if route.operation.reply is not None:
            types.append((f"{route.key} reply", "serialization", TypeAdapter(route.operation.reply)))
        if route.body is not None:
            types.append((f"{route.key} body", "validation", TypeAdapter(route.body)))
    schemas, definitions = TypeAdapter.json_schemas(types, ref_template=_PARTS)
    schema_of = {key: schema for (key, _), schema in schemas.items()}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        summary = inspect.cleandoc(app.view_functions[route.rule.endpoint].__doc__ or "").splitlines()[0]
        fits = app.config.get("IS_PLANT") or not _names_the_plant(route.example)
        described = route if fits else replace(route, example=None)
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(described, summary, schema_of)
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
            "responses": {str(status): _error(status, schema_of["wrong"]) for status in _ERRORS},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _names_the_plant(example: Any) -> bool:
    """Return whether an example of a body has points of the cooling plant, which no other model has."""
    if isinstance(example, Mapping):
        return any(_names_the_plant(part) for part in (*example, *example.values()))
    if isinstance(example, list):
        return any(_names_the_plant(part) for part in example)
    return example in {*examples.ACTION, examples.OUTPUT, examples.BOUNDARY}


def _routes(rule: Rule, operation: Operation) -> Iterator[_Route]:
    """Yield each method and path of a rule."""
    path = rule.rule.replace("<path:", "<").replace("<", "{").replace(">", "}")
    for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
        if operation.variants is None:
            yield _Route(method, path, rule, operation, operation.body, operation.example)
            continue
        for name, model, example in operation.variants.models():
            variant = path.replace(f"{{{operation.variants.part}}}", name)
            yield _Route(method, variant, rule, operation, model, example)


def _operation(route: _Route, summary: str, schemas: Mapping[str, Any]) -> dict[str, Any]:
    operation = route.operation
    success = _success(operation, schemas.get(f"{route.key} reply"))
    failures = {str(status): {"$ref": f"#/components/responses/{status}"} for status in _statuses(route)}
    description: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", route.key.lower()).strip("_"),
        "summary": summary,
        "tags": [operation.tag],
        "parameters": _parameters(route),
        "responses": {str(operation.status): success, **failures},
    }
    if operation.scope is None:
        description["security"] = []
    else:
        description["description"] = f"Scope: {operation.scope}."
    if operation.upload is not None:
        description["requestBody"] = {"content": {operation.upload: {"schema": {"type": "string", "format": "binary"}}}}
    elif route.body is not None:
        schema = schemas[f"{route.key} body"]
        content = {"schema": schema} if route.example is None else {"schema": schema, "example": route.example}
        media = {JSON: content}
        if route.operation.takes_form("testid" in route.arguments):
            media[FORM] = {"schema": schema}
        description["requestBody"] = {"content": media, "required": bool(schema.get("required"))}
    return description


def _parameters(route: _Route) -> list[dict[str, Any]]:
    in_path = [
        {"name": name, "in": "path", "required": True, "description": _WHAT[name], "schema": {"type": "string"}}
        for name in sorted(route.arguments)
    ]
    return [
        *in_path,
        *_parameters_of(route.operation.query, "query"),
        *_parameters_of(route.operation.headers, "header"),
    ]


def _parameters_of(model: type[BaseModel] | None, place: str) -> Iterator[dict[str, Any]]:
    if model is None:
        return
    described = model.model_json_schema()
    for name, field in described["properties"].items():
        schema = dict(field)
        either = [kind for kind in schema.pop("anyOf", []) if kind != {"type": "null"}]  # left out, never null
        schema = (either[0] if len(either) == 1 else {"anyOf": either} if either else {}) | schema
        if schema.get("default", ...) is None:
            del schema["default"]
        description = schema.pop("description")
        required = name in described.get("required", [])
        yield {"name": name, "in": place, "required": required, "description": description, "schema": schema}


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
    content = {media: {"schema": schema} if media == JSON and schema is not None else {} for media in operation.media}
    return {"description": "Done.", "content": content}


def _statuses(route: _Route) -> list[int]:
    """Return what may go wrong on a route."""
    operation = route.operation
    statuses = {500, *operation.failures}
    if operation.scope is not None:
        statuses |= {401, 403, 429}
    if route.body is not None or operation.upload is not None:
        statuses |= {400, 413, 415}
    if route.rule.arguments or operation.query is not None:
        statuses.add(400)
    if operation.headers is not None:
        statuses |= {400, 409}
    if route.rule.arguments - {"testid"}:  # an unknown test id is 400, as BOPTEST has it
        statuses.add(404)
    return sorted(statuses)


def _error(status: int, wrong: Any) -> dict[str, Any]:
    meaning, message = _ERRORS[status]
    schema: Any = {"$ref": "#/components/schemas/Error"}
    if status == 400:
        unknown = {
            "type": "object",
            "required": ["errors"],
            "properties": {"errors": {"type": "array", "items": wrong}},
        }
        schema = {"anyOf": [schema, unknown]}
    example = {"status": status, "message": message, "payload": None}
    response: dict[str, Any] = {"description": meaning, "content": {JSON: {"schema": schema, "example": example}}}
    if status in (429, 503):
        response["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "[s]"}}
    return response


def blueprint() -> Routes:
    """Return the routes, which anybody may read."""
    routes = Routes("openapi", "Server", failures=frozenset())
    made: list[bytes] = []

    @routes.operation("GET", "/openapi.json", scope=None, described=False)
    def document() -> Response:
        """Describe the API for machines (OpenAPI 3.1)."""
        if not made:
            made.append(orjson.dumps(describe(current_app)))
        return Response(made[0], content_type=JSON)

    @routes.operation("GET", "/openapi", scope=None, described=False)
    def page() -> Response:
        """Open a page to try the API."""
        return Response(_PAGE, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": _POLICY})

    @routes.operation("GET", "/openapi/<name>", scope=None, described=False)
    def asset(name: str) -> Response:
        """Send a file of that page."""
        if name == "start.js":
            return Response(_START, content_type="text/javascript; charset=utf-8")
        import flask_swagger_ui

        return send_from_directory(Path(flask_swagger_ui.__file__).parent / "dist", name)

    return routes
