"""A run of a study as a session: the same test case, times, parameters and controller, to go on from by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from trivium import locations
from trivium.dashboard.context import Context
from trivium.dashboard.studies import Study
from trivium.errors import InvalidValueError, TriviumError
from trivium.jobs.record import Job

#: What the names of figures of a controller begin with.
_FIGURE = "rules."


def open_run(context: Context, job: Job, study: Study, run: int) -> str:
    """Make a session that does the steps of a run in the background; return its test id.

    Control inputs that the study varied are set by hand there, so that they win over the controller as they did in the
    run.

    Raises
    ------
    InvalidValueError
        When the study is of no test case of the server, or varies figures of the controller, which sessions do not set.
    TriviumError
        When the session cannot be made, or refuses the parameters.
    """
    simulation: dict[str, Any] = dict(job.spec.get("simulation") or {})
    case = _testcase(context, job)
    place = int(np.searchsorted(study.runs, run))
    if place >= study.runs.size or study.runs[place] != run:
        raise InvalidValueError(f"Run {run} is not among those that are done.", "run")
    values = {**simulation.get("start_values", {}), **{name: study.value(name, place) for name in study.parameters}}
    if figures := [name for name in values if name.startswith(_FIGURE)]:
        raise InvalidValueError(
            f"The study varies {figures[0]}, a figure of the controller; sessions have its own.", "run"
        )
    testid = context.sessions.select(case)
    try:
        session = context.sessions.session(testid)
        by_hand = {name: value for name, value in values.items() if name in session.inputs}
        starts = {name: value for name, value in values.items() if name not in by_hand}
        start, stop, step = (float(simulation[name]) for name in ("start_time", "stop_time", "step_size"))
        session.set_step(step)
        session.initialize(start, start_values=starts or None)
        if by_hand:
            session.override(by_hand)
        steps = round((stop - start) / step)
        context.runs.start(testid, str(simulation.get("controller", "hold")), steps)
    except (TriviumError, KeyError):
        context.sessions.stop(testid)
        raise
    return testid


def _testcase(context: Context, job: Job) -> str:
    """Return the id of the test case of a job."""
    name, ids = str(job.spec.get("testcase")), context.sessions.testcases()
    if name in ids:
        return name
    place = context.settings.resources.resolve()
    if name in locations.TESTCASES and locations.shipped_testcase(name).resolve() == place:
        return ids[0]
    raise InvalidValueError("Only runs of a test case of this server can become sessions.", "testcase")
