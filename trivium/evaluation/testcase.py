"""A test case: a simulation that is judged by key performance indicators, under a scenario."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

from trivium.errors import InvalidValueError
from trivium.evaluation.alarm_limits import read_limits
from trivium.evaluation.alarms import Alarms
from trivium.evaluation.faults import Fault, disturbed
from trivium.evaluation.forecast import Repeated, forecast
from trivium.evaluation.forecast import Table as Ahead
from trivium.evaluation.forecast_error import LEVELS, SOLAR_LEVELS, solar_forecast, temperature_error
from trivium.evaluation.kpi import Data, Declaration, Kpis
from trivium.evaluation.kpi_sums import About
from trivium.evaluation.scenario import PRICES, UNITS, Scenario, Scenarios
from trivium.evaluation.service import Limits
from trivium.evaluation.window import cut
from trivium.evaluation.yearly import Yearly
from trivium.model.contract import FloatArray
from trivium.model.variable import Variable
from trivium.numbers import window_end
from trivium.protocol import Advanced, Alarm, Clamp, Columns, Indicators, Steps
from trivium.simulation.boundary import Disturbances
from trivium.simulation.foresight import rehearse
from trivium.simulation.initialization import InitializationActions
from trivium.simulation.resources import Resources
from trivium.simulation.simulation import Simulation
from trivium.simulation.state import Position
from trivium.simulation.stepper import Stepper
from trivium.table import Table

#: Takes an observation (outputs and control inputs) and the boundary data of the coming step, both by name, and returns
#: control inputs; what it leaves out keeps its last value.
Policy = Callable[[Mapping[str, Any], Mapping[str, float]], Mapping[str, float]]
#: Seed of forecast errors where the scenario has none.
_SEED = 0
#: Key, among the conditions that are stored with a state, of the alarms that were acknowledged.
_ACKNOWLEDGED = "acknowledged"


class Evaluation:
    """Judges the test of a session.

    Parameters
    ----------
    resources : Resources
        Declares what there is.
    columns : sequence of str
        Of the history.
    boundary : Disturbances
    variables : Mapping[str, Variable]
        Inputs of the plant.

    Raises
    ------
    ResourcesError
        When the declaration is wrong.
    """

    def __init__(
        self,
        resources: Resources,
        columns: Sequence[str],
        boundary: Disturbances,
        variables: Mapping[str, Variable],
    ) -> None:
        self._declaration = Declaration(columns, resources.kpi, resources.name)
        self._boundary = boundary
        self._acting: tuple[tuple[Fault, ...], Disturbances] = (), boundary
        self._signals = None if resources.signals is None else Disturbances.read(resources.signals)
        self._yearly = None if resources.case is None or not resources.case.tables else Yearly.read(resources.case)
        data = [table for table in (boundary, self._signals) if table is not None]
        tables: list[Ahead] = [*data]
        if resources.period is not None:
            tables = [Repeated(table, resources.period) for table in data if table.names]
        #: What forecasts are made of.
        self._ahead: Sequence[Ahead] = tables if self._yearly is None else [*tables, self._yearly]
        self._scenarios = Scenarios(resources.scenario, boundary, self._signals, self._yearly, variables)
        self.periods = self._scenarios.periods
        price = "constant" if "constant" in self._scenarios.prices else None
        self.scenario = Scenario(price, faults=self._scenarios.faults)
        self._restart(0)

    def resume(self, first: int, scenario: Scenario) -> None:
        """Begin a test, or take one over whose rows may be others than before.

        Parameters
        ----------
        first : int
            Row of the history that it begins with and that stands for no interval of it.
        scenario : Scenario
        """
        self.scenario = scenario
        self._restart(first)

    @property
    def about(self) -> Mapping[str, About]:
        """The indicators that this test case has, besides the time ratio."""
        return self._declaration.about

    @property
    def limits(self) -> Limits | None:
        """How much a run may miss and still serve; None where the test case does not say."""
        return self._declaration.limits

    def choose(self, parts: Mapping[str, Any]) -> tuple[Scenario, dict[str, Any]]:
        """Check a scenario; see `Scenarios.parse`."""
        return self._scenarios.parse(parts, self.scenario)

    def acting(self, scenario: Scenario) -> Disturbances:
        """Return the boundary data as it acts, with the faults of a scenario."""
        if scenario.faults != self._acting[0]:
            self._acting = scenario.faults, disturbed(self._boundary, scenario.faults)
        return self._acting[1]

    def values(
        self, rows: Callable[[int], FloatArray], names: Any = None, start: Any = None, final: Any = None
    ) -> Indicators:
        """Return indicators of the test.

        Parameters
        ----------
        rows : Callable
            Takes a number and returns the rows of the history from there on.
        names : sequence of str, optional
            Default: all.
        start, final : float, int or str, optional
            A window [s]; default: from the start of the test until now.

        Raises
        ------
        InvalidValueError
            When there is no indicator of a name, or the window is none.
        """
        if start is None and final is None:
            return self._values(self._kpis, lambda row: rows(self._first + row), names)
        begin = -np.inf if start is None else window_end(start, "start_time")
        end = np.inf if final is None else window_end(final, "final_time")
        if end < begin:
            raise InvalidValueError(
                f"Invalid value {end} for parameter final_time. Value must not be less than start_time.", "final_time"
            )
        return self.values_of(cut(rows(self._first), begin, end, self._declaration.metered), names)

    def values_of(self, table: FloatArray, names: Any = None) -> Indicators:
        """Return indicators of other rows, of which the first stands for no interval."""
        return self._values(self._fresh(), lambda row: table[row:], names)

    def forecast_points(self) -> dict[str, Variable]:
        """Return the points of a forecast that are no inputs of the plant."""
        signals = () if self._signals is None else self._signals.names
        points = {name: Variable(name, unit=UNITS.get(name, "1")) for name in signals}
        return points if self._yearly is None else {**points, **self._yearly.variables}

    def forecast(self, time: float, point_names: Any, horizon: Any, interval: Any) -> dict[str, FloatArray]:
        """Return boundary data, prices and emissions ahead; see `trivium.evaluation.forecast`."""
        ahead = forecast(self._ahead, time, point_names, horizon, interval)
        level, solar = self.scenario.temperature_uncertainty, self.scenario.solar_uncertainty
        for name in ahead:
            if level is not None and name in self._scenarios.uncertain:
                ahead[name] = ahead[name] - self._error(level, time, ahead["time"])
            elif solar is not None and self._yearly is not None and name in self._scenarios.solar:
                truth = partial(self._yearly.values, name)
                ahead[name] = solar_forecast(SOLAR_LEVELS[solar], self._seed, time, ahead["time"], truth)
        return ahead

    def believed(self, time: float, until: float) -> Disturbances:
        """Return the boundary data as they are forecast now, with the faults of the plant, up to a time [s]."""
        real, level = self.acting(self.scenario), self.scenario.temperature_uncertainty
        uncertain = [real.names.index(name) for name in self._scenarios.uncertain if name in real.names]
        if level is None or not uncertain:
            return real
        first, last = np.searchsorted(real.times, (time, until + real.interval), side="right")
        later = real.times[first:last]
        times = np.concatenate(([time], later if later.size else [real.end]))
        values = np.array(real.at(times.tolist(), float(times[-1])))
        for i in uncertain:
            values[:, i] -= self._error(level, time, times)
        return replace(real, time0=time, values=values, irregular=times)

    def _error(self, level: str, time: float, times: FloatArray) -> FloatArray:
        """Return how much too low temperatures are forecast for times from a time on [K]."""
        return temperature_error(LEVELS[level], self._seed, time, times)

    @property
    def first(self) -> int:
        """Row of the history that the test begins with."""
        return self._first

    @property
    def _seed(self) -> int:
        return _SEED if self.scenario.seed is None else self.scenario.seed

    def _restart(self, first: int) -> None:
        self._first = first
        self._kpis = self._fresh()
        #: Measures how long clients think.
        self.stopwatch = Stopwatch()

    def _fresh(self) -> Kpis:
        scenario = self.scenario
        price = partial(self._scenarios.price, scenario)
        tariff = PRICES[scenario.electricity_price or "constant"].removeprefix("PriceElectricPower")
        return Kpis(self._declaration, Data(price, self._series, tariff))

    def _series(self, name: str, times: FloatArray) -> FloatArray | None:
        """Return a column of the test case's data at times [s], shape (k,); None where there is none of this name."""
        if self._yearly is not None and name in self._yearly.names:
            return self._yearly.values(name, times)
        for table in (self._signals, self._boundary):
            if table is not None and name in table.names:
                return table.column(name, times)
        return None

    def _values(self, kpis: Kpis, rows: Callable[[int], FloatArray], names: Any) -> Indicators:
        values = kpis.values(rows, kpis.wanted(names))
        if "time_rat" in values:
            values["time_rat"] = self.stopwatch.ratio
        return values


class Stopwatch:
    """Measures how long clients think between steps, over the length of a step: BOPTEST's time ratio."""

    def __init__(self) -> None:
        self._ratios, self._count = 0.0, 0
        self._since: float | None = None
        self._length = 0.0

    def start(self, length: float) -> None:
        """Note that a step of a length [s] is done and the client thinks about the next."""
        self._since, self._length = perf_counter(), length

    def stop(self) -> None:
        """Note that a client asks for a step."""
        if self._since is not None:
            self._ratios += (perf_counter() - self._since) / self._length
            self._count += 1
            self._since = None

    @property
    def ratio(self) -> float | None:
        """Mean of the times over the lengths of the steps before [1]; None where there is none yet."""
        return self._ratios / self._count if self._count else None


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
        inputs = {variable.name: variable for variable in stepper.model.inputs}
        #: Key performance indicators, scenario and forecast.
        self.evaluation = Evaluation(resources, stepper.history.columns, stepper.boundary, inputs)
        variables = {variable.name: variable for variable in self.variables.values()}
        self._alarms = Alarms(read_limits(resources.alarms, stepper.history.columns, variables)[0])
        stepper.disturbances = self.evaluation.acting(self.evaluation.scenario)

    @property
    def forecast_points(self) -> Table[Variable]:
        """What `forecast` knows ahead: boundary data, prices and emissions, with units and descriptions."""
        points = super().forecast_points
        return Table({**points, **self.evaluation.forecast_points()}, points.fields)

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
        **parts : str or int or list or None
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
        before = self.stepper.disturbances
        self.stepper.disturbances = self.evaluation.acting(scenario)
        if parts.get("time_period") is not None:
            period = self.evaluation.periods[values["time_period"]]
            try:
                values["time_period"] = self.initialize(period.start, period.end, period.warmup)
            except BaseException:
                self.stepper.disturbances = before
                raise
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
    ) -> Indicators:
        """Return key performance indicators by name; None where there is none yet.

        Parameters
        ----------
        names : sequence of str, optional
            Default: all that the test case defines.
        start_time, final_time : float, optional
            A window of the test [s]; default: from its start until now.

        Raises
        ------
        InvalidValueError
            Naming what the test case does not define.
        """
        self._current()
        return self.evaluation.values(self.stepper.history.rows, names, start_time, final_time)

    def alarms(self, *, past: bool = False) -> list[Alarm]:
        """Return alarms that are active or not acknowledged, the most urgent first; with ``past`` all of the test."""
        self._current()
        return self._alarms.read(self.stepper.history.rows, past=past)

    def acknowledge_alarms(
        self, names: Sequence[str] | None = None, *, by: str = "", at: float | None = None
    ) -> list[Alarm]:
        """Acknowledge alarms.

        Parameters
        ----------
        names : sequence of str, optional
            Default: all that are not acknowledged.
        by : str
            Who does it.
        at : float, optional
            When, in the real world [s since 1970]; default: now.

        Returns
        -------
        list of Alarm
            Those that were acknowledged.

        Raises
        ------
        InvalidValueError
            When there is no alarm of a name, or it has nothing to acknowledge.
        """
        self._current()
        return self._alarms.acknowledge(self.stepper.history.rows, names, by, at)

    def advance(self, inputs: Mapping[str, Any] | None = None, steps: int = 1, *, clamp: Clamp = False) -> Advanced:
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
        start, controls, acted, stepper = self._current(), self._controls, self._acted, self.stepper
        times = self._clock.times(int(min(steps, self._steps_left())))
        forecast = self.evaluation.believed(start.time, times[-1])

        def decide(position: Position) -> FloatArray:
            nonlocal controls, acted
            action = policy(self._observed(position, acted), forecast.row(position.time))
            controls = self.actions.parse(action, controls)
            acted = self._overrides.applied(controls[np.newaxis], [position.time]).reshape(controls.shape)
            return acted

        last = stepper.history.row(len(stepper.history) - 1)[np.newaxis]
        return np.concatenate((last, rehearse(stepper, start, decide, times, forecast)))

    def _conditions(self) -> Mapping[str, Any]:
        parts = self.evaluation.scenario.as_dict()
        acknowledged = self._alarms.acknowledged
        return {**parts, _ACKNOWLEDGED: acknowledged} if acknowledged else parts

    def _resumed(self, conditions: Mapping[str, Any] | None) -> None:
        before, parts = self.evaluation.scenario, dict(conditions or {})
        self._alarms.acknowledged = parts.pop(_ACKNOWLEDGED, [])
        self._alarms.restart(self._first_row)
        scenario = replace(before, time_period=None) if conditions is None else Scenario.of(parts)
        self.stepper.disturbances = self.evaluation.acting(scenario)
        self.evaluation.resume(self._first_row, scenario)
