"""The page at `/` in a real browser: readable at every size, silent, and its links lead somewhere."""

from __future__ import annotations

import pytest

from tests.e2e.browser import SIZES
from tests.server import Server


@pytest.fixture(scope="module")
def server(browser, small_resources, tmp_path_factory):
    with Server(small_resources, tmp_path_factory.mktemp("landing")) as running:
        yield running


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_the_page(browser, server, size, dark):
    browser.look(size, dark=dark)
    browser.open(f"{server.url}/")
    ground = browser.js("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (sum(ground) < 3 * 128) == dark  # so the policy lets the style in
    assert browser.overflow() <= 0
    assert browser.violations() == []
    assert browser.complaints(server.url) == []


@pytest.mark.slow
@pytest.mark.parametrize(("link", "heading"), [("dashboard/", "Plant"), ("openapi", "Trivium")])
def test_its_links(browser, server, link, heading):
    browser.look("laptop")
    browser.open(f"{server.url}/")
    browser.click(f"a[href='{link}']")
    browser.until(lambda: heading in browser.text("main h1, main h2.title"))
    assert browser.complaints(server.url) == []
