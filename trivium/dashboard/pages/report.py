"""Where one goes on from the results of a job: its pages in a frame, and the runs of a cell of its heat map."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, dcc, html, no_update

from trivium.dashboard.callbacks import view
from trivium.dashboard.context import Context
from trivium.dashboard.elements import Select, field, options, retained
from trivium.dashboard.pages.results import CHART, runs_at
from trivium.errors import TriviumError
from trivium.jobs import kinds

_NONE = "-"
#: Runs of a cell that are listed.
_MOST = 12


def layout() -> html.Div:
    """Return the place."""
    return html.Div(
        [
            html.P(id="cell-runs", role="status"),
            html.Div(
                [html.Div(field("Page of the job", Select("job-page")), className="row"), html.Div(id="job-frame")],
                id="job-pages",
                hidden=True,
            ),
        ]
    )


def register(pages: Dash, context: Context, root: str = "/dashboard/") -> None:
    """Add the callbacks."""

    @view(
        pages,
        Output("job-pages", "hidden"),
        Output("job-page", "options"),
        Output("job-page", "value"),
        Input("job-mark", "data"),
        State("job-page", "value"),
    )
    def listing(mark: Any, page: str | None) -> Any:
        if not mark:
            return True, no_update, no_update
        names = [name for name in context.store.get(mark["task_id"]).files if name.endswith(".html")]
        return not names, options([_NONE, *names], {_NONE: "none"}), retained(page, (_NONE, *names), _NONE)

    @view(pages, Output("job-frame", "children"), Input("job-page", "value"), State("job-mark", "data"))
    def show(page: str | None, mark: Any) -> Any:
        if not mark or page in (None, _NONE):
            return None
        address = f"{root}framed/{mark['task_id']}/{page}"
        return html.Iframe(src=address, sandbox="allow-scripts", title=f"{page} of the job", className="framed")

    @view(
        pages,
        Output("cell-runs", "children"),
        Input(CHART, "clickData"),
        Input("job-mark", "data"),
        State("metric", "value"),
        State("across", "value"),
        State("up", "value"),
        State(f"{CHART}-zoom", "data"),
    )
    def pick(clicked: Any, mark: Any, metric: str, across: str | None, up: Any, zoomed: Any) -> Any:
        if not mark:
            return None
        job = context.store.get(mark["task_id"])
        if job.kind not in kinds.WITH_RUNS:
            return None
        if not clicked or not across:
            return html.Span("Click the chart to go to the runs there.", className="muted")
        point, crossed = clicked["points"][0], up not in (None, _NONE, across)
        cell = {across: point["x"]} | ({up: point["y"]} if crossed else {})
        try:
            runs = runs_at(context, job, (across, up if crossed else metric), zoomed, cell)
        except (TriviumError, ValueError) as error:  # a chart of other results
            return html.Span(str(error), className="trouble")
        if not runs.size:
            return "No run has these values."
        links = [
            html.Span([dcc.Link(f"run {run}", href=f"/dashboard/studies?job={job.task_id}&runs={run}"), " "])
            for run in runs[:_MOST].tolist()
        ]
        rest = f"and {runs.size - _MOST} more." if runs.size > _MOST else ""
        return ["Runs there: ", *links, rest]
