"""Warm starts: a session that starts where one started before takes the state of then.

Only where that gives the same numbers: the first time that a state is asked again, the start is simulated anew, and
both are simulated on and compared bit by bit. An FMU that does not come back exactly is started anew for ever.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import NamedTuple

import numpy as np

from trivium.errors import ModelError
from trivium.model.contract import FloatArray, State
from trivium.simulation.state import Mark, Position
from trivium.simulation.stepper import Stepper

#: Most that is kept of starts [bytes].
KEPT = 32 * 2**20
#: Over how many steps a restored plant is compared with a new one.
COMPARED = 3


class Start(NamedTuple):
    """A start as it was."""

    mark: Mark
    position: Position
    controls: FloatArray
    rows: FloatArray

    @property
    def size(self) -> int:
        """Memory [bytes]."""
        data = self.mark.snapshot.data if self.mark.snapshot is not None else None
        return len(data or b"") + self.rows.nbytes


class WarmStarts:
    """The starts of a stepper, the longest unused given up first.

    A key holds the parts of the request: time, warm-up, start values. Files, tolerance and engine are the stepper's.

    Parameters
    ----------
    stepper : Stepper
    """

    def __init__(self, stepper: Stepper) -> None:
        self._stepper = stepper
        self._starts: OrderedDict[Hashable, Start] = OrderedDict()
        self._exact: bool | None = None  # not known yet
        #: How many starts were restored.
        self.served = 0

    def start(
        self, key: Hashable, duration: float, cold: Callable[[], tuple[Position, FloatArray]]
    ) -> tuple[Position, FloatArray]:
        """Start as it was done before, or anew.

        Parameters
        ----------
        key : Hashable
            All that the start depends on.
        duration : float
            Step of the comparison [s].
        cold : Callable
            Starts by simulating.

        Returns
        -------
        position : Position
        controls : FloatArray, shape (n_controls,)

        Raises
        ------
        TriviumError
            When it cannot be done; everything stands as before.
        """
        stored = self._starts.get(key)
        if stored is not None and self._exact:
            self._starts.move_to_end(key)
            self._stepper.restore(stored.mark, stored.position, stored.rows)
            self.served += 1
            return stored.position, stored.controls.copy()
        position, controls = cold()
        if self._exact is not False and self._stepper.model.can_snapshot:
            start = Start(self._stepper.mark(), position, controls.copy(), np.array(self._stepper.history.table()))
            if stored is not None and self._exact is None:
                self._exact = self._alike(start, stored, duration)
                if not self._exact:
                    self._starts.clear()
                    return cold()  # what was compared was restored
            self._keep(key, start)
        return position, controls

    def _alike(self, new: Start, stored: Start, duration: float) -> bool:
        """Return whether a plant that was just started and a stored one go on alike; the stepper is restored then."""
        model, inputs = self._stepper.model, self._stepper.last_inputs()
        if model.state is not State.READY or new.mark.snapshot is None or stored.mark.snapshot is None:
            return False
        ends = []
        try:
            for snapshot in (None, stored.mark.snapshot):
                if snapshot is not None:
                    model.restore(snapshot)
                ends.append(b"".join(model.step(duration, inputs).tobytes() for _ in range(COMPARED)))
            model.restore(new.mark.snapshot)
        except ModelError:
            return False
        return ends[0] == ends[1] and new.rows.tobytes() == stored.rows.tobytes()

    def _keep(self, key: Hashable, start: Start) -> None:
        if start.size > KEPT // 4:  # a long warm-up is mostly rows
            return
        self._starts[key] = start
        self._starts.move_to_end(key)
        while sum(start.size for start in self._starts.values()) > KEPT:
            self._starts.popitem(last=False)
