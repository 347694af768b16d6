"""Every command of the documentation runs: page by page, as a reader would type it who reads them all in one folder.

Servers are started where the page starts them and ended with the page. What cannot run here is named with its reason,
so nothing is left out silently.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.own_fmus import LINEAR, build
from tests.server import ROOT, free_port

PAGES = sorted(
    path
    for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    if re.search(r"^```(sh|bash|console)$", path.read_text(), re.MULTILINE)
)
#: Commands that are not run, and why.
ELSEWHERE = (
    (
        r"^(export PIP_EXTRA_INDEX_URL=.*; )?(\.venv/bin/)?pip install ",
        "installs; the environment of the tests is what `make setup` installs",
    ),
    (r"^(python3 -m venv|source) \.venv", "the environment of the tests has no folder of its own in the checkout"),
    (r'^git clone "\$TRIVIUM_REPOSITORY"|^cd trivium$', "the reader's checkout is there already"),
    (r"^export PIP_EXTRA_INDEX_URL=", "an address that the reader looks up"),
    (
        r"^(TRIVIUM_RESOURCES=\S+ )?make (serve|test|doctor)$",
        "CI runs `make test`; tests/e2e/test_commands.py the others",
    ),
    (r"^trivium converge og_clews/", "takes minutes; `make test-slow` runs it"),
    (r"^docker compose ", "no container engine"),
    (r"^export TRIVIUM_JOBS_URL=", "belongs to docker compose"),
)
#: Commands that go on until they are ended.
SERVERS = ("trivium serve", "dask scheduler", "dask worker")


def blocks(page):
    """The shell and Python blocks of a page, in order."""
    return re.findall(r"^```(sh|bash|python)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands(block):
    """The commands of a shell block: lines, with those that go on joined."""
    joined = re.sub(r"(\\|\|)\n\s*", lambda found: " " if found[1] == "\\" else "| ", block)
    return [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]


class Reader:
    """Types what a page says."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.dask = folder, free_port(), free_port()
        self.servers: list[subprocess.Popen[bytes]] = []
        (folder / ".variables").unlink(missing_ok=True)  # another terminal
        self.environment = {name: at for name, at in os.environ.items() if not name.startswith("TRIVIUM_")}
        self.environment |= {
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PORT": str(self.port),
            "TRIVIUM_STATE_DIR": str(folder / ".trivium-state"),
            "TRIVIUM_STUDIES": str(folder / "examples"),
        }

    def adapted(self, text):
        """The same, at ports that are free and on loopback."""
        text = text.replace(".venv/bin/trivium", "trivium")
        text = re.sub(r"(localhost|127\.0\.0\.1|machine):5000", f"127.0.0.1:{self.port}", text)
        text = text.replace("host:8786", f"127.0.0.1:{self.dask}").replace("--port 8786", f"--port {self.dask}")
        return text.replace("--host host", "--host 127.0.0.1").replace("HOST=0.0.0.0", "HOST=127.0.0.1")

    def start(self, command):
        path = self.folder / f"server-{len(self.servers)}.log"
        with path.open("wb") as log:
            words = ["bash", "-c", f"{self.carried()}exec env {command}"]
            started = subprocess.Popen(
                words, cwd=self.folder, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        self.servers.append(started)
        port = self.dask if command.startswith("dask") else self.port
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            assert started.poll() is None, f"{command}: {path.read_text()}"
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                if not command.startswith("dask"):
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=30).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError(f"{command} does not answer")

    def carried(self):
        """Read the variables that earlier commands set."""
        return "test -f .variables && . ./.variables; "

    def shell(self, command):
        script = f"{self.carried()}set -a -o pipefail; {command}\ncode=$?; export -p > .variables; exit $code"
        self.run(["bash", "-c", script], command)

    def run(self, words, told):
        done = subprocess.run(words, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=280)
        assert done.returncode == 0, f"{told}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        refused = re.search(r'\{"status":\s*[45]\d\d', done.stdout)
        assert not refused, f"{told}\n{done.stdout[-2000:]}"

    def leave(self):
        for server in reversed(self.servers):
            for number in (signal.SIGTERM, signal.SIGKILL):
                try:
                    os.killpg(server.pid, number)
                    server.wait(30)
                except (ProcessLookupError, subprocess.TimeoutExpired):
                    continue


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A checkout, as far as the commands need one."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("examples", "Resources"):
        shutil.copytree(ROOT / name, folder / name)
    build(LINEAR, folder / "tank.fmu", "2.0")
    (folder / "bin").mkdir()
    for tool, words in (("trivium", "-m trivium.cli"), ("dask", "-m dask"), ("python", "")):
        path = folder / "bin" / tool
        path.write_text(f'#!/bin/sh\nexec {sys.executable} {words} "$@"\n')
        path.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def done():
    """Commands that ran already, on another page, and would do the same again."""
    return set()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_commands_of_a_page_run(page, folder, done):
    if shutil.which("curl") is None and "curl " in page.read_text():
        pytest.skip("curl is not installed")
    reference = os.environ.get("TRIVIUM_REFERENCE_RESOURCES")
    if page.name == "reference-resources.md" and not reference:
        pytest.skip("TRIVIUM_REFERENCE_RESOURCES does not name the Resources folder of AlphaDataCenterCooling")
    reader, ran = Reader(folder), 0
    try:
        for kind, text in blocks(page):
            adapted = reader.adapted(text).replace("path/to/AlphaDataCenterCooling/Resources", str(reference))
            if kind == "python":
                if page.parent.name == "how-to" or page.name == "tutorial.md":
                    reader.run([sys.executable, "-c", adapted], text)
                continue
            for command in commands(adapted):
                bare = command.split(" #")[0].strip()
                if any(re.match(pattern, bare) for pattern, _ in ELSEWHERE):
                    continue
                ran += 1
                if re.sub(r"^(\w+=\S+ )+", "", bare).startswith(SERVERS):
                    reader.start(bare)
                elif bare not in done:
                    reader.shell(bare)
                    if bare.startswith("trivium "):
                        done.add(bare)
    finally:
        reader.leave()
    assert ran or all(
        any(re.match(p, c) for p, _ in ELSEWHERE) for k, t in blocks(page) if k != "python" for c in commands(t)
    )


def test_blocks_that_readers_type_are_marked_as_such():
    """A command in a block of another kind would not be run."""
    for path in (ROOT / "docs").rglob("*.md"):
        for kind, text in re.findall(r"^```(\w*)\n(.*?)^```$", path.read_text(), re.MULTILINE | re.DOTALL):
            if kind == "console":  # a session with its replies
                assert path.name == "first-steps.md", (
                    "tests/e2e/test_first_steps.py runs the sessions of that page alone"
                )
            elif kind not in ("sh", "bash", "python"):
                assert not re.search(r"^(\$ )?(trivium|curl|make|pip|docker) ", text, re.MULTILINE), (path.name, text)
