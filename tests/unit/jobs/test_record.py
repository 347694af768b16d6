"""States and what may follow them; what a death counts."""

from __future__ import annotations

import pytest

from trivium.jobs.record import FOLLOWS, Job, State, before


def job(progress, deaths, furthest):
    return Job("id", "step", None, {}, State.RUNNING, "", progress, {}, {}, {}, None, None, 0.0, None, None, None, None, 1, 1,
               deaths, furthest, False)  # fmt: skip


def test_what_has_ended_stays():
    assert {state for state in State if state.ended} == {State.SUCCESS, State.ERROR, State.CANCELLED}


def test_only_a_running_job_succeeds_or_fails():
    assert before(State.SUCCESS) == before(State.ERROR) == [State.RUNNING]
    assert set(before(State.CANCELLED)) == {State.PENDING, State.RUNNING}
    assert set(FOLLOWS) == set(State)


@pytest.mark.parametrize(
    ("progress", "deaths", "furthest", "after"),
    [
        (None, 0, 0.0, (1, 0.0)),
        (0.0, 3, 0.0, (4, 0.0)),
        (0.5, 4, 0.4, (1, 0.5)),  # it came further: it begins to count anew
        (0.5, 1, 0.5, (2, 0.5)),
        (0.3, 2, 0.5, (3, 0.5)),
    ],
)
def test_deaths_count_while_the_job_comes_no_further(progress, deaths, furthest, after):
    assert job(progress, deaths, furthest).after_death() == after
