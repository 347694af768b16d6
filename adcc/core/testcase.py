"""The stateful test case: a plant at a time, moved on by a client step by step.

Every method answers what the route of its name answers, as a `Reply`, and raises an `AdccError` (with the HTTP status
that belongs to it) when it refuses or fails. After an error everything stands as before: clock, state, inputs, history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from adcc.core import state
from adcc.core.boundary import Disturbances, InitializationActions, read_initialization_actions, read_observation
from adcc.core.head import RequiredHead
from adcc.core.history import History
from adcc.core.model import FloatArray, Model
from adcc.core.numbers import INTERVAL, parse_input, parse_number, parse_step, parse_time, shown
from adcc.core.resources import Resources
from adcc.core.stepper import Stepper
from adcc.core.variables import Variable
from adcc.errors import InvalidValueError, ResourcesError, StateError


class Reply(NamedTuple):
    """What a route answers: HTTP status, message, payload."""

    status: int
    message: str
    payload: Any


class TestCase:
    """A session with a plant.

    From the beginning it stands at t = 0, as after ``initialize(0)``. All calls must come from one thread.

    Parameters
    ----------
    resources : Resources
        Name, version, step, latest end.
    stepper : Stepper
        The plant, its boundary data and its history.
    actions : InitializationActions or None
        None refuses to start at a time other than 0.
    observation : Mapping[str, float]
        Observation at t = 0: all outputs, and the control inputs it has.
    """

    __test__ = False  # the name makes pytest think that this is a test

    def __init__(
        self,
        resources: Resources,
        stepper: Stepper,
        actions: InitializationActions | None,
        observation: Mapping[str, float],
    ) -> None:
        self._resources = resources
        self.stepper = stepper
        self._actions = actions
        model = stepper.model
        self._controls = [model.inputs[i] for i in stepper.controlled]
        self._at_control = {variable.name: i for i, variable in enumerate(self._controls)}
        self._points = (*(v.name for v in model.outputs), *self._at_control)
        missing = [v.name for v in model.outputs if v.name not in observation]
        if missing:
            raise ResourcesError(f"{resources.initialization_observation.name} has no column {missing[0]}")
        self._observation0 = observation
        self._outputs0 = np.array([observation[v.name] for v in model.outputs])
        self._controls0 = np.array([observation.get(v.name, v.start or 0.0) for v in self._controls])
        self._step = resources.step
        self._end_time = resources.end_time
        self._controls_now = self._controls0
        self._origin = state.origin(resources, model)
        self._position = stepper.start(0.0, self._controls0, self._outputs0)

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
        from adcc.core.surrogate import load_chiller_power, load_head  # torch takes a second to import

        disturbances = Disturbances.read(resources.disturbances)
        if disturbances.interval != INTERVAL:
            raise ResourcesError(f"{resources.disturbances.name} must have a row every {INTERVAL} s")
        inputs, outputs = ([v.name for v in variables] for variables in (model.inputs, model.outputs))
        path = resources.chiller_power
        required_head = RequiredHead(
            inputs, outputs, load_head(resources.head), None if path is None else load_chiller_power(path)
        )
        path = resources.initialization_actions
        return cls(
            resources,
            Stepper(model, disturbances, required_head, History(directory, ["time", *inputs, *outputs])),
            None if path is None else read_initialization_actions(path),
            read_observation(resources.initialization_observation),
        )

    @property
    def time(self) -> float:
        """Clock [s]."""
        return self._position.time

    def get_version(self) -> Reply:
        """Answer ``GET /version``."""
        return Reply(200, "Queried the version number successfully.", {"version": self._resources.version})

    def get_name(self) -> Reply:
        """Answer ``GET /name``."""
        return Reply(200, "Queried the name of the test case successfully.", {"name": self._resources.name})

    def get_inputs(self) -> Reply:
        """Answer ``GET /inputs``: the control inputs and their metadata."""
        return Reply(200, "Queried the inputs successfully.", _metadata(self._controls))

    def get_measurements(self) -> Reply:
        """Answer ``GET /measurements``: the outputs and their metadata."""
        return Reply(200, "Queried the measurements successfully.", _metadata(self.stepper.model.outputs))

    def get_step(self) -> Reply:
        """Answer ``GET /step``: the control step [s]."""
        return Reply(200, "Queried the control step successfully.", _plain(self._step))

    def set_step(self, step: Any) -> Reply:
        """Answer ``PUT /step``.

        Parameters
        ----------
        step : float, int or str
            Control step [s], a positive multiple of 300.
        """
        self._step = parse_step(step)
        return Reply(200, "Control step set successfully.", {"step": _plain(self._step)})

    def initialize(self, start_time: Any, end_time: Any = None) -> Reply:
        """Answer ``PUT /initialize``.

        At 0 the observation of the test case is the answer. At a later time the 300 s before it are simulated with the
        action that the test case has for them.

        Parameters
        ----------
        start_time, end_time : float, int or str
            Multiples of 300 [s]. The end defaults to the latest of the test case.
        """
        start = parse_time(start_time, "start_time")
        latest = self._resources.end_time
        end = latest if end_time is None else parse_time(end_time, "end_time")
        if end <= start:
            raise InvalidValueError(
                f"Invalid value {end} for parameter end_time. Value must be greater than start_time.", "end_time"
            )
        if end > latest:
            raise InvalidValueError(
                f"Invalid value {end} for parameter end_time. Value must be less than or equal {_plain(latest)} "
                f"seconds, which represents the maximum end time that the environment can run.",
                "end_time",
            )
        if start == 0:
            controls = self._controls0
            self._position = self.stepper.start(start, controls, self._outputs0)
            message = "Simulation initialized successfully to 0s."
        else:
            controls = self._initialization_action(start)
            self._position = self.stepper.warm_up(start - INTERVAL, controls, self._outputs0)
            message = f"Simulation initialized successfully to {start}s with warmup period of {INTERVAL}s."
        self._controls_now = controls
        self._end_time = end
        return Reply(200, message, self._observation())

    def advance(self, u: Mapping[str, Any]) -> Reply:
        """Answer ``POST /advance``: simulate one control step.

        Parameters
        ----------
        u : Mapping[str, float or int or str or None]
            Control inputs; what is left out or None keeps its last value.
        """
        controls = self._parse(u)
        start = self._position.time
        end = start + self._step
        if end > self._end_time:
            raise InvalidValueError(
                f"Cannot advance from {start}s by a step of {self._step}s: the simulation ends at {self._end_time}s. "
                f"Initialize anew or choose a smaller step.",
                "step",
            )
        self._position = self.stepper.advance(self._position, controls, round(self._step / INTERVAL))
        self._controls_now = controls
        return Reply(200, f"Advanced simulation successfully from {start}s to {end}s.", self._observation())

    def get_results(self, point_names: Any, start_time: Any, final_time: Any) -> Reply:
        """Answer ``PUT /results``: trajectories of points, a value every 300 s.

        Parameters
        ----------
        point_names : sequence of str
            Outputs and inputs; ``time`` is always in the answer.
        start_time, final_time : float, int or str
            The window, both ends included [s].

        Returns
        -------
        Reply
            The payload maps each name, once, to an array.
        """
        if isinstance(point_names, str):
            point_names = [point_names]
        if not isinstance(point_names, Sequence) or not all(isinstance(name, str) for name in point_names):
            raise InvalidValueError(
                "Invalid value for parameter point_names. Value must be a list of names.", "point_names"
            )
        known = {*self.stepper.history.columns}
        for name in point_names:
            if name not in known:
                raise InvalidValueError(
                    f"Invalid point name {name} in parameter point_names. "
                    f"Check lists of available inputs and measurements.",
                    "point_names",
                )
        start, final = parse_number(start_time, "start_time"), parse_number(final_time, "final_time")
        if final < start:
            raise InvalidValueError(
                f"Invalid value {final} for parameter final_time. Value must not be less than start_time.", "final_time"
            )
        message = f"Queried results data successfully for point names {list(point_names)}."
        return Reply(200, message, self.stepper.history.window(point_names, start, final))

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
        return state.encode(
            state.State(
                mark=self.stepper.mark(),
                position=self._position,
                controls=self._controls_now,
                step=self._step,
                end_time=self._end_time,
            ),
            self._origin,
        )

    def restore(self, stored: bytes) -> None:
        """Go back to a state, in a new instance of the plant.

        The history must begin with the rows that it had then and is cut to them: in another test case, or where the
        session was initialized since, `set_history` comes first.

        Parameters
        ----------
        stored : bytes
            What `state` returned, here or in another process, for the same Resources.

        Raises
        ------
        StateError
            When the bytes are damaged, of another version or of other Resources, or the history is another one.
        ModelError, StorageError
            When it cannot be done. In any case everything stands as before.
        """
        then = state.decode(stored, self._origin)
        self.stepper.restore(then.mark, then.position)
        self._position, self._controls_now = then.position, then.controls
        self._step, self._end_time = then.step, then.end_time

    def history_rows(self, first: int = 0) -> FloatArray:
        """Return the rows of the history from one on, shape (k, n_columns): time, inputs, outputs; a copy."""
        return np.array(self.stepper.history.table()[first:])

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
        """Return a second test case at t = 0, with a plant of its own and the same boundary data.

        Raises
        ------
        ModelError
            When the plant cannot be had twice.
        """
        return TestCase(self._resources, self.stepper.twin(), self._actions, self._observation0)

    def close(self) -> None:
        """Free the plant and the history."""
        self.stepper.model.close()
        self.stepper.history.close()

    def _initialization_action(self, start: float) -> FloatArray:
        """Return the control inputs of the 300 s before a start."""
        if self._actions is None:
            raise InvalidValueError(
                f"Invalid value {start} for parameter start_time. This test case has no initialization actions, "
                f"so it can start at 0 only.",
                "start_time",
            )
        action = self._actions.at(start - INTERVAL)
        controls = self._controls0.copy()
        for name, i in self._at_control.items():
            controls[i] = action.get(name, controls[i])
        return controls

    def _parse(self, u: Mapping[str, Any]) -> FloatArray:
        """Return all control inputs: those of a request, the others as they were."""
        controls = self._controls_now.copy()
        for name, value in u.items():
            at = self._at_control.get(name)
            if at is None:
                raise InvalidValueError(f"Unexpected input variable: {shown(name)}.", name)
            if value is not None:
                controls[at] = parse_input(value, self._controls[at])
        return controls

    def _observation(self) -> dict[str, float]:
        """Return all outputs and control inputs by name."""
        values = (*self._position.outputs.tolist(), *self._controls_now.tolist())
        return dict(zip(self._points, values, strict=True))


def _metadata(variables: Sequence[Variable]) -> dict[str, Any]:
    return {variable.name: variable.metadata() for variable in variables}


def _plain(seconds: float) -> float | int:
    """Return a time as an integer where it is one, as the reference does before a step was set."""
    return int(seconds) if seconds.is_integer() else seconds
