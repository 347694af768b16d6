"""The fuel cycle as a pulsed model: an inventory for every species in every component, and accounts of the tritium.

Residence-time model of Abdou et al., Nucl. Fusion 61 (2021) 013001, and Meschini et al., Nucl. Fusion 63 (2023)
126005::

    dI_i/dt = sum_j w_ji Q_j - (1 + eps_i) Q_i - lambda I_i + S_i,    Q_i = I_i / T_i

for each species, with what a component holds back as in `Cycle`. Time is in hours, mass in grams.
"""

from __future__ import annotations

import math

import casadi as ca

from workshop.fmi.spec import Model, Variable
from workshop.fuel_cycle.network import COMPONENTS, HOLDING, SPECIES, STACK, routes
from workshop.fuel_cycle.parameters import MASS, PARAMETERS, TRITONS_PER_MWH, Parameters

__all__ = ["ACCOUNTS", "OUTPUTS", "STATES", "model"]

ACCOUNTS = {
    "burnt": "burnt",
    "bred": "bred",
    "decayed": "lost by decay",
    "lost": "lost from the plant otherwise",
    "fueled": "injected",
}
"""Tritium since the start, by name."""

STATES = (
    *(
        Variable(f"{c}.I_{s}", f"{label}: {species}", "g", 0.0, nominal=100.0)
        for c, label in COMPONENTS.items()
        for s, species in SPECIES.items()
    ),
    *(Variable(f"account.{name}", f"Tritium {text} since the start", "g", 0.0, nominal=100.0)
      for name, text in ACCOUNTS.items()),
)  # fmt: skip

OUTPUTS = (
    *(Variable(f"{c}.inventory", f"{label}: tritium", "g", 0.0, nominal=100.0) for c, label in COMPONENTS.items()),
    Variable("total.inventory", "Tritium in the plant", "g", 0.0, nominal=1000.0),
    *(Variable(f"total.{name}", f"Tritium {text} since the start", "g", 0.0, nominal=1000.0)
      for name, text in ACCOUNTS.items()),
    Variable("total.balance", "Tritium inside, burnt, decayed and lost, less that of the start and bred", "g", 0.0),
    Variable("plasma.burn_rate", "Tritium burnt at present", "g/h", 0.0),
    Variable("plasma.fueling_rate", "Tritium injected at present", "g/h", 0.0),
)  # fmt: skip

_STABLE = 0.6
"""Longest step per shortest residence time; Runge-Kutta's method is unstable from 2.78 on."""


def sources(p: Parameters) -> dict[str, dict[str, ca.SX]]:
    """Sources S [g/h] by component and species while the pulse is on.

    Fuel leaves the storage as a negative source: as many deuterons as tritons, whatever stands in the storage, which
    goes below zero when too little was there at the start.
    """
    fusions = p("pulse.power") * TRITONS_PER_MWH  # mol/h
    injected = fusions / (p("plasma.Burn_Fraction") * p("plasma.Fueling_Efficiency"))
    walls = {"fw": p("plasma.to_fw"), "div": p("plasma.to_div")}
    result: dict[str, dict[str, ca.SX]] = {name: {} for name in COMPONENTS}
    exhaust = {
        "T": (injected - fusions) * MASS["T"],
        "D": (injected - fusions) * MASS["D"],
        "H": p("plasma.protium") * 2.0 * injected * MASS["H"],
        "He": fusions * MASS["He"],
        "X": p("plasma.impurities") * injected * (MASS["T"] + MASS["D"]),
    }
    for species, amount in exhaust.items():
        for name, share in walls.items():
            result[name][species] = share * amount
        result["vp"][species] = (1.0 - sum(walls.values())) * amount
    bred = p("bz.TBR") * fusions
    result["bz"]["T"] = bred * MASS["T"]
    result["bz"]["H"] = p("bz.protium") * bred * MASS["H"]
    result["bz"]["He"] = bred * MASS["He"]
    result["bz"]["X"] = p("bz.impurities") * bred * MASS["T"]
    result["sds"]["T"] = -injected * MASS["T"]
    result["sds"]["D"] = (fusions - injected) * MASS["D"]  # what burns is bought anew
    return result


class Cycle:
    """Rates of all states in CasADi symbols.

    A component with a hold-up H lets out of its contents M = sum of its species what exceeds H, in the composition of
    its contents: Q = I / T * max(0, 1 - H / M).

    Parameters
    ----------
    x : casadi.SX
        States in the order of `STATES`.
    source : dict
        As `sources` gives them, times the pulse.
    p : Parameters
    """

    def __init__(self, x: ca.SX, source: dict[str, dict[str, ca.SX]], p: Parameters) -> None:
        self.state = {variable.name: x[i] for i, variable in enumerate(STATES)}
        self.rates = {name: ca.SX(0.0) for name in self.state}
        tau, loss, hold_up = p.every("tau"), p.every("loss"), p.every("hold_up")
        decay = math.log(2.0) / (24.0 * p("tritium.half_life"))
        for component, by_species in routes(p).items():
            contents = [self.state[f"{component}.I_{species}"] for species in SPECIES]
            # |1 / T|: CasADi turns (1 / T) I back into I / T, a division at every evaluation
            rate = ca.fabs(1.0 / tau[component])
            if component in HOLDING:
                most = ca.fmax(sum(contents), hold_up[component])  # never zero
                rate *= (most - hold_up[component]) / most
            for species, shares in by_species.items():
                self._leave(component, species, rate, shares, loss.get(component, ca.SX(0.0)))
        for component in COMPONENTS:
            tritium = self.state[f"{component}.I_T"]
            # what is missing in the storage does not decay; nowhere else can anything be missing
            decayed = decay * (ca.fmax(tritium, 0.0) if component == "sds" else tritium)
            self.rates[f"{component}.I_T"] -= decayed
            self.rates[f"{component}.I_He"] += decayed  # helium-3, as heavy as tritium to 1e-5
            self.rates["account.decayed"] += decayed
            for species, amount in source[component].items():
                self.rates[f"{component}.I_{species}"] += amount

    def _leave(self, component: str, species: str, rate: ca.SX, shares: dict[str, ca.SX], loss: ca.SX) -> None:
        """Let a species out of a component: part to each destination, and the loss on top."""
        leaving = rate * self.state[f"{component}.I_{species}"]
        self.rates[f"{component}.I_{species}"] -= (1.0 + loss) * leaving
        for to, share in shares.items():
            if to != STACK:
                self.rates[f"{to}.I_{species}"] += share * leaving
        lost = (loss + shares.get(STACK, 0.0)) * leaving
        if species == "T":
            self.rates["account.lost"] += lost
        elif species == "D":
            self.rates["sds.I_D"] += lost  # bought anew


def model() -> Model:
    """Return the fuel cycle for the FMU generator (`workshop.fmi.build`)."""
    u, v, p = ca.SX.sym("u", 0), ca.SX.sym("v", 0), ca.SX.sym("p", len(PARAMETERS))
    parameters = Parameters(p)
    at_full = sources(parameters)
    places = [(component, species) for component, by_species in at_full.items() for species in by_species]
    fusions = parameters("pulse.power") * TRITONS_PER_MWH * MASS["T"]
    # h: the sources, and the tritium that is burnt
    aux = ca.vertcat(*(at_full[component][species] for component, species in places), fusions)

    x, h = ca.SX.sym("x", len(STATES)), ca.SX.sym("h", len(places) + 1)
    now: dict[str, dict[str, ca.SX]] = {name: {} for name in COMPONENTS}
    for k, (component, species) in enumerate(places):
        now[component][species] = h[k]
    burn, fueling = h[len(places)], -now["sds"]["T"]
    cycle = Cycle(x, now, parameters)
    cycle.rates |= {"account.burnt": burn, "account.bred": now["bz"]["T"], "account.fueled": fueling}

    state = cycle.state
    start = {"sds.I_T": parameters("sds.initial_T"), "sds.I_D": parameters("sds.initial_D")}
    total = sum(state[f"{component}.I_T"] for component in COMPONENTS)
    gone = state["account.burnt"] + state["account.decayed"] + state["account.lost"]
    values = {
        **{f"{component}.inventory": state[f"{component}.I_T"] for component in COMPONENTS},
        "total.inventory": total,
        **{f"total.{name}": state[f"account.{name}"] for name in ACCOUNTS},
        "total.balance": total + gone - state["account.bred"] - parameters("sds.initial_T"),
        "plasma.burn_rate": burn,
        "plasma.fueling_rate": fueling,
    }
    period = parameters("pulse.period")
    longest = ca.fmin(parameters("integrator.step"), _STABLE * ca.mmin(ca.vertcat(*parameters.every("tau").values())))
    every = [x, v, h, u, p]
    return Model(
        name="FuelCycle",
        description="Tritium fuel cycle of a pulsed fusion plant; time counts hours",
        version="1.0",
        inputs=(),
        outputs=OUTPUTS,
        parameters=PARAMETERS,
        states=STATES,
        n_filters=0,
        filter_input=(),
        filter_tau=ca.Function("filter_tau", [p], [ca.SX(0, 1)]),
        start=ca.Function("start", [u, p], [ca.vertcat(*(start.get(s.name, 0.0) for s in STATES))]),
        aux=ca.Function("aux", [v, u, p], [aux]),
        ode=ca.Function("ode", every, [ca.vertcat(*(cycle.rates[s.name] for s in STATES))]),
        out=ca.Function("out", every, [ca.vertcat(*(values[y.name] for y in OUTPUTS))]),
        step_size=1.0,
        stop_time=24000.0,
        pulses=ca.Function(
            "pulses",
            [p],
            [ca.vertcat(period, parameters("pulse.width") * period, longest)],
        ),
        time_unit="h",
    )
