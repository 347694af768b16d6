"""Warm starts: a session that starts where one started before takes the state of then.

Only where that gives the same numbers: a model that does not come back exactly is started anew for ever.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import NamedTuple

import numpy as np

from trivium.model.contract import FloatArray
from trivium.simulation.state import Mark, Position
from trivium.simulation.stepper import Stepper

#: Most that is kept of starts [bytes].
KEPT = 32 * 2**20


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
        #: How many starts were restored.
        self.served = 0

    def start(self, key: Hashable, cold: Callable[[], tuple[Position, FloatArray]]) -> tuple[Position, FloatArray]:
        """Start as it was done before, or anew.

        Parameters
        ----------
        key : Hashable
            All that the start depends on.
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
        if stored is not None:
            self._starts.move_to_end(key)
            self._stepper.restore(stored.mark, stored.position, stored.rows)
            self.served += 1
            return stored.position, stored.controls.copy()
        position, controls = cold()
        model = self._stepper.model
        if model.can_snapshot and model.exact_here:
            history = self._stepper.history
            self._keep(key, Start(self._stepper.mark(), position, controls.copy(), np.array(history.table())))
        return position, controls

    def _keep(self, key: Hashable, start: Start) -> None:
        if start.size > KEPT // 4:  # a long warm-up is mostly rows
            return
        self._starts[key] = start
        self._starts.move_to_end(key)
        while sum(start.size for start in self._starts.values()) > KEPT:
            self._starts.popitem(last=False)
