"""Session managers that end with the test."""

from __future__ import annotations

import shutil

import pytest

from tests.shared import share_fmus
from trivium.access import Access, Quota, everybody
from trivium.session.handle import Launcher
from trivium.session.manager import SessionManager
from trivium.settings import Settings
from trivium.space import Room


class Managers:
    """Makes managers over one state directory, and ends them."""

    def __init__(self, state_dir, resources):
        self.state_dir, self._resources = state_dir, resources
        self._managers = []

    def __call__(self, resources=None, present=everybody, **variables):
        share_fmus(self.state_dir)
        places = {"TRIVIUM_RESOURCES": resources or self._resources, "TRIVIUM_STATE_DIR": self.state_dir}
        settings = Settings(environ={name: str(path) for name, path in places.items()} | variables)
        room = Room(settings.state_dir, settings.disk_reserve * 2**20, settings.max_storage * 2**20, present)
        self._managers.append(SessionManager(settings, room=room))
        return self._managers[-1]

    def end(self):
        """End the managers, and all sessions."""
        if self._managers:
            everything = SessionManager(self._managers[0]._settings)
            everything.stop_all()
            everything.close()
        for manager in self._managers:
            manager.close()


@pytest.fixture(scope="session")
def kept_zygote(tmp_path_factory):
    """A state directory whose zygote stays between tests: to start one takes a quarter of a second of a processor."""
    launcher = Launcher(tmp_path_factory.mktemp("sessions"))
    yield launcher
    launcher.close()


@pytest.fixture
def manage(small_resources, kept_zygote):
    """Make a manager over one state directory: manage(resources, TRIVIUM_...="..."); manage.state_dir is that."""
    kept_zygote._keep()  # a test before may have killed it
    managers = Managers(kept_zygote._state_dir, small_resources)
    yield managers
    managers.end()
    for path in managers.state_dir.iterdir():
        if path.name != "run":  # where the zygote listens
            path.unlink() if path.is_symlink() or path.is_file() else shutil.rmtree(path)


@pytest.fixture
def manage_apart(small_resources, tmp_path):
    """The same with a state directory of the test's own, whose zygote nothing else keeps."""
    managers = Managers(tmp_path / "state", small_resources)
    yield managers
    managers.end()


class Caller:
    """Who acts: changed by a test."""

    def __init__(self) -> None:
        self.access = Access()

    def __call__(self) -> Access:
        return self.access

    def be(self, owner, *, everything=False, **quota) -> None:
        self.access = Access(owner, everything, Quota(**quota))


@pytest.fixture
def caller():
    return Caller()
