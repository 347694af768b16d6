"""The fuel cycle a second time, for SciPy: written from the equations of docs/fuel-cycle.md, component by component.

It shares nothing with the other modules: names, constants, routes and pulses are written out here once more, so that a
slip in either shows. `validate` and the tests compare the FMU with it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

__all__ = ["ACCOUNTS", "NAMES", "SPECIES", "Reference"]

NAMES = ("bz", "tes", "fw", "div", "hx", "cps", "vp", "tep", "fcu", "iss", "eds", "wds", "sds")
SPECIES = ("T", "D", "H", "He", "X")
ACCOUNTS = ("burnt", "bred", "decayed", "lost", "fueled")
Array = NDArray[np.float64]

#: mol of D-T reactions in an hour at 1 MW: 3.6e9 J / 17.6 MeV / Avogadro's number
PER_MW = 3.6e9 / (17.6e6 * 1.602176634e-19) / 6.02214076e23
M_T, M_D, M_H, M_HE = 3.0160493, 2.0141018, 1.0078250, 4.0026033


class Reference:
    """Inventories by species T, D, H, He, X in rows of 13 components, then the five accounts of tritium.

    Parameters
    ----------
    p : mapping
        All parameters of the FMU by name.
    """

    def __init__(self, p: Mapping[str, float]) -> None:
        self.p = p
        self.tau = np.array([p[f"{name}.tau"] for name in NAMES])
        self.eps = np.array([p.get(f"{name}.loss", 0.0) for name in NAMES])
        self.held = np.array([p.get(f"{name}.hold_up", 0.0) for name in NAMES])
        self.decay = np.log(2.0) / (24.0 * p["tritium.half_life"])

    def start(self) -> Array:
        """States [g] at the start, shape (70,)."""
        x = np.zeros(70)
        x[12], x[25] = self.p["sds.initial_T"], self.p["sds.initial_D"]
        return x

    def rates(self, x: Array, on: float) -> Array:
        """Derivatives [g/h], shape (70,), with the pulse on (1) or off (0)."""
        p = self.p
        amounts = x[:65].reshape(5, 13)
        total = amounts.sum(axis=0)
        free = np.where(total > self.held, 1.0 - self.held / np.where(total > self.held, total, 1.0), 0.0)
        free[12] = 1.0
        q = free * amounts / self.tau
        q[:2, 12] = 0.0  # deuterium and tritium leave the storage as fuel alone
        s = np.zeros((5, 13))

        burn = on * p["pulse.power"] * PER_MW
        fuel = burn / (p["plasma.Burn_Fraction"] * p["plasma.Fueling_Efficiency"])
        bz, tes, fw, div, hx, cps, vp, tep, fcu, iss, eds, wds, sds = range(13)
        exhaust = np.array([(fuel - burn) * M_T, (fuel - burn) * M_D, p["plasma.protium"] * 2.0 * fuel * M_H,
                            burn * M_HE, p["plasma.impurities"] * fuel * (M_T + M_D)])  # fmt: skip
        s[:, fw], s[:, div] = p["plasma.to_fw"] * exhaust, p["plasma.to_div"] * exhaust
        s[:, vp] = exhaust - s[:, fw] - s[:, div]
        bred = p["bz.TBR"] * burn
        s[0, bz], s[2, bz], s[3, bz] = bred * M_T, p["bz.protium"] * bred * M_H, bred * M_HE
        s[4, bz] = p["bz.impurities"] * bred * M_T
        s[0, sds], s[1, sds] = -fuel * M_T, -fuel * M_D + burn * M_D

        inflow = np.zeros((5, 13))
        for k in (0, 1, 2):  # hydrogen
            a = q[k]
            inflow[k, bz] = (1 - p["tes.efficiency"]) * a[tes]
            inflow[k, tes] = (1 - p["bz.permeation"]) * a[bz]
            inflow[k, fw] = inflow[k, div] = 0.5 * (1 - p["hx.to_cps"]) * a[hx]
            inflow[k, hx] = p["bz.permeation"] * a[bz] + a[fw] + a[div] + (1 - p["cps.efficiency"]) * a[cps]
            inflow[k, cps] = p["hx.to_cps"] * a[hx]
            inflow[k, tep] = a[vp]
            inflow[k, fcu] = (1 - p["tep.DIR"]) * a[tep] + (a[sds] if k == 2 else 0.0)
            inflow[k, iss] = p["tes.efficiency"] * a[tes] + (1 - p["fcu.tail"]) * a[fcu]
            inflow[k, eds] = p["fcu.tail"] * a[fcu]
            inflow[k, wds] = p["cps.efficiency"] * a[cps] + p["eds.efficiency"] * a[eds]
            inflow[k, sds] = p["tep.DIR"] * a[tep]
            if k == 2:
                inflow[k, wds] += a[iss]
            else:
                inflow[k, iss] += p["wds.efficiency"] * a[wds]
                inflow[k, wds] += p["iss.tail"] * a[iss]
                inflow[k, sds] += (1 - p["iss.tail"]) * a[iss]
        for k in (3, 4):  # helium, impurities
            a = q[k]
            inflow[k, tes] = a[bz]
            inflow[k, hx] = a[fw] + a[div]
            inflow[k, cps] = a[hx]
            inflow[k, tep] = a[vp]
            inflow[k, fcu] = a[tep] + a[sds]
            inflow[k, iss] = p["fcu.tail"] * a[fcu]
            inflow[k, eds] = a[tes] + a[cps] + (1 - p["fcu.tail"]) * a[fcu] + a[iss]

        rate = inflow + s - (1.0 + self.eps) * q
        decayed = self.decay * np.maximum(amounts[0], 0.0)
        rate[0] -= decayed
        rate[3] += decayed
        lost = q @ self.eps + (1 - p["eds.efficiency"]) * q[:, eds] + (1 - p["wds.efficiency"]) * q[:, wds]
        rate[1, sds] += lost[1]  # deuterium is bought for what burns and what is lost
        accounts = [burn * M_T, p["bz.TBR"] * burn * M_T, decayed.sum(), lost[0], fuel * M_T]
        return np.concatenate([rate.ravel(), accounts])

    def run(self, times: Array, rtol: float = 1e-10, atol: float = 1e-9) -> Array:
        """States [g] at increasing times [h], shape (times, 70); the solver starts anew at every edge of a pulse."""
        period, width = self.p["pulse.period"], self.p["pulse.width"]
        cycles = np.arange(int(times[-1] / period) + 2) * period
        edges = np.unique(np.concatenate([cycles, cycles + width * period, times]))
        wanted = set(times.tolist())
        x, rows = self.start(), []
        if 0.0 in wanted:
            rows.append(x)
        for left, right in zip(edges[:-1], edges[1:], strict=True):
            if right > times[-1]:
                break
            if right - left > 1e-9:
                middle = 0.5 * (left + right) / period
                on = float(middle - np.floor(middle) < width)
                done = solve_ivp(
                    lambda _, y, on=on: self.rates(y, on), (left, right), x, "DOP853", rtol=rtol, atol=atol
                )
                if not done.success:
                    raise ArithmeticError(done.message)
                x = done.y[:, -1]
            if right in wanted:
                rows.append(x)
        return np.array(rows)
