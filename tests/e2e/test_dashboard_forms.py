"""Jobs from forms, in a real browser, on a server as it is after a checkout."""

from __future__ import annotations

import json

import pytest

from tests.server import ROOT, Server
from trivium.client import Client


@pytest.fixture(scope="module")
def server(browser, tmp_path_factory):
    variables = {"TRIVIUM_WORKER_JOBS": "2", "OMP_NUM_THREADS": "1"}
    with Server(ROOT / "Resources", tmp_path_factory.mktemp("forms"), **variables) as running:
        yield running


@pytest.fixture(autouse=True)
def forgetful(browser, server):
    """The browser has forgotten what the forms of an earlier test held."""
    browser.open(f"{server.url}/dashboard/")
    browser.js("sessionStorage.clear(); localStorage.clear()")
    browser.driver.get("about:blank")


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
    assert len({*metrics["ener_tot"]}) > 1
    open_a_run(browser, server, task)
    assert browser.complaints(server.url) == []


def open_a_run(browser, server, task):
    """From a cell of the heat map to its run, and to a session that does the same steps; the report in its frame."""
    browser.choose("#across", "Tchws_set_CHI")
    browser.choose("#up", "Tchws_set_HEX")
    browser.until(lambda: browser.all("#results-chart .heatmaplayer image"))
    browser.choose("#job-page", "results/report.html")
    frame = browser.one("#job-frame iframe")
    assert frame.get_attribute("sandbox") == "allow-scripts"
    browser.driver.switch_to.frame(frame)
    browser.until(lambda: browser.all("svg"))
    assert browser.js("return self.origin") == "null"
    browser.driver.switch_to.default_content()
    browser.click_within("#results-chart .nsewdrag")
    browser.click("#cell-runs a")
    browser.until(lambda: browser.all("#study-curves .scatterlayer .trace"))
    run = int(browser.text("#study-runs tbody th"))
    browser.click("#study-runs button[aria-label^='Open run']")
    browser.until(lambda: browser.text("main h1") == "Plant")
    testid = browser.until(lambda: browser.js("return new URL(location).searchParams.get('session')"))
    browser.until(lambda: done(server, testid))
    mine = server.request("GET", f"/kpi/{testid}?names=ener_tot")[1]["payload"]["ener_tot"]
    payload = server.request("GET", f"/api/run/results/{task}/selection")[1]["payload"]
    assert mine == pytest.approx(payload["metrics"]["ener_tot"][payload["run"].index(run)], rel=1e-9)


def done(server, testid):
    """Return whether a session is at the end of the day that the runs simulate."""
    sessions = server.request("GET", "/sessions")[1]["payload"]
    return any(each["testid"] == testid and each["time"] == 8_380_800 + 86_400 for each in sessions)


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
    browser.choose("#new-kind", "calibrate")
    browser.until(lambda: "Fill in the form" in browser.text("#new-cost"))
    browser.choose("#new-model", "file:fuel_cycle/FuelCycle.fmu")
    browser.until(lambda: browser.all("#fit-columns fieldset"))
    browser.one("#new-others").send_keys("bz.TBR")
    browser.until(lambda: "Rounds of up to 3 runs of 100 steps" in browser.text("#new-cost"))
    spec = json.loads(browser.one("#spec").get_attribute("value"))
    assert spec["calibrate"]["measured"] == {"sds.inventory": {"column": "inventory"}}


@pytest.mark.slow
def test_what_a_researcher_does_with_a_session_by_keyboard_alone(browser, server, tmp_path):
    from selenium.webdriver.common.keys import Keys

    browser.look("laptop")
    browser.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    browser.open(f"{server.url}/dashboard/")
    browser.turn_to("sessions")
    browser.press("#new-session")
    browser.until(lambda: "is chosen now" in browser.text("#said"))
    testid = browser.one("#session").get_attribute("value")
    browser.write("#start-time", "2020-07-20 06:00")
    browser.press("#initialize")
    browser.press("#question[open] button[value=yes]")
    browser.until(lambda: "Mon 20 Jul 2020 06:00" in browser.text("#where"))
    browser.pick("#controller", "rules")
    browser.write("#steps", "12")
    browser.press("#run-steps")
    browser.until(lambda: "rules: 12 of 12 steps, done" in browser.text("#run-state"))

    browser.turn_to("")
    browser.until(lambda: browser.all("#plant-chart .scatterlayer .trace"))
    browser.press("#plant-wide [data-unit='supply']")
    browser.until(lambda: browser.text("#unit-title") == "Chilled water supply")
    browser.keys(Keys.ESCAPE)
    browser.press("#plant-chart-files a")
    (rows,) = browser.until(lambda: [*tmp_path.glob("*.csv")])
    assert len(rows.read_text().splitlines()) == 1 + 13

    browser.turn_to("sessions")
    browser.pick("#input-name", "Tchws_set_CHI")
    browser.write("#input-value", "16 °C")
    browser.press("#set-input")
    browser.until(lambda: "16.0 °C" in browser.text("#given-table"))
    browser.press("#take")
    browser.press("#snapshot-table button[aria-label^='Fork snapshot']")
    forked = browser.until(lambda: (now := browser.one("#session").get_attribute("value")) != testid and now)
    browser.pick("#controller", "look-ahead")
    browser.write("#steps", "2")
    browser.press("#run-steps")
    browser.until(lambda: "look-ahead: 2 of 2 steps, done" in browser.text("#run-state"))
    assert "16.0 °C" in browser.text("#given-table")

    browser.turn_to("runs")
    browser.pick("#plan-period", "scenario peak heat")
    browser.pick("#plan-uncertainty", "medium")
    browser.write("#plan-days", "0.01")
    browser.write("#plan-name", "peak")
    browser.until(lambda: "0.01" in browser.one("#plan-days").get_attribute("value"))
    browser.press("#plan-run")
    planned = browser.until(lambda: (now := browser.one("#session").get_attribute("value")) != forked and now)
    scenario = server.request("GET", f"/scenario/{planned}")[1]["payload"]
    assert (scenario["time_period"], scenario["temperature_uncertainty"]) == ("peak_heat", "medium")
    browser.turn_to("")
    browser.write("#points", "Twb_outside")
    forecast = "return document.querySelector('#plant-chart .js-plotly-plot').data.map(d => d.name)"
    browser.until(lambda: "Twb_outside (forecast)" in browser.js(forecast))
    browser.until(lambda: "nine of ten cases" in browser.text("#plant-chart-limits"))
    browser.pick("#ahead", "nothing")
    browser.until(lambda: "Twb_outside (forecast)" not in browser.js(forecast))
    browser.turn_to("runs")
    browser.write("#runs-search", "peak")
    browser.until(lambda: "1 to 1 of 1 run" in browser.text("#runs-place"))
    browser.write("#runs-search", Keys.DELETE)
    for name in (testid, forked):
        browser.press(f"button[aria-label='Pin run {name[:8]}']")
    browser.until(lambda: "ener_tot" in browser.text("#compared-kpis"))
    browser.turn_to("indicators")
    browser.until(lambda: "kWh" in browser.text("#kpi-table"))
    with Client(server.url) as client:
        for gone in (testid, forked, planned):
            client.session(gone).close()


@pytest.mark.slow
def test_what_a_researcher_does_with_jobs_by_keyboard_alone(browser, server):
    from selenium.webdriver.common.keys import Keys

    browser.look("laptop")
    browser.open(f"{server.url}/dashboard/")
    browser.turn_to("new")
    for name in ("Tchws_set_CHI", "Tchws_set_HEX"):
        browser.tab_to(f"#new-ticks input[value='{name}']")
        browser.keys(Keys.SPACE)
        browser.until(lambda name=name: name in browser.one("#spec").get_attribute("value"))
    browser.write("#new-stop", "2020-07-07 01:00")
    browser.until(lambda: "Tue 7 Jul 2020 01:00" in browser.text("#new-times"))
    browser.until(lambda: "9 runs of 12 steps" in browser.text("#new-cost"))
    browser.press("#submit-job")
    browser.until(lambda: "Success" in browser.text("#job-facts"))
    browser.until(lambda: "9 of 9 runs" in browser.text("#results-note"))
    browser.pick("#across", "Tchws_set_CHI")
    browser.pick("#up", "Tchws_set_HEX")
    browser.until(lambda: browser.all("#results-chart .heatmaplayer image"))

    browser.turn_to("new")
    browser.pick("#new-kind", "step")
    browser.until(lambda: "steps" in browser.text("#new-cost"))  # of the times that the form proposes
    browser.write("#new-stop", "30000000")
    browser.until(lambda: "72064 steps" in browser.text("#new-cost"))
    browser.press("#submit-job")
    browser.until(lambda: "Running" in browser.text("#job-facts"))
    browser.press("#cancel-job")
    browser.press("#question[open] button[value=yes]")
    browser.until(lambda: "Cancelled" in browser.text("#job-facts"))
