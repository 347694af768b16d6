"""Inputs, outputs and states of the plant, named and ordered as the published trajectories, with units and bounds."""

from __future__ import annotations

from workshop.fmi.spec import Variable

__all__ = ["INPUTS", "OUTPUTS", "STATES", "TOWER_CELLS", "TRAIN_VALVES", "UNITS"]

UNITS = (1, 2, 3, 4, 5, 6)
TOWER_CELLS = tuple((tower, cell) for tower in UNITS for cell in (1, 2))
TRAIN_VALVES = ("CW1", "CW2", "CW3", "CW4", "CHW1", "CHW2", "CHW3", "CHW4")

# Order of the train valves among the inputs, as published.
_VALVE_ORDER = (
    "CHI03_CW2 CHI03_CW3 CHI03_CW1 CHI04_CW2 CHI03_CW4 CHI04_CW1 CHI04_CW4 CHI04_CW3 CHI03_CHW4 CHI04_CHW3 "
    "CHI03_CHW1 CHI03_CHW2 CHI04_CHW2 CHI04_CHW4 CHI03_CHW3 CHI04_CHW1 CHI01_CW4 CHI02_CW3 CHI01_CW1 CHI01_CW2 "
    "CHI02_CW2 CHI02_CW4 CHI01_CW3 CHI02_CW1 CHI01_CHW4 CHI02_CHW3 CHI01_CHW1 CHI01_CHW2 CHI02_CHW2 CHI02_CHW4 "
    "CHI01_CHW3 CHI02_CHW1 CHI05_CW4 CHI05_CHW3 CHI06_CW3 CHI06_CHW4 CHI05_CHW1 CHI05_CW1 CHI05_CW2 CHI06_CHW1 "
    "CHI05_CHW4 CHI05_CHW2 CHI06_CW2 CHI06_CHW3 CHI06_CW4 CHI05_CW3 CHI06_CHW2 CHI06_CW1 "
).split()
_VALVE_PLACE = {
    "CW1": "condenser water past the heat exchanger",
    "CW2": "condenser water past the chiller",
    "CW3": "condenser water to the heat exchanger",
    "CW4": "condenser water from the chiller",
    "CHW1": "chilled water past the heat exchanger",
    "CHW2": "chilled water past the chiller",
    "CHW3": "chilled water to the heat exchanger",
    "CHW4": "chilled water from the chiller",
}


def _switch(name: str, description: str) -> Variable:
    return Variable(name, f"{description} (0 or 1)", "1", 0.0, min=0.0, max=1.0)


def _speed(name: str, description: str) -> Variable:
    return Variable(name, description, "rpm", 0.0, min=0.0, max=1600.0, nominal=1000.0)


def _temperature(
    name: str, description: str, start: float = 293.15, low: float = 273.15, high: float = 373.15
) -> Variable:
    return Variable(name, description, "K", start, min=low, max=high, nominal=10.0)


def _inputs() -> tuple[Variable, ...]:
    pump = {"CDWP": "Condenser water pump", "CHWP": "Chilled water pump"}
    return (
        *(
            Variable(f"U_CT{i}", f"Cooling tower {i}: water valves of both cells", "1", 0.0, min=0.0, max=1.0)
            for i in UNITS
        ),
        _temperature("Twb_outside", "Wet-bulb temperature of the outside air", 283.15, 223.15, 318.15),
        _temperature("Tchws_set_CHI", "Set point of the water leaving the chillers", 288.15, 276.15, 303.15),
        *(
            Variable(f"Ffan_CT{i}_0{j}", f"Cooling tower {i}, cell {j}: relative fan speed", "1", 0.0, min=0.0, max=1.0)
            for i, j in TOWER_CELLS
        ),
        *(_speed(f"CDWP0{i}_rpm", f"{pump['CDWP']} {i}: speed") for i in (1, 2, 6, 5, 3, 4)),
        *(_speed(f"CHWP0{i}_rpm", f"{pump['CHWP']} {i}: speed") for i in (1, 4, 2, 5, 6, 3)),
        Variable(
            "Mchw",
            "Chilled water mass flow of the IT cooling circuit",
            "kg/s",
            90.0,
            min=0.0,
            max=1500.0,
            nominal=100.0,
        ),
        _temperature("Tchw_r", "Chilled water returning from the IT cooling circuit", 293.15, 276.15, 323.15),
        *(_switch(f"CHI0{i}", f"Chiller {i}: compressor on") for i in UNITS),
        *(
            Variable(name, f"Train {name[4]}: valve of the {_VALVE_PLACE[name[6:]]}", "1", 0.0, min=0.0, max=1.0)
            for name in _VALVE_ORDER
        ),
        _temperature(
            "Tchws_set_HEX", "Set point of the chilled water leaving the heat exchangers", 288.15, 276.15, 303.15
        ),
        *(
            _switch(f"{kind}0{i}_ONOFF", f"{pump[kind]} {i}: valve open, pump on")
            for kind in ("CDWP", "CHWP")
            for i in UNITS
        ),
        Variable(
            "Head_required",
            "Head that the condenser water circuit asks of its pumps",
            "m",
            15.0,
            min=-200.0,
            max=200.0,
            nominal=10.0,
        ),
        Variable("CWP_activatedNumber", "Number of condenser water pumps in the flow law", "1", 1.0, min=0.0, max=6.0),
        _speed("CWP_speedInput", "Speed of the condenser water pumps in the flow law"),
    )


def _outputs() -> tuple[Variable, ...]:
    def power(name: str, description: str, high: float) -> Variable:
        return Variable(name, description, "W", 0.0, min=0.0, max=high, nominal=1e4)

    def per_train(pattern: str, description: str) -> list[Variable]:
        return [_temperature(pattern.format(i), f"Train {i}: {description}") for i in UNITS]

    def per_pump(kind: str) -> list[Variable]:
        label = {"CDWP": "Condenser water pump", "CHWP": "Chilled water pump"}[kind]
        return [
            *(Variable(f"eta_{kind}{i}", f"{label} {i}: efficiency", "1", 0.0, min=0.0, max=1.0) for i in UNITS),
            *(
                Variable(f"H_{kind}{i}", f"{label} {i}: head", "m", 0.0, min=0.0, max=100.0, nominal=10.0)
                for i in UNITS
            ),
        ]

    leaving = ("1_01", "1_02", "6_02", "6_01", "5_02", "5_01", "4_02", "4_01", "3_02", "3_01", "2_02", "2_01")
    return (
        *(power(f"Pfan_CT{i}_0{j}", f"Cooling tower {i}, cell {j}: fan power", 1e5) for i, j in TOWER_CELLS),
        *(_temperature(f"Tlvg_CT{k}", f"Cooling tower {k[0]}, cell {k[3]}: leaving water") for k in leaving),
        Variable("VolumeFlowRate_cw", "Condenser water volume flow", "m3/s", 0.0, min=0.0, max=10.0, nominal=0.1),
        _temperature("Tchw_supply", "Chilled water supplied to the IT cooling circuit"),
        _temperature("Tcw_supply", "Condenser water supplied by the cooling towers"),
        power("P_CDWPs_sum", "Power of all condenser water pumps", 3e6),
        power("P_CHWPs_sum", "Power of all chilled water pumps", 3e6),
        power("P_CTfans_sum", "Power of all cooling tower fans", 1.2e6),
        power("P_Chillers_sum", "Power of all chillers", 5e7),
        _temperature("Tcw_returnPipe", "Condenser water returning to the cooling towers"),
        *(power(f"Pchi{i}", f"Chiller {i}: electric power", 1e7) for i in UNITS),
        *per_train("Tchws_HEX{}", "chilled water between heat exchanger and chiller"),
        *per_train("Tcwr_HEX{}", "condenser water from the heat exchanger"),
        *per_train("Tcwr_CHI{}", "condenser water from the chiller"),
        *per_train("Tchws_CHI{}", "chilled water from the chiller"),
        *per_pump("CDWP"),
        *per_pump("CHWP"),
    )


def _states() -> tuple[Variable, ...]:
    def water(name: str, description: str) -> Variable:
        return Variable(name, description, "K", 293.15, nominal=10.0)

    return (
        *(water(f"T_CT{i}_0{j}", f"Cooling tower {i}, cell {j}: water") for i, j in TOWER_CELLS),
        *(water(f"T_CDWP{i}", f"Condenser water pump {i}: water") for i in UNITS),
        *(water(f"T_CHWP{i}", f"Chilled water pump {i}: water") for i in UNITS),
        *(water(f"T_condenser{i}", f"Chiller {i}: condenser water") for i in UNITS),
        *(water(f"T_evaporator{i}", f"Chiller {i}: evaporator water") for i in UNITS),
        *(water(f"T_hex{i}", f"Train {i}: chilled water behind the three-way valve") for i in UNITS),
        *(
            Variable(f"integral_hex{i}", f"Train {i}: integrator of the heat exchanger's controller", "K", 0.0)
            for i in UNITS
        ),
        *(Variable(f"lag_hex{i}", f"Train {i}: three-way valve, first lag", "1", 1.0) for i in UNITS),
        *(Variable(f"opening_hex{i}", f"Train {i}: three-way valve, opening", "1", 1.0) for i in UNITS),
        *(
            water(f"sensor_Tcwr_HEX{i}", f"Train {i}: sensor of the condenser water from the heat exchanger")
            for i in UNITS
        ),
        *(water(f"sensor_Tchws_HEX{i}", f"Train {i}: sensor between heat exchanger and chiller") for i in UNITS),
        *(water(f"sensor_Tcwr_CHI{i}", f"Train {i}: sensor of the condenser water from the chiller") for i in UNITS),
        *(water(f"sensor_Tchws_CHI{i}", f"Train {i}: sensor of the chilled water from the chiller") for i in UNITS),
        water("sensor_Tcw_supply", "Sensor of the condenser water from the towers"),
        water("sensor_Tcw_return", "Sensor of the condenser water to the towers"),
        water("sensor_Tchw_supply", "Sensor of the chilled water supply"),
    )


INPUTS = _inputs()
OUTPUTS = _outputs()
#: What of the simulated cooling counts; see `workshop.cooling_plant.service`.
LOCALS = (
    Variable("Mchw_real", "Chilled water that the running pumps move against the loop", "kg/s", 0.0),
    Variable("VolumeFlowRate_cw_real", "Condenser water that the running pumps move against the loop", "m3/s", 0.0),
    Variable("dp_chw", "Pressure difference that the chilled water loop takes at the simulated flow", "Pa", 0.0),
    Variable("dp_cw", "Pressure difference that the condenser water loop takes at the simulated flow", "Pa", 0.0),
    Variable("cw_share", "Condenser water that the running pumps move, over the simulated flow", "1", 0.0),
    Variable("chiller_share", "Heat removed without the chillers' outside of their envelope, over all", "1", 0.0),
)
STATES = _states()
