"""The page at `/`: who gets it, what it may load, and what it says where something is missing."""

from __future__ import annotations

import base64
import hashlib
import html
import importlib.util
import re
from importlib import metadata

import pytest

from trivium import extras
from trivium.application import create_app
from trivium.server.tokens import create
from trivium.settings import Settings

CHROMIUM = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
CURL_REQUESTS_AND_URLLIB3 = "*/*"
AXIOS = "application/json, text/plain, */*"


@pytest.fixture(scope="module")
def make(small_resources, tmp_path_factory):
    """A client of an application with these settings; the same ones share one."""
    apps, state = {}, tmp_path_factory.mktemp("landing")

    def made(**variables):
        key = tuple(sorted(variables.items()))
        if key not in apps:
            environ = {"TRIVIUM_RESOURCES": str(small_resources), "TRIVIUM_STATE_DIR": str(state), **variables}
            apps[key] = create_app(Settings(environ=environ))
        return apps[key].test_client()

    yield made
    for app in apps.values():
        app.extensions["trivium-sessions"].close()


def get(client, accept=CHROMIUM, **headers):
    return client.get("/", headers={} if accept is None else {"Accept": accept, **headers})


def test_browsers_get_a_page_and_programs_json(make):
    client = make()
    page = get(client)
    assert page.content_type == "text/html; charset=utf-8"
    assert {'href="dashboard/"', 'href="openapi"', 'href="inputs"'} <= set(re.findall(r'href="[^"]*"', page.text))
    for accept in (None, CURL_REQUESTS_AND_URLLIB3, AXIOS, "application/json"):
        reply = get(client, accept)
        assert reply.content_type == "application/json"
        assert list(reply.json) == ["status", "message", "payload"]
        assert "PUT /initialize" in reply.json["payload"]["routes"]
    for response in (page, reply):
        assert "Accept" in response.headers["Vary"]


def test_origins_that_may_call_are_told_apart_too(make):
    page = get(make(TRIVIUM_CORS_ORIGINS="*"), Origin="http://a.example")
    assert {"Accept", "Origin"} <= {name.strip() for name in ",".join(page.headers.getlist("Vary")).split(",")}


def test_the_page_may_load_nothing_but_its_own_style(make):
    page = get(make())
    policy = dict(part.split(" ", 1) for part in page.headers["Content-Security-Policy"].split("; "))
    (style,) = re.findall(r"<style>(.*?)</style>", page.text, re.DOTALL)
    of_style = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy["style-src"] == f"'sha256-{of_style}'"
    assert policy["default-src"] == "'none'"
    assert "script-src" not in policy
    assert "<script" not in page.text
    assert page.headers["X-Frame-Options"] == "DENY"


def test_the_commands_name_the_server_that_was_asked(make):
    page = make().get("/", headers={"Accept": CHROMIUM, "Host": "127.0.0.1:5077"})
    assert "curl -X PUT http://127.0.0.1:5077/initialize " in page.text
    assert "Bearer" not in page.text


def test_a_stranger_sees_the_page_and_no_routes(make, tmp_path):
    path = tmp_path / "tokens.json"
    create(path)
    client = make(TRIVIUM_TOKENS=str(path))
    page = get(client)
    assert page.status_code == 200
    assert "-H &#39;Authorization: Bearer TOKEN&#39;" in page.text
    assert get(client, AXIOS).status_code == 401
    assert client.get("/inputs", headers={"Accept": CHROMIUM}).status_code == 401


def test_without_dash_the_page_says_what_brings_it(make, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "dash" else find(name, *rest))
    page = get(make()).text
    assert "dashboard/" not in page
    assert f"not installed; install it with: <code>{extras.command('dashboard')}</code>" in html.unescape(page)


@pytest.mark.parametrize(
    ("urls", "link"),
    [
        (
            ["Source, https://a.example/s", "Documentation, https://a.example/?a=1&b"],
            'href="https://a.example/?a=1&amp;b"',
        ),
        (None, "make docs"),
    ],
)
def test_the_documentation_is_where_the_package_says(make, monkeypatch, urls, link):
    class Metadata:
        def get_all(self, name):
            return urls

    monkeypatch.setattr("trivium.server.landing.metadata", lambda _: Metadata())
    assert link in get(make()).text


def test_the_documentation_of_a_package_that_is_not_installed(make, monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr("trivium.server.landing.metadata", missing)
    assert "make docs" in get(make()).text
