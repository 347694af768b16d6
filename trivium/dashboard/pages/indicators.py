"""Key performance indicators of a session, against a baseline or any other session, and their curves side by side."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from dash import Dash, Input, Output, State, dcc, html, no_update

from trivium.control.commands import DOES_NOT_SERVE
from trivium.dashboard import trend
from trivium.dashboard.callbacks import action, needed, view
from trivium.dashboard.context import Context
from trivium.dashboard.elements import Choices, Select, Still, button, card, drawn, field, options, say, table
from trivium.dashboard.formatting import both, figure
from trivium.dashboard.trajectories import lines_of, scene_of, set_points_of, with_set_points
from trivium.dashboard.trend import Window
from trivium.errors import InvalidValueError, TriviumError
from trivium.model.variable import Variable

_NONE = "none"
#: Beginnings of the names of indicators in which a run that does not serve would seem to save.
_SAVINGS = ("ener_", "cost_", "emis_", "pele_", "water_", "pue", "cer", "wue")
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
                    field("Other session", Select("other", [{"value": _NONE, "label": "none"}], _NONE)),
                    button("Make a baseline", "make-baseline", "main", "control"),
                ],
                className="row end",
            ),
            html.P(
                "A baseline is a session of its own, driven by the controller of its plant from the start of this test "
                "until now, under the same scenario.",
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
    readings = context.readings

    @view(
        pages,
        Output("other", "options"),
        Output("other", "value"),
        Input("stand", "data"),
        Input("changed", "data"),
        State("other", "value"),
        State("other", "options"),
        State("address", "search"),
    )
    def others(stand: Any, _: Any, value: str, before: Any, search: str | None) -> Any:
        testid = stand["testid"] if stand else None
        linked = [] if before and len(before) > 1 else trend.asked(search, "other")
        listed, _ = readings.recent(next((each for each in (*linked, value) if each != _NONE), None))
        records = {record["testid"]: record for record in listed if record["testid"] != testid}
        mine = [record for record in records.values() if testid and record["baseline_of"] == testid]
        newest = max(mine, key=lambda record: record["created"] or 0.0, default=None)
        base: str | None = newest["testid"] if newest else None
        labels = {
            name: f"{'default' if record['default'] else name[:8]} · {record['testcaseid']}"
            for name, record in records.items()
        }
        if base is not None and base in labels:
            labels[base] = f"{base[:8]} · baseline"
        choices = [{"value": _NONE, "label": "none"}, *options(records, labels)]
        selected = next((each for each in (*linked, value, base) if each in records), _NONE)
        return no_update if choices == before else choices, no_update if selected == value else selected

    @action(
        pages,
        "control",
        Output("other", "value", allow_duplicate=True),
        Output("changed", "data", allow_duplicate=True),
        Input("make-baseline", "n_clicks"),
        State("session", "value"),
        running=[(Output("make-baseline", "disabled"), True, False)],
    )
    def make(_: Any, testid: str | None) -> Any:
        testid = needed(testid)
        base, steps = _begin_baseline(context, testid)
        say(f"The controller of the plant does {steps} steps in the session {base}; the table follows it.")
        return base, time.time()

    @view(
        pages,
        Output("kpi-table", "content"),
        Output("baseline-state", "children"),
        Output("kpi-mark", "data"),
        Input("stand", "data"),
        Input("other", "value"),
        Input("tick", "n_intervals"),
        State("kpi-mark", "data"),
    )
    def indicators(stand: Any, selected: str, _: int | None, before: Any) -> Any:
        if not stand:
            return None, "", None
        against = None if selected == _NONE else selected
        run = context.runs.find(against) if against else None
        try:
            mark = [stand, against, readings.find(against)["time"] if against else None]
            if mark == before:
                return no_update, no_update, no_update
            made = _table(context, stand["testid"], against)
        except TriviumError as error:
            return drawn(html.P(str(error), className="trouble")), "", None
        return drawn(made), run.words if run else "", mark

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
    def chart(stand: Any, against: str, points: list[str] | None, _: Any, looked: Any) -> Any:
        if not stand or stand["trouble"] or not looked:
            return [no_update] * 6
        testid = stand["testid"]
        variables = readings.about(testid)
        names = [name for name in points or [] if name in variables.units][:6]
        if not names:
            return trend.nothing("Choose points above.")
        window = Window.of(looked)
        start, end = window.ends(readings.begin(testid), stand["clock"])
        columns = readings.curves(
            testid, with_set_points(variables, names), start - variables.step, end + variables.step
        )
        if against == _NONE:
            lines = [*lines_of(variables, columns, names), *set_points_of(variables, columns, names)]
        else:
            lines = lines_of(variables, columns, names, "this", 0)
            other = readings.about(against)
            theirs = [name for name in names if name in other.units]
            if theirs:
                curves = readings.curves(against, theirs, start - other.step, end + other.step)
                lines += lines_of(other, curves, theirs, "other", 1)
        scene = scene_of(context, testid, columns, names, (start, end), window.width)
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
        context.sessions.label(base, baseline_of=testid, controller=plant.controller)
        context.runs.start(base, plant.controller, steps, before=lambda: _initialize(context, base, start))
    except BaseException:
        context.sessions.stop(base)
        raise
    return base, steps


def _initialize(context: Context, testid: str, start: float) -> None:
    context.sessions.session(testid).initialize(start)


def _table(context: Context, testid: str, against: str | None) -> Any:
    """Return the indicators of a session over its test, or of two over the time that both have."""
    readings = context.readings
    with readings.session(testid) as session:
        points = session.kpi_points
    begin, end = readings.begin(testid), readings.find(testid)["time"]
    if against is None:
        with readings.session(testid) as session:
            mine = session.kpis()
        rows = [(_name(point), _unit(point), figure(mine[name])) for name, point in points.items()]
        head: tuple[str, ...] = ("Indicator", "Unit", "This session")
        shown = table(f"From {both(begin)} to {both(end)}", head, rows, numbers=(2,), shown=True, cards=True)
        return [*_unserving([("This session", mine)]), shown]
    first, last = max(begin, readings.begin(against)), min(end, readings.find(against)["time"])
    if last <= first:
        return html.P("The two sessions have no time in common yet.", className="muted")
    with readings.session(testid) as session:
        mine = session.kpis(None, first, last)
    with readings.session(against) as session:
        theirs = session.kpis(None, first, last)
    marks = _unserving([("This session", mine), ("The other session", theirs)])
    compared = [
        (
            _name(point),
            _unit(point),
            figure(mine[name]),
            figure(theirs.get(name)),
            DOES_NOT_SERVE if marks and name.startswith(_SAVINGS) else _change(mine[name], theirs.get(name)),
        )
        for name, point in points.items()
    ]
    head = ("Indicator", "Unit", "This session", "Other session", "This against other")
    caption = f"From {both(first)} to {both(last)}, the time that both have"
    shown = table(caption, head, compared, numbers=(2, 3, 4), shown=True, cards=True)
    return [*marks, shown]


def _unserving(sessions: Sequence[tuple[str, Mapping[str, float | None]]]) -> list[Any]:
    """Return a sentence for each session that does not serve."""
    text = f"{DOES_NOT_SERVE}: heat is not removed, or the hall is off its set point. What it saves is no saving."
    return [html.P(f"{name} {text}", className="trouble") for name, values in sessions if values.get("serves") == 0]


def _name(point: Variable) -> Any:
    return [point.description, " ", html.Code(point.name, className="muted")]


def _unit(point: Variable) -> str:
    return "" if point.unit == "1" else point.unit


def _change(value: float | None, reference: float | None) -> str:
    if value is None or reference is None:
        return "–"
    if math.isclose(value, reference, rel_tol=1e-9):
        return "same"
    if not reference:
        return f"{value - reference:+.4g}"
    percent = f"{100 * (value - reference) / abs(reference):+.1f} %"
    return "±0.0 %" if percent[1:] == "0.0 %" else percent
