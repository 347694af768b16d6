"""The self-check really steps, and leaves the session alone."""

from __future__ import annotations

import pytest

from trivium.errors import ModelError
from trivium.session import selfcheck
from trivium.session.local import open_testcase
from trivium.session.selfcheck import self_check


def test_a_plant_that_restores_exactly(small_case):
    small_case.advance({})
    before = small_case.time, small_case.results(["CHI01"], 0, 1e9)["time"].tolist()
    check = self_check(small_case)
    assert (check.steps, check.restore, check.difference) == (3, "exact", 0.0)
    assert check.seconds > 0
    assert (small_case.time, small_case.results(["CHI01"], 0, 1e9)["time"].tolist()) == before


def test_a_plant_that_cannot_save_its_state(small_case, monkeypatch):
    twin = type(small_case.stepper.model).twin

    def forgetful(model, **options):
        second = twin(model, **options)
        second.can_snapshot = False
        return second

    monkeypatch.setattr(type(small_case.stepper.model), "twin", forgetful)
    check = self_check(small_case)
    assert (check.steps, check.restore) == (1, "none")


def test_a_plant_that_fails(small_case, monkeypatch):
    monkeypatch.setattr(selfcheck, "_threads", lambda: 1)  # the twin is forked from here, with what is patched
    monkeypatch.setattr(type(small_case.stepper.model), "_step", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        self_check(small_case)
    monkeypatch.undo()
    assert small_case.advance({})


def test_a_plant_that_dies_of_a_restore_does_not_take_the_session_along(trap_resources, state_dir):
    case = open_testcase(trap_resources(restore="later"), state_dir)
    try:
        case.advance({})
        case.stepper.model.can_snapshot = True  # as if its qualification had believed it
        with pytest.raises(ModelError, match="its process ended with SIGSEGV"):
            self_check(case)
        case.stepper.model.can_snapshot = False
        assert self_check(case).restore == "none"
        assert case.advance({})
    finally:
        case.close()


@pytest.mark.parametrize(("restore", "said"), [("exact", "exact"), ("inexact", "inexact"), ("none", "none")])
def test_an_fmu_that_allows_one_instance_is_stepped_in_a_process_of_its_own(trap_resources, state_dir, restore, said):
    case = open_testcase(trap_resources(one_instance=True, restore=restore), state_dir)
    try:
        case.advance({})
        check = self_check(case)
        assert (check.steps, check.restore) == (1 if restore == "none" else 3, said)
        assert case.advance({})
    finally:
        case.close()
