"""From a study to its plan and its job: all that can be wrong is found here, before anything runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from trivium.errors import InvalidValueError
from trivium.study.fmu import Fmu, Scalar, check_values, in_order, open_fmu
from trivium.study.inputs import check_inputs
from trivium.study.job import Job, hash_file
from trivium.study.modelica import compile_model
from trivium.study.plan import Plan, make_plan
from trivium.study.slave import Experiment
from trivium.study.spec import Study, raise_all
from trivium.study.values import Values
from trivium.suggestions import did_you_mean

_T = TypeVar("_T")


def prepare(study: Study, folder: Path, cache: Path) -> tuple[Plan, Job]:
    """Check a study against its FMU.

    Parameters
    ----------
    study : Study
    folder : Path
        What files of values are relative to.
    cache : Path
        Where FMUs are compiled and unpacked.

    Returns
    -------
    Plan, Job
        The job's strategy is not decided yet.

    Raises
    ------
    InvalidValueError
        Naming every field that does not fit the FMU.
    ResourcesError
        When the FMU or Modelica package cannot be used.
    """
    path = study.package
    if path.suffix == ".mo":
        path = compile_model(path, study.simulation.model_name, cache)
    if path.is_dir():
        return _prepare_case(study, path, folder, cache)
    fmu = open_fmu(path, cache)
    wrong: list[InvalidValueError] = []
    values = _collected(wrong, lambda: study.values(folder)) or {}
    for name, given in values.items():
        _collected(wrong, partial(_check_parameter, fmu, name, given))
    for name, value in study.simulation.start_values.items():
        field = f"simulation.start_values.{name}"
        _collected(wrong, partial(_check_start, fmu, name, value))
        if name in values:
            wrong.append(InvalidValueError(f"{field}: is one of simulation_parameters too", field))
    kept: list[Scalar] = []
    if study.output.trajectories:
        kept = _collected(wrong, lambda: fmu.matching(study.simulation.variable_filter)) or []
    for name, metric in study.metrics.items():
        if metric.method == "kpi":
            field = f"metrics.{name}.method"
            wrong.append(InvalidValueError(f"{field}: kpi is for test cases; {path.name} is an FMU alone", field))
        elif metric.variable not in fmu.scalars:
            field, near = f"metrics.{name}.variable", did_you_mean(metric.variable, fmu.scalars)
            wrong.append(InvalidValueError(f"{field}: {path.name} has no variable {metric.variable}.{near}", field))
    if not kept and not study.metrics:
        wrong.append(InvalidValueError("output.trajectories: without them there must be metrics", "output"))
    _collected(wrong, lambda: check_inputs(study.simulation, fmu))
    plan = _collected(wrong, lambda: make_plan(values, study.sampling)) if not wrong else None
    raise_all(wrong)
    assert plan is not None  # noqa: S101 - else something was wrong
    measured = [fmu.scalars[metric.variable] for metric in study.metrics.values()]
    variables = [scalar.name for scalar in in_order({one.name: one for one in [*kept, *measured]}.values())]
    return plan, _job(study, path, hash_file(path), plan, variables, [scalar.name for scalar in kept], cache)


def _prepare_case(study: Study, path: Path, folder: Path, cache: Path) -> tuple[Plan, Job]:
    """Do the same with a test case, a folder."""
    from trivium.study.case import CaseVariables, hash_case  # FMUs alone need none of it

    case = CaseVariables(path, cache, study.simulation)
    wrong = case.check_metrics(study)
    values = _collected(wrong, lambda: study.values(folder)) or {}
    for name, given in values.items():
        _collected(wrong, partial(case.check, name, given, f"simulation_parameters.{name}"))
    for name, value in study.simulation.start_values.items():
        given = Values(np.array([value]))
        _collected(wrong, partial(case.check, name, given, f"simulation.start_values.{name}"))
    kept: list[str] = []
    if study.output.trajectories:
        kept = _collected(wrong, lambda: case.matching(study.simulation.variable_filter)) or []
    plan = _collected(wrong, lambda: make_plan(values, study.sampling)) if not wrong else None
    raise_all(wrong)
    assert plan is not None  # noqa: S101 - else something was wrong
    measured = [metric.variable for metric in study.metrics.values() if metric.method != "kpi"]
    variables = list(dict.fromkeys([*kept, *measured]))
    job = _job(study, path, hash_case(path), plan, variables, kept, cache)
    return plan, replace(job, controller=study.simulation.controller)


def _job(study: Study, path: Path, content: str, plan: Plan, variables: list[str], kept: list[str], cache: Path) -> Job:
    simulation, output = study.simulation, study.output
    return Job(
        fmu=str(path),
        cache=str(cache),
        fmu_hash=content,
        inputs_hash=hash_file(simulation.inputs),
        parameters=plan.names,
        start_values=tuple(sorted(simulation.start_values.items())),
        variables=tuple(variables),
        kept=tuple(kept),
        experiment=Experiment(simulation.start_time, simulation.step_size, simulation.steps, simulation.tolerance),
        inputs=str(simulation.inputs or ""),
        interpolate=simulation.interpolate_inputs,
        metrics=tuple(study.metrics.items()),
        dtype="int32" if output.absolute_error else output.dtype,
        quantum=2.0 * output.absolute_error if output.absolute_error else 0.0,
        time_limit=simulation.time_limit,
    )


def _check_parameter(fmu: Fmu, name: str, given: Values) -> None:
    field = f"simulation_parameters.{name}"
    scalar = fmu.settable(name, field)
    listed = given.listed if given.listed is not None else [given.low, given.high]
    check_values(scalar, [float(value) for value in listed], field)


def _check_start(fmu: Fmu, name: str, value: float) -> None:
    field = f"simulation.start_values.{name}"
    check_values(fmu.settable(name, field), [value], field)


def _collected(wrong: list[InvalidValueError], check: Callable[[], _T]) -> _T | None:
    """Return what a check returns, or keep what it finds wrong."""
    try:
        return check()
    except InvalidValueError as error:
        wrong.append(error)
        return None
