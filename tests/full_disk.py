"""A server whose disk runs full, in a mount namespace of its own: ``unshare -rm python -m tests.full_disk <Resources> <folder>``.

Prints how many steps were acknowledged when all went well.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
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


def main(resources: Path, folder: Path) -> None:
    """Run a disk full several times, with room for this or that at the end."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "none", str(folder)], check=True)
    filler = folder / "filler"
    with Server(resources, folder / "state") as server:
        client = Client(server)
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
    print(len(client.acknowledged))  # noqa: T201, what the test reads


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
