"""A real server in a process of its own, on a free port."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.processes import PATIENCE
from tests.shared import share_fmus
from trivium.session.folder import Folder

ROOT = Path(__file__).resolve().parent.parent
GUNICORN = (sys.executable, "-m", "gunicorn", "restapi:app")


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Server:
    """Starts a server, waits until it answers, and ends it.

    Parameters
    ----------
    resources, state_dir : Path
    command : sequence of str
        What starts it.
    cwd : Path
        Where it is started.
    **variables : str
        Further environment variables.
    """

    def __init__(
        self,
        resources: Path,
        state_dir: Path,
        command: Sequence[str] = GUNICORN,
        cwd: Path = ROOT,
        **variables: str,
    ) -> None:
        self.port = free_port()
        self.state_dir = state_dir
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TRIVIUM_")}
        environment |= {
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "TRIVIUM_RESOURCES": str(resources),
            "TRIVIUM_STATE_DIR": str(state_dir),
            "TRIVIUM_WORKER_JOBS": "0",  # tests of jobs want one
            "TRIVIUM_WORKER_READY": "0",  # what it loads takes processor time, which a test that waits has little of
            **variables,
        }
        started = time.monotonic()
        self.log = state_dir / f"server-{self.port}.log"
        share_fmus(state_dir)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=cwd, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise
        #: Seconds from the start to the first reply.
        self.start_seconds = time.monotonic() - started

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}: {self.log.read_text()}")
            try:
                self.request("GET", "/version", timeout=PATIENCE)
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise RuntimeError(f"the server did not answer in {PATIENCE} s: {self.log.read_text()}")

    @property
    def url(self) -> str:
        """Address without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def connect(self, timeout: float = PATIENCE) -> http.client.HTTPConnection:
        """Open a connection that lives for many requests."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
        timeout: float = PATIENCE,
    ) -> tuple[int, Any, http.client.HTTPMessage]:
        """Send one request on a connection of its own.

        Returns
        -------
        tuple
            HTTP status, the JSON of the reply, its headers.
        """
        connection = self.connect(timeout)
        try:
            data = raw if raw is not None else None if body is None else json.dumps(body).encode()
            sent = {"Content-Type": "application/json"} if headers is None and data is not None else headers or {}
            connection.request(method, path, data, sent)
            response = connection.getresponse()
            return response.status, json.loads(response.read()), response.headers
        finally:
            connection.close()

    def workers(self) -> list[int]:
        """Return the process ids of the workers, where /proc tells them."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()] if children.exists() else []

    def hosts(self) -> list[int]:
        """Return the process ids of the processes that own a session."""
        folders = (self.state_dir / "sessions").glob("*/about.json")
        serving = (Folder(self.state_dir, about.parent.name).serving() for about in folders)
        return [status.pid for status in serving if status is not None]

    def stop(self, number: int = signal.SIGINT) -> int:
        """End the server as Ctrl-C does, the whole process group at once; return the exit code."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)
            try:
                self.process.wait(300)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(300)
        return self.process.returncode

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
