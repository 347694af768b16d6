"""`trivium.info` reads what an FMU says, whether it runs here or not."""

from __future__ import annotations

import json
import zipfile
from xml.etree import ElementTree

import pytest

import trivium
from trivium.errors import InvalidValueError, ResourcesError


@pytest.mark.parametrize(
    ("version", "interface", "kinds"),
    [
        ("1.0", "cs", ["co-simulation"]),
        ("1.0", "me", ["Model Exchange"]),
        ("2.0", "cs", ["co-simulation", "Model Exchange"]),
        ("3.0", "cs", ["co-simulation", "Model Exchange"]),
    ],
)
def test_the_variables_are_those_of_the_model_description(own_fmu, version, interface, kinds):
    info = trivium.info(own_fmu("linear", version, interface))
    assert info.fmi == version
    assert list(info.kinds) == kinds
    tau = info.variables["tau"]
    assert (tau.causality, tau.unit, tau.start, tau.minimum) == (
        "parameter" if version != "1.0" else tau.causality, "s", 10.0, 0.1,
    )  # fmt: skip
    assert info.variables["inverted"].start is False
    assert info.variables["gain"].start == 2
    assert info.variables["label"].start == "cooling"
    assert sum(info.counts.values()) == len(info.variables)


def test_all_that_it_says_is_json(fuel_cycle):
    info = trivium.info(fuel_cycle)
    found = json.loads(json.dumps(info.to_dict()))
    with zipfile.ZipFile(fuel_cycle) as archive:
        root = ElementTree.fromstring(archive.read("modelDescription.xml"))
    assert found["name"] == root.get("modelName")
    assert found["tool"] == root.get("generationTool")
    assert list(found["variables"]) == [v.get("name") for v in root.iterfind("ModelVariables/*")]
    assert found["counts"]["output"] == len(root.findall("ModelVariables/*[@causality='output']"))
    assert found["experiment"]["stop"] == float(root.find("DefaultExperiment").get("stopTime"))
    assert "linux64" in found["platforms"]


@pytest.mark.parametrize(
    ("name", "version", "interface", "said"),
    [
        ("linear", "2.0", "cs", "co-simulation: hold, Model Exchange: follow lines"),
        ("integrator", "1.0", "cs", "co-simulation: follow lines"),
        ("integrator", "2.0", "cs", "co-simulation: follow lines, Model Exchange: follow lines"),
        ("integrator", "3.0", "cs", "co-simulation: hold, Model Exchange: follow lines"),
    ],
)
def test_it_says_what_inputs_do_in_a_step(own_fmu, name, version, interface, said):
    text = str(trivium.info(own_fmu(name, version, interface)))
    assert any(
        line.split(maxsplit=4)[:4] == ["inputs", "in", "a", "step"] and said in line for line in text.splitlines()
    )


def test_it_is_a_table_to_look_at(fuel_cycle):
    info = trivium.info(fuel_cycle)
    text = str(info)
    assert "FuelCycle.fmu" in text.splitlines()[1]
    assert f"... and {len(info.variables) - 40} more" in text
    assert "more" not in info.text().splitlines()[-1]
    assert "<td>sds.inventory</td>" in info._repr_html_()
    assert info.variables.frame().loc["bz.TBR", "start"] == 1.1
    assert repr(info) == "Info(FuelCycle.fmu: FuelCycle, FMI 2.0, co-simulation)"


def test_what_is_said_is_shown_as_text_in_html(tmp_path, fuel_cycle):
    hostile = tmp_path / "hostile.fmu"
    with zipfile.ZipFile(fuel_cycle) as source, zipfile.ZipFile(hostile, "w") as target:
        text = source.read("modelDescription.xml").decode()
        target.writestr(
            "modelDescription.xml", text.replace("Breeding zone: tritium", "&lt;script&gt;x&lt;/script&gt;")
        )
    info = trivium.info(hostile)
    assert info.variables["bz.inventory"].description == "<script>x</script>"
    assert "<script>" not in info._repr_html_()
    assert info.platforms == ()


def test_a_test_case_stands_for_its_fmu(resources):
    assert trivium.info(resources).path == resources / "AlphaDataCenterCooling_FMU.fmu"
    assert trivium.info("cooling").name == trivium.info().name == "AlphaDataCenterCooling"


@pytest.mark.parametrize("content", [b"", b"no archive", "empty archive", "bad description"])
def test_what_is_no_fmu_is_refused(tmp_path, content):
    path = tmp_path / "x.fmu"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("modelDescription.xml" if content == "bad description" else "readme", "<html>")
    with pytest.raises(ResourcesError, match=r"x\.fmu is no FMU"):
        trivium.info(path)


def test_a_missing_file_is_named_with_what_is_close(folder):
    with pytest.raises(ResourcesError, match=r"no model 'fuelcycle.fmu' .* Did you mean FuelCycle.fmu\?"):
        trivium.info("fuelcycle.fmu")
    with pytest.raises(InvalidValueError, match="model must be the path of an FMU, .* not 3"):
        trivium.info(3)
    with pytest.raises(ResourcesError, match=r"Did you mean cooling\?"):
        trivium.info("coolin")
