"""Requests and replies of a session, written and read."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from trivium.model.linearization import GROUPS, Linearization
from trivium.model.variable import Variable
from trivium.protocol import Alarm, Override, Trajectory, Value
from trivium.table import Table

#: Why indicators are null, in the message of a reply: name, reason.
_REASON = re.compile(r"(?:Null: |; )(\w+), ([^;]+?)(?=;|\.$)")
#: Inputs that were clamped, in the message of a reply: value, name, bound.
_CLAMPED = re.compile(
    r"value of (\S+) for (\S+) is "
    r"(?:above maximum of \S+|below minimum of \S+|between two positions)\.  Using (\S+)\. ;"
)


def variables(records: Mapping[str, Mapping[str, Any]], *fields: str) -> Table[Variable]:
    """Return the variables that a reply lists; `fields` are the columns shown beside unit, description and bounds."""
    rows = {}
    for name, record in records.items():
        kind, start = record.get("Type", "real"), record.get("Start")
        number, text = (None, start) if kind == "text" else (start, None)
        bounds = record.get("Minimum"), record.get("Maximum")
        rows[name] = Variable(
            name,
            record["Unit"],
            record["Description"],
            *bounds,
            number,
            kind,
            text,
            items=record.get("Items", {}),
            tunable=record.get("Tunable", False),
            causality=record.get("Causality", ""),
        )
    return Table(rows, ("unit", "description", "minimum", "maximum", *fields))


def alarms(payload: Sequence[Mapping[str, Any]]) -> list[Alarm]:
    """Return the alarms that a reply lists."""
    made = [Alarm._make(each[name] for name in Alarm._fields) for each in payload]
    return [each._replace(value=_number(each.value), limit=_number(each.limit)) for each in made]


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def linearization(payload: dict[str, Any]) -> Linearization:
    """Return the linear model that a reply holds."""
    groups = {
        group: Table(
            {name: Variable(name, each["Unit"], each["Description"]) for name, each in payload[group].items()},
            ("unit", "description"),
        )
        for group in GROUPS
    }
    head = payload["kind"], payload["method"], payload["time"], payload["step"]
    return Linearization(*head, groups, payload, payload["misfit"])


def overrides(payload: Mapping[str, Mapping[str, Any]]) -> dict[str, Override]:
    """Return the inputs set by hand that a reply lists."""
    return {name: Override(**entry) for name, entry in payload.items()}


def clamped_inputs(message: str) -> list[tuple[str, float, float]]:
    """Return the inputs that were clamped as a reply's message has them: name, value, bound."""
    clamped = [(name, float(value), float(bound)) for value, name, bound in _CLAMPED.findall(message)]
    return clamped[::-1]


def reasons(message: str) -> dict[str, str]:
    """Return why indicators are null, by their names, as a reply's message has it."""
    return dict(_REASON.findall(message))


def steps_body(
    steps: int | None,
    action: Mapping[str, Value] | None,
    trajectory: Trajectory | None,
    point_names: Sequence[str] | None,
    atomic: bool,
) -> dict[str, Any]:
    """Return the body of a request for many steps."""
    fields = {"steps": steps, "action": action, "trajectory": trajectory, "point_names": point_names}
    body: dict[str, Any] = {name: value for name, value in fields.items() if value is not None}
    return body if atomic else {**body, "atomic": False}


def requested_steps(body: Mapping[str, Any]) -> int:
    """Return how many steps a body asks for."""
    if "steps" in body:
        return int(body["steps"])
    trajectory = body.get("trajectory", [None])
    return len(next(iter(trajectory.values()), ())) if isinstance(trajectory, Mapping) else len(trajectory)
