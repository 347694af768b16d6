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
    now = status(values)
    condenser, chilled = _any(now.condenser_pumps), _any(now.chilled_pumps)
    figures: dict[str, _Figure] = {
        "condenser-supply": (now.condenser_supply, "K"),
        "condenser-return": (now.condenser_return, "K"),
        "condenser-flow": (now.condenser_flow, "m3/s"),
        "chilled-supply": (now.chilled_supply, "K"),
        "chilled-return": (now.chilled_return, "K"),
        "chilled-flow": (now.chilled_flow, "kg/s"),
        "heat": _kilowatts(now.heat),
    }
    states = {"condenser-loop": _flows(condenser), "chilled-loop": _flows(chilled)}
    for name, state, texts in _elements(now):
        states[name] = state
        figures |= {f"{name}-{key}": text for key, text in texts.items()}
    return View(_sentence(now), figures, states, _tiles(now))


def _elements(now: Status) -> Iterator[_Element]:
    for i, tower in enumerate(now.towers, 1):
        yield from _tower(f"tower-{i}", tower)
    for i, train in enumerate(now.trains, 1):
        yield f"train-{i}", _flows(train.mode != "off"), {"mode": _SHORT.get(train.mode, train.mode)}
        yield from _chiller_and_exchanger(i, train)
    for loop, pumps in (("condenser", now.condenser_pumps), ("chilled", now.chilled_pumps)):
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


def _tiles(now: Status) -> list[tuple[str, _Figure, str]]:
    trains = sum(train.mode != "off" for train in now.trains)
    return [
        ("Mode", now.mode, f"{trains} of 6 trains"),
        ("Chilled water supply", (now.chilled_supply, "K"), f"returns at {_celsius(now.chilled_return)}"),
        ("Heat taken", (now.heat, "W"), "from flow and temperatures"),
        ("Electric power", (now.power, "W"), "chillers, fans, pumps"),
        ("Wet bulb outside", (now.wet_bulb, "K"), ""),
    ]


def _sentence(now: Status) -> str:
    towers, condenser, chilled = (
        sum(unit.on for unit in units) for units in (now.towers, now.condenser_pumps, now.chilled_pumps)
    )
    trains = sum(train.mode != "off" for train in now.trains)
    return (
        f"The cooling plant: {trains} of 6 trains in service ({now.mode}), {towers} of 6 towers, "
        f"{condenser} of 6 condenser water pumps, {chilled} of 6 chilled water pumps. Chilled water is supplied at "
        f"{_celsius(now.chilled_supply)} and returns at {_celsius(now.chilled_return)}."
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
