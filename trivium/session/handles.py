"""The ways to the processes of sessions that this process has used, by session."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from trivium.session.catalogue import Catalogue
from trivium.session.config import Config
from trivium.session.folder import Folder
from trivium.session.handle import Handle
from trivium.session.launcher import Launcher
from trivium.session.observer import Observer
from trivium.settings import Settings


class Handles:
    """Handles of sessions; several threads may use them at once.

    Parameters
    ----------
    settings : Settings
    catalogue : Catalogue
    observer : Observer
        Is notified of hosts that died.
    claim : callable
        Takes the room that a session needs, before a host of it is made.
    """

    def __init__(
        self, settings: Settings, catalogue: Catalogue, observer: Observer, claim: Callable[[Folder], None]
    ) -> None:
        self._settings, self._catalogue, self._observer, self._claim = settings, catalogue, observer, claim
        self._launcher = Launcher(settings.state_dir)
        self._by_session: dict[str, Handle] = {}
        self._lock = threading.Lock()

    @property
    def failing(self) -> str:
        """Why no hosts can be made; empty while they can."""
        return self._launcher.failing

    def find(self, testid: str) -> Handle | None:
        """Return the handle of a session; None where it has not been used."""
        return self._by_session.get(testid)

    def keep(self, testid: str, resources: Path) -> Handle:
        """Return the handle of a session of some test case, which is kept from now on."""
        with self._lock:
            handle = self._by_session.get(testid)
            if handle is None:
                handle = Handle(
                    self._launcher,
                    self._config(testid, resources),
                    self._settings.step_timeout,
                    self._observer,
                    self._claim,
                )
                self._by_session[testid] = handle
        return handle

    def trial(self, testid: str, resources: Path) -> Handle:
        """Return the handle of a session that is no client's and needs no room; the caller closes it."""
        return Handle(self._launcher, self._config(testid, resources), self._settings.step_timeout, self._observer)

    def drop(self, testid: str) -> None:
        """Let go of a session, if it has been used."""
        with self._lock:
            handle = self._by_session.pop(testid, None)
        if handle is not None:
            handle.close()

    def close(self) -> None:
        """Let go of all sessions; their hosts end by themselves soon when nobody else needs them."""
        with self._lock:
            handles, self._by_session = list(self._by_session.values()), {}
        for handle in handles:
            handle.close()
        self._launcher.close()

    def _config(self, testid: str, resources: Path) -> Config:
        settings = self._settings
        return Config(
            state_dir=str(settings.state_dir),
            resources=str(resources),
            testid=testid,
            engine=settings.engine,
            durability=settings.durability,
            idle_timeout=settings.idle_timeout,
            recycle_steps=settings.recycle_steps,
            memory=settings.session_memory * 2**20,
            own_cache=str(self._catalogue.own_cache(resources) or ""),
        )
