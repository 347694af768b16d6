"""Who acts, and what that lets them see, change and keep: the server says so for each request.

Sessions and jobs keep the name of their owner. Where no tokens are needed, and outside of requests, everybody sees all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Quota:
    """What one owner may keep; 0 for no limit of its own.

    Attributes
    ----------
    sessions : int
        Most sessions.
    jobs : int
        Most jobs that wait or run.
    storage : int
        Most of the disk that its sessions, snapshots and jobs take [bytes].
    """

    sessions: int = 0
    jobs: int = 0
    storage: int = 0


@dataclass(frozen=True)
class Access:
    """What the present caller may do.

    Attributes
    ----------
    owner : str or None
        Whose the sessions and jobs are that are made now.
    everything : bool
        Whether those of all owners are seen and may be changed.
    quota : Quota
    """

    owner: str | None = None
    everything: bool = True
    quota: Quota = Quota()

    def sees(self, owner: str | None) -> bool:
        """Return whether what belongs to an owner is seen and may be changed."""
        return self.everything or owner == self.owner


#: Returns the access of the present caller.
Present = Callable[[], Access]


def everybody() -> Access:
    """Return the access of processes that know no owners."""
    return Access()
