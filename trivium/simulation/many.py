"""Many control steps in one request: what is asked, how they are done, and the answer in columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from trivium.errors import InvalidValueError, TriviumError
from trivium.model.contract import FloatArray
from trivium.numbers import parse_count, parse_flag, shown
from trivium.simulation.actions import Actions
from trivium.simulation.reply import Reply
from trivium.simulation.run import Run
from trivium.suggestions import did_you_mean


@dataclass(frozen=True)
class Request:
    """A request for many control steps.

    Attributes
    ----------
    steps : int, optional
        Number of control steps; defaults to the length of the trajectory, or 1.
    action : Mapping[str, float or int or str or None], optional
        Held over all steps, where the trajectory says nothing else.
    trajectory : optional
        See `Actions.trajectory`; its last action is held where there are more steps.
    point_names : sequence of str, optional
        What is wanted; defaults to all outputs and control inputs.
    atomic : bool
        All steps or none. Otherwise up to the first that fails.
    """

    steps: Any = None
    action: Any = None
    trajectory: Any = None
    point_names: Any = None
    atomic: Any = True

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Request:
        """Take a request over.

        Raises
        ------
        InvalidValueError
            When a parameter is unknown or of the wrong kind.
        """
        known = {field.name for field in fields(cls)}
        for name in given:
            if name not in known:
                near = did_you_mean(name, known)
                raise InvalidValueError(f"Bad input for parameter {shown(name)}. Unknown parameter.{near}", name)
        request = cls(**{name: value for name, value in given.items() if value is not None})
        parse_flag(request.atomic, "atomic")
        if request.action is not None and not isinstance(request.action, Mapping):
            raise InvalidValueError(
                f"Invalid value for parameter action. It must be an object, but is {type(request.action)}.", "action"
            )
        return request

    def controls(self, actions: Actions, before: FloatArray, most: int) -> FloatArray:
        """Return the control inputs of every step.

        Parameters
        ----------
        actions : Actions
        before : FloatArray, shape (n_controls,)
            Control inputs as they were last.
        most : int
            Largest number of steps.

        Returns
        -------
        FloatArray, shape (n_steps, n_controls)

        Raises
        ------
        InvalidValueError
            Naming what is wrong.
        """
        controls = actions.parse(self.action or {}, before)[np.newaxis]
        if self.trajectory is not None:
            controls = actions.trajectory(self.trajectory, controls[0])
        least = len(controls) if self.trajectory is not None else 1
        count = least if self.steps is None else parse_count(self.steps, "steps")
        if not least <= count <= most:
            raise InvalidValueError(
                f"Invalid value {count} for parameter steps. Value must be from {least} to {most}.", "steps"
            )
        return np.concatenate((controls, np.repeat(controls[-1:], count - len(controls), axis=0)))


#: Most control steps of one request, however far the end is.
MOST = 1_000_000


def most_steps(latest: float, step: float) -> int:
    """Return the largest number of control steps that a request may ask for.

    Parameters
    ----------
    latest, step : float
        Latest end of a simulation and shortest step [s].
    """
    return int(min(latest / step + 1e-9, MOST))


def advance(run: Run, controls: FloatArray, names: Sequence[str], *, atomic: bool) -> Reply:
    """Simulate many control steps: all or none, or up to the first that fails.

    Parameters
    ----------
    run : Run
    controls : FloatArray, shape (n_steps, n_controls)
    names : sequence of str
        Points that are wanted.
    atomic : bool

    Raises
    ------
    TriviumError
        When nothing was done.
    """
    start = run.clock.time
    if atomic:
        run.require_end(len(controls))
        return answer(run.advance(controls), names, run.stepper.history.columns, start, len(controls), None)
    ends, error = run.advance_while_possible(controls)
    return answer(ends, names, run.stepper.history.columns, start, len(controls), error)


def look_ahead(run: Run, controls: FloatArray, names: Sequence[str], *, atomic: bool) -> Reply:
    """Answer what `advance` would answer, and stay; parameters and errors as there."""
    if atomic:
        run.require_end(len(controls))
    _, ends, error = run.look_ahead(controls)
    if error is not None and atomic:
        raise error
    return answer(ends, names, run.stepper.history.columns, run.clock.time, len(controls), error)


def answer(
    ends: FloatArray, names: Sequence[str], of: Sequence[str], start: float, asked: int, error: TriviumError | None
) -> Reply:
    """Return the answer to a request for many control steps.

    Parameters
    ----------
    ends : FloatArray, shape (n_done, n_columns)
        Row of the history at the end of each control step that was done.
    names, of : sequence of str
        Columns that are wanted, and those that there are.
    start : float
        Clock before [s].
    asked : int
        Number of control steps that were asked for.
    error : TriviumError or None
        Why the next one failed.

    Returns
    -------
    Reply
        The payload has ``steps``, the number done; ``error``, None or of the step that failed ``step`` (from 1 on),
        ``status``, ``message``; ``columns``: ``time`` and each point once, an array with a value a step.

    Raises
    ------
    TriviumError
        The error, where no step was done.
    """
    done = len(ends)
    if error is not None and done == 0:
        raise error
    end = float(ends[-1, 0])
    message, failed = f"Advanced simulation successfully from {start}s to {end}s in {done} steps.", None
    if error is not None:
        failed = {"step": done + 1, "status": error.status, "message": str(error)}
        message = f"Advanced simulation from {start}s to {end}s; step {done + 1} of {asked} failed."
    at = {name: i for i, name in enumerate(of)}
    columns = {name: np.ascontiguousarray(ends[:, at[name]]) for name in dict.fromkeys(("time", *names))}
    return Reply(200, message, {"steps": done, "error": failed, "columns": columns})
