"""Drawings of plants: SVG files that readings colour and label."""

import xml.etree.ElementTree as ElementTree

import pytest

import trivium
from tests.cooling_reading import all_off, opened
from tests.drawings import applied
from trivium.dashboard import schematic
from trivium.plants.cooling.plant import PLANT
from trivium.protocol import Alarm
from trivium.simulation.plant import View

SVG = "{http://www.w3.org/2000/svg}"
FILES = {"wide": PLANT.schematic.wide, "narrow": PLANT.schematic.narrow}


@pytest.fixture
def values():
    return all_off()


def drawn(values, name):
    return applied(FILES[name], name, PLANT.schematic.view(values))


def ids(drawing):
    return [element.attrib["id"] for element in drawing.iter() if "id" in element.attrib]


@pytest.mark.parametrize("name", FILES)
def test_drawing(values, name):
    values |= {"U_CT1": 1.0, "Tchw_supply": 287.15, "CHWP02_ONOFF": 1.0, "CHWP02_rpm": 905.0}
    opened(values, 2, (1, 4))
    values |= {"CHI02": 1.0, "Pchi2": 301_400.0}
    drawing = drawn(values, name)
    texts = [element.text for element in drawing.iter(f"{SVG}text")]
    assert {"14.0 °C", "905", "301 kW"} <= {*texts}
    # 5 towers, 11 pumps, 5 chillers and 6 exchangers are off; so are the modes of 5 trains
    assert texts.count("off") == 5 + 11 + 5 + 6 + 5
    assert "1 of 6 trains in service (chiller), 1 of 6 towers" in drawing.attrib["aria-label"]
    assert drawing.attrib["role"] == "img"
    assert len(ids(drawing)) == len({*ids(drawing)})


def test_states_are_classes(values):
    values |= {"U_CT1": 1.0, "Ffan_CT1_02": 0.6, "CHWP02_ONOFF": 1.0, "Mchw": 100.0, "CDWP01_ONOFF": 1.0}
    kinds = {element.get("id"): element.get("class", "").split() for element in drawn(values, "wide").iter()}
    assert (kinds["wide-tower-1"], kinds["wide-tower-2"]) == (["on"], ["off"])
    assert (kinds["wide-tower-1-fan-1"], kinds["wide-tower-1-fan-2"]) == (["fan", "still"], ["fan", "turns"])
    assert (kinds["wide-chilled-loop"], kinds["wide-condenser-loop"]) == (["flows"], ["still"])
    pump = kinds["wide-condenser-pump-1"], kinds["wide-condenser-pump-1-pipe"]
    assert pump == (["on"], ["pipe", "cw", "still"])  # it is on, and nothing flows


def test_what_really_flows_is_drawn_where_the_model_reports_it(values):
    values |= {"Mchw": 100.0, "Mchw_real": 0.0, "VolumeFlowRate_cw": 0.1, "VolumeFlowRate_cw_real": 0.2}
    seen = PLANT.schematic.view(values)
    assert (seen.states["chilled-loop"], seen.figures["chilled-flow"]) == ("still", (0.0, "kg/s"))
    assert (seen.states["condenser-loop"], seen.figures["condenser-flow"]) == ("flows", (0.2, "m3/s"))
    values["Mchw_real"] = float("nan")  # as before the first step
    assert PLANT.schematic.view(values).figures["chilled-flow"] == (100.0, "kg/s")


@pytest.mark.parametrize(("supply", "share"), [(287.15, 0.0), (288.15, 0.5), (286.15, -0.5), (300.0, 1.0), (0.0, -1.0)])
@pytest.mark.parametrize("name", FILES)
def test_the_pointer_of_a_bar_is_where_the_value_is(values, name, supply, share):
    values |= {"Tchw_supply": supply, "Tchws_set_CHI": 287.15, "CHI01": 1.0}
    (bar,) = (each for each in drawn(values, name).iter() if each.get("id") == f"{name}-supply-deviation")
    by_class = {part: each for each in bar for part in each.get("class").split()}
    half = float(by_class["scale"].get("width")) / 2.0
    assert by_class["pointer"].get("transform") == f"translate({half * share:.1f} 0)"
    assert ("beyond" in bar.get("class")) == (abs(share) > 0.5)


def alarm(*points, priority="high", active=True, by=None):
    return Alarm("a", "Too warm", priority, points, "K", 0.0, 0.0, None if active else 1.0, 1.0, 0.0, 1.0, by, None)


def test_units_are_buttons_and_alarms_mark_the_one_that_they_are_about(values):
    units = PLANT.schematic.units
    warm, over = alarm("Tchw_supply"), alarm("Tcw_returnPipe", active=False)
    heat = alarm("Mchw", "Tchw_r", "Tchw_supply", priority="low", by="Ann")
    marks = schematic.marks(PLANT.schematic, [warm, heat, over, alarm("no such point")])
    assert marks == {"supply": warm, "hall": heat}
    view = PLANT.schematic.view(values)
    drawing = applied(FILES["wide"], "wide", view, units, marks, ["CDWP03_rpm"])
    by_id = {element.get("id"): element for element in drawing.iter()}
    assert drawing.get("role") == "group"
    buttons = [element for element in drawing.iter() if element.get("role") == "button"]
    assert {each.get("data-unit") for each in buttons} == {*units}
    assert all(each.get("tabindex") == "0" and each.get("aria-label") for each in buttons)
    supply, hall = by_id["wide-supply"], by_id["wide-hall"]
    assert supply.get("class").split() == ["reading", "pick", "alarm", "new", "high"]
    assert hall.get("class").split() == ["on", "pick", "alarm", "low"]
    assert by_id["wide-chilled-supply"].text == "▲ 20.0 °C"
    assert "high alarm: Too warm" in supply.get("aria-label")
    assert "alarm" not in by_id["wide-condenser-warm"].get("class")
    assert "set by hand" in by_id["wide-condenser-pump-3"].get("aria-label")
    assert "set by hand" not in by_id["wide-condenser-pump-2"].get("aria-label")


def test_units_have_points_and_inputs_of_the_shipped_case():
    with trivium.open() as case:
        known, inputs = {*case.variables}, {*case.inputs}
    for unit in PLANT.schematic.units.values():
        assert {*unit.points} <= known
        assert {*unit.inputs} <= inputs


def test_both_drawings_can_stand_on_one_page(values):
    wide, narrow = ({*ids(drawn(values, name))} for name in FILES)
    assert not wide & narrow


@pytest.mark.parametrize("name", FILES)
def test_the_files_have_an_element_for_every_figure_and_state(values, name):
    seen = PLANT.schematic.view(values)
    every = {*seen.figures, *seen.states, *seen.deviations, *PLANT.schematic.units}
    assert every <= {*ids(ElementTree.parse(FILES[name]).getroot())}


def test_a_drawing_that_an_editor_saved(tmp_path):
    """Inkscape writes spans into texts, and elements and attributes of its own; scripts are left out."""
    file = tmp_path / "plant.svg"
    file.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape">'
        "<style>text { fill: red }</style><script>alert(1)</script><inkscape:view/>"
        '<g id="pump" class="unit off" inkscape:label="Pump" onclick="alert(1)"><text id="speed"><tspan x="1">1</tspan>'
        "<tspan>2</tspan></text></g></svg>"
    )
    view = View("A pump & no more.", {"speed": (290.15, "K")}, {"pump": "on"})
    drawing = applied(file, "a", view)
    assert (drawing.get("role"), drawing.get("aria-label")) == ("img", "A pump & no more.")
    (pump,) = drawing
    assert pump.attrib == {"id": "a-pump", "class": "unit on"}
    (text,) = pump
    assert ([span.text or "" for span in text], "".join(text.itertext())) == (["17.0 °C", ""], "17.0 °C")
