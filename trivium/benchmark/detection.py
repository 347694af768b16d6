"""A baseline that detects faults: residuals of what is measured against what a healthy plant would show.

Each relation is a quantity that follows from others while the plant is healthy, like the power of the chillers from
their heat and temperatures. A quadratic regression on healthy days of the training weeks learns it. How a plant differs
from others is the mean of its residual in the first hours of the day, before any fault. Cumulative sums of what is left
(CUSUM: Page, Biometrika 41, 1954), over its deviation on healthy days, raise the alarm above a threshold that further
healthy days did not reach.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trivium.gym.tasks.env import TaskEnv
from trivium.gym.tasks.periods import day_of_seed

FloatArray = NDArray[np.float64]
DAY, HOUR = 86400.0, 3600.0
#: How long a plant is observed before alarms count [h]; faults begin later.
_LEARNING = 6.0
#: Deviations that the cumulative sums forgive an hour [1]: half of a shift by one deviation, as usual.
_ALLOWANCE = 0.5
#: Healthy days that relations are learnt on, and further ones that thresholds are.
FITTED, CALIBRATED = 60, 60
#: Seeds of healthy days that are apart from those of episodes with faults.
_SEED = 10_000
_UNITS = (1, 2, 3, 4)
#: What follows from what, by name; of the quantities of `_quantities`.
RELATIONS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "chiller power": ("power", ("cooling", "condenser", "supply", "running")),
    "tower": ("approach", ("rejected", "wet_bulb", "condenser_flow", "cells", "fans")),
    "economizer": ("economizer", ("difference", "economizer_flow", "chilled_flow")),
    "economizer valve": ("economizer_flow", ("valve", "condenser_pumps", "condenser_speed")),
    "chilled water pumps": ("pressure", ("chilled_flow", "chilled_pumps", "chilled_speed")),
    "condenser water pumps": ("condenser_flow", ("condenser_pumps", "condenser_speed", "valve", "liquid", "cells")),
    "chillers": ("refused", ()),
    "supply sensor": ("mixing", ()),
}


class Day(NamedTuple):
    """A day of a plant under the rule book.

    Attributes
    ----------
    quantities : Mapping[str, FloatArray]
        By name, each of shape (steps,); NaN where one is not defined.
    labels : NDArray of int, shape (steps,)
        Numbers of faults; 0 is healthy.
    cause : str
        Name of the fault; ``none`` where there is none.
    """

    quantities: Mapping[str, FloatArray]
    labels: NDArray[np.int_]
    cause: str


class _Relation:
    """A quantity as a quadratic function of others."""

    def __init__(self, name: str, days: Sequence[Day]) -> None:
        self._target, self._drivers = RELATIONS[name]
        target, drivers = (np.concatenate(part) for part in zip(*map(self._of, days), strict=True))
        good = np.isfinite(target) & np.isfinite(drivers).all(axis=1)
        target, drivers = target[good], drivers[good]
        self._low, self._high = drivers.min(axis=0), drivers.max(axis=0)
        self._weights = np.linalg.lstsq(self._features(drivers), target, rcond=1e-8)[0]

    def residual(self, day: Day) -> FloatArray:
        """Return what is measured less what a healthy plant would show, shape (steps,); NaN where neither is."""
        target, drivers = self._of(day)
        residual: FloatArray = target - self._features(drivers) @ self._weights
        return residual

    def _of(self, day: Day) -> tuple[FloatArray, FloatArray]:
        quantities, size = day.quantities, day.labels.size
        columns = [quantities[name] for name in self._drivers]
        return quantities[self._target], np.column_stack(columns) if columns else np.empty((size, 0))

    def _features(self, drivers: FloatArray) -> FloatArray:
        """Return all products of up to two drivers, each from -1 to 1 within what was learnt."""
        width = np.maximum(self._high - self._low, 1e-9)
        scaled = np.clip(2.0 * (drivers - self._low) / width - 1.0, -1.0, 1.0)
        one = np.ones((len(drivers), 1))
        linear = np.concatenate((one, scaled), axis=1)
        return np.concatenate([linear[:, i:] * linear[:, i : i + 1] for i in range(linear.shape[1])], axis=1)


class Detector:
    """Detects faults by residuals and cumulative sums.

    Parameters
    ----------
    fitted, calibrated : sequence of Day
        Healthy days.
    step : float
        Control step [s].
    """

    def __init__(self, fitted: Sequence[Day], calibrated: Sequence[Day], step: float) -> None:
        self._first, self._hours = round(_LEARNING * HOUR / step), step / HOUR
        self._relations = {name: _Relation(name, fitted) for name in RELATIONS}
        self._deviation = {
            name: max(float(np.nanstd(np.concatenate([self._own(relation, day) for day in fitted]))), 1e-6)
            for name, relation in self._relations.items()
        }
        self._thresholds = {
            name: max(1.0, *(float(self._sums(name, day).max()) for day in calibrated)) for name in RELATIONS
        }

    def alarm(self, day: Day) -> tuple[int, str] | None:
        """Return the step of the first alarm of a day and the relation that raised it; None without an alarm."""
        firsts = []
        for name, threshold in self._thresholds.items():
            above = np.flatnonzero(self._sums(name, day) > threshold)
            firsts += [(int(above[0]), name)] if above.size else []
        return min(firsts, default=None)

    def _own(self, relation: _Relation, day: Day) -> FloatArray:
        """Return the residual less that of the plant before alarms count."""
        residual = relation.residual(day)
        before = residual[: self._first]
        known = before[np.isfinite(before)]
        own: FloatArray = residual - (float(known.mean()) if known.size else 0.0)
        return own

    def _sums(self, name: str, day: Day) -> FloatArray:
        """Return the larger of the cumulative sums of both signs, shape (steps,)."""
        scaled = np.nan_to_num(self._own(self._relations[name], day) / self._deviation[name])
        sums, up, down = np.zeros(scaled.size), 0.0, 0.0
        for k in range(self._first, scaled.size):
            up = max(0.0, up + (scaled[k] - _ALLOWANCE) * self._hours)
            down = max(0.0, down - (scaled[k] + _ALLOWANCE) * self._hours)
            sums[k] = max(up, down)
        return sums


def detect(
    task: str, episodes: int, state_dir: Path | None = None, progress: Callable[[], object] = lambda: None
) -> list[dict[str, Any]]:
    """Learn on healthy training days, detect on test days of the level ``faults``, and return the rates by cause.

    Parameters
    ----------
    task : str
    episodes : int
        Test days, with the seeds from 0 on.
    state_dir : Path, optional
        Where the member's test case is kept.
    progress : Callable
        Called after each day.

    Returns
    -------
    list of dict
        ``cause``, ``days``, ``detected`` (of a fault: alarm after it began, and none before; without one: any alarm),
        ``hours`` from the beginning to the alarm (median) and ``relation``, the one that raised the alarm most often.
    """
    with contextlib.closing(TaskEnv(task, level="mismatch", split="train", state_dir=state_dir)) as env:
        healthy = [played(env, _SEED + k, day_of_seed("train", k), progress) for k in range(FITTED + CALIBRATED)]
        detector = Detector(healthy[:FITTED], healthy[FITTED:], env.task.kind.step)
    with contextlib.closing(TaskEnv(task, level="faults", split="test", state_dir=state_dir)) as env:
        days = [played(env, k, day_of_seed("test", k), progress) for k in range(episodes)]
        hours = env.task.kind.step / HOUR
        return [_rates(cause, days, detector, hours) for cause in env.fault_names]


def played(env: TaskEnv, seed: int, day: int, progress: Callable[[], object] = lambda: None) -> Day:
    """Play a day under the rule book and return what its sensors showed."""
    env.reset(seed=seed, options={"start_time": DAY * day})
    rows, labels, ended = [], [], False
    while not ended:
        *_, terminated, truncated, info = env.apply({})
        rows.append(_quantities(env.values, env.inner.boundary, env.nominal))
        labels.append(info.get("fault", 0))
        ended = terminated or truncated
    progress()
    return Day({name: np.array([row[name] for row in rows]) for name in rows[0]}, np.array(labels), env.fault)


def markdown(rates: Sequence[Mapping[str, Any]]) -> str:
    """Return rates as a table."""
    lines = ["| fault | days | alarm | hours to the alarm | relation |", "|---|--:|--:|--:|---|"]
    for each in rates:
        share = f"{each['detected'] / each['days']:.0%}" if each["days"] else "-"
        hours = "-" if each["hours"] is None else f"{each['hours']:.2g}"
        lines.append(f"| `{each['cause']}` | {each['days']} | {share} | {hours} | {each['relation'] or '-'} |")
    return "\n".join(lines)


def _rates(cause: str, days: Sequence[Day], detector: Detector, hours: float) -> dict[str, Any]:
    mine = [day for day in days if day.cause == cause]
    delays, relations = [], Counter[str]()
    for day in mine:
        alarm, faulty = detector.alarm(day), np.flatnonzero(day.labels)
        begin = int(faulty[0]) if faulty.size else 0
        if alarm is not None and alarm[0] >= begin:
            delays.append(hours * (alarm[0] - begin + 1))
            relations[alarm[1]] += 1
    median = float(np.median(delays)) if delays and cause != "none" else None
    most = relations.most_common(1)[0][0] if relations else None
    return {"cause": cause, "days": len(mine), "detected": len(delays), "hours": median, "relation": most}


def _quantities(values: Mapping[str, float], boundary: Mapping[str, float], nominal: float) -> dict[str, float]:
    """Return what the relations are between; powers and flows over the IT load that the plant is built for."""
    running = [unit for unit in _UNITS if values[f"yChi{unit}"] > 0.9]
    economizer = values["yValEco"] > 0.5
    scale, flow = 1.0 / nominal, 1e5 / nominal
    cooling = sum(values[f"QChi{unit}"] for unit in running)
    leaving = sum(values[f"TChiWatLvg{unit}"] for unit in running) / max(len(running), 1)
    nan = float("nan")
    return {
        "power": sum(values[f"PChi{unit}"] for unit in running) * scale if running else nan,
        "cooling": cooling * scale,
        "running": float(len(running)),
        "condenser": values["TConWatSup"],
        "supply": values["TChiWatSup"],
        "approach": values["TConWatSup"] - boundary["TWetBul"],
        "rejected": values["QTow"] * scale,
        "wet_bulb": boundary["TWetBul"],
        "condenser_flow": values["mConWat_flow"] * flow,
        "cells": values["nTow"],
        "fans": values["yFanTow"],
        "economizer": values["QEco"] * scale if economizer else nan,
        "difference": values["TChiWatRet"] - values["TConWatSup"],
        "economizer_flow": values["mEco_flow"] * flow,
        "chilled_flow": values["mChiWat_flow"] * flow,
        "valve": values["yValEco"],
        "liquid": values["yValLiq"],
        "pressure": values["dpChiWat"] * 1e-5,
        "chilled_pumps": values["nPumChiWat"],
        "chilled_speed": values["yPumChiWat"],
        "condenser_pumps": values["nPumConWat"],
        "condenser_speed": values["yPumConWat"],
        "refused": sum(max(values[f"uChi{unit}"] - values[f"yChi{unit}"], 0.0) for unit in _UNITS),
        "mixing": values["TChiWatSup"] - leaving if running else nan,
    }
