"""The configuration of a host, passed to it when it is made."""

from __future__ import annotations

from dataclasses import dataclass

from trivium.session.journal import Durability


@dataclass(frozen=True)
class Config:
    """The configuration of a host.

    Attributes
    ----------
    state_dir, resources : str
    testid : str
    engine : str
        What runs the FMU where the test case does not choose.
    durability : {"process", "power"}
    idle_timeout : float
        Without requests the host ends after this time [s].
    recycle_steps : int
        Requests that change the session, after which the host ends; 0 for never.
    memory : int
        Most memory that a host may have [bytes]; at half of what lies between that and its memory at the start it is
        replaced at the next occasion.
    own_cache : str
        Where the FMU of a test case that a client brought is unpacked, and no other; the host is confined then. Empty
        for test cases of the operator.
    """

    state_dir: str
    resources: str
    testid: str
    engine: str
    durability: Durability
    idle_timeout: float
    recycle_steps: int
    memory: int
    own_cache: str = ""
