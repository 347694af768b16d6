"""How much of a metric's variance each parameter accounts for: Sobol indices, by what the runs allow.

=================  ====================================================================================================
runs               indices
=================  ====================================================================================================
``saltelli``       first and total order, by SALib's ``analyze.sobol`` with bootstrap confidence; base points of which a
                   run is missing are left out, and those beyond `_MOST_POINTS`
a whole grid       first and total order, exact for the grid's values taken as evenly likely: the analysis of variance
                   over all its runs needs no estimate
``morris``         mean size and spread of elementary effects, by SALib's ``analyze.morris``; trajectories of which a
                   run is missing are left out
``fast``           first and total order, by SALib's ``analyze.fast`` without confidence; it needs all runs
``zip``            none: parameters that change together have no variance of their own
all others         first and total order, by a polynomial chaos expansion (`trivium.study.report.polynomials`) that
                   predicts at least `_PREDICTED` of the variance; otherwise first order, by SALib's
                   ``analyze.rbd_fast``. Both take any runs whose parameters are independent, here at most
                   `_MOST_EXPANDED` and `_MOST_ESTIMATED`
=================  ====================================================================================================
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from trivium.extras import require
from trivium.model.contract import FloatArray
from trivium.study.report.polynomials import expand
from trivium.study.report.response import Axis
from trivium.study.report.sample import drawn

#: Fewest and most runs, and base points, that anything is estimated from; a bootstrap takes 100 times their memory.
_FEWEST, _MOST_ESTIMATED = 100, 20_000
_MOST_EXPANDED, _PREDICTED = 4000, 0.9
_FEWEST_POINTS, _MOST_POINTS = 16, 2**15
_SEED = 1
#: Multiples of a parameter's frequency that FAST counts as its own, as SALib's design does.
_HARMONICS = 4
#: A metric whose values differ by less, relative to them, does not vary.
_SAME = 1e-12


@dataclass(frozen=True)
class Indices:
    """Sobol indices of a metric.

    Attributes
    ----------
    method : str
        What they are, and of how many runs; or why there are none.
    first, total : Mapping[str, tuple[float, float]]
        By parameter: the index, and half of its 95 % confidence interval, 0 where it is exact or, of FAST, not known;
        empty where there are none. Of Morris' method instead the mean size of the elementary effects, and their
        standard deviation.
    labels : tuple of str
        What they and the axis of their plot are called.
    """

    method: str
    first: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    total: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    labels: tuple[str, str, str] = ("first order: alone", "total: with interactions", "share of the variance")


def indices(
    parameters: Mapping[str, FloatArray],
    axes: Mapping[str, Axis],
    metric: FloatArray,
    runs: NDArray[np.intp],
    sampling: str,
    columns: Sequence[str],
    total: int,
    groups: Sequence[str],
) -> Indices:
    """Return Sobol indices.

    Parameters
    ----------
    parameters : Mapping[str, FloatArray]
        Those that vary, shape (k,).
    axes : Mapping[str, Axis]
        The same cut into levels.
    metric : FloatArray, shape (k,)
        NaN where a run has none.
    runs : array of int, shape (k,)
        Numbers of the runs.
    sampling : str
        How the study chose them; empty where it is not known.
    columns : sequence of str
        All parameters of the study, those that do not vary too.
    total : int
        Number of the study's runs, those that are not done too.
    groups : sequence of str
        The group of each of these parameters in the designs ``saltelli`` and ``morris``, of which there are indices.
    """
    finite = np.isfinite(metric)
    values = metric[finite]
    if not parameters or values.size < 2:
        return Indices("No indices: nothing varies.")
    if np.ptp(values) <= _SAME * np.abs(values).max():
        return Indices("No indices: the metric is the same in all runs.")
    if sampling == "zip":
        return Indices("No indices: the parameters of a zipped study change together.")
    if sampling == "saltelli":
        return _saltelli(list(dict.fromkeys(groups)), metric, runs)
    if sampling == "morris":
        return _morris(columns, groups, parameters, metric, runs)
    if sampling == "fast":
        return _fast(columns, metric, total)
    if finite.all() and math.prod(axis.levels.size for axis in axes.values()) == values.size:
        exact = _grid(axes, metric)
        if exact is not None:
            return exact
    return _estimated({name: column[finite] for name, column in parameters.items()}, values)


def _saltelli(names: Sequence[str], metric: FloatArray, runs: NDArray[np.intp]) -> Indices:
    each = len(names) + 2
    point, counts = np.unique(runs[np.isfinite(metric)] // each, return_counts=True)
    points = point[counts == each][:_MOST_POINTS]
    if points.size < _FEWEST_POINTS:
        return Indices(f"No indices: {points.size} base points are whole, and {_FEWEST_POINTS} are needed.")
    sobol = require("SALib.analyze.sobol", "sweep")
    values = metric[np.isin(runs // each, points)]
    problem = {"num_vars": len(names), "names": list(names)}
    analysis = sobol.analyze(problem, values, calc_second_order=False, seed=_SEED)
    method = f"Sobol indices by SALib from Saltelli's design, {points.size} base points, {values.size} runs."
    return Indices(method, _pairs(names, analysis, "S1"), _pairs(names, analysis, "ST"))


def _morris(
    names: Sequence[str],
    groups: Sequence[str],
    parameters: Mapping[str, FloatArray],
    metric: FloatArray,
    runs: NDArray[np.intp],
) -> Indices:
    labels = list(dict.fromkeys(groups))
    each = len(labels) + 1
    trajectory, counts = np.unique(runs[np.isfinite(metric)] // each, return_counts=True)
    complete = trajectory[counts == each]
    if complete.size < 2:
        return Indices(f"No effects: {complete.size} trajectories are complete, and 2 are needed.")
    morris = require("SALib.analyze.morris", "sweep")
    rows = np.isin(runs // each, complete)
    table = np.stack([parameters.get(name, np.zeros(runs.size))[rows] for name in names], axis=1)
    problem = _problem(names)
    if len(labels) < len(names):
        problem["groups"] = list(groups)
    analysis = morris.analyze(problem, table, metric[rows], seed=_SEED)
    method = (
        f"Elementary effects by SALib from Morris' design, {complete.size} trajectories, {int(rows.sum())} runs: the "
        "change of the metric per range of the parameter."
    )
    order = [str(name) for name in analysis["names"]]
    sizes = _pairs(order, analysis, "mu_star")
    spread = {name: (float(value), 0.0) for name, value in zip(order, analysis["sigma"], strict=True)}
    if len(labels) < len(names):  # the change of a group has no sign
        spread = {}
    return Indices(
        method, sizes, spread, ("mean size of the effects", "their standard deviation", "elementary effects")
    )


def _fast(names: Sequence[str], metric: FloatArray, total: int) -> Indices:
    if np.isfinite(metric).sum() < total:
        return Indices("No indices: FAST needs the metric of all runs of its curves, and some are missing.")
    fast = require("SALib.analyze.fast", "sweep")
    each = total // len(names)
    # not `analyze`, whose confidence by a bootstrap SALib itself warns of as unreliable
    orders = [
        fast.compute_orders(curve, each, _HARMONICS, (each - 1) // (2 * _HARMONICS))
        for curve in metric.reshape(len(names), each)
    ]
    first = {name: (float(order), 0.0) for name, (order, _) in zip(names, orders, strict=True)}
    all_orders = {name: (float(order), 0.0) for name, (_, order) in zip(names, orders, strict=True)}
    method = f"Sobol indices by SALib's extended FAST, {len(names)} curves of {each} runs, without confidence."
    return Indices(method, first, all_orders)


def _problem(names: Sequence[str]) -> dict[str, object]:
    return {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}


def _grid(axes: Mapping[str, Axis], metric: FloatArray) -> Indices | None:
    """Return the indices of a whole grid; None where runs meet a point twice."""
    shape = [axis.levels.size for axis in axes.values()]
    place = np.ravel_multi_index([axis.code.astype(np.int64) for axis in axes.values()], shape)
    if np.bincount(place, minlength=metric.size).max() > 1:
        return None
    ordered = np.empty(metric.size)
    ordered[place] = metric
    table = ordered.reshape(shape) - metric.mean()
    variance = float(table.var())
    first, total = {}, {}
    for number, name in enumerate(axes):
        rest = tuple(place for place in range(len(shape)) if place != number)
        first[name] = (float(table.mean(axis=rest).var()) / variance, 0.0)
        total[name] = (float(table.var(axis=number).mean()) / variance, 0.0)
    method = f"Sobol indices by analysis of variance over the whole grid, {metric.size} runs: exact for its values."
    return Indices(method, first, total)


def _estimated(parameters: Mapping[str, FloatArray], metric: FloatArray) -> Indices:
    if metric.size < _FEWEST:
        return Indices(f"No indices: {metric.size} runs have a value, and {_FEWEST} are needed.")
    rows = drawn(np.arange(metric.size), _MOST_EXPANDED)
    varying = {name: column[rows] for name, column in parameters.items() if np.ptp(column[rows]) > 0}
    with threadpool_limits(1, "blas"):  # the matrices are small: more threads only wait for each other
        expansion = expand(varying, metric[rows])
    if expansion is not None and expansion.predicted >= _PREDICTED:
        method = (
            f"Sobol indices by polynomial chaos from {rows.size} runs: {expansion.terms} polynomials of degree "
            f"{expansion.degree} at most, which predict {100 * expansion.predicted:.1f} % of the variance of runs that "
            "they were not fitted to."
        )
        return Indices(method, expansion.first, expansion.total)
    rbd_fast = require("SALib.analyze.rbd_fast", "sweep")
    rows = drawn(np.arange(metric.size), _MOST_ESTIMATED)
    # ties are broken by order, which must not correlate with anything
    rows = np.random.default_rng(_SEED).permutation(rows)
    names = list(parameters)
    table = np.stack([parameters[name][rows] for name in names], axis=1)
    analysis = rbd_fast.analyze({"num_vars": len(names), "names": names}, table, metric[rows], seed=_SEED)
    method = (
        f"First order by SALib's RBD-FAST from {rows.size} runs; total order needs a whole grid or the sampling "
        "method saltelli."
    )
    if expansion is not None:
        share = max(0.0, 100 * expansion.predicted)
        method += f" Polynomials predict only {share:.0f} % of the variance, so they give no indices."
    return Indices(method, _pairs(names, analysis, "S1"))


def _pairs(names: Sequence[str], analysis: Mapping[str, FloatArray], key: str) -> dict[str, tuple[float, float]]:
    ends = zip(analysis[key], analysis[f"{key}_conf"], strict=True)
    return {name: (float(value), float(half)) for name, (value, half) in zip(names, ends, strict=True)}
