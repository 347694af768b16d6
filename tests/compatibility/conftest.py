"""The server that programs of other projects drive."""

from __future__ import annotations

import pytest

from tests.server import Server
from trivium import locations


@pytest.fixture(scope="package")
def server(tmp_path_factory):
    """The default plant."""
    with Server(locations.resources(), tmp_path_factory.mktemp("state")) as server:
        yield server
