"""The form of studies and tests: a model, when it is simulated, what is varied, and the results of each run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update

from trivium.dashboard import forms, models
from trivium.dashboard.callbacks import view
from trivium.dashboard.context import Context
from trivium.dashboard.elements import Choices, Select, Ticks, card, field, line, options
from trivium.dashboard.formatting import scale
from trivium.dashboard.pages import calibration_form, job_times, scenario_form
from trivium.dashboard.quantities import parse_time
from trivium.errors import InvalidValueError, TriviumError
from trivium.numbers import parse_number

#: Kinds that the form is for.
KINDS = ("sweep", "find", "optimize", "calibrate", "step")
_DAY = 86400.0
_NONE = "-"
_ENDS = ("from", "to", "values")
#: The kind of parameters that are shown as boxes to tick; others are found by writing.
_TICKED = "set point"
_GOALS = {"minimize": "least", "maximize": "greatest"}
_SIGNS = {"<=": "at most", ">=": "at least"}


def layout(context: Context) -> Any:
    """Return the form."""
    names = models.models(context)
    return html.Div(
        [
            card(
                "The model",
                html.Div(
                    field("Test case or FMU", Select("new-model", options(names, names), next(iter(names))), wide=True),
                    id="new-model-choice",
                ),
                html.P(id="new-model-note", className="muted", role="status"),
                html.Div(
                    [
                        html.Div(field("Period", Select("new-period")), id="new-period-choice"),
                        field("From", line("new-start"), "2020-07-20, 110 d 06:00, or seconds"),
                        field("To", line("new-stop")),
                        html.Div(field("Step [s]", line("new-step", inputMode="decimal")), id="new-step-choice"),
                        html.Div(field("Controller", Select("new-controller")), id="new-controller-choice"),
                    ],
                    className="row",
                ),
                job_times.layout(),
                scenario_form.layout(),
            ),
            calibration_form.layout(),
            html.Div(
                [
                    card(
                        "What is varied",
                        Ticks("new-ticks", "Set points"),
                        field(
                            "Other parameters", Choices("new-others", "parameter"), "Write a part of its name.", True
                        ),
                        html.Div(id="new-ranges"),
                        html.Div(
                            [
                                html.Div(
                                    field(
                                        "Runs are",
                                        Select("new-sampling", options(forms.SAMPLINGS, forms.SAMPLINGS), "grid"),
                                    ),
                                    id="new-sampling-choice",
                                ),
                                html.Div(
                                    field("Number of runs", line("new-runs", "64", inputMode="numeric")),
                                    id="new-runs-choice",
                                ),
                            ],
                            className="row",
                        ),
                    ),
                    card(
                        "Results of each run",
                        Ticks("new-kpis", "Indicators"),
                        html.Div(
                            [
                                field("Figures of variables", Choices("new-measures", "variable"), wide=True),
                                field("Figure", Select("new-method", options(forms.METHODS), "max")),
                            ],
                            className="row",
                        ),
                        field("Trajectories", Choices("new-kept", "variable"), "None: figures alone are kept.", True),
                        html.Div(
                            [
                                field("Goal", Select("new-goal-metric")),
                                html.Div(
                                    field("is", Select("new-goal", options(_GOALS, _GOALS), "minimize")),
                                    id="new-goal-choice",
                                ),
                                html.Div(
                                    [
                                        field("is", Select("new-sign", options(_SIGNS, _SIGNS), "<=")),
                                        field("Value", line("new-bound", inputMode="decimal")),
                                        field("Sought parameter", Select("new-sought")),
                                    ],
                                    id="new-find-choice",
                                    className="row",
                                ),
                            ],
                            id="new-goals",
                            className="row",
                        ),
                        id="new-results",
                    ),
                ],
                id="new-study",
            ),
        ],
        id="study-form",
    )


def register(pages: Dash, context: Context) -> None:
    """Add the callbacks."""
    calibration_form.register(pages, context)
    job_times.register(pages, context)

    @view(
        pages,
        *(Output(f"new-{name}", "hidden") for name in ("model-choice", "study", "step-choice", "sampling-choice")),
        *(Output(f"new-{name}", "hidden") for name in ("goals", "goal-choice", "find-choice", "results", "fit")),
        Output("new-scenario", "hidden"),
        Input("new-kind", "value"),
    )
    def show(kind: str) -> Any:
        seeks = kind in ("optimize", "find")
        return (
            kind == "step",
            kind == "step",
            kind == "step",
            kind in ("optimize", "calibrate"),
            not seeks,
            kind == "find",
            kind != "find",
            kind == "calibrate",
            kind != "calibrate",
            kind != "step",
        )

    @view(
        pages,
        Output("new-model", "value"),
        Input("new-kind", "value"),
        State("new-model", "value"),
        prevent_initial_call=True,
    )
    def stand(kind: str, model: str) -> Any:
        """Choose the server's test case for a test, which is of no other."""
        own = f"testcase:{context.sessions.testcases()[0]}"
        return own if kind == "step" and model != own else no_update

    @view(
        pages,
        Output("new-model-note", "children"),
        Output("new-period", "options"),
        Output("new-period", "value"),
        Output("new-period-choice", "hidden"),
        Output("new-step", "value"),
        Output("new-controller", "options"),
        Output("new-controller", "value"),
        Output("new-controller-choice", "hidden"),
        Output("new-ticks", "options"),
        Output("new-ticks", "value"),
        Output("new-others", "options"),
        Output("new-others", "value"),
        Output("new-kpis", "options"),
        Output("new-kpis", "value"),
        Output("new-measures", "options"),
        Output("new-measures", "value"),
        Output("new-kept", "options"),
        Output("new-kept", "value"),
        Input("new-model", "value"),
        running=[(Output("submit-job", "disabled"), True, False)],
    )
    def open_model(model: str | None) -> Any:
        try:
            offer = models.offer(context, model or "")
        except TriviumError as error:
            return (html.Span(str(error), className="trouble"), *[no_update] * 17)
        periods = list(offer["periods"])
        ticked = [each for each in offer["parameters"] if each["kind"] == _TICKED]
        rest = [each for each in offer["parameters"] if each["kind"] != _TICKED]
        variables = [{"value": each["name"], "label": _named(each)} for each in offer["variables"]]
        note = f"{len(offer['parameters'])} parameters, {len(offer['variables'])} variables"
        note += f", {len(offer['indicators'])} indicators." if offer["indicators"] else "; it has no indicators."
        return (
            note,
            options([_NONE, *periods], {_NONE: "other times"}),
            forms.proposed_period(periods) or _NONE,
            not periods,
            str(forms.plain(offer["step"])),
            options(offer["controllers"]),
            next(iter(offer["controllers"]), None),
            not offer["controllers"],
            [{"value": each["name"], "label": _named(each)} for each in ticked],
            [],
            [{"value": each["name"], "label": f"{_named(each)}, {each['kind']}"} for each in rest],
            [],
            [{"value": each["name"], "label": _named(each)} for each in offer["indicators"]],
            forms.proposed_indicators(offer),
            variables,
            [] if offer["indicators"] else offer["shown"][:1],
            variables,
            offer["shown"],
        )

    @view(
        pages,
        Output("new-start", "value"),
        Output("new-stop", "value"),
        Input("new-period", "value"),
        State("new-model", "value"),
        State("new-kind", "value"),
        prevent_initial_call=True,
    )
    def choose_period(period: str | None, model: str, kind: str) -> Any:
        offer = models.offer(context, model)
        if period in offer["periods"]:
            start = offer["periods"][period][0]
            return str(forms.plain(start)), str(forms.plain(start + _DAY))
        if offer["periods"] or kind == "calibrate":  # whose times are those of what was measured
            return no_update, no_update
        return str(forms.plain(offer["start"])), str(forms.plain(offer["stop"]))

    @view(
        pages,
        Output("new-ranges", "children"),
        Output("new-sought", "options"),
        Output("new-sought", "value"),
        Input("new-ticks", "value"),
        Input("new-others", "value"),
        State("new-model", "value"),
        State("new-sought", "value"),
        State({"range": ALL, "end": ALL}, "value"),
        State({"range": ALL, "end": ALL}, "id"),
        prevent_initial_call=True,
    )
    def vary(ticks: Any, others: Any, model: str, sought: str | None, values: Sequence[Any], ids: Sequence[Any]) -> Any:
        parameters = {each["name"]: each for each in models.offer(context, model)["parameters"]}
        names = [name for name in (*(ticks or ()), *(others or ())) if name in parameters]
        written = _rows(ids, values)
        rows = [_range(parameters[name], written.get(name)) for name in names]
        return rows, options(names), sought if sought in names else next(iter(names), None)

    @view(
        pages,
        Output("new-goal-metric", "options"),
        Output("new-goal-metric", "value"),
        Input("new-kpis", "value"),
        Input("new-measures", "value"),
        Input("new-method", "value"),
        State("new-goal-metric", "value"),
    )
    def goals(kpis: Any, measures: Any, method: str, metric: str | None) -> Any:
        names = [forms.label(*each) for each in _metrics(kpis, measures, method)]
        return options(names), metric if metric in names else next(iter(names), None)

    @view(
        pages,
        Output("spec", "value", allow_duplicate=True),
        Output("new-runs-choice", "hidden"),
        Input("study-form", "hidden"),
        Input("new-kind", "value"),
        Input("new-start", "value"),
        Input("new-stop", "value"),
        Input("new-step", "value"),
        Input("new-controller", "value"),
        Input({"range": ALL, "end": ALL}, "value"),
        Input("new-kpis", "value"),
        Input("new-measures", "value"),
        Input("new-method", "value"),
        Input("new-kept", "value"),
        Input("new-sampling", "value"),
        Input("new-runs", "value"),
        Input("new-goal-metric", "value"),
        Input("new-goal", "value"),
        Input("new-sign", "value"),
        Input("new-bound", "value"),
        Input("new-sought", "value"),
        Input("fit", "data"),
        Input("new-period", "value"),
        Input("new-price", "value"),
        Input("new-uncertainty", "value"),
        State({"range": ALL, "end": ALL}, "id"),
        State("new-model", "value"),
        prevent_initial_call=True,
    )
    def write(
        hidden: bool, kind: str, start: str, stop: str, step: str, controller: str | None, values: Any, kpis: Any,
        measures: Any, method: str, kept: Any, sampling: str, runs: str, metric: str | None, goal: str, sign: str,
        bound: str, sought: str | None, fit: Any, period: str | None, price: str, uncertainty: str, ids: Any,
        model: str,
    ) -> Any:  # fmt: skip
        counted = kind == "optimize" or (kind not in ("step", "calibrate") and sampling not in ("grid", "zip"))
        if hidden or kind not in KINDS:
            return no_update, not counted
        # Until all fields are written, of another kind nothing stays.
        unwritten = "" if {"new-kind.value", "study-form.hidden"} & ctx.triggered_prop_ids.keys() else no_update
        if not start or not stop or not step:
            return unwritten, not counted
        calendar = models.calendar(context, model)
        try:
            choice = forms.Choice(
                model=model,
                start=parse_time(start, "From", calendar),
                stop=parse_time(stop, "To", calendar),
                step=parse_number(step, "step"),
                controller=controller or "",
                ranges={name: _parsed(name, row) for name, row in _rows(ids, values).items()},
                metrics=_metrics(kpis, measures, method),
                kept=tuple(kept or ()),
                sampling=sampling,
                runs=int(parse_number(runs, "number of runs")),
            )
            if kind == "step":
                parts = {"electricity_price": price, "temperature_uncertainty": uncertainty}
                periods = models.offer(context, model)["periods"]
                spec = scenario_form.specification(
                    choice.start, choice.stop, controller or "hold", period, periods, parts
                )
            elif kind == "optimize":
                spec = choice.optimization(metric or "", goal)
            elif kind == "calibrate":
                spec = choice.calibration(fit)
            elif kind == "find":
                spec = choice.search(sought or "", f"{metric} {sign} {parse_number(bound or '', 'value')!r}")
            else:
                spec = choice.study()
        except InvalidValueError:
            return unwritten, not counted
        return json.dumps(spec, indent=2), not counted


def _metrics(kpis: Any, measures: Any, method: str) -> list[tuple[str, str]]:
    return [*((name, "kpi") for name in kpis or ()), *((name, method) for name in measures or ())]


def _named(record: Mapping[str, Any]) -> str:
    """Return the name of a variable with what it is and its unit."""
    unit = "" if record["unit"] in ("", "1") else f" [{record['unit']}]"
    return f"{record['name']}: {record['description']}{unit}" if record["description"] else f"{record['name']}{unit}"


def _rows(ids: Sequence[Mapping[str, str]], values: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """Return what stands in the fields of each parameter."""
    rows: dict[str, dict[str, Any]] = {}
    for each, value in zip(ids, values, strict=True):
        rows.setdefault(each["range"], {})[each["end"]] = value
    return rows


def _parsed(name: str, row: Mapping[str, Any]) -> forms.Range:
    low, high, count = (parse_number(row.get(end) or "", f"{name}, {end}") for end in _ENDS)
    return forms.Range(low, high, max(1, int(count)))


def _range(parameter: Mapping[str, Any], before: Mapping[str, Any] | None) -> Any:
    """Return the fields of a parameter's values."""
    proposed = forms.proposed_range(parameter)
    written = before or dict(zip(_ENDS, (str(forms.plain(each)) for each in proposed), strict=True))
    name, unit = parameter["name"], parameter["unit"]
    fields = [
        html.Label(
            [
                html.Span(end, className="muted"),
                dcc.Input(
                    id={"range": name, "end": end},
                    value=written.get(end, ""),
                    type="text",
                    autoComplete="off",
                    inputMode="decimal",
                    debounce=False,
                ),
            ]
        )
        for end in _ENDS
    ]
    shown = scale(unit, plant=True)
    hint = "" if not shown.offset else f" ({shown.text(proposed.low)} to {shown.text(proposed.high)})"
    text = f"{parameter['description'] or name}{'' if unit == '1' else f', {unit}'}{hint}"
    legend = html.Legend([html.Code(name), " ", html.Small(text, className="muted")])
    return html.Fieldset([legend, html.Div(fields, className="row range")])
