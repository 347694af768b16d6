"""The frame of the pages: what browsers may load, who may do what, what is told when something is refused."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys

import pytest

from trivium import extras
from trivium.application import create_app
from trivium.server.tokens import create
from trivium.settings import Settings


@pytest.fixture(scope="module")
def make(small_resources, tmp_path_factory):
    folder, apps = tmp_path_factory.mktemp("pages"), []

    def made(**variables):
        environ = {"TRIVIUM_RESOURCES": str(small_resources), "TRIVIUM_STATE_DIR": str(folder / "state"), **variables}
        apps.append(create_app(Settings(environ=environ)))
        return apps[-1]

    yield made
    for app in apps:
        app.extensions["trivium-sessions"].close()


@pytest.fixture(scope="module")
def app(make):
    return make()


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    path = tmp_path_factory.mktemp("tokens") / "tokens.json"
    known = create(path)
    return {
        name: known.add(name, scopes) for name, scopes in (("looker", ["read"]), ("driver", ["read", "control"]))
    } | {"path": str(path)}


@pytest.fixture
def guarded(make, tokens):
    return make(TRIVIUM_TOKENS=tokens["path"])


def press(client, button, **states):
    """What a browser sends when a button is pressed; the default session is chosen."""
    found = next(
        one
        for one in client.get("/dashboard/_dash-dependencies").json
        if one["output"].startswith(f"{button}.n_clicks")
    )
    session = next(one["testid"] for one in client.get("/sessions").json["payload"] if one["default"])
    values = {"session": session, **states}
    body = {
        "output": found["output"],
        "outputs": {"id": button, "property": "n_clicks"},
        "inputs": [{"id": button, "property": "n_clicks", "value": states.pop("clicks", 1)}],
        "changedPropIds": [f"{button}.n_clicks"],
        "state": [{**one, "value": values.get(one["id"])} for one in found["state"]],
    }
    return client.post("/dashboard/_dash-update-component", json=body)


def said(response):
    assert response.status_code == 200, response.text
    return response.json["sideUpdate"]["said"]["children"]


def test_the_policy_of_the_pages_lets_nothing_in_from_elsewhere(app):
    policy = app.test_client().get("/dashboard/").headers["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["frame-ancestors"] == "'none'"
    assert "unsafe" not in rules["script-src"]
    assert not re.search(r"https?:|\*", policy)


def test_the_pages_load_no_script_from_elsewhere_and_none_that_the_policy_forbids(app):
    page = app.test_client().get("/dashboard/").text
    assert all(source.startswith("/dashboard/") for source in re.findall(r'(?:src|href)="([^"]+)"', page))


def test_no_request_has_to_come_first_for_the_scripts_to_be_served(app, make):
    """Another worker may get the page, and two requests may be the first at once."""
    scripts = re.findall(r'<script src="([^"]+)"', app.test_client().get("/dashboard/").text)
    fresh = make()
    first = fresh.before_request_funcs[None]
    first[:] = [function for function in first if not function.__module__.startswith("dash")]
    assert len(scripts) > 5
    for script in scripts:
        with fresh.test_client().get(script) as response:
            assert response.status_code == 200, script


def test_other_replies_keep_their_own_policy(app):
    policy = app.test_client().get("/version").headers["Content-Security-Policy"]
    assert policy == "default-src 'none'; frame-ancestors 'none'"


def test_the_address_without_a_slash_leads_to_the_pages(app):
    response = app.test_client().get("/dashboard")
    assert response.status_code == 308
    assert response.headers["Location"].endswith("/dashboard/")


def test_a_button_that_was_not_pressed_does_nothing(app):
    client = app.test_client()
    before = client.get("/sessions").json["payload"]
    assert press(client, "one-step", clicks=0).status_code == 204
    assert [one["time"] for one in client.get("/sessions").json["payload"]] == [one["time"] for one in before]


def test_what_is_refused_is_told_in_a_sentence_and_is_no_error_of_the_server(app):
    client = app.test_client()
    refused = said(press(client, "initialize", **{"start-time": "tomorrow", "end-time": ""}))
    assert refused.startswith("Not done: Start must be ")
    assert "steps" in said(press(client, "run-steps", steps="-1", controller="hold", pace="0"))
    assert "no controller clever" in said(press(client, "run-steps", steps="3", controller="clever", pace="0"))
    for session in ("missing", "../../etc"):
        assert said(press(client, "one-step", session=session)).startswith("Not done: ")
    assert "Choose a session" in said(press(client, "one-step", session=None))


def test_who_has_no_token_is_led_to_the_form(guarded):
    client = guarded.test_client()
    chromium = (
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
        "application/signed-exchange;v=b3;q=0.7"
    )
    firefox = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    for accept in ("text/html", chromium, firefox):
        response = client.get("/dashboard/", headers={"Accept": accept})
        assert (response.status_code, response.headers["Location"]) == (303, "/dashboard/login")
    for accept in ("*/*", "application/json"):
        assert client.get("/dashboard/", headers={"Accept": accept}).status_code == 401
    assert client.post("/dashboard/_dash-update-component", json={}).status_code == 401
    form = client.get("/dashboard/login")
    assert form.status_code == 200
    assert 'for="token"' in form.text
    assert "script" not in form.headers["Content-Security-Policy"]


def test_signing_in_and_out(guarded, tokens):
    client = guarded.test_client()
    wrong = client.post("/dashboard/login", data={"token": "trivium_guess"})
    assert wrong.status_code == 401
    assert "Set-Cookie" not in wrong.headers
    assert "not known" in wrong.text
    assert "trivium_guess" not in wrong.text
    right = client.post("/dashboard/login", data={"token": tokens["driver"]})
    assert (right.status_code, right.headers["Location"]) == (303, "/dashboard/")
    cookie = right.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert client.get("/dashboard/", headers={"Accept": "text/html"}).status_code == 200
    out = client.post("/dashboard/login", data={"leave": "1"})
    assert out.headers["Location"] == "/dashboard/login"
    assert client.get("/dashboard/", headers={"Accept": "text/html"}).status_code == 303


def test_who_may_only_read_changes_nothing(guarded, tokens):
    client = guarded.test_client()
    client.post("/dashboard/login", data={"token": tokens["looker"]})
    before = client.get("/sessions").json["payload"]
    for button in ("one-step", "run-steps", "initialize", "stop-run", "cancel-job"):
        assert "lacks the scope" in said(press(client, button))
    assert [one["time"] for one in client.get("/sessions").json["payload"]] == [one["time"] for one in before]


def test_every_callback_that_answers_a_button_asks_for_a_scope_but_those_that_only_show(app):
    """Whatever has a button as its input goes through `deed`; Dash would otherwise call it when it appears."""
    for one in app.test_client().get("/dashboard/_dash-dependencies").json:
        presses = [given["property"] for given in one["inputs"]]
        if "n_clicks" in presses and not one["clientside_function"]:  # what the browser does alone only shows
            assert one["prevent_initial_call"], one["output"]


def test_who_may_control_does(guarded, tokens):
    client = guarded.test_client()
    client.post("/dashboard/login", data={"token": tokens["driver"]})
    assert "The session is at 0 d 00:05 (300 s)." in said(press(client, "one-step"))
    assert "lacks the scope jobs" in said(press(client, "cancel-job", job="x"))


def test_pages_need_no_package_of_sweeps_until_somebody_looks_at_one():
    code = "import sys, trivium.dashboard.site; print(*({'numba', 'h5py', 'distributed', 'trivium.study'} & {*sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_without_dash_the_answer_says_what_is_missing(make, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "dash" else real(name, *more))
    client = make().test_client()
    for path in ("/dashboard", "/dashboard/", "/dashboard/jobs"):
        response = client.get(path)
        assert response.status_code == 501
        assert extras.command("dashboard") in response.json["message"]
    assert client.get("/version").status_code == 200


def test_the_listing_of_routes_leaves_the_parts_of_the_pages_out(app):
    assert not [route for route in app.test_client().get("/").json["payload"]["routes"] if "dashboard" in route]
