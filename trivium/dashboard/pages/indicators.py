"""Key performance indicators of a session, against a baseline and other sessions, and their curves side by side."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

from dash import Dash, Input, Output, State, ctx, dcc, html, no_update

from trivium.control.commands import DOES_NOT_SERVE
from trivium.dashboard import trend
from trivium.dashboard.callbacks import action, needed, view
from trivium.dashboard.catalog import Catalog
from trivium.dashboard.context import Context
from trivium.dashboard.elements import Choices, Still, button, card, drawn, field, options, say, table
from trivium.dashboard.formatting import both, figure
from trivium.dashboard.pages import comparison
from trivium.dashboard.trajectories import lines_of, scene_of, set_points_of, with_set_points
from trivium.dashboard.trend import Window
from trivium.errors import InvalidValueError, TriviumError, UnknownSessionError

#: Most sessions that it is compared with: with its own, as many as there are colours.
_MOST = 5
#: What the address of the page holds.
_KEPT = {"session": ("session", "value"), "points": ("kpi-points", "value"), "other": ("other", "value")}


def layout(_: Context) -> list[Any]:
    """Return the page."""
    return [
        html.H1("Indicators"),
        card(
            "Compared with",
            html.Div(
                [
                    field("Other sessions", Choices("other", "session", labelled=True), wide=True),
                    button("Make a baseline", "make-baseline", "main", "control"),
                ],
                className="row end",
            ),
            html.P(
                f"Up to {_MOST}; figures are held against the first. A baseline is a session of its own, driven by "
                "the controller of its plant from the start of this test until now, under the same scenario.",
                className="muted",
            ),
            html.P(id="baseline-state", role="status"),
        ),
        card("Key performance indicators", Still("kpi-table")),
        card(
            "Side by side",
            field(
                "Points",
                Choices("kpi-points", "point"),
                wide=True,
            ),
            trend.layout("kpi-chart", "Both sessions over time"),
            trend.names_of_address("kpi-chart", _KEPT),
        ),
        dcc.Store(id="kpi-mark"),
    ]


def register(pages: Dash, context: Context) -> None:
    """Add the page's callbacks."""
    readings, catalog = context.readings, Catalog(context)

    @view(
        pages,
        Output("other", "options"),
        Output("other", "value"),
        Input("session", "options"),
        Input("session", "value"),
        Input("changed", "data"),
        State("other", "value"),
        State("other", "options"),
        State("address", "search"),
    )
    def sessions(_: Any, testid: str | None, __: Any, compared: list[str], before: Any, search: str | None) -> Any:
        linked = [] if before else trend.asked(search, "other")
        listed, _total = readings.recent(testid)
        records = {record["testid"]: record for record in listed if record["testid"] != testid}
        for linked_id in {*linked, *compared} - {*records, testid}:
            with contextlib.suppress(UnknownSessionError):
                records[linked_id] = readings.find(linked_id)
        mine = [record for record in records.values() if testid and record["baseline_of"] == testid]
        newest = max(mine, key=lambda record: record["created"] or 0.0, default=None)
        choices = options(records, {name: _label(record, record is newest) for name, record in records.items()})
        selection = [each for each in dict.fromkeys([*linked, *compared]) if each in records]
        if newest is not None and not selection and (not before or "session.value" in ctx.triggered_prop_ids):
            selection = [newest["testid"]]
        return no_update if choices == before else choices, no_update if selection == compared else selection

    @action(
        pages,
        "control",
        Output("other", "value", allow_duplicate=True),
        Output("changed", "data", allow_duplicate=True),
        Input("make-baseline", "n_clicks"),
        State("session", "value"),
        State("other", "value"),
        running=[(Output("make-baseline", "disabled"), True, False)],
    )
    def make(_: Any, testid: str | None, compared: list[str]) -> Any:
        testid = needed(testid)
        base, steps = _begin_baseline(context, testid)
        say(f"The controller of the plant does {steps} steps in the session {base}; the table follows it.")
        return [base, *compared][:_MOST], time.time()

    @view(
        pages,
        Output("kpi-table", "content"),
        Output("baseline-state", "children"),
        Output("kpi-mark", "data"),
        Input("stand", "data"),
        Input("other", "value"),
        Input("tick-others", "n_intervals"),
        State("kpi-mark", "data"),
    )
    def indicators(stand: Any, compared: list[str], _: int | None, before: Any) -> Any:
        if not stand:
            return None, "", None
        against = compared[:_MOST]
        runs = [run.words for each in against if (run := context.runs.find(each)) is not None]
        try:
            mark = [stand, [[each, readings.find(each)["time"]] for each in against]]
            if mark == before:
                return no_update, no_update, no_update
            made = _together(context, catalog, [stand["testid"], *against]) if against else _alone(context, stand)
        except TriviumError as error:
            return drawn(html.P(str(error), className="trouble")), "", None
        return drawn(made), " ".join(runs), mark

    @view(
        pages,
        Output("kpi-points", "options"),
        Output("kpi-points", "value"),
        Input("session", "value"),
        State("kpi-points", "value"),
        State("address", "search"),
    )
    def choices(testid: str | None, selected: list[str] | None, search: str | None) -> Any:
        if not testid:
            return [], []
        variables = readings.about(testid)
        valid = [name for name in selected or trend.asked(search, "points") if name in variables.units]
        return options(variables.points), valid or list(variables.charted[:3])

    @view(
        pages,
        *trend.outputs("kpi-chart"),
        Input("stand", "data"),
        Input("other", "value"),
        Input("kpi-points", "value"),
        Input("baseline-state", "children"),
        Input("kpi-chart-view", "data"),
    )
    def chart(stand: Any, compared: list[str], points: list[str] | None, _: Any, looked: Any) -> Any:
        if not stand or stand["trouble"] or not looked:
            return [no_update] * 6
        testid = stand["testid"]
        variables = readings.about(testid)
        names = [name for name in points or [] if name in variables.units][:6]
        if not names:
            return trend.nothing("Choose points above.")
        window = Window.of(looked)
        start, end = window.ends(readings.begin(testid), stand["clock"])
        margins = start - variables.step, end + variables.step
        columns = readings.curves(testid, with_set_points(variables, names), *margins)
        if compared:
            lines = lines_of(variables, columns, names, catalog.name(testid), 0)
            for place, each in enumerate(compared[:_MOST], 1):
                their_case = readings.about(each)
                theirs = [name for name in names if name in their_case.units]
                if theirs:
                    lines += lines_of(
                        their_case, readings.curves(each, theirs, *margins), theirs, catalog.name(each), place
                    )
        else:
            lines = [*lines_of(variables, columns, names), *set_points_of(variables, columns, names)]
        # beside others no curve is that of the session alone, and none is shaded
        scene = scene_of(context, testid, columns, () if compared else names, (start, end), window.width)
        return trend.shown(lines, scene, variables.units, trend.files_of(testid, names, start, end))

    trend.register(pages, "kpi-chart", _KEPT)


def _begin_baseline(context: Context, testid: str) -> tuple[str, int]:
    """Let the plant's controller drive a new session over the time of a session; return its id and number of steps.

    Raises
    ------
    InvalidValueError
        When the session has not been stepped, or is of another plant.
    """
    readings = context.readings
    plant, record = readings.about(testid).plant, readings.find(testid)
    if plant is None:
        raise InvalidValueError("No controller is known for this model; compare with another session.", "session")
    start = readings.begin(testid)
    with readings.session(testid) as session:
        step, under = session.step, session.scenario
    steps = round((record["time"] - start) / step)
    if steps < 1:
        raise InvalidValueError("The session has not been stepped yet: there is nothing to compare.", "session")
    same = {
        name: under[name]
        for name in ("electricity_price", "temperature_uncertainty", "seed")
        if under.get(name) is not None
    }
    with readings.room():
        base = context.sessions.select(record["testcaseid"])
    try:
        with readings.session(base) as session:
            session.set_step(step)
            if same:
                session.set_scenario(**same)
        context.sessions.label(base, baseline_of=testid)
        context.runs.start(base, plant.controller, steps, before=lambda: _initialize(context, base, start))
    except BaseException:
        context.sessions.stop(base)
        raise
    return base, steps


def _initialize(context: Context, testid: str, start: float) -> None:
    context.sessions.session(testid).initialize(start)


def _alone(context: Context, stand: Mapping[str, Any]) -> Any:
    """Return the indicators of a session over its test."""
    testid = stand["testid"]
    with context.readings.session(testid) as session:
        mine = session.kpis()
    points = context.readings.about(testid).indicators
    rows = [(*comparison.described(point), figure(mine[name])) for name, point in points.items()]
    caption = f"From {both(context.readings.begin(testid))} to {both(stand['clock'])}"
    shown = table(caption, ("Indicator", "Unit", "This session"), rows, numbers=(2,), shown=True, cards=True)
    return [*([_unserving("This session")] if mine.get("serves") == 0 else []), shown]


def _together(context: Context, catalog: Catalog, testids: Sequence[str]) -> Any:
    """Return what differs between sessions, and their indicators over the time that all of them have."""
    runs, first, last = catalog.together(testids)
    setups = comparison.setups(runs)
    if last <= first:
        return [setups, html.P("The sessions have no time in common yet.", className="muted")]
    points = context.readings.about(testids[0]).indicators
    marks = [_unserving(run.name) for run in runs if run.kpis.get("serves") == 0]
    when = html.P(f"From {both(first)} to {both(last)}, the time that all of them have.")
    return [setups, *marks, when, *comparison.indicators(runs, runs[1], points)]


def _unserving(name: str) -> html.P:
    """Return a sentence about a session that does not serve."""
    text = f"{DOES_NOT_SERVE}: heat is not removed, or the hall is off its set point. What it saves is no saving."
    return html.P(f"{name} {text}", className="trouble")


def _label(record: Mapping[str, Any], baseline: bool) -> str:
    """Return how a session is called among those to choose from; its id makes it unique."""
    name = record["name"] or ("default" if record["default"] else "")
    words = [name, record["testid"][:8], record["testcaseid"], "baseline" if baseline else ""]
    return " · ".join(filter(None, words))
