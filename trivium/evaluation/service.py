"""What a plant is there for: heat that it removes of that which is demanded, and how warm the hall gets.

Heat counts where water flows that a model says to flow, not where it is prescribed; what is demanded and not removed is
unserved. Water that stands, or that a real plant would not have, counts in the hall as the worst temperature.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from trivium.errors import ResourcesError
from trivium.evaluation.kpi_sums import KWH, About, Columns, Flow, Meter, Rows, Sum, added, column
from trivium.model.contract import FloatArray

_FLOW = ("mass_flow", "warm", "cold", "power", "plus", "minus")
#: Keys of the tables ``kpi.heat``, ``kpi.comfort`` and ``kpi.service``.
HEAT = (*_FLOW, "specific_heat", "shares", "demand", "instead")
COMFORT = ("temperature", "set_point", "band", "cold_band", "standing")
SERVICE = ("unserved", "violation")
#: Indicators by which a run is judged.
JUDGED = ("unserved_tot", "demand_tot", "tdis_tot", "time_tot")
#: By how much of the margin a run may serve less than another one and still count as the same.
_SAME = 0.1
#: Least flow that is divided by.
_LEAST = float(np.finfo(np.float64).tiny)


class Removed:
    """Heat removed, and heat demanded where the test case declares it.

    Parameters
    ----------
    columns : Columns
        The table ``kpi.heat``.

    Attributes
    ----------
    prescribed : bool
        Whether the model does not report what really flows, so that the table ``instead`` holds.
    metered : collection of int
        Columns of meters.
    """

    def __init__(self, columns: Columns) -> None:
        specific_heat = columns.number("specific_heat", 4186.0, 0.0)
        self.prescribed = columns.has("instead") and columns.lacks("mass_flow", "power", "plus", "minus", "shares")
        source, self._running, self._least = columns, list[int](), 0.0
        self._shares = list[int]()
        if self.prescribed:
            source = columns.table("instead", (*_FLOW, "running", "least"))
            self._running, self._least = source.signals("running"), source.number("least", 0.0, 0.0)
        else:
            self._shares = columns.signals("shares")
        self._power = _Power(source, specific_heat)
        self._demand = None
        if columns.has("demand"):
            self._demand = _Power(columns.table("demand", _FLOW), specific_heat)
        meters = [power.meter for power in (self._power, self._demand) if power is not None]
        self.metered = [place for meter in meters if meter is not None for place in meter.places]

    def power(self, rows: Rows) -> FloatArray:
        """Return the heat removed in each row [W]."""
        removed = self._power.heat(rows)
        return np.where(removed > 0.0, self._part(rows) * removed, removed)

    def demand(self, rows: Rows) -> FloatArray | None:
        """Return the heat demanded in each row [W]; None where the test case declares none."""
        return None if self._demand is None else np.maximum(self._demand.heat(rows), 0.0)

    def shares(self) -> Callable[[Rows], FloatArray]:
        """Return what computes the share of the demanded flow that the hall gets in each row [1], shape (k,).

        Raises
        ------
        ResourcesError
            When the test case does not declare both flows.
        """
        demand, removed = None if self._demand is None else self._demand.flow, self._power.flow
        if demand is None or removed is None:
            raise ResourcesError("testcase.toml: kpi.comfort.standing needs mass_flow in kpi.heat and in its demand")

        def share(rows: Rows) -> FloatArray:
            demanded, flowing = demand.flow(rows), self._part(rows) * removed.flow(rows)
            share = np.where(demanded > 0.0, flowing / np.maximum(demanded, _LEAST), 1.0)
            return np.asarray(np.minimum(np.maximum(share, 0.0), 1.0))  # np.clip takes four times as long

        return share

    def _part(self, rows: Rows) -> FloatArray:
        """Return which part of the heat counts in each row [1]."""
        part = np.minimum(np.maximum(rows.table[:, self._shares], 0.0), 1.0).prod(axis=1)
        if self._running:
            part = part * (rows.table[:, self._running] > self._least).any(axis=1)
        return np.asarray(part)


class _Power:
    """Heat as a signal, by meters, or as that of a flow between two temperatures."""

    def __init__(self, columns: Columns, specific_heat: float) -> None:
        self.flow = self.meter = self._signal = None
        if columns.has("power"):
            self._signal = columns.signal("power")
            if any(columns.has(key) for key in _FLOW if key != "power"):
                raise ResourcesError("testcase.toml: kpi.heat: power takes the place of mass_flow, warm and cold")
        elif columns.has("plus") or columns.has("minus"):
            self.meter = Meter(columns)
            if any(columns.has(key) for key in ("mass_flow", "warm", "cold")):
                raise ResourcesError("testcase.toml: kpi.heat: plus takes the place of mass_flow, warm and cold")
        else:
            self.flow = Flow(columns, "mass_flow", specific_heat)

    def heat(self, rows: Rows) -> FloatArray:
        """Return it for each row [W]."""
        if self.meter is not None:
            return self.meter.power(rows)
        return self.flow.power(rows) if self.flow is not None else np.asarray(rows.table[:, self._signal])


class Heat(Sum):
    """Heat removed, of that which is demanded."""

    def __init__(self, removed: Removed, *, demanded: bool) -> None:
        how = ", by the prescribed flow while a pump gives head: the model does not report what flows"
        ending = how if removed.prescribed else ""
        about = {"heat_tot": About("kWh", f"Heat removed, which stands in for the energy of the IT equipment{ending}")}
        if demanded:
            about |= {
                "demand_tot": About("kWh", "Heat demanded"),
                "unserved_tot": About("kWh", "Heat demanded and not removed"),
            }
        super().__init__(about)
        self._removed, self.metered = removed, removed.metered
        self._heat = self._demand = 0.0

    def _add(self, rows: Rows) -> None:
        removed, demand = self._removed.power(rows), self._removed.demand(rows)
        if demand is not None:
            removed = np.minimum(removed, demand)  # nobody needs more, and there is no more
            self._demand = added(self._demand, rows.duration * demand / KWH)
        self._heat = added(self._heat, rows.duration * removed / KWH)

    def _values(self) -> Mapping[str, float | None]:
        values = {"heat_tot": self._heat, "demand_tot": self._demand, "unserved_tot": self._demand - self._heat}
        return {name: values[name] for name in self.about}


class Comfort(Sum):
    """How far and how long temperatures were off their set points.

    Parameters
    ----------
    tables : list of Columns
        The table ``kpi.comfort``, or several of them; what each counts is added.
    removed : Removed, optional
        The heat, for ``standing``.
    """

    def __init__(self, tables: Sequence[Columns], removed: Removed | None) -> None:
        super().__init__({"tdis_tot": About("K h", "Supply temperature beyond its set point and band, integrated")})
        self._temperatures = [_Temperature(table, removed) for table in tables]
        self._off = 0.0

    def _add(self, rows: Rows) -> None:
        off = np.array([temperature.off(rows) for temperature in self._temperatures])
        self._off = added(self._off, off.sum(axis=0))

    def _values(self) -> Mapping[str, float | None]:
        return {"tdis_tot": self._off}


class _Temperature:
    """A temperature with a set point."""

    def __init__(self, columns: Columns, removed: Removed | None) -> None:
        self._temperature = columns.signal("temperature")
        self._set_point = columns.signal_or_number("set_point")
        self._band = columns.number("band", 0.0, 0.0)
        self._cold_band = columns.number("cold_band", np.inf, 0.0) if columns.has("cold_band") else np.inf
        self._standing = columns.number("standing", 0.0, 0.0)
        self._share: Callable[[Rows], FloatArray] | None = None
        if columns.has("standing"):
            if removed is None:
                raise ResourcesError("testcase.toml: kpi.comfort.standing needs the table kpi.heat")
            self._share = removed.shares()

    def off(self, rows: Rows) -> FloatArray:
        """Return how far off it was in each row, times how long [K h]."""
        temperature, set_point = rows.table[:, self._temperature], column(rows, self._set_point)
        if self._share is not None:
            share = self._share(rows)
            temperature = share * temperature + (1.0 - share) * np.maximum(self._standing, temperature)
        over = np.maximum(temperature - set_point - self._band, 0.0)
        under = np.maximum(set_point - self._cold_band - temperature, 0.0)
        return np.asarray(rows.duration * (over + under) / 3600.0)


class Limits(NamedTuple):
    """How much of its service a run may miss and still count as one that serves.

    Attributes
    ----------
    unserved : float
        Heat not removed, over heat demanded [1].
    violation : float
        Violation of the set point a day [K h].
    """

    unserved: float
    violation: float

    @classmethod
    def read(cls, columns: Columns) -> Limits:
        """Read the table ``kpi.service``."""
        return cls(columns.number("unserved", 0.005, 0.0), columns.number("violation", 0.1, 0.0))

    def met(self, values: Mapping[str, float | None], reference: Mapping[str, float | None] | None = None) -> bool:
        """Return whether a run serves.

        Parameters
        ----------
        values : Mapping[str, float or None]
            Indicators of the run, those of `JUDGED`.
        reference : Mapping[str, float or None], optional
            Indicators of another run over the same time, which serves: no less than that then, but for a tenth of the
            margins. Default: no less than the margins.
        """
        margins = {
            "unserved_tot": self.unserved * (values.get("demand_tot") or 0.0),
            "tdis_tot": self.violation * (values.get("time_tot") or 0.0) / 24.0,
        }
        for name, margin in margins.items():
            allowed = margin if reference is None else (reference.get(name) or 0.0) + _SAME * margin
            if (values.get(name) or 0.0) > allowed:
                return False
        return True


class Elapsed(Sum):
    """How long a test is."""

    def __init__(self) -> None:
        super().__init__({"time_tot": About("h", "Length of the test")})
        self._hours = 0.0

    def _add(self, rows: Rows) -> None:
        self._hours = added(self._hours, rows.duration / 3600.0)

    def _values(self) -> Mapping[str, float | None]:
        return {"time_tot": self._hours}
