"""The closed data centre: what the simulation of its test cases knows beyond the FMU."""

from __future__ import annotations

from collections.abc import Mapping, Set
from pathlib import Path

from trivium.plants.data_center.view import POINTS, units, view
from trivium.simulation.plant import Plant, Schematic

#: What a controller decides; docs/data-center.md has units and bounds, which the FMU declares.
COMMANDS = (
    "uChi1", "uChi2", "uChi3", "uChi4", "TChiWatSupSet", "nPumChiWat", "yPumChiWat", "nPumConWat", "yPumConWat",
    "nTow", "yFanTow", "yValEco", "TSupAirSet1", "TSupAirSet2", "yFanCra1", "yFanCra2", "TLiqSupSet", "yTan", "yBat",
    "yShi",
)  # fmt: skip

#: What must not be missing at the end: battery, warmth, work that waits; as `kpi.stores` of a test case has it.
STORES = ("EBat", "EWar", "EBac")


class DataCenter(Plant):
    """Two halls with their chillers, economizer, towers and storage."""

    controller = "rule-book"
    schematic = Schematic(
        wide=Path(__file__).with_name("schematic.svg"),
        narrow=Path(__file__).with_name("schematic-narrow.svg"),
        legend="Filled: on. Hollow: off. Thick line: water flows, as measured; thin line: it stands; dashes: the warm "
        "side. Grey is normal; colour and a sign mark what is beyond its limit. Choose a unit to see its trend and to "
        "set its inputs.",
        points=POINTS,
        view=view,
        units=units(),
    )
    charted = ("TInlMax", "TChiWatSup", "PCoo", "PItDue", "TWetBul")
    set_points: Mapping[str, str] = {"TChiWatSup": "TChiWatSupSet", "TLiqSup": "TLiqSupSet"}

    def recognizes(self, inputs: Set[str], outputs: Set[str]) -> bool:
        """Return whether a model has the commands of the data centre and its halls' inlets."""
        return inputs >= {*COMMANDS} and "TInlMax" in outputs


PLANT = DataCenter()
