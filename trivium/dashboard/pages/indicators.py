"""Key performance indicators of a session, against a baseline or any other session, and their curves side by side."""

from __future__ import annotations

import math
import time
from typing import Any

from dash import Dash, Input, Output, State, dcc, html, no_update

from trivium.dashboard import charts
from trivium.dashboard.callbacks import action, needed, view
from trivium.dashboard.context import Context
from trivium.dashboard.elements import Choices, Select, button, card, field, options, say, table
from trivium.dashboard.formatting import both, figure
from trivium.errors import InvalidValueError, TriviumError

_NONE = "none"


def layout(_: Context) -> list[Any]:
    """Return the page."""
    return [
        html.H1("Indicators"),
        card(
            "Compared with",
            html.Div(
                [
                    field("Other session", Select("other", [{"value": _NONE, "label": "none"}], _NONE)),
                    button("Make a baseline", "make-baseline", "main"),
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
        card("Key performance indicators", html.Div(id="kpi-table")),
        card(
            "Side by side",
            field(
                "Points",
                Choices("kpi-points", "point"),
                wide=True,
            ),
            charts.graph("kpi-chart", "Both sessions over time"),
        ),
        dcc.Store(id="baselines", storage_type="session", data={}),
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
        Input("baselines", "data"),
        Input("changed", "data"),
        State("other", "value"),
        State("other", "options"),
    )
    def others(stand: Any, baselines: Any, _: Any, value: str, before: Any) -> Any:
        testid = stand["testid"] if stand else None
        there = {one["testid"]: one for one in context.sessions.sessions() if one["testid"] != testid}
        base: str | None = (baselines or {}).get(testid or "")
        labels = {
            name: f"{'default' if one['default'] else name[:8]} · {one['testcaseid']}" for name, one in there.items()
        }
        if base is not None and base in labels:
            labels[base] = f"{base[:8]} · baseline"
        choices = [{"value": _NONE, "label": "none"}, *options(there, labels)]
        now = value if value in there else base if base in there else _NONE
        return no_update if choices == before else choices, no_update if now == value else now

    @action(
        pages,
        "control",
        Output("baselines", "data"),
        Output("other", "value", allow_duplicate=True),
        Output("changed", "data", allow_duplicate=True),
        Input("make-baseline", "n_clicks"),
        State("session", "value"),
        State("baselines", "data"),
        running=[(Output("make-baseline", "disabled"), True, False)],
    )
    def make(_: Any, testid: str | None, baselines: Any) -> Any:
        testid = needed(testid)
        base, steps = _begin_baseline(context, testid)
        say(f"The controller of the plant does {steps} steps in the session {base}; the table follows it.")
        return {**(baselines or {}), testid: base}, base, time.time()

    @view(
        pages,
        Output("kpi-table", "children"),
        Output("baseline-state", "children"),
        Output("kpi-mark", "data"),
        Input("stand", "data"),
        Input("other", "value"),
        Input("tick", "n_intervals"),
        State("kpi-mark", "data"),
    )
    def indicators(stand: Any, other: str, _: int | None, before: Any) -> Any:
        if not stand:
            return None, "", None
        against = None if other == _NONE else other
        run = context.runs.find(other) if against else None
        try:
            mark = [stand, against, readings.find(against)["time"] if against else None]
            if mark == before:
                return no_update, no_update, no_update
            made = _table(context, stand["testid"], against)
        except TriviumError as error:
            return html.P(str(error), className="trouble"), "", None
        return made, run.words if run else "", mark

    @view(
        pages,
        Output("kpi-points", "options"),
        Output("kpi-points", "value"),
        Input("session", "value"),
        State("kpi-points", "value"),
    )
    def choices(testid: str | None, chosen: list[str] | None) -> Any:
        if not testid:
            return [], []
        about = readings.about(testid)
        kept = [name for name in chosen or [] if name in about.units]
        return options(about.points), kept or list(about.charted[:3])

    @view(
        pages,
        Output("kpi-chart", "figure"),
        Input("stand", "data"),
        Input("other", "value"),
        Input("kpi-points", "value"),
        Input("baseline-state", "children"),
    )
    def chart(stand: Any, other: str, chosen: list[str] | None, _: Any) -> Any:
        if not stand or stand["trouble"]:
            return no_update
        about = readings.about(stand["testid"])
        names = [name for name in chosen or [] if name in about.units][:6]
        if not names:
            return charts.blank("Choose points above.")
        columns = readings.curves(stand["testid"], names, 0.0, stand["clock"])
        curves = charts.values_of(columns, about.units, "" if other == _NONE else "this: ")
        if other != _NONE:
            theirs = [name for name in names if name in readings.about(other).units]
            if theirs:
                columns = readings.curves(other, theirs, 0.0, readings.find(other)["time"])
                curves += charts.values_of(columns, about.units, "other: ")
        return charts.over_time(curves, plant=about.plant is not None)


def _begin_baseline(context: Context, testid: str) -> tuple[str, int]:
    """Let the plant's controller drive a new session over the time of a session; return its id and number of steps.

    Raises
    ------
    InvalidValueError
        When the session has not been stepped, or is of another plant.
    """
    readings = context.readings
    about, now = readings.about(testid), readings.find(testid)
    if about.plant is None:
        raise InvalidValueError("No controller is known for this model; compare with another session.", "session")
    start, step = readings.begin(testid), float(readings.call(testid, "get_step").payload)
    steps = round((now["time"] - start) / step)
    if steps < 1:
        raise InvalidValueError("The session has not been stepped yet: there is nothing to compare.", "session")
    under = readings.call(testid, "get_scenario").payload
    same = {
        name: under[name]
        for name in ("electricity_price", "temperature_uncertainty", "seed")
        if under.get(name) is not None
    }
    with readings.room():
        base = context.sessions.select(now["testcaseid"])
    try:
        readings.call(base, "set_step", step)
        if same:
            readings.call(base, "set_scenario", same)
        context.runs.start(base, about.plant.controller, steps, before=lambda: _initialize(context, base, start))
    except BaseException:
        context.sessions.stop(base)
        raise
    return base, steps


def _initialize(context: Context, testid: str, start: float) -> None:
    context.sessions.call(testid, "initialize", start)


def _table(context: Context, testid: str, other: str | None) -> Any:
    """Return the indicators of a session over its test, or of two over the time that both have."""
    readings = context.readings
    about = readings.call(testid, "get_kpi_points").payload
    begin, end = readings.begin(testid), readings.find(testid)["time"]
    if other is None:
        mine = readings.call(testid, "get_kpis").payload
        rows = [(_name(name, about), about[name]["Unit"], figure(mine[name])) for name in about]
        return table(
            f"From {both(begin)} to {both(end)}", ("Indicator", "Unit", "This session"), rows, numbers=(2,), shown=True
        )
    first, last = max(begin, readings.begin(other)), min(end, readings.find(other)["time"])
    if last <= first:
        return html.P("The two sessions have no time in common yet.", className="muted")
    mine = readings.call(testid, "get_kpis", None, first, last).payload
    theirs = readings.call(other, "get_kpis", None, first, last).payload
    both_of = {name: (mine[name], theirs.get(name)) for name in about}
    compared = [
        (_name(name, about), about[name]["Unit"], figure(one), figure(another), _change(one, another))
        for name, (one, another) in both_of.items()
    ]
    head = ("Indicator", "Unit", "This session", "Other session", "This against other")
    return table(
        f"From {both(first)} to {both(last)}, the time that both have", head, compared, numbers=(2, 3, 4), shown=True
    )


def _name(name: str, about: Any) -> Any:
    return [about[name]["Description"], " ", html.Code(name, className="muted")]


def _change(one: float | None, other: float | None) -> str:
    if one is None or other is None:
        return "–"
    if math.isclose(one, other, rel_tol=1e-9):
        return "same"
    if not other:
        return f"{one - other:+.4g}"
    percent = f"{100 * (one - other) / abs(other):+.1f} %"
    return "±0.0 %" if percent[1:] == "0.0 %" else percent
