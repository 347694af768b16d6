"""`trivium.Study` runs anywhere: in this process, on processes, on a Dask address; with or without a guard."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("numba", reason="the extra sweep is not installed")

import trivium
from tests import own_fmus
from trivium.errors import ConflictError, EngineError, InvalidValueError, ResourcesError
from trivium.study import selftest, where
from trivium.study.cache import Cache
from trivium.study.prepare import prepare

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
import sys, trivium
study = trivium.Study(sys.argv[1], {"tau": [5, 10, TAU]}, stop_time=20, step=1, metrics={"x": ("x", "final")})
print(study.run(workers=2).frame()["x"].tolist())
"""
#: Acts once a chunk of a study is stored.
ONCE_IT_RUNS = """
import pathlib, threading, time
def once_it_runs(act):
    def watch():
        while not any(pathlib.Path("out").rglob("parts/*")):
            time.sleep(0.02)
        act()
    threading.Thread(target=watch, daemon=True).start()
"""


@pytest.fixture
def linear(own_fmu):
    return own_fmu("linear", "2.0")


def expected(taus, time=20.0):
    return [own_fmus.state(time, tau=tau) for tau in taus]


def by_script(source, folder, *arguments):
    (folder / "script.py").write_text(source)
    command = [sys.executable, "script.py", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def test_in_this_process(linear):
    study = trivium.Study(linear, {"tau": [5, 10, 20], "gain": np.array([2, 3])}, stop_time=20, step=1, outputs=["x"])
    results = study.run(workers=0)
    frame = results.frame()
    assert len(study) == len(results) == len(frame) == 6
    assert repr(study).endswith(": 6 runs over tau, gain)")
    assert frame["x"].tolist() == pytest.approx(expected(frame["tau"]), rel=1e-3)
    assert {"x", "y", "tenfold", "high"} <= set(frame.columns)
    assert results.dataset()["x"].sel(run=1).isel(time=-1).compute().item() == pytest.approx(frame["x"][1], rel=1e-6)
    assert repr(results).startswith("SweepResults(6 runs, 6 done; tau, gain -> ")


def test_a_run_is_what_simulate_gives(linear):
    study = trivium.Study(linear, {"tau": [5, 10]}, stop_time=20, step=1, start_values={"x": 3}, outputs=["x"])
    trajectories = study.run(workers=0).select().trajectories("x")
    for row, tau in zip(trajectories, (5, 10), strict=True):
        frame = trivium.simulate(linear, stop_time=20, step=1, start_values={"tau": tau, "x": 3}, outputs=["x"])
        assert row.tolist() == pytest.approx(frame["x"].tolist(), rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("guard", [False, True])
def test_a_script_needs_no_guard(linear, tmp_path, guard):
    source = SCRIPT.replace("TAU", str(20 + guard))  # another study, which is not in the cache
    if guard:
        head, body = source.split("\n", 2)[1:]
        source = f'{head}\nif __name__ == "__main__":\n' + "".join(f"    {line}\n" for line in body.splitlines())
    done = by_script(source, tmp_path, linear)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == pytest.approx(expected([5, 10, 20 + guard]), rel=1e-3)
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_thread_may_run_one(linear):
    found = []
    study = trivium.Study(linear, {"tau": [6, 12]}, stop_time=20, step=1)
    thread = threading.Thread(target=lambda: found.append(study.run(workers=1).frame()["x"].tolist()))
    thread.start()
    thread.join()
    assert found[0] == pytest.approx(expected([6, 12]), rel=1e-3)


@pytest.mark.slow
def test_a_notebook_may_run_one(linear, tmp_path, monkeypatch):
    nbformat = pytest.importorskip("nbformat", reason="the extra notebook is not installed")
    nbclient = pytest.importorskip("nbclient", reason="the extra notebook is not installed")
    source = SCRIPT.replace("sys.argv[1]", repr(str(linear))).replace("TAU", "30")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source), nbformat.v4.new_code_cell("study")])
    with warnings.catch_warnings(action="ignore"):  # of the client's own event loop
        nbclient.NotebookClient(book, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    printed = "".join(output["text"] for output in book.cells[0].outputs if output.get("name") == "stdout")
    assert json.loads(printed) == pytest.approx(expected([5, 10, 30]), rel=1e-3)
    assert "3 runs over tau" in book.cells[1].outputs[0]["data"]["text/plain"]


@pytest.mark.slow
def test_the_engine_itself_names_the_guard(linear, tmp_path):
    """A script without a guard that calls the engine itself hears what to do, and nothing wrong is kept."""
    source = """
import json, sys
from pathlib import Path
from trivium.study.cache import Cache
from trivium.study.study import run_study
from trivium.study.where import Where
content = {"paths": {"package_path": sys.argv[1]}, "simulation": {"stop_time": 2, "step_size": 1},
           "simulation_parameters": {"tau": [5, 10]}}
Path("study.json").write_text(json.dumps(content))
cache = Cache(Path("runs.sqlite"), 10**8)
run_study(Path("study.json"), Path("out"), Where(Path("fmu"), None, 1), cache, lambda state: None, lambda text: None)
"""
    done = by_script(source, tmp_path, linear)
    assert done.returncode == 1
    assert 'put the work under if __name__ == "__main__":' in done.stderr.splitlines()[-1]
    cache = Cache(tmp_path / "runs.sqlite", 1)
    assert cache._strategies.content().entries == 0
    cache.close()


@pytest.mark.slow
def test_a_self_test_whose_process_died_is_not_kept(linear, tmp_path, monkeypatch):
    kept = Cache(tmp_path / "runs.sqlite", 1)
    made = trivium.Study(linear, {"tau": [5, 10]}, stop_time=2, step=1)
    plan, job = prepare(made.spec, tmp_path, tmp_path / "fmu")
    monkeypatch.setattr(selftest, "attempt", lambda *_arguments, **_options: None)
    assert where.choose_strategy(job, plan.rows(0, 2), kept, lambda text: None) == "fresh"
    assert kept.strategy(job.identity()) is None
    monkeypatch.undo()
    decided = where.choose_strategy(job, plan.rows(0, 2), kept, lambda text: None)
    assert kept.strategy(job.identity()) == decided
    kept.close()


def test_a_folder_is_kept_and_gone_on_with(linear, tmp_path):
    study = trivium.Study(linear, {"tau": [5, 10]}, stop_time=20, step=1)
    first = study.run(workers=0, folder=tmp_path / "out").frame()
    began = time.monotonic()
    again = study.run(folder=tmp_path / "out", workers=0).frame()  # nothing is missing
    assert time.monotonic() - began < 60
    pd.testing.assert_frame_equal(first, again)
    with pytest.raises(ConflictError, match=r"differs in simulation\.step_size"):
        trivium.Study(linear, {"tau": [5, 10]}, stop_time=20, step=2).run(workers=0, folder=tmp_path / "out")


def test_temporary_results_go_with_the_object(linear):
    results = trivium.Study(linear, {"tau": [5]}, stop_time=2, step=1).run(workers=0)
    folder = results.folder
    assert folder.is_dir()
    results.close()
    del results
    assert not folder.exists()


def test_inputs_follow_a_table(linear):
    frame = pd.DataFrame({"u": [0.0, 5.0, 5.0]}, index=pd.Index([0, 10, 20], name="time"))
    study = trivium.Study(linear, {"tau": [5]}, stop_time=20, step=1, inputs=frame, start_values={"x": 0})
    value = study.run(workers=0).frame()["x"][0]
    held = trivium.simulate(
        linear, stop_time=20, step=1, start_values={"tau": 5, "x": 0}, inputs={"time": [0, 10, 10], "u": [0, 0, 5]}
    )
    assert value == pytest.approx(held["x"].iloc[-1], rel=1e-6)


@pytest.mark.parametrize("version", ["1.0", "2.0", "3.0"])
def test_runs_follow_ramps_within_a_step_where_the_fmu_can(own_fmu, version):
    """A ramp into an integrator, and a jump that lies beside the output points."""
    frame = pd.DataFrame({"time": [0.0, 2.0, 4.5, 4.5, 9.0], "u": [0.0, 10.0, 10.0, 4.0, 4.0]})
    fmu = own_fmu("integrator", version)
    study = trivium.Study(fmu, {"x": [0, 1]}, stop_time=9, step=3, outputs=["x"], inputs=frame, interpolate=True)
    exact = [0.0, 20.0, 41.0, 53.0] if version != "3.0" else [0.0, 0.0, 21.0, 33.0]
    trajectories = study.run(workers=0).select().trajectories("x")
    for row, start in zip(trajectories, (0.0, 1.0), strict=True):
        assert np.asarray(row) == pytest.approx([start + value for value in exact], rel=1e-6, abs=1e-6)


def test_an_input_may_be_swept(linear):
    frame = trivium.Study(linear, {"u": [0, 5], "tau": [2]}, stop_time=50, step=1).run(workers=0).frame()
    assert frame["x"].tolist() == pytest.approx([0.0, 5.0], abs=1e-3)


def test_a_test_case_is_measured_by_its_indicators():
    study = trivium.Study(
        "cooling",
        {"Tchws_set_HEX": [283.15, 291.15]},
        stop_time=1200,
        controller="rules",
        metrics={"pue": ("pue", "kpi")},
    )
    frame = study.run(workers=0).frame()
    assert frame["pue"].between(1, 2).all()
    assert frame["pue"][0] != frame["pue"][1]


@pytest.mark.slow
def test_a_dask_address(linear):
    distributed = pytest.importorskip("distributed", reason="the extra sweep is not installed")
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster:
        study = trivium.Study(linear, {"tau": [7, 14]}, stop_time=20, step=1)
        frame = study.run(scheduler=cluster.scheduler_address).frame()
    assert frame["x"].tolist() == pytest.approx(expected([7, 14]), rel=1e-3)


@pytest.mark.slow
def test_an_interrupted_study_ends_its_processes(linear, tmp_path):
    source = """
import os, signal, sys, trivium
study = trivium.Study(sys.argv[1], {"tau": "linspace:1:9:2000000"}, stop_time=2000, step=1, outputs=["x"])
once_it_runs(lambda: os.kill(os.getpid(), signal.SIGINT))
try:
    study.run(workers=1, cache=False, folder="out")
except KeyboardInterrupt:
    print("interrupted")
"""
    done = by_script(ONCE_IT_RUNS + source, tmp_path, linear)
    assert done.stdout.strip() == "interrupted", done.stderr
    assert "trivium.study.process" not in _processes(tmp_path)


@pytest.mark.slow
def test_a_study_ends_with_the_process_that_asked_for_it(linear, tmp_path):
    source = """
import os, signal, sys, trivium
study = trivium.Study(sys.argv[1], {"tau": "linspace:1:9:2000000"}, stop_time=2000, step=1, outputs=["x"])
once_it_runs(lambda: os.kill(os.getpid(), signal.SIGKILL))
study.run(workers=1, cache=False, folder="out")
"""
    done = by_script(ONCE_IT_RUNS + source, tmp_path, linear)
    assert done.returncode == -signal.SIGKILL
    until = time.monotonic() + 300
    while "trivium.study.process" in _processes(tmp_path) and time.monotonic() < until:
        time.sleep(0.2)
    assert "trivium.study.process" not in _processes(tmp_path)


def _processes(folder):
    """Return the command lines of processes that work in a folder."""
    lines = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if Path(os.readlink(path / "cwd")) == folder:
                lines.append((path / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"parameters": {"taus": [1]}}, r"parameters\.taus: linear.* has no variable taus\. Did you mean tau\?"),
        ({"parameters": {"tau": []}}, r"parameters\.tau: there are no values"),
        ({"parameters": {"tau": [0.01]}}, r"parameters\.tau: .* below the minimum"),
        ({"parameters": {"tau": [float("nan")]}}, r"parameters\.tau: nan is not finite"),
        ({"parameters": {"tau": "linspace:1:2"}}, r"parameters\.tau: 'linspace:1:2' needs 3 numbers"),
        ({"start_values": {"y": 1}}, r"start_values\.y: y cannot be set before a run"),
        ({"stop_time": -1}, "stop_time -1 s must be after start_time 0 s"),
        ({"stop_time": float("nan")}, "nan for parameter stop_time"),
        ({"step": 0}, "step: must be greater than 0"),
        ({"step": 3}, "step must divide the duration 20"),
        ({"metrics": {"m": "x"}}, r'metrics\.m must be a variable and a method, as \("x", "final"\)'),
        ({"metrics": {"m": ("z", "final")}}, r"metrics\.m\.variable: .* has no variable z"),
        ({"metrics": {"m": ("x", "last")}}, r"metrics\.m\.method: must be 'final'"),
        ({"outputs": ["z"]}, "outputs: 'z' matches no variable"),
        ({"outputs": "x"}, r"outputs must be a list of names: \['x'\]"),
        ({"sampling": "random"}, r"sampling: must be 'grid'"),
        ({"groups": {"g": ["tau"]}}, "groups belong to saltelli and morris"),
        ({"groups": {"g": "tau"}}, r"groups\.g must be a list of names: \['tau'\]"),
        ({"groups": {"g": ["u"]}, "sampling": "morris", "runs": 8}, r"groups\.g: there is no parameter u"),
        ({"inputs": {"u": 1}}, "inputs must be a pandas.DataFrame"),
        ({"parameters": [1]}, "parameters must be a dictionary by name"),
        ({"metrics": "x"}, "metrics must be a dictionary by name"),
        ({"start_values": 1}, "start_values must be a dictionary by name"),
        ({"controller": "pid"}, "controller: must be one of 'hold', 'rules', 'look-ahead'"),
    ],
)
def test_a_slip_is_refused_when_the_study_is_made(linear, options, sentence):
    arguments = {"parameters": {"tau": [1]}, "stop_time": 20, "step": 1, **options}
    with pytest.raises(InvalidValueError, match=sentence):
        trivium.Study(linear, **arguments)


def test_parameters_of_a_group_change_together(linear):
    values = {"tau": "range:1:2", "u": "range:0:1", "x": "range:0:1"}
    made = trivium.Study(
        linear,
        values,
        stop_time=1,
        sampling="morris",
        runs=12,
        groups={"both": ["tau", "u"]},
        metrics={"e": ("x", "final")},
    )
    frame = made.run(workers=0).frame()
    steps = frame[list(values)].diff().to_numpy()[[1, 2, 4, 5, 7, 8, 10, 11]] != 0  # of 4 trajectories of 3 runs
    assert (steps[:, 0] == steps[:, 1]).all()
    assert (steps[:, 0] != steps[:, 2]).all()


def test_results_need_a_folder(linear, tmp_path):
    made = trivium.Study(linear, {"tau": [1]}, stop_time=1)
    (tmp_path / "day.csv").write_text("time,u\n")
    for folder in (tmp_path / "day.csv", tmp_path / "day.csv" / "out"):
        with pytest.raises(InvalidValueError, match=r"folder must be a folder .*day\.csv is a file"):
            made.run(workers=0, folder=folder)
    with pytest.raises(InvalidValueError, match="folder must be the path of a folder, not 3"):
        made.run(workers=0, folder=3)
    assert (tmp_path / "day.csv").read_text() == "time,u\n"


def test_a_study_file_is_for_the_command(tmp_path):
    (tmp_path / "my study.json").write_text("{}")
    with pytest.raises(
        InvalidValueError, match="study file, which the command trivium sweep run '.*my study.json' runs"
    ):
        trivium.Study(tmp_path / "my study.json", {}, stop_time=1)


def test_what_cannot_be_run_is_refused(linear, own_fmu):
    with pytest.raises(ResourcesError, match="There is no model"):
        trivium.Study(own_fmu("linear", "3.0").with_name("absent.fmu"), {"tau": [1]}, stop_time=1)
    made = trivium.Study(linear, {"tau": [1]}, stop_time=1)
    with pytest.raises(InvalidValueError, match="workers must be 0, for this process, or a number"):
        made.run(workers=-1)
    with pytest.raises(InvalidValueError, match="exclude each other"):
        made.run(workers=0, scheduler="tcp://127.0.0.1:1")


@pytest.mark.slow
def test_a_scheduler_that_is_not_there(linear, monkeypatch):
    monkeypatch.setenv("TRIVIUM_SCHEDULER_WAIT", "1")
    made = trivium.Study(linear, {"tau": [1]}, stop_time=20, step=1)
    with pytest.raises(EngineError, match="no Dask scheduler with workers at tcp://127.0.0.1:1"):
        made.run(scheduler="tcp://127.0.0.1:1")
