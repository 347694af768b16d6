"""What an agent that learns to control the cooling plant works with: limits, decisions, power, switches."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from trivium.plants.cooling.rules import UNITS, Mode, RuleBasedController
from trivium.plants.cooling.staging import Stage

#: What the cooling plant can do, by name of the measurement; the narrower of this and what the FMU declares holds.
#: Powers [W] of machines at full speed and load, heads [m] at shut-off, temperatures [K] between the low-temperature
#: cut-out and the high-pressure limiter (docs/plant.md); docs/gym.md has the table with its reasons.
LIMITS: tuple[tuple[re.Pattern[str], float, float], ...] = tuple(
    (re.compile(pattern), low, high)
    for pattern, low, high in (
        (r"Pfan_CT\d_0\d", 0.0, 55e3),
        (r"P_CTfans_sum", 0.0, 12 * 55e3),
        (r"P_CDWPs_sum", 0.0, 6 * 170e3),
        (r"P_CHWPs_sum", 0.0, 6 * 190e3),
        (r"Pchi\d", 0.0, 3 * 517.2e3),
        (r"P_Chillers_sum", 0.0, 18 * 517.2e3),
        (r"H_CDWP\d", 0.0, 60.0),
        (r"H_CHWP\d", 0.0, 65.0),
        (r"eta_C[DH]WP\d", 0.0, 1.0),
        (r"VolumeFlowRate_cw", 0.0, 5.0),
        (r"T(lvg_CT|chws_|cwr_|chw_supply|cw_supply|cw_returnPipe).*", 273.15, 348.15),
    )
)
#: Power signals [W].
POWER = ("P_Chillers_sum", "P_CDWPs_sum", "P_CHWPs_sum", "P_CTfans_sum")
#: Switches of the compressors.
CHILLERS = tuple(f"CHI0{i}" for i in range(1, UNITS + 1))
#: The temperature that must not get too warm [K].
SUPPLY = "Tchw_supply"
#: Heads of the chilled water pumps: water stands while none of them reaches `LEAST_HEAD` [m], and counts as `STANDING`
#: [K] in the hall; see ``testcase.toml`` and docs/kpi.md.
HEADS = tuple(f"H_CHWP{i}" for i in range(1, UNITS + 1))
LEAST_HEAD = 10.0
STANDING = 313.15
#: What an hour can cost at most, in units of terms and indicators: all machines at their limits [kWh], a currency unit
#: and a kilogram of CO2 for each kWh, water as warm as the high-pressure limiter lets it get [K h], no heat removed of
#: the most that six chillers are for [kWh], every unit started in each step of 300 s.
WORST_HOUR: Mapping[str, float] = {
    **dict.fromkeys(("energy", "ener_tot", "cost", "cost_tot", "emis_tot"), 12_130.0),
    **dict.fromkeys(("violation", "tdis_tot"), 60.5),
    "unserved_tot": 24_170.0,
    **dict.fromkeys(("starts", "starts_chillers", "starts_condenser_pumps", "starts_chilled_pumps"), 72.0),
}
#: Modes in the order of the discrete action.
MODES = (Mode.FREE, Mode.PARTIAL, Mode.CHILLER)
#: Parts of the discrete action, each with how many choices there are; numbers of units from 1 on.
STAGES = {
    "mode": len(MODES), "trains": UNITS, "towers": UNITS, "condenser_pumps": UNITS, "chilled_pumps": UNITS,
}  # fmt: skip
#: Continuous part: the supply set point [K], and the condenser water's approach to the wet bulb that the fans aim at
#: when chillers run [K].
SET_POINTS = {"supply": (283.15, 291.15), "approach": (2.0, 10.0)}


class _Ordered(Stage):
    """A stage with as many units as somebody says."""

    def __init__(self) -> None:
        super().__init__(up=2.0, down=1.0)

    def start(self, demand: float) -> int:  # noqa: ARG002
        return self.count

    def update(self, demand: float) -> int:  # noqa: ARG002
        return self.count


class StagedController(RuleBasedController):
    """The rule-based controller under orders."""

    def reset(self, observation: Mapping[str, float], boundary: Mapping[str, float]) -> None:
        """Start without a past, and without orders."""
        super().reset(observation, boundary)
        self._ordered_mode = self.mode
        trains = _Ordered()
        self._flow_trains = self._load_trains = trains
        self._towers, self._condenser_pumps, self._chilled_pumps = _Ordered(), _Ordered(), _Ordered()
        self._ordered = (trains, self._towers, self._condenser_pumps, self._chilled_pumps)

    def order(self, mode: Mode, counts: Sequence[int], supply: float, approach: float) -> None:
        """Take orders for the coming step: mode, units in service (see `STAGES`), set points [K]."""
        self._ordered_mode = mode
        for stage, count in zip(self._ordered, counts, strict=True):
            stage.count = count
        self.rules = replace(self.rules, supply=supply, tower_approach=approach)

    def _update_mode(self, observation: Mapping[str, float], boundary: Mapping[str, float]) -> bool:
        """Change to the mode that was ordered; the rules would take another one."""
        before = self.mode
        super()._update_mode(observation, boundary)  # keeps the hour's average of the wet bulb
        self.mode = self._ordered_mode
        return self.mode is not before
