"""Take the pictures of the dashboard that docs/img holds: ``python -m tests.e2e.pictures``, some minutes."""

from __future__ import annotations

import tempfile
from pathlib import Path

from PIL import Image

from tests.e2e.browser import SIZES, Browser
from tests.server import ROOT, Server

IMAGES = ROOT / "docs" / "img"
#: A hot afternoon, and half a day in winter on which looking ahead pays.
HOT, COLD = "2020-07-21", "2021-03-01"
SIZES |= {"plant": (1200, 870), "indicators": (1200, 1100), "tall phone": (390, 1490)}
COLOURS = 128


def drive(browser: Browser, server: Server, start: str, steps: int, controller: str) -> None:
    """Let a controller drive the default session from a date."""
    browser.open(f"{server.url}/dashboard/sessions")
    browser.fill("#start-time", start)
    browser.confirm("#initialize")
    browser.until(lambda: "The session begins" in browser.text("#said"))
    browser.choose("#controller", controller)
    browser.fill("#steps", str(steps))
    browser.click("#run-steps")
    browser.until(lambda: f"{controller}: {steps} of {steps} steps, done" in browser.text("#run-state"))


def take(browser: Browser, name: str) -> None:
    """Store what the browser shows, without what it said last."""
    browser.js("document.querySelector('#said').textContent = ''")
    path = IMAGES / f"{name}.png"
    browser.shot(path)
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(COLOURS).save(path, optimize=True)


def main() -> None:
    """Take all."""
    browser = Browser()
    browser.driver.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
    try:
        with tempfile.TemporaryDirectory() as state, Server(ROOT / "Resources", Path(state)) as server:
            browser.look("plant")
            drive(browser, server, HOT, 180, "rules")
            for name, size, dark in (("dashboard-plant", "plant", False), ("dashboard-phone", "tall phone", True)):
                browser.look(size, dark=dark)
                browser.open(f"{server.url}/dashboard/")
                browser.until(lambda: browser.all("#plant-drawing svg"))
                browser.until(lambda: browser.all("#plant-chart .scatterlayer .trace"))
                take(browser, name)
            browser.look("indicators")
            drive(browser, server, COLD, 144, "look-ahead")
            browser.open(f"{server.url}/dashboard/indicators")
            browser.click("#make-baseline")
            browser.until(lambda: "144 of 144 steps, done" in browser.text("#baseline-state"))
            browser.until(lambda: "★" in browser.text("#kpi-table"))
            take(browser, "dashboard-indicators")
    finally:
        browser.close()


if __name__ == "__main__":
    main()
