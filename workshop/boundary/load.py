"""The data halls: what heat they give off, and the chilled water they draw for it.

A model of IT load and air coolers, not of any particular site. Its figures are chosen so that flow and return
temperature have the range, the spread and the persistence that are on record for the plant this one is sized after
(docs/boundary-data.md compares them).

Load
    ``P = G (1 + d cos(2 pi (h - 15)/24) - w weekend + n)`` with the installed base ``G`` growing as halls are let
    and left (logistic ramps on a steady trend), a daily and a weekly rhythm of the work, and noise ``n``: a first-order
    autoregression of two hours and independent samples.
Heat
    ``Q = H P``: distribution losses and fans of the air coolers add their share.
Return temperature
    What the air coolers reach: it rises with the installed base (fuller halls bypass less cold air), drifts over weeks
    (rack moves, set points of the tenants), over a day and over an hour, and stays within the coolers' limits by a
    smooth saturation.
Flow
    ``M = Q / (cp (T_return - T_supply))``: the coolers' valves open until the heat is gone.
Failover tests
    Now and then a bypass is opened for an hour or three: the flow rises, and mixing lowers the return temperature
    such that the heat stays what it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

FloatArray = NDArray[np.float64]

DAY = 86_400.0
HOUR = 3_600.0


@dataclass(frozen=True)
class Hall:
    """A change of the installed base [W], the middle of its ramp [days] and the ramp's time constant [days]."""

    power: float
    day: float
    ramp: float


@dataclass(frozen=True)
class LoadModel:
    """Figures of the load model; see the module's equations."""

    base: float = 2.00e6  # W of IT at time 0
    trend: float = 0.35e6  # W more by the end of the data
    halls: tuple[Hall, ...] = (
        Hall(0.40e6, 38.0, 4.0),
        Hall(1.05e6, 97.0, 2.5),  # a batch of computing that leaves again
        Hall(-0.95e6, 158.0, 2.0),
        Hall(1.75e6, 246.0, 6.0),
    )
    daily: float = 0.030  # share, highest at 15 h
    weekend: float = 0.035  # share less on Saturday and Sunday
    slow_noise: float = 0.012  # share, standard deviation of the two-hour noise
    slow_hours: float = 2.0
    fast_noise: float = 0.010  # share, standard deviation of the independent noise
    overhead: float = 1.06  # heat over IT power
    cp: float = 4186.0  # J/(kg K)
    supply: float = 287.15  # K, what the coolers are designed for
    middle: float = 292.8  # K, middle of the coolers' limits
    half_range: float = 2.5  # K, the coolers' limits around it
    rise: float = 0.45e-6  # K/W, return temperature over heat
    typical: float = 3.2e6  # W, heat at which the rise is zero
    drifts: tuple[tuple[float, float], ...] = ((40 * 24.0, 1.10), (24.0, 0.22), (1.5, 0.06))  # hours, K
    sample_noise: float = 0.045  # K, independent
    tests: int = 14  # failover tests in the data
    lowest_return: float = 290.0  # K, a test keeps above it
    highest_flow: float = 400.0  # kg/s, a test keeps below it

    def heat(self, times: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Heat that the chilled water takes up [W] at the times [s]; time 0 is a Wednesday 00:00."""
        days = times / DAY
        installed = self.base + self.trend * days / days[-1]
        for hall in self.halls:
            installed = installed + hall.power / (1.0 + np.exp(-(days - hall.day) / hall.ramp))
        rhythm = self.daily * np.cos(2.0 * np.pi * (days % 1.0 - 15.0 / 24.0))
        weekday = (np.floor(days) + 2) % 7
        rhythm = rhythm - self.weekend * (weekday >= 5)
        noise = _autoregression(times, self.slow_hours, self.slow_noise, rng)
        noise = noise + self.fast_noise * rng.standard_normal(times.size)
        heat: FloatArray = self.overhead * installed * (1.0 + rhythm + noise)
        return heat

    def chilled_water(self, times: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Chilled water flow [kg/s] and return temperature [K] at the times [s]."""
        heat = self.heat(times, rng)
        target = self.rise * (heat - self.typical)
        for hours, deviation in self.drifts:
            target = target + _autoregression(times, hours, deviation, rng)
        back = self.middle + self.half_range * np.tanh(target / self.half_range)
        back += self.sample_noise * rng.standard_normal(times.size)
        flow = heat / (self.cp * (back - self.supply))
        return self._with_tests(times, flow, back, rng)

    def _with_tests(
        self, times: FloatArray, flow: FloatArray, back: FloatArray, rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray]:
        starts = rng.uniform(times[0] + 10 * DAY, times[-1] - DAY, self.tests)
        lengths = rng.uniform(1.0, 3.0, self.tests) * HOUR
        factors = rng.uniform(1.3, 2.2, self.tests)
        for start, length, factor in zip(starts, lengths, factors, strict=True):
            during = (times >= start) & (times < start + length)
            room = np.minimum((back - self.supply) / (self.lowest_return - self.supply), self.highest_flow / flow)
            more = np.where(during, np.clip(factor, 1.0, room), 1.0)
            flow = flow * more
            back = self.supply + (back - self.supply) / more
        return flow, back


def _autoregression(times: FloatArray, hours: float, deviation: float, rng: np.random.Generator) -> FloatArray:
    """Make a stationary first-order autoregression of given time constant [h] and standard deviation."""
    keep = float(np.exp(-(times[1] - times[0]) / (hours * HOUR)))
    shocks = rng.standard_normal(times.size) * deviation * np.sqrt(1.0 - keep**2)
    shocks[0] = deviation * rng.standard_normal()
    series: FloatArray = lfilter([1.0], [1.0, -keep], shocks)
    return series
