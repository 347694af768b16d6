"""Trivium: a model, and three ways to run it. docs/python.md shows each in a few lines."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trivium import errors
    from trivium.client import Client
    from trivium.door.coupling import Convergence, Coupling
    from trivium.door.info import info
    from trivium.door.simulate import simulate
    from trivium.door.simulation import open_simulation as open  # noqa: A004, it is trivium.open
    from trivium.door.study import Study
    from trivium.door.testcase import TestCase
    from trivium.protocol import Simulation

__version__ = "0.1.0"
#: What the product is: the help of the command, the package summary, README and docs repeat it.
SUMMARY = "Trivium serves a simulation model and runs it three ways: step it, sweep it, converge it with others."

__all__ = [
    "Client",
    "Convergence",
    "Coupling",
    "Info",
    "Simulation",
    "Study",
    "TestCase",
    "errors",
    "info",
    "open",
    "simulate",
]

#: Where the public names are; a module is imported when its name is used first, so that ``import trivium`` is fast.
_PLACES = {
    "Client": "trivium.client:Client",
    "Convergence": "trivium.door.coupling:Convergence",
    "Coupling": "trivium.door.coupling:Coupling",
    "Info": "trivium.model.fmu.info:Info",
    "Simulation": "trivium.protocol:Simulation",
    "Study": "trivium.door.study:Study",
    "TestCase": "trivium.door.testcase:TestCase",
    "errors": "trivium.errors:",
    "info": "trivium.door.info:info",
    "open": "trivium.door.simulation:open_simulation",
    "simulate": "trivium.door.simulate:simulate",
}


if not TYPE_CHECKING:  # type checkers see the imports above, and refuse other names

    def __getattr__(name: str) -> Any:
        if name not in _PLACES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module, _, attribute = _PLACES[name].partition(":")
        value = globals()[name] = (
            getattr(importlib.import_module(module), attribute) if attribute else importlib.import_module(module)
        )
        return value


def __dir__() -> list[str]:
    return sorted({*__all__, "__version__"})
