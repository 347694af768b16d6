"""Readers of results: absent, unreadable, damaged and not run are four things; nothing acknowledged is missing."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys

import numpy as np
import pytest

import trivium.study
from tests.sweeps import made_up
from trivium.cli import main
from trivium.errors import ResourcesError, StorageError
from trivium.study import hdf5
from trivium.study.opening import open_store
from trivium.study.parts import Parts
from trivium.study.prepare import prepare
from trivium.study.report.page import figures
from trivium.study.spec import load_study


@pytest.fixture
def write(write_study, unpacked, tmp_path):
    """Write results of runs without a simulation: write(count, size, [runs, ...]) returns the folder."""

    def make(count, size, stretches, failing=(), **changes):
        study = load_study(
            write_study(
                simulation_parameters={"gain": [2], "tau": f"linspace:1:{count}:{count}"},
                metrics={"last": {"variable": "x", "method": "final"}},
                output={"runs_per_part": size, **changes},
            )
        )
        plan, job = prepare(study, tmp_path, unpacked)
        store = open_store(tmp_path / "study", plan, job, study)
        parts = Parts(store, plan, job)
        for runs in stretches:
            parts.add(made_up(job, runs, failing=failing))
        hdf5.link(store, job)
        store.close()
        return store.folder

    return make


def multiply(folder, count):
    """Let a folder with one part of one run have many of the same."""
    part = folder / "parts/00000.h5"
    for number in range(1, count):
        shutil.copyfile(part, folder / f"parts/{number:05d}.h5")
    base = sqlite3.connect(folder / "study.sqlite")
    numbers = [(number,) for number in range(1, count)]
    base.executemany("INSERT INTO parts SELECT ?, runs, size, digest FROM parts WHERE part = 0", numbers)
    base.executemany("INSERT INTO columns SELECT name, ?, data FROM columns WHERE part = 0", numbers)
    base.commit()
    base.close()


def test_parts_and_loose_results_are_read_alike(write):
    folder = write(7, 4, [[0, 1, 2, 3], [6], [5]], failing=[1])
    with trivium.study.open(folder) as results:
        assert len(results) == 7
        assert results.status.tolist() == [1, 2, 1, 1, 0, 1, 1]
        assert results.failures == {1: "it failed"}
        assert results.lost == results.verify() == []
        selection = results.select(tau=(3, 7))
        assert selection.runs.tolist() == [2, 3, 5, 6]
        frame = selection.frame()
        assert frame.columns.tolist() == ["gain", "tau", "last"]
        assert frame.loc[5].tolist() == [2, 6, 5]
        data = selection.dataset()
        assert data["x"].dims == ("run", "time")
        assert data["x"].sel(run=[3, 5, 6], time=20.0).values.tolist() == [3.5, 5.5, 6.5]
        with pytest.raises(StorageError, match="run 4 has no results"):
            results.trajectories(np.array([4]), "x")


def test_absent_unreadable_and_damaged_are_not_the_same_as_not_run(write, tmp_path, capsys, monkeypatch):
    folder = write(10, 2, [[0, 1], [2, 3], [4, 5], [6, 7]])
    (folder / "parts/00000.h5").unlink()
    (folder / "parts/00001.h5").unlink()
    (folder / "parts/00001.h5").symlink_to("00001.h5")  # a loop, unreadable for everybody
    content = (folder / "parts/00002.h5").read_bytes()
    (folder / "parts/00002.h5").write_bytes(content[:-1])
    with trivium.study.open(folder) as results:
        assert results.status.tolist() == [1] * 8 + [0] * 2
        assert [(lost.part, lost.kind) for lost in results.lost] == [(0, "absent"), (1, "unreadable"), (2, "damaged")]
        assert "3 parts that cannot be read" in repr(results)
        assert results.frame()["last"].tolist() == list(range(8))  # of the index, which is whole
        assert results.readable(np.arange(8)).tolist() == [6, 7]
        assert results.trajectories(np.array([6]), "x")[0, 0] == 6.5
        with pytest.raises(StorageError) as caught:
            results.select().export(tmp_path / "all.csv", trajectories=True)
    for name in ("00000.h5 (runs 0 to 1) is absent", "00001.h5 (runs 2 to 3) is unread", "00002.h5 (runs 4 to 5) is"):
        assert name in str(caught.value)
    assert not (tmp_path / "all.csv").exists()
    monkeypatch.setenv("TRIVIUM_STATE_DIR", str(tmp_path / "state"))
    assert main(["sweep", "export", str(folder), str(tmp_path / "metrics.csv")]) == 0
    assert main(["sweep", "report", str(folder)]) == 0
    assert capsys.readouterr().err.count("00000.h5 (runs 0 to 1) is absent") == 2
    assert "00001.h5 (runs 2 to 3) is unreadable" in (folder / "report.html").read_text()


def test_a_byte_flipped_in_each_of_100_parts(write):
    folder = write(120, 1, [[0]])
    multiply(folder, 120)
    rng = np.random.default_rng(0)
    damaged = np.sort(rng.choice(120, 100, replace=False))
    for number in damaged.tolist():
        path = folder / f"parts/{number:05d}.h5"
        content = bytearray(path.read_bytes())
        content[rng.integers(len(content))] ^= int(rng.integers(1, 256))
        path.write_bytes(content)
    with trivium.study.open(folder) as results:
        assert results.lost == []  # sizes are as they were
        assert [lost.part for lost in results.verify()] == damaged.tolist()
        with pytest.raises(StorageError) as caught:
            results.select().trajectories("x")
        assert all(f"{number:05d}.h5 (run {number}) is damaged" in str(caught.value) for number in damaged.tolist())
        whole = np.setdiff1d(np.arange(120), damaged)
        assert (results.trajectories(whole, "x") == 0.5).all()


def test_runs_without_a_value_are_counted_with_the_reason(write_study, run_here):
    metrics = {"m": {"variable": "x", "method": "self_sufficiency_time"}, "n": {"variable": "x", "method": "final"}}
    path = write_study(simulation_parameters={"tau": [10], "gain": [1], "u": [0, 5]}, metrics=metrics)
    with trivium.study.open(run_here(path)) as results:  # towards 0 the state falls to the end, towards 5 it rises
        assert np.isnan(results.frame()["m"]).tolist() == [True, False]
        count, reason = results.without_value("m")
        assert (count, "least in the last 30%" in reason) == (1, True)
        assert results.without_value("m", np.array([1])) == (0, "")
        assert results.without_value("n") == (0, "")
        shown = figures(results, "title")["indices"]
        assert (shown["m"]["values"], shown["m"]["reason"], shown["n"]["reason"]) == (1, reason, "")


_MANY = """
import resource, sys, trivium.study
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
with trivium.study.open(sys.argv[1]) as results:
    runs = results.select().runs
    print(len(runs), (results.status == 1).all(), len(results.lost), (results.trajectories(runs[::20], "x") == 0.5).all())
"""


@pytest.mark.slow
def test_4000_parts_with_64_open_files(write):
    folder = write(4000, 1, [[0]])
    multiply(folder, 4000)
    done = subprocess.run(
        [sys.executable, "-c", _MANY, str(folder)], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.stdout.split() == ["4000", "True", "0", "True"], done.stderr


_WRITER = """
import sys
from pathlib import Path
from tests.sweeps import made_up
from trivium.study.parts import Parts
from trivium.study.prepare import prepare
from trivium.study.spec import load_study
from trivium.study.opening import open_store
path, unpacked = Path(sys.argv[1]), Path(sys.argv[2])
study = load_study(path)
plan, job = prepare(study, path.parent, unpacked)
store = open_store(path.with_suffix(""), plan, job, study)
parts = Parts(store, plan, job)
for run in range(plan.count):
    parts.add(made_up(job, [run]))
    print(run, flush=True)
"""


def test_what_was_acknowledged_before_a_kill_is_read_at_once(write_study, unpacked):
    path = write_study(
        simulation_parameters={"tau": "linspace:1:100000:100000"}, output={"runs_per_part": 8},
        metrics={"last": {"variable": "x", "method": "final"}},
    )  # fmt: skip
    enough = int.from_bytes(os.urandom(1)) % 60 + 5
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path), str(unpacked)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            acknowledged = [int(process.stdout.readline()) for _ in range(enough)]
        finally:
            process.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in process.stdout.read().split("\n")[:-1]]
    with trivium.study.open(path.with_suffix("")) as results:
        assert (results.status[acknowledged] == 1).all()
        assert results.select().frame()["last"][acknowledged].tolist() == acknowledged
        assert results.trajectories(np.array(acknowledged), "x")[:, -1].tolist() == [run + 0.5 for run in acknowledged]


def test_a_damaged_index_is_not_an_empty_one(write, tmp_path):
    folder = write(4, 4, [[0, 1]])
    with pytest.raises(ResourcesError, match=r"no study\.sqlite"):
        trivium.study.open(tmp_path)
    base = sqlite3.connect(folder / "study.sqlite")
    (data,) = base.execute("SELECT head FROM loose").fetchone()
    place = data.index(b"\x00\x00\x00\x00\x00\x00\xf0\x3f") if b"\x00\x00\x00\x00\x00\x00\xf0\x3f" in data else -200
    base.execute("UPDATE loose SET head = ?", (data[:place] + b"\x07" + data[place + 1 :],))
    base.commit()
    base.close()
    with trivium.study.open(folder) as results, pytest.raises(ResourcesError, match="is damaged"):
        results.select()
    (folder / "study.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(ResourcesError, match="damaged"):
        trivium.study.open(folder)


def test_lost_parts_are_run_again(write_study, run_here, tmp_path, capfd, monkeypatch):
    pytest.importorskip("distributed", reason="the extra sweep is not installed")
    path = write_study(output={"runs_per_part": 2}, metrics={"last": {"variable": "x", "method": "final"}})
    folder = run_here(path)
    parts = sorted((folder / "parts").iterdir())
    before = [part.read_bytes() for part in parts]
    parts[0].unlink()
    parts[2].write_bytes(
        bytes([before[2][100] ^ 255 if place == 100 else each for place, each in enumerate(before[2])])
    )
    said = []
    study = load_study(path)
    plan, job = prepare(study, tmp_path, tmp_path / "unpacked")
    open_store(folder, plan, job, study, said.append, deep=True).close()
    assert [text.split(" is ")[0] for text in said] == ["parts/00000.h5 (runs 0 to 1)", "parts/00002.h5 (runs 4 to 5)"]
    with trivium.study.open(folder) as results:
        assert results.status.tolist() == [0, 0, 1, 1, 0, 0]  # they are to run again
    run_here(path, [0, 1, 4, 5])
    assert [part.read_bytes() for part in parts] == before
    monkeypatch.setenv("TRIVIUM_STATE_DIR", str(tmp_path / "state"))
    assert main(["sweep", "repair", str(path), "--workers", "1"]) == 0
    assert main(["sweep", "repair", str(path), "--out", str(tmp_path / "absent")]) == 1
    assert "no study.sqlite" in capfd.readouterr().err
