"""Runs side by side: what differs in their set-up, their indicators, their curves or the difference of these."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import numpy as np
from dash import Dash, Input, Output, State, html, no_update

from trivium.control.commands import DOES_NOT_SERVE
from trivium.dashboard import trend
from trivium.dashboard.callbacks import view
from trivium.dashboard.catalog import Catalog, Run, better
from trivium.dashboard.context import Context
from trivium.dashboard.elements import Choices, Select, field, options, table
from trivium.dashboard.formatting import both, figure
from trivium.dashboard.readings import About
from trivium.dashboard.timeline import Line, Scene
from trivium.dashboard.trajectories import lines_of
from trivium.dashboard.trend import Window
from trivium.model.variable import Variable

_MODES = {
    "values": "the values",
    "aligned": "the values since the start of each",
    "differences": "the difference from the first run",
}
#: The chart, and what of this part the address of the page holds.
CHART = "compared-chart"
KEPT = {"points": ("compared-points", "value"), "mode": ("compared-mode", "value")}
_MOST_POINTS = 4
#: From so many times the reference on a difference is no percentage any more.
_MOST_TIMES = 10
#: Beginnings of the names of indicators in which a run that does not serve would seem to save.
SAVINGS = ("ener_", "cost_", "emis_", "pele_", "water_", "pue", "cer", "wue")


def parts() -> list[Any]:
    """Return the parts of the card."""
    return [
        html.Div(id="compared-setup"),
        html.Div(id="compared-kpis"),
        html.Div(
            [
                field("Points", Choices("compared-points", "point"), wide=True),
                field("Curves of", Select("compared-mode", options(_MODES, _MODES), "values")),
            ],
            className="row",
        ),
        trend.layout(CHART, "Pinned runs over time"),
    ]


def register(pages: Dash, context: Context, catalog: Catalog) -> None:
    """Add the callbacks."""

    @view(
        pages,
        Output("compared-setup", "children"),
        Output("compared-kpis", "children"),
        Input("runs-pinned", "data"),
        Input("changed", "data"),
    )
    def tables(pinned: Any, _: Any) -> Any:
        runs = catalog.find(pinned or [])
        return (setups(runs), indicators(runs, runs[0])) if runs else (None, None)

    @view(
        pages,
        Output("compared-points", "options"),
        Output("compared-points", "value"),
        Output("compared-mode", "value"),
        Input("runs-pinned", "data"),
        State("compared-points", "value"),
        State("compared-mode", "value"),
        State("address", "search"),
    )
    def choices(pinned: Any, selected: list[str] | None, mode: str, search: str | None) -> Any:
        variables = _variables_of(context, catalog.find(pinned or []))
        if variables is None:
            return [], [], no_update
        wanted = [name for name in selected or trend.asked(search, "points") if name in variables.units]
        linked = [] if selected else [each for each in trend.asked(search, "mode") if each in _MODES]
        return options(variables.points), wanted or list(variables.charted[:2]), (linked or [mode])[0]

    @view(
        pages,
        *trend.outputs(CHART),
        Input("runs-pinned", "data"),
        Input("compared-points", "value"),
        Input("compared-mode", "value"),
        Input(f"{CHART}-view", "data"),
        Input("changed", "data"),
    )
    def chart(pinned: Any, points: list[str] | None, mode: str, looked: Any, _: Any) -> Any:
        runs = catalog.find(pinned or [])
        variables = _variables_of(context, runs)
        if not looked:
            return [no_update] * 6
        if variables is None:
            return trend.nothing("No run is pinned.")
        names = [name for name in points or [] if name in variables.units][:_MOST_POINTS]
        timed = [(run.start or 0.0, run.end) for run in runs if run.end is not None]
        if not names or not timed:
            return trend.nothing("Choose points above.")
        window, shifts = Window.of(looked), [run.start or 0.0 if mode == "aligned" else 0.0 for run in runs]
        first = 0.0 if mode == "aligned" else min(begin for begin, _ in timed)
        last = max(over - (begin if mode == "aligned" else 0.0) for begin, over in timed)
        start, end = window.ends(first, last)
        columns = [
            shifted(catalog.curves(run, names, start + by - variables.step, end + by + variables.step), by)
            for run, by in zip(runs, shifts, strict=True)
        ]
        if mode == "differences":
            columns = [minus(each, columns[0], names) for each in columns[1:]]
            runs = runs[1:]
        lines: list[Line] = []
        for place, (run, each) in enumerate(zip(runs, columns, strict=True)):
            lines += lines_of(variables, each, names, run.name, place)
        calendar = None if mode == "aligned" else variables.calendar
        scene = Scene(start, end, window.width, plant=variables.plant is not None, calendar=calendar)
        if mode == "differences":  # of temperatures in K: a difference has no zero to shift
            scene = Scene(start, end, window.width, plant=False, calendar=variables.calendar)
        files = [
            (f"{label}: {run.name}", address)
            for run in runs
            if run.kind == "session" and mode == "values"
            for label, address in trend.files_of(run.key, names, start, end)[:1]
        ]
        return trend.shown(lines, scene, variables.units, files)


def _variables_of(context: Context, runs: Sequence[Run]) -> About | None:
    """Return the test case of the first session among runs; of jobs alone that of the default session."""
    testid = next((run.key for run in runs if run.kind == "session"), None)
    if testid is None and runs:
        testid = str(context.readings.find(None)["testid"])
    return None if testid is None else context.readings.about(testid)


def shifted(columns: Mapping[str, Any], by: float) -> dict[str, Any]:
    """Return curves that begin so much earlier [s]."""
    return {**columns, "time": columns["time"] - by}


def minus(run: Mapping[str, Any], first: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return the curves of a run minus those of another, at the times that both have."""
    times, mine, theirs = np.intersect1d(run["time"], first["time"], return_indices=True)
    both_have = [name for name in names if name in run and name in first]
    return {"time": times, **{name: run[name][mine] - first[name][theirs] for name in both_have}}


def setups(runs: Sequence[Run]) -> Any:
    """Return what differs in the set-up of runs."""
    fields = {run.id: {**run.setup, "until": both(run.end) if run.end is not None else ""} for run in runs}
    names = list(next(iter(fields.values())))
    differing = [name for name in names if len({each[name] for each in fields.values()}) > 1]
    if not differing:
        return html.P("The runs do not differ in their set-up.", className="muted") if len(runs) > 1 else None
    rows = [(name, *(fields[run.id][name] or "–" for run in runs)) for name in differing]
    return table("What differs", ("", *(run.name for run in runs)), rows, shown=True, cards=True)


def indicators(runs: Sequence[Run], reference: Run, points: Mapping[str, Variable] | None = None) -> Any:
    """Return the indicators of runs, each beside how it compares with a reference among them.

    Parameters
    ----------
    runs : sequence of Run
    reference : Run
    points : Mapping[str, Variable], optional
        The indicators, where their descriptions and units are shown.
    """
    present = dict.fromkeys(name for run in runs for name, value in run.kpis.items() if value is not None)
    names = list(points or present)
    if not present:
        return html.P("No indicator is known of these runs.", className="muted")
    rows = []
    for name in names:
        best = _best(name, runs)
        heading = described(points[name]) if points else (html.Code(name),)
        rows.append((*heading, *(_cell(name, run, reference, best) for run in runs)))
    head = ("Indicator", *(("Unit",) if points else ()), *(run.name for run in runs))
    address = f"data:text/csv;charset=utf-8,{quote(as_csv(names, runs))}"
    save = html.A("CSV", href=address, download="comparison.csv", className="button quiet")
    numbers = range(2 if points else 1, len(head))
    shown = table(f"Indicators against {reference.name}", head, rows, numbers=numbers, shown=True, cards=True)
    return [html.P(["These figures as data: ", save]), shown]


def described(point: Variable) -> tuple[Any, str]:
    """Return how an indicator is called, and its unit."""
    return [point.description, " ", html.Code(point.name, className="muted")], "" if point.unit == "1" else point.unit


def as_csv(names: Sequence[str], runs: Sequence[Run]) -> str:
    """Return indicators of runs as CSV, a row an indicator."""
    rows = [["indicator", *(run.name for run in runs)]]
    for name in names:
        values = [run.kpis.get(name) for run in runs]
        rows.append([name, *("" if value is None else repr(value) for value in values)])
    made = io.StringIO()
    csv.writer(made, lineterminator="\n").writerows(rows)
    return made.getvalue()


def _best(name: str, runs: Sequence[Run]) -> float | None:
    """Return the best value of an indicator among the runs that serve; None where there is no better and worse."""
    values = [run.kpis.get(name) for run in runs if run.kpis.get("serves") != 0]
    present = [float(value) for value in values if isinstance(value, int | float) and math.isfinite(value)]
    if not better(name) or len(runs) < 2 or len({*present}) < 2:
        return None
    return max(present) if better(name) > 0 else min(present)


def _cell(name: str, run: Run, reference: Run, best: float | None) -> Any:
    value, base = run.kpis.get(name), reference.kpis.get(name)
    if name == "serves" and value == 0:
        return html.Span(DOES_NOT_SERVE, className="trouble")
    text = figure(value)
    if run is not reference and isinstance(value, int | float) and isinstance(base, int | float):
        serve = run.kpis.get("serves") != 0 and reference.kpis.get("serves") != 0
        how = change(name, value, base) if serve or not name.startswith(SAVINGS) else DOES_NOT_SERVE
        text += f" ({how})"
    starred = best is not None and value == best and run.kpis.get("serves") != 0
    return html.Strong(f"{text} ★", title="the best of these runs") if starred else text


def change(name: str, value: float, reference: float) -> str:
    """Return how a value compares with another: the difference, and whether that is better."""
    if math.isclose(value, reference, rel_tol=1e-9):
        return "same"
    difference = value - reference
    few = abs(difference) < _MOST_TIMES * abs(reference)
    amount = f"{100 * difference / abs(reference):+.1f} %" if few else f"{difference:+.4g}"
    word = "" if not better(name) else ", better" if difference * better(name) > 0 else ", worse"
    return amount + word
