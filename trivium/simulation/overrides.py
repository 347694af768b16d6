"""Control inputs that are set by hand: they act in every step, whatever a client or a controller gives.

What a client gives an input that is set by hand is checked and kept as at any other time; it acts again once the
input is released, or its time is over.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

from trivium.errors import InvalidValueError
from trivium.model.contract import FloatArray
from trivium.protocol import Override
from trivium.simulation.inputs import Actions
from trivium.simulation.times import check_time, plain

#: Who sets an input, and when [s since 1970].
By = tuple[str | None, float]


class Overrides:
    """Inputs that are set by hand; never changed, but replaced by others.

    Parameters
    ----------
    actions : Actions
        The control inputs.
    entries : Mapping[str, Override]
    """

    def __init__(self, actions: Actions, entries: Mapping[str, Override] | None = None) -> None:
        self._actions = actions
        #: By name of the input, those whose time is over too.
        self.entries = dict(entries or {})

    def current(self, clock: float) -> dict[str, Override]:
        """Return those that act in a step that begins at a time [s]."""
        return {name: entry for name, entry in self.entries.items() if entry.acts_at(clock)}

    def with_values(
        self, values: Mapping[str, Any], until: Any, before: FloatArray, clock: float, by: By | None
    ) -> Overrides:
        """Return these with others; None releases an input.

        Parameters
        ----------
        values : Mapping[str, float or int or str or None]
        until : float or None
            The last control step that they act in begins before it [s]; None for no end.
        before : FloatArray, shape (n_controls,)
            Control inputs as they are.
        clock : float
            [s]
        by : tuple, optional

        Raises
        ------
        InvalidValueError
            Naming the input that does not exist or is out of its bounds, or the time.
        """
        end = None if until is None else check_time(until, "until", negative=clock < 0.0)
        if end is not None and end <= clock:
            raise InvalidValueError(
                f"Invalid value {plain(end)} for parameter until. Value must be greater than the clock, "
                f"{plain(clock)} seconds, or null for no end.",
                "until",
            )
        parsed = self._actions.parse(values, before)
        who, when = by or (None, time.time())
        entries = {name: entry for name, entry in self.current(clock).items() if name not in values}
        for name, value in values.items():
            if value is not None:
                number = float(parsed[self._actions.position[name]])
                entries[name] = Override(number, end, clock, who, when)
        return Overrides(self._actions, entries)

    def lasting(self) -> Overrides:
        """Return those without an end: a time of what was simulated before means nothing after it is forgotten."""
        return Overrides(self._actions, {name: entry for name, entry in self.entries.items() if entry.until is None})

    def applied(self, controls: FloatArray, times: Sequence[float]) -> FloatArray:
        """Return control inputs as they act.

        Parameters
        ----------
        controls : FloatArray, shape (n_steps, n_controls)
            As clients give them.
        times : sequence of float, length n_steps + 1
            The clock now and at the end of each control step [s].
        """
        if not self.entries or not len(controls):
            return controls
        acting, count = controls.copy(), len(controls)
        for name, entry in self.entries.items():
            steps = count if entry.until is None else bisect_left(times, entry.until, 0, count)
            acting[:steps, self._actions.position[name]] = entry.value
        return acting
