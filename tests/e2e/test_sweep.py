"""``trivium sweep`` from the outside: real processes, killed in the middle."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time

import numpy as np
import psutil
import pytest

import trivium.study
from tests.dask_cluster import DaskCluster
from tests.own_fmus import state
from tests.trap_fmu import Trap

pytest.importorskip("distributed", reason="the extra sweep is not installed")


@pytest.fixture
def command(tmp_path):
    """Run `trivium sweep` with arguments in a folder of its own."""
    return commands(tmp_path)


@pytest.fixture(scope="module")
def uncut(tmp_path_factory, trap_fmu):
    """Parts of the results of `slow_study`, run without an interruption."""
    folder = tmp_path_factory.mktemp("uncut")
    commands(folder)(slow_study(folder, trap_fmu(), "uncut.json"), "--no-cache", "--workers", 2)
    return folder / "uncut" / "parts"


def is_uncut(folder, uncut):
    """Assert that a study has the results of the one that ran without an interruption, to the last bit."""
    names = sorted(path.name for path in uncut.iterdir())
    assert sorted(path.name for path in (folder / "parts").iterdir()) == names
    for name in names:
        assert (folder / "parts" / name).read_bytes() == (uncut / name).read_bytes()
    return True


def commands(tmp_path):
    def run(*arguments, start=False, terminal=None, check=0, **variables):
        environment = {**os.environ, "TRIVIUM_STATE_DIR": str(tmp_path / "state"), "OMP_NUM_THREADS": "1", **variables}
        whole = [sys.executable, "-m", "trivium.cli", "sweep", *map(str, arguments)]
        if terminal is not None:

            def adopt():
                fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)

            with (tmp_path / "said").open("wb") as said:
                return subprocess.Popen(
                    whole, env=environment, stdin=terminal, stdout=subprocess.DEVNULL, stderr=said,
                    start_new_session=True, preexec_fn=adopt,
                )  # fmt: skip
        if start:
            with (tmp_path / "said").open("wb") as said:
                return subprocess.Popen(whole, env=environment, stdout=subprocess.DEVNULL, stderr=said)
        done = subprocess.run(whole, env=environment, capture_output=True, text=True, timeout=400, check=False)
        assert done.returncode == check, done.stderr
        return done

    return run


def write(path, fmu, parameters, simulation, **more):
    content = {
        "paths": {"package_path": str(fmu)}, "simulation": simulation, "simulation_parameters": parameters, **more
    }  # fmt: skip
    path.write_text(json.dumps(content))
    return path


def slow_study(tmp_path, fmu, name="slow.json", **more):
    """60 runs of 0.05 s; the amount is hundredths of a second a step."""
    return write(
        tmp_path / name, fmu, {"u": "281:300:1", "amount": [0.4, 0.5, 0.6], "trap": [int(Trap.SLOW)]},
        {"variableFilter": "y", "stop_time": 600, "step_size": 60},
        metrics={"last": {"variable": "y", "method": "final"}}, output={"runs_per_part": 16}, **more,
    )  # fmt: skip


@pytest.mark.slow
def test_a_study_runs_and_its_second_time_comes_from_the_cache(command, tmp_path, own_fmu):
    study = write(
        tmp_path / "study.json", own_fmu("linear", "2.0"), {"tau": [5, 10, 20], "u": "0:9:1"},
        {"variableFilter": "x", "stop_time": 40000, "step_size": 1},
        metrics={"t": {"variable": "x", "method": "time_above", "threshold": 1.5}},
    )  # fmt: skip
    said = command(study, "--dry-run", "--workers", 1).stdout
    assert re.search(r"runs +30\ntime .* with 1 workers, .* s a run\nmemory .*\ndisk ", said)
    assert not (tmp_path / "study").exists()
    assert command(study, "--workers", 1).stdout.startswith("30 of 30 runs; ")
    again = command(study, "--out", tmp_path / "again").stdout
    assert "30 of 30 runs, 30 from the cache" in again
    assert (tmp_path / "study/parts/00000.h5").read_bytes() == (tmp_path / "again/parts/00000.h5").read_bytes()
    assert command("cache", "info").stdout.startswith("30 runs, ")
    assert command("cache", "clear").stdout.startswith("0 runs, ")
    with trivium.study.open(tmp_path / "study") as results:
        chosen = results.select(tau=20, u=(2, 4))
        for u, trajectory, above in zip((2, 3, 4), chosen.trajectories("x"), chosen.frame()["t"], strict=True):
            wanted = [state(t, u, tau=20) for t in range(100)]
            np.testing.assert_allclose(trajectory[:100], wanted, rtol=1e-6)
            assert above == next(t for t in range(100) if wanted[t] >= 1.5)


@pytest.mark.slow
def test_runs_that_crash_or_hang_are_found_and_the_rest_goes_on(command, tmp_path, trap_fmu):
    traps = [0, int(Trap.SEGMENTATION_FAULT), int(Trap.HANG), int(Trap.ERROR)]
    study = write(
        tmp_path / "study.json", trap_fmu(), {"u": "281:300:1", "trap": "file:traps.csv"},
        {"variableFilter": "y", "stop_time": 60, "step_size": 60, "time_limit": 10},
        sampling={"method": "zip"},
    )  # fmt: skip
    column = [0] * 20
    column[3], column[11], column[17] = traps[1:]
    (tmp_path / "traps.csv").write_text("\n".join(map(str, column)))
    said = command(study, "--workers", 2, check=3).stdout
    assert "20 of 20 runs, 3 failed" in said
    with trivium.study.open(tmp_path / "study") as results:
        assert np.flatnonzero(results.status == 2).tolist() == [3, 11, 17]
        assert (results.status > 0).all()
        assert results.failures[3] == "its process died each time that it was tried, at last alone (SIGSEGV)"
        assert "time_limit" in results.failures[11]
        assert "told to fail" in results.failures[17]
        assert results.select().trajectories("y").shape == (17, 2)


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["driver", "worker"])
def test_killed_and_started_again(command, tmp_path, trap_fmu, uncut, victim):
    cut = slow_study(tmp_path, trap_fmu(), "cut.json")
    process = command(cut, "--no-cache", "--workers", 2, start=True)
    try:
        _wait_for(lambda: len(_done(tmp_path / "cut")) >= 1)
        before = _done(tmp_path / "cut")
        if victim == "driver":
            family = psutil.Process(process.pid).children(recursive=True)
            process.kill()
            process.wait()
            psutil.wait_procs(family, timeout=300)
        else:
            _workers(process.pid)[0].send_signal(signal.SIGKILL)
            assert process.wait(300) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    said = command(cut, "--no-cache", "--workers", 2).stdout
    assert "60 of 60 runs;" in said
    assert before
    assert is_uncut(tmp_path / "cut", uncut)


@pytest.mark.slow
def test_ctrl_c_on_a_terminal_prints_one_sentence(command, tmp_path, trap_fmu):
    """The terminal sends Ctrl-C to the workers as well; only the driver speaks of it."""
    study = slow_study(tmp_path, trap_fmu())
    terminal, device = pty.openpty()
    try:
        process = command(study, "--no-cache", "--workers", 2, terminal=device)
        try:
            _wait_for(lambda: len(_done(tmp_path / "slow")) >= 1)
            family = psutil.Process(process.pid).children(recursive=True)
            os.write(terminal, b"\x03")
            assert process.wait(300) == 130
        finally:
            process.kill()
            process.wait()
    finally:
        os.close(device)
        os.close(terminal)
    assert psutil.wait_procs(family, timeout=300)[1] == []
    said = (tmp_path / "said").read_text()
    assert "Traceback" not in said
    assert said.splitlines()[-1].startswith("interrupted; the runs that ended are kept")


def _done(folder):
    import sqlite3

    if not (folder / "study.sqlite").exists():
        return []
    base = sqlite3.connect(f"file:{folder}/study.sqlite?mode=ro", uri=True, timeout=10)
    try:
        return base.execute("SELECT id FROM loose UNION ALL SELECT part FROM parts").fetchall()
    except sqlite3.OperationalError:
        return []
    finally:
        base.close()


def _workers(pid):
    """Return the worker processes: the children of the nannies' processes that burn time."""
    family = psutil.Process(pid).children(recursive=True)
    return sorted(family, key=lambda p: p.memory_info().rss, reverse=True)


def _is_forked(process):
    """Return whether a process was forked by that which has imported what they need."""
    return "multiprocessing.forkserver" in " ".join(process.parent().cmdline())


def _wait_for(condition, patience=200.0):
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


#: A scheduler and workers that are about to start are there within this time, however busy the machine is.
PATIENT = {"TRIVIUM_SCHEDULER_WAIT": "300"}


@pytest.mark.slow
def test_a_scheduler_and_workers_of_their_own(command, tmp_path, own_fmu):
    study = write(
        tmp_path / "study.json", own_fmu("linear", "2.0"), {"tau": "1:50:1"},
        {"variableFilter": "x", "stop_time": 20, "step_size": 1},
    )  # fmt: skip
    with DaskCluster(tmp_path / "dask") as cluster:
        address = cluster.address
        assert "50 of 50 runs;" in command(study, "--scheduler", address, **PATIENT).stdout
    failed = command(study, "--scheduler", address, "--out", tmp_path / "b", "--no-cache", check=1)
    assert "there is no Dask scheduler" in failed.stderr


@pytest.mark.slow
def test_a_scheduler_that_is_killed_is_told_and_the_study_goes_on_elsewhere(command, tmp_path, trap_fmu, uncut):
    cut = slow_study(tmp_path, trap_fmu(), "cut.json")
    with DaskCluster(tmp_path / "dask") as cluster:
        process = command(cut, "--no-cache", "--scheduler", cluster.address, start=True)
        try:
            _wait_for(lambda: len(_done(tmp_path / "cut")) >= 2)
            cluster.scheduler.kill()
            process.wait(300)
        finally:
            process.kill()
            process.wait()
    assert process.returncode == 1
    assert (tmp_path / "said").read_text().splitlines()[-1].startswith("trivium: the Dask scheduler is gone")
    assert 0 < len(_done(tmp_path / "cut")) < 60
    command(cut, "--no-cache", "--workers", 2)
    assert is_uncut(tmp_path / "cut", uncut)


@pytest.mark.slow
def test_a_scheduler_that_is_started_again_at_its_address_gets_what_is_left(command, tmp_path, trap_fmu, uncut):
    cut = slow_study(tmp_path, trap_fmu(), "cut.json")
    with DaskCluster(tmp_path / "dask") as cluster:
        address = cluster.address
        process = command(cut, "--no-cache", "--scheduler", address, start=True, **PATIENT)
        try:
            _wait_for(lambda: len(_done(tmp_path / "cut")) >= 2)
            cluster.restart()
            assert cluster.address == address
            assert process.wait(300) == 0, (tmp_path / "said").read_text()
        finally:
            process.kill()
            process.wait()
    assert is_uncut(tmp_path / "cut", uncut)


@pytest.mark.slow
@pytest.mark.parametrize(("count", "crashing"), [(41, 35), (100, 5), pytest.param(1000, 50, marks=pytest.mark.long)])
def test_exactly_the_runs_fail_that_crash(command, tmp_path, trap_fmu, count, crashing):
    study = write(
        tmp_path / "study.json", trap_fmu(), {"u": f"linspace:281:300:{count}", "trap": "file:traps.csv"},
        {"variableFilter": "y", "stop_time": 60, "step_size": 60},
        sampling={"method": "zip"},
    )  # fmt: skip
    traps = np.zeros(count, dtype=int)
    crashes = np.sort(np.random.default_rng(1).choice(count, crashing, replace=False))
    traps[crashes] = int(Trap.SEGMENTATION_FAULT)
    (tmp_path / "traps.csv").write_text("\n".join(map(str, traps.tolist())))
    said = command(study, "--no-cache", "--workers", 2, check=3).stdout
    assert f"{count} of {count} runs, {crashing} failed" in said
    with trivium.study.open(tmp_path / "study") as results:
        assert np.flatnonzero(results.status == 2).tolist() == crashes.tolist()
        assert all(reason.endswith("at last alone (SIGSEGV)") for reason in results.failures.values())


@pytest.mark.slow
def test_workers_that_are_all_stopped_and_continued(command, tmp_path, trap_fmu, uncut):
    cut = slow_study(tmp_path, trap_fmu(), "cut.json")
    process = command(cut, "--no-cache", "--workers", 2, start=True)
    stopped = []
    try:
        _wait_for(lambda: len(_done(tmp_path / "cut")) >= 1)
        stopped = [worker for worker in _workers(process.pid) if _is_forked(worker)]
        for worker in stopped:
            worker.suspend()
        _wait_for(lambda: all(worker.status() == psutil.STATUS_STOPPED for worker in stopped))
        assert len(stopped) == 2
        time.sleep(3)  # nothing may end meanwhile, so there is nothing else to wait for
        assert process.poll() is None, (tmp_path / "said").read_text()
        for worker in stopped:
            worker.resume()
        assert process.wait(300) == 0, (tmp_path / "said").read_text()
    finally:
        for worker in stopped:
            with contextlib.suppress(psutil.NoSuchProcess):
                worker.resume()
        process.kill()
        process.wait()
    assert is_uncut(tmp_path / "cut", uncut)


@pytest.mark.slow
def test_repair_names_what_is_damaged_and_runs_it_again(command, tmp_path, own_fmu):
    study = write(
        tmp_path / "study.json", own_fmu("linear", "2.0"), {"tau": "1:12:1"},
        {"variableFilter": "x", "stop_time": 20, "step_size": 1}, output={"runs_per_part": 1},
    )  # fmt: skip
    command(study, "--no-cache", "--workers", 1)
    parts = sorted((tmp_path / "study/parts").iterdir())
    before = [part.read_bytes() for part in parts]
    rng = np.random.default_rng(0)
    damaged = np.sort(rng.choice(12, 8, replace=False)).tolist()
    for number in damaged:
        content = bytearray(before[number])
        content[rng.integers(len(content))] ^= int(rng.integers(1, 256))
        parts[number].write_bytes(content)
    done = command("repair", study, "--workers", 1)
    for number in range(12):
        named = f"parts/{number:05d}.h5 (run {number}) is damaged" in done.stderr
        assert named == (number in damaged)
    assert "12 of 12 runs" in done.stdout
    assert [part.read_bytes() for part in parts] == before
    assert "is damaged" not in command("repair", study, "--workers", 1).stderr


@pytest.mark.slow
def test_scratch_files_and_licences(command, tmp_path, trap_fmu):
    """Dask's files are where the study says, and no more runs are under way than it has licences."""
    (tmp_path / "scratch").mkdir()
    study = slow_study(tmp_path, trap_fmu(), max_concurrent=1)
    content = json.loads(study.read_text())
    content["paths"]["scratch_dir"] = "scratch"
    study.write_text(json.dumps(content))
    process = command(study, "--no-cache", "--workers", 2, start=True)
    try:
        _wait_for(lambda: len(_done(tmp_path / "slow")) >= 1)
        assert list((tmp_path / "scratch").glob("*/worker-*"))
        # workers burn time while runs are under way; the driver, nanny and resource tracker hardly do
        busy = [each for each in psutil.Process(process.pid).children(recursive=True) if _is_forked(each)]
        assert len(busy) == 1
        assert process.wait(400) == 0, (tmp_path / "said").read_text()
    finally:
        process.kill()
        process.wait()
    assert not list((tmp_path / "slow").rglob("worker-*"))
    assert len(_done(tmp_path / "slow")) == 4  # parts


def test_what_is_wrong_is_said(command, tmp_path, own_fmu):
    study = write(tmp_path / "study.json", own_fmu("linear", "2.0"), {"tow": [1]}, {"stop_time": 1, "step_size": 1})
    assert "simulation_parameters.tow" in command(study, check=1).stderr
    assert not (tmp_path / "study").exists()
    assert "--workers" in command(study, "--workers", 0, check=2).stderr
