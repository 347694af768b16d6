"""Session managers that end with the test."""

from __future__ import annotations

import pytest

from tests.shared import share_fmus
from trivium.access import everybody
from trivium.session.manager import SessionManager
from trivium.settings import Settings
from trivium.space import Room


@pytest.fixture
def manage(small_resources, tmp_path):
    """Make a manager over one state directory: manage(resources, TRIVIUM_...="...")."""
    managers = []

    def managed(resources=small_resources, present=everybody, **variables):
        share_fmus(tmp_path / "state")
        environ = {"TRIVIUM_RESOURCES": str(resources), "TRIVIUM_STATE_DIR": str(tmp_path / "state"), **variables}
        settings = Settings(environ=environ)
        room = Room(settings.state_dir, settings.disk_reserve * 2**20, settings.max_storage * 2**20, present)
        managers.append(SessionManager(settings, room=room))
        return managers[-1]

    yield managed
    if managers:
        everything = SessionManager(managers[0]._settings)
        everything.stop_all()
        everything.close()
    for manager in managers:
        manager.close()
