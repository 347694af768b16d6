"""When a job begins and ends, as it was written: in words, or why it is no time."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, html

from trivium.dashboard import models
from trivium.dashboard.callbacks import view
from trivium.dashboard.context import Context
from trivium.dashboard.formatting import both
from trivium.dashboard.quantities import parse_time
from trivium.errors import InvalidValueError


def layout() -> html.P:
    """Return where it is said."""
    return html.P(id="new-times", className="muted", role="status")


def register(pages: Dash, context: Context) -> None:
    """Add the callback."""

    @view(
        pages,
        Output("new-times", "children"),
        Input("new-start", "value"),
        Input("new-stop", "value"),
        Input("new-model", "value"),
    )
    def describe(start: str | None, stop: str | None, model: str | None) -> Any:
        calendar = models.calendar(context, model or "")
        try:
            times = [
                parse_time(text, name, calendar) for text, name in ((start, "From"), (stop, "To")) if text and model
            ]
        except InvalidValueError as error:
            return html.Span(str(error), className="trouble")
        shown = both if calendar is None else calendar.text
        return " to ".join(map(shown, times)) + (f", {calendar.zone_name}" if calendar and times else "")
