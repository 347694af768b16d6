"""The part of the form of studies that is for calibrations: what was measured, and which outputs of the model it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import ALL, Dash, Input, Output, State, dcc, html, no_update

from trivium.dashboard import measured, models
from trivium.dashboard.callbacks import view
from trivium.dashboard.context import Context
from trivium.dashboard.elements import Choices, Select, card, field, line, options
from trivium.dashboard.forms import plain
from trivium.dashboard.measured import Measurements
from trivium.errors import InvalidValueError, TriviumError
from trivium.numbers import parse_number

_NONE = "-"
_DRIVES = {"no": "no", "yes": "those named as inputs drive the runs"}


def layout() -> Any:
    """Return this part of the form."""
    return html.Div(
        card(
            "What was measured",
            field("File", Select("fit-data"), "CSV files in the folder of the model, with a column time.", wide=True),
            html.P(id="fit-note", className="muted", role="status"),
            field("Outputs that were measured", Choices("fit-outputs", "variable"), wide=True),
            html.Div(id="fit-columns"),
            html.Div(
                [
                    field("Segments by", Select("fit-by", options([_NONE], {_NONE: "none: one run"}), _NONE)),
                    field("Columns as inputs", Select("fit-inputs", options(_DRIVES, _DRIVES), "no")),
                    field("Held out", line("fit-held-out", "0.2", inputMode="decimal"), "Share that the fit skips."),
                    field("Offset [s]", line("fit-offset", "0", inputMode="decimal"), "From a row to its outputs."),
                ],
                className="row",
            ),
            dcc.Store(id="fit"),
        ),
        id="new-fit",
        hidden=True,
    )


def register(pages: Dash, context: Context) -> None:
    """Add the callbacks."""

    @view(
        pages,
        Output("fit-data", "options"),
        Output("fit-data", "value"),
        Input("new-fit", "hidden"),
        Input("new-model", "value"),
        State("fit-data", "value"),
    )
    def files(hidden: bool, model: str, before: str | None) -> Any:
        if hidden:
            return no_update, no_update
        names = measured.files(context, model or "")
        return options(names), before if before in names else next(iter(names), None)

    @view(
        pages,
        Output("fit-note", "children"),
        Output("fit-by", "options"),
        Output("fit-outputs", "options"),
        Output("fit-outputs", "value"),
        Output("new-start", "value", allow_duplicate=True),
        Output("new-stop", "value", allow_duplicate=True),
        Output("new-step", "value", allow_duplicate=True),
        Input("fit-data", "value"),
        Input("new-model-note", "children"),  # once the model is open: its own times are overridden
        State("new-fit", "hidden"),
        State("new-model", "value"),
        State("fit-outputs", "value"),
        prevent_initial_call=True,
    )
    def describe(file: str | None, _: Any, hidden: bool, model: str, outputs: list[str]) -> Any:
        if hidden:
            return (no_update,) * 7
        try:
            data, variables = measured.read(context, model, file), models.offer(context, model)["variables"]
        except TriviumError as error:
            return (html.Span(str(error), className="trouble"), *[no_update] * 6)
        note = f"{', '.join(data.columns)}; from {data.start:g} s to {data.stop:g} s, rows {data.step:g} s apart."
        names = [each["name"] for each in variables]
        segments = options([_NONE, *data.columns], {_NONE: "none: one run"})
        times = (str(plain(each)) for each in (data.start, data.stop, data.step))
        retained = [name for name in outputs or [] if name in names]
        return note, segments, options(names), retained or [*measured.proposed(data.columns, variables)], *times

    @view(
        pages,
        Output("fit-columns", "children"),
        Input("fit-outputs", "value"),
        State("fit-data", "value"),
        State("new-model", "value"),
        State({"fit": ALL, "part": ALL}, "value"),
        State({"fit": ALL, "part": ALL}, "id"),
    )
    def columns(outputs: list[str] | None, file: str | None, model: str, values: Any, ids: Any) -> Any:
        if not outputs or not file:
            return None
        data, written = measured.read(context, model, file), _rows(ids, values)
        return [_row(name, data, written.get(name, {})) for name in outputs]

    @view(
        pages,
        Output("fit", "data"),
        Input({"fit": ALL, "part": ALL}, "value"),
        Input("fit-data", "value"),
        Input("fit-by", "value"),
        Input("fit-inputs", "value"),
        Input("fit-held-out", "value"),
        Input("fit-offset", "value"),
        State({"fit": ALL, "part": ALL}, "id"),
    )
    def write(values: Any, file: str | None, by: str, inputs: str, held_out: str, offset: str, ids: Any) -> Any:
        folder, _, name = (file or "").partition("/")
        try:
            goal: dict[str, Any] = {"data": name, "measured": _measured(_rows(ids, values))}
            for key, text in (("held_out", held_out), ("offset", offset)):
                if number := parse_number(text or "0", key):
                    goal[key] = plain(number)
        except InvalidValueError:
            return no_update  # a field is half written
        if by != _NONE:
            goal["by"] = by
        if inputs == "yes":
            goal["inputs"] = True
        return {"folder": folder, "calibrate": goal} if name and goal["measured"] else None


def _rows(ids: Sequence[Mapping[str, str]], values: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """Return what stands in the fields of each output."""
    rows: dict[str, dict[str, Any]] = {}
    for each, value in zip(ids, values, strict=True):
        rows.setdefault(each["fit"], {})[each["part"]] = value
    return rows


def _measured(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    made: dict[str, dict[str, Any]] = {}
    for name, row in rows.items():
        made[name] = {"column": row["column"]}
        if row.get("deviation"):
            made[name]["deviation"] = plain(parse_number(row["deviation"], "deviation"))
    return made


def _row(output: str, data: Measurements, before: Mapping[str, Any]) -> Any:
    """Return the fields of an output: the column that it was measured as, and by what its residuals are divided."""
    column = before.get("column")
    if column not in data.columns:
        column = measured.proposed(data.columns, [{"name": output}]).get(output, next(iter(data.columns), ""))
    part = {"fit": output, "part": "deviation"}
    deviation = dcc.Input(
        id=part, value=before.get("deviation") or "", type="text", autoComplete="off", inputMode="decimal",
        placeholder="that of the column", debounce=False,
    )  # fmt: skip
    fields = [
        html.Label(
            [html.Span("column", className="muted"), Select({**part, "part": "column"}, options(data.columns), column)]
        ),
        html.Label([html.Span("deviation", className="muted"), deviation]),
    ]
    return html.Fieldset([html.Legend(html.Code(output)), html.Div(fields, className="row range")])
