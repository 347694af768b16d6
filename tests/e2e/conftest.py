"""What the tests in a real browser share."""

from __future__ import annotations

import pytest

from tests.e2e.browser import Browser, needed


@pytest.fixture(scope="module")
def browser():
    needed()
    browser = Browser()
    yield browser
    browser.close()
