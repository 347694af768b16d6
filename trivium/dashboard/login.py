"""The way in for people: a form that takes a token and keeps it in a cookie."""

from __future__ import annotations

from flask import Flask, Response, current_app, request

from trivium.errors import TriviumError
from trivium.server.guard import COOKIE, Guard

PATH = "/dashboard/login"
#: The form needs a style and nothing else.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
#: How long a browser keeps the cookie [s].
_AGE = 12 * 3600

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in · Trivium</title>
<link rel="icon" href="data:,">
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; font: 16px/1.5 system-ui, sans-serif;
  background: light-dark(#f4f6f8, #10151b); color: light-dark(#18222d, #e7ecf2); }}
main {{ width: min(24rem, 100vw - 3rem); padding: 2rem; box-sizing: border-box; border-radius: 12px;
  background: light-dark(#fff, #19212a); border: 1px solid light-dark(#d9dfe6, #2c3743); }}
h1 {{ font-size: 1.25rem; margin: 0 0 .25rem; }}
p {{ margin: 0 0 1rem; }}
label {{ display: block; font-weight: 600; margin-bottom: .3rem; }}
input, button {{ font: inherit; width: 100%; box-sizing: border-box; padding: .6rem .7rem; border-radius: 8px; }}
input {{ border: 1px solid light-dark(#77838f, #7b8896); background: none; color: inherit; margin-bottom: 1rem; }}
button {{ border: 0; background: #1f5fa8; color: #fff; font-weight: 600; cursor: pointer; }}
:focus-visible {{ outline: 3px solid #e08a1e; outline-offset: 2px; }}
.wrong {{ border-left: 4px solid #c0392b; padding-left: .7rem; }}
</style></head>
<body><main>
<h1>Trivium</h1>
<p>This server asks for a token.</p>
{wrong}
<form method="post" action="/dashboard/login">
<input name="name" autocomplete="username" value="token" hidden>
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button>Sign in</button>
</form></main></body></html>
"""


def register(app: Flask) -> None:
    """Add the form to an application that has a `Guard`."""
    app.add_url_rule(PATH, "login", login, methods=["GET", "POST"])


def login() -> Response:
    """Sign in with a token, or out with ``leave``."""
    guard: Guard = current_app.extensions["trivium-guard"]
    if request.method == "GET":
        return _page(200, "")
    if "leave" in request.form:
        response = _back(PATH if guard.asks else "/dashboard/")
        response.delete_cookie(COOKIE, httponly=True, samesite="Strict")
        return response
    token = request.form.get("token", "").strip()
    try:
        valid = guard.find(token) is not None
    except TriviumError:  # the file of tokens cannot be read now
        valid = False
    if not valid:
        return _page(401, '<p class="wrong" role="alert">This token is not known.</p>')
    response = _back("/dashboard/")
    response.set_cookie(COOKIE, token, max_age=_AGE, httponly=True, samesite="Strict", secure=request.is_secure)
    return response


def _back(address: str) -> Response:
    response = Response(status=303)
    response.headers["Location"] = address
    return response


def _page(status: int, wrong: str) -> Response:
    response = Response(_PAGE.format(wrong=wrong), status=status, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _POLICY
    return response
