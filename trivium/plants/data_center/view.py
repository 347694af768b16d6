"""The data centre as people see it: the figures and states of its drawing, and a sentence."""

from __future__ import annotations

from collections.abc import Mapping

from trivium.simulation.plant import Deviation, Unit, View

_CHILLERS, _CELLS, _HALLS = (1, 2, 3, 4), (1, 2, 3, 4), (1, 2)
#: Outputs and inputs that the view is made of.
POINTS = (
    *(f"{name}{i}" for i in _CHILLERS for name in ("yChi", "PChi", "TChiWatLvg")),
    *(f"{name}{i}" for i in _HALLS for name in ("PIt", "TInl", "yFanCra")),
    "nTow", "yFanTow", "nPumConWat", "yPumConWat", "nPumChiWat", "yPumChiWat", "TConWatSup", "TConWatRet",
    "mConWat_flow", "TChiWatSup", "TChiWatRet", "mChiWat_flow", "QEco", "QLiq", "TLiqSup", "TTan1", "TTan6",
    "mTan_flow", "socBat", "PBat", "PCoo", "PItUns", "TInlMax", "TWetBul", "TChiWatSupSet",
)  # fmt: skip
#: Flow from which on water is drawn as flowing [kg/s], and heat or power from which on a part counts as working [W].
_FLOWS, _WORKS = 0.1, 1e3
#: How far the supply may be from its set point [K].
_BAND = 1.0

_Figure = str | tuple[float, str]


def view(values: Mapping[str, float]) -> View:
    """Return what people see of a reading of the plant's points."""
    v = values
    cells = round(v["nTow"])
    figures: dict[str, _Figure] = {
        "condenser-supply": (v["TConWatSup"], "K"),
        "condenser-return": (v["TConWatRet"], "K"),
        "condenser-flow": (v["mConWat_flow"], "kg/s"),
        "condenser-pumps-speed": _units(v["nPumConWat"], v["yPumConWat"]),
        "chilled-supply": (v["TChiWatSup"], "K"),
        "chilled-set": f"set {_celsius(v['TChiWatSupSet'])} ± {_BAND:g} K",
        "chilled-return": (v["TChiWatRet"], "K"),
        "chilled-flow": (v["mChiWat_flow"], "kg/s"),
        "chilled-pumps-speed": _units(v["nPumChiWat"], v["yPumChiWat"]),
        "economizer-heat": _kilowatts(v["QEco"]),
        "exchanger-heat": _kilowatts(v["QLiq"]),
        "liquid-supply": (v["TLiqSup"], "K"),
        "tank-bottom": (v["TTan1"], "K"),
        "tank-top": (v["TTan6"], "K"),
        "battery-charge": f"{100 * v['socBat']:.0f} %",
    }
    states = {
        "condenser-loop": _state(v["mConWat_flow"] > _FLOWS, "flows", "still"),
        "chilled-loop": _state(v["mChiWat_flow"] > _FLOWS or v["mTan_flow"] < -_FLOWS, "flows", "still"),
        "condenser-pumps": _on(v["nPumConWat"] >= 0.5 and v["yPumConWat"] > 0.0),
        "chilled-pumps": _on(v["nPumChiWat"] >= 0.5 and v["yPumChiWat"] > 0.0),
        "economizer": _on(v["QEco"] > _WORKS),
        "exchanger": _on(v["QLiq"] > _WORKS),
        "tank": _on(abs(v["mTan_flow"]) > _FLOWS),
        "battery": _on(abs(v["PBat"]) > _WORKS),
    }
    for i in _CELLS:
        runs = i <= cells
        states[f"cell-{i}"], figures[f"cell-{i}-speed"] = _on(runs), _percent(v["yFanTow"]) if runs else "off"
        states[f"cell-{i}-fan"] = _state(runs and v["yFanTow"] > 0.0, "turns", "still")
    for i in _CHILLERS:
        runs = v[f"yChi{i}"] > 0.5
        states[f"chiller-{i}"] = _on(runs)
        figures[f"chiller-{i}-power"] = _kilowatts(v[f"PChi{i}"]) if runs else "off"
        figures[f"chiller-{i}-temperature"] = (v[f"TChiWatLvg{i}"], "K") if runs else ""
    for i in _HALLS:
        states[f"hall-{i}"] = _on(v[f"PIt{i}"] > _WORKS)
        states[f"hall-{i}-fan"] = _state(v[f"yFanCra{i}"] > 0.0, "turns", "still")
        figures[f"hall-{i}-power"] = _kilowatts(v[f"PIt{i}"])
        figures[f"hall-{i}-inlet"] = (v[f"TInl{i}"], "K")
        figures[f"hall-{i}-speed"] = _percent(v[f"yFanCra{i}"])
    deviations = {"supply-deviation": Deviation(v["TChiWatSup"], v["TChiWatSupSet"], _BAND)}
    return View(_sentence(v, cells), figures, states, _tiles(v), deviations)


def units() -> dict[str, Unit]:
    """Return what can be chosen in the drawing, by its id."""
    parts = {
        "condenser-water": Unit("Condenser water from the towers", ("TConWatSup", "mConWat_flow")),
        "condenser-warm": Unit("Condenser water to the towers", ("TConWatRet",)),
        "condenser-pumps": Unit("Condenser water pumps", ("mConWat_flow", "PPumConWat"), ("nPumConWat", "yPumConWat")),
        "supply": Unit("Chilled water supply", ("TChiWatSup",), ("TChiWatSupSet",)),
        "return": Unit("Chilled water return", ("TChiWatRet", "mChiWat_flow")),
        "chilled-pumps": Unit("Chilled water pumps", ("mChiWat_flow", "PPumChiWat"), ("nPumChiWat", "yPumChiWat")),
        "economizer": Unit("Economizer", ("QEco",), ("yValEco",)),
        "exchanger": Unit("Coolant exchanger", ("QLiq",)),
        "liquid": Unit("Liquid to the cold plates", ("TLiqSup",), ("TLiqSupSet",)),
        "tank": Unit("Tank", ("TTan6", "TTan1", "mTan_flow"), ("yTan",)),
        "battery": Unit("Battery", ("socBat", "PBat"), ("yBat",)),
    }
    for i in _CELLS:
        parts[f"cell-{i}"] = Unit(f"Tower cell {i}", ("nTow", "TConWatSup"), ("nTow", "yFanTow"))
    for i in _CHILLERS:
        points = f"TChiWatLvg{i}", f"TConWatLvg{i}", f"PChi{i}", f"yChi{i}"
        parts[f"chiller-{i}"] = Unit(f"Chiller {i}", points, (f"uChi{i}",))
    for i in _HALLS:
        inputs = f"TSupAirSet{i}", f"yFanCra{i}"
        parts[f"hall-{i}"] = Unit(f"Hall {i}", (f"TInl{i}", f"PIt{i}"), inputs)
    return parts


def _tiles(v: Mapping[str, float]) -> list[tuple[str, _Figure, str]]:
    work = v["PIt1"] + v["PIt2"]
    refused = f"{_kilowatts(v['PItUns'])} refused" if v["PItUns"] > _WORKS else "nothing refused"
    return [
        ("IT power", (work, "W"), refused),
        ("Cooling power", (v["PCoo"], "W"), f"{100 * v['PCoo'] / work:.1f} % of the IT power" if work > _WORKS else ""),
        ("Warmest inlets", (v["TInlMax"], "K"), "18 to 27 °C recommended"),
        ("Chilled water supply", (v["TChiWatSup"], "K"), f"returns at {_celsius(v['TChiWatRet'])}"),
        ("Wet bulb outside", (v["TWetBul"], "K"), ""),
    ]


def _sentence(v: Mapping[str, float], cells: int) -> str:
    chillers = sum(v[f"yChi{i}"] > 0.5 for i in _CHILLERS)
    return (
        f"The data centre: {chillers} of 4 chillers on, {cells} of 4 tower cells in service, chilled water is supplied "
        f"at {_celsius(v['TChiWatSup'])} and returns at {_celsius(v['TChiWatRet'])}; the warmest inlets have "
        f"{_celsius(v['TInlMax'])}."
    )


def _units(number: float, speed: float) -> str:
    return f"{round(number)} × {_percent(speed)}" if number >= 0.5 else "off"


def _on(value: bool) -> str:
    return _state(value, "on", "off")


def _state(value: bool, yes: str, no: str) -> str:
    return yes if value else no


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _celsius(kelvin: float) -> str:
    return f"{kelvin - 273.15:.1f} °C"


def _kilowatts(watts: float) -> str:
    return f"{watts / 1e3:,.0f} kW".replace(",", "\u202f")
