"""Electrical energy, its cost and emissions, with what is missing in stores at the end.

A battery, a tank, the warmth of a hall or work that waits is full or empty at the start by no merit of a controller.
One that ends emptier than it began has given energy that no meter has seen, so that is bought, at the mean price of the
test. One that ends fuller has no credit: what it is worth depends on who uses it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from trivium.evaluation.kpi_sums import KWH, About, Columns, Meter, Rows, Sum, Total, added
from trivium.model.contract import FloatArray

_STORE = ("signal", "worth")
#: Least worth of a store [J/J].
_LEAST = -100.0


class Store(NamedTuple):
    """A store: the column of its content [J], and the electrical energy that a unit of it is worth [J/J]."""

    place: int
    worth: float


class Stores:
    """What is missing in the stores of a plant.

    Parameters
    ----------
    columns : Columns
        The table ``kpi.stores``: for each store a table with ``signal`` and ``worth``, which is negative where the
        signal is a debt.

    Raises
    ------
    ResourcesError
        Naming the key that is wrong.
    """

    def __init__(self, columns: Columns) -> None:
        tables = [columns.table(name, _STORE) for name in columns.names()]
        self._stores = [Store(table.signal("signal"), table.number("worth", 1.0, _LEAST)) for table in tables]
        #: Columns of the signals.
        self.places = [store.place for store in self._stores]
        self._first: FloatArray | None = None
        self._last: FloatArray | None = None

    def add(self, rows: Rows) -> None:
        """Add rows that came since."""
        worths = np.array([store.worth for store in self._stores])
        if self._first is None:
            self._first = rows.before[self.places] * worths
        self._last = rows.table[-1, self.places] * worths

    @property
    def missing(self) -> float:
        """Electrical energy by which stores are emptier than at the start [J]; each counts by itself."""
        if self._first is None or self._last is None:
            return 0.0
        return float(np.maximum(self._first - self._last, 0.0).sum())


class Energy(Sum):
    """Electrical energy, its cost and emissions.

    Parameters
    ----------
    columns : Columns
        The table ``kpi.power``.
    total : Total or Meter
        All of it.
    price : callable
        See `trivium.evaluation.kpi.Data`.
    stores : Stores, optional
    """

    def __init__(
        self,
        columns: Columns,
        total: Total | Meter,
        price: Callable[[FloatArray], FloatArray | None],
        stores: Stores | None = None,
    ) -> None:
        self._groups = {group: np.array(signals, dtype=np.intp) for group, signals in columns.groups().items()}
        self._stores = stores
        self._source = total
        self.metered = (*total.places, *(() if stores is None else stores.places))
        self._price = price
        self._energy = dict.fromkeys(self._groups, 0.0)
        self._total = 0.0
        self._costs: FloatArray | None = np.zeros(2)
        self._mean: FloatArray = np.zeros(2)  # of the prices, times the duration
        self._duration = 0.0
        super().__init__(
            {
                "ener_tot": About("kWh", "Electrical energy"),
                "cost_tot": About("currency", "Cost of the electrical energy at the price of the scenario"),
                "emis_tot": About("kg", "Emissions of CO2 of the electrical energy"),
                **{
                    f"ener_{group}": About("kWh", f"Electrical energy, {group.replace('_', ' ')}")
                    for group in self._groups
                },
                **({} if stores is None else {"ener_missing": About("kWh", "Energy missing in stores at the end")}),
            }
        )

    def _add(self, rows: Rows) -> None:
        duration = rows.duration / KWH
        for group, signals in self._groups.items():
            power = rows.table[:, signals].sum(axis=1) if len(signals) > 1 else rows.table[:, signals[0]]
            self._energy[group] = added(self._energy[group], duration * power)
        energy = duration * self._source.power(rows)
        self._total = added(self._total, energy)
        # a price holds from its time on, so that of an interval is the one at its begin
        prices = self._price(np.concatenate((rows.before[:1], rows.table[:-1, 0])))
        if prices is None or self._costs is None:
            self._costs = None
        else:
            costs = zip(self._costs.tolist(), prices * energy, strict=True)
            self._costs = np.array([added(cost, parts) for cost, parts in costs])
        if self._stores is None:
            return
        self._stores.add(rows)
        if prices is not None:
            self._mean = self._mean + prices @ rows.duration
            self._duration += float(rows.duration.sum())

    def _values(self) -> Mapping[str, float | None]:
        each = {f"ener_{group}": energy for group, energy in self._energy.items()}
        missing = 0.0
        if self._stores is not None:
            each["ener_missing"] = missing = self._stores.missing / KWH
        costs = None if self._costs is None else self._costs
        if costs is not None and self._duration > 0.0:
            costs = costs + missing * self._mean / self._duration
        cost, emissions = (None, None) if costs is None else costs.tolist()
        return {"ener_tot": self._total + missing, "cost_tot": cost, "emis_tot": emissions, **each}
