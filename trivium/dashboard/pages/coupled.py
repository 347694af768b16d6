"""A coupled job, also while it runs: its channels settling, their values, the graph of its experiments, their logs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dash import Dash, Input, Output, State, html, no_update

from trivium.dashboard import charts, coupled
from trivium.dashboard.callbacks import view
from trivium.dashboard.context import Context
from trivium.dashboard.controls import Svg
from trivium.dashboard.elements import Select, field, options, retained, table
from trivium.dashboard.formatting import figure
from trivium.dashboard.logs import tail
from trivium.jobs.record import Job


def layout() -> html.Div:
    """Return the place for what is drawn of a coupled job."""
    return html.Div(
        [
            html.P(id="coupled-ending", role="status"),
            html.H3("Rounds by channel"),
            charts.graph("coupled-settling", "Residual of each channel over its tolerance, by iteration"),
            html.Div(field("Values of", Select("coupled-channel")), className="row"),
            charts.graph("coupled-values", "Values of a channel by iteration"),
            html.H3("Experiments"),
            html.P(
                "A row is what an experiment gives the others, a column what it takes. Dashed values are iterated.",
                className="muted",
            ),
            html.Div(Svg("coupled-graph", className="n2"), className="table", tabIndex="0"),
            html.Div(id="coupled-accuracy"),
            html.Details(
                [
                    html.Summary("Logs of the experiments"),
                    html.Div(field("Log", Select("coupled-log"), wide=True), className="row"),
                    html.Pre(id="coupled-text", tabIndex="0", **{"aria-label": "Log of an experiment"}),
                ]
            ),
        ],
        id="coupled",
        hidden=True,
    )


def register(pages: Dash, context: Context) -> None:
    """Add the callbacks."""

    def folder_of(job: Job) -> Path:
        return context.store.folder_of(job.task_id) / "results"

    @view(
        pages,
        Output("coupled", "hidden"),
        Output("coupled-ending", "children"),
        Output("coupled-settling", "figure"),
        Output("coupled-channel", "options"),
        Output("coupled-channel", "value"),
        Output("coupled-graph", "markup"),
        Output("coupled-accuracy", "children"),
        Output("coupled-log", "options"),
        Output("coupled-log", "value"),
        Input("job-mark", "data"),
        State("coupled-channel", "value"),
        State("coupled-log", "value"),
    )
    def draw(mark: Any, channel: str | None, log: str | None) -> Any:
        hidden = (True, *[no_update] * 8)
        if not mark:
            return hidden
        job = context.store.get(mark["task_id"])
        run = coupled.open_coupled(folder_of(job)) if job.kind == "converge" else None
        if run is None:
            return hidden
        result = coupled.ending(folder_of(job)) if job.state.ended else {}
        files = list(coupled.logs(folder_of(job)))
        return (
            False,
            _ending(job, result),
            coupled.settling(run),
            options(run.channels),
            retained(channel, run.channels, next(iter(run.channels), None)),
            coupled.graph(run.outline),
            _accuracy(run, result),
            options(files),
            retained(log, files, next(reversed(files), None)),
        )

    @view(
        pages,
        Output("coupled-values", "figure"),
        Input("coupled-channel", "value"),
        Input("job-mark", "data"),
    )
    def values(channel: str | None, mark: Any) -> Any:
        if not mark or not channel:
            return no_update
        job = context.store.get(mark["task_id"])
        run = coupled.open_coupled(folder_of(job)) if job.kind == "converge" else None
        return no_update if run is None else coupled.course(run, channel)

    @view(pages, Output("coupled-text", "children"), Input("coupled-log", "value"), Input("job-mark", "data"))
    def read(name: str | None, mark: Any) -> Any:
        if not mark or not name:
            return "No experiment wrote anything."
        job = context.store.get(mark["task_id"])
        file = coupled.logs(folder_of(job)).get(name) if job.kind == "converge" else None
        return "" if file is None else tail(file)


def _ending(job: Job, result: Any) -> Any:
    """Return how a run ended with its estimated error, or how far it is."""
    if not result:
        return f"{job.message}."
    error = result.get("estimated_error")
    estimate = (
        "" if error is None else f" Estimated error {figure(error, 3)}, tolerance {figure(result['tolerance'], 3)}."
    )
    return [html.Strong(result["outcome"]), f": {result['reason']}.{estimate}"]


def _accuracy(run: coupled.Coupled, result: Any) -> Any:
    """Return the error of every unknown as a table."""
    accuracy = result.get("accuracy") if result else None
    if not accuracy:
        return None
    heads = list(dict.fromkeys(name for each in accuracy.values() for name in each))
    rows = [
        (html.Code(name), *(figure(each.get(head), 3) for head in heads), run.unit(name))
        for name, each in accuracy.items()
    ]
    titles = ["Unknown", *(head.replace("_", " ").capitalize() for head in heads), "Unit"]
    return table("Errors of the unknowns", titles, rows, numbers=range(1, len(heads) + 1), shown=True)
