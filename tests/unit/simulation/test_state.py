"""A state is everything: a test case goes on from it bit by bit, here, in another test case, in another process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from tests.server import ROOT
from tests.small_plant import FAILING
from trivium.errors import ModelError, StateError, StorageError
from trivium.session.local import open_testcase
from trivium.simulation import state

#: Varying actions for the default test case and the small one.
ACTIONS = [{"Tchws_set_CHI": 286.15 + 0.25 * (k % 5), "Tchws_set_HEX": 285.0 + 0.5 * (k % 3)} for k in range(8)]

CONTINUE = """
import sys
from pathlib import Path
import numpy as np
from trivium.session.local import open_testcase
from tests.unit.simulation.test_state import ACTIONS, everything
resources, state_dir, folder = map(Path, sys.argv[1:])
case = open_testcase(resources, state_dir)
case.set_history(np.load(folder / "rows.npy"))
case.set_state((folder / "state").read_bytes())
for action in ACTIONS[4:]:
    case.advance(action)
np.save(folder / "continued.npy", case.history_rows())
print(everything(case)[:4])
"""


def everything(case):
    """All that a client can find out about where a test case stands."""
    return (
        case.time,
        case.step,
        case._end,
        dict(case.observation()),
        case.history_rows().tobytes(),
    )


@pytest.fixture
def default_case(resources, state_dir):
    case = open_testcase(resources, state_dir)
    yield case
    case.close()


@pytest.fixture(params=["small_case", "default_case"])
def case(request):
    """Both test cases in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=[0, 900])
def stepped(case, request):
    """A test case in the middle of things, its state then and what came of going on."""
    case.initialize(request.param, 36000)
    case.set_step(600)
    for action in ACTIONS[:4]:
        case.advance(action)
    stored, before = case.state(), everything(case)
    for action in ACTIONS[4:]:
        case.advance(action)
    return case, stored, before, everything(case)


def go_on(case):
    for action in ACTIONS[4:]:
        case.advance(action)
    return everything(case)


def test_taking_a_state_changes_nothing(case):
    for action in ACTIONS[:4]:
        case.advance(action)
    one = everything(case)
    assert case.state() == case.state()
    assert everything(case) == one


def test_a_restored_case_stands_as_it_stood_and_goes_on_bit_by_bit(stepped):
    case, stored, before, after = stepped
    assert case.can_restore
    case.set_step(300)
    for _ in range(2):
        case.set_state(stored)
        assert everything(case) == before
        assert go_on(case) == after


def test_a_state_taken_before_the_first_step_goes_on_too(case):
    stored = case.state()
    first = case.advance(ACTIONS[0])
    case.set_state(stored)
    assert case.time == 0.0
    assert case.advance(ACTIONS[0]) == first


def test_the_history_of_another_beginning_must_come_first(stepped):
    case, stored, before, after = stepped
    rows = case.history_rows()
    case.initialize(1800)
    case.advance({})
    elsewhere = everything(case)
    with pytest.raises(StateError, match="history"):
        case.set_state(stored)
    assert everything(case) == elsewhere
    case.set_history(rows)
    case.set_state(stored)
    assert everything(case) == before
    assert go_on(case) == after


def test_another_test_case_of_the_same_resources_goes_on(small_case, small_resources, state_dir):
    small_case.initialize(600)
    small_case.advance(ACTIONS[0])
    stored, rows = small_case.state(), small_case.history_rows()
    other = open_testcase(small_resources, state_dir)
    other.set_history(rows)
    other.set_state(stored)
    assert go_on(other) == go_on(small_case)
    other.close()


def test_another_process_goes_on_bit_by_bit(resources, state_dir, default_case, tmp_path):
    default_case.initialize(7_800_000)
    for action in ACTIONS[:4]:
        default_case.advance(action)
    (tmp_path / "state").write_bytes(default_case.state())
    np.save(tmp_path / "rows.npy", default_case.history_rows())
    after = go_on(default_case)
    command = [sys.executable, "-c", CONTINUE, str(resources), str(state_dir), str(tmp_path)]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert np.load(tmp_path / "continued.npy").tobytes() == after[4]
    assert done.stdout.strip() == str(after[:4])


def test_a_plant_that_cannot_be_saved_is_brought_back_from_the_rows(stepped):
    case, _, _, after = stepped
    case.stepper.model.can_snapshot = False
    assert not case.can_restore
    case.set_state(case.state())
    assert everything(case) == after
    stored, rows = case.state(), case.history_rows()
    assert len(stored) < 4096
    case.initialize(1800)
    case.advance({})
    case.set_history(rows)
    case.set_state(stored)
    case.stepper.model.can_snapshot = True
    assert everything(case) == after
    again = case.advance(ACTIONS[0])
    case.set_state(stored)
    assert case.advance(ACTIONS[0]) == again


def test_a_state_after_a_failed_step_is_the_state_before_it(small_case):
    small_case.advance({})
    stored = small_case.state()
    with pytest.raises(ModelError):
        small_case.advance({FAILING: 1})
    assert small_case.state() == stored


@pytest.mark.parametrize("changed", ["version.txt", "mlp.pth", "Disturbance.csv", "Initialization_observation0.csv"])
def test_a_state_of_other_resources_is_refused(small_case, small_resources, state_dir, tmp_path, changed):
    folder = shutil.copytree(small_resources, tmp_path / "Resources")
    if changed == "mlp.pth":
        from tests.small_plant import linear_network
        from workshop.surrogates.write import save

        save(folder / changed, "head", linear_network([2.0, 0.5, 0.25, 11.0], 1.0, 4))
    else:
        text = (folder / changed).read_text()
        old, new = {"Dist": ("300,280.0", "300,281.0"), "Init": ("290", "291"), "vers": ("test", "more")}[changed[:4]]
        assert old in text
        (folder / changed).write_text(text.replace(old, new))
    other = open_testcase(folder, state_dir)
    stored = small_case.state()
    before = everything(other)
    if changed == "version.txt":  # what the test case is called changes no result
        other.set_state(stored)
    else:
        with pytest.raises(StateError, match="other Resources"):
            other.set_state(stored)
    assert everything(other) == before
    other.close()


def test_the_tolerance_belongs_to_the_resources(small_case, small_resources, state_dir, tmp_path):
    folder = shutil.copytree(small_resources, tmp_path / "Resources")
    (folder / "testcase.toml").write_text("[fmu]\ntolerance = 1e-6\n")
    other = open_testcase(folder, state_dir)
    with pytest.raises(StateError, match="other Resources"):
        other.set_state(small_case.state())
    other.close()


def test_a_state_of_another_version_is_refused(small_case, monkeypatch):
    stored, version = small_case.state(), state.VERSION
    monkeypatch.setattr(state, "VERSION", version + 1)
    with pytest.raises(StateError, match=f"of version {version}, this server reads {version + 1}"):
        small_case.set_state(stored)


def test_damaged_bytes_are_refused_and_change_nothing(small_case):
    small_case.advance({})
    stored, before = small_case.state(), everything(small_case)
    small = [stored[:k] + bytes([stored[k] ^ 1]) + stored[k + 1 :] for k in range(0, len(stored), 7)]
    cut = [stored[:k] for k in range(0, len(stored), 97)]
    for damaged in (*small, *cut, b"", stored + b"x", b"x" * 100):
        with pytest.raises(StateError):
            small_case.set_state(damaged)
    assert everything(small_case) == before


def test_a_restore_that_fails_leaves_everything_as_it_was(small_case, monkeypatch):
    small_case.advance({})
    stored = small_case.state()
    small_case.advance({"CHI03": 1})
    before = everything(small_case)

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(StorageError, match="No space left"):
            small_case.set_state(stored)
    assert everything(small_case) == before
    small_case.advance({})
    small_case.set_state(stored)
    assert small_case.time == 300.0


def test_rows_of_another_width_are_refused(small_case):
    before = everything(small_case)
    for rows in (np.zeros((3, 4)), np.zeros(4), small_case.history_rows()[:0]):
        with pytest.raises(StateError, match="shape"):
            small_case.set_history(rows)
    assert everything(small_case) == before


def test_rows_of_the_history_from_one_on(small_case):
    for _ in range(3):
        small_case.advance({})
    assert small_case.history_rows(2)[:, 0].tolist() == [600.0, 900.0]
    assert small_case.history_rows(4).shape == (0, len(small_case.stepper.history.columns))
