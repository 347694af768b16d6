"""The file ``testcase.toml`` of a member of the family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trivium.evaluation.faults import Fault
from trivium.plants.data_center.constraints import LEAST_FLOW, NOMINAL_FLOW
from trivium.plants.data_center.faults import cause_of
from trivium.plants.data_center.rules import UNITS

_TOML = """\
# A member of the family of data centres; docs/family.md. Made by `trivium family make`.
name = "{name}"
step = 300
end_time = 31536000
epoch = 2018-01-01T00:00:00{offset}   # a Monday as in the load, in a year without a leap day; local standard time

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

#: Limits of ASHRAE TC 9.9 (Thermal Guidelines for Data Processing Environments, 5th edition, 2021) and of the plant.
_ALARMS = """
# What people should look at; docs/alarms.md. Halls and liquid: ASHRAE TC 9.9, recommended 18 to 27 degC, allowable 15
# to 32 degC (class A1), liquid at most 40 degC (class W40).
[alarms.work_refused]
text = "Servers refuse work"
priority = "high"
variable = "PItUns"
high = 1000
{halls}
[alarms.liquid_hot]
text = "Liquid to the cold plates above 40 °C"
priority = "high"
variable = "TLiqSup"
high = 313.15
delay = 300
deadband = 0.5

# A supply that is warm harms only where the halls get warm.
[alarms.supply_warm]
text = "Chilled water supply above its set point"
variable = "TChiWatSup"
set_point = "TChiWatSupSet"
above = 2
when = ["uChi1", "uChi2", "uChi3", "uChi4"]
delay = 1800
deadband = 0.5

# Chillers are unloaded at 4 degC (chi.TFre of the plant); colder water comes from the economizer.
[alarms.supply_cold]
text = "Chilled water supply near freezing, below 3 °C"
priority = "high"
variable = "TChiWatSup"
low = 276.15
delay = 300
deadband = 0.5

# Flow switches stop a chiller at 0.2 of its nominal flow (chi.mMin of the plant).
[alarms.chilled_no_flow]
text = "Chilled water pumps on with less flow than one chiller needs"
priority = "high"
variable = "mChiWat_flow"
low = {least_flow:.1f}
when = ["nPumChiWat"]
delay = 600

[alarms.condenser_no_flow]
text = "Condenser water pumps on without flow"
priority = "high"
variable = "mConWat_flow"
low = 0.1
when = ["nPumConWat"]
delay = 600
{chillers}"""

_HALL = """
[alarms.hall_{hall}_hot]
text = "Hall {hall}: inlets above what is allowable, 32 °C"
priority = "high"
variable = "TInl{hall}"
high = 305.15
delay = 300
deadband = 0.5

[alarms.hall_{hall}_warm]
text = "Hall {hall}: inlets above what is recommended, 27 °C"
variable = "TInl{hall}"
high = 300.15
delay = 900
deadband = 0.5

[alarms.hall_{hall}_cold]
text = "Hall {hall}: inlets below what is allowable, 15 °C"
priority = "low"
variable = "TInl{hall}"
low = 288.15
delay = 900
deadband = 0.5
"""

# 44 degC: the unit is unloaded from there on, and stops at 48 degC; 900 s: its least time off.
_CHILLER = """
[alarms.chiller_{unit}_hot]
text = "Chiller {unit}: condenser water leaves so hot that it is unloaded"
variable = "TConWatLvg{unit}"
high = 317.15
when = ["uChi{unit}"]
delay = 300
deadband = 1

[alarms.chiller_{unit}_off]
text = "Chiller {unit} is commanded on and does not run"
priority = "high"
variable = "yChi{unit}"
low = 0.5
when = ["uChi{unit}"]
delay = 1800
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


def testcase_toml(name: str, start_values: Mapping[str, float], offset: float, faults: Sequence[Fault]) -> str:
    """Return the file.

    Parameters
    ----------
    name : str
        Of the test case.
    start_values : Mapping[str, float]
        Parameters of the plant.
    offset : float
        Of the local standard time from UTC [h].
    faults : sequence of Fault
        Of every test, unless a client sets others.
    """
    lines = [f'"{key}" = {value!r}' for key, value in start_values.items()]
    minutes = round(60 * abs(offset))
    written = f"{'-' if offset < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
    text = _TOML.format(name=name, start_values="\n".join(lines), offset=written)
    text += _ALARMS.format(
        halls="".join(_HALL.format(hall=hall) for hall in (1, 2)),
        chillers="".join(_CHILLER.format(unit=unit) for unit in UNITS),
        least_flow=LEAST_FLOW * NOMINAL_FLOW * start_values["PItNom"],
    )
    return text + "".join(_FAULT.format(cause=cause_of(fault), **fault.as_dict()) for fault in faults)
