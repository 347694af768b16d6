"""The leaderboard: runs of one scenario, those that serve first, then those that went furthest, the cheapest first."""

from __future__ import annotations

import math
from typing import Any

from dash import Dash, Input, Output, html

from trivium.dashboard.callbacks import view
from trivium.dashboard.catalog import CHIEF, Catalog, Run
from trivium.dashboard.elements import Select, card, field, options, table
from trivium.dashboard.formatting import figure

#: Newest sessions and jobs that are looked at.
_MOST = 200
_BY = ("cost_tot", "ener_tot", "tdis_tot", "emis_tot")


def card_of_leaderboard() -> html.Section:
    """Return the card."""
    return card(
        "Leaderboard",
        html.Div(
            [
                field("Scenario", Select("board-scenario"), wide=True),
                field("By", Select("board-by", options(_BY), _BY[0])),
            ],
            className="row",
        ),
        html.Div(id="board-table"),
    )


def register(pages: Dash, catalog: Catalog) -> None:
    """Add the callbacks."""

    def runs_of_scenarios() -> list[Run]:
        sessions, _ = catalog.page("session", "", "-created", 0, _MOST)
        jobs, _ = catalog.page("job", "", "-created", 0, _MOST)
        return [run for run in (*sessions, *jobs, *catalog.compared()) if run.setup["period"] and run.kpis]

    @view(
        pages,
        Output("board-scenario", "options"),
        Output("board-scenario", "value"),
        Output("board-table", "children"),
        Input("board-scenario", "value"),
        Input("board-by", "value"),
        Input("changed", "data"),
    )
    def board(scenario: str | None, by: str, _: Any) -> Any:
        runs = runs_of_scenarios()
        scenarios = list(dict.fromkeys(run.scenario for run in runs))
        if not scenarios:
            text = "No run of a scenario yet: start one above, submit a job of the kind step, or call trivium compare."
            return [], None, html.P(text, className="muted")
        shown = scenario if scenario in scenarios else scenarios[0]
        return options(scenarios), shown, _table([run for run in runs if run.scenario == shown], by)


def ranked(runs: list[Run], by: str) -> list[Run]:
    """Return runs, those that serve first, then the longest, then by an indicator of which less is better.

    Totals of a run that is not as long as others are no better for that.
    """

    def rank(run: Run) -> tuple[bool, int, float]:
        value = run.kpis.get(by)
        return run.kpis.get("serves") == 0, -round(length(run)), math.inf if value is None else float(value)

    return sorted(runs, key=rank)


def length(run: Run) -> float:
    """Return how much of its test a run has simulated [s]; 0 where that is not known."""
    return 0.0 if run.start is None or run.end is None else run.end - run.start


def _table(runs: list[Run], by: str) -> Any:
    names = list(dict.fromkeys([by, *CHIEF]))
    rows = [
        (
            str(place),
            run.name,
            run.setup["controller"] or "–",
            figure(length(run) / 86400) if length(run) else "–",
            "no" if run.kpis.get("serves") == 0 else "yes",
            *(figure(run.kpis.get(name)) for name in names),
        )
        for place, run in enumerate(ranked(runs, by), 1)
    ]
    head = ("Place", "Run", "Controller", "Days", "Serves", *names)
    return table(f"By {by}", head, rows, numbers=(3, *range(5, len(head))), cards=True)
