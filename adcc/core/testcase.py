"""The stateful test case: a plant at a time, moved on by a client step by step.

Every method answers what the route of its name answers, as a `Reply`, and raises an `AdccError` (with the HTTP status
that belongs to it) when it refuses or fails. After an error everything stands as before: clock, state, inputs, history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from adcc.core import boptest, many, state
from adcc.core.actions import Actions
from adcc.core.boundary import Disturbances, InitializationActions, read_initialization_actions, read_observation
from adcc.core.head import RequiredHead
from adcc.core.history import History
from adcc.core.many import Request
from adcc.core.model import FloatArray, Model
from adcc.core.numbers import INTERVAL, parse_number, parse_step, parse_time
from adcc.core.reply import Reply
from adcc.core.resources import Resources
from adcc.core.stepper import Position, Stepper
from adcc.core.variables import Variable
from adcc.core.warm import WarmStarts
from adcc.errors import AdccError, InvalidValueError, ResourcesError, StateError

__all__ = ["CHANGING", "Form", "Reply", "TestCase"]

#: How a step is asked for and answered; see `TestCase.advance`.
Form = Literal["adcc", "boptest", "many"]
#: Methods of `TestCase` that change it; all others only read.
CHANGING = frozenset({"initialize", "advance", "set_step", "set_scenario", "restore"})


_AT_THE_END = "End of test case scenario time period reached."


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
        self.actions = Actions([model.inputs[i] for i in stepper.controlled])
        self._points = (*(v.name for v in model.outputs), *self.actions.position)
        missing = [v.name for v in model.outputs if v.name not in observation]
        if missing:
            raise ResourcesError(f"{resources.initialization_observation.name} has no column {missing[0]}")
        self._observation0 = observation
        self._outputs0 = np.array([observation[v.name] for v in model.outputs])
        self._controls0 = np.array([observation.get(v.name, v.start or 0.0) for v in self.actions.variables])
        self._step = resources.step
        self._end_time = resources.end_time
        self._controls_now = self._controls0
        self._warm = WarmStarts(stepper)
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
        return Reply(200, "Queried the inputs successfully.", _metadata(self.actions.variables))

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

    def initialize(self, start_time: Any, end_time: Any = None, warmup_period: Any = None) -> Reply:
        """Answer ``PUT /initialize``.

        At 0 the observation of the test case is the answer. At a later time the time before it is simulated with the
        actions that the test case has for it, which is done once: a state that was reached before is restored.

        Parameters
        ----------
        start_time, end_time : float, int or str
            Multiples of 300 [s]. The end defaults to the latest of the test case.
        warmup_period : float, int or str, optional
            How long before the start the simulation begins [s], a multiple of 300; at least 300 and never before 0.
            With it the answer is that of BOPTEST's route.
        """
        start = parse_time(start_time, "start_time")
        warmup = float(INTERVAL) if warmup_period is None else parse_time(warmup_period, "warmup_period")
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
            warmup = max(warmup, float(INTERVAL))
            self._position, controls = self._warm.start(start, min(warmup, start), self._cold_start)
            message = f"Simulation initialized successfully to {start}s with warmup period of {INTERVAL}s."
        self._controls_now = controls
        self._end_time = end
        if warmup_period is None:
            return Reply(200, message, self._observation())
        message = f"Test simulation initialized successfully to {start}s with warmup period of {warmup}s."
        return Reply(200, message, {"time": self.time, **self._observation()})

    def advance(self, u: Mapping[str, Any], form: Form = "adcc") -> Reply:
        """Answer ``POST /advance`` and ``POST /steps``: simulate on.

        Parameters
        ----------
        u : Mapping[str, float or int or str or None]
            Control inputs; what is left out or None keeps its last value. For many steps the request; see
            `adcc.core.many.Request`.
        form : {"adcc", "boptest", "many"}
            ``adcc``: one control step; inputs out of bounds are refused, and so is a step past the end. ``boptest``:
            inputs out of bounds are clamped with a warning, the last step is cut to the end, at the end nothing is
            done. ``many``: many control steps.
        """
        if form == "many":
            return self._advance_many(Request.parse(u))
        controls, step, warnings = self._one_step(u, form)
        start = self._position.time
        if step == 0:
            return Reply(200, _AT_THE_END, {})
        self._go_on(controls, step)
        return self._stepped(start, self._position, controls, form, warnings)

    def look_ahead(self, u: Mapping[str, Any], form: Form = "adcc") -> Reply:
        """Answer what `advance` would answer, and stay here: the plant is brought back, nothing else is touched.

        Raises
        ------
        AdccError
            What `advance` would raise.
        """
        if form == "many":
            return self._look_ahead_many(Request.parse(u))
        controls, step, warnings = self._one_step(u, form)
        start = self._position.time
        if step == 0:
            return Reply(200, _AT_THE_END, {})
        position, _, error = self.stepper.look_ahead(self._position, controls[np.newaxis], round(step / INTERVAL))
        if error is not None:
            raise error
        return self._stepped(start, position, controls, form, warnings)

    def _one_step(self, u: Mapping[str, Any], form: Form) -> tuple[FloatArray, float, str]:
        """Return the control inputs of a step, its length [s] (0 at the end) and warnings."""
        start = self._position.time
        if form == "boptest":
            controls, warnings = self.actions.clamp(u, self._controls_now)
            return controls, min(self._step, self._end_time - start), warnings
        controls = self.actions.parse(u, self._controls_now)
        self._require_end(start, self._step)
        return controls, self._step, ""

    def _stepped(self, start: float, now: Position, controls: FloatArray, form: Form, warnings: str) -> Reply:
        message = warnings or f"Advanced simulation successfully from {start}s to {now.time}s."
        clock = {"time": now.time} if form == "boptest" else {}
        return Reply(200, message, {**clock, **self._observed(now.outputs, controls)})

    def _advance_many(self, request: Request) -> Reply:
        """Simulate many control steps: all or none, or up to the first that fails."""
        controls, names = self._asked(request)
        start, count = self._position.time, round(self._step / INTERVAL)
        error: AdccError | None = None
        if request.atomic:
            self._require_end(start, self._step * len(controls))
            rows = self._go_on(controls, self._step)
        else:
            rows, error = self._up_to_the_first_failure(controls)
        return many.answer(rows[count - 1 :: count], names, self.stepper.history.columns, start, len(controls), error)

    def _look_ahead_many(self, request: Request) -> Reply:
        controls, names = self._asked(request)
        start, count = self._position.time, round(self._step / INTERVAL)
        within = int((self._end_time - start) // self._step)
        if request.atomic:
            self._require_end(start, self._step * len(controls))
        position, rows, error = self.stepper.look_ahead(self._position, controls[:within], count)
        if error is None and within < len(controls):
            error = self._past_the_end(position.time, self._step)
        if error is not None and request.atomic:
            raise error
        return many.answer(rows[count - 1 :: count], names, self.stepper.history.columns, start, len(controls), error)

    def get_forecast_points(self) -> Reply:
        """Answer ``GET /forecast_points``: the boundary data that can be asked ahead, and their metadata."""
        known = {variable.name: variable for variable in self.stepper.model.inputs}
        points = _metadata([known[name] for name in self.stepper.disturbances.names])
        return Reply(200, "Queried the forecast points and their meta-data successfully.", points)

    def get_forecast(self, point_names: Any, horizon: Any, interval: Any) -> Reply:
        """Answer ``PUT /forecast``; see `adcc.core.boptest.forecast`."""
        ahead = boptest.forecast(self.stepper.disturbances, self.time, point_names, horizon, interval)
        return Reply(200, "Queried the forecast data successfully.", ahead)

    def get_kpis(self) -> Reply:
        """Answer ``GET /kpi``: the key figures, None where the test case does not define one."""
        return Reply(200, "Queried KPIs successfully.", dict.fromkeys(boptest.KPIS))

    def get_scenario(self) -> Reply:
        """Answer ``GET /scenario``."""
        return Reply(200, "Queried current test case for scenario successfully.", dict.fromkeys(boptest.SCENARIO))

    def set_scenario(self, given: Mapping[str, Any]) -> Reply:
        """Answer ``PUT /scenario``: what the test case does not define is refused."""
        return Reply(200, "Test case scenario was set successfully.", boptest.scenario(given))

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
        point_names = self._checked(point_names)
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
        self.stepper.restore(then.mark, then.position, rows)
        self._position, self._controls_now = then.position, then.controls
        self._step, self._end_time = then.step, then.end_time

    def history_rows(self, first: int = 0) -> FloatArray:
        """Return the rows of the history from one on, shape (k, n_columns): time, inputs, outputs; a copy."""
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

    def _cold_start(self, start: float, warmup: float) -> tuple[Position, FloatArray]:
        """Simulate up to a start; return where that leads and the last control inputs."""
        times = np.arange(start - warmup, start, INTERVAL)
        controls = np.array([self._initialization_action(float(time)) for time in times])
        return self.stepper.warm_up(float(times[0]), controls, self._outputs0), controls[-1].copy()

    def _initialization_action(self, time: float) -> FloatArray:
        """Return the control inputs of the 300 s from a time on."""
        if self._actions is None:
            raise InvalidValueError(
                f"Invalid value {time + INTERVAL} for parameter start_time. This test case has no initialization "
                f"actions, so it can start at 0 only.",
                "start_time",
            )
        action = self._actions.at(time)
        controls = self._controls0.copy()
        for name, i in self.actions.position.items():
            controls[i] = action.get(name, controls[i])
        return controls

    def _asked(self, request: Request) -> tuple[FloatArray, Sequence[str]]:
        """Return the control inputs of every step, shape (n_steps, n_controls), and the points that are wanted."""
        controls = request.controls(self.actions, self._controls_now, int(self._resources.end_time // INTERVAL))
        return controls, self._points if request.point_names is None else self._checked(request.point_names)

    def _require_end(self, start: float, duration: float) -> None:
        if start + duration > self._end_time:
            raise self._past_the_end(start, duration)

    def _past_the_end(self, start: float, duration: float) -> InvalidValueError:
        return InvalidValueError(
            f"Cannot advance from {start}s by a step of {duration}s: the simulation ends at {self._end_time}s. "
            f"Initialize anew or choose a smaller step.",
            "step",
        )

    def _go_on(self, controls: FloatArray, step: float) -> FloatArray:
        """Simulate control steps, all or none; return their rows."""
        controls = np.atleast_2d(controls)
        self._position, rows = self.stepper.advance(self._position, controls, round(step / INTERVAL))
        self._controls_now = controls[-1].copy()
        return rows

    def _up_to_the_first_failure(self, controls: FloatArray) -> tuple[FloatArray, AdccError | None]:
        """Simulate control steps until one fails; return the rows and why."""
        taken = [np.empty((0, len(self.stepper.history.columns)))]
        for controls_of_step in controls:
            try:
                self._require_end(self._position.time, self._step)
                taken.append(self._go_on(controls_of_step, self._step))
            except AdccError as error:
                return np.concatenate(taken), error
        return np.concatenate(taken), None

    def _checked(self, point_names: Any) -> Sequence[str]:
        """Return names of points that there are."""
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
        return point_names

    def _observation(self) -> dict[str, float]:
        """Return all outputs and control inputs by name, as they are now."""
        return self._observed(self._position.outputs, self._controls_now)

    def _observed(self, outputs: FloatArray, controls: FloatArray) -> dict[str, float]:
        return dict(zip(self._points, (*outputs.tolist(), *controls.tolist()), strict=True))


def _metadata(variables: Sequence[Variable]) -> dict[str, Any]:
    return {variable.name: variable.metadata() for variable in variables}


def _plain(seconds: float) -> float | int:
    """Return a time as an integer where it is one, as the reference does before a step was set."""
    return int(seconds) if seconds.is_integer() else seconds
