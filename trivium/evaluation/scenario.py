"""Scenarios: which part of the year, at which electricity price, with which forecast error.

``testcase.toml`` says from which signal the periods are found; without it a test case has none::

    [scenario]
    signal = "T_wet_bulb"
    days = 14              # length of a period
    warmup_days = 1        # how long before it the simulation begins
    uncertain = ["T_wet_bulb"]     # whose forecasts get an error, temperatures [K]
    [scenario.periods]     # in place of a signal: by name, the day of the year in the middle of each
    peak_heat_day = 23
    [[scenario.faults]]    # what every test has unless another list is set, see `trivium.evaluation.faults`
    kind = "condition"
    signal = "k_condenser"
    start = 86400
    end = 172800
    size = 0.6

A period begins at midnight. Of all windows of that length inside the boundary data, ordered by their mean of the
signal, ``winter`` is the lowest, ``mild`` that at a third of the order, ``typical`` that in the middle and
``peak_heat`` the highest.

Prices and emissions are columns of a table in the boundary data, named as in BOPTEST: ``PriceElectricPowerConstant``,
``...Dynamic`` (time of use), ``...HighlyDynamic`` (a market's) [currency/kWh] and ``EmissionsElectricPower`` [kg/kWh].
A test case inside an FMU has them among its data of a year; see `trivium.evaluation.yearly`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from trivium.errors import InvalidValueError, ResourcesError
from trivium.evaluation.faults import Fault
from trivium.evaluation.faults import parse as parse_faults
from trivium.evaluation.forecast_error import LEVELS, SOLAR_LEVELS
from trivium.evaluation.yearly import Yearly
from trivium.model.contract import FloatArray
from trivium.model.variable import Variable
from trivium.numbers import shown
from trivium.simulation.boundary import Disturbances
from trivium.suggestions import did_you_mean

DAY = 86400.0
#: Prices by BOPTEST's name of them.
PRICES = {
    "constant": "PriceElectricPowerConstant",
    "dynamic": "PriceElectricPowerDynamic",
    "highly_dynamic": "PriceElectricPowerHighlyDynamic",
}
EMISSIONS = "EmissionsElectricPower"
#: Units of these signals.
UNITS = {**dict.fromkeys(PRICES.values(), "currency/kWh"), EMISSIONS: "kg/kWh"}
#: Where in the order of means each period stands [1].
_RANKS = {"winter": 0.0, "mild": 1 / 3, "typical": 0.5, "peak_heat": 1.0}
_UNCERTAINTY = ("none", *LEVELS)
#: Columns of a test case inside an FMU whose forecasts get an error.
_TEMPERATURE, _RADIATION = "TDryBul", "HGloHor"


class Period(NamedTuple):
    """A part of the year.

    Attributes
    ----------
    start, end : float
        [s]
    warmup : float
        How long before the start the simulation begins [s].
    """

    start: float
    end: float
    warmup: float


@dataclass(frozen=True)
class Scenario:
    """What a test is made under; None is what was not chosen.

    Attributes
    ----------
    electricity_price : str or None
        Key of `PRICES`; None where the test case has none.
    time_period : str or None
    temperature_uncertainty : str or None
        Key of `LEVELS`.
    solar_uncertainty : str or None
        Key of `SOLAR_LEVELS`.
    seed : int or None
    faults : tuple of Fault
    """

    electricity_price: str | None = None
    time_period: str | None = None
    temperature_uncertainty: str | None = None
    solar_uncertainty: str | None = None
    seed: int | None = None
    faults: tuple[Fault, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the parts by name; ``faults`` only where there are some, because BOPTEST has no such part."""
        parts = {each.name: getattr(self, each.name) for each in fields(self)}
        faults = [fault.as_dict() for fault in parts.pop("faults")]
        return {**parts, "faults": faults} if faults else parts

    @classmethod
    def of(cls, parts: Mapping[str, Any]) -> Scenario:
        """Return the scenario of what `as_dict` returned."""
        return cls(**{**parts, "faults": tuple(Fault(**each) for each in parts.get("faults", ()))})


class Scenarios:
    """The scenarios of a test case.

    Parameters
    ----------
    given : Mapping
        The table ``scenario`` of ``testcase.toml``.
    boundary : Disturbances or None
    signals : Disturbances or None
        Prices and emissions.
    yearly : Yearly or None
        Data of a test case inside an FMU.
    variables : Mapping[str, Variable]
        Inputs of the plant, for the bounds of faults.

    Raises
    ------
    ResourcesError
        Naming the key that is wrong.
    """

    def __init__(
        self,
        declaration: Mapping[str, Any],
        boundary: Disturbances | None,
        signals: Disturbances | None,
        yearly: Yearly | None = None,
        variables: Mapping[str, Variable] = MappingProxyType({}),
    ) -> None:
        for key in declaration:
            if key not in {"signal", "days", "warmup_days", "uncertain", "periods", "faults"}:
                raise ResourcesError(f"testcase.toml: unknown key scenario.{key}")
        if "signal" in declaration and "periods" in declaration:
            raise ResourcesError("testcase.toml: scenario.signal and scenario.periods are two ways to say one thing")
        known: Sequence[str] = () if boundary is None else boundary.names
        names = [declaration["signal"]] if "signal" in declaration else []
        #: Points whose forecasts get an error, temperatures and radiation.
        self.uncertain: Sequence[str] = declaration.get("uncertain", [])
        self.solar: Sequence[str] = ()
        for name in (*names, *self.uncertain):
            if name not in known:
                raise ResourcesError(f"testcase.toml: scenario: the boundary data has no column {shown(name)}")
        #: The periods, by name.
        self.periods: Mapping[str, Period] = {}
        if names and boundary is not None:
            self.periods = periods(
                boundary, names[0], _days(declaration, "days", 14), _days(declaration, "warmup_days", 1, least=0)
            )
        elif "periods" in declaration:
            self.periods = _named_periods(
                declaration["periods"], _days(declaration, "days", 14), _days(declaration, "warmup_days", 1, least=0)
            )
        #: Prices that may be chosen.
        self.prices: Sequence[str] = () if signals is None else tuple(PRICES)
        if yearly is not None:
            self.uncertain = [name for name in (_TEMPERATURE,) if name in yearly.names]
            self.solar = [name for name in (_RADIATION,) if name in yearly.names]
            self.prices = tuple(key for key, name in PRICES.items() if name in yearly.names)
        self._boundary, self._variables = boundary, variables
        try:
            #: Faults of every test unless others are set.
            self.faults = parse_faults(declaration.get("faults", []), boundary, variables)
        except InvalidValueError as error:
            raise ResourcesError(f"testcase.toml: {error}") from None
        self._signals = signals
        self._signal_times = np.empty(0) if signals is None else signals.times

    def parse(self, parts: Mapping[str, Any], before: Scenario) -> tuple[Scenario, dict[str, Any]]:
        """Check a scenario that a client asks for; None keeps what is.

        Returns
        -------
        Scenario
        dict
            What was set, None for all else.

        Raises
        ------
        InvalidValueError
            Naming the parameter and what it may be.
        """
        values: dict[str, Any] = Scenario().as_dict()
        changes: dict[str, Any] = {}
        for name, value in parts.items():
            if name not in Scenario.__dataclass_fields__:
                near = did_you_mean(name, Scenario.__dataclass_fields__)
                raise InvalidValueError(f"Bad input for parameter {shown(name)}. Unknown parameter.{near}", name)
            if value is None:
                continue
            changes[name] = values[name] = self._checked(name, value)
        if "faults" in changes:
            values["faults"] = [fault.as_dict() for fault in changes["faults"]]
        return replace(before, **changes), values

    def price(self, scenario: Scenario, times: FloatArray) -> FloatArray | None:
        """Return price [currency/kWh] and emissions [kg/kWh] at times [s], shape (2, k); None where there are none."""
        if self._signals is None:
            return None
        rows = np.maximum(np.searchsorted(self._signal_times, times, side="right") - 1, 0)
        columns = [
            self._signals.names.index(name) for name in (PRICES[scenario.electricity_price or "constant"], EMISSIONS)
        ]
        series: FloatArray = self._signals.values[rows[:, np.newaxis], columns].T
        return series

    def _checked(self, name: str, value: Any) -> Any:
        if name == "faults":
            return parse_faults(value, self._boundary, self._variables)
        if name == "seed":
            if not self.uncertain and not self.solar:
                raise InvalidValueError(
                    f"Scenario parameter seed is {shown(value)}, but this test case has nothing uncertain that it "
                    f"could be for.",
                    name,
                )
            if isinstance(value, str) and value.isdecimal():  # form data
                return int(value)
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise InvalidValueError(
                    f"Scenario parameter seed is {shown(value)}, but should be a non-negative integer.", name
                )
            return value
        choices = {
            "electricity_price": self.prices,
            "time_period": tuple(self.periods),
            "temperature_uncertainty": _UNCERTAINTY if self.uncertain else _UNCERTAINTY[:1],
            "solar_uncertainty": ("none", *SOLAR_LEVELS) if self.solar else _UNCERTAINTY[:1],
        }[name]
        if value not in choices:
            raise InvalidValueError(
                f"Scenario parameter {name} is {shown(value)}, but should be one of the following: {list(choices)}.",
                name,
            )
        return None if value == "none" else value


def uncertain_points(declaration: Mapping[str, Any], *, embedded: bool) -> tuple[Sequence[str], Sequence[str]]:
    """Return the points whose forecasts may err: temperatures, and radiation.

    Parameters
    ----------
    declaration : Mapping
        The table ``scenario`` of a test case.
    embedded : bool
        Whether the test case is inside an FMU. There each of these counts where the test case has it.
    """
    if embedded:
        return (_TEMPERATURE,), (_RADIATION,)
    return tuple(declaration.get("uncertain", ())), ()


def period_names(declaration: Mapping[str, Any]) -> Sequence[str]:
    """Return the names of the time periods that the table ``scenario`` of a test case declares."""
    if "signal" in declaration:
        return tuple(_RANKS)
    return tuple(declaration.get("periods", ()))


def periods(boundary: Disturbances, signal: str, days: int, warmup_days: int) -> dict[str, Period]:
    """Find the periods of a year by the rule of this module.

    Parameters
    ----------
    boundary : Disturbances
    signal : str
        One of its columns.
    days, warmup_days : int
        Length of a period, and how much must lie before it [d].
    """
    values = boundary.values[:, boundary.names.index(signal)]
    per_day = DAY / boundary.interval
    first = int(np.ceil(boundary.time0 / DAY)) + warmup_days
    last = int(boundary.end // DAY) - days
    if last < first:
        return {}
    starts = np.arange(first, last + 1)
    sums = np.concatenate(([0.0], np.cumsum(values)))
    begin = np.round((starts * DAY - boundary.time0) / boundary.interval).astype(np.intp)
    count = round(days * per_day)
    order = np.argsort(sums[begin + count] - sums[begin], kind="stable")
    chosen = {name: int(starts[order[round(rank * (len(order) - 1))]]) for name, rank in _RANKS.items()}
    return {name: Period(day * DAY, (day + days) * DAY, warmup_days * DAY) for name, day in chosen.items()}


def _named_periods(days: Any, length: int, warmup_days: int) -> dict[str, Period]:
    """Return periods by the day in the middle of each; one that would begin before the year begins with it."""
    if not isinstance(days, Mapping):
        raise ResourcesError("testcase.toml: scenario.periods must be a table of days")
    periods_by_name = {}
    for name, day in days.items():
        if isinstance(day, bool) or not isinstance(day, int | float) or not 0 <= day <= 366:
            raise ResourcesError(f"testcase.toml: scenario.periods.{name} must be a day of the year")
        start = max((day - length / 2) * DAY, 0.0)
        periods_by_name[name] = Period(start, start + length * DAY, warmup_days * DAY)
    return periods_by_name


def _days(declaration: Mapping[str, Any], key: str, default: int, least: int = 1) -> int:
    value = declaration.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ResourcesError(f"testcase.toml: scenario.{key} must be an integer of at least {least}")
    return value
