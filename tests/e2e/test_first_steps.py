"""The sessions of docs/first-steps.md really run, and print what stands there."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys

import pytest

from tests.server import ROOT, Server

PAGE = (ROOT / "docs" / "first-steps.md").read_text(encoding="utf-8")
NUMBER = re.compile(r"-?\d+\.\d+")


@pytest.fixture(scope="module")
def server(resources, state_dir):
    with Server(resources, state_dir) as server:
        yield server


def alike(printed, told):
    """The same text, and numbers that differ by 1e-4 at most: another machine may shift the last digits."""
    assert NUMBER.sub("#", printed) == NUMBER.sub("#", told)
    numbers = ([float(n) for n in NUMBER.findall(text)] for text in (printed, told))
    assert next(numbers) == pytest.approx(next(numbers), rel=1e-4)


def test_the_python_session(server):
    code, told = re.search(r"```python\n(.*?)```\s+prints\s+```text\n(.*?)```", PAGE, flags=re.DOTALL).groups()
    code = code.replace("http://127.0.0.1:5000", server.url)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    alike(done.stdout, told)


def test_the_curl_session(server):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    session = re.search(r"```console\n(.*?)```", PAGE, flags=re.DOTALL).group(1).replace("\\\n", "")
    commands = re.findall(r"^\$ (.*)\n(.*)$", session, flags=re.MULTILINE)
    assert len(commands) == 4
    for command, told in commands:
        words = [word.replace("localhost:5000", server.url.removeprefix("http://")) for word in shlex.split(command)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        head, shortened, _ = told.partition(", ...")
        alike(done.stdout[: len(head)] if shortened else done.stdout, head if shortened else told)
