"""New jobs: forms that write specifications, the specification beside them, and what it will cost."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import parse_qs

import dash
from dash import Dash, Input, Output, State, dcc, html, no_update

from trivium.dashboard import forms, models
from trivium.dashboard.callbacks import action, view
from trivium.dashboard.context import Context
from trivium.dashboard.elements import Select, button, card, field, options, say
from trivium.dashboard.formatting import duration, short
from trivium.dashboard.pages import case_form, study_form
from trivium.errors import InvalidValueError, TriviumError
from trivium.jobs import kinds
from trivium.jobs.record import State as Stand

#: Kinds with a form, by what readers see; the others begin with their example.
_FORMS = {
    "sweep": "sweep: a model many times",
    "find": "goal seek: where a condition begins to hold",
    "optimize": "optimize: metrics least or greatest",
    "calibrate": "calibrate: parameters fitted to what was measured",
    "step": "step: a test under a controller",
    "converge": "converge: a coupled case",
}
_HERE = "/dashboard/new"


def layout(context: Context) -> list[Any]:
    """Return the page."""
    names = {name: name for name in kinds.names() if name not in _FORMS} | _FORMS
    names = {name: names[name] for name in (*_FORMS, *(n for n in names if n not in _FORMS))}
    return [
        html.H1("New job"),
        html.P(id="new-from", className="muted"),
        html.Div(
            [
                html.Div(
                    [
                        card(
                            "What to do",
                            field("Kind", Select("new-kind", options(names, names), "sweep"), wide=True),
                            html.P(id="new-about", className="muted"),
                        ),
                        study_form.layout(context),
                        case_form.layout(context),
                    ]
                ),
                card(
                    "The job",
                    html.P(id="new-cost", role="status", className="cost"),
                    button("Submit", "submit-job", "main", "jobs"),
                    field(
                        "Specification (JSON or TOML)",
                        dcc.Textarea(id="spec", value="", spellCheck=False, rows=22),
                        "You may edit it; the next change of the form writes it anew.",
                        wide=True,
                    ),
                    id="new-job",
                ),
            ],
            className="cards beside",
        ),
    ]


def register(pages: Dash, context: Context) -> None:
    """Add the page's callbacks."""
    study_form.register(pages, context)
    case_form.register(pages, context)

    @view(
        pages,
        Output("new-from", "children"),
        Output("spec", "value"),
        Input("address", "search"),
        State("address", "pathname"),
    )
    def begin(search: str | None, path: str | None) -> Any:
        task_id = next(iter(parse_qs((search or "").lstrip("?")).get("job", [])), None)
        if task_id is None or (path or "").rstrip("/") != _HERE:
            return no_update, no_update
        job = context.store.get(task_id)
        note = ["The specification of the job ", html.Code(short(task_id)), ", to be changed and submitted again. "]
        # no output: the reader may have chosen a kind before the reply to the first call arrives
        dash.set_props("new-kind", {"value": job.kind})
        return [*note, dcc.Link("Begin with a form", href=_HERE)], json.dumps(dict(job.spec), indent=2)

    @view(
        pages,
        Output("new-about", "children"),
        Output("study-form", "hidden"),
        Output("case-form", "hidden"),
        Output("spec", "value", allow_duplicate=True),
        Input("new-kind", "value"),
        Input("address", "search"),
        prevent_initial_call="initial_duplicate",
    )
    def describe(kind: str, search: str | None) -> Any:
        resubmitted = "job=" in (search or "")
        try:
            shown = kinds.find(_kind(kind))
        except TriviumError as error:
            return html.Span(str(error), className="trouble"), True, True, no_update
        example = no_update if resubmitted or kind in _FORMS else json.dumps(dict(shown.example), indent=2)
        return (
            shown.about,
            resubmitted or kind not in study_form.KINDS,
            resubmitted or kind != "converge",
            example,
        )

    @view(pages, Output("new-cost", "children"), Input("spec", "value"), Input("new-kind", "value"))
    def estimate(text: str | None, kind: str) -> Any:
        if not text:
            return "Fill in the form."
        try:
            return _cost(context, kind, text)
        except TriviumError as error:
            return html.Span(" ".join(str(error).split()), className="trouble")

    @action(
        pages,
        "jobs",
        Output("job", "data"),
        Output("changed", "data", allow_duplicate=True),
        Output("address", "href"),
        Input("submit-job", "n_clicks"),
        State("new-kind", "value"),
        State("spec", "value"),
        running=[
            (Output("submit-job", "disabled"), True, False),
            (Output("submit-job", "children"), "Checking …", "Submit"),
        ],
    )
    def submit(_: Any, kind: str, text: str) -> Any:
        chosen_kind = kinds.find(_kind(kind))
        parsed = kinds.parse(chosen_kind, forms.parse_text(text), context.settings)
        if chosen_kind.check is not None:
            chosen_kind.check(parsed, context.settings)
        job = context.store.submit(_kind(kind), parsed.model_dump(mode="json", by_alias=True))
        say(f"Submitted the job {short(job.task_id)}.")
        return job.task_id, time.time(), "/dashboard/jobs"


def _kind(form: str) -> str:
    """Return the kind of job of a form: a goal is sought by a sweep."""
    return "sweep" if form == "find" else form


def _cost(context: Context, kind: str, text: str) -> str:
    """Return what a specification will cost, once it is checked.

    Raises
    ------
    TriviumError
        When it would be refused.
    """
    name = _kind(kind)
    spec: Any = kinds.parse(kinds.find(name), forms.parse_text(text), context.settings)
    if name in (*kinds.WITH_RUNS, "calibrate") and spec.simulation is not None:
        model = f"testcase:{spec.testcase}" if spec.testcase else f"file:{spec.folder}/{spec.package.name}"
        if name == "calibrate":
            return forms.cost_of_rounds(spec, models.offer(context, model))
        done = context.store.jobs(Stand.SUCCESS, name, 50)
        return str(forms.cost_of(spec, models.offer(context, model), done))
    if name == "step":
        offer = models.offer(context, f"testcase:{context.sessions.testcases()[0]}")
        period = offer["periods"].get(spec.scenario.time_period)
        if period is None and spec.end_time is None:
            raise InvalidValueError(f"The test case has no time period {spec.scenario.time_period}.", "scenario")
        length = spec.end_time - spec.start_time if period is None else period[1] - period[0]
        if spec.days is not None:
            length = min(length, 86400 * spec.days)
        steps = max(1, round(length / offer["step"]))
        seconds = offer["beginning"] + steps * offer["seconds"]
        return f"{steps} steps. About {duration(seconds)}, by a measurement."
    return "The specification is in order."
