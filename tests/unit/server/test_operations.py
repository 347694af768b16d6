"""A declared route: what its model says is parsed, refused and described, and nothing else needs to know of it."""

from __future__ import annotations

from typing import Annotated

import pytest
from flask import Flask, Response, jsonify
from pydantic import BaseModel, Field
from werkzeug.datastructures import MultiDict

from trivium.errors import TriviumError
from trivium.server import wire
from trivium.server.openapi import describe
from trivium.server.operations import Routes
from trivium.server.requests import BoptestBody, Count, Flag, KpiQuery, PointNames, Preconditions, Query, Seconds, Text

DEPTH = 32


class Pause(BoptestBody):
    """A pause."""

    length: Seconds
    repeats: Count = 1
    point_names: PointNames | None = None
    silent: Flag = False
    reason: Text | None = None


class Which(Query):
    """Which pauses."""

    name: Annotated[list[str], Field(description="May repeat.")] = []
    start_time: Seconds | None = None


class Paused(BaseModel):
    """How long it was."""

    seconds: float


@pytest.fixture(scope="module")
def app():
    routes = Routes("tiny", "Tiny")

    @routes.operation("PUT", "/pause[/<testid>]", reply=Paused, example={"length": 5})
    def pause(testid: str | None, body: Pause, query: Which, headers: Preconditions) -> Response:
        """Pause."""
        return jsonify({"testid": testid, **dict(body), "query": dict(query), "headers": dict(headers)})

    app = Flask("tiny")
    app.register_blueprint(routes)
    app.register_error_handler(TriviumError, wire.failure)
    return app


@pytest.fixture
def send(app):
    def send(body, path="/pause", **options):
        return app.test_client().put(path, json=body, **options)

    return send


def test_a_request_reaches_the_view_parsed(send):
    given = {"length": "1e1", "repeats": "3", "point_names": "a", "silent": True, "reason": "tea"}
    reply = send(given, "/pause?name=x&name=y&start_time=2", headers={"If-Match": '"300"', "Idempotency-Key": "k"})
    assert reply.json == {
        "testid": None, "length": 10.0, "repeats": 3, "point_names": ["a"], "silent": True, "reason": "tea",
        "query": {"name": ["x", "y"], "start_time": 2.0}, "headers": {"clock": 300.0, "key": "k"},
    }  # fmt: skip
    plain = {"length": 1.0, "repeats": 1, "point_names": None, "silent": False, "reason": None}
    for body in ({"length": 1}, {"length": 1, "repeats": None, "silent": None}):
        assert send(body).json | plain == send(body).json
    assert send({"length": 1}).json["headers"] == {"clock": None, "key": None}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Bad input for parameter length. Missing required parameter in the JSON body."),
        ({"length": None}, "Bad input for parameter length. Missing required parameter in the JSON body."),
        ({"lenght": 1}, "Bad input for parameter lenght. Unknown parameter. Did you mean length?"),
        ({"length": "x", "nonsense": 1}, "Bad input for parameter nonsense. Unknown parameter."),
        ({"length": "x"}, "Invalid value x for parameter length. Value must be a float, integer, or string able to be "
         "converted to a float, but is <class 'str'>."),
        ({"length": True}, "Invalid value True for parameter length. Value must be a float, integer, or string able to be "
         "converted to a float, but is <class 'bool'>."),
        ({"length": "-inf"}, "Invalid value -inf for parameter length. Value must be finite."),
        ({"length": float("nan")}, "Invalid value nan for parameter length. Value must be finite."),
        ({"length": 1, "repeats": 1.5}, "Invalid value 1.5 for parameter repeats. Value must be a whole number of at least 1."),
        ({"length": 1, "point_names": ["a", 2]}, "Invalid value for parameter point_names. Value must be a list of names."),
        ({"length": 1, "silent": "yes"}, "Invalid value yes for parameter silent. Value must be true or false, but is "
         "<class 'str'>."),
        ({"length": 1, "reason": 5}, "Invalid value 5 for parameter reason. Value must be a string, but is <class 'int'>."),
    ],
)  # fmt: skip
def test_a_refusal_names_the_field_and_the_rule(send, body, message):
    reply = send(body)
    assert (reply.status_code, reply.json) == (400, {"status": 400, "message": message, "payload": None})


def test_with_a_test_id_a_body_is_taken_as_boptest_takes_it(app, send):
    assert send({"length": 1, "nonsense": 1}, "/pause/abc?nonsense=1").json["testid"] == "abc"
    form = app.test_client().put("/pause/abc", data={"length": "1", "point_names": ["a", "b"], "silent": "true"})
    assert (form.json["length"], form.json["point_names"], form.json["silent"]) == (1.0, ["a", "b"], True)
    assert send({"repeats": "x"}, "/pause/abc").json == {"status": 400, "message": "Bad Request", "payload": "length"}
    assert "Invalid value None for parameter length" in send({"length": None}, "/pause/abc").json["message"]
    assert app.test_client().put("/pause", data={"length": "1"}).status_code == 415


def test_a_wrong_query_or_header_is_refused(send):
    assert send({"length": 1}, "/pause?nam=x").json["message"].endswith("Unknown parameter. Did you mean name?")
    assert "parameter start_time" in send({"length": 1}, "/pause?start_time=x").json["message"]
    assert "parameter If-Match" in send({"length": 1}, headers={"If-Match": "x"}).json["message"]
    assert "It is too long" in send({"length": 1}, headers={"Idempotency-Key": "k" * 201}).json["message"]


def test_the_description_of_the_api_has_it(app):
    paths = describe(app)["paths"]
    assert set(paths) == {"/pause", "/pause/{testid}"}
    operation = paths["/pause"]["put"]
    content = operation["requestBody"]["content"]["application/json"]
    assert content["example"] == {"length": 5}
    components = describe(app)["components"]["schemas"]
    schema = (
        components[content["schema"]["$ref"].rpartition("/")[2]] if "$ref" in content["schema"] else content["schema"]
    )
    assert set(schema["properties"]) == set(Pause.model_fields)
    assert (schema["required"], schema["additionalProperties"]) == (["length"], False)
    places = {(parameter["name"], parameter["in"]) for parameter in operation["parameters"]}
    assert places == {("name", "query"), ("start_time", "query"), ("If-Match", "header"), ("Idempotency-Key", "header")}
    assert {"200", "400", "409", "413", "415", "500"} <= set(operation["responses"])
    assert set(operation["requestBody"]["content"]) == {"application/json"}
    with_testid = paths["/pause/{testid}"]["put"]["requestBody"]["content"]
    form = with_testid["application/x-www-form-urlencoded"]
    assert form["schema"] == with_testid["application/json"]["schema"] == content["schema"]


def test_the_names_of_a_query_are_parted_by_commas():
    assert KpiQuery.from_arguments(MultiDict({"names": "pue, ener_tot"})).names == ["pue", "ener_tot"]
    assert KpiQuery.from_arguments(MultiDict()).names is None


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_json_may_be_nested_exactly_as_deep_as_the_limit(app, opening, closing):
    for depth, message in ((DEPTH, "Unknown parameter"), (DEPTH + 1, f"nested deeper than {DEPTH} levels")):
        inner = depth - 1
        data = b'{"deep":' + opening * inner + b"1" + closing * inner + b"}"
        reply = app.test_client().put("/pause", data=data, content_type="application/json")
        assert message in reply.json["message"]
