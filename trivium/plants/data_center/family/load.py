"""IT load of two halls over a year: what the work would draw.

A model after published traces, and no record of one. Power follows the use of the servers over a floor, because idle
servers draw about half of their peak (Barroso, Hoelzle and Ranganathan, The Datacenter as a Computer, 2018).
Interactive work swings over the day and the week (Google's cells of 2019: Tirmazi et al., EuroSys 2020; Alibaba's
cluster of 2018: Guo et al., IWQoS 2019). Training comes in jobs that start at once, last minutes to weeks with a heavy
tail, and hold their power until they end (Microsoft's Philly: Jeon et al., USENIX ATC 2019; SenseTime's Helios: Hu et
al., SC 2021). The installed base grows in steps on days that are drawn, so that load and season are independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from trivium.errors import InvalidValueError
from trivium.suggestions import near_or_all

FloatArray = NDArray[np.float64]
HOUR, DAY = 3600.0, 86400.0
#: Shares of the power of a hall between which it always stays [1].
LEAST, MOST = 0.1, 1.0


@dataclass(frozen=True)
class Work:
    """The work of a hall, in shares of its installed power [1].

    Attributes
    ----------
    base : float
        Mean of the interactive work with the servers' floor.
    daily : float
        Half the swing of a day, highest at 16 h.
    weekend : float
        What Saturday and Sunday have less.
    noise : float
        Standard deviation, with a time constant of two hours.
    jobs : float
        Training jobs that start in a day.
    job : float
        Mean power of a job.
    hours : float
        Median duration of a job [h]; lognormal, with a standard deviation of 1.2 in the logarithm.
    """

    base: float
    daily: float = 0.0
    weekend: float = 0.0
    noise: float = 0.01
    jobs: float = 0.0
    job: float = 0.0
    hours: float = 8.0


@dataclass(frozen=True)
class Profile:
    """A kind of load.

    Attributes
    ----------
    name, description : str
    halls : tuple of Work
    installed : tuple of float
        Share of the installed power at the beginning and at the end of the year [1].
    steps : int
        In how many steps it grows.
    flexible : float
        Share of the second hall's work that may wait, where the plant can postpone work [1].
    """

    name: str
    description: str
    halls: tuple[Work, Work]
    installed: tuple[float, float] = (0.95, 0.95)
    steps: int = 0
    flexible: float = 0.2


_OFFICE = Work(0.62, daily=0.04, weekend=0.03)
_CLOUD = Work(0.66, daily=0.16, weekend=0.05, noise=0.015)
_TRAINING = Work(0.32, jobs=5.0, job=0.11, hours=10.0)
_ALL = (
    Profile("steady", "companies' servers in both halls", (_OFFICE, _OFFICE), flexible=0.1),
    Profile("cloud", "interactive work with a daily swing", (_CLOUD, _CLOUD)),
    Profile("training", "training jobs in both halls", (_TRAINING, _TRAINING), flexible=0.5),
    Profile("growth", "companies' servers in halls that fill", (_OFFICE, _OFFICE), installed=(0.35, 1.2), steps=5),
    Profile(
        "mixed", "interactive work in one hall, training in the other, both filling", (_CLOUD, _TRAINING),
        installed=(0.55, 1.15), steps=4, flexible=0.3,
    ),
)  # fmt: skip
#: All profiles by name.
PROFILES = {profile.name: profile for profile in _ALL}


def profile(name: str) -> Profile:
    """Return a profile by its name.

    Raises
    ------
    InvalidValueError
        When there is none.
    """
    try:
        return PROFILES[name]
    except KeyError:
        raise InvalidValueError(f"there is no load {name!r}.{near_or_all(name, PROFILES)}", "load") from None


def draw(kind: Profile, times: FloatArray, seed: int) -> FloatArray:
    """Draw the load of a year.

    Parameters
    ----------
    kind : Profile
    times : FloatArray, shape (k,)
        Equidistant, from 0 on, which is Monday 00:00 [s].
    seed : int
        Not negative.

    Returns
    -------
    FloatArray, shape (k, 2)
        Power of the work of each hall over its nominal power [1].
    """
    random = np.random.default_rng((seed, 2))
    installed = _installed(kind, times, random)
    columns = [np.clip(installed * _use(work, times, random), LEAST, MOST) for work in kind.halls]
    return np.column_stack(columns)


def _installed(kind: Profile, times: FloatArray, random: np.random.Generator) -> FloatArray:
    first, last = kind.installed
    days = np.sort(random.uniform(10.0, 355.0, kind.steps))
    ramps = random.uniform(1.0, 6.0, kind.steps)
    grown = np.zeros(times.size)
    for day, ramp in zip(days.tolist(), ramps.tolist(), strict=True):
        grown += 1.0 / (1.0 + np.exp(np.clip(-(times / DAY - day) / ramp, -50.0, 50.0)))
    return first + (last - first) * grown / max(kind.steps, 1)


def _use(work: Work, times: FloatArray, random: np.random.Generator) -> FloatArray:
    days = times / DAY
    use = work.base + work.daily * np.cos(2.0 * np.pi * (days - 16.0 / 24.0))
    use -= work.weekend * (np.floor(days) % 7 >= 5)
    keep = float(np.exp(-(times[1] - times[0]) / (2.0 * HOUR)))
    shocks = random.standard_normal(times.size) * work.noise * np.sqrt(1.0 - keep**2)
    use += lfilter([1.0], [1.0, -keep], shocks)
    count = int(random.poisson(work.jobs * (days[-1] + 10.0)))
    starts = random.uniform(-10.0, days[-1], count) * DAY
    durations = work.hours * HOUR * np.exp(1.2 * random.standard_normal(count))
    powers = work.job * random.uniform(0.3, 1.7, count)
    changes = np.zeros(times.size + 1)
    np.add.at(changes, np.searchsorted(times, starts), powers)
    np.add.at(changes, np.searchsorted(times, starts + durations), -powers)
    result: FloatArray = use + np.cumsum(changes[:-1])
    return result
