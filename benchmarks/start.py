"""What it takes to begin: environment, imports, first replies, hosts, a step. ``python -m benchmarks.start``.

Everything is measured with the interpreter that runs this program, in fresh processes where it says so. Of each figure
the smallest and the median of some rounds are printed, and for single processes the time on the processor, which
depends less on what else the machine does.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.__main__ import baseline, timed
from tests.server import Server
from trivium.session.config import Config
from trivium.session.folder import Folder
from trivium.session.frames import pack, receive, send, unpack_reply
from trivium.session.launcher import Launcher
from trivium.session.local import open_testcase
from trivium.simulation.initialization import read_initialization_actions
from trivium.simulation.resources import Resources

ROOT = Path(__file__).resolve().parent.parent
RESOURCES = ROOT / "Resources"
MODULES = ("trivium", "trivium.server.app", "trivium.session.host")
#: Start of the steps, and their number.
START, STEPS = 300000.0, 1000
#: The host of `fresh`, which imports nothing else.
FRESH = """
import json, socket, sys
from trivium.session import host
from trivium.session.config import Config
host.run(Config(**json.loads(sys.argv[2])), socket.socket(fileno=int(sys.argv[1])))
"""


def environment_size() -> float:
    """Return the size of the files in site-packages, without compiled copies [MB]."""
    folder = Path(sysconfig.get_paths()["purelib"])
    files = (path for path in folder.rglob("*") if "__pycache__" not in path.parts)
    return sum(path.lstat().st_size for path in files if not path.is_dir()) / 1e6


def import_seconds(module: str) -> tuple[float, float]:
    """Return how long a fresh process takes to import a module, and of it on the processor; its own start left out."""
    clocks = "(time.perf_counter(), time.process_time())"
    code = f"import time; a = {clocks}; import {module}; b = {clocks}; print(b[0] - a[0], b[1] - a[1])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    wall, processor = map(float, done.stdout.split())
    return wall, processor


def server_seconds(state: Path) -> tuple[float, float]:
    """Return the times from the start of a server to its replies to GET /version and to POST /advance."""
    started = time.perf_counter()
    with Server(RESOURCES, state) as server:
        version = time.perf_counter() - started
        status, reply, _ = server.request("POST", "/advance", {})
        advance = time.perf_counter() - started
        if status != 200:
            raise SystemExit(f"POST /advance: {reply}")
    return version, advance


def config_of(state: Path) -> Config:
    """Make a session and return what its host is told."""
    folder = Folder(state, os.urandom(8).hex())
    folder.create({"testcase": "start"})
    return Config(str(state), str(RESOURCES), folder.testid, "auto", "process", 60.0, 0, 2**33)


def first_step(sock: socket.socket) -> None:
    """Wait until a host is ready, and have it take a step."""
    sock.settimeout(120.0)
    receive(sock)
    request = {"method": "advance", "args": [{}], "options": {}, "id": os.urandom(16).hex(), "clock": None, "key": None}
    send(sock, pack(request, verbatim=True))
    unpack_reply(receive(sock))


def forked(launcher: Launcher, config: Config) -> float:
    """Have a host forked from the template take its first step; return the time that took."""
    started = time.perf_counter()
    with launcher.fork(config) as sock:
        first_step(sock)
        return time.perf_counter() - started


def fresh(config: Config) -> tuple[float, float]:
    """Have a host in a fresh process take its first step; return the time that took, and of it on the processor."""
    ours, theirs = socket.socketpair()
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, "-c", FRESH, str(theirs.fileno()), json.dumps(asdict(config))]
    started = time.perf_counter()
    with ours:
        with theirs:
            process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **threads}, pass_fds=[theirs.fileno()])
        first_step(ours)
        wall = time.perf_counter() - started
        process.kill()
        _, _, used = os.wait4(process.pid, 0)
        process.returncode = 0
    return wall, used.ru_utime + used.ru_stime


def step_seconds(state: Path) -> list[float]:
    """Return the seconds of each step of a test case in this process."""
    path = Resources.load(RESOURCES).initialization_actions
    if path is None:
        raise SystemExit("the test case has no recorded actions")
    case = open_testcase(RESOURCES, state)
    actions = baseline(read_initialization_actions(path), case.inputs, START, STEPS)
    case.initialize(START)
    seconds = timed(case.advance, actions)
    case.close()
    return seconds


def line(name: str, seconds: Sequence[float], processor: Sequence[float] = ()) -> None:
    """Print the smallest and the median of some seconds."""
    columns = [min(seconds), statistics.median(seconds), *([min(processor)] if processor else [])]
    print(f"| {name} | {' | '.join(f'{1e3 * each:.2f}' for each in columns)} |{'' if processor else ' |'}", flush=True)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each figure (default 7)")
    rounds = range(parser.parse_args().rounds)
    print(f"site-packages: {environment_size():.0f} MB\n")
    print("| | smallest [ms] | median [ms] | on the processor, smallest [ms] |\n|---|--:|--:|--:|")
    for module in MODULES:
        import_seconds(module)  # which compiles it
        line(f"import {module}", *zip(*(import_seconds(module) for _ in rounds), strict=True))
    with tempfile.TemporaryDirectory(prefix="trivium-bench-", ignore_cleanup_errors=True) as folder:
        state = Path(folder)
        new = [server_seconds(state / f"new-{k}") for k in rounds]
        again = [server_seconds(state / "new-0") for _ in rounds]
        for name, pairs in (("new state directory", new), ("FMU unpacked and tried before", again)):
            version, advance = zip(*pairs, strict=True)
            line(f"server to GET /version, {name}", version)
            line(f"server to POST /advance, {name}", advance)
        state /= "hosts"
        launcher = Launcher(state)
        forked(launcher, config_of(state))  # which starts the template
        line("first step of a host forked from the template", [forked(launcher, config_of(state)) for _ in rounds])
        line(
            "first step of a host in a fresh process",
            *zip(*(fresh(config_of(state)) for _ in rounds), strict=True),
        )
        launcher.close()
        line("step in process", step_seconds(state))


if __name__ == "__main__":
    main()
