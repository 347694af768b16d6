"""From a study to its plan and its job: all that can be wrong is found here, before anything runs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from trivium.errors import InvalidValueError
from trivium.experiment.conditions import Conditions, hash_file
from trivium.experiment.contract import Experiment
from trivium.experiment.horizon import Horizon
from trivium.experiment.recipe import Document, build, describe, simulate
from trivium.experiment.simulation import Simulation
from trivium.model.variable import Variable
from trivium.study import spec
from trivium.study.expression import Expression
from trivium.study.job import Job
from trivium.study.metrics import is_time
from trivium.study.modelica import compile_model
from trivium.study.plan import Plan, make_plan
from trivium.study.search.check import check_goals
from trivium.study.search.rows import Rows
from trivium.study.spec import Metric, Study, load_description, raise_all
from trivium.study.values import Values
from trivium.suggestions import did_you_mean

_T = TypeVar("_T")
#: Most bytes that the trajectories of a run may take while it is simulated.
_MOST_BYTES = 2**31


def prepare(study: Study, folder: Path, cache: Path) -> tuple[Plan, Job]:
    """Check a study against its experiment.

    Parameters
    ----------
    study : Study
    folder : Path
        What files are relative to.
    cache : Path
        Where FMUs are compiled and unpacked.

    Returns
    -------
    Plan, Job
        How instances of an FMU are reused is not decided yet.

    Raises
    ------
    InvalidValueError
        Naming every field that does not fit the experiment.
    ResourcesError
        When the model cannot be used.
    """
    if study.simulation is not None:
        return _prepare_simulation(study, study.simulation, folder, cache)
    return _prepare_function(study, folder, cache)


def _prepare_simulation(study: Study, simulation: spec.Simulation, folder: Path, cache: Path) -> tuple[Plan, Job]:
    path = study.package
    if path.suffix == ".mo":
        path = compile_model(path, simulation.model_name, cache)
    with contextlib.closing(simulate(_conditions(path, simulation, cache))) as experiment:
        wrong: list[InvalidValueError] = []
        named = {variable.name for variable in experiment.inputs if _by_name(variable, study.simulation_parameters)}
        texts = named | {variable.name for variable in experiment.inputs if variable.kind == "text"}
        values = _collected(wrong, lambda: study.values(folder, texts)) or {}
        fields = {name: f"simulation_parameters.{name}" for name in values}
        fields |= dict.fromkeys(study.searched, "find.parameter")
        for name, each in (values | study.searched).items():
            listed = each.texts or _extremes(each)
            _collected(wrong, partial(experiment.check_values, name, listed, fields[name]))
        for name, value in simulation.start_values.items():
            field = f"simulation.start_values.{name}"
            _collected(wrong, partial(experiment.check_values, name, [value], field))
            if name in fields:
                wrong.append(InvalidValueError(f"{field}: is one of simulation_parameters too", field))
        names: list[str] = []
        if study.output.trajectories:
            field = "simulation.variableFilter"
            names = _collected(wrong, lambda: experiment.matching(simulation.variable_filter, field)) or []
        for name, metric in study.metrics.items():
            _collected(wrong, partial(_check_metric, experiment, name, metric))
        measured = _collected(wrong, lambda: _measured(study, experiment)) or []
        _collected(wrong, partial(_check_size, simulation.steps + 1, {*names, *measured}))
        if not study.output.trajectories and not study.metrics:
            wrong.append(InvalidValueError("output.trajectories: without them there must be metrics", "output"))
        _collected(wrong, partial(experiment.check_conditions, "simulation.inputs"))
        _collected(wrong, partial(check_goals, study, values, study.metrics, experiment.inputs))
        plan = _planned(wrong, study, values)
        indicators = [metric.variable for metric in study.metrics.values() if metric.method == "kpi"]
        recipe = replace(
            experiment.conditions,
            content=experiment.content(),
            native=experiment.can_be_native and named.issuperset(plan.texts),
            strategy="isolated" if experiment.isolated else "fresh",
            variables=tuple(dict.fromkeys([*names, *measured])),
            indicators=tuple(dict.fromkeys(indicators)),
        )
        units = _units(study, experiment, names)
    output = study.output
    job = Job(
        recipe,
        (*plan.names, *study.searched),
        tuple(names),
        tuple(study.metrics.items()),
        dtype="int32" if output.absolute_error else output.dtype,
        quantum=2.0 * output.absolute_error if output.absolute_error else 0.0,
        time_limit=simulation.time_limit,
        texts=tuple(plan.texts.items()),
        units=tuple(units.items()),
    )
    return plan, job


def _units(study: Study, experiment: Simulation, recorded: Collection[str]) -> dict[str, str]:
    """Return the units of parameters, metrics and trajectories, where they have one."""
    units = {variable.name: variable.unit for variable in experiment.inputs}
    units |= {name: experiment.recordable[name].unit for name in recorded}
    for name, metric in study.metrics.items():
        if metric.method == "kpi":
            units[name] = experiment.indicators[metric.variable]
        elif is_time(metric.method):
            units[name] = "s"
        elif metric.method != "expression":
            units[name] = experiment.recordable[metric.variable].unit
    used = {*study.simulation_parameters, *study.searched, *recorded, *study.metrics}
    return {name: unit for name, unit in units.items() if name in used and unit not in ("", "1")}


def _measured(study: Study, experiment: Simulation) -> list[str]:
    """Return the variables that metrics are computed from."""
    measured: list[str] = []
    for name, metric in study.metrics.items():
        if metric.expression is not None:
            field = f"metrics.{name}.expression"
            measured += Expression(metric.expression).variables(experiment.recordable, field, did_you_mean)
        elif metric.method != "kpi":
            measured.append(metric.variable)
    return measured


def _check_size(points: int, variables: Collection[str]) -> None:
    """Refuse trajectories of a run that no memory holds, before any is made."""
    size = 8 * points * len(variables)
    if size > _MOST_BYTES:
        field = "simulation.step_size"
        raise InvalidValueError(
            f"{field}: the trajectories of a run take {size / 1e9:.1f} GB, {points} outputs of {len(variables)} "
            f"variables; there may be {_MOST_BYTES / 1e9:.1f} GB: choose a larger step_size, or fewer variables by "
            "variableFilter",
            field,
        )


def _conditions(path: Path, simulation: spec.Simulation, cache: Path) -> Conditions:
    horizon = Horizon(
        simulation.start_time, simulation.step_size, simulation.steps, simulation.tolerance, simulation.divisions
    )
    inputs = simulation.inputs if simulation.inputs is not None and simulation.inputs.is_file() else None
    return Conditions(
        str(path),
        str(cache),
        "",
        horizon,
        start_values=tuple(sorted(simulation.start_values.items())),
        inputs=str(simulation.inputs or ""),
        inputs_hash=hash_file(inputs),
        interpolate=simulation.interpolate_inputs,
        controller=simulation.controller,
    )


def _by_name(variable: Variable, parameters: Mapping[str, Any]) -> bool:
    """Return whether values of an enumeration are names of its items, which are kept as they are."""
    values = parameters.get(variable.name)
    listed = values if isinstance(values, list) else [values]
    return any(isinstance(value, str) and value in variable.items for value in listed)


def _check_metric(experiment: Simulation, name: str, metric: Metric) -> None:
    field = f"metrics.{name}.variable"
    if metric.method == "output":
        field = f"metrics.{name}.method"
        raise InvalidValueError(f"{field}: output is for experiments that are no simulations", field)
    if metric.method == "expression":
        return  # its variables are found by `_measured`
    if metric.method == "kpi":
        if not experiment.indicators:
            field = f"metrics.{name}.method"
            raise InvalidValueError(f"{field}: kpi is for test cases; {experiment.name} is an FMU alone", field)
        if metric.variable not in experiment.indicators:
            near = did_you_mean(metric.variable, experiment.indicators)
            reason = f"{experiment.name} has no key performance indicator {metric.variable}.{near}"
            raise InvalidValueError(f"{field}: {reason}", field)
    elif metric.variable in experiment.texts:
        raise InvalidValueError(f"{field}: {metric.variable} is a text, and metrics are of numbers", field)
    elif metric.variable not in experiment.recordable:
        near = did_you_mean(metric.variable, experiment.recordable)
        reason = f"{experiment.name} has no {experiment.recordable_noun} {metric.variable}.{near}"
        raise InvalidValueError(f"{field}: {reason}", field)


def _prepare_function(study: Study, folder: Path, cache: Path) -> tuple[Plan, Job]:
    """Do the same with an experiment that is no simulation: its outputs are the metrics."""
    assert study.experiment is not None  # noqa: S101 - the validator's
    description, place = study.experiment, folder
    if isinstance(description, Path):
        file = folder / description
        description, place = load_description(file), file.parent
    recipe = Document(describe(description), str(place), str(cache))
    experiment = build(recipe)
    experiment.check()
    wrong: list[InvalidValueError] = []
    values = _collected(wrong, lambda: study.values(folder)) or {}
    for name, each in values.items():
        _collected(wrong, partial(_check_input, experiment, name, each, f"simulation_parameters.{name}"))
    for name, each in study.searched.items():
        _collected(wrong, partial(_check_input, experiment, name, each, "find.parameter"))
    for variable in experiment.inputs:
        if variable.name not in values | study.searched and variable.name not in experiment.defaults:
            field = f"simulation_parameters.{variable.name}"
            reason = f"{field}: is missing; the experiment has no value of its own for this input"
            wrong.append(InvalidValueError(reason, field))
    names = experiment.elements()
    metrics = study.metrics or {name: Metric(variable=name, method="output") for name in names}
    for name, metric in metrics.items():
        if metric.method != "output":
            field = f"metrics.{name}.method"
            wrong.append(InvalidValueError(f"{field}: must be output, for an experiment that is no simulation", field))
        elif metric.variable not in names:
            field, near = f"metrics.{name}.variable", did_you_mean(metric.variable, names)
            wrong.append(InvalidValueError(f"{field}: the experiment has no output {metric.variable}.{near}", field))
    _collected(wrong, partial(check_goals, study, values, metrics, experiment.inputs))
    plan = _planned(wrong, study, values)
    recipe = replace(recipe, fingerprint=experiment.fingerprint, deterministic=experiment.deterministic)
    declared = {variable.name: variable.unit for variable in (*experiment.outputs, *experiment.inputs)}
    units = {name: declared.get(metric.variable.partition("[")[0], "") for name, metric in metrics.items()}
    units = {name: unit for name, unit in (declared | units).items() if unit not in ("", "1")}
    parameters = (*plan.names, *study.searched)
    return plan, Job(
        recipe,
        parameters,
        metrics=tuple(metrics.items()),
        time_limit=experiment.timeout,
        units=tuple(units.items()),
    )


def _check_input(experiment: Experiment, name: str, values: Values, field: str) -> None:
    try:
        variable, _ = experiment.input_named(name)
    except ValueError as error:
        raise InvalidValueError(f"{field}: the experiment {error}", field) from error
    try:
        for value in _extremes(values):
            variable.check(value)
    except ValueError as error:
        raise InvalidValueError(f"{field}: {error}", field) from error


def _extremes(values: Values) -> list[float]:
    listed = np.array([values.low, values.high]) if values.listed is None else values.listed
    return [float(value) for value in listed]


def _planned(wrong: list[InvalidValueError], study: Study, values: dict[str, Values]) -> Plan:
    """Return the plan of a study where nothing is wrong.

    Raises
    ------
    InvalidValueError
        Naming all that is wrong.
    """
    plan = _collected(wrong, lambda: _plan(study, values)) if not wrong else None
    raise_all(wrong)
    assert plan is not None  # noqa: S101 - else something was wrong
    return plan


def _plan(study: Study, values: dict[str, Values]) -> Plan:
    return make_plan(values, study.sampling) if not study.chooses else Rows(values)


def _collected(wrong: list[InvalidValueError], check: Callable[[], _T]) -> _T | None:
    """Return what a check returns, or collect what it finds wrong."""
    try:
        return check()
    except InvalidValueError as error:
        wrong.append(error)
        return None
