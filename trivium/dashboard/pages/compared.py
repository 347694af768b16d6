"""Runs of a study that are compared: their parameters and metrics, their trajectories, each as a session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs

import numpy as np
from dash import ALL, Dash, Input, Output, State, ctx, html, no_update

from trivium.dashboard import charts, opening
from trivium.dashboard.callbacks import action, pressed, view
from trivium.dashboard.charts import Curve
from trivium.dashboard.context import Context
from trivium.dashboard.elements import Select, button, card, field, line, say, table
from trivium.dashboard.formatting import figure
from trivium.dashboard.studies import Studies, Study
from trivium.errors import InvalidValueError, TriviumError

#: Points of a curve.
_POINTS = 1200
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
        charts.graph("study-curves", "Trajectories of the runs that are compared"),
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
        asked = parse_qs((search or "").lstrip("?"))
        run = next(iter(asked.get("run", [])), "")
        if not mark or asked.get("job") != [mark["task_id"]] or not run.isdecimal():
            return no_update
        present = int(run) in studies.open(mark["task_id"]).runs and int(run) not in runs_of(compared, mark)
        return _added(mark, compared, int(run)) if present else no_update

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
        Output("study-curves", "figure"),
        Input("study-compared", "data"),
        Input("study-variable", "value"),
        Input("study-mark", "data"),
    )
    def curves(compared: Any, variable: str | None, mark: Any) -> Any:
        runs = runs_of(compared, mark)
        if not runs:
            return None, charts.blank("No run is compared yet.")
        study = studies.open(mark["task_id"])
        return _table(mark["task_id"], study, runs), _curves(study, runs, variable)

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
    head = ["Run", *study.names, ""]
    return table("Parameters and metrics of the runs", head, rows, numbers=range(len(head) - 1))


def _curves(study: Study, runs: Sequence[int], variable: str | None) -> dict[str, Any]:
    if variable not in study.variables:
        return charts.blank("This study keeps no trajectories.")
    try:
        time, values = study.trajectories(runs, variable)
    except TriviumError as error:
        return charts.blank(str(error))
    rows = dict(zip(sorted(runs), values, strict=True))
    drawn = [Curve(f"run {run}", "", *charts.thinned(time, rows[run], _POINTS)) for run in runs]
    return charts.lines(drawn, "time", variable, dots=False)
