"""The operator's plant in a real browser: alarms on every page, and units that are chosen in the drawing."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.browser import PAGES
from tests.own_fmus import LINEAR, build
from tests.server import ROOT, Server
from trivium.server.tokens import create

START = 7_800_000
#: A pump that is on, with a speed of 0.
IDLE = {"CDWP01_ONOFF": 1, "CDWP01_rpm": 0}


@pytest.fixture(scope="module")
def server(browser, tmp_path_factory):
    with Server(ROOT / "Resources", tmp_path_factory.mktemp("operator"), OMP_NUM_THREADS="1") as running:
        yield running


@pytest.fixture
def quiet(browser, server):
    """At the end of a test the browser must have had nothing to complain about."""
    browser.driver.get("about:blank")
    browser.complaints(server.url)
    browser.look("laptop")
    yield
    assert browser.complaints(server.url) == []
    assert "Traceback" not in server.log.read_text()


@pytest.fixture
def idle(server):
    """The default session with a pump that runs without flow."""
    server.request("DELETE", "/overrides")
    server.request("PUT", "/initialize", {"start_time": START})
    server.request("POST", "/steps", {"steps": 12, "action": IDLE})


def unit(name):
    return f"#plant-wide [data-unit='{name}']"


@pytest.mark.slow
@pytest.mark.parametrize(("size", "dark"), [("laptop", False), ("phone", True)], ids=["laptop-light", "phone-dark"])
def test_alarms_are_on_every_page(browser, server, idle, quiet, size, dark):
    browser.look(size, dark=dark)
    wrong = []
    for path, title in PAGES.items():
        browser.open(f"{server.url}/dashboard/{path}")
        browser.until(lambda: "alarms" in browser.text(".alarms summary"), title)
        browser.click(".alarms summary")
        assert "Condenser water pump on without flow" in browser.text(".alarms table")
        wrong += [f"{title}: {one}" for one in browser.violations()]
        assert browser.overflow() <= 0, title
    assert wrong == []


@pytest.mark.slow
def test_an_alarm_is_acknowledged_and_marks_its_unit(browser, server, idle, quiet):
    browser.open(f"{server.url}/dashboard/")
    browser.until(lambda: "new" in browser.one(unit("condenser-water")).get_attribute("class"))
    assert "alarm" not in browser.one(unit("condenser-warm")).get_attribute("class")
    assert browser.text("#plant-wide #wide-condenser-supply").startswith("▲ ")
    browser.click(".alarms summary")
    label = "Acknowledge Condenser water pump on without flow"
    browser.js("document.querySelector(arguments[0]).focus()", f"button[aria-label='{label}']")
    server.request("POST", "/advance", {})  # a tick does not take the focus
    browser.until(lambda: "07:45" in browser.text("#where"))
    browser.until(lambda: browser.js("return document.activeElement.getAttribute('aria-label')") == label)
    browser.click(f"button[aria-label='{label}']")
    browser.until(lambda: "Acknowledged: Condenser" in browser.text("#said"))
    browser.until(lambda: not browser.all(f"button[aria-label='{label}']"))
    browser.until(lambda: "new" not in browser.one(unit("condenser-water")).get_attribute("class").split())
    (alarm,) = (one for one in server.request("GET", "/alarms")[1]["payload"] if one["name"] == "condenser_no_flow")
    assert alarm["acknowledged_at"] is not None
    server.request("PUT", "/initialize", {"start_time": START})
    browser.until(lambda: not browser.all(".alarms summary"))
    browser.until(lambda: not browser.all("#plant-wide .alarm"))


@pytest.mark.slow
def test_a_session_that_stands_although_it_is_driven_is_an_alarm(browser, server, idle, quiet):
    browser.open(f"{server.url}/dashboard/")
    browser.until(lambda: "alarms" in browser.text(".alarms summary"))
    standing, hosts = "The session stands although it is driven", server.hosts()
    with ThreadPoolExecutor(1) as pool:
        for pid in hosts:
            os.kill(pid, signal.SIGSTOP)
        try:
            step = pool.submit(server.request, "POST", "/advance", {})
            browser.until(lambda: standing in browser.text("#alarms"))
        finally:
            for pid in hosts:
                os.kill(pid, signal.SIGCONT)
        assert step.result()[0] == 200
    browser.until(lambda: browser.text("#alarms") and standing not in browser.text("#alarms"))


@pytest.mark.slow
def test_a_unit_is_chosen_and_its_input_set_by_hand_by_keyboard(browser, server, idle, quiet):
    from selenium.webdriver.common.keys import Keys

    browser.open(f"{server.url}/dashboard/")
    browser.until(lambda: browser.all(unit("supply")))
    browser.js("document.querySelector(arguments[0]).focus()", unit("supply"))
    browser.keys(Keys.ENTER)
    browser.until(lambda: browser.text("#unit-title") == "Chilled water supply")
    browser.until(lambda: browser.js("return document.activeElement.id") == "unit")
    assert "Chilled water supply above its set point" in browser.text("#unit-alarms")
    trend = browser.one("#unit-trend-0 svg").get_attribute("aria-label")
    assert trend.endswith(f"now {browser.text('#wide-chilled-supply').split(' ', 1)[1]}")
    assert browser.violations() == []

    def given():
        return server.request("GET", "/overrides")[1]["payload"]

    browser.click("#unit-inputs fieldset:first-child label:nth-of-type(2) input")
    browser.until(lambda: list(given()) == ["Tchws_set_CHI"])
    browser.until(lambda: browser.all("#unit-inputs fieldset:first-child.by"))
    field = browser.one("#unit-inputs-Tchws_set_CHI")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys("16", Keys.ENTER)
    browser.until(lambda: given()["Tchws_set_CHI"]["value"] == pytest.approx(289.15))
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys("99", Keys.ENTER)
    browser.until(lambda: "must be from 3 to 30 °C" in browser.text("#said"))
    slider = browser.one("#unit-inputs fieldset:first-child input[type='range']")
    slider.send_keys(Keys.HOME)
    browser.until(lambda: given()["Tchws_set_CHI"]["value"] == pytest.approx(276.15))
    browser.until(lambda: "✎" in browser.text("#wide-chilled-supply"))
    browser.click("#unit-inputs fieldset:first-child label:nth-of-type(1) input")
    browser.until(lambda: given() == {})
    browser.keys(Keys.ESCAPE)
    browser.until(lambda: not browser.one("main").find_element("css selector", "#unit").is_displayed())
    browser.until(lambda: browser.js("return document.activeElement.dataset.unit") == "supply")


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    path = tmp_path_factory.mktemp("tokens") / "tokens.json"
    made = create(path)
    return path, {"root": made.add("root", ["admin"]), "ann": made.add("ann", ["control"])}


@pytest.fixture(scope="module")
def taking(browser, tmp_path_factory, tokens):
    """A server that takes FMUs."""
    variables = {
        "TRIVIUM_TOKENS": str(tokens[0]),
        "TRIVIUM_TESTCASES": str(tmp_path_factory.mktemp("cases")),
        "TRIVIUM_MAX_UPLOAD": "50000000",
    }
    with Server(ROOT / "Resources", tmp_path_factory.mktemp("taking"), **variables) as running:
        yield running


def signed_in(browser, server, token):
    browser.driver.delete_all_cookies()
    browser.driver.get(f"{server.url}/dashboard/login")
    browser.write("#token", token)
    browser.press("form button")
    browser.until(lambda: browser.all("main h1"))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return build(LINEAR, tmp_path_factory.mktemp("models") / "Linear.fmu", "2.0")


@pytest.mark.slow
def test_a_model_is_brought_and_its_first_run_works(browser, taking, tokens, model, tmp_path):
    (tmp_path / "bad.fmu").write_bytes(b"no archive")
    browser.look("laptop")
    signed_in(browser, taking, tokens[1]["root"])
    browser.open(f"{taking.url}/dashboard/sessions")
    browser.one("#upload-file").send_keys(str(tmp_path / "bad.fmu"))
    browser.click("#upload .button")
    browser.until(lambda: "Not done: The FMU cannot be used" in browser.text("#upload [role=status]"))
    browser.one("#upload-file").send_keys(str(model))
    browser.click("#upload .button")
    browser.until(lambda: "Registered Linear" in browser.text("#upload [role=status]"))
    browser.until(lambda: browser.one("#new-case").get_attribute("value") == "Linear")
    browser.click("#new-session")
    browser.until(lambda: browser.one("#controller").get_attribute("value") == "hold")
    browser.fill("#steps", "20")
    browser.click("#run-steps")
    browser.until(lambda: "20 of 20 steps" in browser.text("#run-state"))

    browser.click("nav a[href='/dashboard/']")
    browser.until(lambda: "tenfold" in browser.text("#face-groups"))
    assert browser.violations() == []
    browser.click("#face-inputs label:nth-of-type(2) input")
    browser.until(lambda: browser.all("#face-inputs fieldset.by"))
    browser.fill("#face-step", "0.25")
    browser.click("#set-step")
    browser.until(lambda: "control step is 0.25 s" in browser.text("#said"))
    assert browser.overflow() <= 0

    signed_in(browser, taking, tokens[1]["ann"])
    browser.open(f"{taking.url}/dashboard/sessions")
    browser.until(lambda: "lacks the scope admin" in browser.text("#upload"))
    assert not browser.one("#upload .button").is_enabled()
    assert "Traceback" not in taking.log.read_text()


@pytest.mark.slow
def test_a_model_is_brought_and_run_by_keyboard_alone(browser, taking, tokens, model):
    from selenium.webdriver.common.keys import Keys

    browser.look("laptop")
    signed_in(browser, taking, tokens[1]["root"])
    browser.turn_to("sessions")
    browser.give("#upload-file", model)
    browser.write("#upload-name", "keyed")
    browser.press("#upload .button")
    browser.until(lambda: browser.one("#new-case").get_attribute("value") == "keyed")
    browser.press("#new-session")
    browser.until(lambda: browser.one("#controller").get_attribute("value") == "hold")
    browser.turn_to("")
    browser.until(lambda: "tenfold" in browser.text("#face-groups"))
    browser.tab_to("#face-inputs [type='radio']:checked")
    browser.keys(Keys.ARROW_RIGHT)
    browser.until(lambda: browser.all("#face-inputs fieldset.by"))
    browser.write("#face-step", "0.25")
    browser.press("#set-step")
    browser.until(lambda: "control step is 0.25 s" in browser.text("#said"))
    browser.turn_to("sessions")
    browser.write("#steps", "20")
    browser.press("#run-steps")
    browser.until(lambda: "20 of 20 steps" in browser.text("#run-state"))
