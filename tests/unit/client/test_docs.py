"""docs/client.md tells all that the client can."""

from __future__ import annotations

import inspect
import re

import pytest

from trivium.client import Client, Session
from trivium.environment import ROOT


@pytest.mark.parametrize("kind", [Client, Session])
def test_every_method_and_argument_is_told(kind):
    told = (ROOT / "docs" / "client.md").read_text(encoding="utf-8")
    for name, method in inspect.getmembers(kind, inspect.isfunction):
        if name.startswith("_"):
            continue
        match = re.search(rf"`{name}\(([^)]*)\)`", told)
        assert match, f"{kind.__name__}.{name}"
        for argument in list(inspect.signature(method).parameters)[1:]:
            assert argument in match[1] or argument in ("step", "parts"), f"{kind.__name__}.{name}: {argument}"
