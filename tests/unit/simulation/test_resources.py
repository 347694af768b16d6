"""The files of a Resources folder."""

from __future__ import annotations

import pytest

from trivium.errors import ResourcesError
from trivium.simulation.resources import Resources

FILES = [
    "AlphaDataCenterCooling_FMU.fmu",
    "Disturbance.csv",
    "Initialization_observation0.csv",
    "mlp.pth",
    "version.txt",
]


@pytest.fixture
def folder(tmp_path):
    for name in FILES:
        (tmp_path / name).write_text("0.1.0-dev\n")
    return tmp_path


def test_the_names_of_the_reference_are_the_defaults(folder):
    case = Resources.load(folder)
    assert (case.name, case.version, case.step, case.end_time) == (
        "AlphaDataCenterCooling_Gym",
        "0.1.0-dev",
        None,  # the interval of the boundary data
        30099300,
    )
    assert (case.initialization_actions, case.plant_files.get("chiller_power"), case.tolerance) == (None, None, None)
    (folder / "Initialization_actions.csv").write_text("")
    assert Resources.load(folder).initialization_actions.suffix == ".csv"
    (folder / "Initialization_actions.npz").write_text("")
    assert Resources.load(folder).initialization_actions.suffix == ".npz"


def test_testcase_toml_says_otherwise(folder):
    (folder / "other.fmu").write_text("")
    (folder / "testcase.toml").write_text(
        'name = "Other"\nstep = 600\nend_time = 3000\n[files]\nfmu = "other.fmu"\n[fmu]\n'
        "tolerance = 1e-6\nabsolute_tolerance = 1e-5\n"
    )
    case = Resources.load(folder)
    assert (case.name, case.step, case.end_time, case.fmu.name) == ("Other", 600, 3000, "other.fmu")
    assert (case.tolerance, case.absolute_tolerance) == (1e-6, 1e-5)


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("nonsense", "testcase.toml"),
        ("stop = 1", "stop"),
        ("step = 0", "step"),
        ("[results]\ninterval = 0", "results.interval must be a positive number of seconds, or inf, not 0"),
        ("[results]\ninterval = -inf", "results.interval"),
        ("[results]\ninterval = nan", "results.interval"),
        ("[results]\ninterval = true", "results.interval"),
        ('[results]\ninterval = "often"', "results.interval"),
        ("[results]\nstep = 30", "unknown key results.step"),
        ("step = true", "step"),
        ("end_time = -300", "end_time"),
        ("end_time = 0", "end_time"),
        ("files = 1", "files"),
        ('[files]\nfmu = "missing.fmu"', "missing.fmu"),
        ('[files]\nchiller_power = "missing.pth"', "missing.pth"),
        ('[files]\nother = "x"', "files.other"),
        ("[files]\nhead = false", "files.head"),
        ('[boundary]\nfile = "missing.csv"', "missing.csv"),
        ('[boundary]\ninterpolation = "cubic"', "boundary.interpolation must be one of hold, linear"),
        ("[boundary]\nstep = 1", "boundary.step"),
        ('[files]\ndisturbances = "Disturbance.csv"\n[boundary]\nfile = "Disturbance.csv"', "two names"),
        ('[fmu]\nengine = "other"', "fmu.engine must be one of"),
        ("[fmu]\nrestart = 1", "fmu.restart"),
        ("[fmu]\nsolver = 1", "fmu.solver"),
        ('[fmu]\ntolerance = "x"', "tolerance"),
        ("[fmu]\nabsolute_tolerance = 0", "absolute_tolerance must be positive"),
    ],
)
def test_keys_that_are_refused(folder, toml, said):
    (folder / "testcase.toml").write_text(toml)
    with pytest.raises(ResourcesError, match=said):
        Resources.load(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(ResourcesError, match=name):
        Resources.load(folder)


def test_a_missing_folder(tmp_path):
    with pytest.raises(ResourcesError, match="does not exist"):
        Resources.load(tmp_path / "nowhere")


def test_an_fmu_alone_is_a_test_case(tmp_path):
    path = tmp_path / "tank.fmu"
    path.write_text("")
    case = Resources.load(path)
    assert (case.name, case.version, case.fmu, case.step, case.end_time) == ("tank", "unknown", path, None, None)
    assert (case.disturbances, case.initialization_observation, case.initialization_actions) == (None,) * 3
    assert not case.plant_files
    again = Resources.load(tmp_path)  # the only FMU of a folder
    assert (again.name, again.fmu) == ("tank", path)
    assert again.fingerprint == case.fingerprint


def test_a_folder_of_several_fmus_must_name_one(tmp_path):
    for name in ("a.fmu", "b.fmu"):
        (tmp_path / name).write_text("")
    with pytest.raises(ResourcesError, match=r"several FMUs \(a.fmu, b.fmu\), of which testcase.toml must name one"):
        Resources.load(tmp_path)
    (tmp_path / "testcase.toml").write_text('[files]\nfmu = "b.fmu"\n')
    assert Resources.load(tmp_path).name == "b"


def test_boundary_data_for_any_fmu(tmp_path):
    (tmp_path / "tank.fmu").write_text("")
    (tmp_path / "inputs.csv").write_text("")
    held = Resources.load(tmp_path)
    (tmp_path / "testcase.toml").write_text('[boundary]\nfile = "inputs.csv"\ninterpolation = "linear"\n')
    case = Resources.load(tmp_path)
    assert (held.disturbances, case.disturbances, case.linear) == (None, tmp_path / "inputs.csv", True)
    assert held.fingerprint != case.fingerprint


def test_a_file_that_is_there_can_be_left_out(folder):
    (folder / "testcase.toml").write_text('[files]\nhead = ""\nchiller_power = ""\n')
    case = Resources.load(folder)
    assert (case.plant_files.get("head"), case.initialization_observation.name) == (
        None,
        "Initialization_observation0.csv",
    )
