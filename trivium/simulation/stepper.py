"""The only loop over interactive time: sub-steps of a model under boundary data, as one transaction.

A control step is split where the boundary data has rows, and at the grid of the results. At each sub-step the boundary
data is read anew, the law of the plant computes its inputs where there is one, all inputs are set and held, and the
model goes on. Where the boundary data follows straight lines and the model can take inputs that change within a step,
they do. Either all sub-steps happen or none: when one fails, the model is restored in a new instance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType

import numpy as np

from trivium.errors import InvalidValueError, ModelError, StateError
from trivium.model.contract import FloatArray, Model, Snapshot, StartValues, State
from trivium.simulation.boundary import Disturbances
from trivium.simulation.history import History
from trivium.simulation.inputs import Inputs
from trivium.simulation.plant import Law
from trivium.simulation.state import Beginning, Change, Mark, Position
from trivium.simulation.times import Grid, beside, difference, plain

#: No grid besides the rows of the boundary data.
_UNDIVIDED = Grid()
#: No changes of parameters.
NOTHING: StartValues = MappingProxyType({})


def _unobserved(_duration: float) -> None:
    """Let nobody see progress."""


class Stepper:
    """Steps a model under its boundary data.

    Parameters
    ----------
    model : Model
    disturbances : Disturbances
        Their names must be inputs of the model.
    law : Law or None
        Computes some inputs; None leaves all others to the clients.
    history : History
        Columns ``time``, inputs, outputs; a sub-step adds a row when its transaction succeeds.
    grid : Grid
        Where control steps are divided besides.

    Raises
    ------
    ResourcesError
        When the boundary data and the model do not fit together.
    """

    def __init__(
        self, model: Model, disturbances: Disturbances, law: Law | None, history: History, grid: Grid = _UNDIVIDED
    ) -> None:
        self.model = model
        #: Boundary data as it was read, and as it acts: the same unless somebody puts faults in it.
        self.boundary = self.disturbances = disturbances
        self.history = history
        #: Where the model's inputs come from.
        self.inputs = Inputs(model.inputs, disturbances.names, law, grid)
        self._beginning = Beginning("observed", 0.0, {})
        #: Is called before each sub-step with its length [s]: whoever waits can see progress.
        self.pulse: Callable[[float], object] = _unobserved
        self._tells = True  # whether the model has outputs that are text; not known before it was asked

    def twin(self, *, apart: bool = False) -> Stepper:
        """Return a second stepper under the same boundary data, with a model and a history of its own.

        Parameters
        ----------
        apart : bool
            See `Model.twin`.
        """
        model = self.model.twin(apart=apart)
        model.inputs = self.model.inputs  # with the bounds that the plant adds
        return Stepper(model, self.boundary, self.inputs.law, self.history.twin(), self.inputs.grid)

    def observe(self, time: float, controls: FloatArray, outputs: FloatArray, start_values: StartValues) -> Position:
        """Stand at a time with outputs that are known; the model starts there with the inputs of the first step.

        Parameters
        ----------
        time : float
            [s]
        controls : FloatArray, shape (n_controls,)
        outputs : FloatArray, shape (n_outputs,)
        start_values : Mapping[str, float or str]
            For the model.

        Raises
        ------
        StorageError
            When the history cannot be written; nothing changed then.
        """
        inputs = self.inputs.at(time, controls, self.disturbances)
        inputs[self.inputs.computed] = np.nan  # stay open: none was computed
        self.history.replace(np.concatenate(([time], inputs, outputs))[np.newaxis])
        self._beginning = Beginning("observed", time, start_values)
        self.model.reset()
        return Position(time, outputs, stepped=False)

    def initialize(self, time: float, controls: FloatArray, start_values: StartValues) -> Position:
        """Initialize the model at a time; parameters as in `observe`.

        Returns
        -------
        Position
            With the outputs after the initialization.

        Raises
        ------
        ModelError, StorageError, InvalidValueError
            When it cannot be done; the model is unchanged.
        """
        inputs = self.inputs.at(time, controls, self.disturbances)
        before = self._before()
        try:
            self.model.initialize(time, inputs, start_values)
            outputs = self.model.read()
            position = Position(time, outputs, stepped=False, texts=self._texts())
            self.history.replace(np.concatenate(([time], inputs, outputs))[np.newaxis])
        except BaseException:
            self._roll_back(before)
            raise
        self._beginning = Beginning("initialized", time, start_values)
        return position

    def warm_up(
        self, times: Sequence[float], controls: FloatArray, outputs: FloatArray | None, start_values: StartValues
    ) -> Position:
        """Start the model at a time and simulate some steps; the history then holds their rows.

        Where the law needs outputs that were simulated, its inputs keep their start values in the first step.

        Parameters
        ----------
        times : sequence of float, length n_steps + 1
            Start of the first step and end of each [s].
        controls : FloatArray, shape (n_steps, n_controls)
        outputs : FloatArray, shape (n_outputs,), or None
            Stands for the measurements before. None for those of the model after its initialization, which are then
            the first row of the history.
        start_values : Mapping[str, float or str]
            For the model.

        Returns
        -------
        Position
            At the end of the last step.

        Raises
        ------
        ModelError, StorageError, InvalidValueError
            When it cannot be done; the model is unchanged.
        """
        rows, _ = self.inputs.rows(times, controls, self.disturbances, len(self.history.columns))
        before, beginning = self._before(), self._beginning
        law = self.inputs.law
        computed = self.inputs.start if law is not None and law.needs_a_step else None
        first = np.empty((0, rows.shape[1]))
        try:
            if outputs is None:
                inputs = self.inputs.at(times[0], controls[0], self.disturbances)
                self.model.initialize(times[0], inputs, start_values)
                outputs = self.model.read()
                first = np.concatenate(([times[0]], inputs, outputs))[np.newaxis]
                self._beginning = Beginning("initialized", times[0], start_values)
            else:
                self._beginning = Beginning("warmed", times[0], start_values)
                self.model.reset()
            position = Position(times[0], outputs, stepped=False)
            for row in rows:
                position = self._sub_step(row, position, computed)
                computed = None
            self.history.replace(np.concatenate((first, rows)))
        except BaseException:
            self._beginning = beginning
            self._roll_back(before)
            raise
        return position._replace(stepped=False)

    def advance(
        self, position: Position, controls: FloatArray, times: Sequence[float], changes: StartValues = NOTHING
    ) -> tuple[Position, FloatArray]:
        """Simulate control steps, all or none.

        Parameters
        ----------
        position : Position
            Where the session stands.
        controls : FloatArray, shape (n_steps, n_controls)
            One row a control step, held over its sub-steps.
        times : sequence of float, length n_steps + 1
            The clock now and at the end of each control step [s].
        changes : Mapping[str, float or str]
            Tunable parameters and texts that change before the first step.

        Returns
        -------
        position : Position
            Where the session stands then.
        ends : FloatArray, shape (n_steps, n_columns)
            What the history took for the end of each control step.

        Raises
        ------
        InvalidValueError
            When the boundary data ends before, or the inputs cannot be; nothing was simulated.
        ModelError
            When a sub-step fails; the model is unchanged.
        StorageError
            When the history cannot be written; the model is unchanged.
        """
        blocks = self.inputs.blocks(times, controls, self.disturbances, len(self.history.columns))
        changed = Change(times[0], changes) if changes else None
        before, length = self._before(mend=True), len(self.history)
        completed = []
        try:
            for rows, ends in blocks:
                position = self.simulate(rows, position, changes)
                changes = NOTHING
                self.history.append(rows)
                completed.append(rows[ends])
        except BaseException:
            self.history.withdraw(len(self.history) - length)
            self._roll_back(before)
            raise
        if changed:
            self._beginning = self._beginning._replace(changes=(*self._beginning.changes, changed))
        return position, completed[0] if len(completed) == 1 else np.concatenate(completed)

    def inputs_at(self, time: float, controls: FloatArray) -> FloatArray:
        """Return the inputs of the model at a time [s], shape (n_inputs,); those of a law have their start values.

        Raises
        ------
        InvalidValueError
            When the boundary data does not cover the time.
        """
        return self.inputs.at(time, controls, self.disturbances)

    @contextmanager
    def excursion(self) -> Iterator[None]:
        """Go back to now when the block ends, however it ends; the history is not touched.

        Raises
        ------
        ModelError
            When the model cannot be restored.
        """
        before = self._before(mend=True)
        try:
            yield
        finally:
            self._roll_back(before)

    def start(self, position: Position, inputs: FloatArray) -> None:
        """Initialize the model where it stands, if it did not start yet; inputs of shape (n_inputs,)."""
        if self.model.state is State.FRESH:
            self.model.initialize(position.time, inputs, self._beginning.start_values)

    def simulate(
        self,
        rows: FloatArray,
        position: Position,
        changes: StartValues = NOTHING,
        data: Disturbances | None = None,
    ) -> Position:
        """Simulate the sub-steps of rows, shape (n, n_columns), and complete them; return where the last one ends.

        Parameters
        ----------
        rows : FloatArray
            See `Inputs.rows`: end and inputs of each sub-step; what the law computes and the outputs are filled in.
        position : Position
            Where the first begins.
        changes : Mapping[str, float or str]
            Tunable parameters and texts that change before the first.
        data : Disturbances, optional
            What takes the place of the boundary data.

        Raises
        ------
        InvalidValueError, ModelError
            When a sub-step fails. Neither the model nor the history is taken back: see `advance`, `excursion`.
        """
        for row in rows:
            position = self._sub_step(row, position, changes=changes, data=data)
            changes = NOTHING
        return position

    def mark(self) -> Mark:
        """Return what `restore` needs to come back to now.

        Raises
        ------
        ModelError
            When the model cannot be restored, or fails.
        """
        return Mark(self._before(mend=True), len(self.history), self._beginning)

    def restore(self, mark: Mark, position: Position, rows: FloatArray | None = None) -> None:
        """Go back to a mark, in a new instance of the model; the history is cut to the rows that it had.

        Parameters
        ----------
        mark : Mark
            Of this stepper or of another one over the same model and boundary data.
        position : Position
            The position of the session then.
        rows : FloatArray, shape (k, n_columns), optional
            Take the place of the history; without them it must begin with the rows that the mark had.

        Raises
        ------
        StateError
            When the rows are not those that the mark had; nothing changed.
        ModelError, StorageError
            When it cannot be done; the model is unchanged.
        """
        if not self._leads_to(rows, mark.rows, position):
            raise StateError(f"the history does not begin with the {mark.rows} rows of the stored state")
        before = self._before() if self.model.state is not State.FAILED else None
        try:
            if mark.snapshot is None or (mark.snapshot.data is not None and not self.model.can_snapshot):
                table = self.history.rows() if rows is None else rows
                self._replay(mark.beginning, table[: mark.rows])
            else:
                self.model.restore(mark.snapshot)
            if rows is None:
                self.history.cut(mark.rows)
            else:
                self.history.replace(rows[: mark.rows])
        except BaseException:
            self._roll_back(before)
            raise
        self._beginning = mark.beginning

    def _leads_to(self, table: FloatArray | None, rows: int, position: Position) -> bool:
        """Return whether so many rows of a table, or of the history, end at a position."""
        if table is not None and (table.ndim != 2 or table.shape[1] != len(self.history.columns)):
            return False
        if not 0 < rows <= len(self.history if table is None else table):
            return False
        last = self.history.row(rows - 1) if table is None else table[rows - 1]
        outputs = last[1 + len(self.model.inputs) :]
        return float(last[0]) == position.time and np.array_equal(outputs, position.outputs, equal_nan=True)

    def look(self, names: Sequence[str]) -> FloatArray:
        """Return the present values of steady variables of the model, shape (n_names,).

        Raises
        ------
        ModelError
            When the model fails, or has no value of one before its first step.
        """
        if self.model.state is State.FAILED:
            self._replay(self._beginning, self.history.rows())
        if self.model.state is not State.FRESH:
            return self.model.look(names)
        starts = {**{v.name: v.start for v in self.model.steady}, **self._beginning.start_values}
        unknown = [name for name in names if starts[name] is None]
        if unknown:
            raise ModelError(f"{unknown[0]} has no value before the first step")
        return np.array([starts[name] for name in names], dtype=np.float64)

    @property
    def beginning(self) -> Beginning:
        """How the present life of the model began, and what was changed since."""
        return self._beginning

    def last_inputs(self) -> FloatArray:
        """Return the inputs of the model in the last row of the history, shape (n_inputs,)."""
        return np.array(self.history.row(len(self.history) - 1)[1 : 1 + len(self.model.inputs)])

    def _sub_step(
        self,
        row: FloatArray,
        position: Position,
        computed: FloatArray | None = None,
        changes: StartValues = NOTHING,
        data: Disturbances | None = None,
    ) -> Position:
        """Simulate to the time of a row and complete it: the inputs that the law computes, the outputs.

        Inputs that change within the step are in the row with their values at its end.
        """
        inputs = row[1 : 1 + len(self.model.inputs)]
        law = self.inputs.law
        if law is not None:
            values = law(inputs, position.outputs, stepped=position.stepped) if computed is None else computed
            inputs[self.inputs.computed] = values
        self.start(position, inputs)
        if changes:
            self.model.change(changes)
        end = float(row[0])
        duration, slopes = difference(end, position.time), None
        if (data := data or self.disturbances).linear and self.model.can_ramp:
            slopes = self.inputs.slopes(position.time, data)
        unit = self.model.unit_step
        if unit is not None and beside(duration, unit):
            raise InvalidValueError(
                f"The step from {position.time}s to {end}s must be a multiple of {plain(unit)}s for this model.",
                "step",
            )
        self.pulse(duration)
        if slopes is None:
            outputs = self.model.step(duration, inputs, end)
        else:
            outputs = self.model.step(duration, inputs, end, slopes)
            inputs += duration * slopes
        row[1 + len(inputs) :] = outputs
        return Position(end, outputs, stepped=True, texts=self._texts() if self._tells else {})

    def _texts(self) -> Mapping[str, str]:
        texts = self.model.texts()
        self._tells = bool(texts)
        return texts

    def _before(self, *, mend: bool = False) -> Snapshot | None:
        """Return what `_roll_back` needs; None where only a replay helps. Mend what an earlier one left failed."""
        if mend and self.model.state is State.FAILED:
            self._replay(self._beginning, self.history.rows())
        if self.model.state is State.FRESH or (self.model.state is State.READY and self.model.can_snapshot):
            return self.model.snapshot()
        return None

    def _roll_back(self, before: Snapshot | None) -> None:
        if before is None:
            self._replay(self._beginning, self.history.rows())
        else:
            self.model.restore(before)

    def _replay(self, beginning: Beginning, rows: FloatArray) -> None:
        """Bring the model to where rows of a history end, by simulating them again."""
        n = len(self.model.inputs)
        self.model.reset()
        time, changes = beginning.time, list(beginning.changes)
        try:
            if beginning.kind == "initialized":
                self.model.initialize(time, np.array(rows[0, 1 : 1 + n]), beginning.start_values)
                self.model.read()  # as then: some FMUs compute when they are read
            for row in rows[beginning.rows_before_steps :]:
                inputs, end = np.array(row[1 : 1 + n]), float(row[0])
                slopes = None
                if self.disturbances.linear and self.model.can_ramp:  # the row has the inputs at its end
                    slopes = self.inputs.slopes(time, self.disturbances)
                    self.inputs.drive(inputs, time, self.disturbances)
                if self.model.state is State.FRESH:
                    self.model.initialize(time, inputs, beginning.start_values)
                while changes and changes[0].time <= time:
                    self.model.change(changes.pop(0).values)
                self.pulse(difference(end, time))
                self.model.step(difference(end, time), inputs, end, slopes)
                time = end
        except ModelError as error:
            raise ModelError(f"the model could not be brought back to where it stood: {error}") from error
