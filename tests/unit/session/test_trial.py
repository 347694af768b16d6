"""The trial of an FMU's restore: what it finds is stored, unless a process died of it."""

from __future__ import annotations

import os
import signal

import pytest
from trivium.session.trial import Trial

from trivium.session import trial as module
from trivium.session.local import prepare


@pytest.fixture
def attempts(monkeypatch):
    """Count the children of trials."""
    children = []
    in_child = module._in_child

    def count(work):
        children.append(work)
        return in_child(work)

    monkeypatch.setattr(module, "_in_child", count)
    return children


@pytest.mark.parametrize(
    ("restore", "expected"),
    [
        ("exact", Trial(survives=True, exact_here=True, exact_elsewhere=True)),
        ("inexact", Trial(survives=True, exact_here=True, exact_elsewhere=False)),
    ],
)
def test_a_finding_is_stored(trap_resources, tmp_path, attempts, restore, expected):
    folder = trap_resources(restore=restore)
    for _ in range(2):
        prepared = prepare(folder, tmp_path, "fmpy")
        prepared.case.close()
        assert prepared.trial.survives
        assert prepared.trial.exact_elsewhere == expected.exact_elsewhere
    assert len(attempts) == 2  # to save, and to restore elsewhere; once


def test_a_trial_whose_process_dies_is_repeated(trap_resources, tmp_path, attempts):
    folder = trap_resources(restore="crash")
    for times in (1, 2):
        prepared = prepare(folder, tmp_path, "fmpy")
        prepared.case.close()
        assert (prepared.trial.survives, prepared.trial.decided) == (False, False)
        assert not prepared.case.can_restore
        assert len(attempts) >= times
    assert not list((tmp_path / "fmu").glob("trial-*"))


def test_a_death_that_is_not_the_fmus_is_forgotten(trap_resources, tmp_path, monkeypatch):
    folder = trap_resources(restore="exact")
    save = module._save
    monkeypatch.setattr(module, "_save", lambda _: os.kill(os.getpid(), signal.SIGKILL))
    first = prepare(folder, tmp_path, "fmpy")
    first.case.close()
    assert not first.trial.survives
    monkeypatch.setattr(module, "_save", save)
    second = prepare(folder, tmp_path, "fmpy")
    second.case.close()
    assert (second.trial.survives, second.trial.exact_elsewhere) == (True, True)
