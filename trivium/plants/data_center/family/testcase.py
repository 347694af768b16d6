"""The file ``testcase.toml`` of a member of the family."""

from __future__ import annotations

from collections.abc import Mapping

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

[kpi.comfort]
temperature = "TInl1"
set_point = 300.15
band = 0

[kpi.switches]
chillers = ["uChi1", "uChi2", "uChi3", "uChi4"]

[scenario]
signal = "TWetBul"
days = 14
warmup_days = 1
uncertain = ["TDryBul", "TWetBul"]
"""


def testcase_toml(name: str, start_values: Mapping[str, float]) -> str:
    """Return the file.

    Parameters
    ----------
    name : str
        Of the test case.
    start_values : Mapping[str, float]
        Parameters of the plant.
    """
    lines = [f'"{key}" = {value!r}' for key, value in start_values.items()]
    return _TOML.format(name=name, start_values="\n".join(lines))
