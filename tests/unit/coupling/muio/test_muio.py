"""Cases of MUIO: what is read, solved, patched and written back, on the island of the examples."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pandas", reason="tables are pandas frames (extra coupling)")
pytest.importorskip("pint", reason="units are pint's (extra coupling)")
pytestmark = pytest.mark.skipif(shutil.which("glpsol") is None, reason="GLPK's glpsol is not installed (glpk-utils)")

from tests import sweeps  # noqa: E402
from trivium.coupling import tables  # noqa: E402
from trivium.coupling.muio import component, datafile, remote  # noqa: E402
from trivium.coupling.muio.case import MuioCase, is_case  # noqa: E402
from trivium.coupling.og_clews.mathdata import Declarations, without_comments  # noqa: E402
from trivium.coupling.og_clews.mathprog import Case  # noqa: E402
from trivium.coupling.run import run_case  # noqa: E402
from trivium.coupling.spec import load_case  # noqa: E402
from trivium.environment import ROOT  # noqa: E402
from trivium.errors import ComponentError, InvalidValueError  # noqa: E402
from trivium.experiment.kinds import make  # noqa: E402
from trivium.experiment.spec import Muio  # noqa: E402
from trivium.settings import Settings  # noqa: E402
from trivium.study.read import open_results  # noqa: E402

EXAMPLE = ROOT / "examples" / "muio"
ISLAND = EXAMPLE / "DataStorage" / "island"
OPTIONS = {
    "case": str(ISLAND),
    "run": "REF",
    "solver": "glpsol",
    "electricity": "ELC2",
    "technologies": ["IMP*", "PWR*"],
}
COUPLED = OPTIONS | {"coupled": ["annual_demand", "discount_rate"]}
DEMAND = np.array([[19.0, 19.5, 20.0, 20.5], [14.0, 14.2, 14.4, 14.6]])


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(run="REF", case=ISLAND):
    found = MuioCase.read(case)
    model = without_comments(str(found.model(None)))
    text = datafile.write(found, run, model, Declarations.read(model))
    return found, Case.read(model, text, "data")


def objective(case):
    """Return the objective that glpsol alone finds for a case's model and data."""
    Path("alone.mod").write_text(case.model)
    Path("alone.dat").write_text(case.data.text)
    argv = ["glpsol", "-m", "alone.mod", "-d", "alone.dat", "-o", "alone.txt"]
    subprocess.run(argv, check=True, capture_output=True)
    return float(re.search(r"Objective:  cost = (\S+)", Path("alone.txt").read_text())[1])


def test_a_run_has_the_values_of_its_scenarios():
    _, reference = read()
    _, dear = read("DEAR")
    for case, price in ((reference, 4.0), (dear, 8.0)):
        cost = case.parameters["VariableCost"].table.set_index(["technology", "mode_of_operation", "year"])["VALUE"]
        assert (cost["IMPGAS", 1, 2030], cost["LNDCRP", 2, 2033]) == (price, 6.0)
        assert case.parameters["VariableCost"].default == 0.0001
    assert reference.rate == 0.05
    assert reference.life["PWRSOL"] == 20
    assert reference.years == [2030, 2031, 2032, 2033]
    assert reference.demand["VALUE"].to_list() == [20, 20.5, 21, 21.5, 14, 14.2, 14.4, 14.6]
    text = reference.data.text
    assert "set MODEperTECHNOLOGY[LNDCRP] := 1 2;" in text
    assert "set MODExTECHNOLOGYperFUELin[WTR] := (2,LNDCRP);" in text
    # payments at the beginnings of 20 years at 5 %, rounded as MUIO does: (1 - 1/1.05) / (1 - 1.05^-20)
    assert "RE1 PWRSOL 0.0764" in text


def test_a_row_whose_technology_is_gone_is_left_out(folder):
    place = folder / "DataStorage" / "island"
    shutil.copytree(EXAMPLE / "SOLVERs", folder / "SOLVERs")
    shutil.copytree(ISLAND, place)
    general = json.loads((place / "genData.json").read_text())
    general["osy-tech"] = [tech for tech in general["osy-tech"] if tech["Tech"] != "PWRSOL"]
    general["osy-tech"][-1]["IAR"] = []  # the farm is not irrigated any more
    (place / "genData.json").write_text(json.dumps(general))
    _, case = read(case=place)
    assert "PWRSOL" not in case.data.text
    assert "set MODExTECHNOLOGYperFUELin[WTR] := ;" in case.data.text


def test_a_case_is_solved_as_glpsol_solves_it():
    _, case = read()
    assert component.solve({}, OPTIONS)["objective"] == pytest.approx(objective(case), rel=1e-6)
    constant = re.findall(r"constant term (\S+) ignored", Path("stdout.log").read_text())[-1]
    assert remote.residual_cost(case) == pytest.approx(float(constant), rel=1e-9)
    taxed = [component.solve({}, OPTIONS | {"carbon_tax": {name: 30.0}})["objective"] for name in ("CO2", "CO*")]
    assert taxed[0] == taxed[1] > component.solve({}, OPTIONS)["objective"]
    inputs, outputs, note = component.describe(COUPLED)
    assert [variable.name for variable in inputs] == ["annual_demand", "discount_rate"]
    assert dict(inputs[0].dims) == {"fuel": ("ELC2", "CRP"), "year": (2030, 2031, 2032, 2033)}
    assert note == "island, run REF, model.v.5.4.txt"
    assert {"objective", "levelised_cost"} <= {variable.name for variable in outputs}


def test_the_converged_run_lies_in_a_copy_that_muio_shows():
    before = {path: hashlib.sha256(path.read_bytes()).digest() for path in ISLAND.rglob("*") if path.is_file()}
    inputs = {"annual_demand": DEMAND, "discount_rate": np.array(0.08)}
    options = COUPLED | {"carbon_tax": {"CO2": 30.0}, "solver": "glpsol"}
    found = component.solve(inputs, options)
    component.publish(inputs, options | {"copy_to": "copy"})
    assert before == {path: hashlib.sha256(path.read_bytes()).digest() for path in ISLAND.rglob("*") if path.is_file()}
    copy = MuioCase.read(Path("copy"))
    assert (copy.name, list(copy.runs)) == ("copy", ["REF", "DEAR", "REF_converged"])
    # the copy itself, read anew, is the case at the fixed point, but for the digits that MUIO has of factors
    model = without_comments(str(MuioCase.read(ISLAND).model(None)))
    again = Case.read(model, datafile.write(copy, "REF_converged", model, Declarations.read(model)), "copy")
    assert objective(again) == pytest.approx(found["objective"], rel=1e-3)
    assert again.demand["VALUE"].to_numpy() == pytest.approx(DEMAND.ravel())
    assert again.rate == 0.08
    assert again.everywhere("EmissionsPenalty")["VALUE"].to_list() == [30.0] * 4
    csv = Path("copy/res/REF_converged/csv")
    results = tables.read_folder(csv)
    emission = results["AnnualTechnologyEmission"].groupby("year")["VALUE"].sum().to_numpy()
    assert emission == pytest.approx(found["emissions"][0], abs=1e-3)
    assert {"ObjectiveValue", "ProductionByTechnologyByMode", "EBb4_EnergyBalanceEachYear4_ICR"} <= set(results)
    assert (csv / "NewCapacity.csv").read_text().splitlines()[0] == "r,t,y,NewCapacity"
    view = json.loads(Path("copy/view/RYTCMTs.json").read_text())["PBT"]["REF_converged"]
    assert {"Tech", "Comm", "MoId", "Ts", "2030", "2033"} <= set(view[0])
    component.publish(inputs, options | {"copy_to": "copy"})  # its own copy is replaced
    with pytest.raises(InvalidValueError, match="copy_to: .*island exists and is no copy that Trivium made"):
        component.publish(inputs, options | {"copy_to": str(ISLAND)})


@pytest.fixture
def muiogo():
    """A server that answers patches as MUIOGO does, with the results that lie in the working directory."""
    requests = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            requests.append((self.path, body))
            wrong = body["base_caserun"] != "REF"
            reply = (
                {"message": "no such run"}
                if wrong
                else {"status_code": "success", "csv_dir": str(Path("csv").absolute())}
            )
            self.send_response(404 if wrong else 200)
            self.end_headers()
            self.wfile.write(json.dumps(reply).encode())

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", requests
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_running_muiogo_solves_a_patch(muiogo):
    address, requests = muiogo
    options = OPTIONS | {"coupled": ["annual_demand"], "carbon_tax": {"CO2": 30.0}}
    inputs = {"annual_demand": DEMAND}
    here = component.solve(inputs, options)
    component.publish(inputs, options | {"copy_to": "copy"})
    Path("copy/res/REF_converged/csv").rename("csv")
    there = component.solve(inputs, options | {"server": address})
    for name, value in here.items():
        assert there[name] == pytest.approx(value, rel=1e-3, abs=1e-3), name
    path, body = requests[0]
    assert (path, body["base_caserun"], body["patch"]["case"]) == ("/oglink/applyPatch", "REF", "island")
    changed = {(each["group"], each["code"], each["year"]): each["value"] for each in body["patch"]["changes"]}
    assert changed == {
        **{("SAD", "ELC2", 2030 + i): pytest.approx(DEMAND[0, i]) for i in range(4)},
        **{("EP", "CO2", 2030 + i): 30.0 for i in range(4)},
    }
    assert {each["scenario"] for each in body["patch"]["changes"]} == {"SC_0"}
    with pytest.raises(ComponentError, match="MUIOGO refused the patch: .*no such run"):
        component.solve(inputs, options | {"server": address, "run": "DEAR"})
    with pytest.raises(InvalidValueError, match="cannot change the discount rate"):
        component.solve({}, OPTIONS | {"server": address, "discount_rate": 0.08})
    with pytest.raises(ComponentError, match="cannot be reached"):
        component.solve(inputs, options | {"server": "http://127.0.0.1:9"})


def test_what_is_wrong_with_a_case_is_named(folder):
    settings = Settings(environ={"TRIVIUM_STATE_DIR": str(folder / "state")})

    def refused(**fields):
        with pytest.raises(InvalidValueError) as error:
            make(Muio(kind="muio", **fields), EXAMPLE, settings, "energy", "components.energy")
        return str(error.value)

    assert re.search("components.energy: .*none is no case of MUIO: it has no genData.json", refused(case="none"))
    unknown = refused(case="DataStorage/island", run="RFE")
    assert "run: the case island has no run RFE. Did you mean REF?" in unknown
    assert "model: there is no file" in refused(case="DataStorage/island", model="none.txt")
    shutil.copytree(ISLAND, folder / "alone")
    assert not is_case(folder)
    with pytest.raises(InvalidValueError, match=r"model: there is no model.v.\*.txt in"):
        MuioCase.read(folder / "alone").model(None)
    (folder / "alone" / "RYT.json").write_text('{"NEW": {"SC_0": []}}')
    with pytest.raises(InvalidValueError, match=r"RYT.json has a parameter NEW, which is not known; put MUIO's Param"):
        list(MuioCase.read(folder / "alone").values("REF"))
    listed = {"RYT": [{"id": "NEW", "value": "Some New Thing", "default": 3}]}
    (folder / "Parameters.json").write_text(json.dumps(listed))
    found = {key: parameter for key, parameter, _ in MuioCase.read(folder / "alone").values("REF")}
    assert found["NEW"] == ("SomeNewThing", 3.0)


def test_other_data_is_another_experiment(folder):
    shutil.copytree(EXAMPLE, folder / "muio")
    settings = Settings(environ={"TRIVIUM_STATE_DIR": str(folder / "state")})
    described = Muio(kind="muio", case="DataStorage/island", run="REF", options={"electricity": "ELC2"})
    prints = []
    for _ in range(2):
        prints.append(make(described, folder / "muio", settings, "energy", "energy").fingerprint)
        rates = folder / "muio" / "DataStorage" / "island" / "R.json"
        rates.write_text(rates.read_text().replace("0.05", "0.06"))
    assert prints[0] != prints[1]


@pytest.mark.slow
def test_the_example_converges_and_leaves_a_run_for_muio(folder):
    """The fixed point, checked in its parts: the economy's formulas, and glpsol alone on the data that was solved."""
    shutil.copytree(EXAMPLE, folder / "muio")
    settings = Settings(environ={"TRIVIUM_STATE_DIR": str(folder / "state")})
    _, result, _ = run_case(load_case(folder / "muio" / "case.json"), folder / "muio", folder / "out", settings)
    assert result.converged, result.reason
    base, energy = (result.evaluations[name] for name in ("base", "energy"))
    ratio = float(energy.outputs["levelised_cost"] / base.outputs["levelised_cost"])
    assert ratio > 1.1
    demand = base.outputs["base_demand"] * np.array([[ratio ** -(0.2 * 0.8)], [ratio ** -(0.1 * 0.4)]])
    assert energy.inputs["annual_demand"] == pytest.approx(demand, rel=1e-5)
    assert energy.inputs["discount_rate"] == pytest.approx(0.05 * ratio**-0.1, rel=1e-5)
    work = folder / "out" / "published" / "energy"
    argv = ["glpsol", "-m", "model.mod", "-d", "data.dat", "-o", "alone.txt"]
    subprocess.run(argv, cwd=work, check=True, capture_output=True)
    alone = float(re.search(r"Objective:  cost = (\S+)", (work / "alone.txt").read_text())[1])
    assert energy.outputs["objective"] == pytest.approx(alone, rel=1e-6)
    copy = MuioCase.read(work / "island_converged")
    assert "REF_converged" in copy.runs


def test_a_study_patches_a_case_as_its_author_would(folder, tmp_path_factory):
    """Demand, tax and rate are set by a study, and by hand in the files of a copy of the case."""
    shutil.copytree(EXAMPLE / "SOLVERs", folder / "SOLVERs")
    place = folder / "DataStorage" / "island"
    shutil.copytree(ISLAND, place)
    options = {name: OPTIONS[name] for name in ("electricity", "technologies")}
    study = {
        "experiment": {
            "kind": "muio",
            "case": "DataStorage/island",
            "run": "REF",
            "solver": "glpsol",
            "options": options | {"coupled": ["demand_factor", "discount_rate", "carbon_tax"]},
            "inputs": {"demand_factor": {"initial": 1}},
        },
        "simulation_parameters": {
            "demand_factor[fuel=ELC2]": [1, 1.2],
            "carbon_tax[emission=CO2]": [30],
            "discount_rate": [0.08],
        },
    }
    study["experiment"]["inputs"]["carbon_tax"] = {"initial": 0}
    (folder / "study.json").write_text(json.dumps(study))
    with open_results(sweeps.run_here(folder / "study.json", unpacked=tmp_path_factory.mktemp("unpacked"))) as results:
        table = results.frame()
    for factor, swept in zip((1.0, 1.2), table.itertuples(index=False), strict=True):
        for name, parameter, value in (
            ("RYC.json", "SAD", lambda old, factor=factor: old * factor),
            ("RYE.json", "EP", lambda _: 30.0),
            ("R.json", "DR", lambda _: 0.08),
            ("RT.json", "DRI", lambda _: 0.08),
        ):
            content = json.loads((ISLAND / name).read_text())
            for row in content[parameter]["SC_0"]:
                row.update({key: value(old) for key, old in row.items() if not isinstance(old, str)})
            (place / name).write_text(json.dumps(content))
        found = component.solve({}, OPTIONS | {"case": str(place)})
        assert swept.objective == pytest.approx(float(found["objective"]), rel=1e-4)  # factors of rates are rounded
        assert swept.levelised_cost == pytest.approx(float(found["levelised_cost"]), rel=1e-4)
    assert table["objective"][1] > 1.1 * table["objective"][0]


CASES = os.environ.get("TRIVIUM_MUIO_CASES")


@pytest.mark.long
@pytest.mark.skipif(CASES is None, reason="TRIVIUM_MUIO_CASES names no folder of MUIO's cases")
def test_cases_of_others_cost_what_muio_found():
    """Every run whose result is in the case's view, without the constant that MUIO leaves out."""
    solved = 0
    for path in sorted(Path(CASES).iterdir()):
        if not is_case(path):
            continue
        known = json.loads((path / "view" / "R.json").read_text())["OV"]
        for run in set(known) & set(MuioCase.read(path).runs):
            _, case = read(run, path)
            optimal, _ = case.solve("cbc", 3000.0)
            assert optimal.objective == pytest.approx(known[run][0]["ObjectiveValue"], rel=1e-6), (path, run)
            solved += 1
    assert solved
