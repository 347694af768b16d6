"""How a simulation of a test case begins: from an observation, after a warm-up, or with the model's initialization."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from trivium.arguments import unknown_name
from trivium.errors import InvalidValueError, ResourcesError
from trivium.model.contract import FloatArray, StartValues
from trivium.model.variable import Variable, parse_input
from trivium.numbers import shown
from trivium.simulation.initialization import InitializationActions
from trivium.simulation.inputs import Actions
from trivium.simulation.state import Position
from trivium.simulation.stepper import Stepper
from trivium.simulation.times import Clock, difference
from trivium.simulation.warm import WarmStarts


class Begun(NamedTuple):
    """A simulation that has begun.

    Attributes
    ----------
    position : Position
    controls : FloatArray, shape (n_controls,)
        Control inputs that were held last.
    warmup : float
        How long before it the simulation began [s].
    """

    position: Position
    controls: FloatArray
    warmup: float


class Starts:
    """Begins simulations of a test case.

    A test case with an observation stands at 0 with that, and a later start is simulated from an interval before on,
    with its initialization actions. Without both the model is initialized at the start, whichever it is; where a
    warm-up is asked it is simulated with the control inputs' start values.

    Parameters
    ----------
    stepper : Stepper
    clients : Actions
        The control inputs.
    actions : InitializationActions or None
    observation : Mapping[str, float] or None
        All outputs, and the control inputs it has.
    source : str
        What the observation is read from, for errors.
    start : tuple of (float or None, float)
        Where a new session stands, None for the beginning of the boundary data, and how long before its simulation
        begins [s].
    usual : Mapping[str, float or str]
        Start values that every simulation has besides those that it is asked for.

    Raises
    ------
    ResourcesError
        When the observation lacks an output.
    """

    def __init__(
        self,
        stepper: Stepper,
        clients: Actions,
        actions: InitializationActions | None,
        observation: Mapping[str, float] | None,
        source: str = "the observation",
        start: tuple[float | None, float] = (None, 0.0),
        usual: StartValues = MappingProxyType({}),
    ) -> None:
        self._start, self._warmup = start
        self._usual = usual
        self._stepper = stepper
        self._actions = actions
        self._position = clients.position
        outputs = stepper.model.outputs
        values = {variable.name: variable.start or 0.0 for variable in clients.variables}
        self._outputs0: FloatArray | None = None
        if observation is not None:
            strict = outputs[: stepper.model.n_strict]
            missing = [variable.name for variable in strict if variable.name not in observation]
            if missing:
                raise ResourcesError(f"{source} has no column {missing[0]}")
            # what else is recorded has no value before the first step
            self._outputs0 = np.array([observation.get(variable.name, np.nan) for variable in outputs])
            values |= {name: observation[name] for name in values if name in observation}
        #: Control inputs of a new session, shape (n_controls,).
        self.controls0 = np.array(list(values.values()))
        #: Of the boundary data, where simulations begin with an observation or after actions [s]; None for others.
        self.interval = None if actions is None and observation is None else stepper.disturbances.interval
        self.warm = WarmStarts(stepper)

    @property
    def may_be_negative(self) -> bool:
        """Whether a simulation may begin before 0: not where data or a test case of BOPTEST begins with its year."""
        return self.interval is None and self._start is None

    @property
    def earliest(self) -> float:
        """Where a new session stands [s]: as the test case says, or at 0, or where the boundary data begins."""
        return max(0.0, self._stepper.disturbances.time0) if self._start is None else self._start

    def first(self, step: float) -> Begun:
        """Begin there, with the warm-up that the test case wants, in steps of that length [s].

        Raises
        ------
        TriviumError
            When it cannot be done.
        """
        if self._start is None:
            return self._here(self.earliest, self._usual, self.controls0)
        return self.begin(self._start, self._warmup, {}, step)

    def begin(
        self,
        time: float,
        warmup: float | None,
        start_values: StartValues,
        step: float,
        controls: Mapping[str, float] = MappingProxyType({}),
    ) -> Begun:
        """Begin at a time.

        Parameters
        ----------
        time : float
            [s]
        warmup : float or None
            How long before that the simulation shall begin [s]; None for what the test case needs.
        start_values : Mapping[str, float or str]
            What `parse` returned.
        step : float
            Control step of the warm-up, where the test case has no interval [s].
        controls : Mapping[str, float]
            Control inputs from the start on, and before it where no initialization actions have them.

        Raises
        ------
        TriviumError
            When it cannot be done; everything stands as before.
        """
        first, start_values = self.controls0.copy(), {**self._usual, **start_values}
        for name, value in controls.items():
            first[self._position[name]] = value
        duration = warmup or 0.0
        if self.interval is not None:
            if time == 0:
                return self._here(time, start_values, first)
            duration, step = max(duration, self.interval), self.interval
        if time >= 0:
            duration = min(duration, time)

        def cold() -> tuple[Position, FloatArray]:
            beginning = self._cold(time, duration, start_values, step, first)
            return beginning.position, beginning.controls

        key = (time, duration, step, *sorted(start_values.items()), *sorted(controls.items()))
        position, last = self.warm.start(key, cold)
        for name, value in controls.items():  # initialization actions may have had others
            last[self._position[name]] = value
        return Begun(position, last, duration)

    def _here(self, time: float, start_values: StartValues, controls: FloatArray) -> Begun:
        """Begin without a warm-up."""
        if self._outputs0 is None:
            position = self._stepper.initialize(time, controls, start_values)
        else:
            position = self._stepper.observe(time, controls, self._outputs0, start_values)
        return Begun(position, controls, 0.0)

    def _cold(self, time: float, warmup: float, start_values: StartValues, step: float, first: FloatArray) -> Begun:
        """Begin by simulating."""
        if difference(time, warmup) == time:  # none, or less than a time can tell
            return self._here(time, start_values, first)
        times = self._warmup_times(time, warmup, step)
        controls = np.array([self._action(at, time, first) for at in times[:-1]])
        outputs = self._outputs0
        if outputs is None and self._start is None:  # no law looks at them; BOPTEST's results begin with the model's
            outputs = np.zeros(len(self._stepper.model.outputs))
        position = self._stepper.warm_up(times, controls, outputs, start_values)
        return Begun(position, controls[-1].copy(), warmup)

    def _warmup_times(self, time: float, warmup: float, step: float) -> list[float]:
        """Return where the control steps of a warm-up before a time begin and end [s]."""
        began, stepper = difference(time, warmup), self._stepper
        if self.interval is not None:  # an action holds until the next row
            return [began, *stepper.disturbances.split([began, time])]
        if not stepper.inputs.grid.coarsened:  # which divides it, whatever the step is
            return [began, time]
        n_steps = int(warmup / step + 1e-9)
        times = Clock(time, step, -n_steps).times(n_steps)
        if times[0] - began > 1e-9 * step or not n_steps:  # the first step is shorter
            times.insert(0, began)
        return times

    def _action(self, time: float, start: float, first: FloatArray) -> FloatArray:
        """Return the control inputs of the step from a time on, before the start; without actions the first ones."""
        if self._actions is None:
            if self.interval is None:
                return first
            raise InvalidValueError(
                f"Invalid value {start} for parameter start_time. This test case has no initialization "
                f"actions, so it can start at 0 only.",
                "start_time",
            )
        action = self._actions.at(time)
        controls = self.controls0.copy()
        for name, i in self._position.items():
            controls[i] = action.get(name, controls[i])
        return controls


def parse_start_values(
    values: Mapping[str, Any], parameters: Mapping[str, Variable], owner: str = "the model"
) -> StartValues:
    """Return start values, checked.

    Parameters
    ----------
    values : Mapping[str, float or int or bool or str or None]
        None in place of a value keeps what the model has.
    parameters : Mapping[str, Variable]
        What may be set, by name.
    owner : str
        Name of the model, for messages.

    Raises
    ------
    InvalidValueError
        When a name is unknown, or a value is of the wrong kind or out of bounds.
    """
    checked: dict[str, float | str] = {}
    for name, value in values.items():
        variable = parameters.get(name)
        if variable is None:
            raise unknown_name(owner, "start value", name, parameters, name, "parameters")
        if value is None:
            continue
        if variable.kind != "text":
            checked[name] = parse_input(value, variable)
        elif isinstance(value, str):
            checked[name] = _base64(value, name) if variable.binary else value
        else:
            raise InvalidValueError(
                f"Invalid value {shown(value)} for parameter {name}. Value must be a string, but is {type(value)}.",
                name,
            )
    return checked


def _base64(value: str, name: str) -> str:
    """Return bytes in base64, checked."""
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise InvalidValueError(
            f"Invalid value {shown(value)} for parameter {name}. Value must be bytes in base64: {error}.", name
        ) from error
    return value
