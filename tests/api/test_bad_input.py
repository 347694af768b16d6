"""Bad input on every route: never an internal error, never a process that ends; what was there goes on."""

from __future__ import annotations

import contextlib
import json
import re
import socket

import pytest

from tests.server import ROOT, Server

#: In place of a value of a body; json.dumps writes the half of a pair as an escape, as a client may.
VALUES = ["\udfff", ["\udfff"], {"\udfff": 1}, "x" * 300, "a\x00b", float("inf"), -1, 10**30, [], {}, None, True]
#: In place of a part of the address.
PARTS = ["x" * 300, "%ED%BF%BF", "%00", "..%2F..", "a%0Ab"]
#: Of a page's callback.
CALLS = [
    [], None, {}, 1, {"output": "\udfff"}, {"output": "main.children", "outputs": 1, "inputs": 1},
    {"output": "missing.children", "outputs": {}, "inputs": []},
    {"output": "main.children", "outputs": {"id": "main", "property": "children"}, "inputs": [{"id": 5}]},
    {"output": "main.children", "outputs": {"id": "main", "property": "children"}, "inputs": []},
]  # fmt: skip


@pytest.fixture(scope="module")
def server(small_resources, tmp_path_factory):
    state = tmp_path_factory.mktemp("bad")
    with Server(small_resources, state, TRIVIUM_STUDIES=str(ROOT / "examples")) as running:
        yield running


@pytest.fixture(scope="module")
def document(server):
    return server.request("GET", "/openapi.json")[1]


@pytest.fixture
def unharmed(server):
    """After a test the default session is the same process, and no request ended in the log's traceback."""
    server.request("PUT", "/initialize", {"start_time": 0})
    before = hosts(server)
    yield
    assert hosts(server) == before
    assert "Traceback" not in server.log.read_text()


def hosts(server):
    return [record.get("pid") for record in server.request("GET", "/sessions")[1]["payload"] if record["default"]]


def operations(document):
    """Every route that is not a stream and ends no session, with the fields of its body."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method not in ("get", "put", "post", "delete") or "event" in path or path.startswith("/stop"):
                continue
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            schema = content.get("schema", {})
            if "$ref" in schema:
                schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            queries = [each["name"] for each in operation.get("parameters", []) if each["in"] == "query"]
            yield method.upper(), path, list(schema.get("properties", {})), queries


def status(server, method, path, body=None):
    with contextlib.closing(server.connect()) as connection:
        data = None if method == "GET" else json.dumps({} if body is None else body).encode()
        connection.request(method, path, data, {"Content-Type": "application/json"})
        return connection.getresponse().status


def test_bodies(server, document, unharmed):
    wrong = []
    for method, path, fields, _ in operations(document):
        address = re.sub(r"\{[^}]*\}", "x", path.replace("{kind}", "sweep"))
        for field in [*fields, "\udfff", "extra"] if method != "GET" else []:
            for value in VALUES:
                got = status(server, method, address, {field: value})
                if got >= 500:
                    wrong.append((method, address, field, value, got))
    assert wrong == []


def test_addresses(server, document, unharmed):
    wrong = []
    for method, path, _, queries in operations(document):
        addresses = [re.sub(r"\{[^}]*\}", part, path) for part in PARTS] if "{" in path else []
        plain = re.sub(r"\{[^}]*\}", "x", path)
        addresses += [f"{plain}?{name}={part}" for name in queries for part in (*PARTS, "-1", "1e999", "nan")]
        wrong += [(method, address) for address in addresses if status(server, method, address) >= 500]
    assert wrong == []


def test_calls_that_no_page_makes(server, unharmed):
    for call in CALLS:
        reply = server.request("POST", "/dashboard/_dash-update-component", raw=json.dumps(call).encode(),
                               headers={"Content-Type": "application/json"})  # fmt: skip
        assert reply[0] == 400, call
        assert "payload" in reply[1]
    assert status(server, "GET", "/dashboard/_dash-component-suites/os/path.js") == 404


def test_a_half_of_a_pair_is_named(server):
    code, reply, _ = server.request("POST", "/advance", raw=b'{"a": {"b": ["\\udfff"]}}',
                                    headers={"Content-Type": "application/json"})  # fmt: skip
    assert code == 400
    assert r"\udfff" in reply["message"]
    pair = server.request(
        "POST", "/advance", raw=b'{"\\ud83d\\ude00": 1}', headers={"Content-Type": "application/json"}
    )
    assert pair[0] == 400
    assert "\N{GRINNING FACE}" in pair[1]["message"] + str(pair[1]["payload"])


def test_a_chunk_of_a_negative_size(server, unharmed):
    head = (
        b"PUT /step HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port)) as sock:
        sock.sendall(head + b"-2\r\n{}\r\n0\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 400 ")
