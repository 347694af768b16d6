"""Try an FMU in processes that may die of it; see `trivium.model.fmu.qualification`."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from trivium.errors import EndedError, ModelError, TriviumError
from trivium.forks import LostError, Template
from trivium.model.contract import FloatArray, Snapshot
from trivium.model.fmu.abi import BROKEN
from trivium.model.fmu.apart import WORK, Life
from trivium.model.fmu.description import FmuDescription
from trivium.model.fmu.fmu_model import Setup
from trivium.model.fmu.verdict import Qualification
from trivium.model.variable import Variable

#: Steps before an instance is saved, and after.
BEFORE, AFTER = 1, 2
#: Length of a step where neither test case nor FMU proposes one [s].
STEP = 1.0
#: Longest time of the first life of an instance, and shortest limit of those that follow [s]; they get as many times
#: what the first one took as `_SLOWER` says.
LIMIT, _LEAST, _SLOWER = 30.0, 10.0, 10.0
#: How long the first life may take before the others are left out, so that whoever loads the FMU does not give up [s].
SLOW = 15.0
#: Largest relative difference after a restore with which a state is of use [1].
_OF_USE = 1e-3
#: Most variables that are watched where the FMU has no outputs.
_WATCHED = 200
#: By how much real inputs change in the first step, as a share of their range or value.
_STIR = 0.01
#: A step of no length to speak of, as a share of the step; and which share of the step's change is a jump.
_INSTANT, _JUMP = 1e-6, 1e-3


@dataclass(frozen=True)
class First:
    """How an FMU begins.

    Attributes
    ----------
    start : float
        Start time [s].
    step : float or None
        Length of a step [s]; None for what the FMU proposes.
    inputs : Mapping[str, float]
        Values of inputs; the others have their start values.
    """

    start: float = 0.0
    step: float | None = None
    inputs: Mapping[str, float] = field(default_factory=dict)


class _Lived(NamedTuple):
    """What came of a life of an instance.

    Attributes
    ----------
    rows : list of FloatArray
        Outputs after the initialization and after each step.
    snapshot : Snapshot or None
        After `BEFORE` steps.
    seconds : list of float
        Time of each step [s].
    took : float
        Time of all [s].
    """

    rows: list[FloatArray]
    snapshot: Snapshot | None
    seconds: list[float]
    took: float


class _UnsavedError(Exception):
    """The state cannot be saved."""

    def __init__(self, reason: str, *, decided: bool) -> None:
        super().__init__(reason)
        self.decided = decided


class Trying:
    """A trial of an FMU.

    Parameters
    ----------
    description : FmuDescription
    setup : Setup
    first : First
    limit : float
        Longest time of the first life [s].
    slow : float
        After how long a first life the others are left out [s].
    """

    def __init__(
        self, description: FmuDescription, setup: Setup, first: First, limit: float, slow: float = SLOW
    ) -> None:
        # others may be times on the processor, or counters
        outputs = description.outputs or tuple(v for v in description.numbers if not v.is_steady)[:_WATCHED]
        self._description, self._setup, self._first, self._limit = description, setup, first, limit
        self._slow = slow
        self._watched = description if outputs == description.outputs else replace(description, outputs=outputs)
        self._step = _step_length(description, first)
        self._inputs = np.array(
            [first.inputs.get(v.variable.name, v.variable.start or 0.0) for v in description.inputs]
        )
        # in a steady state nothing would be seen
        self._stirred = np.array(
            [_stirred(v.variable, x) for v, x in zip(description.inputs, self._inputs, strict=True)]
        )
        self._here: Template
        self._elsewhere: Template

    def outcome(self) -> Qualification:
        """Try it; never raises for what the FMU does."""
        started = time.perf_counter()
        with Template(WORK) as self._here, Template(WORK) as self._elsewhere:  # both import at the same time
            qualification = self._qualified()
        return replace(qualification, seconds=time.perf_counter() - started)

    def _qualified(self) -> Qualification:
        unsaved = _UnsavedError("the FMU does not offer it", decided=True)
        try:
            try:
                life, lived = self._live(save=self._description.can_snapshot)
            except _UnsavedError as error:
                unsaved = error
                life, lived = self._live(save=False)
        except TriviumError as error:
            reason = str(error)
            decided = not isinstance(error, LostError) and BROKEN not in reason  # that says nothing of the FMU
            return Qualification("replay", reason=reason, exact_here=False, error=reason, decided=decided)
        if lived.took > self._slow:
            life.end()
            reason = f"its first steps took {lived.took:.0f} s, so that no more was tried"
            return Qualification("replay", reason=reason, exact_here=False, decided=False)
        limit = max(_LEAST, _SLOWER * lived.took)
        stepped = Qualification(steps=len(lived.seconds), step_ms=1e3 * float(np.median(lived.seconds or [0.0])))
        isolate = self._description.one_instance
        verdict = replace(stepped, isolate=True) if isolate else self._again(stepped, life, lived, limit)
        if verdict.verdict == "exact":
            if lived.snapshot is None:
                reason = str(unsaved)
                verdict = replace(verdict, verdict="replay", reason=reason, exact_here=False, decided=unsaved.decided)
            else:
                verdict = self._restored(verdict, self._born(self._here) if isolate else life, lived, limit)
            verdict = self._repeatable(verdict, lived, limit)
        life.end()
        return replace(verdict, jumps=self._jumps(limit))

    # -- lives --------------------------------------------------------------------------------------------------------

    def _born(self, template: Template) -> Life:
        return Life(template, self._watched, self._setup.engine, self._setup.solving)

    def _live(self, *, save: bool) -> tuple[Life, _Lived]:
        """Begin a process, and live a first life in it, with as much to be seen as the FMU endures."""
        while True:
            life = self._born(self._here)
            try:
                return life, self._lived(life, self._limit, save=save)
            except BaseException as error:
                life.end()
                late = isinstance(error, LostError) and error.late
                if not isinstance(error, TriviumError) or late or not self._ask_less():
                    raise

    def _ask_less(self) -> bool:
        """Return whether there is something that the FMU may not endure; it is left out from now on."""
        if self._stirred is not self._inputs:
            self._stirred = self._inputs
        elif self._watched is not self._description:  # what is no output may be no number, or unreadable
            self._watched = self._description
        else:
            return False
        return True

    def _lived(self, life: Life, limit: float, *, save: bool = False) -> _Lived:
        started = time.monotonic()
        deadline = started + limit
        life.call("initialize", self._first.start, self._inputs, deadline=deadline)
        rows: list[FloatArray] = [life.call("read", deadline=deadline)]
        seconds: list[float] = []
        snapshot: Snapshot | None = None
        with contextlib.suppress(EndedError):  # some end the simulation soon
            self._go_on(life, deadline, rows, seconds, BEFORE, self._stirred)
            if save:
                snapshot = self._saved(life, deadline)
            self._go_on(life, deadline, rows, seconds, AFTER)
        return _Lived(rows, snapshot, seconds, time.monotonic() - started)

    def _go_on(
        self,
        life: Life,
        deadline: float,
        rows: list[FloatArray],
        seconds: list[float],
        steps: int,
        inputs: FloatArray | None = None,
    ) -> None:
        held = self._inputs if inputs is None else inputs
        for _ in range(steps):
            started = time.perf_counter()
            rows.append(life.call("step", self._step, held, deadline=deadline))
            seconds.append(time.perf_counter() - started)

    @staticmethod
    def _saved(life: Life, deadline: float) -> Snapshot:
        try:
            snapshot: Snapshot = life.call("snapshot", deadline=deadline)
        except LostError as error:
            raise _UnsavedError(f"when it is saved, {error}", decided=error.decided) from error
        except ModelError as error:
            raise _UnsavedError(str(error), decided=True) from error
        return snapshot

    # -- what is compared ---------------------------------------------------------------------------------------------

    def _again(self, stepped: Qualification, life: Life, lived: _Lived, limit: float) -> Qualification:
        """Free the instance and live again in the same process."""
        fresh = replace(stepped, verdict="fresh", isolate=True, exact_here=False)
        try:
            life.call("reset", deadline=time.monotonic() + limit)
        except LostError as error:
            return replace(fresh, reason=f"when an instance is freed, {error}", decided=error.decided)
        try:
            second = self._lived(life, limit)
        except LostError as error:
            return replace(fresh, reason=f"in a second instance of one process, {error}", decided=error.decided)
        except TriviumError as error:
            return replace(fresh, reason=f"a second instance in one process is refused: {error}")
        difference = self._difference(lived.rows, second.rows)
        if difference is None:
            return stepped
        if self._difference(lived.rows, self._elsewhere_lived(limit)) is not None:
            return stepped  # that is not what an earlier instance left behind; see `_repeatable`
        return replace(fresh, reason=f"a second initialization in one process differs from the first: {difference[1]}")

    def _restored(self, stepped: Qualification, life: Life, lived: _Lived, limit: float) -> Qualification:
        """Restore what was saved, in a process of the other interpreter and in one of the first."""
        replay = replace(stepped, verdict="replay", exact_here=False)
        expected = lived.rows[1 + BEFORE :]
        stranger = self._born(self._elsewhere)
        try:
            elsewhere = self._gone_on(stranger, lived.snapshot, limit, thoroughly=not self._description.one_instance)
            here = self._gone_on(life, lived.snapshot, limit)
        except LostError as error:
            return replace(replay, reason=f"after a restore {error}", decided=error.decided)
        except TriviumError as error:
            return replace(replay, reason=str(error))
        difference = self._difference(expected, elsewhere)
        exact_here = self._difference(expected, here) is None
        if difference is None:
            return replace(stepped, exact_here=exact_here)
        if difference[0] > _OF_USE:
            return replace(replay, difference=difference[0], reason=f"after a restore {difference[1]}")
        return replace(
            stepped, verdict="inexact", exact_here=exact_here, difference=difference[0],
            reason=f"another process goes on differently: {difference[1]}",
        )  # fmt: skip

    def _gone_on(
        self, life: Life, snapshot: Snapshot | None, limit: float, *, thoroughly: bool = False
    ) -> list[FloatArray]:
        """Restore, and step on."""
        rows: list[FloatArray] = []
        deadline = time.monotonic() + limit
        life.call("restore", snapshot, deadline=deadline)
        with contextlib.suppress(EndedError):
            self._go_on(life, deadline, rows, [], AFTER)
        if thoroughly:  # what the restore damaged shows itself late
            life.call("restore", snapshot, deadline=deadline)
            self._lived(life, limit)
            life.call("reset", deadline=deadline)
        life.end()
        return rows

    def _repeatable(self, verdict: Qualification, lived: _Lived, limit: float) -> Qualification:
        """Add to the verdict where not even a new process gives the same numbers again."""
        if verdict.verdict == "exact":
            return verdict
        difference = self._difference(lived.rows, self._elsewhere_lived(limit))
        if difference is None:
            return verdict
        return replace(
            verdict, reason=f"{verdict.reason}; nor does a new process give the same numbers twice: {difference[1]}"
        )

    def _elsewhere_lived(self, limit: float) -> list[FloatArray]:
        life = self._born(self._elsewhere)
        try:
            return self._lived(life, limit).rows
        except TriviumError:
            return []
        finally:
            life.end()

    def _difference(self, expected: list[FloatArray], rows: list[FloatArray]) -> tuple[float, str] | None:
        """Return the largest relative difference and what it is of; None where there is none."""
        if len(expected) != len(rows):
            return np.inf, f"{len(rows)} points instead of {len(expected)}"
        first, second = np.array(expected), np.array(rows)
        if np.array_equal(first, second, equal_nan=True):
            return None
        with np.errstate(all="ignore"):  # what is no output need not be a finite number
            relative = np.abs(second - first) / np.maximum(np.abs(first), 1e-6)
        relative[(first == second) | (np.isnan(first) & np.isnan(second))] = 0.0
        relative[~np.isfinite(relative)] = np.inf
        row, column = np.unravel_index(int(np.argmax(relative)), relative.shape)
        name = self._watched.outputs[column].variable.name
        return float(relative[row, column]), f"{name} is {second[row, column]:.9g} and not {first[row, column]:.9g}"

    def _jumps(self, limit: float) -> tuple[str, ...]:
        """Return what changes in a step of no length; nothing where the FMU takes no such step."""
        if self._description.interface == "cs" and not self._description.variable_step:
            return ()
        try:
            life = self._born(self._here)
        except TriviumError:
            return ()
        deadline = time.monotonic() + limit
        rows: list[FloatArray] = []
        try:
            life.call("initialize", self._first.start, self._inputs, deadline=deadline)
            self._go_on(life, deadline, rows, [], 2)
            rows.append(life.call("step", _INSTANT * self._step, self._inputs, deadline=deadline))
            self._go_on(life, deadline, rows, [], 1)
        except TriviumError:
            return ()
        finally:
            life.end()
        before, after, end = rows[1:]
        scale = np.maximum(np.abs(end - before), np.abs(before - rows[0]))
        moved = np.abs(after - before) > _JUMP * scale + 1e-9 * np.abs(before)
        return tuple(v.variable.name for v, jumps in zip(self._watched.outputs, moved, strict=True) if jumps)


def _stirred(variable: Variable, value: float) -> float:
    """Return a value near that of an input, within its bounds; the same for what is no real number."""
    if variable.kind != "real":
        return value
    low, high = variable.minimum, variable.maximum
    if low is not None and high is not None:
        return value + _STIR * (high - low) * (1.0 if value + _STIR * (high - low) <= high else -1.0)
    moved = value + _STIR * max(abs(value), 1.0)
    return moved if high is None or moved <= high else value - _STIR * max(abs(value), 1.0)


def _step_length(description: FmuDescription, first: First) -> float:
    """Return the length of a step [s]; all of them lie before the end that the FMU proposes."""
    step = first.step or description.fixed_step or description.experiment.step or STEP
    stop = description.experiment.stop
    fixed = description.interface == "cs" and not description.variable_step
    if first.step is None and not fixed and stop is not None and stop > first.start:
        step = min(step, (stop - first.start) / (2 * (BEFORE + AFTER)))
    return step
