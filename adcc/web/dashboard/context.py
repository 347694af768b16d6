"""What the pages work with: the sessions and jobs of the application that they are part of."""

from __future__ import annotations

from dataclasses import dataclass

from adcc.jobs.store import Store
from adcc.session.manager import SessionManager
from adcc.settings import Settings
from adcc.web.dashboard.readings import Readings
from adcc.web.dashboard.remote import SessionDriver
from adcc.web.dashboard.runs import Runs


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
