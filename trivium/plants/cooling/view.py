"""The cooling plant as people look at it: the figures and states of its drawing, its chief figures, a sentence.

The drawings are ``schematic.svg`` and ``schematic-narrow.svg``. A unit that is off says so in words: nothing is shown
by colour alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from trivium.plants.cooling.status import Pump, Status, Tower, Train, status
from trivium.simulation.plant import View

#: Outputs that the view is made of; the others of each unit are there where these are.
POINTS = ("Tchw_supply", "Tcw_supply", "Tcw_returnPipe", "VolumeFlowRate_cw", "Pchi1")
_SHORT = {"free cooling": "free", "partial cooling": "partial"}

_Figure = str | tuple[float, str]
_Element = tuple[str, str, Mapping[str, _Figure]]


def view(values: Mapping[str, float]) -> View:
    """Return what people see of a reading of the plant's points."""
    plant = status(values)
    condenser, chilled = _any(plant.condenser_pumps), _any(plant.chilled_pumps)
    figures: dict[str, _Figure] = {
        "condenser-supply": (plant.condenser_supply, "K"),
        "condenser-return": (plant.condenser_return, "K"),
        "condenser-flow": (plant.condenser_flow, "m3/s"),
        "chilled-supply": (plant.chilled_supply, "K"),
        "chilled-return": (plant.chilled_return, "K"),
        "chilled-flow": (plant.chilled_flow, "kg/s"),
        "heat": _kilowatts(plant.heat),
    }
    states = {"condenser-loop": _flows(condenser), "chilled-loop": _flows(chilled)}
    for name, state, texts in _elements(plant):
        states[name] = state
        figures |= {f"{name}-{key}": text for key, text in texts.items()}
    return View(_sentence(plant), figures, states, _tiles(plant))


def _elements(plant: Status) -> Iterator[_Element]:
    for i, tower in enumerate(plant.towers, 1):
        yield from _tower(f"tower-{i}", tower)
    for i, train in enumerate(plant.trains, 1):
        yield f"train-{i}", _flows(train.mode != "off"), {"mode": _SHORT.get(train.mode, train.mode)}
        yield from _chiller_and_exchanger(i, train)
    for loop, pumps in (("condenser", plant.condenser_pumps), ("chilled", plant.chilled_pumps)):
        for i, pump in enumerate(pumps, 1):
            yield f"{loop}-pump-{i}", _on(pump.on), {"speed": f"{pump.speed:.0f}" if pump.on else "off"}


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
        ("Chilled water supply", (plant.chilled_supply, "K"), f"returns at {_celsius(plant.chilled_return)}"),
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
        f"{_celsius(plant.chilled_supply)} and returns at {_celsius(plant.chilled_return)}."
    )


def _any(pumps: Iterable[Pump]) -> bool:
    return any(pump.on for pump in pumps)


def _on(value: bool) -> str:
    return "on" if value else "off"


def _flows(value: bool) -> str:
    return "flows" if value else "still"


def _celsius(kelvin: float) -> str:
    return f"{kelvin - 273.15:.1f} °C"


def _kilowatts(watts: float) -> str:
    return f"{watts / 1e3:,.0f} kW".replace(",", "\u202f")
