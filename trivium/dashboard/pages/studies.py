"""Studies: runs filtered by sliders, drawn over all columns and one against another, and compared."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlencode

import numpy as np
from dash import ALL, Dash, Input, Output, State, dcc, html, no_update
from numpy.typing import NDArray

from trivium.dashboard import charts, spread, trend, zoom
from trivium.dashboard.callbacks import view
from trivium.dashboard.context import Context
from trivium.dashboard.elements import Between, Choices, Select, card, field, options, retained
from trivium.dashboard.formatting import figure, moment, plural, short
from trivium.dashboard.pages import compared
from trivium.dashboard.pareto import pareto_front
from trivium.dashboard.studies import Studies, Study, has_results
from trivium.errors import TriviumError

#: Newest sweeps that can be chosen.
_MOST = 200
#: Columns that are chosen at first: parameters, then metrics.
_PARAMETERS, _METRICS = 6, 4
_SCATTER = "study-scatter"
#: What of the page its address holds.
KEPT = {
    "job": ("study", "value"),
    "columns": ("study-columns", "value"),
    "filters": ("study-kept", "data"),
    "colour": ("study-colour", "value"),
    "x": ("study-x", "value"),
    "y": ("study-y", "value"),
    "better-x": ("study-x-better", "value"),
    "better-y": ("study-y-better", "value"),
    "zoom": (f"{_SCATTER}-zoom", "data"),
    **compared.KEPT,
}
_NONE = "-"
#: Lists of the study's names.
_SELECTS = ("colour", "x", "y", "variable")
_BETTER = {"smaller": "smaller", "greater": "greater", _NONE: "neither: no front"}


def layout(_: Context) -> list[Any]:
    """Return the page."""
    return [
        html.H1("Studies"),
        card("The study", field("Sweep", Select("study"), wide=True), html.P(id="study-note", role="status")),
        html.Div(
            [
                card(
                    "Which runs",
                    field("Columns", Choices("study-columns", "column"), "They get a slider and an axis.", wide=True),
                    html.Div(id="study-filters", className="filters"),
                    html.P(id="study-passing", role="status"),
                    html.P(id="study-data", className="muted"),
                ),
                card(
                    "All columns",
                    html.Div([field("Colour", Select("study-colour"))], className="row"),
                    charts.graph("study-parallel", "Runs as lines over all chosen columns"),
                ),
                card(
                    "One against another",
                    html.Div(
                        [
                            field("Across", Select("study-x")),
                            field("Better across", Select("study-x-better", options(_BETTER, _BETTER), "smaller")),
                            field("Up", Select("study-y")),
                            field("Better up", Select("study-y-better", options(_BETTER, _BETTER), "smaller")),
                        ],
                        className="row",
                    ),
                    html.P(id="study-front", className="muted"),
                    zoom.layout(_SCATTER, "Runs as points, one column against another"),
                ),
                compared.card_of_runs(),
            ],
            id="study-parts",
            hidden=True,
        ),
        dcc.Store(id="study-mark"),
        dcc.Store(id="study-kept", data=[]),
        trend.names_of_address(compared.CHART, KEPT),
        dcc.Store(id="study-ends"),
        dcc.Store(id="study-compared", storage_type="session"),
    ]


def register(pages: Dash, context: Context) -> None:
    """Add the page's callbacks."""
    studies = Studies(context.store)
    compared.register(pages, context, studies)
    zoom.register(pages, _SCATTER)
    trend.register(pages, compared.CHART, KEPT)

    @view(
        pages,
        Output("study", "options"),
        Output("study", "value"),
        Output("study-mark", "data"),
        Output("study-note", "children"),
        Output("study-parts", "hidden"),
        Input("tick-page", "n_intervals"),
        Input("study", "value"),
        State("address", "search"),
        State("study", "options"),
        State("study-mark", "data"),
        State("job", "data"),
    )
    def listing(_: int | None, value: str | None, search: str | None, before: Any, mark: Any, job: str | None) -> Any:
        jobs = [job for job in context.store.jobs(kind="sweep", most=_MOST) if has_results(context.store, job.task_id)]
        labels = {job.task_id: f"{short(job.task_id)} · {moment(job.created)} · {job.state}" for job in jobs}
        candidates = (value, *parse_qs((search or "").lstrip("?")).get("job", []), job, *labels)
        task_id = next((name for name in candidates if name in labels), None)
        choices = options(labels, labels)
        listed = no_update if choices == before else choices
        if task_id is None:
            nothing = no_update if mark is None else None
            return listed, nothing, nothing, "There is no sweep with results yet. Submit one on the page New job.", True
        selected = no_update if task_id == value else task_id
        try:
            study = studies.open(task_id)
        except TriviumError as error:
            return listed, selected, None, html.Span(str(error), className="trouble"), True
        state = {"task_id": task_id, "mark": study.mark}
        return listed, selected, no_update if state == mark else state, _note(study), not study.runs.size

    @view(
        pages,
        Output("study-columns", "options"),
        Output("study-columns", "value"),
        *(Output(f"study-{name}", part) for name in _SELECTS for part in ("options", "value")),
        Input("study-mark", "data"),
        State("study-columns", "value"),
        *(State(f"study-{name}", "value") for name in _SELECTS),
    )
    def describe(mark: Any, columns: list[str], colour: str | None, x: str | None, y: str | None, shown: Any) -> Any:
        if not mark:
            return (no_update,) * 10
        study = studies.open(mark["task_id"])
        names = study.names
        left = [name for name in columns or [] if name in names]
        first = left or [*study.parameters[:_PARAMETERS], *study.metrics[:_METRICS]]
        every = options(names)
        goals = [*sorted(study.metrics, key=study.without_value), *names]
        made: list[Any] = [every, no_update if first == columns else first]
        made += [[{"value": _NONE, "label": "one for all"}, *every], retained(colour, (_NONE, *names), goals[0])]
        made += [every, retained(x, names, goals[0])]
        made += [every, retained(y, names, goals[min(1, len(goals) - 1)])]
        made += [options(study.variables), retained(shown, study.variables, next(iter(study.variables), None))]
        return made

    @view(
        pages,
        Output("study-filters", "children"),
        Output("study-ends", "data"),
        Input("study-columns", "value"),
        Input("study-mark", "data"),
        State({"filter": ALL}, "value"),
        State({"filter": ALL}, "id"),
        State("study-ends", "data"),
        State("study-kept", "data"),
    )
    def sliders(names: list[str] | None, mark: Any, values: list[Any], ids: list[Any], before: Any, linked: Any) -> Any:
        if not mark or not names:
            return [], None
        study = studies.open(mark["task_id"])
        names = [name for name in names if name in study.columns]
        ends = {"task_id": mark["task_id"], "names": names, "ends": [study.ends(name) for name in names]}
        ends["ends"] = [[figure(end) for end in pair] for pair in ends["ends"]]
        if ends == before:
            return no_update, no_update
        same = bool(before) and before["task_id"] == mark["task_id"]
        filters = _filters(ids, values) if same else {} if before else _linked(study, linked)
        return [_slider(study, name, filters.get(name)) for name in names], ends

    @view(
        pages,
        Output("study-passing", "children"),
        Output("study-data", "children"),
        Output("study-parallel", "figure"),
        Output("study-scatter", "figure"),
        Output("study-front", "children"),
        Output("study-kept", "data"),
        Input({"filter": ALL}, "value"),
        Input("study-mark", "data"),
        Input("study-columns", "value"),
        Input("study-colour", "value"),
        Input("study-x", "value"),
        Input("study-y", "value"),
        Input("study-x-better", "value"),
        Input("study-y-better", "value"),
        Input("study-compared", "data"),
        Input(f"{_SCATTER}-zoom", "data"),
        State({"filter": ALL}, "id"),
    )
    def draw(
        values: list[Any], mark: Any, names: list[str] | None, colour: str | None, x: str, y: str, better_x: str,
        better_y: str, marked: Any, zoomed: Any, ids: list[Any],
    ) -> Any:  # fmt: skip
        if not mark or not names:
            return (no_update,) * 6
        study = studies.open(mark["task_id"])
        if x not in study.columns or y not in study.columns:
            return (no_update,) * 6
        filters = _filters(ids, values)
        passing = study.select(filters)
        tint = colour if colour in study.columns else None
        front = _front(study, passing, (x, y), (better_x, better_y))
        shown = [name for name in names if name in study.columns]
        return (
            _passing(study, passing),
            _data(mark["task_id"], study, filters, passing),
            spread.parallel(study, shown, passing, tint),
            spread.scatter(study, passing, (x, y), tint, front, compared.runs_of(marked, mark), zoomed),
            f"The Pareto front has {plural(front.size, 'run')}: no other run is better in both." if front.size else "",
            [f"{name}={_written(study, name, value)}" for name, value in filters.items()],
        )


def _note(study: Study) -> str:
    text = f"{study.runs.size} of {plural(study.total, 'run')} are done"
    return f"{text}, {study.failed} failed." if study.failed else f"{text}."


def _filters(ids: Sequence[Mapping[str, str]], values: Sequence[Any]) -> dict[str, Any]:
    """Return the filters of sliders that are not at their ends, and of texts that are not all chosen."""
    filters = {id["filter"]: value for id, value in zip(ids, values, strict=True)}  # noqa: A001
    return {name: value for name, value in filters.items() if value is not None and value != [None, None]}


def _written(study: Study, name: str, value: Any) -> str:
    """Return a filter as the address has it."""
    return "|".join(value) if name in study.texts else _choice(study, name, value)


def _linked(study: Study, texts: Sequence[str]) -> dict[str, Any]:
    """Return filters as the address has them; those of columns that the study has not are passed over."""
    filters: dict[str, Any] = {}
    for text in texts or ():
        name, _, value = text.rpartition("=")
        if name in study.texts:
            filters[name] = value.split("|")
        elif name in study.columns:
            with contextlib.suppress(ValueError):
                filters[name] = [float(end) if end else None for end in value.split(":")]
    return filters


def _slider(study: Study, name: str, value: Any) -> Any:
    if name in study.texts:
        texts = list(study.texts[name])
        ticks = dcc.Checklist(texts, texts if value is None else value, id={"filter": name}, className="ticks")
        return html.Fieldset([html.Legend(name), ticks])
    low, high = study.ends(name)
    if not low < high:
        return html.Div(
            [html.Span(name, className="name"), html.Span(figure(low), className="ends")], className="between"
        )
    return Between({"filter": name}, name, low, high, value or [None, None])


def _passing(study: Study, passing: NDArray[np.intp]) -> str:
    text = f"{passing.size} of {plural(study.runs.size, 'run')} pass."
    if passing.size > spread.LINES:
        text += f" {spread.LINES} of them are drawn as lines"
        text += f", {spread.POINTS} as points." if passing.size > spread.POINTS else "."
    return text


def _data(task_id: str, study: Study, filters: Mapping[str, Any], passing: NDArray[np.intp]) -> Any:
    """Return links to the runs as data: the route of selections with these filters."""
    if not passing.size:
        return None
    query = [("select", f"{name}={_choice(study, name, value)}") for name, value in filters.items()]
    query.append(("limit", str(passing.size)))
    links: list[Any] = ["These runs as data: "]
    for name, form in (("Parquet", "parquet"), ("JSON", "json")):
        address = f"/api/run/results/{task_id}/selection?{urlencode([*query, ('format', form)])}"
        links += [html.A(name, href=address, download=f"{short(task_id)}.{form}"), ", "]
    return links[:-1]


def _choice(study: Study, name: str, value: Any) -> str:
    """Return a filter as the route reads it."""
    if name in study.texts:
        return ",".join(value)
    return ":".join("" if end is None else repr(float(end)) for end in value)


def _front(study: Study, passing: NDArray[np.intp], axes: tuple[str, str], better: tuple[str, str]) -> NDArray[np.intp]:
    if _NONE in better or axes[0] == axes[1] or any(name in study.texts for name in axes):
        return np.empty(0, dtype=np.intp)
    first, second = (study.columns[name][passing] for name in axes)
    smaller = (better[0] == "smaller", better[1] == "smaller")
    return passing[pareto_front(first, second, smaller=smaller)]
