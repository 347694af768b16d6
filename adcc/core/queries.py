"""What a test case says about itself and its surroundings, whatever is done with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adcc.core.actions import Actions
from adcc.core.evaluation import Evaluation
from adcc.core.reply import Reply
from adcc.core.resources import Resources
from adcc.core.stepper import Stepper
from adcc.core.variables import Variable


class Queries:
    """The routes of a test case that do not ask for its simulation.

    Parameters
    ----------
    resources : Resources
        Name and version.
    stepper : Stepper
        The plant and its boundary data.
    """

    def __init__(self, resources: Resources, stepper: Stepper) -> None:
        self._resources = resources
        self.stepper = stepper
        model = stepper.model
        self.actions = Actions([model.inputs[i] for i in stepper.inputs.controlled])
        self._parameters = {variable.name: variable for variable in model.parameters}
        #: Key performance indicators, scenario and forecast.
        self.evaluation = Evaluation(resources, stepper.history.columns, stepper.disturbances)

    @property
    def time(self) -> float:
        """Clock [s]."""
        raise NotImplementedError

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


def _metadata(variables: Sequence[Variable]) -> dict[str, Any]:
    return {variable.name: variable.metadata() for variable in variables}
