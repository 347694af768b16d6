"""An FMU or a whole test case as a component: run over a horizon under a controller, and reduced to numbers.

An input sets a control input, which then has its value whatever the controller wants; a figure of the rule book (as
``rules.supply``); or a start value of the plant. With one dimension it is a series over equal parts of the horizon.

An output is a key performance indicator, or is made of the sum of some outputs of the plant: their mean, least,
greatest or last value over the horizon, or the series of their means over equal parts of it. As with the indicators, a
row of the history stands for the step that it ends.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from trivium.control.controller import Adjustable, Controller
from trivium.control.drive import controller
from trivium.coupling.component import Values
from trivium.errors import ComponentError
from trivium.model.contract import FloatArray
from trivium.session.local import open_testcase
from trivium.simulation.resources import Resources
from trivium.simulation.testcase import TestCase

#: What an output may be of the rows of a horizon, shape (n_steps,).
REDUCERS = {
    "mean": lambda rows: rows.mean(),
    "min": lambda rows: rows.min(),
    "max": lambda rows: rows.max(),
    "final": lambda rows: rows[-1],
}
_RULES = "rules."


@dataclass(frozen=True)
class _Inputs:
    """Inputs by what they do, each a series over the horizon's steps, shape (n_steps,)."""

    held: Mapping[str, FloatArray]
    figures: Mapping[str, FloatArray]
    starts: Mapping[str, float]


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
        When the options do not fit the plant, or a step fails.
    """
    with contextlib.closing(open_testcase(Path(options["resources"]), Path(options["state_dir"]))) as case:
        if options["step"] is not None:
            case.set_step(options["step"])
        start, end = float(options["start_time"]), float(options["end_time"])
        length = float(case.get_step().payload)
        steps = round((end - start) / length)
        if steps < 1 or abs(steps * length - (end - start)) > 1e-6 * length:
            raise ComponentError(f"the horizon from {start:g} to {end:g} s is no whole number of steps of {length:g} s")
        by = controller(options["controller"], case)
        inputs = _sorted_out(values, options["inputs"], case, by, steps)
        observed = case.initialize(start, end, None, dict(inputs.starts) or None).payload
        by.reset(observed, case.boundary())
        wanted = {name: each for name, each in options["outputs"].items() if each["method"] != "kpi"}
        names = list(dict.fromkeys(name for each in wanted.values() for name in each["of"]))
        rows = np.empty((steps, len(names)))
        for step in range(steps):
            by = _with_figures(by, {name: float(series[step]) for name, series in inputs.figures.items()})
            action = dict(by.action(observed, case.boundary()))
            action |= {name: float(series[step]) for name, series in inputs.held.items()}
            observed = case.advance(action).payload
            rows[step] = [_number(observed, name) for name in names]
        indicators = [each["of"][0] for each in options["outputs"].values() if each["method"] == "kpi"]
        found = case.get_kpis(indicators).payload if indicators else {}
    return {name: _reduced(each, names, rows, found) for name, each in options["outputs"].items()}


def blocks(count: int, parts: int) -> list[slice]:
    """Return equal parts of some steps.

    Raises
    ------
    ComponentError
        When they are no whole number of steps.
    """
    if parts < 1 or count % parts:
        raise ComponentError(f"{count} steps cannot be divided into {parts} equal parts")
    size = count // parts
    return [slice(i * size, (i + 1) * size) for i in range(parts)]


def fingerprint(resources: Path) -> str:
    """Return a hash of all files of a test case.

    Raises
    ------
    ResourcesError
        When one is missing.
    """
    files = Resources.load(resources)
    found = hashlib.sha256()
    bare = replace(files, plant_files={})
    values = {field.name: getattr(bare, field.name) for field in fields(bare)}
    for name, value in {**values, **files.plant_files}.items():
        content = (
            hashlib.sha256(value.read_bytes()).hexdigest() if isinstance(value, Path) and value.is_file() else value
        )
        found.update(f"{name} {content!r}\n".encode())
    return found.hexdigest()


def _sorted_out(values: Values, sets: Mapping[str, str], case: TestCase, by: Controller, steps: int) -> _Inputs:
    held: dict[str, FloatArray] = {}
    figures: dict[str, FloatArray] = {}
    starts: dict[str, float] = {}
    parameters = {variable.name for variable in case.stepper.model.parameters}
    for name, value in values.items():
        target = sets[name]
        if target.startswith(_RULES):
            figure = target.removeprefix(_RULES)
            known = getattr(by.rules, figure, None) if isinstance(by, Adjustable) else None
            if not isinstance(known, float):
                raise ComponentError(f"the input {name} sets {target}, which the controller does not have as a number")
            figures[figure] = _series(value, steps)
        elif target in case.actions.position:
            held[target] = _series(value, steps)
        elif target in parameters and value.size == 1:
            starts[target] = float(value.item())
        else:
            raise ComponentError(f"the input {name} sets {target}, which is no control input, figure or start value")
    return _Inputs(held, figures, starts)


def _series(value: FloatArray, steps: int) -> FloatArray:
    if value.ndim > 1:
        raise ComponentError("an input of a plant is a number or has one dimension, parts of the horizon")
    found = np.empty(steps)
    for part, number in zip(blocks(steps, value.size), value.flat, strict=True):
        found[part] = number
    return found


def _with_figures(by: Controller, figures: Mapping[str, float]) -> Controller:
    if not isinstance(by, Adjustable) or all(getattr(by.rules, n) == value for n, value in figures.items()):
        return by
    return by.revised(replace(by.rules, **figures))


def _number(observed: Mapping[str, Any], name: str) -> float:
    try:
        return float(observed[name])
    except (KeyError, TypeError, ValueError) as error:
        raise ComponentError(f"the plant does not answer a number for {name}") from error


def _reduced(
    each: Mapping[str, Any], names: Sequence[str], rows: FloatArray, indicators: Mapping[str, float | None]
) -> FloatArray:
    if each["method"] == "kpi":
        value = indicators[each["of"][0]]
        if value is None:
            raise ComponentError(f"the plant has no value of the indicator {each['of'][0]}")
        return np.array(float(value))
    whole = rows[:, [names.index(name) for name in each["of"]]].sum(axis=1)
    if each["method"] == "series":
        return np.array([whole[part].mean() for part in blocks(len(whole), each["parts"])])
    return np.array(float(REDUCERS[each["method"]](whole)))
