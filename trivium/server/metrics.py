"""Figures for Prometheus: events, counted over all workers of a server, and the state at the time of a request.

Counters and times are kept by prometheus_client in files of one folder that the workers share
(PROMETHEUS_MULTIPROC_DIR; see `trivium.environment.share_metrics`); without that folder they are this process's own.
"""

from __future__ import annotations

import logging
import time
from collections import Counter as Counts
from collections.abc import Iterator
from typing import Any

from flask import Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from trivium import __version__, logs
from trivium.environment import metrics_are_shared
from trivium.errors import ModelError, StoreError
from trivium.jobs.record import State
from trivium.jobs.store import Store
from trivium.protocol import Advanced, Steps
from trivium.server.operations import Lane, Routes
from trivium.session.manager import SessionManager
from trivium.session.observer import Observer
from trivium.session.proxy import SERVED
from trivium.settings import Settings

log = logging.getLogger(__name__)

_TIMES = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
REQUESTS = Counter("trivium_http_requests", "Requests by route and status.", ("method", "route", "status"))
REQUEST_TIME = Histogram("trivium_http_request_seconds", "Time until a reply begins [s].", ("route",), buckets=_TIMES)
STEPS = Counter("trivium_steps", "Control steps that were acknowledged.")
STEP_TIME = Histogram("trivium_step_seconds", "Time of a request for control steps, a step [s].", buckets=_TIMES)
FAILURES = Counter("trivium_fmu_failures", "Requests that failed because the FMU or its process did.")
DEATHS = Counter("trivium_host_deaths", "Processes of sessions that died of a request.")
RECOVERIES = Counter("trivium_session_recoveries", "Sessions that a new process brought back.", ("how",))
RECOVERY_TIME = Histogram("trivium_session_recovery_seconds", "Time until a session was back [s].", buckets=_TIMES)


class Watch(Observer):
    """Counts and logs what happens to sessions."""

    def called(self, method: str, seconds: float, outcome: Any) -> None:
        """Count steps and failures."""
        if isinstance(outcome, ModelError):
            FAILURES.inc()
        if SERVED[method].changes and isinstance(outcome, Advanced | Steps) and outcome.steps:
            STEPS.inc(outcome.steps)
            STEP_TIME.observe(seconds / outcome.steps)

    def host_died(self, testid: str, why: str) -> None:
        """Count it, and log the reason."""
        DEATHS.inc()
        log.warning("%s", why, extra={"session": testid})

    def brought_back(self, testid: str, how: str, seconds: float) -> None:
        """Count it, and log how."""
        RECOVERIES.labels(how).inc()
        RECOVERY_TIME.observe(seconds)
        log.info("the session was brought back (%s) in %.3f s", how, seconds, extra={"session": testid})


class _StateCollector(Collector):
    """The present state of sessions and jobs; any worker can report it, because both are on disk."""

    def __init__(self, settings: Settings, sessions: SessionManager, store: Store) -> None:
        self._settings, self._sessions, self._store = settings, sessions, store

    def collect(self) -> Iterator[Metric]:
        """Yield the figures."""
        build = GaugeMetricFamily("trivium_build_info", "The version.", labels=["version"])
        build.add_metric([__version__], 1)
        yield build
        yield from self._of_sessions()
        yield from self._of_jobs()

    def _of_sessions(self) -> Iterator[Metric]:
        sessions = self._sessions.all_sessions()
        states = Counts(session["state"] for session in sessions)
        gauge = GaugeMetricFamily("trivium_sessions", "Sessions by state.", labels=["state"])
        for state in ("idle", "busy", "hibernated", "queued", "damaged"):
            gauge.add_metric([state], states[state])
        yield gauge
        yield GaugeMetricFamily("trivium_sessions_limit", "Most sessions.", self._settings.max_sessions)
        yield GaugeMetricFamily("trivium_queue_length", "Sessions that wait for room.", states["queued"])
        memory = sum(session["memory"] for session in sessions)
        yield GaugeMetricFamily("trivium_session_memory_bytes", "Resident memory of all session processes.", memory)

    def _of_jobs(self) -> Iterator[Metric]:
        try:
            counts, running = self._store.counts(), self._store.jobs(State.RUNNING, most=1000)
        except StoreError as error:
            log.warning("the jobs are left out of the metrics: %s", error)
            return
        gauge = GaugeMetricFamily("trivium_jobs", "Jobs by kind and status.", labels=["kind", "status"])
        for (kind, state), count in counts.items():
            gauge.add_metric([kind, state], count)
        yield gauge
        progress = GaugeMetricFamily("trivium_job_progress", "How much is done, 0 to 1.", labels=["task_id", "kind"])
        for job in running:
            progress.add_metric([job.task_id, job.kind], job.progress or 0.0)
        yield progress


def watch(app: Flask) -> None:
    """Count and log all requests of an application."""

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "none"
        seconds = time.perf_counter() - g.began if "began" in g else 0.0
        method = request.method if request.method in _METHODS else "other"  # clients may call one what they like
        REQUESTS.labels(method, route, response.status_code).inc()
        REQUEST_TIME.labels(route).observe(seconds)
        caller = g.get("caller")
        logs.note(caller=caller.name if caller else None)
        status = response.status_code
        fields = {"method": request.method, "route": route, "status": status, "seconds": round(seconds, 6)}
        log.debug("%s %s %d", request.method, request.path, status, extra=fields)
        return response


def blueprint(settings: Settings, sessions: SessionManager, store: Store) -> Routes:
    """Return the route."""
    routes = Routes("metrics", "Server", failures=frozenset())
    state = _StateCollector(settings, sessions, store)

    @routes.operation("GET", "/metrics", media=("text/plain",), enveloped=False, lane=Lane.FIGURES)
    def metrics() -> Response:
        """Figures for Prometheus, over all workers."""
        registry: Any = CollectorRegistry()
        if metrics_are_shared():
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        else:
            registry = REGISTRY
        states = CollectorRegistry()
        states.register(state)
        return Response(generate_latest(registry) + generate_latest(states), content_type=CONTENT_TYPE_LATEST)

    return routes
