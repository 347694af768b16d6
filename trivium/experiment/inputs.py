"""Inputs of an FMU that follow a table: a CSV file with a column ``time`` and one an input."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trivium.errors import InvalidValueError, TriviumError
from trivium.experiment.conditions import Conditions
from trivium.experiment.grid import Grid, make_grid
from trivium.experiment.stepping import divisible, ramps
from trivium.model.contract import FloatArray
from trivium.model.fmu.description import FmuDescription
from trivium.model.fmu.native import in_order
from trivium.model.fmu.scalars import FmuVariable
from trivium.model.variable import parse_input
from trivium.simulation.boundary import Disturbances
from trivium.simulation.input_table import InputTable, read_input_table

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Course:
    """The steps of a run, and what inputs do in them.

    Attributes
    ----------
    grid : Grid
    variables : list of FmuVariable
        Inputs that follow a table: reals first, then integers, then booleans.
    values : FloatArray, shape (n_steps, n)
        At the beginning of each step.
    slopes : FloatArray or None, shape (n_steps, n)
        How fast they change over each step; None where all hold.
    """

    grid: Grid
    variables: list[FmuVariable]
    values: FloatArray
    slopes: FloatArray | None = None

    @property
    def plain(self) -> bool:
        """Whether all inputs hold within each step."""
        return self.slopes is None


def check_inputs(description: FmuDescription, conditions: Conditions, field: str) -> None:
    """Refuse a table that does not fit the FMU, and log which of its columns are ignored.

    Raises
    ------
    InvalidValueError
        Naming the field and the input, when the table has none of the FMU's, has values that it cannot have, or does
        not cover the time of a run.
    """
    if not conditions.inputs:
        return
    inputs = {v.variable.name: v.variable for v in description.inputs}
    try:
        table, remark = _table(description, conditions)
        _data(description, conditions, table).at([conditions.horizon.start], float(conditions.times[-1]))
        for name, column in table.columns.items():
            extremes = [column.min(), column.max()] if inputs[name].kind == "real" else np.unique(column)
            for value in extremes:
                parse_input(float(value), inputs[name])
    except TriviumError as error:
        raise InvalidValueError(f"{field}: {error}", field) from error
    if remark:
        log.warning("%s: %s", field, remark)


def read_inputs(description: FmuDescription, conditions: Conditions) -> Course:
    """Return the course of a run.

    Continuous inputs are interpolated where the conditions say so, all others hold. Where the table says that a value
    jumps, steps are divided; where inputs can change within a step, they do, and steps are divided at every row.
    """
    horizon = conditions.horizon
    stop, may = float(conditions.times[-1]), divisible(description)
    if not conditions.inputs:
        grid = make_grid(horizon.start, stop, horizon.step, (), divisible=may, divisions=horizon.divisions)
        return Course(grid, [], np.empty((len(grid.times) - 1, 0)))
    table, _ = _table(description, conditions)
    data = _data(description, conditions, table)
    follows = conditions.interpolate and ramps(description) and len(data.held) < len(data.names)
    rows = np.unique(table.times) if follows else table.times[:-1][np.diff(table.times) == 0.0]
    events = np.unique(rows).tolist()
    grid = make_grid(horizon.start, stop, horizon.step, events, divisible=may, divisions=horizon.divisions)
    inputs = {v.variable.name: v for v in description.inputs}
    driven = in_order(inputs[name] for name in data.names)
    order = [data.names.index(variable.variable.name) for variable in driven]
    starts = list(grid.times[:-1])
    values = np.ascontiguousarray(data.at(starts, stop)[:, order])
    if not follows:
        return Course(grid, driven, values)
    return Course(grid, driven, values, np.stack([data.slopes(time) for time in starts])[:, order])


def _table(description: FmuDescription, conditions: Conditions) -> tuple[InputTable, str]:
    names = [v.variable.name for v in description.inputs]
    return read_input_table(Path(conditions.inputs)).matched(names, description.path.name)


def _data(description: FmuDescription, conditions: Conditions, table: InputTable) -> Disturbances:
    held = {v.variable.name for v in description.inputs if not v.continuous}
    return Disturbances.of(table, linear=conditions.interpolate, held=held)
