"""A server for the API tests, with the small plant: it can be made to fail, and its solution is known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server import Server


@pytest.fixture(scope="session")
def small_server(small_resources: Path, state_dir: Path) -> Iterator[Server]:
    """One server for the session; tests initialize it themselves."""
    with Server(small_resources, state_dir) as server:
        yield server


@pytest.fixture
def server(small_server: Server) -> Server:
    """The server at t = 0 with a step of 300 s."""
    assert small_server.request("PUT", "/initialize", {"start_time": 0})[0] == 200
    assert small_server.request("PUT", "/step", {"step": 300})[0] == 200
    return small_server
