"""What a confined process can do, and what the programs that it starts can."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.server import ROOT
from trivium import confinement
from trivium.confinement import Confinement, available

PROGRAM = """
import json, os, socket, subprocess, sys
from pathlib import Path
from trivium.confinement import confine

mine, others, listener, process = sys.argv[1:]
def could(act):
    try:
        act()
    except OSError:
        return False
    return True

confined = confine([Path(mine), Path(mine, "absent")])
shell = lambda command: subprocess.run(["sh", "-c", command], check=False, stderr=subprocess.DEVNULL).returncode == 0
(Path(mine) / "folder").mkdir()
results = {
    "confined": list(confined),
    "good": [
        could(lambda: Path(mine, "file").write_text("a")),
        could(lambda: os.rename(Path(mine, "file"), Path(mine, "folder", "file"))),
        could(lambda: os.link(Path(mine, "folder", "file"), Path(mine, "second"))),
        could(lambda: Path(others, "file").read_text()),
        could(lambda: Path("/dev/null").write_text("a")),
        could(lambda: socket.socketpair()),
        could(lambda: os.kill(os.getpid(), 0)),
        shell(f"echo a > {mine}/by-shell"),
    ],
    "files": [
        could(lambda: Path(others, "new").write_text("a")),
        could(lambda: Path(others, "file").write_text("a")),
        could(lambda: os.truncate(Path(others, "file"), 0)),
        could(lambda: Path(others, "file").unlink()),
        could(lambda: Path(others, "folder").mkdir()),
        could(lambda: os.rename(Path(others, "file"), Path(mine, "taken"))),
        could(lambda: os.link(Path(others, "file"), Path(mine, "linked"))),
        could(lambda: os.symlink("/", Path(others, "link"))),
        shell(f"echo a > {others}/by-shell"),
    ],
    "network": [
        could(lambda: socket.socket()),
        could(lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)),
        could(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)),
        could(lambda: socket.socket(socket.AF_UNIX).connect(listener)),
        shell(f"{sys.executable} -c 'import socket; socket.socket()'"),
    ],
    "signals": could(lambda: os.kill(int(process), 0)),
}
print(json.dumps(results))
"""


@pytest.mark.skipif(not all(available()), reason="the kernel has no Landlock, or no filter of system calls")
def test_a_confined_process_writes_only_where_it_may_and_reaches_nobody(tmp_path):
    from socket import AF_UNIX, socket

    mine, others = tmp_path / "mine", tmp_path / "others"
    for folder in (mine, others):
        folder.mkdir()
    (others / "file").write_text("precious")
    other = subprocess.Popen(["sleep", "600"])
    try:
        with socket(AF_UNIX) as listener:
            listener.bind(str(tmp_path / "s"))
            listener.listen()
            arguments = map(str, (mine, others, tmp_path / "s", other.pid))
            done = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=True,
                                  env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    finally:
        other.send_signal(signal.SIGKILL)
        other.wait()
    results = json.loads(done.stdout)
    assert results["confined"] == [True, True]
    assert all(results["good"])
    assert not any(results["files"])
    assert not any(results["network"])
    assert not results["signals"] or confinement._landlock_version() < 6
    assert (others / "file").read_text() == "precious"
    assert [path.name for path in others.iterdir()] == ["file"]


def test_what_holds_is_said():
    assert str(Confinement(files=True, network=True)) == "files and network"
    assert str(Confinement(files=False, network=True)) == "network"
    assert str(Confinement(files=False, network=False)) == "nothing"
