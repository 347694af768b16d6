"""A reading of the cooling plant's points, for tests of its status and its drawing."""

from __future__ import annotations

from trivium.plants.cooling.rules import INPUTS


def all_off() -> dict[str, float]:
    """Return a reading where all is off, at 20 °C."""
    found = dict.fromkeys(INPUTS, 0.0)
    for i in range(1, 7):
        found |= dict.fromkeys((f"Tlvg_CT{i}_01", f"Tlvg_CT{i}_02"), 293.15)
        found |= {f"Pchi{i}": 0.0, f"H_CDWP{i}": 0.0, f"H_CHWP{i}": 0.0}
        found |= dict.fromkeys((f"Tchws_CHI{i}", f"Tcwr_CHI{i}", f"Tcwr_HEX{i}"), 293.15)
    found |= dict.fromkeys(("Tcw_supply", "Tcw_returnPipe", "Tchw_supply", "Tchw_r", "Twb_outside"), 293.15)
    found |= dict.fromkeys(("VolumeFlowRate_cw", "Mchw", "P_Chillers_sum", "P_CTfans_sum"), 0.0)
    return found | dict.fromkeys(("P_CDWPs_sum", "P_CHWPs_sum"), 0.0)


def opened(values: dict[str, float], train: int, valves: tuple[int, ...]) -> None:
    """Open valves of a train on both sides."""
    for valve in valves:
        values |= {f"CHI0{train}_CW{valve}": 1.0, f"CHI0{train}_CHW{valve}": 1.0}
