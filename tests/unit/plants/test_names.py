"""Nothing outside the plants names a variable of one of them."""

from __future__ import annotations

import re

from trivium.environment import ROOT
from workshop.cooling_plant import variables as cooling
from workshop.data_center import variables as data_center

VARIABLES = (*cooling.INPUTS, *cooling.OUTPUTS, *data_center.INPUTS, *data_center.OUTPUTS)
#: What is about plants: the plants themselves, and the tasks and the benchmark of the data centre.
ABOUT_PLANTS = ("plants", "gym/tasks", "benchmark")
#: Names of the weather in BOPTEST, which any test case may have.
WEATHER = ("TDryBul", "TWetBul")
NAMES = re.compile(
    r"(?<![\w.])(" + "|".join(re.escape(v.name) for v in VARIABLES if v.name not in WEATHER) + r")(?!\w)"
)


def test_nothing_outside_the_plants_names_a_variable_of_one_of_them():
    package = ROOT / "trivium"
    named = {
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted(package.rglob("*"))
        if path.suffix in (".py", ".js", ".css")
        and not any(path.is_relative_to(package / folder) for folder in ABOUT_PLANTS)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if NAMES.search(line)
    }
    assert not named
