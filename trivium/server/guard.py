"""Access control: tokens, scopes, limits of rate, and requests from pages of other origins."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from flask import Flask, Response, current_app, g, has_request_context, redirect, request
from werkzeug.wrappers import Response as Answer

from trivium.access import Access, Quota
from trivium.errors import ForbiddenError, SettingsError, TokenError, UnavailableError
from trivium.server import landing
from trivium.server.operations import Operation, operations
from trivium.server.origins import SAFE, Origins, is_loopback
from trivium.server.rates import Rates
from trivium.server.tokens import Scope, Token, Tokens
from trivium.settings import Settings

log = logging.getLogger(__name__)

#: The cookie with the token, in place of the header, for pages; browsers send it to no other site.
COOKIE = "trivium_token"
#: Pages of the dashboard; what they do beyond reading they ask for themselves (`require`).
_PAGES = "/dashboard"
_LOGIN = "/dashboard/login"


def check_bind(settings: Settings, host: str) -> None:
    """Refuse to listen at a public address without tokens.

    Raises
    ------
    SettingsError
        When no token is needed, and ``TRIVIUM_TOKENS=none`` does not say that this is intended.
    """
    if settings.tokens == "none":
        if not is_loopback(host):
            log.warning("TRIVIUM_TOKENS=none: anybody who reaches %s may do anything", host)
    elif settings.tokens is None and not is_loopback(host):
        raise SettingsError(
            f"Anybody who reaches {host} could do anything. Make tokens (trivium token add NAME --file FILE) and set "
            f"TRIVIUM_TOKENS=FILE; or allow it: TRIVIUM_TOKENS=none."
        )


def required_scope(operation: Operation | None, method: str, path: str) -> Scope | None:
    """Return the scope that a request needs; None for none.

    Parameters
    ----------
    operation : Operation or None
        As it is declared; None for pages and for unknown addresses.
    method, path : str
    """
    if method == "OPTIONS" or path == _LOGIN:
        return None
    if operation is not None:
        return operation.scope
    return "read" if method in SAFE or path.startswith(f"{_PAGES}/") else "control"


def require(scope: Scope) -> None:
    """Refuse the present request when its caller lacks a scope; for addresses that do several things.

    Raises
    ------
    ForbiddenError
    """
    if why := lacks(scope):
        raise ForbiddenError(why)


def lacks(scope: Scope) -> str:
    """Return why the caller of the present request may not do what needs a scope; empty where it may."""
    token = _token()
    return "" if token is None or token.may(scope) else f"The token {token.name} lacks the scope {scope}."


def signed_in() -> tuple[str, tuple[str, ...]] | None:
    """Return the name and the scopes of the caller's token; None where it has none."""
    token = _token()
    return None if token is None else (token.name, tuple(token.scopes))


def has_token() -> bool:
    """Return whether the present request came with a valid token."""
    return _token() is not None


def may(scope: Scope) -> bool:
    """Return whether the caller of the present request has a scope."""
    return not lacks(scope)


def caller() -> str:
    """Return the name of the token that the present request came with; empty where it needs none."""
    token = _token()
    return "" if token is None else token.name


def _token() -> Token | None:
    """Return the token of the present request; None where it needs none, and outside of requests."""
    token: Token | None = g.get("caller") if has_request_context() else None
    return token


class Guard:
    """Checks every request before anything else does.

    Parameters
    ----------
    app : Flask
    settings : Settings
    """

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._settings = settings
        self._tokens = Tokens(settings.tokens) if isinstance(settings.tokens, Path) else None
        self._origins = Origins(settings)
        self._rates = Rates(settings.state_dir / "rates")
        app.extensions["trivium-guard"] = self
        app.before_request(self._check)
        app.after_request(_protect)

    def find(self, text: str) -> Token | None:
        """Return the token of this text.

        Raises
        ------
        UnavailableError
            When the file of tokens cannot be read; nobody is let in then.
        """
        if self._tokens is None:
            return None
        try:
            return self._tokens.find(text)
        except SettingsError as error:
            log.error("%s", error)
            raise UnavailableError("The tokens of this server cannot be read; its log has the reason.") from error

    def watch(self) -> Callable[[], None]:
        """Return what raises `TokenError` once the token of the present request is removed, for a long reply."""
        caller: Token | None = g.get("caller")
        tokens = self._tokens

        def check() -> None:
            if caller is not None and tokens is not None:
                valid = any(token.sha256 == caller.sha256 and token.may("read") for token in tokens.read())
                if not valid:
                    raise TokenError("The token is not known any more.")

        return check

    @property
    def asks(self) -> bool:
        """Whether callers need a token."""
        return self._tokens is not None

    def _check(self) -> Answer | None:
        """Refuse the request, or let it through.

        Raises
        ------
        TokenError, ForbiddenError, RateError, UnavailableError
        """
        self._origins.check(request)
        endpoint = request.endpoint or ""
        scope = required_scope(operations(current_app).get(endpoint), request.method, request.path)
        caller = self._caller() if self._tokens is not None else None
        name = f"token {caller.name}" if caller else f"address {request.remote_addr}"
        rate = (caller.rate if caller else None) or self._settings.rate
        if rate and not endpoint.startswith("health."):
            self._rates.count(name, rate)
        if self._tokens is None or scope is None or landing.is_wanted(request):
            return None
        if caller is None:
            if _is_page():
                return redirect(_LOGIN, 303)
            sent = "Authorization" in request.headers or COOKIE in request.cookies
            raise TokenError("The token is not known." if sent else "A token is needed: Authorization: Bearer TOKEN.")
        g.caller = caller
        require(scope)
        return None

    def _caller(self) -> Token | None:
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        text = credentials.strip() if scheme.lower() == "bearer" else request.cookies.get(COOKIE, "")
        return self.find(text) if text else None


def access(settings: Settings) -> Access:
    """Return what the caller of the present request may see and keep; outside of requests, everything."""
    caller: Token | None = g.get("caller") if has_request_context() else None
    if caller is None:
        return Access()
    return Access(
        caller.name,
        caller.may("admin"),
        Quota(
            _own(caller.sessions, settings.token_sessions),
            _own(caller.jobs, settings.token_jobs),
            _own(caller.storage, settings.token_storage) * 2**20,
        ),
    )


def _own(limit: int | None, usual: int) -> int:
    return usual if limit is None else limit


def _is_page() -> bool:
    """Return whether a browser opens a page, for which an error in JSON is no use."""
    wants = "text/html" in request.headers.get("Accept", "")  # by name: programs send */*
    return wants and request.method == "GET" and request.path.startswith(_PAGES)


def _protect(response: Response) -> Response:
    """Set headers that restrict what browsers do with a reply; a page that needs more has set its own before."""
    for name, value in (
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
        ("Cache-Control", "no-store"),
    ):
        response.headers.setdefault(name, value)
    return response
