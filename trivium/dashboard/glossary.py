"""The states of sessions, jobs and runs in words: one glossary for pages, commands and documentation."""

from __future__ import annotations

from collections.abc import Mapping

from trivium.jobs.record import State

#: States of sessions, as ``GET /sessions`` has them.
SESSIONS: Mapping[str, str] = {
    "idle": "It has a process, which waits for requests.",
    "busy": "Its process does a request.",
    "hibernated": "It has no process; the next request starts one.",
    "queued": "It waits for room for a process.",
    "damaged": "It is refused, because something of it on the disk is damaged.",
}
#: States of jobs, as ``GET /api/run`` has them.
JOBS: Mapping[State, str] = {
    State.PENDING: "It waits for a worker.",
    State.RUNNING: "A worker runs it.",
    State.SUCCESS: "It ended with results.",
    State.ERROR: "It failed; its error says why.",
    State.CANCELLED: "Somebody ended it.",
}
#: States of runs of the dashboard.
RUNS: Mapping[str, str] = {
    "running": "Steps are done now.",
    "done": "All steps were done.",
    "failed": "A step was refused or failed; the steps before it are kept.",
    "stopped": "Somebody ended it; its steps are kept.",
}
