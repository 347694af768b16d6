"""What can be asked of a simulation: its variables, where it stands, its results.

Nothing here changes a simulation, except that its model is instantiated when that is first needed.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trivium.errors import InvalidValueError, ModelError, ResourcesError
from trivium.model.contract import FloatArray, Model, StartValues
from trivium.model.variable import Variable
from trivium.numbers import window_end
from trivium.protocol import Columns, Observation
from trivium.simulation import state
from trivium.simulation.assembly import first_step
from trivium.simulation.fmu import about_fmu
from trivium.simulation.initialization import InitializationActions
from trivium.simulation.inputs import Actions, overwrites
from trivium.simulation.linear import Linearizer
from trivium.simulation.overrides import Overrides
from trivium.simulation.points import Points
from trivium.simulation.resources import Resources
from trivium.simulation.start import Starts, parse_start_values
from trivium.simulation.state import Position
from trivium.simulation.stepper import Stepper
from trivium.simulation.times import Clock
from trivium.table import Table

#: Columns of tables of variables.
_POINT = ("unit", "description", "minimum", "maximum")
_VARIABLE = (*_POINT, "causality")
_PARAMETER = (*_POINT, "start", "text", "kind", "tunable")


class Queries(ABC):
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
        self._end, self._first_row = self._latest, 0
        #: Control inputs as clients gave them last, and as they acted.
        self._controls = self._acted = self._starts.controls0
        self._overrides = Overrides(self.actions)
        self._position: Position | None = None
        self._closed = False
        model = stepper.model
        self._acting = overwrites(self.actions.position, {v.name for v in model.outputs[: model.n_strict]})
        self._points = Points(stepper, list(self.actions.position), self._acting, self.name)
        self._linearizer = Linearizer(stepper, list(self.measurements), self.name)
        self._tunable = {v.name: v for v in model.parameters if v.tunable}
        self._parts = resources, actions, observation
        self._origin = state.origin(resources, stepper.model)

    @property
    @abstractmethod
    def time(self) -> float:
        """Clock [s]."""

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
        return Observation(self._observed(position, self._acted), position.time)

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

    def __repr__(self) -> str:
        if self._closed:
            return f"Simulation({self.name}, closed)"
        return f"Simulation({self.name} at {self.time:g} s, step {self._clock.step:g} s)"

    def _require_open(self) -> None:
        if self._closed:
            raise ModelError(f"The simulation of {self.name} is closed; trivium.open makes a new one.")

    @abstractmethod
    def _current(self) -> Position:
        """Begin, where that was not done; return the present position."""

    @abstractmethod
    def _observed(self, position: Position, controls: FloatArray) -> dict[str, Any]:
        """Return outputs and control inputs by name."""


def _usual(resources: Resources, model: Model) -> StartValues:
    """Return the start values that ``testcase.toml`` gives, checked."""
    try:
        return parse_start_values(dict(resources.start_values), {v.name: v for v in model.parameters}, resources.name)
    except InvalidValueError as error:
        raise ResourcesError(f"testcase.toml: start_values: {error}") from error


def _table(variables: Sequence[Variable], columns: Sequence[str] = _POINT) -> Table[Variable]:
    return Table({variable.name: variable for variable in variables}, columns)
