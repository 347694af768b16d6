"""A PostgreSQL server of one's own, from the system's packages, on a free port; it ends with the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from tests.server import free_port


def _program(name: str) -> str | None:
    """Where Debian puts the servers' programs, PATH does not lead."""
    found = [str(path) for path in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))]
    return shutil.which(name) or (found[-1] if found else None)


class Postgres:
    """A server, empty at first.

    Raises
    ------
    RuntimeError
        When it cannot be started; says why.
    """

    def __init__(self) -> None:
        initdb, postgres = _program("initdb"), _program("postgres")
        if initdb is None or postgres is None:
            raise RuntimeError("there is no PostgreSQL server (initdb, postgres) on this machine")
        # it refuses to run as root
        self._user = None if os.getuid() else next((u for u in ("postgres", "nobody") if _exists(u)), None)
        self.folder = Path(tempfile.mkdtemp(prefix="trivium-postgres-"))
        self.port = free_port()
        data = self.folder / "data"
        if self._user:
            shutil.chown(self.folder, self._user)
        made = subprocess.run(
            [initdb, "-D", data, "-U", "trivium", "-A", "trust", "-N", "-E", "UTF8", "--locale=C"],
            user=self._user, cwd=self.folder, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        if made.returncode:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise RuntimeError(f"initdb failed: {made.stderr}")
        self._command = [postgres, "-D", data, "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
                         "-c", f"unix_socket_directories={self.folder}"]  # fmt: skip
        self.start()

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        import psycopg

        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self._command, user=self._user, cwd=self.folder, stdout=log, stderr=log)
        for _ in range(1200):
            try:
                psycopg.connect(f"host=127.0.0.1 port={self.port} user=trivium dbname=postgres").close()
            except psycopg.OperationalError:
                if self.process.poll() is not None:
                    raise RuntimeError((self.folder / "log").read_text()) from None
                time.sleep(0.05)
            else:
                return
        raise RuntimeError("the PostgreSQL server does not answer")

    def database(self, name: str) -> str:
        """Make a database; return its URL."""
        import psycopg

        with psycopg.connect(f"host=127.0.0.1 port={self.port} user=trivium dbname=postgres", autocommit=True) as base:
            base.execute(f"CREATE DATABASE {name}")
        return f"postgresql://trivium@127.0.0.1:{self.port}/{name}"

    def stop(self) -> None:
        """End the server, at once."""
        self.process.send_signal(signal.SIGINT)  # SIGTERM would wait for clients to leave
        try:
            self.process.wait(300)  # a killed one leaves memory behind that keeps the next from starting
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(300)

    def close(self) -> None:
        """End it and remove its files."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def empty_store(request: pytest.FixtureRequest, folder: Path) -> str:
    """Return the URL of an empty store of jobs, of the kind that is the parameter of a fixture."""
    if request.param == "sqlite":
        return f"sqlite:///{folder}/jobs.sqlite3"
    server: Postgres = request.getfixturevalue("postgres")
    return server.database(f"jobs_{os.urandom(6).hex()}")


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
