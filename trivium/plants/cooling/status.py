"""The status of the cooling plant in a reading of its points: which units are on, in which mode, at which figures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from trivium.plants.cooling.rules import UNITS, Mode

_SPECIFIC_HEAT = 4186.0  # of water [J/(kg K)]
_NAMES = {Mode.FREE: "free cooling", Mode.PARTIAL: "partial cooling", Mode.CHILLER: "chiller"}
#: From where on a valve or a switch counts as open or on [1].
_OPEN = 0.5


@dataclass(frozen=True)
class Tower:
    """A cooling tower: whether water is on it, speeds of its two fans [1], leaving water of its cells [K]."""

    on: bool
    fans: tuple[float, float]
    leaving: tuple[float, float]


@dataclass(frozen=True)
class Pump:
    """A pump: whether it runs, its speed [rpm] and head [m]."""

    on: bool
    speed: float
    head: float


@dataclass(frozen=True)
class Train:
    """A chiller and its heat exchanger.

    Attributes
    ----------
    mode : str
        ``off``, ``free cooling``, ``partial cooling``, ``chiller``, or ``other`` where the valves stand otherwise.
    chiller, exchanger : bool
        Whether it runs; whether water goes through it.
    power : float
        Of the chiller [W].
    chilled : float
        Chilled water from the chiller [K].
    condenser : float
        Condenser water from the chiller [K].
    exchanged : float
        Condenser water from the heat exchanger [K].
    """

    mode: str
    chiller: bool
    exchanger: bool
    power: float
    chilled: float
    condenser: float
    exchanged: float


@dataclass(frozen=True)
class Status:
    """The whole plant; temperatures [K], flows [m3/s] and [kg/s], powers and heat [W].

    Flows are those that really flow, where the model reports them; the set point is that of who cools now.
    """

    towers: tuple[Tower, ...]
    trains: tuple[Train, ...]
    condenser_pumps: tuple[Pump, ...]
    chilled_pumps: tuple[Pump, ...]
    condenser_supply: float
    condenser_return: float
    condenser_flow: float
    chilled_supply: float
    chilled_return: float
    chilled_flow: float
    set_point: float
    wet_bulb: float
    power: float

    @property
    def heat(self) -> float:
        """Heat taken from the data hall [W]."""
        return self.chilled_flow * _SPECIFIC_HEAT * (self.chilled_return - self.chilled_supply)

    @property
    def mode(self) -> str:
        """The modes of the trains in service."""
        modes = list(dict.fromkeys(train.mode for train in self.trains if train.mode != "off"))
        return " and ".join(modes) or "off"


def status(values: Mapping[str, float]) -> Status:
    """Return the status in a reading of the plant's points by name."""
    trains = tuple(_train(values, i) for i in _UNITS)
    free = any(train.exchanger for train in trains) and not any(train.chiller for train in trains)
    return Status(
        towers=tuple(_tower(values, i) for i in _UNITS),
        trains=trains,
        condenser_pumps=tuple(_pump(values, "CDWP", i) for i in _UNITS),
        chilled_pumps=tuple(_pump(values, "CHWP", i) for i in _UNITS),
        condenser_supply=values["Tcw_supply"],
        condenser_return=values["Tcw_returnPipe"],
        condenser_flow=_measured(values, "VolumeFlowRate_cw"),
        chilled_supply=values["Tchw_supply"],
        chilled_return=values["Tchw_r"],
        chilled_flow=_measured(values, "Mchw"),
        set_point=values[f"Tchws_set_{'HEX' if free else 'CHI'}"],
        wet_bulb=values["Twb_outside"],
        power=sum(values[f"P_{group}_sum"] for group in ("Chillers", "CTfans", "CDWPs", "CHWPs")),
    )


_UNITS = range(1, UNITS + 1)


def _measured(values: Mapping[str, float], name: str) -> float:
    """Return what of a prescribed flow really flows; at the start of a test no model reports it."""
    real = values.get(f"{name}_real", math.nan)
    return values[name] if math.isnan(real) else real


def _tower(values: Mapping[str, float], i: int) -> Tower:
    return Tower(
        values[f"U_CT{i}"] > _OPEN,
        (values[f"Ffan_CT{i}_01"], values[f"Ffan_CT{i}_02"]),
        (values[f"Tlvg_CT{i}_01"], values[f"Tlvg_CT{i}_02"]),
    )


def _pump(values: Mapping[str, float], kind: str, i: int) -> Pump:
    return Pump(values[f"{kind}0{i}_ONOFF"] > _OPEN, values[f"{kind}0{i}_rpm"], values[f"H_{kind}{i}"])


def _train(values: Mapping[str, float], i: int) -> Train:
    sides = [{v for v in (1, 2, 3, 4) if values[f"CHI0{i}_{side}{v}"] > _OPEN} for side in ("CW", "CHW")]
    chiller = values[f"CHI0{i}"] > _OPEN
    mode = next((name for kind, name in _NAMES.items() if sides == [{*kind.valves}] * 2), "other")
    if not any(sides) and not chiller:
        mode = "off"
    return Train(
        mode=mode,
        chiller=chiller,
        exchanger=any(3 in side for side in sides),
        power=values[f"Pchi{i}"],
        chilled=values[f"Tchws_CHI{i}"],
        condenser=values[f"Tcwr_CHI{i}"],
        exchanged=values[f"Tcwr_HEX{i}"],
    )
