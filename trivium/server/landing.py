"""The page that browsers get at ``/``: links to the dashboard and the API, and two requests to begin with."""

from __future__ import annotations

import base64
import hashlib
from importlib.metadata import PackageNotFoundError, metadata

from flask import Request, Response, request
from markupsafe import Markup, escape

from trivium import __version__, extras

_STYLE = """
:root { color-scheme: light dark; }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.55 system-ui, -apple-system, "Segoe UI", sans-serif;
  background: light-dark(#f3f5f7, #0f141a); color: light-dark(#17212b, #e6ebf1); }
main { width: min(46rem, 100%); margin: 0 auto; padding: clamp(1.5rem, 8vh, 5rem) 1.25rem 2rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0; }
h2 { font-size: 1.05rem; margin: 2.25rem 0 .6rem; }
p { margin: .6rem 0; }
ul { list-style: none; margin: 1.75rem 0 0; padding: 0; display: grid; gap: .8rem;
  grid-template-columns: repeat(auto-fit, minmax(min(13rem, 100%), 1fr)); }
li { display: flex; }
li > * { flex: 1; padding: .9rem 1.1rem; border-radius: 12px; border: 1px solid light-dark(#d8dee5, #2d3845);
  background: light-dark(#fff, #181f27); color: inherit; text-decoration: none; }
li > a:hover { border-color: light-dark(#1c5b9f, #86bbf4); }
li strong { display: block; color: light-dark(#1c5b9f, #86bbf4); }
li .off strong { color: inherit; }
span, footer { color: light-dark(#55616e, #a3afbc); }
span { font-size: .92rem; }
pre { margin: .6rem 0; padding: .9rem 1.1rem; overflow-x: auto; border-radius: 12px;
  border: 1px solid light-dark(#d8dee5, #2d3845); background: light-dark(#fff, #181f27); }
pre, code { font: .9rem/1.6 ui-monospace, "DejaVu Sans Mono", monospace; }
code { overflow-wrap: anywhere; }
pre code { font: inherit; overflow-wrap: normal; }
footer { margin-top: 2.5rem; font-size: .9rem; }
main > p a { color: light-dark(#1c5b9f, #86bbf4); }
:focus-visible { outline: 3px solid light-dark(#c2570c, #ffb454); outline-offset: 2px; border-radius: 12px; }
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; img-src data:; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'"
)
_PAGE = Markup(
    """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Trivium</title>
<link rel="icon" href="data:,">
<style>{style}</style></head>
<body><main>
<h1>Trivium</h1>
<p>Trivium serves a simulation model and runs it three ways: step it, sweep it, converge it with others.</p>
<ul>
<li>{dashboard}</li>
<li><a href="openapi"><strong>API</strong><span>Read about every route, and try it.</span></a></li>
<li>{documentation}</li>
</ul>
<h2>First requests</h2>
<p>Initialize the model, then simulate one control step:</p>
<pre tabindex="0"><code>curl -X PUT {url}initialize{token} \\
  -H 'Content-Type: application/json' -d '{{"start_time": 0}}'
curl -X POST {url}advance{token} \\
  -H 'Content-Type: application/json' -d '{{}}'</code></pre>
<p><a href="inputs">inputs</a> and <a href="measurements">measurements</a> list what the model takes and returns.</p>
<footer>Version {version}. Programs get the list of routes as JSON from this address.</footer>
</main></body></html>
"""
)


def is_wanted(to: Request) -> bool:
    """Return whether a request asks for the page: it prefers HTML to JSON, which is what others get."""
    return to.path == "/" and to.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"


def page(*, with_token: bool) -> Response:
    """Return the page.

    Parameters
    ----------
    with_token : bool
        Whether requests need a token, which the commands of the page then contain.
    """
    body = _PAGE.format(
        style=Markup(_STYLE),  # noqa: S704 - a constant  # nosec B704
        dashboard=_dashboard(),
        documentation=_documentation(),
        url=request.host_url,
        token=" -H 'Authorization: Bearer TOKEN'" if with_token else "",
        version=__version__,
    )
    response = Response(body, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _POLICY
    return response


def _dashboard() -> Markup:
    if extras.is_installed("dash"):
        return Markup('<a href="dashboard/"><strong>Dashboard</strong><span>Watch and drive the model.</span></a>')
    return Markup('<div class="off"><strong>Dashboard</strong><span>{}</span></div>').format(
        _with_code(str(extras.missing("The dashboard", "dashboard")))
    )


def _with_code(message: str) -> Markup:
    """Return a message as HTML, with the command behind its last colon as code."""
    sentence, _, command = message.rpartition(": ")
    return Markup("{}: <code>{}</code>").format(sentence, command)


def _documentation() -> Markup:
    """Return a link to the documentation's address in the package's metadata, or where its text is without one."""
    try:
        urls = metadata("trivium").get_all("Project-URL") or []
    except PackageNotFoundError:  # run from a folder that was never installed
        urls = []
    address = next((url.partition(", ")[2] for url in urls if url.startswith("Documentation, ")), None)
    if address is None:
        return Markup(
            '<div class="off"><strong>Documentation</strong><span>The folder <code>docs/</code> of the source; '
            "<code>make docs</code> builds it as a site.</span></div>"
        )
    return Markup('<a href="{}"><strong>Documentation</strong><span>Tutorial, guides, reference.</span></a>').format(
        escape(address)
    )
