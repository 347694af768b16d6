"""Cases as their authors write them: what is refused, and which field it names."""

from __future__ import annotations

import copy
import json

import pytest

from tests.unit.coupling.cases import pair, put, settings_of
from trivium.coupling.problem import prepare
from trivium.coupling.spec import Case, load_case
from trivium.errors import InvalidValueError, TriviumError

GOOD = pair([[0.5]], [1.0], [[1.0]], [0.0])


def changed(path: str, value):
    """Return the good case with a value changed, or removed where it is None."""
    case = copy.deepcopy(GOOD)
    *way, last = path.split("/")
    place = case
    for step in way:
        place = place[int(step) if isinstance(place, list) else step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return case


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("nonsense", 1, "nonsense"),
        ("components", {}, "components"),
        ("components/one/kind", "magic", "components.one"),
        ("components/one/callable", "coupled", "components.one.callable"),
        ("components/one/callable", "os.system('x')", "components.one.callable"),
        ("components/one/timeout", 0, "timeout"),
        ("components/one/inputs/x/unit", 3, "unit"),
        ("components/one/inputs/x/dims", {"i": []}, "dims"),
        ("components/one/inputs/x/dims", {"i": 0}, "dims"),
        ("components/one/inputs/x/initial", "many", "initial"),
        ("components/one/inputs/x/relative", -1, "relative"),
        ("components/one/inputs/x/scale", 0, "scale"),
        ("connections/0/from", "one", "connections.0.from"),
        ("connections/0/from", "three.y", "there is no component three"),
        ("connections/0/to", "one.x", "one.x has a connection already"),
        ("connections/0/transform", [{"kind": "magic"}], "transform"),
        ("method", "hope", "method"),
        ("alpha", 0, "alpha"),
        ("alpha", 1.5, "alpha"),
        ("alpha", "0.5", "alpha"),
        ("scheme", "magic", "scheme"),
        ("tolerance", 0, "tolerance"),
        ("tolerance", "nan", "tolerance"),
        ("max_iterations", 0, "max_iterations"),
        ("depth", 0, "depth"),
        ("probe", 1, "probe"),
    ],
)
def test_what_is_wrong_is_named_before_anything_runs(tmp_path, path, value, said):
    with pytest.raises(InvalidValueError, match="cannot be run") as caught:
        load_case(put(tmp_path, changed(path, value)))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("connections/0/from", "one.z", "one has no output z; it has: y"),
        ("connections/0/to", "two.z", "two has no input z; it has: x"),
        ("components/one/inputs/x/initial", None, r"components.one.inputs.x.initial: one.x needs a value"),
        ("components/one/inputs/x/initial", [1, 2], r"shape \[2\], where \[1\]"),
        ("components/one/inputs/x/lower", 5, "below its lower bound 5"),
        ("components/two/inputs/x/unit", "kg", "cannot be converted"),
        ("components/two/inputs/x/unit", "floops", "floops"),
        ("components/two/inputs/x/dims", {"j": 1}, "the dimensions are i, where j are meant"),
    ],
)
def test_what_does_not_go_together_is_named_before_anything_runs(tmp_path, path, value, said):
    case = changed(path, value)
    if path.endswith("initial") and value is None:
        del case["components"]["two"]["inputs"]["x"]["initial"]
    with pytest.raises(InvalidValueError, match=said):
        prepare(Case.model_validate(case), tmp_path, settings_of(tmp_path))


def test_an_input_without_an_initial_value_is_not_torn(tmp_path):
    case = changed("components/one/inputs/x/initial", None)
    problem = prepare(Case.model_validate(case), tmp_path, settings_of(tmp_path))
    assert [part.name for part in problem.parts] == ["two.x"]


def test_a_case_is_a_file_or_its_folder(tmp_path):
    path = put(tmp_path, GOOD)
    assert load_case(path) == load_case(tmp_path)
    for wrong in (tmp_path / "nothing", tmp_path / "nothing.json"):
        with pytest.raises(InvalidValueError, match="cannot be read"):
            load_case(wrong)
    path.write_text('{"components": {}, "components": {}}')
    with pytest.raises(InvalidValueError, match="appears twice"):
        load_case(path)
    path.write_text("{")
    with pytest.raises(InvalidValueError, match="no JSON"):
        load_case(path)


def test_settings_of_the_command_take_the_place_of_the_cases():
    case = Case.model_validate({**GOOD, "method": "aitken"})
    assert case.with_settings(alpha=None, method=None) == case
    assert case.with_settings(alpha=0.3).method == "constant"
    assert case.with_settings(alpha=0.3, method="anderson").method == "anderson"
    assert case.with_settings(tolerance=1e-2, max_iterations=7).max_iterations == 7
    with pytest.raises(InvalidValueError, match="alpha"):
        case.with_settings(alpha=0.0)


def test_defaults_are_those_of_the_seed_but_for_the_method(tmp_path):
    plain = {key: value for key, value in GOOD.items() if key in ("components", "connections")}
    case = Case.model_validate(plain)
    assert (case.tolerance, case.max_iterations) == (1e-4, 20)
    problem = prepare(case, tmp_path, settings_of(tmp_path))
    assert (problem.method.name, problem.method.alpha) == ("anderson", 1.0)


def test_a_component_may_describe_itself(tmp_path):
    case = copy.deepcopy(GOOD)
    case["components"]["one"] = {
        "kind": "python",
        "callable": "coupled:same",
        "describe": "coupled:describe",
        "options": {"years": [2030, 2040]},
        "inputs": {"x": {"initial": 2.0, "upper": 9.0}},
    }
    case["connections"] = [{"from": "one.y", "to": "one.x"}]
    path = put(tmp_path, case)
    problem = prepare(load_case(path), tmp_path, settings_of(tmp_path))
    (variable,) = problem.components["one"].inputs
    assert (variable.unit, variable.dims, variable.lower, variable.upper) == ("m", {"year": (2030, 2040)}, 0.0, 9.0)
    assert problem.start.tolist() == [2.0, 2.0]
    for wrong, said in (
        ({"z": {}}, "describes no such variable"),
        ({"x": {"unit": "km"}}, "described by the component"),
    ):
        case["components"]["one"]["inputs"] = wrong
        with pytest.raises(InvalidValueError, match=said):
            prepare(Case.model_validate(case), tmp_path, settings_of(tmp_path))
    case["components"]["one"] |= {"describe": "coupled:nothing", "inputs": {}}
    with pytest.raises(InvalidValueError, match=r"components\.one\.describe: coupled:nothing is not there"):
        prepare(Case.model_validate(case), tmp_path, settings_of(tmp_path))


def test_every_example_can_be_read():
    from tests.server import ROOT

    found = sorted((ROOT / "examples").glob("*/case*.json"))
    assert any(path.parent.name == "datacenter_grid" for path in found)
    for path in found:
        assert load_case(path).components


def test_the_cases_of_the_data_centre_are_what_its_program_writes(tmp_path):
    import importlib.util

    from tests.server import ROOT

    folder = ROOT / "examples" / "datacenter_grid"
    spec = importlib.util.spec_from_file_location("make_case", folder / "make_case.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert json.loads((folder / "case.json").read_text()) == json.loads(json.dumps(module.case(module.WEEKS, 7)))


def test_all_errors_are_ours(tmp_path):
    path = put(tmp_path, GOOD)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TriviumError):
        load_case(path)
