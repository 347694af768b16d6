"""Limits of alarms, as a test case declares them.

Each is a table of ``testcase.toml`` under a name of its own::

    [alarms.supply_warm]
    text = "Chilled water supply above its set point"
    priority = "high"               # high, medium or low; default: medium
    variable = "T_supply"           # a column of the results, or a list of names: the first that the model has
    set_point = "T_set"             # a column or a number
    above = 1.0                     # beyond the limit where the variable is more than so much above its set point
    below = 1.0                     # the same below it
    delay = 900                     # raised when it lasts so long, and over when it has been gone so long [s]
    deadband = 0.5                  # how far within the limit the value must be for the alarm to go [unit of the value]

    [alarms.no_flow]
    text = "Pump on without flow"
    variable = "V_flow"
    low = 0.02                      # fixed limits in place of a set point: low, high or both
    when = ["pump_1", "pump_2"]     # counts only while one of these is above 0.5

    [alarms.heat_reversed]
    text = "The hall warms the plant"
    heat = { mass_flow = "m", warm = "T_return", cold = "T_supply" }   # in place of a variable [W]
    low = 0

    [alarms.stale]                  # of every test case; only `after` and `priority` can be set
    after = 10                      # for how long the clock may stand while something drives the session [s]

An alarm is a function of the recorded rows alone, so it does not depend on how a client cuts time into control steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, Self, TypeVar

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from trivium.errors import ResourcesError
from trivium.model.contract import FloatArray
from trivium.model.variable import Variable
from trivium.suggestions import did_you_mean

Priority = Literal["high", "medium", "low"]
#: Priorities, the most urgent first.
PRIORITIES: tuple[Priority, ...] = ("high", "medium", "low")
#: The alarm that no row of a history can raise.
STALE = "stale"
_SPECIFIC_HEAT = 4186.0  # of water [J/(kg K)]
_OPEN = 0.5
_T = TypeVar("_T", bound=BaseModel)


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


_Number = Annotated[float, Field(allow_inf_nan=False, strict=True)]
_Positive = Annotated[float, Field(allow_inf_nan=False, strict=True, ge=0.0)]
_Names = Annotated[list[str], BeforeValidator(_several), Field(min_length=1)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Heat(_Table):
    """Heat that a flow takes between two temperatures."""

    mass_flow: _Names
    warm: str | _Number
    cold: str | _Number


class _Declared(_Table):
    """The table of one alarm."""

    text: str
    priority: Priority = "medium"
    variable: _Names | None = None
    heat: _Heat | None = None
    set_point: str | _Number | None = None
    above: _Positive | None = None
    below: _Positive | None = None
    low: _Number | None = None
    high: _Number | None = None
    when: list[str] = []
    delay: _Positive = 0.0
    deadband: _Positive = 0.0

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.variable is None) == (self.heat is None):
            raise ValueError("either variable or heat must be there")
        if self.set_point is None:
            if self.above is not None or self.below is not None:
                raise ValueError("above and below need a set_point")
            if self.low is None and self.high is None:
                raise ValueError("low, high or a set_point with above or below must be there")
        elif self.low is not None or self.high is not None:
            raise ValueError("low and high take the place of set_point; give one of the two")
        elif self.above is None and self.below is None:
            raise ValueError("a set_point needs above or below")
        return self


class Stale(_Table):
    """The table of the alarm that a session stands although it is driven.

    Attributes
    ----------
    after : float
        For how long it may stand [s].
    priority : str
    """

    after: Annotated[float, Field(allow_inf_nan=False, strict=True, gt=0.0)] = 10.0
    priority: Priority = "high"


class State(NamedTuple):
    """Rows of a history, as an alarm looks at them; arrays of shape (k,).

    Attributes
    ----------
    value : FloatArray
    low, high : FloatArray
        The limits; infinite where there is none.
    counts : BoolArray
        Whether the row counts at all.
    """

    value: FloatArray
    low: FloatArray
    high: FloatArray
    counts: Any


class Limit:
    """One alarm over the columns of a history.

    Parameters
    ----------
    name : str
    table : Any
        What ``testcase.toml`` has under the name.
    columns : Mapping[str, int]
        Places of the columns of the history.
    variables : Mapping[str, Variable]
        For units.

    Attributes
    ----------
    points : tuple of str
        What it looks at: the variable, or what the heat is made of.

    Raises
    ------
    ResourcesError
        Naming the key that is wrong.
    """

    def __init__(self, name: str, table: Any, columns: Mapping[str, int], variables: Mapping[str, Variable]) -> None:
        self.name, self._columns = name, columns
        self._declared = declared = _parsed(_Declared, name, table)
        self.text, self.priority = declared.text, declared.priority
        self.delay, self.deadband = declared.delay, declared.deadband
        self._heat: tuple[int, int | float, int | float] | None = None
        if declared.heat is not None:
            flow = self._first(declared.heat.mass_flow, "heat.mass_flow")
            self._heat = (
                columns[flow],
                self._place(declared.heat.warm, "heat.warm"),
                self._place(declared.heat.cold, "heat.cold"),
            )
            ends = (declared.heat.warm, declared.heat.cold)
            self.points: tuple[str, ...] = (flow, *(name for name in ends if isinstance(name, str)))
            self.unit = "W"
        else:
            variable = self._first(declared.variable or [], "variable")
            self._variable = columns[variable]
            self.points = (variable,)
            self.unit = variables[variable].unit if variable in variables else "1"
        self._set_point = None if declared.set_point is None else self._place(declared.set_point, "set_point")
        self._when = [columns[self._first([each], "when")] for each in declared.when]

    def state(self, table: FloatArray) -> State:
        """Return what rows say, shape (k, n_columns)."""
        count = len(table)
        declared = self._declared

        def column(place: int | float) -> FloatArray:
            return table[:, place] if isinstance(place, int) else np.full(count, place)

        if self._heat is None:
            value = table[:, self._variable]
        else:
            flow, warm, cold = map(column, self._heat)
            value = _SPECIFIC_HEAT * flow * (warm - cold)
        if self._set_point is None:
            low = np.full(count, -np.inf if declared.low is None else declared.low)
            high = np.full(count, np.inf if declared.high is None else declared.high)
        else:
            set_point = column(self._set_point)
            low = set_point - (np.inf if declared.below is None else declared.below)
            high = set_point + (np.inf if declared.above is None else declared.above)
        counts = np.isfinite(value)
        if self._when:
            counts &= (table[:, self._when] > _OPEN).any(axis=1)
        return State(value, low, high, counts)

    def _first(self, names: Sequence[str], key: str) -> str:
        """Return the first of some names that the history has."""
        for name in names:
            if name in self._columns:
                return name
        near = did_you_mean(names[-1], self._columns) if names else ""
        raise ResourcesError(f"testcase.toml: alarms.{self.name}.{key}: there is no {', no '.join(names)}.{near}")

    def _place(self, value: Any, key: str) -> int | float:
        return self._columns[self._first([value], key)] if isinstance(value, str) else float(value)


def read_limits(
    tables: Mapping[str, Any], columns: Sequence[str], variables: Mapping[str, Variable]
) -> tuple[list[Limit], Stale]:
    """Return the limits of a test case, the most urgent first, and when its sessions count as stale.

    Raises
    ------
    ResourcesError
        Naming the key that is wrong.
    """
    places = {name: i for i, name in enumerate(columns)}
    limits = [Limit(name, table, places, variables) for name, table in tables.items() if name != STALE]
    return sorted(limits, key=lambda limit: PRIORITIES.index(limit.priority)), read_stale(tables)


def read_stale(tables: Mapping[str, Any]) -> Stale:
    """Return when sessions of a test case count as stale; errors as `read_limits`."""
    return _parsed(Stale, STALE, tables.get(STALE, {}))


def _parsed(kind: type[_T], name: str, table: Any) -> _T:
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(("alarms", name, *(str(part) for part in first["loc"])))
        raise ResourcesError(f"testcase.toml: {place}: {first['msg'].removeprefix('Value error, ')}") from None
