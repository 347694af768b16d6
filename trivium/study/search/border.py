"""Where a condition begins to hold, for many points at once: brackets from neighbours, then Chandrupatla's method.

Each round asks for a value of every point that is not settled yet. The method brackets the border from its first step
on, so that it ends whatever the metric is like; SciPy's ``find_root`` is it, for arrays [1]_.

References
----------
.. [1] Chandrupatla (1997), Advances in Engineering Software 28(3), 145-149.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import elementwise
from scipy.spatial import cKDTree

from trivium.model.contract import FloatArray

#: Least number of points whose neighbours are asked first; how many more points each wave has than those before it.
_FEWEST, _GROWTH = 16, 4
#: Neighbours whose answers make a first bracket, and how much wider it is: multiples of their spread, of the interval.
_NEIGHBOURS, _SPREAD, _SHARE = 3, 0.5, 0.01
#: Most rounds of a wave; bisection of doubles takes fewer.
_ROUNDS = 200

#: Takes points and a value of each; returns how far each is from the condition: negative where it holds, positive where
#: it does not, between -1 and 1; nan where nothing came of it.
Distance = Callable[[NDArray[np.intp], FloatArray], FloatArray]


@dataclass
class Borders:
    """What is known of the border at each point.

    Attributes
    ----------
    inside, outside : FloatArray, shape (n,)
        The values nearest to it where the condition holds, and where it does not; nan where there is none.
    low, high : float
        Ends of the interval.
    """

    inside: FloatArray
    outside: FloatArray
    low: float
    high: float

    def take(self, points: NDArray[np.intp], x: FloatArray, at: FloatArray) -> None:
        """Take values of points, and how far they are from the condition, as what is known of their borders."""
        holds, fails = at < 0.0, at > 0.0
        self.inside[points[holds]] = x[holds]
        self.outside[points[fails]] = x[fails]

    def forget(self, points: NDArray[np.intp]) -> None:
        """Forget what is known of points where something failed."""
        self.inside[points] = self.outside[points] = np.nan

    @property
    def found(self) -> NDArray[np.bool_]:
        """Points where there is a border."""
        found: NDArray[np.bool_] = np.isfinite(self.inside) & np.isfinite(self.outside)
        return found


def find_borders(
    distance: Distance, points: FloatArray, low: float, high: float, width: float
) -> Iterator[tuple[Borders, NDArray[np.intp]]]:
    """Find the border at each point, in waves: those of later points are looked for around those of their neighbours.

    Parameters
    ----------
    distance : callable
    points : FloatArray, shape (n, d)
        Where they are, for who is whose neighbour.
    low, high : float
        Ends of the interval.
    width : float
        To which it is narrowed.

    Yields
    ------
    tuple of Borders and array
        All that is known, and the points that were settled by this wave. Points where something failed have neither
        an inside nor an outside.
    """
    count = len(points)
    borders = Borders(np.full(count, np.nan), np.full(count, np.nan), low, high)
    unit = _scaled(points)
    settled = np.empty(0, dtype=np.intp)
    for wave in _waves(count):
        first, last = _first_brackets(borders, unit, settled, wave, width)
        _settle(distance, borders, wave, first, last, width)
        settled = np.concatenate([settled, wave])
        yield borders, wave


def _settle(
    distance: Distance, borders: Borders, wave: NDArray[np.intp], first: FloatArray, last: FloatArray, width: float
) -> None:
    """Find the borders of the points of a wave, from brackets that may not hold them."""
    at_first, at_last = np.split(distance(np.tile(wave, 2), np.concatenate([first, last])), 2)
    missed = ~_differ(at_first, at_last) & ((first > borders.low) | (last < borders.high))
    if missed.any():
        ends = np.repeat([borders.low, borders.high], missed.sum())
        at_low, at_high = np.split(distance(np.tile(wave[missed], 2), ends), 2)
        below, above = _differ(at_low, at_first[missed]), _differ(at_last[missed], at_high)
        sides = [below, above & ~below]
        first[missed], last[missed], at_first[missed], at_last[missed] = (
            np.select(sides, [borders.low, last[missed]], borders.low),
            np.select(sides, [first[missed], borders.high], borders.high),
            np.select(sides, [at_low, at_last[missed]], at_low),
            np.select(sides, [at_first[missed], at_high], at_high),
        )
    for x, at in ((first, at_first), (last, at_last)):
        borders.take(wave, x, at)
    bracketed = _differ(at_first, at_last)
    if bracketed.any():
        result = elementwise.find_root(
            lambda x, point: distance(point.astype(np.intp), x),
            (first[bracketed], last[bracketed]),
            args=(wave[bracketed].astype(np.float64),),
            tolerances={"xatol": width, "xrtol": 0.0, "fatol": 0.0, "frtol": 0.0},
            maxiter=_ROUNDS,
        )
        for x, at in zip(result.bracket, result.f_bracket, strict=True):
            borders.take(wave[bracketed], x, np.where(result.success, at, np.nan))
        borders.forget(wave[bracketed][~result.success])
    borders.forget(wave[np.isnan(at_first) | np.isnan(at_last)])


def _differ(one: FloatArray, other: FloatArray) -> NDArray[np.bool_]:
    """Return where a border is between two values; none where something failed."""
    differ: NDArray[np.bool_] = one * other < 0.0
    return differ


def _first_brackets(
    borders: Borders, unit: FloatArray, settled: NDArray[np.intp], wave: NDArray[np.intp], width: float
) -> tuple[FloatArray, FloatArray]:
    """Return where borders are looked for first: around those of the nearest points, or in the whole interval."""
    low, high = borders.low, borders.high
    near = settled[borders.found[settled]]
    if near.size < _NEIGHBOURS:
        return np.full(wave.size, low), np.full(wave.size, high)
    _, places = cKDTree(unit[near]).query(unit[wave], k=_NEIGHBOURS)
    middles = (0.5 * (borders.inside + borders.outside))[near][places]
    least, greatest = middles.min(axis=1), middles.max(axis=1)
    margin = np.maximum(_SPREAD * (greatest - least), max(2.0 * width, _SHARE * (high - low)))
    return np.clip(least - margin, low, high - width), np.clip(greatest + margin, low + width, high)


def _waves(count: int) -> Iterator[NDArray[np.intp]]:
    """Yield the points in waves, each some times larger than all before it, and each spread evenly over the points."""
    order = np.random.default_rng(0).permutation(count)
    sizes = [count]
    while sizes[-1] >= _FEWEST * _GROWTH:
        sizes.append(-(-sizes[-1] // _GROWTH))
    done = 0
    for size in reversed(sizes):
        yield np.sort(order[done:size])
        done = size


def _scaled(points: FloatArray) -> FloatArray:
    """Return points with every coordinate between 0 and 1."""
    if not points.size:
        return np.zeros((len(points), 1))
    least, spread = points.min(axis=0), np.ptp(points, axis=0)
    scaled: FloatArray = (points - least) / np.where(spread > 0, spread, 1.0)
    return scaled
