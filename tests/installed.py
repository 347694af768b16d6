"""Trivium as its users have it: a wheel or an sdist, installed into an empty environment far from the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tests.server import ROOT, free_port

#: What builds a distribution, apart from the package and what is shipped with it.
_SOURCES = ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "restapi.py", "testcase.py", "gunicorn.conf.py")
_FOLDERS = ("trivium", "Resources", "examples", "docs")


def build_distributions(folder: Path, *options: str) -> dict[str, Path]:
    """Build the wheel and the sdist of a copy of the sources, or with ``--wheel`` the wheel; return them by kind."""
    copy = folder / "sources"
    copy.mkdir(parents=True)
    for name in _SOURCES:
        shutil.copy(ROOT / name, copy)
    for name in _FOLDERS:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*-results", "*.pyc"))
    out = folder / "dist"
    _run([sys.executable, "-m", "build", "--no-isolation", *options, "--outdir", str(out), str(copy)])
    shutil.rmtree(copy)
    return {kind: path for kind, ending in (("wheel", "whl"), ("sdist", "tar.gz")) for path in out.glob(f"*.{ending}")}


@cache
def can_hide() -> bool:
    """Return whether this machine lets a process have mounts of its own, so that it cannot read the checkout."""
    words = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none "$0"', str(ROOT)]
    return shutil.which("unshare") is not None and subprocess.run(words, capture_output=True).returncode == 0


def interpreter(version: str) -> str | None:
    """Return an interpreter of another version of Python, where this machine has one on PATH or in pyenv."""
    in_pyenv = (Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python")
    for path in filter(None, [shutil.which(f"python{version}"), *map(str, in_pyenv)]):
        if subprocess.run([path, "-c", "import ssl, sqlite3"], capture_output=True).returncode == 0:
            return path
    return None


class Installed:
    """An environment that holds Trivium and what it needs, at the versions of the lock file.

    Parameters
    ----------
    folder : Path
        Empty; gets ``venv``, ``home`` and ``work``, where commands run.
    distribution : Path
        A wheel or an sdist.
    extras : str
        As ``all``; empty for none.
    python : str
        The interpreter.
    """

    def __init__(self, folder: Path, distribution: Path, extras: str = "all", python: str = sys.executable) -> None:
        self.bin, self.home, self.work = folder / "venv" / "bin", folder / "home", folder / "work"
        for made in (self.home, self.work):
            made.mkdir(parents=True)
        uv = [sys.executable, "-m", "uv"]
        _run([*uv, "venv", "--quiet", "--seed", "--python", python, str(folder / "venv")])
        wanted = f"trivium{f'[{extras}]' if extras else ''} @ {distribution.as_uri()}"
        lock = ROOT / "requirements" / "dev.txt"
        _run(
            [*uv, "pip", "install", "--quiet", "--python", str(self.bin / "python"), "--constraint", str(lock), wanted]
        )
        self.environment = {
            "PATH": f"{self.bin}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "PORT": str(free_port()),
        }

    @property
    def url(self) -> str:
        """Where a server answers that `serve` starts."""
        return f"http://127.0.0.1:{self.environment['PORT']}"

    def run(self, *words: str, timeout: float = 300, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command, which must end with a code."""
        done = subprocess.run(
            _hidden(words), cwd=self.work, env=self.environment, capture_output=True, text=True, timeout=timeout
        )
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done

    def python(self, code: str, timeout: float = 300) -> str:
        """Run a program as a file of its own; return what it prints."""
        path = self.work / "program.py"
        path.write_text(code)
        return self.run("python", path.name, timeout=timeout).stdout

    @contextmanager
    def serve(self, *options: str) -> Iterator[str]:
        """Start the server; yield its address once it answers."""
        log = self.work / "server.log"
        with log.open("wb") as file:
            server = subprocess.Popen(
                _hidden(("trivium", "serve", *options)), cwd=self.work, env=self.environment, stdout=file, stderr=file
            )
        try:
            deadline = time.monotonic() + 300
            while not _answers(self.url):
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
            yield self.url
        finally:
            server.terminate()
            server.wait(300)

    @property
    def megabytes(self) -> float:
        """Size of all that is installed, without pip and compiled Python [MB]."""
        paths = (path for path in self.bin.parent.rglob("*") if path.is_file() and not path.is_symlink())
        return sum(path.stat().st_size for path in paths if path.suffix != ".pyc") / 1e6


def _hidden(words: tuple[str, ...]) -> list[str]:
    """Return a command that cannot read the checkout."""
    if not can_hide():
        return list(words)
    return ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"', str(ROOT), *words]


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(f"{url}/health/live", timeout=5).close()
    except OSError:
        return False
    return True


def _run(words: list[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"{words}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
