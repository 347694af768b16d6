"""Variables of FMUs: what results may hold, what changes during a run, enumerations, arrays that are resized."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.own_fmus import state
from tests.trap_fmu import repacked
from trivium.errors import InvalidValueError, ModelError, ResourcesError
from trivium.model.fmu import recording
from trivium.model.fmu.description import read_fmu
from trivium.server import wording
from trivium.session.local import open_testcase

BOTH = pytest.mark.parametrize("version", ["2.0", "3.0"])
#: How a model is run: co-simulation, Model Exchange.
INTERFACES = pytest.mark.parametrize("interface", ["cs", "me"])


@pytest.fixture
def case(own_fmu, state_dir, tmp_path):
    """Open an FMU, with a testcase.toml beside it."""
    opened = []

    def make(name, version="3.0", toml=""):
        folder = tmp_path / f"case-{len(opened)}"
        folder.mkdir()
        (folder / f"{name}.fmu").symlink_to(own_fmu(name, version))
        (folder / "testcase.toml").write_text(toml)
        opened.append(open_testcase(folder, state_dir))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@BOTH
def test_an_fmu_without_outputs_measures_its_local_variables(case, version):
    hidden = case("hidden", version)
    assert list(hidden.measurements) == ["x", "der(x)", "twice", "late"]
    reply = wording.measurements(hidden.measurements)
    assert reply.message.endswith("The FMU has no outputs; these are its local variables.")
    observed = hidden.advance({"u": 3}, steps=2)
    assert observed["twice"] == pytest.approx(2 * state(1.0, 3))
    assert hidden.results(["x"])["x"] == pytest.approx([1.0, state(0.5, 3), state(1.0, 3)])


@BOTH
def test_a_local_variable_may_be_no_number(case, version):
    hidden = case("hidden", version)
    assert math.isnan(hidden.initialize(0)["late"])
    assert math.isnan(hidden.advance()["late"])
    stored = hidden.snapshot()
    assert hidden.advance()["late"] == 1.0
    hidden.restore(stored)
    assert hidden.results(["late"])["late"] == pytest.approx([math.nan, math.nan], nan_ok=True)


@BOTH
def test_parameters_have_a_value_over_the_whole_time(case, version):
    hidden = case("hidden", version)
    hidden.initialize(0, start_values={"tau": 4})
    hidden.advance(steps=2)
    results = hidden.results(["rate", "x", "tau"])
    assert list(results) == ["rate", "x", "tau", "time"]
    assert results["tau"].tolist() == [4.0] * 3
    assert results["rate"].tolist() == [0.25] * 3
    assert hidden.advance_many(2, point_names=["tau"]).columns["tau"].tolist() == [4.0] * 2


def test_all_variables_are_recorded_beside_the_outputs(case):
    tuned = case("tuned", "2.0")
    assert list(tuned.measurements) == ["x", "y"]
    assert [*tuned.variables] == ["x", "y", "half", "der(x)", "u", "gain", "tau"]
    assert tuned.variables["half"].causality == "local"
    assert "half" not in tuned.advance()
    assert [*tuned.results()] == ["x", "y", "u", "time"]
    assert tuned.results(["half"])["half"].tolist() == [1.0, 1.0 * state(0.5)]


def test_patterns_choose_what_is_measured_and_recorded(case):
    tuned = case("tuned", "2.0", '[measurements]\nvariables = "half|gain"\n[results]\nvariables = "none|x"\n')
    assert list(tuned.measurements) == ["x", "y", "gain", "half"]
    assert tuned.advance({"gain": 5})["gain"] == 5.0
    with pytest.raises(
        InvalidValueError, match=r"der\(x\) in .* not recorded: in testcase.toml, .* \[results\]"
    ) as refused:
        tuned.results(["der(x)"])
    assert '"der\\(x\\)"' in str(refused.value)


def test_too_many_variables_are_not_recorded(case, monkeypatch):
    monkeypatch.setattr(recording, "MOST", 1)
    with pytest.raises(InvalidValueError, match="half in parameter point_names. This variable is not recorded"):
        case("tuned", "2.0").results(["half"])
    assert list(case("hidden").measurements) == ["x"]  # of those that are measured the first ones


@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        (
            '[measurements]\nvariables = "hlaf"',
            "measurements.variables = 'hlaf' matches no variable .* Did you mean half?",
        ),
        ('[results]\nvariables = "("', "results.variables is no regular expression"),
        ("[results]\nvariables = 5", "results.variables must be a regular expression, not 5"),
        ("[measurements]\nvariable = 5", "unknown key measurements.variable"),
    ],
)
def test_patterns_that_are_refused(case, toml, reason):
    with pytest.raises(ResourcesError, match=reason):
        case("tuned", "2.0", toml)


def test_the_cooling_plant_records_its_outputs_only(small_case):
    model = small_case.stepper.model
    assert model.n_measured == model.n_strict == len(model.outputs)


@BOTH
@INTERFACES
@pytest.mark.parametrize("can_snapshot", [True, False])
def test_tunable_parameters_and_texts_change_during_a_run(case, version, interface, can_snapshot):
    tuned = case("tuned", version, f'[fmu]\ninterface = "{interface}"\n')
    tuned.stepper.model.can_snapshot = can_snapshot
    tuned.initialize(0, start_values={"gain": 3, "note": "warm"})
    assert tuned.advance()["y"] == pytest.approx(3 * state(0.5), rel=1e-4)
    changed = tuned.advance({"gain": "10", "note": "cold"})
    assert (changed["y"], changed["echo"]) == (pytest.approx(10 * state(1.0), rel=1e-4), "cold")
    stored = tuned.snapshot()
    ahead = tuned.look_ahead({"gain": 1})
    assert ahead["y"] == pytest.approx(state(1.5), rel=1e-4)
    assert tuned.advance()["y"] == pytest.approx(10 * state(1.5), rel=1e-4)
    tuned.restore(stored)
    again = tuned.advance({"note": "again"})
    assert (again["y"], again["echo"]) == (pytest.approx(10 * state(1.5), rel=1e-4), "again")
    assert tuned.results(["gain"])["gain"].tolist() == [3.0, 3.0, 10.0, 10.0]


@pytest.mark.parametrize("can_snapshot", [True, False])
def test_a_change_that_fails_changes_nothing(case, can_snapshot):
    tuned = case("tuned", "2.0", "end_time = 1\n")
    tuned.stepper.model.can_snapshot = can_snapshot
    tuned.advance({"gain": 4})
    with pytest.raises(InvalidValueError, match="the simulation ends at 1.0s"):
        tuned.advance({"gain": 7}, steps=2)
    assert tuned.advance()["y"] == pytest.approx(4 * state(1.0))
    assert tuned.results(["gain"])["gain"].tolist() == [2.0, 4.0, 4.0]


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ({"tau": 3}, "tau. It is fixed during a run: start_values of an initialization set it"),
        ({"gain": 101}, "parameter gain. .* above the maximum 100.0"),
        ({"note": 3}, "parameter note. Value must be a string"),
        ({"blob": "%"}, "parameter blob. Value must be bytes in base64"),
        ({"level": 7}, r"Invalid value 7 for .* level. .* an item of its enumeration: 1 \(low\), 2 \(high\)"),
        ({"level": "middle"}, r"Invalid value middle for .* level. .* 1 \(low\), 2 \(high\)"),
    ],
)
def test_actions_that_are_refused(case, action, reason):
    tuned = case("tuned")
    for act in (tuned.advance, lambda action: tuned.advance_many(2, action=action)):
        with pytest.raises(InvalidValueError, match=reason):
            act(action)
    assert tuned.time == 0.0


def test_a_trajectory_holds_inputs_only(case):
    with pytest.raises(
        InvalidValueError, match="gain. It changes at the beginning of a request: give it in the action"
    ):
        case("tuned").advance_many(trajectory={"gain": [1, 2]})


def test_a_change_before_many_steps(case):
    tuned = case("tuned", "2.0")
    done = tuned.advance_many(100, action={"gain": 7}, point_names=["y", "gain"], atomic=False)
    assert done.columns["y"] == pytest.approx([7 * state(0.5 * step) for step in range(1, 101)])
    assert done.columns["gain"].tolist() == [7.0] * 100


def test_bytes_and_items_of_an_enumeration(case):
    tuned = case("tuned")
    assert tuned.inputs["level"].items == {"low": 1.0, "high": 2.0}
    assert (tuned.inputs["level"].minimum, tuned.inputs["level"].maximum) == (1.0, 2.0)
    observed = tuned.advance({"level": "high", "blob": "AQID"})
    assert (observed["chosen"], observed["bytes"]) == (2.0, "AQID")
    assert tuned.advance({"level": 1})["chosen"] == 1.0
    assert wording.inputs(tuned.inputs).payload["level"]["Items"] == {"low": 1.0, "high": 2.0}


def test_an_enumeration_of_fmi_2_whose_values_have_gaps(own_fmu, tmp_path, state_dir):
    items = '<TypeDefinitions><SimpleType name="L"><Enumeration><Item name="a" value="1"/><Item name="b" value="5"/>'

    def change(name, data):
        if name != "modelDescription.xml":
            return data
        text = data.decode().replace('<Integer start="2" max="100"/>', '<Enumeration declaredType="L" start="1"/>')
        return text.replace(
            "<DefaultExperiment", f"{items}</Enumeration></SimpleType></TypeDefinitions><DefaultExperiment"
        ).encode()

    fmu = repacked(own_fmu("linear", "2.0"), tmp_path / "linear.fmu", change)
    opened = open_testcase(fmu, state_dir)
    try:
        assert opened.initialize(0, start_values={"gain": "b"})["tenfold"] == 50.0
        with pytest.raises(InvalidValueError, match=r"Invalid value 3 for .* gain. .* 1 \(a\), 5 \(b\)"):
            opened.initialize(0, start_values={"gain": 3})
    finally:
        opened.close()


@BOTH
@INTERFACES
def test_inputs_are_given_at_initialize(case, version, interface):
    linear = case("linear", version, f'[fmu]\ninterface = "{interface}"\n')
    assert linear.initialize(0, start_values={"u": 3, "tau": 5})["u"] == 3.0
    assert linear.advance()["x"] == pytest.approx(state(0.5, 3, tau=5), rel=1e-4)
    assert linear.initialize(2, warmup_period=1, start_values={"u": 2})["x"] == pytest.approx(state(1.0, 2), rel=1e-4)
    assert linear.initialize(0)["u"] == 0.0


def test_an_input_at_initialize_stays_in_its_bounds(case):
    overwrite = case("overwrite", "2.0")
    with pytest.raises(InvalidValueError, match="parameter n. .* above the maximum 3.0"):
        overwrite.initialize(0, start_values={"n": 4})


@BOTH
def test_a_start_before_zero(case, version):
    linear = case("linear", version)
    linear.initialize(-2, end_time=-1, warmup_period=1)
    assert linear.advance()["x"] == pytest.approx(state(1.5))
    assert linear.results(["x"])["time"].tolist() == [-2.5, -2.0, -1.5]
    assert linear.results(["x"], -1.9)["time"].tolist() == [-1.5]
    with pytest.raises(InvalidValueError, match="the simulation ends at -1.0s"):
        linear.advance(steps=2)
    with pytest.raises(InvalidValueError, match="end_time. Value must be greater than start_time"):
        linear.initialize(-2, end_time=-3)


def test_arrays_follow_their_structural_parameter(case):
    sized = case("sized", toml="[fmu.structural]\nn = 5\n")
    assert list(sized.inputs) == [f"u[{i}]" for i in range(1, 6)]
    sized.advance({"u[5]": 4})
    stored = sized.snapshot()
    expected = sized.advance({"u[1]": 0})
    assert [expected[f"y[{i}]"] for i in range(1, 6)] == [0.0, 4.0, 0.0, 0.0, 8.0]
    sized.restore(stored)
    assert sized.advance({"u[1]": 0}) == expected
    assert sized.results(["n"])["n"].tolist() == [5.0] * 3
    with pytest.raises(InvalidValueError, match=r"n in parameter start_values. .* \[fmu.structural\]"):
        sized.initialize(0, start_values={"n": 3})


@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        ("n = 9", "n cannot be 9; it must be from 1 to 8"),
        ("n = 0", "n cannot be 0; it must be from 1 to 8"),
        ("m = 2", "no structural parameter m that gives sizes of arrays; it has: n"),
        ("n = 1.5", "fmu.structural.n must be a whole number, not 1.5"),
    ],
)
def test_sizes_that_are_refused(case, toml, reason):
    with pytest.raises(ResourcesError, match=reason):
        case("sized", toml=f"[fmu.structural]\n{toml}\n")


def test_elements_of_an_array_are_read_singly(case):
    every = case("every", toml='[measurements]\nvariables = "z.2.|A.1,2."\n[results]\nvariables = "der.z..3."\n')
    assert list(every.measurements)[-1] == "A[1,2]"
    every.advance()
    assert every.results(["der(z)[3]"])["der(z)[3]"] == pytest.approx([3.0, 3.0 * np.exp(-0.5)])


@pytest.mark.parametrize("version", ["3.0-beta.2", "3.0-rc.1"])
def test_a_draft_of_fmi_is_refused_by_its_name(own_fmu, tmp_path, state_dir, version):
    fmu = repacked(
        own_fmu("linear", "3.0"),
        tmp_path / "draft.fmu",
        lambda _, data: data.replace(b'fmiVersion="3.0"', f'fmiVersion="{version}"'.encode()),
    )
    with pytest.raises(ResourcesError, match=f"draft.fmu is of FMI {version}, a draft"):
        read_fmu(fmu, state_dir)


def test_scheduled_execution_is_refused_by_its_name(own_fmu, tmp_path, state_dir):
    def change(name, data):
        if name != "modelDescription.xml":
            return data
        head, _, rest = data.decode().partition("<ModelExchange")
        return f'{head}<ScheduledExecution modelIdentifier="linear"/>{rest[rest.index("<UnitDefinitions") :]}'.encode()

    fmu = repacked(own_fmu("linear", "3.0"), tmp_path / "scheduled.fmu", change)
    with pytest.raises(
        ResourcesError, match="scheduled.fmu is FMI 3.0 with scheduled execution; co-simulation or Model"
    ):
        read_fmu(fmu, state_dir)


def test_an_input_clock_is_refused_by_its_name(own_fmu, tmp_path, state_dir):
    clock = (
        b'<ModelVariables><Clock name="tick" valueReference="99" causality="input" intervalVariability="triggered"/>'
    )
    fmu = repacked(
        own_fmu("linear", "3.0"), tmp_path / "clocked.fmu", lambda _, data: data.replace(b"<ModelVariables>", clock)
    )
    with pytest.raises(ResourcesError, match="clocked.fmu has the input clock tick"):
        read_fmu(fmu, state_dir)


def test_a_model_refuses_to_change_what_is_fixed(case):
    linear = case("linear", "2.0")
    linear.advance()
    with pytest.raises(ModelError, match="tau can be set before an initialization only"):
        linear.stepper.model.change({"tau": 1.0})
    with pytest.raises(ModelError, match="no parameter nonsense"):
        linear.stepper.model.change({"nonsense": 1.0})


def test_a_test_case_has_start_values_of_its_own(case):
    plain, other = case("tuned"), case("tuned", toml="[start_values]\ngain = 5.0\n")

    def observed(start_values):
        plain.initialize(0, start_values=start_values)
        return plain.advance({"u": 1})

    assert other.advance({"u": 1}) == observed({"gain": 5.0}) != observed({})
    other.initialize(0, start_values={"gain": 3.0})
    assert other.advance({"u": 1}) == observed({"gain": 3.0})


@pytest.mark.parametrize(
    ("toml", "message"), [("absent = 1.0", "absent"), ('gain = "much"', "gain"), ("gain = []", "gain")]
)
def test_start_values_of_a_test_case_are_checked(case, toml, message):
    with pytest.raises(ResourcesError, match=f"testcase.toml: start_values: .*{message}"):
        case("tuned", toml=f"[start_values]\n{toml}\n")
