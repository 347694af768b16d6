"""Moments of a simulation: where it begins, and those that are stored and restored, here or in another process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from trivium.arguments import by_name, listed, unknown_name
from trivium.errors import InvalidValueError, StateError
from trivium.model.contract import FloatArray, StartValues
from trivium.protocol import Initialized, Override, Value
from trivium.simulation import state
from trivium.simulation.overrides import By, Overrides
from trivium.simulation.queries import Queries
from trivium.simulation.start import parse_start_values
from trivium.simulation.times import Clock, check_step, check_time, plain


@dataclass(frozen=True)
class Snapshot:
    """A moment of a simulation that `Simulation.restore` goes back to.

    Attributes
    ----------
    time : float
        Clock [s].
    """

    time: float
    _state: bytes = field(repr=False)
    _rows: FloatArray = field(repr=False, compare=False)


class Moments(Queries):
    """Begins, stores, restores and ends a simulation; `trivium.simulation.simulation.Simulation` has the parameters."""

    @property
    def step(self) -> float:
        """Control step [s]; may be set."""
        return self._clock.step

    @step.setter
    def step(self, step: float) -> None:
        self.set_step(step)

    def set_step(self, step: float) -> float:
        """Set the control step and return it.

        Parameters
        ----------
        step : float
            [s], positive; a multiple of the step of a model that takes no other.

        Raises
        ------
        InvalidValueError
            When it is not acceptable.
        """
        self._clock = self._clock.with_step(check_step(step, self.stepper.model.unit_step))
        return self._clock.step

    @property
    def overrides(self) -> dict[str, Override]:
        """Inputs that are set by hand, by name; those whose time is over are not among them."""
        return self._overrides.current(self._clock.time)

    def override(
        self, inputs: Mapping[str, Value], until: float | None = None, *, by: By | None = None
    ) -> dict[str, Override]:
        """Set inputs by hand: from the next step on they have these values, whatever `advance` gives them.

        What `advance` gives is checked all the same; it acts once the input is released, or its time is over. They are
        stored with a state. An initialization keeps those without an end.

        Parameters
        ----------
        inputs : Mapping[str, float or int or str or None]
            None releases an input.
        until : float, optional
            The last step that they act in begins before this time [s]; default: no end.
        by : tuple of (str or None, float), optional
            Who sets them, and when [s since 1970]; default: nobody in particular, now.

        Returns
        -------
        dict of str to Override
            All that are set.

        Raises
        ------
        InvalidValueError
            Naming the input that does not exist or is out of its bounds, or the time; nothing changed then.
        """
        values = by_name(inputs, "inputs", '{"u": 1.0}')
        self._overrides = self._overrides.with_values(values, until, self._controls, self._clock.time, by)
        return self.overrides

    def release(self, names: Sequence[str] | None = None) -> dict[str, Override]:
        """Release inputs that are set by hand; what a client gave them last acts again.

        Parameters
        ----------
        names : sequence of str, optional
            Default: all.

        Returns
        -------
        dict of str to Override
            Those that are still set.

        Raises
        ------
        InvalidValueError
            Naming the input that does not exist, or is not set by hand.
        """
        return self.override(dict.fromkeys(self._released(names)), None)

    def _released(self, names: Sequence[str] | None) -> Sequence[str]:
        """Return the names of inputs that are to be released."""
        there = self.overrides
        if names is None:
            return [*there]
        names = listed(names, "names")
        for name in names:
            if name not in self.actions.position:
                raise unknown_name(self.name, "input", name, self.actions.position, name, "inputs")
            if name not in there:
                raise InvalidValueError(
                    f"Invalid name {name} in parameter names. The input is not set by hand"
                    + (f"; these are: {', '.join(there)}." if there else ", and no other is."),
                    name,
                )
        return names

    def initialize(
        self,
        start_time: float = 0.0,
        end_time: float | None = None,
        warmup_period: float = 0.0,
        start_values: Mapping[str, Any] | None = None,
    ) -> Initialized:
        """Start anew.

        At 0 the observation of the test case is returned. Up to a later time the test case is simulated with its
        initialization actions, which is done once: a state that was reached before is restored. A test case without
        them begins anywhere, with the outputs of the model after its initialization.

        Parameters
        ----------
        start_time : float
            [s]; negative only without initialization actions, a first observation and a test case of BOPTEST.
        end_time : float, optional
            [s]; default: the latest of the test case.
        warmup_period : float
            How long before the start the simulation begins [s], never before 0 where the start is not; with
            initialization actions at least an interval of the boundary data.
        start_values : Mapping[str, float or int or bool or str], optional
            Values of `parameters`, and of `inputs`: what they have from the initialization on.

        Returns
        -------
        Initialized
            All outputs and inputs by name.

        Raises
        ------
        InvalidValueError
            Naming the time, the parameter or the value that is not acceptable.
        ModelError
            When the model refuses.
        """
        self._require_open()
        latest, negative = self._latest, self._starts.may_be_negative
        start = check_time(start_time, "start_time", negative=negative)
        warmup = check_time(warmup_period, "warmup_period")
        end = latest if end_time is None else check_time(end_time, "end_time", negative=negative)
        if end <= start:
            raise InvalidValueError(
                f"Invalid value {end} for parameter end_time. Value must be greater than start_time.", "end_time"
            )
        if end > latest:
            raise InvalidValueError(
                f"Invalid value {end} for parameter end_time. Value must be less than or equal {plain(latest)} "
                f"seconds, which represents the maximum end time that the environment can run.",
                "end_time",
            )
        values, controls = self._start_values(by_name(start_values, "start_values", '{"g": 9.8}'))
        beginning = self._starts.begin(start, warmup, values, self._clock.step, controls)
        self._position, self._end = beginning.position, end
        self._controls = self._acted = beginning.controls
        self._overrides = self._overrides.lasting()
        self._clock = Clock(beginning.position.time, self._clock.step)
        self._first_row = len(self.stepper.history) - 1
        self._resumed(None)
        return Initialized(
            self._observed(beginning.position, beginning.controls), beginning.position.time, beginning.warmup
        )

    @property
    def can_restore(self) -> bool:
        """Whether states hold the model itself; otherwise `set_state` simulates the rows of the history again."""
        return self.stepper.model.can_snapshot

    def snapshot(self) -> Snapshot:
        """Return this moment, to come back to by `restore`; it is kept in memory.

        Raises
        ------
        ModelError
            When the model fails.
        """
        return Snapshot(self.time, self.state(), self.history_rows())

    def restore(self, snapshot: Snapshot) -> float:
        """Go back to a snapshot, also one of another simulation of the same files; return the clock [s].

        Raises
        ------
        InvalidValueError
            When it is no snapshot.
        StateError
            When it is one of other files.
        """
        if not isinstance(snapshot, Snapshot):
            raise InvalidValueError(
                f"restore takes what snapshot() returned, not {type(snapshot).__name__}.", "snapshot"
            )
        self.set_state(snapshot._state, snapshot._rows)
        return self.time

    def state(self) -> bytes:
        """Return all that `set_state` needs to come back to now, but for the rows of the history.

        Raises
        ------
        ModelError
            When the model cannot be brought back to where it was, or fails.
        """
        position = self._current()
        moment = state.State(
            self.stepper.mark(), position, self._controls, self._clock, self._end, self._first_row, self._conditions(),
            self._acted, self._overrides.entries,
        )  # fmt: skip
        return state.encode(moment, self._origin)

    def set_state(self, stored: bytes, rows: FloatArray | None = None) -> None:
        """Go back to a state, in a new instance of the model.

        The history must begin with the rows that it had then and is cut to them: in another simulation, or after an
        initialization, they are an argument here, or of `set_history` before.

        Parameters
        ----------
        stored : bytes
            What `state` returned, here or in another process, for the same Resources.
        rows : FloatArray, shape (k, n_columns), optional
            What `history_rows` returned then or later; takes the place of the history.

        Raises
        ------
        StateError
            When the bytes are damaged, of another version or of other Resources, or the history is another one.
        ModelError, StorageError
            When it cannot be done. In any case everything is as before.
        """
        self._require_open()
        moment = state.decode(stored, self._origin)
        self.stepper.restore(moment.mark, moment.position, rows)
        self._position, self._controls, self._clock = moment.position, moment.controls, moment.clock
        self._end, self._first_row = moment.end_time, moment.first_row
        self._acted, self._overrides = moment.acted, Overrides(self.actions, moment.overrides)
        self._resumed(moment.conditions)

    def set_history(self, rows: FloatArray) -> None:
        """Take over the rows of another history, before `set_state`; clock and model stay as they are.

        Parameters
        ----------
        rows : FloatArray, shape (k, n_columns)
            What `history_rows` returned.

        Raises
        ------
        StateError
            When the rows are not of this width.
        StorageError
            When the disk does not take them; the history is then as before.
        """
        width = len(self.stepper.history.columns)
        if rows.ndim != 2 or rows.shape[1] != width or not len(rows):
            raise StateError(f"rows of shape {rows.shape} are no history of {width} columns")
        self.stepper.history.replace(rows)

    def twin(self, *, apart: bool = False) -> Self:
        """Return a second simulation at its beginning, with a model of its own and the same boundary data.

        Parameters
        ----------
        apart : bool
            Whether the model must not work in this process; see `Model.twin`.
        """
        resources, actions, observation = self._parts
        return type(self)(resources, self.stepper.twin(apart=apart), actions, observation)

    def close(self) -> None:
        """Free the model and the history; safe to call again."""
        self._closed = True
        self.stepper.model.close()
        self.stepper.history.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start_values(self, values: dict[str, Any]) -> tuple[StartValues, dict[str, float]]:
        """Return checked values of parameters and of control inputs."""
        for name in values:
            if name in self.stepper.model.dimensions:
                raise InvalidValueError(
                    f"Invalid name {name} in parameter start_values. The sizes of arrays follow from it: it is set in "
                    f"testcase.toml, beside the FMU, in the table [fmu.structural].",
                    name,
                )
        mine = self.actions.position.keys() & values.keys()
        inputs = {name: values[name] for name in values if name in mine and values[name] is not None}
        controls = self.actions.parse(inputs, self._starts.controls0)
        others = {name: value for name, value in values.items() if name not in mine}
        chosen = {name: float(controls[self.actions.position[name]]) for name in inputs}
        return parse_start_values(others, self.parameters, self.name), chosen

    # -- for subclasses that know under which conditions a simulation runs --------------------------------------------

    def _conditions(self) -> Mapping[str, Any]:
        """Return what the simulation runs under, to be stored with its state; what JSON can hold."""
        return {}

    def _resumed(self, conditions: Mapping[str, Any] | None) -> None:
        """Take note that the rows of the history from the first one on are others: after an initialization, or of a
        stored state, whose conditions are the argument.
        """  # noqa: D205
