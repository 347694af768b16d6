"""The closed data centre, wired.

Chilled water: pumps -> economizer -> chillers in parallel -> supply pipes -> coils of the halls -> return pipes ->
pumps; the tank lies between supply and return. Condenser water: basins -> pumps -> chillers, economizer and the
exchanger of the cold plates' liquid in parallel -> towers -> basins. All electric power of chillers, pumps and the air
handlers' fans ends as heat in the plant; tower fans stand outside.
"""

from __future__ import annotations

import casadi as ca

from workshop.cooling_plant.chiller import ZERO_CELSIUS
from workshop.data_center.chiller import Chiller, Sequence
from workshop.data_center.exchange import conductance, exchange
from workshop.data_center.hall import Hall, Temperatures, throttle, valve_rates
from workshop.data_center.hydraulics import ChilledWater, CondenserWater, Nominal, Pumps, isolation
from workshop.data_center.parameters import PARAMETERS, Parameters
from workshop.data_center.storage import battery, flexible_work, tank_rates
from workshop.data_center.tower import Towers
from workshop.data_center.variables import (
    ACTUATORS,
    CHILLERS,
    HALLS,
    INPUTS,
    INTEGERS,
    LAYERS,
    OUTPUTS,
    STATES,
)
from workshop.fmi.spec import Model

__all__ = ["Plant", "model"]

# Time constant of each actuator, by the parameter that has it.
_LAGS = {
    "nPumChiWat": "pumChi.tau", "yPumChiWat": "pumChi.tau", "nPumConWat": "pumCon.tau", "yPumConWat": "pumCon.tau",
    "nTow": "tow.tau", "yFanTow": "tow.tau", "yValEco": "eco.tauVal", "yFanCra1": "hal.tauVal",
    "yFanCra2": "hal.tauVal", "yTan": "tan.tau",
}  # fmt: skip


def _acting(name: str, value: ca.SX) -> ca.SX:
    """Return what equipment makes of a command: whole numbers are rounded, since there is no half pump."""
    return ca.floor(value + 0.5) if name in INTEGERS else value


class Plant:
    """Rates and outputs of the data centre in CasADi symbols.

    Parameters
    ----------
    x, u, p : casadi.SX
        States, inputs and parameters, as columns in the orders of `STATES`, `INPUTS` and `PARAMETERS`.

    Attributes
    ----------
    rates, outputs : dict of str to casadi.SX
        By the names of states [unit/s] and outputs.
    """

    def __init__(self, x: ca.SX, u: ca.SX, p: ca.SX) -> None:
        self.p = Parameters(p)
        self.x = {variable.name: x[i] for i, variable in enumerate(STATES)}
        self.u = {variable.name: u[i] for i, variable in enumerate(INPUTS)}
        self.act = {name: self.x[f"act.{name}"] for name in ACTUATORS}
        self.rates: dict[str, ca.SX] = {}
        self.outputs: dict[str, ca.SX] = {}
        self.stored = {"chilled": ca.SX(0.0), "condenser": ca.SX(0.0)}
        self._actuators()
        self._flows()
        self._work()
        self._halls()
        self._liquid()
        self._economizer()
        self._chillers()
        self._chilled_water()
        self._towers()
        self._sums()

    def _volume(self, state: str, mass: ca.SX, heat: ca.SX, side: str = "chilled") -> None:
        """A volume of water [kg] that takes a heat [W], on the side of the chilled or of the condenser water."""
        capacity = mass * self.p["cpWat"]
        self.rates[state] = heat / capacity
        self.stored[side] += capacity * (self.x[state] - self.p["TRef"])

    def _actuators(self) -> None:
        for name in ACTUATORS:
            target = _acting(name, self.u[name])
            self.rates[f"act.{name}"] = (target - self.act[name]) / self.p[_LAGS[name]]

    def _flows(self) -> None:
        p, x, act, nominal = self.p, self.x, self.act, Nominal(self.p)
        openings = [isolation(x[f"run.chi{i}"], p) for i in CHILLERS]
        chilled, condenser = (
            Pumps(kind, flow, act[f"n{name}"], act[f"y{name}"], self.u[f"k{name}"], p)
            for kind, name, flow in (
                ("pumChi", "PumChiWat", nominal.evaporator),
                ("pumCon", "PumConWat", nominal.condenser),
            )
        )
        valves = [x[f"val.hal{i}"] for i in HALLS]
        self.chilled = ChilledWater(chilled, openings, valves, act["yTan"] * p["tan.mNom"] * p["PItNom"], p)
        self.condenser = CondenserWater(condenser, openings, act["yValEco"], x["val.liq"], act["nTow"], p)
        tank = self.chilled.tank
        rise = p["tan.dp"] * (tank / (1e-5 * p["PItNom"])) ** 2 + ca.if_else(tank < 0.0, self.chilled.dp, 0.0)
        self.outputs |= {
            "PPumChiWat": chilled.power(self.chilled.total),
            "PPumConWat": condenser.power(self.condenser.total),
            "PPumTan": ca.fabs(tank) * rise / (p["rhoWat"] * p["tan.eta"]),
            "mChiWat_flow": self.chilled.total,
            "mTan_flow": tank,
            "dpChiWat": self.chilled.dp,
            "mConWat_flow": self.condenser.total,
            "mEco_flow": self.condenser.economizer,
            "mLiq_flow": self.condenser.liquid,
            **{f"mHal{i}_flow": m for i, m in zip(HALLS, self.chilled.coils, strict=True)},
            **{f"yVal{i}": valve for i, valve in zip(HALLS, valves, strict=True)},
            "yValLiq": x["val.liq"],
        }

    def _work(self) -> None:
        p, x, u = self.p, self.x, self.u
        growth = flexible_work(u["yShi"], u["PItDem2"], x["E.backlog"], p)
        work = {1: u["PItDem1"], 2: u["PItDem2"] - growth}
        liquid = throttle(x["T.liqSup"], p["liq.TThr"], p["liq.TOff"])
        self.air, self.liquid_load, refused = {}, ca.SX(0.0), ca.SX(0.0)
        for i in HALLS:
            share = p[f"hal.fraLiq{i}"]
            inlet = x[f"T.cold{i}"]
            on_air = work[i] * (1.0 - share) * throttle(inlet, p["hal.TThr"], p["hal.TOff"])
            on_liquid = work[i] * share * liquid
            refused += work[i] - on_air - on_liquid
            warm = ca.fmin(ca.fmax(inlet - p["hal.TSerFan"], 0.0) / 10.0, 1.5)
            self.air[i] = on_air * (1.0 + p["hal.rSerFan"] * warm**2)
            self.liquid_load += on_liquid
            self.outputs[f"PIt{i}"] = self.air[i] + on_liquid
        drawn = self.outputs["PIt1"] + self.outputs["PIt2"]
        self.rates |= {
            "E.backlog": growth,
            "E.demand": u["PItDem1"] + u["PItDem2"],
            "E.it": drawn,
            "E.refused": refused,
        }
        due = work[1] + work[2]
        self.outputs |= {"PItDue": due, "PItSer": due - refused, "PItUns": refused}
        self.outputs |= {"EBac": x["E.backlog"], "EItUns": x["E.refused"]}

    def _halls(self) -> None:
        p, x = self.p, self.x
        fans = ca.SX(0.0)
        for i, water in zip(HALLS, self.chilled.coils, strict=True):
            t = Temperatures(x[f"T.server{i}"], x[f"T.cold{i}"], x[f"T.hot{i}"], x[f"T.coil{i}"])
            hall = Hall(i, p, t, self.air[i], self.act[f"yFanCra{i}"], water, x["T.supply"])
            self.rates |= {f"T.{name}{i}": getattr(hall.rates, name) for name in ("server", "cold", "hot", "coil")}
            self.rates[f"integral.hal{i}"], self.rates[f"val.hal{i}"] = valve_rates(
                hall.supplied - self.u[f"TSupAirSet{i}"], x[f"integral.hal{i}"], x[f"val.hal{i}"],
                p["hal.kPI"], p["hal.TiPI"], p["hal.tauVal"],
            )  # fmt: skip
            self.stored["chilled"] += hall.stored
            fans += hall.fan_power
            self.outputs |= {
                f"QHal{i}": hall.heat, f"TInl{i}": t.cold, f"TRetAir{i}": t.hot, f"TSupAir{i}": hall.supplied,
            }  # fmt: skip
        self.outputs |= {"PFanCra": fans, "TInlMax": ca.fmax(x["T.cold1"], x["T.cold2"])}

    def _liquid(self) -> None:
        p, x = self.p, self.x
        load = p["liq.fraNom"] * p["PItNom"]
        flow = load / p["liq.dTLiq"]
        supply, back = x["T.liqSup"], x["T.liqRet"]
        transfer = conductance(p["liq.ntu"] * flow, ca.SX(1.0), self.condenser.liquid / Nominal(p).liquid)
        heat = exchange(transfer, flow, self.condenser.liquid * p["cpWat"], back - x["T.basin"])
        pump = p["liq.PPum"] * load
        capacity = 0.5 * p["liq.C"] * load
        self.rates |= {
            "T.liqSup": (flow * (back - supply) - heat + pump) / capacity,
            "T.liqRet": (flow * (supply - back) + self.liquid_load) / capacity,
        }
        self.rates["integral.liq"], self.rates["val.liq"] = valve_rates(
            supply - self.u["TLiqSupSet"], x["integral.liq"], x["val.liq"],
            p["liq.kPI"], p["liq.TiPI"], p["liq.tauVal"],
        )  # fmt: skip
        self.stored["condenser"] += capacity * (supply + back - 2.0 * p["TRef"])
        self.outputs |= {"QLiq": heat, "PPumLiq": pump, "TLiqSup": supply, "TLiqRet": back}

    def _economizer(self) -> None:
        p, x, nominal = self.p, self.x, Nominal(self.p)
        chilled = 3.0 * nominal.evaporator
        transfer = conductance(
            self.u["kEco"] * p["eco.ntu"] * chilled * p["cpWat"],
            self.chilled.total / chilled,
            self.condenser.economizer / nominal.economizer,
        )
        hot, cold = self.chilled.total * p["cpWat"], self.condenser.economizer * p["cpWat"]
        heat = exchange(transfer, hot, cold, x["T.return"] - x["T.basin"])
        self.entering = x["T.return"] - heat / hot
        self.outputs |= {"QEco": heat, "TChiWatEnt": self.entering}

    def _chillers(self) -> None:
        p, x, u, nominal, unit = self.p, self.x, self.u, Nominal(self.p), Chiller(self.p)
        water = p["chi.mWat"] * p["PItNom"]
        flows = zip(CHILLERS, self.chilled.evaporators, self.condenser.condensers, strict=True)
        ready = zip(self.chilled.ready, self.condenser.ready, strict=True)
        for (i, evaporator, condenser), proven in zip(flows, ready, strict=True):
            leaving, warm = x[f"T.eva{i}"], x[f"T.con{i}"]
            names = [f"{name}.chi{i}" for name in ("run", "rest", "duty", "trip")]
            sequence = Sequence(p, *(x[name] for name in names))
            safe = unit.safe((proven[0] / nominal.evaporator, proven[1] / nominal.condenser), warm, sequence.run)
            rates = sequence.rates(u[f"uChi{i}"], u[f"kChi{i}"] >= 0.5, safe)
            self.rates |= dict(zip(names, rates, strict=True))
            heat, power = unit.heat_and_power(
                evaporator * p["cpWat"] * (self.entering - u["TChiWatSupSet"]), leaving, x["T.basin"], warm, u["kCon"]
            )
            heat, power = sequence.run * heat, sequence.run * power
            self._volume(f"T.eva{i}", water, evaporator * p["cpWat"] * (self.entering - leaving) - heat)
            taken = condenser * p["cpWat"] * (x["T.basin"] - warm) + heat + power
            self._volume(f"T.con{i}", water, taken, "condenser")
            self.outputs |= {
                f"PChi{i}": power, f"QChi{i}": heat, f"yChi{i}": sequence.run, f"tLocChi{i}": sequence.locked,
                f"TChiWatLvg{i}": leaving, f"TConWatLvg{i}": warm,
            }  # fmt: skip

    def _chilled_water(self) -> None:
        p, x, flows = self.p, self.x, self.chilled
        cp, supply, back = p["cpWat"], x["T.supply"], x["T.return"]
        layers = [x[f"T.tan{i}"] for i in LAYERS]
        into, out = ca.fmax(flows.tank, 0.0), ca.fmax(-flows.tank, 0.0)
        arriving = flows.past * (self.entering - supply) + out * (layers[0] - supply)
        for i, m in zip(CHILLERS, flows.evaporators, strict=True):
            arriving += m * (x[f"T.eva{i}"] - supply)
        returning = flows.open_end * (supply - back) + into * (layers[-1] - back)
        for i, m in zip(HALLS, flows.coils, strict=True):
            returning += m * (x[f"T.coil{i}"] - back)
        mass = p["pipChi.m"] * p["PItNom"]
        self._volume("T.supply", mass, cp * arriving)
        self._volume("T.return", mass, cp * returning + self.outputs["PPumChiWat"] + self.outputs["PPumTan"])
        rates = tank_rates(layers, flows.tank, supply, back, p)
        for i, rate in zip(LAYERS, rates, strict=True):
            capacity = p["tan.m"] * p["PItNom"] / len(LAYERS) * cp
            self._volume(f"T.tan{i}", capacity / cp, rate * capacity)
        self.outputs |= {
            "TChiWatSup": supply,
            "TChiWatRet": back,
            **{f"TTan{i}": layer for i, layer in zip(LAYERS, layers, strict=True)},
        }

    def _towers(self) -> None:
        p, x, u, flows = self.p, self.x, self.u, self.condenser
        basin, warm = x["T.basin"], x["T.towers"]
        towers = Towers(p, self.act["nTow"], self.act["yFanTow"], u["kTow"])
        heat, make_up = towers.heat_and_water(flows.total, warm, basin, u["TDryBul"], u["TWetBul"])
        taken = self.outputs["QEco"] + self.outputs["QLiq"] + self.outputs["PPumConWat"]
        for i, m in zip(CHILLERS, flows.condensers, strict=True):
            taken += m * p["cpWat"] * (x[f"T.con{i}"] - warm)
        taken += (flows.economizer + flows.liquid) * p["cpWat"] * (basin - warm)
        self._volume("T.towers", p["pipCon.m"] * p["PItNom"], taken, "condenser")
        cooled = flows.total * p["cpWat"] * (warm - basin) - heat
        self._volume("T.basin", p["tow.mBas"] * p["PItNom"], cooled, "condenser")
        self.outputs |= {
            "QTow": heat, "PFanTow": towers.power, "mMakWat_flow": make_up, "TConWatSup": basin, "TConWatRet": warm,
        }  # fmt: skip

    def _sums(self) -> None:
        out, x = self.outputs, self.x
        inside = sum(out[f"PChi{i}"] for i in CHILLERS)
        inside += sum(out[name] for name in ("PPumChiWat", "PPumConWat", "PFanCra", "PPumLiq", "PPumTan"))
        out["PCoo"] = inside + out["PFanTow"]
        out["PBat"], self.rates["soc.bat"] = battery(self.u["yBat"], x["soc.bat"], self.p)
        out["PGri"] = out["PIt1"] + out["PIt2"] + out["PCoo"] + out["PBat"]
        self.rates |= {
            "E.aux": inside, "E.rejected": out["QTow"], "E.grid": out["PGri"], "m.makeUp": out["mMakWat_flow"],
        }  # fmt: skip
        out |= {
            "socBat": x["soc.bat"],
            "EBat": x["soc.bat"] * self.p["bat.PNom"] * self.p["PItNom"] * self.p["bat.tDis"],
            "EWar": self.stored["chilled"], "ESto": self.stored["chilled"] + self.stored["condenser"],
            "EItDem": x["E.demand"], "EIt": x["E.it"], "EAux": x["E.aux"], "ERej": x["E.rejected"],
            "EGri": x["E.grid"], "mMakWat": x["m.makeUp"],
        }  # fmt: skip


def _start() -> ca.Function:
    """A plant in service: what is commanded runs, and temperatures are near those of steady operation."""
    u, p = ca.SX.sym("u", len(INPUTS)), ca.SX.sym("p", len(PARAMETERS))
    inputs, parameters = {variable.name: u[i] for i, variable in enumerate(INPUTS)}, Parameters(p)
    chilled, basin = inputs["TChiWatSupSet"], ca.fmax(inputs["TWetBul"] + 5.0, ZERO_CELSIUS + 8.0)
    values: dict[str, ca.SX] = {f"act.{name}": _acting(name, inputs[name]) for name in ACTUATORS}
    for i in CHILLERS:
        on = ca.logic_and(inputs[f"uChi{i}"] >= 0.5, inputs[f"kChi{i}"] >= 0.5)
        values |= {f"run.chi{i}": ca.if_else(on, 1.0, 0.0), f"rest.chi{i}": ca.SX(1.0), f"duty.chi{i}": ca.SX(1.0)}
        values |= {f"T.eva{i}": chilled, f"T.con{i}": basin + 5.0}
    for i in HALLS:
        supplied = inputs[f"TSupAirSet{i}"]
        values |= {f"T.server{i}": supplied + 20.0, f"T.cold{i}": supplied, f"T.hot{i}": supplied + 11.0}
        values |= {f"T.coil{i}": chilled + 8.0, f"integral.hal{i}": ca.SX(0.5), f"val.hal{i}": ca.SX(0.5)}
    for i in LAYERS:
        values[f"T.tan{i}"] = chilled + (0.0 if i <= len(LAYERS) // 2 else 8.0)
    liquid = inputs["TLiqSupSet"]
    values |= {"T.supply": chilled, "T.return": chilled + 8.0, "T.basin": basin, "T.towers": basin + 4.0}
    values |= {"T.liqSup": liquid, "T.liqRet": liquid + 8.0, "integral.liq": ca.SX(0.5), "val.liq": ca.SX(0.5)}
    values["soc.bat"] = parameters["bat.socSta"]
    return ca.Function("start", [u, p], [ca.vertcat(*(values.get(s.name, ca.SX(0.0)) for s in STATES))])


def model() -> Model:
    """Return the data centre for the FMU generator (`workshop.fmi.build`)."""
    u, p, x = ca.SX.sym("u", len(INPUTS)), ca.SX.sym("p", len(PARAMETERS)), ca.SX.sym("x", len(STATES))
    v, h = ca.SX.sym("v", 0), ca.SX.sym("h", 0)
    plant = Plant(x, u, p)
    return Model(
        name="DataCenterCooling",
        description="Data centre: two halls, chilled water, four chillers, economizer, towers, storage",
        version="2.0",
        inputs=INPUTS,
        outputs=OUTPUTS,
        parameters=PARAMETERS,
        states=STATES,
        n_filters=0,
        filter_input=(),
        filter_tau=ca.Function("filter_tau", [p], [ca.SX(0, 1)]),
        start=_start(),
        aux=ca.Function("aux", [v, u, p], [ca.SX(0, 1)]),
        ode=ca.Function("ode", [x, v, h, u, p], [ca.vertcat(*(plant.rates[s.name] for s in STATES))]),
        out=ca.Function("out", [x, v, h, u, p], [ca.vertcat(*(plant.outputs[y.name] for y in OUTPUTS))]),
        stop_time=31536000.0,
    )
