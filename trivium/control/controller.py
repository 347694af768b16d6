"""Controllers: what they are, what they are made for, and those that there are.

Packages bring controllers by the entry point group ``trivium.controllers``; each refers to a `Factory`.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any, Protocol, runtime_checkable

from pydantic import AfterValidator, Field

from trivium.entry_points import Registry
from trivium.errors import SettingsError, TriviumError
from trivium.suggestions import near_or_all


class Controller(Protocol):
    """Decides on control inputs; observations and boundary data by name, in SI units."""

    def reset(self, observation: Mapping[str, float], boundary: Mapping[str, float]) -> None:
        """Start without a past."""

    def action(self, observation: Mapping[str, float], boundary: Mapping[str, float]) -> Mapping[str, float]:
        """Return the control inputs of the coming step."""


@runtime_checkable
class Adjustable(Controller, Protocol):
    """A controller by rules, whose figures may be changed while it drives."""

    @property
    def rules(self) -> Any:
        """Its figures, a frozen dataclass."""

    def revised(self, rules: Any) -> Controller:
        """Return a copy that has the same past and goes on by other figures."""


#: Rehearses a controller over a number of steps; returns the sum of key performance indicators times their weights,
#: infinity where a step fails.
Rehearse = Callable[[Controller, int, Mapping[str, float]], float]


class Controlled(Protocol):
    """What a controller is made for: a simulation in this process, or a session in another."""

    @property
    def inputs(self) -> Collection[str]:
        """Names of the control inputs."""

    def rehearsal(self) -> Rehearse:
        """Return what simulates a controller from now on and comes back.

        Raises
        ------
        TriviumError
            When nothing can be rehearsed.
        """


#: Makes a controller; raises a SettingsError where the controller is for another plant.
Factory = Callable[[Controlled], Controller]
#: All controllers.
CONTROLLERS: Registry[Factory] = Registry("trivium.controllers")
#: The name of a controller, as a field of a pydantic model.
ControllerName = Annotated[str, AfterValidator(CONTROLLERS.check), Field(json_schema_extra=CONTROLLERS.describe)]


def make(name: str, controlled: Controlled) -> Controller:
    """Make a controller.

    Raises
    ------
    SettingsError
        When there is none of that name, it cannot be loaded, or it is for another plant.
    """
    try:
        factory = CONTROLLERS.load(name)
    except KeyError:
        raise SettingsError(f"there is no controller {name}.{near_or_all(name, CONTROLLERS.names())}") from None
    return factory(controlled)


def controllers() -> list[str]:
    """Return the names of all controllers that can be loaded."""
    return [name for name, _ in CONTROLLERS.all()]


def suitable(inputs: Collection[str]) -> list[str]:
    """Return the names of the controllers for a model with these control inputs."""
    names = []
    for name, factory in CONTROLLERS.all():
        with contextlib.suppress(TriviumError):
            factory(_Unopened(inputs))
            names.append(name)
    return names


class _Unopened:
    """A model of which only the control inputs are known."""

    def __init__(self, inputs: Collection[str]) -> None:
        self.inputs = inputs

    def rehearsal(self) -> Rehearse:
        return lambda *_: math.inf


class Hold:
    """Leaves all control inputs as they are."""

    def reset(self, *_: Mapping[str, float]) -> None:
        """Start without a past."""

    def action(self, *_: Mapping[str, float]) -> Mapping[str, float]:
        """Return nothing to change."""
        return {}


def hold(_: Controlled) -> Hold:
    """Hold the inputs as they are."""
    return Hold()
