"""The dashboard in a real browser: every page while a session runs and a sweep is under way, and all that can be done."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import time

import pytest
from pyarrow import parquet

from tests.e2e.browser import PAGES, SIZES
from tests.server import ROOT, Server
from tests.trap_fmu import Trap
from trivium.client import Client

STUDY = {
    "folder": "fuel_cycle",
    "paths": {"package_path": "./FuelCycle.fmu"},
    "simulation": {"variableFilter": "time|sds.inventory", "stop_time": 2400, "step_size": 1},
    "simulation_parameters": {"bz.TBR": [1.05, 1.2], "plasma.Burn_Fraction": [0.02, 0.05]},
    "metrics": {"start": {"variable": "sds.inventory", "method": "startup_inventory"}},
}
START = 7_800_000


def PLOT(chart):  # noqa: N802 - of JavaScript
    """Return the expression of a chart's plot."""
    return f"document.querySelector('#{chart} .js-plotly-plot')"


@pytest.fixture(scope="module")
def server(browser, studies, tmp_path_factory):
    variables = {"TRIVIUM_STUDIES": str(studies), "TRIVIUM_WORKER_JOBS": "2", "OMP_NUM_THREADS": "1"}
    with Server(ROOT / "Resources", tmp_path_factory.mktemp("dashboard"), **variables) as running:
        yield running


@pytest.fixture
def quiet(browser, server):
    """At the end of a test the browser must have had nothing to complain about."""
    browser.driver.get("about:blank")
    browser.complaints(server.url)
    yield
    assert browser.complaints(server.url) == []
    assert "Traceback" not in server.log.read_text()


def stand(server, testid=None):
    sessions = server.request("GET", "/sessions")[1]["payload"]
    return next(one for one in sessions if (one["testid"] == testid if testid else one["default"]))


def fetched(server, method, path):
    """Return the body of a reply that is no JSON."""
    with contextlib.closing(server.connect()) as connection:
        connection.request(method, path)
        return connection.getresponse().read()


@pytest.fixture(scope="module")
def studies(tmp_path_factory, trap_fmu):
    """The fuel cycle, and an FMU whose steps take a while and no processor."""
    folder = tmp_path_factory.mktemp("studies")
    shutil.copytree(ROOT / "examples" / "fuel_cycle", folder / "fuel_cycle")
    (folder / "patient").mkdir()
    shutil.copy(trap_fmu(), folder / "patient" / "Patient.fmu")
    return folder


@pytest.fixture(scope="module")
def alive(server):
    """A session that runs step by step, and a sweep under way."""
    server.request("PUT", "/initialize", {"start_time": START})
    server.request("POST", "/steps", {"steps": 20})
    many = {
        "folder": "patient",
        "paths": {"package_path": "Patient.fmu"},
        "max_concurrent": 1,
        "simulation": {"variableFilter": "y", "stop_time": 10, "step_size": 1},
        "simulation_parameters": {"u": "linspace:280:300:3000", "trap": [int(Trap.SLOW)], "amount": [50]},
    }
    task = server.request("POST", "/api/run/sweep", many)[1]["task_id"]
    yield task
    server.request("POST", f"/api/run/cancel/{task}")


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_every_page(browser, server, alive, quiet, tmp_path, size, dark):
    browser.look(size, dark=dark)
    browser.open(f"{server.url}/dashboard/sessions")
    browser.fill("#steps", "20000")
    browser.choose("#pace", "0.1")
    browser.click("#run-steps")
    browser.until(lambda: "running" in browser.text("#run-state"))
    wrong = []
    try:
        for path, title in PAGES.items():
            browser.click(f"nav a[href='/dashboard/{path}']")
            browser.until(lambda title=title: browser.text("main h1") == title)
            if path == "jobs":
                browser.click(f"button[aria-label='View job {alive[:8]}']")
                browser.until(lambda: "Running" in browser.text("#job-facts"))
            settled(browser, path)
            assert browser.text("nav a[aria-current='page']") == title
            if (wider := browser.overflow()) > 0:
                wrong.append(f"{title} is {wider} px wider than the window")
            wrong += [f"{title}: {one}" for one in browser.violations()]
            if path in ("sessions", "runs", "jobs"):
                wrong += [f"{title}: {one} scrolls sideways" for one in browser.scrolling()]
            browser.shot(tmp_path / f"{size}-{title}.png")
    finally:
        browser.click("nav a[href='/dashboard/sessions']")
        browser.click("#stop-run")
        browser.until(lambda: "stopped" in browser.text("#run-state"))
    assert wrong == []


def settled(browser, path):
    """Wait until a page shows what it is for."""
    what = {
        "": lambda: browser.all("#plant-drawing svg") and browser.all("#plant-chart .scatterlayer .trace"),
        "sessions": lambda: browser.all("#sessions-table tbody tr"),
        "indicators": lambda: "kWh" in browser.text("#kpi-table") and browser.all("#kpi-chart .scatterlayer .trace"),
        "runs": lambda: browser.all("#runs-table tbody tr") and browser.all("#plan-weather .scatterlayer .trace"),
        "jobs": lambda: browser.all("#jobs-table tbody tr"),
        "studies": lambda: browser.all("#study-parallel .scatterlayer .trace"),
        "new": lambda: "runs of" in browser.text("#new-cost") or "run of" in browser.text("#new-cost"),
        "system": lambda: "Ready to step" in browser.text("#health"),
    }
    browser.until(what[path], path)


@pytest.mark.slow
def test_the_drawing_follows_the_plant(browser, server, quiet):
    browser.look("laptop")
    server.request("PUT", "/initialize", {"start_time": START})
    browser.open(f"{server.url}/dashboard/")
    seen = browser.until(lambda: browser.text("#plant-wide svg"))
    reply = server.request("POST", "/advance", {"CHWP05_ONOFF": 1, "CHWP05_rpm": 777, "Tchws_set_CHI": 286.15})[1][
        "payload"
    ]
    browser.until(lambda: "777" in browser.text("#plant-wide svg"))
    assert "777" not in seen
    assert f"{reply['Tchw_supply'] - 273.15:.1f} °C" in browser.text("#plant-wide svg")
    assert "90 d 06:45" in browser.text("#plant-figures")
    described = browser.one("#plant-wide svg").get_attribute("aria-label")
    assert "2 of 6 chilled water pumps" in described
    browser.look("phone")
    assert browser.one("#plant-tall svg")
    assert not browser.one("#plant-drawing").find_element("css selector", "#plant-wide").is_displayed()


def drawn(browser, chart="plant-chart"):
    """Return the curves of a chart by name: times and values."""
    curves = browser.js(f"return {PLOT(chart)}.data.map(d => [d.name, d.x, d.y])")
    return {name: (x, y) for name, x, y in curves}


def window(browser, chart="plant-chart"):
    """Return the window of a chart [s], once it is there."""
    return browser.until(lambda: browser.js(f"return {PLOT(chart)}.layout.xaxis.range"))


def zoom(browser, start, end, chart="plant-chart"):
    """Look at a window [s], by dragging over the chart."""
    from selenium.webdriver import ActionChains

    area = browser.one(f"#{chart} .nsewdrag")
    browser.js("arguments[0].scrollIntoView({block: 'center'})", area)
    low, high = window(browser, chart)
    width = area.size["width"]
    at = [round(width * ((each - low) / (high - low) - 0.5)) for each in (start, end)]
    move = ActionChains(browser.driver).move_to_element_with_offset(area, at[0], 0).click_and_hold()
    move.move_by_offset(at[1] - at[0], 3).release().perform()
    browser.until(lambda: window(browser, chart) != [low, high])


@pytest.mark.slow
def test_a_zoom_holds_while_the_session_goes_on(browser, server, quiet):
    from selenium.webdriver import ActionChains

    browser.look("laptop")
    server.request("PUT", "/initialize", {"start_time": START})
    server.request("POST", "/steps", {"steps": 80})
    server.request("POST", "/snapshot")
    server.request("POST", "/steps", {"steps": 20, "action": {"Tchws_set_CHI": 289.15}})
    browser.open(f"{server.url}/dashboard/")
    browser.until(lambda: "Tchw_supply" in browser.text("#plant-chart"))
    assert browser.until(lambda: window(browser)) == [START, START + 100 * 300]
    curves = drawn(browser)
    assert curves["Tchw_supply"][0][0] == START  # the first row of the session
    assert "Tchws_set_CHI (set point)" in curves
    assert "30 Jun" in browser.text("#plant-chart .xtick text")
    assert "13.5 °C to 14.5 °C" in browser.text("#plant-chart-limits")
    assert browser.js("return document.querySelector('#plant-chart-events').textContent").count("Snapshot") == 1
    zoom(browser, START + 40 * 300, START + 60 * 300)
    held = window(browser)
    assert held == [pytest.approx(START + 40 * 300, abs=300), pytest.approx(START + 60 * 300, abs=300)]
    for _ in range(20):
        server.request("POST", "/advance", {})
    end = START + 120 * 300
    browser.until(lambda: f"{end:,}".replace(",", "\u202f") in browser.text("#where"))
    time.sleep(3)  # a page looks every 2 s at most
    assert window(browser) == held
    link = browser.driver.current_url

    def whole():
        """Double-click; on a machine that is busy the two clicks may come too late after one another."""
        ActionChains(browser.driver).double_click(browser.one("#plant-chart .nsewdrag")).perform()
        time.sleep(0.5)
        return window(browser) == [START, end]

    browser.until(whole)
    browser.driver.get("about:blank")  # a browser that knows nothing but the address
    browser.driver.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": server.url, "storageTypes": "all"})
    browser.open(link)
    browser.until(lambda: window(browser) == held)
    assert {*drawn(browser)} == {*curves}


@pytest.mark.slow
def test_what_is_shown_is_saved(browser, server, quiet, tmp_path):
    browser.look("laptop")
    server.request("PUT", "/initialize", {"start_time": START})
    server.request("POST", "/steps", {"steps": 30})
    browser.open(f"{server.url}/dashboard/")
    browser.until(lambda: window(browser) == [START, START + 9000])
    links = {one.text: one.get_attribute("href") for one in browser.all("#plant-chart-files a")}
    rows = fetched(server, "GET", links["CSV"].removeprefix(server.url)).decode().splitlines()
    browser.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    browser.click("#plant-chart-files a")
    (saved,) = browser.until(lambda: [*tmp_path.glob("*.csv")])
    assert saved.read_text().splitlines() == rows
    names = rows[0].split(",")
    asked = {"point_names": names[1:], "start_time": START, "final_time": START + 9000}
    columns = server.request("PUT", "/results", asked)[1]["payload"]
    assert [[float(cell) for cell in row.split(",")] for row in rows[1:]] == [
        [columns[name][place] for name in names] for place in range(31)
    ]
    table = parquet.read_table(io.BytesIO(fetched(server, "GET", links["Parquet"].removeprefix(server.url))))
    assert table.to_pydict() == {name: columns[name] for name in names}
    for title in ("Share", "cloud"):
        assert not browser.all(f".modebar-btn[aria-label*='{title}']")
    picture = browser.driver.execute_async_script(
        f"const done = arguments[0]; Plotly.toImage({PLOT('plant-chart')}, {{format: 'png'}}).then(done)"
    )
    assert picture.startswith("data:image/png;base64,")
    _look_ahead(browser, server)


def _look_ahead(browser, server):
    """In a scenario forecasts are drawn from now on where they err, with a fan that is the wider the later."""
    browser.click("nav a[href='/dashboard/runs']")
    browser.choose("#plan-period", "peak_heat")
    browser.choose("#plan-uncertainty", "high")
    browser.fill("#plan-days", "0.01")
    browser.click("#plan-run")
    browser.until(lambda: "it is chosen now" in browser.text("#said"))
    testid = browser.one("#session").get_attribute("value")
    scenario = server.request("GET", f"/scenario/{testid}")[1]["payload"]
    assert (scenario["time_period"], scenario["temperature_uncertainty"]) == ("peak_heat", "high")
    events = server.request("GET", f"/events/{testid}")[1]["payload"]
    now = next(event["time"] for event in events if event["kind"] == "initialize") + 3 * 300
    browser.until(lambda: stand(server, testid)["time"] == now)
    browser.open(f"{server.url}/dashboard/?session={testid}&points=Twb_outside,Tchw_supply")
    times, values = browser.until(lambda: drawn(browser).get("Twb_outside (forecast)"))
    asked = {"point_names": ["Twb_outside"], "horizon": 21600, "interval": 300}
    ahead = server.request("PUT", f"/forecast/{testid}", asked)[1]["payload"]
    browser.until(lambda: window(browser)[1] == now + 21600)
    assert times == ahead["time"]
    assert values == pytest.approx([each - 273.15 for each in ahead["Twb_outside"]])
    outer, inner = browser.js(f"return {PLOT('plant-chart')}.data.filter(d => d.fill === 'toself').map(d => d.y)")
    widths = [[high - low for high, low in zip(y[:73], y[:72:-1], strict=True)] for y in (outer, inner)]
    assert widths[0][0] < widths[0][-1]
    assert all(wide > narrow for wide, narrow in zip(*widths, strict=True))
    assert "nine of ten cases" in browser.text("#plant-chart-limits")
    browser.choose("#ahead", "0")
    browser.until(lambda: window(browser)[1] == now)
    assert "ahead=0" in browser.driver.current_url
    assert fetched(server, "PUT", f"/stop/{testid}") == b"OK"


@pytest.mark.slow
def test_one_crosshair_over_all_panels(browser, server, quiet):
    from selenium.webdriver import ActionChains

    browser.look("laptop")
    server.request("PUT", "/initialize", {"start_time": START})
    server.request("POST", "/steps", {"steps": 30})
    browser.open(f"{server.url}/dashboard/")
    browser.until(lambda: window(browser) == [START, START + 9000])
    area = browser.one("#plant-chart .nsewdrag")
    browser.js("arguments[0].scrollIntoView({block: 'center'})", area)
    ActionChains(browser.driver).move_to_element(area).perform()
    label = browser.until(
        lambda: browser.js(
            "return [...document.querySelectorAll('#plant-chart .hoverlayer text')].map(e => e.textContent)"
        )
    )
    assert {"Tchw_supply", "P_Chillers_sum"} <= {words.split(" ")[0] for words in label}
    assert "30 Jun 2020, 07:55 · 90 d 07:55" in browser.text("#plant-chart-readout")


@pytest.mark.slow
def test_driving_a_session(browser, server, quiet):
    browser.look("laptop")
    browser.open(f"{server.url}/dashboard/sessions")
    browser.until(lambda: browser.all("#sessions-table tbody tr"))
    before = browser.until(lambda: browser.one("#session").get_attribute("value"))
    browser.click("#new-session")
    browser.until(lambda: "is chosen now" in browser.text("#said"))
    browser.until(lambda: browser.one("#session").get_attribute("value") != before)
    testid = browser.one("#session").get_attribute("value")
    assert not stand(server, testid)["default"]
    browser.fill("#start-time", str(START))
    browser.confirm("#initialize")
    browser.until(lambda: stand(server, testid)["time"] == START)
    browser.click("#one-step")
    browser.until(lambda: stand(server, testid)["time"] == START + 300)

    browser.choose("#input-name", "Tchws_set_CHI")
    browser.fill("#input-value", "999")
    browser.click("#set-input")
    browser.until(lambda: "must be from" in browser.text("#said"))
    for written in ("288.65", "15,5", "15.5 °C", "59.9 °F"):
        browser.fill("#input-value", written)
        browser.click("#set-input")
        browser.until(lambda: "15.5 °C" in browser.text("#given-table"))
        assert server.request("GET", f"/overrides/{testid}")[1]["payload"]["Tchws_set_CHI"]["value"] == pytest.approx(
            288.65
        )
        browser.click("button[aria-label='Release Tchws_set_CHI']")
        browser.until(lambda: "No input is set" in browser.text("#given-table"))
    browser.fill("#input-value", "288.65 K")
    browser.click("#set-input")
    browser.until(lambda: "15.5 °C" in browser.text("#given-table"))

    browser.click("#take")
    browser.until(lambda: browser.all("#snapshot-table tbody tr"))
    browser.fill("#steps", "12")
    browser.click("#run-steps")
    browser.until(lambda: "12 of 12 steps, done" in browser.text("#run-state"))
    assert stand(server, testid)["time"] == START + 13 * 300
    asked = {"point_names": ["Tchws_set_CHI"], "start_time": START + 600, "final_time": START + 13 * 300}
    assert {*server.request("PUT", f"/results/{testid}", asked)[1]["payload"]["Tchws_set_CHI"]} == {288.65}

    browser.confirm("button[aria-label^='Restore snapshot']")
    browser.until(lambda: stand(server, testid)["time"] == START + 300)
    browser.click("button[aria-label^='Fork snapshot']")
    browser.until(lambda: browser.one("#session").get_attribute("value") != testid)
    forked = browser.one("#session").get_attribute("value")
    assert stand(server, forked)["time"] == START + 300
    browser.choose("#controller", "look-ahead")
    browser.fill("#steps", "1")
    browser.click("#run-steps")
    browser.until(lambda: "look-ahead: 1 of 1 steps, done" in browser.text("#run-state"))
    assert stand(server, forked)["time"] == START + 600
    for gone in (forked, testid):
        browser.confirm(f"button[aria-label='Stop session {gone}']")
        browser.until(lambda gone=gone: f"Stopped the session {gone}" in browser.text("#said"))
    assert [one["default"] for one in server.request("GET", "/sessions")[1]["payload"]] == [True]


def test_a_refusal_is_told(browser, server, quiet):
    browser.look("laptop")
    browser.open(f"{server.url}/dashboard/sessions")
    before = stand(server)["time"]
    browser.fill("#start-time", "-5")
    browser.confirm("#initialize")
    browser.until(lambda: "start_time" in browser.text("#said"))
    assert browser.text("#said").startswith("Not done")
    assert browser.one("#said").get_attribute("aria-live") == "polite"
    assert stand(server)["time"] == before


def test_a_baseline(browser, server, quiet):
    browser.look("laptop")
    server.request("PUT", "/initialize", {"start_time": START})
    server.request("PATCH", f"/sessions/{stand(server)['testid']}", {"controller": "by hand"})
    server.request("POST", "/steps", {"steps": 24, "action": {"Tchws_set_CHI": 286.9}})
    browser.open(f"{server.url}/dashboard/indicators")
    browser.until(lambda: "kWh" in browser.text("#kpi-table"))
    browser.click("#make-baseline")
    browser.until(lambda: "24 of 24 steps, done" in browser.text("#baseline-state"))
    base = next(one["testid"] for one in server.request("GET", "/sessions")[1]["payload"] if one["baseline_of"])
    assert stand(server, base)["time"] == START + 24 * 300

    def energies():
        cells = browser.js(
            "return [...document.querySelectorAll('#kpi-table tbody tr')].map(r => [...r.cells].map(c => c.innerText))"
        )
        return next((row[2:] for row in cells if "ener_tot" in row[0] and len(row) == 4), None)

    def number(text):
        return float(text.split(" ")[0].replace("\u202f", ""))

    expected = [server.request("GET", f"/kpi{of}?names=ener_tot")[1]["payload"]["ener_tot"] for of in ("", f"/{base}")]
    assert expected[0] != expected[1]
    mine, theirs = browser.until(
        lambda: (found := energies()) and number(found[1]) == pytest.approx(expected[1], rel=1e-4) and found
    )
    assert number(mine) == pytest.approx(expected[0], rel=1e-4)
    word = "better" if expected[0] < expected[1] else "worse"
    assert mine.rstrip(" ★").endswith(f"({100 * (expected[0] / expected[1] - 1):+.1f} %, {word})")
    assert ("★" in mine, "★" in theirs) == (word == "better", word == "worse")
    assert "controller" in browser.text("#kpi-table table")  # in what they differ
    browser.until(lambda: len(browser.all("#kpi-chart .scatterlayer .trace")) == 6)
    names = {*browser.js(f"return {PLOT('kpi-chart')}.data.map(d => d.name.split(':')[0])")}
    assert names == {"default", f"baseline {base[:8]}"}
    with Client(server.url) as client, client.select() as third:  # by the address of the page
        third.initialize(START)
        third.advance(steps=24)
        browser.open(f"{server.url}/dashboard/indicators?other={base},{third.testid}")
        browser.until(lambda: len(browser.all("#kpi-chart .scatterlayer .trace")) == 9)
    assert fetched(server, "PUT", f"/stop/{base}") == b"OK"


@pytest.mark.slow
def test_runs_are_planned_found_and_compared(browser, server, quiet):
    browser.look("laptop")
    browser.open(f"{server.url}/dashboard/runs")
    made = {}
    for name, controller in (("hot, rules", "rules"), ("hot, held", "hold")):
        browser.fill("#plan-start", "2020-07-20 06:00")
        browser.fill("#plan-days", "0.05")
        browser.fill("#plan-name", name)
        browser.choose("#plan-controller", controller)
        browser.until(lambda: "Mon 20 Jul 2020 06:00" in browser.text("#plan-about"))
        before = browser.one("#session").get_attribute("value")
        browser.click("#plan-run")
        testid = browser.until(
            lambda before=before: (now := browser.one("#session").get_attribute("value")) != before and now
        )
        made[name] = testid
        browser.until(lambda testid=testid: stand(server, testid)["time"] == 110.25 * 86400 + 14 * 300)
    browser.fill("#runs-search", "hot")
    browser.until(lambda: "1 to 2 of 2 runs" in browser.text("#runs-place"))
    browser.until(lambda: stand(server, made["hot, held"])["state"] == "idle")
    browser.choose("#runs-state", "damaged")
    browser.until(lambda: "No run matches" in browser.text("#runs-place"))
    browser.choose("#runs-state", "idle")
    browser.until(lambda: "1 to 2 of 2 runs" in browser.text("#runs-place"))
    for name in made:
        browser.click(f"button[aria-label='Pin run {name}']")
    kpis = [
        server.request("GET", f"/kpi/{testid}?names=ener_tot")[1]["payload"]["ener_tot"] for testid in made.values()
    ]

    def energies():
        rows = "[...document.querySelectorAll('#compared-kpis tbody tr')].map(r => [...r.cells].map(c => c.innerText))"
        return next((row[1:] for row in browser.js(f"return {rows}") if row[0] == "ener_tot" and len(row) == 3), None)

    first, second = browser.until(lambda: (found := energies()) and "(" in found[1] and found)
    assert float(first.split()[0]) == pytest.approx(kpis[0], rel=1e-4)
    change = 100 * (kpis[1] / kpis[0] - 1)
    assert f"({change:+.1f} %, {'better' if change < 0 else 'worse'})" in second
    browser.until(lambda: "controller" in browser.text("#compared-setup"))
    browser.until(lambda: len({*drawn(browser, "compared-chart")}) == 4)
    browser.choose("#compared-mode", "differences")
    browser.until(lambda: {name.partition(":")[0] for name in drawn(browser, "compared-chart")} == {"hot, held"})
    link = browser.driver.current_url
    browser.driver.get("about:blank")
    browser.driver.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": server.url, "storageTypes": "all"})
    browser.driver.execute_script("return 1")
    browser.open(link)
    browser.until(lambda: {name.partition(":")[0] for name in drawn(browser, "compared-chart")} == {"hot, held"})
    browser.until(lambda: "1 to 2 of 2 runs" in browser.text("#runs-place"))
    assert browser.one("#runs-state").get_attribute("value") == "idle"
    for testid in made.values():
        assert fetched(server, "PUT", f"/stop/{testid}") == b"OK"


@pytest.mark.slow
def test_a_sweep(browser, server, quiet):
    browser.look("laptop")
    browser.open(f"{server.url}/dashboard/new")
    browser.until(lambda: "AlphaDataCenterCooling" in browser.one("#spec").get_attribute("value"))
    browser.fill("#spec", "{")
    browser.click("#submit-job")
    browser.until(lambda: "no JSON" in browser.text("#said"))
    browser.fill("#spec", json.dumps({**STUDY, "folder": "../secrets"}))
    browser.click("#submit-job")
    browser.until(lambda: "folder" in browser.text("#said"))
    browser.fill("#spec", json.dumps(STUDY))
    browser.click("#submit-job")
    browser.until(lambda: "Submitted" in browser.text("#said"))
    browser.until(lambda: "Success" in browser.text("#job-facts"))
    browser.until(lambda: "4 of 4 runs" in browser.text("#results-note"))
    browser.until(lambda: browser.all("#results-chart .scatterlayer .trace"))
    browser.choose("#up", "plasma.Burn_Fraction")
    browser.until(lambda: browser.all("#results-chart .heatmaplayer image"))
    link = next(one for one in browser.all("#job-figures a") if one.text == "results/results.h5")
    where = link.get_attribute("href").removeprefix(server.url)
    assert fetched(server, "GET", where).startswith(b"\x89HDF\r\n\x1a\n")
    assert "attempt 1" in browser.text("#job-log")
    explore(browser, server)


def explore(browser, server):
    """Look at the runs of the sweep that was viewed last."""
    from selenium.webdriver.common.keys import Keys

    browser.click("#job-study a[href^='/dashboard/studies']")
    browser.until(lambda: "4 of 4 runs pass" in browser.text("#study-passing"))
    browser.until(lambda: browser.all("#study-parallel .scatterlayer .trace"))
    browser.one(".between input").send_keys(Keys.END)
    browser.until(lambda: "2 of 4 runs pass" in browser.text("#study-passing"))
    where = browser.one("#study-data a:last-child").get_attribute("href").removeprefix(server.url)
    payload = server.request("GET", where)[1]["payload"]
    assert payload["parameters"]["bz.TBR"] == [1.2, 1.2]

    browser.choose("#study-x", "plasma.Burn_Fraction")
    browser.choose("#study-y", "start")
    titles = [f"#study-scatter .{axis}title" for axis in "xy"]
    browser.until(lambda: [browser.text(title) for title in titles] == ["plasma.Burn_Fraction", "start [g]"])
    browser.click_within("#study-scatter .scatterlayer .trace:first-child .points path")
    browser.until(lambda: len(browser.all("#study-runs tbody tr")) == 1)
    browser.fill("#study-run", "99")
    browser.click("#study-compare")
    browser.until(lambda: "0 to 3" in browser.text("#said"))
    browser.fill("#study-run", "0")
    browser.click("#study-compare")
    browser.until(lambda: len(browser.all("#study-runs tbody tr")) == 2)
    browser.until(lambda: len(browser.all("#study-curves .scatterlayer .trace")) == 2)
    drawn = browser.js(
        "return document.querySelector('#study-curves .js-plotly-plot').data.map(d => [d.name, d.y[d.y.length - 1]])"
    )
    every = where.partition("?")[0] + "?variable=sds.inventory"
    runs = server.request("GET", every)[1]["payload"]["trajectories"]["sds.inventory"]
    assert drawn == [[name, pytest.approx(runs[int(name.removeprefix("run "))][-1])] for name, _ in drawn]
    browser.click("button[aria-label='Remove run 0']")
    browser.until(lambda: len(browser.all("#study-runs tbody tr")) == 1)
    zoom(browser, 100, 500, "study-curves")
    browser.until(lambda: 300 < len(drawn_points(browser)) < 500)
    left, right = window(browser, "study-curves")
    link = browser.driver.current_url
    browser.driver.get("about:blank")
    browser.driver.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": server.url, "storageTypes": "all"})
    browser.open(link)
    browser.until(lambda: browser.all("#study-curves .scatterlayer .trace"))
    browser.until(lambda: window(browser, "study-curves") == [left, right])
    assert "2 of 4 runs pass" in browser.text("#study-passing")


def drawn_points(browser):
    return browser.js(f"return {PLOT('study-curves')}.data[0].x")


@pytest.mark.slow
def test_a_job_is_cancelled(browser, server, quiet):
    browser.look("laptop")
    task = server.request("POST", "/api/run/step", {"end_time": 30_000_000, "controller": "look-ahead"})[1]["task_id"]
    browser.open(f"{server.url}/dashboard/jobs")
    browser.click(f"button[aria-label='View job {task[:8]}']")
    browser.until(lambda: "Running" in browser.text("#job-facts"))
    browser.confirm("#cancel-job")
    browser.until(lambda: "Cancelled" in browser.text("#job-facts"))
    assert server.request("GET", f"/api/run/status/{task}")[1]["status"] == "Cancelled"


@pytest.mark.slow
def test_a_keyboard_is_enough(browser, server, quiet):
    from selenium.webdriver.common.keys import Keys

    browser.look("laptop")
    browser.open(f"{server.url}/dashboard/")
    settled(browser, "")  # all that can be focused is there
    browser.keys(Keys.TAB)
    focus = "return document.activeElement"
    assert browser.js(f"{focus}.innerText") == "Skip to the content"
    browser.keys(Keys.ENTER)
    assert browser.js(f"{focus}.id") == "main"
    browser.js("document.activeElement.blur(); document.querySelector('.skip').focus()")
    # a field with chips shows it around all of them, a unit of the drawing by the edge of its shape
    ring = (
        "const e = document.activeElement, box = e.matches('.choices input') ? e.parentElement : e;"
        "const shape = e.matches('.pick') && getComputedStyle(e.querySelector(':scope > .unit, :scope > .badge'));"
        "const {outlineStyle, outlineColor, outlineWidth} = getComputedStyle(box);"
        "return shape ? ['solid', shape.stroke, shape.strokeWidth] : [outlineStyle, outlineColor, outlineWidth]"
    )
    units = {unit.get_attribute("id") for unit in browser.all("#plant-wide .pick")}
    seen, looks = [], []
    for _ in range(len(units) + 20):
        browser.keys(Keys.TAB)
        seen.append(browser.js(f"{focus}.innerText || {focus.removeprefix('return ')}.id"))
        looks.append(browser.js(ring))
        assert looks[-1] == looks[0] or looks[-1] == ["solid", looks[0][1], "4px"], "; ".join(seen)
    assert looks[0][0] == "solid"
    assert seen[:9] == [*PAGES.values(), "Dark"]
    assert len(units) > 30
    assert units < {*seen}
    browser.js("document.querySelector(\"nav a[href='/dashboard/system']\").focus()")
    browser.keys(Keys.ENTER)
    browser.until(lambda: browser.text("main h1") == "System")
    browser.until(lambda: browser.js(f"{focus}.id") == "main")
    assert browser.driver.title.startswith("System")


def test_the_theme_is_kept(browser, server, quiet):
    def ground():
        return browser.js("return getComputedStyle(document.body).backgroundColor")

    browser.look("laptop", dark=False)
    browser.open(f"{server.url}/dashboard/system")
    light = ground()
    browser.click("#theme")
    dark = browser.until(lambda: ground() if ground() != light else None)
    browser.open(f"{server.url}/dashboard/")
    browser.until(lambda: ground() == dark)
    browser.until(lambda: browser.text("#theme") == "Light")
    browser.click("#theme")
    browser.until(lambda: ground() == light)
    browser.js("localStorage.clear()")


@pytest.mark.slow
def test_a_page_asks_nothing_while_nothing_changes_and_a_hidden_one_has_no_stream(browser, server, quiet):
    browser.look("laptop")
    browser.open(f"{server.url}/dashboard/sessions")
    browser.until(lambda: browser.all("#sessions-table tbody tr"))

    def asked(seconds):
        browser.requests()
        time.sleep(seconds)
        return sum(event["method"] == "Network.requestWillBeSent" for event in browser.requests())

    browser.until(lambda: asked(4) == 0)
    server.request("POST", "/advance", {})
    browser.until(lambda: asked(1) > 0)
    hide = "Object.defineProperty(document, 'hidden', {value: arguments[0], configurable: true});"
    browser.js(hide + "document.dispatchEvent(new Event('visibilitychange'))", True)
    browser.until(lambda: asked(2) == 0)
    before = browser.text("#where")
    server.request("POST", "/advance", {})
    assert asked(4) == 0
    assert browser.text("#where") == before
    browser.js(hide + "document.dispatchEvent(new Event('visibilitychange'))", False)
    browser.until(lambda: browser.text("#where") != before)
