"""The only loop over interactive time: sub-steps of a model under boundary data, as one transaction.

A control step is a number of sub-steps. At each the disturbances are read anew, Head_required is computed, all inputs
are set and held, and the model goes on. Either all sub-steps happen or none: when one fails, the model is brought back
to where it stood, in a new instance.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from adcc.core.boundary import Disturbances
from adcc.core.head import RequiredHead
from adcc.core.history import History
from adcc.core.model import FloatArray, Model, Snapshot, State
from adcc.errors import AdccError, ModelError, ResourcesError, StateError

#: The input that the server computes.
HEAD = "Head_required"


class Position(NamedTuple):
    """Where a session stands.

    Attributes
    ----------
    time : float
        Clock [s].
    outputs : FloatArray, shape (n_outputs,)
        Outputs of the model then.
    stepped : bool
        Whether a client's step led there, and not an initialization.
    """

    time: float
    outputs: FloatArray
    stepped: bool


class Mark(NamedTuple):
    """All that a stepper needs to come back to a moment, but for the rows of the history.

    Attributes
    ----------
    snapshot : Snapshot or None
        The model; None where only a replay of the rows brings it back.
    rows : int
        Rows of the history then.
    rows_before_steps : int
        How many of them, at the head, are no steps of the model.
    """

    snapshot: Snapshot | None
    rows: int
    rows_before_steps: int


class Stepper:
    """Steps a model under its boundary data.

    Parameters
    ----------
    model : Model
    disturbances : Disturbances
        Their names must be inputs of the model.
    required_head : RequiredHead
    history : History
        Columns ``time``, inputs, outputs; a sub-step adds a row when its transaction succeeds.

    Raises
    ------
    ResourcesError
        When the boundary data and the model do not fit together.
    """

    def __init__(self, model: Model, disturbances: Disturbances, required_head: RequiredHead, history: History) -> None:
        self.model = model
        self.disturbances = disturbances
        self.history = history
        self._required_head = required_head
        names = [variable.name for variable in model.inputs]
        missing = [name for name in (*disturbances.names, HEAD) if name not in names]
        if missing:
            raise ResourcesError(f"the FMU has no input {missing[0]}")
        self._disturbed = np.array([names.index(name) for name in disturbances.names], dtype=np.intp)
        self._head = names.index(HEAD)
        given = {*disturbances.names, HEAD}
        #: Positions of the control inputs, those that clients give, among the model's inputs.
        self.controlled = np.array([i for i, name in enumerate(names) if name not in given], dtype=np.intp)
        self._start_head = model.inputs[self._head].start or 0.0
        self._rows_before_steps = 0  # at the head of the history: 1 where it starts with an observation

    def twin(self) -> Stepper:
        """Return a second stepper under the same boundary data, with a model and a history of its own.

        Raises
        ------
        ModelError
            When the model cannot be had twice.
        """
        return Stepper(self.model.twin(), self.disturbances, self._required_head, self.history.twin())

    def start(self, time: float, controls: FloatArray, outputs: FloatArray) -> Position:
        """Stand at a time with outputs that are known; the model starts there with the inputs of the first step.

        Parameters
        ----------
        time : float
            [s]
        controls : FloatArray, shape (n_controls,)
        outputs : FloatArray, shape (n_outputs,)

        Returns
        -------
        Position

        Raises
        ------
        StorageError
            When the history cannot be written; nothing changed then.
        """
        inputs = np.full(len(self.model.inputs), np.nan)  # Head_required stays open: none was computed
        inputs[self.controlled] = controls
        inputs[self._disturbed] = self.disturbances.rows(time, 1)[0]
        self.history.replace(np.concatenate(([time], inputs, outputs))[np.newaxis])
        self._rows_before_steps = 1
        self.model.reset()
        return Position(time, outputs, stepped=False)

    def warm_up(self, time: float, controls: FloatArray, outputs: FloatArray) -> Position:
        """Start the model at a time and simulate some sub-steps; the history then holds their rows only.

        Where the chillers' power is measured, Head_required keeps the FMU's start value in the first, as in the
        reference.

        Parameters
        ----------
        time : float
            Start of the first sub-step [s].
        controls : FloatArray, shape (n_sub_steps, n_controls)
        outputs : FloatArray, shape (n_outputs,)
            Stands for the measurements before.

        Returns
        -------
        Position
            At the end of the last sub-step.

        Raises
        ------
        ModelError, StorageError, InvalidValueError
            When it cannot be done; the model stands where it stood.
        """
        rows = self._rows(time, controls, 1)
        before = self._before()
        head = self._start_head if self._required_head.measures_power else None
        position = Position(time, outputs, stepped=False)
        try:
            self.model.reset()
            for row in rows:
                position = self._sub_step(row, position, head)
                head = None
            self.history.replace(rows)
        except BaseException:
            self._roll_back(before)
            raise
        self._rows_before_steps = 0
        return position._replace(stepped=False)

    def advance(self, position: Position, controls: FloatArray, count: int) -> tuple[Position, FloatArray]:
        """Simulate control steps, all or none.

        Parameters
        ----------
        position : Position
            Where the session stands.
        controls : FloatArray, shape (n_steps, n_controls)
            One row a control step, held over its sub-steps.
        count : int
            Number of sub-steps of a control step.

        Returns
        -------
        position : Position
            Where the session stands then.
        rows : FloatArray, shape (n_steps * count, n_columns)
            What the history took.

        Raises
        ------
        InvalidValueError
            When the boundary data ends before, or the inputs cannot be; nothing was simulated.
        ModelError
            When a sub-step fails; the model stands where it stood.
        StorageError
            When the history cannot be written; the model stands where it stood.
        """
        rows = self._rows(position.time, controls, count)
        self._mend()
        before = self._before()
        try:
            for row in rows:
                position = self._sub_step(row, position)
            self.history.append(rows)
        except BaseException:
            self._roll_back(before)
            raise
        return position, rows

    def look_ahead(
        self, position: Position, controls: FloatArray, count: int
    ) -> tuple[Position, FloatArray, AdccError | None]:
        """Simulate control steps up to the first that fails, then go back to now; parameters as in `advance`.

        Returns
        -------
        position : Position
            At the end of the last control step that succeeded.
        rows : FloatArray, shape (n_succeeded * count, n_columns)
            What the history would have taken.
        error : AdccError or None
            Why the next one failed.

        Raises
        ------
        ModelError
            When the model cannot be brought back to where it stood.
        """
        self._mend()
        before, error = self._before(), None
        taken = [np.empty((0, len(self.history.columns)))]
        try:
            for controls_of_step in controls:
                rows = self._rows(position.time, controls_of_step[np.newaxis], count)
                then = position
                for row in rows:
                    then = self._sub_step(row, then)
                position = then
                taken.append(rows)
        except AdccError as failure:
            error = failure
        finally:
            self._roll_back(before)
        return position, np.concatenate(taken), error

    def mark(self) -> Mark:
        """Return what `restore` needs to come back to now.

        Raises
        ------
        ModelError
            When the model cannot be brought back to where it stood, or fails.
        """
        self._mend()
        return Mark(self._before(), len(self.history), self._rows_before_steps)

    def restore(self, mark: Mark, position: Position, rows: FloatArray | None = None) -> None:
        """Go back to a mark, in a new instance of the model; the history is cut to the rows that it had.

        Parameters
        ----------
        mark : Mark
            Of this stepper or of another one over the same model and boundary data.
        position : Position
            Where the session stood then.
        rows : FloatArray, shape (k, n_columns), optional
            Take the place of the history; without them it must begin with the rows that the mark had.

        Raises
        ------
        StateError
            When the rows are not those that the mark had; nothing changed.
        ModelError, StorageError
            When it cannot be done; the model stands where it stood.
        """
        if not self._leads_to(rows, mark.rows, position):
            raise StateError(f"the history does not begin with the {mark.rows} rows of the stored state")
        before = self._before() if self.model.state is not State.FAILED else None
        try:
            if mark.snapshot is None:
                table = self.history.rows() if rows is None else rows
                self._replay(table[mark.rows_before_steps : mark.rows])
            else:
                self.model.restore(mark.snapshot)
            if rows is None:
                self.history.cut(mark.rows)
            else:
                self.history.replace(rows[: mark.rows])
        except BaseException:
            self._roll_back(before)
            raise
        self._rows_before_steps = mark.rows_before_steps

    def _leads_to(self, table: FloatArray | None, rows: int, position: Position) -> bool:
        """Return whether so many rows of a table, or of the history, end at a position."""
        if table is not None and (table.ndim != 2 or table.shape[1] != len(self.history.columns)):
            return False
        if not 0 < rows <= len(self.history if table is None else table):
            return False
        last = self.history.row(rows - 1) if table is None else table[rows - 1]
        return float(last[0]) == position.time and np.array_equal(last[1 + len(self.model.inputs) :], position.outputs)

    def last_inputs(self) -> FloatArray:
        """Return the inputs of the model in the last row of the history, shape (n_inputs,)."""
        return np.array(self.history.row(len(self.history) - 1)[1 : 1 + len(self.model.inputs)])

    def _rows(self, time: float, controls: FloatArray, count: int) -> FloatArray:
        """Return rows of the history with the inputs of each sub-step in them; refuse what cannot be.

        Head_required and what comes of the step stay open.
        """
        rows = np.empty((len(controls) * count, len(self.history.columns)))
        inputs = rows[:, 1 : 1 + len(self.model.inputs)]
        inputs[:, self.controlled] = np.repeat(controls, count, axis=0)
        inputs[:, self._disturbed] = self.disturbances.rows(time, len(rows))
        inputs[:, self._head] = np.nan
        for row in inputs:
            self._required_head.check(row)
        return rows

    def _sub_step(self, row: FloatArray, position: Position, head: float | None = None) -> Position:
        """Simulate one interval and complete its row: the time at its end, the inputs, the outputs."""
        inputs = row[1 : 1 + len(self.model.inputs)]
        if head is None:
            head = self._required_head(inputs, position.outputs, stepped=position.stepped)
        inputs[self._head] = head
        if self.model.state is State.FRESH:
            self.model.initialize(position.time, inputs)
        outputs = self.model.step(self.disturbances.interval, inputs)
        row[0] = position.time + self.disturbances.interval
        row[1 + len(inputs) :] = outputs
        return Position(float(row[0]), outputs, stepped=True)

    def _before(self) -> Snapshot | None:
        """Return what `_roll_back` needs; None where only a replay helps."""
        if self.model.state is State.FRESH or (self.model.state is State.READY and self.model.can_snapshot):
            return self.model.snapshot()
        return None

    def _mend(self) -> None:
        """Where an earlier roll-back failed, try again before anything else."""
        if self.model.state is State.FAILED:
            self._replay(self.history.rows(self._rows_before_steps))

    def _roll_back(self, before: Snapshot | None) -> None:
        if before is None:
            self._replay(self.history.rows(self._rows_before_steps))
        else:
            self.model.restore(before)

    def _replay(self, rows: FloatArray) -> None:
        """Bring the model to where rows of a history end, by simulating them again."""
        n = len(self.model.inputs)
        self.model.reset()
        try:
            for row in rows:
                inputs = np.array(row[1 : 1 + n])
                if self.model.state is State.FRESH:
                    self.model.initialize(float(row[0]) - self.disturbances.interval, inputs)
                self.model.step(self.disturbances.interval, inputs)
        except ModelError as error:
            raise ModelError(f"the model could not be brought back to where it stood: {error}") from error
