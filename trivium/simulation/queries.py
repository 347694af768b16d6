"""What can be asked of a simulation: its variables, where it stands, its results, what a step would lead to.

Nothing here changes a simulation, except that its model is instantiated when that is first needed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trivium.arguments import by_name
from trivium.errors import InvalidValueError, ModelError, ResourcesError, TriviumError, UnknownNameError
from trivium.model.contract import FloatArray, Model, StartValues
from trivium.model.variable import Variable
from trivium.numbers import parse_flag, whole, window_end
from trivium.protocol import Advanced, Clamp, Clamped, Columns, Observation, Steps, Trajectory, Value
from trivium.simulation import state
from trivium.simulation.assembly import first_step
from trivium.simulation.fmu import about_fmu
from trivium.simulation.initialization import InitializationActions
from trivium.simulation.inputs import Actions, overwrites
from trivium.simulation.points import Points
from trivium.simulation.resources import Resources
from trivium.simulation.start import Starts, parse_start_values
from trivium.simulation.state import Position
from trivium.simulation.stepper import Stepper
from trivium.simulation.times import Clock, difference
from trivium.table import Table

#: Most control steps of one call, however far the end is.
MOST = 1_000_000
#: Columns of tables of variables.
_POINT = ("unit", "description", "minimum", "maximum")
_VARIABLE = (*_POINT, "causality")
_PARAMETER = (*_POINT, "start", "text", "kind", "tunable")


class Queries:
    """A simulation as far as it is looked at; `trivium.simulation.simulation.Simulation` describes the parameters."""

    def __init__(
        self,
        resources: Resources,
        stepper: Stepper,
        actions: InitializationActions | None,
        observation: Mapping[str, float] | None,
    ) -> None:
        #: Name and version of the test case.
        self.name, self.version = resources.name, resources.version
        #: The model, its boundary data and its history.
        self.stepper = stepper
        #: The control inputs.
        self.actions = Actions([stepper.model.inputs[i] for i in stepper.inputs.controlled], self.name)
        path = resources.initialization_observation
        source, start = "" if path is None else path.name, (resources.start_time, resources.warmup_period)
        usual = _usual(resources, stepper.model)
        self._starts = Starts(stepper, self.actions, actions, observation, source, start, usual)
        self._latest = math.inf if resources.end_time is None else resources.end_time
        self._clock = Clock(self._starts.earliest, first_step(resources, stepper.model, stepper.disturbances))
        self._controls, self._end, self._first_row = self._starts.controls0, self._latest, 0
        self._position: Position | None = None
        self._closed = False
        model = stepper.model
        self._acting = overwrites(self.actions.position, {v.name for v in model.outputs[: model.n_strict]})
        self._points = Points(stepper, list(self.actions.position), self._acting, self.name)
        self._tunable = {v.name: v for v in model.parameters if v.tunable}
        self._parts = resources, actions, observation
        self._origin = state.origin(resources, stepper.model)

    @property
    def time(self) -> float:
        """Clock [s]."""
        return self._clock.time

    @property
    def interval(self) -> float | None:
        """Interval of the boundary data, where simulations begin with an observation or after actions [s]."""
        return self._starts.interval

    @property
    def inputs(self) -> Table[Variable]:
        """The inputs that `advance` takes: a table with units, bounds and descriptions."""
        return _table(self.actions.variables)

    @property
    def measurements(self) -> Table[Variable]:
        """What a step returns, but for outputs that are what acts for an input: a table with units and descriptions.

        These are the outputs, and what the test case selects.
        """
        hidden = {*self._acting.values()}
        return _table([variable for variable in self.stepper.model.measurements if variable.name not in hidden])

    @property
    def fmu(self) -> dict[str, Any]:
        """What the FMU declares, what was found about it, and how it is run."""
        return about_fmu(self.stepper.model)

    @property
    def variables(self) -> Table[Variable]:
        """All that `results` may be asked for: a table with units and descriptions."""
        return _table([*self._points.variables.values()], _VARIABLE)

    @property
    def parameters(self) -> Table[Variable]:
        """What the start values of `initialize` may be: a table."""
        return _table(self.stepper.model.parameters, _PARAMETER)

    @property
    def forecast_points(self) -> Table[Variable]:
        """The boundary data: a table with units and descriptions."""
        names = {*self.stepper.disturbances.names}
        return _table([variable for variable in self.stepper.model.inputs if variable.name in names])

    def observation(self) -> Observation:
        """Return all outputs and control inputs as they are now.

        Raises
        ------
        TriviumError
            When the model cannot be initialized.
        """
        position = self._current()
        return Observation(self._observed(position, self._controls), position.time)

    def boundary(self) -> dict[str, float]:
        """Return the boundary data of the coming step, by name."""
        return self.stepper.disturbances.row(self.time)

    def history_rows(self, first: int = 0) -> FloatArray:
        """Return the rows of the history from one on, shape (k, n_columns): time, inputs, outputs; a copy."""
        self._current()
        return np.array(self.stepper.history.rows(first))

    def results(
        self,
        point_names: Sequence[str] | None = None,
        start_time: float | None = None,
        final_time: float | None = None,
    ) -> Columns:
        """Return trajectories of points since the initialization, a value at the end of every sub-step.

        Parameters
        ----------
        point_names : sequence of str, optional
            Of `variables`; default: all measurements and all inputs of `advance`.
        start_time, final_time : float, optional
            The window, both ends included [s], infinite for no end; default: all there is.

        Raises
        ------
        InvalidValueError
            Naming what does not exist, or when the window ends before it begins.
        """
        names = self._points.checked(point_names)
        start = -math.inf if start_time is None else window_end(start_time, "start_time")
        final = math.inf if final_time is None else window_end(final_time, "final_time")
        if final < start:
            raise InvalidValueError(
                f"Invalid value {final} for parameter final_time. Value must not be less than start_time.", "final_time"
            )
        self._current()
        return Columns(self._points.window(names, start, final))

    def look_ahead(self, inputs: Mapping[str, Any] | None = None, *, clamp: Clamp = False) -> Advanced:
        """Return what `advance` would return after one step, and stay; parameters and errors as there."""
        controls, changes, clamped, times = self._coming(inputs, 1, clamp)
        if len(times) == 1:
            return Advanced({}, times[0], times[0], steps=0)
        position, _, error = self.stepper.look_ahead(self._current(), controls[np.newaxis], times, changes)
        if error is not None:
            raise error
        return Advanced(self._observed(position, controls), position.time, times[0], clamped)

    def look_ahead_many(
        self,
        steps: int | None = None,
        *,
        action: Mapping[str, Value] | None = None,
        trajectory: Trajectory | None = None,
        point_names: Sequence[str] | None = None,
        atomic: bool = True,
    ) -> Steps:
        """Return what `advance_many` would return, and stay; parameters and errors as there."""
        controls, changes, names = self._planned(steps, action, trajectory, point_names, atomic)
        count = len(controls)
        if atomic:
            self._times(count)
        within = controls[: int(min(self._steps_left(), count))]
        _, ends, error = self.stepper.look_ahead(self._current(), within, self._clock.times(len(within)), changes)
        if error is None and len(within) < count:
            error = self._past_the_end(self._clock.after(len(within)), 1)
        if error is not None and atomic:
            raise error
        return self._stepped(ends, names, self._clock.time, count, error)

    def __repr__(self) -> str:
        if self._closed:
            return f"Simulation({self.name}, closed)"
        return f"Simulation({self.name} at {self.time:g} s, step {self._clock.step:g} s)"

    # -----------------------------------------------------------------------------------------------------------------

    def _require_open(self) -> None:
        if self._closed:
            raise ModelError(f"The simulation of {self.name} is closed; trivium.open makes a new one.")

    def _current(self) -> Position:
        """Begin, where that was not done; return the present position."""
        if self._position is None or self._closed:
            self._require_open()
            beginning = self._starts.first(self._clock.step)
            self._position, self._first_row = beginning.position, len(self.stepper.history) - 1
        return self._position

    def _observed(self, position: Position, controls: FloatArray) -> dict[str, Any]:
        measured = position.outputs[: self.stepper.model.n_measured].tolist()
        numbers = dict(zip(self._points.observed, (*measured, *controls.tolist()), strict=True))
        for name, output in self._acting.items():
            numbers[name] = numbers.pop(output)
        return {**numbers, **position.texts} if position.texts else numbers

    def _coming(
        self, inputs: Mapping[str, Any] | None, steps: int, clamp: Clamp
    ) -> tuple[FloatArray, StartValues, list[Clamped], list[float]]:
        """Return control inputs, shape (n_controls,), changes of parameters and texts, the inputs that were clamped,
        and the clock now and at the end of each coming step [s].
        """  # noqa: D205
        values, changes = self._split(by_name(inputs, "inputs", '{"u": 1.0}'))
        count = 1 if steps == 1 else whole(steps, "steps")
        try:
            if not clamp:
                return self.actions.parse(values, self._controls), changes, [], self._times(count)
            controls, clamped = self.actions.clamp(values, self._controls, cut=clamp == "inputs")
        except UnknownNameError as error:
            raise self._explained(error) from None
        if clamp == "inputs":
            return controls, changes, clamped, self._times(count)
        left = self._steps_left()
        times = self._clock.times(int(min(count, left)))
        if left < count and difference(self._end, times[-1]) > 1e-9 * self._clock.step:
            times.append(self._end)
        return controls, changes, clamped, times

    def _split(self, values: dict[str, Any]) -> tuple[dict[str, Any], StartValues]:
        """Return the control inputs among the values of an action, and checked changes of parameters and texts."""
        if self._tunable.keys().isdisjoint(values):
            return values, {}
        changes = {name: values[name] for name in values if name in self._tunable}
        others = {name: value for name, value in values.items() if name not in self._tunable}
        return others, parse_start_values(changes, self._tunable, self.name)

    def _explained(self, error: UnknownNameError) -> InvalidValueError:
        """Return the refusal of a name that is no control input, with a better reason where it is another variable."""
        name = error.name
        if name in self._tunable:
            reason = "It changes at the beginning of a request: give it in the action, not in a trajectory"
        elif any(v.name == name for v in self.stepper.model.parameters):
            reason = "It is fixed during a run: start_values of an initialization set it"
        elif any(v.name == name for v in self.stepper.model.inputs):
            reason = "The test case itself gives this input its values"
        else:
            return error
        return InvalidValueError(f"Unexpected input variable: {name}. {reason}.", error.field)

    def _times(self, count: int) -> list[float]:
        """Return the clock now and after each coming step [s]; refuse steps beyond the end."""
        if (self._end - self._clock.time) / self._clock.step + 1e-9 < count:
            raise self._past_the_end(self._clock, count)
        return self._clock.times(count)

    def _steps_left(self) -> float:
        """Return how many control steps there are until the end."""
        left = (self._end - self._clock.time) / self._clock.step
        return left if math.isinf(left) else math.floor(left + 1e-9)

    def _past_the_end(self, clock: Clock, count: int) -> InvalidValueError:
        """Return the refusal of control steps from a clock on."""
        length = difference(clock.times(count)[-1], clock.time)
        return InvalidValueError(
            f"Cannot advance from {clock.time}s by a step of {length}s: the simulation ends at {self._end}s. "
            f"Initialize anew or choose a smaller step.",
            "step",
        )

    def _planned(
        self, steps: Any, action: Any, trajectory: Any, point_names: Any, atomic: Any
    ) -> tuple[FloatArray, StartValues, Sequence[str]]:
        """Return the control inputs of every step, shape (n_steps, n_controls), changes before the first, and the
        points to be returned.
        """  # noqa: D205
        parse_flag(atomic, "atomic")
        held_inputs, changes = self._split(by_name(action, "action", '{"u": 1.0}'))
        least = 1
        try:
            controls = self.actions.parse(held_inputs, self._controls)[np.newaxis]
            if trajectory is not None:
                controls = self.actions.trajectory(trajectory, controls[0])
                least = len(controls)
        except UnknownNameError as error:
            raise self._explained(error) from None
        count = least if steps is None else whole(steps, "steps")
        limit = int(min(self._latest / min(self._clock.step, self.interval or math.inf) + 1e-9, MOST))
        if not least <= count <= limit:
            raise InvalidValueError(
                f"Invalid value {count} for parameter steps. Value must be from {least} to {limit}.", "steps"
            )
        held = np.repeat(controls[-1:], count - len(controls), axis=0)
        return np.concatenate((controls, held)), changes, self._points.checked(point_names)

    def _stepped(
        self, ends: FloatArray, names: Sequence[str], start: float, requested: int, error: TriviumError | None
    ) -> Steps:
        """Return the outcome of many steps from the rows at their ends; raise the error where none was done."""
        if error is not None and not len(ends):
            raise error
        columns = self._points.ends(names, ends)
        return Steps(start, float(ends[-1, 0]), len(ends), requested, Columns(columns), error)


def _usual(resources: Resources, model: Model) -> StartValues:
    """Return the start values that ``testcase.toml`` gives, checked."""
    try:
        return parse_start_values(dict(resources.start_values), {v.name: v for v in model.parameters}, resources.name)
    except InvalidValueError as error:
        raise ResourcesError(f"testcase.toml: start_values: {error}") from error


def _table(variables: Sequence[Variable], columns: Sequence[str] = _POINT) -> Table[Variable]:
    return Table({variable.name: variable for variable in variables}, columns)
