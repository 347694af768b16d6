"""Runs that are killed, or share a folder or a cache: nothing is lost, nothing done twice, every bit the same."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.server import ROOT
from tests.unit.coupling.cases import pair, put, run
from tests.unit.coupling.linear import linear
from trivium.coupling.ending import Ending
from trivium.coupling.record import Evaluation, Iteration, Record
from trivium.coupling.run import run_case
from trivium.coupling.spec import load_case
from trivium.errors import ConflictError, StorageError
from trivium.model.variable import Variable
from trivium.settings import Settings


def case_of(log: Path, **settings):
    a, b, _ = linear([0.6, -0.7])
    case = pair(a, b, np.eye(2) * 0.9, np.ones(2), **{"tolerance": 1e-9, **settings})
    for name, one in case["components"].items():
        one["options"] |= {"log": str(log), "name": name}
    return case


def bits(result):
    return [(one.x.tobytes(), one.g.tobytes(), one.factor) for one in result.iterations]


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


@pytest.mark.slow
@pytest.mark.parametrize(("where", "scheme"), [("in", "gauss-seidel"), ("after", "gauss-seidel"), ("in", "jacobi")])
def test_kill_9_at_every_write_of_the_record_changes_no_bit(tmp_path, where, scheme):
    settings = {"scheme": scheme, "tolerance": 1e-4}
    log = tmp_path / "log"
    _, whole = run(tmp_path / "whole", case_of(log, **settings))
    assert whole.ending is Ending.CONVERGED
    evaluations = lines(log)
    writes = evaluations + len(whole.iterations)  # each evaluation and each iteration
    folder = tmp_path / "killed"
    put(folder, case_of(tmp_path / "log2", **settings))
    # each process gets one write done and dies at it or the next, so that all are hit one after the other
    command = [sys.executable, "-m", "tests.unit.coupling.killed", str(folder), "1" if where == "after" else "2", where]
    kills = 0
    while (done := subprocess.run(command, cwd=ROOT, capture_output=True)).returncode == -signal.SIGKILL:
        kills += 1
    assert done.returncode == 0, done.stderr
    assert kills >= writes - 1
    _, resumed = run(folder, case_of(tmp_path / "log2", **settings))
    assert bits(resumed) == bits(whole)
    assert lines(tmp_path / "log2") <= evaluations + 2 * kills


def test_what_was_evaluated_is_not_evaluated_again(tmp_path):
    """Killed after the first component of the second iteration was kept, only the second one is left to do."""
    folder, log = tmp_path / "killed", tmp_path / "log"
    case = case_of(log, max_iterations=2)
    put(folder, case)
    subprocess.run([sys.executable, "-m", "tests.unit.coupling.killed", str(folder), "4", "after"], cwd=ROOT)
    before = log.read_text().splitlines()
    assert before == ["one", "two", "one"]
    run(folder, case)
    assert log.read_text().splitlines()[3:] == ["two"]


@pytest.mark.slow
def test_kill_9_at_any_time_of_the_command_changes_no_bit(tmp_path):
    log = tmp_path / "log"
    case = case_of(log, max_iterations=8)
    for one in case["components"].values():
        one |= {"process": True, "options": {**one["options"], "pause": 0.05}}
    path = put(tmp_path / "case", case)
    environment = {**os.environ, "TRIVIUM_STATE_DIR": str(tmp_path / "state")}

    def command(out):
        return [sys.executable, "-m", "trivium.cli", "converge", str(path), "--no-cache", "--out", str(tmp_path / out)]

    whole = subprocess.run(command("whole"), env=environment, capture_output=True, text=True)
    assert whole.returncode == 0, whole.stderr
    evaluations, rng = lines(log), random.Random(5)
    for _ in range(6):
        before, patience = lines(log), rng.uniform(0.0, 1.0)
        process = subprocess.Popen(command("killed"), env=environment, stdout=subprocess.DEVNULL)
        while process.poll() is None and lines(log) == before:
            time.sleep(0.005)
        time.sleep(patience)
        process.kill()
        process.wait()
    last = subprocess.run(command("killed"), env=environment, capture_output=True, text=True)
    assert last.returncode == 0, last.stderr
    read = [json.loads((tmp_path / out / "result.json").read_text()) for out in ("whole", "killed")]
    assert read[0]["components"] == read[1]["components"]
    values = [(tmp_path / out / "values.csv").read_text() for out in ("whole", "killed")]
    assert values[0] == values[1]
    assert lines(log) - evaluations <= evaluations + 2 * 6
    assert last.stdout.splitlines()[-2].startswith("converged")


def test_a_run_that_has_ended_tells_the_same_again_without_evaluating(tmp_path):
    log = tmp_path / "log"
    _, first = run(tmp_path, case_of(log))
    count = lines(log)
    seen = []
    _, again = run(tmp_path, case_of(log), watch=seen.append)
    assert lines(log) == count
    assert bits(again) == bits(first)
    assert again.ending is Ending.CONVERGED
    assert [one.number for one in seen] == [one.number for one in first.iterations]


def test_the_folder_of_another_case_is_refused_and_what_differs_is_named(tmp_path):
    identity = run(tmp_path, case_of(tmp_path / "log"))[0].identity
    with pytest.raises(ConflictError, match=r"differs in: method\."):
        run(tmp_path, case_of(tmp_path / "log", method="aitken"))
    other = case_of(tmp_path / "log")
    other["components"]["one"]["options"]["b"][0] += 1.0
    with pytest.raises(ConflictError, match=r"differs in: components\.one\.options\."):
        run(tmp_path, other)
    Record(tmp_path / "out", {"case": "b"}, accept_changes=True).close()
    with pytest.raises(ConflictError, match="differs in: alpha, case,"):
        run(tmp_path, case_of(tmp_path / "log"))
    Record(tmp_path / "out", identity, accept_changes=True).close()
    assert run(tmp_path, case_of(tmp_path / "log"))[1].ending is Ending.CONVERGED


def test_two_processes_do_not_share_a_folder(tmp_path):
    record = Record(tmp_path / "out", {"case": "a"})
    with pytest.raises(ConflictError, match="another process"):
        Record(tmp_path / "out", {"case": "a"})
    record.close()
    Record(tmp_path / "out", {"case": "a"}).close()


def test_known_results_are_not_evaluated_again_whatever_the_run(tmp_path):
    log = tmp_path / "log"
    _, first = run(tmp_path, case_of(log), tmp_path / "one", cached=True)
    count = lines(log)
    _, second = run(tmp_path, case_of(log), tmp_path / "two", cached=True)
    assert lines(log) == count
    assert bits(second) == bits(first)
    assert all(one.figures["evaluations"] == 0 for one in second.iterations)
    case = case_of(log)
    case["components"]["one"]["options"]["b"][0] += 1.0  # another component of the same inputs
    run(tmp_path, case, tmp_path / "three", cached=True)
    assert lines(log) > count


def test_what_is_no_function_is_not_cached(tmp_path):
    log = tmp_path / "log"
    case = case_of(log)
    case["components"]["two"]["deterministic"] = False
    run(tmp_path, case, tmp_path / "one", cached=True)
    count = log.read_text().splitlines().count("two")
    run(tmp_path, case, tmp_path / "two", cached=True)
    assert log.read_text().splitlines().count("two") == 2 * count


def test_a_changed_source_is_another_component(tmp_path):
    log = tmp_path / "log"
    case = case_of(log)
    problem, _ = run(tmp_path / "a", case)
    before = problem.components["one"].fingerprint
    (tmp_path / "a" / "coupled.py").write_text((tmp_path / "a" / "coupled.py").read_text() + "\n# changed\n")
    assert problem.components["one"].fingerprint != before


def test_the_record_brings_every_bit_back(tmp_path):
    x = np.array([0.1, -0.0, 5e-324, 1.7976931348623157e308])
    record = Record(tmp_path, {"case": "a"})
    kept = Evaluation("one", {"x": x}, {"y": np.array([[1.0, 2.0]])}, 0.5, True)
    record.keep_iteration(Iteration(1, x, -x, 0.3, 1.5, {"delta": None}), [kept])
    record.close()
    record = Record(tmp_path, {"case": "a"})
    (back,) = record.iterations()
    assert (back.x.tobytes(), back.g.tobytes()) == (x.tobytes(), (-x).tobytes())
    assert (back.number, back.factor, back.seconds, back.figures) == (1, 0.3, 1.5, {"delta": None})
    (one,) = record.evaluations(1).values()
    assert one.inputs["x"].tobytes() == x.tobytes()
    assert one.outputs["y"].shape == (1, 2)
    assert one.cached
    assert record.evaluations(2) == {}
    record.close()


def test_a_record_that_cannot_be_read_is_told(tmp_path):
    (tmp_path / "iterations.sqlite").write_bytes(b"nonsense" * 1000)
    with pytest.raises(StorageError, match="cannot be used"):
        Record(tmp_path, {"case": "a"})


def test_zero_of_either_sign_is_the_same_input(tmp_path):
    from trivium.experiment.arrays import digest

    assert digest("f", {"x": np.array([0.0])}) == digest("f", {"x": np.array([-0.0])})
    assert digest("f", {"x": np.array([0.0])}) != digest("g", {"x": np.array([0.0])})
    assert digest("f", {"x": np.zeros((2, 1))}) != digest("f", {"x": np.zeros((1, 2))})
    assert Variable("x").check(-0.0) == 0.0


def test_what_is_done_before_the_first_iteration_ends_is_reported(tmp_path):
    pytest.importorskip("plotly")
    folder, lines_said = tmp_path / "case", []
    put(folder, case_of(tmp_path / "log"))
    case = load_case(folder)
    settings = Settings(environ={}, state_dir=tmp_path / "state")

    def begun(_):
        lines_said.append("an iteration")

    run_case(case, folder, tmp_path / "out", settings, begun, lines_said.append, cached=False)
    names = " -> ".join(case.components)
    assert lines_said[0] == f"preparing 2 components: {', '.join(f'{name} (python)' for name in case.components)}"
    assert lines_said[1:3] == [f"evaluating iteration 1: {names}", "an iteration"]
    count = lines_said.count("an iteration")
    run_case(case, folder, tmp_path / "out", settings, begun, lines_said.append, cached=False)
    assert f"{count} iterations are kept in {tmp_path / 'out'}" in lines_said
