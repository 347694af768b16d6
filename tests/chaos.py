"""``make chaos``: kill hosts, zygote, workers and the whole server at random under load, and look what is left.

Clients step sessions with a set point that tells one request from all others. Some go over HTTP to the default session
and never repeat a request; others have a session each and repeat a request with its Idempotency-Key until it is
acknowledged. In the end the results, the journal and the clients' own logs must agree: what was acknowledged is there
once, with the values that were told; what was refused is not there; what is there was asked for, once. A test case that
was never disturbed must answer the same, to the bit, to the same actions.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import random
import re
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.server import Server
from trivium.environment import ROOT
from trivium.errors import TriviumError
from trivium.session.folder import Folder, runtime_dir
from trivium.session.frames import unpack
from trivium.session.journal import Kind, read
from trivium.session.local import open_testcase
from trivium.session.manager import SessionManager
from trivium.settings import Settings

FOUR = (sys.executable, "-m", "gunicorn", "-w", "4", "restapi:app")
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
    """The server, its clients and what kills them.

    Parameters
    ----------
    resources, state_dir : Path
    seed : int
    """

    def __init__(self, resources: Path, state_dir: Path, seed: int) -> None:
        self.resources, self.state_dir = resources, state_dir
        self.random = random.Random(seed)
        self.manager = SessionManager(
            Settings(environ={"TRIVIUM_RESOURCES": str(resources), "TRIVIUM_STATE_DIR": str(state_dir)})
        )
        self.server = Server(resources, state_dir, FOUR)
        self.killed: Counter[str] = Counter()
        self.done = threading.Event()

    def run(self, seconds: float) -> str:
        """Let it happen, check, and return what happened in a line."""
        logs = [Log() for _ in range(5)]
        sessions = [None, None, None, *(self.manager.select(self.manager.testcases()[0]) for _ in range(2))]
        clients = [
            threading.Thread(target=self.over_http if testid is None else self.in_process, args=(i, testid, logs[i]))
            for i, testid in enumerate(sessions)
        ]
        for client in clients:
            client.start()
        try:
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                time.sleep(self.random.uniform(0.05, 0.6))
                self.kill()
        finally:
            self.done.set()
            for client in clients:
                client.join()
        try:
            self.check(None, logs[:3])
            for testid, log in zip(sessions[3:], logs[3:], strict=True):
                self.check(testid, [log])
        finally:
            self.manager.stop_all()
            self.manager.close()
            self.server.stop()
        steps = sum(len(log.acknowledged) for log in logs)
        errors = sum(len(log.refused) for log in logs)
        broken = sum(len(log.unknown) for log in logs)
        kills = ", ".join(f"{count} {what}" for what, count in sorted(self.killed.items()))
        return (
            f"{steps} steps acknowledged, each there once; {errors} refused, none there; {broken} connections broken; "
            f"killed: {kills}"
        )

    def over_http(self, client: int, testid: None, log: Log) -> None:
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
                    elif "stands where it stood" in reply["message"] or "could be started" in reply["message"]:
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
            while True:
                try:
                    reply = self.manager.session(testid, key=f"{client}-{request}").advance({MARK: of})
                except TriviumError:
                    time.sleep(0.01)
                    continue
                break
            log.acknowledged[of] = (reply.time, reply["Tchw_supply"])
            time.sleep(0.002)

    def kill(self) -> None:
        """Kill something."""
        what = self.random.choices(["host", "worker", "all workers", "zygote", "server"], [60, 15, 8, 10, 7])[0]
        hosts = self.server.hosts()
        if what == "host":
            pids = [self.random.choice(hosts)] if hosts else []
        elif what == "zygote":
            pids = self.zygote()
        elif what == "server":
            pids = [*hosts, *self.zygote()]
        else:
            workers = self.server.workers()
            pids = workers if what == "all workers" else workers[:1]
        if what == "server":
            os.killpg(self.server.process.pid, signal.SIGKILL)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if what == "server":
            self.server.process.wait()
            self.server = Server(self.resources, self.state_dir, FOUR)
        self.killed[what] += bool(pids)

    def zygote(self) -> list[int]:
        """Return the zygote's process id."""
        try:
            return [int((runtime_dir(self.state_dir) / "zygote.lock").read_text().split()[0])]
        except (OSError, ValueError):
            return []

    def check(self, testid: str | None, logs: list[Log]) -> None:
        """Compare results, journal and logs of a session."""
        deadline = time.monotonic() + 60
        while True:  # the last kills may have hit its hosts, and recoveries wait after some
            try:
                payload = self.manager.session(testid).results(POINTS, 0, 1e9)
                break
            except TriviumError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
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
    parser.add_argument("--seconds", type=float, default=120.0, help="how long to kill (default 120)")
    parser.add_argument("--seed", type=int, default=0, help="of the killing (default 0)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="trivium-chaos-", ignore_cleanup_errors=True) as folder:
        print(Chaos(ROOT / "Resources", Path(folder), options.seed).run(options.seconds))  # noqa: T201, what make chaos tells
    return 0


if __name__ == "__main__":
    sys.exit(main())
