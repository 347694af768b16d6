"""The qualification finds out by trying, survives what the FMU does, and is made once."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading

import pytest

from tests.small_plant import FAILING
from tests.trap_fmu import Trap
from trivium.environment import ROOT
from trivium.forks import Template
from trivium.model.fmu import qualification, trying
from trivium.model.fmu.apart import WORK, Life
from trivium.model.fmu.fmu_model import Setup
from trivium.model.fmu.qualification import qualify
from trivium.model.fmu.trying import First, Trying
from trivium.simulation.models import qualified
from trivium.simulation.resources import Resources

#: What does not hang answers within this time, however busy the machine is [s].
PATIENCE = 300.0


@pytest.fixture
def found(trap_fmu, tmp_path, monkeypatch):
    """Qualify a trap: found(restore="heap", ...)."""

    monkeypatch.setattr(trying, "_LEAST", PATIENCE)

    def qualify_it(inputs=None, limit=PATIENCE, slow=PATIENCE, **variant):
        setup = Setup(trap_fmu(**variant), "fmpy")
        first = First(step=1.0, inputs=inputs or {})
        return qualify(setup, tmp_path / "fmu", str(inputs), lambda: first, limit=limit, slow=slow)

    return qualify_it


@pytest.mark.parametrize("interface", ["cs", "me"])
def test_the_plant_restores_exactly(small_resources, state_dir, interface):
    resources = Resources.load(small_resources)
    outcome = qualified(resources, state_dir / "fmu", Setup(resources.fmu, "fmpy", interface))
    assert (outcome.verdict, outcome.exact_here, outcome.isolate, outcome.decided) == ("exact", True, False, True)
    assert (outcome.error, outcome.reason, outcome.difference, outcome.steps) == ("", "", 0.0, 3)
    assert outcome.step_ms > 0
    assert outcome.seconds > 0


@pytest.mark.parametrize(
    ("variant", "verdict", "reason"),
    [
        ({"restore": "none"}, "replay", "does not offer it"),
        ({"restore": "crash"}, "replay", "ended with SIGSEGV"),
        ({"restore": "heap"}, "replay", "after a restore its process ended with"),
        ({"restore": "later"}, "replay", "ended with SIGSEGV"),
        ({"restore": "address"}, "replay", "ended with SIGSEGV"),
        ({"static_memory": True}, "fresh", "a second initialization in one process differs from the first: y is"),
        ({"static_memory": True, "restore": "none"}, "fresh", "differs from the first"),
        ({"dies_when_freed": True}, "fresh", "when an instance is freed, its process ended with SIGABRT"),
        ({"one_instance": True, "restore": "none"}, "replay", "does not offer it"),
        ({"one_instance": True, "second_hangs": True}, "exact", ""),
        ({"one_instance": True, "dies_when_freed": True, "static_memory": True}, "exact", ""),
    ],
)
def test_what_an_fmu_really_does_with_its_state(found, variant, verdict, reason):
    outcome = found(**variant)
    assert (outcome.verdict, outcome.error, outcome.decided) == (verdict, "", True)
    assert reason in outcome.reason
    assert outcome.isolate == (verdict == "fresh" or variant.get("one_instance", False))


def test_a_restore_that_is_promised_and_inexact(found):
    outcome = found(restore="inexact")
    assert (outcome.verdict, outcome.decided) == ("inexact", True)
    assert "y is" in outcome.reason
    assert 1e-5 < outcome.difference < 1e-3


def test_a_state_that_is_off_by_more_than_a_thousandth_is_of_no_use(found):
    outcome = found(restore="coarse")
    assert (outcome.verdict, outcome.exact_here, outcome.decided) == ("replay", False, True)
    assert "after a restore y is" in outcome.reason
    assert 1e-3 < outcome.difference < 1e-1


def test_nothing_but_the_first_life_is_tried_of_a_slow_fmu_and_that_decides_nothing(found, monkeypatch):
    monkeypatch.setattr(Trying, "_again", None)  # is not called
    outcome = found(restore="crash", slow=0.0)
    assert (outcome.verdict, outcome.error, outcome.decided) == ("replay", "", False)
    assert "so that no more was tried" in outcome.reason


def test_what_was_left_out_is_tried_the_next_time(found):
    assert not found(restore="exact", slow=0.0).decided
    assert found(restore="exact").verdict == "exact"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "verdict", "part"),
    [({"restore": "hang"}, "replay", "_restored"), ({"second_hangs": True}, "fresh", "_again")],
)
def test_what_hangs_is_undecided(found, monkeypatch, variant, verdict, part):
    whole = getattr(Trying, part)
    monkeypatch.setattr(Trying, part, lambda *arguments: whole(*arguments[:-1], 2.0))
    outcome = found(**variant)
    assert (outcome.verdict, outcome.decided) == (verdict, False)
    assert "does not answer in time" in outcome.reason


@pytest.mark.parametrize(
    ("trap", "error", "decided"),
    [
        (Trap.SEGMENTATION_FAULT, "its process ended with SIGSEGV", False),
        (Trap.EXIT, "its process ended with exit code", False),
        (Trap.HANG, "does not answer in time", False),
        (Trap.NOT_A_NUMBER, "not finite numbers: y", True),
        (Trap.ERROR, "told to fail", True),
    ],
)
def test_an_fmu_that_cannot_be_stepped(found, trap, error, decided):
    outcome = found({"trap": float(trap), "amount": 7.0}, limit=2.0 if trap == Trap.HANG else PATIENCE)
    assert error in outcome.error
    assert (outcome.steps, outcome.verdict, outcome.decided) == (0, "replay", decided)


def test_a_failing_model_exchange(small_resources, state_dir):
    setup = Setup(Resources.load(small_resources).fmu, "fmpy", "me")
    outcome = qualify(setup, state_dir / "fmu", "failing", lambda: First(inputs={FAILING: 1.0}))
    assert "failed to step" in outcome.error


def test_an_fmu_that_ends_soon_is_qualified_by_the_steps_before(found):
    outcome = found(ends=2.0)
    assert (outcome.verdict, outcome.error, outcome.steps) == ("exact", "", 2)


def test_outputs_that_jump_at_communication_points(found):
    assert found().jumps == ("calls",), "it counts them"


def test_a_binary_without_functions_that_nobody_needs(found):
    assert found(optional=False).verdict == "exact"


class Counted:
    """Counts what is tried."""

    def __init__(self, outcome):
        self.outcome, self.times = outcome, 0

    def __call__(self, *arguments):
        self.times += 1
        return self.outcome(*arguments)


def test_a_verdict_is_stored_for_the_content_of_the_fmu(trap_fmu, tmp_path, monkeypatch):
    counted = Counted(qualification.Trying)
    monkeypatch.setattr(qualification, "Trying", counted)
    fmu = trap_fmu(restore="inexact")
    copy = tmp_path / "copy.fmu"
    copy.write_bytes(fmu.read_bytes())
    first, second = (qualify(Setup(path, "fmpy"), tmp_path / "fmu") for path in (fmu, copy))
    assert first == second
    assert counted.times == 1
    monkeypatch.setattr(qualification, "version_of", lambda _: "another version")
    qualify(Setup(fmu, "fmpy"), tmp_path / "fmu")
    assert counted.times == 2


def test_those_who_need_it_at_the_same_time_wait_for_one_trial(trap_fmu, tmp_path, monkeypatch):
    counted = Counted(qualification.Trying)
    monkeypatch.setattr(qualification, "Trying", counted)
    setup, outcomes = Setup(trap_fmu(), "fmpy"), []
    threads = [
        threading.Thread(target=lambda: outcomes.append(qualify(setup, tmp_path / "fmu").verdict)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (outcomes, counted.times) == (["exact"] * 4, 1)


def test_a_process_that_was_killed_from_outside_decides_nothing(trap_fmu, tmp_path, monkeypatch):
    lived = Trying._gone_on

    def killed(trial, life, *arguments, **options):
        os.kill(life._pid, signal.SIGKILL)
        return lived(trial, life, *arguments, **options)

    monkeypatch.setattr(Trying, "_gone_on", killed)
    setup = Setup(trap_fmu(), "fmpy")
    first = qualify(setup, tmp_path / "fmu")
    assert (first.verdict, first.decided) == ("replay", False)
    monkeypatch.setattr(Trying, "_gone_on", lived)
    assert qualify(setup, tmp_path / "fmu").verdict == "exact"


def test_a_program_without_a_main_guard_is_not_run_again(trap_fmu, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "import sys; from pathlib import Path\n"
        "from trivium.model.fmu.fmu_model import Setup; from trivium.model.fmu.qualification import qualify\n"
        "print('began')\n"
        "print(qualify(Setup(Path(sys.argv[1]), 'fmpy'), Path(sys.argv[2])).verdict)\n"
    )
    done = subprocess.run(
        [sys.executable, str(program), str(trap_fmu()), str(tmp_path / "fmu")],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["began", "exact"], done.stderr


def test_no_process_outlives_its_template(trap_fmu, tmp_path):
    description = qualification.read_fmu(trap_fmu(), tmp_path)
    with Template(WORK) as template:
        life = Life(template, description, "fmpy", Setup(description.path, "fmpy").solving)
        watched = os.pidfd_open(life._pid)
    assert select.select([watched], [], [], PATIENCE)[0]
    os.close(watched)
