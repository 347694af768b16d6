"""A test case or an FMU as a function of numbers: simulated over a horizon, and reduced.

An output is a key performance indicator, or is made of the sum of some outputs of the model: their mean, least,
greatest or last value over the horizon, or the series of their means over equal parts of it. As with the indicators, a
row of the history belongs to the step that it ends.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trivium.errors import ComponentError
from trivium.experiment.contract import Values
from trivium.experiment.testcase import CaseRuns, parts
from trivium.model.contract import FloatArray

#: What an output may be of the rows of a horizon, shape (n_steps,).
REDUCERS = {
    "mean": lambda rows: rows.mean(),
    "min": lambda rows: rows.min(),
    "max": lambda rows: rows.max(),
    "final": lambda rows: rows[-1],
}


def simulate(values: Values, options: Mapping[str, Any]) -> dict[str, FloatArray]:
    """Run a test case over its horizon.

    Parameters
    ----------
    values : Mapping[str, FloatArray]
        Inputs by name, scalars or series.
    options : Mapping
        ``resources`` and ``state_dir`` (paths), ``start_time`` and ``end_time`` [s], ``step`` [s] or None,
        ``controller``, ``inputs`` (what each input sets), ``outputs`` (of each: ``of``, ``method``, ``parts``).

    Raises
    ------
    TriviumError
        When the options do not fit the model, or a step fails.
    """
    resources, state_dir = Path(options["resources"]), Path(options["state_dir"])
    with contextlib.closing(CaseRuns(resources, state_dir, options["step"], options["controller"])) as runs:
        start, end, length = float(options["start_time"]), float(options["end_time"]), runs.step
        steps = round((end - start) / length)
        if steps < 1 or abs(steps * length - (end - start)) > 1e-6 * length:
            raise ComponentError(f"the horizon from {start:g} to {end:g} s is no whole number of steps of {length:g} s")
        assignment = runs.assign({options["inputs"][name]: value for name, value in values.items()}, steps)
        recorded = [each for each in options["outputs"].values() if each["method"] != "kpi"]
        names = list(dict.fromkeys(name for each in recorded for name in each["of"]))
        table = np.empty((steps + 1, len(names)))
        runs.run(start, end, assignment, names, table)
        figures = runs.indicators([each["of"][0] for each in options["outputs"].values() if each["method"] == "kpi"])
    return {name: _reduced(each, names, table[1:], figures) for name, each in options["outputs"].items()}


def _reduced(
    output: Mapping[str, Any], names: Sequence[str], rows: FloatArray, indicators: Mapping[str, float | None]
) -> FloatArray:
    if output["method"] == "kpi":
        value = indicators[output["of"][0]]
        if value is None:
            raise ComponentError(f"the model has no value of the indicator {output['of'][0]}")
        return np.array(float(value))
    total = rows[:, [names.index(name) for name in output["of"]]].sum(axis=1)
    if output["method"] == "series":
        return np.array([total[part].mean() for part in parts(len(total), output["parts"])])
    return np.array(float(REDUCERS[output["method"]](total)))
