"""Plate heat exchanger with a three-way valve and its PI controller on the chilled water side."""

from __future__ import annotations

from dataclasses import dataclass

import casadi as ca

from workshop.cooling_plant import hydraulics
from workshop.cooling_plant.parameters import Parameters

__all__ = ["HeatExchanger"]


@dataclass(frozen=True)
class HeatExchanger:
    """Constant effectiveness exchanger (Kays & London, Compact Heat Exchangers, 1984) with a controlled bypass.

    Parameters
    ----------
    p : Parameters
    """

    p: Parameters

    def three_way(self, opening: ca.SX) -> tuple[ca.SX, ca.SX]:
        """Flow coefficients [kg/(s.Pa^0.5)] through the plates and around them at the valve's opening [-]."""
        p = self.p
        full = hydraulics.nominal_coefficient(p["hex.m_flow"], p["threeWay.dp"])
        plates = hydraulics.nominal_coefficient(p["hex.m_flow"], p["hex.dp"])
        leak = p["threeWay.l"]
        straight = hydraulics.series(
            full * hydraulics.equal_percentage(opening, p["valve.R"], leak, p["valve.delta0"]), plates
        )
        return straight, p["threeWay.fraK"] * full * hydraulics.linear(1.0 - opening, leak)

    def leaving(self, m_hot: ca.SX, m_cold: ca.SX, hot: ca.SX, cold: ca.SX) -> tuple[ca.SX, ca.SX]:
        """Temperatures [K] of chilled (hot) and condenser (cold) water leaving the plates, at positive flows [kg/s]."""
        eps = self.p["hex.eps"]
        span = cold - hot
        return hot + eps * ca.fmin(1.0, m_cold / m_hot) * span, cold - eps * ca.fmin(1.0, m_hot / m_cold) * span

    def control(self, integral: ca.SX, measured: ca.SX, set_point: ca.SX) -> tuple[ca.SX, ca.SX]:
        """PI controller with anti-windup (Astrom & Hagglund, Advanced PID Control, 2006, section 3.5).

        Parameters
        ----------
        integral : casadi.SX
            Integrator state [K].
        measured, set_point : casadi.SX
            Leaving chilled water temperature and its set point [K].

        Returns
        -------
        opening, rate : casadi.SX
            Demanded valve opening [-], more when the water is too warm, and rate of the integrator [K/s].
        """
        gain = self.p["hexControl.k"]
        error = measured - set_point
        free = gain * (error + integral)
        opening = ca.fmin(ca.fmax(free, 0.0), 1.0)
        return opening, (error + (opening - free) / (gain * self.p["hexControl.Ni"])) / self.p["hexControl.Ti"]
