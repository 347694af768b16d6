"""Sums over the rows of a history, from which the indicators of `trivium.evaluation.kpi` are made."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from trivium.errors import ResourcesError
from trivium.model.contract import FloatArray
from trivium.numbers import shown

#: Joule in a kilowatt hour.
KWH = 3.6e6
#: Over how long a peak is averaged [s].
PEAK = 900.0
#: Density [kg/m3], specific heat [J/(kg K)] and latent heat of evaporation [J/kg] of water at 25 degC (IAPWS-IF97).
WATER: Mapping[str, float] = {"density": 997.0, "specific_heat": 4180.0, "latent_heat": 2.4417e6}


class About(NamedTuple):
    """What an indicator is."""

    unit: str
    description: str


class Rows:
    """Rows of a history and where they come from.

    Parameters
    ----------
    before : FloatArray, shape (n_columns,)
        The row before the first.
    table : FloatArray, shape (k, n_columns)

    Attributes
    ----------
    duration : FloatArray, shape (k,)
        Of each row [s].
    """

    __slots__ = ("before", "duration", "table")

    def __init__(self, before: FloatArray, table: FloatArray) -> None:
        self.before, self.table = before, table
        times = table[:, 0]
        self.duration: FloatArray = times - before[0]
        self.duration[1:] = times[1:] - times[:-1]


class Sum(ABC):
    """Indicators that are computed together.

    Parameters
    ----------
    about : Mapping[str, About]
        Their names.

    Attributes
    ----------
    metered : collection of int
        Columns of meters and stores, which change during a row.
    """

    metered: Collection[int] = ()

    def __init__(self, descriptions: Mapping[str, About]) -> None:
        self.about = descriptions
        #: Why an indicator is None, by its name.
        self.reasons: dict[str, str] = {}

    def add(self, rows: Rows) -> None:
        """Add rows that came since."""
        self._add(rows)

    def values(self) -> Mapping[str, float | None]:
        """Return the indicators as they are."""
        return self._values()

    @abstractmethod
    def _add(self, rows: Rows) -> None: ...

    @abstractmethod
    def _values(self) -> Mapping[str, float | None]: ...


class Columns:
    """Finds signals among the columns of a history."""

    def __init__(self, columns: Sequence[str], table: str, declaration: Any, keys: Sequence[str] | None = None) -> None:
        if not isinstance(declaration, Mapping):
            raise ResourcesError(f"testcase.toml: kpi.{table} must be a table")
        for key in declaration:
            if keys is not None and key not in keys:
                raise ResourcesError(f"testcase.toml: unknown key kpi.{table}.{key}")
        self._position = {name: i for i, name in enumerate(columns)}
        self._table, self._given = table, declaration

    def signal(self, key: str) -> int:
        """Return the column of the signal that a key names."""
        return self._find(key, self._given.get(key))

    def signals(self, key: str) -> list[int]:
        """Return the columns of the signals in the list of a key; none where there is no such key."""
        names = self._given.get(key, [])
        if not isinstance(names, list):
            raise ResourcesError(f"testcase.toml: kpi.{self._table}.{key} must be a list of signals")
        return [self._find(key, name) for name in names]

    def has(self, key: str) -> bool:
        """Return whether there is a key."""
        return key in self._given

    def lacks(self, *keys: str) -> bool:
        """Return whether a key names a signal that the model does not have."""
        names = [name for key in keys for name in self._names(key)]
        return any(name not in self._position for name in names)

    def table(self, key: str, keys: Sequence[str]) -> Columns:
        """Return the table within the table."""
        return Columns(list(self._position), f"{self._table}.{key}", self._given.get(key), keys)

    def names(self) -> list[str]:
        """Return the keys of the table."""
        return list(self._given)

    def groups(self) -> dict[str, list[int]]:
        """Return the columns of each list of signals."""
        groups = {}
        for group, names in self._given.items():
            if not isinstance(names, list) or not names:
                raise ResourcesError(f"testcase.toml: kpi.{self._table}.{group} must be a list of signals")
            groups[group] = [self._find(group, name) for name in names]
        return groups

    def number(self, key: str, default: float, least: float) -> float:
        """Return the number that a key has."""
        value = self._given.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < np.inf:
            raise ResourcesError(f"testcase.toml: kpi.{self._table}.{key} must be a number of at least {least}")
        return float(value)

    def signal_or_number(self, key: str) -> int | float:
        """Return a column, an int, or a number, a float."""
        return self.signal(key) if isinstance(self._given.get(key), str) else self.number(key, np.nan, 0.0)

    def _names(self, key: str) -> list[str]:
        value = self._given.get(key, [])
        return [name for name in (value if isinstance(value, list) else [value]) if isinstance(name, str)]

    def _find(self, key: str, name: Any) -> int:
        if not isinstance(name, str) or name not in self._position:
            raise ResourcesError(f"testcase.toml: kpi.{self._table}.{key}: there is no signal {shown(name)}")
        return self._position[name]


class Meter:
    """Mean power of each row by meters of energy, signals [J] that count up.

    A power stands for its row by the value at the end. Where it changes within rows, a controller may let it be small
    whenever it is looked at; a meter misses nothing.

    Parameters
    ----------
    columns : Columns
        A table with the lists of signals ``plus`` and ``minus``.

    Attributes
    ----------
    places : list of int
        Columns of the signals.
    """

    def __init__(self, columns: Columns) -> None:
        self._plus, self._minus = columns.signals("plus"), columns.signals("minus")
        self.places = [*self._plus, *self._minus]

    def power(self, rows: Rows) -> FloatArray:
        """Return it for each row [W]."""
        table = np.vstack((rows.before, rows.table))
        energy = np.diff(table[:, self._plus].sum(axis=1) - table[:, self._minus].sum(axis=1))
        duration = rows.duration
        return np.divide(energy, duration, out=np.zeros_like(energy), where=duration > 0.0)


class Total:
    """Sum of the powers of all groups of a table, each signal once.

    Parameters
    ----------
    columns : Columns
        The table.
    """

    places: Sequence[int] = ()

    def __init__(self, columns: Columns) -> None:
        self._signals = np.array(
            sorted({place for group in columns.groups().values() for place in group}), dtype=np.intp
        )

    def power(self, rows: Rows) -> FloatArray:
        """Return it for each row [W]."""
        return np.asarray(rows.table[:, self._signals].sum(axis=1))


class Peak(Sum):
    """Highest power, averaged over whole quarters of an hour since the start.

    Parameters
    ----------
    total : Total or Meter
    """

    def __init__(self, total: Total | Meter) -> None:
        super().__init__({"pele_tot": About("kW", "Highest electrical power, mean of 15 minutes")})
        self._total = total
        self._edge: float | None = None  # begin of the quarter that is not full yet [s]
        self._open = 0.0  # energy since then [J]
        self._highest: float | None = None

    def _add(self, rows: Rows) -> None:
        begin = float(rows.before[0])
        edge = begin if self._edge is None else self._edge
        times = np.concatenate(([begin], rows.table[:, 0]))
        energy = self._open + np.concatenate(([0.0], np.cumsum(rows.duration * self._total.power(rows))))
        full = int((times[-1] - edge) / PEAK + 1e-9)
        if full:
            edges = edge + PEAK * np.arange(full + 1)
            # up to `begin` the energy of the open quarter is known at its two ends only, which is all that is needed
            at = np.interp(edges, np.concatenate(([edge], times)), np.concatenate(([0.0], energy)))
            means = np.diff(at) / PEAK / 1e3
            self._highest = max(float(means.max()), -np.inf if self._highest is None else self._highest)
            edge, self._open = float(edges[-1]), float(energy[-1] - at[-1])
        else:
            self._open = float(energy[-1])
        self._edge = edge

    def _values(self) -> Mapping[str, float | None]:
        return {"pele_tot": self._highest}


class Flow:
    """Heat that a flow gives off between two temperatures, each a signal or a number."""

    def __init__(self, columns: Columns, flow: str, per_unit: float) -> None:
        self._flow = columns.signal(flow)
        self._warm, self._cold = (columns.signal_or_number(key) for key in ("warm", "cold"))
        self._per_unit = per_unit

    def power(self, rows: Rows) -> FloatArray:
        """Return it for each row [W]."""
        difference = column(rows, self._warm) - column(rows, self._cold)
        return np.asarray(self._per_unit * self.flow(rows) * difference)

    def flow(self, rows: Rows) -> FloatArray:
        """Return the flow in each row."""
        return np.asarray(rows.table[:, self._flow])

    def volume(self, rows: Rows) -> float:
        """Return how much has flowed."""
        return float(rows.duration @ self.flow(rows))


def added(total: float, parts: FloatArray) -> float:
    """Return a total with parts added one after another: the same to the last bit however many rows come at once."""
    for part in parts.tolist():
        total += part
    return total


def column(rows: Rows, place: int | float) -> FloatArray | float:
    """Return a column of rows, or the number that stands for it."""
    return rows.table[:, place] if isinstance(place, int) else place


class Water(Sum):
    """Water that the towers use: evaporation, blowdown to keep the concentration, drift."""

    def __init__(self, columns: Columns) -> None:
        super().__init__({"water_tot": About("l", "Water used by the cooling towers: evaporation, blowdown, drift")})
        self._density, heat, self._latent = (columns.number(name, usual, 1e-9) for name, usual in WATER.items())
        self._make_up = columns.signal("make_up") if columns.has("make_up") else None
        self.metered = [] if self._make_up is None else [self._make_up]
        self._flow = None if columns.has("make_up") else Flow(columns, "volume_flow", self._density * heat)
        self._cycles = columns.number("cycles", 4.0, 1.001)
        self._drift = columns.number("drift", 1e-4, 0.0)
        self._water = 0.0

    def _add(self, rows: Rows) -> None:
        if self._flow is None:
            self._water += 1e3 * float(rows.table[-1, self._make_up] - rows.before[self._make_up]) / self._density
            return
        evaporated = float(rows.duration @ self._flow.power(rows)) / self._latent  # [kg]
        self._water += evaporated * (1 + 1 / (self._cycles - 1)) / self._density * 1e3
        self._water += 1e3 * self._drift * self._flow.volume(rows)

    def _values(self) -> Mapping[str, float | None]:
        return {"water_tot": self._water}


class Switches(Sum):
    """How often equipment was switched on and off."""

    def __init__(self, columns: Columns) -> None:
        groups = columns.groups()
        self._groups = {group: np.array(signals, dtype=np.intp) for group, signals in groups.items()}
        self._signals = np.array([place for signals in groups.values() for place in signals], dtype=np.intp)
        self._counts = {f"{event}_{group}": 0 for group in groups for event in ("starts", "stops")}
        super().__init__(
            {
                f"{event}_{group}": About("1", f"{event.capitalize()} of {group.replace('_', ' ')}")
                for group in groups
                for event in ("starts", "stops")
            }
        )

    def _add(self, rows: Rows) -> None:
        if ((rows.table[:, self._signals] > 0.5) == (rows.before[self._signals] > 0.5)).all():
            return  # as after most steps
        for group, signals in self._groups.items():
            on = np.concatenate((rows.before[np.newaxis, signals], rows.table[:, signals])) > 0.5
            self._counts[f"starts_{group}"] += int(np.count_nonzero(on[1:] & ~on[:-1]))
            self._counts[f"stops_{group}"] += int(np.count_nonzero(~on[1:] & on[:-1]))

    def _values(self) -> Mapping[str, float | None]:
        return {name: float(count) for name, count in self._counts.items()}
