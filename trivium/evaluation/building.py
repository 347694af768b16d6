"""Indicators of buildings, as BOPTEST defines them: comfort, energy, cost, emissions and peaks, per floor area.

``testcase.toml`` declares them, or the ``kpis.json`` in an FMU does; both name signals by what they stand for::

    [kpi.building]
    area = 48.0                                  # floor area [m2]; without it nothing is divided
    [kpi.building.points]
    "AirZoneTemperature[1]" = ["reaTZon_y"]      # [K]; or OperativeZoneTemperature
    "CO2Concentration[1]" = ["reaCO2Zon_y"]      # [ppm]
    ElectricPower = ["reaPFan_y", "reaPPum_y"]   # [W]; GasPower, DistrictHeatingPower, BiomassPower, SolarThermalPower
    FreshWaterFlowRate = ["reaVWat_y"]           # [m3/s]

Prices, emissions and set points are columns of the test case's data: ``PriceElectricPowerConstant``, ``...Dynamic`` and
``...HighlyDynamic``, ``Price<source>`` of each other source [currency/kWh, water: currency/m3], ``Emissions<source>``
[kg/kWh], and of each zone ``LowerSetp[<zone>]``, ``UpperSetp[<zone>]`` [K] and ``UpperCO2[<zone>]`` [ppm].

Integrals are trapezoids over the rows of the results. A peak is the highest mean of the rows of a quarter of an hour,
counted from the start of the test; the last quarter may be short. Source: Blum et al. 2021, and BOPTEST's
``kpi_calculator``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from trivium.errors import ResourcesError
from trivium.evaluation.kpi_sums import KWH, PEAK, About, Rows, Sum
from trivium.model.contract import FloatArray

#: Takes the name of a column of the data and times [s], shape (k,); returns its values, None where there is none.
Series = Callable[[str, FloatArray], FloatArray | None]

_POWERS = ("ElectricPower", "DistrictHeatingPower", "GasPower", "BiomassPower", "SolarThermalPower")
_WATER = "FreshWaterFlowRate"
_TEMPERATURES = ("AirZoneTemperature", "OperativeZoneTemperature")
_PEAKS = {"pele_tot": "ElectricPower", "pgas_tot": "GasPower", "pdih_tot": "DistrictHeatingPower"}
#: Indicators, each with its unit: over an area, and in all.
_ABOUT = {
    "tdis_tot": ("K h", "K h", "Zone temperature outside of its set points, integrated, mean of the zones"),
    "idis_tot": ("ppm h", "ppm h", "CO2 concentration above its set point, integrated, mean of the zones"),
    "ener_tot": ("kWh/m2", "kWh", "Energy of all sources"),
    "cost_tot": ("currency/m2", "currency", "Cost of energy and water at the prices of the scenario"),
    "emis_tot": ("kg/m2", "kg", "Emissions of CO2 of all sources of energy"),
    "pele_tot": ("kW/m2", "kW", "Highest electrical power, mean of 15 minutes"),
    "pgas_tot": ("kW/m2", "kW", "Highest power of gas, mean of 15 minutes"),
    "pdih_tot": ("kW/m2", "kW", "Highest power of district heating, mean of 15 minutes"),
}


class Source(NamedTuple):
    """Signals that stand for one thing.

    Attributes
    ----------
    kind, zone : str
        ``ElectricPower``; name of the zone, empty where it is of none.
    columns : list of int
        Of the history.
    missing : str
        A signal that the model does not have, empty where all are there.
    """

    kind: str
    zone: str
    columns: list[int]
    missing: str


class Building:
    """The declaration of a building's indicators.

    Parameters
    ----------
    columns : sequence of str
        Of the history.
    declaration : Any
        The table ``kpi.building``.

    Raises
    ------
    ResourcesError
        Naming the key that is wrong.
    """

    def __init__(self, columns: Sequence[str], declaration: Any) -> None:
        if not isinstance(declaration, Mapping) or not set(declaration) <= {"area", "points"}:
            raise ResourcesError("testcase.toml: kpi.building must be a table of area and points")
        points = declaration.get("points", {})
        if not isinstance(points, Mapping) or not all(
            isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)
            for names in points.values()
        ):
            raise ResourcesError("testcase.toml: kpi.building.points must be a table of lists of signals")
        area = declaration.get("area")
        if area is not None and (isinstance(area, bool) or not isinstance(area, int | float) or not 0 < area < np.inf):
            raise ResourcesError("testcase.toml: kpi.building.area must be a number greater than 0")
        #: What totals are divided by [m2].
        self.area = 1.0 if area is None else float(area)
        self._position = {name: i for i, name in enumerate(columns)}
        self._points: Mapping[str, Sequence[str]] = points
        self.about = {
            name: About(total if area is None else specific, text) for name, (specific, total, text) in _ABOUT.items()
        }

    def sums(self, series: Series, price: str) -> list[Sum]:
        """Return sums over nothing yet.

        Parameters
        ----------
        series : Series
        price : str
            Ending of the name of the electricity price: ``Constant``.
        """
        return [Integrals(self, series, price), *(Peak(self, name, source) for name, source in _PEAKS.items())]

    def sources(self, kinds: Sequence[str]) -> list[Source]:
        """Return the sources of some kinds."""
        sources = []
        for key, names in self._points.items():
            kind, _, zone = key.partition("[")
            if kind in kinds:
                missing = next((name for name in names if name not in self._position), "")
                columns = [self._position[name] for name in names if name in self._position]
                sources.append(Source(kind, zone.rstrip("]"), columns, missing))
        return sources


class Integrals(Sum):
    """Discomfort, energy, cost and emissions.

    Parameters
    ----------
    building : Building
    series, price
        As in `Building.sums`.
    """

    def __init__(self, building: Building, series: Series, price: str) -> None:
        names = [name for name in building.about if name not in _PEAKS]
        super().__init__({name: building.about[name] for name in names})
        self._series = series
        integrals = _integrals(building, price)
        self._terms = {name: [each for each in integrals if each.name == name] for name in names}
        self._totals = dict.fromkeys(names, 0.0)
        for name, terms in self._terms.items():
            if reason := _reason(terms, series):
                self.reasons[name] = reason

    def _add(self, rows: Rows) -> None:
        table = np.concatenate((rows.before[np.newaxis], rows.table))
        times = np.ascontiguousarray(table[:, 0])
        for name, terms in self._terms.items():
            if name not in self.reasons:
                self._totals[name] += sum(each.over(times, table, self._series) for each in terms)

    def _values(self) -> Mapping[str, float | None]:
        return {name: None if name in self.reasons else total for name, total in self._totals.items()}


class Peak(Sum):
    """The highest power of a source, mean of the rows of a quarter of an hour.

    Parameters
    ----------
    building : Building
    name : str
        Of the indicator.
    source : str
    """

    def __init__(self, building: Building, name: str, source: str) -> None:
        super().__init__({name: building.about[name]})
        self._name, self._scale = name, 1e-3 / building.area
        sources = building.sources([source])
        self._columns = [column for each in sources for column in each.columns]
        if not sources:
            self.reasons[name] = "the test case names no signals for it"
        elif missing := next((each.missing for each in sources if each.missing), ""):
            self.reasons[name] = f"the model has no output {missing}"
        self._start: float | None = None
        self._quarter, self._total, self._count = 0, 0.0, 0  # of the last quarter
        self._highest = -np.inf  # of those before

    def _add(self, rows: Rows) -> None:
        table = rows.table
        if self._start is None:
            self._start = float(rows.before[0])
            table = np.concatenate((rows.before[np.newaxis], table))
        power = table[:, self._columns].sum(axis=1)
        quarters = ((table[:, 0] - self._start) / PEAK + 1e-9).astype(np.intp) - self._quarter
        totals, counts = np.bincount(quarters, power), np.bincount(quarters)
        totals[0], counts[0] = totals[0] + self._total, counts[0] + self._count
        closed = counts[:-1] > 0
        if closed.any():
            self._highest = max(self._highest, float((totals[:-1][closed] / counts[:-1][closed]).max()))
        self._quarter += len(totals) - 1
        self._total, self._count = float(totals[-1]), int(counts[-1])

    def _values(self) -> Mapping[str, float | None]:
        if self._name in self.reasons or not self._count:
            return {self._name: None}
        return {self._name: self._scale * max(self._highest, self._total / self._count)}


class _Integral(NamedTuple):
    """A term of a total: the trapezoids of a function of some columns and some data.

    Attributes
    ----------
    name : str
        Of the total.
    source : Source
    scale : float
    data : tuple of str
        Columns of the data that the function needs.
    function : callable
        Takes signals, shape (k, n), and each column of the data, shape (k, 1).
    """

    name: str
    source: Source
    scale: float
    data: tuple[str, ...]
    function: Callable[..., FloatArray]

    def over(self, times: FloatArray, table: FloatArray, series: Series) -> float:
        """Return the term over some rows."""
        data = [values[:, np.newaxis] for name in self.data if (values := series(name, times)) is not None]
        integrand = self.function(table[:, self.source.columns], *data).sum(axis=1)
        return self.scale * float(np.trapezoid(integrand, times))


def _integrals(building: Building, price: str) -> list[_Integral]:
    """Return the terms of all totals."""
    terms: list[_Integral] = []
    zones = building.sources(_TEMPERATURES)
    for zone in zones:
        band = (f"LowerSetp[{zone.zone}]", f"UpperSetp[{zone.zone}]")
        terms.append(_Integral("tdis_tot", zone, 1 / 3600 / len(zones), band, _outside))
    airs = building.sources(["CO2Concentration"])
    terms += [_Integral("idis_tot", air, 1 / 3600 / len(airs), (f"UpperCO2[{air.zone}]",), _above) for air in airs]
    for power in building.sources(_POWERS):
        ending = price if power.kind == "ElectricPower" else ""
        scale = 1 / KWH / building.area
        terms += [
            _Integral("ener_tot", power, scale, (), np.asarray),
            _Integral("cost_tot", power, scale, (f"Price{power.kind}{ending}",), np.multiply),
            _Integral("emis_tot", power, scale, (f"Emissions{power.kind}",), np.multiply),
        ]
    water = building.sources([_WATER])
    terms += [_Integral("cost_tot", each, 1 / building.area, (f"Price{_WATER}",), np.multiply) for each in water]
    return terms


def _outside(values: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    return np.asarray(np.maximum(low - values, 0.0) + np.maximum(values - high, 0.0))


def _above(values: FloatArray, limit: FloatArray) -> FloatArray:
    return np.asarray(np.maximum(values - limit, 0.0))


def _reason(terms: Sequence[_Integral], series: Series) -> str:
    """Return why a total cannot be had, empty where it can."""
    if not terms:
        return "the test case names no signals for it"
    nothing = np.empty(0)
    for term in terms:
        if term.source.missing:
            return f"the model has no output {term.source.missing}"
        for name in term.data:
            if series(name, nothing) is None:
                return f"the data of the test case has no column {name}"
    return ""
