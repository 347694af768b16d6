"""Long runs as jobs: submitted, watched, cancelled; they run in workers, never here."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from flask import Response, current_app, request, send_file, url_for
from pydantic import BaseModel

from trivium.errors import NotFoundError, TriviumError
from trivium.jobs import kinds
from trivium.jobs.files import files_of
from trivium.jobs.record import Job
from trivium.jobs.store import Store
from trivium.numbers import shown
from trivium.server import replies, wire
from trivium.server.events import Streams
from trivium.server.guard import Guard
from trivium.server.operations import JSON, Lane, Routes
from trivium.server.requests import JobsQuery, LastEvent, Once, RunsQuery
from trivium.server.selection import PARQUET
from trivium.server.selection import selection as selected
from trivium.session.keys import Keys
from trivium.settings import Settings

#: Most jobs of one listing.
_MOST = 1000
_FILES = ("application/octet-stream", JSON, "text/csv", "text/html", "image/png", "application/x-hdf5")


def plain(status: int, body: Any) -> Response:
    """Return JSON without an envelope: ``status`` of these replies is the job's."""
    return Response(orjson.dumps(body), status=status, content_type="application/json")


def status_of(job: Job, files: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return a job as replies have it; without its files those of its record."""
    figures = {**job.counts, **job.results}
    offered = job.files if files is None else files
    return {
        "task_id": job.task_id,
        "kind": job.kind,
        "owner": job.owner,
        "status": job.state,
        "message": job.message,
        "progress": job.progress,
        "iterations_run": figures.get("iterations_run"),
        "convergence_delta": figures.get("convergence_delta"),
        "outcome": job.outcome,
        "output_locations": {name: f"/api/run/results/{job.task_id}/{name}" for name in offered},
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


class _Specifications:
    """The bodies of new jobs: a model for each kind that is installed."""

    part = "kind"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def parse(self, name: str, fields: Mapping[str, Any]) -> BaseModel:
        return kinds.parse(kinds.find(name), fields, self._settings)

    def models(self) -> Iterator[tuple[str, type[BaseModel], Mapping[str, Any]]]:
        for name in kinds.names():
            with contextlib.suppress(TriviumError):
                kind = kinds.find(name)
                yield name, kind.spec, kind.example


def blueprint(store: Store, settings: Settings, streams: Streams) -> Routes:
    """Return the routes. ``GET /`` shows the first line of each docstring.

    Parameters
    ----------
    store : Store
    settings : Settings
    streams : Streams
        Those of the web worker.
    """
    keys = Keys(settings.state_dir / "keys")
    routes = Routes("jobs", "Jobs", "/api/run", "jobs", frozenset({400, 501, 503}))

    @routes.operation(
        "POST", "/<kind>", reply=replies.Accepted, status=202, enveloped=False, variants=_Specifications(settings)
    )
    def submit(kind: str, body: BaseModel, headers: Once) -> Response:
        """Run a long task as a job; GET /api/run/kinds lists the kinds and what they take."""
        check = kinds.find(kind).check
        if check is not None:
            check(body, settings)
        spec = body.model_dump(mode="json", by_alias=True)
        task_id = keys.once(headers.key, ["job", kind, spec], lambda _: store.submit(kind, spec, headers.key).task_id)
        location = url_for("jobs.status", task_id=task_id)
        message = f"Job accepted; GET {location} tells how far it is."
        response = plain(202, {"status": "Running", "task_id": task_id, "message": message})
        response.headers["Location"] = location
        return response

    @routes.operation("GET", "/kinds", reply=dict[str, replies.KindAbout])
    def listing_of_kinds() -> Response:
        """Which kinds of jobs there are, with the JSON schemas of what they take."""
        descriptions: dict[str, Any] = {}
        for name in kinds.names():
            try:
                kind = kinds.find(name)
                descriptions[name] = {"about": kind.about, "schema": kind.spec.model_json_schema()}
            except TriviumError as error:
                descriptions[name] = {"about": str(error), "schema": None}
        return wire.envelope(200, "Queried the kinds of jobs successfully.", descriptions)

    @routes.operation("GET", "", reply=list[replies.JobStatus])
    def listing(query: JobsQuery) -> Response:
        """All jobs, the newest first; ?status=, ?kind=, ?search=, ?sort=, ?offset= and ?limit= choose."""
        most = min(query.limit, _MOST)
        jobs = store.jobs(query.status, query.kind, most, query.offset, query.search, query.sort)
        made = wire.envelope(200, "Queried the jobs successfully.", [status_of(job) for job in jobs])
        return wire.counted(made, store.count(query.status, query.kind, query.search))

    @routes.operation("GET", "/status/<task_id>", reply=replies.JobStatus, enveloped=False)
    def status(task_id: str) -> Response:
        """How far a job is."""
        job = store.get(task_id)
        return plain(200, status_of(job, files_of(job, store.folder_of(job.task_id))))

    @routes.operation("GET", "/events/<task_id>", media=("text/event-stream",), enveloped=False, lane=Lane.STREAMS)
    def events(task_id: str, headers: LastEvent) -> Response:
        """Follow how far a job is, as server-sent events."""
        guard: Guard = current_app.extensions["trivium-guard"]
        check = guard.watch()

        def look() -> Job:
            check()
            return store.get(task_id)

        return streams.open(look, status_of, headers.id)

    @routes.operation("POST", "/cancel/<task_id>", reply=replies.JobStatus, enveloped=False)
    def cancel(task_id: str) -> Response:
        """End a job; one that has ended stays as it is."""
        return plain(200, status_of(store.cancel(task_id)))

    @routes.operation("GET", "/logs/<task_id>", failures={416}, media=("text/plain",), enveloped=False)
    def logs(task_id: str) -> Response:
        """Read what a job wrote; a Range header chooses a part."""
        job = store.get(task_id)
        path = store.folder_of(job.task_id) / "log.txt"
        if not path.is_file():
            return Response(b"", content_type="text/plain; charset=utf-8")
        # without a tag: the file grows
        return _sent(path, "text/plain; charset=utf-8")

    @routes.operation("GET", "/results/<task_id>", reply=replies.JobResults)
    def results(task_id: str) -> Response:
        """Figures and files that a job made."""
        job = store.get(task_id)
        folder = store.folder_of(job.task_id)
        sizes = {name: _size(folder / path) for name, path in files_of(job, folder).items()}
        return wire.envelope(
            200, "Queried the results successfully.", {"results": job.results, "files": sizes, "outcome": job.outcome}
        )

    @routes.operation("GET", "/results/<task_id>/selection", failures={413}, reply=replies.Runs, media=(JSON, PARQUET))
    def selection(task_id: str, query: RunsQuery) -> Response:
        """Read some runs of a sweep, chosen by ?select=name=value, as JSON or Parquet."""
        job = store.get(task_id)
        return selected(job, store.folder_of(job.task_id), query)

    @routes.operation("GET", "/results/<task_id>/<path:name>", failures={416}, media=_FILES, enveloped=False)
    def result(task_id: str, name: str) -> Response:
        """Download a file that a job made; a Range header chooses a part."""
        job = store.get(task_id)
        folder = store.folder_of(job.task_id)
        files = files_of(job, folder)
        if name not in files:  # the request's name is looked up, and never goes to the file system
            raise NotFoundError(f"Job {job.task_id} has no result file {shown(name)}.")
        path = folder / files[name]
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
