"""Forms of jobs: from what a reader ticks to a specification, and from a specification to what it will cost."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from trivium.dashboard.formatting import duration, plural, size
from trivium.errors import InvalidValueError
from trivium.jobs.record import Job

if TYPE_CHECKING:
    from trivium.study.spec import Study

#: Ways to make runs of values: those with a number of runs choose them within ranges.
SAMPLINGS = {
    "grid": "all combinations of the values",
    "zip": "the first of each, the second of each, ...",
    "latin_hypercube": "Latin hypercube",
    "sobol": "Sobol sequence",
    "saltelli": "Saltelli, for Sobol indices",
    "morris": "Morris, for screening",
}
_LISTED = ("grid", "zip")
#: Methods of metrics that are a number of a trajectory.
METHODS = ("max", "min", "mean", "final", "time_of_max", "time_of_min")
#: The period and the indicators that are proposed, where a test case has them.
_HOTTEST = "peak_heat"
_CHIEF = ("ener_tot", "tdis_tot")
#: What a run takes on the disk beside its figures, and a study beside its runs [bytes].
_RUN, _STUDY = 40, 60_000
#: How many values a parameter has at first, and how far they are from its start value, by its unit.
_COUNT = 3
_AROUND = {"K": 2.0, "degC": 2.0}


class Range(NamedTuple):
    """Values of a parameter."""

    low: float
    high: float
    number: int = _COUNT


@dataclass(frozen=True)
class Choice:
    """What a reader chose for a study.

    Attributes
    ----------
    model : str
        ``testcase:<name>`` or ``file:<folder>/<file>``.
    start, stop, step : float
    controller : str
        Empty for an FMU alone.
    ranges : Mapping[str, Range]
    metrics : sequence of (str, str)
        Variable and method, ``kpi`` for an indicator.
    kept : sequence of str
        Variables with trajectories.
    sampling : str
        A key of `SAMPLINGS`.
    runs : int
        Of a sample, or of an optimization.
    """

    model: str
    start: float
    stop: float
    step: float
    controller: str = ""
    ranges: Mapping[str, Range] = field(default_factory=dict)
    metrics: Sequence[tuple[str, str]] = ()
    kept: Sequence[str] = ()
    sampling: str = "grid"
    runs: int = 64

    def study(self) -> dict[str, Any]:
        """Return the study."""
        kind, _, name = self.model.partition(":")
        folder, _, file = name.partition("/")
        named = {"testcase": name} if kind == "testcase" else {"folder": folder, "paths": {"package_path": file}}
        simulation: dict[str, Any] = {
            "start_time": plain(self.start),
            "stop_time": plain(self.stop),
            "step_size": plain(self.step),
        }
        if self.controller:
            simulation["controller"] = self.controller
        if self.kept:
            simulation["variableFilter"] = "|".join(self.kept)
        made = {
            **named,
            "simulation": simulation,
            "simulation_parameters": {name: self._values(each) for name, each in self.ranges.items()},
            "metrics": {label(*metric): {"variable": metric[0], "method": metric[1]} for metric in self.metrics},
        }
        if self.sampling != "grid":
            listed = self.sampling in _LISTED
            made["sampling"] = {"method": self.sampling} | ({} if listed else {"runs": self.runs})
        if not self.kept:
            made["output"] = {"trajectories": False}
        return made

    def optimization(self, metric: str, goal: str) -> dict[str, Any]:
        """Return a study that makes a metric least or greatest; ``goal`` is ``minimize`` or ``maximize``."""
        made = replace(self, sampling="latin_hypercube").study()
        del made["sampling"]  # a search chooses the runs
        return made | {"optimize": {goal: [metric], "runs": self.runs}}

    def search(self, parameter: str, condition: str) -> dict[str, Any]:
        """Return a study that seeks where a condition begins to hold, for each value of the other parameters."""
        made = self.study()
        sought = made["simulation_parameters"].pop(parameter, None)
        if sought is None:
            raise InvalidValueError("Tick the parameter that is sought, and give its range.", "parameter")
        ends = self.ranges[parameter]
        return made | {
            "find": {"parameter": parameter, "so_that": condition, "between": [plain(ends.low), plain(ends.high)]}
        }

    def calibration(self, fit: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return a study that fits the parameters, within their ranges, to what was measured.

        Parameters
        ----------
        fit : Mapping, optional
            The folder of the file, and the section ``calibrate`` of a study.

        Raises
        ------
        InvalidValueError
            When nothing was measured, or nothing is to be fitted.
        """
        if not fit or not self.ranges:
            raise InvalidValueError("Choose what was measured, and parameters with their ranges.", "calibrate")
        made = replace(self, sampling="latin_hypercube", kept=()).study()
        parts = ("testcase", "paths", "simulation", "simulation_parameters")
        return dict(fit) | {name: made[name] for name in parts if name in made}

    def _values(self, each: Range) -> Any:
        ends = f"{plain(each.low)!r}:{plain(each.high)!r}"
        if each.low == each.high or (each.number == 1 and self.sampling in _LISTED):
            return [plain(each.low)]
        return f"range:{ends}" if self.sampling not in _LISTED else f"linspace:{ends}:{each.number}"


def label(variable: str, method: str) -> str:
    """Return the name of a metric."""
    return variable if method == "kpi" else f"{variable}.{method}"


def plain(value: float) -> float | int:
    """Return a number as people write it: without decimals where it has none."""
    return int(value) if float(value).is_integer() and abs(value) < 2**53 else float(value)


def proposed_range(parameter: Mapping[str, Any]) -> Range:
    """Return values about the start value of a parameter, within its bounds."""
    low, high, start = parameter["minimum"], parameter["maximum"], parameter["start"]
    if start is None:
        start = low if low is not None else high if high is not None else 0.0
    around = _AROUND.get(parameter["unit"], 0.1 * abs(start))
    ends = [start - around, start + around]
    if not around:  # of a start value of 0 nothing is known but the bounds
        ends = [low if low is not None else 0.0, high if high is not None else 1.0]
    if low is not None:
        ends = [max(end, low) for end in ends]
    if high is not None:
        ends = [min(end, high) for end in ends]
    low, high = (float(f"{end:.6g}") for end in ends)
    return Range(low, high)


def proposed_period(periods: Sequence[str]) -> str:
    """Return the period that is chosen at first: the hottest, in which all of a cooling plant works."""
    return _HOTTEST if _HOTTEST in periods else next(iter(periods), "")


def proposed_indicators(offer: Mapping[str, Any]) -> list[str]:
    """Return the indicators that are ticked at first."""
    names = [each["name"] for each in offer["indicators"]]
    return [name for name in _CHIEF if name in names] or names[:1]


def parse_text(text: str) -> dict[str, Any]:
    """Return a specification that is written as JSON or TOML.

    Raises
    ------
    InvalidValueError
        When it is neither.
    """
    try:
        written = json.loads(text) if text.lstrip()[:1] in ("{", "[") else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidValueError(f"The specification is no JSON, and no TOML: {error}.", "spec") from error
    if not isinstance(written, dict):
        raise InvalidValueError("The specification must be a JSON object.", "spec")
    return written


@dataclass(frozen=True)
class Cost:
    """What a study will cost.

    Attributes
    ----------
    runs, steps : int
        Runs, and steps of each.
    seconds : float or None
        Estimated time until the end [s]; None where nothing is known of it.
    basis : str
        What the estimate rests on.
    size : float
        Estimated size of its results [bytes].
    """

    runs: int
    steps: int
    seconds: float | None
    basis: str
    size: float

    def __str__(self) -> str:
        time = "" if self.seconds is None else f" About {duration(self.seconds)} by {self.basis}."
        return f"{plural(self.runs, 'run')} of {plural(self.steps, 'step')}.{time} About {size(self.size)} on the disk."


def cost_of(study: Study, offer: Mapping[str, Any], done: Sequence[Job] = ()) -> Cost | None:
    """Return what a study will cost; None for what is no simulation.

    Parameters
    ----------
    study : Study
        Of a job: its file names lead nowhere, so values from files have no number.
    offer : Mapping
        What its model offers; see `trivium.study.offer`.
    done : sequence of Job
        Jobs that ended, the newest first: what is known of the last of the same model and step is better than a
        measurement.

    Raises
    ------
    TriviumError
        When the values of its parameters cannot be read.
    """
    simulation = study.simulation
    if simulation is None:
        return None
    steps = simulation.steps * max(1, simulation.divisions)
    runs = _runs(study)
    workers = min(len(os.sched_getaffinity(0)), study.max_concurrent or 2**31, runs)
    each = offer["beginning"] + offer["seconds"] * steps
    seconds, basis = (
        each * runs / max(1, workers),
        f"a measurement, without the start, on {workers} process{'es' * (workers > 1)}",
    )
    for job in done:
        latest = _seconds_of_step(job, study)
        if latest is not None:
            seconds, basis = latest * steps * runs, "the last study of this model"
            break
    columns = len(study.simulation_parameters) + len(study.metrics)
    held = 0
    if study.output.trajectories:
        names = simulation.variable_filter.split("|")
        count = len(offer["variables"]) if names == [".*"] else len(names)
        held = count * (simulation.steps + 1) * (8 if study.output.dtype == "float64" else 4)
    return Cost(runs, steps, seconds, basis, _STUDY + runs * (_RUN + 8 * columns + held))


def cost_of_rounds(study: Study, offer: Mapping[str, Any]) -> str:
    """Return what a calibration will cost; when it ends is not known before.

    Parameters
    ----------
    study : Study
        With a section ``calibrate``.
    offer : Mapping
        See `cost_of`.
    """
    assert study.simulation is not None  # noqa: S101 - the caller's
    assert study.calibrate is not None  # noqa: S101
    steps, runs = study.simulation.steps, 2 * len(study.simulation_parameters) + 1
    seconds = (offer["beginning"] + offer["seconds"] * steps) * runs / min(len(os.sched_getaffinity(0)), runs)
    rounds = f"Rounds of up to {plural(runs, 'run')} of {plural(steps, 'step')}, about {duration(seconds)} each"
    return f"{rounds}, until nothing improves: at most {study.calibrate.rounds} rounds."


def _runs(study: Study) -> int:
    if study.optimize is not None:
        return study.optimize.runs
    from trivium.study.plan import make_plan  # a package of sweeps, which pages without one do not need

    values = study.values(Path())
    count = make_plan(values, study.sampling).count if values else 1
    return count * study.find.most_runs if study.find is not None else count


def _seconds_of_step(job: Job, study: Study) -> float | None:
    """Return how long a step of a job's runs took on the whole [s]; None for another model."""
    spec, simulation = job.spec, job.spec.get("simulation")
    same = (spec.get("testcase"), (spec.get("paths") or {}).get("package_path")) == (
        study.testcase,
        None if study.paths.package_path is None else str(study.paths.package_path),
    )
    if not (same and simulation and job.started and job.finished) or job.results.get("cached"):
        return None
    runs = job.results.get("runs")
    steps = (simulation["stop_time"] - simulation["start_time"]) / simulation["step_size"]
    return (job.finished - job.started) / (runs * steps) if isinstance(runs, int) and runs and steps else None
