"""The plant as its schematic shows it."""

import xml.etree.ElementTree as ElementTree

import pytest

from trivium.dashboard import schematic
from trivium.dashboard.plant import plant
from trivium.plants.cooling.rules import INPUTS


@pytest.fixture
def values():
    """All off, at 20 °C."""
    found = dict.fromkeys(INPUTS, 0.0)
    for i in range(1, 7):
        found |= dict.fromkeys((f"Tlvg_CT{i}_01", f"Tlvg_CT{i}_02"), 293.15)
        found |= {f"Pchi{i}": 0.0, f"H_CDWP{i}": 0.0, f"H_CHWP{i}": 0.0}
        found |= dict.fromkeys((f"Tchws_CHI{i}", f"Tcwr_CHI{i}", f"Tcwr_HEX{i}"), 293.15)
    found |= dict.fromkeys(("Tcw_supply", "Tcw_returnPipe", "Tchw_supply", "Tchw_r", "Twb_outside"), 293.15)
    found |= dict.fromkeys(("VolumeFlowRate_cw", "Mchw", "P_Chillers_sum", "P_CTfans_sum"), 0.0)
    return found | dict.fromkeys(("P_CDWPs_sum", "P_CHWPs_sum"), 0.0)


def opened(values, train, valves):
    for valve in valves:
        values |= {f"CHI0{train}_CW{valve}": 1.0, f"CHI0{train}_CHW{valve}": 1.0}


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
    train = plant(values).trains[2]
    assert (train.mode, train.chiller, train.exchanger) == (mode, chiller == 1.0, exchanger)


def test_modes_of_the_plant_are_those_of_the_trains_in_service(values):
    assert plant(values).mode == "off"
    opened(values, 1, (2, 3))
    opened(values, 4, (2, 3))
    assert plant(values).mode == "free cooling"
    opened(values, 5, (1, 4))
    assert plant(values).mode == "free cooling and chiller"


def test_each_unit_has_its_own_figures(values):
    values |= {"U_CT2": 1.0, "Ffan_CT2_01": 0.6, "Ffan_CT2_02": 0.9, "Tlvg_CT2_01": 290.15, "Tlvg_CT2_02": 291.15}
    values |= {"CDWP05_ONOFF": 1.0, "CDWP05_rpm": 770.0, "H_CDWP5": 11.0}
    now = plant(values)
    assert [tower.on for tower in now.towers] == [False, True, False, False, False, False]
    assert now.towers[1].fans == (0.6, 0.9)
    assert now.towers[1].leaving == (290.15, 291.15)
    assert [pump.on for pump in now.condenser_pumps] == [False] * 4 + [True, False]
    assert (now.condenser_pumps[4].speed, now.condenser_pumps[4].head) == (770.0, 11.0)
    assert not any(pump.on for pump in now.chilled_pumps)


def test_heat_and_power(values):
    values |= {"Mchw": 100.0, "Tchw_r": 292.15, "Tchw_supply": 287.15, "P_Chillers_sum": 3e5, "P_CHWPs_sum": 1e4}
    assert plant(values).heat == pytest.approx(100 * 4186 * 5)
    assert plant(values).power == 3.1e5


@pytest.mark.parametrize("draw", [schematic.wide, schematic.tall])
def test_drawing(values, draw):
    values |= {"U_CT1": 1.0, "Tchw_supply": 287.15, "CHWP02_ONOFF": 1.0, "CHWP02_rpm": 905.0}
    opened(values, 2, (1, 4))
    values |= {"CHI02": 1.0, "Pchi2": 301_400.0}
    drawing = ElementTree.fromstring(draw(plant(values)))
    texts = [element.text for element in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert {"14.0 °C", "905", "301 kW"} <= {*texts}
    # 5 towers, 11 pumps, 5 chillers and 6 exchangers are off; so are the modes of 5 trains
    assert texts.count("off") == 5 + 11 + 5 + 6 + 5
    assert "1 of 6 trains in service (chiller), 1 of 6 towers" in drawing.attrib["aria-label"]
    assert drawing.attrib["role"] == "img"
    ids = [element.attrib["id"] for element in drawing.iter() if "id" in element.attrib]
    assert len(ids) == len({*ids})


def test_both_drawings_can_stand_on_one_page(values):
    both = [ElementTree.fromstring(draw(plant(values))) for draw in (schematic.wide, schematic.tall)]
    wide, tall = ({e.attrib["id"] for e in drawing.iter() if "id" in e.attrib} for drawing in both)
    assert not wide & tall
