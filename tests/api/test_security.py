"""Tokens at a real server: several workers, its start, the command that makes tokens."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.server import GUNICORN, ROOT, Server, free_port
from trivium.client import Client
from trivium.errors import ForbiddenError, TokenError

#: Requests a second of a token that may come seldom.
RATE = 2


def trivium(*arguments, **variables):
    return subprocess.run(
        [sys.executable, "-m", "trivium.cli", *arguments],
        cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "command",
    [
        ("-m", "trivium.cli", "serve", "--host", "0.0.0.0"),
        pytest.param((*GUNICORN[1:], "-b", "0.0.0.0:{port}"), marks=pytest.mark.slow),
    ],
)
def test_a_server_for_strangers_does_not_start_without_tokens(small_resources, tmp_path, command):
    port = str(free_port())
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TRIVIUM_")}
    environ |= {"TRIVIUM_RESOURCES": str(small_resources), "TRIVIUM_STATE_DIR": str(tmp_path), "PORT": port}
    ended = subprocess.run(
        [sys.executable, *(part.format(port=port) for part in command)],
        cwd=ROOT, env=environ, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "TRIVIUM_TOKENS=none" in ended.stderr


@pytest.mark.slow
def test_tokens_hold_at_every_worker(small_resources, tmp_path):
    path = str(tmp_path / "tokens.json")
    made = trivium("token", "add", "me", "--scopes", "control", "--file", path)
    slow = trivium("token", "add", "slow", "--scopes", "control", "--rate", str(RATE), "--file", path)
    assert (made.returncode, made.stderr) == (0, "")
    header = {"Authorization": f"Bearer {made.stdout.strip()}"}
    listed = trivium("token", "list", TRIVIUM_TOKENS=path)
    assert listed.stdout.split() == ["me", "control", "slow", "control", f"{RATE}/s"]
    assert made.stdout.strip() not in listed.stdout
    assert trivium("token", "add", "me", "--file", path).returncode == 1
    assert trivium("token", "add", "you", "--scopes", "all", "--file", path).returncode == 1
    command = (*GUNICORN, "-w", "2")
    with Server(small_resources, tmp_path / "state", command, TRIVIUM_TOKENS=path) as server:
        assert server.request("GET", "/step")[0] == 401
        assert [server.request("GET", "/step", headers=header)[0] for _ in range(10)] == [200] * 10
        hasty = {"Authorization": f"Bearer {slow.stdout.strip()}"}
        started = time.monotonic()
        with ThreadPoolExecutor(16) as pool:  # at once, so more come in a second than may, however slow the machine is
            answers = list(pool.map(lambda _: server.request("GET", "/step", headers=hasty)[0], range(100)))
        assert set(answers) == {200, 429}
        assert RATE <= answers.count(200) <= RATE * (time.monotonic() - started + 1) + 1
        with Client(server.url, token=slow.stdout.strip()) as client:  # comes again when it was too often
            session = client.default_session()
            for _ in range(3 * RATE):
                session.advance()
            assert session.time == 3 * RATE * 300
        with (
            Client(server.url, token=made.stdout.strip()) as client,
            client.select() as selected,
            selected.fork() as fork,
        ):
            owners = {session["testid"]: session["owner"] for session in client.sessions()}
            assert owners[selected.testid] == owners[fork.testid] == "me"
        with Client(server.url, patience=0) as client, pytest.raises(TokenError):
            client.sessions()
        with Client(server.url, patience=0, token=made.stdout.strip()) as client, pytest.raises(ForbiddenError):
            client.stop_all()
        from trivium.gym import DataCenterCoolingEnv

        environment = DataCenterCoolingEnv(server.url, token=made.stdout.strip(), episode=600)
        environment.reset(seed=1)
        environment.close()
        assert trivium("token", "remove", "me", TRIVIUM_TOKENS=path).returncode == 0
        assert [server.request("GET", "/step", headers=header)[0] for _ in range(10)] == [401] * 10
    assert made.stdout.strip() not in server.log.read_text()
