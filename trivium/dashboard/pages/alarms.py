"""Alarms of the session that is shown: a banner on every page, which opens to a list where they are acknowledged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import Dash, Input, Output, State, html

from trivium.dashboard.callbacks import action, done, needed, view
from trivium.dashboard.context import Context
from trivium.dashboard.controls import Alarms
from trivium.dashboard.formatting import clock, moment, plural, scale
from trivium.dashboard.readings import Reading
from trivium.dashboard.schematic import SIGNS
from trivium.evaluation.alarm_limits import STALE
from trivium.protocol import Alarm
from trivium.server import guard


def banner() -> html.Section:
    """Return the banner, which is not seen while there is no alarm."""
    return html.Section(Alarms("alarms"), className="banner", **{"aria-label": "Alarms"})


def read(context: Context, reading: Reading) -> list[dict[str, Any]]:
    """Return the alarms of a session, the most urgent first, as a browser may keep them."""
    alarms = [alarm for alarm in reading.alarms if alarm.name != STALE]
    if (stale := context.alarms.stale(reading.testid)) is not None:
        alarms.insert(0, stale._replace(value=round(stale.value), worst=round(stale.worst)))
    return [alarm._asdict() for alarm in alarms]


def of_rows(alarms: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the alarms that rows of the session raise: not that it stands, which grows while nothing is new."""
    return [alarm for alarm in alarms if alarm["name"] != STALE]


def alarms_of(stand: Mapping[str, Any] | None) -> list[Alarm]:
    """Return the alarms that `read` returned, of where a session stands."""
    return [Alarm(**each) for each in (stand or {}).get("alarms", ())]


def register(pages: Dash, context: Context) -> None:
    """Add the banner's callbacks."""

    @view(
        pages,
        Output("alarms", "rows"),
        Output("alarms", "summary"),
        Output("alarms", "kind"),
        Output("alarms", "may"),
        Input("scene", "data"),
    )
    def show(stand: Any) -> Any:
        alarms = alarms_of(stand)
        plant = bool(alarms) and context.readings.about(stand["testid"]).plant is not None
        active = [alarm for alarm in alarms if alarm.active]
        kind = active[0].priority if active else "over"
        return [_row(alarm, plant=plant) for alarm in alarms], _summary(alarms), kind, guard.may("control")

    @action(
        pages,
        "control",
        Output("alarms", "acknowledge"),
        Input("alarms", "acknowledge"),
        State("session", "value"),
    )
    def acknowledge(asked: Any, testid: str | None) -> Any:
        with context.readings.room():
            alarms = context.alarms.acknowledge(needed(testid), [str(asked["name"])], guard.caller())
        context.readings.forget(needed(testid))
        done(f"Acknowledged: {alarms[0].text}.")


def _row(alarm: Alarm, *, plant: bool) -> dict[str, Any]:
    shown = scale(alarm.unit, plant=plant)
    state = "active" if alarm.active else f"over since {clock(alarm.until or 0.0)}"
    if alarm.acknowledged:
        author = f" by {alarm.acknowledged_by}" if alarm.acknowledged_by else ""
        state += f", acknowledged{author} at {moment(alarm.acknowledged_at)}"
    return {
        "name": alarm.name,
        "sign": SIGNS[alarm.priority] if alarm.active else "○",
        "text": alarm.text,
        "priority": alarm.priority,
        "value": shown.text(alarm.value),
        "limit": shown.text(alarm.limit),
        "since": clock(alarm.since),
        "state": state,
        "active": alarm.active,
        "open": not alarm.acknowledged and alarm.name != STALE,
    }


def _summary(alarms: Sequence[Alarm]) -> str:
    active = [alarm for alarm in alarms if alarm.active]
    over = len(alarms) - len(active)
    new = sum(not alarm.acknowledged for alarm in active)
    if not active:
        return f"{plural(over, 'alarm')} over, not acknowledged" if over else ""
    words = [f"{SIGNS[active[0].priority]} {plural(len(active), 'alarm')}, {new} not acknowledged: {active[0].text}"]
    return "; ".join(words + ([f"{over} over"] if over else []))
