"""What jobs found, drawn: response curves and heat maps of sweeps, the convergence of coupled runs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from dash import Dash, Input, Output, State, html, no_update
from numpy.typing import NDArray

from trivium.dashboard import charts, zoom
from trivium.dashboard.callbacks import view
from trivium.dashboard.charts import Curve
from trivium.dashboard.context import Context
from trivium.dashboard.elements import Select, field, options, retained
from trivium.dashboard.studies import titled
from trivium.errors import TriviumError
from trivium.extras import missing
from trivium.jobs import kinds
from trivium.jobs.record import Job

if TYPE_CHECKING:
    from trivium.study.report.sample import Sample

CHART = "results-chart"
#: What of the page its address holds.
KEPT = {
    "metric": ("metric", "value"),
    "across": ("across", "value"),
    "up": ("up", "value"),
    "zoom": (f"{CHART}-zoom", "data"),
}
_NONE = "-"
_NOTHING = {"value": _NONE, "label": "nothing else"}
#: Figures of iterations that are drawn.
_FIGURES = {
    "delta": "delta",
    "error": "estimated error",
    "residual": "norm of the residual",
    "rate": "contraction rate",
}
_CONVERGED = "Converged: the estimated error of every variable is within its tolerance. Delta is the residual."


def layout() -> html.Div:
    """Return the place for drawings of a job's results."""
    selects = [
        field("Metric", Select("metric")),
        field("Over", Select("across")),
        field("And over", Select("up", [_NOTHING], _NONE)),
    ]
    return html.Div(
        [
            html.H3("Results"),
            html.Div(selects, className="row", id="sweep-choice"),
            html.P(id="results-note", className="muted"),
            zoom.layout(CHART, "Results of the job"),
        ],
        id="results",
        hidden=True,
    )


def register(pages: Dash, context: Context) -> None:
    """Add the callbacks."""
    zoom.register(pages, CHART)

    @view(
        pages,
        Output("results", "hidden"),
        Output("sweep-choice", "hidden"),
        Output("metric", "options"),
        Output("metric", "value"),
        Output("across", "options"),
        Output("across", "value"),
        Output("results-note", "children"),
        Input("job-mark", "data"),
        State("metric", "value"),
        State("across", "value"),
    )
    def choices(mark: Any, metric: str | None, across: str | None) -> Any:
        hidden = (True, *[no_update] * 6)
        if not mark:
            return hidden
        job = context.store.get(mark["task_id"])
        if job.kind == "converge":
            return (
                not _iterations(context, job),
                True,
                *[no_update] * 4,
                _CONVERGED,
            )
        if job.kind not in kinds.WITH_RUNS:
            return hidden
        try:
            with _sweep(context, job) as sample:
                metrics, parameters = list(sample.metrics), list(sample.parameters)
                note = f"{sample.done} of {sample.total} runs are done, {sample.failed} failed."
                if sample.unserving.size:
                    note += f" {sample.unserving.size} do not serve; what they save is no saving."
        except TriviumError:
            return hidden  # no part of it is written yet
        if not metrics or not parameters:
            return hidden
        return (
            False,
            False,
            options(metrics),
            retained(metric, metrics, metrics[0]),
            options(parameters),
            retained(across, parameters, parameters[0]),
            note,
        )

    @view(
        pages,
        Output("up", "options"),
        Output("up", "value"),
        Input("across", "options"),
        Input("across", "value"),
        State("up", "value"),
    )
    def second(offered: Any, across: str | None, up: str | None) -> Any:
        if not offered:  # the address may have chosen one already
            return no_update, no_update
        others = [_NOTHING, *(each for each in offered if each["value"] != across)]
        return others, retained(up, [each["value"] for each in others], _NONE)

    @view(
        pages,
        Output(CHART, "figure"),
        Input("job-mark", "data"),
        Input("metric", "value"),
        Input("across", "value"),
        Input("up", "value"),
        Input(f"{CHART}-zoom", "data"),
    )
    def draw(mark: Any, metric: str | None, across: str | None, up: str | None, zoomed: Any) -> Any:
        if not mark:
            return no_update
        job = context.store.get(mark["task_id"])
        if job.kind == "converge":
            axes = ("iteration", job.task_id)
            figure = _convergence(_iterations(context, job), _tolerance(context, job))
            return zoom.zoomed(figure, axes, zoom.window(zoomed, axes))
        if job.kind not in kinds.WITH_RUNS or not metric or not across:
            return no_update
        return _response(context, job, metric, across, None if up in (None, _NONE) else up, zoomed)


def _response(
    context: Context, job: Job, metric: str, across: str, up: str | None, zoomed: Sequence[Any]
) -> dict[str, Any]:
    """Return how a metric of a sweep responds: against one parameter a curve, against two a heat map.

    Of many values of a parameter groups of runs are drawn; those of a window are grouped anew.
    """
    from trivium.study.report.response import curve, surface

    drawn_axes = (across, up or metric)
    try:
        with _sweep(context, job) as results:
            if metric not in results.metrics or across not in results.parameters:
                return charts.blank("These results have no such metric or parameter.")
            title = partial(titled, units=results.units)
            inside, sample = _inside(results, drawn_axes, zoomed)
            axes, values = sample.axes, sample.metric(metric)
            if across not in axes:
                return zoom.zoomed(charts.blank("No two values are in this window."), drawn_axes, None)
    except TriviumError as error:
        return charts.blank(str(error))
    if up is None or up not in axes:
        line, levels = curve(axes, across, values), axes[across].labels
        drawn = [Curve("mean of all runs", "", levels, line.mean)]
        if line.middle is not None:
            drawn.append(Curve("others at their middle value", "", levels, line.middle))
        figure = charts.lines(drawn, title(across), title(metric), band=(line.low, line.high))
        return zoom.zoomed(figure, drawn_axes, inside)
    at = [Curve(title(name), "", axes[name].labels, axes[name].labels) for name in (across, up)]
    figure = charts.heat_map(at[0], at[1], surface(axes[across], axes[up], values), title(metric))
    return zoom.zoomed(figure, drawn_axes, inside)


def _inside(sample: Sample, axes: tuple[str, str], zoomed: Sequence[Any] | None) -> tuple[zoom.Window | None, Sample]:
    """Return the window that is looked at, and the runs that are drawn in it."""
    inside = zoom.window(zoomed, axes)
    return inside, sample if inside is None else sample.within(dict(zip(axes, inside, strict=True)))


def runs_at(
    context: Context, job: Job, axes: tuple[str, str], zoomed: Sequence[Any] | None, cell: Mapping[str, Any]
) -> NDArray[np.intp]:
    """Return the runs that a point of the chart stands for.

    Parameters
    ----------
    context : Context
    job : Job
    axes : tuple of str
        Of the chart.
    zoomed : sequence, optional
        Its window.
    cell : Mapping[str, Any]
        Where the point is, by parameter.

    Raises
    ------
    TriviumError
        When the results cannot be read.
    """
    with _sweep(context, job) as results:
        _, sample = _inside(results, axes, zoomed)
        passes = np.ones(sample.runs.size, dtype=bool)
        for name, value in cell.items():
            if name not in sample.axes:
                return sample.runs[:0]
            axis = sample.axes[name]
            at = axis.labels == value if axis.texts else np.isclose(axis.levels, float(value), rtol=1e-9, atol=1e-12)
            passes &= np.isin(axis.code, np.flatnonzero(at))
        runs: NDArray[np.intp] = sample.runs[passes]
        return runs


def _iterations(context: Context, job: Job) -> list[tuple[int, dict[str, Any]]]:
    """Return what is known of the iterations of a coupled run, also while it runs: number and figures."""
    path = context.store.folder_of(job.task_id) / "results" / "iterations.sqlite"
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=1)) as database:
            rows = database.execute("SELECT number, told FROM iterations ORDER BY number").fetchall()
    except sqlite3.Error:  # nothing there yet
        return []
    return [(number, json.loads(figures)) for number, figures in rows]


def _tolerance(context: Context, job: Job) -> float | None:
    """Return the tolerance of a coupled run; None where its case cannot be read any more."""
    tolerance = job.spec.get("convergence_tolerance")
    if tolerance is not None:
        return float(tolerance)
    try:
        spec: Any = kinds.parse(kinds.find(job.kind), job.spec, context.settings)
        return float(spec.case(context.settings).tolerance)
    except TriviumError:
        return None


def _convergence(iterations: list[tuple[int, dict[str, Any]]], tolerance: float | None) -> dict[str, Any]:
    """Return the residuals of a coupled run over its iterations, and where it has converged."""
    if not iterations:
        return charts.blank("No iteration yet.")
    number = np.array([float(iteration) for iteration, _ in iterations])
    drawn = []
    for key, name in (
        ("delta", "delta"),
        ("error", "estimated error"),
        ("residual", "norm of the residual"),
        ("rate", "contraction rate"),
    ):
        values = np.array([figures.get(key) or np.nan for _, figures in iterations], dtype=float)
        if np.isfinite(values).any():
            drawn.append(Curve(name, "", number, values))
    if tolerance is not None:
        drawn.append(Curve("tolerance", "", number[[0, -1]], np.full(2, tolerance)))
    return charts.lines(drawn, "iteration", "", log=True)


@contextmanager
def _sweep(context: Context, job: Job) -> Iterator[Sample]:
    """Open the results of a sweep, perhaps not at its end.

    Raises
    ------
    TriviumError
        When there are none yet, or a package is missing.
    """
    try:
        from trivium.study.read import open_results
        from trivium.study.report.sample import Sample
    except ModuleNotFoundError as error:  # a sweep of another machine, of the same store of jobs
        raise missing("What reads the results of sweeps", "sweep") from error
    with open_results(context.store.folder_of(job.task_id) / "results") as results:
        yield Sample(results)
