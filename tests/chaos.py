"""``make chaos``: disturb a server at random under load, and look what is left.

Hosts, the zygote, workers and the whole server are killed (SIGKILL) or frozen (SIGSTOP), the server is restarted, and
the disk runs full where there is one of the run's own. Clients step sessions with a set point that tells one request
from all others. Some go over HTTP to the default session and never repeat a request; others have a session each and
repeat a request with its Idempotency-Key until it is acknowledged; one has a new session every few steps. In the end
the results, the journal and the clients' own logs must agree: what was acknowledged is there once, with the values that
were told; what was refused is not there; what is there was asked for, once. A test case that was never disturbed must
answer the same, to the bit, to the same actions. Then bits of what is stored are flipped, one at a time: the results
are the same or refused.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tests.full_disk import fill
from tests.server import Server
from trivium.environment import ROOT
from trivium.errors import StateError, TriviumError, UnknownSessionError
from trivium.session.folder import Folder, runtime_dir
from trivium.session.frames import unpack
from trivium.session.journal import Kind, read
from trivium.session.local import open_testcase
from trivium.session.manager import SessionManager
from trivium.settings import Settings

FOUR = (sys.executable, "-m", "gunicorn", "-w", "4", "restapi:app")
#: What happens, and how often.
TROUBLES = {
    "killed host": 50, "killed worker": 12, "killed all workers": 6, "killed zygote": 8, "killed server": 5,
    "frozen host": 6, "frozen zygote": 3, "frozen worker": 4, "restart": 3, "full disk": 5,
}  # fmt: skip
#: Settings of the server: clocks that pass within the run [s].
CLOCKS = {"TRIVIUM_STEP_TIMEOUT": "5", "TRIVIUM_WORKER_TIMEOUT": "20", "TRIVIUM_DISK_RESERVE": "0"}
#: How long a worker is frozen, and the disk full [s].
A_WHILE = 1.5
MARK = "Tchws_set_HEX"
POINTS = [MARK, "Tchw_supply", "P_Chillers_sum", "Head_required"]
SPANS = re.compile(r"from (\d+\.\d)s to (\d+\.\d)s")


def mark(client: int, request: int) -> float:
    """Set point of a request [K]: no two are the same."""
    return 284.0 + client * 0.25 + request * 2.0**-20


@dataclass
class Log:
    """What a client knows."""

    acknowledged: dict[float, tuple[float, float]] = field(default_factory=dict)  # mark -> clock after, supply
    refused: set[float] = field(default_factory=set)  # an error said that nothing happened
    unknown: set[float] = field(default_factory=set)  # the connection broke


class Chaos:
    """The server, its clients and what disturbs them.

    Parameters
    ----------
    resources, state_dir : Path
    seed : int
    filler : Path, optional
        A file that fills the disk of the state directory; without it, the disk never runs full.
    """

    def __init__(self, resources: Path, state_dir: Path, seed: int, filler: Path | None = None) -> None:
        self.resources, self.state_dir, self.filler = resources, state_dir, filler
        self.random = random.Random(seed)
        self.manager = self.managing(state_dir)
        self.server = Server(resources, state_dir, FOUR, **CLOCKS)
        self.troubles: Counter[str] = Counter()
        self.done = threading.Event()

    def managing(self, state_dir: Path) -> SessionManager:
        """Return a manager of sessions, as a web worker has one."""
        environ = {"TRIVIUM_RESOURCES": str(self.resources), "TRIVIUM_STATE_DIR": str(state_dir), **CLOCKS}
        return SessionManager(Settings(environ=environ))

    def run(self, seconds: float, flips: int = 20) -> str:
        """Let it happen, check, and return what happened in a line."""
        logs = [Log() for _ in range(5)]
        own = [self.manager.select(self.manager.testcases()[0]) for _ in range(2)]
        with ThreadPoolExecutor(len(logs) + 1) as threads:
            clients = [threads.submit(self.over_http, client, logs[client]) for client in range(3)]
            clients += [
                threads.submit(self.in_process, 3 + place, testid, logs[3 + place]) for place, testid in enumerate(own)
            ]
            clients.append(threads.submit(self.coming_and_going, 5))
            try:
                deadline = time.monotonic() + seconds
                while time.monotonic() < deadline and not any(client.done() for client in clients):
                    time.sleep(self.random.uniform(0.05, 0.6))
                    self.disturb()
            finally:
                self.done.set()
        for client in clients:
            client.result()  # or what went wrong there
        try:
            for testid, told in ((None, logs[:3]), (own[0], logs[3:4]), (own[1], logs[4:5])):
                self.check(testid, told)
            self.server.stop()
            refused = self.flip(own[0], flips)
        finally:
            self.manager.stop_all()
            self.manager.close()
            self.server.stop()
        steps = sum(len(log.acknowledged) for log in logs)
        errors = sum(len(log.refused) for log in logs)
        broken = sum(len(log.unknown) for log in logs)
        troubles = ", ".join(f"{count} {what}" for what, count in sorted(self.troubles.items()))
        return (
            f"{steps} steps acknowledged, each there once; {errors} refused, none there; {broken} connections broken; "
            f"{flips} bits flipped, {refused} refused, the others without effect; {troubles}"
        )

    def over_http(self, client: int, log: Log) -> None:
        """Step the default session; never repeat a request."""
        request = 0
        while not self.done.is_set():
            connection = self.server.connect()
            try:
                while not self.done.is_set():
                    request += 1
                    of = mark(client, request)
                    log.unknown.add(of)
                    body = json.dumps({MARK: of}).encode()
                    connection.request("POST", "/advance", body, {"Content-Type": "application/json"})
                    response = connection.getresponse()
                    reply = json.loads(response.read())
                    log.unknown.discard(of)
                    if response.status == 200:
                        end = float(SPANS.search(reply["message"])[2])
                        log.acknowledged[of] = (end, reply["payload"]["Tchw_supply"])
                    elif (
                        response.status == 507
                        or "stands where it stood" in reply["message"]
                        or "could be started" in reply["message"]
                    ):
                        log.refused.add(of)
                    else:
                        log.unknown.add(of)
            except (OSError, http.client.HTTPException, ValueError):
                time.sleep(0.05)
            finally:
                connection.close()

    def in_process(self, client: int, testid: str, log: Log) -> None:
        """Step a session of one's own; repeat every request until it is acknowledged."""
        request = 0
        while not self.done.is_set():
            request += 1
            of = mark(client, request)
            log.acknowledged[of] = self.acknowledged(testid, client, request)
            time.sleep(0.002)

    def coming_and_going(self, client: int) -> None:
        """Have a new session every few steps; no step of an old one is in it."""
        request = 0
        while not self.done.is_set():
            try:
                testid = self.manager.select(self.manager.testcases()[0])
            except TriviumError:
                time.sleep(0.05)
                continue
            told = []
            for _ in range(5):
                request += 1
                told.append(self.acknowledged(testid, client, request))
            there = self.patiently(lambda testid=testid: self.manager.session(testid).results(POINTS, 0, 1e9))
            assert there["time"].tolist() == [0.0, *(end for end, _ in told)]
            assert there["Tchw_supply"][1:].tolist() == [supply for _, supply in told]
            with contextlib.suppress(UnknownSessionError):  # it was stopped, and the answer was lost
                self.patiently(lambda testid=testid: self.manager.stop(testid))

    def acknowledged(self, testid: str, client: int, request: int) -> tuple[float, float]:
        """Repeat a step until it is acknowledged; return the clock after it, and the supply temperature."""
        step = {MARK: mark(client, request)}
        reply = self.patiently(lambda: self.manager.session(testid, key=f"{client}-{request}").advance(step))
        return reply.time, reply["Tchw_supply"]

    def patiently(self, call: Callable[[], Any]) -> Any:
        """Return what a call returns, once it does."""
        deadline = time.monotonic() + 120
        while True:
            try:
                return call()
            except UnknownSessionError:
                raise
            except TriviumError:
                assert time.monotonic() < deadline, "a call has been refused for two minutes"
                time.sleep(0.02)

    def disturb(self) -> None:
        """Have some trouble happen."""
        what = self.random.choices(list(TROUBLES), list(TROUBLES.values()))[0]
        hosts, workers = self.server.hosts(), self.server.workers()
        match what:
            case "killed host" | "frozen host":
                pids = [self.random.choice(hosts)] if hosts else []
            case "killed zygote" | "frozen zygote":
                pids = self.zygote()
            case "killed worker" | "frozen worker":
                pids = workers[:1]
            case "killed all workers":
                pids = workers
            case "killed server":
                os.killpg(self.server.process.pid, signal.SIGKILL)
                pids = [*hosts, *self.zygote()]
            case _:
                pids = []
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP if what.startswith("frozen") else signal.SIGKILL)
        if what == "frozen worker":  # its clients wait; hosts and zygote are not woken: whoever waits for them goes on
            time.sleep(A_WHILE)
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        elif what == "full disk" and self.filler is not None:
            fill(self.filler, self.random.choice((0, 4096, 65536)))
            time.sleep(A_WHILE)
            self.filler.unlink()
        elif what in ("killed server", "restart"):
            self.server.stop()
            self.server = Server(self.resources, self.state_dir, FOUR, **CLOCKS)
        self.troubles[what] += bool(pids) or what == "restart" or (what == "full disk" and self.filler is not None)

    def flip(self, testid: str, flips: int) -> int:
        """Flip bits of what is stored of a session, one at a time; return how many were refused to be read."""
        expected = self.manager.session(testid).results(POINTS, 0, 1e9)
        self.manager.close()
        for pid in self.server.hosts():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        refused = 0
        for number in range(flips):
            copy = self.state_dir.with_name(f"flipped-{number}")
            shutil.copytree(Folder(self.state_dir, testid).path, Folder(copy, testid).path, symlinks=True)
            files = [
                path for path in sorted(Folder(copy, testid).path.rglob("*")) if path.is_file() and path.stat().st_size
            ]
            path = self.random.choice(files)
            data = bytearray(path.read_bytes())
            data[self.random.randrange(len(data))] ^= 1 << self.random.randrange(8)
            path.write_bytes(data)
            manager = self.managing(copy)
            try:
                there = manager.session(testid).results(POINTS, 0, 1e9)
                for name in POINTS:
                    assert np.array_equal(there[name], expected[name], equal_nan=True), f"{name} differs: {path}"
            except (StateError, UnknownSessionError):
                refused += 1
            finally:
                manager.stop_all()
                manager.close()
                shutil.rmtree(copy, ignore_errors=True)
        return refused

    def zygote(self) -> list[int]:
        """Return the zygote's process id."""
        try:
            return [int((runtime_dir(self.state_dir) / "zygote.lock").read_text().split()[0])]
        except (OSError, ValueError):
            return []

    def check(self, testid: str | None, logs: list[Log]) -> None:
        """Compare results, journal and logs of a session."""
        payload = self.patiently(lambda: self.manager.session(testid).results(POINTS, 0, 1e9))
        times, marks, supply = payload["time"], payload[MARK][1:], payload["Tchw_supply"][1:]
        assert np.array_equal(times, 300.0 * np.arange(len(times))), "the clock has gaps"
        assert len(set(marks)) == len(marks), "a step was done twice"
        there = {of: (float(end), float(y)) for of, end, y in zip(marks, times[1:], supply, strict=True)}
        for log in logs:
            for of, told in log.acknowledged.items():
                assert there.get(of) == told, f"acknowledged {told}, but stored {there.get(of)}"
            assert not log.refused & there.keys(), "a step that was refused was done"
        asked = set().union(*(log.acknowledged.keys() | log.unknown for log in logs))
        assert there.keys() <= asked, "a step was done that nobody asked for"
        committed = self.committed(testid or self.manager._default)
        assert committed == list(marks)[len(marks) - len(committed) :], "journal and results differ"
        case = open_testcase(self.resources, self.state_dir)
        try:
            for of in marks:
                case.advance({MARK: of})
            undisturbed = case.results(POINTS, 0, 1e9)
            for name in POINTS:
                assert np.array_equal(payload[name], undisturbed[name], equal_nan=True), f"{name} differs"
        finally:
            case.close()

    def committed(self, testid: str) -> list[float]:
        """Return the marks of the requests that the journal says were done since it began where it begins."""
        (journal,) = Folder(self.state_dir, testid).journal.glob("journal-*")
        marks, intent = [], None
        for record in read(journal.read_bytes()):
            if record.kind is Kind.INTENT:
                intent, _ = unpack(record.body)
            elif record.kind is Kind.COMMIT:
                assert intent is not None, "a commit without its intent"
                marks.append(intent["args"][0][MARK])
                intent = None
        return marks


def main() -> int:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(prog="make chaos ARGS=...", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0, help="how long (default 120)")
    parser.add_argument("--seed", type=int, default=0, help="of what happens (default 0)")
    parser.add_argument("--disk", action="store_true", help="make a small disk and fill it; in a mount namespace only")
    options = parser.parse_args()
    own = ["unshare", "-rm", sys.executable, "-m", "tests.chaos", "--disk", *sys.argv[1:]]
    if not options.disk and subprocess.run([*own[:2], "true"], capture_output=True, check=False).returncode == 0:
        os.execvp(own[0], own)
    with tempfile.TemporaryDirectory(prefix="trivium-chaos-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if options.disk:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", folder], check=True)
        chaos = Chaos(ROOT / "Resources", folder / "state", options.seed, folder / "filler" if options.disk else None)
        print(chaos.run(options.seconds))  # noqa: T201, what make chaos prints
    return 0


if __name__ == "__main__":
    sys.exit(main())
