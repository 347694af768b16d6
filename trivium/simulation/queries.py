"""What a test case says about itself, its surroundings and its simulation; nothing is changed by it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trivium.errors import InvalidValueError
from trivium.evaluation.evaluation import Evaluation
from trivium.model.variable import Variable
from trivium.numbers import parse_number
from trivium.simulation.actions import Actions
from trivium.simulation.reply import Reply
from trivium.simulation.resources import Resources
from trivium.simulation.run import Run
from trivium.simulation.times import plain
from trivium.suggestions import did_you_mean


class Queries:
    """The routes of a test case that only read.

    Parameters
    ----------
    resources : Resources
        Name and version.
    run : Run
        Its simulation.
    actions : Actions
        Its control inputs.
    """

    def __init__(self, resources: Resources, run: Run, actions: Actions) -> None:
        self._resources = resources
        self._run = run
        #: The plant, its boundary data and its history.
        self.stepper = run.stepper
        self.actions = actions
        self._parameters = {variable.name: variable for variable in run.stepper.model.parameters}
        #: Key performance indicators, scenario and forecast.
        self.evaluation = Evaluation(resources, run.stepper.history.columns, run.stepper.disturbances)

    @property
    def time(self) -> float:
        """Clock [s]."""
        return self._run.clock.time

    def get_version(self) -> Reply:
        """Answer ``GET /version``."""
        return Reply(200, "Queried the version number successfully.", {"version": self._resources.version})

    def get_name(self) -> Reply:
        """Answer ``GET /name``."""
        return Reply(200, "Queried the name of the test case successfully.", {"name": self._resources.name})

    def get_inputs(self) -> Reply:
        """Answer ``GET /inputs``: the control inputs and their metadata."""
        return Reply(200, "Queried the inputs successfully.", _metadata(self.actions.variables))

    def get_measurements(self) -> Reply:
        """Answer ``GET /measurements``: the outputs and their metadata."""
        return Reply(200, "Queried the measurements successfully.", _metadata(self.stepper.model.outputs))

    def get_parameters(self) -> Reply:
        """Answer ``GET /parameters``: what may be set at `initialize`, metadata and start values."""
        found = {name: variable.metadata_of_parameter() for name, variable in self._parameters.items()}
        return Reply(200, "Queried the parameters successfully.", found)

    def get_step(self) -> Reply:
        """Answer ``GET /step``: the control step [s]."""
        return Reply(200, "Queried the control step successfully.", plain(self._run.clock.step))

    def get_results(self, point_names: Any, start_time: Any, final_time: Any) -> Reply:
        """Answer ``PUT /results``: trajectories of points, a value at the end of every sub-step.

        Parameters
        ----------
        point_names : sequence of str
            Outputs and inputs; ``time`` is always in the answer.
        start_time, final_time : float, int or str
            The window, both ends included [s].

        Returns
        -------
        Reply
            The payload maps each name, once, to an array.
        """
        point_names = self._checked(point_names)
        start, final = parse_number(start_time, "start_time"), parse_number(final_time, "final_time")
        if final < start:
            raise InvalidValueError(
                f"Invalid value {final} for parameter final_time. Value must not be less than start_time.", "final_time"
            )
        self._run.begin()
        message = f"Queried results data successfully for point names {list(point_names)}."
        return Reply(200, message, self.stepper.history.window(point_names, start, final))

    def get_forecast_points(self) -> Reply:
        """Answer ``GET /forecast_points``: what can be asked ahead, and its metadata."""
        known = {variable.name: variable for variable in self.stepper.model.inputs}
        points = _metadata([known[name] for name in self.stepper.disturbances.names])
        for name, unit in self.evaluation.forecast_units().items():
            points[name] = Variable(name, unit=unit).metadata()
        return Reply(200, "Queried the forecast points and their meta-data successfully.", points)

    def get_forecast(self, point_names: Any, horizon: Any, interval: Any) -> Reply:
        """Answer ``PUT /forecast``; see `Evaluation.forecast`."""
        ahead = self.evaluation.forecast(self.time, point_names, horizon, interval)
        return Reply(200, "Queried the forecast data successfully.", ahead)

    def get_kpi_points(self) -> Reply:
        """Answer ``GET /kpi_points``: the key performance indicators that there are, unit and description."""
        points = {name: {"Unit": unit, "Description": text} for name, (unit, text) in self.evaluation.about.items()}
        return Reply(200, "Queried the KPI points and their meta-data successfully.", points)

    def get_scenario(self) -> Reply:
        """Answer ``GET /scenario``."""
        return Reply(200, "Queried current test case for scenario successfully.", self.evaluation.scenario.as_dict())

    def get_kpis(self, names: Any = None, start_time: Any = None, final_time: Any = None) -> Reply:
        """Answer ``GET /kpi``: key performance indicators, None where there is none.

        Parameters
        ----------
        names : sequence of str, optional
            Default: all.
        start_time, final_time : float, int or str, optional
            A window of the test, ends of intervals [s]; default: from its start until now.
        """
        self._run.begin()
        found = self.evaluation.values(self.stepper.history.rows, names, start_time, final_time)
        return Reply(200, "Queried KPIs successfully.", found)

    def boundary(self) -> dict[str, float]:
        """Return the boundary data of the coming step, by name."""
        return self.stepper.disturbances.row(self.time)

    def _checked(self, point_names: Any) -> Sequence[str]:
        """Return names of points that there are."""
        if isinstance(point_names, str):
            point_names = [point_names]
        if not isinstance(point_names, Sequence) or not all(isinstance(name, str) for name in point_names):
            raise InvalidValueError(
                "Invalid value for parameter point_names. Value must be a list of names.", "point_names"
            )
        known = {*self.stepper.history.columns}
        for name in point_names:
            if name not in known:
                raise InvalidValueError(
                    f"Invalid point name {name} in parameter point_names. "
                    f"Check lists of available inputs and measurements.{did_you_mean(name, known)}",
                    "point_names",
                )
        return point_names


def _metadata(variables: Sequence[Variable]) -> dict[str, Any]:
    return {variable.name: variable.metadata() for variable in variables}
