"""Routes that are declared once: the address, what a request holds, what the reply is.

A view names what it takes in its signature, by the types of `trivium.server.requests`, and gets it parsed::

    routes = Routes("session", tag="Plant")

    @routes.operation("PUT", "/step[/<testid>]", reply=ControlStep, example={"step": 300})
    def put_step(testid: str | None, body: StepBody, headers: Preconditions) -> Response: ...

The description of the API (`trivium.server.openapi`) is made of the same declarations.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, TypedDict, Unpack, get_type_hints

from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState
from flask.sansio.app import App
from pydantic import BaseModel

from trivium.server import wire
from trivium.server.requests import Body, Query, RequestHeaders
from trivium.server.tokens import Scope

JSON = "application/json"
#: Statuses of errors of a session: refused, elsewhere, no room, no space on the disk.
OF_A_SESSION = frozenset({400, 409, 503, 507})
_EXTENSION = "trivium-operations"
View = Callable[..., Response]


class Lane(StrEnum):
    """Threads that answer requests of a kind, so that no other kind can hold them all."""

    REQUESTS = "requests"
    LIVE = "live"
    READY = "ready"
    FIGURES = "figures"
    STREAMS = "streams"


class Variants(Protocol):
    """Bodies of one route that differ by a part of the address."""

    #: The part of the address.
    part: str

    def parse(self, name: str, fields: Mapping[str, Any]) -> BaseModel:
        """Return the body of a request to the address with this name in it."""
        ...

    def models(self) -> Iterator[tuple[str, type[BaseModel], Mapping[str, Any] | None]]:
        """Yield each name with its model and an example."""
        ...


class Options(TypedDict, total=False):
    """Options of a declaration; see `Operation`."""

    scope: Scope | None
    described: bool
    failures: Set[int]
    reply: Any
    example: Mapping[str, Any]
    status: int
    enveloped: bool
    media: tuple[str, ...]
    upload: str
    variants: Variants
    lane: Lane
    waits: bool


@dataclass(frozen=True)
class Operation:
    """A declared route.

    Attributes
    ----------
    tag : str
        The group of the description that it belongs to.
    scope : Scope or None
        What the caller's token must allow; None for nothing. By default ``read`` for GET.
    described : bool
        Whether the description of the API has it.
    failures : set of int
        Statuses of its own errors; those of access, of what a request holds and of a fault are known.
    body, query, headers : type or None
        What a view takes.
    reply : Any
        Type of the payload, or of the whole reply where there is no envelope; None for what is no JSON.
    example : Mapping or None
        A body that the default test case takes.
    status : int
        Of a success.
    enveloped : bool
    media : tuple of str
        Content types of the reply; the columns of a ``application/x-npz`` are the reply's.
    upload : str or None
        Content type of a body that the view reads itself.
    variants : Variants or None
        Instead of `body`.
    lane : Lane
    waits : bool
        Whether a request to a session needs its process, and waits until it has done what others sent.
    """

    tag: str
    scope: Scope | None
    described: bool = True
    failures: Set[int] = frozenset()
    body: type[Body] | None = None
    query: type[Query] | None = None
    headers: type[RequestHeaders] | None = None
    reply: Any = None
    example: Mapping[str, Any] | None = None
    status: int = 200
    enveloped: bool = True
    media: tuple[str, ...] = (JSON,)
    upload: str | None = None
    variants: Variants | None = None
    lane: Lane = Lane.REQUESTS
    waits: bool = True

    def takes_form(self, with_testid: bool) -> bool:
        """Return whether a body may be form data, as BOPTEST's clients send it to an address with a test id."""
        return with_testid and self.body is not None and self.body.boptest

    def parse(self, arguments: Mapping[str, Any]) -> dict[str, BaseModel]:
        """Return what the present request holds, by the names of the view's parameters.

        Parameters
        ----------
        arguments : Mapping[str, Any]
            Of the address.

        Raises
        ------
        RequestError
            Naming what is wrong.
        """
        parsed: dict[str, BaseModel] = {}
        with_testid = arguments.get("testid") is not None
        if self.variants is not None:
            parsed["body"] = self.variants.parse(arguments[self.variants.part], wire.body())
        elif self.body is not None:
            lenient = self.takes_form(with_testid)
            parsed["body"] = self.body.parse(wire.body(form=lenient), lenient=lenient)
        if self.query is not None:
            parsed["query"] = self.query.from_arguments(request.args, lenient=with_testid)
        if self.headers is not None:
            parsed["headers"] = self.headers.from_headers(request.headers)
        return parsed


class Routes(Blueprint):
    """Routes of one group.

    Parameters
    ----------
    name : str
        Of the blueprint.
    tag : str
        Of the description.
    url_prefix : str, optional
    scope : Scope
        Of what does more than read.
    failures : set of int
        Of all routes; those of a session by default.
    """

    def __init__(
        self,
        name: str,
        tag: str,
        url_prefix: str | None = None,
        scope: Scope = "control",
        failures: Set[int] = OF_A_SESSION,
    ) -> None:
        super().__init__(name, __name__, url_prefix=url_prefix)
        self._tag, self._scope, self._failures = tag, scope, failures

    def operation(self, method: str, rule: str, **options: Unpack[Options]) -> Callable[[View], View]:
        """Declare the view that answers a method at an address.

        Parameters
        ----------
        method : str
        rule : str
            The address; a part in brackets may be left out, and its variable is None then.
        **options
            See `Operation`.
        """

        def declare(view: View) -> View:
            types = get_type_hints(view)
            models = {name: types[name] for name in ("body", "query", "headers") if name in types}
            if "variants" in options:
                del models["body"]
            options["failures"] = self._failures | options.get("failures", frozenset())
            options.setdefault("scope", "read" if method == "GET" else self._scope)
            operation = Operation(self._tag, **models, **options)

            @functools.wraps(view)
            def answer(**arguments: Any) -> Response:
                return view(**arguments, **operation.parse(arguments))

            short, optional, _ = re.split(r"\[(.*)\]$", rule) if "[" in rule else (rule, "", "")
            if optional:
                self.add_url_rule(short + optional, view_func=answer, methods=[method])
            absent = dict.fromkeys(re.findall(r"<(?:\w+:)?(\w+)>", optional))
            self.add_url_rule(short, view_func=answer, methods=[method], defaults=absent)

            def register(state: BlueprintSetupState) -> None:
                operations(state.app)[f"{self.name}.{view.__name__}"] = operation

            self.record(register)
            return answer

        return declare


def operations(app: App) -> dict[str, Operation]:
    """Return the declared routes of an application, by endpoint."""
    declared: dict[str, Operation] = app.extensions.setdefault(_EXTENSION, {})
    return declared
