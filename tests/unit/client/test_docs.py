"""docs/client.md documents all that the client can."""

from __future__ import annotations

import inspect
import re

import pytest

from trivium.client import Client, Session
from trivium.environment import ROOT


def documented(parameter: inspect.Parameter) -> str:
    """Return a parameter as the page writes it: its name and its default."""
    stars = "**" if parameter.kind is parameter.VAR_KEYWORD else ""
    default = "" if parameter.default is parameter.empty else f"={parameter.default!r}"
    return f"{stars}{parameter.name}{default}"


@pytest.mark.parametrize("kind", [Client, Session])
def test_every_method_is_documented_with_its_arguments_and_their_defaults(kind):
    page = (ROOT / "docs" / "client.md").read_text(encoding="utf-8")
    methods = [(n, m) for n, m in inspect.getmembers(kind, inspect.isfunction) if not n.startswith("_")]
    assert len(methods) > 8
    for name, method in methods:
        parameters = list(inspect.signature(method).parameters.values())[1:]
        expected = f"`{name}({', '.join(map(documented, parameters))})`"
        assert expected in page, f"{kind.__name__}.{name} is documented as {re.findall(rf'`{name}[(][^`]*`', page)}"
