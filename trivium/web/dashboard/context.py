"""What the pages work with: the sessions and jobs of the application that they are part of."""

from __future__ import annotations

from dataclasses import dataclass

from trivium.jobs.store import Store
from trivium.session.manager import SessionManager
from trivium.settings import Settings
from trivium.web.dashboard.readings import Readings
from trivium.web.dashboard.remote import SessionDriver
from trivium.web.dashboard.runs import Runs


@dataclass(frozen=True)
class Context:
    """What the pages work with."""

    settings: Settings
    sessions: SessionManager
    store: Store
    readings: Readings
    runs: Runs

    @classmethod
    def of(cls, settings: Settings, sessions: SessionManager, store: Store) -> Context:
        """Return the context of an application."""
        runs = Runs(settings.state_dir / "runs", lambda testid, name: SessionDriver(sessions, testid, name))
        return cls(settings, sessions, store, Readings(sessions, settings.threads), runs)
