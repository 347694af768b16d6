"""Events of an FMU: when two times are one, and the iteration at an event.

Sums of step lengths miss the time of an event by rounding errors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from trivium.errors import EndedError, ModelError

#: Solver steps between two communication points before it is given up.
MAX_STEPS = 100_000
#: Events in one step before it is given up: the FMU chatters.
MAX_EVENTS = 10_000
#: Iterations at one event before it is given up.
MAX_ITERATIONS = 100


def slack(time: float) -> float:
    """Return how far apart two times may be and count as one [s]; no solver can start over less."""
    return 1e-12 * max(1.0, abs(time))


class Discrete(NamedTuple):
    """What an FMU answers at an event.

    Attributes
    ----------
    again : bool
        Whether it wants another iteration.
    ended : bool
        Whether it ends the simulation.
    next_event : float
        Time of the next event that it knows [s]; infinite where it knows none.
    """

    again: bool
    ended: bool
    next_event: float


def settle(update: Callable[[], Discrete]) -> float:
    """Iterate at an event until the FMU is content; return the time of the next event that it knows [s].

    Raises
    ------
    ModelError
        When it ends the simulation or never settles.
    """
    for _ in range(MAX_ITERATIONS):
        event = update()
        if event.ended:
            raise EndedError("the FMU ended the simulation")
        if not event.again:
            return event.next_event
    raise ModelError(f"the FMU has not settled after {MAX_ITERATIONS} iterations at one event")
