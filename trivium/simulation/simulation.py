"""The simulation: a model at a time, simulated on step by step.

Plain values in, plain values or a `TriviumError` out. After an error everything is as before: clock, state, inputs,
history.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from trivium.arguments import by_name
from trivium.errors import EndedError, InvalidValueError, ModelError, TriviumError, UnknownNameError
from trivium.model.contract import FloatArray, Model, StartValues
from trivium.model.linearization import Linearization, LinearKind
from trivium.numbers import parse_flag, whole
from trivium.protocol import Advanced, Clamp, Clamped, Columns, Steps, Trajectory, Value
from trivium.simulation.assembly import assemble
from trivium.simulation.foresight import look_ahead
from trivium.simulation.history import History
from trivium.simulation.linear import PERTURBATION, response_steps, share_of_scale
from trivium.simulation.moments import Moments
from trivium.simulation.resources import Resources
from trivium.simulation.start import parse_start_values
from trivium.simulation.state import Position
from trivium.simulation.times import Clock, difference

#: Most control steps of one call, however far the end is.
MOST = 1_000_000
#: How many control steps are one transaction, where those before a failure are kept.
BLOCK = 64


class Simulation(Moments):
    """A model over interactive time.

    It begins at t = 0, as after ``initialize(0)``; where the boundary data begins later, there. The model is
    instantiated when that is first needed. All calls must come from one thread. As a context manager it closes itself
    at the end.

    Parameters
    ----------
    resources : Resources
        Name, version, step, latest end.
    stepper : Stepper
        The model, its boundary data and its history; belongs to the simulation from now on.
    actions : InitializationActions or None
        See `Starts`.
    observation : Mapping[str, float] or None
        Observation at t = 0: all outputs, and the control inputs it has. None for the outputs of the model itself.

    Raises
    ------
    TriviumError
        When the parts do not fit together.
    """

    @classmethod
    def open(cls, resources: Resources, model: Model, directory: Path) -> Self:
        """Put a simulation together.

        Parameters
        ----------
        resources : Resources
        model : Model
            Belongs to the simulation from now on.
        directory : Path
            For the history.

        Raises
        ------
        ResourcesError
            When a file is wrong or does not fit the model.
        StorageError
            When the directory cannot be written.
        """
        try:
            history = History(directory, ["time", *(variable.name for variable in (*model.inputs, *model.outputs))])
        except BaseException:
            model.close()
            raise
        try:
            return cls(resources, *assemble(resources, model, history))
        except BaseException:
            history.close()
            model.close()
            raise

    @property
    def time(self) -> float:
        """Clock [s]."""
        return self._clock.time

    def advance(self, inputs: Mapping[str, Any] | None = None, steps: int = 1, *, clamp: Clamp = False) -> Advanced:
        """Simulate on, all steps or none.

        Parameters
        ----------
        inputs : Mapping[str, float or int or str or None], optional
            Inputs, held over all steps; tunable parameters and texts, which change before the first one. What is left
            out or None keeps its value.
        steps : int
            How many control steps.
        clamp : bool or "inputs"
            Bring inputs out of their bounds back to them, which the return value reports, and cut the steps to the end,
            also where the model ends the simulation itself; at the end nothing is done. With ``"inputs"`` the former
            only. Otherwise both are refused.

        Returns
        -------
        Advanced
            All outputs and inputs by name, at the end; empty where nothing was done.

        Raises
        ------
        InvalidValueError
            Naming the input that does not exist or is out of its bounds; at the end of the simulation.
        EndedError
            When the model ends the simulation itself.
        ModelError
            When the model fails.
        """
        controls, changes, clamped, times = self._coming(inputs, steps, clamp)
        if len(times) == 1:
            return Advanced({}, times[0], times[0], steps=0)
        held = np.repeat(controls[np.newaxis], len(times) - 1, axis=0)
        try:
            position, _ = self._take(held, times, changes)
        except EndedError:
            if clamp is not True:
                raise
            rows, _ = self._advance_while_possible(held[: int(min(self._steps_left(), len(held)))], changes)
            if not len(rows):
                return Advanced({}, times[0], times[0], steps=0)
            return Advanced(self._observed(self._current(), self._acted), self.time, times[0], clamped, len(rows))
        return Advanced(self._observed(position, self._acted), position.time, times[0], clamped, len(times) - 1)

    def advance_many(
        self,
        steps: int | None = None,
        *,
        action: Mapping[str, Value] | None = None,
        trajectory: Trajectory | None = None,
        point_names: Sequence[str] | None = None,
        atomic: bool = True,
    ) -> Steps:
        """Simulate many control steps.

        Parameters
        ----------
        steps : int, optional
            How many; default: the length of the trajectory, or 1.
        action : Mapping[str, float or int or str or None], optional
            Held over all steps, where the trajectory has no value.
        trajectory : optional
            See `Actions.trajectory`; its last action is held where there are more steps.
        point_names : sequence of str, optional
            What is returned; default: all outputs and control inputs.
        atomic : bool
            All steps or none; otherwise up to the first that fails.

        Raises
        ------
        TriviumError
            When nothing was done.
        """
        controls, changes, names = self._planned(steps, action, trajectory, point_names, atomic)
        start, error = self._clock.time, None
        if atomic:
            _, ends = self._take(controls, self._times(len(controls)), changes)
        else:
            ends, error = self._advance_while_possible(controls, changes)
        return self._stepped(ends, names, start, len(controls), error)

    def look_ahead(self, inputs: Mapping[str, Any] | None = None, *, clamp: Clamp = False) -> Advanced:
        """Return what `advance` would return after one step, and stay; parameters and errors as there."""
        controls, changes, clamped, times = self._coming(inputs, 1, clamp)
        if len(times) == 1:
            return Advanced({}, times[0], times[0], steps=0)
        acting = self._overrides.applied(controls[np.newaxis], times)
        position, _, error = look_ahead(self.stepper, self._current(), acting, times, changes)
        if error is not None:
            raise error
        return Advanced(self._observed(position, acting[0]), position.time, times[0], clamped)

    def look_ahead_many(
        self,
        steps: int | None = None,
        *,
        action: Mapping[str, Value] | None = None,
        trajectory: Trajectory | None = None,
        point_names: Sequence[str] | None = None,
        atomic: bool = True,
    ) -> Steps:
        """Return what `advance_many` would return, and stay; parameters and errors as there."""
        controls, changes, names = self._planned(steps, action, trajectory, point_names, atomic)
        count = len(controls)
        if atomic:
            self._times(count)
        within = controls[: int(min(self._steps_left(), count))]
        times = self._clock.times(len(within))
        acting = self._overrides.applied(within, times)
        _, ends, error = look_ahead(self.stepper, self._current(), acting, times, changes)
        if error is None and len(within) < count:
            error = self._past_the_end(self._clock.after(len(within)), 1)
        if error is not None and atomic:
            raise error
        return self._stepped(ends, names, self._clock.time, count, error)

    def linearize(
        self,
        kind: LinearKind | None = None,
        *,
        action: Mapping[str, Value] | None = None,
        input_names: Sequence[str] | None = None,
        point_names: Sequence[str] | None = None,
        steps: int | None = None,
        perturbation: float = PERTURBATION,
    ) -> Linearization:
        """Return a linear model about now, and stay.

        Parameters
        ----------
        kind : {"continuous", "discrete"}, optional
            Jacobians of the model's equations, or the map over one control step; see
            `trivium.model.linearization`. Default: the former where the model gives derivatives or its equations.
        action : Mapping[str, float or int or str or None], optional
            Control inputs about which; what is left out or None keeps its value.
        input_names : sequence of str, optional
            Real inputs of the model, whether `advance` takes them or the boundary data drives them (then they are
            disturbances); default: all.
        point_names : sequence of str, optional
            Real outputs of the model; default: all measurements.
        steps : int, optional
            Of the discrete kind: for how many control steps responses are simulated, at least 3; default: 12, fewer
            where the simulation ends before.
        perturbation : float
            Of the discrete kind: height of the pulses to either side, as a share [1] of the scale of each input: its
            nominal value, else the width of its bounds, else 10 K, else its size.

        Raises
        ------
        InvalidValueError
            Naming what does not exist, has no derivative or is out of its bounds.
        ModelError
            When the model fails.
        """
        chosen, share = self._linearizer.kind(kind), share_of_scale(perturbation)
        selection = self._linearizer.selection(input_names, point_names)
        position = self._current()
        controls, changes, _ = self._planned(1, action, None, None, True)
        controls = self._overrides.applied(controls, self._clock.times(1))
        if chosen == "continuous" or (chosen is None and self.stepper.model.can_differentiate):
            try:
                return self._linearizer.continuous(position, controls[0], changes, selection)
            except ModelError:  # some FMUs promise derivatives that they refuse to give
                if chosen is not None:
                    raise
        times = self._times(response_steps(steps, self._steps_left()))
        return self._linearizer.discrete(position, controls[0], changes, times, selection, share)

    def _current(self) -> Position:
        """Begin, where that was not done; return the present position."""
        if self._position is None or self._closed:
            self._require_open()
            beginning = self._starts.first(self._clock.step)
            self._position, self._first_row = beginning.position, len(self.stepper.history) - 1
            if self._first_row:  # there was a warm-up
                self._resumed(self._conditions())
        return self._position

    def _observed(self, position: Position, controls: FloatArray) -> dict[str, Any]:
        measured = position.outputs[: self.stepper.model.n_measured].tolist()
        numbers = dict(zip(self._points.observed, (*measured, *controls.tolist()), strict=True))
        for name, output in self._acting.items():
            numbers[name] = numbers.pop(output)
        return {**numbers, **position.texts} if position.texts else numbers

    def _coming(
        self, inputs: Mapping[str, Any] | None, steps: int, clamp: Clamp
    ) -> tuple[FloatArray, StartValues, list[Clamped], list[float]]:
        """Return control inputs, shape (n_controls,), changes of parameters and texts, the inputs that were clamped,
        and the clock now and at the end of each coming step [s].
        """  # noqa: D205
        values, changes = self._split(inputs, "inputs")
        count = 1 if steps == 1 else whole(steps, "steps")
        try:
            if not clamp:
                return self.actions.parse(values, self._controls), changes, [], self._times(count)
            controls, clamped = self.actions.clamp(values, self._controls, cut=clamp == "inputs")
        except UnknownNameError as error:
            raise self._explained(error) from None
        if clamp == "inputs":
            return controls, changes, clamped, self._times(count)
        left = self._steps_left()
        times = self._clock.times(int(min(count, left)))
        if left < count and difference(self._end, times[-1]) > 1e-9 * self._clock.step:
            times.append(self._end)
        return controls, changes, clamped, times

    def _split(self, action: Any, field: str) -> tuple[Mapping[str, Any], StartValues]:
        """Return the control inputs among the values of an action, and checked changes of parameters and texts."""
        values = action if type(action) is dict else by_name(action, field, '{"u": 1.0}')
        if self._tunable.keys().isdisjoint(values):
            return values, {}
        changes = {name: values[name] for name in values if name in self._tunable}
        others = {name: value for name, value in values.items() if name not in self._tunable}
        return others, parse_start_values(changes, self._tunable, self.name)

    def _explained(self, error: UnknownNameError) -> InvalidValueError:
        """Return the refusal of a name that is no control input, with a better reason where it is another variable."""
        name = error.name
        if name in self._tunable:
            reason = "It changes at the beginning of a request: give it in the action, not in a trajectory"
        elif any(v.name == name for v in self.stepper.model.parameters):
            reason = "It is fixed during a run: start_values of an initialization set it"
        elif any(v.name == name for v in self.stepper.model.inputs):
            reason = "The test case itself gives this input its values"
        else:
            return error
        return InvalidValueError(f"Unexpected input variable: {name}. {reason}.", error.field)

    def _times(self, count: int) -> list[float]:
        """Return the clock now and after each coming step [s]; refuse steps beyond the end."""
        if (self._end - self._clock.time) / self._clock.step + 1e-9 < count:
            raise self._past_the_end(self._clock, count)
        return self._clock.times(count)

    def _steps_left(self) -> float:
        """Return how many control steps there are until the end."""
        left = (self._end - self._clock.time) / self._clock.step
        return left if math.isinf(left) else math.floor(left + 1e-9)

    def _past_the_end(self, clock: Clock, count: int) -> InvalidValueError:
        """Return the refusal of control steps from a clock on."""
        length = difference(clock.times(count)[-1], clock.time)
        return InvalidValueError(
            f"Cannot advance from {clock.time}s by a step of {length}s: the simulation ends at {self._end}s. "
            f"Initialize anew or choose a smaller step.",
            "step",
        )

    def _planned(
        self, steps: Any, action: Any, trajectory: Any, point_names: Any, atomic: Any
    ) -> tuple[FloatArray, StartValues, Sequence[str]]:
        """Return the control inputs of every step, shape (n_steps, n_controls), changes before the first, and the
        points to be returned.
        """  # noqa: D205
        parse_flag(atomic, "atomic")
        held_inputs, changes = self._split(action, "action")
        least = 1
        try:
            controls = self.actions.parse(held_inputs, self._controls)[np.newaxis]
            if trajectory is not None:
                controls = self.actions.trajectory(trajectory, controls[0])
                least = len(controls)
        except UnknownNameError as error:
            raise self._explained(error) from None
        count = least if steps is None else whole(steps, "steps")
        limit = int(min(self._latest / min(self._clock.step, self.interval or math.inf) + 1e-9, MOST))
        if not least <= count <= limit:
            raise InvalidValueError(
                f"Invalid value {count} for parameter steps. Value must be from {least} to {limit}.", "steps"
            )
        held = np.repeat(controls[-1:], count - len(controls), axis=0)
        return np.concatenate((controls, held)), changes, self._points.checked(point_names)

    def _stepped(
        self, ends: FloatArray, names: Sequence[str], start: float, requested: int, error: TriviumError | None
    ) -> Steps:
        """Return the outcome of many steps from the rows at their ends; raise the error where none was done."""
        if error is not None and not len(ends):
            raise error
        columns = self._points.ends(names, ends)
        return Steps(start, float(ends[-1, 0]), len(ends), requested, Columns(columns), error)

    def _take(self, controls: FloatArray, times: Sequence[float], changes: StartValues) -> tuple[Position, FloatArray]:
        """Simulate control steps, all or none; return the position and the rows of the history at their ends."""
        acting = self._overrides.applied(controls, times)
        try:
            position, ends = self.stepper.advance(self._current(), acting, times, changes)
        except EndedError as error:
            raise EndedError(
                f"{self.name} ends the simulation before {times[-1]}s: {error}. It stands at {self._clock.time}s. "
                f"Initialize it anew or choose a smaller step."
            ) from error
        self._position, self._controls, after = position, controls[-1].copy(), self._clock.after(len(controls))
        self._acted = acting[-1].copy() if acting is not controls else self._controls
        self._clock = after if position.time == after.time else Clock(position.time, self._clock.step)
        return position, ends

    def _advance_while_possible(
        self, controls: FloatArray, changes: StartValues
    ) -> tuple[FloatArray, TriviumError | None]:
        """Simulate control steps up to the first that fails; return the rows at their ends, and why the next failed.

        Blocks of steps are simulated as one, which spares all that a transaction costs; the steps of a block that fails
        are done singly.
        """
        rows = [np.empty((0, len(self.stepper.history.columns)))]
        for first in range(0, len(controls), BLOCK):
            block = controls[first : first + BLOCK]
            try:
                rows.append(self._take(block, self._times(len(block)), changes)[1])
            except TriviumError:
                for action in block:
                    try:
                        rows.append(self._take(action[np.newaxis], self._times(1), changes)[1])
                    except TriviumError as error:
                        return np.concatenate(rows), error
                    changes = {}
            changes = {}
        return np.concatenate(rows), None
