"""The kind ``step``: a whole test under a controller, as `trivium step`, with trajectories and indicators as files."""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Sequence
from typing import Annotated, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from trivium.control.commands import begin, blocks, span_of
from trivium.control.controller import ControllerName
from trivium.control.drive import controller, drive
from trivium.errors import InvalidValueError
from trivium.evaluation.forecast_error import LEVELS, SOLAR_LEVELS
from trivium.evaluation.scenario import PRICES, period_names, uncertain_points
from trivium.evaluation.testcase import TestCase
from trivium.jobs.checkpoint import Checkpoints
from trivium.jobs.kinds import Kind
from trivium.recorder import Outcome, Recorder, Scalar
from trivium.session.local import open_testcase
from trivium.settings import Settings
from trivium.simulation.export import check_path, write_table
from trivium.simulation.resources import Resources
from trivium.suggestions import near_or_all

_Time = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Parts(BaseModel):
    """Parts of a scenario, as ``PUT /scenario`` takes them; each may be left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    time_period: str | None = None
    electricity_price: Literal["constant", "dynamic", "highly_dynamic"] | None = None
    temperature_uncertainty: Literal["none", "low", "medium", "high"] | None = None
    solar_uncertainty: Literal["none", "low", "medium", "high"] | None = None
    seed: Annotated[int, Field(ge=0)] | None = None


class Spec(BaseModel):
    """When [s], or which time period and how much of it [d]; the scenario, the controller, the trajectories' format."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scenario: Parts = Parts()
    start_time: _Time = 0.0
    days: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    end_time: Annotated[_Time | None, Field(validate_default=True)] = None
    controller: ControllerName = "rules"
    format: Literal["csv", "parquet", "h5"] = "csv"

    @field_validator("days")
    @classmethod
    def _of_a_period(cls, days: float | None, info: ValidationInfo) -> float | None:
        if days is not None and "scenario" in info.data and info.data["scenario"].time_period is None:
            raise ValueError("days is how much of scenario.time_period is simulated, which is missing")
        return days

    @field_validator("end_time")
    @classmethod
    def _ends_once(cls, end: float | None, info: ValidationInfo) -> float | None:
        if not {"scenario", "start_time"} <= info.data.keys():
            return end  # they are refused themselves
        start = info.data["start_time"]
        if info.data["scenario"].time_period is not None:
            if start or end is not None:
                raise ValueError("start_time and end_time are those of scenario.time_period, and must be left out")
        elif end is None:
            raise ValueError("end_time is missing, or scenario.time_period in its place")
        elif not end > start:
            raise ValueError("end_time must be after start_time")
        return end


def run(spec: Spec, recorder: Recorder, settings: Settings) -> Outcome:
    """Drive the server's default test case from its initialization to the end.

    A test that was interrupted goes on where it was; see `trivium.jobs.checkpoint`.

    Raises
    ------
    TriviumError
        When something is wrong with the test, or a step fails.
    """
    table = recorder.folder / f"trajectories.{spec.format}"
    check_path(table)
    with contextlib.closing(open_testcase(settings.resources, settings.state_dir, settings.engine)) as case:
        checkpoints = Checkpoints(recorder.folder, case)
        start, end = _span(spec, case)
        point = checkpoints.load()
        if point is None:
            steps, by = 0, controller(spec.controller, case)
            recorder.progress(f"Initializing to {start:g} s", 0.0)
            begin(case, spec.scenario.model_dump(), start, end)
        else:
            steps, by = point
            sys.stdout.write(f"going on after step {steps}\n")
        total = math.floor((end - start) / case.step)
        made_under = {name: value for name, value in case.scenario.items() if isinstance(value, str | int)}
        recorder.progress(f"Initialized to {start:g} s", None, start=start, **made_under)

        def stepped(_: float) -> None:
            nonlocal steps
            steps += 1
            checkpoints.offer(steps, by)
            recorder.progress(f"Step {steps} of {total} completed", steps / total, steps=steps, time=case.time)

        drive(case, by, case.observation(), end, stepped, resumed=point is not None)
        recorder.progress("Writing the results")
        write_table(table, case.stepper.history.columns, blocks(case))
        values: dict[str, Scalar] = {**case.kpis()}
    indicators = recorder.folder / "kpi.json"
    indicators.write_bytes(orjson.dumps(values, option=orjson.OPT_INDENT_2))
    return Outcome({table.name: table, indicators.name: indicators}, values)


def _span(spec: Spec, case: TestCase) -> tuple[float, float]:
    """Return from when to when a test is driven [s]."""
    if spec.scenario.time_period is not None:
        return span_of(case, spec.scenario.time_period, spec.days)
    assert spec.end_time is not None  # noqa: S101, the validator's
    return spec.start_time, spec.end_time


def check(spec: Spec, settings: Settings) -> None:
    """Check that the server's default test case has what the scenario is made of.

    Raises
    ------
    InvalidValueError
    """
    resources = Resources.load(settings.resources)
    embedded = resources.case is not None
    temperatures, radiation = uncertain_points(resources.scenario, embedded=embedded)
    offered: dict[str, Sequence[str]] = {
        "time_period": period_names(resources.scenario),
        "electricity_price": tuple(PRICES) if embedded or resources.signals is not None else (),
        "temperature_uncertainty": tuple(LEVELS) if temperatures else (),
        "solar_uncertainty": tuple(SOLAR_LEVELS) if radiation else (),
    }
    for part, names in offered.items():
        value, field = getattr(spec.scenario, part), f"scenario.{part}"
        if value in (None, "none", *names):
            continue
        what = part.replace("_", " ")
        if not names:
            raise InvalidValueError(
                f"{field}: the test case {resources.name} has no {what} to choose; leave it out", field
            )
        raise InvalidValueError(f"{field}: there is no {what} {value}.{near_or_all(value, names)}", field)


KIND = Kind(
    "Simulate the default test case from a time to a time under a controller.",
    Spec,
    run,
    {"end_time": 864000, "controller": "rules"},
    check,
)
