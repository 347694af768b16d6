"""Inputs that follow a table: a CSV file with a column ``time`` and one an input."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from trivium.errors import InvalidValueError, TriviumError
from trivium.model.contract import FloatArray
from trivium.simulation.boundary import Disturbances
from trivium.study.fmu import Fmu, Scalar, check_values, in_order
from trivium.study.spec import Simulation


def check_inputs(simulation: Simulation, fmu: Fmu) -> None:
    """Refuse a table that does not fit the FMU.

    Raises
    ------
    InvalidValueError
        Naming the input, when it is none of the FMU, has values that it cannot have, or the table does not cover the
        time of a run.
    """
    field = "simulation.inputs"
    if simulation.inputs is None:
        return
    try:
        table = Disturbances.read(simulation.inputs, linear=simulation.interpolate_inputs)
        table.at([simulation.start_time], simulation.stop_time)
    except TriviumError as error:
        raise InvalidValueError(f"{field}: {error}", field) from error
    for name, column in zip(table.names, table.values.T, strict=True):
        scalar = fmu.scalars.get(name)
        if scalar is None or not scalar.is_input:
            raise InvalidValueError(f"{field}: {fmu.description.path.name} has no numeric input {name}", field)
        extremes = [column.min(), column.max()] if scalar.kind == "Real" else np.unique(column)
        check_values(scalar, [float(value) for value in extremes], field)


def read_inputs(path: Path, fmu: Fmu, times: FloatArray, *, interpolate: bool) -> tuple[list[Scalar], FloatArray]:
    """Return the inputs of a table, reals first, then integers, then booleans, and their values.

    Parameters
    ----------
    path : Path
    fmu : Fmu
    times : FloatArray, shape (k + 1,)
        Beginnings of the steps, and the end of the last one.
    interpolate : bool
        Whether reals are interpolated; counts and switches hold their values.

    Returns
    -------
    list of Scalar, FloatArray of shape (k, n)
    """
    held = Disturbances.read(path)
    starts, end = times[:-1].tolist(), float(times[-1])
    scalars = in_order(fmu.scalars[name] for name in held.names)
    places = {name: place for place, name in enumerate(held.names)}
    sources = {linear: Disturbances.read(path, linear=linear).at(starts, end) for linear in {interpolate, False}}
    columns = [sources[interpolate and one.kind == "Real"][:, places[one.name]] for one in scalars]
    return scalars, np.ascontiguousarray(np.stack(columns, axis=1))
