"""The routes that both AlphaDataCenterCooling and BOPTEST have: without test id about the default session.

Each is declared once. Where they differ, those of the default session are strict (unknown fields, steps past the end
and times beside the intervals of the boundary data are refused), those with a test id answer as BOPTEST does: unknown
fields are ignored, a missing one is ``Bad Request``, a step is cut to the end, times are any seconds, and a body may be
form data. Both clamp inputs with a warning.
"""

from __future__ import annotations

from dataclasses import asdict

from flask import Response

from trivium.errors import InvalidValueError
from trivium.plants.cooling import examples
from trivium.protocol import Clamp
from trivium.server import columns, replies, tables, wire, wording
from trivium.server.operations import JSON, Routes
from trivium.server.requests import (
    ActionBody,
    AdvanceQuery,
    ExportQuery,
    Preconditions,
    ResultsBody,
    StartBody,
    StepBody,
    TestStartBody,
    require_few,
)
from trivium.server.selection import PARQUET
from trivium.session.manager import SessionManager
from trivium.simulation.times import check_span, check_step


def blueprint(sessions: SessionManager) -> Routes:
    """Return the routes. ``GET /`` shows the first line of each docstring."""
    routes = Routes("session", "Plant")

    @routes.operation("GET", "/version[/<testid>]", reply=replies.Version)
    def version(testid: str | None) -> Response:
        """Version of the test case."""
        session = sessions.session(testid)
        return wire.reply(wording.version(session.version), session)

    @routes.operation("GET", "/name[/<testid>]", reply=replies.Name)
    def name(testid: str | None) -> Response:
        """Name of the test case."""
        session = sessions.session(testid)
        return wire.reply(wording.name(session.name), session)

    @routes.operation("GET", "/inputs[/<testid>]", reply=dict[str, replies.Point])
    def inputs(testid: str | None) -> Response:
        """Control inputs with unit, description, minimum and maximum."""
        session = sessions.session(testid)
        return wire.reply(wording.inputs(session.inputs, boptest=testid is not None), session)

    @routes.operation("GET", "/measurements[/<testid>]", reply=dict[str, replies.Point])
    def measurements(testid: str | None) -> Response:
        """Measurements with unit, description, minimum and maximum."""
        session = sessions.session(testid)
        return wire.reply(wording.measurements(session.measurements), session)

    @routes.operation("GET", "/fmu[/<testid>]", reply=replies.Fmu)
    def fmu(testid: str | None) -> Response:
        """Describe the FMU: capabilities, units, variables, what is wrong with it, and how it is run."""
        session = sessions.session(testid)
        return wire.reply(wording.fmu(session.fmu), session)

    @routes.operation("GET", "/variables[/<testid>]", reply=dict[str, replies.RecordedPoint])
    def variables(testid: str | None) -> Response:
        """All variables that results may hold, with unit, description, minimum, maximum and causality."""
        session = sessions.session(testid)
        return wire.reply(wording.variables(session.variables), session)

    @routes.operation("GET", "/parameters[/<testid>]", reply=dict[str, replies.Parameter])
    def parameters(testid: str | None) -> Response:
        """Parameters and start values that "start_values" of /initialize may set."""
        session = sessions.session(testid)
        return wire.reply(wording.parameters(session.parameters), session)

    @routes.operation("GET", "/step[/<testid>]", reply=replies.Number)
    def get_step(testid: str | None) -> Response:
        """Control step in seconds."""
        session = sessions.session(testid)
        return wire.reply(wording.step(session.step), session)

    @routes.operation("PUT", "/step[/<testid>]", reply=replies.ControlStep, example={"step": 300})
    def put_step(testid: str | None, body: StepBody, headers: Preconditions) -> Response:
        """Set the control step: {"step"}, where the test case has an interval a multiple of it."""
        session = sessions.session(testid, headers.clock, headers.key)
        if testid is None:
            check_step(body.step, session.interval)
        return wire.reply(wording.step_set(session.set_step(body.step)), session)

    @routes.operation("PUT", "/initialize", reply=replies.Values, example={"start_time": 900000})
    def initialize(body: StartBody, headers: Preconditions) -> Response:
        """Start anew: {"start_time", "end_time" (optional), "start_values" (optional)}."""
        session = sessions.session(None, headers.clock, headers.key)
        check_span(body.start_time, body.end_time, session.interval)
        observation = session.initialize(body.start_time, body.end_time, start_values=body.start_values)
        return wire.reply(wording.initialized(observation), session)

    @routes.operation(
        "PUT", "/initialize/<testid>", reply=replies.Values, example={"start_time": 900000, "warmup_period": 3600}
    )
    def initialize_test(testid: str, body: TestStartBody, headers: Preconditions) -> Response:
        """Start anew: {"start_time", "warmup_period", "final_time" (optional), "start_values" (optional)}."""
        session = sessions.session(testid, headers.clock, headers.key)
        start = (body.start_time, body.final_time, body.warmup_period, body.start_values)
        with wording.final_time():
            observation = session.initialize(*start)
        return wire.reply(wording.initialized(observation, boptest=True), session)

    @routes.operation("POST", "/advance[/<testid>]", reply=replies.Values, example=examples.ACTION)
    def advance(testid: str | None, body: ActionBody, query: AdvanceQuery, headers: Preconditions) -> Response:
        """Simulate one control step, or ?steps=: {input: value, ...}; with "dry_run" true look ahead and come back."""
        boptest = testid is not None
        clamp: Clamp = (boptest or "inputs") if body.clamp is None else body.clamp
        require_few(query.steps)
        if body.dry_run and query.steps > 1:
            raise InvalidValueError(
                f"Invalid value {query.steps} for parameter steps. With dry_run it must be 1; "
                f"POST /steps looks further ahead.",
                "steps",
            )
        session = sessions.session(testid, headers.clock, headers.key)
        if body.dry_run:
            observation = session.look_ahead(body.inputs, clamp=clamp)
        else:
            observation = session.advance(body.inputs, query.steps, clamp=clamp)
        return wire.reply(wording.advanced(observation, boptest=boptest), session)

    @routes.operation(
        "PUT",
        "/results[/<testid>]",
        scope="read",
        reply=replies.Columns,
        example={"point_names": [examples.OUTPUT], "start_time": 900000, "final_time": 900300},
        media=(JSON, columns.NPZ),
    )
    def results(testid: str | None, body: ResultsBody) -> Response:
        """Trajectories: {"point_names": [...], "start_time", "final_time"}."""
        session = sessions.session(testid)
        trajectories = session.results(body.point_names, body.start_time, body.final_time)
        return columns.results(wording.results(body.point_names, trajectories), session)

    @routes.operation("GET", "/results[/<testid>]", media=(tables.CSV, PARQUET), enveloped=False)
    def download(testid: str | None, query: ExportQuery) -> Response:
        """Trajectories as a file, equal to those of PUT: ?point_names=a,b, start_time=, final_time=, format=csv."""
        session = sessions.session(testid)
        trajectories = session.results(query.point_names, query.start_time, query.final_time)
        return wire.marked(tables.file(trajectories, query.format), session)

    @routes.operation("GET", "/events[/<testid>]", reply=list[replies.Event], waits=False)
    def events(testid: str | None) -> Response:
        """Events of the session, each at its time: start, restore, fork, snapshot, scenario, controller, failure."""
        happened = [asdict(event) for event in sessions.events(testid)]
        return wire.envelope(200, "Queried the events successfully.", happened)

    @routes.operation("GET", "/health", reply=replies.Proof)
    def health() -> Response:
        """Step a copy of the plant and say how it went; the session stays as it is."""
        session = sessions.session(None)
        return wire.reply(wording.health(session.health()), session)

    return routes
