"""Faults as timed inputs of a scenario.

A fault has a kind, the signal that it is in, when it begins and ends, and a size::

    {"kind": "condition", "signal": "k_condenser", "start": 86400, "end": 172800, "size": 0.6}

Those of a scenario are in columns of the boundary data, between the bounds of the plant's input:

``condition``
    The signal has the value `size` while the fault lasts.
``wear``
    The signal goes from what it is in the data to `size` along a straight line, row by row of the data, and is what it
    was from the end on.

Those of sensors and actuators (``bias``, ``drift``, ``freeze``, ``stuck``) lie between a controller and the plant:
`trivium.control.instruments`. The boundary data itself stays as it is, so a forecast knows nothing of a fault.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from trivium.errors import InvalidValueError
from trivium.model.variable import Variable
from trivium.numbers import shown
from trivium.simulation.boundary import Disturbances
from trivium.suggestions import near_or_all

#: Kinds of faults in boundary data.
KINDS = ("condition", "wear")
_FIELD = "faults"


@dataclass(frozen=True)
class Fault:
    """A fault.

    Attributes
    ----------
    kind : str
    signal : str
        What it is in.
    start, end : float
        From when until when it lasts [s].
    size : float
        [unit of the signal]
    """

    kind: str
    signal: str
    start: float
    end: float
    size: float = 0.0

    def active(self, time: float) -> bool:
        """Return whether it lasts at a time [s]."""
        return self.start <= time < self.end

    def as_dict(self) -> dict[str, Any]:
        """Return its fields by name."""
        return asdict(self)


def parse(value: Any, boundary: Disturbances | None, variables: Mapping[str, Variable]) -> tuple[Fault, ...]:
    """Check the faults of a scenario.

    Parameters
    ----------
    value : sequence of mappings
        The fields of `Fault`.
    boundary : Disturbances or None
        Data whose columns can have faults.
    variables : Mapping[str, Variable]
        Inputs of the plant, for their bounds.

    Raises
    ------
    InvalidValueError
        Naming the fault (from 0 on), its field, and what that may be.
    """
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise InvalidValueError(
            f"Scenario parameter faults is {shown(value)}, but should be a list of objects with "
            f"{', '.join(Fault.__dataclass_fields__)}; an empty one for none.",
            _FIELD,
        )
    return tuple(_fault(each, f"{_FIELD}[{i}]", boundary, variables) for i, each in enumerate(value))


def disturbed(data: Disturbances, faults: Sequence[Fault]) -> Disturbances:
    """Return boundary data with faults in it; where two are in one signal at a time, the later of the list acts.

    Parameters
    ----------
    data : Disturbances
    faults : sequence of Fault
        As `parse` returns them.
    """
    if not faults:
        return data
    edges = np.array([time for fault in faults for time in (fault.start, fault.end)])
    within = edges[(edges > data.time0) & (edges < data.last)]
    extra = np.setdiff1d(within, data.times)
    order = np.argsort(np.concatenate((data.times, extra)), kind="stable")
    times = np.concatenate((data.times, extra))[order]
    values = np.concatenate((data.values, data.at(extra.tolist(), float(extra[-1])))) if extra.size else data.values
    values = np.array(values[order])
    for fault in faults:
        rows, column = (times >= fault.start) & (times < fault.end), data.names.index(fault.signal)
        share = np.ones(1) if fault.kind == "condition" else (times[rows] - fault.start) / (fault.end - fault.start)
        values[rows, column] += share * (fault.size - values[rows, column])
    held = data.held | {fault.signal for fault in faults} if data.linear else data.held
    return replace(data, values=values, irregular=times, held=held)


def _fault(value: Any, field: str, boundary: Disturbances | None, variables: Mapping[str, Variable]) -> Fault:
    if not isinstance(value, Mapping):
        raise InvalidValueError(f"Scenario parameter {field} is {shown(value)}, but should be an object.", _FIELD)
    for name in value:
        if name not in Fault.__dataclass_fields__:
            raise _refused(f"{field}.{name}", f"is unknown.{near_or_all(str(name), Fault.__dataclass_fields__)}")
    for name in Fault.__dataclass_fields__:
        if name not in value:
            raise _refused(f"{field}.{name}", "is missing.")
    kind, signal = value["kind"], value["signal"]
    start, end, size = (_number(value[name], f"{field}.{name}") for name in ("start", "end", "size"))
    if kind not in KINDS:
        raise _refused(f"{field}.kind", f"is {shown(kind)}, but should be one of the following: {list(KINDS)}.")
    names = () if boundary is None else boundary.names
    if boundary is None or signal not in names:
        near = near_or_all(str(signal), names)
        raise _refused(f"{field}.signal", f"is {shown(signal)}, but should be a column of the boundary data.{near}")
    if end <= start:
        raise _refused(f"{field}.end", f"is {shown(value['end'])}, but should be greater than start.")
    _check_size(size, signal, field, variables)
    column = boundary.values[:, names.index(signal)]
    if boundary.linear and signal not in boundary.held and np.ptp(column) > 0.0:
        raise _refused(
            f"{field}.signal",
            f"is {signal}, which follows straight lines between the rows of the boundary data. Take a signal that is "
            "constant there, or set boundary.interpolation to hold in testcase.toml.",
        )
    return Fault(kind, signal, start, end, size)


def _check_size(size: float, signal: str, field: str, variables: Mapping[str, Variable]) -> None:
    low, high = -math.inf, math.inf
    if signal in variables:
        variable = variables[signal]
        low, high = variable.lower, variable.upper
    if not low <= size <= high:
        raise _refused(f"{field}.size", f"is {size:g}, but should be between {low:g} and {high:g}, as {signal}.")


def _number(value: Any, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _refused(field, f"is {shown(value)}, but should be a finite number.")
    return float(value)


def _refused(field: str, reason: str) -> InvalidValueError:
    return InvalidValueError(f"Scenario parameter {field} {reason}", _FIELD)
