"""What people type wrongly, and the sentence that each slip gets: one row each. tests/api/test_slips.py has requests."""

from __future__ import annotations

import json
import shlex
import shutil
import zipfile

import pytest

import trivium
from trivium.cli import main
from trivium.cli.program import program
from trivium.errors import TriviumError

STUDY = {
    "paths": {"package_path": "tank.fmu"},
    "simulation": {"stop_time": 2, "step_size": 1},
    "simulation_parameters": {"gain": [1, 2]},
}
CASE = {"components": {"a": {"kind": "python", "calable": "m:f"}}}


def changed(**changes):
    return json.dumps({**STUDY, **changes})


def case(**component):
    return json.dumps({"components": {"a": component}})


@pytest.fixture(scope="module")
def files(tmp_path_factory, own_fmu):
    """A folder with good files and bad ones."""
    folder = tmp_path_factory.mktemp("slips")
    fmu = folder / "tank.fmu"
    shutil.copy(own_fmu("linear", "2.0"), fmu)
    (folder / "damaged.fmu").write_bytes(fmu.read_bytes()[:2000])
    (folder / "text.fmu").write_text("no archive")
    with zipfile.ZipFile(fmu) as source, zipfile.ZipFile(folder / "windows.fmu", "w") as target:
        for name in source.namelist():
            target.writestr(name.replace("linux64", "win64").replace(".so", ".dll"), source.read(name))
    with zipfile.ZipFile(folder / "zip.fmu", "w") as archive:
        archive.writestr("readme.txt", "no model")
    texts = {
        "study.json": changed(),
        "comma.json": '{"paths": {\n  "package_path": "x",\n}}',
        "fields.json": changed(simulaton={}, simulation={"stop_tme": 1, "stop_time": 2, "step_size": 1}),
        "parameter.json": changed(simulation_parameters={"gian": [1]}),
        "fmu.json": changed(paths={"package_path": "tnak.fmu"}),
        "metric.json": changed(metrics={"m": {"variable": "xx", "method": "final"}}),
        "negative.json": changed(simulation={"stop_time": 2, "step_size": -1}),
        "twice.json": '{"paths": {}, "paths": {}}',
        "case.json": json.dumps(CASE),
        "kind.json": case(kind="pyton"),
        "callable.json": case(kind="python", callable="mod.a"),
        "initial.json": case(kind="python", callable="m:f", inputs={"x": {"initial": "q", "relative": -1}}),
        "bare.json": '{"components": {}}',
        "list.json": "[]",
        "types.json": changed(paths=3, simulation={"stop_time": "a", "step_size": 1}),
        "mark.json": "\ufeff[]",
        "t.csv": "t,u\n0,1\n",
        "words.csv": "time,u\n0,one\n",
        "bad.tar": "no archive",
        "tokens.json": "[]",
        "full/a.txt": "",
        "page.html": "",
    }
    for name, text in texts.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    (folder / "empty").mkdir()
    (folder / "coupled").mkdir()
    (folder / "coupled" / "case.json").write_text(json.dumps(CASE))
    (folder / "testcase").mkdir()
    shutil.copy(fmu, folder / "testcase")
    return folder


@pytest.fixture
def typed(files, state_dir, tmp_path, monkeypatch, capsys):
    """Type a command line; return the exit code and the lines of standard error."""
    monkeypatch.chdir(files)
    monkeypatch.setenv("TRIVIUM_STATE_DIR", str(state_dir))

    def run(line):
        code = main(shlex.split(line.format(tmp=tmp_path)))
        return code, capsys.readouterr().err.splitlines()

    return run


#: Wrong command lines: exit code 2, a sentence, and where the help is.
USAGE = [
    ("stpe", "No such command 'stpe'. Did you mean 'step'?"),
    ("sweep rnu study.json", "No such command 'rnu'. Did you mean 'run'?"),
    ("token ad me", "No such command 'ad'. Did you mean 'add'?"),
    ("step --contoller hold", "No such option '--contoller'. Did you mean '--controller'?"),
    ("sweep study.json --drry-run", "No such option '--drry-run'. Did you mean '--dry-run'?"),
    ("step", "Missing option '--to', or '--period'."),
    ("converge", "Missing argument 'CASE'."),
    ("step --to soon", "Invalid value for '--to': 'soon' is not a number."),
    ("step --to nan", "Invalid value for '--to': nan is not a finite number."),
    ("step --to 600 --from 900", "Invalid value for '--to': 600 is not after --from 900."),
    ("step --to 600 --from -5", "Invalid value for '--from': -5 is less than 0."),
    ("step --to 5 --fmu tnak.fmu", "Invalid value for '--fmu': There is no file tnak.fmu. Did you mean tank.fmu?"),
    (
        "step --to 5 --fmu testcase",
        "Invalid value for '--fmu': testcase is a folder, not an FMU. Use: --resources testcase",
    ),
    ("step --to 5 --fmu empty", "Invalid value for '--fmu': empty is a folder, not an FMU."),
    (
        "step --to 5 --resources tank.fmu",
        "Invalid value for '--resources': tank.fmu is a file, not a folder. Use: --fmu tank.fmu",
    ),
    (
        "step --to 5 --resources testcse",
        "Invalid value for '--resources': There is no folder testcse. Did you mean testcase?",
    ),
    ("step --to 5 --fmu tank.fmu --resources testcase", "--fmu and --resources exclude each other"),
    ("serve tank.fmu", "Unexpected argument tank.fmu. Use: --fmu tank.fmu"),
    ("worker testcase", "Unexpected argument testcase. Use: --resources testcase"),
    ("step tank.fmu --to 10", "Unexpected argument tank.fmu. Use: --fmu tank.fmu"),
    ("step cooling --to 10", "Unexpected argument cooling. Use: --resources cooling"),
    ("serve study.json", "Unexpected argument study.json. It is a study. Use: trivium sweep study.json"),
    (
        "serve --resources study.json",
        "Invalid value for '--resources': study.json is a file, not a folder. It is a study. Use: trivium sweep study.json",
    ),
    (
        "serve --fmu study.json",
        "Invalid value for '--fmu': study.json is not an FMU. It is a study. Use: trivium sweep study.json",
    ),
    (
        "serve --fmu case.json",
        "Invalid value for '--fmu': case.json is not an FMU. It is a coupled case. Use: trivium converge case.json",
    ),
    ("serve --fmu t.csv", "Invalid value for '--fmu': t.csv is not an FMU."),
    (
        "step --to 5 --fmu cooling",
        "Invalid value for '--fmu': cooling is a test case that comes with the package, "
        "not an FMU. Use: --resources cooling",
    ),
    (
        "simulate cooling",
        "Invalid value for 'FMU': cooling is a test case that comes with the package, not an FMU. "
        "To run it: trivium step --to SECONDS",
    ),
    ("tank.fmu", "tank.fmu is an FMU, not a command. Type: trivium simulate tank.fmu, or trivium serve --fmu tank.fmu"),
    ("study.json", "study.json is not a command. It is a study. Use: trivium sweep study.json"),
    ("help", "No such command 'help'. Type: trivium --help, or trivium COMMAND --help"),
    ("help step", "No such command 'help'. Type: trivium --help, or trivium step --help"),
    ("step --to 600 --out empty", "Invalid value for '--out': File 'empty' is a directory."),
    ("compare --days 0", "Invalid value for '--days': 0 is not greater than 0."),
    ("compare --days nan", "Invalid value for '--days': nan is not a finite number."),
    ("compare --seed -1", "Invalid value for '--seed': -1 is not a whole number of at least 0."),
    ("sweep nowhere.json", "Invalid value for 'STUDY': There is no file nowhere.json."),
    (
        "sweep tank.fmu",
        "Invalid value for 'STUDY': tank.fmu is an FMU, not a study. A study names its FMU as paths.package_path "
        "(docs/sweep.md). To run it once: trivium simulate tank.fmu",
    ),
    ("sweep stduy.json", "Invalid value for 'STUDY': There is no file stduy.json. Did you mean study.json?"),
    ("simulate ./tnak.fmu", "Invalid value for 'FMU': There is no file tnak.fmu. Did you mean tank.fmu?"),
    ("sweep full/b.json", "Invalid value for 'STUDY': There is no file full/b.json."),
    ("sweep no/b.json", "Invalid value for 'STUDY': There is no file no/b.json. There is no folder no either."),
    ("sweep empty", "Invalid value for 'STUDY': empty is a folder, not a study. It holds no study."),
    (
        "sweep coupled",
        "Invalid value for 'STUDY': coupled is a folder, not a study. It holds a coupled case: trivium converge coupled",
    ),
    ("sweep study.json --workers 0", "Invalid value for '--workers': 0 is not a whole number of at least 1."),
    ("sweep study.json --cache-size 0", "Invalid value for '--cache-size': 0 is not greater than 0."),
    ("converge nowhere", "Invalid value for 'CASE': There is no file nowhere."),
    (
        "converge empty",
        "Invalid value for 'CASE': The folder empty has no case.json. For a case to begin with: trivium examples "
        "datacenter_grid datacenter_grid",
    ),
    (
        "converge tank.fmu",
        "Invalid value for 'CASE': tank.fmu is an FMU, not a case. A case names an FMU as the path of a component of the "
        "kind fmu (docs/coupling.md). To run it once: trivium simulate tank.fmu",
    ),
    (
        "converge case.json --method aitkin",
        "Invalid value for '--method': 'aitkin' is not one of constant, aitken, anderson, iqn-ils, newton-krylov. Did you mean aitken?",
    ),
    ("converge case.json --alpha 2", "Invalid value for '--alpha': 2 is greater than 1."),
    (
        "converge case.json --max-iterations 0",
        "Invalid value for '--max-iterations': 0 is not a whole number from 1 to 1000000.",
    ),
    ("simulate", "Missing argument 'FMU'."),
    ("simulate tank.fmu --stop -1", "Invalid value for '--stop': -1 is not after the start, 0."),
    ("simulate tank.fmu --stop 9 --step 0", "Invalid value for '--step': 0 is not greater than 0."),
    ("simulate tank.fmu --stop inf", "Invalid value for '--stop': inf is not a finite number."),
    ("simulate tank.fmu --set gain", "Invalid value for '--set': 'gain' is not of the form NAME=VALUE."),
    (
        "simulate --plot tank.fmu",
        "Invalid value for '--plot': tank.fmu is an FMU. Write --plot=FILE, or put --plot last.",
    ),
    ("simulate tank.fmu --plot=a.gif", "Invalid value for '--plot': a.gif must end in .png or .html."),
    ("examples fuel_cycle", "Where shall it be copied? Type: trivium examples fuel_cycle fuel_cycle"),
    ("restore nowhere.tar", "Invalid value for 'FILE': There is no file nowhere.tar."),
    ("completion csh", "Invalid value for 'SHELL': 'csh' is not one of bash, zsh, fish. Did you mean zsh?"),
    ("serve --port 70000", "Invalid value for '--port': 70000 is not a whole number from 1 to 65535."),
    ("serve --port http", "Invalid value for '--port': 'http' is not a whole number from 1 to 65535."),
]


@pytest.mark.parametrize(("line", "sentence"), USAGE)
def test_a_wrong_command_line(typed, line, sentence):
    code, lines = typed(line)
    assert lines[0] == f"trivium: {sentence}"
    assert lines[1:] == [f"Try 'trivium {help_of(line)}--help'."]
    assert code == 2


def help_of(line):
    """The words before --help in the hint of a row."""
    words = line.split()
    if words[0] not in {"sweep", "token"}:
        return f"{words[0]} " if words[0] in program.commands else ""
    return "sweep run " if words[1] not in ("rnu", "ad") and words[0] == "sweep" else f"{words[0]} "


#: What is wrong in files, names or values: exit code 1 and a sentence.
ERRORS = [
    ("step --to 301", "Invalid value 301.0 for parameter --to. Value must be 0 or a multiple of 300. For example, "
     "valid values include 0, 300, 600, 900, etc."),
    ("step --to 600 --controller rule", "there is no controller rule. Did you mean rules?"),
    ("step --to 600 --controller pid", "there is no controller pid. There are: hold, rules, look-ahead, rule-book, guideline-36."),
    ("step --to 5 --fmu tank.fmu --controller rules", "the controller rules is for the cooling plant: this model has no "
     "input U_CT1; use hold, which leaves the inputs as they are"),
    ("step --to 5 --fmu damaged.fmu",
     "damaged.fmu is no FMU, or is damaged: it cannot be unpacked (File is not a zip file)"),
    ("step --to 5 --fmu text.fmu", "text.fmu is no FMU, or is damaged: it cannot be unpacked (File is not a zip file)"),
    ("step --to 5 --fmu zip.fmu", "zip.fmu is no FMU: it holds no modelDescription.xml"),
    ("step --to 5 --fmu windows.fmu", "windows.fmu has no binary for linux x86_64: it needs binaries/x86_64-linux/linear.so or "
     "binaries/linux64/linear.so; it has binaries/win64/linear.dll"),
    ("step --to 5 --resources empty", "{files}/empty has no AlphaDataCenterCooling_FMU.fmu nor any other FMU"),
    ("step --to 600 --out a.xls", "a.xls must end in .parquet, .h5, .hdf5, .csv"),
    ("step --to 600 --out no/a.csv", "no/a.csv cannot be written: there is no folder {files}/no"),
    ("compare ruels", "there is no controller ruels. Did you mean rules?"),
    ("compare --period mlid", "There is no time period mlid. Did you mean mild?"),
    ("compare --period summer", "There is no time period summer. There are: winter, mild, typical, peak_heat."),
    ("compare --price free", "Scenario parameter --price is free, but should be one of the following: "
     "['constant', 'dynamic', 'highly_dynamic']."),
    ("compare --fmu tank.fmu", "this model defines no time periods to compare controllers over; testcase.toml of a test "
     "case does (docs/testcases.md)"),
    ("sweep comma.json",
     "comma.json is no JSON: Expecting property name enclosed in double quotes at line 3, column 1"),
    ("sweep twice.json", "twice.json is no JSON: paths appears twice"),
    ("sweep case.json", "case.json is a coupled case, not a study; run it with: trivium converge case.json"),
    ("sweep parameter.json", "simulation_parameters.gian: tank.fmu has no variable gian. Did you mean gain?"),
    ("sweep metric.json", "metrics.m.variable: tank.fmu has no variable xx. Did you mean x?"),
    ("sweep fmu.json", "there is no FMU {files}/tnak.fmu. Did you mean tank.fmu?"),
    ("sweep report nowhere", "there is no folder nowhere with results of a sweep."),
    ("sweep report emtpy", "there is no folder emtpy with results of a sweep. Did you mean empty?"),
    ("sweep report empty", "there are no results of a sweep in {files}/empty (no study.sqlite)"),
    ("sweep report study.json",
     "there are no results in study: run the study with: trivium sweep study.json"),
    ("sweep export nowhere a.csv", "there is no folder nowhere with results of a sweep."),
    ("sweep export empty a.csv --select gain",
     "Invalid value gain for parameter select. Write name=value, each name once."),
    ("converge study.json", "study.json is a study, not a coupled case; run it with: trivium sweep study.json"),
    ("simulate tank.fmu --stop 1 --out a.txt", "a.txt must end in .parquet, .h5, .hdf5, .csv"),
    ("simulate tank.fmu --stop 1 --input t.csv", "--input: t.csv has no column time; its columns are: t, u"),
    ("simulate tank.fmu --stop 1 --input words.csv",
     "--input: words.csv has 'one' in line 2, column u, which is no number"),
    ("examples fuel_cylce {tmp}/a", "There is no example fuel_cylce. Did you mean fuel_cycle?"),
    ("simulate tank.fmu --set gain=a", "Invalid value a for parameter gain. It is not a number."),
    ("simulate tank.fmu --set gian=1", "--set: gian cannot be set in tank.fmu. Did you mean gain? "
     "trivium info tank.fmu shows its variables."),
    ("examples fuel_cycle {tmp}/no/a", "{tmp}/no/a cannot be written: there is no folder {tmp}/no"),
    ("examples fuel_cycle full", "full exists already; name a new folder"),
    ("token list", "there is no file of tokens: name it with --file FILE, or set TRIVIUM_TOKENS"),
    ("token add me --file tokens.json --scopes raed",
     "Invalid scopes: raed is not one of read, control, jobs, admin. Did you mean read?"),
    ("token remove me --file tokens.json", "There is no token me."),
    ("backup no/a.tar", "The backup cannot be written: there is no folder {files}/no."),
]  # fmt: skip


@pytest.mark.parametrize(("line", "sentence"), ERRORS)
def test_a_wrong_name_or_file(typed, files, tmp_path, line, sentence):
    code, lines = typed(line)
    assert lines[-1] == f"trivium: {sentence.format(files=files, tmp=tmp_path)}"
    assert code == 1


#: As those, with a line for each field.
LISTINGS = [
    ("sweep fields.json", ["  simulation.stop_tme: there is no such field. Did you mean stop_time?",
                           "  simulaton: there is no such field. Did you mean simulation?"]),
    ("sweep negative.json", ["  simulation.step_size: must be greater than 0, not -1"]),
    ("sweep list.json", ["  study: must be a JSON object"]),
    ("sweep mark.json", ["  study: must be a JSON object"]),
    ("sweep types.json", ["  paths: must be a JSON object, not 3", "  simulation.stop_time: must be a number, not a"]),
    ("converge bare.json", ["  components: has 0 entries; the least is 1"]),
    ("converge kind.json",
     ["  components.a.kind: must be one of 'python', 'process', 'testcase', 'fmu', 'muio', not pyton"]),
    ("converge callable.json", ["  components.a.callable: must be of the form module:function, not mod.a"]),
    ("converge initial.json", ["  components.a.inputs.x.initial: must be a number or a list, not q",
                               "  components.a.inputs.x.relative: must be at least 0, not -1"]),
    ("converge case.json", ["  components.a.callable: is missing",
                            "  components.a.calable: there is no such field. Did you mean callable?"]),
]  # fmt: skip


@pytest.mark.parametrize(("line", "wrong"), LISTINGS)
def test_a_document_with_wrong_fields(typed, line, wrong):
    code, (first, *lines) = typed(line)
    assert first == f"trivium: {line.split()[-1]} cannot be run:"
    assert lines == wrong
    assert code == 1


def test_a_state_directory_that_is_in_use_is_not_overwritten(typed, state_dir):
    (state_dir / "something").touch()
    code, lines = typed("restore bad.tar")
    assert lines == [
        f"trivium: The state directory {state_dir} is not empty; set TRIVIUM_STATE_DIR to another one, or move it away."
    ]
    assert code == 1


def test_a_state_directory_that_is_not_there_is_named(typed, tmp_path, monkeypatch):
    monkeypatch.setenv("TRIVIUM_STATE_DIR", str(tmp_path / "nowhere"))
    code, lines = typed("backup a.tar")
    assert lines == [
        f"trivium: There is no state directory {tmp_path / 'nowhere'}; TRIVIUM_STATE_DIR names another one."
    ]
    assert code == 1


def test_a_wrong_setting_names_its_variable(typed, monkeypatch):
    monkeypatch.setenv("TRIVIUM_ENGINE", "pifmi")
    code, lines = typed("step --to 600")
    assert lines[0].startswith("trivium: TRIVIUM_ENGINE must be one of auto, fmpy, pyfmi, assimulo, not pifmi")
    assert code == 1


#: Calls from Python: function, arguments, the beginning of the sentence.
CALLS = [
    (lambda: trivium.simulate("tnak.fmu"), "Did you mean tank.fmu?"),
    (lambda: trivium.simulate("tank.fmu", stop_time=1, start_values={"gian": 3}), "gian"),
    (lambda: trivium.simulate("tank.fmu", stop_time=1, step=-1), "step"),
    (lambda: trivium.simulate("tank.fmu", stop_time=-1), "stop_time"),
    (lambda: trivium.info("text.fmu"), "text.fmu is no FMU"),
]


@pytest.mark.parametrize(("call", "part"), CALLS)
def test_a_wrong_call(files, monkeypatch, call, part):
    monkeypatch.chdir(files)
    with pytest.raises(TriviumError) as caught:
        call()
    assert part in str(caught.value)


def test_there_are_enough_rows():
    assert len(USAGE) + len(ERRORS) + len(LISTINGS) + len(CALLS) >= 60
