"""When two times are one: sums of step lengths miss the time of an event by rounding errors."""

from __future__ import annotations

#: Solver steps between two communication points before it is given up.
MAX_STEPS = 100_000
#: Events in one step before it is given up: the FMU chatters.
MAX_EVENTS = 10_000


def slack(time: float) -> float:
    """Return how far apart two times may be and count as one [s]; no solver can start over less."""
    return 1e-12 * max(1.0, abs(time))
