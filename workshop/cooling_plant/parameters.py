"""Every number of the plant, in one place.

Sizes and coefficients are those of the plant that published its trajectories (Applied Energy 380 (2025) 125100), read
from its model description and identified from its data; `docs/plant.md` says which is which. All of them are parameters
of the FMU and can be changed before initialization. Temperatures of correlations are in degC because the correlations
are.
"""

from __future__ import annotations

from collections.abc import Mapping

import casadi as ca

from workshop.fmi.spec import Variable

__all__ = ["PARAMETERS", "Parameters"]

UNITS = range(1, 7)

# Hydeman, Sreedharan, Webb & Blanc (2002), "Development and testing of a reformulated regression-based electric chiller
# model": capacity and energy input ratio over leaving evaporator and leaving condenser water temperature, and part
# load.
CAP_FUN_T = (6.188, 0.07529, -0.003966, -0.3122, 0.003876, 0.001477)
EIR_FUN_T = (-0.4547, 0.113, 0.0003629, 0.02494, 0.0009723, -0.004625)
EIR_FUN_PLR = (0.6778244, -0.01674571, -1.0699e-5, 0.2261951, -0.01572357, 0.01714268, 0.0, 0.1072291, 0.0, 0.0)

# Power of each unit over the formula's, in steps of the leaving condenser water temperature (identified, residual <
# 0.001).
POWER_FACTOR = {
    1: (0.80, 0.85, 1.00),
    2: (0.70, 0.85, 1.00),
    3: (0.60, 0.83, 1.05),
    4: (0.70, 0.95, 1.10),
    5: (0.695, 0.90, 1.02),
    6: (0.65, 1.00, 1.00),
}
POWER_STEP = {1: (27.0, 30.0), 2: (27.0, 30.0), 3: (24.0, 29.0), 4: (27.0, 30.0), 5: (29.0, 32.5), 6: (27.0, 30.0)}

# YorkCalc correlation, EnergyPlus Engineering Reference, "Variable Speed Cooling Towers": approach over wet bulb,
# range, liquid/gas.
YORK = (
    -0.359741205, -0.055053608, 0.0023850432, 0.173926877, -0.0248473764, 0.00048430224, -0.005589849456,
    0.0005770079712, -0.00001342427256, 2.84765801111111, -0.121765149, 0.0014599242, 1.680428651, -0.0166920786,
    -0.0007190532, -0.025485194448, 0.0000487491696, 0.00002719234152, -0.0653766255555556, -0.002278167,
    0.0002500254, -0.0910565458, 0.00318176316, 0.000038621772, -0.0034285382352, 0.00000856589904, -0.000001516821552,
)  # fmt: skip
FAN_SPEED = (0.0, 0.6, 0.7, 0.8, 0.9, 1.0)
FAN_POWER = (0.0, 0.17, 0.258, 0.369, 0.58, 1.0)

# Pump curves at nominal speed: a + b V + c V^2 between V_min and V_max [m3/s], straight beyond, with the slopes of the
# curve's first and last measured chord.
PUMPS: Mapping[str, Mapping[str, float]] = {
    "CDWP": {
        "N_nominal": 1485.0, "m": 384.226, "V_min": 0.05513281, "V_max": 0.385929672,
        "dp_a": 509859.15224, "dp_b": -67195.6302, "dp_c": -1358419.22706,
        "dp_lo": -254429.3026, "dp_hi": -1078257.4768,
        "P_a": 79116.70438, "P_b": 220815.74027, "P_c": -220439.23557, "P_lo": 190432.155, "P_hi": 56744.3742,
    },
    "CHWP": {
        "N_nominal": 1480.0, "m": 292.05, "V_min": 0.04192, "V_max": 0.29343,
        "dp_a": 543128.06627, "dp_b": 296644.44813, "dp_c": -3567115.98973,
        "dp_lo": -77182.0771, "dp_hi": -1722018.7842,
        "P_a": 53084.44895, "P_b": 291906.38047, "P_c": -171943.48992, "P_lo": 273887.06, "P_hi": 194601.9997,
    },
}  # fmt: skip
PUMP_MEANING = {
    "N_nominal": ("speed of the measured curves", "rpm"),
    "m": ("mass of water in the pump and its pipe", "kg"),
    "V_min": ("first measured volume flow", "m3/s"),
    "V_max": ("last measured volume flow", "m3/s"),
    "dp_a": ("pressure rise, constant coefficient", "Pa"),
    "dp_b": ("pressure rise, linear coefficient", "Pa.s/m3"),
    "dp_c": ("pressure rise, quadratic coefficient", "Pa.s2/m6"),
    "dp_lo": ("slope of pressure rise below V_min", "Pa.s/m3"),
    "dp_hi": ("slope of pressure rise above V_max", "Pa.s/m3"),
    "P_a": ("electric power, constant coefficient", "W"),
    "P_b": ("electric power, linear coefficient", "W.s/m3"),
    "P_c": ("electric power, quadratic coefficient", "W.s2/m6"),
    "P_lo": ("slope of electric power below V_min", "W.s/m3"),
    "P_hi": ("slope of electric power above V_max", "W.s/m3"),
}


def _positive(name: str, description: str, unit: str, start: float) -> Variable:
    """A parameter that the equations divide by or take the root of."""
    return Variable(name, description, unit, start, min=1e-9, nominal=abs(start) or 1.0)


def _free(name: str, description: str, unit: str, start: float) -> Variable:
    """A coefficient of either sign."""
    return Variable(name, description, unit, start, nominal=abs(start) or 1.0)


def _series(name: str, description: str, unit: str, values: tuple[float, ...]) -> list[Variable]:
    return [_free(f"{name}[{i}]", f"{description}, {i} of {len(values)}", unit, v) for i, v in enumerate(values, 1)]


def _water_and_valves() -> list[Variable]:
    return [
        _positive("water.cp", "specific heat capacity of water", "J/(kg.K)", 4184.0),
        _positive("water.rho", "density of water", "kg/m3", 995.586),
        _positive("valve.riseTime", "time in which a motor valve makes 99.6 % of a step", "s", 120.0),
        Variable("valve.R", "rangeability of equal-percentage valves", "1", 50.0, min=1.001),
        Variable("valve.l", "leakage of a closed valve, flow over fully open flow", "1", 5e-6, min=1e-9, max=0.1),
        Variable("valve.delta0", "opening below which the characteristic is linear", "1", 0.01, min=1e-4, max=0.5),
        _positive("train.m_flow_1", "nominal flow of valves CW1 and CHW1 (around the heat exchanger)", "kg/s", 209.0),
        _positive("train.m_flow_2", "nominal flow of valves CW2 and CHW2 (around the chiller)", "kg/s", 55.0),
        _positive("train.m_flow_3", "nominal flow of valves CW3 and CHW3 (to the heat exchanger)", "kg/s", 55.0),
        _positive("train.m_flow_4", "nominal flow of valves CW4 and CHW4 (from the chiller)", "kg/s", 264.0),
        _positive("train.dp_valve", "pressure drop of an open train valve at nominal flow", "Pa", 6000.0),
        _positive("pumpValve.m_flow", "nominal flow of a pump's valve", "kg/s", 27.5),
        _positive("pumpValve.dp", "pressure drop of a pump's open valve at nominal flow", "Pa", 1000.0),
    ]


def _chiller() -> list[Variable]:
    group = [
        _positive("chiller.Q_nominal", "cooling capacity at reference conditions", "W", 4027768.572212281),
        _positive("chiller.COP_nominal", "coefficient of performance at reference conditions", "1", 7.78832),
        _positive("chiller.m_flow", "nominal flow of evaporator and condenser", "kg/s", 209.0),
        _positive("chiller.dp", "pressure drop of evaporator and condenser at nominal flow", "Pa", 6000.0),
        _positive("chiller.m", "mass of water in an evaporator, and in a condenser", "kg", 209.0),
        _positive("chiller.PLRMax", "largest part load ratio", "1", 1.08),
        _positive("chiller.PLRMin", "part load ratio below which the unit cycles", "1", 0.1),
        _positive("chiller.PMax", "largest electric power over that at reference conditions", "1", 3.0),
        _positive("chiller.stepWidth", "width over which a power step is smoothed", "K", 0.02),
        _free(
            "chiller.TConTripStart", "leaving condenser water at which the high-pressure limiter sets in", "degC", 65.0
        ),
        _free("chiller.TConTripEnd", "leaving condenser water at which it has stopped the compressor", "degC", 75.0),
        *_series("chiller.capFunT", "capacity over temperatures", "1", CAP_FUN_T),
        *_series("chiller.EIRFunT", "energy input ratio over temperatures", "1", EIR_FUN_T),
        *_series("chiller.EIRFunPLR", "energy input ratio over part load", "1", EIR_FUN_PLR),
    ]
    for i in UNITS:
        group += _series(
            f"chiller{i}.powerFactor", f"power of chiller {i} over the formula's, by step", "1", POWER_FACTOR[i]
        )
        group += _series(
            f"chiller{i}.powerStep", f"leaving condenser water at a step of chiller {i}", "degC", POWER_STEP[i]
        )
    return group


def _heat_exchanger() -> list[Variable]:
    return [
        Variable("hex.eps", "effectiveness", "1", 0.96, min=0.0, max=1.0),
        _positive("hex.m_flow", "nominal flow of both sides", "kg/s", 55.0),
        _positive("hex.dp", "pressure drop of a side at nominal flow", "Pa", 60000.0),
        _positive("hex.m", "mass of water behind the three-way valve", "kg", 550.0),
        _positive("threeWay.dp", "pressure drop of the open three-way valve at nominal flow", "Pa", 6000.0),
        _positive("threeWay.fraK", "flow coefficient of the bypass over that of the straight way", "1", 0.7),
        Variable("threeWay.l", "leakage of a closed port", "1", 1e-4, min=1e-9, max=0.1),
        _positive("threeWay.riseTime", "time in which the three-way valve makes 99.6 % of a step", "s", 30.0),
        _positive("hexControl.k", "gain of the PI controller of the leaving chilled water", "1/K", 0.4),
        _positive("hexControl.Ti", "integral time of the PI controller", "s", 80.0),
        _positive("hexControl.Ni", "anti-windup time over integral time", "1", 0.9),
    ]


def _tower() -> list[Variable]:
    return [
        _positive("tower.m_flow", "nominal water flow of a cell", "kg/s", 93.0),
        _positive("tower.dp", "pressure drop of a cell at nominal flow", "Pa", 30000.0),
        _positive("tower.m", "mass of water in a cell", "kg", 93.0),
        _positive("tower.m_flow_valve", "nominal flow of tower and cell valves", "kg/s", 209.0),
        _positive("tower.dp_valve", "pressure drop of an open tower valve at nominal flow", "Pa", 6000.0),
        _positive(
            "tower.FRWat0", "water flow ratio at nominal flow, which meets the nominal approach of 4 K", "1", 0.50901
        ),
        Variable(
            "tower.fraFreCon", "share of the capacity that is left with the fan off", "1", 0.125, min=0.0, max=1.0
        ),
        Variable("tower.yMin", "relative speed below which the fan counts as off", "1", 0.6, min=0.05, max=1.0),
        Variable(
            "tower.TFreeze",
            "leaving water at which cells are bypassed against freezing",
            "K",
            274.15,
            min=273.15,
            max=283.15,
        ),
        _positive("tower.PFan", "power of a fan at full speed", "W", 55000.0),
        _positive("tower.liqGasRatMax", "largest liquid to gas ratio of the correlation", "1", 8.0),
        *_series("tower.fanSpeed", "relative fan speed of the power table", "1", FAN_SPEED),
        *_series("tower.fanPower", "relative fan power of the power table", "1", FAN_POWER),
        *_series("tower.york", "YorkCalc coefficient", "1", YORK),
    ]


def _pumps() -> list[Variable]:
    group = []
    for kind, numbers in PUMPS.items():
        label = {"CDWP": "condenser water pump", "CHWP": "chilled water pump"}[kind]
        for key, value in numbers.items():
            meaning, unit = PUMP_MEANING[key]
            make = _positive if key in ("N_nominal", "m", "V_min", "V_max") else _free
            group.append(make(f"{kind}.{key}", f"{label}: {meaning}", unit, value))
    return [
        *group,
        _free("flowLaw.a", "condenser water flow law, coefficient of the squared speed ratio", "m", 51.9655),
        _free("flowLaw.b", "condenser water flow law, coefficient of speed ratio times pump flow", "m.s/m3", -6.4336),
        _positive(
            "flowLaw.c", "condenser water flow law, minus the coefficient of the squared pump flow", "m.s2/m6", 137.7364
        ),
        _positive("flowLaw.N", "reference speed of the condenser water flow law", "rpm", 1500.0),
        _positive("flowLimit.runOut", "largest prescribed flow over the run-out flow of the running pumps", "1", 1.3),
        _positive(
            "flowLimit.loop", "largest prescribed flow over what shut-off pressure drives through the loop", "1", 5.0
        ),
    ]


def _sensors_and_start() -> list[Variable]:
    return [
        _positive("sensor.tau", "time constant of a temperature sensor at its nominal flow", "s", 1.0),
        _positive("sensor.m_flow_train", "nominal flow of the sensors in a train", "kg/s", 55.0),
        _positive("sensor.m_flow_loop", "nominal flow of the sensors in the main pipes", "kg/s", 50.0),
        Variable("start.T", "water temperature at the start", "K", 293.15, min=274.15, max=333.15, nominal=10.0),
        Variable(
            "start.TChiller",
            "water temperature in the chillers at the start",
            "K",
            288.15,
            min=274.15,
            max=333.15,
            nominal=10.0,
        ),
    ]


PARAMETERS: tuple[Variable, ...] = (
    *_water_and_valves(),
    *_chiller(),
    *_heat_exchanger(),
    *_tower(),
    *_pumps(),
    *_sensors_and_start(),
)


class Parameters:
    """Symbols of the parameters, by name.

    Parameters
    ----------
    symbol : casadi.SX, shape (len(PARAMETERS),)
        The parameter vector, in the order of `PARAMETERS`.
    """

    _index = {variable.name: i for i, variable in enumerate(PARAMETERS)}

    def __init__(self, symbol: ca.SX) -> None:
        self._symbol = symbol

    def __getitem__(self, name: str) -> ca.SX:
        """Symbol of the parameter `name`; KeyError where there is none."""
        return self._symbol[self._index[name]]

    def series(self, name: str, length: int) -> list[ca.SX]:
        """Symbols of ``name[1] ... name[length]``."""
        return [self[f"{name}[{i}]"] for i in range(1, length + 1)]
