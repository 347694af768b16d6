"""Every number of the data centre, in one place.

Extensive quantities are given for each watt of `PItNom`, the IT load that the plant is built for, so that one parameter
makes another size. All are parameters of the FMU and can be changed before initialization; docs/data-center.md says
where they come from.
"""

from __future__ import annotations

import casadi as ca

from workshop.fmi.spec import Variable

__all__ = ["PARAMETERS", "Parameters"]

# EnergyPlus data set of electric EIR chillers, "ElectricEIRChiller Carrier 19XR 2391kW/6.44COP/VSD": capacity and
# energy input ratio over leaving chilled and entering condenser water [degC], energy input ratio over part load. The
# regressions are those of Hydeman and Gillespie (2002), ASHRAE Transactions 108(1).
CAP_FUN_T = (3.676388e-01, -5.087680e-02, -1.772675e-03, 9.518123e-02, -3.403878e-03, 4.526983e-03)
EIR_FUN_T = (6.230142e-01, -2.371649e-02, 3.996265e-04, 2.874515e-02, -2.115103e-04, -1.526191e-04)
EIR_FUN_PLR = (9.774812e-02, 2.490111e-01, 6.539378e-01)


def _positive(name: str, text: str, unit: str, start: float) -> Variable:
    """A parameter that the equations divide by or take the root of."""
    return Variable(name, text, unit, start, min=1e-12, nominal=start)


def _at_least_zero(name: str, text: str, unit: str, start: float) -> Variable:
    return Variable(name, text, unit, start, min=0.0, nominal=start or 1.0)


def _share(name: str, text: str, start: float) -> Variable:
    return Variable(name, text, "1", start, min=0.0, max=1.0)


def _temperature(name: str, text: str, start: float) -> Variable:
    return Variable(name, text, "K", start, min=223.15, max=373.15, nominal=10.0)


def _series(name: str, text: str, values: tuple[float, ...]) -> list[Variable]:
    return [
        Variable(f"{name}[{i}]", f"{text}, {i} of {len(values)}", "1", v, nominal=abs(v))
        for i, v in enumerate(values, 1)
    ]


def _general() -> list[Variable]:
    return [
        _positive("PItNom", "IT load that the plant is built for", "W", 5e6),
        _positive("cpWat", "specific heat capacity of water", "J/(kg.K)", 4184.0),
        _positive("rhoWat", "density of water", "kg/m3", 997.0),
        _positive("cpAir", "specific heat capacity of air", "J/(kg.K)", 1006.0),
        _positive("rhoAir", "density of air", "kg/m3", 1.19),
        _positive("pAtm", "atmospheric pressure", "Pa", 101325.0),
        _temperature("TRef", "temperature from which stored heat is counted", 293.15),
    ]


def _hall() -> list[Variable]:
    return [
        _share("hal.fra1", "share of hall 1 in PItNom; hall 2 has the rest", 0.5),
        _share("hal.fraLiq1", "hall 1: share of the load that cold plates take", 0.0),
        _share("hal.fraLiq2", "hall 2: share of the load that cold plates take", 0.4),
        _positive("hal.dTSer", "rise of the air in servers at the hall's nominal load", "K", 12.0),
        _share("hal.mSerMin", "air through idle servers over that at nominal load", 0.35),
        _positive("hal.rCraNom", "air of the air handlers over that of the servers, nominal", "1", 1.25),
        _share("hal.mNat", "air that circulates with the fans off, over nominal", 0.01),
        _share("hal.lea", "leakage between cold and hot aisles over the air of the servers", 0.05),
        _positive("hal.epsSer", "effectiveness of the servers' heat sinks", "1", 0.5),
        _positive("hal.CSer", "heat capacity of servers", "J/(W.K)", 45.0),
        _positive("hal.CCol", "heat capacity of air and structure of the cold aisles", "J/(W.K)", 27.0),
        _positive("hal.CHot", "heat capacity of air and structure of the hot aisles", "J/(W.K)", 27.0),
        _positive("hal.mCoi", "water in the coils and their pipes", "kg/W", 3e-3),
        _positive("hal.dTWat", "rise of the chilled water in the coils, nominal", "K", 10.0),
        _positive("hal.ntuCoi", "transfer units of the coils at nominal flows, on the side of the air", "1", 2.0),
        _positive("hal.dpCoi", "pressure drop of the coils with open valves at nominal flow", "Pa", 90e3),
        _positive("hal.RVal", "rangeability of the coils' valves", "1", 40.0),
        _positive("hal.lVal", "leakage of a closed valve over its full flow", "1", 5e-4),
        _positive("hal.PFan", "power of the fans at full speed over the nominal load", "1", 0.035),
        _positive("hal.kPI", "gain of the controllers of the supply air", "1/K", 0.06),
        _positive("hal.TiPI", "integral time of the controllers of the supply air", "s", 240.0),
        _positive("hal.tauVal", "time constant of the valves", "s", 30.0),
        _temperature("hal.TSerFan", "inlet air above which the servers' own fans speed up", 298.15),
        _at_least_zero("hal.rSerFan", "power that they add at 10 K above it, over the power of the servers", "1", 0.05),
        _temperature("hal.TThr", "inlet air at which servers begin to throttle", 313.15),
        _temperature("hal.TOff", "inlet air at which all servers have stopped", 333.15),
    ]


def _liquid() -> list[Variable]:
    return [
        _positive("liq.dTLiq", "rise of the liquid in the cold plates, nominal", "K", 10.0),
        _positive("liq.dTWat", "rise of the condenser water in the exchanger, nominal", "K", 8.0),
        _positive("liq.ntu", "transfer units of the exchanger at nominal flows, on the side of the liquid", "1", 3.0),
        _positive("liq.dp", "pressure drop of the exchanger with open valve at nominal flow", "Pa", 60e3),
        _positive("liq.C", "heat capacity of cold plates and liquid, half in supply, half in return", "J/(W.K)", 25.0),
        _positive("liq.fraNom", "share of PItNom that the exchanger is built for", "1", 0.25),
        _positive("liq.PPum", "power of the liquid's pumps over the load that it is built for", "1", 0.012),
        _positive("liq.kPI", "gain of the controller of the liquid's supply", "1/K", 0.05),
        _positive("liq.TiPI", "integral time of the controller of the liquid's supply", "s", 180.0),
        _positive("liq.tauVal", "time constant of the valve", "s", 30.0),
        _temperature("liq.TThr", "liquid at which liquid-cooled servers begin to throttle", 323.15),
        _temperature("liq.TOff", "liquid at which they have all stopped", 338.15),
    ]


def _chiller() -> list[Variable]:
    return [
        _positive("chi.QNom", "capacity of one chiller at reference conditions over PItNom", "1", 0.36),
        _positive("chi.COPNom", "coefficient of performance at reference conditions", "1", 6.44),
        *_series("chi.capFunT", "capacity over temperatures", CAP_FUN_T),
        *_series("chi.EIRFunT", "energy input ratio over temperatures", EIR_FUN_T),
        *_series("chi.EIRFunPLR", "energy input ratio over part load", EIR_FUN_PLR),
        _temperature("chi.TEvaMin", "coldest leaving chilled water of the fit", 279.82),
        _temperature("chi.TEvaMax", "warmest leaving chilled water of the fit", 285.37),
        _temperature("chi.TConMin", "coldest entering condenser water of the fit", 285.93),
        _temperature("chi.TConMax", "warmest entering condenser water of the fit", 297.04),
        _positive("chi.dTLift", "condensing over entering minus evaporating over leaving temperature", "K", 9.0),
        _positive("chi.PLRMin", "part load ratio below which hot gas bypass keeps the compressor loaded", "1", 0.20),
        _positive("chi.PLRMax", "largest part load ratio", "1", 1.02),
        _positive("chi.PMax", "largest electric power over that at reference conditions", "1", 1.10),
        _temperature("chi.TConTri", "leaving condenser water at which high pressure stops the unit", 321.15),
        _temperature("chi.TFre", "leaving chilled water at which the unit is unloaded against freezing", 277.15),
        _positive("chi.dTEva", "drop of the chilled water at reference conditions", "K", 10.0),
        _positive("chi.dTCon", "rise of the condenser water at reference conditions", "K", 5.5),
        _positive("chi.dpEva", "pressure drop of the evaporator at nominal flow", "Pa", 50e3),
        _positive("chi.dpCon", "pressure drop of the condenser at nominal flow", "Pa", 50e3),
        _share("chi.mMin", "flow below which the flow switches have stopped the unit, over nominal", 0.2),
        _positive("chi.mWat", "water in an evaporator, and in a condenser", "kg/W", 5e-4),
        _positive("chi.tauSta", "time constant of the start ramp", "s", 90.0),
        _positive("chi.tauSto", "time constant of the stop", "s", 15.0),
        _positive("chi.tOnMin", "minimum on time", "s", 900.0),
        _positive("chi.tOffMin", "minimum off time", "s", 900.0),
        _positive("chi.lVal", "leakage of the closed isolation valves over their full flow", "1", 1e-4),
    ]


def _pumps() -> list[Variable]:
    group = []
    for kind, label, head, flow in (
        ("pumChi", "chilled water pump", 260e3, 1.0),
        ("pumCon", "condenser water pump", 260e3, 1.0),
    ):
        group += [
            _positive(f"{kind}.dp0", f"{label}: pressure rise without flow at full speed", "Pa", head),
            _positive(f"{kind}.fraRun", f"{label}: flow without pressure rise over nominal flow", "1", 1.6 * flow),
            _positive(f"{kind}.eta", f"{label}: efficiency of pump, motor and drive at nominal flow", "1", 0.68),
            _positive(f"{kind}.PIdl", f"{label}: power without flow over nominal power", "1", 0.45),
            _positive(f"{kind}.tau", f"{label}: time constant of speed and staging", "s", 30.0),
        ]
    return [
        *group,
        _positive("pipChi.m", "water in the supply pipes, and in the return pipes", "kg/W", 4e-3),
        _positive("pipChi.dp", "pressure drop of the pipes at the nominal flow of three chillers", "Pa", 30e3),
        _positive("pipChi.lBypMin", "open end of the supply pipes over the flow of open valves", "1", 0.04),
        _positive("pipCon.m", "water on the way to the towers", "kg/W", 4e-3),
        _positive("pipCon.dp", "pressure drop of pipes and nozzles at nominal flow of four cells", "Pa", 60e3),
        _positive("pipCon.dpSta", "height of the towers", "Pa", 40e3),
    ]


def _tower() -> list[Variable]:
    return [
        _positive("tow.mWat", "water of one cell at nominal load over PItNom", "kg/(s.W)", 1.3e-5),
        _positive("tow.rAir", "air over water at nominal flows", "1", 0.9),
        _positive("tow.cMer", "Merkel's transfer units at equal flows of water and air", "1", 1.7),
        _positive("tow.nMer", "exponent of the ratio of water to air", "1", 0.4),
        _share("tow.mNat", "air of natural draught over nominal", 0.06),
        _positive("tow.PFan", "power of one cell's fans at full speed over PItNom", "1", 0.0075),
        _positive("tow.mBas", "water in the basins", "kg/W", 8e-3),
        _positive("tow.tau", "time constant of fans and staging", "s", 45.0),
        _temperature("tow.TFre", "basin water below which cells are bypassed against freezing", 276.15),
        Variable("tow.cyc", "cycles of concentration", "1", 4.0, min=1.5, max=20.0),
        _at_least_zero("tow.dri", "drift over the water flow", "1", 5e-5),
    ]


def _economizer() -> list[Variable]:
    return [
        _positive("eco.QNom", "load that the exchanger is built for over PItNom", "1", 0.9),
        _positive("eco.dTCon", "rise of the condenser water, nominal", "K", 7.0),
        _positive("eco.ntu", "transfer units at nominal flows, on the side of the chilled water", "1", 3.0),
        _positive("eco.dpCon", "pressure drop of the side of the condenser water with open valve", "Pa", 60e3),
        _positive("eco.dpChi", "pressure drop of the side of the chilled water at nominal flow", "Pa", 25e3),
        _positive("eco.tauVal", "time constant of the valve", "s", 45.0),
        _positive("eco.RVal", "rangeability of the valve", "1", 30.0),
        _positive("eco.lVal", "leakage of the closed valve over its full flow", "1", 1e-4),
    ]


def _storage() -> list[Variable]:
    return [
        _positive("tan.m", "water in the tank", "kg/W", 0.03),
        _at_least_zero("tan.mNom", "nominal flow of the tank over PItNom; 0: there is no tank", "kg/(s.W)", 0.0),
        _positive("tan.dp", "pressure drop of the tank's pipes at a flow of 1e-5 kg/s a watt", "Pa", 40e3),
        _positive("tan.dpMax", "pressure difference at the halls that the tank's pump reaches", "Pa", 200e3),
        _positive("tan.eta", "efficiency of the tank's pump", "1", 0.6),
        _positive("tan.UA", "conduction between two layers", "1/K", 1e-7),
        _positive("tan.tau", "time constant of the tank's pump", "s", 30.0),
        _at_least_zero("bat.PNom", "nominal power of the battery over PItNom; 0: there is none", "1", 0.0),
        _positive("bat.tDis", "time in which nominal power empties it", "s", 7200.0),
        _positive("bat.eta", "efficiency of charging, and of discharging", "1", 0.95),
        _share("bat.socSta", "state of charge at the start", 0.5),
        _share("shi.fra2", "hall 2: share of the work that is flexible; 0: none", 0.0),
        _positive("shi.tMax", "longest backlog, in time of the nominal flexible work", "s", 14400.0),
    ]


PARAMETERS: tuple[Variable, ...] = (
    *_general(), *_hall(), *_liquid(), *_chiller(), *_pumps(), *_tower(), *_economizer(), *_storage(),
)  # fmt: skip


class Parameters:
    """Symbols or numbers of the parameters, by name.

    Parameters
    ----------
    vector : casadi.SX, shape (len(PARAMETERS),)
        In the order of `PARAMETERS`.
    """

    _index = {variable.name: i for i, variable in enumerate(PARAMETERS)}

    def __init__(self, vector: ca.SX) -> None:
        self._vector = vector

    def __getitem__(self, name: str) -> ca.SX:
        """Return the parameter `name`; KeyError where there is none."""
        return self._vector[self._index[name]]

    def series(self, name: str, length: int) -> list[ca.SX]:
        """Return ``name[1] ... name[length]``."""
        return [self[f"{name}[{i}]"] for i in range(1, length + 1)]
