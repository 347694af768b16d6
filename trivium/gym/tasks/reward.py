"""The reward of a task: minus the cost of the electricity and of what a controller must not do."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from trivium.errors import InvalidValueError
from trivium.gym.reward import Transition
from trivium.plants.data_center.constraints import Costs, costs

#: What the electricity counts by: its cost at the price of the market, or its energy at the mean price.
OBJECTIVES: Mapping[str, str] = MappingProxyType({"cost": "cost_tot", "energy": "ener_tot"})
#: Mean price of electricity [currency/kWh].
_PRICE = 0.0804
#: Currency for each megawatt that the plant is built for, by unit of the cost; work by kWh and megawatt.
WEIGHTS = Costs(work=1.0, hall=20.0, supply=10.0, lock=1.0, rate=1.0, flow=1.0)


#: The costs of a step that violates nothing.
NONE = Costs(*[0.0] * len(Costs._fields))


class TaskReward:
    """Minus the cost of a control step for each megawatt of IT load that the plant is built for [currency/MW].

    Parameters
    ----------
    nominal : float
        [W]
    objective : str
        Key of `OBJECTIVES`.

    Raises
    ------
    InvalidValueError
        When the objective is none.
    """

    def __init__(self, nominal: float, objective: str) -> None:
        if objective not in OBJECTIVES:
            raise InvalidValueError(
                f"Invalid value {objective} for parameter objective. It must be one of {', '.join(OBJECTIVES)}.",
                "objective",
            )
        self._nominal = nominal
        #: The key performance indicator that the electricity counts by.
        self.kpi = OBJECTIVES[objective]
        self._price = 1.0 if objective == "cost" else _PRICE
        #: Costs of the last step.
        self.costs = NONE

    def forget(self) -> None:
        """Begin an episode."""
        self.costs = NONE

    def __call__(self, transition: Transition) -> float:
        """Return the reward."""
        self.costs = costs(transition.before, transition.after, transition.step, self._nominal)
        return self.value(transition.kpi[self.kpi]) + self.penalty(self.costs)

    def value(self, electricity: float) -> float:
        """Return the reward for electricity [unit of the indicator]."""
        return -electricity * self._price * 1e6 / self._nominal

    def penalty(self, violated: Costs) -> float:
        """Return the reward for what must not be done."""
        weighted = violated._replace(work=violated.work * 1e6 / self._nominal)
        return -sum(weight * cost for weight, cost in zip(WEIGHTS, weighted, strict=True))
