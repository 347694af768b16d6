"""A person who types what the documentation says: blocks of its pages, a shell, servers that are ended with the page."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.printed import same

#: Kinds of blocks that are typed.
TYPED = ("sh", "bash", "console", "python")
#: Commands that go on until they are ended.
SERVERS = re.compile(r"(\w+=\S+ +)*((\S*/)?trivium serve|make serve|dask scheduler|dask worker)\b")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes
    ----------
    line : int
        Number of its first line in the page.
    kind : str
        As ``sh``; empty for none.
    printed : bool
        Whether it shows what the block before it prints.
    """

    line: int
    kind: str
    text: str
    printed: bool

    @property
    def commands(self) -> list[Command]:
        """What is typed, in order; a Python block is one command."""
        if self.kind == "python":
            return [Command(self.line, self.text)]
        return list(_sessions(self)) if self.kind == "console" else list(_commands(self.text, self.line))


@dataclass(frozen=True)
class Command:
    """A command with the number of its line; the text that the page shows as its output, if any."""

    line: int
    text: str
    output: str | None = None


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page."""
    text, made = page.read_text(encoding="utf-8"), []
    before = 0
    for match in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        printed = text[before : match.start()].strip() in ("", "prints")
        made.append(Block(text.count("\n", 0, match.start(2)) + 1, match[1], match[2], printed))
        before = match.end()
    return made


def _commands(text: str, first: int) -> Iterator[Command]:
    """Yield the commands of a shell block: as many lines as the shell needs."""
    pending: list[str] = []
    for number, line in enumerate(text.splitlines(), first):
        if not pending and (not line.strip() or line.startswith("#")):
            continue
        pending.append(line)
        if not line.endswith("\\") and _complete("\n".join(pending)):
            yield Command(number - len(pending) + 1, "\n".join(pending))
            pending = []
    assert not pending, f"line {first}: the shell waits for the end of {pending}"


def _complete(text: str) -> bool:
    return subprocess.run(["bash", "-n", "-c", text], capture_output=True).returncode == 0


def _sessions(block: Block) -> Iterator[Command]:
    """Yield the commands of a block in which "$ " is the prompt, each with its output."""
    for match in re.finditer(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", block.text, re.MULTILINE):
        yield Command(block.line + block.text.count("\n", 0, match.start()), match[1], match[2].strip() or None)


def alike(printed: str, shown: str) -> None:
    """Assert that a program printed what a page shows."""
    assert same(shown, printed), f"the page shows\n{shown}\nand this was printed:\n{printed[:3000]}"


class Reader:
    """Types what a page says, in one terminal; servers get terminals of their own.

    Parameters
    ----------
    folder : Path
        Where the page's first command is typed.
    scratch : Path
        Where the reader keeps what the terminal remembers, and logs of servers.
    environment : dict
        All variables that the first command sees; PORT is that of the server.
    """

    def __init__(self, folder: Path, scratch: Path, environment: dict[str, str]) -> None:
        self.folder, self.scratch, self.environment = folder, scratch, environment
        self.servers: list[tuple[str, subprocess.Popen[bytes]]] = []
        scratch.mkdir(parents=True, exist_ok=True)
        self._terminal = scratch / "terminal"
        self._terminal.write_text(f"cd '{folder}'\n")

    def type(self, command: str) -> str:
        """Type a command of the shell; return what it prints. A server is left running."""
        if SERVERS.match(command):
            return self._start(command.partition(" #")[0].strip())
        return self._run(
            f'{{ export -p; printf "cd %q\\n" "$PWD"; }} > "{self._terminal}"', f"set -a -o pipefail\n{command}"
        )

    def python(self, line: int, text: str) -> str:
        """Run a block of Python as a program of its own; return what it prints."""
        path = self.scratch / f"line_{line}.py"
        path.write_text(text, encoding="utf-8")
        return self._run(":", f'python "{path}"')

    def leave(self) -> None:
        """End the servers."""
        while self.servers:
            _end(self.servers.pop()[1])

    def _run(self, afterwards: str, command: str) -> str:
        script = f'. "{self._terminal}"\n{command}\ncode=$?\n{afterwards}\nexit $code'
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=500,
        )
        logs = "".join(path.read_text()[-1500:] for path in self.scratch.glob("*.log"))
        assert done.returncode == 0, f"{command}\nended with {done.returncode}\n{done.stdout[-3000:]}\n{logs}"
        return done.stdout

    def _start(self, command: str) -> str:
        tool = "dask" if command.startswith("dask") else "serve"
        if tool == "serve":  # two servers do not share a port: the reader has ended the first
            for started in [pair for pair in self.servers if pair[0] == "serve"]:
                self.servers.remove(started)
                _end(started[1])
        log = self.scratch / f"{len(list(self.scratch.glob('*.log')))}.log"
        with log.open("wb") as file:
            server = subprocess.Popen(
                ["bash", "-c", f'. "{self._terminal}"\nexec env {command}'],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.servers.append((tool, server))
        address = re.search(r"tcp://([\w.]+):(\d+)", command) or re.search(r"--host (\S+) --port (\d+)", command)
        deadline = time.monotonic() + (400 if command.startswith("make") else 90)
        while not _listens(address[1], int(address[2]), None) if address else not self._answers():
            assert server.poll() is None, f"{command}\n{log.read_text()[-3000:]}"
            assert time.monotonic() < deadline, f"{command} does not answer\n{log.read_text()[-3000:]}"
            time.sleep(0.1)
        return ""

    def _answers(self) -> bool:
        return _listens("127.0.0.1", int(self.environment["PORT"]), "/health/live")


def _listens(host: str, port: int, route: str | None) -> bool:
    try:
        socket.create_connection((host, port), 1).close()
        if route is not None:
            urllib.request.urlopen(f"http://{host}:{port}{route}", timeout=300).close()
    except OSError:
        return False
    return True


def _end(server: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, number)
            server.wait(300)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def empty(folder: Path, keep: str) -> None:
    """Remove everything from a folder but one name."""
    for path in folder.iterdir():
        if path.name == keep:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
