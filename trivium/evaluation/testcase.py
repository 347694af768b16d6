"""A test case: a simulation that is judged, under a scenario."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from trivium.evaluation.evaluation import Evaluation
from trivium.evaluation.scenario import Scenario
from trivium.model.contract import FloatArray
from trivium.model.variable import Variable
from trivium.protocol import Advanced, Columns, Steps
from trivium.simulation.initialization import InitializationActions
from trivium.simulation.resources import Resources
from trivium.simulation.simulation import Simulation
from trivium.simulation.state import Position
from trivium.simulation.stepper import Stepper
from trivium.table import Table

#: Takes an observation (outputs and control inputs) and the boundary data of the coming step, both by name, and returns
#: control inputs; what it leaves out keeps its last value.
Policy = Callable[[Mapping[str, Any], Mapping[str, float]], Mapping[str, float]]


class TestCase(Simulation):
    """A simulation with key performance indicators, scenarios and forecasts.

    It implements `trivium.protocol.Simulation`; parameters and errors as in `trivium.simulation.simulation.Simulation`.
    """

    __test__ = False  # the name makes pytest think that this is a test

    def __init__(
        self,
        resources: Resources,
        stepper: Stepper,
        actions: InitializationActions | None,
        observation: Mapping[str, float] | None,
    ) -> None:
        super().__init__(resources, stepper, actions, observation)
        #: Key performance indicators, scenario and forecast.
        self.evaluation = Evaluation(resources, stepper.history.columns, stepper.disturbances)

    @property
    def forecast_points(self) -> Table[Variable]:
        """What `forecast` knows ahead: boundary data, prices and emissions, with units and descriptions."""
        points = super().forecast_points
        signals = {name: Variable(name, unit=unit) for name, unit in self.evaluation.forecast_units().items()}
        return Table({**points, **signals}, points.fields)

    @property
    def kpi_points(self) -> Table[Variable]:
        """The key performance indicators that the test case defines, with units and descriptions."""
        descriptions = self.evaluation.about.items()
        points = {name: Variable(name, unit=unit, description=text) for name, (unit, text) in descriptions}
        return Table(points, ("unit", "description"))

    @property
    def scenario(self) -> dict[str, Any]:
        """Parts of the scenario, None where nothing is chosen."""
        return self.evaluation.scenario.as_dict()

    def set_scenario(self, /, **parts: Any) -> dict[str, Any]:
        """Choose parts of the scenario.

        Parameters
        ----------
        **parts : str or int or None
            Parts of `trivium.evaluation.scenario.Scenario`; None keeps what is.

        Returns
        -------
        dict
            What was set, None for all else; a ``time_period`` starts the simulation anew at its start, and is then the
            observation there, `Initialized`.

        Raises
        ------
        InvalidValueError
            Naming the part and what it may be.
        """
        scenario, values = self.evaluation.choose(parts)
        if parts.get("time_period") is not None:
            period = self.evaluation.periods[values["time_period"]]
            values["time_period"] = self.initialize(period.start, period.end, period.warmup)
        self.evaluation.resume(self._first_row, scenario)
        return values

    def forecast(self, point_names: Sequence[str], horizon: float, interval: float) -> Columns:
        """Return boundary data, prices and emissions from now on.

        Parameters
        ----------
        point_names : sequence of str
            Of `forecast_points`.
        horizon, interval : float
            How far ahead, and between two values [s].

        Raises
        ------
        InvalidValueError
            Naming the parameter and the rule.
        """
        return Columns(self.evaluation.forecast(self.time, point_names, horizon, interval))

    def kpis(
        self, names: Sequence[str] | None = None, start_time: float | None = None, final_time: float | None = None
    ) -> dict[str, float | None]:
        """Return key performance indicators by name; None where there is none yet.

        Parameters
        ----------
        names : sequence of str, optional
            Default: all that the test case defines.
        start_time, final_time : float, optional
            A window of the test, ends of intervals [s]; default: from its start until now.

        Raises
        ------
        InvalidValueError
            Naming what the test case does not define.
        """
        self._begun()
        return self.evaluation.values(self.stepper.history.rows, names, start_time, final_time)

    def advance(self, inputs: Mapping[str, Any] | None = None, steps: int = 1, *, clamp: bool = False) -> Advanced:
        """Simulate on; see `Simulation.advance`."""
        self.evaluation.stopwatch.stop()
        advanced = super().advance(inputs, steps, clamp=clamp)
        if advanced and steps == 1:
            self.evaluation.stopwatch.start(advanced.time - advanced.start)
        return advanced

    def advance_many(self, *arguments: Any, **options: Any) -> Steps:
        """Simulate many control steps; see `Simulation.advance_many`."""
        self.evaluation.stopwatch.stop()
        return super().advance_many(*arguments, **options)

    def rehearse(self, policy: Policy, steps: int) -> FloatArray:
        """Simulate on under a policy, then come back to now: nothing is changed.

        It is simulated under the boundary data as the scenario forecasts it.

        Parameters
        ----------
        policy : Policy
        steps : int
            How many control steps; fewer are done where the simulation ends before.

        Returns
        -------
        FloatArray, shape (1 + k, n_columns)
            The last row of the history, and those that it would have got.

        Raises
        ------
        TriviumError
            What a step would raise.
        """
        start, controls, stepper = self._begun(), self._controls, self.stepper
        times = self._clock.times(int(min(steps, self._steps_left())))
        forecast = self.evaluation.believed(start.time, times[-1])

        def decide(position: Position) -> FloatArray:
            nonlocal controls
            action = policy(self._observed(position, controls), forecast.row(position.time))
            controls = self.actions.parse(action, controls)
            return controls

        last = stepper.history.row(len(stepper.history) - 1)[np.newaxis]
        return np.concatenate((last, stepper.rehearse(start, decide, times, forecast)))

    def _conditions(self) -> Mapping[str, Any]:
        return self.evaluation.scenario.as_dict()

    def _resumed(self, conditions: Mapping[str, Any] | None) -> None:
        before = self.evaluation.scenario
        scenario = replace(before, time_period=None) if conditions is None else Scenario(**conditions)
        self.evaluation.resume(self._first_row, scenario)
