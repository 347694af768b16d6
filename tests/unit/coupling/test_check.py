"""What every evaluation would fail at is refused before the first one; what fails later shows the model's own lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.coupling.cases import pair
from trivium.cli import main

OWN = """
def half(inputs, options):
    return {"y": 0.5 * inputs["x"] + 1.0}

def deeper(inputs):
    raise ValueError("the model has no answer")

def raising(inputs, options):
    return deeper(inputs)

number = 3
"""


@pytest.fixture
def converge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state_dir: Path, capsys):
    """Run the command on a pair whose second component has other fields; return exit code, stdout and stderr."""
    monkeypatch.setenv("TRIVIUM_STATE_DIR", str(state_dir))
    (tmp_path / "halves.py").write_text(OWN)
    (tmp_path / "broken.py").write_text("import json\nimport no_such_package\n\ndef half(inputs, options):\n    pass\n")

    def run(**fields) -> tuple[int, str, str]:
        case = pair([[0.5]], [1.0], [[1.0]], [0.0])
        for name, component in case["components"].items():
            own = fields if name == "two" else {"callable": "halves:half"}
            case["components"][name] = {
                "inputs": component["inputs"],
                "outputs": component["outputs"],
                "kind": "python",
                **own,
            }
        (tmp_path / "case.json").write_text(json.dumps(case))
        code = main(["converge", str(tmp_path / "case.json"), "--no-cache"])
        return code, *capsys.readouterr()

    return run


@pytest.mark.parametrize("process", [True, False])
@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        ("nowhere:half", "nowhere:half is not there: No module named 'nowhere'"),
        ("halves:hlaf", "halves:hlaf is not there: module 'halves' has no attribute 'hlaf'"),
        ("halves:number", "halves:number is not there: halves:number cannot be called"),
    ],
)
def test_a_mistyped_callable_is_refused_before_the_first_iteration(converge, tmp_path, process, function, sentence):
    code, out, err = converge(callable=function, process=process)
    assert code == 1
    assert f"components.two.callable: {sentence}" in err
    assert "Traceback" not in err
    assert "File " not in err
    assert "iteration 1" not in err
    assert "results in" not in out
    assert not (tmp_path / "case-results").exists()


def test_a_module_that_cannot_be_imported_shows_its_own_line(converge):
    code, _, err = converge(callable="broken:half")
    assert code == 1
    assert "components.two.callable: broken:half cannot be imported:" in err
    assert 'broken.py", line 2' in err
    assert err.count("No module named 'no_such_package'") == 1
    assert "importlib" not in err


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"argv": ["no-such-program"]}, "components.two.argv: there is no program no-such-program"),
        ({"argv": ["./users"]}, "components.two.argv: there will be no program ./users in the working directory"),
        ({"argv": ["./users"], "files": ["users"]}, "components.two.files: there is no file users beside the case"),
    ],
)
def test_a_program_that_is_not_there_is_refused_before_the_first_iteration(converge, fields, sentence):
    code, out, err = converge(kind="process", **fields)
    assert code == 1
    assert sentence in err
    assert "iteration 1" not in err
    assert "results in" not in out


def test_what_the_models_function_raises_shows_its_own_frames_only(converge):
    code, out, err = converge(callable="halves:raising")
    assert code == 3
    shown = out + err
    assert 'halves.py", line 9, in raising' in shown
    assert 'halves.py", line 6, in deeper' in shown
    assert shown.count("ValueError: the model has no answer") == 1
    assert "importlib" not in shown
    assert "call.py" not in shown
