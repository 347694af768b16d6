"""Requests that a foreign page has a browser send: under a foreign name (DNS rebinding), or from another origin."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from flask import Request

from trivium.errors import ForbiddenError
from trivium.numbers import shown
from trivium.settings import Settings

#: Methods that change nothing.
SAFE = ("GET", "HEAD", "OPTIONS")


def is_loopback(host: str) -> bool:
    """Return whether an address or name is this machine's own, which nobody else can reach."""
    address = _address(host.strip("[]"))
    return host == "localhost" if address is None else address.is_loopback


class Origins:
    """The names by which clients may call, and the origins whose pages may.

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings: Settings) -> None:
        self._tokens, self._hosts, self._origins = settings.tokens, settings.hosts, settings.cors_origins
        # nobody else can have this machine's name, or an address that this server listens on, point to it
        self._names = {"localhost", settings.host.lower(), *(name.lower() for name in settings.hosts)}
        if settings.tokens == "none":
            self._names.add(socket.gethostname().lower())

    def check(self, request: Request) -> None:
        """Refuse a request that a foreign page may have sent.

        Raises
        ------
        ForbiddenError
        """
        host = request.headers.get("Host")
        if host is not None and not self._answers_to(host):
            raise ForbiddenError(
                f"This server does not answer to the name {shown(host)}; TRIVIUM_HOSTS lists the names that it "
                f"answers to besides localhost."
            )
        if request.method in SAFE:
            return
        origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site", "none")
        if origin is None and site not in ("none", "same-origin") and "*" not in self._origins:
            raise ForbiddenError("Pages of other origins may not call here; TRIVIUM_CORS_ORIGINS names those that may.")
        if origin is not None and not self._allows(origin, request.host):
            raise ForbiddenError(
                f"Pages of {shown(origin)} may not call here; TRIVIUM_CORS_ORIGINS names those that may."
            )

    def _answers_to(self, host: str) -> bool:
        """Return whether no foreign name is used, which its owner may have pointed to this machine.

        An address is no name. Where tokens are needed a browser has none to send under a foreign name, so that a proxy
        may pass on any, unless the setting lists them.
        """
        if "*" in self._hosts or (not self._hosts and self._tokens not in (None, "none")):
            return True
        try:
            name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        except ValueError:
            return False
        address = _address(name)
        if address is None:
            return name in self._names
        return address.is_loopback or self._tokens is not None or name in self._names

    def _allows(self, origin: str, host: str) -> bool:
        return "*" in self._origins or origin in self._origins or _netloc(origin) == host


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
