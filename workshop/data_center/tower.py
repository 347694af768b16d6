"""Cooling towers: Merkel's theory by effectiveness and transfer units, fans, evaporation."""

from __future__ import annotations

from dataclasses import dataclass

import casadi as ca

from workshop.cooling_plant.chiller import smooth_step
from workshop.data_center.exchange import counterflow, humidity_outside, saturated, saturation_slope
from workshop.data_center.parameters import Parameters

__all__ = ["Towers"]


@dataclass(frozen=True)
class Towers:
    """Equal cells of counterflow towers.

    Braun, Klein and Mitchell, "Effectiveness Models for Cooling Towers and Cooling Coils", ASHRAE Transactions 95(2),
    1989. Saturated air along the water's temperatures has an effective specific heat, here the slope of the saturation
    curve midway between water and wet bulb; an effectiveness of counterflow then gives the heat, which never takes the
    water past the wet bulb. Transfer units follow the ratio of water to air.

    Parameters
    ----------
    p : Parameters
    cells, fan : casadi.SX
        Cells in service, and relative speed of their fans.
    clean : casadi.SX
        Transfer units over those of clean fill.
    """

    p: Parameters
    cells: ca.SX
    fan: ca.SX
    clean: ca.SX

    @property
    def power(self) -> ca.SX:
        """Electric power of all fans [W], cubic over their speed."""
        return self.cells * self.p["tow.PFan"] * self.p["PItNom"] * self.fan**3

    def heat_and_water(
        self, flow: ca.SX, entering: ca.SX, basin: ca.SX, dry_bulb: ca.SX, wet_bulb: ca.SX
    ) -> tuple[ca.SX, ca.SX]:
        """Heat given to the air [W] and make-up water [kg/s].

        Parameters
        ----------
        flow : casadi.SX
            Water of all cells [kg/s].
        entering, basin, dry_bulb, wet_bulb : casadi.SX
            Temperatures of entering water, water in the basins and outside air [K].
        """
        p = self.p
        cells = self.cells + 1e-4
        nominal = p["tow.mWat"] * p["PItNom"]
        water = flow / cells
        air = p["tow.rAir"] * nominal * (self.fan + p["tow.mNat"] * (1.0 - self.fan))
        slope = saturation_slope(0.5 * (entering + wet_bulb), p["pAtm"])
        transfer = self.clean * p["tow.cMer"] * (water / air) ** p["tow.nMer"]
        effectiveness = counterflow(transfer, air * slope / (water * p["cpWat"]))
        # Near freezing water goes past the fill.
        sprayed = smooth_step((basin - p["tow.TFre"]) / 2.0)
        heat = sprayed * cells * effectiveness * air * slope * (entering - wet_bulb)
        leaving_air = wet_bulb + effectiveness * (entering - wet_bulb)
        outside = humidity_outside(dry_bulb, wet_bulb, p["pAtm"])
        evaporated = sprayed * cells * air * ca.fmax(saturated(leaving_air, p["pAtm"]) - outside, 0.0)
        return heat, evaporated * p["tow.cyc"] / (p["tow.cyc"] - 1.0) + p["tow.dri"] * flow
