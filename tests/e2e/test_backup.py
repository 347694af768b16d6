"""trivium backup while a server works, and trivium restore elsewhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import threading

import pytest

from tests.server import ROOT, Server


def trivium(*arguments, state_dir):
    return subprocess.run(
        [sys.executable, "-m", "trivium.cli", *map(str, arguments)],
        cwd=ROOT, env={**os.environ, "TRIVIUM_STATE_DIR": str(state_dir)}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def clock_of_default(server):
    return next(one["time"] for one in server.request("GET", "/sessions")[1]["payload"] if one["default"])


@pytest.mark.slow
def test_what_was_acknowledged_before_a_backup_is_there_after_a_restore(small_resources, tmp_path):
    here, there, file = tmp_path / "here", tmp_path / "there", tmp_path / "backup.tar"
    stop, failed = threading.Event(), []
    with Server(small_resources, here) as server:
        testid = server.request("POST", "/testcases/AlphaDataCenterCooling_Gym/select")[1]["testid"]
        server.request("POST", f"/steps/{testid}", {"steps": 50})
        by_hand = server.request("PUT", f"/overrides/{testid}", {"inputs": {"Tchws_set_HEX": 281.5}})[1]["payload"]
        server.request("PATCH", f"/sessions/{testid}", {"name": "kept"})
        snapshot = server.request("POST", f"/snapshot/{testid}")[1]["payload"]["snapshot"]
        job = server.request("POST", "/api/run/step", {"end_time": 600})[1]["task_id"]

        def work():
            for _ in range(350):  # as far as the boundary data reaches
                if stop.wait(0.03):
                    return
                status, reply, _ = server.request("POST", "/advance", {})
                if status != 200:
                    failed.append(reply)

        worker = threading.Thread(target=work)
        worker.start()
        for _ in range(5):  # whatever the session is doing at that moment
            before = clock_of_default(server)
            ended = trivium("backup", file, state_dir=here)
            assert ended.returncode == 0, ended.stderr
        stop.set()
        worker.join()
        assert not failed
        window = {"point_names": ["Tchw_supply"], "start_time": 0, "final_time": before}
        expected = server.request("PUT", "/results", window)[1]["payload"]
        own = server.request("POST", f"/advance/{testid}", {})[1]["payload"]
    assert trivium("restore", file, state_dir=there).returncode == 0
    with Server(small_resources, there) as server:
        clock = clock_of_default(server)
        assert clock >= before > 0
        assert server.request("PUT", "/results", window)[1]["payload"] == expected
        assert server.request("POST", "/advance", {})[0] == 200
        assert server.request("POST", f"/advance/{testid}", {})[1]["payload"] == own
        assert server.request("PUT", f"/restore/{testid}", {"snapshot": snapshot})[0] == 200
        about = server.request("GET", f"/sessions/{testid}")[1]["payload"]
        assert (about["name"], about["overrides"]) == ("kept", by_hand)
        assert server.request("GET", f"/api/run/status/{job}")[1]["status"] == "Pending"
    assert not list(here.glob(".backup-*"))


@pytest.mark.parametrize("kind", ["text", "another archive", "leads out"])
def test_what_is_no_backup_is_refused_and_nothing_made(tmp_path, kind):
    file, state = tmp_path / "file.tar", tmp_path / "state"
    if kind == "text":
        file.write_text("no archive")
    else:
        (tmp_path / "x").write_text("1")
        with tarfile.open(file, "w") as archive:
            archive.add(tmp_path / "x", arcname="../out" if kind == "leads out" else "x")
    ended = trivium("restore", file, state_dir=state)
    assert (ended.returncode, len(ended.stderr.strip().splitlines())) == (1, 1)
    assert not state.exists()
    assert not (tmp_path / "out").exists()


def test_a_directory_that_holds_something_is_not_overwritten(tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    (state / "kept").write_text(json.dumps(1))
    (tmp_path / "any.tar").touch()
    ended = trivium("restore", tmp_path / "any.tar", state_dir=state)
    assert ended.returncode == 1
    assert "is not empty" in ended.stderr
    assert (state / "kept").read_text() == "1"
    assert trivium("backup", tmp_path / "any.tar", state_dir=tmp_path / "none").returncode == 1
