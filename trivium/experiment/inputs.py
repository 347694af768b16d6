"""Inputs of an FMU that follow a table: a CSV file with a column ``time`` and one an input."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from trivium.errors import InvalidValueError, TriviumError
from trivium.experiment.conditions import Conditions
from trivium.model.contract import FloatArray
from trivium.model.fmu.description import FmuDescription
from trivium.model.fmu.native import in_order
from trivium.model.fmu.scalars import FmuVariable
from trivium.model.variable import parse_input
from trivium.simulation.boundary import Disturbances


def check_inputs(description: FmuDescription, conditions: Conditions, field: str) -> None:
    """Refuse a table that does not fit the FMU.

    Raises
    ------
    InvalidValueError
        Naming the field and the input, when it is none of the FMU, has values that it cannot have, or the table does
        not cover the time of a run.
    """
    if not conditions.inputs:
        return
    inputs = {v.variable.name: v.variable for v in description.inputs}
    try:
        table = Disturbances.read(Path(conditions.inputs), linear=conditions.interpolate)
        table.at([conditions.horizon.start], float(conditions.times[-1]))
        for name, column in zip(table.names, table.values.T, strict=True):
            if name not in inputs:
                raise InvalidValueError(f"{description.path.name} has no numeric input {name}", field)
            extremes = [column.min(), column.max()] if inputs[name].kind == "real" else np.unique(column)
            for value in extremes:
                parse_input(float(value), inputs[name])
    except TriviumError as error:
        raise InvalidValueError(f"{field}: {error}", field) from error


def read_inputs(description: FmuDescription, conditions: Conditions) -> tuple[list[FmuVariable], FloatArray]:
    """Return the inputs of a table, reals first, then integers, then booleans, and their values.

    Returns
    -------
    list of FmuVariable, FloatArray of shape (count, n)
        Values during each step; reals are interpolated where the conditions say so, counts and switches hold.
    """
    if not conditions.inputs:
        return [], np.empty((conditions.horizon.count, 0))
    path, times = Path(conditions.inputs), conditions.times
    held = Disturbances.read(path)
    starts, end = times[:-1].tolist(), float(times[-1])
    inputs = {v.variable.name: v for v in description.inputs}
    driven = in_order(inputs[name] for name in held.names)
    places = {name: place for place, name in enumerate(held.names)}
    linear = conditions.interpolate
    sources = {each: Disturbances.read(path, linear=each).at(starts, end) for each in {linear, False}}
    columns = [
        sources[linear and variable.variable.kind == "real"][:, places[variable.variable.name]] for variable in driven
    ]
    return driven, np.ascontiguousarray(np.stack(columns, axis=1))
