"""Numbers that a trajectory is reduced to.

=========================  =============================================================================================
method                     what it is
=========================  =============================================================================================
``final``                  the value at the last output point
``min``, ``max``           the least and the greatest value
``mean``                   the mean over time, by the trapezoidal rule
``time_of_min``, ``..max`` when the least or the greatest value is first met
``time_above``, ``below``  when the value is first at least, or at most, ``threshold``; nan where it never is
``startup_inventory``      how far an inventory falls below its beginning: what a plant must be started with
``self_sufficiency_time``  when an inventory stops falling: the time of its minimum
``turning_point``          the same, but whether it falls still is seen of a trajectory smoothed over a thousandth of
                           its outputs: TRICYS' ``time_of_turning_point``
``doubling_time``          when, after that minimum, it first is twice what it began with; nan where it never is
=========================  =============================================================================================

Times are those of output points. The last four are the measures of the tritium fuel cycle: Abdou et al. (2021),
Nucl. Fusion 61 013001, section 3, with the inventory of the storage as the variable.

They are nan where the end of a run censors them: an inventory whose least value lies in the last `LATE` of the outputs
has not been seen to rise for good, and may fall further after the end. That is TRICYS' rule for its turning point
(``tricys/analysis/metric.py``, ``time_of_turning_point``); for the others the series is taken as it is. What was seen
are lower bounds: the fall so far (``min`` has it) of the inventory, the end of the run of the times.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from trivium.model.contract import FloatArray

#: Methods that take an output of the experiment as it is: an indicator of a test case, a number of a function.
OUTPUTS = ("kpi", "output")

#: Share of the outputs, at the end, in which a minimum is no minimum yet; share that a turning point is smoothed over.
LATE, _SMOOTHED = 0.3, 0.001
#: Why a metric has no value in a run that is done, by method; see the table above.
CENSORED = {
    "startup_inventory": f"the inventory is least in the last {LATE:.0%} of the run: its fall so far is a lower bound",
    "self_sufficiency_time": f"the inventory is least in the last {LATE:.0%} of the run: its end is a lower bound",
    "turning_point": f"the smoothed inventory is least in the last {LATE:.0%} of the run: its end is a lower bound",
    "doubling_time": f"the inventory is least in the last {LATE:.0%} of the run, or did not double: its end is a bound",
    "time_above": "the value did not reach the threshold: the end of the run is a lower bound",
    "time_below": "the value did not reach the threshold: the end of the run is a lower bound",
}
#: The same, with that of what a search finds in place of a metric.
WITHOUT_VALUE = CENSORED | {
    "find": "the condition holds everywhere or nowhere in the interval, or the end of the run hides where it begins to",
}
#: Methods whose value is a time that the minimum of an inventory, or a threshold, is met at.
_TURNS, _CROSSINGS = ("self_sufficiency_time", "turning_point", "doubling_time"), ("time_above", "time_below")

Reduce = Callable[[FloatArray, FloatArray, float], float]


def is_time(method: str) -> bool:
    """Return whether a metric is a time within the run."""
    return method in (*_TURNS, *_CROSSINGS, "time_of_min", "time_of_max")


def exceeded(method: str, start: float, stop: float) -> float:
    """Return what a metric without a value is greater than for certain; -inf where nothing is.

    Parameters
    ----------
    method : str
    start, stop : float
        Of the run.
    """
    if method in _CROSSINGS:
        return stop
    return stop - LATE * (stop - start) if method in _TURNS else -math.inf


def _first(met: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], times: FloatArray) -> float:
    place = int(np.argmax(met))
    return float(times[place]) if met[place] else math.nan


def _lowest(values: FloatArray) -> int | None:
    """Return the place of the least value; None where it is too late to be the minimum."""
    lowest = int(np.argmin(values))
    return lowest if lowest < values.size - max(1, int(values.size * LATE)) else None


def _startup(_times: FloatArray, values: FloatArray, _threshold: float) -> float:
    lowest = _lowest(values)
    return math.nan if lowest is None else float(values[0] - values[lowest])


def _sufficiency(times: FloatArray, values: FloatArray, _threshold: float) -> float:
    lowest = _lowest(values)
    return math.nan if lowest is None else float(times[lowest])


def _doubling(times: FloatArray, values: FloatArray, _threshold: float) -> float:
    lowest = _lowest(values)
    return math.nan if lowest is None else _first(values[lowest:] >= 2.0 * values[0], times[lowest:])


def _turning_point(times: FloatArray, values: FloatArray, _threshold: float) -> float:
    still_falls = _lowest(_smooth(values)) is None
    return math.nan if still_falls else float(times[np.argmin(values)])


def _smooth(values: FloatArray) -> FloatArray:
    """Return the means over `_SMOOTHED` of the outputs around each one, fewer at the ends."""
    width = max(1, int(values.size * _SMOOTHED))
    sums = np.concatenate([[0.0], np.cumsum(values - values[0])])
    # centred as pandas centres a rolling mean: an even window has the point more before its centre
    first = np.arange(values.size) - width // 2
    starts, ends = np.maximum(first, 0), np.minimum(first + width, values.size)
    means: FloatArray = values[0] + (sums[ends] - sums[starts]) / (ends - starts)
    return means


REDUCERS: dict[str, Reduce] = {
    "final": lambda _times, values, _threshold: float(values[-1]),
    "min": lambda _times, values, _threshold: float(values.min()),
    "max": lambda _times, values, _threshold: float(values.max()),
    "mean": lambda times, values, _threshold: float(np.trapezoid(values, times) / (times[-1] - times[0])),
    "time_of_min": lambda times, values, _threshold: float(times[np.argmin(values)]),
    "time_of_max": lambda times, values, _threshold: float(times[np.argmax(values)]),
    "time_above": lambda times, values, threshold: _first(values >= threshold, times),
    "time_below": lambda times, values, threshold: _first(values <= threshold, times),
    "startup_inventory": _startup,
    "self_sufficiency_time": _sufficiency,
    "turning_point": _turning_point,
    "doubling_time": _doubling,
}


def reduce(method: str, times: FloatArray, values: FloatArray, threshold: float = math.nan) -> float:
    """Reduce a trajectory to a number.

    Parameters
    ----------
    method : str
        One of the table above.
    times, values : FloatArray, shape (n,)
    threshold : float
        Of ``time_above`` and ``time_below``.
    """
    return REDUCERS[method](times, values, threshold)
