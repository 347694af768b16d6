"""The cooling plant as people look at it: the figures and states of its drawing, its chief figures, a sentence.

The drawings are ``schematic.svg`` and ``schematic-narrow.svg``. A unit that is off says so in words: nothing is shown
by colour alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trivium.plants.cooling.rules import UNITS
from trivium.plants.cooling.status import Status, Tower, Train, status
from trivium.simulation.plant import Deviation, Unit, View

#: Outputs that the view is made of; the others of each unit are there where these are.
POINTS = ("Tchw_supply", "Tcw_supply", "Tcw_returnPipe", "VolumeFlowRate_cw", "Pchi1")
#: Flows that really flow, which some models report.
MEASURED = ("VolumeFlowRate_cw_real", "Mchw_real")
_SHORT = {"free cooling": "free", "partial cooling": "partial"}

#: Flow from which on water counts as flowing: condenser water [m3/s], chilled water [kg/s].
_CONDENSER_FLOWS, _CHILLED_FLOWS = 0.005, 1.0
#: How far the supply may be from its set point [K].
_BAND = 1.0

_Figure = str | tuple[float, str]
_Element = tuple[str, str, Mapping[str, _Figure]]


def view(values: Mapping[str, float]) -> View:
    """Return what people see of a reading of the plant's points."""
    plant = status(values)
    condenser, chilled = plant.condenser_flow > _CONDENSER_FLOWS, plant.chilled_flow > _CHILLED_FLOWS
    figures: dict[str, _Figure] = {
        "condenser-supply": (plant.condenser_supply, "K"),
        "condenser-return": (plant.condenser_return, "K"),
        "condenser-flow": (plant.condenser_flow, "m3/s"),
        "chilled-supply": (plant.chilled_supply, "K"),
        "chilled-set": f"set {_celsius(plant.set_point)} ± {_BAND:g} K",
        "chilled-return": (plant.chilled_return, "K"),
        "chilled-flow": (plant.chilled_flow, "kg/s"),
        "heat": _kilowatts(plant.heat),
    }
    states = {"condenser-loop": _flows(condenser), "chilled-loop": _flows(chilled)}
    for name, state, texts in _elements(plant, condenser, chilled):
        states[name] = state
        figures |= {f"{name}-{key}": text for key, text in texts.items()}
    deviations = {"supply-deviation": Deviation(plant.chilled_supply, plant.set_point, _BAND)}
    return View(_sentence(plant), figures, states, _tiles(plant), deviations)


def _elements(plant: Status, condenser: bool, chilled: bool) -> Iterator[_Element]:
    for i, tower in enumerate(plant.towers, 1):
        yield from _tower(f"tower-{i}", tower)
    for i, train in enumerate(plant.trains, 1):
        on = train.mode != "off"
        yield f"train-{i}", _on(on), {"mode": _SHORT.get(train.mode, train.mode)}
        yield f"train-{i}-cw", _flows(on and condenser), {}
        yield f"train-{i}-chw", _flows(on and chilled), {}
        yield from _chiller_and_exchanger(i, train)
    loops = (("condenser", plant.condenser_pumps, condenser), ("chilled", plant.chilled_pumps, chilled))
    for loop, pumps, flows in loops:
        for i, pump in enumerate(pumps, 1):
            yield f"{loop}-pump-{i}-pipe", _flows(pump.on and flows), {}
            yield f"{loop}-pump-{i}", _on(pump.on), {"speed": f"{pump.speed:.0f}" if pump.on else "off"}


def units() -> dict[str, Unit]:
    """Return what can be chosen in the drawing, by its id."""
    parts = {
        "condenser-water": Unit(
            "Condenser water from the towers",
            ("Tcw_supply", "VolumeFlowRate_cw", "VolumeFlowRate_cw_real", "cw_share"),
            ("CWP_activatedNumber", "CWP_speedInput"),
        ),
        "condenser-warm": Unit("Condenser water to the towers", ("Tcw_returnPipe",)),
        "supply": Unit("Chilled water supply", ("Tchw_supply",), ("Tchws_set_CHI", "Tchws_set_HEX")),
        "return": Unit("Chilled water return", ("Tchw_r", "Mchw", "Mchw_real")),
        "hall": Unit("Data hall", ("Tchw_supply", "Tchw_r", "Mchw", "Mchw_real")),
    }
    for i in range(1, UNITS + 1):
        sides = [f"CHI0{i}_{side}" for side in ("CW", "CHW")]
        parts |= {
            f"tower-{i}": Unit(
                f"Tower {i}",
                (f"Tlvg_CT{i}_01", f"Tlvg_CT{i}_02", f"Pfan_CT{i}_01", f"Pfan_CT{i}_02"),
                (f"U_CT{i}", f"Ffan_CT{i}_01", f"Ffan_CT{i}_02"),
            ),
            f"chiller-{i}": Unit(
                f"Chiller {i}",
                (f"Tchws_CHI{i}", f"Tcwr_CHI{i}", f"Pchi{i}"),
                (f"CHI0{i}", *(f"{side}{valve}" for side in sides for valve in (1, 4))),
            ),
            f"exchanger-{i}": Unit(
                f"Heat exchanger {i}",
                (f"Tchws_HEX{i}", f"Tcwr_HEX{i}"),
                tuple(f"{side}{valve}" for side in sides for valve in (2, 3)),
            ),
            f"condenser-pump-{i}": Unit(
                f"Condenser water pump {i}", (f"H_CDWP{i}",), (f"CDWP0{i}_ONOFF", f"CDWP0{i}_rpm")
            ),
            f"chilled-pump-{i}": Unit(f"Chilled water pump {i}", (f"H_CHWP{i}",), (f"CHWP0{i}_ONOFF", f"CHWP0{i}_rpm")),
        }
    return parts


def _tower(name: str, tower: Tower) -> Iterator[_Element]:
    fans = " · ".join(f"{100 * speed:.0f}" for speed in tower.fans)
    texts: dict[str, _Figure] = {"fans": "off", "temperature": ""}
    if tower.on:
        texts = {"fans": f"fans {fans} %", "temperature": (sum(tower.leaving) / 2, "K")}
    yield name, _on(tower.on), texts
    for i, speed in enumerate(tower.fans, 1):
        yield f"{name}-fan-{i}", "turns" if tower.on and speed > 0 else "still", {}


def _chiller_and_exchanger(i: int, train: Train) -> Iterator[_Element]:
    chiller: dict[str, _Figure] = {"power": "off", "temperature": ""}
    if train.chiller:
        chiller = {"power": _kilowatts(train.power), "temperature": (train.chilled, "K")}
    yield f"chiller-{i}", _on(train.chiller), chiller
    yield f"exchanger-{i}", _on(train.exchanger), {"temperature": (train.exchanged, "K") if train.exchanger else "off"}


def _tiles(plant: Status) -> list[tuple[str, _Figure, str]]:
    trains = sum(train.mode != "off" for train in plant.trains)
    return [
        ("Mode", plant.mode, f"{trains} of 6 trains"),
        ("Chilled water supply", (plant.chilled_supply, "K"), f"set point {_celsius(plant.set_point)}"),
        ("Heat taken", (plant.heat, "W"), "from flow and temperatures"),
        ("Electric power", (plant.power, "W"), "chillers, fans, pumps"),
        ("Wet bulb outside", (plant.wet_bulb, "K"), ""),
    ]


def _sentence(plant: Status) -> str:
    towers, condenser, chilled = (
        sum(unit.on for unit in units) for units in (plant.towers, plant.condenser_pumps, plant.chilled_pumps)
    )
    trains = sum(train.mode != "off" for train in plant.trains)
    return (
        f"The cooling plant: {trains} of 6 trains in service ({plant.mode}), {towers} of 6 towers, "
        f"{condenser} of 6 condenser water pumps, {chilled} of 6 chilled water pumps. Chilled water is supplied at "
        f"{_celsius(plant.chilled_supply)} (set point {_celsius(plant.set_point)}) and returns at "
        f"{_celsius(plant.chilled_return)}."
    )


def _on(value: bool) -> str:
    return "on" if value else "off"


def _flows(value: bool) -> str:
    return "flows" if value else "still"


def _celsius(kelvin: float) -> str:
    return f"{kelvin - 273.15:.1f} °C"


def _kilowatts(watts: float) -> str:
    return f"{watts / 1e3:,.0f} kW".replace(",", "\u202f")
