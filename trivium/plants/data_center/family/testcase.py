"""The file ``testcase.toml`` of a member of the family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trivium.evaluation.faults import Fault
from trivium.plants.data_center.faults import cause_of

_TOML = """\
# A member of the family of data centres; docs/family.md. Made by `trivium family make`.
name = "{name}"
step = 300
end_time = 31536000

[start_values]
{start_values}

[kpi.power]
chillers = ["PChi1", "PChi2", "PChi3", "PChi4"]
chilled_pumps = ["PPumChiWat"]
condenser_pumps = ["PPumConWat"]
fans = ["PFanTow"]
halls = ["PFanCra"]
liquid = ["PPumLiq"]
storage = ["PPumTan", "PBat"]

# All that the grid gives but for the work that servers do: the cooling, the battery and the servers' own fans.
[kpi.meter]
plus = ["EGri", "EBac", "EItUns"]
minus = ["EItDem"]

# Work that is due and work that servers do; what they refuse is unserved.
[kpi.heat]
plus = ["EItDem"]
minus = ["EBac", "EItUns"]

[kpi.heat.demand]
plus = ["EItDem"]
minus = ["EBac"]

# The range of 18 to 27 degC that ASHRAE TC 9.9 recommends, of the warmer hall's inlets.
[[kpi.comfort]]
temperature = "TInlMax"
set_point = 300.15
cold_band = 9

# The warmest liquid that TC 9.9 has a class for, W45.
[[kpi.comfort]]
temperature = "TLiqSup"
set_point = 318.15

[kpi.service]
unserved = 0.001
violation = 0.5

# What is missing at the end is bought: warmth at a coefficient of performance of 4, work that waits with its cooling.
[kpi.stores.battery]
signal = "EBat"

[kpi.stores.warmth]
signal = "EWar"
worth = -0.25

[kpi.stores.backlog]
signal = "EBac"
worth = -1.25

[kpi.water]
make_up = "mMakWat"

[kpi.switches]
# What runs, whoever stopped it; what was commanded.
chillers = ["yChi1", "yChi2", "yChi3", "yChi4"]
chiller_commands = ["uChi1", "uChi2", "uChi3", "uChi4"]

[scenario]
signal = "TWetBul"
days = 14
warmup_days = 1
uncertain = ["TDryBul", "TWetBul"]
"""


_FAULT = """
# {cause}
[[scenario.faults]]
kind = "{kind}"
signal = "{signal}"
start = {start:.0f}
end = {end:.0f}
size = {size!r}
"""


def testcase_toml(name: str, start_values: Mapping[str, float], faults: Sequence[Fault]) -> str:
    """Return the file.

    Parameters
    ----------
    name : str
        Of the test case.
    start_values : Mapping[str, float]
        Parameters of the plant.
    faults : sequence of Fault
        Of every test, unless a client sets others.
    """
    lines = [f'"{key}" = {value!r}' for key, value in start_values.items()]
    text = _TOML.format(name=name, start_values="\n".join(lines))
    return text + "".join(_FAULT.format(cause=cause_of(fault), **fault.as_dict()) for fault in faults)
