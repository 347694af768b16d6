"""How a test is judged and under which scenario: key performance indicators, forecasts, prices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any

import numpy as np

from trivium.errors import InvalidValueError
from trivium.evaluation.forecast import forecast
from trivium.evaluation.forecast_error import LEVELS, temperature_error
from trivium.evaluation.kpi import Declaration, Kpis
from trivium.evaluation.kpi_sums import About
from trivium.evaluation.scenario import UNITS, Scenario, Scenarios
from trivium.model.contract import FloatArray
from trivium.numbers import finite
from trivium.simulation.boundary import Disturbances
from trivium.simulation.resources import Resources

#: Seed of forecast errors where the scenario has none.
_SEED = 0


class Evaluation:
    """Judges the test of a session.

    Parameters
    ----------
    resources : Resources
        Declares what there is.
    columns : sequence of str
        Of the history.
    boundary : Disturbances

    Raises
    ------
    ResourcesError
        When the declaration is wrong.
    """

    def __init__(self, resources: Resources, columns: Sequence[str], boundary: Disturbances) -> None:
        self._declaration = Declaration(columns, resources.kpi, resources.name)
        self._boundary = boundary
        self._signals = None if resources.signals is None else Disturbances.read(resources.signals)
        self._scenarios = Scenarios(resources.scenario, boundary, self._signals)
        self.periods = self._scenarios.periods
        self.scenario = Scenario(None if self._signals is None else "constant")
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

    def choose(self, parts: Mapping[str, Any]) -> tuple[Scenario, dict[str, Any]]:
        """Check a scenario; see `Scenarios.parse`."""
        return self._scenarios.parse(parts, self.scenario)

    def values(
        self, rows: Callable[[int], FloatArray], names: Any = None, start: Any = None, final: Any = None
    ) -> dict[str, float | None]:
        """Return indicators of the test.

        Parameters
        ----------
        rows : Callable
            Takes a number and returns the rows of the history from there on.
        names : sequence of str, optional
            Default: all.
        start, final : float, int or str, optional
            A window, ends of intervals [s]; default: from the start of the test until now.

        Raises
        ------
        InvalidValueError
            When there is no indicator of a name, or the window is none.
        """
        if start is None and final is None:
            return self._values(self._kpis, lambda row: rows(self._first + row), names)
        begin = -np.inf if start is None else finite(start, "start_time")
        end = np.inf if final is None else finite(final, "final_time")
        if end < begin:
            raise InvalidValueError(
                f"Invalid value {end} for parameter final_time. Value must not be less than start_time.", "final_time"
            )
        table = rows(self._first)
        time = table[:, 0]
        first = max(int(np.searchsorted(time, begin, side="right")) - 1, 0)
        return self.values_of(table[first : np.searchsorted(time, end, side="right")], names)

    def values_of(self, table: FloatArray, names: Any = None) -> dict[str, float | None]:
        """Return indicators of other rows, of which the first stands for no interval."""
        return self._values(self._fresh(), lambda row: table[row:], names)

    def forecast_units(self) -> dict[str, str]:
        """Return the points of a forecast that are no inputs of the plant, and their units."""
        return {} if self._signals is None else {name: UNITS.get(name, "1") for name in self._signals.names}

    def forecast(self, time: float, point_names: Any, horizon: Any, interval: Any) -> dict[str, FloatArray]:
        """Return boundary data, prices and emissions ahead; see `trivium.evaluation.forecast`."""
        tables = [self._boundary] if self._signals is None else [self._boundary, self._signals]
        ahead = forecast(tables, time, point_names, horizon, interval)
        level = self.scenario.temperature_uncertainty
        if level is not None:
            for name in set(ahead).intersection(self._scenarios.uncertain):
                seed = _SEED if self.scenario.seed is None else self.scenario.seed
                ahead[name] = ahead[name] - temperature_error(LEVELS[level], seed, time, ahead["time"])
        return ahead

    def believed(self, time: float, until: float) -> Disturbances:
        """Return the boundary data as they are forecast now, up to a time [s]."""
        real = self._boundary
        if self.scenario.temperature_uncertainty is None or not self._scenarios.uncertain:
            return real
        ahead = self.forecast(time, real.names, until - time + real.interval, real.interval)
        return Disturbances(real.names, time, real.interval, np.column_stack([ahead[name] for name in real.names]))

    def _restart(self, first: int) -> None:
        self._first = first
        self._kpis = self._fresh()
        #: Measures how long clients think.
        self.stopwatch = Stopwatch()

    def _fresh(self) -> Kpis:
        return Kpis(self._declaration, lambda times: self._scenarios.price(self.scenario, times))

    def _values(self, kpis: Kpis, rows: Callable[[int], FloatArray], names: Any) -> dict[str, float | None]:
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
