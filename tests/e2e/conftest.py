"""What the tests in a real browser share."""

from __future__ import annotations

import pytest

from tests.e2e.browser import Browser, needed


@pytest.fixture(scope="session")
def chromium():
    needed()
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def browser(chromium):
    """The browser, far from the pages of the module before, whose servers have ended."""
    chromium.driver.get("about:blank")
    chromium.complaints("about:blank")
    yield chromium
    chromium.driver.get("about:blank")  # the last page would go on asking its server, beside all other tests
