"""The way in: a list of the routes for programs, a page with links for browsers."""

from __future__ import annotations

from flask import Response, current_app, request

from trivium.server import landing, replies, wire
from trivium.server.guard import Guard
from trivium.server.operations import JSON, Routes


def blueprint() -> Routes:
    """Return the route."""
    routes = Routes("index", "Server", failures=frozenset())

    @routes.operation("GET", "/", reply=replies.Index, media=(JSON, "text/html"))
    def root() -> Response:
        """List the routes; browsers get a page with links instead."""
        if landing.is_wanted(request):
            guard: Guard = current_app.extensions["trivium-guard"]
            response = landing.page(with_token=guard.asks)
        else:
            response = _listing()
        response.vary.add("Accept")
        return response

    return routes


def _listing() -> Response:
    rules = [
        rule
        for rule in current_app.url_map.iter_rules()
        if rule.endpoint != "index.root" and not rule.rule.startswith("/dashboard")
    ]
    listing = {
        f"{method} {rule.rule}": (current_app.view_functions[rule.endpoint].__doc__ or "").splitlines()[0]
        for rule in sorted(rules, key=lambda rule: rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    }
    return wire.envelope(
        200,
        "A model over HTTP. Start with PUT /initialize, then POST /advance step by step.",
        {
            "routes": listing,
            "try": f"curl -X PUT {request.host_url}initialize -H 'Content-Type: application/json' "
            "-d '{\"start_time\": 0}'",
        },
    )
