"""What a researcher does with the dashboard, and the tests in a real browser that do it: by mouse, by keyboard alone."""

from __future__ import annotations

from typing import NamedTuple


class Task(NamedTuple):
    """A task, and the tests that do it; a name of a test is ``module::function``, without ``test_`` of the module."""

    words: str
    mouse: tuple[str, ...]
    keyboard: tuple[str, ...]


_SESSION = ("dashboard_forms::test_what_a_researcher_does_with_a_session_by_keyboard_alone",)
_JOBS = ("dashboard_forms::test_what_a_researcher_does_with_jobs_by_keyboard_alone",)
_DRIVING = ("dashboard::test_driving_a_session",)
_PLANNED = "dashboard::test_runs_are_planned_found_and_compared"
_SWEEP = ("dashboard_forms::test_a_sweep_of_two_set_points_takes_twelve_clicks_at_most",)
_OLDER = "dashboard_holds_still::test_the_first_of_51_jobs_is_found"

#: The tasks by their number.
TASKS = {
    1: Task("make a session", _DRIVING, _SESSION),
    2: Task("begin on a hot day", (_PLANNED,), _SESSION),
    3: Task("let the rule book run", (_PLANNED,), _SESSION),
    4: Task(
        "look at the supply temperature",
        ("dashboard::test_the_drawing_follows_the_plant", "dashboard::test_a_zoom_holds_while_the_session_goes_on"),
        _SESSION,
    ),
    5: Task(
        "set a set point by hand",
        _DRIVING,
        (*_SESSION, "dashboard_holds_still::test_an_input_is_set_and_released_by_keyboard_alone"),
    ),
    6: Task("take a snapshot, fork it, let the look-ahead drive the fork", _DRIVING, _SESSION),
    7: Task("compare two sessions", (_PLANNED,), _SESSION),
    8: Task("read the indicators", ("dashboard::test_a_baseline",), _SESSION),
    9: Task("save a session as CSV", ("dashboard::test_what_is_shown_is_saved",), _SESSION),
    10: Task("sweep two set points of the plant", _SWEEP, _JOBS),
    11: Task("look at the heat map", _SWEEP, _JOBS),
    12: Task("follow the progress of a job", _SWEEP, _JOBS),
    13: Task("cancel a job", ("dashboard::test_a_job_is_cancelled",), _JOBS),
    14: Task(
        "solve a coupled case",
        ("dashboard_servers::test_a_coupled_run",),
        ("dashboard_servers::test_a_coupled_run",),
    ),
    15: Task(
        "bring a model and run it",
        ("operator::test_a_model_is_brought_and_its_first_run_works",),
        ("operator::test_a_model_is_brought_and_run_by_keyboard_alone",),
    ),
    16: Task("choose a scenario, look at the forecast", ("dashboard::test_what_is_shown_is_saved",), _SESSION),
    17: Task("find the 51st job, and a session among many", (_OLDER, _PLANNED), (_OLDER, *_SESSION)),
}
