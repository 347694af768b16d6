"""The description of the API holds: schemathesis and our own examples against a real server."""

from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, given

from tests.processes import PATIENCE
from tests.server import ROOT, Server


def no_500(_context, response, _case):
    """schemathesis's own check takes a refusal for want of room (503) for a fault."""
    assert response.status_code != 500, response.text


def checks():
    """Return what must hold for every reply."""
    from schemathesis.specs.openapi import checks  # not above: every worker imports every file of tests

    return [
        no_500, checks.status_code_conformance, checks.content_type_conformance, checks.response_schema_conformance
    ]  # fmt: skip


EXAMPLES = 25


@pytest.fixture(scope="module")
def plant(tmp_path_factory) -> Iterator[Server]:
    """The default test case, and a session of it."""
    with Server(ROOT / "Resources", tmp_path_factory.mktemp("openapi")) as server:
        yield server


@pytest.fixture(scope="module")
def schema(plant):
    import schemathesis

    loaded = schemathesis.openapi.from_url(f"{plant.url}/openapi.json")
    loaded.validate()
    return loaded


def operations(schema):
    return {one.ok().label: one.ok() for one in schema.get_all_operations()}


def test_every_route_is_described(plant):
    told = set(plant.request("GET", "/openapi.json")[1]["paths"])
    listed = {line.split(" ", 1)[1] for line in plant.request("GET", "/")[1]["payload"]["routes"]}
    listed = {path.replace("<path:", "<").replace("<", "{").replace(">", "}") for path in listed}
    pages = {path for path in listed if path.startswith(("/openapi", "/dashboard"))}
    kinds = set(plant.request("GET", "/api/run/kinds")[1]["payload"])
    expected = listed - pages - {"/api/run/{kind}"} | {f"/api/run/{kind}" for kind in kinds}
    assert told == expected | {"/"}  # which lists itself not


def test_every_operation_tells_scope_success_and_errors(plant):
    for path, methods in plant.request("GET", "/openapi.json")[1]["paths"].items():
        for method, told in methods.items():
            assert told["summary"].endswith("."), (path, method)
            assert any(status.startswith("2") for status in told["responses"])
            assert "500" in told["responses"]
            assert told.get("security") == [] or told["description"].startswith("Scope: ")


def test_our_own_examples_are_taken_and_answered_as_described(plant, schema):
    plant.request("PUT", "/initialize", {"start_time": 900000})
    testid = plant.request("POST", "/testcases/AlphaDataCenterCooling_Gym/select")[1]["testid"]
    snapshots = {}
    for path in ("/snapshot", f"/snapshot/{testid}"):
        snapshots["/{testid}" if testid in path else ""] = plant.request("POST", path)[1]["payload"]["snapshot"]
    sent = 0
    for label, operation in operations(schema).items():
        body = operation.definition.raw.get("requestBody", {}).get("content", {}).get("application/json", {})
        if "example" not in body or label == "POST /testcases":
            continue
        example = dict(body["example"])
        if "snapshot" in example:
            example["snapshot"] = snapshots["/{testid}" if "{testid}" in label else ""]
        parameters = {"testid": testid} if "{testid}" in label else {}
        case = operation.Case(path_parameters=parameters, body=example, media_type="application/json")
        response = case.call(timeout=PATIENCE)
        assert response.status_code < 300, (label, response.text)
        case.validate_response(response, checks=checks())
        sent += 1
    described = [
        methods[method].get("requestBody", {}).get("content", {}).get("application/json", {})
        for path, methods in plant.request("GET", "/openapi.json")[1]["paths"].items()
        for method in methods
        if path != "/testcases"
    ]
    bodies = [body for body in described if body]
    assert sent == len(bodies) == sum("example" in body for body in bodies)
    assert sent == 25 + len(plant.request("GET", "/api/run/kinds")[1]["payload"])


def tried(operation, known):
    """Send requests made from the description of one route, good and bad ones; return what is wrong with a reply."""
    numbers = iter(range(10**6))

    @hypothesis.settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy())
    def every(case):
        if next(numbers) % 4:  # mostly of a session that there is
            case.path_parameters.update({name: at for name, at in known.items() if name in case.path_parameters})
        if operation.label != "PUT /stop/{testid}" or case.path_parameters["testid"] != known["testid"]:
            case.validate_response(case.call(timeout=PATIENCE), checks=checks())

    try:
        every()
    except BaseExceptionGroup as error:
        return [f"{operation.label}: {error}"]
    return []


@pytest.mark.slow
def test_schemathesis_finds_nothing(plant, schema):
    """No request is answered with 500, and every reply is as described."""
    testid = plant.request("POST", "/testcases/AlphaDataCenterCooling_Gym/select")[1]["testid"]
    known = {"testid": testid, "testcaseid": "AlphaDataCenterCooling_Gym"}
    last = ("PUT /stop",)  # it ends the session
    found = [wrong for label, one in operations(schema).items() if label not in last for wrong in tried(one, known)]
    found += [wrong for label in last for wrong in tried(operations(schema)[label], known)]
    assert not found, "\n\n".join(found)


def test_the_page_brings_all_it_needs_itself(plant):
    connection = plant.connect()
    connection.request("GET", "/openapi")
    response = connection.getresponse()
    page = response.read().decode()
    assert "'unsafe-eval'" not in response.headers["Content-Security-Policy"]
    assert "http" not in page.replace("HTTP API", "")
    for part in ("swagger-ui.css", "swagger-ui-bundle.js", "start.js", "favicon-32x32.png"):
        assert f"openapi/{part}" in page
        connection.request("GET", f"/openapi/{part}")
        answer = connection.getresponse()
        assert (answer.status, bool(answer.read())) == (200, True)
    connection.request("GET", "/openapi/..%2f__init__.py")
    assert connection.getresponse().status == 404
    connection.close()
