"""The stateful test case: a plant at a time, moved on by a client step by step.

Every method answers what the route of its name answers, as a `Reply`, and raises a `TriviumError` (with the HTTP status
that belongs to it) when it refuses or fails. After an error everything stands as before: clock, state, inputs, history.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from trivium.control.rehearsal import Policy, rehearse
from trivium.errors import InvalidValueError, StateError
from trivium.evaluation.scenario import Scenario
from trivium.model.contract import FloatArray, Model
from trivium.simulation import many, state
from trivium.simulation.actions import Actions
from trivium.simulation.assembly import assemble, first_step
from trivium.simulation.history import History
from trivium.simulation.initialization import InitializationActions
from trivium.simulation.position import Position
from trivium.simulation.queries import Queries
from trivium.simulation.reply import Reply
from trivium.simulation.resources import Resources
from trivium.simulation.run import Run
from trivium.simulation.start import Starts, parse_start_values
from trivium.simulation.stepper import Stepper
from trivium.simulation.times import Clock, parse_step, parse_time, plain

__all__ = ["CHANGING", "Form", "Reply", "TestCase"]

#: How a step is asked for and answered; see `TestCase.advance`.
Form = Literal["trivium", "boptest", "many"]
#: Methods of `TestCase` that change it; all others only read.
CHANGING = frozenset({"initialize", "advance", "set_step", "set_scenario", "restore"})
_AT_THE_END = "End of test case scenario time period reached."


class TestCase(Queries):
    """A session with a plant.

    From the beginning it stands at t = 0, as after ``initialize(0)``; where the boundary data begins later, there. The
    plant is instantiated when that is first needed. All calls must come from one thread.

    Parameters
    ----------
    resources : Resources
        Name, version, step, latest end.
    stepper : Stepper
        The plant, its boundary data and its history.
    actions : InitializationActions or None
        See `Starts`.
    observation : Mapping[str, float] or None
        Observation at t = 0: all outputs, and the control inputs it has. None for the outputs of the plant itself.

    Raises
    ------
    TriviumError
        When the parts do not fit together.
    """

    __test__ = False  # the name makes pytest think that this is a test

    def __init__(
        self,
        resources: Resources,
        stepper: Stepper,
        actions: InitializationActions | None,
        observation: Mapping[str, float] | None,
    ) -> None:
        clients = Actions([stepper.model.inputs[i] for i in stepper.inputs.controlled])
        path = resources.initialization_observation
        starts = Starts(stepper, clients, actions, observation, "" if path is None else path.name)
        latest = math.inf if resources.end_time is None else resources.end_time
        clock = Clock(starts.earliest, first_step(resources, stepper, starts.grid))
        super().__init__(resources, Run(stepper, starts.first, starts.controls0, clock, latest), clients)
        self._starts = starts
        self._latest = latest
        self._points = (*(v.name for v in stepper.model.outputs), *clients.position)
        self._initialization, self._observation0 = actions, observation
        self._origin = state.origin(resources, stepper.model)

    @classmethod
    def open(cls, resources: Resources, model: Model, directory: Path) -> TestCase:
        """Put a test case together.

        Parameters
        ----------
        resources : Resources
        model : Model
            The plant; belongs to the test case from now on.
        directory : Path
            For the history.

        Raises
        ------
        ResourcesError
            When a file is wrong or does not fit the plant.
        StorageError
            When the directory cannot be written.
        """
        history = new_history(model, directory)
        try:
            return cls(resources, *assemble(resources, model, history))
        except BaseException:
            history.close()
            model.close()
            raise

    def observation(self) -> dict[str, float | str]:
        """Return all outputs and control inputs as they are now, by name.

        Raises
        ------
        TriviumError
            When the plant cannot be begun.
        """
        return self._observed(self._run.begin(), self._run.controls)

    def set_step(self, step: Any) -> Reply:
        """Answer ``PUT /step``.

        Parameters
        ----------
        step : float, int or str
            Control step [s], positive; a multiple of the interval where the test case has a grid of time.
        """
        run = self._run
        run.clock = run.clock.with_step(parse_step(step, self._starts.grid))
        return Reply(200, "Control step set successfully.", {"step": plain(run.clock.step)})

    def initialize(
        self, start_time: Any, end_time: Any = None, warmup_period: Any = None, start_values: Any = None
    ) -> Reply:
        """Answer ``PUT /initialize``.

        At 0 the observation of the test case is the answer. At a later time the time before it is simulated with the
        actions that the test case has for it, which is done once: a state that was reached before is restored. A test
        case without them begins anywhere, with the outputs of the plant after its initialization.

        Parameters
        ----------
        start_time, end_time : float, int or str
            Times [s], multiples of the interval where the test case has a grid of time. The end defaults to the latest
            of the test case.
        warmup_period : float, int or str, optional
            How long before the start the simulation begins [s], never before 0; with a grid of time at least an
            interval. With it the answer is that of BOPTEST's route.
        start_values : Mapping[str, float or int or bool or str], optional
            Parameters and start values of the plant; see `get_parameters`.
        """
        grid, latest = self._starts.grid, self._latest
        start = parse_time(start_time, "start_time", grid)
        warmup = None if warmup_period is None else parse_time(warmup_period, "warmup_period", grid)
        end = latest if end_time is None else parse_time(end_time, "end_time", grid)
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
        chosen = parse_start_values(start_values, self._parameters)
        begun = self._starts.begin(start, warmup, chosen, self._run.clock.step)
        self._run.restart(begun.position, begun.controls, end)
        self.evaluation.resume(self._run.first_row, replace(self.evaluation.scenario, time_period=None))
        observed = self._observed(begun.position, begun.controls)
        if warmup is not None:
            message = (
                f"Test simulation initialized successfully to {start}s with warmup period of "
                f"{max(warmup, begun.warmup)}s."
            )
            return Reply(200, message, {"time": self.time, **observed})
        message = f"Simulation initialized successfully to {start if start else 0}s"
        if begun.warmup:
            message += f" with warmup period of {plain(begun.warmup)}s"
        return Reply(200, f"{message}.", observed)

    def set_scenario(self, given: Mapping[str, Any]) -> Reply:
        """Answer ``PUT /scenario``; with a time period, also what `initialize` to its start answers.

        Parameters
        ----------
        given : Mapping[str, str or int or None]
            Parts of `trivium.evaluation.scenario.Scenario`; None keeps what is.
        """
        chosen, said = self.evaluation.choose(given)
        if given.get("time_period") is not None:
            period = self.evaluation.periods[said["time_period"]]
            said["time_period"] = self.initialize(period.start, period.end, period.warmup).payload
        self.evaluation.resume(self._run.first_row, chosen)
        return Reply(200, "Test case scenario was set successfully.", said)

    def rehearse(self, policy: Policy, steps: int) -> FloatArray:
        """Simulate on under a policy, then come back to now; see `trivium.control.rehearsal`."""
        return rehearse(self._run, self.evaluation, self.actions, self._observed, policy, steps)

    def advance(self, u: Mapping[str, Any], form: Form = "trivium") -> Reply:
        """Answer ``POST /advance`` and ``POST /steps``: simulate on.

        Parameters
        ----------
        u : Mapping[str, float or int or str or None]
            Control inputs; what is left out or None keeps its last value. For many steps the request; see
            `trivium.simulation.many.Request`.
        form : {"trivium", "boptest", "many"}
            ``trivium``: one control step; inputs out of bounds are refused, and so is a step past the end. ``boptest``:
            inputs out of bounds are clamped with a warning, the last step is cut to the end, at the end nothing is
            done. ``many``: many control steps.
        """
        self.evaluation.step_begins()
        if form == "many":
            controls, names, atomic = self._many(u)
            return many.advance(self._run, controls, names, atomic=atomic)
        start = self.time
        controls, clock, warnings = self._one_step(u, form)
        if clock is None:
            return Reply(200, _AT_THE_END, {})
        self._run.advance(controls, clock)
        reply = self._stepped(start, self._run.begin(), controls[0], form, warnings)
        self.evaluation.step_ends(clock.step)
        return reply

    def look_ahead(self, u: Mapping[str, Any], form: Form = "trivium") -> Reply:
        """Answer what `advance` would answer, and stay here: the plant is brought back, nothing else is touched.

        Raises
        ------
        TriviumError
            What `advance` would raise.
        """
        if form == "many":
            controls, names, atomic = self._many(u)
            return many.look_ahead(self._run, controls, names, atomic=atomic)
        controls, clock, warnings = self._one_step(u, form)
        if clock is None:
            return Reply(200, _AT_THE_END, {})
        position, _, error = self.stepper.look_ahead(self._run.begin(), controls, clock.times(1))
        if error is not None:
            raise error
        return self._stepped(self.time, position, controls[0], form, warnings)

    def _one_step(self, u: Mapping[str, Any], form: Form) -> tuple[FloatArray, Clock | None, str]:
        """Return the control inputs of a step, shape (1, n_controls), its clock (None at the end) and warnings."""
        run = self._run
        if form == "boptest":
            controls, warnings = self.actions.clamp(u, run.controls)
            return controls[np.newaxis], run.coming(), warnings
        controls = self.actions.parse(u, run.controls)
        run.require_end(1)
        return controls[np.newaxis], run.clock, ""

    def _stepped(self, start: float, now: Position, controls: FloatArray, form: Form, warnings: str) -> Reply:
        message = warnings or f"Advanced simulation successfully from {start}s to {now.time}s."
        clock = {"time": now.time} if form == "boptest" else {}
        return Reply(200, message, {**clock, **self._observed(now, controls)})

    def _many(self, u: Mapping[str, Any]) -> tuple[FloatArray, Sequence[str], bool]:
        """Return the control inputs of every step, the points that are wanted, and whether all or none is asked."""
        request = many.Request.parse(u)
        most = many.most_steps(self._latest, self._starts.grid or self._run.clock.step)
        controls = request.controls(self.actions, self._run.controls, most)
        names = self._points if request.point_names is None else self._checked(request.point_names)
        return controls, names, request.atomic

    @property
    def can_restore(self) -> bool:
        """Whether states hold the plant itself; otherwise `restore` simulates the rows of the history again."""
        return self.stepper.model.can_snapshot

    def state(self) -> bytes:
        """Return all that `restore` needs to come back to now, but for the rows of the history.

        Raises
        ------
        ModelError
            When the plant cannot be brought back to where it stood, or fails.
        """
        return state.encode(self._run.state(self.evaluation.scenario.as_dict()), self._origin)

    def restore(self, stored: bytes, rows: FloatArray | None = None) -> None:
        """Go back to a state, in a new instance of the plant.

        The history must begin with the rows that it had then and is cut to them: in another test case, or where the
        session was initialized since, they are given, here or before to `set_history`.

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
            When it cannot be done. In any case everything stands as before.
        """
        then = state.decode(stored, self._origin)
        self._run.restore(then, rows)
        self.evaluation.resume(then.first_row, Scenario(**then.scenario))

    def history_rows(self, first: int = 0) -> FloatArray:
        """Return the rows of the history from one on, shape (k, n_columns): time, inputs, outputs; a copy."""
        self._run.begin()
        return np.array(self.stepper.history.rows(first))

    def set_history(self, rows: FloatArray) -> None:
        """Take over the rows of another history, before `restore`; clock and plant stay as they are.

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

    def twin(self) -> TestCase:
        """Return a second test case where a new one stands, with a plant of its own and the same boundary data.

        Raises
        ------
        ModelError
            When the plant cannot be had twice.
        """
        return TestCase(self._resources, self.stepper.twin(), self._initialization, self._observation0)

    def close(self) -> None:
        """Free the plant and the history."""
        self.stepper.model.close()
        self.stepper.history.close()

    def _observed(self, position: Position, controls: FloatArray) -> dict[str, float | str]:
        """Return all outputs and control inputs by name."""
        numbers = dict(zip(self._points, (*position.outputs.tolist(), *controls.tolist()), strict=True))
        return {**numbers, **position.texts} if position.texts else numbers


def new_history(model: Model, directory: Path) -> History:
    """Return an empty history for a model: time, inputs, outputs.

    Raises
    ------
    StorageError
        When the directory cannot be written.
    """
    return History(directory, ["time", *(variable.name for variable in (*model.inputs, *model.outputs))])
