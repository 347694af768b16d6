"""The Resources folder of AlphaDataCenterCooling, served unchanged; needs TRIVIUM_REFERENCE_RESOURCES."""

from __future__ import annotations

import csv
import shutil

import pytest

from tests.server import Server

#: First rows of the reference's own record of a session over HTTP (Pumps_P_Pyfmi_mlp_restapi.csv) [W].
RECORDED = {"P_CDWPs_sum": 27121.766587815648, "P_CHWPs_sum": 22873.68662354487}


@pytest.fixture(scope="module")
def first(reference_resources):
    with (reference_resources / "Initialization_observation0.csv").open() as file:
        return {name: float(value) for name, value in next(csv.DictReader(file)).items() if name != "time"}


@pytest.fixture(scope="module")
def folder(reference_resources, first, tmp_path_factory):
    """The folder, with a stand-in for Initialization_actions.csv (28 MB) of the same form where it is not at hand."""
    if (reference_resources / "Initialization_actions.csv").exists():
        return reference_resources
    folder = shutil.copytree(reference_resources, tmp_path_factory.mktemp("reference") / "Resources")
    with (reference_resources / "Disturbance.csv").open() as file:
        times = [line.split(",")[0] for line in file][1:]
    names = [name for name in first if name.startswith(("C", "U_", "Ffan", "Tchws_set"))]
    action = ",".join(f"{first[name]:.8g}" for name in names)
    with (folder / "Initialization_actions.csv").open("w") as file:
        file.write("time," + ",".join(names) + "\n")
        file.writelines(f"{time},{action}\n" for time in times)
    return folder


@pytest.fixture(scope="module")
def reference(folder, tmp_path_factory):
    with Server(folder, tmp_path_factory.mktemp("state")) as server:
        yield server


def test_the_first_steps_are_those_of_the_record(reference, first):
    assert reference.request("PUT", "/initialize", {"start_time": 0})[1]["payload"] == pytest.approx(first)
    inputs = reference.request("GET", "/inputs")[1]["payload"]
    action = {name: first[name] for name in inputs}
    assert len(action) == 100
    for k in range(20):
        _, reply, _ = reference.request("POST", "/advance", action)
        assert reply["message"] == f"Advanced simulation successfully from {300.0 * k}s to {300.0 * (k + 1)}s."
        for name, power in RECORDED.items():
            assert reply["payload"][name] == pytest.approx(power, rel=1e-6)


def test_a_later_start_and_the_end_of_the_data(reference):
    _, reply, _ = reference.request("PUT", "/initialize", {"start_time": 59700})
    assert reply["message"] == "Simulation initialized successfully to 59700.0s with warmup period of 300s."
    assert len(reply["payload"]) == 186
    assert reference.request("POST", "/advance")[0] == 200
    # its Disturbance.csv lacks the last row; the load of that time wants more pumps than that of the start
    assert reference.request("PUT", "/initialize", {"start_time": 30098700})[0] == 200
    pumps = {"CWP_activatedNumber": 3, "CWP_speedInput": 1300}
    assert reference.request("POST", "/advance", pumps)[0] == 200
    status, reply, _ = reference.request("POST", "/advance", pumps)
    assert status == 400
    assert "the data covers 0.0s to 30099000.0s" in reply["message"]


def test_a_failed_step_of_its_fmu_is_survived(folder, tmp_path):
    """With inputs that no client may send: straight into the adapter."""
    import numpy as np

    from trivium.errors import ModelError
    from trivium.session.local import open_testcase

    case = open_testcase(folder, tmp_path)
    supply = [case.advance({})["Tchw_supply"] for _ in range(5)]
    case.initialize(0)
    for k in range(5):
        model = case.stepper.model
        if k == 3:
            before = model.snapshot()
            with pytest.raises(ModelError, match="The FMU says: .+"):
                model.step(
                    300.0, np.where([v.name == "Mchw" for v in model.inputs], np.nan, case.stepper.last_inputs())
                )
            model.restore(before)
        # a state restored into a new instance differs by up to 1e-3 with this FMU
        assert case.advance({})["Tchw_supply"] == pytest.approx(supply[k], abs=2e-3)
    case.close()
