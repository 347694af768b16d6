"""The cooling plant of AlphaDataCenterCooling: what the simulation of its test cases knows beyond the FMU."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from pathlib import Path

from trivium.plants.cooling.head import RequiredHead
from trivium.plants.cooling.rules import BOUNDARY, INPUTS
from trivium.plants.cooling.surrogate import load_chiller_power, load_head
from trivium.plants.cooling.view import MEASURED, POINTS, units, view
from trivium.simulation.plant import Folder, Plant, Schematic

#: Bounds of the inputs by name: pattern, minimum, maximum.
#: Temperatures [K], speeds of pumps [rev/min] (nominal speeds are 1485 and 1480), of fans relative [1], valves and
#: switches [1], the number of running condenser water pumps [1]. Zero running pumps is left out because the plant's
#: pump law divides by their number. The boundary data and Head_required come from files and models, not from clients;
#: their bounds are what water and weather allow.
BOUNDS: tuple[tuple[re.Pattern[str], float, float], ...] = tuple(
    (re.compile(pattern), minimum, maximum)
    for pattern, minimum, maximum in (
        (r"CHI0\d(_CH?W\d)?", 0.0, 1.0),
        (r"C[DH]WP0\d_ONOFF", 0.0, 1.0),
        (r"C[DH]WP0\d_rpm", 0.0, 1500.0),
        (r"U_CT\d", 0.0, 1.0),
        (r"Ffan_CT\d_0\d", 0.0, 1.0),
        (r"Tchws_set_(CHI|HEX)", 278.15, 298.15),
        (r"CWP_activatedNumber", 1.0, 6.0),
        (r"CWP_speedInput", 0.0, 1500.0),
        (r"Twb_outside", 233.15, 318.15),
        (r"Mchw", 0.0, 1800.0),
        (r"Tchw_r", 273.15, 323.15),
        (r"Head_required", -100.0, 100.0),
    )
)


class CoolingPlant(Plant):
    """Chillers, heat exchangers, cooling towers and pumps that cool a data centre."""

    files: Mapping[str, tuple[str, ...]] = {"head": ("mlp.pth",), "chiller_power": ("chiller_power.pth",)}
    folder = Folder(
        marks=("initialization_observation", "head"),
        needs=("disturbances", "initialization_observation", "head", "version"),
        name="AlphaDataCenterCooling_Gym",
        end_time=30099300.0,
    )
    controller = "rules"
    schematic = Schematic(
        wide=Path(__file__).with_name("schematic.svg"),
        narrow=Path(__file__).with_name("schematic-narrow.svg"),
        legend="Filled: on. Hollow: off. Thick line: water flows, as measured; thin line: it stands; dashes: the warm "
        "side. Grey is normal; colour and a sign mark what is beyond its limit. Choose a unit to see its trend and to "
        "set its inputs.",
        points=(*INPUTS, *BOUNDARY, *POINTS),
        view=view,
        also=MEASURED,
        units=units(),
    )
    charted = ("Tchw_supply", "P_Chillers_sum", "P_CTfans_sum", "Tchw_r")
    set_points: Mapping[str, str] = {"Tchw_supply": "Tchws_set_CHI"}

    def recognizes(self, inputs: Set[str], outputs: Set[str]) -> bool:  # noqa: ARG002
        """Return whether a model has the plant's 100 control inputs and its boundary data."""
        return inputs >= {*INPUTS, *BOUNDARY}

    def bounds(self, name: str) -> tuple[float, float] | None:
        """Return the bounds of an input; see `BOUNDS`."""
        return next(((low, high) for pattern, low, high in BOUNDS if pattern.fullmatch(name)), None)

    def law(self, inputs: Sequence[str], outputs: Sequence[str], files: Mapping[str, Path]) -> RequiredHead | None:
        """Return the law of the required head; None where the test case has no surrogate of it."""
        if "head" not in files:
            return None
        power = files.get("chiller_power")
        return RequiredHead(
            inputs, outputs, load_head(files["head"]), None if power is None else load_chiller_power(power)
        )


PLANT = CoolingPlant()
