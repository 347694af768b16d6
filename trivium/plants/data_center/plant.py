"""The closed data centre: what the simulation of its test cases knows beyond the FMU."""

from __future__ import annotations

from collections.abc import Set

from trivium.simulation.plant import Plant

#: What a controller decides; docs/data-center.md has units and bounds, which the FMU declares.
COMMANDS = (
    "uChi1", "uChi2", "uChi3", "uChi4", "TChiWatSupSet", "nPumChiWat", "yPumChiWat", "nPumConWat", "yPumConWat",
    "nTow", "yFanTow", "yValEco", "TSupAirSet1", "TSupAirSet2", "yFanCra1", "yFanCra2", "TLiqSupSet", "yTan", "yBat",
    "yShi",
)  # fmt: skip


class DataCenter(Plant):
    """Two halls with their chillers, economizer, towers and storage."""

    controller = "rule-book"
    charted = ("TInlMax", "TChiWatSup", "PCoo", "PItDue", "TWetBul")

    def recognizes(self, inputs: Set[str], outputs: Set[str]) -> bool:
        """Return whether a model has the commands of the data centre and its halls' inlets."""
        return inputs >= {*COMMANDS} and "TInlMax" in outputs


PLANT = DataCenter()
