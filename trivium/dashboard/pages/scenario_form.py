"""The part of the form of a test that is about its scenario: a time period, the price, the error of forecasts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import html

from trivium.dashboard.elements import Select, field, options
from trivium.dashboard.formatting import DAY
from trivium.evaluation.forecast_error import LEVELS
from trivium.evaluation.scenario import PRICES

#: The choice that leaves a part of the scenario as the test case has it.
USUAL = "-"
#: Prices and uncertainties that can be chosen, as a reader knows them.
PRICE_CHOICES = {USUAL: "as the test case has it", **{name: name.replace("_", " ") for name in PRICES}}
UNCERTAINTY_CHOICES = {USUAL: "none", **{name: name for name in LEVELS}}


def layout() -> html.Div:
    """Return the fields."""
    return html.Div(
        [
            field("Price", Select("new-price", options(PRICE_CHOICES, PRICE_CHOICES), USUAL)),
            field(
                "Uncertain forecast",
                Select("new-uncertainty", options(UNCERTAINTY_CHOICES, UNCERTAINTY_CHOICES), USUAL),
            ),
        ],
        id="new-scenario",
        className="row",
    )


def specification(
    start: float, stop: float, controller: str, period: str | None, periods: Mapping[str, Any], parts: Mapping[str, str]
) -> dict[str, Any]:
    """Return the specification of a test.

    Parameters
    ----------
    start, stop : float
        [s]
    controller : str
    period : str or None
        That is chosen; the test is of it where it begins with it.
    periods : Mapping
        Start and end of each [s].
    parts : Mapping[str, str]
        Other parts of the scenario, by name; `USUAL` is left out.
    """
    scenario: dict[str, Any] = {name: value for name, value in parts.items() if value and value != USUAL}
    times: dict[str, float] = {"start_time": start, "end_time": stop}
    if period is not None and period in periods and start == periods[period][0] and start < stop <= periods[period][1]:
        scenario["time_period"] = period
        times = {"days": (stop - start) / DAY}
    return {**times, "controller": controller, **({"scenario": scenario} if scenario else {})}
