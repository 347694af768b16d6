"""Runs of a study that are compared: their parameters and metrics, their trajectories, each as a session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import numpy as np
from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update

from trivium.dashboard import opening, trend
from trivium.dashboard.callbacks import action, pressed, view
from trivium.dashboard.context import Context
from trivium.dashboard.elements import Select, button, card, field, line, say, table
from trivium.dashboard.formatting import figure
from trivium.dashboard.studies import Studies, Study
from trivium.dashboard.timeline import Line, Scene
from trivium.dashboard.trend import Window
from trivium.errors import InvalidValueError, TriviumError
from trivium.simulation.calendar import Calendar
from trivium.simulation.resources import Resources

#: The chart of trajectories, and what of this part the address of the page holds.
CHART = "study-curves"
KEPT = {"runs": ("study-picked", "data"), "variable": ("study-variable", "value")}
#: Runs that are compared at a time: as many as there are colours.
_MOST = 6


def card_of_runs() -> html.Section:
    """Return the card."""
    return card(
        "Runs that are compared",
        html.P("Click at a run in a picture above, or write its number.", className="muted"),
        html.Div(
            [
                field("Run", line("study-run", inputMode="numeric")),
                button("Compare", "study-compare"),
                field("Trajectory", Select("study-variable")),
            ],
            className="row end",
        ),
        html.Div(id="study-runs"),
        trend.layout(CHART, "Trajectories of the runs that are compared"),
        dcc.Store(id="study-picked", data=[]),
    )


def register(pages: Dash, context: Context, studies: Studies) -> None:
    """Add the callbacks."""

    @view(
        pages,
        Output("study-compared", "data"),
        Input("study-parallel", "clickData"),
        Input("study-scatter", "clickData"),
        State("study-mark", "data"),
        State("study-compared", "data"),
        prevent_initial_call=True,
    )
    def click(_: Any, __: Any, mark: Any, compared: Any) -> Any:
        clicked = ctx.triggered[0]["value"]
        if not mark or not clicked:
            return no_update
        return _added(mark, compared, int(clicked["points"][0]["customdata"]))

    @view(
        pages,
        Output("study-compared", "data", allow_duplicate=True),
        Input("study-mark", "data"),
        State("address", "search"),
        State("study-compared", "data"),
        prevent_initial_call=True,
    )
    def arrive(mark: Any, search: str | None, compared: Any) -> Any:
        linked = [int(run) for run in trend.asked(search, "runs") if run.isdecimal()]
        if not mark or trend.asked(search, "job") != [mark["task_id"]]:
            return no_update
        present = {*studies.open(mark["task_id"]).runs.tolist()} - {*runs_of(compared, mark)}
        made = compared
        for run in linked:
            made = _added(mark, made, run) if run in present else made
        return no_update if made == compared else made

    @action(
        pages,
        "read",
        Output("study-compared", "data", allow_duplicate=True),
        Input("study-compare", "n_clicks"),
        State("study-run", "value"),
        State("study-mark", "data"),
        State("study-compared", "data"),
    )
    def compare(_: Any, text: str, mark: Any, compared: Any) -> Any:
        study = studies.open(mark["task_id"])
        if not (text or "").strip().isdecimal() or int(text) not in study.runs:
            raise InvalidValueError(f"Run {text!r} is not among those that are done, 0 to {study.total - 1}.", "run")
        return _added(mark, compared, int(text))

    @action(
        pages,
        "read",
        Output("study-compared", "data", allow_duplicate=True),
        Input({"do": "leave-run", "of": ALL}, "n_clicks"),
        State("study-mark", "data"),
        State("study-compared", "data"),
    )
    def leave(_: Any, mark: Any, compared: Any) -> Any:
        left = [run for run in runs_of(compared, mark) if run != int(pressed())]
        return {"task_id": mark["task_id"], "runs": left}

    @view(
        pages,
        Output("study-runs", "children"),
        Output("study-picked", "data"),
        Input("study-compared", "data"),
        Input("study-mark", "data"),
    )
    def listing(compared: Any, mark: Any) -> Any:
        runs = runs_of(compared, mark)
        return _table(mark["task_id"], studies.open(mark["task_id"]), runs) if runs else None, runs

    @view(
        pages,
        *trend.outputs(CHART),
        Input("study-compared", "data"),
        Input("study-variable", "value"),
        Input("study-mark", "data"),
        Input(f"{CHART}-view", "data"),
    )
    def curves(compared: Any, variable: str | None, mark: Any, looked: Any) -> Any:
        if not looked:
            return [no_update] * 6
        runs = runs_of(compared, mark)
        if not runs:
            return trend.nothing("No run is compared yet.")
        study = studies.open(mark["task_id"])
        return _curves(mark["task_id"], study, runs, variable, _calendar(context, mark["task_id"]), Window.of(looked))

    @action(
        pages,
        "control",
        Output("session", "value", allow_duplicate=True),
        Output("address", "href", allow_duplicate=True),
        # no state of the page: Dash also calls this when the page with the buttons has been left
        Input({"do": "open-run", "of": ALL}, "n_clicks"),
    )
    def begin(_: Any) -> Any:
        task_id, run = pressed().split()
        testid = opening.open_run(context, context.store.get(task_id), studies.open(task_id), int(run))
        say(f"Made the session {testid}, which does the steps of run {run}.")
        return testid, f"/dashboard/?session={testid}"


def runs_of(compared: Any, mark: Any) -> list[int]:
    """Return the runs of a study that are compared."""
    return list(compared["runs"]) if compared and mark and compared["task_id"] == mark["task_id"] else []


def _added(mark: Any, compared: Any, run: int) -> Any:
    """Add a run to those that are compared; of more than there are colours the oldest is left out."""
    runs = [each for each in runs_of(compared, mark) if each != run]
    return {"task_id": mark["task_id"], "runs": [*runs, run][-_MOST:]}


def _table(task_id: str, study: Study, runs: Sequence[int]) -> Any:
    places = {run: int(np.searchsorted(study.runs, run)) for run in runs}
    rows = []
    for run, place in places.items():
        values = (study.value(name, place) for name in study.names)
        remove = button("Remove", {"do": "leave-run", "of": str(run)}, "quiet", name=f"Remove run {run}")
        which = {"do": "open-run", "of": f"{task_id} {run}"}
        again = button("Open as session", which, "quiet", "control", name=f"Open run {run}")
        rows.append([str(run), *(figure(value) for value in values), html.Div([again, remove], className="row tight")])
    head = ["Run", *map(study.title, study.names), ""]
    return table("Parameters and metrics of the runs", head, rows, numbers=range(len(head) - 1))


def _curves(
    task_id: str, study: Study, runs: Sequence[int], variable: str | None, calendar: Calendar | None, window: Window
) -> tuple[Any, ...]:
    """Return the chart of the trajectories in a window, each point as it is kept."""
    if variable not in study.variables:
        return trend.nothing("This study keeps no trajectories.")
    try:
        time, values = study.trajectories(runs, variable)
    except TriviumError as error:
        return trend.nothing(str(error))
    rows = dict(zip(sorted(runs), values, strict=True))
    start, end = window.ends(float(time[0]), float(time[-1]))
    first, last = np.searchsorted(time, [start, end])
    inside = slice(max(0, int(first) - 1), int(last) + 1)  # with what is beside it: curves go on to the edges
    unit = study.units.get(variable, "")
    lines = [Line(f"run {run}", unit, time[inside], rows[run][inside], colour=place) for place, run in enumerate(runs)]
    query = urlencode([*(("run", run) for run in runs), ("variable", variable)])
    address = f"/api/run/results/{task_id}/selection?{query}"
    files = [(label, f"{address}&format={form}") for label, form in (("JSON", "json"), ("Parquet", "parquet"))]
    return trend.shown(lines, Scene(start, end, window.width, plant=False, calendar=calendar), study.units, files)


def _calendar(context: Context, task_id: str) -> Calendar | None:
    """Return the calendar of the test case that a study is of; None for other models."""
    from trivium.jobs.sweep import testcase_folder

    testcase = context.store.get(task_id).spec.get("testcase")
    if testcase is None:
        return None
    try:
        return Resources.load(testcase_folder(testcase, context.settings)).calendar
    except (TriviumError, ValueError):  # it is not there any more
        return None
