"""Requests to the pages that no page sends: Dash would end them with an internal error."""

from __future__ import annotations

from typing import Any

from dash import Dash
from dash.exceptions import CallbackException, DependencyException
from flask import Flask, Response, request
from pydantic import BaseModel, ValidationError

from trivium.errors import MalformedError
from trivium.server import wire


class _Value(BaseModel):
    id: str | dict[str, Any]
    property: str
    value: Any = None


class _Call(BaseModel):
    """What a page sends to have a callback called."""

    output: str
    outputs: dict[str, Any] | list[Any]
    inputs: list[_Value | list[_Value]]
    state: list[_Value | list[_Value]] = []
    changedPropIds: list[str] = []  # noqa: N815 - Dash's name


def register(app: Flask, pages: Dash, root: str) -> None:
    """Refuse what is no call of one of the pages' callbacks, and files that they have not, by name."""

    @app.before_request
    def check() -> None:
        if request.method != "POST" or request.path != f"{root}_dash-update-component":
            return
        try:
            call = _Call.model_validate(wire.body())
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise MalformedError(f"The body is no call of a callback: {place}: {first['msg']}.") from None
        if call.output not in pages.callback_map:
            raise MalformedError("The body is no call of a callback: output names none of the pages.")

    @app.errorhandler(CallbackException)
    def refuse(error: CallbackException) -> Response:
        return wire.failure(MalformedError(f"The body is no call of a callback: {error}"))

    @app.errorhandler(DependencyException)
    def miss(_: DependencyException) -> Response:
        return wire.envelope(404, "The pages have no such file.")
