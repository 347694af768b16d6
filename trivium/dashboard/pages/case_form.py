"""The form of coupled cases: which case, and settings in the place of its own."""

from __future__ import annotations

import json
from typing import Any, get_args

from dash import Dash, Input, Output, html, no_update

from trivium.dashboard import models
from trivium.dashboard.callbacks import view
from trivium.dashboard.context import Context
from trivium.dashboard.elements import Select, card, field, line, options
from trivium.errors import TriviumError
from trivium.numbers import parse_number

_OWN = "-"


def layout(context: Context) -> Any:
    """Return the form."""
    from trivium.coupling.spec import MethodName

    cases = models.cases(context)
    methods = options(get_args(MethodName))
    return html.Div(
        card(
            "The case",
            field("Case", Select("case-name", options(cases), cases[0] if cases else None), wide=True),
            html.P(id="case-about", className="muted"),
            html.Div(
                [
                    field(
                        "Method", Select("case-method", [{"value": _OWN, "label": "the case's own"}, *methods], _OWN)
                    ),
                    field("Damping factor", line("case-alpha", inputMode="decimal", placeholder="the case's own")),
                    field("Tolerance", line("case-tolerance", inputMode="decimal", placeholder="the case's own")),
                    field("Most iterations", line("case-most", inputMode="numeric", placeholder="the case's own")),
                ],
                className="row",
            ),
        ),
        id="case-form",
        hidden=True,
    )


def register(pages: Dash, context: Context) -> None:
    """Add the callbacks."""

    @view(pages, Output("case-about", "children"), Input("case-name", "value"))
    def describe(name: str | None) -> Any:
        if name not in models.cases(context):
            return "There is no coupled case in the server's folder of studies."
        from trivium.coupling.spec import load_case

        try:
            case = load_case(context.settings.studies / name)
        except TriviumError as error:
            return html.Span(" ".join(str(error).split()), className="trouble")
        parts = f"{len(case.components)} components, {len(case.connections)} connections; {case.method or 'anderson'}"
        return f"{case.description}. {parts}, tolerance {case.tolerance:g}, at most {case.max_iterations} iterations."

    @view(
        pages,
        Output("spec", "value", allow_duplicate=True),
        Input("case-form", "hidden"),
        Input("case-name", "value"),
        Input("case-method", "value"),
        Input("case-alpha", "value"),
        Input("case-tolerance", "value"),
        Input("case-most", "value"),
        prevent_initial_call=True,
    )
    def write(hidden: bool, name: str | None, method: str, alpha: str, tolerance: str, iterations: str) -> Any:
        if hidden or not name:
            return no_update
        spec: dict[str, Any] = {"case_name": name}
        if method != _OWN:
            spec["method"] = method
        for key, text in (("dampening_factor_alpha", alpha), ("convergence_tolerance", tolerance)):
            if text:
                spec[key] = parse_number(text, key)
        if iterations:
            spec["max_iterations"] = int(parse_number(iterations, "max_iterations"))
        return json.dumps(spec, indent=2)
