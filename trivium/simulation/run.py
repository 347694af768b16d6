"""A simulation under way: where it stands, what drives it, how it goes on and where it ends."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from trivium.errors import InvalidValueError, TriviumError
from trivium.model.contract import FloatArray
from trivium.simulation.position import Position
from trivium.simulation.state import State
from trivium.simulation.stepper import Stepper
from trivium.simulation.times import Clock, difference

#: How many control steps are one transaction, where those before a failure shall stay.
BLOCK = 64


class Run:
    """A simulation under way.

    It begins when that is first needed: until then there is no instance of the model in the process.

    Parameters
    ----------
    stepper : Stepper
    begin : Callable
        Begins it; returns where it stands.
    controls : FloatArray, shape (n_controls,)
        Control inputs, as they were last.
    clock : Clock
        Time and control step.
    end_time : float
        Where it ends [s].
    """

    def __init__(
        self,
        stepper: Stepper,
        begin: Callable[[], Position],
        controls: FloatArray,
        clock: Clock,
        end_time: float,
    ) -> None:
        self.stepper = stepper
        self.controls = controls
        self.clock = clock
        self.end_time = end_time
        #: Row of the history where it begins.
        self.first_row = 0
        self._begin = begin
        self._position: Position | None = None

    def begin(self) -> Position:
        """Begin, where that was not done; return where the simulation stands.

        Raises
        ------
        TriviumError
            When it cannot be done.
        """
        if self._position is None:
            self._position = self._begin()
        return self._position

    def restart(self, position: Position, controls: FloatArray, end_time: float) -> None:
        """Take over where a new simulation begins; the control step stays."""
        self._position, self.controls, self.end_time = position, controls, end_time
        self.clock = Clock(position.time, self.clock.step)
        self.first_row = len(self.stepper.history) - 1

    def require_end(self, count: int) -> None:
        """Refuse control steps that would lead beyond the end.

        Raises
        ------
        InvalidValueError
        """
        if self.steps_left() < count:
            raise self.past_the_end(self.clock, count)

    def past_the_end(self, clock: Clock, count: int = 1) -> InvalidValueError:
        """Return the refusal of control steps from where a clock stands."""
        length = difference(clock.times(count)[-1], clock.time)
        return InvalidValueError(
            f"Cannot advance from {clock.time}s by a step of {length}s: the simulation ends at {self.end_time}s. "
            f"Initialize anew or choose a smaller step.",
            "step",
        )

    def steps_left(self) -> float:
        """Return how many control steps there are until the end."""
        left = (self.end_time - self.clock.time) / self.clock.step
        return left if math.isinf(left) else math.floor(left + 1e-9)

    def coming(self) -> Clock | None:
        """Return the clock of the coming step, which is cut to the end; None at the end."""
        if self.steps_left() >= 1:
            return self.clock
        left = difference(self.end_time, self.clock.time)
        return self.clock.with_step(left) if left > 1e-9 * self.clock.step else None

    def advance(self, controls: FloatArray, clock: Clock | None = None) -> FloatArray:
        """Simulate control steps, all or none.

        Parameters
        ----------
        controls : FloatArray, shape (n_steps, n_controls)
        clock : Clock, optional
            What `coming` returned, where the last step may be cut.

        Returns
        -------
        FloatArray, shape (n_steps, n_columns)
            Rows of the history at their ends.

        Raises
        ------
        TriviumError
            When one of them fails; everything stands as before.
        """
        by = self.clock if clock is None else clock
        self._position, ends = self.stepper.advance(self.begin(), controls, by.times(len(controls)))
        self.controls, after = controls[-1].copy(), by.after(len(controls))
        self.clock = after if by.step == self.clock.step else after.with_step(self.clock.step)
        return ends

    def advance_while_possible(self, controls: FloatArray) -> tuple[FloatArray, TriviumError | None]:
        """Simulate control steps up to the first that fails; return the rows at their ends, and why the next failed.

        Blocks of steps are simulated as one, which spares all that a transaction costs; the steps of a block that fails
        are done singly.
        """
        taken = [np.empty((0, len(self.stepper.history.columns)))]
        for first in range(0, len(controls), BLOCK):
            block = controls[first : first + BLOCK]
            try:
                self.require_end(len(block))
                taken.append(self.advance(block))
            except TriviumError:
                for one in block:
                    try:
                        self.require_end(1)
                        taken.append(self.advance(one[np.newaxis]))
                    except TriviumError as error:
                        return np.concatenate(taken), error
        return np.concatenate(taken), None

    def look_ahead(self, controls: FloatArray) -> tuple[Position, FloatArray, TriviumError | None]:
        """Simulate control steps up to the first that fails, and come back; see `Stepper.look_ahead`."""
        within = controls[: int(min(self.steps_left(), len(controls)))]
        position, ends, error = self.stepper.look_ahead(self.begin(), within, self.clock.times(len(within)))
        if error is None and len(within) < len(controls):
            error = self.past_the_end(self.clock.after(len(within)))
        return position, ends, error

    def state(self, scenario: Mapping[str, Any]) -> State:
        """Return all that `restore` needs to come back to now, but for the rows of the history.

        Parameters
        ----------
        scenario : Mapping
            What it is made under.

        Raises
        ------
        ModelError
            When the plant cannot be brought back to where it stood, or fails.
        """
        position = self.begin()
        return State(self.stepper.mark(), position, self.controls, self.clock, self.end_time, self.first_row, scenario)

    def restore(self, then: State, rows: FloatArray | None = None) -> None:
        """Go back to a state; see `Stepper.restore`."""
        self.stepper.restore(then.mark, then.position, rows)
        self._position, self.controls, self.clock, self.end_time, self.first_row = then[1:6]
