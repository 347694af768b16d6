"""Nothing outside the plants names a variable of the cooling plant."""

from __future__ import annotations

import re

from trivium.environment import ROOT
from workshop.cooling_plant.variables import INPUTS, OUTPUTS

NAMES = re.compile(r"(?<![\w.])(" + "|".join(re.escape(v.name) for v in (*INPUTS, *OUTPUTS)) + r")(?!\w)")


def test_nothing_outside_the_plants_names_a_variable_of_the_cooling_plant():
    package = ROOT / "trivium"
    named = {
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted(package.rglob("*"))
        if path.suffix in (".py", ".js", ".css") and package / "plants" not in path.parents
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if NAMES.search(line)
    }
    assert not named
