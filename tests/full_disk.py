"""A server whose disk runs full, in a mount namespace of its own.

``unshare -rm python -m tests.full_disk <Resources> <folder> full|reserve`` prints how many steps were acknowledged, or
snapshots taken, when all went well.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

from tests.server import Server

SPANS = re.compile(r"from (\d+\.\d)s to (\d+\.\d)s")
WANTED = {"point_names": ["Tchw_supply"], "start_time": 0, "final_time": 1e9}


class Client:
    """Steps the default session and remembers what was acknowledged."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.acknowledged: list[float] = []  # supply temperatures

    def step(self) -> int:
        """Ask for a step and return the HTTP status; a step that succeeds must begin where the last one ended."""
        status, reply, _ = self.server.request("POST", "/advance", {})
        if status == 200:
            start = float(SPANS.search(reply["message"])[1])
            assert start == 300.0 * len(self.acknowledged), (start, len(self.acknowledged))
            self.acknowledged.append(reply["payload"]["Tchw_supply"])
        else:
            assert status == 507, (status, reply)
            assert "No space left" in reply["message"], reply
        return status

    def check(self) -> None:
        """Compare the results with what was acknowledged."""
        status, reply, _ = self.server.request("PUT", "/results", WANTED)
        assert status == 200, reply
        assert reply["payload"]["time"] == [300.0 * k for k in range(len(self.acknowledged) + 1)]
        assert reply["payload"]["Tchw_supply"][1:] == self.acknowledged


def fill(path: Path, left: int) -> None:
    """Take all the space but some [bytes]."""
    with path.open("ab", buffering=0) as file:
        while True:
            try:
                file.write(bytes(4096))
            except OSError:
                break
    os.truncate(path, max(path.stat().st_size - left, 0))


#: What a server answers on a full disk too, with the status.
ALWAYS = {("GET", "/health/live"): 200, ("GET", "/sessions"): 200, ("GET", "/metrics"): 200, ("GET", "/snapshots"): 200,
          ("GET", "/no-such-route"): 404, ("BREW", "/health/live"): 405}  # fmt: skip
#: What it answers on a disk that is full but for the reserve.
OF_A_SESSION = {("GET", "/version"): 200, ("GET", "/step"): 200}


class Watch(threading.Thread):
    """Asks for signs of life, until it is checked."""

    def __init__(self, server: Server, expected: dict[tuple[str, str], int]) -> None:
        super().__init__(daemon=True)
        self.server, self.expected, self.workers = server, expected, server.workers()
        self.replies: Counter[tuple[tuple[str, str], int | str]] = Counter()
        self.ended = threading.Event()
        self.start()

    def run(self) -> None:
        while not self.ended.is_set():
            for route in self.expected:
                with contextlib.closing(self.server.connect()) as connection:
                    try:
                        connection.request(*route)
                        self.replies[route, connection.getresponse().status] += 1
                    except OSError as error:
                        self.replies[route, repr(error)] += 1

    def check(self) -> None:
        """Refuse any other reply, and a worker that ended."""
        self.ended.set()
        self.join()
        assert set(self.replies) == set(self.expected.items()), self.replies
        assert self.server.workers() == self.workers
        assert "SIGBUS" not in self.server.log.read_text()


def run_full(resources: Path, folder: Path) -> int:
    """Run a disk full several times, with room for this or that at the end; no reserve is kept."""
    filler = folder / "filler"
    with Server(resources, folder / "state", TRIVIUM_DISK_RESERVE="0", TRIVIUM_RATE="100000") as server:
        client, watch = Client(server), Watch(server, ALWAYS)
        for left in (0, 4096, 8192, 16384, 65536, 262144):
            for _ in range(3):
                assert client.step() == 200
            fill(filler, left)
            refused = 0
            while refused < 3:
                refused += client.step() == 507
            if left == 8192:
                for pid in server.hosts():  # none, where the last one could not come back on the full disk
                    os.kill(pid, signal.SIGKILL)
                client.step()
            filler.unlink()
            assert client.step() == 200
            client.check()
        watch.check()
    return len(client.acknowledged)


def run_reserve(resources: Path, folder: Path) -> int:
    """Fill a disk with snapshots until there is no room but for the reserve; then make room."""
    with Server(resources, folder / "state", TRIVIUM_MAX_SNAPSHOTS="1000000") as server:
        watch = Watch(server, ALWAYS | OF_A_SESSION)
        name = server.request("GET", "/testcases")[1][0]["testcaseid"]
        testid = server.request("POST", f"/testcases/{name}/select")[1]["testid"]
        assert server.request("POST", f"/advance/{testid}", {})[0] == 200
        fill(folder / "filler", 3 * 2**20)  # the reserve is half of that
        taken = 0
        while (answer := server.request("POST", f"/snapshot/{testid}"))[0] == 200:
            taken += 1
        assert answer[0] == 507
        assert "TRIVIUM_DISK_RESERVE" in answer[1]["message"]
        for method, path in (("POST", "/advance"), ("POST", f"/advance/{testid}"), ("POST", f"/fork/{testid}"),
                             ("POST", "/snapshot"), ("POST", f"/testcases/{name}/select"), ("PUT", "/initialize"),
                             ("POST", "/api/run/step")):  # fmt: skip
            body = {"end_time": 300} if "run" in path else {"start_time": 0} if method == "PUT" else {}
            assert server.request(method, path, body)[0] == 507, path
        assert server.request("PUT", f"/results/{testid}", WANTED)[1]["payload"]["time"] == [0, 300]
        stored = server.request("GET", f"/snapshots/{testid}")[1]["payload"]
        assert len(stored) == taken
        for snapshot in stored[: taken // 2]:
            assert server.request("DELETE", f"/snapshots/{testid}?snapshot={snapshot['snapshot']}")[0] == 200
        assert server.request("POST", f"/advance/{testid}", {})[0] == 200
        while server.request("POST", f"/snapshot/{testid}")[0] == 200:
            taken += 1
        with contextlib.closing(server.connect()) as connection:
            connection.request("PUT", f"/stop/{testid}")
            assert connection.getresponse().status == 200
        assert server.request("POST", "/advance", {})[0] == 200
        watch.check()
    return taken


if __name__ == "__main__":
    place = Path(sys.argv[2])
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "none", str(place)], check=True)
    run = {"full": run_full, "reserve": run_reserve}[sys.argv[3]]
    print(run(Path(sys.argv[1]), place))  # noqa: T201, what the test reads
