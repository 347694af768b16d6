"""Inputs, outputs and states of the data centre: names after Modelica Buildings, units, bounds and start values.

Four groups of inputs: `COMMANDS` are what a controller decides, `DISTURBANCES` are load and weather, `CONDITIONS` are
the health of the equipment (1: healthy), by which a scenario applies faults. No two commands set the same thing, and
none prescribes a flow, a return temperature or a heat: those follow.
"""

from __future__ import annotations

from workshop.fmi.spec import Variable

__all__ = [
    "ACTUATORS", "CHILLERS", "COMMANDS", "CONDITIONS", "DISTURBANCES", "HALLS", "INPUTS", "INTEGERS", "LAYERS",
    "OUTPUTS", "STATES",
]  # fmt: skip

CHILLERS = (1, 2, 3, 4)
HALLS = (1, 2)
LAYERS = (1, 2, 3, 4, 5, 6)
#: Commands that the equipment follows with a lag.
ACTUATORS = (
    "nPumChiWat", "yPumChiWat", "nPumConWat", "yPumConWat", "nTow", "yFanTow", "yValEco", "yFanCra1", "yFanCra2",
    "yTan",
)  # fmt: skip

INTEGERS = (*(f"uChi{i}" for i in CHILLERS), "nPumChiWat", "nPumConWat", "nTow")
"""Commands that are whole numbers; the plant rounds what it gets."""


def _temperature(name: str, text: str, start: float = 293.15, low: float = 223.15, high: float = 423.15) -> Variable:
    return Variable(name, text, "K", start, min=low, max=high, nominal=10.0)


def _count(name: str, text: str, start: float) -> Variable:
    return Variable(name, text, "1", start, min=0.0, max=4.0)


def _share(name: str, text: str, start: float, low: float = 0.0) -> Variable:
    return Variable(name, text, "1", start, min=low, max=1.0)


COMMANDS: tuple[Variable, ...] = (
    *(_share(f"uChi{i}", f"Chiller {i}: on (0 or 1)", float(i < 4)) for i in CHILLERS),
    _temperature("TChiWatSupSet", "Set point of the water leaving the chillers", 285.15, 280.15, 293.15),
    _count("nPumChiWat", "Number of chilled water pumps on", 3.0),
    _share("yPumChiWat", "Relative speed of the chilled water pumps", 0.85),
    _count("nPumConWat", "Number of condenser water pumps on", 3.0),
    _share("yPumConWat", "Relative speed of the condenser water pumps", 0.85),
    _count("nTow", "Number of cooling tower cells in service", 4.0),
    _share("yFanTow", "Relative speed of the fans of the cells in service", 0.7),
    _share("yValEco", "Valve of the condenser water through the economizer", 0.0),
    *(_temperature(f"TSupAirSet{i}", f"Hall {i}: set point of the supply air", 295.15, 288.15, 305.15) for i in HALLS),
    *(_share(f"yFanCra{i}", f"Hall {i}: relative speed of the air handlers' fans", 0.85) for i in HALLS),
    _temperature("TLiqSupSet", "Set point of the liquid supplied to the cold plates", 305.15, 298.15, 318.15),
    _share("yTan", "Tank: relative flow, positive charges it", 0.0, -1.0),
    _share("yBat", "Battery: relative power, positive charges it", 0.0, -1.0),
    _share("yShi", "Flexible work: positive postpones it, negative catches up", 0.0, -1.0),
)

DISTURBANCES: tuple[Variable, ...] = (
    *(
        Variable(f"PItDem{i}", f"Hall {i}: power that the work would draw", "W", 1.5e6, min=0.0, max=1e8, nominal=1e6)
        for i in HALLS
    ),
    _temperature("TDryBul", "Dry-bulb temperature outside", 293.15, 223.15, 328.15),
    _temperature("TWetBul", "Wet-bulb temperature outside", 288.15, 223.15, 313.15),
)

CONDITIONS: tuple[Variable, ...] = (
    *(_share(f"kChi{i}", f"Chiller {i}: available (0: tripped)", 1.0) for i in CHILLERS),
    _share("kCon", "Condensers: heat transfer over that of clean tubes", 1.0, 0.3),
    _share("kTow", "Towers: transfer units over those of clean fill", 1.0, 0.3),
    _share("kEco", "Economizer: heat transfer over that of clean plates", 1.0, 0.3),
    _share("kPumChiWat", "Chilled water pumps: head over that of new ones", 1.0, 0.3),
    _share("kPumConWat", "Condenser water pumps: head over that of new ones", 1.0, 0.3),
)

INPUTS: tuple[Variable, ...] = (*COMMANDS, *DISTURBANCES, *CONDITIONS)


def _power(name: str, text: str) -> Variable:
    return Variable(name, text, "W", 0.0, nominal=1e5)


def _flow(name: str, text: str) -> Variable:
    return Variable(name, text, "kg/s", 0.0, nominal=10.0)


def _energy(name: str, text: str) -> Variable:
    return Variable(name, text, "J", 0.0, nominal=1e9)


OUTPUTS: tuple[Variable, ...] = (
    # electric power
    *(_power(f"PChi{i}", f"Chiller {i}: electric power") for i in CHILLERS),
    _power("PPumChiWat", "Power of all chilled water pumps"),
    _power("PPumConWat", "Power of all condenser water pumps"),
    _power("PFanTow", "Power of all tower fans"),
    _power("PFanCra", "Power of all fans of the air handlers"),
    _power("PPumLiq", "Power of the pumps of the cold plates' liquid"),
    _power("PPumTan", "Power of the tank's pump"),
    _power("PCoo", "Power of all cooling equipment"),
    *(_power(f"PIt{i}", f"Hall {i}: power that the IT equipment draws") for i in HALLS),
    _power("PItDue", "Power of the work that is due: what is demanded, less what waits, and what is caught up"),
    _power("PItSer", "Power of the work that is done of it"),
    _power("PItUns", "Power of the work that is refused because servers throttle or stop"),
    _power("PBat", "Power into the battery, negative while it discharges"),
    _power("PGri", "Power drawn from the grid"),
    # heat
    *(_power(f"QHal{i}", f"Hall {i}: heat that the coils take from the air") for i in HALLS),
    _power("QLiq", "Heat taken from the cold plates' liquid"),
    *(_power(f"QChi{i}", f"Chiller {i}: heat taken from the chilled water") for i in CHILLERS),
    _power("QEco", "Heat taken from the chilled water by the economizer"),
    _power("QTow", "Heat given to the outside air"),
    # chillers
    *(_share(f"yChi{i}", f"Chiller {i}: running, 1 after its ramp", 0.0) for i in CHILLERS),
    *(
        Variable(f"tLocChi{i}", f"Chiller {i}: time until it may start or stop", "s", 0.0, nominal=100.0)
        for i in CHILLERS
    ),
    *(_temperature(f"TChiWatLvg{i}", f"Chiller {i}: leaving chilled water") for i in CHILLERS),
    *(_temperature(f"TConWatLvg{i}", f"Chiller {i}: leaving condenser water") for i in CHILLERS),
    # water
    _temperature("TChiWatSup", "Chilled water supplied to the halls"),
    _temperature("TChiWatRet", "Chilled water returning from the halls"),
    _temperature("TChiWatEnt", "Chilled water entering the chillers, behind the economizer"),
    _flow("mChiWat_flow", "Chilled water through the pumps"),
    *(_flow(f"mHal{i}_flow", f"Hall {i}: chilled water through the coils") for i in HALLS),
    _flow("mTan_flow", "Chilled water into the tank, negative while it discharges"),
    Variable("dpChiWat", "Pressure difference of the chilled water at the halls", "Pa", 0.0, nominal=1e5),
    _temperature("TConWatSup", "Condenser water from the towers' basins"),
    _temperature("TConWatRet", "Condenser water to the towers"),
    _flow("mConWat_flow", "Condenser water through the pumps and towers"),
    _flow("mEco_flow", "Condenser water through the economizer"),
    _flow("mLiq_flow", "Condenser water through the exchanger of the cold plates' liquid"),
    _flow("mMakWat_flow", "Make-up water of the towers"),
    # halls
    *(_temperature(f"TInl{i}", f"Hall {i}: air at the servers' inlets") for i in HALLS),
    _temperature("TInlMax", "Air at the servers' inlets of the warmer hall"),
    *(_temperature(f"TSupAir{i}", f"Hall {i}: air supplied by the air handlers") for i in HALLS),
    *(_temperature(f"TRetAir{i}", f"Hall {i}: air returning to the air handlers") for i in HALLS),
    *(_share(f"yVal{i}", f"Hall {i}: valve of the coils", 0.5) for i in HALLS),
    _temperature("TLiqSup", "Liquid supplied to the cold plates"),
    _temperature("TLiqRet", "Liquid returning from the cold plates"),
    _share("yValLiq", "Valve of the condenser water to the exchanger of the liquid", 0.5),
    # storage
    *(_temperature(f"TTan{i}", f"Tank: layer {i}, counted from the bottom") for i in LAYERS),
    _share("socBat", "Battery: state of charge", 0.5),
    _energy("EBat", "Energy in the battery"),
    _energy("EBac", "Work that was postponed and is not done yet"),
    _energy("EWar", "Heat stored in halls, chilled water and tank, from TRef on: what cooling has yet to take"),
    # integrals since the start, exact whatever the step
    _energy("EItDem", "Energy of the work demanded"),
    _energy("EIt", "Energy that the IT equipment drew, all of it heat"),
    _energy("EItUns", "Energy of work that was refused because servers throttled or stopped"),
    _energy("EAux", "Electric energy of the cooling equipment that ends in air or water of the plant"),
    _energy("ERej", "Heat given to the outside air"),
    _energy("ESto", "Heat stored in equipment, air and water, from TRef on"),
    _energy("EGri", "Energy drawn from the grid"),
    Variable("mMakWat", "Make-up water of the towers", "kg", 0.0, nominal=1e3),
)


def _states() -> tuple[Variable, ...]:
    def follower(name: str, text: str) -> Variable:
        return Variable(name, text, "1", 0.0)

    return (
        *(follower(f"run.chi{i}", f"Chiller {i}: running") for i in CHILLERS),
        *(follower(f"rest.chi{i}", f"Chiller {i}: share of the minimum off time that has passed") for i in CHILLERS),
        *(follower(f"duty.chi{i}", f"Chiller {i}: share of the minimum on time that has passed") for i in CHILLERS),
        *(follower(f"trip.chi{i}", f"Chiller {i}: what its own switches have found") for i in CHILLERS),
        *(_temperature(f"T.eva{i}", f"Chiller {i}: water in the evaporator") for i in CHILLERS),
        *(_temperature(f"T.con{i}", f"Chiller {i}: water in the condenser") for i in CHILLERS),
        *(follower(f"act.{name}", f"Acting {name}") for name in ACTUATORS),
        _temperature("T.supply", "Chilled water in the supply pipes"),
        _temperature("T.return", "Chilled water in the return pipes"),
        *(_temperature(f"T.tan{i}", f"Tank: water of layer {i} from the bottom") for i in LAYERS),
        _temperature("T.basin", "Water in the towers' basins"),
        _temperature("T.towers", "Condenser water on its way to the towers"),
        *(_temperature(f"T.server{i}", f"Hall {i}: servers") for i in HALLS),
        *(_temperature(f"T.cold{i}", f"Hall {i}: cold aisles") for i in HALLS),
        *(_temperature(f"T.hot{i}", f"Hall {i}: hot aisles") for i in HALLS),
        *(_temperature(f"T.coil{i}", f"Hall {i}: water in the coils") for i in HALLS),
        *(follower(f"integral.hal{i}", f"Hall {i}: integrator of the coils' valve") for i in HALLS),
        *(follower(f"val.hal{i}", f"Hall {i}: valve of the coils") for i in HALLS),
        _temperature("T.liqSup", "Liquid in the supply to the cold plates"),
        _temperature("T.liqRet", "Liquid and cold plates"),
        follower("integral.liq", "Integrator of the liquid's valve"),
        follower("val.liq", "Valve of the liquid's exchanger"),
        follower("soc.bat", "State of charge of the battery"),
        *(
            _energy(f"E.{name}", text)
            for name, text in (
                ("backlog", "Work that was postponed"),
                ("demand", "Work demanded"),
                ("it", "Energy that the IT equipment drew"),
                ("refused", "Work refused"),
                ("aux", "Electric energy that ends in air or water"),
                ("rejected", "Heat given to the outside air"),
                ("grid", "Energy drawn from the grid"),
            )
        ),
        Variable("m.makeUp", "Make-up water", "kg", 0.0, nominal=1e3),
    )


STATES: tuple[Variable, ...] = _states()
