"""Jobs: watched and cancelled; what they found is on `results`, and `submit` has the forms for new ones."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from dash import Dash, Input, Output, State, ctx, dcc, html, no_update

from trivium.control.commands import DOES_NOT_SERVE
from trivium.dashboard import trend
from trivium.dashboard.callbacks import action, pressed, view
from trivium.dashboard.context import Context
from trivium.dashboard.elements import (
    Select,
    Still,
    button,
    card,
    drawn,
    facts,
    field,
    folded,
    options,
    refresh,
    say,
    table,
)
from trivium.dashboard.formatting import duration, figure, moment, short
from trivium.dashboard.logs import LEVELS, tail
from trivium.dashboard.pages import coupled, report, results
from trivium.dashboard.studies import has_results
from trivium.errors import NotFoundError
from trivium.glossary import JOBS
from trivium.jobs import kinds
from trivium.jobs.record import Job
from trivium.jobs.record import State as Stand

#: What of the page its address holds.
KEPT = {
    "job": ("job", "data"),
    **results.KEPT,
    "page": ("job-page", "value"),
    "channel": ("coupled-channel", "value"),
    "log": ("log-level", "value"),
    "offset": ("jobs-first", "data"),
}
_SIGNS = {Stand.PENDING: "…", Stand.RUNNING: "▶", Stand.SUCCESS: "✓", Stand.ERROR: "✕", Stand.CANCELLED: "■"}
_MOST = 50


def layout(_: Context) -> list[Any]:
    """Return the page."""
    return [
        html.H1("Jobs"),
        card(
            "All jobs",
            html.P(dcc.Link("New job", href="/dashboard/new", className="button main")),
            Still("jobs-table"),
            html.Div(
                [
                    button("Newer", "jobs-newer"),
                    button("Older", "jobs-older"),
                    html.Span(id="jobs-place", className="muted", role="status"),
                ],
                className="row end",
            ),
            dcc.Store(id="jobs-first", data=0),
        ),
        html.Section(
            [
                html.H2("The job", id="job-title"),
                Still("job-facts"),
                html.Div(
                    [
                        button(
                            "Cancel the job",
                            "cancel-job",
                            needs="jobs",
                            confirm="Cancel the job? What it has done is kept; the rest can be submitted again.",
                        ),
                        button("Run it again", "rerun-job", needs="jobs"),
                        html.Span(id="job-study", className="row tight"),
                    ],
                    className="row",
                ),
                results.layout(),
                report.layout(),
                coupled.layout(),
                Still("job-figures"),
                html.Details(
                    [
                        html.Summary("Log"),
                        html.Div(field("Lines", Select("log-level", options(LEVELS, LEVELS), "all")), className="row"),
                        html.Pre(id="job-log", tabIndex="0", **{"aria-label": "Log"}),
                    ],
                    open=True,
                ),
                html.Details([html.Summary("Specification"), html.Pre(id="job-spec", tabIndex="0")]),
            ],
            id="job-card",
            className="card",
            hidden=True,
        ),
        dcc.Store(id="job-mark"),
        trend.names_of_address("jobs", KEPT),
    ]


def register(pages: Dash, context: Context) -> None:
    """Add the page's callbacks."""
    store = context.store
    results.register(pages, context)
    report.register(pages, context)
    coupled.register(pages, context)
    trend.keep_address(pages, "jobs", f"{results.CHART}-zoom", KEPT)

    @view(
        pages,
        Output("job", "data", allow_duplicate=True),
        Input("jobs-names", "data"),  # once the page is there
        State("address", "search"),
        prevent_initial_call="initial_duplicate",
    )
    def arrive(_: Any, search: str | None) -> Any:
        return next(iter(trend.asked(search, "job")), no_update)

    @view(
        pages,
        Output("jobs-table", "content"),
        Output("jobs-place", "children"),
        Output("jobs-newer", "disabled"),
        Output("jobs-older", "disabled"),
        Input("tick-page", "n_intervals"),
        Input("changed", "data"),
        Input("jobs-first", "data"),
    )
    def listing(_: int | None, __: Any, first: int) -> Any:
        jobs = store.jobs(most=_MOST + 1, first=first)
        continues, jobs = len(jobs) > _MOST, jobs[:_MOST]
        head = ("Job", "Actions", "State", "Progress", "Message", "Duration")
        shown = table(
            "Jobs, the newest first",
            head,
            [_row(job) for job in jobs],
            keys=[job.task_id for job in jobs],
            empty="There is no job yet.",
            cards=True,
        )
        place = f"Jobs {first + 1} to {first + len(jobs)}, the newest first." if jobs else ""
        return drawn(shown), place, not first, not continues

    @view(
        pages,
        Output("jobs-first", "data"),
        Input("jobs-newer", "n_clicks"),
        Input("jobs-older", "n_clicks"),
        State("jobs-first", "data"),
        prevent_initial_call=True,
    )
    def turn(newer: int, older: int, first: int) -> Any:
        if not newer and not older:
            return no_update
        return max(0, first + (_MOST if ctx.triggered_id == "jobs-older" else -_MOST))

    @action(pages, "read", Output("job", "data", allow_duplicate=True), Input("jobs-table", "view"))
    def choose(_: Any) -> Any:
        return pressed()

    @action(pages, "jobs", Output("cancel-job", "n_clicks"), Input("cancel-job", "n_clicks"), State("job", "data"))
    def cancel(_: Any, task_id: str) -> Any:
        job = store.cancel(task_id)
        state = "cancelled" if job.state.ended else "asked to end"
        say(f"The job {short(task_id)} is {state}.", undo=f"job {task_id} again")
        refresh(time.time())
        return no_update

    @action(
        pages,
        "jobs",
        Output("job", "data", allow_duplicate=True),
        Output("changed", "data", allow_duplicate=True),
        Input("rerun-job", "n_clicks"),
        State("job", "data"),
    )
    def rerun(_: Any, task_id: str) -> Any:
        before = store.get(task_id)
        kinds.parse(kinds.find(before.kind), before.spec, context.settings)  # its files may be gone
        job = store.submit(before.kind, before.spec)
        say(f"Submitted the job {short(job.task_id)}, the same as {short(task_id)}.")
        return job.task_id, time.time()

    @view(
        pages,
        Output("job-card", "hidden"),
        Output("job-title", "children"),
        Output("job-facts", "content"),
        Output("job-study", "children"),
        Output("job-figures", "content"),
        Output("job-log", "children"),
        Output("job-spec", "children"),
        Output("cancel-job", "disabled"),
        Output("job-mark", "data"),
        Input("job", "data"),
        Input("tick-page", "n_intervals"),
        Input("changed", "data"),
        Input("log-level", "value"),
        State("job-mark", "data"),
    )
    def detail(task_id: str | None, _: int | None, __: Any, level: str, mark: Any) -> Any:
        nothing = (True, *[no_update] * 8)
        if not task_id:
            return nothing
        try:
            job = store.get(task_id)
        except NotFoundError:
            return nothing
        folder = store.folder_of(job.task_id)
        state = {"task_id": job.task_id, "state": job.state, "counts": dict(job.counts)}
        log = tail(folder / "log.txt", level)
        return (
            False,
            f"Job {short(job.task_id)}",
            drawn(_facts(job)),
            _links(job, runs=has_results(store, job.task_id)),
            drawn(_figures(job)),
            log or ("There is no such line." if job.state.ended else "Nothing yet."),
            json.dumps(dict(job.spec), indent=2),
            job.state.ended,
            no_update if state == mark else state,
        )


def _links(job: Job, *, runs: bool) -> list[Any]:
    """Return where one goes on from a job."""
    links = [dcc.Link("Edit and submit", href=f"/dashboard/new?job={job.task_id}", className="button")]
    if runs:
        links.append(dcc.Link("Look at its runs", href=f"/dashboard/studies?job={job.task_id}", className="button"))
    return links


def _row(job: Job) -> tuple[Any, ...]:
    sign = html.Span(_SIGNS[job.state], **{"aria-hidden": "true"})
    return (
        folded(
            [html.Code(short(job.task_id), title=job.task_id)],
            job.kind,
            f"submitted {moment(job.created)}",
            f"owner {job.owner}" if job.owner else "",
        ),
        button("View", {"do": "view", "of": job.task_id}, "quiet", name=f"View job {short(job.task_id)}"),
        html.Span([sign, f" {job.state}"], className=f"state {job.state.lower()}", title=JOBS[job.state]),
        _bar(job),
        html.Span([job.message, " ", html.Span(DOES_NOT_SERVE, className="trouble")])
        if _unserving(job)
        else job.message,
        _duration(job),
    )


def _duration(job: Job) -> str:
    """Return how long a job ran, or has run by now."""
    if job.started is None:
        return "–"
    return duration((job.finished or time.time()) - job.started)


def _unserving(job: Job) -> bool:
    """Return whether a job was a test that does not serve."""
    return job.results.get("serves") == 0


def _bar(job: Job) -> Any:
    if job.progress is None:
        return "–"
    percent = f"{100 * job.progress:.0f} %"
    return html.Div(
        [
            html.Progress(value=str(job.progress), max="1", **{"aria-label": f"Progress of job {short(job.task_id)}"}),
            html.Span(percent),
        ],
        className="progress",
    )


def _facts(job: Job) -> Any:
    rows = [
        ("Job", html.Code(job.task_id)),
        ("Kind", job.kind),
        ("Owner", job.owner or "–"),
        ("State", f"{job.state}{', asked to end' if job.cancel and not job.state.ended else ''}. {JOBS[job.state]}"),
        ("Progress", _bar(job)),
        ("Message", job.message),
        ("Outcome", job.outcome or "–"),
        ("Submitted", moment(job.created)),
        ("Started", moment(job.started)),
        ("Finished", moment(job.finished)),
        ("Duration", _duration(job)),
        ("Attempts", str(job.attempts)),
    ]
    if _unserving(job):
        text = f"{DOES_NOT_SERVE}: heat is not removed, or the hall is off its set point. What it saves is no saving."
        rows.append(("Service", html.Span(text, className="trouble")))
    if job.error:
        rows.append(("Error", html.Span(job.error, className="trouble")))
    return facts(rows)


def _figures(job: Job) -> Any:
    """Return figures of a job, and its files."""
    made: list[Any] = []
    figures = dict(job.results) or dict(job.counts)
    if figures:
        rows = [(html.Code(name), figure(value)) for name, value in figures.items()]
        made.append(table("Figures of the job", ("Figure", "Value"), rows, numbers=(1,)))
    if job.files:
        links = [
            html.Li(html.A(name, href=f"/api/run/results/{job.task_id}/{name}", download=Path(name).name))
            for name in job.files
        ]
        made.append(html.Details([html.Summary(f"{len(links)} files"), html.Ul(links)], open=len(links) < 12))
    return made
