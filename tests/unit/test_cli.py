"""The commands that need no server, as a user types them."""

import importlib.util
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from trivium.cli import main, make_parser
from trivium.environment import ROOT

pytest.importorskip("tqdm")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, state_dir: Path, resources: Path) -> None:
    monkeypatch.setenv("TRIVIUM_STATE_DIR", str(state_dir))
    monkeypatch.setenv("TRIVIUM_RESOURCES", str(resources))


def test_step(capsys, tmp_path: Path) -> None:
    assert main(["step", "--from", "3600", "--to", "7200", "--out", str(tmp_path / "a.csv"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ener_tot"] > 0
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert lines[0].startswith("time,")
    assert lines[-1].startswith("7200.0,")


def test_step_of_an_fmu_alone(capsys, resources: Path) -> None:
    fmu = resources / "AlphaDataCenterCooling_FMU.fmu"
    assert main(["step", "--fmu", str(fmu), "--to", "600", "--controller", "hold", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ener_tot"] is None  # an FMU alone declares nothing
    assert main(["step", "--fmu", str(fmu.parent / "no.fmu"), "--to", "600"]) == 1
    assert "there is no FMU" in capsys.readouterr().err


def test_compare(capsys) -> None:
    assert main(["compare", "rules", "hold", "--period", "mild", "--days", "0.1", "--price", "dynamic"]) == 0
    table = capsys.readouterr().out
    assert "| mild | rules |" in table
    assert "| mild | hold |" in table


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["step", "--to", "300", "--controller", "pid"], "there is no controller pid"),
        (["step", "--to", "soon"], "Invalid value soon for parameter --to"),
        (["step", "--to", "301"], "Value must be  0 or a multiple of 300"),
        (["step", "--to", "300", "--out", "a.xls"], "must end in .parquet"),
        (["compare", "--period", "summer"], "there is no time period summer"),
        (["compare", "--price", "free"], "electricity_price is free"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(capsys, arguments: list[str], said: str) -> None:
    assert main(arguments) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("trivium: ")
    assert said in error


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("trivium sw", {"sweep"}),
        ("trivium step --con", {"--controller"}),
        ("trivium token ''", {"add", "list", "remove"}),
    ],
)
def test_bash_completes_commands_and_options(capsys, words, expected):
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    asked = f"""{script}
COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMPREPLY=()
$(complete -p trivium | sed 's/.*-F \\([^ ]*\\).*/\\1/'); printf '%s\\n' "${{COMPREPLY[@]}}" """
    done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, timeout=30)
    assert set(done.stdout.split()) == expected, done.stderr


def test_every_command_that_tells_something_tells_it_as_json_too():
    silent = {"serve", "worker", "completion"}
    for name, command in write_cli().commands(make_parser()):
        assert ("--json" in command.format_help()) == (name not in silent), name


def write_cli():
    spec = importlib.util.spec_from_file_location("write_cli", ROOT / "docs" / "write_cli.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
