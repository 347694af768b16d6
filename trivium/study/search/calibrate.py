"""The parameters with which a model gives what was measured: nonlinear least squares in rounds of runs.

SciPy's trust-region method takes steps within the bounds [1]_. A round has the runs of a step and of all differences of
its Jacobian, at every segment of the data. The covariance of the parameters is that of the linearised problem at the
end; a direction in which the residuals hardly change makes its parameters unidentifiable [2]_.

References
----------
.. [1] Branch, Coleman, Li (1999), SIAM Journal on Scientific Computing 21(1), 1-23.
.. [2] Belsley, Kuh, Welsch (1980), Regression Diagnostics, chapter 3.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from trivium.errors import ModelError
from trivium.model.contract import FloatArray
from trivium.study.drive import State
from trivium.study.job import FAILED
from trivium.study.prepare import prepare
from trivium.study.read import open_results
from trivium.study.search.calibration import Calibration, Estimate, write
from trivium.study.search.data import Data, read_data, study_of
from trivium.study.search.goals import Calibrate
from trivium.study.search.rounds import Rounds, SharedEngine, Surroundings
from trivium.study.spec import Study
from trivium.study.values import Values

#: Half the distance of a difference quotient, as a share of the range.
_STEP = 1e-3
#: What stands for the residuals of a step whose run fails: a step that the method takes back.
_FAILED = 1e6
#: Least change of the residuals, in deviations, over the whole range of a parameter that counts as an effect.
_EFFECT = 1e-6
#: Greatest ratio of singular values of the Jacobian with columns of length 1; least part in a direction beyond it.
_CONDITION, _PART = 1e4, 0.3
#: When the method ends: relative change of cost and parameters.
_ENDS = 1e-8


def run_calibrate(study: Study, parameters: Mapping[str, Values], out: Path, around: Surroundings) -> State:
    """Calibrate a model, or go on with it; parameters and errors as `trivium.study.study.run_study`.

    Raises
    ------
    ModelError
        When the runs with the values of the start fail.
    """
    assert study.calibrate is not None  # noqa: S101 - the caller's
    calibrate, data, out = study.calibrate, read_data(study.calibrate), out.absolute()
    with contextlib.ExitStack() as stack:
        shared = stack.enter_context(SharedEngine())
        rounds = []
        for segment in data.segments:
            part = study_of(study, data, segment, out / "inputs" / segment.name)
            _, job = prepare(part, Path.cwd(), around.places.unpacked.absolute())
            folder = out / "runs" / segment.name
            rounds.append(stack.enter_context(Rounds(folder, parameters, job, part, around, shared)))
        fit = _Fit(calibrate, data, dict(parameters), rounds)
        write(fit.calibration(), out)
        for each in rounds:
            each.finish()
        states = [each.state for each in rounds]
    total, done = sum(state.total for state in states), sum(state.done for state in states)
    return State(total, done, sum(state.failed for state in states), sum(state.cached for state in states), None)


class _Fit:
    """A problem of least squares; z is where each parameter is in its range, from 0 to 1."""

    def __init__(self, calibrate: Calibrate, data: Data, parameters: dict[str, Values], rounds: list[Rounds]) -> None:
        self._calibrate, self._data, self._parameters, self._rounds = calibrate, data, parameters, rounds
        self._stencils: dict[bytes, tuple[FloatArray, FloatArray]] = {}
        held_out = np.concatenate([segment.held_out for segment in data.segments])
        measured = np.concatenate([segment.values for segment in data.segments])
        self._measured = measured
        #: the residuals that the fit sees, and those that it does not
        self._seen = np.isfinite(measured) & ~held_out[:, None]
        self._unseen = np.isfinite(measured) & held_out[:, None]

    def calibration(self) -> Calibration:
        """Return what comes of the fit."""
        start = self._start()
        before = self._modelled(start[None])[0]
        if not np.isfinite(before[self._seen]).all():
            raise ModelError(f"the runs with the values of the start fail: {self._reason()}")
        result = optimize.least_squares(
            lambda z: self._stencil(z)[0], start, jac=lambda z: self._stencil(z)[1], bounds=(0.0, 1.0),
            method="trf", x_scale=1.0, ftol=_ENDS, xtol=_ENDS, gtol=_ENDS, max_nfev=self._calibrate.rounds,
        )  # fmt: skip
        after = self._modelled(result.x[None])[0]
        estimates, together, ratios = self._estimates(result.x, start, *self._stencil(result.x))
        return Calibration(
            estimates, together, ratios, list(self._calibrate.measured), self._data, before, after,
            self._errors(before, self._seen), self._errors(after, self._seen), self._errors(after, self._unseen),
            int(result.nfev), bool(result.success), str(result.message),
        )  # fmt: skip

    def _start(self) -> FloatArray:
        z = []
        for name, values in self._parameters.items():
            value = self._calibrate.start.get(name)
            z.append(0.5 if value is None else _share(values, value))
        return np.clip(np.array(z), 1e-6, 1.0 - 1e-6)

    def _stencil(self, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the residuals at a point and their derivatives, from one round."""
        if z.tobytes() not in self._stencils:
            size = z.size
            points = np.concatenate([z[None], z + _STEP * np.eye(size), z - _STEP * np.eye(size)]).clip(0.0, 1.0)
            values = self._modelled(points)
            scale = np.broadcast_to(self._data.deviations, self._measured.shape)[self._seen]
            residuals = (values - self._measured)[:, self._seen] / scale
            lost = ~np.isfinite(residuals).all(axis=1)
            if lost[0]:
                self._stencils[z.tobytes()] = np.full(residuals.shape[1], _FAILED), np.zeros((residuals.shape[1], size))
            else:
                residuals[lost], points[lost] = residuals[0], z
                upper, lower = slice(1, 1 + size), slice(1 + size, None)
                width = np.diagonal(points[upper] - points[lower])
                rise = (residuals[upper] - residuals[lower]) / np.where(width > 0, width, 1.0)[:, None]
                self._stencils[z.tobytes()] = residuals[0], rise.T
        return self._stencils[z.tobytes()]

    def _modelled(self, points: FloatArray) -> FloatArray:
        """Return what the model gives in place of what was measured, shape (n_points, n_times, n_measured)."""
        rows = np.stack([values.at(points[:, place]) for place, values in enumerate(self._parameters.values())], axis=1)
        parts = []
        for segment, rounds in zip(self._data.segments, self._rounds, strict=True):
            done = rounds.evaluate(rows)
            runs, back = np.unique(done.runs, return_inverse=True)
            whole = np.full((len(rows), segment.times.size, len(self._calibrate.measured)), np.nan)
            alive = done.status != FAILED
            with open_results(rounds.folder) as results:
                kept = runs[np.isin(runs, done.runs[alive])]
                for place, name in enumerate(self._calibrate.measured):
                    table = results.trajectories(kept, name)
                    at = [np.interp(segment.times, results.time, row, np.nan, np.nan) for row in table]
                    for number, run in enumerate(runs[back].tolist()):
                        if alive[number]:
                            whole[number, :, place] = at[int(np.searchsorted(kept, run))]
            parts.append(whole)
        return np.concatenate(parts, axis=1)

    def _estimates(
        self, z: FloatArray, start: FloatArray, residuals: FloatArray, jacobian: FloatArray
    ) -> tuple[list[Estimate], list[list[str]], list[float]]:
        """Return the parameters with their intervals, and which of them cannot be separated."""
        names, freedom = list(self._parameters), max(1, residuals.size - z.size)
        lengths = np.linalg.norm(jacobian, axis=0)
        moves = lengths / math.sqrt(residuals.size) > _EFFECT
        _, singular, directions = np.linalg.svd(jacobian[:, moves] / lengths[moves], full_matrices=False)
        flat = singular * _CONDITION < singular.max(initial=0.0)
        moving = np.array(names)[moves].tolist()
        groups = [[moving[k] for k in np.flatnonzero(np.abs(row) > _PART)] for row in directions[flat]]
        spread = np.full(z.size, np.inf)
        variance = float(residuals @ residuals) / freedom
        inverse = (directions[~flat].T / singular[~flat] ** 2) @ directions[~flat]
        spread[moves] = np.sqrt(variance * np.diagonal(inverse)) / lengths[moves]
        half = spread * stats.t.ppf(0.5 + 0.5 * self._calibrate.confidence, freedom)
        estimates = []
        for place, (name, values) in enumerate(self._parameters.items()):
            mixed = any(name in group for group in groups)
            if not moves[place]:
                reason = "what is measured does not depend on it"
            elif mixed:
                others = sorted({each for group in groups if name in group for each in group} - {name})
                reason = f"its effect cannot be separated from that of {', '.join(others)}"
            elif half[place] > 0.5:
                reason = "its interval is as wide as its range"
            else:
                reason = ""
            open_ended = not moves[place] or mixed
            ends = [0.0, 1.0] if open_ended else [z[place] - half[place], z[place] + half[place]]
            value, begun, low, high = values.at(np.array([z[place], start[place], *np.clip(ends, 0.0, 1.0)])).tolist()
            estimates.append(Estimate(name, value, begun, low, high, not reason, reason))
        return estimates, groups, singular.tolist()

    def _errors(self, modelled: FloatArray, chosen: NDArray[np.bool_]) -> dict[str, float]:
        """Return the root of the mean square error of each output; nan where there is nothing to compare."""
        errors = {}
        for place, name in enumerate(self._calibrate.measured):
            wrong = (modelled - self._measured)[:, place][chosen[:, place]]
            errors[name] = float(np.sqrt(np.mean(wrong**2))) if wrong.size else math.nan
        return errors

    def _reason(self) -> str:
        reasons: list[Any] = [text for rounds in self._rounds for text in rounds.failures().values()]
        return str(reasons[0]) if reasons else "they do not cover the times of the data"


def _share(values: Values, value: float) -> float:
    if values.log:
        return math.log(value / values.low) / math.log(values.high / values.low)
    return (value - values.low) / (values.high - values.low)
