"""What the pages work with: the sessions and jobs of the application that they are part of."""

from __future__ import annotations

from dataclasses import dataclass

from trivium.dashboard.readings import Readings
from trivium.dashboard.remote import SessionDriver
from trivium.dashboard.runs import Runs
from trivium.jobs.store import Store
from trivium.session.alarms import SessionAlarms
from trivium.session.manager import SessionManager
from trivium.settings import Settings


@dataclass(frozen=True)
class Context:
    """What the pages work with."""

    settings: Settings
    sessions: SessionManager
    store: Store
    readings: Readings
    runs: Runs

    @property
    def alarms(self) -> SessionAlarms:
        """Alarms of the sessions."""
        return self.readings.alarms

    @classmethod
    def open(cls, settings: Settings, sessions: SessionManager, store: Store) -> Context:
        """Return the context of an application."""
        runs = Runs(
            settings.state_dir / "runs",
            lambda testid, name: SessionDriver(sessions, testid, name),
            sessions.permit,
            sessions.driven,
        )
        return cls(settings, sessions, store, Readings(sessions, settings.threads), runs)
