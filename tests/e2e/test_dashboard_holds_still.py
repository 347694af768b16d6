"""Pages that hold still while a session runs, state that all browsers and the API share, and what is asked first."""

from __future__ import annotations

import time

import pytest

from tests.e2e.browser import PAGES, Browser, needed
from tests.server import ROOT, Server
from trivium.client import Client
from trivium.server.tokens import create

START = 7_800_000
SET = "Tchws_set_CHI"


@pytest.fixture(scope="module")
def server(browser, tmp_path_factory):
    with Server(ROOT / "Resources", tmp_path_factory.mktemp("still"), OMP_NUM_THREADS="1") as running:
        running.request("PUT", "/initialize", {"start_time": START})
        running.request("POST", "/steps", {"steps": 12})
        yield running


@pytest.fixture(autouse=True)
def quiet(browser, server):
    """At the end of a test the browser must have had nothing to complain about."""
    browser.driver.get("about:blank")
    browser.complaints(server.url)
    yield
    assert browser.complaints(server.url) == []
    assert "Traceback" not in server.log.read_text()


#: On each page something that can have the focus, in what is drawn anew at each tick where there is such a thing.
FOCUSED = {
    "": "#points",
    "sessions": "button[aria-label^='Choose session']",
    "runs": "#runs-search",
    "indicators": "#kpi-table .table",
    "jobs": "#jobs-table button[aria-label^='View job']",
    "new": "#spec",
    "studies": "#study",
    "system": "#processes .table",
}


@pytest.mark.slow
def test_the_focus_survives_ten_ticks_on_every_page(browser, server):
    browser.look("laptop")
    job = {"controller": "hold", "end_time": START + 300}  # a row to look at: the server has no worker, so it waits
    assert server.request("POST", "/api/run/step", job)[0] == 202
    for path, title in PAGES.items():
        browser.open(f"{server.url}/dashboard/{path}")
        browser.until(lambda title=title: browser.text("main h1") == title)
        browser.one(FOCUSED[path])
        browser.js("document.querySelector(arguments[0]).focus(); window.held = document.activeElement", FOCUSED[path])
        seen = set()
        for _ in range(10):
            server.request("POST", "/advance", {})
            clock = f"{next(iter(server.request('GET', '/sessions')[1]['payload']))['time']:,.0f}".replace(
                ",", "\u202f"
            )
            browser.until(lambda clock=clock: clock in browser.text("#where"), f"{clock} on {title}")
            seen.add(browser.text("#where"))
            assert browser.js("return document.activeElement === window.held"), title
        assert len(seen) == 10


@pytest.mark.slow
def test_the_first_of_51_jobs_is_found(browser, server):
    browser.look("laptop")
    job = {"controller": "hold", "end_time": START + 300}
    made = [server.request("POST", "/api/run/step", job)[1]["task_id"] for _ in range(51)]
    first = f"#jobs-table button[aria-label='View job {made[0][:8]}']"
    for go in (browser.click, browser.press):
        browser.open(f"{server.url}/dashboard/jobs")
        browser.until(lambda: len(browser.all("#jobs-table tbody tr")) == 50)
        assert not browser.all(first)
        go("#jobs-older")
        go(first)
        browser.until(lambda: made[0] in browser.text("#job-facts"))


@pytest.mark.slow
def test_a_press_may_take_its_time(browser, server):
    from selenium.webdriver import ActionChains

    browser.look("laptop")
    with Client(server.url) as client, client.select() as other:
        browser.open(f"{server.url}/dashboard/sessions")
        button = browser.one(f"button[aria-label='Choose session {other.testid}']")
        actions = ActionChains(browser.driver)
        actions.click_and_hold(button).perform()
        before = browser.text("#sessions-table")
        for _ in range(3):
            other.advance()
            time.sleep(0.55)
        browser.until(lambda: browser.text("#sessions-table") != before)
        actions.release().perform()
        browser.until(lambda: browser.one("#session").get_attribute("value") == other.testid)


@pytest.mark.slow
def test_two_browsers_and_the_api_see_the_same_inputs_by_hand(browser, server):
    needed()
    second = Browser()
    try:
        for each in (browser, second):
            each.look("laptop")
            each.open(f"{server.url}/dashboard/sessions")
        browser.choose("#input-name", SET)
        browser.fill("#input-value", "16")
        browser.click("#set-input")
        for each in (browser, second):
            each.until(lambda each=each: "16.0 °C" in each.text("#given-table"))
        assert server.request("GET", "/overrides")[1]["payload"][SET]["value"] == pytest.approx(289.15)
        second.open(f"{server.url}/dashboard/")
        second.until(lambda: f"{SET} 16.0 °C" in second.text("#by-hand"))
        server.request("PUT", "/overrides", {"inputs": {SET: 287.65}})
        browser.until(lambda: "14.5 °C" in browser.text("#given-table"))
        second.until(lambda: f"{SET} 14.5 °C" in second.text("#by-hand"))
        browser.click(f"button[aria-label='Release {SET}']")
        second.until(lambda: not second.all("#by-hand"))
        assert server.request("GET", "/overrides")[1]["payload"] == {}
        assert second.complaints(server.url) == []
    finally:
        second.close()


@pytest.mark.slow
def test_what_was_ended_or_begun_anew_comes_back(browser, server):
    browser.look("laptop")
    with Client(server.url) as client:
        session = client.select()
        session.initialize(START)
        session.advance({SET: 288.0})
        expected = session.results()
        session.label(name="to be kept", controller="my own")
        browser.open(f"{server.url}/dashboard/sessions")
        browser.choose("#session", session.testid)
        browser.until(lambda: "to be kept" in browser.one("#label-name").get_attribute("value"))
        browser.click("#initialize")
        browser.click("#question[open] button[value=no]")
        assert session.summary["time"] == START + 300
        browser.confirm("#initialize")
        browser.until(lambda: session.summary["time"] == 0)
        browser.until(lambda: session.summary["controller"] == "")
        browser.click("#said button")
        browser.until(lambda: session.summary["time"] == START + 300)
        browser.until(lambda: session.summary["controller"] == "my own")
        browser.confirm(f"button[aria-label='Stop session {session.testid}']")
        browser.until(lambda: session.testid not in {one["testid"] for one in client.sessions()})
        browser.click("#said button")
        browser.until(lambda: session.testid in {one["testid"] for one in client.sessions()})
        assert session.summary["name"] == "to be kept"
        assert (session.results()["Tchw_supply"] == expected["Tchw_supply"]).all()
        session.close()


@pytest.mark.slow
def test_a_form_and_the_window_are_kept_on_the_way_through_other_pages(browser, server):
    browser.look("laptop")
    browser.open(f"{server.url}/dashboard/")
    browser.choose("#window", "21600")
    browser.click("nav a[href='/dashboard/sessions']")
    browser.fill("#start-time", "7200300")
    browser.fill("#steps", "17")
    browser.click("nav a[href='/dashboard/jobs']")
    browser.until(lambda: browser.text("main h1") == "Jobs")
    browser.click("nav a[href='/dashboard/sessions']")
    browser.until(lambda: browser.one("#start-time").get_attribute("value") == "7200300")
    assert browser.one("#steps").get_attribute("value") == "17"
    browser.click("nav a[href='/dashboard/']")
    browser.until(lambda: browser.one("#window").get_attribute("value") == "21600")
    browser.js("sessionStorage.clear()")


@pytest.mark.slow
def test_an_input_is_set_and_released_by_keyboard_alone(browser, server):
    from selenium.webdriver.common.keys import Keys

    browser.look("laptop")
    browser.open(f"{server.url}/dashboard/sessions")
    browser.until(lambda: len(browser.all("#input-name option")) > 100)
    focused = "const e = document.activeElement; return e.getAttribute('aria-label') || e.id || e.innerText"

    def tab_to(name):
        for _ in range(80):
            if browser.js(focused) == name:
                return
            browser.keys(Keys.TAB)
        raise AssertionError(f"{name} cannot be reached")

    tab_to("input-name")
    browser.keys(SET)
    browser.keys(Keys.TAB, "16 °C")
    tab_to("set-input")
    browser.keys(Keys.ENTER)
    browser.until(lambda: "16.0 °C" in browser.text("#given-table"))
    tab_to(f"Release {SET}")
    browser.keys(Keys.ENTER)
    browser.until(lambda: "No input is set" in browser.text("#given-table"))
    assert browser.js("return document.activeElement.id") == "given-table"  # not lost with the row


@pytest.mark.slow
def test_who_may_only_look_is_told_who_they_are_and_why_buttons_are_off(browser, tmp_path):
    file = tmp_path / "tokens.json"
    text = create(file).add("guest", ["read"])
    with Server(ROOT / "Resources", tmp_path / "state", TRIVIUM_TOKENS=str(file)) as server:
        browser.look("laptop")
        browser.driver.get(f"{server.url}/dashboard/login")
        browser.one("#token").send_keys(text)
        browser.driver.find_element("css selector", "button").click()
        browser.until(lambda: "guest (read)" in browser.text("header"))
        browser.click("nav a[href='/dashboard/sessions']")
        browser.click("#one-step")
        browser.until(lambda: "The token guest lacks the scope control." in browser.text("#said"))
        assert browser.one("#one-step").get_attribute("aria-disabled") == "true"
        browser.driver.get("about:blank")
        assert browser.complaints(server.url) == []
