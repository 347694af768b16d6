"""A sweep of a whole test case: the plant with its boundary data and surrogates, under a controller.

A parameter is a control input, which then has this value in all steps whatever the controller wants, or a start value
of the plant. Metrics are key performance indicators, or what is said of trajectories, whose points are control steps.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from trivium.control.drive import controller
from trivium.errors import InvalidValueError, ModelError
from trivium.model.contract import FloatArray
from trivium.model.variable import Variable
from trivium.session.local import open_testcase
from trivium.simulation.resources import Resources
from trivium.simulation.start import parse_start_values
from trivium.simulation.testcase import TestCase
from trivium.study.job import Job, Results, hash_file
from trivium.study.reduction import Reduction
from trivium.study.spec import Simulation, Study
from trivium.study.values import Values


class CaseRunner:
    """A job's test case in this process.

    Parameters
    ----------
    job : Job
    """

    def __init__(self, job: Job) -> None:
        self._job, self._reduction = job, Reduction(job)
        self._case = open_testcase(Path(job.fmu), Path(job.cache))
        self._case.set_step(job.experiment.step)
        self._indicators = [metric.variable for _, metric in job.metrics if metric.method == "kpi"]

    def run(self, row: FloatArray, results: Results, place: int) -> None:
        """Simulate one run into its place.

        Raises
        ------
        TriviumError
            When it fails; its place is as it was.
        """
        job, case, out = self._job, self._case, self._reduction.out
        chosen = {**dict(job.start_values), **job.named(row)}
        held = {name: value for name, value in chosen.items() if name in case.actions.position}
        starts = {name: value for name, value in chosen.items() if name not in held}
        by = controller(job.controller, case)
        times = job.times
        observed = case.initialize(float(times[0]), float(times[-1]), None, starts or None).payload
        by.reset(observed, case.boundary())
        out[0] = _numbers(observed, job)
        for step in range(job.experiment.count):
            action = {**by.action(observed, case.boundary()), **held}
            observed = case.advance(action).payload
            out[step + 1] = _numbers(observed, job)
        found = case.get_kpis(self._indicators).payload if self._indicators else {}
        self._reduction.take(results, place, found)

    def close(self) -> None:
        """Free the plant."""
        self._case.close()


class CaseVariables:
    """What a test case has that a study may name.

    Parameters
    ----------
    folder : Path
        Of the test case.
    cache : Path
        For unpacked FMUs.
    simulation : Simulation

    Raises
    ------
    TriviumError
        When the test case cannot be opened, its step or controller does not fit.
    """

    def __init__(self, folder: Path, cache: Path, simulation: Simulation) -> None:
        self._folder = folder
        with contextlib.closing(open_testcase(folder, cache)) as case:
            _checked_times(case, Resources.load(folder), simulation)
            controller(simulation.controller, case)
            self._controls = {variable.name: variable for variable in case.actions.variables}
            self._parameters: Mapping[str, Variable] = {v.name: v for v in case.stepper.model.parameters}
            self._outputs = list(case.get_measurements().payload)
            self._indicators = set(case.evaluation.about)

    def matching(self, expression: str) -> list[str]:
        """Return the outputs whose whole names match.

        Raises
        ------
        InvalidValueError
            When none matches.
        """
        found = [name for name in self._outputs if re.fullmatch(expression, name)]
        if not found:
            field = "simulation.variableFilter"
            raise InvalidValueError(f"{field}: {expression!r} matches no output of {self._folder.name}", field)
        return found

    def check(self, name: str, given: Values, field: str) -> None:
        """Refuse what is neither a control input nor a start value, or cannot have these values.

        Raises
        ------
        InvalidValueError
            Naming the field.
        """
        table = self._controls if name in self._controls else self._parameters
        listed = given.listed if given.listed is not None else [given.low, given.high]
        try:
            for value in listed:
                parse_start_values({name: float(value)}, table)
        except InvalidValueError as error:
            raise InvalidValueError(f"{field}: {error}", field) from error

    def check_metrics(self, study: Study) -> list[InvalidValueError]:
        """Return what metrics name that is not there."""
        wrong = []
        for name, metric in study.metrics.items():
            there = self._indicators if metric.method == "kpi" else set(self._outputs)
            if metric.variable not in there:
                field = f"metrics.{name}.variable"
                what = "key performance indicator" if metric.method == "kpi" else "output"
                wrong.append(InvalidValueError(f"{field}: {self._folder.name} has no {what} {metric.variable}", field))
        return wrong


def hash_case(folder: Path) -> str:
    """Return a hash of all that a test case consists of."""
    files = Resources.load(folder)
    found = hashlib.sha256()
    for field in fields(files):
        value = getattr(files, field.name)
        found.update(f"{field.name} {hash_file(value) if isinstance(value, Path) else value!r}".encode())
    return found.hexdigest()


def _checked_times(case: TestCase, files: Resources, simulation: Simulation) -> None:
    try:
        case.set_step(simulation.step_size)
    except InvalidValueError as error:
        raise InvalidValueError(f"simulation.step_size: {error}", "simulation.step_size") from error
    if files.end_time is not None and simulation.stop_time > files.end_time:
        field = "simulation.stop_time"
        raise InvalidValueError(f"{field}: the test case ends at {files.end_time:g}", field)
    if simulation.inputs is not None:
        field = "simulation.inputs"
        raise InvalidValueError(f"{field}: a test case has its own boundary data", field)


def _numbers(observed: Mapping[str, Any], job: Job) -> list[float]:
    try:
        return [float(observed[name]) for name in job.variables]
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"the test case does not answer a number for {error}") from error
