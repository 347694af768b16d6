"""Jobs from forms, in a real browser, on a server as it is after a checkout."""

from __future__ import annotations

import json

import pytest

from tests.server import ROOT, Server


@pytest.fixture(scope="module")
def server(browser, tmp_path_factory):
    variables = {"TRIVIUM_WORKER_JOBS": "2", "OMP_NUM_THREADS": "1"}
    with Server(ROOT / "Resources", tmp_path_factory.mktemp("forms"), **variables) as running:
        yield running


@pytest.mark.slow
def test_a_sweep_of_two_set_points_takes_twelve_clicks_at_most(browser, server):
    browser.look("laptop")
    browser.open(f"{server.url}/dashboard/")
    browser.complaints(server.url)
    clicks = 0

    def click(selector):
        nonlocal clicks
        clicks += 1
        browser.click(selector)

    click("nav a[href='/dashboard/new']")
    for name in ("Tchws_set_CHI", "Tchws_set_HEX"):
        click(f"#new-ticks input[value='{name}']")
        browser.until(lambda name=name: name in browser.one("#spec").get_attribute("value"))
    click("#new-kpis input[value='ener_chillers']")
    browser.until(lambda: "ener_chillers" in browser.one("#spec").get_attribute("value"))
    browser.until(lambda: "9 runs of 288 steps" in browser.text("#new-cost"))
    click("#submit-job")
    browser.until(lambda: browser.text("main h1") == "Jobs")
    assert clicks <= 12
    (job,) = server.request("GET", "/api/run")[1]["payload"]
    task = job["task_id"]
    browser.until(lambda: "Success" in browser.text("#job-facts"))
    browser.until(lambda: "9 of 9 runs" in browser.text("#results-note"))
    metrics = server.request("GET", f"/api/run/results/{task}/selection")[1]["payload"]["metrics"]
    assert {*metrics} == {"ener_tot", "tdis_tot", "ener_chillers"}
    assert len({*metrics["ener_chillers"]}) == 9
    assert browser.complaints(server.url) == []


@pytest.mark.slow
def test_a_goal_an_edited_specification_and_a_test(browser, server):
    browser.open(f"{server.url}/dashboard/new")
    browser.choose("#new-kind", "find")
    browser.click("#new-ticks input[value='Tchws_set_CHI']")
    browser.fill("#new-bound", "20000")
    browser.until(lambda: '"so_that": "ener_tot <= 20000.0"' in browser.one("#spec").get_attribute("value"))
    browser.until(lambda: "runs of 288 steps" in browser.text("#new-cost"))
    spec = json.loads(browser.one("#spec").get_attribute("value"))
    browser.fill("#spec", json.dumps({**spec, "testcase": "colling"}))
    browser.until(lambda: "no test case colling" in browser.text("#new-cost"))
    browser.choose("#new-kind", "step")
    browser.until(lambda: "288 steps" in browser.text("#new-cost"))
    assert json.loads(browser.one("#spec").get_attribute("value"))["controller"] == "rules"
