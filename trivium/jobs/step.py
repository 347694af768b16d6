"""The kind ``step``: a whole test under a controller, as `trivium step`, with trajectories and indicators as files."""

from __future__ import annotations

import contextlib
import math
import sys
from typing import Annotated, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, model_validator

from trivium.control.commands import blocks
from trivium.control.controller import ControllerName
from trivium.control.drive import controller, drive
from trivium.jobs.checkpoint import Checkpoints
from trivium.jobs.kinds import Kind
from trivium.recorder import Outcome, Recorder, Scalar
from trivium.session.local import open_testcase
from trivium.settings import Settings
from trivium.simulation.export import check_path, write_table
from trivium.simulation.times import check_span

_Time = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Spec(BaseModel):
    """From when to when [s], under which controller, and the format of the trajectories."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    start_time: _Time = 0.0
    end_time: _Time
    controller: ControllerName = "rules"
    format: Literal["csv", "parquet", "h5"] = "csv"

    @model_validator(mode="after")
    def _has_an_end(self) -> Spec:
        if not self.end_time > self.start_time:
            raise ValueError("end_time must be after start_time")
        return self


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
        point = checkpoints.load()
        if point is None:
            check_span(spec.start_time, spec.end_time, case.interval)
            steps, by = 0, controller(spec.controller, case)
            recorder.progress(f"Initializing to {spec.start_time:g} s", 0.0)
            case.initialize(spec.start_time, spec.end_time)
        else:
            steps, by = point
            sys.stdout.write(f"going on after step {steps}\n")
        total = math.floor((spec.end_time - spec.start_time) / case.step)

        def stepped(_: float) -> None:
            nonlocal steps
            steps += 1
            checkpoints.offer(steps, by)
            recorder.progress(f"Step {steps} of {total} completed", steps / total, steps=steps, time=case.time)

        drive(case, by, case.observation(), spec.end_time, stepped, resumed=point is not None)
        recorder.progress("Writing the results")
        write_table(table, case.stepper.history.columns, blocks(case))
        values: dict[str, Scalar] = {**case.kpis()}
    indicators = recorder.folder / "kpi.json"
    indicators.write_bytes(orjson.dumps(values, option=orjson.OPT_INDENT_2))
    return Outcome({table.name: table, indicators.name: indicators}, values)


KIND = Kind(
    "Simulate the default test case from a time to a time under a controller.",
    Spec,
    run,
    {"end_time": 864000, "controller": "rules"},
)
