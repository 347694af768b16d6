"""What the two models exchange, by the names and bounds of the proposal that this follows (EAPD-DRB/MUIOGO #24)."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from trivium.coupling.schema import Columns

#: Settings of the proposal's loop.
ALPHA, TOLERANCE, ITERATIONS = 0.2, 1e-4, 20
#: Defaults of the proposal's bridge.
ELASTICITY, CARBON_TAX = 0.8, 50.0
#: Least share of its base that a demand may become.
LEAST_DEMAND = 0.1

Iteration = Annotated[int, Field(ge=1)]
NotNegative = Annotated[float, Field(ge=0)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ClewsOutputSchema(_Record):
    """What an energy model answers: emissions and discounted costs, none of them negative."""

    iteration: Iteration
    AnnualEmissions: list[NotNegative]
    TotalDiscountedCostByTechnology: list[NotNegative]


class OgCoreInputSchema(Columns):
    """What a macro-economic model wants: years that grow, the index of energy costs, revenue from the carbon tax."""

    years: list[int]
    energy_cost_index: list[float]
    carbon_tax_revenue: list[float]

    @model_validator(mode="after")
    def _grows(self) -> Self:
        if sorted(set(self.years)) != self.years:
            raise ValueError("years must grow")
        return self


class OgCoreOutputSchema(_Record):
    """What a macro-economic model answers: by how much its GDP differs from the base, as a share of that."""

    iteration: Iteration
    gdp_growth_rate: float


class ClewsInputSchema(Columns):
    """What an energy model wants: annual demand by fuel and year, and the discount rate.

    The proposal bounds a scale of demand from below by 0.1; that is `ratio` here, demand over the base's.
    """

    fuel: list[str]
    year: list[int]
    SpecifiedAnnualDemand: list[NotNegative]
    ratio: list[Annotated[float, Field(ge=LEAST_DEMAND)]]
    DiscountRate: NotNegative
