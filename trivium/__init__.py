"""Trivium: a model, and three ways to run it. docs/python.md shows each in a few lines."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trivium import errors
    from trivium.client import Client
    from trivium.door.info import Info, info
    from trivium.door.simulate import simulate

__version__ = "0.1.0"
#: What the product is: the help of the command, the package summary, README and docs repeat it.
SUMMARY = "Trivium serves a simulation model and runs it three ways: step it, sweep it, converge it with others."

__all__ = ["Client", "Info", "errors", "info", "simulate"]

#: Where the public names are; a module is imported when its name is used first, so that ``import trivium`` is fast.
_MODULES = {
    "Client": "trivium.client",
    "Info": "trivium.door.info",
    "errors": "trivium.errors",
    "info": "trivium.door.info",
    "simulate": "trivium.door.simulate",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(_MODULES[name])
    value = globals()[name] = module if name == "errors" else getattr(module, name)
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, "__version__"})
