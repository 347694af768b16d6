"""Session managers that end with the test."""

from __future__ import annotations

import pytest

from tests.shared import share_fmus
from trivium.session.manager import SessionManager
from trivium.settings import Settings


@pytest.fixture
def manage(small_resources, tmp_path):
    """Make a manager over one state directory: manage(resources, TRIVIUM_...="...")."""
    managers = []

    def managed(resources=small_resources, **variables):
        share_fmus(tmp_path / "state")
        environ = {"TRIVIUM_RESOURCES": str(resources), "TRIVIUM_STATE_DIR": str(tmp_path / "state"), **variables}
        managers.append(SessionManager(Settings(environ=environ)))
        return managers[-1]

    yield managed
    for manager in managers:
        manager.stop_all()
        manager.close()
