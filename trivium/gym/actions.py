"""What an agent decides: inputs of the plant by name, or stages and set points of the rule-based controller."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from gymnasium import spaces

from trivium.errors import InvalidValueError
from trivium.gym.spaces import Vector, bounds_of
from trivium.model.variable import Variable
from trivium.plants.cooling.agent import MODES, SET_POINTS, STAGES, StagedController
from trivium.plants.cooling.rules import BOUNDARY, INPUTS
from trivium.protocol import Simulation

#: A name that no input has.
_NO_INPUT = "?"


class Actions(Protocol):
    """From an element of the action space to inputs of the plant."""

    space: spaces.Space[Any]
    #: Boundary signals that it needs.
    boundary: Sequence[str]

    def reset(self, values: Mapping[str, float], boundary: Mapping[str, float]) -> None:
        """Begin an episode at these measurements and inputs."""

    def past(self) -> Any:
        """Return what is remembered of the episode."""

    def resume(self, past: Any) -> None:
        """Go on from what `past` returned."""

    def decode(self, action: Any, values: Mapping[str, float], boundary: Mapping[str, float]) -> Mapping[str, float]:
        """Return the inputs for the coming step."""


class InputActions:
    """Inputs of the plant as a box; those left out keep what they have.

    Parameters
    ----------
    points : Mapping[str, Variable]
        The plant's inputs.
    names : sequence of str
    given : Mapping[str, tuple of float]
        Bounds narrower than the plant's.
    whole : sequence of str
        Those that take whole numbers only; they are rounded.
    normalise : bool

    Raises
    ------
    InvalidValueError
        When a name is unknown or has no bounds.
    """

    boundary: Sequence[str] = ()

    def __init__(
        self,
        points: Mapping[str, Variable],
        names: Sequence[str],
        bounds: Mapping[str, tuple[float, float]],
        integers: Sequence[str],
        *,
        normalise: bool,
    ) -> None:
        self._whole = np.array([name in integers for name in names], dtype=bool)
        self._vector = Vector(names, *bounds_of(points, names, bounds), normalise=normalise)
        self.space: spaces.Space[Any] = self._vector.space

    def reset(self, values: Mapping[str, float], boundary: Mapping[str, float]) -> None:
        """Remember nothing."""

    def past(self) -> None:
        """Remember nothing."""

    def resume(self, past: None) -> None:
        """Remember nothing."""

    def decode(
        self,
        action: Any,
        values: Mapping[str, float],  # noqa: ARG002
        boundary: Mapping[str, float],  # noqa: ARG002
    ) -> dict[str, float]:
        """Return the inputs by name."""
        decided = self._vector.decode(action)
        decided[self._whole] = np.round(decided[self._whole])
        return dict(zip(self._vector.names, decided.tolist(), strict=True))


class StagedActions:
    """Stages and set points; the rule-based controller turns them into the plant's 100 inputs.

    The agent decides on the mode, how many trains, towers and pumps are in service, and the set points. The rule book
    does the rest: which unit leads, valves, speeds of pumps and fans, the guard against frost, and a train that leaves
    stays until its successor's valves have opened. A chiller that has started stays on for an hour, as there.

    Parameters
    ----------
    flat : bool
        One box [-1, 1] with a direction for each decision, the discrete ones cut into equal parts, instead of a
        dictionary of a `MultiDiscrete` and a box.
    """

    boundary: Sequence[str] = BOUNDARY

    def __init__(self, *, flat: bool) -> None:
        self._flat = flat
        low, high = zip(*SET_POINTS.values(), strict=True)
        self._set_points = Vector(list(SET_POINTS), low, high, normalise=True)
        self._choices = np.array(list(STAGES.values()))
        self.space: spaces.Space[Any]
        if flat:
            self.space = spaces.Box(-1.0, 1.0, (len(STAGES) + len(SET_POINTS),), np.float32)
        else:
            discrete = spaces.MultiDiscrete(self._choices)
            self.space = spaces.Dict({"stages": discrete, "set_points": self._set_points.space})
        self._controller = StagedController()

    def reset(self, values: Mapping[str, float], boundary: Mapping[str, float]) -> None:
        """Let the rule book begin without a past."""
        self._controller.reset(values, boundary)

    def past(self) -> Any:
        """Return the rule book's past."""
        return copy.deepcopy(self._controller)

    def resume(self, past: Any) -> None:
        """Let the rule book go on from there."""
        self._controller = copy.deepcopy(past)

    def decode(self, action: Any, values: Mapping[str, float], boundary: Mapping[str, float]) -> dict[str, float]:
        """Return the plant's 100 inputs."""
        if self._flat:
            ordered = np.asarray(action[: len(STAGES)], dtype=np.float64)
            if np.isnan(ordered).any():
                name = list(STAGES)[int(np.isnan(ordered).argmax())]
                raise InvalidValueError(f"Invalid action: {name} is no number.", "action")
            shares = (np.clip(ordered, -1.0, 1.0) + 1.0) / 2.0
            choices = np.clip((shares * self._choices).astype(int), 0, self._choices - 1)
            set_points = action[len(STAGES) :]
        else:
            choices, set_points = action["stages"], action["set_points"]
        mode, *counts = (int(stage) for stage in choices)
        supply, approach = self._set_points.decode(set_points).tolist()
        self._controller.order(MODES[mode], [count + 1 for count in counts], supply, approach)
        return self._controller.action(values, boundary)


def make_actions(
    names: str | Sequence[str], plant: Simulation, bounds: Mapping[str, tuple[float, float]], *, normalise: bool
) -> Actions:
    """Return the actions that an environment takes.

    Parameters
    ----------
    names : str or sequence of str
        ``all``, names of inputs, ``staging`` or ``staging-flat``.
    plant : Simulation
    bounds : Mapping[str, tuple of float]
        Bounds of inputs.
    normalise : bool

    Raises
    ------
    InvalidValueError
        When it is none of these, or the plant is not the one that can be staged.
    """
    inputs = plant.inputs
    if names == "all":
        names = list(inputs)
    if not isinstance(names, str):
        low, high = bounds_of(inputs, names, bounds)
        integers = _integers(plant, dict(zip(names, zip(low, high, strict=True), strict=True)))
        return InputActions(inputs, names, bounds, integers, normalise=normalise)
    if names not in ("staging", "staging-flat"):
        raise InvalidValueError(
            f"Invalid value {names} for parameter actions. It must be all, staging, staging-flat or a list of inputs.",
            "actions",
        )
    missing = [name for name in INPUTS if name not in inputs]
    if missing:
        raise InvalidValueError(f"This plant cannot be staged: it has no input {missing[0]}.", "actions")
    return StagedActions(flat=names == "staging-flat")


def _integers(plant: Simulation, bounds: Mapping[str, tuple[float, float]]) -> list[str]:
    """Find the inputs that take whole numbers only: those for which the plant refuses a half.

    Nothing is simulated, because the last name of the request is none of the plant's.
    """
    halves = {name: math.floor(low) + 0.5 for name, (low, high) in bounds.items() if math.floor(low) + 0.5 < high}
    names: list[str] = []
    while True:
        try:
            plant.look_ahead({**halves, _NO_INPUT: 0.0}, clamp=True)
        except InvalidValueError as error:
            if error.field not in halves:
                return names
            names.append(error.field)
            del halves[error.field]
