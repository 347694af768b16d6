"""A Flask application that does nothing but read 100 numbers and answer 190: what HTTP costs by itself."""

from __future__ import annotations

import orjson
from flask import Flask, Response, request

app = Flask("empty")
_ANSWER = {f"point_{i}": 290.0 + i / 7 for i in range(190)}


@app.post("/advance")
def advance() -> Response:
    """Read the body, answer as large as a step does."""
    orjson.loads(request.get_data())
    body = orjson.dumps({"status": 200, "message": "Nothing done.", "payload": _ANSWER})
    return Response(body, content_type="application/json")


@app.get("/version")
def version() -> Response:
    """Say that the server is up."""
    return Response(b"{}", content_type="application/json")
