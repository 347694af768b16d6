"""The commands that need no server, as a user types them."""

import importlib.util
import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pandas
import pytest
from fmpy import read_model_description, simulate_fmu

import trivium
from trivium.cli import main
from trivium.cli.program import program
from trivium.environment import ROOT
from trivium.extras import command


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


def test_an_fmu_that_is_not_the_plant_is_stepped_with_its_inputs_held(capsys, own_fmu) -> None:
    assert main(["step", "--fmu", str(own_fmu("linear", "2.0")), "--to", "5", "--json"]) == 0
    assert "Controller: hold" in capsys.readouterr().err


def test_without_indicators_the_final_values_of_the_outputs_are_printed(capsys, own_fmu) -> None:
    fmu = own_fmu("linear", "2.0")
    assert main(["step", "--fmu", str(fmu), "--to", "5"]) == 0
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    variables = read_model_description(str(fmu)).modelVariables
    outputs = [v for v in variables if v.causality == "output" and v.type != "String"]
    last = simulate_fmu(str(fmu), stop_time=5, output_interval=1, output=[v.name for v in outputs])[-1]
    assert [line[0] for line in printed] == [v.name for v in outputs]
    assert [float(line[1]) for line in printed] == [pytest.approx(float(last[v.name]), rel=1e-5) for v in outputs]
    assert [line[2] for line in printed] == [v.unit or "1" for v in outputs]


def test_the_time_ratio_has_a_unit(capsys) -> None:
    assert main(["step", "--to", "600"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("time_rat"))
    assert line.split()[2:] == ["s/s", "Computing", "time", "of", "the", "controller", "over", "simulated", "time"]


def test_without_a_plotting_package_the_table_is_written(capsys, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "plotly", None)
    out = tmp_path / "a.csv"
    assert main(["step", "--to", "600", "--out", str(out), "--json"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert (
        lines[0] == f"{tmp_path / 'a.html'} is left out: plotly is not installed; install it with: {command('results')}"
    )
    assert lines[1] == f"written: {out}, {tmp_path / 'a.png'}"
    assert out.read_text().count("\n") >= 3
    assert (tmp_path / "a.png").exists()
    assert not (tmp_path / "a.html").exists()


def test_compare(capsys) -> None:
    assert main(["compare", "rules", "hold", "--period", "mild", "--days", "0.1", "--price", "dynamic"]) == 0
    table = capsys.readouterr().out
    assert "| mild | rules |" in table
    assert "| mild | hold |" in table


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("trivium sw", {"sweep"}),
        ("trivium step --con", {"--controller"}),
        ("trivium token ''", {"add", "list", "remove"}),
        ("trivium converge --method ai", {"aitken"}),
        ("trivium converge --method i", {"iqn-ils"}),
    ],
)
def test_bash_completes_commands_options_and_choices(capsys, tmp_path, words, expected):
    assert main(["completion", "bash"]) == 0
    (tmp_path / "trivium").write_text(f"#!/bin/sh\nexec '{sys.executable}' -m trivium \"$@\"\n")
    (tmp_path / "trivium").chmod(0o755)
    script = f"""{capsys.readouterr().out}
PATH='{tmp_path}':$PATH
COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMPREPLY=()
_trivium_completion trivium; printf '%s\\n' "${{COMPREPLY[@]}}" """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=300)
    assert set(done.stdout.split()) == expected, done.stderr


@pytest.mark.parametrize(("shell", "part"), [("zsh", "compdef"), ("fish", "complete --no-files --command trivium")])
def test_other_shells_get_a_script(capsys, shell, part):
    assert main(["completion", shell]) == 0
    assert part in capsys.readouterr().out


def test_every_command_that_prints_results_prints_them_as_json_too():
    silent = {"serve", "worker", "completion"}
    for name, each in write_cli().commands(program):
        assert ("--json" in {option for parameter in each.params for option in parameter.opts}) == (name not in silent)


def write_cli():
    spec = importlib.util.spec_from_file_location("write_cli", ROOT / "docs" / "write_cli.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["sweep", "--help"], ["step", "--help"]])
def test_what_needs_no_model_imports_nothing_heavy(words):
    code = (
        "import sys; from trivium.cli import main; main(sys.argv[1:]);"
        "print(*({'numpy', 'flask', 'pydantic', 'fmpy', 'pandas', 'distributed'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0
    assert done.stderr.strip() == ""


@pytest.mark.parametrize("module", ["trivium", "trivium.cli"])
def test_modules_run_as_the_command(module, tmp_path):
    done = subprocess.run([sys.executable, "-m", module, "--version"], capture_output=True, text=True, timeout=300,
                          cwd=tmp_path)  # fmt: skip
    assert done.stdout == f"trivium {trivium.__version__}\n", done.stderr


def test_the_help_opens_with_what_the_product_is(capsys):
    assert main(["--help"]) == 0
    paragraph = capsys.readouterr().out.partition("\n\n")[0]
    assert " ".join(paragraph.split()) == trivium.SUMMARY


def test_package_readme_and_docs_say_the_same_sentence():
    description = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["description"]
    assert description == trivium.SUMMARY
    for page in ("README.md", "docs/index.md"):
        assert trivium.SUMMARY in " ".join((ROOT / page).read_text(encoding="utf-8").split()), page


def test_a_help_without_a_command_goes_to_standard_error(capsys):
    assert main([]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(trivium.SUMMARY[:20])


def test_examples_are_listed_and_copied(capsys, tmp_path):
    assert main(["examples"]) == 0
    listed = capsys.readouterr().out
    assert "fuel_cycle       The tritium fuel cycle\n" in listed
    assert main(["examples", "fuel_cycle", str(tmp_path / "study"), "--json"]) == 0
    copied = json.loads(capsys.readouterr().out)
    assert str(tmp_path / "study" / "FuelCycle.fmu") in copied["files"]
    source = ROOT / "examples" / "fuel_cycle"
    for path in (tmp_path / "study").iterdir():
        assert path.read_bytes() == (source / path.name).read_bytes()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
@pytest.mark.parametrize("words", [["examples"], ["info"], ["--help"]])
def test_output_that_cannot_be_written_is_reported_in_one_sentence(words, own_fmu):
    words = [*words, str(own_fmu("linear", "2.0"))] if words == ["info"] else words
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "trivium.cli", *words], stdout=full, stderr=subprocess.PIPE, text=True, timeout=300,
            check=False,
        )  # fmt: skip
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert done.stderr.startswith("trivium: the output cannot be written: ")


def test_a_reader_that_ends_early_is_no_reason_for_a_traceback():
    process = subprocess.Popen(
        [sys.executable, "-m", "trivium.cli", "examples"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdout.close()
    with process.stderr:
        assert process.stderr.read() == ""
    assert process.wait(300) == 1


def test_simulate_prints_and_writes_what_python_returns(capsys, tmp_path, own_fmu):
    fmu, out = own_fmu("linear", "2.0"), tmp_path / "a.csv"
    words = ["simulate", str(fmu), "--stop", "2", "--step", "0.5", "--set", "gain=3", "--out", str(out), "--plot"]
    assert main([*words, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    frame = trivium.simulate(fmu, stop_time=2, step=0.5, start_values={"gain": 3})
    assert pandas.read_csv(out, index_col="time").equals(frame.astype(float))
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert figures.keys() == set(frame.columns)
    for name, values in frame.items():
        assert figures[name] == {"last": values.iloc[-1], "min": values.min(), "max": values.max()}


def test_inputs_of_a_file_are_followed(capsys, tmp_path, own_fmu):
    fmu = own_fmu("linear", "2.0")
    (tmp_path / "u.csv").write_text("time,u\n0,1\n2,5\n")
    assert main(["simulate", str(fmu), "--stop", "2", "--input", str(tmp_path / "u.csv"), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    frame = trivium.simulate(fmu, stop_time=2, inputs=pandas.DataFrame({"u": [1.0, 5.0]}, index=[0.0, 2.0]))
    assert figures["x"]["last"] == frame["x"].iloc[-1]


def test_info_prints_what_python_returns(capsys, own_fmu):
    fmu = own_fmu("linear", "2.0")
    assert main(["info", str(fmu)]) == 0
    described = trivium.info(fmu, validate=True, qualify=True)
    assert (described.findings, described.qualification) == ((), "restore is exact")
    assert capsys.readouterr().out == f"{described}\n"
    assert main(["info", str(fmu), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(described.to_dict()))
