"""Components of the fuel cycle, species, and where each species goes when it leaves a component.

Components as Abdou et al., Nucl. Fusion 61 (2021) 013001 (appendix) has them, and the processing of the tokamak's
exhaust with direct internal recycling beside them, as Meschini et al., Nucl. Fusion 63 (2023) 126005. Water and gas
detritiation are two components.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import casadi as ca

__all__ = ["COMPONENTS", "HOLDING", "HYDROGEN", "SPECIES", "STACK", "routes"]

SPECIES: Mapping[str, str] = {
    "T": "tritium", "D": "deuterium", "H": "protium", "He": "helium", "X": "impurities",
}  # fmt: skip
"""Species by symbol. Helium is helium-4 of fusion and breeding with helium-3 of decay; impurities are all else."""

HYDROGEN = ("T", "D", "H")

COMPONENTS: Mapping[str, str] = {
    "sds": "Storage and delivery",
    "bz": "Breeding zone",
    "tes": "Tritium extraction",
    "fw": "First wall",
    "div": "Divertor",
    "hx": "Coolant and heat exchanger",
    "cps": "Coolant purification",
    "vp": "Vacuum pumps",
    "tep": "Tokamak exhaust processing",
    "fcu": "Fuel clean-up",
    "iss": "Isotope separation",
    "eds": "Exhaust gas detritiation",
    "wds": "Water detritiation",
}
"""Components by name; each but ``sds`` lets everything out after its residence time."""

HOLDING = ("tes", "cps", "tep", "fcu", "iss", "wds")
"""Components that hold a first amount back: beds, columns, cold surfaces that fill before anything leaves."""

STACK = "stack"
"""What leaves the plant."""

Routes: TypeAlias = dict[str, dict[str, dict[str, ca.SX]]]


def routes(p: Callable[[str], ca.SX]) -> Routes:
    """Shares of what leaves a component.

    Parameters
    ----------
    p : function of a name
        Gives the parameter [1].

    Returns
    -------
    dict of component to species to destination to share
        Shares of a species add up to one. ``sds`` appears with the species that are not delivered to the plasma.
    """
    one = ca.SX(1.0)

    def divided(names: tuple[str, ...], share: ca.SX, to: str, rest: str) -> dict[str, dict[str, ca.SX]]:
        return {name: {to: share, rest: 1.0 - share} for name in names}

    def all_to(names: tuple[str, ...], to: str) -> dict[str, dict[str, ca.SX]]:
        return {name: {to: one} for name in names}

    gas, every = ("He", "X"), tuple(SPECIES)
    to_cps, half = p("hx.to_cps"), (1.0 - p("hx.to_cps")) / 2.0
    return {
        "bz": divided(HYDROGEN, p("bz.permeation"), "hx", "tes") | all_to(gas, "tes"),
        "tes": divided(HYDROGEN, p("tes.efficiency"), "iss", "bz") | all_to(gas, "eds"),
        "fw": all_to(every, "hx"),
        "div": all_to(every, "hx"),
        "hx": {name: {"cps": to_cps, "fw": half, "div": half} for name in HYDROGEN} | all_to(gas, "cps"),
        "cps": divided(HYDROGEN, p("cps.efficiency"), "wds", "hx") | all_to(gas, "eds"),
        "vp": all_to(every, "tep"),
        "tep": divided(HYDROGEN, p("tep.DIR"), "sds", "fcu") | all_to(gas, "fcu"),
        "fcu": divided(HYDROGEN, p("fcu.tail"), "eds", "iss") | divided(gas, p("fcu.tail"), "iss", "eds"),
        "iss": divided(("T", "D"), p("iss.tail"), "wds", "sds") | all_to(("H",), "wds") | all_to(gas, "eds"),
        "eds": divided(HYDROGEN, p("eds.efficiency"), "wds", STACK) | all_to(gas, STACK),
        "wds": divided(("T", "D"), p("wds.efficiency"), "iss", STACK) | all_to(("H", *gas), STACK),
        "sds": all_to(("H", *gas), "fcu"),
    }
