"""What the routes of AlphaDataCenterCooling and of BOPTEST answer: the values of a simulation, worded.

Clients of both compare these texts, so they are kept to the letter.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from trivium.errors import InvalidValueError, TriviumError, UnknownNameError
from trivium.model.linearization import Linearization
from trivium.model.variable import Variable
from trivium.numbers import shown
from trivium.protocol import Advanced, Clamped, Columns, Indicators, Initialized, Override, Steps
from trivium.session.proxy import SelfCheck
from trivium.simulation.inputs import ACTIVATE
from trivium.simulation.times import plain


class Reply(NamedTuple):
    """The answer of a route: HTTP status, message, payload."""

    status: int
    message: str
    payload: Any


def version(text: str) -> Reply:
    """Word ``GET /version``."""
    return Reply(200, "Queried the version number successfully.", {"version": text})


def name(text: str) -> Reply:
    """Word ``GET /name``."""
    return Reply(200, "Queried the name of the test case successfully.", {"name": text})


def inputs(variables: Mapping[str, Variable], *, boptest: bool = False) -> Reply:
    """Word ``GET /inputs``; in BOPTEST's answer the switch of an overwrite has neither unit nor bounds."""
    points = _points(variables)
    for name in points if boptest else ():
        if name.endswith(ACTIVATE) and f"{name.removesuffix(ACTIVATE)}_u" in points:
            points[name] = {**points[name], "Unit": None, "Minimum": None, "Maximum": None}
    return Reply(200, "Queried the inputs successfully.", points)


def measurements(variables: Mapping[str, Variable]) -> Reply:
    """Word ``GET /measurements``."""
    message = "Queried the measurements successfully."
    if variables and all(variable.causality == "local" for variable in variables.values()):
        message += " The FMU has no outputs; these are its local variables."
    return Reply(200, message, _points(variables))


def fmu(about: Mapping[str, Any]) -> Reply:
    """Word ``GET /fmu``."""
    return Reply(200, "Queried the FMU successfully.", dict(about))


def variables(points: Mapping[str, Variable]) -> Reply:
    """Word ``GET /variables``."""
    payload = {name: {**_point(variable), "Causality": variable.causality} for name, variable in points.items()}
    return Reply(200, "Queried the variables successfully.", payload)


def parameters(variables: Mapping[str, Variable]) -> Reply:
    """Word ``GET /parameters``."""
    points = {
        name: {**_point(variable), "Start": variable.text if variable.kind == "text" else variable.start,
               "Type": variable.kind, "Tunable": variable.tunable}
        for name, variable in variables.items()
    }  # fmt: skip
    return Reply(200, "Queried the parameters successfully.", points)


def forecast_points(variables: Mapping[str, Variable]) -> Reply:
    """Word ``GET /forecast_points``: as in BOPTEST without bounds, but for data that has some."""
    points = {
        name: {key: value for key, value in point.items() if key in ("Unit", "Description") or value is not None}
        for name, point in _points(variables).items()
    }
    return Reply(200, "Queried the forecast points and their meta-data successfully.", points)


def kpi_points(variables: Mapping[str, Variable]) -> Reply:
    """Word ``GET /kpi_points``."""
    points = {name: {"Unit": each.unit, "Description": each.description} for name, each in variables.items()}
    return Reply(200, "Queried the KPI points and their meta-data successfully.", points)


def step(seconds: float) -> Reply:
    """Word ``GET /step``."""
    return Reply(200, "Queried the control step successfully.", plain(seconds))


def step_set(seconds: float) -> Reply:
    """Word ``PUT /step``."""
    return Reply(200, "Control step set successfully.", {"step": plain(seconds)})


def initialized(observation: Initialized, *, boptest: bool = False) -> Reply:
    """Word ``PUT /initialize``: that of BOPTEST, or of the reference; both with the warm-up that was simulated."""
    start = observation.time
    if boptest:
        simulated = observation.warmup
        message = f"Test simulation initialized successfully to {start}s with warmup period of {simulated}s."
        return Reply(200, message, {"time": start, **observation})
    message = f"Simulation initialized successfully to {start if start else 0}s"
    if observation.warmup:
        message += f" with warmup period of {plain(observation.warmup)}s"
    return Reply(200, f"{message}.", dict(observation))


def advanced(observation: Advanced, *, boptest: bool) -> Reply:
    """Word ``POST /advance``; BOPTEST's answer has the time, and nothing but warnings where inputs were clamped."""
    if not observation:
        return Reply(200, "End of test case scenario time period reached.", {})
    warnings = "".join(map(_warning, reversed(observation.clamped)))
    message = f"Advanced simulation successfully from {observation.start}s to {observation.time}s."
    if warnings:
        message = warnings if boptest else f"{message} {warnings}"
    return Reply(200, message, {"time": observation.time, **observation} if boptest else observation)


def steps(done: Steps) -> Reply:
    """Word ``POST /steps``."""
    message = f"Advanced simulation successfully from {done.start}s to {done.time}s in {done.steps} steps."
    failed = None
    if done.error is not None:
        number = done.steps + 1
        failed = {"step": number, "status": done.error.status, "message": sentence(done.error)}
        message = f"Advanced simulation from {done.start}s to {done.time}s; step {number} of {done.requested} failed."
    return Reply(200, message, {"steps": done.steps, "error": failed, "columns": dict(done.columns)})


def linearized(linear: Linearization) -> Reply:
    """Word ``GET /linearize``."""
    groups = {
        group: {name: {"Unit": each.unit, "Description": each.description} for name, each in variables.items()}
        for group, variables in linear.groups.items()
    }
    head = {name: getattr(linear, name) for name in ("kind", "method", "time", "step", "misfit")}
    arrays = {name: np.ascontiguousarray(array) for name, array in linear.arrays.items()}
    return Reply(200, f"Linearized the simulation successfully at {linear.time}s.", {**head, **groups, **arrays})


def results(point_names: Iterable[str], columns: Columns) -> Reply:
    """Word ``PUT /results``."""
    return Reply(200, f"Queried results data successfully for point names {list(point_names)}.", columns)


def forecast(columns: Columns, horizon: float, interval: float) -> Reply:
    """Word ``PUT /forecast``, and report data that ends before the horizon [s]; the interval [s] is between values."""
    time, message = columns["time"], "Queried the forecast data successfully."
    if not len(time):
        message += " WARNING: the data has ended."
    elif time[-1] + interval < time[0] + horizon * (1.0 + 1e-9):
        message += f" WARNING: the data ends before the horizon of {horizon}s; the last value is that of {time[-1]}s."
    return Reply(200, message, columns)


def kpis(values: Indicators) -> Reply:
    """Word ``GET /kpi``; the message says which indicators cannot be had, and why."""
    message = "Queried KPIs successfully."
    if values.reasons:
        message += f" Null: {'; '.join(f'{name}, {reason}' for name, reason in values.reasons.items())}."
    return Reply(200, message, dict(values))


def scenario(parts: Mapping[str, Any]) -> Reply:
    """Word ``GET /scenario``."""
    return Reply(200, "Queried current test case for scenario successfully.", dict(parts))


def scenario_set(parts: Mapping[str, Any]) -> Reply:
    """Word ``PUT /scenario``."""
    start = parts.get("time_period")
    if start is not None:
        parts = {**parts, "time_period": {"time": start.time, **start}}
    return Reply(200, "Test case scenario was set successfully.", dict(parts))


def overrides(entries: Mapping[str, Override], *, changed: bool = False) -> Reply:
    """Word ``/overrides``: all inputs that are set by hand."""
    names = f"by hand: {', '.join(entries)}" if entries else "by hand: none"
    message = f"Set the inputs successfully; {names}." if changed else f"Queried the inputs set {names}."
    return Reply(200, message, {name: entry._asdict() for name, entry in entries.items()})


def restored(time: float) -> Reply:
    """Word ``PUT /restore``."""
    return Reply(200, f"Restored the session to {time}s.", {"time": time})


def acknowledged(time: float) -> Reply:
    """Word ``PUT /acknowledge``."""
    return Reply(200, f"The session goes on at {time}s.", {"time": time})


def health(check: SelfCheck) -> Reply:
    """Word ``GET /health``."""
    return Reply(200, "Stepped the plant successfully.", check._asdict())


def sentence(error: TriviumError, *, boptest: bool = False) -> str:
    """Return the message of an error, as the reference has it, or as BOPTEST."""
    if not isinstance(error, UnknownNameError):
        return str(error)
    if error.noun == "input":
        text = f"Unexpected input variable: {shown(error.name)}.{error.near}"
    elif error.noun == "start value":
        text = f"Unexpected name {shown(error.name)} in parameter start_values. Check the list of parameters."
    elif error.noun == "result":
        space = "  " if boptest else " "
        text = (
            f"Invalid point name {error.name} in parameter point_names.{space}"
            f"Check lists of available inputs and measurements.{error.near}"
        )
    else:
        names = ", ".join(error.known)
        text = f"Invalid value {shown(error.name)} for parameter names. Value must be one of {names}."
    return f"{error.place}{text}"


@contextlib.contextmanager
def final_time() -> Iterator[None]:
    """Name the end of a simulation in the errors of a block as BOPTEST's clients send it."""
    try:
        yield
    except InvalidValueError as error:
        if error.field == "end_time":
            error.field, error.args = "final_time", (str(error).replace("end_time", "final_time"),)
        raise


@contextlib.contextmanager
def worded() -> Iterator[None]:
    """Word the errors of a block as the reference does."""
    try:
        yield
    except UnknownNameError as error:
        error.args = (sentence(error),)
        raise


def _warning(clamped: Clamped) -> str:
    if clamped.between:
        return (
            f"WARNING: value of {clamped.value} for {clamped.name} is between two positions.  Using {clamped.bound}. ;"
        )
    bound = "above maximum" if clamped.value > clamped.bound else "below minimum"
    return (
        f"WARNING: value of {clamped.value} for {clamped.name} is {bound} of {clamped.bound}.  Using {clamped.bound}. ;"
    )


def _points(variables: Mapping[str, Variable]) -> dict[str, Any]:
    return {name: _point(variable) for name, variable in variables.items()}


def _point(variable: Variable) -> dict[str, Any]:
    point = {
        "Unit": variable.unit,
        "Description": variable.description,
        "Minimum": variable.minimum,
        "Maximum": variable.maximum,
    }
    return {**point, "Items": dict(variable.items)} if variable.items else point
