"""Rewards: named terms with weights, or any function of a transition."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from trivium.errors import InvalidValueError
from trivium.plants.cooling.agent import CHILLERS, HEADS, LEAST_HEAD, POWER, STANDING, SUPPLY, WORST_HOUR

#: Terms there are.
TERMS = ("energy", "violation", "cost", "starts")
#: A kilowatt-hour of electricity costs a hundredth, one of heat that is not removed five times that (no chiller needs
#: as much to remove it), a kelvin-hour in the hall ten, the start of a chiller as much as 20 kWh, of a pump as 5 kWh.
DEFAULT_WEIGHTS = {
    "ener_tot": 0.01, "tdis_tot": 10.0, "unserved_tot": 0.05,
    "starts_chillers": 0.2, "starts_condenser_pumps": 0.05, "starts_chilled_pumps": 0.05,
}  # fmt: skip
#: The same for a test case that does not define these indicators, as far as it can be measured.
MEASURED_WEIGHTS = {"energy": 0.01, "violation": 10.0, "starts": 0.2}
#: Least that a step costs which a failure leaves undone.
LEAST_FAILURE = 100.0
_JOULE_PER_KWH = 3.6e6
_HOUR = 3600.0


class Transition(NamedTuple):
    """A control step that was done.

    Attributes
    ----------
    time : float
        Clock after it [s].
    step : float
        Its length [s].
    before, after : Mapping[str, float]
        All measurements and inputs before and after.
    boundary : Mapping[str, float]
        Boundary data during it, those that the environment observes or the reward needs.
    kpi : Mapping[str, float]
        What key performance indicators gained in it, those that the environment is asked for or the reward needs.
    """

    time: float
    step: float
    before: Mapping[str, float]
    after: Mapping[str, float]
    boundary: Mapping[str, float]
    kpi: Mapping[str, float]


RewardFunction = Callable[[Transition], float]


def default_weights(indicators: Collection[str]) -> Mapping[str, float]:
    """Return the weights of the default reward for a test case that defines some indicators."""
    return DEFAULT_WEIGHTS if {*DEFAULT_WEIGHTS} <= {*indicators} else MEASURED_WEIGHTS


class Reward:
    """Minus the weighted sum of terms; each is of one control step, with the values at its end:

    ``energy``
        Electricity, the power times the step [kWh].
    ``violation``
        What the temperature is above limit and band, times the step [K h]. While no pump gives head, the water stands,
        and the temperature of its sensor says nothing: the worst counts.
    ``cost``
        The energy times the price [currency].
    ``starts``
        How many of the switches went from off to on.
    a key performance indicator
        What it gained, like ``ener_tot`` and ``tdis_tot``; unlike the above, exact for control steps of many intervals.

    Parameters
    ----------
    weights : Mapping[str, float], optional
        By term, per kWh, K h, currency, start, unit of the indicator; default: `DEFAULT_WEIGHTS`, which needs their
        indicators.
    power : sequence of str
        Signals whose sum is the power [W].
    temperature : str
        Signal that must not be warmer than the limit [K].
    limit, band : float
        [K]
    price : str or float
        Boundary signal of the price, or the price itself [currency/kWh].
    switches : sequence of str
        Inputs that are on from 0.5 on.

    """  # noqa: D400

    def __init__(
        self,
        weights: Mapping[str, float] | None = None,
        *,
        power: Sequence[str] = POWER,
        temperature: str = SUPPLY,
        limit: float = 287.15,
        band: float = 0.5,
        price: str | float = 0.1,
        switches: Sequence[str] = CHILLERS,
    ) -> None:
        weights = DEFAULT_WEIGHTS if weights is None else weights
        self.weights = dict(weights)
        self._power, self._temperature, self._limit = tuple(power), temperature, limit + band
        self._price, self._switches = price, tuple(switches)
        #: Key performance indicators among the terms.
        self.kpis = tuple(name for name in weights if name not in TERMS)
        #: Boundary signals that it needs.
        self.boundary = (price,) if isinstance(price, str) and "cost" in weights else ()

    def check(self, measurements: Mapping[str, object]) -> None:
        """Refuse a plant that does not measure what the terms need.

        Raises
        ------
        InvalidValueError
            Naming the signal.
        """
        needed = [*self._power] if {"energy", "cost"} & self.weights.keys() else []
        needed += [self._temperature] if "violation" in self.weights else []
        for name in needed:
            if name not in measurements:
                raise InvalidValueError(f"The reward needs {name}, which this plant does not measure.", "reward")

    def terms(self, transition: Transition) -> dict[str, float]:
        """Return each term that has a weight."""
        after, hours = transition.after, transition.step / _HOUR
        energy = sum(after[name] for name in self._power) * transition.step / _JOULE_PER_KWH
        terms = {}
        for name in self.weights:
            if name == "energy":
                terms[name] = energy
            elif name == "violation":
                terms[name] = max(0.0, self._hall(after) - self._limit) * hours
            elif name == "cost":
                price = self._price if isinstance(self._price, float | int) else transition.boundary[self._price]
                terms[name] = energy * price
            elif name in self.kpis:
                terms[name] = transition.kpi[name]
            else:
                terms[name] = float(sum(transition.before[name] < 0.5 <= after[name] for name in self._switches))
        return terms

    def _hall(self, after: Mapping[str, float]) -> float:
        """Return the temperature that the hall gets [K]."""
        heads = [after[name] for name in HEADS if name in after] if self._temperature == SUPPLY else []
        return STANDING if heads and max(heads) < LEAST_HEAD else after[self._temperature]

    def worst(self, step: float) -> float:
        """Return a reward that no control step of this length [s] falls below, where the bounds of its terms are known.

        Terms without a bound, such as costs, are left out.
        """
        most = sum(max(weight, 0.0) * WORST_HOUR.get(name, 0.0) for name, weight in self.weights.items())
        return -max(most * max(step, 300.0) / _HOUR, LEAST_FAILURE)

    def __call__(self, transition: Transition) -> float:
        """Return the reward."""
        return self.total(self.terms(transition))

    def total(self, terms: Mapping[str, float]) -> float:
        """Return the reward for terms."""
        return -sum(weight * terms[name] for name, weight in self.weights.items())
