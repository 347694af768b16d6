"""Pages that jobs made, for a sandboxed frame: they run their own scripts, and reach nothing else."""

from __future__ import annotations

from flask import Flask, Response, send_file

from trivium.dashboard.context import Context
from trivium.errors import NotFoundError
from trivium.numbers import shown

#: The page has an origin of its own and no network; only the dashboard may hold it in a frame.
_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


def register(app: Flask, context: Context, root: str) -> None:
    """Add the route."""

    @app.get(f"{root}framed/<task_id>/<path:name>")
    def framed(task_id: str, name: str) -> Response:
        job = context.store.get(task_id)
        if name not in job.files or not name.endswith(".html"):
            raise NotFoundError(f"Job {job.task_id} has no page {shown(name)}.")
        path = context.store.folder_of(job.task_id) / job.files[name]
        if not path.is_file():
            raise NotFoundError(f"The page {name} of job {job.task_id} is not on this machine any more.")
        response = send_file(path, mimetype="text/html", conditional=True, etag=False, max_age=0)
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["X-Frame-Options"] = "SAMEORIGIN"
        return response
