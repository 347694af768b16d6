"""Long runs as jobs: submitted, watched, cancelled; they run in workers, never here."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from flask import Blueprint, Response, request, send_file, url_for

from trivium.errors import InvalidValueError, MissingExtraError, NotFoundError
from trivium.jobs import kinds
from trivium.jobs.record import Job, State
from trivium.jobs.store import Store
from trivium.numbers import parse_count, shown
from trivium.server import wire
from trivium.server.events import Streams
from trivium.server.selection import selection as selected
from trivium.settings import Settings

#: Most jobs of one listing.
_MOST = 1000


def plain(status: int, body: Any) -> Response:
    """Return JSON without an envelope: ``status`` of these replies is the job's."""
    return Response(orjson.dumps(body), status=status, content_type="application/json")


def status_of(job: Job) -> dict[str, Any]:
    """Return a job as replies tell it."""
    figures = {**job.counts, **job.results}
    return {
        "task_id": job.task_id,
        "kind": job.kind,
        "status": job.state,
        "message": job.message,
        "progress": job.progress,
        "iterations_run": figures.get("iterations_run"),
        "convergence_delta": figures.get("convergence_delta"),
        "outcome": job.outcome,
        "output_locations": {name: f"/api/run/results/{job.task_id}/{name}" for name in job.files},
        "error": job.error,
        "counts": job.counts,
        "results": job.results,
        "attempts": job.attempts,
        "cancelling": job.cancel and not job.state.ended,
        "created": _iso(job.created),
        "started": _iso(job.started),
        "finished": _iso(job.finished),
    }


def _iso(time: float | None) -> str | None:
    return None if time is None else datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds")


def blueprint(store: Store, settings: Settings) -> Blueprint:
    """Return the routes. The first line of each docstring is what ``GET /`` says about it.

    Parameters
    ----------
    store : Store
    settings : Settings
    """
    streams = Streams(settings.threads)
    routes = Blueprint("jobs", __name__, url_prefix="/api/run")

    @routes.post("/<kind>")
    def submit(kind: str) -> Response:
        """Run something long as a job; GET /api/run/kinds says what, and what to send."""
        chosen = kinds.find(kind)
        spec = kinds.parse(chosen, wire.body(), settings).model_dump(mode="json", by_alias=True)
        job = store.submit(kind, spec, wire.conditions().get("key"))
        where = url_for("jobs.status", task_id=job.task_id)
        told = {
            "status": "Running",
            "task_id": job.task_id,
            "message": f"Job accepted; GET {where} tells how far it is.",
        }
        response = plain(202, told)
        response.headers["Location"] = where
        return response

    @routes.get("/kinds")
    def listing_of_kinds() -> Response:
        """Which kinds of jobs there are, with the JSON schemas of what they take."""
        about: dict[str, Any] = {}
        for name in kinds.names():
            try:
                kind = kinds.find(name)
                about[name] = {"about": kind.about, "schema": kind.spec.model_json_schema()}
            except MissingExtraError as error:
                about[name] = {"about": str(error), "schema": None}
        return wire.envelope(200, "Queried the kinds of jobs successfully.", about)

    @routes.get("")
    def listing() -> Response:
        """All jobs, the newest first; ?status=, ?kind= and ?limit= choose."""
        state, kind, limit = wire.query(None, "status", "kind", "limit")
        most = 100 if limit is None else min(parse_count(limit, "limit"), _MOST)
        jobs = store.jobs(None if state is None else _state(state), kind, most)
        return wire.envelope(200, "Queried the jobs successfully.", [status_of(job) for job in jobs])

    @routes.get("/status/<task_id>")
    def status(task_id: str) -> Response:
        """How far a job is."""
        return plain(200, status_of(store.get(task_id)))

    @routes.get("/events/<task_id>")
    def events(task_id: str) -> Response:
        """Hear how far a job is when that changes, as server-sent events."""
        return streams.open(lambda: store.get(task_id), status_of, request.headers.get("Last-Event-ID"))

    @routes.post("/cancel/<task_id>")
    def cancel(task_id: str) -> Response:
        """End a job; one that has ended stays as it is."""
        return plain(200, status_of(store.cancel(task_id)))

    @routes.get("/logs/<task_id>")
    def logs(task_id: str) -> Response:
        """Read what a job wrote; a Range header chooses a part."""
        job = store.get(task_id)
        path = store.folder_of(job.task_id) / "log.txt"
        if not path.is_file():
            return Response(b"", content_type="text/plain; charset=utf-8")
        # without a tag: the file grows
        return _sent(path, "text/plain; charset=utf-8")

    @routes.get("/results/<task_id>")
    def results(task_id: str) -> Response:
        """Figures and files that a job made."""
        job = store.get(task_id)
        folder = store.folder_of(job.task_id)
        sizes = {name: _size(folder / path) for name, path in job.files.items()}
        return wire.envelope(
            200, "Queried the results successfully.", {"results": job.results, "files": sizes, "outcome": job.outcome}
        )

    @routes.get("/results/<task_id>/selection")
    def selection(task_id: str) -> Response:
        """Read some runs of a sweep, chosen by ?select=name=value, as JSON or Parquet."""
        job = store.get(task_id)
        return selected(job, store.folder_of(job.task_id))

    @routes.get("/results/<task_id>/<path:name>")
    def result(task_id: str, name: str) -> Response:
        """Download a file that a job made; a Range header chooses a part."""
        job = store.get(task_id)
        if name not in job.files:  # the request's name is looked up, and never goes to the file system
            raise NotFoundError(f"Job {job.task_id} has no result file {shown(name)}.")
        path = store.folder_of(job.task_id) / job.files[name]
        if not path.is_file():
            raise NotFoundError(f"The result file {name} of job {job.task_id} is not on this machine any more.")
        return _sent(path, None)

    return routes


def _sent(path: Path, mimetype: str | None) -> Response:
    response = send_file(
        path, mimetype=mimetype, as_attachment=mimetype is None, conditional=True, etag=False, max_age=0
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    if request.method == "GET":
        response.headers["Accept-Ranges"] = "bytes"
    return response


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _state(text: str) -> State:
    for state in State:
        if text.lower() == state.lower():
            return state
    raise InvalidValueError(
        f"Invalid value {shown(text)} for parameter status. Value must be one of {', '.join(State)}.", "status"
    )
