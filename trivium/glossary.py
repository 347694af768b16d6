"""The states of sessions, jobs and runs in words: one glossary for pages, the API, commands and documentation."""

from __future__ import annotations

from collections.abc import Mapping

#: States of sessions, as ``GET /sessions`` has them.
SESSIONS: Mapping[str, str] = {
    "idle": "It has a process, which waits for requests.",
    "busy": "Its process does a request.",
    "hibernated": "It has no process; the next request starts one.",
    "queued": "It waits for room for a process.",
    "damaged": "It is refused, because something of it on the disk is damaged.",
}
#: States of jobs, as ``GET /api/run`` has them.
JOBS: Mapping[str, str] = {
    "Pending": "It waits for a worker.",
    "Running": "A worker runs it.",
    "Success": "It ended with results.",
    "Error": "It failed; its error says why.",
    "Cancelled": "Somebody ended it.",
}
#: States of runs of the dashboard.
RUNS: Mapping[str, str] = {
    "running": "Steps are done now.",
    "done": "All steps were done.",
    "failed": "A step was refused or failed; the steps before it are kept.",
    "stopped": "Somebody ended it; its steps are kept.",
}


def listed(states: Mapping[str, str]) -> str:
    """Return states and what they mean, a line each."""
    width = max(map(len, states))
    return "\n".join(f"{state:{width}}  {words}" for state, words in states.items())


def sentence(states: Mapping[str, str]) -> str:
    """Return states and what they mean in a paragraph."""
    return " ".join(f"{state}: {words}" for state, words in states.items())
