"""The faceplate of a model that has no drawing: its points in groups, its inputs, control step and start values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update

from trivium.dashboard import hands
from trivium.dashboard.callbacks import action, done, idle, needed, view
from trivium.dashboard.context import Context
from trivium.dashboard.controls import Hand
from trivium.dashboard.elements import button, card, field, line, table
from trivium.dashboard.formatting import scale
from trivium.dashboard.readings import About, Reading
from trivium.errors import InvalidValueError
from trivium.model.variable import Variable
from trivium.numbers import parse_number
from trivium.server import guard

#: Most parameters that have a field, and most inputs that have a slider.
_MOST = 60
#: Points whose names have no common beginning.
_OTHERS = "Points"


def place() -> html.Div:
    """Return where the faceplate comes."""
    return html.Div(
        [
            html.Div(id="face-groups", className="cards"),
            card("Inputs", Hand("face-inputs"), id="face-hands"),
            html.Div(id="face-start"),
            dcc.Store(id="face-stand"),  # where a session without a drawing stands
        ],
        id="faceplate",
        hidden=True,
    )


def groups(names: Iterable[str]) -> dict[str, list[str]]:
    """Return points by the component that their names begin with; those of their own kind are together."""
    by_part: dict[str, list[str]] = {}
    for name in names:
        part, dot, _ = name.rpartition(".")
        by_part.setdefault(part if dot else _OTHERS, []).append(name)
    lone = [name for part, members in by_part.items() if part != _OTHERS and len(members) == 1 for name in members]
    found = {part: members for part, members in by_part.items() if part == _OTHERS or len(members) > 1}
    if lone:
        found[_OTHERS] = [*found.get(_OTHERS, []), *lone]
    return found


def register(pages: Dash, context: Context) -> None:
    """Add the callbacks."""
    readings = context.readings

    @view(
        pages,
        Output("faceplate", "hidden"),
        Output("face-groups", "children"),
        Output("face-hands", "hidden"),
        Output("face-inputs", "rows"),
        Output("face-inputs", "may"),
        Input("face-stand", "data"),
        Input("session", "value"),
    )
    def show(stand: Any, testid: str | None) -> Any:
        if not stand or stand["testid"] != testid:
            return True, None, True, [], False
        about = readings.about(stand["testid"])
        reading = readings.read(stand["testid"])
        if about.schematic is not None:
            return True, None, True, [], False
        if reading.trouble:
            return [no_update] * 5
        cards = [_group(about, reading, part, members) for part, members in groups(about.measurements).items()]
        inputs = hands.rows(about, reading, about.inputs[:_MOST])
        return False, cards, not inputs, inputs, guard.may("control")

    @view(pages, Output("face-start", "children"), Input("session", "value"))
    def start(testid: str | None) -> Any:
        if not testid or readings.about(testid).schematic is not None:
            return None
        with readings.session(testid) as session:
            parameters, step = session.parameters, session.step
        return _start(parameters, step)

    @action(
        pages, "control", Output("face-inputs", "change"), Input("face-inputs", "change"), State("session", "value")
    )
    def change(asked: Any, testid: str | None) -> Any:
        hands.change(context, needed(testid), asked)
        return no_update

    @action(
        pages,
        "control",
        Output("face-step", "value"),
        Input("set-step", "n_clicks"),
        State("face-step", "value"),
        State("session", "value"),
    )
    def set_step(_: Any, value: str, testid: str | None) -> Any:
        with readings.session(idle(context, testid)) as session:
            step = session.set_step(parse_number(value, "step"))
        readings.forget(needed(testid))
        done(f"The control step is {step:g} s.")
        return f"{step:g}"

    @action(
        pages,
        "control",
        Output("face-begin", "n_clicks"),
        Input("face-begin", "n_clicks"),
        State({"parameter": ALL}, "value"),
        State("face-defaults", "data"),
        State("session", "value"),
        running=[(Output("face-begin", "disabled"), True, False)],
    )
    def begin(_: Any, values: list[str], defaults: Mapping[str, str], testid: str | None) -> Any:
        names = [each["id"]["parameter"] for each in ctx.states_list[0]]
        changed = {
            name: value for name, value in zip(names, values, strict=True) if (value or "") != defaults.get(name, "")
        }
        if any(not (value or "").strip() for value in changed.values()):
            raise InvalidValueError("A start value is empty.", "start_values")
        testid = idle(context, testid)
        first = readings.begin(testid)
        with readings.session(testid) as session:
            session.initialize(first, start_values=changed)
        readings.forget(testid)
        words = ", ".join(f"{name} = {value}" for name, value in changed.items()) or "the start values of the model"
        done(f"Begun anew at {first:g} s with {words}.")
        return no_update


def _group(about: About, reading: Reading, part: str, members: list[str]) -> html.Section:
    rows = []
    for name in members:
        shown = scale(about.units[name], plant=about.plant is not None)
        label = name.removeprefix(f"{part}.") if part != _OTHERS else name
        rows.append((label, shown.text(reading.values.get(name)), about.descriptions[name]))
    return card(part, table(part, ("Point", "Value", "Description"), rows, numbers=(1,)))


def _start(parameters: Mapping[str, Variable], step: float) -> list[Any]:
    shown = [variable for variable in parameters.values() if variable.start is not None or variable.text is not None]
    defaults = {variable.name: _text(variable) for variable in shown[:_MOST]}
    fields = [_field(variable, defaults[variable.name]) for variable in shown[:_MOST]]
    more = len(shown) - len(fields)
    words = "Values that differ from the model's own are set when the session begins anew."
    note = f" {more} more can be set over HTTP: GET /parameters." if more else ""
    step_card = card(
        "Control step",
        html.Div([field("Step [s]", line("face-step", f"{step:g}", inputMode="decimal"))], className="row"),
        button("Set", "set-step", needs="control"),
    )
    if not fields:
        return [step_card]
    begin = button("Begin anew with these", "face-begin", "main", "control")
    start_card = card(
        "Start values", html.P(words + note, className="muted"), html.Div(fields, className="row"), begin,
        dcc.Store(id="face-defaults", data=defaults),
    )  # fmt: skip
    return [step_card, start_card]


def _text(variable: Variable) -> str:
    return variable.text if variable.start is None else f"{variable.start:.10g}"  # type: ignore[return-value]


def _field(variable: Variable, value: str) -> html.Div:
    control = dcc.Input(id={"parameter": variable.name}, value=value, type="text", autoComplete="off")
    unit = "" if variable.unit == "1" else f" [{variable.unit}]"
    hint = [html.Small(variable.description, className="hint")] if variable.description else []
    return html.Div([html.Label([f"{variable.name}{unit}", control]), *hint], className="field")
