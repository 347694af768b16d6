"""Heat that is demanded, removed and left unserved, and how warm the hall gets, of rows of known content."""

import numpy as np
import pytest

from trivium.errors import ResourcesError
from trivium.evaluation.kpi import Declaration, Kpis

COLUMNS = ("time", "asked", "flows", "warm", "cold", "share", "P", "Q", "IT", "head")
DEMAND = {"mass_flow": "asked", "warm": "warm", "cold": 290.0}
HEAT = {"mass_flow": "flows", "warm": "warm", "cold": "cold", "specific_heat": 1000, "demand": DEMAND}
COMFORT = {"temperature": "cold", "set_point": 290.0, "band": 0.5, "standing": 310.0}
KPI = {"power": {"all": ["P"]}, "heat": HEAT, "comfort": COMFORT, "service": {"unserved": 0.01, "violation": 0.24}}


def rows(hours: int = 4, **changes: float) -> np.ndarray:
    """Hours of 100 kg/s from 300 to 290 K at 1 kJ/(kg K): 1 MW, for 100 kW of electricity."""
    usual = {
        "asked": 100.0, "flows": 100.0, "warm": 300.0, "cold": 290.0, "share": 1.0, "P": 1e5, "Q": 1e6, "IT": 1e6,
        "head": 20.0,
    }  # fmt: skip
    table = np.tile([0.0, *{**usual, **changes}.values()], (hours + 1, 1))
    table[:, 0] = 3600.0 * np.arange(hours + 1)
    return table


def kpis(table: np.ndarray, declaration: dict | None = None) -> dict[str, float | None]:
    kpis = Kpis(Declaration(COLUMNS, declaration or KPI))
    return dict(kpis.values(lambda first: table[first:], kpis.wanted(None)))


def test_all_is_served() -> None:
    values = kpis(rows())
    assert (values["demand_tot"], values["heat_tot"], values["unserved_tot"]) == (4000.0, 4000.0, 0.0)
    assert (values["pue"], values["cer"], values["tdis_tot"]) == (1.1, 10.0, 0.0)
    assert (values["serves"], values["time_tot"]) == (1.0, 4.0)


def test_standing_water_removes_nothing_and_is_the_worst_for_the_hall() -> None:
    values = kpis(rows(flows=0.0, P=0.0))
    assert (values["heat_tot"], values["unserved_tot"]) == (0.0, 4000.0)
    assert values["tdis_tot"] == pytest.approx(4 * 19.5)
    assert values["pue"] is values["cer"] is None
    assert values["serves"] == 0.0


@pytest.mark.parametrize("flow", [0.0, 20.0, 50.0, 99.0])
def test_a_part_of_the_flow_is_a_part_of_the_service(flow: float) -> None:
    values, share = kpis(rows(flows=flow)), flow / 100.0
    assert values["heat_tot"] == pytest.approx(4000.0 * share)
    assert values["tdis_tot"] == pytest.approx(4 * max(0.0, 20.0 * (1 - share) - 0.5))
    shared = kpis(rows(share=share), {**KPI, "heat": {**HEAT, "shares": ["share"]}})
    assert shared == pytest.approx(values)


def test_colder_water_than_the_hall_asks_for_is_no_more_service() -> None:
    values = kpis(rows(cold=280.0))
    assert (values["heat_tot"], values["unserved_tot"], values["pue"]) == (4000.0, 0.0, 1.1)
    assert values["tdis_tot"] == 0.0
    assert kpis(rows(cold=280.0), {**KPI, "comfort": {**COMFORT, "cold_band": 1.0}})["tdis_tot"] == 4 * 9.0


def test_warm_water_inside_of_the_band_is_unserved_heat() -> None:
    values = kpis(rows(cold=290.4))
    assert values["unserved_tot"] == pytest.approx(160.0)
    assert values["tdis_tot"] == 0.0
    assert values["serves"] == 0.0


def test_surplus_of_one_hour_does_not_make_up_for_another() -> None:
    table = rows()
    table[1:3, 4], table[3:, 4] = 280.0, 299.0
    assert kpis(table)["unserved_tot"] == pytest.approx(1800.0)


def test_heat_that_is_added_to_the_water_is_unserved_too_whatever_the_share() -> None:
    heat = {**HEAT, "shares": ["share"]}
    assert kpis(rows(cold=301.0, share=0.0), {**KPI, "heat": heat})["unserved_tot"] == pytest.approx(4400.0)


def test_heat_and_demand_may_be_signals() -> None:
    heat = {"power": "Q", "demand": {"power": "IT"}}
    comfort = {key: value for key, value in COMFORT.items() if key != "standing"}
    values = kpis(rows(Q=8e5), {**KPI, "heat": heat, "comfort": comfort})
    assert (values["demand_tot"], values["heat_tot"], values["unserved_tot"]) == (4000.0, 3200.0, 800.0)


@pytest.mark.parametrize(("head", "heat"), [(20.0, 4000.0), (9.0, 0.0)])
def test_of_a_model_that_does_not_say_what_flows_the_prescribed_flow_counts_while_a_pump_gives_head(
    head: float, heat: float
) -> None:
    instead = {"mass_flow": "asked", "warm": "warm", "cold": "cold", "running": ["head"], "least": 10.0}
    declared = {**HEAT, "mass_flow": "not_there", "shares": ["neither"], "instead": instead}
    declaration = Declaration(COLUMNS, {**KPI, "heat": declared})
    assert "prescribed flow" in declaration.about["heat_tot"].description
    values = kpis(rows(head=head, flows=0.0), {**KPI, "heat": declared})
    assert values["heat_tot"] == heat
    assert values["tdis_tot"] == pytest.approx(0.0 if heat else 4 * 19.5)


def test_without_a_demand_heat_is_all_that_is_removed() -> None:
    heat = {key: value for key, value in HEAT.items() if key != "demand"}
    values = kpis(rows(cold=280.0), {"heat": heat})
    assert values["heat_tot"] == 8000.0
    assert "unserved_tot" not in values


def test_in_short_of_another_run_a_run_is_judged_by_that() -> None:
    limits = Declaration(COLUMNS, KPI).limits
    good, poor = kpis(rows(cold=290.05)), kpis(rows(cold=290.4))
    assert limits.met(good)
    assert not limits.met(poor)
    assert limits.met(poor, poor)
    assert not limits.met(poor, good)
    assert limits.met(good, poor)


def test_of_nothing_simulated_it_is_not_known_whether_it_serves() -> None:
    assert kpis(rows(0))["serves"] is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"heat": {**HEAT, "mass_flow": "not_there"}}, "there is no signal not_there"),
        ({"heat": {**HEAT, "power": "Q"}}, "power takes the place"),
        ({"heat": {**HEAT, "shares": "share"}}, "kpi.heat.shares must be a list"),
        ({"heat": {**HEAT, "demand": {"flow": "asked"}}}, "unknown key kpi.heat.demand.flow"),
        ({"heat": {**HEAT, "instead": 3, "mass_flow": "not_there"}}, "kpi.heat.instead must be a table"),
        ({"heat": {key: value for key, value in HEAT.items() if key != "demand"}}, "standing needs mass_flow"),
        ({"service": {"unserved": -1}}, "kpi.service.unserved must be a number of at least 0"),
    ],
)
def test_a_wrong_declaration_is_refused(changes: dict, reason: str) -> None:
    with pytest.raises(ResourcesError, match=reason):
        Declaration(COLUMNS, {**KPI, **changes})
