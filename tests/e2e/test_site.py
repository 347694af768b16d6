"""The site of `make docs` in a real browser, opened from disk: it finds what is searched for and loads nothing else."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.server import ROOT

pytestmark = pytest.mark.slow
PAGES = ["index.html", "how-to/write-a-controller.html", "reference/client.html", "notebooks/first_steps.html"]


@pytest.fixture(scope="module")
def site(browser, tmp_path_factory):
    pytest.importorskip("mkdocs_jupyter", reason="mkdocs and its plugins come with the extra docs")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=300)
    return folder


@pytest.fixture
def quiet(browser, site):
    """At the end of a test nothing but files of the site was loaded, and the console is empty."""
    browser.driver.get("about:blank")
    browser.complaints(site.as_uri())
    yield
    assert browser.complaints(site.as_uri()) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", ["laptop", "phone"])
@pytest.mark.parametrize("page", PAGES)
def test_pages(browser, site, quiet, page, size, dark):
    browser.look(size, dark=dark)
    browser.driver.get((site / page).as_uri())
    browser.js("localStorage.clear()")  # the colours that an earlier page chose
    browser.open((site / page).as_uri())
    scheme = "slate" if dark else "default"
    browser.until(lambda: browser.js("return document.body.dataset.mdColorScheme") == scheme)
    assert browser.overflow() <= 0
    assert browser.js("return [...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.src)") == []


@pytest.mark.parametrize(
    ("query", "target"),
    [("anderson acceleration", "coupling.html"), ("ClampedWarning", "reference/client.html"), ("judge", "notebooks/")],
)
def test_search(browser, site, quiet, query, target):
    browser.look("laptop")
    browser.open((site / "index.html").as_uri())
    browser.fill("input[name='query']", query)
    browser.until(lambda: any(target in link.get_attribute("href") for link in browser.all(".md-search-result__link")))


def test_following_a_result_marks_what_was_searched_for(browser, site, quiet):
    browser.look("laptop")
    browser.open((site / "how-to" / "migrate.html").as_uri())
    browser.fill("input[name='query']", "gauss-seidel")
    browser.click(".md-search-result__link[href*='coupling.html'][href$='#the-iteration']")
    browser.until(lambda: "gauss" in browser.text("main mark").lower())
