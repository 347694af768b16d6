"""A real browser without a window, and all that it complained about."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.processes import PATIENCE

#: Pages by path, and their titles.
PAGES = {
    "": "Plant",
    "sessions": "Sessions",
    "runs": "Runs",
    "indicators": "Indicators",
    "jobs": "Jobs",
    "new": "New job",
    "studies": "Studies",
    "system": "System",
}
#: What is looked at: names, widths and heights [px].
SIZES = {"laptop": (1440, 900), "tablet": (820, 1180), "phone": (390, 844)}


def needed() -> None:
    """Skip where there is no browser."""
    pytest.importorskip("selenium", reason="selenium drives the browser")
    for program in ("chromium", "chromedriver"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (Debian: apt install chromium chromium-driver)")


class Browser:
    """Chromium, driven by Selenium; every request and every word on its console is kept."""

    def __init__(self) -> None:
        from selenium import webdriver

        options = webdriver.ChromeOptions()
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        service = webdriver.ChromeService(shutil.which("chromedriver"))
        self.driver = webdriver.Chrome(options=options, service=service)
        self.driver.set_page_load_timeout(60)

    def close(self) -> None:
        """End it."""
        self.driver.quit()

    def look(self, size: str, *, dark: bool = False) -> None:
        """Choose a size and what the system prefers."""
        width, height = SIZES[size]
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == "phone"}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})

    def open(self, url: str) -> None:
        """Go to a page of ours and wait until it is there."""
        self.driver.get(url)
        self.until(lambda: self.all("main h1"))

    def all(self, selector: str) -> list[Any]:
        """Return the elements of a CSS selector."""
        return self.driver.find_elements("css selector", selector)

    def one(self, selector: str) -> Any:
        """Return the element of a selector, once it is there and can be seen."""
        return self.until(lambda: next((one for one in self.all(selector) if one.is_displayed()), None), selector)

    def text(self, selector: str) -> str:
        """Return the text of an element, empty where there is none."""
        found = self.js(
            "const e = document.querySelector(arguments[0]); return e ? e.innerText ?? e.textContent : ''", selector
        )
        return str(found)

    def click(self, selector: str) -> None:
        """Click at an element, as soon as it can be."""

        def clicked() -> bool:
            element = self.one(selector)
            if not element.is_enabled():
                return False
            self.js("arguments[0].scrollIntoView({block: 'center'})", element)
            element.click()
            return True

        self.until(clicked, f"click at {selector}")

    def confirm(self, selector: str) -> None:
        """Click at an element that asks first, and agree."""
        self.click(selector)
        self.click("#question[open] button[value=yes]")

    def fill(self, selector: str, text: str) -> None:
        """Write into a field in place of what is there."""
        from selenium.webdriver.common.keys import Keys

        field = self.one(selector)
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(text)
        self.until(lambda: field.get_attribute("value") == text, f"{selector} holds {text}")

    def choose(self, selector: str, value: str) -> None:
        """Choose from a list."""
        from selenium.webdriver.support.ui import Select

        self.until(lambda: self.all(f"{selector} option[value='{value}']"), f"{value} in {selector}")
        Select(self.one(selector)).select_by_value(value)

    def click_within(self, selector: str) -> None:
        """Click at the middle of a part of a drawing, which another part may cover."""
        where = "const r = arguments[0].getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]"
        element = self.until(lambda: next(iter(self.all(selector)), None), selector)
        self.js("arguments[0].scrollIntoView({block: 'center'})", element)
        x, y = self.js(where, element)
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            event = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}
            self.driver.execute_cdp_cmd("Input.dispatchMouseEvent", event)

    def keys(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        from selenium.webdriver import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def tab_to(self, selector: str) -> None:
        """Go to an element by the Tab key alone, once it is there."""
        from selenium.webdriver.common.keys import Keys

        self.one(selector)
        for _ in range(400):
            if self.js("return document.activeElement.matches(arguments[0])", selector):
                return
            self.keys(Keys.TAB)
        raise AssertionError(f"{selector} cannot be reached by the Tab key")

    def press(self, selector: str) -> None:
        """Press a button or follow a link by keyboard alone, as soon as it can be."""
        from selenium.webdriver.common.keys import Keys

        self.until(lambda: self.one(selector).is_enabled(), selector)
        self.tab_to(selector)
        self.keys(Keys.ENTER)

    def write(self, selector: str, text: str) -> None:
        """Write into a field by keyboard alone; of a list the beginning of a choice."""
        from selenium.webdriver import ActionChains
        from selenium.webdriver.common.keys import Keys

        self.tab_to(selector)
        actions = ActionChains(self.driver)
        actions.key_down(Keys.CONTROL).send_keys("a").key_up(Keys.CONTROL).send_keys(text).perform()

    def pick(self, selector: str, label: str) -> None:
        """Choose from a list by keyboard alone: the choice that begins so, once it is there."""
        offered = "return [...document.querySelector(arguments[0]).options].some(o => o.label.startsWith(arguments[1]))"
        self.until(lambda: self.js(offered, selector, label), f"{label} in {selector}")
        self.tab_to(selector)
        self.keys(label)
        shown = "return document.querySelector(arguments[0]).selectedOptions[0].label.startsWith(arguments[1])"
        self.until(lambda: self.js(shown, selector, label), f"{label} of {selector}")

    def give(self, selector: str, path: Path) -> None:
        """Choose a file by keyboard alone: a key opens the browser's dialogue, in whose place the file is given."""
        from selenium.webdriver.common.keys import Keys

        self.tab_to(selector)
        self.driver.execute_cdp_cmd("Page.setInterceptFileChooserDialog", {"enabled": True})
        self.requests()
        self.keys(Keys.SPACE)
        self.until(lambda: any(event["method"] == "Page.fileChooserOpened" for event in self.requests()), selector)
        self.driver.execute_cdp_cmd("Page.setInterceptFileChooserDialog", {"enabled": False})
        self.one(selector).send_keys(str(path))

    def turn_to(self, page: str) -> None:
        """Go to another page by keyboard alone."""
        self.press(f"nav a[href='/dashboard/{page}']")
        self.until(lambda: self.text("main h1") == PAGES[page])

    def js(self, code: str, *arguments: Any) -> Any:
        """Run JavaScript."""
        return self.driver.execute_script(code, *arguments)

    def until(self, what: Callable[[], Any], told: str = "") -> Any:
        """Wait until something is so, and return it."""
        from selenium.common.exceptions import WebDriverException

        deadline, last = time.monotonic() + PATIENCE, None
        while time.monotonic() < deadline:
            try:
                if found := what():
                    return found
            except WebDriverException as error:  # drawn anew meanwhile, or covered
                last = error
            time.sleep(0.05)
        raise AssertionError(f"it was not so within {PATIENCE:g} s: {told or what} {last or ''} {self.text('#said')}")

    def shot(self, path: Path) -> None:
        """Take a picture of the whole page."""
        self.driver.save_screenshot(str(path))

    def violations(self) -> list[str]:
        """Return what axe-core finds on the page; it stands for much of what a screen reader would stumble over."""
        axe = pytest.importorskip("axe_core_python", reason="axe-core-python looks for what screen readers cannot use")
        self.js((Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
        found = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            "axe.run(document, {resultTypes: ['violations']}).then(r => done(r.violations.map("
            "v => v.id + ': ' + v.nodes.map(n => n.target.join(' ') + ' ' + n.failureSummary).join('; '))))"
        )
        return list(found)

    def overflow(self) -> int:
        """Return how much wider than the window the page is [px]."""
        return int(self.js("return document.documentElement.scrollWidth - window.innerWidth"))

    def scrolling(self) -> list[str]:
        """Return the tables that are wider than their place."""
        tables = "[...document.querySelectorAll('main .table')].filter(t => t.scrollWidth > t.clientWidth)"
        return list(self.js(f"return {tables}.map(t => t.getAttribute('aria-label'))"))

    def requests(self) -> list[dict[str, Any]]:
        """Return what happened on the network since the last call: DevTools events."""
        return [json.loads(one["message"])["message"] for one in self.driver.get_log("performance")]

    def complaints(self, url: str) -> list[str]:
        """Return all that is wrong since the last call: console, failed requests, requests to other hosts."""
        found = [f"console: {one['level']} {one['message']}" for one in self.driver.get_log("browser")]
        for event in self.requests():
            about = event["params"]
            if event["method"] == "Network.requestWillBeSent":
                asked = about["request"]["url"]
                if not asked.startswith((f"{url}/", "data:", "blob:", "about:")):
                    found.append(f"elsewhere: {asked}")
            elif event["method"] == "Network.responseReceived" and about["response"]["status"] >= 400:
                found.append(f"{about['response']['status']}: {about['response']['url']}")
            elif event["method"] == "Network.loadingFailed" and not about.get("canceled"):
                found.append(f"failed: {about.get('errorText')}")
        return found
