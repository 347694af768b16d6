"""The words for states are the same in the pages, in the replies and in the documentation."""

from __future__ import annotations

import re
from typing import get_args, get_type_hints

from tests.server import ROOT
from trivium import glossary
from trivium.dashboard.runs import Run
from trivium.jobs.record import State
from trivium.server import replies


def test_the_documentation_has_the_glossary():
    text = (ROOT / "docs" / "dashboard.md").read_text()
    rows = re.findall(r"^\| (session|job|run) \| `(\w+)` \| (.*) \|$", text, re.MULTILINE)
    kinds = {"session": glossary.SESSIONS, "job": glossary.JOBS, "run": glossary.RUNS}
    assert rows == [(kind, str(state), words) for kind, states in kinds.items() for state, words in states.items()]


def test_the_glossary_has_every_state():
    assert {*glossary.SESSIONS} == {*get_args(get_type_hints(replies.SessionAbout)["state"])}
    assert {*glossary.JOBS} == {*State}
    assert {*glossary.JOBS} == {*get_args(get_type_hints(replies.JobStatus)["status"])}
    assert {*glossary.RUNS} == {*get_args(get_type_hints(Run)["state"])}
