"""Runs: sessions and jobs in one table, searched, ordered, pinned and compared; new ones at a date or in a scenario."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from dash import ALL, Dash, Input, Output, State, dcc, html, no_update

from trivium import glossary
from trivium.arguments import INDICATOR
from trivium.dashboard import trend
from trivium.dashboard.callbacks import action, pressed, view
from trivium.dashboard.catalog import CHIEF, Catalog, Run
from trivium.dashboard.context import Context
from trivium.dashboard.elements import Select, button, card, field, folded, line, options, table
from trivium.dashboard.formatting import both, figure, moment, plural
from trivium.dashboard.pages import comparison, leaderboard, planning

#: What of the page its address holds: names there, components and properties.
KEPT = {
    "kind": ("runs-kind", "value"),
    "search": ("runs-search", "value"),
    "state": ("runs-state", "value"),
    "sort": ("runs-sort", "value"),
    "offset": ("runs-offset", "data"),
    "runs": ("runs-pinned", "data"),
    **comparison.KEPT,
    "scenario": ("board-scenario", "value"),
    "by": ("board-by", "value"),
}
#: Runs of a page, and most that are pinned.
_ROWS, MOST_PINNED = 20, 6
_KINDS = {"session": "sessions", "job": "step jobs"}
_STATES = {"session": glossary.SESSIONS, "job": glossary.JOBS}
_ANY = "any"
_BY_TIME = {"-created": "newest first", "created": "oldest first"}
_BY_INDICATOR = {f"{INDICATOR}{name}": f"least {name} first" for name in CHIEF}
_BY_INDICATOR |= {f"-{INDICATOR}{name}": f"greatest {name} first" for name in CHIEF}
_SORTS = {
    "session": _BY_TIME
    | {"-last_used": "last used first", "name": "by name", "testcaseid": "by test case"}
    | _BY_INDICATOR,
    "job": _BY_TIME | {"-finished": "last finished first", "status": "by state"} | _BY_INDICATOR,
}


def layout(context: Context) -> list[Any]:
    """Return the page."""
    return [
        html.H1("Runs"),
        planning.card_of_planning(context),
        card(
            "All runs",
            html.Div(
                [
                    field("Kind", Select("runs-kind", options(_KINDS, _KINDS), "session")),
                    field(
                        "Search", line("runs-search"), "words of the name, id, tags, test case, controller", wide=True
                    ),
                    field("State", Select("runs-state", options([_ANY, *glossary.SESSIONS]), _ANY)),
                    field("Order", Select("runs-sort", options(_SORTS["session"], _SORTS["session"]), "-created")),
                ],
                className="row",
            ),
            html.Div(
                [
                    button("Previous page", "runs-back", "quiet"),
                    html.Span(id="runs-place", role="status"),
                    button("Next page", "runs-on", "quiet"),
                    button("Look again", "runs-again", "quiet"),
                ],
                className="row tools",
            ),
            html.Div(id="runs-table"),
        ),
        card(
            "Pinned runs, compared",
            html.P(f"Pin up to {MOST_PINNED} runs in the table above. The first is what the others are compared with."),
            html.Div(id="runs-pins"),
            *comparison.parts(),
            trend.names_of_address(comparison.CHART, KEPT),
        ),
        leaderboard.card_of_leaderboard(),
        dcc.Store(id="runs-offset", data=0),
        dcc.Store(id="runs-pinned", storage_type="session"),
    ]


def register(pages: Dash, context: Context) -> None:
    """Add the page's callbacks."""
    catalog = Catalog(context)
    planning.register(pages, context)
    comparison.register(pages, context, catalog)
    leaderboard.register(pages, catalog)
    trend.register(pages, comparison.CHART, KEPT)
    _register_table(pages, catalog)
    _register_pins(pages, catalog)


def _register_table(pages: Dash, catalog: Catalog) -> None:
    @view(
        pages,
        Output("runs-table", "children"),
        Output("runs-place", "children"),
        Output("runs-back", "disabled"),
        Output("runs-on", "disabled"),
        Input("runs-kind", "value"),
        Input("runs-search", "value"),
        Input("runs-state", "value"),
        Input("runs-sort", "value"),
        Input("runs-offset", "data"),
        Input("runs-pinned", "data"),
        Input("changed", "data"),
    )
    def listing(kind: str, search: str, state: str, sort: str, offset: int, pinned: Any, _: Any) -> Any:
        if state not in (_ANY, *_STATES[kind]) or sort not in _SORTS[kind]:
            return (no_update,) * 4  # of the other kind; `choices` chooses others
        runs, total = catalog.page(kind, search or "", sort, offset, _ROWS, None if state == _ANY else state)
        names = [name for name in CHIEF if any(run.kpis.get(name) is not None for run in runs)]
        head = ("Run", "Actions", "State", "Controller", *names)
        rows = [_row(run, names, pinned or [], _STATES[kind]) for run in runs]
        numbers = range(4, 4 + len(names))
        last = min(offset + _ROWS, total)
        place = f"{offset + 1} to {last} of {plural(total, 'run')}" if total else "No run matches."
        shown = table(f"Runs, {place}", head, rows, numbers=numbers, cards=True)
        return shown, place, offset <= 0, last >= total

    @view(
        pages,
        Output("runs-state", "options"),
        Output("runs-state", "value"),
        Output("runs-sort", "options"),
        Output("runs-sort", "value"),
        Input("runs-kind", "value"),
        State("runs-state", "value"),
        State("runs-sort", "value"),
    )
    def choices(kind: str, state: str, sort: str) -> Any:
        states, sorts = [_ANY, *_STATES[kind]], _SORTS[kind]
        return (
            options(states),
            no_update if state in states else _ANY,
            options(sorts, sorts),
            no_update if sort in sorts else next(iter(sorts)),
        )

    @action(
        pages,
        "read",
        Output("runs-offset", "data"),
        Input("runs-back", "n_clicks"),
        State("runs-offset", "data"),
    )
    def back(_: Any, offset: int) -> Any:
        return max(0, offset - _ROWS)

    @action(
        pages,
        "read",
        Output("runs-offset", "data", allow_duplicate=True),
        Input("runs-on", "n_clicks"),
        State("runs-offset", "data"),
    )
    def on(_: Any, offset: int) -> Any:
        return offset + _ROWS

    @view(
        pages,
        Output("runs-offset", "data", allow_duplicate=True),
        Input("runs-kind", "value"),
        Input("runs-search", "value"),
        Input("runs-state", "value"),
        Input("runs-sort", "value"),
        prevent_initial_call=True,
    )
    def first(*_: Any) -> Any:
        return 0

    @action(pages, "read", Output("changed", "data", allow_duplicate=True), Input("runs-again", "n_clicks"))
    def again(_: Any) -> Any:
        return time.time()


def _register_pins(pages: Dash, catalog: Catalog) -> None:
    @view(
        pages,
        Output("runs-pinned", "data"),
        Input("address", "pathname"),
        State("address", "search"),
        State("runs-pinned", "data"),
    )
    def linked(_: Any, search: str | None, pinned: Any) -> Any:
        linked = trend.asked(search, "runs")[:MOST_PINNED]
        return linked if linked and not pinned else no_update

    @action(
        pages,
        "read",
        Output("runs-pinned", "data", allow_duplicate=True),
        # a pinned run has a button in its row and one above the table
        Input({"do": "pin", "of": ALL}, "n_clicks"),
        Input({"do": "unpin", "of": ALL}, "n_clicks"),
        State("runs-pinned", "data"),
    )
    def pin(_: Any, __: Any, pinned: Any) -> Any:
        return _toggled(pressed(), list(pinned or []))

    @view(pages, Output("runs-pins", "children"), Input("runs-pinned", "data"))
    def pins(pinned: Any) -> Any:
        runs = catalog.find(pinned or [])
        if not runs:
            return html.P("No run is pinned.", className="muted")
        return html.Div(
            [button(f"Unpin {run.name}", {"do": "unpin", "of": run.id}, "quiet") for run in runs], className="row"
        )


def _toggled(run: str, pinned: list[str]) -> list[str]:
    """Return what is pinned when a run was pinned, or was before; of too many the oldest goes."""
    return [each for each in pinned if each != run] if run in pinned else [*pinned, run][-MOST_PINNED:]


def _pin(run: Run, pinned: list[str]) -> Any:
    word = "Unpin" if run.id in pinned else "Pin"
    return button(word, {"do": "pin", "of": run.id}, "quiet", name=f"{word} run {run.name}")


def _row(run: Run, names: list[str], pinned: list[str], states: Mapping[str, str]) -> tuple[Any, ...]:
    scenario = " · ".join(run.setup[name] for name in ("period", "price", "uncertainty") if run.setup[name])
    tags = f" ({run.setup['tags']})" if run.setup["tags"] else ""
    return (
        folded(
            [html.Code(run.name, title=run.key), tags],
            scenario,
            "" if run.end is None else f"until {both(run.end)}",
            f"made {moment(run.created)}",
        ),
        _pin(run, pinned),
        html.Span(run.state, title=states[run.state]),
        run.setup["controller"] or "–",
        *(figure(run.kpis.get(name)) for name in names),
    )
