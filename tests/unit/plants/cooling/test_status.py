"""The status of the cooling plant, as its drawing shows it."""

import pytest

from tests.cooling_reading import all_off, opened
from trivium.plants.cooling.status import status


@pytest.fixture
def values():
    return all_off()


# docs/plant.md names the valves of the modes
@pytest.mark.parametrize(
    ("valves", "chiller", "mode", "exchanger"),
    [
        ((2, 3), 0.0, "free cooling", True),
        ((3, 4), 1.0, "partial cooling", True),
        ((1, 4), 1.0, "chiller", False),
        ((), 0.0, "off", False),
        ((1, 2, 3), 1.0, "other", True),
    ],
)
def test_mode_of_a_train(values, valves, chiller, mode, exchanger):
    opened(values, 3, valves)
    values["CHI03"] = chiller
    train = status(values).trains[2]
    assert (train.mode, train.chiller, train.exchanger) == (mode, chiller == 1.0, exchanger)


def test_modes_of_the_plant_are_those_of_the_trains_in_service(values):
    assert status(values).mode == "off"
    opened(values, 1, (2, 3))
    opened(values, 4, (2, 3))
    assert status(values).mode == "free cooling"
    opened(values, 5, (1, 4))
    assert status(values).mode == "free cooling and chiller"


def test_each_unit_has_its_own_figures(values):
    values |= {"U_CT2": 1.0, "Ffan_CT2_01": 0.6, "Ffan_CT2_02": 0.9, "Tlvg_CT2_01": 290.15, "Tlvg_CT2_02": 291.15}
    values |= {"CDWP05_ONOFF": 1.0, "CDWP05_rpm": 770.0, "H_CDWP5": 11.0}
    now = status(values)
    assert [tower.on for tower in now.towers] == [False, True, False, False, False, False]
    assert now.towers[1].fans == (0.6, 0.9)
    assert now.towers[1].leaving == (290.15, 291.15)
    assert [pump.on for pump in now.condenser_pumps] == [False] * 4 + [True, False]
    assert (now.condenser_pumps[4].speed, now.condenser_pumps[4].head) == (770.0, 11.0)
    assert not any(pump.on for pump in now.chilled_pumps)


def test_heat_and_power(values):
    values |= {"Mchw": 100.0, "Tchw_r": 292.15, "Tchw_supply": 287.15, "P_Chillers_sum": 3e5, "P_CHWPs_sum": 1e4}
    assert status(values).heat == pytest.approx(100 * 4186 * 5)
    assert status(values).power == 3.1e5
