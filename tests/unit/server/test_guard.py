"""Who may do what over HTTP; every claim of docs/security.md."""

from __future__ import annotations

import hashlib
import json
import logging
import socket
import threading
import time
from concurrent.futures import ProcessPoolExecutor

import pytest

from trivium.application import create_app
from trivium.errors import RateError, SettingsError
from trivium.server.guard import check_bind, required_scope
from trivium.server.operations import Operation
from trivium.server.origins import is_loopback
from trivium.server.rates import Rates
from trivium.server.tokens import Tokens, create
from trivium.settings import Settings


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("guard")


@pytest.fixture(scope="module")
def make(small_resources, folder):
    """An application of these settings; the same ones share one."""
    apps = {}

    def made(**variables):
        key = tuple(sorted(variables.items()))
        if key not in apps:
            environ = {
                "TRIVIUM_RESOURCES": str(small_resources),
                "TRIVIUM_STATE_DIR": str(folder / "state"),
                **variables,
            }
            apps[key] = create_app(Settings(environ=environ))
        return apps[key]

    yield made
    for app in apps.values():
        app.extensions["trivium-sessions"].close()


@pytest.fixture(scope="module")
def tokens(folder):
    return str(folder / "tokens.json")


@pytest.fixture(scope="module")
def secrets(folder, tokens):
    """A token of each scope in the file of tokens; their texts."""
    made = create(folder / "tokens.json")
    return {scope: made.add(f"a-{scope}", [scope]) for scope in ("read", "control", "jobs", "admin")}


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


#: What clients on this machine call it.
LOOPBACK = ("localhost:5000", "127.0.0.1", "[::1]:5000", "[::1]")
#: A request of each kind and the scopes whose tokens may send it.
REQUESTS = [
    ("GET", "/measurements", {"read", "control", "jobs", "admin"}),
    ("PUT", "/results", {"read", "control", "jobs", "admin"}),
    ("PUT", "/forecast", {"read", "control", "jobs", "admin"}),
    ("GET", "/api/run", {"read", "control", "jobs", "admin"}),
    ("POST", "/advance", {"control", "admin"}),
    ("PUT", "/initialize", {"control", "admin"}),
    ("POST", "/testcases/nothing/select", {"control", "admin"}),
    ("POST", "/api/run/step", {"jobs", "admin"}),
    ("POST", "/api/run/cancel/nothing", {"jobs", "admin"}),
    ("PUT", "/stop", {"admin"}),
    ("POST", "/testcases", {"admin"}),
    ("PUT", "/testcases/mine", {"admin"}),
]


def test_each_scope_opens_what_is_its_own_and_nothing_else(make, secrets, tokens):
    client = make(TRIVIUM_TOKENS=tokens).test_client()
    for method, path, allowed in REQUESTS:
        for scope, text in secrets.items():
            response = client.open(path, method=method, headers=bearer(text))
            refused = response.status_code == 403 and "lacks the scope" in response.json["message"]
            assert refused == (scope not in allowed), (method, path, scope, response.text)


def test_every_route_is_behind_the_guard(make, tokens, secrets):
    app = make(TRIVIUM_TOKENS=tokens)
    client, open_to_all = app.test_client(), set()
    for rule in app.url_map.iter_rules():
        path = rule.rule.replace("<testid>", "x").replace("<task_id>", "x").replace("<kind>", "step")
        path = path.replace("<testcaseid>", "x").replace("<path:name>", "x").replace("<path:path>", "x")
        for method in rule.methods - {"OPTIONS", "HEAD"}:
            if client.open(path, method=method).status_code not in (401, 303):
                open_to_all.add(f"{method} {rule.rule}")
    assert open_to_all - {"GET /dashboard/login", "POST /dashboard/login"} == {
        "GET /health/live",
        "GET /health/ready",
    } | {one for one in open_to_all if "/openapi" in one or "/docs" in one}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer("trivium_wrong"),
        bearer(""),
        {"Authorization": "Basic YTpi"},
        {"Authorization": "Bearer"},
        {"Cookie": "trivium_token=wrong"},
        bearer("\udcff".encode("utf-8", "surrogateescape").decode("latin-1")),
    ],
)
def test_without_a_token_that_is_known_nothing_is_told_or_done(make, tokens, secrets, headers):
    client = make(TRIVIUM_TOKENS=tokens).test_client()
    for method, path in (("GET", "/measurements"), ("POST", "/advance"), ("GET", "/no-such-route")):
        response = client.open(path, method=method, headers=headers)
        assert (response.status_code, response.json["payload"]) == (401, None)
        assert response.headers["WWW-Authenticate"] == "Bearer"
    good = client.get("/step", headers=bearer(secrets["read"]))
    assert good.json["payload"] == 300
    client.set_cookie("trivium_token", secrets["read"])
    assert client.get("/step").status_code == 200


def test_a_token_is_kept_as_a_hash_and_ends_when_it_is_removed(make, tmp_path):
    path = tmp_path / "tokens.json"
    secrets = {"read": create(path).add("a-read", ["read"])}
    content = path.read_text()
    assert secrets["read"] not in content
    assert path.stat().st_mode & 0o077 == 0
    assert json.loads(content)[0]["sha256"] == hashlib.sha256(secrets["read"].encode()).hexdigest()
    client = make(TRIVIUM_TOKENS=str(path)).test_client()
    assert client.get("/step", headers=bearer(secrets["read"])).status_code == 200
    Tokens(path).remove("a-read")
    assert client.get("/step", headers=bearer(secrets["read"])).status_code == 401


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        '[{"name": "a"}]',
        '[{"name": "a", "sha256": "trivium_secret", "scopes": ["read"]}]',
        '[{"name": "a b"}]',
    ],
)
def test_a_file_of_tokens_that_is_none_is_refused_and_its_content_not_shown(tmp_path, content):
    path = tmp_path / "tokens.json"
    path.write_text(content)
    with pytest.raises(SettingsError, match="TRIVIUM_TOKENS") as caught:
        Tokens(path)
    assert "trivium_secret" not in str(caught.value)


def test_a_file_that_is_damaged_while_a_server_runs_lets_nobody_in(make, tmp_path):
    path = tmp_path / "tokens.json"
    text = create(path).add("a-read", ["read"])
    client = make(TRIVIUM_TOKENS=str(path)).test_client()
    assert client.get("/step", headers=bearer(text)).status_code == 200
    content = path.read_bytes()
    path.write_bytes(content[:-10])
    refused = client.get("/step", headers=bearer(text))
    assert refused.status_code == 503
    assert str(path) not in refused.text
    assert client.post("/advance").status_code == 401
    path.write_bytes(content)
    assert client.get("/step", headers=bearer(text)).status_code == 200


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_of_tokens_that_others_may_write_is_refused(make, tmp_path, mode):
    path = tmp_path / "tokens.json"
    text = create(path).add("a-read", ["read"])
    client = make(TRIVIUM_TOKENS=str(path)).test_client()
    path.chmod(mode)
    with pytest.raises(SettingsError, match="chmod go-w"):
        Tokens(path)
    assert client.get("/step", headers=bearer(text)).status_code == 503
    path.chmod(0o644)  # others may read it: it holds hashes
    assert client.get("/step", headers=bearer(text)).status_code == 200


def test_tokens_that_are_added_and_removed_at_once_are_all_kept(tmp_path):
    path = tmp_path / "tokens.json"
    create(path).add("old", ["read"])
    with ProcessPoolExecutor(6) as pool:
        texts = list(pool.map(_add, [path] * 24, map(str, range(24))))
        list(pool.map(_remove, [path] * 12, map(str, range(0, 24, 2))))
    tokens = Tokens(path)
    assert {token.name for token in tokens.read()} == {"old", *map(str, range(1, 24, 2))}
    assert all(tokens.find(texts[k]) is not None for k in range(1, 24, 2))


def _add(path, name):
    return create(path).add(name, ["read"])


def _remove(path, name):
    Tokens(path).remove(name)


def test_a_stream_ends_when_its_token_is_removed(make, tmp_path):
    path = tmp_path / "tokens.json"
    text = create(path).add("follower", ["jobs"])
    app = make(TRIVIUM_TOKENS=str(path), TRIVIUM_WORKER_JOBS="0")
    client = app.test_client()
    job = client.post("/api/run/step", headers=bearer(text), json={"end_time": 300}).json
    events = client.get(f"/api/run/events/{job['task_id']}", headers=bearer(text)).response
    assert next(events).startswith(b"retry:")
    assert b"event: progress" in next(events)
    Tokens(path).remove("follower")
    Tokens(path).add("follower", ["read"])  # another one of that name
    assert [event for event in events if not event.startswith(b":")] == []


def test_secrets_are_not_logged(make, tokens, secrets, caplog):
    client = make(TRIVIUM_TOKENS=tokens).test_client()
    with caplog.at_level(logging.DEBUG):
        client.post("/advance", headers=bearer(secrets["control"]), json={"nonsense": 1})
        client.post("/advance", headers=bearer(secrets["control"][:-1]))
        client.get("/results", headers=bearer(secrets["read"]))
    assert not any(text[:20] in caplog.text for text in secrets.values())


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("[::1]", True), ("localhost", True), ("0.0.0.0", False),
     ("::", False), ("192.168.0.2", False), ("localhost.example", False), ("", False)],
)  # fmt: skip
def test_strangers_are_let_in_only_when_that_was_said(host, loopback, tmp_path):
    assert is_loopback(host) == loopback
    for tokens in ("none", str(tmp_path / "tokens.json")):
        check_bind(Settings(environ={"TRIVIUM_TOKENS": tokens}), host)
    if loopback:
        check_bind(Settings(environ={}), host)
    else:
        with pytest.raises(SettingsError, match="TRIVIUM_TOKENS"):
            check_bind(Settings(environ={}), host)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:5000", "127.0.0.1.evil.example", "[::1", "192.168.0.9"])
def test_a_foreign_name_for_this_machine_is_refused(make, host):
    client = make().test_client()
    assert client.get("/step", headers={"Host": host}).status_code in (400, 403)
    for good in LOOPBACK:
        assert client.get("/step", headers={"Host": good}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:5000", "127.0.0.1.evil.example", "[::1", "api"])
def test_a_foreign_name_is_refused_where_anybody_may_call(make, host):
    client = make(TRIVIUM_TOKENS="none").test_client()
    for method, path in (("PUT", "/stop"), ("GET", "/sessions"), ("POST", "/advance")):
        refused = client.open(path, method=method, headers={"Host": host, "Origin": f"http://{host}"})
        assert refused.status_code == 403, (method, path)
        assert refused.json["payload"] is None
    own = (*LOOPBACK, "192.168.0.9:5000", "[2001:db8::1]:5000", socket.gethostname())
    for name in own:
        assert client.get("/step", headers={"Host": name}).status_code == 200, name
    named = make(TRIVIUM_TOKENS="none", TRIVIUM_HOSTS="api, Lab.example").test_client()
    for name in ("api:5000", "lab.example", "LAB.EXAMPLE.:80", *own):
        assert named.get("/step", headers={"Host": name}).status_code == 200, name
    assert named.get("/step", headers={"Host": "evil.example"}).status_code == 403
    every = make(TRIVIUM_TOKENS="none", TRIVIUM_HOSTS="*").test_client()
    assert every.get("/step", headers={"Host": "evil.example"}).status_code == 200


def test_where_tokens_are_needed_names_are_restricted_only_when_they_are_listed(make, tokens, secrets):
    headers = {**bearer(secrets["read"]), "Host": "proxy.example"}
    assert make(TRIVIUM_TOKENS=tokens).test_client().get("/step", headers=headers).status_code == 200
    listed = make(TRIVIUM_TOKENS=tokens, TRIVIUM_HOSTS="lab.example").test_client()
    assert listed.get("/step", headers=headers).status_code == 403
    assert listed.get("/step", headers={**headers, "Host": "lab.example"}).status_code == 200


@pytest.mark.parametrize(("site", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 200),
                                              ("none", 200), (None, 200)])  # fmt: skip
def test_a_browser_that_names_no_origin_still_says_where_a_request_comes_from(make, site, status):
    headers = {} if site is None else {"Sec-Fetch-Site": site}
    for variables in ({}, {"TRIVIUM_TOKENS": "none"}):
        client = make(**variables).test_client()
        assert client.post("/advance", headers=headers).status_code == status
        assert client.get("/step", headers=headers).status_code == 200  # a link to a page leads here


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://[", "http://localhost.evil.example"])
def test_pages_of_other_origins_cannot_make_a_browser_change_anything(make, origin):
    client = make().test_client()
    before = client.get("/sessions").json["payload"]
    response = client.post("/advance", headers={"Origin": origin})
    assert response.status_code == 403
    assert [one["time"] for one in client.get("/sessions").json["payload"]] == [one["time"] for one in before]
    assert client.post("/advance", headers={"Origin": "http://localhost"}).status_code == 200
    allowed = make(TRIVIUM_CORS_ORIGINS=origin).test_client()
    assert allowed.post("/advance", headers={"Origin": origin}).status_code == 200


def test_headers_tell_browsers_to_be_careful(make):
    for path in ("/step", "/no-such-route"):
        headers = make().test_client().get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["Referrer-Policy"] == "no-referrer"


def test_a_token_that_asks_too_often_is_told_when_to_come_again(make, tmp_path):
    tokens = create(tmp_path / "tokens.json")
    slow, fast = tokens.add("slow", ["read"], rate=2), tokens.add("fast", ["read"])
    client = make(TRIVIUM_TOKENS=str(tmp_path / "tokens.json"), TRIVIUM_RATE="1000").test_client()
    answers = [client.get("/step", headers=bearer(slow)) for _ in range(6)]
    codes = [answer.status_code for answer in answers]
    assert codes[:2] == [200, 200]
    assert 429 in codes
    refused = answers[codes.index(429)]
    assert int(refused.headers["Retry-After"]) >= 1
    assert [client.get("/step", headers=bearer(fast)).status_code for _ in range(6)] == [200] * 6


def test_rates_are_counted_over_processes_and_forgotten_with_time(tmp_path):
    workers = [Rates(tmp_path / "rates") for _ in range(2)]
    passed, started = 0, time.monotonic()
    for k in range(1000):
        try:
            workers[k % 2].count("somebody", 50)
            passed += 1
        except RateError:
            pass
    assert 50 <= passed <= 50 * (time.monotonic() - started + 1) + 1
    workers[0].count("somebody else", 50)
    time.sleep(1.1)
    workers[1].count("somebody", 50)


def test_threads_that_count_at_once_are_all_counted(tmp_path):
    rates, passed = Rates(tmp_path / "rates"), []

    def hammer():
        for _ in range(200):
            try:
                rates.count("somebody", 100)
                passed.append(1)
            except RateError:
                pass

    threads = [threading.Thread(target=hammer) for _ in range(4)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 100 <= len(passed) <= 100 * (time.monotonic() - started + 1) + 1


def test_an_fmu_can_be_brought_by_an_admin_where_that_is_on(make, tmp_path, tokens, secrets, small_resources):
    fmu = next(small_resources.glob("*.fmu")).read_bytes()
    folder = tmp_path / "testcases"
    folder.mkdir()
    off = make(TRIVIUM_TOKENS=tokens, TRIVIUM_TESTCASES=str(folder)).test_client()
    assert off.put("/testcases/mine", data=fmu, headers=bearer(secrets["admin"])).status_code == 403
    no_tokens = make(TRIVIUM_MAX_UPLOAD="100000000", TRIVIUM_TESTCASES=str(folder)).test_client()
    assert no_tokens.put("/testcases/mine", data=fmu).status_code == 403
    on = make(TRIVIUM_TOKENS=tokens, TRIVIUM_TESTCASES=str(folder), TRIVIUM_MAX_UPLOAD=str(len(fmu))).test_client()
    admin = bearer(secrets["admin"])
    for bad, data, status in (
        ("mine", b"no archive", 400),
        ("mine", fmu + b" ", 413),
        ("..", fmu, 400),
        (".hidden", fmu, 400),
        ("a b", fmu, 400),
    ):
        assert on.put(f"/testcases/{bad}", data=data, headers=admin).status_code == status, bad
    assert list(folder.iterdir()) == []
    response = on.put("/testcases/mine", data=fmu, headers=admin)
    assert (response.status_code, response.json["payload"]) == (200, {"testcaseid": "mine"})
    assert on.post("/testcases/mine/select", headers=bearer(secrets["control"])).status_code == 200
    assert on.put("/testcases/mine", data=fmu, headers=admin).status_code == 400  # never replaced
    on.put("/stop", headers=admin)


@pytest.mark.parametrize(
    "body", ['{"a":' * 33 + "1" + "}" * 33, '{"a": ' + "[" * 40000 + "]" * 40000 + "}", '{"a":' * 300000]
)
def test_what_is_nested_too_deep_is_refused(make, body):
    client = make().test_client()
    response = client.post("/advance", data=body, content_type="application/json")
    assert response.status_code in (400, 413)
    deep = '{"trajectory": [' + ",".join(['{"x[1]": 1}'] * 100) + "]}"
    assert "nested" not in client.post("/steps", data=deep, content_type="application/json").json["message"]


def test_what_is_open_needs_no_scope():
    assert required_scope(Operation("Server", None), "GET", "/health/live") is None
    assert required_scope(None, "DELETE", "/nowhere") == "control"
