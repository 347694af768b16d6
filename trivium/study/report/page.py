"""The page: what is drawn, as numbers, in a file of its own that needs no network."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import orjson

from trivium.control.palette import HEAT
from trivium.errors import StorageError
from trivium.extras import require
from trivium.model.contract import FloatArray
from trivium.study.read import SweepResults
from trivium.study.report.response import Axis, curve, surface
from trivium.study.report.sample import Sample, drawn
from trivium.study.report.sensitivity import Indices, indices
from trivium.study.tricys_form import Unit

#: Most metrics; most parameters of heat maps.
_MOST_METRICS, _MOST_CROSSED = 24, 12
#: Most variables whose trajectories are drawn, runs of a band, single runs, points of a line.
_VARIABLES, _BAND, _LINES, _POINTS = 6, 200, 12, 400
#: Most reasons of failures that are listed.
_REASONS = 20
#: Most of the best runs that are listed.
_BEST = 50
#: Digits of a number on the page.
_DIGITS = 6


def write_report(results: SweepResults, path: Path, title: str, units: Mapping[str, Unit] | None = None) -> None:
    """Write a page about results, which may be those of a study that is not at its end.

    Parameters
    ----------
    results : SweepResults
    path : Path
        The file appears when it is whole.
    title : str
    units : Mapping[str, Unit], optional
        Units that metrics are shown in, by their names.

    Raises
    ------
    StorageError
        When it cannot be written.
    MissingExtraError
    """
    plotly = require("plotly.offline", "sweep")
    content = orjson.dumps(figures(results, title, units or {}), option=orjson.OPT_SERIALIZE_NUMPY).decode()
    template = (files("trivium.study.report") / "page.html").read_text(encoding="utf-8")
    # the names in it are anybody's: nothing may end the element that holds them
    page = template.replace("/*plotly*/", plotly.get_plotlyjs()).replace("/*figures*/", content.replace("<", "\\u003c"))
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        unfinished.write_text(page, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def figures(results: SweepResults, title: str, units: Mapping[str, Unit] = MappingProxyType({})) -> dict[str, Any]:
    """Return all that is on the page."""
    sample = Sample(results)
    axes = sample.axes
    crossed = list(itertools.combinations(list(axes)[:_MOST_CROSSED], 2))
    curves: dict[str, Any] = {}
    maps: dict[str, Any] = {}
    shares: dict[str, Any] = {}
    for name in sample.metrics[:_MOST_METRICS]:
        unit = units.get(name)
        metric = sample.metric(name) / (unit.conversion_factor if unit else 1.0)
        label = f"{name} [{unit.unit}]" if unit else name
        curves[label] = {axis_name: _curve(axes, axis_name, metric) for axis_name in axes}
        maps[label] = {f"{a}\n{b}": _rounded(surface(axes[a], axes[b], metric)) for a, b in crossed}
        sensitivity = indices(
            sample.parameters,
            axes,
            metric,
            sample.runs,
            results.sampling,
            results.parameters,
            sample.total,
            results.groups,
        )
        reason = "" if sample.derived else results.without_value(name, sample.runs)[1]
        shares[label] = _shares(sensitivity) | {"values": int(np.isfinite(metric).sum()), "reason": reason}
    reasons = sample.reasons()
    drawn_trajectories = {name: _trajectories(results, sample, name) for name in results.variables[:_VARIABLES]}
    return {
        "title": title,
        "runs": {"total": sample.total, "done": sample.done, "failed": sample.failed, "shown": int(sample.runs.size)},
        "unserving": int(sample.unserving.size),
        "sampling": results.sampling,
        "reasons": reasons[:_REASONS],
        "more_reasons": max(0, len(reasons) - _REASONS),
        "constants": sample.constants,
        "derived": sample.derived,
        "left_out": {
            "metrics": len(sample.metrics) - len(curves), "crossed": max(0, len(axes) - _MOST_CROSSED),
            "variables": max(0, len(results.variables) - _VARIABLES),
        },
        "parameters": {name: _levels(axis) for name, axis in axes.items()},
        "curves": curves,
        "maps": maps,
        "heat": HEAT,
        "indices": shares,
        "trajectories": drawn_trajectories,
        "best": _best(results),
        "lost": [str(each) for each in results.lost],
        "warnings": results.warnings(),
    }  # fmt: skip


def _best(results: SweepResults) -> dict[str, Any]:
    """Return the best runs of a study that optimizes as a table; nothing of any other."""
    if results.goal is None:
        return {}
    runs = results.best_runs[:_BEST]
    names = [*results.parameters, *results.metrics]
    columns = [results.values(name)[runs].tolist() for name in names]
    rows = [[int(run), *row] for run, *row in zip(runs, *columns, strict=True)]
    return {"names": ["run", *names], "rows": rows}


def _levels(axis: Axis) -> dict[str, Any]:
    return {"levels": [*axis.texts] or _rounded(axis.levels), "grouped": axis.grouped}


def _curve(axes: dict[str, Axis], name: str, metric: FloatArray) -> dict[str, Any]:
    line = curve(axes, name, metric)
    lines = {"mean": line.mean, "low": line.low, "high": line.high, "middle": line.middle}
    return {key: None if values is None else _rounded(values) for key, values in lines.items()}


def _shares(shares: Indices) -> dict[str, Any]:
    def table(pairs: Mapping[str, tuple[float, float]]) -> dict[str, list[float]]:
        return {name: [round(value, 4), round(half, 4)] for name, (value, half) in pairs.items()}

    first, total = table(shares.first), table(shares.total)
    return {"method": shares.method, "first": first, "total": total, "labels": shares.labels}


def _trajectories(results: SweepResults, sample: Sample, name: str) -> dict[str, Any]:
    runs = results.readable(drawn(sample.runs, _BAND))
    every = max(1, -(-results.time.size // _POINTS))
    rows = np.empty((runs.size, len(results.time[::every])))
    for start in range(0, runs.size, 10):
        rows[start : start + 10] = results.trajectories(runs[start : start + 10], name)[:, ::every]
    failed = _failed(results, name, every)
    if not runs.size:
        return {"runs": 0, "every": every, "time": _rounded(results.time[::every]), "failed": failed}
    low, median, high = np.quantile(rows, [0.1, 0.5, 0.9], axis=0)
    some = np.unique(np.linspace(0, runs.size - 1, _LINES).astype(int))
    marks = dict.fromkeys(sample.unserving.tolist(), ", does not serve")
    return {
        "runs": int(runs.size), "every": every, "time": _rounded(results.time[::every]), "low": _rounded(low),
        "median": _rounded(median), "high": _rounded(high),
        "failed": failed,
        "single": {f"run {runs[place]}{marks.get(runs[place], '')}": _rounded(rows[place]) for place in some.tolist()},
    }  # fmt: skip


def _failed(results: SweepResults, name: str, every: int) -> dict[str, FloatArray]:
    """Return how far some of the runs came that failed."""
    runs = results.readable(drawn(results.failed().runs, _LINES))
    rows = results.trajectories(runs, name)[:, ::every]
    return {f"run {run}, failed": _rounded(row) for run, row in zip(runs, rows, strict=True) if np.isfinite(row[0])}


def _rounded(values: FloatArray) -> FloatArray:
    """Return numbers as short as they need be; NaN becomes null on the page."""
    size = np.abs(values)
    positive = np.isfinite(size) & (size > 0)
    scale = np.ones_like(size)
    scale[positive] = 10.0 ** (_DIGITS - 1 - np.floor(np.log10(size[positive])))
    usable = np.isfinite(scale) & (scale > 0)
    rounded: FloatArray = np.where(usable, np.round(values * np.where(usable, scale, 1.0)) / scale, values)
    return rounded
