"""What an open page costs the server, in a real browser. ``python -m benchmarks.pages``.

For each page: the processor time of the web worker and of the session's process while the page is open, as a share of
one core, and the requests that the browser sends; while the session stands still, and while it does a step a second.
The first row is what these steps cost without a page. Needs Chromium and its driver (Debian: ``apt install chromium
chromium-driver``).
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from pathlib import Path

from tests.e2e.browser import PAGES, Browser
from tests.server import ROOT, Server

START = 7_800_000


def cpu(pids: list[int]) -> float:
    """Return the processor time that processes have used [s]."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def measure(browser: Browser, pids: list[int], seconds: float) -> tuple[float, float]:
    """Return the share of a core [%] and the requests a minute over some time [s]."""
    browser.requests()
    before, began = cpu(pids), time.monotonic()
    time.sleep(seconds)
    passed = time.monotonic() - began
    used = cpu(pids) - before
    sent = sum(event["method"] == "Network.requestWillBeSent" for event in browser.requests())
    return 100 * used / passed, 60 * sent / passed


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each page is looked at, twice")
    parser.add_argument("--only", nargs="*", metavar="PAGE", help="pages by their titles; by default all")
    options = parser.parse_args()
    seconds = options.seconds
    browser = Browser()
    with tempfile.TemporaryDirectory() as folder, Server(ROOT / "Resources", Path(folder)) as server:
        try:
            server.request("PUT", "/initialize", {"start_time": START})
            server.request("POST", "/steps", {"steps": 288})
            browser.look("laptop")
            print(
                "| page | still: % of a core | requests a minute | a step a second: % of a core | requests a minute |"
            )
            print("|---|--:|--:|--:|--:|")
            for path, title in {None: "none", **PAGES}.items():
                if options.only and title not in options.only:
                    continue
                if path is None:
                    browser.driver.get("about:blank")
                else:
                    browser.open(f"{server.url}/dashboard/{path}")
                time.sleep(5)
                pids = [*server.workers(), *server.hosts()]
                still = measure(browser, pids, seconds)
                stop = threading.Event()
                stepping = threading.Thread(target=_step, args=(server, stop))
                stepping.start()
                moving = measure(browser, pids, seconds)
                stop.set()
                stepping.join()
                print("| " + " | ".join([title, *(f"{figure:.2f}" for figure in (*still, *moving))]) + " |", flush=True)
        finally:
            browser.close()


def _step(server: Server, stop: threading.Event) -> None:
    while not stop.wait(1.0):
        server.request("POST", "/advance", {})


if __name__ == "__main__":
    main()
