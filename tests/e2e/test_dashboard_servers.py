"""The pages of further servers in a real browser: a coupled run, several workers, another model, tokens."""

from __future__ import annotations

import time

import numpy as np
import pytest

from tests.e2e.browser import PAGES
from tests.server import GUNICORN, Server
from tests.unit.coupling.cases import pair, put
from trivium.server.tokens import create


@pytest.fixture(scope="module")
def own_cases(tmp_path_factory):
    """A folder with a coupled case of two linear maps."""
    folder = tmp_path_factory.mktemp("cases")
    maps = (np.diag([0.5, -0.4]), np.ones(2), np.diag([0.9, 0.8]), np.ones(2))
    put(folder / "half", pair(*maps, tolerance=1e-6, max_iterations=50))
    return folder


@pytest.mark.slow
def test_a_coupled_run(browser, own_cases, small_resources, tmp_path):
    browser.look("laptop")
    with Server(small_resources, tmp_path / "state", TRIVIUM_STUDIES=str(own_cases), TRIVIUM_WORKER_JOBS="1") as server:
        browser.driver.get("about:blank")
        browser.complaints(server.url)
        solved = []
        for choose, press in ((browser.choose, browser.click), (browser.pick, browser.press)):
            browser.open(f"{server.url}/dashboard/new")
            choose("#new-kind", "converge")
            browser.until(lambda: '"case_name": "half"' in browser.one("#spec").get_attribute("value"))
            browser.until(lambda: "2 components" in browser.text("#case-about"))
            browser.until(lambda: "in order" in browser.text("#new-cost"))
            press("#submit-job")
            browser.until(lambda: "Success" in browser.text("#job-facts"))
            solved.append(browser.text("#job-facts"))
            browser.js("sessionStorage.clear()")  # neither what was chosen nor the job that is looked at
        assert solved[0] != solved[1]
        browser.until(lambda: len(browser.all("#results-chart .scatterlayer .trace")) >= 3)
        points = browser.js(
            "return document.querySelector('#results-chart .js-plotly-plot').data.map(d => [d.name, d.y])"
        )
        drawn = dict(points)
        job, _ = server.request("GET", "/api/run")[1]["payload"]
        assert len(drawn["delta"]) == job["iterations_run"] > 1
        assert drawn["delta"][-1] == pytest.approx(job["convergence_delta"])
        assert drawn["delta"][-1] <= drawn["tolerance"][-1]
        browser.until(lambda: "converged" in browser.text("#coupled-ending"))
        browser.until(lambda: len(browser.all("#coupled-graph .experiment")) == 2)
        browser.until(lambda: len(browser.all("#coupled-values .scatterlayer .trace")) == 4)
        assert browser.complaints(server.url) == []


@pytest.mark.slow
def test_several_workers_show_the_same(browser, small_resources, tmp_path):
    browser.look("laptop")
    with Server(small_resources, tmp_path / "state", (*GUNICORN[:3], "-w", "3", *GUNICORN[3:])) as server:
        assert len(server.workers()) == 3
        browser.driver.get("about:blank")
        browser.complaints(server.url)
        browser.open(f"{server.url}/dashboard/sessions")
        browser.choose("#controller", "hold")
        browser.choose("#pace", "0.1")
        browser.fill("#steps", "1000")
        browser.click("#run-steps")
        browser.until(lambda: "running" in browser.text("#run-state"))
        seen = []
        for _ in range(6):
            time.sleep(1)
            seen.append(browser.text("#run-state"))
        assert all("running" in one for one in seen), seen
        browser.click("#stop-run")
        browser.until(lambda: "stopped" in browser.text("#run-state"))
        assert browser.complaints(server.url) == []


def test_a_server_that_is_away_is_told(browser, small_resources, tmp_path):
    browser.look("laptop")
    with Server(small_resources, tmp_path / "state") as server:
        browser.open(f"{server.url}/dashboard/system")
        browser.until(lambda: browser.text("#health"))
    browser.until(lambda: "does not answer" in browser.text("#said"))


@pytest.mark.slow
def test_a_page_at_rest_tells_that_its_server_is_away_and_back(browser, small_resources, tmp_path, monkeypatch):
    browser.look("laptop")
    with Server(small_resources, tmp_path) as server:
        browser.open(f"{server.url}/dashboard/jobs")
        browser.until(lambda: "There is no job yet" in browser.text("#jobs-table"))
        browser.until(lambda: browser.text("#where"))
        time.sleep(3)  # longer than a stream takes for its first look: now the page asks nothing
    browser.until(lambda: "does not answer" in browser.text("#said"))
    monkeypatch.setattr("tests.server.free_port", lambda: server.port)
    with Server(small_resources, tmp_path):
        browser.until(lambda: "answers again" in browser.text("#said"))


@pytest.mark.slow
def test_any_other_model(browser, own_fmu, tmp_path):
    browser.look("laptop")
    with Server(own_fmu("linear", "2.0"), tmp_path / "state") as server:
        server.request("PUT", "/initialize", {"start_time": 0, "end_time": 100})
        server.request("POST", "/steps", {"steps": 3})
        browser.driver.get("about:blank")
        browser.complaints(server.url)
        browser.open(f"{server.url}/dashboard/")
        browser.until(lambda: browser.all("#plant-chart .scatterlayer .trace"))
        assert not browser.all("#plant-drawing svg")
        browser.click("#plant-points > summary")
        points = server.request("GET", "/measurements")[1]["payload"]
        browser.until(lambda: all(name in browser.text("#plant-points") for name in points))
        assert browser.violations() == []
        for path in PAGES:
            browser.open(f"{server.url}/dashboard/{path}")
            time.sleep(1)
        assert browser.complaints(server.url) == []


@pytest.mark.slow
def test_signing_in(browser, small_resources, tmp_path):
    token = create(tmp_path / "tokens.json").add("person", ["read"])
    browser.look("phone")
    with Server(small_resources, tmp_path / "state", TRIVIUM_TOKENS=str(tmp_path / "tokens.json")) as server:
        browser.driver.get("about:blank")
        browser.complaints(server.url)
        browser.driver.get(f"{server.url}/dashboard/")
        assert browser.driver.current_url == f"{server.url}/dashboard/login"
        assert browser.violations() == []
        browser.fill("#token", token)
        browser.click("button")
        browser.until(lambda: browser.text("main h1") == "Plant")
        assert token not in browser.js("return document.cookie")
        browser.open(f"{server.url}/dashboard/sessions")
        browser.click("#one-step")
        browser.until(lambda: "lacks the scope control" in browser.text("#said"))
        browser.click("button[name='leave']")
        browser.until(lambda: browser.driver.current_url.endswith("/dashboard/login"))
        assert browser.complaints(server.url) == []
