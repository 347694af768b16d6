"""Every number of the fuel cycle, in one place: the parameters of the FMU and the constants of nature.

`docs/fuel-cycle.md` says where the values come from.
"""

from __future__ import annotations

from collections.abc import Mapping

import casadi as ca

from workshop.fmi.spec import Variable
from workshop.fuel_cycle.network import COMPONENTS, HOLDING

__all__ = ["ENERGY", "MASS", "PARAMETERS", "TRITONS_PER_MWH", "Parameters"]

ENERGY = 17.6
"""Of a fusion of deuterium and tritium [MeV]."""

MASS = {"T": 3.0160493, "D": 2.0141018, "H": 1.0078250, "He": 4.0026033}
"""Atomic masses [g/mol] (AME2020)."""

_MEV, _AVOGADRO = 1.602176634e-13, 6.02214076e23  # J, 1/mol: exact in the SI of 2019

TRITONS_PER_MWH = 3.6e9 / (ENERGY * _MEV * _AVOGADRO)
"""Fusions of 1 MWh [mol]."""

# Mean residence time [h], losses beside radioactive decay as a fraction of what leaves
_RESIDENCE: Mapping[str, tuple[float, float]] = {
    "sds": (24.0, 0.0),
    "bz": (1.25, 1e-4),
    "tes": (24.0, 1e-4),
    "fw": (1000.0 / 3600.0, 0.0),
    "div": (1000.0 / 3600.0, 0.0),
    "hx": (1000.0 / 3600.0, 1e-4),
    "cps": (48.0, 1e-4),
    "vp": (600.0 / 3600.0, 1e-4),
    "tep": (0.3, 1e-4),
    "fcu": (0.4, 1e-4),
    "iss": (3.6, 1e-4),
    "eds": (1.0, 1e-4),
    "wds": (20.0, 1e-4),
}
_HOLD_UP = {"tes": 10.0, "cps": 2.0, "tep": 5.0, "fcu": 10.0, "iss": 100.0, "wds": 5.0}


def _share(name: str, description: str, start: float, low: float = 0.0, high: float = 1.0) -> Variable:
    return Variable(name, description, "1", start, min=low, max=high)


def _parameters() -> tuple[Variable, ...]:
    label = COMPONENTS
    return (
        Variable("pulse.power", "Fusion power while the pulse is on", "MW", 1500.0, min=0.0, max=1e5),
        _share("pulse.width", "Part of the period during which the pulse is on", 0.9),
        Variable("pulse.period", "Time from one pulse to the next", "h", 2.0, min=0.01, max=1e5),
        _share("plasma.Burn_Fraction", "Part of the tritium that enters the plasma that burns", 0.05, low=1e-4),
        _share("plasma.Fueling_Efficiency", "Part of the injected fuel that enters the plasma", 0.5, low=1e-3),
        _share("bz.TBR", "Tritium breeding ratio: tritium bred per tritium burnt", 1.1, high=10.0),
        _share("tep.DIR", "Direct internal recycling: part of the exhausted hydrogen sent straight to storage", 0.5),
        Variable("sds.initial_T", "Tritium in storage at the start", "g", 3000.0, min=0.0, max=1e9),
        Variable("sds.initial_D", "Deuterium in storage at the start", "g", 2000.0, min=0.0, max=1e9),
        Variable("integrator.step", "Longest step of the integrator", "h", 0.1, min=1e-3, max=10.0),
        Variable("tritium.half_life", "Half-life of tritium", "d", 12.32 * 365.25, min=1.0, max=1e9),
        _share("plasma.to_fw", "Part of the exhaust driven into the first wall", 1e-4, high=0.5),
        _share("plasma.to_div", "Part of the exhaust driven into the divertor", 1e-4, high=0.5),
        _share("plasma.protium", "Protium in the exhaust per injected deuterium and tritium, by atoms", 5e-3),
        _share("plasma.impurities", "Impurities in the exhaust per injected deuterium and tritium, by mass", 1e-2),
        _share("bz.protium", "Protium made in the breeding zone per tritium bred, by atoms", 0.1, high=1e3),
        _share("bz.impurities", "Impurities from the breeding zone per tritium bred, by mass", 1e-2, high=1e3),
        _share("bz.permeation", "Part of the hydrogen leaving the breeding zone that goes into the coolant", 1e-2),
        _share("tes.efficiency", "Part of the hydrogen that the extraction takes from the breeder", 0.95),
        _share("hx.to_cps", "Part of the coolant's hydrogen that goes to the purification", 0.05),
        _share("cps.efficiency", "Part of the hydrogen that the purification takes from the coolant", 0.95),
        _share(
            "fcu.tail",
            "Part that leaves the clean-up on the wrong side: hydrogen to the gas, gas to the hydrogen",
            1e-3,
        ),
        _share("iss.tail", "Part of deuterium and tritium that leaves the isotope separation with protium", 1e-4),
        _share("eds.efficiency", "Part of the hydrogen that is taken from the exhaust gas", 0.95),
        _share("wds.efficiency", "Part of deuterium and tritium that is taken from the water", 0.95),
        *(
            Variable(f"{name}.tau", f"{label[name]}: mean residence time", "h", tau, min=0.01, max=1e5)
            for name, (tau, _) in _RESIDENCE.items()
        ),
        *(
            _share(f"{name}.loss", f"{label[name]}: loss beside decay as a fraction of what leaves", loss)
            for name, (_, loss) in _RESIDENCE.items()
            if name != "sds"
        ),
        *(
            Variable(f"{name}.hold_up", f"{label[name]}: held back", "g", _HOLD_UP[name], min=1e-9, max=1e6)
            for name in HOLDING
        ),
    )


PARAMETERS = _parameters()


class Parameters:
    """Parameters by name.

    Parameters
    ----------
    p : casadi.SX
        A column in the order of `PARAMETERS`.
    """

    def __init__(self, p: ca.SX) -> None:
        self._symbols = {variable.name: p[i] for i, variable in enumerate(PARAMETERS)}

    def __call__(self, name: str) -> ca.SX:
        """The parameter of this name."""
        return self._symbols[name]

    def every(self, ending: str) -> dict[str, ca.SX]:
        """Parameters of components by component: ``every("tau")``."""
        return {name: self._symbols[f"{name}.{ending}"] for name in COMPONENTS if f"{name}.{ending}" in self._symbols}
